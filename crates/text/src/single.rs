use std::path::Path;

use rayon::prelude::*;
use secondpass_core::ContentHash;
use tokenizers::{PostProcessor, Tokenizer};

use crate::TokenizeError;
use crate::pair::{alone, cut, finish, parse};

/// Turns one text into the token ids that an encoder reads, with the tokenizer's own post-processor
/// placing the special tokens (`[CLS] text [SEP]` for BERT, `<s> text </s>` for XLM-R). A text that
/// is too long loses its end, and what it loses is counted.
#[derive(Clone)]
pub struct TextTokenizer {
    tokenizer: Tokenizer,
    hash: ContentHash,
    special: usize,
    max_length: usize,
}

/// One text as an encoder reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedText {
    /// Token ids, special ones included.
    pub ids: Vec<u32>,
    /// One type id a token.
    pub type_ids: Vec<u32>,
    /// Tokens cut away.
    pub cut: usize,
}

impl TextTokenizer {
    /// Reads a `tokenizer.json`. `max_length` counts special tokens.
    ///
    /// # Errors
    /// Unreadable or malformed files, a post-processor that adds no special token or does not keep
    /// the text whole, a limit without room.
    pub fn from_file(path: &Path, max_length: usize) -> Result<Self, TokenizeError> {
        let bytes = std::fs::read(path)
            .map_err(|source| TokenizeError::Read { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes, &path.display().to_string(), max_length)
    }

    /// Parses the bytes of a `tokenizer.json`; `origin` names them in errors.
    ///
    /// # Errors
    /// As [`TextTokenizer::from_file`].
    pub fn from_bytes(
        bytes: &[u8],
        origin: &str,
        max_length: usize,
    ) -> Result<Self, TokenizeError> {
        let tokenizer = parse(bytes, origin)?;
        let special = tokenizer.get_post_processor().map_or(0, |p| p.added_tokens(false));
        if special == 0 {
            return Err(TokenizeError::NoSpecial { origin: origin.to_owned() });
        }
        if max_length <= special {
            return Err(TokenizeError::NoRoom { max_length, special });
        }
        let texts = Self { tokenizer, hash: ContentHash::of(bytes), special, max_length };
        match texts.holds_text()? {
            true => Ok(texts),
            false => Err(TokenizeError::HalfText { origin: origin.to_owned() }),
        }
    }

    /// Whether the post-processor keeps a text as it is and adds as many tokens as it says.
    fn holds_text(&self) -> Result<bool, TokenizeError> {
        let text = alone(&self.tokenizer, "a b")?;
        let expected = text.get_ids().to_vec();
        let whole = finish(&self.tokenizer, text, None)?;
        let special = whole.get_special_tokens_mask();
        let kept = whole.get_ids().iter().zip(special).filter(|(_, special)| **special == 0);
        let is_whole = kept.map(|(id, _)| *id).eq(expected.iter().copied());
        Ok(is_whole && whole.len() == expected.len() + self.special)
    }

    /// The hash of its `tokenizer.json`: part of the identity of what is made with it.
    pub fn hash(&self) -> &ContentHash {
        &self.hash
    }

    /// Number of tokens it knows, special ones included.
    pub fn vocabulary(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// The longest sequence it gives, special tokens included.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// The tokens of each text with `prefix` written before it (`query: ` for E5; empty for none),
    /// in order, on all cores. The prefix counts against the limit like the rest.
    ///
    /// # Errors
    /// Texts the tokenizer rejects.
    pub fn encode<T: AsRef<str> + Sync>(
        &self,
        prefix: &str,
        texts: &[T],
    ) -> Result<Vec<EncodedText>, TokenizeError> {
        // All of them first, so that of several errors it is always the first text's that is told.
        let encoded: Vec<Result<EncodedText, TokenizeError>> =
            texts.par_iter().map(|text| self.one(prefix, text.as_ref())).collect();
        encoded.into_iter().collect()
    }

    fn one(&self, prefix: &str, text: &str) -> Result<EncodedText, TokenizeError> {
        let mut encoding = match prefix.is_empty() {
            true => alone(&self.tokenizer, text)?,
            false => alone(&self.tokenizer, &format!("{prefix}{text}"))?,
        };
        let whole = encoding.len();
        let kept = whole.min(self.max_length - self.special);
        cut(&mut encoding, kept);
        let finished = finish(&self.tokenizer, encoding, None)?;
        Ok(EncodedText {
            ids: finished.get_ids().to_vec(),
            type_ids: finished.get_type_ids().to_vec(),
            cut: whole - kept,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pair::tests::tokenizer_json;

    fn tokenizer(max_length: usize) -> TextTokenizer {
        TextTokenizer::from_bytes(&tokenizer_json(true), "test", max_length).unwrap()
    }

    #[test]
    fn special_tokens_stand_around_the_text_and_the_files_limit_does_not_cut() {
        let texts = tokenizer(64).encode("", &["a b c c c c c", ""]).unwrap();
        assert_eq!(texts[0].ids, [0, 4, 5, 6, 6, 6, 6, 6, 2]);
        assert_eq!(texts[0].type_ids, [0; 9]);
        assert_eq!((texts[0].cut, &texts[1].ids[..]), (0, &[0, 2][..]));
    }

    #[test]
    fn the_prefix_comes_first_and_counts_against_the_limit() {
        let texts = tokenizer(5).encode("a ", &["b c c c"]).unwrap();
        assert_eq!(texts[0].ids, [0, 4, 5, 6, 2]);
        assert_eq!(texts[0].cut, 2);
    }

    #[test]
    fn what_cannot_serve_an_encoder_is_refused() {
        let error =
            |json: &[u8], max| TextTokenizer::from_bytes(json, "x.json", max).err().unwrap();
        assert!(matches!(error(&tokenizer_json(false), 64), TokenizeError::NoSpecial { .. }));
        assert!(matches!(
            error(&tokenizer_json(true), 2),
            TokenizeError::NoRoom { max_length: 2, special: 2 }
        ));
        assert!(matches!(error(b"[", 64), TokenizeError::Parse { .. }));
        let json = String::from_utf8(tokenizer_json(true)).unwrap();
        let a = r#"{"Sequence":{"id":"A","type_id":0}}"#;
        let twice = json.replacen(a, &format!("{a},{a}"), 1);
        assert_ne!(twice, json);
        let error = error(twice.as_bytes(), 64);
        assert!(matches!(error, TokenizeError::HalfText { .. }), "{error}");
    }

    #[test]
    fn the_hash_is_the_files() {
        assert_eq!(tokenizer(9).hash(), &ContentHash::of(&tokenizer_json(true)));
    }
}
