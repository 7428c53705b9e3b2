//! Figures as people read them. Minus signs are U+2212, so that columns of signed numbers align.

/// What stands where a figure is not finite or does not apply.
pub(crate) const NONE: &str = "–";

/// A measure's value: `0.712`.
pub(crate) fn score(value: f64) -> String {
    decimal(value, 3)
}

/// A difference of measures: `+0.034`, `−0.010`, `0.000`.
pub(crate) fn signed(value: f64) -> String {
    let plain = decimal(value, 3);
    if value > 0.0 && plain != "0.000" && plain != NONE { format!("+{plain}") } else { plain }
}

/// An interval of a measure: `[0.681, 0.743]`.
pub(crate) fn interval(low: f64, high: f64) -> String {
    format!("[{}, {}]", score(low), score(high))
}

/// An interval of a difference: `[+0.010, +0.058]`.
pub(crate) fn signed_interval(low: f64, high: f64) -> String {
    format!("[{}, {}]", signed(low), signed(high))
}

/// A share from 0 to 1: `97.3%`.
pub(crate) fn percent(share: f64) -> String {
    if share.is_finite() { format!("{}%", decimal(share * 100.0, 1)) } else { NONE.into() }
}

/// A part of a whole: `12 of 7,500 (0.2%)`.
pub(crate) fn part(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "0 of 0".into();
    }
    format!(
        "{} of {} ({})",
        count(part as u64),
        count(whole as u64),
        percent(part as f64 / whole as f64)
    )
}

/// A time given in seconds, as milliseconds below ten seconds: `3.21 ms`, `321 ms`, `12.3 s`.
pub(crate) fn time(seconds: f64) -> String {
    if !seconds.is_finite() {
        NONE.into()
    } else if seconds < 10.0 {
        format!("{} ms", significant(seconds * 1e3))
    } else {
        format!("{} s", significant(seconds))
    }
}

/// A rate: `1,234` or `12.3`.
pub(crate) fn rate(value: f64) -> String {
    significant(value)
}

/// A whole number with separators: `1,234,567`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of things: `1 query`, `150 queries`.
pub(crate) fn counted(value: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(value as u64), if value == 1 { one } else { many })
}

/// Bytes of memory: `23.5 GiB`; 0 means unknown.
pub(crate) fn memory(bytes: u64) -> String {
    if bytes == 0 {
        return "unknown".into();
    }
    format!("{} GiB", decimal(bytes as f64 / (1u64 << 30) as f64, 1))
}

/// A mean that is often whole: `50`, `48.2`.
pub(crate) fn mean(value: f64) -> String {
    let text = decimal(value, 1);
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

fn decimal(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return NONE.into();
    }
    let text = format!("{value:.places$}");
    match text.strip_prefix('-') {
        // A rounded zero has no sign.
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.into(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// Three significant digits, separators from a thousand on.
fn significant(value: f64) -> String {
    match value {
        v if !v.is_finite() => NONE.into(),
        v if v >= 999.5 => count(v.round() as u64),
        v if v >= 99.95 => decimal(v, 0),
        v if v >= 9.995 => decimal(v, 1),
        v if v > 0.0 && v < 0.005 => "<0.01".into(),
        0.0 => "0".into(),
        v => decimal(v, 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(score(0.71249), "0.712");
        assert_eq!(score(f64::NAN), "–");
        assert_eq!(signed(0.0341), "+0.034");
        assert_eq!(signed(-0.0101), "−0.010");
        assert_eq!(signed(-0.0001), "0.000");
        assert_eq!(signed(0.0001), "0.000");
        assert_eq!(percent(0.9733), "97.3%");
        assert_eq!(part(12, 7500), "12 of 7,500 (0.2%)");
        assert_eq!(part(0, 0), "0 of 0");
        assert_eq!(mean(50.0), "50");
        assert_eq!(mean(48.24), "48.2");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(123), "123");
        assert_eq!(memory(0), "unknown");
    }

    #[test]
    fn times_keep_three_digits() {
        assert_eq!(time(0.0), "0 ms");
        assert_eq!(time(0.000_000_1), "<0.01 ms");
        assert_eq!(time(0.003_214), "3.21 ms");
        assert_eq!(time(0.009_996), "10.0 ms");
        assert_eq!(time(0.321_4), "321 ms");
        assert_eq!(time(1.5), "1,500 ms");
        assert_eq!(time(12.34), "12.3 s");
        assert_eq!(time(f64::INFINITY), "–");
    }
}
