//! Figures as people read them. Minus signs are U+2212, so that columns of signed numbers align.

/// What stands where a figure is not finite or does not apply.
pub(crate) const NONE: &str = "–";

/// What stands for a measure that applies to no query.
pub(crate) const NOT_APPLICABLE: &str = "n/a";

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

/// A p-value: `0.0312`; below the fourth decimal `<0.0001`, since no test here tells zero.
pub(crate) fn p(value: f64) -> String {
    match value {
        v if !v.is_finite() => NONE.into(),
        v if v < 0.000_1 => "<0.0001".into(),
        v => decimal(v, 4),
    }
}

/// The level of intervals, of the level of the tests: `95%`.
pub(crate) fn level(alpha: f64) -> String {
    let share = (1.0 - alpha) * 100.0;
    if share.is_finite() { format!("{}%", mean(share)) } else { NONE.into() }
}

/// A number of any size as axes and edges of bins show it, in three significant digits: `−3.5`,
/// `0.25`, `1.2e6`.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return NONE.into();
    }
    let size = value.abs();
    let text = if size != 0.0 && !(1e-3..1e6).contains(&size) {
        format!("{value:.2e}").replacen(".00e", "e", 1)
    } else {
        let places = if size >= 100.0 {
            0
        } else if size >= 10.0 {
            1
        } else if size >= 1.0 {
            2
        } else {
            3
        };
        let text = format!("{value:.places$}");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    };
    match text.as_str() {
        "-0" => "0".into(),
        text => text.replace('-', "−"),
    }
}

/// Text of any length within a table: at most `most` characters, with an ellipsis where more was.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
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

/// Some of the queries: `6 of 150 queries (4.0%)`.
pub(crate) fn of_queries(part: usize, whole: usize) -> String {
    let share = match whole {
        0 => String::new(),
        whole => format!(" ({})", percent(part as f64 / whole as f64)),
    };
    format!("{} of {}{share}", count(part as u64), counted(whole, "query", "queries"))
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

/// Things in a sentence: `a`, `a and b`, `a, b and c`.
pub(crate) fn listed<T: AsRef<str>>(things: &[T]) -> String {
    match things {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// How many queries were in flight at a time: `one query at a time`, `8 queries in flight`, `1 to 8
/// queries in flight`; without any figure, one.
pub(crate) fn in_flight(of_systems: impl IntoIterator<Item = usize>) -> String {
    let range = of_systems.into_iter().map(|queries| queries.max(1));
    let range = range.fold(None, |range: Option<(usize, usize)>, queries| {
        let (least, most) = range.unwrap_or((queries, queries));
        Some((least.min(queries), most.max(queries)))
    });
    match range {
        None | Some((1, 1)) => "one query at a time".into(),
        Some((least, most)) if least == most => {
            format!("{} queries in flight", count(most as u64))
        }
        Some((least, most)) => {
            format!("{} to {} queries in flight", count(least as u64), count(most as u64))
        }
    }
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

/// A number of candidates or a mean of it: `1 candidate`, `48.2 candidates`.
pub(crate) fn candidates(value: f64) -> String {
    let number = mean(value);
    let noun = if number == "1" { "candidate" } else { "candidates" };
    format!("{number} {noun}")
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
        assert_eq!(of_queries(6, 150), "6 of 150 queries (4.0%)");
        assert_eq!(of_queries(1, 1), "1 of 1 query (100.0%)");
        assert_eq!(of_queries(0, 0), "0 of 0 queries");
        assert_eq!(mean(50.0), "50");
        assert_eq!(mean(48.24), "48.2");
        assert_eq!(candidates(1.0), "1 candidate");
        assert_eq!(candidates(1.1), "1.1 candidates");
        assert_eq!(p(0.031_24), "0.0312");
        assert_eq!(p(0.000_01), "<0.0001");
        assert_eq!(p(1.0), "1.0000");
        assert_eq!(level(0.05), "95%");
        assert_eq!(level(0.025), "97.5%");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(123), "123");
        assert_eq!(memory(0), "unknown");
    }

    #[test]
    fn numbers_of_any_size_stay_short() {
        let read = [0.0, -0.0, -3.5, 0.25, 12.0, 1_234.0, 1.2e6, -4e-7, 1e300, 0.000_1 - 0.000_1]
            .map(number);
        assert_eq!(read, ["0", "0", "−3.5", "0.25", "12", "1234", "1.20e6", "−4e−7", "1e300", "0"]);
        assert_eq!(number(f64::INFINITY), "–");
    }

    #[test]
    fn several_things_make_a_sentence() {
        assert_eq!(listed::<&str>(&[]), "");
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(in_flight([]), "one query at a time");
        assert_eq!(in_flight([1, 0]), "one query at a time");
        assert_eq!(in_flight([8, 8]), "8 queries in flight");
        assert_eq!(in_flight([4, 1, 16]), "1 to 16 queries in flight");
    }

    #[test]
    fn excerpts_break_between_characters() {
        assert_eq!(excerpt("日本語の文", 3), "日本語…");
        assert_eq!(excerpt("short", 5), "short");
        assert_eq!(excerpt("two words", 4), "two…");
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
