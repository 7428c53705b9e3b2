//! Reports as people read them: Markdown, one self-contained HTML page, and charts as SVG and PNG.
//!
//! Rendering is a function of an experiment's [`Record`] and its table of [`QueryRow`]s: nothing is
//! measured here, and every figure shown stands in one of the two. The wording and the figures are
//! composed once, in `content`; the Markdown and the HTML are two faces of it. A decision's page is
//! made the same way, of the decision and the records that it rests on.

mod bench;
mod charts;
mod content;
mod decision;
mod error;
#[cfg(test)]
mod fixture;
mod format;
pub mod gate;
mod html;
mod markdown;
mod marks;
mod money;
mod training;
mod trends;
mod write;

use std::path::{Path, PathBuf};

use secondpass_evaluation::{QueryRow, Record, ScoreDistribution};

pub use bench::{bench_files, render_bench};
pub use decision::{decision_files, render_decision};
pub use error::ReportError;
pub use training::{render_training, training_verdict};
pub use trends::trends;

/// Writes the report of `record` into `folder`, which is made if it is missing: `report.md`,
/// `report.html`, and each chart that the record holds data for as `charts/NAME.svg` and
/// `charts/NAME.png`. Returns the files in the order they were written.
///
/// `rows` is the record's table, of which the spread of times and the differences of single queries
/// are drawn; rows of systems that the record does not name are ignored. `finding` is what was found, in a sentence of plain text.
///
/// Each file appears whole or not at all and replaces its predecessor; nothing else in the folder
/// is touched. On Unix only the owner may read the files, whatever their predecessors allowed: they
/// may hold users' texts. Text from the record is escaped wherever it is shown.
///
/// # Errors
///
/// When the folder or a file cannot be written, which the error names, or a chart cannot be drawn.
/// Everything is rendered before the first file is written.
pub fn render(
    record: &Record,
    rows: &[QueryRow],
    finding: &str,
    folder: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    let charts = charts::draw(record, rows)?;
    let rasters = charts::rasters(record, rows)?;
    let content = content::of(record, finding);
    let markdown = markdown::page(&content, &charts);
    let html = html::opened(&content, &content::opening(record), &charts, "reranking report");

    let mut written = write::pictures(folder, &charts, &rasters)?;
    // The pages come last: where they stand, the charts they show stand too.
    for (name, text) in PAGES.into_iter().zip([markdown, html]) {
        let path = folder.join(name);
        write::bytes(&path, text.as_bytes())?;
        written.push(path);
    }
    Ok(written)
}

/// Draws how positives (`relevant` in `scores`), mined negatives (`not_relevant`) and the candidates
/// left out (`unjudged`) score, as `STEM.svg` and `STEM.png`, each whole or not at all; `label` says
/// whose scores they are. Returns the files, none of a distribution without bins.
///
/// # Errors
/// When a file cannot be written, which the error names, or the chart cannot be drawn.
pub fn mined_scores(
    scores: &ScoreDistribution,
    label: &str,
    stem: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    let Some((drawn, raster)) = charts::mined(scores, label)? else { return Ok(Vec::new()) };
    let named = |ending: &str| {
        let mut name = stem.file_name().unwrap_or_default().to_owned();
        name.push(ending);
        stem.with_file_name(name)
    };
    let (svg, png) = (named(".svg"), named(".png"));
    write::bytes(&svg, drawn.as_bytes())?;
    write::png(&png, &raster)?;
    Ok(vec![svg, png])
}

/// Every file that [`render`] may write, relative to its folder: a chart without data is not among
/// what it writes, and one of an earlier run may then be left over.
pub fn files() -> Vec<PathBuf> {
    let charts = charts::NAMES.iter().flat_map(|name| {
        ["svg", "png"].map(|extension| Path::new("charts").join(name).with_extension(extension))
    });
    charts.chain(PAGES.map(PathBuf::from)).collect()
}

