//! `secondpass logs` as a user runs it.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::{Home, fails, stderr, succeeds};

/// Cited were the second of what was shown, the first, and in one answer nothing.
fn home() -> Home {
    let home = Home::new();
    home.write(
        "log.jsonl",
        "{\"id\": \"1\", \"query\": \"red\", \"candidates\": [\"a\", \"b\", \"c\"], \"cited\": [\"b\"]}\n\
         {\"id\": \"2\", \"query\": \"blue\", \"candidates\": [\"d\", \"e\"], \"cited\": [\"d\"]}\n\
         {\"id\": \"3\", \"query\": \"green\", \"candidates\": [\"f\"], \"cited\": []}\n",
    );
    home
}

fn figure<'a>(found: &'a Value, what: &str) -> &'a Value {
    let figures = found["figures"].as_array().unwrap();
    let is_it = |figure: &&Value| figure["what"].as_str().unwrap().starts_with(what);
    figures.iter().find(is_it).unwrap_or_else(|| panic!("no {what} in {found}"))
}

#[test]
fn cited_rr_says_that_it_is_biased() {
    let home = home();
    let table = succeeds(&home.run(&["logs", "log.jsonl"]));
    assert!(
        table.contains("cited RR") && table.contains("Biased towards what was shown"),
        "{table}"
    );
    let found: Value =
        serde_json::from_str(&succeeds(&home.run(&["logs", "log.jsonl", "--json"]))).unwrap();
    let shown = figure(&found, "cited RR, as shown");
    assert_eq!((&shown["mean"], &shown["queries"]), (&((0.5 + 1.0) / 2.0).into(), &2.into()));
    assert!(found["biased"].as_str().unwrap().contains("was shown"));
}

#[test]
fn another_order_beside_it() {
    let home = home();
    home.write("run", "1 Q0 b 1 9 x\n1 Q0 a 2 8 x\n1 Q0 c 3 7 x\n2 Q0 e 1 9 x\n2 Q0 d 2 8 x\n");
    let args = ["logs", "log.jsonl", "--run", "run", "-k", "1", "--json"];
    let found: Value = serde_json::from_str(&succeeds(&home.run(&args))).unwrap();
    assert_eq!(figure(&found, "cited RR, in the run")["mean"], (1.0 + 0.5) / 2.0);
    assert_eq!(figure(&found, "overlap@1")["mean"], 0.0);
    let rbo = figure(&found, "rank-biased overlap")["mean"].as_f64().unwrap();
    assert!(rbo > 0.0 && rbo < 1.0, "{rbo}");
}

#[test]
fn oddities_are_counted_and_defects_refused() {
    let home = home();
    let log = home.read("log.jsonl");
    home.write("log.jsonl", log.replace("[\"b\"]", "[\"b\", \"z\"]"));
    let output = home.run(&["logs", "log.jsonl"]);
    succeeds(&output);
    let told = "1 citations of documents that were not shown are left out; the first is at line 1";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));

    home.write("log.jsonl", log.replace("\"cited\": [\"d\"]", "\"cites\": [\"d\"]"));
    let output = home.run(&["logs", "log.jsonl"]);
    fails(&output, 1, "log.jsonl");
    fails(&output, 1, "line 2");
    fails(&output, 1, "cited");
    home.write("log.jsonl", "{\"query\": \"x\", \"candidates\": [\"a\"], \"cited\": []}\n");
    fails(&home.run(&["logs", "log.jsonl"]), 1, "nothing to measure");
    fails(&home.run(&["logs", "nowhere.jsonl"]), 1, "nowhere.jsonl");
}
