//! Curves over a setting: what the charts of depth, of length and of time have in common, and any
//! later one whose points lie in a plane.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::font::width;
use super::frame::{Header, HorizontalAxis, LABEL, Lines, NOTE, Plot, VerticalAxis, name};
use super::palette::{BASELINE, INK, Look};
use super::{Chart, Drawn, MARGIN, Painter, WIDTH};

/// The plot's own height.
const TALL: f64 = 300.0;

/// Between the bars of neighbouring series at one place, so that none hides another.
const APART: f64 = 5.0;

/// Points in a plane, with a legend below.
pub(crate) struct Curves {
    header: Header,
    vertical: VerticalAxis,
    horizontal: HorizontalAxis,
    levels: Vec<Level>,
    series: Vec<Series>,
    legends: Vec<Lines>,
    spread: bool,
    places: Vec<Place>,
}

/// A place on the horizontal axis that is pointed at.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// What it is, in a few words.
    pub(crate) label: String,
    /// Where.
    pub(crate) value: f64,
    /// Where it may lie.
    pub(crate) range: Option<(f64, f64)>,
}

/// Curves with the words about them: all that a chart of curves is, but its name.
pub(crate) struct Titled {
    /// What stands above it.
    pub(crate) title: String,
    /// What it says to who cannot see it.
    pub(crate) alt: String,
    /// The picture.
    pub(crate) curves: Curves,
}

/// A chart that is curves and nothing else.
pub(crate) trait OfCurves {
    /// [`Chart::NAME`].
    const NAME: &'static str;

    /// Its words and curves.
    fn titled(&self) -> &Titled;
}

impl<T: OfCurves> Chart for T {
    const NAME: &'static str = <T as OfCurves>::NAME;

    fn title(&self) -> String {
        self.titled().title.clone()
    }

    fn alt(&self) -> String {
        self.titled().alt.clone()
    }

    fn height(&self) -> f64 {
        self.titled().curves.height()
    }

    fn draw<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>) -> Drawn<DB> {
        self.titled().curves.draw(painter)
    }
}

/// Points that belong together, from left to right.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// The name in the legend.
    pub(crate) name: String,
    /// What stands at the right of the legend.
    pub(crate) figures: String,
    /// How its points look.
    pub(crate) look: Look,
    /// What joins its points.
    pub(crate) join: Join,
    /// Its points.
    pub(crate) points: Vec<Point>,
}

/// What joins the points of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    /// Nothing: each point stands for itself.
    Nothing,
    /// A line.
    Line,
    /// A dashed line between hollow points: a limit, not a system.
    Dashes,
    /// A line without marks within the band of the points' bars.
    Band,
}

/// A point with the bar of its uncertainty or spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) bar: Option<(f64, f64)>,
}

/// A value that does not depend on the horizontal axis.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    /// Name and figure.
    pub(crate) label: String,
    pub(crate) value: f64,
    /// Dashed in ink for a limit, dotted in grey for a baseline.
    pub(crate) limit: bool,
}

impl Curves {
    /// Lays the series out; the axes must hold their points.
    pub(crate) fn new(
        header: Header,
        vertical: VerticalAxis,
        horizontal: HorizontalAxis,
        levels: Vec<Level>,
        series: Vec<Series>,
    ) -> Self {
        let legends = series.iter().map(|series| name(&series.name, 480.0)).collect();
        // Settings are shared by the series; times are not, and a shifted time would be a wrong one.
        let apart = |series: &Series| !matches!(series.join, Join::Nothing | Join::Band);
        let spread = series.iter().any(apart);
        let places = Vec::new();
        Self { header, vertical, horizontal, levels, series, legends, spread, places }
    }

    /// The same with places on the horizontal axis that are pointed at, from left to right.
    pub(crate) fn pointing_at(mut self, places: Vec<Place>) -> Self {
        self.places = places;
        self
    }

