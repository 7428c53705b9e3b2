//! `secondpass warmup`: every length is scored, and what was found is kept.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::{Home, fails, succeeds};

#[test]
fn every_length_is_scored_twice() {
    let home = Home::new();
    let args = ["warmup", "--model", "embedded", "--device", "cpu", "--json"];
    let told: Value = serde_json::from_str(&succeeds(&home.run(&args))).unwrap();
    let lines = told["lengths"].as_array().unwrap();
    let lengths: Vec<u64> = lines.iter().map(|line| line["tokens"].as_u64().unwrap()).collect();
    assert_eq!(lengths, [160, 80, 40]);
    assert_eq!(lines[0]["documents"], 25);
    assert!(lines.iter().all(|line| line["again_ms"].as_f64().unwrap() > 0.0));
    assert!(!home.path("cache/batches").exists());
    let table = succeeds(&home.run(&["warmup", "--model", "embedded", "--batch-tokens", "256"]));
    assert!(table.starts_with("helpdesk-mini on cpu: loaded in "), "{table}");
}

#[test]
fn the_size_of_batches_is_found_and_kept() {
    let home = Home::new();
    let args = ["warmup", "--model", "embedded", "--device", "cpu", "--tune"];
    succeeds(&home.run(&args));
    let kept: Vec<_> = std::fs::read_dir(home.path("cache/batches")).unwrap().collect();
    assert_eq!(kept.len(), 1);
}

#[test]
fn what_cannot_be_is_refused() {
    let home = Home::new();
    let both = ["warmup", "--model", "embedded", "--tune", "--batch-tokens", "64"];
    fails(&home.run(&both), 2, "--batch-tokens");
    fails(&home.run(&["warmup", "--model", "nowhere/at-all"]), 1, "nowhere");
    fails(&home.run(&["warmup", "--model", "embedded", "--max-length", "999"]), 2, "160 positions");
}
