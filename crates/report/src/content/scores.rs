use secondpass_evaluation::{Record, ScoreDistribution, SystemRecord};

use super::{Block, Section, Table, heads, rerankers};
use crate::charts::{Chart as _, ScoresChart, middle, total, well_formed};
use crate::format;

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

fn medians(found: &[(&SystemRecord, &ScoreDistribution)]) -> Table {
    let rows = found.iter().map(|(system, scores)| {
        let median = |counts: &[u64]| match middle(scores, counts) {
            Some(edges) => range(edges),
            None => format::NONE.into(),
        };
        vec![
            system.name.as_str().into(),
            format::count(total(&scores.relevant)).into(),
            median(&scores.relevant).into(),
            format::count(total(&scores.not_relevant)).into(),
            median(&scores.not_relevant).into(),
            format::count(total(&scores.unjudged)).into(),
            median(&scores.unjudged).into(),
        ]
    });
    Table {
        head: heads([
            "System",
            "Relevant pairs",
            "Their median score",
            "Not relevant pairs",
            "Their median score",
            "Unjudged pairs",
            "Their median score",
        ]),
        rows: rows.collect(),
        labels: 1,
    }
}

fn bins(found: &[(&SystemRecord, &ScoreDistribution)]) -> Table {
    let rows = found.iter().flat_map(|(system, scores)| {
        let counts = scores.relevant.iter().zip(&scores.not_relevant).zip(&scores.unjudged);
        let bins = scores.edges.windows(2).zip(counts);
        bins.map(|(edges, ((relevant, not_relevant), unjudged))| {
            vec![
                system.name.as_str().into(),
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
