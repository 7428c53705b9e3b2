//! `secondpass finetune` end to end: what it says before it begins, what it leaves, and how it fails.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
#[cfg(unix)]
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use support::finetune::{TRAIN, home, recipe};
use support::{Home, fails, stderr, succeeds};

fn names(home: &Home, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(home.path(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_dry_run_writes_nothing() {
    let home = home();
    let told = succeeds(&home.run(&[&TRAIN[..], &["--dry-run"]].concat()));
    for line in ["recipe", "steps         6 of 4 groups", "lengths", "evaluations of", "time"] {
        assert!(told.contains(line), "'{line}' is not in:\n{told}");
    }
    let json = succeeds(&home.run(&[&TRAIN[..], &["--dry-run", "--json"]].concat()));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["steps"].as_u64(), json["evaluations"].as_u64()), (Some(6), Some(3)));
    assert!(!home.path("model").exists() && !home.path(".model.state").exists());
}

#[test]
fn what_is_left_is_a_model_and_its_record() {
    let home = home();
    let told = succeeds(&home.run(&TRAIN));
    assert!(told.contains("best dev RR") && told.contains("held out: RR"), "{told}");
    assert_eq!(
        names(&home, "model"),
        [
            "README.md",
            "config.json",
            "model.safetensors",
            "recipe.toml",
            "report",
            "special_tokens_map.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "training.json"
        ]
    );
    assert!(!home.path(".model.state").exists(), "a finished run has nothing to go on from");
    let record = home.json("model/training.json");
    assert_eq!(record["steps"].as_array().unwrap().len(), 6);
    assert_eq!(record["tested"][0]["name"], "held out");
    assert_eq!(record["tested"][0]["before"], serde_json::Value::Null, "its head was random");
    let page = home.read("model/report/training.html");
    assert!(page.contains("chart-training-loss") && page.contains("held out"));
    let card = home.read("model/README.md");
    assert!(card.starts_with("---\npipeline_tag: text-ranking\n"), "{card}");
    assert!(card.contains("| held out | RR | 8 |"), "{card}");
    let config = home.json("model/config.json");
    assert_eq!(config["architectures"][0], "XLMRobertaForSequenceClassification");
    assert_eq!(home.json("model/tokenizer_config.json")["model_max_length"], 40);
    fails(&home.run(&TRAIN), 1, "model exists and is not empty");
    others_load_it(&home);
}

/// A BERT reads which tokens are the query's: whoever loads it must give it those, too.
#[test]
fn a_bert_from_bare_files_is_loaded_by_others() {
    let home = home();
    let bert = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/models/bert");
    let recipe = home.read("tiny.toml");
    let (start, rest) = (recipe.find("[model]").unwrap(), recipe.find("[data]").unwrap());
    let model = format!("[model]\nkind = \"folder\"\npath = \"{bert}\"\nhead = \"kept\"\n");
    home.write("tiny.toml", format!("{}{model}{}", &recipe[..start], &recipe[rest..]));
    succeeds(&home.run(&TRAIN));
    let inputs = &home.json("model/tokenizer_config.json")["model_input_names"];
    assert_eq!(inputs, &serde_json::json!(["input_ids", "token_type_ids", "attention_mask"]));
    assert_eq!(home.json("model/config.json")["dtype"], "float32");
    others_load_it(&home);
}

/// transformers and sentence-transformers, where there is a Python that has them.
fn others_load_it(home: &Home) {
    let Ok(python) = std::env::var("SECONDPASS_REFERENCE_PYTHON") else {
        eprintln!("skipped: no SECONDPASS_REFERENCE_PYTHON");
        return;
    };
    let documents = ["bakelit moralit", "numokat", "raket balit kemot nuranit likebat"];
    let query = "bakelit numokat";
    let pairs: Vec<_> = documents.iter().map(|document| [query, document]).collect();
    home.write("pairs.json", serde_json::to_vec(&pairs).unwrap());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/finetune/loads.py");
    let output = Command::new(python)
        .args([script, "model", "pairs.json"])
        .current_dir(home.path("."))
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .unwrap();
    let theirs: serde_json::Value = serde_json::from_str(&succeeds(&output)).unwrap();
    assert_eq!(theirs["max_length"], 40);
    let lines: Vec<String> = documents
        .iter()
        .enumerate()
        .map(|(id, text)| serde_json::json!({ "id": id.to_string(), "text": text }).to_string())
        .collect();
    let args = ["rerank", "--model", "model", "--device", "cpu", "--query", query, "--json"];
    let args = [&args[..], &["--raw-scores", "--max-length", "40"]].concat();
    let ours = succeeds(&home.run_on(&lines.join("\n"), &args));
    let ours: serde_json::Value = serde_json::from_str(&ours).unwrap();
    for result in ours["results"].as_array().unwrap() {
        let (id, score) = (result["id"].as_str().unwrap(), result["score"].as_f64().unwrap());
        for tool in ["transformers", "sentence_transformers"] {
            let other = theirs[tool][id.parse::<usize>().unwrap()].as_f64().unwrap();
            assert!((score - other).abs() < 1e-4, "{tool}, {id}: {other}, ours {score}");
        }
    }
}

#[test]
fn faults_are_told() {
    let home = home();
    home.write("blocked", "a file");
    let out = ["finetune", "--config", "tiny.toml", "--out", "blocked/model", "--device", "cpu"];
    fails(&home.run(&out), 1, "cannot write the checkpoint");
    let corpus = home.read("set/corpus.jsonl");
    let first = corpus.lines().next().unwrap();
    let text = first.split("\"text\": \"").nth(1).unwrap().split('"').next().unwrap();
    home.write("set/corpus.jsonl", corpus.replacen(text, " ", 1));
    fails(&home.run(&TRAIN), 1, "document 'd0' of query 'q0' has no text");
    home.write("tiny.toml", recipe("[loss]\nkind = \"hinge\"\n"));
    fails(&home.run(&TRAIN), 2, "key 'loss.kind' is 'hinge'");
    assert!(!home.path("model").exists());
}

/// Killed again and again, at whatever moment, the same command comes to the same model.
#[cfg(unix)]
#[test]
fn killed_at_any_moment_it_comes_to_the_same_model() {
    let home = home();
    succeeds(&home.run(&TRAIN));
    let weights = home.bytes("model/model.safetensors");
    fs::remove_dir_all(home.path("model")).unwrap();
    for milliseconds in [40, 90, 160, 240, 330, 430, 540, 660] {
        let mut child = home.start(home.command(&TRAIN).stdin(Stdio::null()));
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        let _ = child.kill();
        let ended = child.wait_with_output().unwrap();
        if ended.status.success() {
            break;
        }
    }
    if !home.path("model/training.json").exists() || home.path(".model.state").exists() {
        let output = home.run(&TRAIN);
        let is_there_already = stderr(&output).contains("exists and is not empty");
        if is_there_already {
            // Killed by a learner that keeps no states: what it left is not overwritten.
            eprintln!("skipped: this learner keeps no states");
            return;
        }
        succeeds(&output);
    }
    assert_eq!(home.bytes("model/model.safetensors"), weights);
}

/// A run that is killed some milliseconds after it says that a phase has begun; whether it was done before.
#[cfg(unix)]
fn killed_after(home: &Home, said: &str, milliseconds: u64) -> bool {
    let mut child = home.start(home.command(&TRAIN).stdin(Stdio::null()));
    // Held until it is dead: who writes where nobody reads dies of that.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let has_begun = lines.by_ref().map_while(Result::ok).any(|line| line.contains(said));
    std::thread::sleep(std::time::Duration::from_millis(milliseconds));
    let _ = child.kill();
    let is_done = child.wait().unwrap().success();
    assert!(has_begun || is_done, "it never says '{said}'");
    is_done
}

/// In each phase: first scores, steps, the last step, tests, and while what is left is written.
#[cfg(unix)]
#[test]
fn killed_in_each_phase_it_comes_to_the_same_model() {
    let home = home();
    succeeds(&home.run(&TRAIN));
    let told = |home: &Home| {
        let record = home.json("model/training.json");
        (record["evaluations"].clone(), record["tested"].clone())
    };
    let (weights, record) = (home.bytes("model/model.safetensors"), told(&home));
    fs::remove_dir_all(home.path("model")).unwrap();
    let is_done = |home: &Home| {
        home.path("model/training.json").exists() && !home.path(".model.state").exists()
    };
    let phases = ["parameters on cpu", "step 0: dev", "step 3: dev", "step 6: dev"];
    let tests = [0, 2, 5, 10, 20].map(|milliseconds| ("testing on", milliseconds));
    for (said, milliseconds) in phases.map(|said| (said, 0)).into_iter().chain(tests) {
        let is_over = killed_after(&home, said, milliseconds) || is_done(&home);
        if is_over {
            break;
        }
    }
    if !is_done(&home) {
        succeeds(&home.run(&TRAIN));
    }
    assert_eq!(home.bytes("model/model.safetensors"), weights);
    assert_eq!(told(&home), record);
    assert!(home.path("model/report/training.html").exists());
    assert!(!home.path(".model.state").exists());
}
