//! Time by depth: what more candidates cost.

use secondpass_evaluation::{Record, SystemRecord};

use super::axis::Axis;
use super::curves::{Curves, Join, OfCurves, Point, Series, Titled};
use super::depth::DEPTH;
use super::frame::{Header, HorizontalAxis, VerticalAxis};
use super::palette::reranker;
use super::rerankers;
use crate::{format, marks};

/// One curve a reranker that was timed at its depths.
pub(crate) struct DepthLatencyChart(Titled);

impl DepthLatencyChart {
    /// Lays out the times at each depth; `None` where none was measured.
    pub(crate) fn new(record: &Record) -> Option<Self> {
        let timed = |system: &&SystemRecord| system.depths.iter().any(|p| p.latency.is_some());
        let series: Vec<Series> = rerankers(record)
            .enumerate()
            .filter_map(|(index, system)| {
                let timed: Vec<Point> = system
                    .depths
                    .iter()
                    .filter_map(|point| {
                        let latency = point.latency.as_ref()?;
                        let (p50, p95) = (latency.p50 * 1e3, latency.p95 * 1e3);
                        let shown = p50.is_finite() && p50 >= 0.0 && p95.is_finite();
                        let bar = Some((p50, p95.max(p50)));
                        shown.then_some(Point { x: point.depth as f64, y: p50, bar })
                    })
                    .collect();
                let last = timed.last()?;
                Some(Series {
                    name: marks::label(system),
                    figures: format!("{} at depth {}", format::time(last.y / 1e3), last.x),
                    look: reranker(index),
                    join: Join::Line,
                    points: timed,
                })
            })
            .collect();
        if series.is_empty() {
            return None;
        }
        let points = || series.iter().flat_map(|series| &series.points);
        let vertical =
            Axis::milliseconds(points().flat_map(|p| [p.y, p.bar.map_or(p.y, |(_, high)| high)]));
        let scale = if vertical.logarithmic() { ", logarithmic scale" } else { "" };
        let title = "Depth: time per query by number of candidates".to_owned();
        let parts: Vec<String> = series
            .iter()
            .map(|series| {
                let points =
                    series.points.iter().map(|p| format!("{} {}", p.x, format::time(p.y / 1e3)));
                let points: Vec<String> = points.collect();
                format!("{} median by depth: {}", series.name, points.join(", "))
            })
            .collect();
        let alt = format!("{title}. {}.", parts.join("; "));
        let in_flight = rerankers(record)
            .flat_map(|system| &system.depths)
            .filter_map(|point| Some(point.latency.as_ref()?.concurrency));
        let curves = Curves::new(
            Header::new(
                &title,
                &format!(
                    "A point is the median of the queries, {}; its bar ends at the 95th percentile. \
                     Points of one depth are moved apart.",
                    format::in_flight(in_flight)
                ),
            )
            .noting(marks::meaning(rerankers(record).filter(timed))),
            VerticalAxis::new(vertical, &format!("milliseconds per query{scale}")),
            HorizontalAxis::new(Axis::settings(points().map(|p| p.x as usize)), DEPTH),
            Vec::new(),
            series,
        );
        Some(Self(Titled { title, alt, curves }))
    }
}

impl OfCurves for DepthLatencyChart {
    const NAME: &'static str = "depth-latency";

    fn titled(&self) -> &Titled {
        &self.0
    }
}
