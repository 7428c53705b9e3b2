use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tokenizers::{Encoding, PostProcessor, Tokenizer, TruncationDirection};

use crate::Truncation;
use crate::guard::guard;

/// Turns (query, document) into the token ids of one sequence, with the tokenizer's own
/// post-processor placing the special tokens (`<s> query </s></s> document </s>` for XLM-R).
#[derive(Clone)]
pub struct PairTokenizer {
    pub(crate) tokenizer: Tokenizer,
    pub(crate) special: usize,
    pub(crate) max_length: usize,
    truncation: Truncation,
}

/// One pair as a model reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedPair {
    /// Token ids, special ones included.
    pub ids: Vec<u32>,
    /// One type id a token.
    pub type_ids: Vec<u32>,
    /// Tokens cut away.
    pub cut: usize,
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenizeError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no tokenizer.
    #[error(
        "{origin} is not a tokenizer: {reason}; it must be a tokenizer.json of the tokenizers library"
    )]
    Parse {
        /// File, or where the bytes came from.
        origin: String,
        /// What the tokenizers library said.
        reason: String,
    },
    /// The post-processor marks no boundaries.
    #[error(
        "{origin} puts {special} special tokens around a pair, and a cross-encoder needs at least 3; its \
         post_processor is missing or knows no pairs"
    )]
    NoPairs {
        /// File, or where the bytes came from.
        origin: String,
        /// How many it adds.
        special: usize,
    },
    /// The post-processor leaves a text as it is.
    #[error(
        "{origin} puts no special token around a text, and an encoder needs its first or last one; \
         its post_processor is missing"
    )]
    NoSpecial {
        /// File, or where the bytes came from.
        origin: String,
    },
    /// The post-processor loses or repeats a text that stands alone.
    #[error(
        "{origin} does not put a text into its sequence once and whole; its post_processor's template \
         for single texts is wrong"
    )]
    HalfText {
        /// File, or where the bytes came from.
        origin: String,
    },
    /// The post-processor loses a text.
    #[error(
        "{origin} does not put query and document into one sequence, each once and in this order; its \
         post_processor's template for pairs is wrong"
    )]
    HalfPair {
        /// File, or where the bytes came from.
        origin: String,
    },
    /// A limit that leaves no room for text.
    #[error(
        "a limit of {max_length} tokens leaves no room beside {special} special ones; raise \
         max_length"
    )]
    NoRoom {
        /// The limit.
        max_length: usize,
        /// Special tokens of a pair or, for an encoder, of a text.
        special: usize,
    },
    /// A pair is too long and nothing may be cut.
    #[error(
        "document {index} makes a pair of {length} tokens, over the limit of {max_length}; raise \
         max_length or set truncation to longest-first"
    )]
    TooLong {
        /// Which document, from 0.
        index: usize,
        /// The pair's length.
        length: usize,
        /// The limit.
        max_length: usize,
    },
    /// A query that leaves too little room for the chunks of a document.
    #[error(
        "the query's {query} tokens leave room for {room} of a document within {max_length}, too few to \
         cut it into chunks; raise max_length or shorten the query"
    )]
    QueryTooLong {
        /// Tokens of the query.
        query: usize,
        /// Tokens left for a document.
        room: usize,
        /// The limit.
        max_length: usize,
    },
    /// A text the tokenizer rejects.
    #[error("the tokenizer failed: {0}")]
    Encode(String),
}

