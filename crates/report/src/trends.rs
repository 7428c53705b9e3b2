use std::path::{Path, PathBuf};

use secondpass_evaluation::compare::History;

use crate::charts::{self, Chart, TrendCost, TrendLatency, TrendQuality};
use crate::{ReportError, write};

/// Draws how an experiment's figures came to be, as `trend-quality`, `trend-latency` and `trend-cost`
/// in `folder`, each as SVG and PNG; what no record knows is not drawn. Returns the files.
///
/// # Errors
/// The folder or a file cannot be written, or a chart cannot be drawn.
pub fn trends(
    history: &History,
    experiment: &str,
    measure: &str,
    folder: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    write::folder(folder)?;
    let mut written = Vec::new();
    one(TrendQuality::new(history, experiment, measure), folder, &mut written)?;
    one(TrendLatency::new(history, experiment), folder, &mut written)?;
    one(TrendCost::new(history, experiment), folder, &mut written)?;
    Ok(written)
}

fn one<C: Chart>(
    chart: Option<C>,
    folder: &Path,
    written: &mut Vec<PathBuf>,
) -> Result<(), ReportError> {
    let Some(chart) = chart else { return Ok(()) };
    let (text, raster) = charts::both(&chart)?;
    let (svg, png) =
        (folder.join(C::NAME).with_extension("svg"), folder.join(C::NAME).with_extension("png"));
    write::bytes(&svg, text.as_bytes())?;
    write::png(&png, &raster)?;
    written.extend([svg, png]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn every_figure_that_is_known_is_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::default();
        let record = fixture::hosted();
        for month in 1..=3 {
            let mut later = record.clone();
            later.finished = format!("2026-0{month}-01T00:00:00Z");
            for system in &mut later.systems {
                system.quality[0].mean -= 0.01 * f64::from(month);
            }
            assert!(history.add(&later));
        }
        let name = &record.experiment.name;
        let written = trends(&history, name, &record.primary, folder.path()).unwrap();
        assert_eq!(written.len(), 6, "{written:?}");
        let svg = std::fs::read_to_string(folder.path().join("trend-quality.svg")).unwrap();
        assert!(svg.contains("3 records; latest: "), "{}", &svg[..600]);
        assert!(svg.contains("2026-01-01 to 2026-03-01"));
        assert_eq!(trends(&history, "another", "AP", folder.path()).unwrap().len(), 0);
    }
}
