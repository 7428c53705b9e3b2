//! The whole way of a set from a hub into a folder: the server that stands in for the hub is the one
//! that models are tested with.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use secondpass_core::ContentHash;
use tempfile::TempDir;

use super::*;
use crate::beir;
use crate::hub::tests::server::{COMMIT, Server};
use crate::hub::{HubError, HubSettings, OnProgress, Token};

const TEXTS: [(&str, &str); 3] = [
    (
        "data/corpus.jsonl",
        "{\"_id\": \"d1\", \"text\": \"one\"}\n{\"_id\": \"d2\", \"text\": \"two\"}\n",
    ),
    ("queries.jsonl", "{\"_id\": \"q1\", \"text\": \"why\"}\n"),
    ("corpus.jsonl.gz", "pretend that this is compressed"),
];

const QRELS: [(&str, &str); 2] = [
    ("test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\n"),
    ("train.tsv", "query-id\tcorpus-id\tscore\nq1\td2\t1\n"),
];

const MANIFEST: &str = r#"
name = "tiny"
title = "Tiny"
license = "not stated"
[corpus]
hub = "org/set"
revision = "main"
file = "data/corpus.jsonl"
[queries]
hub = "org/set"
revision = "main"
file = "queries.jsonl"
[qrels.test]
hub = "org/set-qrels"
revision = "main"
file = "test.tsv"
[qrels.train]
hub = "org/set-qrels"
revision = "main"
file = "train.tsv"
"#;

struct Bench {
    server: Server,
    cache: TempDir,
    place: TempDir,
    settings: HubSettings,
}

impl Bench {
    fn new() -> Self {
        let server = Server::start(&[]);
        let of = |files: &[(&str, &str)]| {
            files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        server.change(|hub| {
            hub.datasets.insert("org/set".to_owned(), of(&TEXTS));
            hub.datasets.insert("org/set-qrels".to_owned(), of(&QRELS));
        });
        let (cache, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let settings = HubSettings {
            endpoint: server.address(),
            cache: Some(cache.path().to_owned()),
            token: Some(Token::new("hf_test")),
            offline: false,
            retries: 0,
        };
        Self { server, cache, place, settings }
    }

    fn root(&self) -> PathBuf {
        self.place.path().join("datasets")
    }

    fn pull(&self, splits: &[&str]) -> Result<Pulled, PullError> {
        self.pull_by(&manifest(), splits)
    }

    fn pull_by(&self, manifest: &Manifest, splits: &[&str]) -> Result<Pulled, PullError> {
        let splits: Vec<String> = splits.iter().map(|split| (*split).to_owned()).collect();
        pull(manifest, &splits, &self.root(), &self.settings, &silent())
    }

    /// Changes a file on the hub, which is a new commit.
    fn publish(&self, repository: &str, file: &str, text: &str) -> String {
        let commit = "b".repeat(40);
        self.server.change(|hub| {
            hub.commit.clone_from(&commit);
            let files = hub.datasets.get_mut(repository).unwrap();
            files.insert(file.to_owned(), text.to_owned());
        });
        commit
    }

    /// Everything below the folder of the sets with its content, but what only pulls look at.
    fn contents(&self) -> BTreeMap<String, String> {
        let mut contents = BTreeMap::new();
        let mut folders = vec![self.root()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.root()).unwrap().display().to_string();
                    contents.insert(name, fs::read_to_string(&path).unwrap());
                }
            }
        }
        contents.remove(".tiny.pulling");
        contents
    }
}

fn manifest() -> Manifest {
    Manifest::parse("tiny.toml", MANIFEST).unwrap()
}

fn silent() -> OnProgress {
    Arc::new(|_| {})
}

fn hash(text: &str) -> String {
    ContentHash::of(text.as_bytes()).as_str().to_owned()
}

