//! What the columns of a TREC line hold: decided here for whoever reads lines and whoever reads
//! bytes.

use secondpass_core::Grade;

use crate::Defect;
use crate::error::shortened;

/// The columns of a run.
pub(super) const RUN: &str = "query Q0 document rank score tag";
/// The columns of a judgements file.
pub(super) const QRELS: &str = "query 0 document grade";

/// A score, which is never NaN.
pub(super) fn score(text: &str) -> Result<f64, Defect> {
    match plain_decimal(text).map_or_else(|| text.parse::<f64>(), Ok) {
        Ok(score) if !score.is_nan() => Ok(score),
        _ => {
            let text = shortened(text);
            Err(Defect::Number { column: "score", text, expected: "a number" })
        }
    }
}

/// A grade.
pub(super) fn grade(text: &str) -> Result<Grade, Defect> {
    text.parse().map_err(|_| Defect::Number {
        column: "grade",
        text: shortened(text),
        expected: "a whole number that fits 32 bits",
    })
}

/// A decimal of at most 15 digits, without an exponent: nearly every score. Both parts are exact as
/// floats, so that their quotient is rounded once, as it should be (Clinger 1990).
fn plain_decimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    if !(2..=16).contains(&digits.len()) {
        return None;
    }
    let (mut number, mut behind_point) = (0_u64, None);
    for (place, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => number = 10 * number + u64::from(byte - b'0'),
            b'.' if behind_point.is_none() => behind_point = Some(digits.len() - 1 - place),
            _ => return None,
        }
    }
    // Without a point there may be a digit too many.
    let value = number as f64 / POWERS.get(behind_point?)?;
    Some(if text.starts_with('-') { -value } else { value })
}

const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_plain_decimal() {
        for text in ["", "-", ".", "-.", "1", "1e5", "1.2.3", "+1.5", "--1.5", "1234567890.1234567"]
        {
            let taken = plain_decimal(text);
            assert!(taken.is_none() || taken == text.parse().ok(), "{text}: {taken:?}");
        }
        assert!(score(".").is_err() && score("-.").is_err() && score("").is_err());
        assert!(plain_decimal("-0.0").is_some_and(f64::is_sign_negative));
    }

    proptest! {
        #[test]
        fn equal_to_the_full_parser(text in "-?[0-9]{0,9}\\.?[0-9]{0,9}") {
            if let Some(value) = plain_decimal(&text) {
                prop_assert_eq!(Ok(value.to_bits()), text.parse::<f64>().map(f64::to_bits));
            }
        }
    }
}
