/// Why a config is no experiment. Each names the file and the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, a key that does not exist, or a value of the wrong type.
    #[error("{file}, line {line}: {message}")]
    Toml {
        /// The config file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What the parser found, with the keys or types it takes.
        message: String,
    },
    /// A key that is needed is not there.
    #[error("{file}: key '{key}' is missing; it is {what}")]
    Missing {
        /// The config file.
        file: String,
        /// The key with its tables (`dataset.path`).
        key: String,
        /// What it is for.
        what: &'static str,
    },
    /// A value that cannot be.
    #[error("{file}: key '{key}' is {found}; allowed: {allowed}")]
    Value {
        /// The config file.
        file: String,
        /// The key with its tables.
        key: String,
        /// What was found, quoted where it is a text.
        found: String,
        /// What may stand there.
        allowed: String,
    },
    /// A key that means nothing beside the others.
    #[error("{file}: key '{key}' does not apply when {when}; remove it")]
    Superfluous {
        /// The config file.
        file: String,
        /// The key with its tables.
        key: String,
        /// Beside what it has no meaning.
        when: String,
    },
}
