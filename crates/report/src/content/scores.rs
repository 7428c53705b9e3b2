use secondpass_evaluation::{Record, ScoreDistribution, SystemRecord};

use super::{Block, Cell, Section, Table, heads, or_none, rerankers};
use crate::charts::{Chart as _, ScoresChart, middle, total, well_formed};
use crate::{format, marks};

/// How scores lie, by relevance; `None` where no distribution was kept.
pub(super) fn section(record: &Record) -> Option<Section> {
    let found: Vec<(&SystemRecord, &ScoreDistribution)> = rerankers(record)
        .filter_map(|system| {
            Some((system, system.scores.as_ref().filter(|scores| well_formed(scores))?))
        })
        .collect();
    if found.is_empty() {
        return None;
    }
    Some(Section {
        id: "scores",
        title: "Scores",
        blocks: vec![
            Block::Text(
                "Scores sort the candidates of one query by one reranker. They are not \
                 probabilities, scores of two rerankers never compare, and a threshold has to be \
                 fitted on queries of its own."
                    .into(),
            ),
            Block::Chart(ScoresChart::NAME),
            Block::Table(medians(&found)),
            Block::Folded("Pairs by score".into(), bins(&found)),
        ],
    })
}

/// The pairs of one kind, a bin.
type Counts = fn(&ScoreDistribution) -> &[u64];

fn medians(found: &[(&SystemRecord, &ScoreDistribution)]) -> Table {
    // Kinds of which no reranker scored any pair say nothing.
    let kinds: [(&str, Counts); 3] = [
        ("Relevant", |scores| &scores.relevant),
        ("Not relevant", |scores| &scores.not_relevant),
        ("Unjudged", |scores| &scores.unjudged),
    ];
    let any = |counts: Counts| found.iter().any(|(_, scores)| total(counts(scores)) > 0);
    let kinds: Vec<_> = kinds.into_iter().filter(|(_, counts)| any(*counts)).collect();
    let rows = found.iter().map(|(system, scores)| {
        let mut row = vec![Cell::from(marks::name(system))];
        for (_, counts) in &kinds {
            row.push(format::count(total(counts(scores))).into());
            row.push(or_none(middle(scores, counts(scores)), range));
        }
        row
    });
    let mut head = heads(["System"]);
    for (name, _) in &kinds {
        head.extend([format!("{name} pairs"), "Their median lies in".into()]);
    }
    Table { head, rows: rows.collect(), labels: 1 }
}

fn bins(found: &[(&SystemRecord, &ScoreDistribution)]) -> Table {
    let rows = found.iter().flat_map(|(system, scores)| {
        let counts = scores.relevant.iter().zip(&scores.not_relevant).zip(&scores.unjudged);
        let bins = scores.edges.windows(2).zip(counts);
        bins.map(|(edges, ((relevant, not_relevant), unjudged))| {
            vec![
                marks::name(system).into(),
                range((edges[0], edges[1])).into(),
                format::count(*relevant).into(),
                format::count(*not_relevant).into(),
                format::count(*unjudged).into(),
            ]
        })
        .collect::<Vec<_>>()
    });
    Table {
        head: heads(["System", "Score", "Relevant", "Not relevant", "Unjudged"]),
        rows: rows.collect(),
        labels: 1,
    }
}

fn range((low, high): (f64, f64)) -> String {
    format!("{} to {}", format::number(low), format::number(high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn kinds_without_any_pair_are_left_out() {
        let mut record = fixture::record(1);
        let scores = record.systems[1].scores.as_mut().unwrap();
        scores.not_relevant.fill(0);
        let section = section(&record).unwrap();
        let Block::Table(table) = &section.blocks[2] else { panic!("no table") };
        let head = ["System", "Relevant pairs", "Their median lies in", "Unjudged pairs"];
        assert_eq!(table.head[..4], head);
        assert_eq!(table.rows[0].len(), 5);
        let chart = ScoresChart::new(&record).unwrap();
        let alt = chart.alt();
        assert!(!alt.contains("not relevant"), "{alt}");
        assert!(alt.contains("the median score of relevant pairs lies between 2 and 4"), "{alt}");
    }
}
