//! The spread of times: one row a reranker, with median and 95th percentile.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use secondpass_evaluation::{Latency, QueryRow, Record, quantile};

use super::axis::Axis;
use super::font::width;
use super::frame::{Header, HorizontalAxis, NOTE, Rows};
use super::palette::{INK, Look, Marker, SOFT, reranker};
use super::{Chart, Drawn, MARGIN, Painter, rerankers};
use crate::{format, marks};

/// Boxes of seconds a query, in milliseconds.
pub(crate) struct LatencyChart {
    title: String,
    header: Header,
    systems: Vec<System>,
    rows: Rows,
    axis: HorizontalAxis,
}

struct System {
    name: String,
    look: Look,
    latency: Option<Latency>,
    spread: Option<Spread>,
}

/// Five figures of the single times, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread {
    least: f64,
    lower: f64,
    upper: f64,
    greatest: f64,
}

const P95: Look = Look { color: INK, marker: Marker::Diamond };

impl LatencyChart {
    /// Lays out the times of a record's rerankers; `None` where none was timed.
    pub(crate) fn new(record: &Record, rows: &[QueryRow]) -> Option<Self> {
        let systems: Vec<System> = rerankers(record)
            .enumerate()
            .map(|(index, system)| {
                let latency = system.latency.clone().filter(|l| finite(l.p50) && finite(l.p95));
                System {
                    name: marks::label(system),
                    look: reranker(index),
                    // Without a recorded latency the single times are not shown either: they may
                    // come from a cache or a replay.
                    spread: latency.as_ref().and_then(|_| Spread::of(rows, &system.name)),
                    latency,
                }
            })
            .collect();
        let title = "Latency: time per query".to_owned();
        let measured: Vec<&System> = systems.iter().filter(|s| s.latency.is_some()).collect();
        if measured.is_empty() {
            return None;
        }
        let latencies = measured.iter().filter_map(|s| s.latency.as_ref());
        let in_flight = latencies.map(|latency| latency.concurrency);
        let samples = measured.iter().filter_map(|s| s.latency.as_ref()).map(|l| l.samples);
        let subtitle = format!(
            "Reranking all candidates of a query, {}: {}, {} each on average.",
            format::in_flight(in_flight),
            spelled_range(samples.clone().min(), samples.max()),
            format::candidates(record.candidates.mean),
        );
        let timed = rerankers(record).filter(|system| system.latency.is_some());
        let header = Header::new(&title, &subtitle).noting(marks::meaning(timed));
        let values = measured.iter().flat_map(|system| {
            let spread = system.spread.into_iter().flat_map(|s| [s.least, s.greatest]);
            let marks = system.latency.iter().flat_map(|l| [l.p50 * 1e3, l.p95 * 1e3]);
            spread.chain(marks)
        });
        let axis = Axis::milliseconds(values);
        let scale = if axis.logarithmic() { ", logarithmic scale" } else { "" };
        let texts: Vec<_> =
            systems.iter().map(|s| (s.name.clone(), figures(s.latency.as_ref()))).collect();
        let legend = 24.0;
        Some(Self {
            axis: HorizontalAxis::new(axis, &format!("milliseconds per query{scale}")),
            rows: Rows::new(header.bottom() + legend, "p50 / p95", &texts),
            title,
            header,
            systems,
        })
    }

    /// What the shapes mean, in one line of small pictures and words.
    fn legend<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>) -> Drawn<DB> {
        let y = self.header.bottom() + 2.0;
        let mut x = MARGIN;
        let words = |text: &str, x: &mut f64| -> Drawn<DB> {
            painter.text(text, (*x, y + 4.4), HPos::Left, NOTE)?;
            *x += width(text, NOTE.em, NOTE.bold) + 22.0;
            Ok(())
        };
        let grey = Look { color: SOFT, marker: Marker::Square };
        painter.rectangle((x, y - 6.0), (x + 22.0, y + 6.0), grey.color)?;
        x += 28.0;
        words("middle half", &mut x)?;
        painter.line((x + 2.0, y - 8.0), (x + 2.0, y + 8.0), INK, 2.5)?;
        x += 10.0;
        words("median (p50)", &mut x)?;
        painter.hollow((x + 5.0, y), 5.0, P95)?;
        x += 16.0;
        words("95th percentile (p95)", &mut x)?;
        painter.line((x, y), (x + 22.0, y), SOFT, 1.5)?;
        painter.line((x, y - 4.0), (x, y + 4.0), SOFT, 1.5)?;
        painter.line((x + 22.0, y - 4.0), (x + 22.0, y + 4.0), SOFT, 1.5)?;
        x += 28.0;
        words("fastest to slowest", &mut x)
    }
}

