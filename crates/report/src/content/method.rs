use secondpass_evaluation::Record;

use super::{Block, Section};
use crate::format;

/// How the figures came about.
pub(super) fn section(record: &Record) -> Section {
    let dataset = &record.dataset;
    Section {
        id: "method",
        title: "Method",
        blocks: vec![Block::List(vec![
            format!(
                "All figures were measured in this run; none is a vendor's or assumed. It finished \
                 on {}.",
                record.finished
            ),
            format!(
                "Queries: the {} of the {} split that have judgements ({} of {} documents). A \
                 query without any result scores 0 and is counted.",
                format::count(dataset.queries as u64),
                dataset.split,
                format::counted(dataset.judgements, "judgement", "judgements"),
                format::count(dataset.documents as u64),
            ),
            "Measures have trec_eval's semantics and ir_measures' names.".into(),
            "Intervals: 95%, by bootstrap over queries; differences are paired query by query. \
             They cover the choice of queries, not errors in the judgements."
                .into(),
            "Ties: equal scores are ordered by document id, descending, for every system alike. A \
             score that is not a number is an error, never a rank."
                .into(),
            format!(
                "Every system orders the same candidates; verdicts rest on {} alone.",
                record.primary
            ),
        ])],
    }
}
