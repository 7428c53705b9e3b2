//! What the charts have in common: a header, a horizontal axis, and rows with a name each.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::axis::Axis;
use super::font::{width, wrap};
use super::paint::{Drawn, Painter, Type};
use super::palette::{GRID, INK, SOFT};
use super::{MARGIN, WIDTH};

/// Names and figures.
pub(crate) const LABEL: Type = Type { em: 13.0, bold: false, color: INK };
/// Axes, notes and headings of columns.
pub(crate) const NOTE: Type = Type { em: 12.0, bold: false, color: SOFT };
const TITLE: Type = Type { em: 17.0, bold: true, color: INK };

/// The distance between baselines, in em.
const LEADING: f64 = 1.3;

/// Lines a wrapped name may take; the tables give what is longer in full.
const NAME_LINES: usize = 6;

/// A block of lines.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    lines: Vec<String>,
    font: Type,
}

impl Lines {
    /// Text broken to fit `limit` logical pixels.
    pub(crate) fn new(text: &str, font: Type, limit: f64, most: usize) -> Self {
        Self { lines: wrap(text, font.em, font.bold, limit, most), font }
    }

    /// From the top of the first line to the bottom of the last.
    pub(crate) fn height(&self) -> f64 {
        self.lines.len() as f64 * self.font.em * LEADING
    }

    /// The widest line.
    pub(crate) fn width(&self) -> f64 {
        self.lines.iter().map(|l| width(l, self.font.em, self.font.bold)).fold(0.0, f64::max)
    }

    /// Draws the block with its top at `y`; `x` is its left, middle or right.
    pub(crate) fn draw<DB: DrawingBackend>(
        &self,
        painter: &Painter<'_, DB>,
        (x, y): (f64, f64),
        align: HPos,
    ) -> Drawn<DB> {
        for (index, line) in self.lines.iter().enumerate() {
            // Baselines sit so that the capitals' middle is the middle of the line.
            let baseline = y + self.font.em * (LEADING * (index as f64 + 0.5) + 0.365);
            painter.text(line, (x, baseline), align, self.font)?;
        }
        Ok(())
    }

    /// Draws the block with its middle at `y`.
    pub(crate) fn draw_centred<DB: DrawingBackend>(
        &self,
        painter: &Painter<'_, DB>,
        (x, y): (f64, f64),
        align: HPos,
    ) -> Drawn<DB> {
        self.draw(painter, (x, y - self.height() / 2.0), align)
    }
}

/// A name that may be long, wrapped to `limit`.
pub(crate) fn name(text: &str, limit: f64) -> Lines {
    Lines::new(text, LABEL, limit, NAME_LINES)
}

/// A title and what the reader must know to read the chart.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    title: Lines,
    subtitle: Lines,
    note: Option<Lines>,
}

impl Header {
    /// Both wrapped to the chart's width.
    pub(crate) fn new(title: &str, subtitle: &str) -> Self {
        let limit = WIDTH - 2.0 * MARGIN;
        Self {
            title: Lines::new(title, TITLE, limit, 3),
            subtitle: Lines::new(subtitle, NOTE, limit, 4),
            note: None,
        }
    }

    /// With a note on lines of its own, where there is one.
    pub(crate) fn noting(mut self, note: Option<String>) -> Self {
        self.note = note.map(|text| Lines::new(&text, NOTE, WIDTH - 2.0 * MARGIN, 4));
        self
    }

    /// Where what follows may start.
    pub(crate) fn bottom(&self) -> f64 {
        self.note_top() + self.note.as_ref().map_or(0.0, Lines::height) + 12.0
    }

    /// Draws it at the top left.
    pub(crate) fn draw<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>) -> Drawn<DB> {
        self.title.draw(painter, (MARGIN, MARGIN - 4.0), HPos::Left)?;
        self.subtitle.draw(painter, (MARGIN, MARGIN + self.title.height()), HPos::Left)?;
        match &self.note {
            Some(note) => note.draw(painter, (MARGIN, self.note_top()), HPos::Left),
            None => Ok(()),
        }
    }

    fn note_top(&self) -> f64 {
        MARGIN + self.title.height() + self.subtitle.height()
    }
}

/// The rectangle that data are drawn in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plot {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

impl Plot {
    /// Where a value of a horizontal axis lies.
    pub(crate) fn x(&self, axis: &Axis, value: f64) -> f64 {
        self.left + axis.position(value) * (self.right - self.left)
    }

    /// Where a value of a vertical axis lies.
    pub(crate) fn y(&self, axis: &Axis, value: f64) -> f64 {
        self.bottom - axis.position(value) * (self.bottom - self.top)
    }
}

/// A horizontal axis with its title, below a plot.
#[derive(Clone, Debug)]
pub(crate) struct HorizontalAxis {
    pub(crate) axis: Axis,
    title: Lines,
}

impl HorizontalAxis {
    /// The title says quantity and unit.
    pub(crate) fn new(axis: Axis, title: &str) -> Self {
        Self { axis, title: Lines::new(title, NOTE, WIDTH - 2.0 * MARGIN, 3) }
    }

    /// The space it needs below the plot.
    pub(crate) fn height(&self) -> f64 {
        28.0 + self.title.height()
    }

