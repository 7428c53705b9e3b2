use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{HubError, ModelFiles, is_plain_name};

/// The single weights file.
pub(super) const WEIGHTS: &str = "model.safetensors";

/// The list of shards that stands for it in larger models.
pub(super) const INDEX: &str = "model.safetensors.index.json";

/// What to do where there are no weights that can be read.
pub(super) const NO_WEIGHTS: &str = " or model.safetensors.index.json; weights must be safetensors, so \
     convert others first (in transformers: save_pretrained)";

/// The files of a model in a folder.
pub(super) fn read(folder: &Path) -> Result<ModelFiles, HubError> {
    let config = present(folder, "config.json", "; it is no model in the Hugging Face layout")?;
    let tokenizer = tokenizer(folder)?;
    let index = folder.join(INDEX);
    let weights = match present(folder, WEIGHTS, NO_WEIGHTS) {
        Ok(single) => vec![single],
        Err(none) if !index.is_file() => return Err(none),
        Err(_) => {
            let shards = shards(&index)?.into_iter().map(|shard| {
                let path = folder.join(&shard);
                match path.is_file() {
                    true => Ok(path),
                    false => {
                        Err(HubError::MissingShard { index: index.display().to_string(), shard })
                    }
                }
            });
            shards.collect::<Result<_, _>>()?
        }
    };
    Ok(ModelFiles { folder: folder.to_owned(), config, tokenizer, weights, revision: None })
}

/// The tokenizer of a model in a folder.
pub(super) fn tokenizer(folder: &Path) -> Result<PathBuf, HubError> {
    let hint = "; save the tokenizer in the fast format (in transformers: use_fast=True)";
    present(folder, "tokenizer.json", hint)
}

/// A file that must be in a folder; `hint` says what its absence means.
fn present(folder: &Path, file: &str, hint: &'static str) -> Result<PathBuf, HubError> {
    let path = folder.join(file);
    match path.is_file() {
        true => Ok(path),
        false => Err(HubError::MissingFile {
            folder: folder.display().to_string(),
            file: file.to_owned(),
            hint,
        }),
    }
}

/// The shards that an index names, by name, each once. Only plain file names are let through: an
/// index must not reach for files outside its folder.
pub(super) fn shards(index: &Path) -> Result<Vec<String>, HubError> {
    let bad = |defect: String| HubError::BadIndex { index: index.display().to_string(), defect };
    let bytes = std::fs::read(index).map_err(|error| bad(error.to_string()))?;
    let parsed: Value = serde_json::from_slice(&bytes)
        .map_err(|error| bad(format!("invalid JSON: {error}; get the file again")))?;
    let Some(map) = parsed.get("weight_map").and_then(Value::as_object) else {
        return Err(bad("no object 'weight_map'; get the file again".to_owned()));
    };
    let mut shards = BTreeSet::new();
    for (tensor, shard) in map {
        match shard.as_str() {
            Some(shard) if is_plain_name(shard) && shard.ends_with(".safetensors") => {
                shards.insert(shard.to_owned());
            }
            _ => {
                return Err(bad(format!(
                    "tensor '{tensor}' is said to be in {shard}, which is not the name of a \
                     safetensors file in the same folder; do not use this model"
                )));
            }
        }
    }
    match shards.is_empty() {
        true => Err(bad("'weight_map' names no tensor; get the file again".to_owned())),
        false => Ok(shards.into_iter().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    const SHARDED: [(&str, &str); 4] = [
        ("config.json", "{}"),
        ("tokenizer.json", "{}"),
        (
            INDEX,
            r#"{"weight_map": {"x": "b.safetensors", "y": "a.safetensors", "z": "b.safetensors"}}"#,
        ),
        ("a.safetensors", ""),
    ];

    #[test]
    fn a_single_file_wins_over_an_index() {
        let folder = folder(&[&SHARDED[..], &[(WEIGHTS, "")]].concat());
        assert_eq!(read(folder.path()).unwrap().weights, [folder.path().join(WEIGHTS)]);
    }

    #[test]
    fn shards_come_once_and_sorted() {
        let folder = folder(&[&SHARDED[..], &[("b.safetensors", "")]].concat());
        let weights = ["a.safetensors", "b.safetensors"].map(|name| folder.path().join(name));
        assert_eq!(read(folder.path()).unwrap().weights, weights);
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = |files: &[(&str, &str)]| read(folder(files).path()).unwrap_err().to_string();
        assert!(error(&[]).contains("has no config.json"));
        assert!(error(&SHARDED[..1]).contains("has no tokenizer.json"));
        assert!(error(&SHARDED[..2]).contains("has no model.safetensors or"));
        assert!(error(&SHARDED).contains("names the shard b.safetensors, which is not there"));
    }

    #[test]
    fn an_index_cannot_reach_outside_its_folder() {
        for shard in ["../a.safetensors", "/a.safetensors", "x/../a.safetensors", "", "a.bin", ".."]
        {
            let index = format!(r#"{{"weight_map": {{"x": "{shard}"}}}}"#);
            let folder = folder(&[(INDEX, &index)]);
            let error = shards(&folder.path().join(INDEX)).unwrap_err();
            assert!(error.to_string().contains("tensor 'x'"), "{error}");
        }
        for index in ["", "[]", "{\"weight_map\": {}}", "{\"weight_map\": {\"x\": 1}}"] {
            let folder = folder(&[(INDEX, index)]);
            assert!(matches!(shards(&folder.path().join(INDEX)), Err(HubError::BadIndex { .. })));
        }
    }
}
