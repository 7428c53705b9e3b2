//! The whole way of a model from a hub: a small server that speaks its protocol stands in for it.

pub(crate) mod server;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use self::server::{COMMIT, Server};
use super::*;

const MODEL: [(&str, &str); 3] = [
    ("config.json", "{\"model_type\": \"bert\"}"),
    ("tokenizer.json", "{\"version\": \"1.0\"}"),
    ("model.safetensors", "weights, many of them"),
];

const INDEX: (&str, &str) = (
    "model.safetensors.index.json",
    r#"{"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}"#,
);

struct Bench {
    server: Server,
    cache: TempDir,
    settings: HubSettings,
}

impl Bench {
    fn new(files: &[(&str, &str)]) -> Self {
        let server = Server::start(files);
        let cache = tempfile::tempdir().unwrap();
        let settings = HubSettings {
            endpoint: server.address(),
            cache: Some(cache.path().to_owned()),
            token: Some(Token::new("hf_test")),
            offline: false,
            retries: 0,
        };
        Self { server, cache, settings }
    }

    fn resolve(&self, revision: Option<&str>) -> Result<ModelFiles, HubError> {
        resolve("org/tiny", revision, &self.settings, &silent())
    }

    fn error(&self) -> HubError {
        self.resolve(None).unwrap_err()
    }

    fn offline(&self) -> Result<ModelFiles, HubError> {
        let endpoint = "http://127.0.0.1:1".to_owned();
        let settings = HubSettings { offline: true, endpoint, ..self.settings.clone() };
        resolve("org/tiny", None, &settings, &silent())
    }

    fn repository(&self) -> PathBuf {
        self.cache.path().join("models--org--tiny")
    }

