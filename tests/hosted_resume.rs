//! Hosted rerankers in runs that are killed: nothing that was answered is asked for again, and what
//! was in flight is told.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use secondpass_mock::Kind;
use serde_json::Value;
use support::hosted::{USD, slow, table};
use support::{Home, fails, until};

const QUERIES: usize = 80;
const AT_ONCE: usize = 8;

#[cfg(unix)]
#[test]
fn a_killed_run_repeats_at_most_what_was_in_flight_and_lists_it() {
    let provider = slow(Kind::Cohere, Duration::from_millis(150));
    let books = provider.books();
    let home = Home::new();
    let more = format!("concurrency = {AT_ONCE}\n");
    home.asking(QUERIES, &(table(Kind::Cohere, &provider.base_url()) + &more));
    let args = ["eval", "--config", "small.toml", "--out", "out", "--max-cost", "5"];
    let kills = 3;
    for kill in 1..=kills {
        let mut child = home.start(&mut home.keyed(&args));
        let enough = books.acknowledged() + 15;
        until("answers, and calls in flight", || {
            books.acknowledged() >= enough && books.in_flight() >= AT_ONCE / 2
        });
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(home.path(&format!("out/journal/{kill:04}.jsonl")).exists());
    }
    let record = home.ask(&["--max-cost", "5"]);
    assert!(books.most_in_flight() <= AT_ONCE);

    let system = &record["systems"][1];
    let listed = system["possibly_billed_twice"].as_array().unwrap();
    let repeated: usize = books.repeated().iter().map(|(_, times)| times - 1).sum();
    // Those whose answers had gone out and were not kept, and those that were cut off.
    let more_calls = books.calls().len() - QUERIES;
    assert!(repeated <= listed.len(), "{repeated} of {}", listed.len());
    assert!(0 < more_calls && more_calls <= listed.len(), "{more_calls} of {}", listed.len());
    assert!(listed.len() <= kills * AT_ONCE, "{}", listed.len());
    // One call a query is lost; each may have had three attempts.
    assert!(listed.iter().all(|call| call["most"].as_f64() == Some(3.0 * USD)));
    assert_eq!(system["cost"]["spent"]["reported"], QUERIES);
    assert!(home.read("out/report.md").contains("Calls possibly billed twice"));

    // And it ends as if nothing had happened.
    let whole = Home::new();
    whole.asking(QUERIES, &(table(Kind::Cohere, &provider.base_url()) + &more));
    let whole = whole.ask(&[]);
    let figures = |record: &Value| {
        let system = &record["systems"][1];
        ["quality", "scores", "truncation", "most_helped", "most_hurt"]
            .map(|key| system[key].clone())
    };
    assert_eq!(figures(&record), figures(&whole));
    assert_eq!(whole["systems"][1]["possibly_billed_twice"].as_array().unwrap().len(), 0);
}

#[cfg(unix)]
#[test]
fn ctrl_c_loses_nothing_that_was_answered() {
    let provider = slow(Kind::Cohere, Duration::from_millis(150));
    let books = provider.books();
    let home = Home::new();
    let more = format!("concurrency = {AT_ONCE}\n");
    home.asking(QUERIES, &(table(Kind::Cohere, &provider.base_url()) + &more));
    let child = home.start(&mut home.keyed(&["eval", "--config", "small.toml", "--out", "out"]));
    until("answers", || books.acknowledged() >= 20);
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    fails(&child.wait_with_output().unwrap(), 1, "the same command goes on from here");
    assert!(books.acknowledged() < QUERIES);
    // Calls in flight were waited for: they are paid for.
    assert_eq!((books.in_flight(), books.calls().len()), (0, books.acknowledged()));
    home.ask(&[]);
    assert_eq!((books.repeated(), books.calls().len()), (Vec::new(), QUERIES));
}