#[test]
fn a_whole_pull_makes_a_folder_that_can_be_read() {
    let bench = Bench::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let progress: OnProgress = Arc::new(move |event| heard.lock().unwrap().push(event.clone()));
    let pulled = pull(&manifest(), &[], &bench.root(), &bench.settings, &progress).unwrap();
    assert_eq!(pulled.folder, bench.root().join("tiny"));
    assert_eq!(pulled.splits, ["test", "train"]);
    assert_eq!(
        pulled.placed.iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
        ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv", "qrels/train.tsv"].into()
    );
    let set = beir::read(&pulled.folder, "train").unwrap();
    assert_eq!((set.name(), set.corpus().len()), ("tiny", 2));
    assert_eq!(set.qrels().grade(&"q1".into(), &"d2".into()), Some(1));
    let finished: Vec<String> = {
        let told = told.lock().unwrap();
        told.iter().filter(|event| event.finished).map(|event| event.file.clone()).collect()
    };
    assert_eq!(finished, ["data/corpus.jsonl", "queries.jsonl", "test.tsv", "train.tsv"]);

    let lock: Lock = toml::from_str(&fs::read_to_string(&pulled.lockfile).unwrap()).unwrap();
    let corpus = lock.get("corpus.jsonl").unwrap();
    assert_eq!(corpus.sha256, hash(TEXTS[0].1));
    assert_eq!(corpus.bytes, TEXTS[0].1.len() as u64);
    assert_eq!((corpus.hub.as_str(), corpus.asked.as_str()), ("org/set", "main"));
    assert_eq!(corpus.commit, COMMIT);
    assert_eq!(lock.files.len(), 4);
    assert!(bench.server.requests().iter().all(|r| r.token.as_deref() == Some("Bearer hf_test")));
}

#[test]
fn the_second_pull_asks_nobody() {
    let bench = Bench::new();
    let first = bench.pull(&[]).unwrap();
    bench.server.forget();
    let second = bench.pull(&[]).unwrap();
    assert_eq!(second, Pulled { placed: Vec::new(), ..first.clone() });
    assert!(bench.server.requests().is_empty());

    // Nor does one whose folder is gone while the cache is there: the lock knows the commits.
    fs::remove_dir_all(&first.folder).unwrap();
    assert_eq!(bench.pull(&[]).unwrap(), first);
    assert!(bench.server.requests().is_empty());
}

#[test]
fn splits_come_one_by_one() {
    let bench = Bench::new();
    let pulled = bench.pull(&["test"]).unwrap();
    assert!(!pulled.folder.join("qrels/train.tsv").exists());
    bench.server.forget();
    assert_eq!(bench.pull(&["train"]).unwrap().placed, ["qrels/train.tsv"]);
    let asked: Vec<_> = bench.server.requests().into_iter().map(|request| request.path).collect();
    assert!(asked.iter().all(|path| path.ends_with("/train.tsv")), "{asked:?}");
    assert!(
        beir::read(&pulled.folder, "test").is_ok() && beir::read(&pulled.folder, "train").is_ok()
    );
    let error = bench.pull(&["tset"]).unwrap_err().to_string();
    assert_eq!(error, "set 'tiny' has no split 'tset'; it has: test, train");
}

#[test]
fn a_cut_connection_leaves_nothing_under_the_final_name() {
    let bench = Bench::new();
    bench.server.change(|hub| hub.cut = Some("queries.jsonl".to_owned()));
    let error = bench.pull(&[]).unwrap_err();
    assert!(
        matches!(&error, PullError::Hub(HubError::Cut { file, .. }) if file == "queries.jsonl"),
        "{error}"
    );
    assert_eq!(bench.contents(), BTreeMap::new());
    assert!(resolve(&manifest(), None, &bench.root()).is_err());
    bench.server.change(|hub| hub.cut = None);
    bench.server.forget();
    let pulled = bench.pull(&[]).unwrap();
    assert!(beir::read(&pulled.folder, "test").is_ok());
    // What was finished before is not fetched again.
    assert!(!bench.server.requests().iter().any(|r| r.path.ends_with("corpus.jsonl")));
}

#[test]
fn what_a_killed_pull_left_is_no_hindrance() {
    let bench = Bench::new();
    let left = bench.root().join(".tiny.partial/qrels");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("dev.tsv"), "half").unwrap();
    let pulled = bench.pull(&[]).unwrap();
    assert!(!pulled.folder.join("qrels/dev.tsv").exists());
    assert!(!bench.root().join(".tiny.partial").exists());
}

