//! A chart as an SVG document.

use plotters::prelude::*;

use super::paint::TextScale;
use super::{Chart, Painter, SCALE, WIDTH};
use crate::ReportError;

/// plotters divides the font size by 1.24 and sets the baseline 0.76 em below the top anchor.
const TEXT: TextScale = TextScale { size: 1.24, baseline: 0.76 };

/// Draws `chart`. Equal charts give equal bytes.
pub(crate) fn draw<C: Chart>(chart: &C) -> Result<String, ReportError> {
    let height = chart.height().ceil();
    let size = (WIDTH as u32 * SCALE, height as u32 * SCALE);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        Painter::new(&area, TEXT)
            .and_then(|painter| chart.draw(&painter))
            .and_then(|()| area.present())
            .map_err(|source| ReportError::Draw { chart: C::NAME, source: Box::new(source) })?;
    }
    // plotters' opening tag says the drawing size; ours says the size to show, and what it shows.
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    let (name, title, alt) = (C::NAME, escape(&chart.title()), escape(&chart.alt()));
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{name}-title {name}-desc\">\n\
         <title id=\"{name}-title\">{title}</title>\n<desc id=\"{name}-desc\">{alt}</desc>{body}",
        size.0, size.1,
    ))
}

fn escape(text: &str) -> String {
    maud::html! { (super::font::printable(text)) }.into_string()
}
