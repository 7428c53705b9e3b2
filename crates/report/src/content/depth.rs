use secondpass_evaluation::{DepthPoint, Record, SystemRecord};

use super::rerankers;
use super::{Block, Cell, Section, Table, difference, estimate, failed, heads, number, or_none};
use crate::charts::{Chart as _, DepthChart, DepthLatencyChart};
use crate::{format, marks};

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
        system.depths.iter().map(|point| row(system, point)).collect::<Vec<_>>()
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

fn row(system: &SystemRecord, point: &DepthPoint) -> Vec<Cell> {
    let latency = |seconds: fn(&secondpass_evaluation::Latency) -> f64| match &point.latency {
        Some(latency) => Cell::from(format::time(seconds(latency))),
        None => "not measured".into(),
    };
    vec![
        marks::name(system).into(),
        number(point.depth),
        estimate(&point.estimate),
        match failed(system) {
            true => "failed".into(),
            false => difference(&point.versus_first_stage),
        },
        match point.estimate.queries {
            0 => format::NOT_APPLICABLE.into(),
            _ => or_none(Some(point.oracle), format::score),
        },
        format::mean(point.pairs).into(),
        latency(|latency| latency.p50),
        latency(|latency| latency.p95),
    ]
}

/// The depths at which more pairs were scored than at any lesser one: beyond the candidates that the
/// queries have, a depth is the same measurement again.
fn distinct(depths: &[DepthPoint]) -> Vec<&DepthPoint> {
    let mut points: Vec<&DepthPoint> = depths
        .iter()
        .filter(|point| point.estimate.queries > 0 && point.estimate.mean.is_finite())
        .collect();
    points.sort_by_key(|point| point.depth);
    points.dedup_by(|deeper, shallower| deeper.pairs <= shallower.pairs);
    points
}

/// The least depth that gives away less than the margin; `None` where there is no choice of depths.
fn enough(record: &Record, system: &SystemRecord) -> Option<String> {
    let depths = distinct(&system.depths);
    if failed(system) || !system.origin.is_live() || depths.len() < 2 {
        return None;
    }
    let best = depths.iter().max_by(|a, b| a.estimate.mean.total_cmp(&b.estimate.mean))?;
    let margin = record.statistics.margin;
    let least = depths
        .iter()
        .filter(|point| best.estimate.mean - point.estimate.mean <= margin)
        .min_by_key(|point| point.depth)?;
    let deepest = depths.last()?;
    if least.depth == deepest.depth {
        return Some(format!(
            "{}: no lesser depth comes within {} of the {} at depth {}; deeper candidates may still \
             raise it.",
            marks::name(system),
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
        marks::name(system),
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
        let row = row(&record.systems[1], &record.systems[1].depths[0]);
        assert_eq!(row[6].text, "not measured");
    }

    #[test]
    fn depths_beyond_the_candidates_are_no_choice() {
        let mut record = fixture::record(1);
        record.statistics.margin = 0.01;
        for point in &mut record.systems[1].depths[1..] {
            point.pairs = 14.2;
        }
        let told = enough(&record, &record.systems[1]).unwrap();
        assert!(told.contains("no lesser depth") && told.contains("at depth 20;"), "{told}");
        record.systems[1].depths[0].pairs = 14.2;
        assert_eq!(enough(&record, &record.systems[1]), None);
    }
}