    /// The height of the whole chart.
    pub(crate) fn height(&self) -> f64 {
        self.legend_top() + self.legends.iter().map(row_height).sum::<f64>() + MARGIN
    }

    /// Draws everything.
    pub(crate) fn draw<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>) -> Drawn<DB> {
        self.header.draw(painter)?;
        let plot = self.plot();
        self.horizontal.draw(painter, plot)?;
        self.vertical.draw(painter, plot)?;
        self.draw_levels(painter, plot)?;
        self.draw_places(painter, plot)?;
        let placed: Vec<Vec<Placed>> =
            (0..self.series.len()).map(|index| self.placed(plot, index)).collect();
        for (series, points) in self.series.iter().zip(&placed) {
            painter.series(&series.name, || lines(painter, series, points))?;
        }
        // Markers go over every bar, so that none is hidden.
        for (series, points) in self.series.iter().zip(&placed) {
            if series.join == Join::Band {
                continue;
            }
            painter.series(&series.name, || {
                points.iter().try_for_each(|point| mark(painter, series, point.at))
            })?;
        }
        self.draw_legend(painter)
    }

    fn plot(&self) -> Plot {
        let labels = self.levels.iter().map(|level| width(&level.label, LABEL.em, LABEL.bold));
        let top = self.header.bottom() + self.vertical.height() + self.labels_of_places();
        Plot {
            left: MARGIN + self.vertical.width(),
            right: WIDTH - MARGIN - labels.fold(0.0, f64::max) - 14.0,
            top,
            bottom: top + TALL,
        }
    }

    fn placed(&self, plot: Plot, index: usize) -> Vec<Placed> {
        let limit = |series: &&Series| series.join == Join::Dashes;
        let count = self.series.iter().filter(|series| !limit(series)).count() as f64;
        let shift = if self.spread && !self.series.get(index).as_ref().is_some_and(limit) {
            // Together no wider than the gap between two settings would bear.
            let apart = APART.min(36.0 / count);
            (index as f64 - (count - 1.0) / 2.0) * apart
        } else {
            0.0
        };
        let y = |value: f64| plot.y(&self.vertical.axis, value);
        let place = |point: &Point| Placed {
            at: (plot.x(&self.horizontal.axis, point.x) + shift, y(point.y)),
            bar: point.bar.map(|(low, high)| (y(low), y(high))),
        };
        self.series
            .get(index)
            .map_or(Vec::new(), |series| series.points.iter().map(place).collect())
    }

    /// Levels as lines, their labels at the right kept a line apart.
    fn draw_levels<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>, plot: Plot) -> Drawn<DB> {
        let mut free_from = f64::NEG_INFINITY;
        let mut levels: Vec<(f64, &Level)> = self
            .levels
            .iter()
            .map(|level| (plot.y(&self.vertical.axis, level.value), level))
            .collect();
        levels.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (y, level) in levels {
            let (from, to) = ((plot.left, y), (plot.right, y));
            match level.limit {
                true => painter.dashed(from, to, INK, 1.5)?,
                false => painter.dotted(from, to, BASELINE, 2.0)?,
            }
            let middle = f64::max(y, free_from);
            free_from = middle + 18.0;
            painter.text(&level.label, (plot.right + 8.0, middle + 4.7), HPos::Left, LABEL)?;
        }
        Ok(())
    }

    /// The height of the lines that name places.
    fn labels_of_places(&self) -> f64 {
        if self.places.is_empty() { 0.0 } else { 18.0 * self.places.len() as f64 + 10.0 }
    }

    /// Places as lines from top to bottom within the plot, and above it what they are: one of a single
    /// value is drawn through, one with a range is dashed within its band.
    fn draw_places<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>, plot: Plot) -> Drawn<DB> {
        let mut middle = plot.top - self.vertical.height() - self.labels_of_places() + 8.0;
        let upright = |x: f64, top: f64, bottom: f64, dashed: bool| match dashed {
            true => painter.dashed((x, top), (x, bottom), INK, 1.0),
            false => painter.line((x, top), (x, bottom), INK, 1.5),
        };
        for place in &self.places {
            let at = |value: f64| plot.x(&self.horizontal.axis, value);
            let key = MARGIN + 8.0;
            if let Some((low, high)) = place.range {
                let band = |left: f64, right: f64, top: f64, bottom: f64| {
                    painter.band(&[(left, bottom, top), (right, bottom, top)], BASELINE)
                };
                band(at(low), at(high), plot.top, plot.bottom)?;
                band(key - 8.0, key + 8.0, middle - 7.0, middle + 7.0)?;
            }
            upright(at(place.value), plot.top, plot.bottom, place.range.is_some())?;
            upright(key, middle - 7.0, middle + 7.0, place.range.is_some())?;
            painter.text(&place.label, (MARGIN + 24.0, middle + 4.4), HPos::Left, NOTE)?;
            middle += 18.0;
        }
        Ok(())
    }

    fn legend_top(&self) -> f64 {
        self.plot().bottom + self.horizontal.height() + 12.0
    }

    fn draw_legend<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>) -> Drawn<DB> {
        let mut top = self.legend_top();
        for (series, legend) in self.series.iter().zip(&self.legends) {
            let y = top + row_height(legend) / 2.0;
            painter.series(&series.name, || {
                mark(painter, series, (MARGIN + 8.0, y))?;
                legend.draw_centred(painter, (MARGIN + 24.0, y), HPos::Left)?;
                painter.text(&series.figures, (WIDTH - MARGIN, y + 4.7), HPos::Right, LABEL)
            })?;
            top += row_height(legend);
        }
        Ok(())
    }
}

