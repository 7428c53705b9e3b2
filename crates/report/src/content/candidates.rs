use secondpass_evaluation::Record;

use super::{Block, Cell, Section, Table, heads};
use crate::format;

/// What every system was given to order.
pub(super) fn section(record: &Record) -> Section {
    let candidates = &record.candidates;
    let rows: Vec<Vec<Cell>> = vec![
        vec!["First stage".into(), candidates.first_stage.as_str().into()],
        vec!["Depth".into(), format!("{} candidates per query at most", candidates.depth).into()],
        vec![
            "Mean".into(),
            format!("{} candidates per query", format::mean(candidates.mean)).into(),
        ],
        vec![
            "Queries with a relevant candidate".into(),
            format::percent(candidates.with_relevant).into(),
        ],
        vec!["Judged@10".into(), format::percent(candidates.judged_at_10).into()],
    ];
    let without = (1.0 - candidates.with_relevant).clamp(0.0, 1.0);
    let mut notes = Vec::new();
    if without > 0.0 {
        notes.push(format!(
            "For {} of the queries no relevant document is among the candidates: reranking cannot \
             help them; a better or deeper first stage can.",
            format::percent(without)
        ));
    }
    notes.push(
        "Judged@10 is the share of the first stage's top 10 that was judged. Unjudged documents \
         count as not relevant, so a low share understates systems that find other documents."
            .into(),
    );
    Section {
        id: "candidates",
        title: "Candidates",
        blocks: vec![
            Block::Table(Table { head: heads(["What", "Value"]), rows, labels: usize::MAX }),
            Block::List(notes),
        ],
    }
}
