//! What `doctor` says of a machine: something to do on every line, and no key's value anywhere.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::{Home, fails, stderr, succeeds};

/// Part of every key that these tests set.
const SECRET: &str = "sk-0123456789-secret";

fn findings(text: &str) -> Vec<Value> {
    let json: Value = serde_json::from_str(text).unwrap();
    json["findings"].as_array().unwrap().clone()
}

#[track_caller]
fn finding(findings: &[Value], section: &str, name: &str) -> Value {
    let found = findings.iter().find(|found| found["section"] == section && found["name"] == name);
    found.unwrap_or_else(|| panic!("nothing on {section} {name}")).clone()
}

/// Nothing of the machine's own but its processor and its memory.
fn doctor(home: &Home, args: &[&str]) -> std::process::Command {
    let mut command = home.command(&[&["doctor"], args].concat());
    for variable in ["ORT_DYLIB_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "HF_TOKEN", "HF_HOME"] {
        command.env_remove(variable);
    }
    command.env_remove("HF_HUB_OFFLINE").env("HF_HUB_CACHE", home.path("hub"));
    command
}

#[test]
fn every_line_says_what_to_do() {
    let home = Home::new();
    let lines = succeeds(&doctor(&home, &[]).output().unwrap());
    for section in ["devices", "memory", "runtimes", "models", "caches", "keys"] {
        assert!(lines.lines().any(|line| line == section), "{section} is not in {lines}");
    }
    let said = findings(&succeeds(&doctor(&home, &["--json"]).output().unwrap()));
    assert_eq!(lines.matches('→').count(), said.len());
    assert!(said.iter().all(|finding| !finding["advice"].as_str().unwrap().is_empty()));

    let cpu = finding(&said, "devices", "cpu");
    assert!(cpu["cores"].as_u64().unwrap() >= 1);
    assert!(cpu["instruction_sets"].as_array().unwrap().contains(&cpu["used"]));
    let memory = finding(&said, "memory", "memory");
    if memory["total"].is_u64() {
        assert!(memory["available"].as_u64() <= memory["total"].as_u64());
    }
    assert!(memory["large_model_needs"].as_u64().unwrap() > 2_000_000_000);
    let caches = finding(&said, "caches", "folder");
    assert_eq!(caches["folder"].as_str().unwrap(), home.path("cache").to_str().unwrap());
    assert!(!home.path("cache").exists(), "looking makes nothing");
}

#[test]
fn keys_are_told_by_their_names_alone() {
    let home = Home::new();
    let variables =
        ["COHERE_API_KEY", "JINA_API_KEY", "AWS_ACCESS_KEY_ID", "PINECONE_API_KEY", "HF_TOKEN"];
    for args in [&[][..], &["--json"]] {
        let mut command = doctor(&home, args);
        for variable in variables {
            command.env(variable, format!("{variable}-{SECRET}"));
        }
        let output = command.output().unwrap();
        let shown = succeeds(&output);
        assert!(!shown.contains("secret") && !stderr(&output).contains("secret"), "{shown}");
        for variable in variables {
            assert!(shown.contains(variable), "{variable} is not in {shown}");
        }
        if args.is_empty() {
            continue;
        }
        let said = findings(&shown);
        assert_eq!(finding(&said, "keys", "cohere")["state"], "ok");
        assert_eq!(finding(&said, "keys", "voyage")["state"], "absent");
        assert_eq!(finding(&said, "keys", "bedrock")["state"], "warning");
    }
}

#[test]
fn models_in_the_cache_are_whole_or_not() {
    let home = Home::new();
    let whole = "hub/models--some--reranker/snapshots/1";
    for (file, content) in
        [("config.json", "{}"), ("tokenizer.json", "{}"), ("model.safetensors", "12345678")]
    {
        home.write(&format!("{whole}/{file}"), content);
    }
    home.write("hub/models--cut--reranker/snapshots/1/config.json", "{}");
    let said = findings(&succeeds(&doctor(&home, &["--json"]).output().unwrap()));
    let model = finding(&said, "models", "some/reranker");
    assert_eq!((&model["complete"], &model["bytes"]), (&true.into(), &12.into()));
    let cut = finding(&said, "models", "cut/reranker");
    assert_eq!(cut["state"], "warning");
    assert!(cut["advice"].as_str().unwrap().contains("hf download cut/reranker"));
}

#[test]
fn what_was_asked_for_and_is_broken_fails() {
    let home = Home::new();
    let mut command = doctor(&home, &[]);
    command.env("SECONDPASS_CACHE", home.path("file"));
    home.write("file", "in place of a folder");
    fails(&command.output().unwrap(), 1, "asked for and not usable: folder");

    let said = findings(&succeeds(&doctor(&home, &["--json"]).output().unwrap()));
    let needed = doctor(&home, &["--need", "cuda"]).output().unwrap();
    match finding(&said, "devices", "cuda")["state"] == "ok" {
        true => drop(succeeds(&needed)),
        false => fails(&needed, 1, "asked for and not usable: cuda"),
    }
    fails(&doctor(&home, &["--need", "luck"]).output().unwrap(), 2, "luck");
}

#[cfg(feature = "onnx")]
#[test]
fn a_runtime_that_is_named_and_not_there_fails() {
    let home = Home::new();
    let mut command = doctor(&home, &[]);
    command.env("ORT_DYLIB_PATH", home.path("nowhere.so"));
    let output = command.output().unwrap();
    fails(&output, 1, "asked for and not usable: onnxruntime");
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("nowhere.so") && shown.contains("pip install onnxruntime"), "{shown}");
}
