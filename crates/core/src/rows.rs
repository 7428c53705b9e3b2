//! Rows of runs and judgements that borrow from the bytes they were read from: the plain seam
//! between whoever reads a large file and whoever measures it, without an allocation a row.

use crate::Grade;

/// All rows of one query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueryRows<'a, R> {
    /// The query's id.
    pub query: &'a str,
    /// Its rows, in the order of the file.
    pub rows: &'a [R],
}

/// One row of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunRow<'a> {
    /// Which document.
    pub document: &'a str,
    /// Its score, never NaN.
    pub score: f64,
    /// Its place as the run's writer saw it; `None` where that column holds no whole number that
    /// fits 32 bits.
    pub rank: Option<u32>,
}

/// One judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QrelsRow<'a> {
    /// Which document.
    pub document: &'a str,
    /// Its grade.
    pub grade: Grade,
}
