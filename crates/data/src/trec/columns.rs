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
    match text.parse::<f64>() {
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
