use std::path::Path;

use anyhow::{Context as _, Result};
use secondpass_model::ModelType;
use serde_json::{Map, Value, json};

/// `tokenizer.json` and the two files beside it that transformers reads, by name.
pub type TokenizerFiles = Vec<(&'static str, Vec<u8>)>;

/// What transformers calls a special token, and what it may be.
const SPECIAL: [(&str, [&str; 2]); 7] = [
    ("bos_token", ["<s>", ""]),
    ("eos_token", ["</s>", ""]),
    ("unk_token", ["<unk>", "[UNK]"]),
    ("sep_token", ["</s>", "[SEP]"]),
    ("pad_token", ["<pad>", "[PAD]"]),
    ("cls_token", ["<s>", "[CLS]"]),
    ("mask_token", ["<mask>", "[MASK]"]),
];

/// The tokenizer's files for a model that is trained with pairs of at most `max_length` tokens. What
/// its folder has is kept; the longest pair becomes the recipe's, so that whoever loads the model cuts
/// where it was trained to.
pub fn of(
    tokenizer: Vec<u8>,
    folder: Option<&Path>,
    max_length: usize,
    model_type: ModelType,
) -> Result<TokenizerFiles> {
    let special = special(&tokenizer)?;
    let read = |name: &str| -> Result<Option<Map<String, Value>>> {
        let Some(path) = folder.map(|folder| folder.join(name)).filter(|path| path.is_file())
        else {
            return Ok(None);
        };
        let text =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Some(serde_json::from_slice(&text).with_context(|| path.display().to_string())?))
    };
    let mut config = match read("tokenizer_config.json")? {
        Some(config) => config,
        None => {
            let mut config = special.clone();
            // Reads tokenizer.json as it is, whatever its kind, and gives a model the inputs named.
            config.insert("tokenizer_class".to_owned(), json!("PreTrainedTokenizerFast"));
            let inputs: &[&str] = match model_type {
                ModelType::Bert => &["input_ids", "token_type_ids", "attention_mask"],
                ModelType::Roberta | ModelType::XlmRoberta => &["input_ids", "attention_mask"],
            };
            config.insert("model_input_names".to_owned(), json!(inputs));
            config
        }
    };
    config.insert("model_max_length".to_owned(), json!(max_length));
    let map = read("special_tokens_map.json")?.unwrap_or(special);
    Ok(vec![
        ("tokenizer.json", tokenizer),
        ("tokenizer_config.json", serde_json::to_vec_pretty(&config)?),
        ("special_tokens_map.json", serde_json::to_vec_pretty(&map)?),
    ])
}

/// The special tokens that a `tokenizer.json` adds, by what they are for.
fn special(tokenizer: &[u8]) -> Result<Map<String, Value>> {
    let json: Value = serde_json::from_slice(tokenizer).context("tokenizer.json")?;
    let added = json["added_tokens"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_there = |name: &str| added.iter().any(|token| token["content"] == name);
    let named = SPECIAL.into_iter().filter_map(|(use_, names)| {
        let name = names.into_iter().find(|name| is_there(name))?;
        Some((use_.to_owned(), json!(name)))
    });
    Ok(named.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENIZER: &str = r#"{"added_tokens": [
        {"id": 0, "content": "<s>"}, {"id": 1, "content": "<pad>"}, {"id": 2, "content": "</s>"},
        {"id": 3, "content": "<unk>"}]}"#;

    fn json(files: &TokenizerFiles, name: &str) -> Value {
        let (_, bytes) = files.iter().find(|(file, _)| *file == name).unwrap();
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn made_from_the_tokens_there_are() {
        let files = of(TOKENIZER.as_bytes().to_vec(), None, 96, ModelType::XlmRoberta).unwrap();
        let config = json(&files, "tokenizer_config.json");
        assert_eq!(config["model_input_names"], json!(["input_ids", "attention_mask"]));
        assert_eq!(config["model_max_length"], 96);
        assert_eq!((&config["sep_token"], &config["cls_token"]), (&json!("</s>"), &json!("<s>")));
        let map = json(&files, "special_tokens_map.json");
        assert_eq!(map["pad_token"], "<pad>");
        assert!(map.get("mask_token").is_none());
    }

    #[test]
    fn what_the_folder_has_is_kept_but_for_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let kept = r#"{"tokenizer_class": "XLMRobertaTokenizer", "model_max_length": 512}"#;
        std::fs::write(folder.path().join("tokenizer_config.json"), kept).unwrap();
        let files =
            of(TOKENIZER.as_bytes().to_vec(), Some(folder.path()), 96, ModelType::Bert).unwrap();
        let config = json(&files, "tokenizer_config.json");
        assert_eq!(config["tokenizer_class"], "XLMRobertaTokenizer");
        assert_eq!(config["model_max_length"], 96);
        std::fs::write(folder.path().join("special_tokens_map.json"), "[").unwrap();
        assert!(
            of(TOKENIZER.as_bytes().to_vec(), Some(folder.path()), 96, ModelType::Bert).is_err()
        );
    }
}