#[test]
fn a_file_that_arrives_with_another_hash_is_refused() {
    let bench = Bench::new();
    // The hub names large files by their SHA-256.
    bench.server.change(|hub| {
        hub.tags.insert("data/corpus.jsonl".to_owned(), "0".repeat(64));
    });
    let error = bench.pull(&[]).unwrap_err();
    assert!(matches!(error, PullError::Hub(HubError::Damaged { .. })), "{error}");
    assert_eq!(bench.contents(), BTreeMap::new());

    // The manifest may state it too.
    let bench = Bench::new();
    let stated = |hash: &str| {
        let stated = format!("file = \"queries.jsonl\"\nsha256 = \"{hash}\"");
        Manifest::parse("f", &MANIFEST.replace("file = \"queries.jsonl\"", &stated)).unwrap()
    };
    let error = bench.pull_by(&stated(&"0".repeat(64)), &[]).unwrap_err();
    let PullError::Mismatch(mismatch) = &error else { panic!("{error}") };
    assert_eq!((mismatch.file.as_str(), &mismatch.expected), ("queries.jsonl", &"0".repeat(64)));
    assert_eq!(mismatch.found, hash(TEXTS[1].1));
    assert!(matches!(mismatch.against, Against::Manifest { .. }));
    assert_eq!(bench.contents(), BTreeMap::new());
    bench.pull_by(&stated(&hash(TEXTS[1].1)), &[]).unwrap();
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let bench = Bench::new();
    bench.server.change(|hub| {
        hub.datasets.get_mut("org/set-qrels").unwrap().remove("train.tsv");
    });
    let error = bench.pull(&[]).unwrap_err().to_string();
    assert!(error.contains("'org/set-qrels' (revision main) has no train.tsv at"), "{error}");
    assert_eq!(bench.contents(), BTreeMap::new());
    assert!(bench.pull(&["test"]).is_ok());

    let elsewhere = MANIFEST.replace("org/set-qrels", "org/none");
    let error = bench.pull_by(&Manifest::parse("f", &elsewhere).unwrap(), &["train"]).unwrap_err();
    assert!(error.to_string().contains("has no data set 'org/none'"), "{error}");
}

#[test]
fn a_private_set_says_what_to_set() {
    let bench = Bench::new();
    bench.server.change(|hub| hub.token = Some("Bearer hf_other".to_owned()));
    let error = bench.pull(&[]).unwrap_err().to_string();
    assert!(error.contains("'org/set' (HTTP 401") && error.contains("HF_TOKEN"), "{error}");
    assert_eq!(bench.contents(), BTreeMap::new());
}

#[test]
fn a_branch_that_moved_does_not_change_a_locked_set() {
    let bench = Bench::new();
    let pulled = bench.pull(&["test"]).unwrap();
    let before = bench.contents();
    bench.publish("org/set-qrels", "train.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\n");
    // The hub holds one commit only, so the one that was locked is asked for and missed.
    let error = bench.pull(&["train"]).unwrap_err();
    let PullError::Hub(HubError::NoRevision { revision, .. }) = &error else { panic!("{error}") };
    assert_eq!(revision, COMMIT);
    assert_eq!(bench.contents(), before);
    assert!(bench.pull(&["test"]).unwrap().placed.is_empty());
    assert!(beir::read(&pulled.folder, "test").is_ok());
}

