use std::ops::Range;

use rayon::prelude::*;
use tokenizers::Encoding;

use crate::guard::guard;
use crate::pair::finish;
use crate::{EncodedPair, PairTokenizer, TokenizeError};

/// Tokens that a chunk repeats of the chunk before it, unless told otherwise: about a sentence and a
/// half, so that a sentence that a cut goes through is whole in one of the two.
pub const OVERLAP: usize = 32;

/// How a document that is too long for one pair is cut into chunks.
///
/// A chunk is as long as the limit allows beside the whole query and the special tokens. It ends
/// between two words, unless that would waste more than a quarter of it (one very long word, or a
/// script without spaces): then between two tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunks {
    /// The most tokens that a chunk repeats of the one before it, at most a quarter of that, and
    /// from the beginning of a word where there is one.
    pub overlap: usize,
    /// Whether only the first chunk of a document is wanted.
    pub first_only: bool,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { overlap: OVERLAP, first_only: false }
    }
}

impl PairTokenizer {
    /// Pairs one query with the chunks of many documents: for each document, in order, the pairs of
    /// its chunks, in order; one at least. The query is never cut, and the tokenizer's
    /// [`crate::Truncation`] does not count. `cut` of a pair is 0, or what
    /// follows the first chunk where only that is wanted.
    ///
    /// # Errors
    /// A query that leaves less than a quarter of the room for the document, when a document is too
    /// long to stand beside it whole, or that is too long by itself; texts the tokenizer rejects.
    pub fn encode_chunks<D: AsRef<str> + Sync>(
        &self,
        query: &str,
        documents: &[D],
        chunks: Chunks,
    ) -> Result<Vec<Vec<EncodedPair>>, TokenizeError> {
        let query = self.alone(query)?;
        let pairs = |document: &D| self.chunk_pairs(&query, document.as_ref(), chunks);
        let all: Vec<Result<Vec<EncodedPair>, TokenizeError>> =
            documents.par_iter().map(pairs).collect();
        all.into_iter().collect()
    }

    fn chunk_pairs(
        &self,
        query: &Encoding,
        document: &str,
        chunks: Chunks,
    ) -> Result<Vec<EncodedPair>, TokenizeError> {
        // With the words of the tokens, which the faster way leaves out.
        let encoded = guard(|| self.tokenizer.encode(document, false));
        let document = encoded
            .map_err(TokenizeError::Encode)?
            .map_err(|e| TokenizeError::Encode(e.to_string()))?;
        let text = self.max_length - self.special;
        let room = text.saturating_sub(query.len());
        let crowded = document.len() > room && room < text.div_ceil(4);
        if crowded || query.len() > text {
            let (query, max_length) = (query.len(), self.max_length);
            return Err(TokenizeError::QueryTooLong { query, room, max_length });
        }
        let mut ranges = ranges(document.get_word_ids(), room, chunks.overlap);
        if chunks.first_only {
            ranges.truncate(1);
        }
        let end = ranges.last().map_or(0, |range| range.end);
        ranges
            .into_iter()
            .map(|range| {
                let pair = finish(&self.tokenizer, query.clone(), Some(slice(&document, range)))?;
                Ok(EncodedPair {
                    ids: pair.get_ids().to_vec(),
                    type_ids: pair.get_type_ids().to_vec(),
                    cut: document.len() - end,
                })
            })
            .collect()
    }
}

/// Where the chunks of a document begin and end, each at most `room` tokens; `words` tells the word
/// of each token. One empty chunk for a document without tokens.
fn ranges(words: &[Option<u32>], room: usize, overlap: usize) -> Vec<Range<usize>> {
    let between_words = |&at: &usize| words[at].is_none() || words[at] != words[at - 1];
    let mut ranges = Vec::new();
    let mut start = 0;
    while words.len() - start > room {
        let most = start + room;
        let least = most - room / 4;
        let end = (least.max(start + 1)..=most).rev().find(between_words).unwrap_or(most);
        ranges.push(start..end);
        // At most a quarter of the chunk, so that the next one goes on.
        let back = end - overlap.min((end - start) / 4);
        start = (back..=end).find(between_words).unwrap_or(back);
    }
    ranges.push(start..words.len());
    ranges
}

