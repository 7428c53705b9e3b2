//! What can be wrong with what a kernel is given.

/// Slices and shapes that do not fit together. A caller's mistake, or a model file whose tensors do
/// not have the shapes its configuration promises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// A slice is longer or shorter than its shape says.
    #[error("{what} has {found} values, but its shape {shape:?} needs {}", .shape.iter().product::<usize>())]
    Length {
        /// The tensor, named as the caller knows it.
        what: String,
        /// Values found.
        found: usize,
        /// The shape that was promised.
        shape: Vec<usize>,
    },
    /// A dimension is zero, or the hidden size is no multiple of the number of heads.
    #[error("{what}: {problem}; check the model's config.json")]
    Dimension {
        /// The dimension, named as in a model's configuration.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Offsets must start at 0, rise, and end at the number of tokens.
    #[error("offsets of sequences must start at 0, rise strictly and end at {tokens}: {problem}")]
    Offsets {
        /// Tokens in the batch.
        tokens: usize,
        /// The first thing that is wrong.
        problem: String,
    },
}

impl ShapeError {
    /// Checks that a slice has as many values as its shape says.
    pub(crate) fn check(what: &str, found: usize, shape: &[usize]) -> Result<(), Self> {
        let needed = shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side));
        if needed == Some(found) {
            return Ok(());
        }
        Err(Self::Length { what: what.to_owned(), found, shape: shape.to_vec() })
    }

    /// Checks that offsets start at 0, rise, and end at the number of tokens.
    pub(crate) fn check_offsets(offsets: &[usize], tokens: usize) -> Result<(), Self> {
        let wrong = |problem: String| Err(Self::Offsets { tokens, problem });
        match (offsets.first(), offsets.last()) {
            (Some(0), Some(&end)) if end == tokens => {}
            (Some(0), Some(end)) => return wrong(format!("they end at {end}")),
            (Some(start), _) => return wrong(format!("they start at {start}")),
            (None, _) => return wrong("there are none".to_owned()),
        }
        match offsets.windows(2).position(|pair| pair[0] >= pair[1]) {
            Some(i) => wrong(format!("sequence {i} is {} to {}", offsets[i], offsets[i + 1])),
            None => Ok(()),
        }
    }
}