    /// Draws grid, ticks and title.
    pub(crate) fn draw<DB: DrawingBackend>(
        &self,
        painter: &Painter<'_, DB>,
        plot: Plot,
    ) -> Drawn<DB> {
        let mut free_from = f64::NEG_INFINITY;
        for (value, label) in self.axis.ticks() {
            let x = plot.x(&self.axis, *value);
            painter.line((x, plot.top), (x, plot.bottom), GRID, 1.0)?;
            painter.line((x, plot.bottom), (x, plot.bottom + 4.0), SOFT, 1.0)?;
            let half = width(label, NOTE.em, NOTE.bold) / 2.0;
            let middle = within(x, half);
            if middle - half >= free_from {
                painter.text(label, (middle, plot.bottom + 18.0), HPos::Center, NOTE)?;
                free_from = middle + half + 6.0;
            }
        }
        painter.line((plot.left, plot.bottom), (plot.right, plot.bottom), SOFT, 1.0)?;
        let half = self.title.width() / 2.0;
        let middle = within((plot.left + plot.right) / 2.0, half);
        self.title.draw(painter, (middle, plot.bottom + 26.0), HPos::Center)
    }
}

/// A vertical axis; its title stands above the plot, where it needs no turned letters.
#[derive(Clone, Debug)]
pub(crate) struct VerticalAxis {
    pub(crate) axis: Axis,
    title: Lines,
}

impl VerticalAxis {
    /// The title says quantity and unit; it is one line.
    pub(crate) fn new(axis: Axis, title: &str) -> Self {
        Self { axis, title: Lines::new(title, NOTE, WIDTH - 2.0 * MARGIN, 1) }
    }

    /// The space it needs at the left of the plot.
    pub(crate) fn width(&self) -> f64 {
        let labels = self.axis.ticks().iter().map(|(_, label)| width(label, NOTE.em, NOTE.bold));
        labels.fold(0.0, f64::max) + 12.0
    }

    /// The space it needs above the plot.
    pub(crate) fn height(&self) -> f64 {
        if self.title.height() > 0.0 { 22.0 } else { 0.0 }
    }

    /// Draws grid, ticks and title.
    pub(crate) fn draw<DB: DrawingBackend>(
        &self,
        painter: &Painter<'_, DB>,
        plot: Plot,
    ) -> Drawn<DB> {
        let mut free_from = f64::INFINITY;
        for (value, label) in self.axis.ticks() {
            let y = plot.y(&self.axis, *value);
            painter.line((plot.left, y), (plot.right, y), GRID, 1.0)?;
            if y + NOTE.em / 2.0 < free_from {
                painter.text(label, (plot.left - 8.0, y + 4.4), HPos::Right, NOTE)?;
                free_from = y - NOTE.em / 2.0 - 2.0;
            }
        }
        painter.line((plot.left, plot.top), (plot.left, plot.bottom), SOFT, 1.0)?;
        self.title.draw(painter, (MARGIN, plot.top - 27.0), HPos::Left)
    }
}

/// The middle of something `half` wide on each side, moved so that it stays on the chart.
pub(crate) fn within(middle: f64, half: f64) -> f64 {
    middle.min(WIDTH - MARGIN - half).max(MARGIN + half)
}

/// Rows of a chart: a name at the left, data in the middle, figures at the right.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    names: Vec<Lines>,
    figures: Vec<Lines>,
    heading: Lines,
    top: f64,
    name_width: f64,
    figure_width: f64,
}

impl Rows {
    /// Rows from `top` downwards, each a name and its figures, the figures under `heading`.
    pub(crate) fn new(top: f64, heading: &str, rows: &[(String, String)]) -> Self {
        let heading = Lines::new(heading, NOTE, 240.0, 2);
        let names: Vec<Lines> = rows.iter().map(|(text, _)| name(text, 220.0)).collect();
        let figures: Vec<Lines> =
            rows.iter().map(|(_, text)| Lines::new(text, LABEL, 240.0, 2)).collect();
        let widest = |lines: &[Lines]| lines.iter().map(Lines::width).fold(0.0, f64::max);
        Self {
            name_width: widest(&names),
            figure_width: widest(&figures).max(heading.width()),
            names,
            figures,
            heading,
            top,
        }
    }

    /// The rectangle between names and figures.
    pub(crate) fn plot(&self) -> Plot {
        let top = self.top + self.heading.height();
        Plot {
            left: MARGIN + self.name_width + 20.0,
            right: WIDTH - MARGIN - self.figure_width - 26.0,
            top,
            bottom: top + self.heights().sum::<f64>() + 8.0,
        }
    }

    /// The middle of each row.
    pub(crate) fn middles(&self) -> Vec<f64> {
        let mut top = self.top + self.heading.height() + 4.0;
        self.heights()
            .map(|height| {
                top += height;
                top - height / 2.0
            })
            .collect()
    }

    /// Draws names, heading and figures.
    pub(crate) fn draw<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>) -> Drawn<DB> {
        let right = WIDTH - MARGIN;
        self.heading.draw(painter, (right, self.top - 3.0), HPos::Right)?;
        for ((name, figures), y) in self.names.iter().zip(&self.figures).zip(self.middles()) {
            name.draw_centred(painter, (MARGIN + self.name_width, y), HPos::Right)?;
            figures.draw_centred(painter, (right, y), HPos::Right)?;
        }
        Ok(())
    }

    fn heights(&self) -> impl Iterator<Item = f64> {
        let tallest = |(name, figures): (&Lines, &Lines)| name.height().max(figures.height());
        self.names.iter().zip(&self.figures).map(tallest).map(|height| (height + 12.0).max(34.0))
    }
}