impl Chart for LatencyChart {
    const NAME: &'static str = "latency";

    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let parts: Vec<String> = self
            .systems
            .iter()
            .map(|system| match &system.latency {
                Some(l) => format!(
                    "{} median {}, 95th percentile {}",
                    system.name,
                    format::time(l.p50),
                    format::time(l.p95)
                ),
                None => format!("{} not measured", system.name),
            })
            .collect();
        format!("{}. {}.", self.title, parts.join("; "))
    }

    fn height(&self) -> f64 {
        self.rows.plot().bottom + self.axis.height() + MARGIN
    }

    fn draw<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>) -> Drawn<DB> {
        self.header.draw(painter)?;
        self.legend(painter)?;
        let plot = self.rows.plot();
        self.axis.draw(painter, plot)?;
        self.rows.draw(painter)?;
        let x = |value: f64| plot.x(&self.axis.axis, value);
        for (system, y) in self.systems.iter().zip(self.rows.middles()) {
            let Some(latency) = &system.latency else { continue };
            painter.series(&system.name, || {
                if let Some(spread) = system.spread {
                    let (least, greatest) = (x(spread.least), x(spread.greatest));
                    for end in [least, greatest] {
                        painter.line((end, y - 4.0), (end, y + 4.0), SOFT, 1.5)?;
                    }
                    let (lower, upper) = (x(spread.lower), x(spread.upper));
                    painter.line((least, y), (lower, y), SOFT, 1.5)?;
                    painter.line((upper, y), (greatest, y), SOFT, 1.5)?;
                    painter.rectangle((lower, y - 8.0), (upper, y + 8.0), system.look.color)?;
                }
                let median = x(latency.p50 * 1e3);
                painter.line((median, y - 10.0), (median, y + 10.0), INK, 2.5)?;
                painter.hollow((x(latency.p95 * 1e3), y), 5.0, P95)
            })?;
        }
        Ok(())
    }
}

impl Spread {
    /// Over the finite times of one system; `None` without any.
    fn of(rows: &[QueryRow], system: &str) -> Option<Self> {
        let mut times: Vec<f64> = rows
            .iter()
            .filter(|row| row.system == system)
            .filter_map(|row| row.seconds)
            .filter(|&seconds| finite(seconds))
            .map(|seconds| seconds * 1e3)
            .collect();
        times.sort_by(f64::total_cmp);
        let at = |share: f64| quantile(&times, share);
        (!times.is_empty()).then(|| Self {
            least: at(0.0),
            lower: at(0.25),
            upper: at(0.75),
            greatest: at(1.0),
        })
    }
}

fn figures(latency: Option<&Latency>) -> String {
    latency.map_or("not measured".into(), |latency| {
        format!("{} / {}", format::time(latency.p50), format::time(latency.p95))
    })
}

fn spelled_range(least: Option<usize>, most: Option<usize>) -> String {
    let (least, most) = (least.unwrap_or(0), most.unwrap_or(0));
    if least == most {
        format::counted(most, "query", "queries")
    } else {
        format!("{} to {}", format::count(least as u64), format::counted(most, "query", "queries"))
    }
}

fn finite(seconds: f64) -> bool {
    seconds.is_finite() && seconds >= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn quartiles_are_linear_between_ranks() {
        let rows: Vec<QueryRow> =
            [0.004, 0.001, 0.003, 0.002].map(|s| fixture::row("r", Some(s))).to_vec();
        let spread = Spread::of(&rows, "r").unwrap();
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(spread.least, 1.0) && close(spread.greatest, 4.0));
        assert!(close(spread.lower, 1.75) && close(spread.upper, 3.25));
    }

    #[test]
    fn untimed_rows_have_no_spread() {
        let rows = [fixture::row("r", None), fixture::row("r", Some(f64::NAN))];
        assert_eq!(Spread::of(&rows, "r"), None);
        assert_eq!(Spread::of(&[fixture::row("other", Some(1.0))], "r"), None);
    }

    #[test]
    fn without_a_recorded_latency_single_times_are_not_shown() {
        let mut record = fixture::record(2);
        let rows = fixture::rows(&record);
        record.systems[1].latency = None;
        let chart = LatencyChart::new(&record, &rows).unwrap();
        assert!(chart.systems[0].spread.is_none());
        assert!(chart.systems[1].spread.is_some());
        assert!(chart.alt().contains("not measured"));
    }
}
