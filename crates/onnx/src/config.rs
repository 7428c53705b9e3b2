use std::path::Path;

use serde::Deserialize;

use crate::LoadError;

/// What is read of the `config.json` beside a model: its graph has no names for these.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Config {
    model_type: String,
    pub pad_token_id: u32,
    pub vocab_size: usize,
    /// Token types; models without any leave it out.
    pub type_vocab_size: Option<usize>,
    max_position_embeddings: usize,
    hidden_size: Option<u64>,
    intermediate_size: Option<u64>,
    num_attention_heads: Option<u64>,
}

/// The families whose positions start behind the padding token's id, as RoBERTa's do.
const LATE_POSITIONS: [&str; 6] =
    ["roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "xmod", "mpnet"];

impl Config {
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        let failed = |reason: String| LoadError::Config { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let config: Self = serde_json::from_str(&text)
            .map_err(|error| failed(format!("{error}; get the model's own config.json")))?;
        match config.max_length() {
            0 => Err(failed("max_position_embeddings leaves no position".to_owned())),
            _ => Ok(config),
        }
    }

    /// Bytes that a batch takes while it is scored, where the file says the model's shape: every
    /// operation writes its result beside its operands, and attention keeps its weights for every pair
    /// of tokens, before and after the softmax.
    pub fn batch_bytes(&self, sequences: usize, longest: usize) -> Option<u64> {
        let hidden = self.hidden_size?;
        let inner = self.intermediate_size.unwrap_or(4 * hidden);
        let weights = (2 * self.num_attention_heads?).saturating_mul(longest as u64);
        let tokens = (sequences as u64).saturating_mul(longest as u64);
        let numbers = (8 * hidden + 3 * inner).saturating_add(weights);
        Some(tokens.saturating_mul(numbers).saturating_mul(size_of::<f32>() as u64))
    }

    /// The longest sequence that the model has positions for.
    pub fn max_length(&self) -> usize {
        let unused = match LATE_POSITIONS.contains(&self.model_type.as_str()) {
            true => self.pad_token_id as usize + 1,
            false => 0,
        };
        self.max_position_embeddings.saturating_sub(unused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, text).unwrap();
        Config::read(&path).map_err(|error| error.to_string())
    }

    fn text(model_type: &str, positions: usize) -> String {
        format!(
            r#"{{"model_type": "{model_type}", "pad_token_id": 1, "vocab_size": 9,
                 "max_position_embeddings": {positions}}}"#
        )
    }

    #[test]
    fn positions_behind_the_padding_do_not_count() {
        assert_eq!(read(&text("xlm-roberta", 514)).unwrap().max_length(), 512);
        assert_eq!(read(&text("modernbert", 512)).unwrap().max_length(), 512);
    }

    #[test]
    fn a_batch_is_estimated_where_the_shape_is_known() {
        assert_eq!(read(&text("bert", 512)).unwrap().batch_bytes(1, 1), None);
        let shaped = text("bert", 512).replace(
            '{',
            r#"{"hidden_size": 8, "intermediate_size": 16, "num_attention_heads": 2,"#,
        );
        let config = read(&shaped).unwrap();
        assert_eq!(config.batch_bytes(3, 10), Some(4 * 30 * (64 + 48 + 40)));
        assert_eq!(config.batch_bytes(usize::MAX, usize::MAX), Some(u64::MAX));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(read("{").unwrap_err().contains("config.json"));
        let without = text("bert", 512).replace("pad_token_id", "pad");
        assert!(read(&without).unwrap_err().contains("missing field `pad_token_id`"));
        assert!(read(&text("roberta", 2)).unwrap_err().contains("leaves no position"));
    }
}
