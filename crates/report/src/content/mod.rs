//! What a report says, before it is Markdown or HTML: one file a section, plain text throughout.
//!
//! Nothing here is escaped; the two faces escape every text they show.

mod agreement;
mod candidates;
mod changes;
mod cost;
mod decision;
mod depth;
mod destinations;
mod failures;
mod identity;
mod latency;
mod latency_parts;
mod method;
mod opening;
mod quality;
mod reranking;
mod scores;
mod slices;
mod spending;
mod truncation;
mod unjudged;

use secondpass_evaluation::{Difference, Estimate, Record, Role, SystemRecord};

pub(crate) use decision::page as decision;
pub(crate) use opening::{Fact, Listed, Opening, Tone, of as opening};

use crate::{format, marks};

/// A whole report.
pub(crate) struct Content {
    /// The experiment's name.
    pub(crate) title: String,
    /// Data set, date and version in a line.
    pub(crate) subtitle: String,
    /// Why figures predict or decide nothing, where they do not.
    pub(crate) banners: Vec<Banner>,
    /// What was found, in a sentence.
    pub(crate) finding: String,
    /// What to watch, each with its advice.
    pub(crate) warnings: Vec<String>,
    /// The rest, in reading order.
    pub(crate) sections: Vec<Section>,
}

/// What a reader must know before any figure.
pub(crate) struct Banner {
    /// In a word or two.
    pub(crate) title: &'static str,
    /// In full.
    pub(crate) text: String,
}

/// A heading and what stands below it.
pub(crate) struct Section {
    /// A fragment id.
    pub(crate) id: &'static str,
    /// The heading.
    pub(crate) title: &'static str,
    /// Its content in order.
    pub(crate) blocks: Vec<Block>,
}

/// A piece of a section.
pub(crate) enum Block {
    /// A paragraph.
    Text(String),
    /// A list.
    List(Vec<String>),
    /// A table.
    Table(Table),
    /// A table that is folded away until it is asked for, and its name.
    Folded(String, Table),
    /// A heading within the section.
    Heading(String),
    /// The chart of this name.
    Chart(&'static str),
}

/// A table; its first column names the rows.
pub(crate) struct Table {
    /// The columns' headings.
    pub(crate) head: Vec<String>,
    /// Rows of as many cells as there are headings.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// Leading columns that hold words; those after them hold figures, which align at the right.
    pub(crate) labels: usize,
}

/// A cell of a table.
pub(crate) struct Cell {
    /// What it says.
    pub(crate) text: String,
    /// What qualifies it, smaller: an interval.
    pub(crate) detail: Option<String>,
    /// A numbered list below it.
    pub(crate) items: Vec<Item>,
}

/// An entry of a list in a cell.
pub(crate) struct Item {
    /// What it says.
    pub(crate) text: String,
    /// What qualifies it, smaller.
    pub(crate) detail: Option<String>,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), detail: None, items: Vec::new() }
    }
}

/// Composes the report of a record, its sections in the order in which a reader decides: what was
/// found, whether reranking is worth it and what limits it, what it costs in time and money and who
/// reads the texts, where it helps and where it fails, and how all this came about.
pub(crate) fn of(record: &Record, finding: &str) -> Content {
    let sections = [
        Some(quality::section(record)),
        reranking::section(record),
        Some(candidates::section(record)),
        depth::section(record),
        Some(latency::section(record)),
        cost::section(record),
        Some(destinations::section(record)),
        changes::section(record),
        slices::section(record),
        agreement::section(record),
        Some(truncation::section(record)),
        scores::section(record),
        Some(unjudged::section(record)),
        failures::section(record),
        Some(method::section(record)),
        Some(identity::section(record)),
    ];
    Content {
        title: record.experiment.name.clone(),
        subtitle: format!(
            "{}, {} split, {}{} · finished {} · secondpass {}",
            record.dataset.name,
            record.dataset.split,
            format::counted(record.dataset.queries, "query", "queries"),
            if record.dataset.sample.is_some() { " of a sample" } else { "" },
            record.finished,
            record.version,
        ),
        banners: banners(record),
        finding: finding.to_owned(),
        warnings: record.experiment.warnings.clone(),
        sections: sections
            .into_iter()
            .flatten()
            .map(|section| explained(record, section))
            .collect(),
    }
}

fn banners(record: &Record) -> Vec<Banner> {
    let demonstration = record.experiment.demonstration.clone();
    let demonstration = demonstration.map(|text| Banner { title: "Demonstration.", text });
    let marked = marks::banner(record).map(|text| Banner { title: "Not live.", text });
    demonstration.into_iter().chain(marked).collect()
}