/// The pages, in the order they are written.
const PAGES: [&str; 2] = ["report.md", "report.html"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_pages_and_every_chart_twice() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("reports/quickstart");
        let record = fixture::record(1);
        let rows = fixture::rows(&record);
        let written = render(&record, &rows, "A finding.", &out).unwrap();
        let names: Vec<String> = written
            .iter()
            .map(|path| path.strip_prefix(&out).unwrap().to_string_lossy().replace('\\', "/"))
            .collect();
        assert_eq!(
            names,
            [
                "charts/quality.svg",
                "charts/quality.png",
                "charts/changes.svg",
                "charts/changes.png",
                "charts/depth.svg",
                "charts/depth.png",
                "charts/depth-latency.svg",
                "charts/depth-latency.png",
                "charts/length.svg",
                "charts/length.png",
                "charts/scores.svg",
                "charts/scores.png",
                "charts/latency.svg",
                "charts/latency.png",
                "charts/quality-latency.svg",
                "charts/quality-latency.png",
                "report.md",
                "report.html",
            ]
        );
        let all = files();
        assert!(names.iter().all(|name| all.contains(&PathBuf::from(name))), "{all:?}");
        // Every picture the page shows is there, and no temporary file is left.
        let page = std::fs::read_to_string(out.join("report.md")).unwrap();
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(out.join(link).is_file(), "{link}");
        }
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 3);
        assert_eq!(std::fs::read_dir(out.join("charts")).unwrap().count(), 16);
    }

    #[test]
    fn a_second_report_replaces_the_first_and_keeps_other_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("record.json"), "{}").unwrap();
        let record = fixture::record(0);
        render(&record, &[], "Old.", folder.path()).unwrap();
        render(&record, &[], "New.", folder.path()).unwrap();
        let page = std::fs::read_to_string(folder.path().join("report.md")).unwrap();
        assert!(page.contains("New.") && !page.contains("Old."));
        assert_eq!(std::fs::read_to_string(folder.path().join("record.json")).unwrap(), "{}");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_any_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("report.html");
        std::fs::write(&open, "readable by all").unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
        let record = fixture::record(1);
        let rows = fixture::rows(&record);
        for path in render(&record, &rows, "", folder.path()).unwrap() {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
    }

    #[test]
    fn mined_scores_are_a_picture_of_two_files() {
        let folder = tempfile::tempdir().unwrap();
        let scores = ScoreDistribution {
            edges: vec![0.0, 0.5, 1.0],
            relevant: vec![1, 9],
            not_relevant: vec![40, 2],
            unjudged: vec![0, 5],
        };
        let stem = folder.path().join("mined.scores");
        let written = mined_scores(&scores, "teacher", &stem).unwrap();
        let names: Vec<_> = written.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(names, ["mined.scores.svg", "mined.scores.png"]);
        let svg = std::fs::read_to_string(&written[0]).unwrap();
        for text in ["positives", "negatives", "left out", "10 positives, 42 negatives, 5 left out"]
        {
            assert!(svg.contains(text), "{text}");
        }
        let bare = ScoreDistribution { edges: Vec::new(), ..scores };
        assert!(mined_scores(&bare, "teacher", &stem).unwrap().is_empty());
    }

    #[test]
    fn errors_name_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("taken");
        std::fs::write(&file, "").unwrap();
        let error = render(&fixture::record(0), &[], "", &file).unwrap_err();
        assert!(matches!(error, ReportError::Folder { .. }), "{error:?}");
        assert!(error.to_string().contains("taken"), "{error}");

        let out = folder.path().join("out");
        std::fs::create_dir_all(out.join("charts/quality.png")).unwrap();
        let error = render(&fixture::record(0), &[], "", &out).unwrap_err();
        assert!(matches!(error, ReportError::Picture { .. }), "{error:?}");
        assert!(error.to_string().contains("quality.png"), "{error}");
    }
}
