//! The charts' font: carried by the program, so that a picture needs none from the system.

use std::sync::OnceLock;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

use crate::ReportError;

/// The name it is registered under. SVG files carry no font, only this list: DejaVu Sans where a
/// viewer has it, or Verdana, which has almost the same widths.
pub(crate) const FAMILY: &str = "DejaVu Sans, Verdana, Geneva, sans-serif";

/// Font size to em: DejaVu Sans rises 0.928 em and falls 0.236 em, and ab_glyph counts both.
pub(crate) const LINE_PER_EM: f64 = 1.164;

/// Makes the font known to plotters; repeated calls do nothing.
pub(crate) fn register() -> Result<(), ReportError> {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    let known = *KNOWN.get_or_init(|| {
        register_font(FAMILY, FontStyle::Normal, dejavu::sans::regular()).is_ok()
            && register_font(FAMILY, FontStyle::Bold, dejavu::sans::bold()).is_ok()
    });
    if known { Ok(()) } else { Err(ReportError::Font) }
}

/// The width of a line of text in logical pixels at `em` pixels to the em.
pub(crate) fn width(text: &str, em: f64, bold: bool) -> f64 {
    // Measured large, since plotters rounds to whole pixels.
    const LARGE: f64 = 1000.0;
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    let font = FontDesc::new(FontFamily::Name(FAMILY), LARGE * LINE_PER_EM, style);
    let measured = font.box_size(text).map_or(0.0, |(width, _)| f64::from(width) / LARGE);
    // DejaVu has no CJK or emoji; a viewer's fallback font sets those one em wide, not the 0.6 em
    // of its box for a missing glyph.
    let wide = text.chars().filter(|&c| c >= '\u{2e80}').count() as f64;
    em * (measured + 0.4 * wide)
}

/// Breaks text into lines no wider than `limit` logical pixels: at spaces, else after a mark that
/// model names are joined by, else anywhere. At most `most` lines; the last one ends in an ellipsis
/// where text is left over.
pub(crate) fn wrap(text: &str, em: f64, bold: bool, limit: f64, most: usize) -> Vec<String> {
    let text = printable(text);
    let mut rest = text.trim();
    let mut lines = Vec::new();
    while !rest.is_empty() {
        if width(rest, em, bold) <= limit {
            lines.push(rest.to_owned());
            break;
        }
        let fitting = fitting(rest, em, bold, limit);
        if lines.len() + 1 == most {
            lines.push(shortened(rest, em, bold, limit));
            break;
        }
        let at = break_point(rest, fitting);
        let (line, next) = rest.split_at(at);
        lines.push(line.trim_end().to_owned());
        rest = next.trim_start();
    }
    lines
}

/// Text on one line: control characters, which no font shows and XML forbids, as U+FFFD.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// The longest prefix within the limit, in bytes; at least one character.
fn fitting(text: &str, em: f64, bold: bool, limit: f64) -> usize {
    let ends: Vec<usize> = text.char_indices().skip(1).map(|(at, _)| at).collect();
    let count = ends.partition_point(|&end| width(&text[..end], em, bold) <= limit);
    ends.get(count.saturating_sub(1)).copied().unwrap_or(text.len())
}

/// Where to break within the first `fitting` bytes.
fn break_point(text: &str, fitting: usize) -> usize {
    let head = &text[..fitting];
    // A break in the first third leaves too ragged a line.
    let good = |at: &usize| *at > fitting / 3;
    if text[fitting..].starts_with(' ') {
        return fitting;
    }
    head.rfind(' ')
        .filter(good)
        .or_else(|| head.rfind(['-', '_', '/', ':', '.', ',']).map(|at| at + 1).filter(good))
        .unwrap_or(fitting)
}

/// The text cut so that it and an ellipsis fit.
fn shortened(text: &str, em: f64, bold: bool, limit: f64) -> String {
    let end = fitting(text, em, bold, limit - width("…", em, bold));
    format!("{}…", text[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_letters_are_wider() {
        register().unwrap();
        assert!(width("WWW", 12.0, false) > 2.0 * width("iii", 12.0, false));
        assert!(width("text", 12.0, true) > width("text", 12.0, false));
        // DejaVu Sans: the digit 0 advances 1303 of 2048 units.
        assert!((width("0", 1.0, false) - 1303.0 / 2048.0).abs() < 0.01);
    }

    #[test]
    fn wrapped_lines_fit_and_lose_nothing() {
        register().unwrap();
        let name = "cross-encoder/ms-marco-MiniLM-L-12-v2-distilled-on-help-desk-articles";
        let lines = wrap(name, 13.0, false, 150.0, 9);
        assert!(lines.len() > 2, "{lines:?}");
        assert_eq!(lines.concat(), name);
        for line in &lines {
            assert!(width(line, 13.0, false) <= 150.0, "{line}");
        }
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        register().unwrap();
        let lines = wrap(&"W".repeat(500), 13.0, false, 100.0, 3);
        assert_eq!(lines.len(), 3);
        assert!(lines[2].ends_with('…'));
        assert!(width(&lines[2], 13.0, false) <= 100.0);
    }

    #[test]
    fn narrow_limits_and_odd_text_end() {
        register().unwrap();
        assert_eq!(wrap("abc", 13.0, false, 0.0, 10), ["a", "b", "c"]);
        assert_eq!(wrap("  \n ", 13.0, false, 100.0, 3), Vec::<String>::new());
        assert_eq!(printable("a\u{0}b\nc"), "a\u{fffd}b c");
    }
}