/// The section, with the meaning of the marks that stand in its tables.
fn explained(record: &Record, mut section: Section) -> Section {
    let shows = |name: &str| {
        section.blocks.iter().any(|block| match block {
            Block::Table(table) | Block::Folded(_, table) => {
                table.rows.iter().flatten().any(|cell| cell.text.contains(name))
            }
            Block::Text(text) | Block::Heading(text) => text.contains(name),
            Block::List(items) => items.iter().any(|item| item.contains(name)),
            Block::Chart(_) => false,
        })
    };
    let marked = record.systems.iter().filter(|system| !system.origin.is_live());
    if let Some(meaning) = marks::meaning(marked.filter(|system| shows(&marks::name(system)))) {
        section.blocks.push(Block::Text(meaning));
    }
    section
}

fn heads<const N: usize>(heads: [&str; N]) -> Vec<String> {
    heads.map(str::to_owned).to_vec()
}

fn value(text: String, detail: String) -> Cell {
    Cell { detail: Some(detail), ..text.into() }
}

/// A mean with its interval.
fn estimate(estimate: &Estimate) -> Cell {
    if estimate.queries == 0 {
        return format::NOT_APPLICABLE.into();
    }
    value(format::score(estimate.mean), format::interval(estimate.low, estimate.high))
}

/// A mean with its interval, where the measure applies.
fn estimate_or_none(found: Option<&Estimate>) -> Cell {
    found.map_or(format::NOT_APPLICABLE.into(), estimate)
}

/// A difference with its interval.
fn difference(difference: &Difference) -> Cell {
    if difference.helped + difference.hurt + difference.unchanged == 0 {
        return format::NOT_APPLICABLE.into();
    }
    value(format::signed(difference.mean), format::signed_interval(difference.low, difference.high))
}

/// What may be there, or a dash.
fn or_none<T>(value: Option<T>, text: impl FnOnce(T) -> String) -> Cell {
    value.map_or(format::NONE.into(), text).into()
}

fn number(count: usize) -> Cell {
    format::count(count as u64).into()
}

/// A system's estimate of the primary measure; `None` where it applies to no query.
fn primary<'a>(record: &Record, system: &'a SystemRecord) -> Option<&'a Estimate> {
    let applies = |estimate: &&Estimate| estimate.queries > 0;
    system.quality.iter().find(|estimate| estimate.measure == record.primary).filter(applies)
}

/// Whether queries failed: what compares a system with the first stage query by query is then left
/// out, because the two were not measured on the same queries.
fn failed(system: &SystemRecord) -> bool {
    !system.failures.is_empty()
}

fn first_stage(record: &Record) -> Option<&SystemRecord> {
    record.systems.iter().find(|system| system.role == Role::FirstStage)
}

fn rerankers(record: &Record) -> impl Iterator<Item = &SystemRecord> {
    record.systems.iter().filter(|system| system.role == Role::Reranker)
}

