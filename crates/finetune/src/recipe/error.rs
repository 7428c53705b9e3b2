/// Why a file is no recipe. Each names the file and the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// Not TOML, a key that does not exist or is missing, or a value of the wrong type.
    #[error("{file}, line {line}: {message}")]
    Toml {
        /// The recipe.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What the parser found, with the keys or types it takes.
        message: String,
    },
    /// A key that the others need is not there.
    #[error("{file}: key '{key}' is missing; it is {what}")]
    Missing {
        /// The recipe.
        file: String,
        /// The key with its tables (`model.path`).
        key: String,
        /// What it is for.
        what: &'static str,
    },
    /// A value that cannot be.
    #[error("{file}: key '{key}' is {found}; allowed: {allowed}")]
    Value {
        /// The recipe.
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
        /// The recipe.
        file: String,
        /// The key with its tables.
        key: String,
        /// Beside what it has no meaning.
        when: &'static str,
    },
}
