//! A chart as an SVG document.

use plotters::prelude::*;

use super::paint::{CLOSE, OPEN, TextScale};
use super::{Chart, Painter, SCALE, WIDTH};
use crate::ReportError;

/// plotters divides the font size by 1.24 and sets the baseline 0.76 em below the top anchor.
const TEXT: TextScale = TextScale { size: 1.24, baseline: 0.76, groups: true };

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
    let body = grouped(svg.split_once('>').map_or("", |(_, body)| body));
    let (name, title, alt) = (C::NAME, escape(&chart.title()), escape(&chart.alt()));
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{name}-title {name}-desc\">\n\
         <title id=\"{name}-title\">{title}</title>\n<desc id=\"{name}-desc\">{alt}</desc>{body}",
        size.0, size.1,
    ))
}

/// The marks of [`Painter::series`] as groups.
fn grouped(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    for (index, part) in body.split("<text ").enumerate() {
        // plotters has escaped the name, which stands on a line of its own.
        let marked = part.split_once(">\n").zip(part.split_once("</text>\n"));
        match marked.map(|((_, text), (_, rest))| (text, rest)) {
            Some((text, rest)) if index > 0 && text.starts_with(OPEN) => {
                let name = text.split('\n').next().unwrap_or_default().trim_start_matches(OPEN);
                out += &format!("<g data-series=\"{name}\">\n{rest}");
            }
            Some((text, rest)) if index > 0 && text.starts_with(CLOSE) => {
                out += "</g>\n";
                out += rest;
            }
            _ => {
                out += if index > 0 { "<text " } else { "" };
                out += part;
            }
        }
    }
    out
}

fn escape(text: &str) -> String {
    maud::html! { (super::font::printable(text)) }.into_string()
}
