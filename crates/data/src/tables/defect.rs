/// What is wrong with one cell of a table.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CellDefect {
    /// Nothing stands there, or only white space.
    #[error("the cell is empty; fill it in or remove the row")]
    Empty,
    /// A value of another type than expected.
    #[error("expected {expected}, found {found}; change the cell, or name another column")]
    Type {
        /// What the cell should hold.
        expected: &'static str,
        /// What it holds, shortened.
        found: String,
    },
    /// An id was used before.
    #[error("id '{id}' was already used in row {first}; give each its own id")]
    DuplicateId {
        /// The id.
        id: String,
        /// The row that used it first.
        first: u64,
    },
    /// An id that the other table lacks.
    #[error("{what} '{id}' is not in {file}; add it there or remove this row")]
    Unknown {
        /// `document` or `query`.
        what: &'static str,
        /// The id.
        id: String,
        /// The table that lacks it.
        file: String,
    },
    /// One pair was given two different grades.
    #[error("grade {grade}, but an earlier row gave this pair {earlier}; keep one of them")]
    ConflictingGrades {
        /// The grade in this row.
        grade: i32,
        /// The grade before.
        earlier: i32,
    },
}
