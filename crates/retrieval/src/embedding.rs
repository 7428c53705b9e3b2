use secondpass_core::Context;

/// Which of a pair's two texts: many models read queries and documents under different prefixes
/// (`query: ` and `passage: ` for E5) or through different parameters of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// What is asked.
    Query,
    /// What is searched.
    Document,
}

impl Side {
    /// `query` or `document`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Document => "document",
        }
    }
}

/// Turns texts into vectors whose inner product says how well a document answers a query: an encoder
/// on this machine, or somebody's endpoint.
pub trait TextEmbedder: Send + Sync {
    /// Everything that changes a vector, in a line: model and weights, pooling, prefixes, maximum
    /// length, number format, dimensions. Equal identities mean that vectors may be mixed and reused.
    fn identity(&self) -> &str;

    /// One vector of length one (L2) for each text, in order, all of the same dimensions. A text
    /// gets the same vector whatever stands beside it, up to rounding.
    ///
    /// # Errors
    /// [`EmbedError::Stopped`] when `context` is over before all are done; a failing model.
    fn embed(
        &self,
        side: Side,
        texts: &[&str],
        context: &Context,
    ) -> Result<Vec<Vec<f32>>, EmbedError>;
}

/// Why texts did not become vectors.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// Stopped by the user or by the deadline.
    #[error(
        "stopped before all texts were embedded; what was embedded is kept if there is a cache"
    )]
    Stopped,
    /// The tokenizer, the model or the endpoint failed.
    #[error("the texts could not be embedded: {source}")]
    Model {
        /// What went wrong beneath.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A vector of another length than the others.
    #[error(
        "the model gave a vector of {found} numbers where {expected} were expected; the vectors of \
         one search must come from one model with one setting of dimensions"
    )]
    Dimensions {
        /// Numbers in a vector so far, or by the model's own word.
        expected: usize,
        /// Numbers in this one.
        found: usize,
    },
    /// More or fewer vectors than texts.
    #[error("the model gave {found} vectors for {expected} texts; they cannot be told apart")]
    Count {
        /// How many texts there were.
        expected: usize,
        /// How many vectors came.
        found: usize,
    },
    /// A vector with an infinity or a NaN.
    #[error(
        "the model gave a vector with a number that is not finite; the model's weights or its \
         number format are at fault (try f32)"
    )]
    NotFinite,
    /// The cache of vectors on disk failed.
    #[error(transparent)]
    Cache(#[from] crate::VectorCacheError),
}

impl EmbedError {
    /// Wraps what a model, tokenizer or endpoint says of its failure.
    pub fn model(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Model { source: source.into() }
    }
}

/// Scales a vector to length one (L2), so that inner products are cosines. The length is summed in
/// 64-bit floats. A vector of zeros has no direction and stays what it is.
///
/// # Errors
/// A number that is not finite.
pub fn normalise(vector: &mut [f32]) -> Result<(), EmbedError> {
    let length = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    if !length.is_finite() {
        return Err(EmbedError::NotFinite);
    }
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn infinities_are_refused_and_zeros_stay() {
        assert!(matches!(normalise(&mut [1.0, f32::NAN]), Err(EmbedError::NotFinite)));
        assert!(matches!(normalise(&mut [f32::INFINITY]), Err(EmbedError::NotFinite)));
        let mut zeros = [0.0; 3];
        normalise(&mut zeros).unwrap();
        assert_eq!(zeros, [0.0; 3]);
    }

    proptest! {
        #[test]
        fn any_finite_vector_gets_length_one_and_keeps_its_direction(
            vector in prop::collection::vec(
                prop_oneof![-1.0_f32..1.0, any::<f32>().prop_filter("finite", |x| x.is_finite())],
                1..9,
            ),
        ) {
            let largest = vector.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            prop_assume!(largest > 0.0);
            let mut scaled = vector.clone();
            normalise(&mut scaled).unwrap();
            let length: f64 = scaled.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            prop_assert!((length - 1.0).abs() < 1e-6, "{length}");
            for (before, after) in vector.iter().zip(scaled) {
                prop_assert!(after == 0.0 || before.is_sign_positive() == after.is_sign_positive());
            }
        }
    }
}
