//! Quality against what a month costs: which choices nothing is both better and cheaper than.

use secondpass_evaluation::Record;
use secondpass_evaluation::decision::{Decision, Failed, Judged};

use super::axis::{Axis, short};
use super::curves::{Curves, Join, OfCurves, Point, Series, Titled};
use super::frame::{Header, HorizontalAxis, VerticalAxis};
use super::palette::{CEILING, FIRST_STAGE, Look, reranker};
use crate::{format, marks, money};

/// One point a choice whose cost is known, the first stage at nothing, and the front as a line.
pub(crate) struct ParetoChart(Titled);

impl ParetoChart {
    /// Lays out the choices; `None` where no reranker's cost is known.
    pub(crate) fn new(decision: &Decision, record: &Record) -> Option<Self> {
        let looks = std::iter::once(FIRST_STAGE).chain((0..).map(reranker));
        let drawn: Vec<(Look, &Judged, f64)> = looks
            .zip(&decision.choices)
            .filter_map(|(look, choice)| Some((look, choice, choice.bill.as_ref()?.month)))
            .filter(|(.., month)| month.is_finite())
            .collect();
        if drawn.len() < 2 {
            return None;
        }
        let mut front: Vec<(f64, f64)> = (drawn.iter())
            .filter(|(_, choice, _)| choice.on_pareto_front)
            .map(|(_, choice, month)| (*month, choice.quality))
            .collect();
        front.sort_by(|a, b| a.0.total_cmp(&b.0));
        let of_front: Vec<String> = (drawn.iter())
            .filter(|(_, choice, _)| choice.on_pareto_front)
            .map(|(_, choice, _)| marks::label_of(record, &choice.name))
            .collect();
        let mut series = Vec::new();
        if front.len() > 1 {
            series.push(Series {
                name: "the front: nothing is both better and cheaper".to_owned(),
                figures: String::new(),
                look: CEILING,
                join: Join::Band,
                points: steps(&front),
            });
        }
        series.extend(drawn.iter().map(|(look, choice, month)| {
            let rules = choice.failed.iter().any(Failed::is_of_constraint);
            let broken = if rules { " (breaks a rule)" } else { "" };
            let range = choice.quality_range;
            Series {
                name: format!("{}{broken}", marks::label_of(record, &choice.name)),
                figures: format!(
                    "{}, {} a month",
                    format::score(choice.quality),
                    money::usd(*month)
                ),
                look: *look,
                join: Join::Nothing,
                points: vec![Point {
                    x: *month,
                    y: choice.quality,
                    bar: Some((range.low, range.high)),
                }],
            }
        }));
        let title = format!("Quality against cost: {}", decision.measure);
        let subtitle = format!(
            "Further up is better, further left is cheaper, at {} queries a month. Bars hold 95 of 100 \
             resamples of the queries.",
            short(decision.volume)
        );
        let told = drawn.iter().map(|(_, choice, month)| {
            let (name, quality) = (marks::label_of(record, &choice.name), choice.quality);
            format!("{name} {} at {} a month", format::score(quality), money::usd(*month))
        });
        let alt = format!(
            "{title}. {}. On the front: {}.",
            told.collect::<Vec<_>>().join("; "),
            format::listed(&of_front)
        );
        let ends = drawn.iter().flat_map(|(_, choice, _)| {
            [choice.quality_range.low, choice.quality, choice.quality_range.high]
        });
        let vertical = Axis::share(ends);
        let horizontal = Axis::months(drawn.iter().map(|(.., month)| *month));
        let curves = Curves::new(
            Header::new(&title, &subtitle),
            VerticalAxis::new(
                vertical,
                &format!("{} (0 to 1, higher is better)", decision.measure),
            ),
            HorizontalAxis::new(horizontal, "US dollars a month"),
            Vec::new(),
            series,
        );
        Some(Self(Titled { title, alt, curves }))
    }
}

impl OfCurves for ParetoChart {
    const NAME: &'static str = "pareto";

    fn titled(&self) -> &Titled {
        &self.0
    }
}

/// The front as a staircase: a quality costs what the cheapest choice that reaches it does.
fn steps(front: &[(f64, f64)]) -> Vec<Point> {
    let at = |x: f64, y: f64| Point { x, y, bar: None };
    let mut points = Vec::new();
    for (index, &(month, quality)) in front.iter().enumerate() {
        if let Some(&(_, before)) = index.checked_sub(1).and_then(|before| front.get(before)) {
            points.push(at(month, before));
        }
        points.push(at(month, quality));
    }
    points
}
