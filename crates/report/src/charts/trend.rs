//! Figures over records, oldest first: quality, times and costs as they came to be.

use std::collections::BTreeMap;

use secondpass_evaluation::compare::{History, HistoryRow};

use super::axis::Axis;
use super::curves::{Curves, Join, OfCurves, Point, Series, Titled};
use super::frame::{Header, HorizontalAxis, VerticalAxis};
use super::palette::{FIRST_STAGE, reranker};
use crate::{format, money};

/// One measure over the records of an experiment.
pub(crate) struct TrendQuality(Titled);

/// p50 and p95 over the records of an experiment.
pub(crate) struct TrendLatency(Titled);

/// What 1,000 queries cost, over the records of an experiment.
pub(crate) struct TrendCost(Titled);

impl TrendQuality {
    /// `None` where no record has the measure.
    pub(crate) fn new(history: &History, experiment: &str, measure: &str) -> Option<Self> {
        let trend = Trend::of(history, experiment, &[measure], 1.0)?;
        let axis = Axis::share(trend.values());
        let label = format!("{measure} (0 to 1, higher is better)");
        Some(Self(trend.titled(
            measure,
            "Bars are intervals over queries.",
            axis,
            &label,
            &|value| format::score(value),
        )))
    }
}

impl TrendLatency {
    /// `None` where no record was timed.
    pub(crate) fn new(history: &History, experiment: &str) -> Option<Self> {
        let trend = Trend::of(history, experiment, &["p50 seconds", "p95 seconds"], 1e3)?;
        let axis = Axis::milliseconds(trend.values());
        let note =
            "Times of different days and machines; only a pinned runner makes them comparable.";
        let label = "milliseconds a query";
        Some(Self(trend.titled("Latency", note, axis, label, &|value| format::time(value / 1e3))))
    }
}

impl TrendCost {
    /// `None` where no record has a price.
    pub(crate) fn new(history: &History, experiment: &str) -> Option<Self> {
        let trend = Trend::of(history, experiment, &["usd a query"], 1e3)?;
        let axis = Axis::dollars(trend.values());
        let label = "US dollars per 1,000 queries";
        Some(Self(trend.titled(
            "Cost",
            "What is billed, at list prices.",
            axis,
            label,
            &money::usd,
        )))
    }
}

impl OfCurves for TrendQuality {
    const NAME: &'static str = "trend-quality";

    fn titled(&self) -> &Titled {
        &self.0
    }
}

impl OfCurves for TrendLatency {
    const NAME: &'static str = "trend-latency";

    fn titled(&self) -> &Titled {
        &self.0
    }
}

impl OfCurves for TrendCost {
    const NAME: &'static str = "trend-cost";

    fn titled(&self) -> &Titled {
        &self.0
    }
}

/// Some figures of one experiment, a series each system and figure.
struct Trend<'a> {
    experiment: &'a str,
    /// When the first and the last record ended.
    from: &'a str,
    to: &'a str,
    records: usize,
    /// By name, in the order in which they first stood.
    series: Vec<(String, Vec<Point>)>,
}

impl<'a> Trend<'a> {
    fn of(history: &'a History, experiment: &'a str, figures: &[&str], scale: f64) -> Option<Self> {
        let rows: Vec<&HistoryRow> =
            history.rows().iter().filter(|row| row.experiment == experiment).collect();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &rows {
            let next = places.len() + 1;
            places.entry(&row.record).or_insert(next);
        }
        let mut series: Vec<(String, Vec<Point>)> = Vec::new();
        for row in rows.iter().filter(|row| figures.contains(&row.figure.as_str())) {
            let name = match figures.len() {
                1 => row.system.clone(),
                _ => format!("{}, {}", row.system, row.figure.trim_end_matches(" seconds")),
            };
            let bar = row.low.zip(row.high).map(|(low, high)| (low * scale, high * scale));
            let x = places.get(row.record.as_str()).copied().unwrap_or_default() as f64;
            let point = Point { x, y: row.value * scale, bar };
            match series.iter_mut().find(|(other, _)| *other == name) {
                Some((_, points)) => points.push(point),
                None => series.push((name, vec![point])),
            }
        }
        if series.is_empty() {
            return None;
        }
        let (from, to) = (&rows.first()?.finished, &rows.last()?.finished);
        Some(Self { experiment, from, to, records: places.len(), series })
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        let points = self.series.iter().flat_map(|(_, points)| points);
        points.flat_map(|point| {
            let (low, high) = point.bar.unwrap_or((point.y, point.y));
            [low, point.y, high]
        })
    }

    fn titled(
        self,
        what: &str,
        note: &str,
        vertical: Axis,
        label: &str,
        told: &dyn Fn(f64) -> String,
    ) -> Titled {
        let title = format!("{what} over time: {}", self.experiment);
        let mut index = 0;
        let series: Vec<Series> = self
            .series
            .into_iter()
            .map(|(name, points)| {
                let look = match name.starts_with("first stage") {
                    true => FIRST_STAGE,
                    false => {
                        index += 1;
                        reranker(index - 1)
                    }
                };
                let latest = points.last().map_or(String::new(), |point| told(point.y));
                Series { name, figures: latest, look, join: Join::Line, points }
            })
            .collect();
        let latest = series.iter().map(|series| format!("{} {}", series.name, series.figures));
        let alt = format!(
            "{title}, {}; latest: {}.",
            format::counted(self.records, "record", "records"),
            latest.collect::<Vec<_>>().join("; ")
        );
        let day = |moment: &str| moment.get(..10).unwrap_or(moment).to_owned();
        let span = format!("records from {} to {}, oldest first", day(self.from), day(self.to));
        let curves = Curves::new(
            Header::new(&title, &format!("The latest figures stand below. {note}")),
            VerticalAxis::new(vertical, label),
            HorizontalAxis::new(Axis::count(self.records), &span),
            Vec::new(),
            series,
        );
        Titled { title, alt, curves }
    }
}