fn oracle(record: &Record) -> Option<&SystemRecord> {
    record.systems.iter().find(|system| system.role == Role::Oracle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn rows_have_as_many_cells_as_headings() {
        for record in [0, 1, 8]
            .map(fixture::record)
            .into_iter()
            .chain([fixture::hosted(), fixture::hostile()])
        {
            for section in of(&record, "").sections {
                for block in section.blocks {
                    let (Block::Table(table) | Block::Folded(_, table)) = block else { continue };
                    for row in table.rows {
                        assert_eq!(row.len(), table.head.len(), "{}", section.title);
                    }
                }
            }
        }
    }

    #[test]
    fn systems_with_fewer_measures_leave_gaps_not_shifts() {
        let mut record = fixture::record(1);
        record.systems[1].quality.retain(|estimate| estimate.measure != "nDCG@10");
        let section = quality::section(&record);
        let table = section.blocks.iter().find_map(|block| match block {
            Block::Table(table) => Some(table),
            _ => None,
        });
        let row = &table.unwrap().rows[1];
        assert_eq!(row[1].text, format::NONE);
        assert_eq!(row[2].text, "0.702");
    }

    #[test]
    fn cells_that_decide_nothing_are_marked_wherever_they_stand() {
        let record = fixture::hosted();
        let told = texts(&record);
        let mut marked = 0;
        for (name, mark) in [("cohere-imitated", " (mock)"), ("voyage", " (replay of 2026-01-12)")]
        {
            for line in told.lines().flat_map(|line| line.split(" | ").take(1)) {
                for (at, _) in line.match_indices(name) {
                    assert!(line[at + name.len()..].starts_with(mark), "{line}");
                    marked += 1;
                }
            }
        }
        assert!(marked > 20, "{marked}");
        // In some tables systems stand in another column than the first.
        let mut columns = 0;
        for block in of(&record, "").sections.into_iter().flat_map(|section| section.blocks) {
            let (Block::Table(table) | Block::Folded(_, table)) = block else { continue };
            let Some(column) = table.head.iter().position(|head| head == "System") else {
                continue;
            };
            columns += 1;
            for row in &table.rows {
                let name = &row[column].text;
                assert!(name != "cohere-imitated" && name != "voyage", "{:?}", table.head);
            }
        }
        assert!(columns > 10, "{columns}");
        // Where a mark stands, its meaning does.
        for section in of(&record, "").sections {
            let shows = |block: &Block| match block {
                Block::Table(table) => table.rows.iter().any(|row| row[0].text.contains("(mock)")),
                _ => false,
            };
            let explains = |block: &Block| matches!(block, Block::Text(text) if text.contains("Such figures decide nothing."));
            let (shown, explained) =
                (section.blocks.iter().any(shows), section.blocks.iter().any(explains));
            assert!(explained || !shown, "{}", section.id);
        }
        assert!(texts(&fixture::record(3)).find("decide nothing").is_none());
    }

    #[test]
    fn what_is_not_live_gets_no_verdict_and_no_advice() {
        let told = texts(&fixture::hosted());
        let verdict = |name: &str, reason: &str| {
            assert!(told.contains(&format!("{name}: no verdict, for {reason};")), "{told}");
            assert!(told.contains(&format!("{name} | no verdict |")), "{told}");
            assert!(!told.contains(&format!("{name}: depth")), "{told}");
        };
        verdict("cohere-imitated (mock)", "a mock's figures are made up");
        verdict("voyage (replay of 2026-01-12)", "a replay decides nothing");
        assert!(told.contains("cohere: better than the first stage"), "{told}");
    }

    /// Every text of a report but the charts'.
    fn texts(record: &Record) -> String {
        let mut texts = Vec::new();
        for block in of(record, "").sections.into_iter().flat_map(|section| section.blocks) {
            match block {
                Block::Text(text) | Block::Heading(text) => texts.push(text),
                Block::List(items) => texts.extend(items),
                Block::Table(table) | Block::Folded(_, table) => {
                    let row = |row: Vec<Cell>| {
                        row.into_iter().map(|cell| cell.text).collect::<Vec<_>>().join(" | ")
                    };
                    texts.extend(table.rows.into_iter().map(row));
                }
                Block::Chart(_) => {}
            }
        }
        texts.join("\n")
    }

    #[test]
    fn a_measure_that_applies_to_no_query_has_no_figure() {
        let mut record = fixture::with_retriever(1);
        for system in &mut record.systems {
            system.versus_first_stage = None;
            system.comparison = None;
            let slices = system.slices.iter_mut().map(|slice| &mut slice.estimate);
            for estimate in system.quality.iter_mut().chain(slices) {
                (estimate.mean, estimate.low, estimate.high) = (0.0, 0.0, 0.0);
                estimate.queries = 0;
            }
            for slice in &mut system.slices {
                slice.versus_first_stage = None;
            }
            system.depths.clear();
            system.lengths.clear();
        }
        let told = texts(&record);
        assert!(told.contains("nDCG@10 applies to none of the 150 queries"), "{told}");
        assert!(told.contains("helpdesk-mini | n/a"), "{told}");
        assert!(!told.contains("0.000"), "{told}");
    }

    #[test]
    fn a_sample_is_told() {
        let mut record = fixture::record(1);
        assert!(!texts(&record).contains("seed"));
        record.dataset.sample = Some(secondpass_evaluation::QuerySample { queries: 200, seed: 3 });
        let content = of(&record, "");
        assert!(content.subtitle.contains("150 queries of a sample ·"), "{}", content.subtitle);
        let told = texts(&record);
        assert!(told.contains("a sample of 150 of the test split, drawn with seed 3"), "{told}");
    }

    #[test]
    fn sections_stand_in_the_order_in_which_a_reader_decides() {
        let record = fixture::record(2);
        let ids: Vec<&str> = of(&record, "").sections.iter().map(|s| s.id).collect();
        assert_eq!(
            ids,
            [
                "quality",
                "reranking",
                "candidates",
                "depth",
                "latency",
                "cost",
                "destinations",
                "changes",
                "slices",
                "agreement",
                "truncation",
                "scores",
                "unjudged",
                "failures",
                "method",
                "identity"
            ]
        );
    }

    #[test]
    fn without_rerankers_there_is_nothing_to_compare() {
        let mut record = fixture::record(0);
        record.systems.truncate(1);
        let ids: Vec<&str> = of(&record, "").sections.iter().map(|s| s.id).collect();
        assert_eq!(
            ids,
            [
                "quality",
                "candidates",
                "latency",
                "destinations",
                "slices",
                "truncation",
                "unjudged",
                "method",
                "identity"
            ]
        );
    }
}