/// A point where it is drawn.
struct Placed {
    at: (f64, f64),
    bar: Option<(f64, f64)>,
}

/// What joins a series' points, and their bars.
fn lines<DB: DrawingBackend>(
    painter: &Painter<'_, DB>,
    series: &Series,
    points: &[Placed],
) -> Drawn<DB> {
    let color = series.look.line();
    let path: Vec<(f64, f64)> = points.iter().map(|point| point.at).collect();
    if series.join == Join::Band {
        let bars = points.iter().filter_map(|point| Some((point.at.0, point.bar?)));
        let ends: Vec<(f64, f64, f64)> = bars.map(|(x, (low, high))| (x, low, high)).collect();
        if ends.len() > 1 {
            painter.band(&ends, color)?;
        }
        return if path.len() > 1 { painter.path(&path, color, 2.5) } else { Ok(()) };
    }
    match series.join {
        Join::Line if path.len() > 1 => painter.path(&path, color, 1.5)?,
        Join::Dashes if path.len() > 1 => painter.dashed_path(&path, color, 1.5)?,
        _ => {}
    }
    for point in points {
        let Some((low, high)) = point.bar else { continue };
        painter.line((point.at.0, low), (point.at.0, high), color, 2.0)?;
        for end in [low, high] {
            painter.line((point.at.0 - 4.0, end), (point.at.0 + 4.0, end), color, 2.0)?;
        }
    }
    Ok(())
}

fn mark<DB: DrawingBackend>(
    painter: &Painter<'_, DB>,
    series: &Series,
    at: (f64, f64),
) -> Drawn<DB> {
    match series.join {
        Join::Dashes => painter.hollow(at, 4.5, series.look),
        Join::Nothing => painter.marker(at, 6.0, series.look),
        Join::Line => painter.marker(at, 5.0, series.look),
        Join::Band => {
            let (left, right) = ((at.0 - 8.0, at.1), (at.0 + 8.0, at.1));
            painter.path(&[left, right], series.look.line(), 2.5)
        }
    }
}

fn row_height(legend: &Lines) -> f64 {
    legend.height().max(17.0) + 6.0
}
