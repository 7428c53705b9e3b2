use secondpass_evaluation::{DepthPoint, Record, SystemRecord};

use super::{Block, Cell, Section, Table, difference, estimate, heads, number, or_none, rerankers};
use crate::charts::{Chart as _, DepthChart, DepthLatencyChart};
use crate::format;

/// How many candidates are worth reranking; `None` where no depths were compared.
pub(super) fn section(record: &Record) -> Option<Section> {
    let swept: Vec<&SystemRecord> =
        rerankers(record).filter(|system| !system.depths.is_empty()).collect();
    if swept.is_empty() {
        return None;
    }
    let mut notes: Vec<String> = swept.iter().filter_map(|system| enough(record, system)).collect();
    notes.push(
        "The comparison of depths is exploratory. Documents below a depth keep their first-stage \
         order. Quality at every depth comes from one pass where a reranker scores each pair by \
         itself; times are measured at each depth."
            .into(),
    );
    let mut head = heads([
        "System",
        "Depth",
        "",
        "Against the first stage",
        "Oracle",
        "Pairs per query",
        "p50 per query",
        "p95 per query",
    ]);
    head[2].clone_from(&record.primary);
    let rows = swept.iter().flat_map(|system| {
        system.depths.iter().map(|point| row(&system.name, point)).collect::<Vec<_>>()
    });
    Some(Section {
        id: "depth",
        title: "Depth",
        blocks: vec![
            Block::Chart(DepthChart::NAME),
            Block::Chart(DepthLatencyChart::NAME),
            Block::Table(Table { head, rows: rows.collect(), labels: 1 }),
            Block::List(notes),
        ],
    })
}

fn row(name: &str, point: &DepthPoint) -> Vec<Cell> {
    let latency = |seconds: fn(&secondpass_evaluation::Latency) -> f64| match &point.latency {
        Some(latency) => Cell::from(format::time(seconds(latency))),
        None => "not measured".into(),
    };
    vec![
        name.into(),
        number(point.depth),
        estimate(&point.estimate),
        difference(&point.versus_first_stage),
        or_none(Some(point.oracle), format::score),
        format::mean(point.pairs).into(),
        latency(|latency| latency.p50),
        latency(|latency| latency.p95),
    ]
}

/// The least depth that gives away less than the margin.
fn enough(record: &Record, system: &SystemRecord) -> Option<String> {
    let best = system
        .depths
        .iter()
        .filter(|point| point.estimate.mean.is_finite())
        .max_by(|a, b| a.estimate.mean.total_cmp(&b.estimate.mean))?;
    let margin = record.statistics.margin;
    let least = system
        .depths
        .iter()
        .filter(|point| best.estimate.mean - point.estimate.mean <= margin)
        .min_by_key(|point| point.depth)?;
    let deepest = system.depths.iter().max_by_key(|point| point.depth)?;
    if least.depth == deepest.depth {
        return Some(format!(
            "{}: no lesser depth comes within {} of the {} at depth {}; deeper candidates may still \
             raise it.",
            system.name,
            format::number(margin),
            format::score(best.estimate.mean),
            best.depth
        ));
    }
    let saved = match (&least.latency, &deepest.latency) {
        (Some(less), Some(more)) => format!(
            " It takes {} per query (p50), depth {} takes {}.",
            format::time(less.p50),
            deepest.depth,
            format::time(more.p50)
        ),
        _ => String::new(),
    };
    Some(format!(
        "{}: depth {} is the least within {} of its best mean ({} at depth {}).{saved}",
        system.name,
        least.depth,
        format::number(margin),
        format::score(best.estimate.mean),
        best.depth
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_least_depth_within_the_margin_is_told() {
        let mut record = fixture::record(1);
        let told = enough(&record, &record.systems[1]).unwrap();
        assert_eq!(
            told,
            "helpdesk-mini: depth 30 is the least within 0.02 of its best mean (0.702 at depth 50). \
             It takes 7.44 ms per query (p50), depth 50 takes 12.4 ms."
        );
        record.statistics.margin = 0.0;
        let told = enough(&record, &record.systems[1]).unwrap();
        assert!(told.contains("no lesser depth comes within 0 of"), "{told}");
    }

    #[test]
    fn depths_that_were_not_timed_say_so() {
        let mut record = fixture::record(1);
        record.systems[1].depths[0].latency = None;
        let row = row("r", &record.systems[1].depths[0]);
        assert_eq!(row[6].text, "not measured");
    }
}