impl PairTokenizer {
    /// Reads a `tokenizer.json`. `max_length` counts special tokens.
    ///
    /// # Errors
    /// Unreadable or malformed files, a tokenizer without a pair post-processor, a limit without
    /// room.
    pub fn from_file(
        path: &Path,
        max_length: usize,
        truncation: Truncation,
    ) -> Result<Self, TokenizeError> {
        let bytes = std::fs::read(path)
            .map_err(|source| TokenizeError::Read { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes, &path.display().to_string(), max_length, truncation)
    }

    /// Parses the bytes of a `tokenizer.json`; `origin` names them in errors.
    ///
    /// # Errors
    /// As [`PairTokenizer::from_file`].
    pub fn from_bytes(
        bytes: &[u8],
        origin: &str,
        max_length: usize,
        truncation: Truncation,
    ) -> Result<Self, TokenizeError> {
        let tokenizer = parse(bytes, origin)?;
        let special = tokenizer.get_post_processor().map_or(0, |p| p.added_tokens(true));
        if special < 3 {
            return Err(TokenizeError::NoPairs { origin: origin.to_owned(), special });
        }
        if max_length <= special {
            return Err(TokenizeError::NoRoom { max_length, special });
        }
        let pairs = Self { tokenizer, special, max_length, truncation };
        match pairs.holds_both()? {
            true => Ok(pairs),
            false => Err(TokenizeError::HalfPair { origin: origin.to_owned() }),
        }
    }

    /// Whether the post-processor puts query and document into a pair, in this order, once each.
    fn holds_both(&self) -> Result<bool, TokenizeError> {
        let (query, document) = (self.alone("a")?, self.alone("b")?);
        let expected: Vec<u32> = [query.get_ids(), document.get_ids()].concat();
        let joined = finish(&self.tokenizer, query, Some(document))?;
        let special = joined.get_special_tokens_mask();
        let text = joined.get_ids().iter().zip(special).filter(|(_, special)| **special == 0);
        Ok(text.map(|(id, _)| *id).eq(expected))
    }

    /// Number of tokens it knows, special ones included.
    pub fn vocabulary(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// The same tokenizer with another limit.
    ///
    /// # Errors
    /// A limit without room.
    pub fn with_max_length(&self, max_length: usize) -> Result<Self, TokenizeError> {
        match max_length > self.special {
            true => Ok(Self { max_length, ..self.clone() }),
            false => Err(TokenizeError::NoRoom { max_length, special: self.special }),
        }
    }

    /// The longest sequence it gives, special tokens included.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// What it does with longer pairs.
    pub fn truncation(&self) -> Truncation {
        self.truncation
    }

    /// Tokens of a text by itself, special ones excluded, without any limit.
    ///
    /// # Errors
    /// Texts the tokenizer rejects.
    pub fn count(&self, text: &str) -> Result<usize, TokenizeError> {
        Ok(self.alone(text)?.len())
    }

    /// Pairs one query with many documents, in their order, on all cores.
    ///
    /// # Errors
    /// In mode [`Truncation::Error`] a pair that is too long; texts the tokenizer rejects.
    pub fn encode<D: AsRef<str> + Sync>(
        &self,
        query: &str,
        documents: &[D],
    ) -> Result<Vec<EncodedPair>, TokenizeError> {
        let query = self.alone(query)?;
        let pair = |(index, document): (usize, &D)| self.pair(&query, document.as_ref(), index);
        // All of them first, so that of several errors it is always the first document's that is told.
        let pairs: Vec<Result<EncodedPair, TokenizeError>> =
            documents.par_iter().enumerate().map(pair).collect();
        pairs.into_iter().collect()
    }

    pub(crate) fn alone(&self, text: &str) -> Result<Encoding, TokenizeError> {
        alone(&self.tokenizer, text)
    }

    fn pair(
        &self,
        query: &Encoding,
        document: &str,
        index: usize,
    ) -> Result<EncodedPair, TokenizeError> {
        let mut document = self.alone(document)?;
        let mut query = query.clone();
        let whole = query.len() + document.len();
        let room = self.max_length - self.special;
        let kept = self.truncation.fit(query.len(), document.len(), room, self.special);
        let Some((query_kept, document_kept)) = kept else {
            let length = whole + self.special;
            return Err(TokenizeError::TooLong { index, length, max_length: self.max_length });
        };
        cut(&mut query, query_kept);
        cut(&mut document, document_kept);
        let joined = finish(&self.tokenizer, query, Some(document))?;
        Ok(EncodedPair {
            ids: joined.get_ids().to_vec(),
            type_ids: joined.get_type_ids().to_vec(),
            cut: whole - query_kept - document_kept,
        })
    }
}

/// A tokenizer without limits and padding of its own: those would cut silently, and ours are counted.
pub(crate) fn parse(bytes: &[u8], origin: &str) -> Result<Tokenizer, TokenizeError> {
    let parse = |reason: String| TokenizeError::Parse { origin: origin.to_owned(), reason };
    let read = guard(|| Tokenizer::from_bytes(bytes)).map_err(parse)?;
    let mut tokenizer = read.map_err(|e| parse(e.to_string()))?;
    tokenizer.with_truncation(None).map_err(|e| parse(e.to_string()))?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

/// The tokens of a text, without special ones.
pub(crate) fn alone(tokenizer: &Tokenizer, text: &str) -> Result<Encoding, TokenizeError> {
    let encoding = guard(|| tokenizer.encode_fast(text, false));
    encoding.map_err(TokenizeError::Encode)?.map_err(|e| TokenizeError::Encode(e.to_string()))
}

/// One sequence, with the special tokens that the post-processor puts around.
pub(crate) fn finish(
    tokenizer: &Tokenizer,
    first: Encoding,
    second: Option<Encoding>,
) -> Result<Encoding, TokenizeError> {
    let joined = guard(|| tokenizer.post_process(first, second, true));
    joined.map_err(TokenizeError::Encode)?.map_err(|e| TokenizeError::Encode(e.to_string()))
}

/// Keeps the first `length` tokens and forgets the rest, which the library would keep as overflow
/// and post-process too.
pub(crate) fn cut(encoding: &mut Encoding, length: usize) {
    encoding.truncate(length, 0, TruncationDirection::Right);
    encoding.take_overflowing();
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A word-level tokenizer with XLM-R's pair template.
    pub(crate) fn tokenizer_json(post_processor: bool) -> Vec<u8> {
        let special = |id: u32, content: &str| {
            serde_json::json!({
                "id": id, "content": content, "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": true
            })
        };
        let token = |id: &str| serde_json::json!({"SpecialToken": {"id": id, "type_id": 0}});
        let sequence = |id: &str, type_id: u32| serde_json::json!({"Sequence": {"id": id, "type_id": type_id}});
        let template = serde_json::json!({
            "type": "TemplateProcessing",
            "single": [token("<s>"), sequence("A", 0), token("</s>")],
            "pair": [token("<s>"), sequence("A", 0), token("</s>"), token("</s>"), sequence("B", 1), token("</s>")],
            "special_tokens": {
                "<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]},
                "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]},
            },
        });
        let json = serde_json::json!({
            "version": "1.0",
            "truncation": {"direction": "Right", "max_length": 6, "strategy": "LongestFirst", "stride": 0},
            "padding": null,
            "added_tokens": [special(0, "<s>"), special(1, "<pad>"), special(2, "</s>"), special(3, "<unk>")],
            "normalizer": null,
            "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": if post_processor { template } else { serde_json::Value::Null },
            "decoder": null,
            "model": {
                "type": "WordLevel",
                "vocab": {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5, "c": 6},
                "unk_token": "<unk>"
            },
        });
        serde_json::to_vec(&json).unwrap()
    }

    fn tokenizer(max_length: usize, truncation: Truncation) -> PairTokenizer {
        PairTokenizer::from_bytes(&tokenizer_json(true), "test", max_length, truncation).unwrap()
    }

    #[test]
    fn the_files_own_limit_does_not_cut() {
        let pairs = tokenizer(64, Truncation::LongestFirst).encode("a b", &["c c c c c"]).unwrap();
        assert_eq!(pairs[0].ids, [0, 4, 5, 2, 2, 6, 6, 6, 6, 6, 2]);
        assert_eq!(pairs[0].type_ids, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0]);
        assert_eq!(pairs[0].cut, 0);
    }

    #[test]
    fn cuts_are_counted() {
        let pairs = tokenizer(8, Truncation::LongestFirst).encode("a b", &["c c c c c"]).unwrap();
        assert_eq!(pairs[0].ids, [0, 4, 5, 2, 2, 6, 6, 2]);
        assert_eq!(pairs[0].cut, 3);
    }

    #[test]
    fn empty_texts_still_make_a_pair() {
        let pairs = tokenizer(8, Truncation::LongestFirst).encode("", &[""]).unwrap();
        assert_eq!(pairs[0].ids, [0, 2, 2, 2]);
    }

    #[test]
    fn error_mode_names_the_document() {
        let error = tokenizer(8, Truncation::Error).encode("a b", &["c", "c c c"]).unwrap_err();
        assert!(matches!(error, TokenizeError::TooLong { index: 1, length: 9, max_length: 8 }));
    }

    #[test]
    fn a_tokenizer_without_pairs_is_refused() {
        let error = |json: &[u8], max| {
            PairTokenizer::from_bytes(json, "x.json", max, Truncation::Error).err().unwrap()
        };
        assert!(matches!(
            error(&tokenizer_json(false), 64),
            TokenizeError::NoPairs { special: 0, .. }
        ));
        let json: String = String::from_utf8(tokenizer_json(true)).unwrap();
        let half = json.replace(
            r#"{"Sequence":{"id":"B","type_id":1}}"#,
            r#"{"Sequence":{"id":"A","type_id":1}}"#,
        );
        assert_ne!(half, json);
        assert!(matches!(error(half.as_bytes(), 64), TokenizeError::HalfPair { .. }));
        assert!(matches!(error(b"{\"version\"", 64), TokenizeError::Parse { .. }));
        assert!(matches!(error(&tokenizer_json(true), 4), TokenizeError::NoRoom { .. }));
    }
}
