//! Scores that an experiment takes from the cache.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::{EMBEDDED, Home, mean, succeeds, system_of};

const QUERIES: u64 = 20;
/// Of these, run for their time though their scores are known.
const TIMED: u64 = 2;

fn home(depth: usize) -> Home {
    let home = Home::new();
    home.set(QUERIES as usize, 40);
    let few = EMBEDDED.replace("[sweep]", &format!("[sweep]\ntimed_queries = {TIMED}"));
    home.config(&format!("kind = \"bm25\"\ndepth = {depth}"), &few);
    home
}

fn cached(record: &Value) -> u64 {
    system_of(record, "mini")["cached"].as_u64().unwrap()
}

/// Queries that were timed.
fn timed(record: &Value) -> u64 {
    system_of(record, "mini")["latency"]["samples"].as_u64().unwrap()
}

#[test]
fn what_is_cached_gives_the_same_quality_and_no_times() {
    let home = home(8);
    let first = home.eval("first", &[]);
    let again = home.eval("again", &[]);
    assert_eq!((cached(&first), timed(&first)), (0, QUERIES));
    assert_eq!((cached(&again), timed(&again)), (QUERIES - TIMED, TIMED));
    for part in ["quality", "scores", "agreement", "most_hurt", "most_helped", "slices"] {
        assert_eq!(system_of(&first, "mini")[part], system_of(&again, "mini")[part], "{part}");
    }

    // Another depth is another ranking of the same pairs.
    let config = home.read("small.toml");
    home.write("small.toml", config.replace("depth = 8", "depth = 4"));
    assert_eq!(cached(&home.eval("shallow", &[])), QUERIES - TIMED);
    // Another maximum length gives other scores.
    home.write("small.toml", config.replace("[sweep]", "max_length = 16\n[sweep]"));
    assert_eq!(cached(&home.eval("short", &[])), 0);
}

#[test]
fn experiments_side_by_side_share_it() {
    let home = home(4);
    let start = |out: &str| {
        home.start(&mut home.command(&["eval", "--config", "small.toml", "--out", out]))
    };
    let (one, two) = (start("one"), start("two"));
    succeeds(&one.wait_with_output().unwrap());
    succeeds(&two.wait_with_output().unwrap());
    let third = home.eval("third", &[]);
    assert_eq!(cached(&third), QUERIES - TIMED);
    for out in ["one", "two"] {
        let record = home.json(&format!("{out}/record.json"));
        assert_eq!(mean(&record, "mini", "nDCG@10"), mean(&third, "mini", "nDCG@10"));
    }
}

#[test]
fn no_cache_neither_reads_nor_keeps() {
    let home = home(4);
    let first = home.eval("first", &["--no-cache"]);
    assert!(home.files("cache/scores").is_empty());
    home.eval("second", &[]);
    let third = home.eval("third", &["--no-cache"]);
    assert_eq!((cached(&third), timed(&third)), (0, QUERIES));
    assert_eq!(mean(&first, "mini", "RR"), mean(&third, "mini", "RR"));
}

#[test]
fn a_damaged_cache_is_scored_again() {
    let home = home(4);
    let first = home.eval("first", &[]);
    let files = home.files("cache/scores");
    assert_eq!(files.len(), 1);
    let mut bytes = std::fs::read(&files[0]).unwrap();
    // In three lines: two may be timed queries', which are scored anyway.
    for quarter in 1..4 {
        let place = bytes.len() * quarter / 4;
        bytes[place] ^= 0x01;
    }
    std::fs::write(&files[0], bytes).unwrap();
    let again = home.eval("again", &[]);
    assert!((1..QUERIES - TIMED).contains(&cached(&again)), "{}", cached(&again));
    assert_eq!(mean(&first, "mini", "nDCG@10"), mean(&again, "mini", "nDCG@10"));
}
