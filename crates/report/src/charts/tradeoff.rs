//! Quality against latency: what a better order costs in time.

use secondpass_evaluation::{Estimate, Record};

use super::axis::Axis;
use super::curves::{Curves, Join, OfCurves, Point, Series, Titled};
use super::frame::{Header, HorizontalAxis, VerticalAxis};
use super::palette::{Look, reranker};
use super::{levels, primary, rerankers};
use crate::{format, marks};

/// One point a reranker, first stage and oracle as lines.
pub(crate) struct TradeoffChart(Titled);

struct System {
    name: String,
    look: Look,
    figures: String,
    point: Option<(f64, Estimate)>,
}

impl TradeoffChart {
    /// Lays out the primary measure against the median time; `None` where no reranker was timed.
    pub(crate) fn new(record: &Record) -> Option<Self> {
        let systems: Vec<System> = rerankers(record)
            .enumerate()
            .map(|(index, system)| {
                let seconds = system.latency.as_ref().map(|latency| latency.p50);
                let seconds = seconds.filter(|s| s.is_finite() && *s >= 0.0);
                let estimate = primary(record, system).cloned();
                let figures = format!(
                    "{}, {}",
                    estimate.as_ref().map_or("no quality".into(), |e| format::score(e.mean)),
                    seconds.map_or("latency not measured".into(), format::time),
                );
                System {
                    name: marks::label(system),
                    look: reranker(index),
                    figures,
                    point: seconds.map(|s| s * 1e3).zip(estimate),
                }
            })
            .collect();
        if systems.iter().all(|system| system.point.is_none()) {
            return None;
        }
        let levels = levels(record);

        let title = format!("Quality against latency: {}", record.primary);
        let subtitle = format!(
            "Further up is better, further left is faster. Bars are {} bootstrap intervals over \
             queries. The first stage is a line: reranking starts from its candidates, at 0 ms.",
            format::level(record.statistics.alpha)
        );
        let points = || systems.iter().filter_map(|system| system.point.as_ref());
        let vertical = Axis::share(
            points()
                .map(|(_, estimate)| estimate)
                .flat_map(|e| [e.low, e.mean, e.high])
                .chain(levels.iter().map(|level| level.value)),
        );
        let horizontal = Axis::milliseconds(points().map(|(milliseconds, _)| *milliseconds));
        let scale = if horizontal.logarithmic() { ", logarithmic scale" } else { "" };
        let parts = systems.iter().map(|s| format!("{}: {}", s.name, s.figures));
        let parts = parts.chain(levels.iter().map(|level| level.label.clone()));
        let alt = format!("{title}. {}.", parts.collect::<Vec<_>>().join("; "));
        let curves = Curves::new(
            Header::new(&title, &subtitle).noting(marks::meaning(rerankers(record))),
            VerticalAxis::new(vertical, &format!("{} (0 to 1, higher is better)", record.primary)),
            HorizontalAxis::new(horizontal, &format!("median milliseconds per query{scale}")),
            levels,
            systems.into_iter().map(series).collect(),
        );
        Some(Self(Titled { title, alt, curves }))
    }
}

impl OfCurves for TradeoffChart {
    const NAME: &'static str = "quality-latency";

    fn titled(&self) -> &Titled {
        &self.0
    }
}

fn series(system: System) -> Series {
    let point = system.point.map(|(x, e)| Point { x, y: e.mean, bar: Some((e.low, e.high)) });
    Series {
        name: system.name,
        figures: system.figures,
        look: system.look,
        join: Join::Nothing,
        points: point.into_iter().collect(),
    }
}
