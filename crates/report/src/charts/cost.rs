//! Quality against cost: what a better order costs in money, where it is billed.

use secondpass_evaluation::{Estimate, Record, SystemRecord};

use super::axis::Axis;
use super::curves::{Curves, Join, OfCurves, Point, Series, Titled};
use super::frame::{Header, HorizontalAxis, VerticalAxis};
use super::palette::reranker;
use super::{levels, primary, rerankers};
use crate::{format, marks, money};

/// One point a reranker whose price is known, first stage and oracle as lines.
pub(crate) struct CostChart(Titled);

impl CostChart {
    /// Lays out the primary measure against US dollars for 1,000 queries; `None` where fewer than two
    /// rerankers have both.
    pub(crate) fn new(record: &Record) -> Option<Self> {
        let priced: Vec<(usize, &SystemRecord, f64, &Estimate)> = rerankers(record)
            .enumerate()
            .filter_map(|(index, system)| {
                Some((index, system, per_1000(system)?, primary(record, system)?))
            })
            .collect();
        if priced.len() < 2 {
            return None;
        }
        let levels = levels(record);
        let title = format!("Quality against cost: {}", record.primary);
        let subtitle = format!(
            "Further up is better, further left is cheaper. Bars are {} bootstrap intervals over \
             queries. Only rerankers that are billed at a known price; what runs on your own \
             machine costs by the hour and is not here.",
            format::level(record.statistics.alpha)
        );
        let vertical = Axis::share(
            priced
                .iter()
                .flat_map(|(.., e)| [e.low, e.mean, e.high])
                .chain(levels.iter().map(|level| level.value)),
        );
        let horizontal = Axis::dollars(priced.iter().map(|(_, _, usd, _)| *usd));
        let scale = if horizontal.logarithmic() { ", logarithmic scale" } else { "" };
        let series: Vec<Series> = priced
            .iter()
            .map(|(index, system, usd, estimate)| Series {
                name: marks::label(system),
                figures: format!("{}, {}", format::score(estimate.mean), money::usd(*usd)),
                look: reranker(*index),
                join: Join::Nothing,
                points: vec![Point {
                    x: *usd,
                    y: estimate.mean,
                    bar: Some((estimate.low, estimate.high)),
                }],
            })
            .collect();
        let parts = series.iter().map(|s| format!("{}: {} per 1,000 queries", s.name, s.figures));
        let parts = parts.chain(levels.iter().map(|level| level.label.clone()));
        let alt = format!("{title}. {}.", parts.collect::<Vec<_>>().join("; "));
        let note = marks::meaning(priced.iter().map(|(_, system, ..)| *system));
        let curves = Curves::new(
            Header::new(&title, &subtitle).noting(note),
            VerticalAxis::new(vertical, &format!("{} (0 to 1, higher is better)", record.primary)),
            HorizontalAxis::new(horizontal, &format!("US dollars per 1,000 queries{scale}")),
            levels,
            series,
        );
        Some(Self(Titled { title, alt, curves }))
    }
}

impl OfCurves for CostChart {
    const NAME: &'static str = "quality-cost";

    fn titled(&self) -> &Titled {
        &self.0
    }
}

/// What 1,000 queries cost at the experiment's depth; `None` where that is unknown.
fn per_1000(system: &SystemRecord) -> Option<f64> {
    let usd = system.cost.as_ref()?.query?.usd? * 1e3;
    (usd.is_finite() && usd >= 0.0).then_some(usd)
}

#[cfg(test)]
mod tests {
    use super::super::Chart as _;
    use super::*;
    use crate::fixture;

    #[test]
    fn only_known_prices_have_a_point() {
        let mut record = fixture::hosted();
        let alt = CostChart::new(&record).unwrap().alt();
        assert!(alt.contains("cohere: 0.731, $2.00 per 1,000 queries"), "{alt}");
        assert!(alt.contains("voyage (replay of 2026-01-12): "), "{alt}");
        for absent in ["jina", "tei", "helpdesk-mini"] {
            assert!(!alt.contains(absent), "{absent}: {alt}");
        }
        // One point alone compares nothing.
        for system in &mut record.systems {
            if system.name != "cohere" {
                system.cost = None;
            }
        }
        assert!(CostChart::new(&record).is_none());
    }
}
