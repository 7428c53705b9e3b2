//! Quality by depth: how many candidates are worth reranking.

use std::collections::BTreeMap;

use secondpass_evaluation::{DepthPoint, Record, Role};

use super::axis::Axis;
use super::curves::{Curves, Join, OfCurves, Point, Series, Titled};
use super::frame::{Header, HorizontalAxis, VerticalAxis};
use super::palette::{CEILING, reranker};
use super::{finite, level, of_role, primary, rerankers};
use crate::{format, marks};

/// What the horizontal axis of both depth charts says.
pub(super) const DEPTH: &str = "candidates per query (depth), logarithmic scale";

/// One curve a reranker, and the best order of as many candidates.
pub(crate) struct DepthChart(Titled);

impl DepthChart {
    /// Lays out the depth sweeps; `None` where there are none.
    pub(crate) fn new(record: &Record) -> Option<Self> {
        let mut series = Vec::new();
        let mut ceiling = BTreeMap::new();
        let mut values = Vec::new();
        let mut depths = Vec::new();
        for (index, system) in rerankers(record).enumerate() {
            let shown: Vec<&DepthPoint> =
                system.depths.iter().filter(|point| finite(&point.estimate)).collect();
            let Some(last) = shown.last() else { continue };
            for point in &shown {
                let estimate = &point.estimate;
                values.extend([estimate.low, estimate.mean, estimate.high]);
                depths.push(point.depth);
                if point.oracle.is_finite() {
                    ceiling.entry(point.depth).or_insert(point.oracle);
                }
            }
            series.push(Series {
                name: marks::label(system),
                figures: figures(last.depth, last.estimate.mean),
                look: reranker(index),
                join: Join::Line,
                points: shown.into_iter().map(point).collect(),
            });
        }
        if series.is_empty() {
            return None;
        }
        values.extend(ceiling.values());
        if let Some((depth, oracle)) = ceiling.last_key_value() {
            series.push(Series {
                name: "oracle: the best order of as many candidates".into(),
                figures: figures(*depth, *oracle),
                look: CEILING,
                join: Join::Dashes,
                points: ceiling
                    .iter()
                    .map(|(depth, oracle)| Point { x: *depth as f64, y: *oracle, bar: None })
                    .collect(),
            });
        }
        let levels: Vec<_> = of_role(record, Role::FirstStage)
            .and_then(|system| primary(record, system))
            .map(|estimate| level("first stage", estimate.mean, false))
            .into_iter()
            .collect();
        values.extend(levels.iter().map(|level| level.value));

        let title = format!("Depth: {} by number of candidates", record.primary);
        let alt = format!("{title}. {}.", alt(&series, &levels));
        let curves = Curves::new(
            Header::new(
                &title,
                &format!(
                    "Reranking only the first candidates of each query. Bars are {} bootstrap \
                     intervals over queries; points of one depth are moved apart.",
                    format::level(record.statistics.alpha)
                ),
            )
            .noting(marks::meaning(rerankers(record).filter(|system| !system.depths.is_empty()))),
            VerticalAxis::new(
                Axis::share(values),
                &format!("{} (0 to 1, higher is better)", record.primary),
            ),
            HorizontalAxis::new(Axis::settings(depths), DEPTH),
            levels,
            series,
        );
        Some(Self(Titled { title, alt, curves }))
    }
}

impl OfCurves for DepthChart {
    const NAME: &'static str = "depth";

    fn titled(&self) -> &Titled {
        &self.0
    }
}

fn point(point: &DepthPoint) -> Point {
    let estimate = &point.estimate;
    Point { x: point.depth as f64, y: estimate.mean, bar: Some((estimate.low, estimate.high)) }
}

fn figures(depth: usize, mean: f64) -> String {
    format!("{} at depth {depth}", format::score(mean))
}

/// Every curve in words.
fn alt(series: &[Series], levels: &[super::curves::Level]) -> String {
    let of_series = series.iter().map(|series| {
        let points = series.points.iter().map(|p| format!("{} {}", p.x, format::score(p.y)));
        format!("{} by depth: {}", series.name, points.collect::<Vec<_>>().join(", "))
    });
    let levels = levels.iter().map(|level| level.label.clone());
    of_series.chain(levels).collect::<Vec<_>>().join("; ")
}
