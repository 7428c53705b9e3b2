//! Charts: one file a chart, each drawn once and kept both as SVG and as pixels.

mod axis;
mod font;
mod frame;
mod latency;
mod paint;
mod palette;
mod quality;
mod raster;
mod svg;
mod tradeoff;

use plotters::prelude::*;
use secondpass_evaluation::{Estimate, QueryRow, Record, Role, SystemRecord};

use crate::ReportError;

pub(crate) use latency::LatencyChart;
pub(crate) use paint::{Drawn, Painter};
pub(crate) use quality::QualityChart;
pub(crate) use raster::Raster;
pub(crate) use tradeoff::TradeoffChart;

/// The width of every chart in logical pixels.
pub(crate) const WIDTH: f64 = 760.0;

/// The space that stays free along every edge.
pub(crate) const MARGIN: f64 = 18.0;

/// Drawing pixels to a logical pixel. The backends' coordinates are whole numbers, so shapes are
/// laid out this much finer than they are shown.
pub(crate) const SCALE: u32 = 4;

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

/// Draws every chart of a record as SVG.
pub(crate) fn draw(record: &Record, rows: &[QueryRow]) -> Result<Vec<DrawnChart>, ReportError> {
    font::register()?;
    Ok(vec![
        drawn(&QualityChart::new(record))?,
        drawn(&LatencyChart::new(record, rows))?,
        drawn(&TradeoffChart::new(record))?,
    ])
}

/// Draws the same charts as pixels, in the same order.
pub(crate) fn rasters(record: &Record, rows: &[QueryRow]) -> Result<Vec<Raster>, ReportError> {
    font::register()?;
    Ok(vec![
        Raster::draw(&QualityChart::new(record))?,
        Raster::draw(&LatencyChart::new(record, rows))?,
        Raster::draw(&TradeoffChart::new(record))?,
    ])
}

fn drawn<C: Chart>(chart: &C) -> Result<DrawnChart, ReportError> {
    let (title, alt) = (chart.title(), chart.alt());
    Ok(DrawnChart { name: C::NAME, title, alt, svg: svg::draw(chart)? })
}

/// A system's estimate of the primary measure, if it is there and finite.
fn primary<'a>(record: &Record, system: &'a SystemRecord) -> Option<&'a Estimate> {
    system
        .quality
        .iter()
        .find(|estimate| estimate.measure == record.primary)
        .filter(|e| e.mean.is_finite() && e.low.is_finite() && e.high.is_finite())
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
