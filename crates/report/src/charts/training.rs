//! How a training run went: loss, dev measure and learning rate over steps.

use secondpass_evaluation::training::{TrainingRecord, TrainingStep};

use super::axis::Axis;
use super::curves::{Curves, Join, Level, OfCurves, Point, Series, Titled};
use super::frame::{Header, HorizontalAxis, VerticalAxis};
use super::level;
use super::palette::reranker;
use crate::format;

/// Points of a curve: more would hide each other's markers.
const POINTS: usize = 50;

/// The loss over steps.
pub(crate) struct LossChart(Titled);

/// The dev measure over steps.
pub(crate) struct DevChart(Titled);

/// The learning rate over steps.
pub(crate) struct RateChart(Titled);

impl LossChart {
    /// `None` without steps.
    pub(crate) fn new(record: &TrainingRecord) -> Option<Self> {
        let points = binned(&record.steps, |step| step.loss);
        let (first, last) = (points.first()?.y, points.last()?.y);
        let title = "Loss by step".to_owned();
        let figures =
            format!("{} at first, {} at last", format::number(first), format::number(last));
        Some(Self(titled(
            record,
            title,
            &averaged(record),
            &format!("loss ({}), lower is better", record.loss),
            Axis::number(points.iter().map(|point| point.y)),
            Vec::new(),
            Series { name: "training loss".into(), figures, ..line(points) },
        )))
    }
}

impl DevChart {
    /// `None` without evaluations.
    pub(crate) fn new(record: &TrainingRecord) -> Option<Self> {
        let of = |one: &secondpass_evaluation::training::Evaluated| Point {
            x: one.step as f64,
            y: one.value,
            bar: None,
        };
        let points: Vec<Point> = record.evaluations.iter().map(of).collect();
        let first = points.first()?.y;
        let best = record.best?;
        let title = format!("Dev: {} by step", record.measure);
        let subtitle = format!(
            "Each checkpoint on {}. The best one is kept, so its figure is too high an estimate.",
            format::counted(record.dev_queries, "dev query", "dev queries")
        );
        let figures = format!("{} at step {}", format::score(best.value), best.step);
        Some(Self(titled(
            record,
            title,
            &subtitle,
            &format!("{} on dev, higher is better", record.measure),
            Axis::number(points.iter().map(|point| point.y)),
            vec![level("before", first, false)],
            Series { name: format!("dev {}", record.measure), figures, ..line(points) },
        )))
    }
}

impl RateChart {
    /// `None` without steps.
    pub(crate) fn new(record: &TrainingRecord) -> Option<Self> {
        // In millionths: rates are too small for an axis of decimals.
        let points = binned(&record.steps, |step| 1e6 * step.learning_rate);
        let peak = points.iter().map(|point| point.y).fold(f64::NEG_INFINITY, f64::max);
        points.first()?;
        Some(Self(titled(
            record,
            "Learning rate by step".to_owned(),
            &averaged(record),
            "learning rate in millionths",
            Axis::number(points.iter().map(|point| point.y).chain([0.0])),
            Vec::new(),
            Series {
                name: "learning rate".into(),
                figures: format!("{} at most", format::number(peak)),
                ..line(points)
            },
        )))
    }
}

macro_rules! of_curves {
    ($chart:ty, $name:literal) => {
        impl OfCurves for $chart {
            const NAME: &'static str = $name;

            fn titled(&self) -> &Titled {
                &self.0
            }
        }
    };
}

of_curves!(LossChart, "training-loss");
of_curves!(DevChart, "training-dev");
of_curves!(RateChart, "training-rate");

fn titled(
    record: &TrainingRecord,
    title: String,
    subtitle: &str,
    vertical: &str,
    axis: Axis,
    levels: Vec<Level>,
    series: Series,
) -> Titled {
    let told = series.points.iter().map(|p| format!("{} {}", p.x, format::number(p.y)));
    let alt = format!("{title}: {}.", told.collect::<Vec<_>>().join(", "));
    let curves = Curves::new(
        Header::new(&title, subtitle),
        VerticalAxis::new(axis, vertical),
        HorizontalAxis::new(Axis::number([0.0, record.of as f64]), "optimizer step"),
        levels,
        vec![series],
    );
    Titled { title, alt, curves }
}

fn line(points: Vec<Point>) -> Series {
    Series {
        name: String::new(),
        figures: String::new(),
        look: reranker(0),
        join: Join::Line,
        points,
    }
}

fn bin(steps: usize) -> usize {
    steps.div_ceil(POINTS).max(1)
}

fn averaged(record: &TrainingRecord) -> String {
    match bin(record.steps.len()) {
        1 => "Each step.".to_owned(),
        bin => format!("Each point is the mean of {bin} steps, at the last of them."),
    }
}

/// Means of as many neighbouring steps as it takes.
fn binned(steps: &[TrainingStep], value: impl Fn(&TrainingStep) -> f64) -> Vec<Point> {
    let mean = |part: &[TrainingStep]| Point {
        x: part.last().map_or(0.0, |step| step.step as f64),
        y: part.iter().map(&value).sum::<f64>() / part.len() as f64,
        bar: None,
    };
    steps.chunks(bin(steps.len())).map(mean).collect()
}
