//! What a month costs over volumes: where machines of one's own become cheaper than a provider.

use secondpass_evaluation::Record;
use secondpass_evaluation::cost::{BreakEven, CostPoint};
use secondpass_evaluation::decision::{Decision, Judged, Outcome};

use super::axis::{Axis, short};
use super::curves::{Curves, Join, OfCurves, Place, Point, Series, Titled};
use super::frame::{Header, HorizontalAxis, VerticalAxis};
use super::palette::{Look, reranker};
use crate::{format, marks, money};

/// Break-evens that are pointed at; the table has all.
const SHOWN: usize = 3;

/// One curve a choice whose cost is known, with its range.
pub(crate) struct BreakEvenChart(Titled);

impl BreakEvenChart {
    /// Lays out what a month costs from a hundredth of the stated volume to a hundred times as much;
    /// `None` where no choice has a cost.
    pub(crate) fn new(decision: &Decision, record: &Record) -> Option<Self> {
        let drawn: Vec<(Look, &Judged)> = (decision.choices.iter().skip(1).enumerate())
            .map(|(index, choice)| (reranker(index), choice))
            .filter(|(_, choice)| choice.over_volume.iter().any(|point| point.usd > 0.0))
            .collect();
        let points = || drawn.iter().flat_map(|(_, choice)| &choice.over_volume);
        let ends = points().flat_map(|point| [point.low, point.usd, point.high]);
        let months = Axis::months(ends.filter(|usd| *usd > 0.0));
        let volumes = Axis::volumes(points().map(|point| point.volume));
        let (first, last) = (
            points().map(|point| point.volume).reduce(f64::min)?,
            points().map(|point| point.volume).reduce(f64::max)?,
        );
        let scale = if months.logarithmic() { ", logarithmic scale" } else { "" };
        let series: Vec<Series> = drawn
            .iter()
            .map(|(look, choice)| Series {
                name: marks::label_of(record, &choice.name),
                figures: choice
                    .bill
                    .as_ref()
                    .map_or(String::new(), |bill| format!("{} a month", money::usd(bill.month))),
                look: *look,
                join: Join::Band,
                points: choice.over_volume.iter().filter(|p| p.usd > 0.0).map(point).collect(),
            })
            .collect();
        let stated = short(decision.volume);
        let mut places = vec![Place {
            label: format!("stated volume: {stated} queries a month"),
            value: decision.volume,
            range: None,
        }];
        let pointed_at = pointed_at(decision);
        let within = |told: &&&BreakEven| told.volume.is_some_and(|v| (first..=last).contains(&v));
        places.extend(pointed_at.iter().filter(within).take(SHOWN).filter_map(|told| {
            Some(Place {
                label: format!(
                    "{} is cheaper than {} from {}",
                    format::excerpt(&told.self_hosted, 24),
                    format::excerpt(&told.hosted, 24),
                    short(told.volume?)
                ),
                value: told.volume?,
                range: Some((
                    told.low.unwrap_or(first).max(first),
                    told.high.unwrap_or(last).min(last),
                )),
            })
        }));
        let title = "Break-even: what a month costs over volume".to_owned();
        let subtitle = "Lines are the figures' own values, bands hold 90 of 100 draws where prices, \
             rates and utilisation lie in their ranges. Grey bands are where a break-even lies in as \
             many.";
        let alt = format!(
            "{title}. At {stated} queries a month: {}. {}",
            series
                .iter()
                .map(|series| format!("{} {}", series.name, series.figures))
                .collect::<Vec<_>>()
                .join("; "),
            places[1..]
                .iter()
                .map(|p| format!("{} queries a month. ", p.label))
                .collect::<String>()
        );
        let curves = Curves::new(
            Header::new(&title, subtitle),
            VerticalAxis::new(months, &format!("US dollars a month{scale}")),
            HorizontalAxis::new(volumes, "queries a month, logarithmic scale"),
            Vec::new(),
            series,
        );
        let curves = curves.pointing_at(places);
        Some(Self(Titled { title, alt: alt.trim_end().to_owned(), curves }))
    }
}

impl OfCurves for BreakEvenChart {
    const NAME: &'static str = "break-even";

    fn titled(&self) -> &Titled {
        &self.0
    }
}

/// Break-evens of what was chosen; where it has none, all.
fn pointed_at(decision: &Decision) -> Vec<&BreakEven> {
    let Outcome::Rerank(chosen) = &decision.outcome else {
        return decision.break_evens.iter().collect();
    };
    let of_chosen = |told: &&BreakEven| told.self_hosted == *chosen || told.hosted == *chosen;
    let found: Vec<&BreakEven> = decision.break_evens.iter().filter(of_chosen).collect();
    if found.is_empty() { decision.break_evens.iter().collect() } else { found }
}

fn point(point: &CostPoint) -> Point {
    Point { x: point.volume, y: point.usd, bar: Some((point.low, point.high)) }
}
