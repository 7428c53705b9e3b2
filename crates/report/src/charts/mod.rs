//! Charts: one file a chart, each drawn once and kept both as SVG and as pixels.

pub(crate) mod axis;
mod break_even;
mod changes;
mod cost;
pub(crate) mod curves;
mod depth;
mod depth_latency;
pub(crate) mod font;
pub(crate) mod frame;
mod latency;
mod length;
mod paint;
pub(crate) mod palette;
mod panels;
mod pareto;
mod quality;
mod raster;
mod scores;
mod svg;
mod tradeoff;
mod training;
mod trend;

use plotters::prelude::*;
use secondpass_evaluation::decision::Decision;
use secondpass_evaluation::training::TrainingRecord;
use secondpass_evaluation::{Estimate, QueryRow, Record, Role, ScoreDistribution, SystemRecord};

use crate::ReportError;
use curves::Level;

pub(crate) use axis::short;
pub(crate) use break_even::BreakEvenChart;
pub(crate) use changes::ChangesChart;
pub(crate) use cost::CostChart;
pub(crate) use depth::DepthChart;
pub(crate) use depth_latency::DepthLatencyChart;
pub(crate) use latency::LatencyChart;
pub(crate) use length::LengthChart;
pub(crate) use paint::{Drawn, Painter};
#[cfg(test)]
pub(crate) use palette::contrast;
pub(crate) use palette::dark;
pub(crate) use pareto::ParetoChart;
pub(crate) use quality::QualityChart;
pub(crate) use raster::Raster;
pub(crate) use scores::{ScoresChart, middle, total, well_formed};
pub(crate) use tradeoff::TradeoffChart;
pub(crate) use training::{DevChart, LossChart, RateChart};
pub(crate) use trend::{TrendCost, TrendLatency, TrendQuality};

/// The width of every chart in logical pixels.
pub(crate) const WIDTH: f64 = 760.0;

/// The space that stays free along every edge.
pub(crate) const MARGIN: f64 = 18.0;

/// Drawing pixels to a logical pixel. The backends' coordinates are whole numbers, so shapes are
/// laid out this much finer than they are shown.
pub(crate) const SCALE: u32 = 4;

/// The names of all charts there are.
pub(crate) const NAMES: [&str; 9] = [
    ChangesChart::NAME,
    <CostChart as Chart>::NAME,
    <DepthChart as Chart>::NAME,
    <DepthLatencyChart as Chart>::NAME,
    LatencyChart::NAME,
    <LengthChart as Chart>::NAME,
    QualityChart::NAME,
    ScoresChart::NAME,
    <TradeoffChart as Chart>::NAME,
];

/// The names of all charts that a decision may have.
pub(crate) const DECISION_NAMES: [&str; 6] = [
    QualityChart::NAME,
    LatencyChart::NAME,
    <TradeoffChart as Chart>::NAME,
    <BreakEvenChart as Chart>::NAME,
    <ParetoChart as Chart>::NAME,
    ChangesChart::NAME,
];

/// A chart whose layout is settled, ready to be drawn on any backend.
pub(crate) trait Chart {
    /// The file's name without its ending; also its id in the pages.
    const NAME: &'static str;
    /// What it shows, in a few words.
    fn title(&self) -> String;
    /// The same figures in words, for those who cannot see it.
    fn alt(&self) -> String;
    /// Height in logical pixels; the width is [`WIDTH`].
    fn height(&self) -> f64;
    /// Draws it on a white ground.
    fn draw<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>) -> Drawn<DB>;
}

/// A chart as it stands in the pages.
pub(crate) struct DrawnChart {
    /// The file's name without its ending.
    pub(crate) name: &'static str,
    /// What it shows, in a few words.
    pub(crate) title: String,
    /// The same figures in words.
    pub(crate) alt: String,
    /// A whole SVG document that names no font file and needs no network.
    pub(crate) svg: String,
}

/// Draws every chart that a record holds data for as SVG, in the order of the pages.
pub(crate) fn draw(record: &Record, rows: &[QueryRow]) -> Result<Vec<DrawnChart>, ReportError> {
    let mut drawn = Svg(Vec::new());
    visit(record, rows, &mut drawn)?;
    Ok(drawn.0)
}

/// Draws how positives and mined negatives score, as SVG and as pixels; `None` where there is nothing
/// to draw.
pub(crate) fn mined(
    scores: &ScoreDistribution,
    label: &str,
) -> Result<Option<(String, Raster)>, ReportError> {
    ScoresChart::mined(scores, label).map(|chart| both(&chart)).transpose()
}

/// Draws the same charts as pixels, in the same order.
pub(crate) fn rasters(record: &Record, rows: &[QueryRow]) -> Result<Vec<Raster>, ReportError> {
    let mut drawn = Pixels(Vec::new());
    visit(record, rows, &mut drawn)?;
    Ok(drawn.0)
}

/// Draws the charts of a training run, both ways, in the order of the pages.
pub(crate) fn of_training(
    record: &TrainingRecord,
) -> Result<Vec<(DrawnChart, Raster)>, ReportError> {
    struct Both(Vec<(DrawnChart, Raster)>);
    impl Visitor for Both {
        fn visit<C: Chart>(&mut self, chart: &C) -> Result<(), ReportError> {
            self.0.push((drawn(chart)?, Raster::draw(chart)?));
            Ok(())
        }
    }
    font::register()?;
    let mut both = Both(Vec::new());
    if let Some(chart) = LossChart::new(record) {
        both.visit(&chart)?;
    }
    if let Some(chart) = DevChart::new(record) {
        both.visit(&chart)?;
    }
    if let Some(chart) = RateChart::new(record) {
        both.visit(&chart)?;
    }
    Ok(both.0)
}

