//! Latency against each setting, against the rate, and how it spreads.

use secondpass_evaluation::bench::{
    BenchRecord, BenchSystem, Cell, CellRecord, DocumentLength, Load, Percentile, SampleRow,
};
use secondpass_evaluation::quantile;

use super::percentiles::PercentilesChart;
use crate::charts::axis::Axis;
use crate::charts::curves::{Curves, Join, Level, OfCurves, Point, Series, Titled};
use crate::charts::frame::{Header, HorizontalAxis, VerticalAxis};
use crate::charts::palette::reranker;
use crate::charts::{Chart, DrawnChart, Raster, drawn, font};
use crate::{ReportError, format};

/// The names of all charts there are.
pub(super) const NAMES: [&str; 6] = [
    PercentilesChart::NAME,
    <Candidates as Chart>::NAME,
    <Lengths as Chart>::NAME,
    <Clients as Chart>::NAME,
    <Rates as Chart>::NAME,
    <Samples as Chart>::NAME,
];

/// Charts as SVG and as pixels, in the same order.
#[derive(Default)]
pub(super) struct Drawings {
    pub(super) svgs: Vec<DrawnChart>,
    pub(super) rasters: Vec<Raster>,
}

/// Draws every chart that there are data for.
pub(super) fn draw(record: &BenchRecord, rows: &[SampleRow]) -> Result<Drawings, ReportError> {
    font::register()?;
    let mut drawings = Drawings::default();
    drawings.add(PercentilesChart::new(record))?;
    drawings.add(over(record, &CANDIDATES).map(Candidates))?;
    drawings.add(over(record, &LENGTHS).map(Lengths))?;
    drawings.add(over(record, &CLIENTS).map(Clients))?;
    drawings.add(rates(record).map(Rates))?;
    drawings.add(samples(record, rows).map(Samples))?;
    Ok(drawings)
}

impl Drawings {
    fn add<C: Chart>(&mut self, chart: Option<C>) -> Result<(), ReportError> {
        let Some(chart) = chart else { return Ok(()) };
        self.svgs.push(drawn(&chart)?);
        self.rasters.push(Raster::draw(&chart)?);
        Ok(())
    }
}

