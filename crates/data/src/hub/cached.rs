use std::fs;
use std::path::{Path, PathBuf};

use hf_hub::HFClientBuilder;

use super::HubSettings;
use super::folder::{INDEX, WEIGHTS, shards};

/// The hub's cache on this machine, and the models in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached {
    /// The folder that all Hugging Face programs share.
    pub folder: PathBuf,
    /// The models in it, by id.
    pub models: Vec<CachedModel>,
}

/// A model in the hub's cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedModel {
    /// `OWNER/NAME`.
    pub id: String,
    /// Bytes on the disk, all revisions together.
    pub bytes: u64,
    /// What a cross-encoder or encoder would lack; empty where a revision is whole.
    pub missing: Vec<String>,
}

/// Looks into the hub's cache. Nothing is asked of the hub.
pub fn cached(settings: &HubSettings) -> Cached {
    let folder = settings.cache.clone().unwrap_or_else(|| {
        let client = HFClientBuilder::new().build();
        client.map_or_else(|_| PathBuf::new(), |client| client.cache_dir().to_owned())
    });
    let mut models: Vec<CachedModel> = folders(&folder)
        .iter()
        .filter_map(|path| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            let (owner, model) = name.strip_prefix("models--")?.split_once("--")?;
            Some(look(path, format!("{owner}/{model}")))
        })
        .collect();
    models.sort_by(|a, b| a.id.cmp(&b.id));
    Cached { folder, models }
}

fn look(path: &Path, id: String) -> CachedModel {
    let blobs = path.join("blobs");
    let bytes = size(if blobs.is_dir() { &blobs } else { path });
    let snapshots = folders(&path.join("snapshots"));
    // The most complete revision speaks for the model.
    let missing = snapshots.iter().map(|snapshot| lacks(snapshot)).min_by_key(Vec::len);
    let missing = missing.unwrap_or_else(|| vec!["every file".to_owned()]);
    CachedModel { id, bytes, missing }
}

/// The files that a snapshot lacks; links to content that is gone count as lacking.
fn lacks(snapshot: &Path) -> Vec<String> {
    let has = |name: &str| snapshot.join(name).is_file();
    let mut missing: Vec<String> = ["config.json", "tokenizer.json"]
        .into_iter()
        .filter(|name| !has(name))
        .map(str::to_owned)
        .collect();
    if has(WEIGHTS) || has("model.onnx") || has("onnx/model.onnx") {
        return missing;
    }
    match shards(&snapshot.join(INDEX)) {
        Ok(shards) => missing.extend(shards.into_iter().filter(|shard| !has(shard))),
        Err(_) => missing.push(WEIGHTS.to_owned()),
    }
    missing
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// Bytes of all files below a folder; links are not followed, so that nothing counts twice.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => size(&entry.path()),
            Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |data| data.len()),
            _ => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_into(files: &[(&str, &str)]) -> Cached {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let settings = HubSettings {
            cache: Some(folder.path().to_owned()),
            ..HubSettings::from_variables(|_| None)
        };
        cached(&settings)
    }

    #[test]
    fn whole_and_partial_models_are_told_apart() {
        let index = r#"{"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}"#;
        let found = look_into(&[
            ("models--o--whole/snapshots/1/config.json", "{}"),
            ("models--o--whole/snapshots/2/config.json", "{}"),
            ("models--o--whole/snapshots/2/tokenizer.json", "{}"),
            ("models--o--whole/snapshots/2/model.safetensors", "1234"),
            ("models--o--sharded/snapshots/1/config.json", "{}"),
            ("models--o--sharded/snapshots/1/tokenizer.json", "{}"),
            ("models--o--sharded/snapshots/1/model.safetensors.index.json", index),
            ("models--o--sharded/snapshots/1/b.safetensors", ""),
            ("models--o--cut/blobs/abc.incomplete", "12345"),
            ("models--o--onnx/snapshots/1/onnx/model.onnx", ""),
            ("datasets--o--set/snapshots/1/x", ""),
            ("version.txt", "1"),
        ]);
        let told: Vec<(&str, u64, String)> = found
            .models
            .iter()
            .map(|model| (&*model.id, model.bytes, model.missing.join(" ")))
            .collect();
        let sharded = ("o/sharded", 4 + index.len() as u64, "a.safetensors".to_owned());
        assert_eq!(
            told,
            [
                ("o/cut", 5, "every file".to_owned()),
                ("o/onnx", 0, "config.json tokenizer.json".to_owned()),
                sharded,
                ("o/whole", 10, String::new()),
            ]
        );
    }

    #[test]
    fn no_cache_is_an_empty_one() {
        let settings = HubSettings {
            cache: Some(PathBuf::from("/nonexistent/cache")),
            ..HubSettings::from_variables(|_| None)
        };
        assert!(cached(&settings).models.is_empty());
    }
}
