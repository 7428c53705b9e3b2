//! `secondpass measure` as a user runs it.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Write as _;

use serde_json::Value;
use support::{Home, fails, stderr, succeeds};

/// Three judged queries. The run finds the best first for one, second for another, and nothing for
/// the third.
fn home() -> Home {
    let home = Home::new();
    home.write("qrels", "1 0 a 1\n1 0 b 0\n2 0 c 1\n2 0 d 0\n3 0 a 1\n");
    home.write("run", "1 Q0 a 1 9 x\n1 Q0 b 2 8 x\n2 Q0 d 1 9 x\n2 Q0 c 2 8 x\n");
    home
}

fn json(home: &Home, args: &[&str]) -> Value {
    let args = [&["measure", "qrels", "--json"], args].concat();
    serde_json::from_str(&succeeds(&home.run(&args))).unwrap()
}

#[test]
fn means_count_queries_without_results() {
    let home = home();
    let table = succeeds(&home.run(&["measure", "qrels", "run", "-m", "RR", "-m", "P@2"]));
    assert!(table.contains("RR") && table.contains("P@2"), "{table}");
    assert!(table.contains(&format!("{:.4}", (1.0 + 0.5 + 0.0) / 3.0)), "{table}");

    let found = json(&home, &["run", "-m", "RR"]);
    assert_eq!(found[0]["measures"]["RR"], (1.0 + 0.5 + 0.0) / 3.0);
    assert_eq!((&found[0]["queries"], &found[0]["without_results"]), (&3.into(), &1.into()));
    let found = json(&home, &["run", "-m", "RR", "--answered"]);
    assert_eq!(found[0]["measures"]["RR"], (1.0 + 0.5) / 2.0);
    assert_eq!(found[0]["queries"], 2);
}

#[test]
fn each_query_by_itself() {
    let home = home();
    let args = ["measure", "qrels", "run", "-m", "RR", "-q"];
    let printed = succeeds(&home.run(&args));
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines[0], ["run", "RR", "1", "1.0000"]);
    assert_eq!(lines[1], ["run", "RR", "2", "0.5000"]);
    assert_eq!(lines[2], ["run", "RR", "3", "0.0000"]);
    assert_eq!(lines[3], ["run", "RR", "all", "0.5000"]);
    assert_eq!(lines.len(), 4);

    let by_query = &json(&home, &["run", "-m", "RR", "-q"])[0]["by_query"];
    assert_eq!(by_query["2"]["RR"], 0.5);
}

#[test]
fn ties_by_document_or_as_ranked() {
    let home = home();
    home.write("tied", "1 Q0 a 1 5 x\n1 Q0 b 2 5 x\n");
    let rr = |more: &[&str]| {
        let args = [&["tied", "-m", "RR", "--answered"], more].concat();
        json(&home, &args)[0]["measures"]["RR"].clone()
    };
    // By id, descending: the irrelevant b stands before a.
    assert_eq!(rr(&[]), 0.5);
    assert_eq!(rr(&["--as-ranked"]), 1.0);
}

#[test]
fn several_runs_in_the_order_they_are_named() {
    let home = home();
    home.write("other", "1 Q0 b 1 9 x\n1 Q0 a 2 8 x\n");
    let found = json(&home, &["run", "other", "-m", "RR"]);
    assert_eq!((&found[0]["run"], &found[1]["run"]), (&"run".into(), &"other".into()));
    assert_eq!(found[1]["measures"]["RR"], 0.5 / 3.0);
    assert_eq!(found.as_array().unwrap().len(), 2);
}

#[test]
fn packed_runs_measure_as_plain_ones() {
    let home = Home::new();
    home.set(20, 40);
    home.config("kind = \"bm25\"\ndepth = 10", "");
    for (name, magic) in
        [("run", &b"q"[..]), ("run.gz", b"\x1f\x8b"), ("run.zst", b"\x28\xb5\x2f\xfd")]
    {
        succeeds(&home.run(&["retrieve", "--config", "small.toml", "--out", name]));
        assert!(home.bytes(name).starts_with(magic), "{name}");
    }
    let qrels = home.read("set/qrels/test.tsv");
    let qrels: String = qrels.lines().skip(1).fold(String::new(), |mut all, line| {
        let fields: Vec<&str> = line.split('\t').collect();
        writeln!(all, "{} 0 {} {}", fields[0], fields[1], fields[2]).unwrap();
        all
    });
    home.write("qrels", qrels);
    let found = json(&home, &["run", "run.gz", "run.zst", "-m", "nDCG@10", "-m", "AP", "-q"]);
    assert!(found[0]["measures"]["AP"].as_f64().unwrap() > 0.0);
    for packed in [1, 2] {
        assert_eq!(found[0]["measures"], found[packed]["measures"]);
        assert_eq!(found[0]["by_query"], found[packed]["by_query"]);
    }
    let ranked = json(&home, &["run", "run.gz", "-m", "AP", "--as-ranked"]);
    assert_eq!(ranked[0]["measures"], ranked[1]["measures"]);
}

#[test]
fn what_is_wrong_is_named() {
    let home = home();
    let measured =
        |qrels: &str, run: &str, measure: &str| home.run(&["measure", qrels, run, "-m", measure]);
    for bad in ["nDCG@0", "ndcg", "P", "nDCG@10@5", "AP(rel=x)"] {
        fails(&measured("qrels", "run", bad), 2, bad);
    }
    fails(&measured("nowhere", "run", "RR"), 1, "nowhere");
    fails(&measured("qrels", "nowhere", "RR"), 1, "nowhere");
    home.write("bad-run", "1 Q0 a 1 9 x\n1 Q0 b 2\n");
    fails(&measured("qrels", "bad-run", "RR"), 1, "bad-run");
    fails(&measured("qrels", "bad-run", "RR"), 1, "line 2");
    home.write("bad-run", "1 Q0 a 1 9 x\n1 Q0 b 2 NaN x\n");
    fails(&measured("qrels", "bad-run", "RR"), 1, "line 2");
    home.write("bad-run", "1 Q0 a 1 9 x\n1 Q0 a 2 8 x\n");
    fails(&measured("qrels", "bad-run", "RR"), 1, "bad-run");
    home.write("bad-qrels", "1 0 a 1\n1 0 b x\n");
    fails(&measured("bad-qrels", "run", "RR"), 1, "bad-qrels");
    fails(&measured("bad-qrels", "run", "RR"), 1, "line 2");
    fails(&home.run(&["measure", "qrels", "run"]), 2, "--measure");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let home = home();
    let mut run = String::new();
    let mut qrels = String::new();
    for query in 0..5000 {
        writeln!(qrels, "{query} 0 a 1").unwrap();
        writeln!(run, "{query} Q0 a 1 1 x").unwrap();
    }
    home.write("qrels", qrels);
    home.write("run", run);
    let args = ["measure", "qrels", "run", "-q", "-m", "RR", "-m", "AP", "-m", "nDCG@10"];
    // More than any pipe holds.
    assert!(succeeds(&home.run(&args)).len() > 200_000);
    let mut child = home.start(&mut home.command(&args));
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
}