/// Draws the charts of a decision, as SVG and as pixels, in the order of its page. `record` and `rows`
/// are of all its choices.
pub(crate) fn draw_decision(
    decision: &Decision,
    record: &Record,
    rows: &[QueryRow],
) -> Result<(Vec<DrawnChart>, Vec<Raster>), ReportError> {
    let (mut svg, mut pixels) = (Svg(Vec::new()), Pixels(Vec::new()));
    visit_decision(decision, record, rows, &mut svg)?;
    visit_decision(decision, record, rows, &mut pixels)?;
    Ok((svg.0, pixels.0))
}

/// Draws one chart as SVG; [`font::register`] comes first.
pub(crate) fn drawn<C: Chart>(chart: &C) -> Result<DrawnChart, ReportError> {
    let (title, alt) = (chart.title(), chart.alt());
    Ok(DrawnChart { name: C::NAME, title, alt, svg: svg::draw(chart)? })
}

struct Svg(Vec<DrawnChart>);

impl Visitor for Svg {
    fn visit<C: Chart>(&mut self, chart: &C) -> Result<(), ReportError> {
        self.0.push(drawn(chart)?);
        Ok(())
    }
}

struct Pixels(Vec<Raster>);

impl Visitor for Pixels {
    fn visit<C: Chart>(&mut self, chart: &C) -> Result<(), ReportError> {
        self.0.push(Raster::draw(chart)?);
        Ok(())
    }
}

/// One chart that stands by itself, as SVG and as pixels.
pub(crate) fn both<C: Chart>(chart: &C) -> Result<(String, Raster), ReportError> {
    font::register()?;
    Ok((svg::draw(chart)?, Raster::draw(chart)?))
}

/// What is done with each chart.
trait Visitor {
    fn visit<C: Chart>(&mut self, chart: &C) -> Result<(), ReportError>;
}

/// Lays out the charts that there are data for, and shows each to `visitor`.
fn visit(
    record: &Record,
    rows: &[QueryRow],
    visitor: &mut impl Visitor,
) -> Result<(), ReportError> {
    font::register()?;
    one(QualityChart::new(record), visitor)?;
    one(ChangesChart::new(record, rows), visitor)?;
    one(DepthChart::new(record), visitor)?;
    one(DepthLatencyChart::new(record), visitor)?;
    one(LengthChart::new(record), visitor)?;
    one(ScoresChart::new(record), visitor)?;
    one(LatencyChart::new(record, rows), visitor)?;
    one(TradeoffChart::new(record), visitor)?;
    one(CostChart::new(record), visitor)
}

/// The same for a decision's charts.
fn visit_decision(
    decision: &Decision,
    record: &Record,
    rows: &[QueryRow],
    visitor: &mut impl Visitor,
) -> Result<(), ReportError> {
    font::register()?;
    one(QualityChart::new(record), visitor)?;
    one(LatencyChart::new(record, rows), visitor)?;
    one(TradeoffChart::new(record), visitor)?;
    one(BreakEvenChart::new(decision, record), visitor)?;
    one(ParetoChart::new(decision, record), visitor)?;
    one(ChangesChart::new(record, rows), visitor)
}

fn one<C: Chart>(chart: Option<C>, visitor: &mut impl Visitor) -> Result<(), ReportError> {
    chart.map_or(Ok(()), |chart| visitor.visit(&chart))
}

/// A system's estimate of the primary measure, if it applies to any query and is finite.
fn primary<'a>(record: &Record, system: &'a SystemRecord) -> Option<&'a Estimate> {
    system
        .quality
        .iter()
        .find(|estimate| estimate.measure == record.primary)
        .filter(|estimate| finite(estimate))
}

/// Whether it can be drawn: of a measure that applies to no query the figures mean nothing.
fn finite(estimate: &Estimate) -> bool {
    estimate.queries > 0
        && [estimate.low, estimate.mean, estimate.high].into_iter().all(f64::is_finite)
}

/// The primary measure of the oracle and of the first stage, as lines.
fn levels(record: &Record) -> Vec<Level> {
    [(Role::Oracle, "oracle"), (Role::FirstStage, "first stage")]
        .into_iter()
        .filter_map(|(role, word)| {
            let estimate = primary(record, of_role(record, role)?)?;
            Some(level(word, estimate.mean, role == Role::Oracle))
        })
        .collect()
}

/// A horizontal line with its name and figure.
fn level(name: &str, value: f64, limit: bool) -> Level {
    Level { label: format!("{name} {}", crate::format::score(value)), value, limit }
}

/// The first system of a role.
fn of_role(record: &Record, role: Role) -> Option<&SystemRecord> {
    record.systems.iter().find(|system| system.role == role)
}

/// The rerankers, in the order of the record.
fn rerankers(record: &Record) -> impl Iterator<Item = &SystemRecord> {
    record.systems.iter().filter(|system| system.role == Role::Reranker)
}

#[cfg(test)]
mod tests;
