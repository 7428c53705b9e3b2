//! `secondpass rerank` as a user runs it, on the small golden models.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/models").join(name)
}

fn rerank(model: &Path, args: &[&str], documents: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_secondpass"))
        .args(["rerank", "--model", model.to_str().unwrap()])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its flags does not read.
    let _ = child.stdin.take().unwrap().write_all(documents.as_bytes());
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn fails(output: &Output, code: i32, message: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(error.contains(message), "{error}");
    assert!(output.stdout.is_empty());
}

/// The goldens' own pairs: what transformers scored, the whole program must score.
#[test]
fn scores_are_the_references() {
    for name in ["xlm-roberta", "roberta", "bert"] {
        let text = std::fs::read_to_string(golden(name).join("golden.json")).unwrap();
        let text: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut compared = 0;
        for case in text["cases"].as_array().unwrap().iter().take(10) {
            let query = case["query"].as_str().unwrap();
            if query.trim().is_empty() {
                continue;
            }
            let document = serde_json::json!({"text": case["document"], "id": "d"}).to_string();
            let length = case["max_length"].to_string();
            let truncation = case["truncation"].as_str().unwrap();
            let args = ["--query", query, "--json", "--raw-scores", "--max-length", &length];
            let args = [&args[..], &["--truncation", truncation]].concat();
            let output = rerank(&golden(name), &args, &document);
            let json: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
            let (found, expected) = (&json["results"][0]["score"], &case["logit"]);
            let error = found.as_f64().unwrap() - expected.as_f64().unwrap();
            assert!(error.abs() <= 1e-4, "{name}: {found} for {expected}");
            compared += 1;
        }
        assert!(compared >= 5, "{name}: only {compared} cases");
    }
}

#[test]
fn ranks_lines_best_first() {
    let output = rerank(
        &golden("xlm-roberta"),
        &["--query", "hello", "--json", "--timings"],
        "one\n\ntwo\nthree hundred\n",
    );
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let results = json["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    let scores: Vec<f64> = results.iter().map(|r| r["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
    assert_eq!(json["reranker"]["device"], "cpu");
    assert_eq!(json["truncation"]["pairs"], 3);
    assert!(json["timings_seconds"]["load"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_table_for_people_and_a_note_on_what_was_cut() {
    let documents = "{\"id\": \"a\", \"title\": \"Title\", \"text\": \"some text\"}\n\
        {\"id\": \"b\", \"text\": \"word word word word word word word word word word word word word\"}\n";
    let args = ["--query", "some", "--max-length", "16", "--top-n", "1", "--timings"];
    let output = rerank(&golden("bert"), &args, documents);
    let table = stdout(&output);
    assert!(table.contains("rank") && table.contains("document"), "{table}");
    assert_eq!(table.lines().filter(|line| line.contains(" 1 ")).count(), 1, "{table}");
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(notes.contains("1 of 2 pairs were cut to 16 tokens"), "{notes}");
    assert!(notes.contains("tokenize"), "{notes}");
}

#[test]
fn bad_flags_are_usage_errors() {
    let model = golden("xlm-roberta");
    fails(&rerank(&model, &["--query", " "], "x"), 2, "--query is empty");
    fails(&rerank(&model, &["--query", "q", "--device", "tpu"], "x"), 2, "unknown device 'tpu'");
    fails(&rerank(&model, &["--query", "q", "--truncation", "left"], "x"), 2, "document-only");
    fails(&rerank(&model, &["--query", "q", "--top-n", "0"], "x"), 2, "--top-n");
    fails(&rerank(&model, &["--query", "q", "--max-length", "65"], "x"), 2, "64 positions");
    fails(&rerank(&model, &["--query", "q", "--max-length", "4"], "x"), 2, "leaves no room");
}

#[test]
fn what_is_not_there_is_named() {
    let model = golden("xlm-roberta");
    fails(&rerank(&model, &["--query", "q"], ""), 1, "standard input");
    fails(&rerank(&model, &["--query", "q", "nowhere.txt"], ""), 1, "nowhere.txt");
    fails(&rerank(&model, &["--query", "q"], "{\"text\": \"x\"}\n{\"text\""), 1, "line 2");
    fails(&rerank(Path::new("./nowhere"), &["--query", "q"], "x"), 1, "nowhere");
    fails(&rerank(&golden("headless"), &["--query", "q"], "x"), 1, "no classification head");
    fails(&rerank(&model, &["--query", "q", "--dtype", "f16"], "x"), 2, "--dtype f32");
    let long = "word ".repeat(100);
    let args = ["--query", "q", "--truncation", "error"];
    fails(&rerank(&model, &args, &long), 1, "document '1' makes a pair of");
}

#[cfg(not(feature = "cuda"))]
#[test]
fn no_silent_fallback_from_cuda() {
    let args = ["--query", "q", "--device", "cuda"];
    fails(&rerank(&golden("xlm-roberta"), &args, "x"), 2, "--features cuda");
}