#[test]
fn a_manifest_with_another_revision_must_still_match() {
    let bench = Bench::new();
    let pulled = bench.pull(&[]).unwrap();
    let before = bench.contents();
    let changed = "{\"_id\": \"q1\", \"text\": \"why not\"}\n";
    let commit = bench.publish("org/set", "queries.jsonl", changed);
    let text = MANIFEST.replace("revision = \"main\"", &format!("revision = \"{commit}\""));
    let moved = Manifest::parse("tiny.toml", &text).unwrap();
    let error = bench.pull_by(&moved, &[]).unwrap_err();
    let said = error.to_string();
    assert!(matches!(&error, PullError::Mismatch(m) if m.file == "queries.jsonl"), "{said}");
    for part in [hash(changed), hash(TEXTS[1].1), pulled.lockfile.display().to_string()] {
        assert!(said.contains(&part), "{said}");
    }
    assert!(said.contains("nothing was changed") && said.contains("pull again"), "{said}");
    assert_eq!(bench.contents(), before);

    // What the message advises works.
    fs::remove_dir_all(&pulled.folder).unwrap();
    fs::remove_file(&pulled.lockfile).unwrap();
    bench.pull_by(&moved, &[]).unwrap();
    assert_eq!(fs::read_to_string(pulled.folder.join("queries.jsonl")).unwrap(), changed);

    // A revision with the same content is taken over.
    let bench = Bench::new();
    let pulled = bench.pull(&[]).unwrap();
    bench.publish("org/set", "README.md", "new");
    assert!(bench.pull_by(&moved, &[]).unwrap().placed.is_empty());
    let lock = fs::read_to_string(pulled.lockfile).unwrap();
    assert!(lock.contains(&commit) && !lock.contains(COMMIT), "{lock}");
}

#[test]
fn a_file_that_was_edited_is_told_and_kept() {
    let bench = Bench::new();
    let pulled = bench.pull(&[]).unwrap();
    let path = pulled.folder.join("qrels/test.tsv");
    fs::write(&path, "edited").unwrap();
    let before = bench.contents();
    let error = bench.pull(&[]).unwrap_err().to_string();
    assert!(error.contains(&hash("edited")) && error.contains(&hash(QRELS[0].1)), "{error}");
    assert!(error.contains(&format!("delete {} and pull again", path.display())), "{error}");
    assert_eq!(bench.contents(), before);
    // A split that is whole can still be had; the one that was edited comes back once it is deleted.
    assert!(bench.pull(&["train"]).is_ok());
    fs::remove_file(&path).unwrap();
    assert_eq!(bench.pull(&[]).unwrap().placed, ["qrels/test.tsv"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), QRELS[0].1);
}

#[test]
fn a_file_that_no_pull_put_there_is_kept() {
    let bench = Bench::new();
    let pulled = bench.pull(&["test"]).unwrap();
    let path = pulled.folder.join("qrels/train.tsv");
    fs::write(&path, "mine").unwrap();
    let before = bench.contents();
    let error = bench.pull(&[]).unwrap_err().to_string();
    assert!(error.contains("no pull put this file there"), "{error}");
    assert_eq!(bench.contents(), before);
    // One that equals the hub's is adopted.
    fs::write(&path, QRELS[1].1).unwrap();
    assert!(bench.pull(&[]).unwrap().placed.is_empty());
    assert!(fs::read_to_string(&pulled.lockfile).unwrap().contains("qrels/train.tsv"));
}

#[test]
fn a_lockfile_that_cannot_be_read_stops_the_pull() {
    let bench = Bench::new();
    let pulled = bench.pull(&[]).unwrap();
    fs::write(&pulled.lockfile, "version = 1").unwrap();
    let before = bench.contents();
    let error = bench.pull(&[]).unwrap_err();
    assert!(matches!(error, PullError::BadLock { .. }), "{error}");
    assert_eq!(bench.contents(), before);
}

#[test]
fn two_pulls_at_once_make_one_folder() {
    let bench = Bench::new();
    let pulls = std::thread::scope(|scope| {
        let pull = || bench.pull(&[]);
        let (a, b) = (scope.spawn(pull), scope.spawn(pull));
        [a.join().unwrap(), b.join().unwrap()]
    });
    let placed: usize = pulls.iter().map(|pulled| pulled.as_ref().unwrap().placed.len()).sum();
    assert_eq!(placed, 4, "one of them placed every file");
    assert!(beir::read(&bench.root().join("tiny"), "test").is_ok());
    let fetches = bench.server.requests();
    let fetched =
        |name: &str| fetches.iter().filter(|r| r.method == "GET" && r.path.ends_with(name)).count();
    assert_eq!((fetched("corpus.jsonl"), fetched("train.tsv")), (1, 1));
}

