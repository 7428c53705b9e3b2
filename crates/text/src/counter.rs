use std::path::Path;

use tokenizers::Tokenizer;

use crate::TokenizeError;
use crate::pair::{alone, parse};

/// Counts the tokens of texts, special ones excluded, without any limit. It takes any tokenizer,
/// those of decoders too, which put no special tokens around a text.
#[derive(Clone)]
pub struct TokenCounter {
    tokenizer: Tokenizer,
}

impl TokenCounter {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// Unreadable or malformed files.
    pub fn from_file(path: &Path) -> Result<Self, TokenizeError> {
        let bytes = std::fs::read(path)
            .map_err(|source| TokenizeError::Read { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes, &path.display().to_string())
    }

    /// Parses the bytes of a `tokenizer.json`; `origin` names them in errors.
    ///
    /// # Errors
    /// Malformed files.
    pub fn from_bytes(bytes: &[u8], origin: &str) -> Result<Self, TokenizeError> {
        Ok(Self { tokenizer: parse(bytes, origin)? })
    }

    /// Tokens of a text.
    ///
    /// # Errors
    /// Texts the tokenizer rejects.
    pub fn count(&self, text: &str) -> Result<usize, TokenizeError> {
        Ok(alone(&self.tokenizer, text)?.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pair::tests::tokenizer_json;

    #[test]
    fn neither_special_tokens_nor_the_files_limit_count() {
        for special in [true, false] {
            let counter = TokenCounter::from_bytes(&tokenizer_json(special), "test").unwrap();
            assert_eq!(counter.count("a b c c c c c a b").unwrap(), 9);
            assert_eq!(counter.count("").unwrap(), 0);
        }
    }

    #[test]
    fn what_is_no_tokenizer_is_named() {
        let error = TokenCounter::from_bytes(b"[", "x.json").err().unwrap();
        assert!(matches!(error, TokenizeError::Parse { ref origin, .. } if origin == "x.json"));
        let error = TokenCounter::from_file(Path::new("no/tokenizer.json")).err().unwrap();
        assert!(error.to_string().contains("no/tokenizer.json"), "{error}");
    }
}
