//! `secondpass eval` that is killed, started twice, or begun anew.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::process::Child;

use serde_json::Value;
use support::{EMBEDDED, Home, fails, lines, succeeds, until};

/// The score cache would answer what the journal is to answer.
const ARGS: [&str; 6] = ["eval", "--config", "small.toml", "--out", "out", "--no-cache"];

/// An experiment that takes some seconds.
fn home() -> Home {
    let home = Home::new();
    home.set(150, 60);
    let sweep = EMBEDDED.replace("depths = []", "depths = [5]\ntimed_queries = 5");
    home.config("kind = \"bm25\"\ndepth = 10", &sweep);
    home
}

/// The keys of the calls whose answers a segment of the journal holds.
fn answered(home: &Home, segment: &str) -> BTreeSet<String> {
    let lines = lines(&home.path(&format!("out/journal/{segment}")));
    let content = |line: &String| {
        let json = line.get(line.find('{')?..)?;
        // The last line may be half written.
        let json: Value = serde_json::from_str(json).ok()?;
        let done = json.get("done")?;
        // A call that Ctrl-C cut short is no answer, and is made again.
        done["outcome"].get("answer")?;
        Some(done["key"].as_str()?.to_owned())
    };
    lines.iter().filter_map(content).collect()
}

/// Starts the experiment and waits until it has answers of its own.
fn start(home: &Home, segment: &str, more: &[&str]) -> Child {
    let child = home.start(&mut home.command(&[&ARGS[..], more].concat()));
    until("answers in the journal", || answered(home, segment).len() >= 10);
    child
}

/// Ends it as `kill -9` does.
fn kill(mut child: Child) {
    assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A record without what a clock or a path decides.
fn timeless(mut record: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for clock in ["latency", "finished", "seconds", "table"] {
                    fields.remove(clock);
                }
                fields.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut record);
    record
}

#[test]
fn what_was_killed_goes_on_and_ends_the_same() {
    let home = home();
    kill(start(&home, "0001.jsonl", &[]));
    assert!(!home.path("out/record.json").exists());
    let first = answered(&home, "0001.jsonl");
    kill(start(&home, "0002.jsonl", &[]));
    // Nothing that was answered is asked again.
    let second = answered(&home, "0002.jsonl");
    assert_eq!(first.intersection(&second).count(), 0);

    succeeds(&home.run(&ARGS));
    assert!(!home.path("out/journal").exists());
    let resumed = home.json("out/record.json");
    let whole = home.eval("whole", &["--no-cache"]);
    assert_eq!(timeless(resumed), timeless(whole));
    assert!(!home.path("cache/scores").exists());
}

#[test]
fn a_journal_cut_in_a_line_is_read_up_to_it() {
    let home = home();
    kill(start(&home, "0001.jsonl", &[]));
    let journal = home.bytes("out/journal/0001.jsonl");
    home.write("out/journal/0001.jsonl", &journal[..journal.len() - 7]);
    let (kept, child) = (answered(&home, "0001.jsonl"), start(&home, "0002.jsonl", &[]));
    kill(child);
    assert_eq!(kept.intersection(&answered(&home, "0002.jsonl")).count(), 0);
}

#[test]
fn fresh_begins_anew() {
    let home = home();
    kill(start(&home, "0001.jsonl", &[]));
    let first = answered(&home, "0001.jsonl");
    kill(start(&home, "0002.jsonl", &["--fresh"]));
    assert!(!home.path("out/journal/0001.jsonl").exists());
    let again = answered(&home, "0002.jsonl");
    assert!(first.intersection(&again).count() > 0, "{first:?} {again:?}");
}

#[test]
fn two_processes_do_not_share_a_folder() {
    let home = home();
    let child = start(&home, "0001.jsonl", &[]);
    fails(&home.run(&ARGS), 1, "another process is running an experiment in 'out'");
    fails(&home.run(&["purge", "out"]), 1, "another process");
    assert!(!home.path("out/journal/0002.jsonl").exists());
    kill(child);
    // The lock went with its process.
    kill(start(&home, "0002.jsonl", &[]));
}

#[test]
fn another_experiment_does_not_take_an_unfinished_folder() {
    let home = home();
    kill(start(&home, "0001.jsonl", &[]));
    let journal = home.bytes("out/journal/0001.jsonl");
    let config = home.read("small.toml");
    home.write("small.toml", config.replace("\"small\"", "\"other\""));
    fails(&home.run(&ARGS), 1, "'small'");
    fails(&home.run(&[&ARGS[..], &["--fresh"]].concat()), 1, "'small'");
    assert_eq!(home.bytes("out/journal/0001.jsonl"), journal);

    let removed = succeeds(&home.run(&["purge", "out"]));
    assert!(removed.contains("files removed"), "{removed}");
    assert!(!home.path("out").exists());
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_was_finished() {
    let home = home();
    let child = start(&home, "0001.jsonl", &[]);
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    fails(&output, 1, "stopp");
    let first = answered(&home, "0001.jsonl");
    kill(start(&home, "0002.jsonl", &[]));
    assert_eq!(first.intersection(&answered(&home, "0002.jsonl")).count(), 0);
}