#[test]
fn offline_takes_the_cache_or_says_how() {
    let mut bench = Bench::new();
    let endpoint = "http://127.0.0.1:1".to_owned();
    let online = bench.settings.clone();
    let offline = HubSettings { offline: true, endpoint, ..online.clone() };
    bench.settings = offline.clone();
    let error = bench.pull(&[]).unwrap_err().to_string();
    assert!(error.contains("hf download org/set --repo-type dataset --revision main"), "{error}");
    assert!(error.contains("HF_HUB_OFFLINE is set"), "{error}");
    assert_eq!(bench.contents(), BTreeMap::new());

    bench.settings = online;
    let pulled = bench.pull(&[]).unwrap();
    bench.server.forget();
    bench.settings = offline;
    assert!(bench.pull(&[]).unwrap().placed.is_empty());
    // Without the folder and without the lock, the cache knows what the branch named.
    fs::remove_dir_all(&pulled.folder).unwrap();
    fs::remove_file(&pulled.lockfile).unwrap();
    assert_eq!(bench.pull(&[]).unwrap().placed.len(), 4);
    assert!(bench.server.requests().is_empty());
}

#[test]
fn a_revision_of_several_parts_is_one() {
    let mut bench = Bench::new();
    let text = MANIFEST.replace("revision = \"main\"", "revision = \"refs/pr/1\"");
    let manifest = Manifest::parse("f", &text).unwrap();
    let pulled = bench.pull_by(&manifest, &[]).unwrap();
    let lock = fs::read_to_string(&pulled.lockfile).unwrap();
    assert!(lock.contains("asked = \"refs/pr/1\"") && lock.contains(COMMIT), "{lock}");
    fs::remove_dir_all(&pulled.folder).unwrap();
    fs::remove_file(&pulled.lockfile).unwrap();
    bench.settings.offline = true;
    assert_eq!(bench.pull_by(&manifest, &[]).unwrap().placed.len(), 4);
}

#[test]
fn compressed_files_share_their_space_and_others_do_not() {
    let bench = Bench::new();
    let text = MANIFEST.replace("data/corpus.jsonl", "corpus.jsonl.gz");
    let pulled = bench.pull_by(&Manifest::parse("f", &text).unwrap(), &["test"]).unwrap();
    let corpus = pulled.folder.join("corpus.jsonl.gz");
    assert_eq!(fs::read_to_string(&corpus).unwrap(), TEXTS[2].1);
    let snapshots = bench.cache.path().join("datasets--org--set/snapshots").join(COMMIT);
    // Plain files may be edited, which must not reach the cache.
    fs::write(pulled.folder.join("queries.jsonl"), "edited").unwrap();
    assert_eq!(fs::read_to_string(snapshots.join("queries.jsonl")).unwrap(), TEXTS[1].1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let inode = |path: &Path| fs::metadata(path).unwrap().ino();
        assert_eq!(inode(&corpus), inode(&snapshots.join("corpus.jsonl.gz")));
    }
}

#[test]
fn resolve_finds_what_was_pulled() {
    let bench = Bench::new();
    let find = |split| resolve(&manifest(), split, &bench.root());
    let error = find(None).unwrap_err().to_string();
    assert!(error.contains("corpus.jsonl is not there"), "{error}");
    assert!(error.ends_with("get it with `secondpass dataset pull tiny`"), "{error}");
    let folder = bench.pull(&["test"]).unwrap().folder;
    assert_eq!(find(None).unwrap(), folder);
    assert_eq!(find(Some("test")).unwrap(), folder);
    let error = find(Some("train")).unwrap_err().to_string();
    assert!(error.ends_with("`secondpass dataset pull tiny --split train`"), "{error}");
    assert!(matches!(find(Some("dev")), Err(PullError::NoSplit { .. })));
    fs::remove_file(folder.join("qrels/test.tsv")).unwrap();
    assert!(find(None).is_err());
}
