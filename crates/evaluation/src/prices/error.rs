use secondpass_core::BillingUnit;

/// Why a file is no price table. Each names the file, and the entry and key where there is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Not TOML, a key that does not exist or is missing, or a value of the wrong type.
    #[error("{file}, line {line}: {message}")]
    Toml {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What the parser found, with the keys or types it takes.
        message: String,
    },
    /// A value that cannot be.
    #[error("{file}: key '{entry}.{key}' is {found}; allowed: {allowed}")]
    Value {
        /// The file.
        file: String,
        /// Which entry (`price 3`), counted from 1 among its kind.
        entry: String,
        /// The key.
        key: &'static str,
        /// What was found, quoted where it is a text.
        found: String,
        /// What may stand there.
        allowed: &'static str,
    },
    /// Two entries for the same thing, so that either could be meant.
    #[error("{file}: {second} is for {what}, which {first} is for already; remove one of them")]
    Twice {
        /// The file.
        file: String,
        /// The earlier entry (`price 3`).
        first: String,
        /// The later one.
        second: String,
        /// What both are for.
        what: String,
    },
}

/// A price for another unit than the provider bills.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{file}: the price of {provider} \"{model}\" is for {listed}, and its bill counts {billed}; list \
     the price of those for it in a file of your own (--prices)"
)]
pub struct UnitMismatch {
    /// The file that lists the price.
    pub file: String,
    /// The provider.
    pub provider: String,
    /// The model, as the entry names it.
    pub model: String,
    /// What the entry's price is for.
    pub listed: BillingUnit,
    /// What the provider's bill counts.
    pub billed: BillingUnit,
}
