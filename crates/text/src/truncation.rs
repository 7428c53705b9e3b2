use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What happens to a pair that is longer than the limit. Stacks differ here, and long pairs score
/// differently in each, so the mode is part of a result's identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Truncation {
    /// The longer of the two loses tokens until the pair fits, as transformers'
    /// `longest_first`, sentence-transformers and text-embeddings-inference do.
    #[default]
    LongestFirst,
    /// The query keeps at most three quarters of the limit and the document is cut to what is
    /// left, as FlagEmbedding does.
    DocumentOnly,
    /// Nothing is cut: a pair that is too long is an error.
    Error,
}

impl Truncation {
    /// All modes, in the order the help shows them.
    pub const ALL: [Self; 3] = [Self::LongestFirst, Self::DocumentOnly, Self::Error];

    /// The lengths to keep of a query and a document of these lengths, in tokens without special
    /// ones, when `room` tokens are left beside `special` special ones. `None` in mode
    /// [`Truncation::Error`] for a pair that does not fit.
    pub(crate) fn fit(
        self,
        query: usize,
        document: usize,
        room: usize,
        special: usize,
    ) -> Option<(usize, usize)> {
        let limit = room + special;
        match self {
            Self::DocumentOnly => {
                let query = query.min(limit * 3 / 4).min(room);
                Some((query, document.min(room - query)))
            }
            _ if query + document <= room => Some((query, document)),
            Self::LongestFirst => {
                let short = query.min(document);
                let rest = room.saturating_sub(short).max(short);
                let (short, long) = match short + rest > room {
                    true => (room / 2, room / 2 + room % 2),
                    false => (short, rest),
                };
                Some(if query > document { (long, short) } else { (short, long) })
            }
            Self::Error => None,
        }
    }
}

impl fmt::Display for Truncation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::LongestFirst => "longest-first",
            Self::DocumentOnly => "document-only",
            Self::Error => "error",
        })
    }
}

/// A truncation mode that is not there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown truncation '{0}'; use longest-first, document-only or error")]
pub struct UnknownTruncation(String);

impl FromStr for Truncation {
    type Err = UnknownTruncation;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|mode| mode.to_string() == name);
        found.ok_or_else(|| UnknownTruncation(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokenizers::utils::truncation::truncate_encodings;
    use tokenizers::{Encoding, TruncationParams, TruncationStrategy};

    use super::*;

    fn encoding(length: usize) -> Encoding {
        let tokens = (0..length).map(|i| tokenizers::Token::new(i as u32, String::new(), (0, 0)));
        Encoding::from_tokens(tokens.collect(), 0)
    }

    proptest! {
        #[test]
        fn longest_first_is_the_tokenizers_librarys(
            query in 0usize..40,
            document in 0usize..40,
            room in 2usize..60,
        ) {
            let params = TruncationParams {
                max_length: room,
                strategy: TruncationStrategy::LongestFirst,
                ..Default::default()
            };
            let (q, d) =
                truncate_encodings(encoding(query), Some(encoding(document)), &params).unwrap();
            let expected = (q.len(), d.unwrap().len());
            prop_assert_eq!(Truncation::LongestFirst.fit(query, document, room, 4), Some(expected));
        }

        #[test]
        fn every_cut_fits(query in 0usize..90, document in 0usize..90, room in 1usize..60) {
            for mode in [Truncation::LongestFirst, Truncation::DocumentOnly] {
                let (q, d) = mode.fit(query, document, room, 4).unwrap();
                prop_assert!(q <= query && d <= document && q + d <= room);
            }
        }
    }

    #[test]
    fn document_only_leaves_the_query_three_quarters() {
        // 16 in all: 12 for the query, 4 special ones, none for the document.
        assert_eq!(Truncation::DocumentOnly.fit(30, 30, 12, 4), Some((12, 0)));
        assert_eq!(Truncation::DocumentOnly.fit(30, 30, 28, 4), Some((24, 4)));
        assert_eq!(Truncation::DocumentOnly.fit(5, 30, 28, 4), Some((5, 23)));
    }

    #[test]
    fn error_mode_cuts_nothing() {
        assert_eq!(Truncation::Error.fit(5, 5, 10, 4), Some((5, 5)));
        assert_eq!(Truncation::Error.fit(6, 5, 10, 4), None);
    }

    #[test]
    fn names_round_trip() {
        for mode in Truncation::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        assert!("left".parse::<Truncation>().unwrap_err().to_string().contains("document-only"));
    }
}
