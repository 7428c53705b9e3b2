//! The few strokes that charts are made of, in logical pixels, on any backend.

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::SCALE;
use super::font::FAMILY;
use super::palette::{self, INK, Look};

/// The result of drawing on a backend.
pub(crate) type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// A place in logical pixels from the upper left corner.
pub(crate) type Place = (f64, f64);

/// How a backend turns a font size into an em and a baseline; they differ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextScale {
    /// Font size to ask for, per em.
    pub(crate) size: f64,
    /// From the top anchor down to the baseline, per em.
    pub(crate) baseline: f64,
    /// Whether the backend keeps the shapes of a series together, between [`OPEN`] and [`CLOSE`].
    pub(crate) groups: bool,
}

/// Begins a text that opens a group: no name has a control character, and no font shows one.
pub(crate) const OPEN: char = '\u{2}';
/// A text that closes it.
pub(crate) const CLOSE: char = '\u{3}';

/// Type size and weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Type {
    /// Logical pixels to the em.
    pub(crate) em: f64,
    /// Bold or regular.
    pub(crate) bold: bool,
    /// Its colour.
    pub(crate) color: RGBColor,
}

/// Draws on a backend whose pixels are [`SCALE`] times finer than the logical ones.
pub(crate) struct Painter<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    text: TextScale,
}

impl<'a, DB: DrawingBackend> Painter<'a, DB> {
    /// A painter on a white ground.
    pub(crate) fn new(
        area: &'a DrawingArea<DB, Shift>,
        text: TextScale,
    ) -> Result<Self, DrawingAreaErrorKind<DB::ErrorType>> {
        area.fill(&WHITE)?;
        Ok(Self { area, text })
    }

    /// Keeps all that `draw` draws together under a name, so that a page can hide and show it.
    pub(crate) fn series(&self, name: &str, draw: impl FnOnce() -> Drawn<DB>) -> Drawn<DB> {
        if !self.text.groups {
            return draw();
        }
        self.mark(format!("{OPEN}{}", super::font::printable(name)))?;
        draw()?;
        self.mark(CLOSE.to_string())
    }

    fn mark(&self, text: String) -> Drawn<DB> {
        self.area.draw(&Text::new(text, (0, 0), (FAMILY, 1.0).into_text_style(self.area)))
    }

    /// The area between pairs of a low and a high end, see-through, so that those below it show.
    pub(crate) fn band(&self, ends: &[(f64, f64, f64)], color: RGBColor) -> Drawn<DB> {
        let high = ends.iter().map(|(x, _, high)| pixel((*x, *high)));
        let low = ends.iter().rev().map(|(x, low, _)| pixel((*x, *low)));
        self.area.draw(&Polygon::new(high.chain(low).collect::<Vec<_>>(), color.mix(0.16).filled()))
    }

    /// A line of `width` logical pixels.
    pub(crate) fn line(&self, from: Place, to: Place, color: RGBColor, width: f64) -> Drawn<DB> {
        self.area.draw(&PathElement::new(vec![pixel(from), pixel(to)], stroke(color, width)))
    }

    /// A dashed line.
    pub(crate) fn dashed(&self, from: Place, to: Place, color: RGBColor, width: f64) -> Drawn<DB> {
        self.broken(&[from, to], color, width, 6.0, 4.0)
    }

    /// A dotted line.
    pub(crate) fn dotted(&self, from: Place, to: Place, color: RGBColor, width: f64) -> Drawn<DB> {
        self.broken(&[from, to], color, width, 1.5, 3.0)
    }

    /// A box filled with a light tint of `color`, edged in ink.
    pub(crate) fn rectangle(&self, from: Place, to: Place, color: RGBColor) -> Drawn<DB> {
        let corners = [from, (to.0, from.1), to, (from.0, to.1)].map(pixel).to_vec();
        self.shape(corners, tint(color), INK)
    }

    /// A filled area without an edge: a light tint of `color`, or the colour itself.
    pub(crate) fn area(&self, outline: &[Place], color: RGBColor, full: bool) -> Drawn<DB> {
        let points = outline.iter().copied().map(pixel).collect::<Vec<_>>();
        let fill = if full { color } else { tint(color) };
        self.area.draw(&Polygon::new(points, fill.filled()))
    }

    /// A line through several points.
    pub(crate) fn path(&self, points: &[Place], color: RGBColor, width: f64) -> Drawn<DB> {
        let points = points.iter().copied().map(pixel).collect::<Vec<_>>();
        self.area.draw(&PathElement::new(points, stroke(color, width)))
    }

    /// A dashed line through several points.
    pub(crate) fn dashed_path(&self, points: &[Place], color: RGBColor, width: f64) -> Drawn<DB> {
        self.broken(points, color, width, 8.0, 5.0)
    }

    /// A system's marker, filled with its colour and edged in ink so that light colours show.
    pub(crate) fn marker(&self, at: Place, radius: f64, look: Look) -> Drawn<DB> {
        self.shape(outline(at, radius, look), look.color, INK)
    }

    /// A system's marker with a white inside.
    pub(crate) fn hollow(&self, at: Place, radius: f64, look: Look) -> Drawn<DB> {
        self.shape(outline(at, radius, look), WHITE, INK)
    }

    /// A line of text whose baseline passes through `at`.
    pub(crate) fn text(&self, text: &str, at: Place, align: HPos, font: Type) -> Drawn<DB> {
        if text.is_empty() {
            return Ok(());
        }
        let em = font.em * f64::from(SCALE);
        let style = if font.bold { FontStyle::Bold } else { FontStyle::Normal };
        let style = (FAMILY, em * self.text.size, style)
            .into_text_style(self.area)
            .color(&font.color)
            .pos(Pos::new(align, VPos::Top));
        let top = (at.0, at.1 - font.em * self.text.baseline);
        self.area.draw(&Text::new(text.to_owned(), pixel(top), style))
    }

    fn broken(
        &self,
        points: &[Place],
        color: RGBColor,
        width: f64,
        dash: f64,
        gap: f64,
    ) -> Drawn<DB> {
        let scaled = |length: f64| (length * f64::from(SCALE)).round() as i32;
        let points = points.iter().copied().map(pixel).collect::<Vec<_>>();
        let style = stroke(color, width);
        self.area.draw(&DashedPathElement::new(points, scaled(dash), scaled(gap), style))
    }

    fn shape(&self, points: Vec<(i32, i32)>, fill: RGBColor, edge: RGBColor) -> Drawn<DB> {
        let closed = points.iter().chain(points.first()).copied().collect::<Vec<_>>();
        self.area.draw(&Polygon::new(points, fill.filled()))?;
        self.area.draw(&PathElement::new(closed, stroke(edge, 1.0)))
    }
}

fn outline(at: Place, radius: f64, look: Look) -> Vec<(i32, i32)> {
    let outline = look.marker.outline();
    outline.into_iter().map(|(x, y)| pixel((at.0 + radius * x, at.1 + radius * y))).collect()
}

/// A third of the colour on white, opaque, so that no grid shows through.
fn tint(color: RGBColor) -> RGBColor {
    palette::tint(color, palette::WHITE)
}

fn stroke(color: RGBColor, width: f64) -> ShapeStyle {
    color.stroke_width((width * f64::from(SCALE)).round().max(1.0) as u32)
}

fn pixel((x, y): Place) -> (i32, i32) {
    let scaled = |value: f64| (value * f64::from(SCALE)).round() as i32;
    (scaled(x), scaled(y))
}
