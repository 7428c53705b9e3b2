//! `secondpass calibrate` as a user runs it.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::{EMBEDDED, Home, fails, succeeds};

const QUERIES: usize = 40;

/// A set with the splits `dev`, `test` and `other`, in each of which every fourth query has nothing
/// that answers it.
fn home() -> Home {
    let home = Home::new();
    home.set(3 * QUERIES, 60);
    home.config("kind = \"bm25\"\ndepth = 5", EMBEDDED);
    let qrels = home.read("set/qrels/test.tsv");
    let mut lines = qrels.lines();
    let head = lines.next().unwrap();
    let lines: Vec<&str> = lines.collect();
    for (split, lines) in ["dev", "test", "other"].iter().zip(lines.chunks(2 * QUERIES)) {
        let has_answer = |(number, line): (usize, &&str)| {
            let is_relevant = line.ends_with("\t1");
            (!is_relevant || (number / 2) % 4 != 0).then(|| (*line).to_owned())
        };
        let kept: Vec<String> = lines.iter().enumerate().filter_map(has_answer).collect();
        let file = format!("set/qrels/{split}.tsv");
        home.write(&file, format!("{head}\n{}\n", kept.join("\n")));
    }
    home
}

fn calibrate(home: &Home, more: &[&str]) -> Value {
    let args = [&["calibrate", "--config", "small.toml", "--json"], more].concat();
    serde_json::from_str(&succeeds(&home.run(&args))).unwrap()
}

#[test]
fn fitted_on_dev_and_told_of_test() {
    let home = home();
    let told = calibrate(&home, &["--precision", "0.5", "--out", "calibration.json"]);
    assert_eq!(told, home.json("calibration.json"));
    assert_eq!(told["model"]["model"], "helpdesk-mini");
    let (fitted, report) = (&told["calibration"], &told["report"]);
    assert_eq!(fitted["dev"]["queries"], QUERIES);
    assert_eq!(report["abstention"]["queries"], QUERIES);
    for split in [&fitted["dev"], &report["abstention"]] {
        assert_eq!(split["no_answer"]["queries"], QUERIES / 4);
    }
    for error in ["ece", "brier", "base_rate"] {
        let value = report["pairs"][error].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&value), "{error}: {value}");
    }

    // Another test split changes nothing of what was fitted.
    let other = calibrate(&home, &["--precision", "0.5", "--test", "other"]);
    assert_eq!(&other["calibration"], fitted);
    assert_ne!(&other["report"], report);
    // Another dev split does.
    let other = calibrate(&home, &["--precision", "0.5", "--dev", "other"]);
    assert_ne!(&other["calibration"], fitted);
}

#[test]
fn a_table_for_people() {
    let home = home();
    let table =
        succeeds(&home.run(&["calibrate", "--config", "small.toml", "--precision", "0.01"]));
    assert!(table.contains("ECE") && table.contains("no answer: kept silent"), "{table}");
    assert!(table.contains("chosen on dev for a precision of 0.01"), "{table}");
    assert!(table.contains("fitted on") && table.contains("reported on test"), "{table}");
}

#[test]
fn what_cannot_be_calibrated_is_refused() {
    let home = home();
    let calibrate =
        |more: &[&str]| home.run(&[&["calibrate", "--config", "small.toml"], more].concat());
    fails(&calibrate(&["--dev", "test"]), 2, "both 'test'");
    fails(&calibrate(&["--reranker", "maxi"]), 2, "no reranker 'maxi'; it has: mini");
    fails(&calibrate(&["--dev", "train"]), 1, "train");
    fails(&calibrate(&["--precision", "x"]), 2, "--precision");
    // The same queries in both splits.
    home.write("set/qrels/dev.tsv", home.read("set/qrels/test.tsv"));
    fails(&calibrate(&["--out", "calibration.json"]), 1, "q40");
    assert!(!home.path("calibration.json").exists());
}
