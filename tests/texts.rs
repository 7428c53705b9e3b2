//! What an experiment writes of its users' texts, and who may read it.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::PathBuf;

use support::{EMBEDDED, Home, fails, stderr, succeeds, system_of};

/// Words of a query and of a document that nothing else says.
const ASKED: &str = "quokkaquery";
const ANSWERED: &str = "wombatanswer";

/// The planted texts belong to the only query, which is listed whatever reranking makes of it.
fn home() -> Home {
    let home = Home::new();
    home.set(1, 12);
    let corpus = home.read("set/corpus.jsonl");
    let shared = "export of last year as a table";
    let mut lines: Vec<String> = corpus.lines().map(str::to_owned).collect();
    for (number, line) in lines.iter_mut().enumerate() {
        *line = line.replace("\"text\": \"", &format!("\"text\": \"{shared} {ANSWERED}{number} "));
    }
    home.write("set/corpus.jsonl", lines.join("\n"));
    home.write(
        "set/queries.jsonl",
        format!("{{\"_id\": \"q0\", \"text\": \"{ASKED} {shared}\"}}\n"),
    );
    // The documents differ in words that nobody asked for: BM25 and the model order them otherwise.
    home.write("set/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq0\td5\t1\n");
    home.config("kind = \"bm25\"\ndepth = 12", EMBEDDED);
    home
}

/// The files of a report that hold a planted text, and what was printed.
fn leaks(home: &Home, texts: &[&str]) -> Vec<PathBuf> {
    let args = [&["eval", "--config", "small.toml", "--out", "out"], texts].concat();
    let output = home.run(&args);
    let printed = succeeds(&output) + &stderr(&output);
    assert!(!printed.contains(ASKED) && !printed.contains(ANSWERED), "{printed}");
    let json = succeeds(&home.run(&[&args[..], &["--json"]].concat()));
    let holds_none = !json.contains(ASKED) && !json.contains(ANSWERED);
    assert_eq!(holds_none, texts != ["--texts", "full"]);
    let mut files = home.files_with("out", ASKED);
    files.extend(home.files_with("out", ANSWERED));
    files.extend(home.files_with("cache/scores", ASKED));
    files.extend(home.files_with("cache/scores", ANSWERED));
    files
}

fn shown(home: &Home) -> serde_json::Value {
    let record = home.json("out/record.json");
    let mini = system_of(&record, "mini");
    let changes = [&mini["most_hurt"], &mini["most_helped"]];
    let changes: Vec<_> = changes.iter().flat_map(|list| list.as_array().unwrap()).collect();
    assert_eq!(changes.len(), 1, "the query neither gained nor lost");
    changes[0].clone()
}

#[test]
fn none_unless_asked() {
    let home = home();
    assert_eq!(leaks(&home, &[]), Vec::<PathBuf>::new());
    assert!(shown(&home)["text"].is_null());
    assert_eq!(leaks(&home, &["--texts", "none"]), Vec::<PathBuf>::new());
}

#[test]
fn hashes_say_which_are_the_same_to_who_has_the_key() {
    let home = home();
    assert_eq!(leaks(&home, &["--texts", "hash"]), Vec::<PathBuf>::new());
    let hashed = shown(&home);
    let text = hashed["text"].as_str().unwrap();
    assert!(text.len() >= 16 && !text.contains(' '), "{text}");
    // The same key, the same hash; another key, another.
    leaks(&home, &["--texts", "hash"]);
    assert_eq!(shown(&home)["text"], hashed["text"]);
    std::fs::remove_file(home.path("cache/texts.key")).unwrap();
    leaks(&home, &["--texts", "hash"]);
    assert_ne!(shown(&home)["text"], hashed["text"]);
}

#[test]
fn full_texts_when_asked() {
    let home = home();
    let files = leaks(&home, &["--texts", "full"]);
    assert!(files.contains(&home.path("out/record.json")), "{files:?}");
    assert!(shown(&home)["text"].as_str().unwrap().starts_with(ASKED));
    // They go when they are not asked for any more.
    assert_eq!(leaks(&home, &[]), Vec::<PathBuf>::new());
    let args = ["eval", "--config", "small.toml", "--out", "out", "--texts", "some"];
    fails(&home.run(&args), 2, "--texts");
}

#[cfg(unix)]
#[test]
fn records_scores_and_the_key_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = home();
    leaks(&home, &["--texts", "hash"]);
    leaks(&home, &["--texts", "full"]);
    let named = ["out/record.json", "out/queries.parquet", "cache/texts.key"];
    let scores = home.files("cache/scores");
    assert!(!scores.is_empty());
    for path in named.map(|name| home.path(name)).into_iter().chain(scores) {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}: {mode:o}", path.display());
    }
}
