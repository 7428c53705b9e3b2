//! The size of a batch: found while a long run works, and kept for later runs.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Write as _;

use serde_json::Value;
use support::{EMBEDDED, Home, succeeds};

/// A set in which every query finds 80 documents, and their pairs, of 64 tokens and more, have over
/// 4096.
fn set(home: &Home, queries: usize) {
    let words = ["invoice", "export", "member", "billing", "refund", "period", "address", "plan"];
    let (mut corpus, mut lines) = (String::new(), String::new());
    let mut qrels = "query-id\tcorpus-id\tscore\n".to_owned();
    for number in 0..90 {
        let text: Vec<&str> = (0..64).map(|at| words[(at * (number + 3) + at / 7) % 8]).collect();
        let text = text.join(" ");
        writeln!(corpus, "{{\"_id\": \"d{number}\", \"title\": \"\", \"text\": \"{text}\"}}")
            .unwrap();
    }
    for number in 0..queries {
        let (one, other) = (words[number % 8], words[(number / 8) % 8]);
        writeln!(lines, "{{\"_id\": \"q{number}\", \"text\": \"{one} {other}\"}}").unwrap();
        writeln!(qrels, "q{number}\td{}\t1", number % 90).unwrap();
    }
    home.write("set/corpus.jsonl", corpus);
    home.write("set/queries.jsonl", lines);
    home.write("set/qrels/test.tsv", qrels);
}

fn kept(home: &Home) -> Vec<Value> {
    let files = home.files("cache/batches");
    files
        .iter()
        .map(|file| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
        .collect()
}

#[test]
fn a_long_run_finds_the_size_of_its_batches_and_keeps_it() {
    let home = Home::new();
    set(&home, 45);
    home.config("kind = \"bm25\"\ndepth = 80", EMBEDDED);
    let record = home.eval("out", &[]);
    let found = kept(&home);
    let [found] = &found[..] else { panic!("{} files", found.len()) };
    let trials = found["trials"].as_array().unwrap();
    let budgets: Vec<u64> =
        trials.iter().map(|trial| trial["batch_tokens"].as_u64().unwrap()).collect();
    assert_eq!(budgets, [1024, 2048, 4096, 8192, 16384]);
    assert!(budgets.contains(&found["batch_tokens"].as_u64().unwrap()));
    for trial in trials {
        assert!(trial["queries"].as_u64().unwrap() >= 5, "{trial}");
        assert!(trial["tokens"].as_u64().unwrap() >= 5 * 4096, "{trial}");
        assert!(trial["seconds"].as_f64().unwrap() > 0.0, "{trial}");
    }
    let warnings = record["warnings"].to_string();
    assert!(!warnings.contains("did not fit into memory"), "{warnings}");

    let removed = succeeds(&home.run(&["purge", "--caches"]));
    assert!(removed.contains("batches") && kept(&home).is_empty(), "{removed}");
}

#[test]
fn a_short_run_tries_nothing() {
    let home = Home::new();
    set(&home, 12);
    home.config("kind = \"bm25\"\ndepth = 80", EMBEDDED);
    home.eval("out", &[]);
    assert!(kept(&home).is_empty());
}
