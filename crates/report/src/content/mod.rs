//! What a report says, before it is Markdown or HTML: one file a section, plain text throughout.
//!
//! Nothing here is escaped; the two faces escape every text they show.

mod candidates;
mod difference;
mod failures;
mod identity;
mod latency;
mod method;
mod quality;
mod slices;
mod truncation;

use secondpass_evaluation::{Record, Role, SystemRecord};

use crate::format;

/// A whole report.
pub(crate) struct Content {
    /// The experiment's name.
    pub(crate) title: String,
    /// Data set, date and version in a line.
    pub(crate) subtitle: String,
    /// Why the figures predict nothing, where they do not.
    pub(crate) banner: Option<String>,
    /// What was found, in a sentence.
    pub(crate) finding: String,
    /// What to watch, each with its advice.
    pub(crate) warnings: Vec<String>,
    /// The rest, in reading order.
    pub(crate) sections: Vec<Section>,
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
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), detail: None }
    }
}

/// Composes the report of a record.
pub(crate) fn of(record: &Record, finding: &str) -> Content {
    let sections = [
        Some(quality::section(record)),
        difference::section(record),
        Some(latency::section(record)),
        Some(truncation::section(record)),
        slices::section(record),
        failures::section(record),
        Some(candidates::section(record)),
        Some(method::section(record)),
        Some(identity::section(record)),
    ];
    Content {
        title: record.experiment.name.clone(),
        subtitle: format!(
            "{}, {} split, {} · finished {} · secondpass {}",
            record.dataset.name,
            record.dataset.split,
            format::counted(record.dataset.queries, "query", "queries"),
            record.finished,
            record.version,
        ),
        banner: record.experiment.demonstration.clone(),
        finding: finding.to_owned(),
        warnings: record.experiment.warnings.clone(),
        sections: sections.into_iter().flatten().collect(),
    }
}

fn heads<const N: usize>(heads: [&str; N]) -> Vec<String> {
    heads.map(str::to_owned).to_vec()
}

fn value(text: String, detail: String) -> Cell {
    Cell { text, detail: Some(detail) }
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
        for rerankers in [0, 1, 8] {
            for section in of(&fixture::record(rerankers), "").sections {
                for block in section.blocks {
                    let Block::Table(table) = block else { continue };
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
    fn without_rerankers_there_is_nothing_to_compare() {
        let mut record = fixture::record(0);
        record.systems.truncate(1);
        let ids: Vec<&str> = of(&record, "").sections.iter().map(|s| s.id).collect();
        assert!(!ids.contains(&"difference"), "{ids:?}");
        assert!(ids.contains(&"latency"), "{ids:?}");
    }
}