/// A part of an encoding as one of its own.
fn slice(whole: &Encoding, range: Range<usize>) -> Encoding {
    Encoding::new(
        whole.get_ids()[range.clone()].to_vec(),
        whole.get_type_ids()[range.clone()].to_vec(),
        whole.get_tokens()[range.clone()].to_vec(),
        whole.get_word_ids()[range.clone()].to_vec(),
        whole.get_offsets()[range.clone()].to_vec(),
        whole.get_special_tokens_mask()[range.clone()].to_vec(),
        whole.get_attention_mask()[range].to_vec(),
        Vec::new(),
        Default::default(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Truncation;
    use crate::pair::tests::tokenizer_json;

    fn tokenizer(max_length: usize) -> PairTokenizer {
        let json = tokenizer_json(true);
        PairTokenizer::from_bytes(&json, "test", max_length, Truncation::LongestFirst).unwrap()
    }

    fn all(overlap: usize) -> Chunks {
        Chunks { overlap, first_only: false }
    }

    /// The ids of the documents' tokens in each pair of the only document.
    fn chunks(max_length: usize, document: &str, chunks: Chunks) -> Vec<(Vec<u32>, usize)> {
        let mut pairs = tokenizer(max_length).encode_chunks("a b", &[document], chunks).unwrap();
        assert_eq!(pairs.len(), 1);
        let pairs = pairs.remove(0).into_iter();
        pairs
            .map(|pair| {
                // <s> a b </s> </s> document </s>
                assert_eq!(pair.ids[..5], [0, 4, 5, 2, 2], "the query is whole");
                assert_eq!(pair.ids.len(), pair.type_ids.len());
                assert!(pair.ids.len() <= max_length);
                let document = 5..pair.ids.len() - 1;
                assert!(pair.type_ids[document.clone()].iter().all(|&kind| kind == 1));
                (pair.ids[document].to_vec(), pair.cut)
            })
            .collect()
    }

    #[test]
    fn chunks_cover_a_document_and_the_query_stays_whole() {
        let (a, b, c) = (4, 5, 6);
        assert_eq!(
            chunks(10, "a b c a b c a b c", all(0)),
            [(vec![a, b, c, a], 0), (vec![b, c, a, b], 0), (vec![c], 0)]
        );
        assert_eq!(
            chunks(10, "a b c a b c a b c", all(1)),
            [(vec![a, b, c, a], 0), (vec![a, b, c, a], 0), (vec![a, b, c], 0)]
        );
    }

    #[test]
    fn the_first_chunk_tells_what_it_leaves_out() {
        let first = Chunks { first_only: true, ..Chunks::default() };
        assert_eq!(chunks(10, "a b c a b c a b c", first), [(vec![4, 5, 6, 4], 5)]);
        assert_eq!(chunks(10, "a b c a", first), [(vec![4, 5, 6, 4], 0)]);
    }

    #[test]
    fn a_document_that_fits_is_one_pair_as_without_chunks() {
        for document in ["", "c", "a b c a"] {
            let pairs = tokenizer(10).encode("a b", &[document]).unwrap();
            let chunks = tokenizer(10).encode_chunks("a b", &[document], all(2)).unwrap();
            assert_eq!(chunks, [pairs], "{document}");
        }
    }

    #[test]
    fn a_query_without_room_beside_it_is_an_error_only_if_a_document_needs_the_room() {
        // 8 of 12 tokens are text: a query of 7 leaves 1.
        let query = "a b c a b c a";
        let chunks = tokenizer(12).encode_chunks(query, &["c"], all(0)).unwrap();
        assert_eq!(chunks[0][0].ids.len(), 12);
        let error = tokenizer(12).encode_chunks(query, &["c", "c c"], all(0)).unwrap_err();
        let TokenizeError::QueryTooLong { query: 7, room: 1, max_length: 12 } = error else {
            panic!("{error}")
        };
        let longer = format!("{query} b c a");
        assert!(tokenizer(12).encode_chunks(&longer, &[""], all(0)).is_err());
    }

    #[test]
    fn chunks_end_between_words_where_that_is_near() {
        let words = |lengths: &[usize]| -> Vec<Option<u32>> {
            let each = lengths.iter().enumerate();
            each.flat_map(|(word, &length)| vec![Some(word as u32); length]).collect()
        };
        // Room for 8: the cut may move back by 2 at most.
        assert_eq!(ranges(&words(&[4, 3, 4]), 8, 0), [0..7, 7..11]);
        assert_eq!(ranges(&words(&[4, 2, 5]), 8, 0), [0..6, 6..11]);
        assert_eq!(ranges(&words(&[5, 6]), 8, 0), [0..8, 8..11], "a long word is cut through");
        assert_eq!(
            ranges(&words(&[4, 3, 1, 2]), 8, 2),
            [0..8, 7..10],
            "no word is repeated in part"
        );
        assert_eq!(ranges(&[None; 10], 8, 0), [0..8, 8..10], "without words every token is one");
        assert_eq!(ranges(&[], 0, 0), vec![Range { start: 0, end: 0 }]);
    }

    proptest! {
        #[test]
        fn every_token_is_in_a_chunk_and_every_chunk_fits_and_goes_on(
            lengths in prop::collection::vec(1usize..9, 0..60),
            room in 1usize..40,
            overlap in 0usize..50,
        ) {
            let each = lengths.iter().enumerate();
            let words: Vec<Option<u32>> =
                each.flat_map(|(word, &length)| vec![Some(word as u32); length]).collect();
            let ranges = ranges(&words, room, overlap);
            prop_assert_eq!(ranges[0].start, 0);
            prop_assert_eq!(ranges.last().unwrap().end, words.len());
            for range in &ranges {
                prop_assert!(range.len() <= room && (!range.is_empty() || words.is_empty()));
            }
            for pair in ranges.windows(2) {
                prop_assert!(pair[0].start < pair[1].start && pair[0].end < pair[1].end);
                let repeated = pair[0].end - pair[1].start;
                prop_assert!(repeated <= overlap && repeated <= room / 4);
                prop_assert!(pair[0].len() >= room - room / 4);
            }
        }
    }
}
