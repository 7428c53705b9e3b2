//! What a decision's page says: the answer in one screen, then quality, latency, cost, break-even, the
//! Pareto front, where texts go, where reranking helps and hurts, what was not measured, and how it
//! was decided.

mod answer;
mod break_even;
mod choices;
mod cost;
mod figures;
mod merged;
mod method;

use secondpass_evaluation::decision::{Decision, Evidence};
use secondpass_evaluation::{QueryRow, Record};

use super::{Content, Opening, Section, banners, explained};
use super::{agreement, changes, destinations, identity, latency, quality, slices};
use crate::charts::{ChangesChart, Chart as _};
use crate::content::Block;

/// A decision's page, with the one record of all its choices that its charts are drawn from.
pub(crate) struct Page {
    /// What it says.
    pub(crate) content: Content,
    /// What it says in its first screen.
    pub(crate) opening: Opening,
    /// All choices as if they had run in one experiment.
    pub(crate) record: Record,
    /// Its table.
    pub(crate) rows: Vec<QueryRow>,
}

/// Where the parts of the page begin.
const PARTS: &[(&str, &str)] = &[
    ("quality", "What is gained"),
    ("latency", "Latency, cost, data"),
    ("changes", "Where it helps and hurts"),
    ("figures", "On what it rests"),
];

/// Composes the page of a decision; `None` without any evidence.
pub(crate) fn page(decision: &Decision, evidence: &[Evidence<'_>]) -> Option<Page> {
    let (record, rows) = merged::of(decision, evidence)?;
    let mut of_latency = latency::section(&record);
    of_latency.blocks.extend(choices::times(decision, &record));
    let mut of_quality = quality::section(&record);
    of_quality.blocks.extend(choices::qualities(decision, &record));
    let sections = [
        Some(of_quality),
        Some(of_latency),
        Some(cost::section(decision, &record)),
        Some(break_even::section(decision, &record)),
        Some(choices::front(decision, &record)),
        Some(destinations::section(&record)),
        Some(helps_and_hurts(&record)),
        slices::section(&record),
        agreement::section(&record),
        Some(figures::section(decision, &record)),
        Some(method::section(decision)),
        Some(identity::section(&record)),
    ];
    let content = Content {
        title: answer::title(decision),
        subtitle: answer::subtitle(decision, &record),
        banners: banners(&record),
        finding: answer::finding(decision),
        warnings: merged::warnings(evidence),
        sections: sections.into_iter().flatten().map(|s| explained(&record, s)).collect(),
    };
    let opening = answer::opening(decision, &record, PARTS);
    Some(Page { content, opening, record, rows })
}

/// The queries that gained and lost, and those that changed most.
fn helps_and_hurts(record: &Record) -> Section {
    let most = changes::section(record).map(|section| section.blocks).unwrap_or_default();
    let mut blocks = vec![Block::Chart(ChangesChart::NAME)];
    blocks.extend(choices::helped(record));
    blocks.extend(most);
    Section { id: "changes", title: "Where reranking helps and hurts", blocks }
}

#[cfg(test)]
mod tests;
