//! Panels: one small plot a system, below one another, where systems must not share an axis or would
//! hide each other.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::frame::{HorizontalAxis, Lines, NOTE, Plot, VerticalAxis, name};
use super::{Drawn, MARGIN, Painter, WIDTH};

/// The height of one panel's plot.
const TALL: f64 = 110.0;

/// Plots from `top` downwards.
pub(crate) struct Panels {
    top: f64,
    panels: Vec<Panel>,
}

/// One plot with a name above it.
pub(crate) struct Panel {
    name: Lines,
    note: Lines,
    pub(crate) vertical: VerticalAxis,
    pub(crate) horizontal: HorizontalAxis,
}

impl Panel {
    /// A panel of the system `text`, with what is to be noted at the right of its name.
    pub(crate) fn new(
        text: &str,
        note: &str,
        vertical: VerticalAxis,
        horizontal: HorizontalAxis,
    ) -> Self {
        let note = Lines::new(note, NOTE, 330.0, 2);
        let limit = WIDTH - 2.0 * MARGIN - note.width() - 20.0;
        Self { name: name(text, limit), note, vertical, horizontal }
    }

    /// From the panel's top to its plot's.
    fn heading(&self) -> f64 {
        self.name.height().max(self.note.height()).max(17.0) + 8.0 + self.vertical.height()
    }

    fn height(&self) -> f64 {
        self.heading() + TALL + self.horizontal.height() + 14.0
    }
}

impl Panels {
    /// Panels below `top`.
    pub(crate) fn new(top: f64, panels: Vec<Panel>) -> Self {
        Self { top, panels }
    }

    /// Where the last panel ends.
    pub(crate) fn bottom(&self) -> f64 {
        self.top + self.panels.iter().map(Panel::height).sum::<f64>()
    }

    /// Each panel with the rectangle its data are drawn in.
    pub(crate) fn plots(&self) -> impl Iterator<Item = (&Panel, Plot)> {
        // One left edge for all, so that equal axes line up.
        let left = self.panels.iter().map(|panel| panel.vertical.width()).fold(0.0, f64::max);
        let mut top = self.top;
        self.panels.iter().map(move |panel| {
            let from = top + panel.heading();
            top += panel.height();
            let right = WIDTH - MARGIN - 6.0;
            (panel, Plot { left: MARGIN + left, right, top: from, bottom: from + TALL })
        })
    }

    /// Draws names, notes and axes; the data go on top.
    pub(crate) fn draw<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>) -> Drawn<DB> {
        for (panel, plot) in self.plots() {
            let top = plot.top - panel.heading();
            let line = panel.name.height().max(panel.note.height()).max(17.0);
            let middle = top + line / 2.0;
            panel.name.draw_centred(painter, (MARGIN, middle), HPos::Left)?;
            panel.note.draw_centred(painter, (WIDTH - MARGIN, middle), HPos::Right)?;
            panel.horizontal.draw(painter, plot)?;
            panel.vertical.draw(painter, plot)?;
        }
        Ok(())
    }
}

/// A legend of small pictures and words in one line: draws `picture` at the left and says `words`,
/// then gives the place of the next entry.
pub(crate) fn entry<DB: DrawingBackend>(
    painter: &Painter<'_, DB>,
    (x, y): (f64, f64),
    words: &str,
    picture: impl FnOnce(&Painter<'_, DB>, (f64, f64), (f64, f64)) -> Drawn<DB>,
) -> Result<(f64, f64), DrawingAreaErrorKind<DB::ErrorType>> {
    picture(painter, (x, y - 6.0), (x + 22.0, y + 6.0))?;
    painter.text(words, (x + 28.0, y + 4.4), HPos::Left, NOTE)?;
    Ok((x + 28.0 + super::font::width(words, NOTE.em, NOTE.bold) + 22.0, y))
}
