use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// How a document that is longer than a model reads gets its score. All but the first cut it into
/// chunks ([`secondpass_text::Chunks`]) and never cut the query.
///
/// The modes are those of Z. Dai and J. Callan, "Deeper Text Understanding for IR with Contextual
/// Neural Language Modeling" (SIGIR 2019): FirstP and MaxP; a mean of the best few stands between
/// MaxP and their SumP, and does not grow with a document's length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LongDocuments {
    /// One pair, cut as the tokenizer's [`secondpass_text::Truncation`] says: the query may lose
    /// tokens, and a word may be cut through.
    #[default]
    Truncate,
    /// The score of the first chunk: the whole query, and of the document what fits beside it, to
    /// the end of a word. Costs one pair, as truncation does.
    FirstChunk,
    /// The best chunk's score. Every chunk is a pair.
    MaxChunk,
    /// The mean of the scores of the best so many chunks, or of all where there are fewer. Every
    /// chunk is a pair.
    MeanTopK(NonZeroUsize),
}

impl LongDocuments {
    /// The score of a document from the scores of its chunks, in their order; NaN if one of them is,
    /// or if there are none.
    pub fn combine(self, scores: &[f64]) -> f64 {
        if scores.iter().any(|score| score.is_nan()) {
            return f64::NAN;
        }
        let best = match self {
            Self::Truncate | Self::FirstChunk => {
                return scores.first().copied().unwrap_or(f64::NAN);
            }
            Self::MaxChunk => 1,
            Self::MeanTopK(k) => k.get(),
        };
        let mut scores = scores.to_vec();
        scores.sort_by(|a, b| b.total_cmp(a));
        scores.truncate(best);
        scores.iter().sum::<f64>() / scores.len() as f64
    }
}

impl fmt::Display for LongDocuments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncate => f.pad("truncate"),
            Self::FirstChunk => f.pad("first-chunk"),
            Self::MaxChunk => f.pad("max-chunk"),
            Self::MeanTopK(k) => f.pad(&format!("mean-top-{k}")),
        }
    }
}

/// A way to treat long documents that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown way to treat long documents '{0}'; use truncate, first-chunk, max-chunk, or mean-top-3 (or \
     another number from 1)"
)]
pub struct UnknownLongDocuments(String);

impl FromStr for LongDocuments {
    type Err = UnknownLongDocuments;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownLongDocuments(name.to_owned());
        match name {
            "truncate" => Ok(Self::Truncate),
            "first-chunk" => Ok(Self::FirstChunk),
            "max-chunk" => Ok(Self::MaxChunk),
            _ => {
                let k = name.strip_prefix("mean-top-").ok_or_else(unknown)?;
                // A number is written in one way only, so that names round-trip.
                let plain = k.bytes().all(|byte| byte.is_ascii_digit()) && !k.starts_with('0');
                k.parse().ok().filter(|_| plain).map(Self::MeanTopK).ok_or_else(unknown)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top(k: usize) -> LongDocuments {
        LongDocuments::MeanTopK(NonZeroUsize::new(k).unwrap())
    }

    #[test]
    fn scores_of_chunks_become_one() {
        let scores = [1.0, -3.0, 4.0, 2.0];
        for (mode, expected) in [
            (LongDocuments::Truncate, 1.0),
            (LongDocuments::FirstChunk, 1.0),
            (LongDocuments::MaxChunk, 4.0),
            (top(1), 4.0),
            (top(2), 3.0),
            (top(4), 1.0),
            (top(9), 1.0),
        ] {
            assert_eq!(mode.combine(&scores), expected, "{mode}");
        }
    }

    #[test]
    fn one_nan_is_not_hidden_by_better_scores() {
        for mode in
            [LongDocuments::Truncate, LongDocuments::FirstChunk, LongDocuments::MaxChunk, top(2)]
        {
            for nan in [f64::NAN, -f64::NAN] {
                assert!(mode.combine(&[5.0, nan, 7.0]).is_nan(), "{mode}");
            }
            assert!(mode.combine(&[]).is_nan(), "{mode}");
        }
    }

    #[test]
    fn names_round_trip() {
        let modes = [
            LongDocuments::Truncate,
            LongDocuments::FirstChunk,
            LongDocuments::MaxChunk,
            top(1),
            top(30),
        ];
        for mode in modes {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        let huge = format!("mean-top-{}0", usize::MAX);
        for wrong in [
            "",
            "max",
            "mean-top-",
            "mean-top-k",
            "mean-top-0",
            "mean-top-03",
            "mean-top-+3",
            &huge,
        ] {
            let error = wrong.parse::<LongDocuments>().unwrap_err().to_string();
            assert!(error.contains("mean-top-3"), "{error}");
        }
    }
}