    /// Names of the contents in the cache, those begun included.
    fn contents(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.repository().join("blobs")) else {
            return Vec::new();
        };
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn silent() -> OnProgress {
    Arc::new(|_| {})
}

#[test]
fn downloads_a_model_and_tells_how_it_goes() {
    let bench = Bench::new(&MODEL);
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let progress: OnProgress = Arc::new(move |event| heard.lock().unwrap().push(event.clone()));
    let files = resolve("org/tiny", None, &bench.settings, &progress).unwrap();
    for (path, (_, content)) in
        [&files.config, &files.tokenizer, &files.weights[0]].iter().zip(MODEL)
    {
        assert_eq!(fs::read_to_string(path).unwrap(), content);
    }
    assert_eq!(files.revision.as_deref(), Some(COMMIT));
    assert_eq!(files.folder, bench.repository().join("snapshots").join(COMMIT));
    let told = told.lock().unwrap();
    for (name, content) in MODEL {
        let last = told.iter().rfind(|event| event.file == name).unwrap();
        let size = content.len() as u64;
        assert_eq!((last.done, last.total, last.finished), (size, Some(size), true));
    }
    assert!(bench.server.requests().iter().all(|r| r.token.as_deref() == Some("Bearer hf_test")));
}

#[test]
fn the_second_time_comes_from_the_cache() {
    let bench = Bench::new(&MODEL);
    let first = bench.resolve(None).unwrap();
    bench.server.forget();
    assert_eq!(bench.resolve(None).unwrap(), first);
    assert!(bench.server.requests().iter().all(|r| !r.path.contains("/resolve/")));
    bench.server.forget();
    assert_eq!(bench.resolve(Some(COMMIT)).unwrap(), first);
    assert!(bench.server.requests().is_empty(), "a cached commit needs no network");
}

#[test]
fn a_pinned_commit_is_asked_for() {
    let bench = Bench::new(&MODEL);
    bench.resolve(Some(COMMIT)).unwrap();
    let asked = |path: &str| bench.server.requests().iter().any(|r| r.path == path);
    assert!(asked(&format!("/org/tiny/resolve/{COMMIT}/config.json")));
    assert!(!bench.server.requests().iter().any(|r| r.path.starts_with("/api/")));
}

#[test]
fn a_branch_that_moved_is_followed_in_whole() {
    // Guards against taking a moved branch for the old one because its first file is unchanged.
    let bench = Bench::new(&MODEL);
    bench.resolve(None).unwrap();
    let commit = "b".repeat(40);
    bench.server.change(|hub| {
        hub.commit = commit.clone();
        hub.files.insert("model.safetensors".to_owned(), "other weights".to_owned());
    });
    let files = bench.resolve(None).unwrap();
    assert_eq!(files.revision.as_ref(), Some(&commit));
    assert_eq!(fs::read_to_string(&files.weights[0]).unwrap(), "other weights");
    assert_eq!(bench.offline().unwrap(), files);
}

#[test]
fn a_cut_download_keeps_what_was_finished() {
    let bench = Bench::new(&MODEL);
    bench.server.change(|hub| hub.cut = Some("tokenizer.json".to_owned()));
    let error = bench.error();
    assert!(matches!(&error, HubError::Cut { file, .. } if file == "tokenizer.json"), "{error}");
    let snapshot = bench.repository().join("snapshots").join(COMMIT);
    assert!(snapshot.join("config.json").is_file());
    assert!(!snapshot.join("tokenizer.json").exists());
    let finished = bench.contents().into_iter().filter(|name| !name.ends_with(".incomplete"));
    assert_eq!(finished.count(), 1);
    assert!(bench.offline().is_err(), "half a model is not offered");

    bench.server.change(|hub| hub.cut = None);
    bench.server.forget();
    let files = bench.resolve(None).unwrap();
    assert_eq!(fs::read_to_string(files.tokenizer).unwrap(), MODEL[1].1);
    assert!(!bench.server.requests().iter().any(|r| r.path.ends_with("config.json")));
}

#[test]
fn an_error_page_is_not_taken_for_the_file() {
    let bench = Bench::new(&MODEL);
    bench.server.change(|hub| hub.refused = Some("tokenizer.json".to_owned()));
    let error = bench.error();
    assert!(
        matches!(&error, HubError::Damaged { file, .. } if file == "tokenizer.json"),
        "{error}"
    );
    assert!(!bench.repository().join("snapshots").join(COMMIT).join("tokenizer.json").exists());
    assert_eq!(bench.contents().len(), 1);
    bench.server.change(|hub| hub.refused = None);
    assert!(bench.resolve(None).is_ok());
}

#[test]
fn content_that_differs_from_its_checksum_is_removed() {
    let bench = Bench::new(&MODEL);
    let checksum = secondpass_core::ContentHash::of(MODEL[2].1.as_bytes());
    let tag = |hash: &str| {
        bench.server.change(|hub| {
            hub.tags.insert("model.safetensors".to_owned(), hash.to_owned());
        });
    };
    tag(&"0".repeat(64));
    let error = bench.error();
    assert!(matches!(&error, HubError::Damaged { defect, .. } if defect.contains("SHA-256")));
    assert_eq!(bench.contents().len(), 2);
    tag(checksum.as_str());
    assert!(bench.resolve(None).is_ok());
}

#[test]
fn shards_are_fetched_by_their_index() {
    let shards = [("model-1-of-2.safetensors", "one"), ("model-2-of-2.safetensors", "two")];
    let bench = Bench::new(&[&MODEL[..2], &[INDEX], &shards].concat());
    let files = bench.resolve(None).unwrap();
    assert_eq!(files.weights, shards.map(|(name, _)| files.folder.join(name)));
    assert_eq!(bench.offline().unwrap(), files);

    let bench = Bench::new(&[&MODEL[..2], &[INDEX], &shards[..1]].concat());
    let error = bench.error();
    assert!(matches!(error, HubError::MissingShard { shard, .. } if shard == shards[1].0));

    let reaching = (INDEX.0, r#"{"weight_map": {"a": "../../x.safetensors"}}"#);
    let bench = Bench::new(&[&MODEL[..2], &[reaching]].concat());
    assert!(matches!(bench.error(), HubError::BadIndex { .. }));
}

#[test]
fn offline_uses_the_cache_alone() {
    let bench = Bench::new(&MODEL);
    let error = bench.offline().unwrap_err().to_string();
    assert!(error.starts_with("config.json of 'org/tiny' (revision main) is not in the cache"));
    assert!(error.contains("hf download org/tiny --revision main"), "{error}");
    let files = bench.resolve(None).unwrap();
    bench.server.forget();
    assert_eq!(bench.offline().unwrap(), files);
    fs::remove_file(&files.weights[0]).unwrap();
    let error = bench.offline().unwrap_err();
    assert!(matches!(error, HubError::NotCached { file, .. } if file == "model.safetensors"));
    assert!(bench.server.requests().is_empty());
}

#[test]
fn refusals_say_what_to_do() {
    let bench = Bench::new(&MODEL);
    bench.server.change(|hub| hub.token = Some("Bearer hf_other".to_owned()));
    let error = bench.error().to_string();
    assert!(error.contains("HTTP 401") && error.contains("HF_TOKEN"), "{error}");
    assert!(!error.contains("hf_test"), "{error}");
}

#[test]
fn a_missing_model_revision_or_file_is_told_apart() {
    let bench = Bench::new(&MODEL);
    let none = resolve("org/none", None, &bench.settings, &silent()).unwrap_err();
    assert!(matches!(none, HubError::NoRepository { .. }), "{none}");
    let pinned = "c".repeat(40);
    for revision in ["none", &pinned] {
        let error = bench.resolve(Some(revision)).unwrap_err();
        assert!(matches!(error, HubError::NoRevision { .. }), "{error}");
    }
    let bench = Bench::new(&MODEL[..2]);
    let error = bench.error().to_string();
    assert!(error.contains("'org/tiny' (revision main) has no model.safetensors or"), "{error}");
}

#[test]
fn an_endpoint_out_of_reach_is_named() {
    let bench = Bench::new(&MODEL);
    let with = |endpoint: &str| {
        let settings = HubSettings { endpoint: endpoint.to_owned(), ..bench.settings.clone() };
        resolve("org/tiny", None, &settings, &silent()).unwrap_err()
    };
    assert!(matches!(with("http://127.0.0.1:1"), HubError::Unreachable { .. }));
    assert!(matches!(with("no address"), HubError::BadEndpoint { .. }));
}

#[test]
fn what_looks_like_a_path_is_never_sent() {
    let bench = Bench::new(&MODEL);
    let error = |spec: &str| resolve(spec, None, &bench.settings, &silent()).unwrap_err();
    for spec in ["./org/tiny", "../tiny", "/org/tiny", "~/tiny", "a/b/c", "org/", "org\\tiny"] {
        assert!(matches!(error(spec), HubError::NoFolder { .. }), "{spec}");
    }
    for spec in ["", "tiny", "org/..x", "org/ti ny", "org/-x", "o?/x", "org/x--y"] {
        assert!(matches!(error(spec), HubError::NeitherFolderNorId { .. }), "{spec}");
    }
    let file = bench.cache.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(error(file.to_str().unwrap()), HubError::NotAFolder { .. }));
    for revision in ["", "../x", "a//b", "/a", "a b", ".x"] {
        let error = bench.resolve(Some(revision)).unwrap_err();
        assert!(matches!(error, HubError::BadRevision { .. }), "{revision}");
    }
    assert!(bench.server.requests().is_empty());
}

#[test]
fn a_folder_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in MODEL {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let bench = Bench::new(&[]);
    let spec = folder.path().to_str().unwrap();
    let files = resolve(spec, None, &bench.settings, &silent()).unwrap();
    assert_eq!((files.folder.as_path(), files.revision), (folder.path(), None));
    let error = resolve(spec, Some("main"), &bench.settings, &silent()).unwrap_err();
    assert!(matches!(error, HubError::RevisionOfFolder { .. }));
    assert!(bench.server.requests().is_empty());
}
