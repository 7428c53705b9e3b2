//! The report of a training run: how it went, and what it changed.

mod content;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use secondpass_evaluation::Verdict;
use secondpass_evaluation::training::{Change, TrainingRecord};

use crate::{ReportError, charts, html, markdown, write};

/// Writes the report of a training run into `folder`, which is made if it is missing: `training.md`,
/// `training.html`, and its charts as `charts/NAME.svg` and `charts/NAME.png`. Returns the files in
/// the order they were written. Each appears whole or not at all.
///
/// # Errors
///
/// When the folder or a file cannot be written, which the error names, or a chart cannot be drawn.
/// Everything is rendered before the first file is written.
pub fn render_training(
    record: &TrainingRecord,
    folder: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    let (drawn, rasters): (Vec<_>, Vec<_>) = charts::of_training(record)?.into_iter().unzip();
    let content = content::of(record);
    let pages = [markdown::page(&content, &drawn), html::page(&content, &drawn)];

    write::folder(folder)?;
    let mut written = Vec::new();
    let pictures = folder.join("charts");
    write::folder(&pictures)?;
    for (chart, raster) in drawn.iter().zip(&rasters) {
        let svg = pictures.join(chart.name).with_extension("svg");
        write::bytes(&svg, chart.svg.as_bytes())?;
        let png = pictures.join(chart.name).with_extension("png");
        write::png(&png, raster)?;
        written.extend([svg, png]);
    }
    // The pages come last: where they stand, the charts they show stand too.
    for (name, text) in ["training.md", "training.html"].into_iter().zip(pages) {
        let path = folder.join(name);
        write::bytes(&path, text.as_bytes())?;
        written.push(path);
    }
    Ok(written)
}

/// What a change shows, said of the trained model against `than`.
pub fn training_verdict(change: &Change, than: &str) -> String {
    match change.comparison.verdict {
        Verdict::Better => format!("better than {than}"),
        Verdict::Worse => format!("worse than {than}"),
        Verdict::Equivalent => format!("as good as {than}"),
        Verdict::NonInferior => format!("not worse than {than}, nor shown to be better"),
        Verdict::CannotTell => format!("not shown to differ from {than}"),
    }
}
