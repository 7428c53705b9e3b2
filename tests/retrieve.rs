//! `secondpass retrieve` as a user runs it.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use support::{Home, fails, ranked, stderr, succeeds};

const BM25: &str = "kind = \"bm25\"\ndepth = 10";

fn retrieve(home: &Home, more: &[&str]) -> String {
    let args = [&["retrieve", "--config", "small.toml", "--out", "-"], more].concat();
    succeeds(&home.run(&args))
}

fn best<'a>(run: &'a str, query: &str) -> &'a str {
    ranked(run).into_iter().find(|(of, _)| *of == query).unwrap().1
}

#[test]
fn a_run_and_its_measures() {
    let home = Home::new();
    home.set(20, 40);
    home.config(BM25, "");
    let output = home.run(&["retrieve", "--config", "small.toml", "--out", "found/run"]);
    // The folder is not there, and nobody asked for one.
    fails(&output, 1, "found");
    let output = home.run(&["retrieve", "--config", "small.toml", "--out", "run"]);
    assert_eq!(succeeds(&output), "");
    assert!(stderr(&output).contains("nDCG@10 "), "{}", stderr(&output));
    let run = home.read("run");
    let lines = ranked(&run);
    for query in 0..20 {
        let query = format!("q{query}");
        let documents = lines.iter().filter(|(of, _)| *of == query).count();
        assert!((1..=10).contains(&documents), "{query}: {documents}");
    }
    assert_eq!(retrieve(&home, &[]), run);
    let shallow = retrieve(&home, &["--depth", "1"]);
    assert_eq!(ranked(&shallow).len(), 20);
    assert_eq!(best(&shallow, "q3"), best(&run, "q3"));
}

#[test]
fn a_second_run_takes_the_index_from_the_cache() {
    let home = Home::new();
    home.set(20, 40);
    home.config(BM25, "");
    let first = retrieve(&home, &[]);
    let indexes = || -> Vec<(PathBuf, SystemTime)> {
        let files = home.files("cache/indexes").into_iter();
        files.map(|file| (file.clone(), fs::metadata(&file).unwrap().modified().unwrap())).collect()
    };
    let kept = indexes();
    assert_eq!(kept.len(), 1);
    assert_eq!(retrieve(&home, &[]), first);
    assert_eq!(indexes(), kept);

    // Other documents, another index.
    let corpus = home.read("set/corpus.jsonl");
    home.write("set/corpus.jsonl", corpus.replacen("\"text\": \"", "\"text\": \"changed ", 1));
    retrieve(&home, &[]);
    assert_eq!(indexes().len(), 2);

    // A damaged one is made again, and never believed.
    home.write("set/corpus.jsonl", &corpus);
    for (file, _) in indexes() {
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        fs::write(&file, bytes).unwrap();
    }
    assert_eq!(retrieve(&home, &[]), first);
}

#[test]
fn hybrids_and_retrievers_by_name() {
    let home = Home::new();
    home.set(20, 40);
    let bm25 = "kind = \"bm25\"";
    let retrievers = format!(
        "[[retriever]]\nname = \"plain\"\n{bm25}\n[[retriever]]\nname = \"long\"\n{bm25}\nb = 1.0\nk1 = 2.0\n"
    );
    let parts = "[[first_stage.part]]\nkind = \"bm25\"\n[[first_stage.part]]\nkind = \"bm25\"\n\
         b = 1.0\nk1 = 2.0\nweight = 2.0\n";
    home.config(&format!("kind = \"hybrid\"\ndepth = 10\n{parts}"), &retrievers);
    let hybrid = retrieve(&home, &[]);
    let plain = retrieve(&home, &["--retriever", "plain"]);
    let long = retrieve(&home, &["--retriever", "long"]);
    assert_ne!(plain, long);
    assert_eq!(ranked(&hybrid).len(), ranked(&plain).len());
    for query in 0..20 {
        let query = format!("q{query}");
        if best(&plain, &query) == best(&long, &query) {
            assert_eq!(best(&hybrid, &query), best(&plain, &query));
        }
    }
    let args = ["retrieve", "--config", "small.toml", "--out", "-", "--retriever", "dense"];
    fails(&home.run(&args), 2, "no retriever 'dense'");
    fails(&home.run(&args), 2, "plain, long");

    let weighted = "kind = \"hybrid\"\nfusion = \"weighted\"\ndepth = 10\n";
    home.config(&format!("{weighted}{parts}"), "");
    assert_ne!(retrieve(&home, &[]), hybrid);
    home.config(&format!("{weighted}k = 60.0\n{parts}"), "");
    fails(&home.run(&["retrieve", "--config", "small.toml", "--out", "-"]), 2, "first_stage.k");
}

#[test]
fn nothing_half_is_left_behind() {
    let home = Home::new();
    home.set(20, 40);
    home.config(BM25, "");
    home.write("run", "what was there");
    let corpus = home.read("set/corpus.jsonl");
    home.write("set/corpus.jsonl", &corpus[..corpus.len() - 20]);
    let output = home.run(&["retrieve", "--config", "small.toml", "--out", "run"]);
    fails(&output, 1, "corpus.jsonl");
    fails(&output, 1, "line 40");
    assert_eq!(home.read("run"), "what was there");
    fails(&home.run(&["retrieve", "--config", "small.toml"]), 2, "--out");
    let output = home.run(&["retrieve", "--config", "small.toml", "--out", "-", "--depth", "0"]);
    fails(&output, 2, "--depth");
}
