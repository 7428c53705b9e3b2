use serde::{Deserialize, Serialize};

/// BM25's two settings, checked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Bm25Parameters {
    k1: f64,
    b: f64,
}

/// Why settings were refused.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq)]
pub enum ParameterError {
    /// k1 is negative or not finite.
    #[error("k1 is {0}, but must be a finite number of at least 0; 0.9 is a common choice")]
    K1(f64),
    /// b lies outside 0 to 1.
    #[error("b is {0}, but must lie between 0 and 1; 0.4 is a common choice")]
    B(f64),
}

impl Bm25Parameters {
    /// `k1` says how soon more occurrences of a term stop counting, `b` how much a document's length
    /// counts.
    ///
    /// # Errors
    /// A `k1` that is negative or not finite, a `b` outside 0 to 1.
    pub fn new(k1: f64, b: f64) -> Result<Self, ParameterError> {
        if !(k1.is_finite() && k1 >= 0.0) {
            return Err(ParameterError::K1(k1));
        }
        if !(0.0..=1.0).contains(&b) {
            return Err(ParameterError::B(b));
        }
        Ok(Self { k1, b })
    }

    /// Term saturation.
    pub fn k1(&self) -> f64 {
        self.k1
    }

    /// Length normalization.
    pub fn b(&self) -> f64 {
        self.b
    }
}

/// Anserini's defaults.
impl Default for Bm25Parameters {
    fn default() -> Self {
        Self { k1: 0.9, b: 0.4 }
    }
}

/// As a file gives them: what is left out has its default.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Unchecked {
    k1: f64,
    b: f64,
}

impl Default for Unchecked {
    fn default() -> Self {
        let Bm25Parameters { k1, b } = Bm25Parameters::default();
        Self { k1, b }
    }
}

impl TryFrom<Unchecked> for Bm25Parameters {
    type Error = ParameterError;

    fn try_from(unchecked: Unchecked) -> Result<Self, ParameterError> {
        Self::new(unchecked.k1, unchecked.b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_refused() {
        for k1 in [-0.1, f64::INFINITY] {
            assert_eq!(Bm25Parameters::new(k1, 0.4), Err(ParameterError::K1(k1)));
        }
        for b in [-0.1, 1.1] {
            assert_eq!(Bm25Parameters::new(0.9, b), Err(ParameterError::B(b)));
        }
        assert!(Bm25Parameters::new(f64::NAN, 0.4).is_err());
        assert!(Bm25Parameters::new(0.9, f64::NAN).is_err());
        assert!(Bm25Parameters::new(0.0, 1.0).is_ok());
    }

    #[test]
    fn files_are_checked_too() {
        let read = serde_json::from_str::<Bm25Parameters>;
        assert_eq!(read("{}").unwrap(), Bm25Parameters::default());
        assert_eq!(read(r#"{"k1":1.2}"#).unwrap(), Bm25Parameters::new(1.2, 0.4).unwrap());
        assert!(read(r#"{"b":2}"#).unwrap_err().to_string().contains("b is 2"));
        assert!(read(r#"{"k2":1}"#).unwrap_err().to_string().contains("k2"));
    }
}
