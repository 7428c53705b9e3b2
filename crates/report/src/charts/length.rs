//! Quality by maximum length: what cutting pairs costs.

use secondpass_evaluation::{LengthPoint, Record, Role};

use super::axis::Axis;
use super::curves::{Curves, Join, OfCurves, Point, Series, Titled};
use super::frame::{Header, HorizontalAxis, VerticalAxis};
use super::palette::reranker;
use super::{finite, level, of_role, primary, rerankers};
use crate::{format, marks};

/// One curve a reranker that was run at several lengths.
pub(crate) struct LengthChart(Titled);

impl LengthChart {
    /// Lays out the sweeps over the maximum length; `None` where there are none.
    pub(crate) fn new(record: &Record) -> Option<Self> {
        let mut values = Vec::new();
        let mut lengths = Vec::new();
        let mut series = Vec::new();
        for (index, system) in rerankers(record).enumerate() {
            let shown: Vec<&LengthPoint> =
                system.lengths.iter().filter(|point| finite(&point.estimate)).collect();
            let Some(last) = shown.last() else { continue };
            for point in &shown {
                let estimate = &point.estimate;
                values.extend([estimate.low, estimate.mean, estimate.high]);
                lengths.push(point.max_length);
            }
            series.push(Series {
                name: marks::label(system),
                figures: format!(
                    "{} at {} tokens",
                    format::score(last.estimate.mean),
                    format::count(last.max_length as u64)
                ),
                look: reranker(index),
                join: Join::Line,
                points: shown.into_iter().map(point).collect(),
            });
        }
        if series.is_empty() {
            return None;
        }
        let levels: Vec<_> = of_role(record, Role::FirstStage)
            .and_then(|system| primary(record, system))
            .map(|estimate| level("first stage", estimate.mean, false))
            .into_iter()
            .collect();
        values.extend(levels.iter().map(|level| level.value));
        let title = format!("Maximum length: {} by tokens read of a pair", record.primary);
        let of_series = series.iter().map(|series| {
            let points = series.points.iter().map(|p| format!("{} {}", p.x, format::score(p.y)));
            format!("{} by tokens: {}", series.name, points.collect::<Vec<_>>().join(", "))
        });
        let parts = of_series.chain(levels.iter().map(|level| level.label.clone()));
        let alt = format!("{title}. {}.", parts.collect::<Vec<_>>().join("; "));
        let curves = Curves::new(
            Header::new(
                &title,
                &format!(
                    "The same candidates, cut at several lengths. Bars are {} bootstrap intervals \
                     over queries; points of one length are moved apart.",
                    format::level(record.statistics.alpha)
                ),
            )
            .noting(marks::meaning(rerankers(record).filter(|system| !system.lengths.is_empty()))),
            VerticalAxis::new(
                Axis::share(values),
                &format!("{} (0 to 1, higher is better)", record.primary),
            ),
            HorizontalAxis::new(
                Axis::settings(lengths),
                "maximum length of a pair in tokens, logarithmic scale",
            ),
            levels,
            series,
        );
        Some(Self(Titled { title, alt, curves }))
    }
}

impl OfCurves for LengthChart {
    const NAME: &'static str = "length";

    fn titled(&self) -> &Titled {
        &self.0
    }
}

fn point(point: &LengthPoint) -> Point {
    let estimate = &point.estimate;
    Point { x: point.max_length as f64, y: estimate.mean, bar: Some((estimate.low, estimate.high)) }
}
