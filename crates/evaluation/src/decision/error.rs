/// Why nothing can be decided with what was given. Each says what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// Not TOML, a key that does not exist or is missing, or a value of the wrong type.
    #[error("{file}, line {line}: {message}")]
    Toml {
        /// The config.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What the parser found, with the keys or types it takes.
        message: String,
    },
    /// A value that cannot be.
    #[error("{file}: key '{key}' is {found}; allowed: {allowed}")]
    Value {
        /// The config.
        file: String,
        /// The key with its tables (`volume.queries_per_month`).
        key: String,
        /// What was found.
        found: String,
        /// What may stand there.
        allowed: String,
    },
    /// A choice that no record has.
    #[error("{file}: choice '{name}' is in no record; there are: {known}")]
    NoSuchChoice {
        /// The config.
        file: String,
        /// The name.
        name: String,
        /// The rerankers there are.
        known: String,
    },
    /// A machine without a price.
    #[error(
        "{file}: no price is known for the machine '{name}' of choice '{choice}'; list it in a prices \
         file, or set machine_usd_per_hour; known are: {known}"
    )]
    NoSuchMachine {
        /// The config.
        file: String,
        /// The machine.
        name: String,
        /// For which choice.
        choice: String,
        /// The machines that are listed.
        known: String,
    },
    /// A bench that knows nothing of the choice that names it.
    #[error("{file}: the bench '{bench}' of choice '{choice}' does not fit: {problem}")]
    Bench {
        /// The config.
        file: String,
        /// For which choice.
        choice: String,
        /// The bench's name.
        bench: String,
        /// What does not fit, and what to do.
        problem: String,
    },
    /// No record, or one without a first stage.
    #[error(
        "there is no record with a first stage to decide from; run secondpass eval, and name its record"
    )]
    NoRecord,
    /// Records of different things.
    #[error(
        "the record '{second}' differs from '{first}' in {what}: their qualities cannot be compared; \
         run both on the same {what}"
    )]
    NotComparable {
        /// The first record's experiment.
        first: String,
        /// The one that differs.
        second: String,
        /// In what.
        what: &'static str,
    },
    /// Two choices of one name.
    #[error("two records have a reranker '{0}'; rename one in its config and run it again")]
    TwoOfOneName(String),
    /// A table that does not fit its record.
    #[error(
        "the table of '{record}' has no value of {measure} for '{system}' on query '{query}'; the record \
         is not whole: run the experiment again"
    )]
    NoValue {
        /// The record's experiment.
        record: String,
        /// The primary measure.
        measure: String,
        /// Whose value.
        system: String,
        /// For which query.
        query: String,
    },
    /// No query to decide on.
    #[error("{measure} applies to no query of '{record}'; judge some queries first")]
    NoQueries {
        /// The record's experiment.
        record: String,
        /// The primary measure.
        measure: String,
    },
}