macro_rules! of_curves {
    ($($(#[$doc:meta])* $chart:ident = $name:literal;)*) => {$(
        $(#[$doc])*
        pub(super) struct $chart(Titled);

        impl OfCurves for $chart {
            const NAME: &'static str = $name;

            fn titled(&self) -> &Titled {
                &self.0
            }
        }
    )*};
}

of_curves! {
    /// Latency by candidates a query.
    Candidates = "bench-candidates";
    /// Latency by length of documents.
    Lengths = "bench-lengths";
    /// Latency by clients.
    Clients = "bench-clients";
    /// The 95th percentile by rate of arrivals.
    Rates = "bench-rates";
    /// The share of queries that took longer.
    Samples = "bench-samples";
}

/// A setting that was varied alone.
struct Setting {
    title: &'static str,
    axis: &'static str,
    what: &'static str,
    /// Where a cell stands.
    of: fn(&Cell) -> Option<usize>,
    /// The cell with the setting as in the base.
    as_in: fn(Cell, Cell) -> Cell,
}

const CANDIDATES: Setting = Setting {
    title: "Latency by number of candidates",
    axis: "candidates a query, logarithmic scale",
    what: "candidates",
    of: |cell| Some(cell.candidates),
    as_in: |cell, base| Cell { candidates: base.candidates, ..cell },
};

const LENGTHS: Setting = Setting {
    title: "Latency by length of documents",
    axis: "tokens of a document, logarithmic scale",
    what: "tokens",
    of: |cell| match cell.length {
        DocumentLength::Tokens(tokens) => Some(tokens),
        DocumentLength::Own => None,
    },
    as_in: |cell, base| Cell { length: base.length, ..cell },
};

const CLIENTS: Setting = Setting {
    title: "Latency by clients that ask side by side",
    axis: "clients, logarithmic scale",
    what: "clients",
    of: |cell| match cell.load {
        Load::Closed { clients } => Some(clients),
        Load::Open { .. } => None,
    },
    as_in: |cell, base| Cell { load: base.load, ..cell },
};

/// The cells of a reranker that differ from its first in this setting alone, by where they stand.
fn varied<'a>(system: &'a BenchSystem, setting: &Setting) -> Vec<(usize, &'a CellRecord)> {
    let Some(base) = system.cells.first() else { return Vec::new() };
    let alike = |cell: &&CellRecord| (setting.as_in)(cell.cell, base.cell) == base.cell;
    let alike = system.cells.iter().filter(alike).filter(|cell| !cell.measured.latency.is_empty());
    let mut all: Vec<_> =
        alike.filter_map(|cell| Some(((setting.of)(&cell.cell)?, cell))).collect();
    all.sort_by_key(|(place, _)| *place);
    all
}

/// Latency over a setting: of one reranker three percentiles, of several the 95th; `None` where no
/// reranker has two values of it.
fn over(record: &BenchRecord, setting: &Setting) -> Option<Titled> {
    let shares: &[f64] = if record.systems.len() == 1 { &[0.5, 0.95, 0.99] } else { &[0.95] };
    let mut series = Vec::new();
    for (index, system) in record.systems.iter().enumerate() {
        let cells = varied(system, setting);
        if cells.len() < 2 {
            continue;
        }
        for (place, &share) in shares.iter().enumerate() {
            let points = cells
                .iter()
                .filter_map(|(x, cell)| Some(point(*x as f64, cell.measured.percentile(share)?)));
            let points: Vec<Point> = points.collect();
            let Some(last) = points.last() else { continue };
            series.push(Series {
                name: format!("{}, p{}", named(system), share * 100.0),
                figures: format!(
                    "{} at {} {}",
                    format::time(last.y / 1e3),
                    format::count(last.x as u64),
                    setting.what
                ),
                look: reranker(if shares.len() == 1 { index } else { place }),
                join: Join::Line,
                points,
            });
        }
    }
    let settings = series.iter().flat_map(|series| &series.points).map(|point| point.x as usize);
    let horizontal = Axis::settings(settings.collect::<Vec<_>>());
    let subtitle = "Points are percentiles of the latency, one setting varied and the others as in the \
                    first cell. Bars are what a percentile lies above and below, each with 95%; a bar \
                    that ends at its point has no bound there. Points of one place are moved apart.";
    titled(setting.title.to_owned(), subtitle, (horizontal, setting.axis), Vec::new(), series)
}

/// The probes of searches: p95 by rate, and the limits.
fn rates(record: &BenchRecord) -> Option<Titled> {
    let mut series = Vec::new();
    let mut limits: Vec<f64> = Vec::new();
    for (index, system) in record.systems.iter().enumerate() {
        for found in &system.capacities {
            let capacity = &found.capacity;
            let mut points: Vec<Point> = capacity
                .probes
                .iter()
                .filter_map(|probe| Some(point(probe.rate, probe.found.as_ref()?)))
                .collect();
            points.sort_by(|a, b| a.x.total_cmp(&b.x));
            if points.is_empty() {
                continue;
            }
            limits.push(capacity.search.limit);
            series.push(Series {
                name: named(system),
                figures: match capacity.kept {
                    Some(kept) => format!("keeps the limit at {} a second", format::rate(kept)),
                    None => "keeps the limit at no rate".to_owned(),
                },
                look: reranker(index),
                join: Join::Line,
                points,
            });
        }
    }
    limits.sort_by(f64::total_cmp);
    limits.dedup();
    let levels = limits.iter().map(|&limit| Level {
        label: format!("limit {}", format::time(limit)),
        value: limit * 1e3,
        limit: true,
    });
    let horizontal = Axis::milliseconds(series.iter().flat_map(|s| &s.points).map(|p| p.x));
    let scale = if horizontal.logarithmic() { ", logarithmic scale" } else { "" };
    let subtitle = "Each point is an open loop of its own with Poisson arrivals: its 95th percentile, \
                    waiting included. Where more queries arrive than are answered the queue grows, and \
                    the loop was broken off.";
    titled(
        "The 95th percentile by rate of arrivals".to_owned(),
        subtitle,
        (horizontal, &format!("queries a second{scale}")),
        levels.collect(),
        series,
    )
}

/// Shares of the samples of each reranker's first cell, and the seconds that so many took at most.
pub(super) fn spread(system: usize, rows: &[SampleRow]) -> Vec<(f64, f64)> {
    let mut seconds: Vec<f64> = rows
        .iter()
        .filter(|row| row.system as usize == system && row.cell == 0 && row.probe == 0)
        .filter(|row| row.sample.failure.is_none())
        .map(|row| row.sample.latency().as_secs_f64())
        .collect();
    seconds.sort_unstable_by(f64::total_cmp);
    if seconds.is_empty() {
        return Vec::new();
    }
    SPREAD.iter().map(|&share| (share, quantile(&seconds, share))).collect()
}

/// Of how many samples in a hundred the time is shown.
const SPREAD: [f64; 13] = [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];

fn samples(record: &BenchRecord, rows: &[SampleRow]) -> Option<Titled> {
    let mut series = Vec::new();
    for (index, system) in record.systems.iter().enumerate() {
        let spread = spread(index, rows);
        let Some((_, median)) = spread.iter().find(|(share, _)| *share == 0.5) else { continue };
        let points = spread.iter().map(|&(share, seconds)| Point {
            x: seconds * 1e3,
            y: 1.0 - share,
            bar: None,
        });
        series.push(Series {
            name: named(system),
            figures: format!("half took longer than {}", format::time(*median)),
            look: reranker(index),
            join: Join::Line,
            points: points.collect(),
        });
    }
    if series.is_empty() {
        return None;
    }
    if series.len() > 1 {
        // What is joined is also moved apart, and a moved time would be a wrong one.
        series.iter_mut().for_each(|series| series.join = Join::Nothing);
    }
    let title = "How latency spreads in the first cell".to_owned();
    let horizontal = Axis::milliseconds(series.iter().flat_map(|s| &s.points).map(|p| p.x));
    let scale = if horizontal.logarithmic() { ", logarithmic scale" } else { "" };
    let alt = alt(&title, &series, |point| {
        format!("{} took longer than {}", format::percent(point.y), format::time(point.x / 1e3))
    });
    let curves = Curves::new(
        Header::new(
            &title,
            "The share of the answered queries that took longer, from all raw samples; the lowest \
             point is the 99th percentile.",
        ),
        VerticalAxis::new(Axis::percent([1.0]), "share of the queries that took longer"),
        HorizontalAxis::new(horizontal, &format!("milliseconds per query{scale}")),
        Vec::new(),
        series,
    );
    Some(Titled { title, alt, curves })
}

fn titled(
    title: String,
    subtitle: &str,
    (horizontal, axis): (Axis, &str),
    levels: Vec<Level>,
    series: Vec<Series>,
) -> Option<Titled> {
    if series.is_empty() {
        return None;
    }
    let ends = |point: &Point| {
        let (low, high) = point.bar.unwrap_or((point.y, point.y));
        [low, point.y, high]
    };
    let values = series.iter().flat_map(|series| &series.points).flat_map(ends);
    let vertical = Axis::milliseconds(values.chain(levels.iter().map(|level| level.value)));
    let scale = if vertical.logarithmic() { ", logarithmic scale" } else { "" };
    let alt = alt(&title, &series, |point| {
        // Settings are whole, rates are not.
        let x = match point.x.fract() == 0.0 {
            true => format::count(point.x as u64),
            false => format::rate(point.x),
        };
        format!("{x} {}", format::time(point.y / 1e3))
    });
    let alt = levels.iter().fold(alt, |alt, level| format!("{alt} {}.", level.label));
    let curves = Curves::new(
        Header::new(&title, subtitle),
        VerticalAxis::new(vertical, &format!("milliseconds per query{scale}")),
        HorizontalAxis::new(horizontal, axis),
        levels,
        series,
    );
    Some(Titled { title, alt, curves })
}

fn alt(title: &str, series: &[Series], shown: impl Fn(&Point) -> String) -> String {
    let of = |series: &Series| {
        let points: Vec<String> = series.points.iter().map(&shown).collect();
        format!("{}: {}", series.name, points.join(", "))
    };
    let parts: Vec<String> = series.iter().map(of).collect();
    format!("{title}. {}.", parts.join("; "))
}

/// A percentile with its bounds, in milliseconds.
fn point(x: f64, found: &Percentile) -> Point {
    let y = found.value * 1e3;
    let low = found.low.map_or(y, |low| low * 1e3).min(y);
    let high = found.high.map_or(y, |high| high * 1e3).max(y);
    Point { x, y, bar: Some((low, high)) }
}

/// A reranker's name, with a mark where its times are nobody's.
pub(super) fn named(system: &BenchSystem) -> String {
    match system.is_live() {
        true => system.name.clone(),
        false => format!("{} (not live)", system.name),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::fixture;
    use super::*;

    /// What each chart that there are data for says, by its name.
    fn alts(record: &BenchRecord) -> BTreeMap<&'static str, String> {
        let drawn = draw(record, &fixture::rows(record.systems.len())).unwrap();
        drawn.svgs.into_iter().map(|chart| (chart.name, chart.alt)).collect()
    }

    #[test]
    fn one_reranker_shows_three_percentiles_and_several_one() {
        let one = alts(&fixture::record(1));
        for percentile in ["p50", "p95", "p99"] {
            let of = format!("reranker 1, {percentile}: ");
            assert!(one["bench-candidates"].contains(&of), "{one:?}");
        }
        let two = alts(&fixture::record(2));
        let told = &two["bench-candidates"];
        assert!(!told.contains("p99") && told.contains("reranker 2, p95: 10 "), "{told}");
    }

    #[test]
    fn a_setting_that_was_not_varied_has_no_chart() {
        let mut record = fixture::record(1);
        record.systems[0].cells.truncate(1);
        let told = alts(&record);
        let names: Vec<&str> = told.keys().copied().collect();
        assert_eq!(names, ["bench-percentiles", "bench-rates", "bench-samples"]);
        assert!(told["bench-rates"].contains("limit 500 ms"), "{told:?}");
    }

    #[test]
    fn times_of_a_mock_are_marked() {
        let mut record = fixture::record(1);
        for cell in &mut record.systems[0].cells {
            cell.live = false;
        }
        let told = alts(&record);
        assert_eq!(told.len(), NAMES.len());
        assert!(told.values().all(|alt| alt.contains("reranker 1 (not live)")), "{told:?}");
    }

    #[test]
    fn failed_queries_and_probes_are_no_part_of_the_spread() {
        let mut rows = fixture::rows(1);
        let whole = spread(0, &rows);
        let mut odd = rows[0].clone();
        odd.sample.end = std::time::Duration::from_secs(1000);
        odd.sample.failure = Some("no luck".to_owned());
        rows.push(odd.clone());
        odd.sample.failure = None;
        odd.probe = 1;
        rows.push(odd);
        assert_eq!(spread(0, &rows), whole);
        assert_eq!(spread(7, &rows), []);
    }
}
