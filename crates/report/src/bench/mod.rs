//! The page of a bench: latency under load, from its record and its raw samples alone.

mod charts;
mod content;
#[cfg(test)]
mod fixture;
mod percentiles;

use std::path::{Path, PathBuf};

use secondpass_evaluation::bench::{BenchRecord, SampleRow};

use crate::{ReportError, html, markdown, write};

/// Writes the page of a bench into `folder`, which is made if it is missing: `bench.md`, `bench.html`,
/// and each chart that there are data for as `charts/NAME.svg` and `charts/NAME.png`. Returns the
/// files in the order they were written. `samples` are the record's own, of which the distribution
/// is drawn; those of rerankers that it does not have are ignored.
///
/// # Errors
///
/// When the folder or a file cannot be written, which the error names, or a chart cannot be drawn.
pub fn render_bench(
    record: &BenchRecord,
    samples: &[SampleRow],
    folder: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    let drawn = charts::draw(record, samples)?;
    let content = content::of(record, samples);
    let pages = [markdown::page(&content, &drawn.svgs), html::page(&content, &drawn.svgs)];

    write::folder(folder)?;
    let pictures = folder.join("charts");
    let mut written = Vec::new();
    if !drawn.svgs.is_empty() {
        write::folder(&pictures)?;
    }
    for (chart, raster) in drawn.svgs.iter().zip(&drawn.rasters) {
        let svg = pictures.join(chart.name).with_extension("svg");
        write::bytes(&svg, chart.svg.as_bytes())?;
        let png = pictures.join(chart.name).with_extension("png");
        write::png(&png, raster)?;
        written.extend([svg, png]);
    }
    // The pages come last: where they stand, the charts they show stand too.
    for (name, text) in PAGES.into_iter().zip(pages) {
        let path = folder.join(name);
        write::bytes(&path, text.as_bytes())?;
        written.push(path);
    }
    Ok(written)
}

/// Every file that [`render_bench`] may write, relative to its folder.
pub fn bench_files() -> Vec<PathBuf> {
    let charts = charts::NAMES.iter().flat_map(|name| {
        ["svg", "png"].map(|extension| Path::new("charts").join(name).with_extension(extension))
    });
    charts.chain(PAGES.map(PathBuf::from)).collect()
}

/// The pages, in the order they are written.
const PAGES: [&str; 2] = ["bench.md", "bench.html"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_pages_and_every_chart_twice() {
        let folder = tempfile::tempdir().unwrap();
        let (record, rows) = (fixture::record(2), fixture::rows(2));
        let written = render_bench(&record, &rows, folder.path()).unwrap();
        let mut names: Vec<PathBuf> = written
            .iter()
            .map(|path| path.strip_prefix(folder.path()).unwrap().to_owned())
            .collect();
        let mut all = bench_files();
        names.sort();
        all.sort();
        assert_eq!(names, all);
        assert!(written.iter().all(|path| path.is_file()));
        let page = std::fs::read_to_string(folder.path().join("bench.md")).unwrap();
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(folder.path().join(link).is_file(), "{link}");
        }
    }

    #[test]
    fn nothing_measured_is_a_page_too() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = fixture::record(1);
        record.systems[0].cells.clear();
        record.systems[0].capacities.clear();
        record.systems[0].warnings = vec!["it ended before anything was measured".to_owned()];
        let written = render_bench(&record, &[], folder.path()).unwrap();
        assert_eq!(written.len(), 2);
        let page = std::fs::read_to_string(folder.path().join("bench.html")).unwrap();
        assert!(page.contains("ended before anything"), "the warning is missing");
    }

    #[test]
    fn names_are_escaped_and_nothing_is_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = fixture::record(1);
        record.name = "<script>alert(1)</script>".to_owned();
        record.systems[0].name = "<img src=x>".to_owned();
        render_bench(&record, &fixture::rows(1), folder.path()).unwrap();
        let page = std::fs::read_to_string(folder.path().join("bench.html")).unwrap();
        assert!(!page.contains("<script>alert") && !page.contains("<img"));
        assert!(!page.contains("src=") || page.contains("&lt;img src=x&gt;"));
    }

    #[test]
    fn every_chart_has_its_figures_in_a_table() {
        let (record, rows) = (fixture::record(2), fixture::rows(2));
        let charts = charts::draw(&record, &rows).unwrap();
        let content = content::of(&record, &rows);
        let page = html::page(&content, &charts.svgs);
        for chart in &charts.svgs {
            let at = page.find(&format!("chart-{}", chart.name)).expect(chart.name);
            let begin = page[..at].rfind("<section").expect(chart.name);
            let end = page[at..].find("</section>").map_or(page.len(), |end| at + end);
            let section = &page[begin..end];
            assert!(section.contains("<table"), "no table behind {}", chart.name);
            assert!(chart.svg.contains("<desc"), "{}", chart.name);
        }
    }
}
