//! `secondpass purge`: only what is ours goes.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use support::{EMBEDDED, Home, fails, succeeds};

fn home() -> Home {
    let home = Home::new();
    home.set(5, 10);
    home.config("kind = \"bm25\"\ndepth = 5", EMBEDDED);
    home
}

#[test]
fn a_report_goes_and_a_strangers_files_stay() {
    let home = home();
    home.eval("out", &[]);
    let written = home.files("out").len();
    home.write("out/notes.md", "mine");
    home.write("out/charts/drawn.svg", "mine");
    home.write("reports/other/record.json.bak", "mine");
    let removed = succeeds(&home.run(&["purge", "out"]));
    assert!(removed.contains(&format!("{written} files removed")), "{removed}");
    assert_eq!(home.files("out"), [home.path("out/charts/drawn.svg"), home.path("out/notes.md")]);
    // Nothing of ours is left there, so there is nothing to purge.
    fails(&home.run(&["purge", "out"]), 1, "record.json");
    fails(&home.run(&["purge", "reports/other"]), 1, "record.json");
    assert_eq!(home.read("reports/other/record.json.bak"), "mine");
    assert!(!home.files("cache/scores").is_empty());
}

#[test]
fn a_folder_that_holds_nothing_else_goes_too() {
    let home = home();
    home.eval("out", &["--texts", "full"]);
    succeeds(&home.run(&["purge", "out"]));
    assert!(!home.path("out").exists());
    assert!(home.path("set/corpus.jsonl").is_file());
}

#[test]
fn caches_go_and_data_sets_stay() {
    let home = home();
    home.eval("out", &["--texts", "hash"]);
    home.write("cache/notes.md", "mine");
    home.write("cache/kernels/default.db", "compiled");
    home.write("cache/kernels/default.db-wal", "being written");
    home.write("datasets/mine/corpus.jsonl", "mine");
    assert!(home.path("cache/texts.key").is_file());
    succeeds(&home.run(&["purge", "--caches"]));
    assert_eq!(home.files("cache"), [home.path("cache/notes.md")]);
    assert!(home.path("datasets/mine/corpus.jsonl").is_file());
    assert!(home.path("out/record.json").is_file());
    // Nothing is left, and that is no error.
    succeeds(&home.run(&["purge", "--caches"]));
    home.eval("out", &[]);
}

#[test]
fn nothing_named_is_a_usage_error() {
    let home = Home::new();
    fails(&home.run(&["purge"]), 2, "--caches");
    fails(&home.run(&["purge", "nowhere"]), 1, "nowhere");
}
