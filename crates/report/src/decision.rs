//! A decision's page: rendered from the decision and the records that it rests on.

use std::path::{Path, PathBuf};

use secondpass_evaluation::decision::{Decision, Evidence, sentences};
use serde_json::json;

use crate::{ReportError, charts, content, html, markdown, write};

/// The pages, in the order they are written.
const PAGES: [&str; 2] = ["decision.md", "decision.html"];

/// The decision as data.
const DATA: &str = "decision.json";

/// Writes the page of `decision` into `folder`, which is made if it is missing: `decision.html`,
/// `decision.md`, `decision.json` (the decision and its sentences), and its charts as
/// `charts/NAME.svg` and `charts/NAME.png`. Returns the files in the order they were written.
///
/// `evidence` is what the decision was reached from: what it does not hold of quality, times and places
/// that texts go to is shown from there. Files are written as [`crate::render`] writes them.
///
/// # Errors
///
/// When there is no evidence, the folder or a file cannot be written, which the error names, or a
/// chart cannot be drawn. Everything is rendered before the first file is written.
pub fn render_decision(
    decision: &Decision,
    evidence: &[Evidence<'_>],
    folder: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    let page = content::decision(decision, evidence).ok_or(ReportError::NoEvidence)?;
    let (charts, rasters) = charts::draw_decision(decision, &page.record, &page.rows)?;
    let markdown = markdown::opened(&page.content, &page.opening, &charts);
    let html = html::opened(&page.content, &page.opening, &charts, "reranking decision");
    let told = json!({ "decision": decision, "sentences": sentences(decision) });

    let mut written = write::pictures(folder, &charts, &rasters)?;
    for (name, text) in
        [(DATA, format!("{told:#}\n"))].into_iter().chain(PAGES.into_iter().zip([markdown, html]))
    {
        let path = folder.join(name);
        write::bytes(&path, text.as_bytes())?;
        written.push(path);
    }
    Ok(written)
}

/// Every file that [`render_decision`] may write, relative to its folder.
pub fn decision_files() -> Vec<PathBuf> {
    let charts = charts::DECISION_NAMES.iter().flat_map(|name| {
        ["svg", "png"].map(|extension| Path::new("charts").join(name).with_extension(extension))
    });
    charts.chain([DATA].into_iter().chain(PAGES).map(PathBuf::from)).collect()
}
