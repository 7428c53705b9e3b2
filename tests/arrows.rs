//! The arrows of ARCHITECTURE.md, held against `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What each room may know. A room that is missing here, or knows more, fails the test.
const ARROWS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("text", &["core"]),
    ("kernels", &[]),
    ("model", &["core", "text", "kernels"]),
    ("onnx", &["core", "text"]),
    ("data", &["core"]),
    ("http", &["core"]),
    ("retrieval", &["core", "text", "http"]),
    ("rerankers", &["core", "text", "http"]),
    ("evaluation", &["core"]),
    ("finetune", &["core", "text", "data", "evaluation"]),
    ("report", &["core", "evaluation"]),
    ("mock", &["core"]),
    (
        "cli",
        &[
            "core",
            "text",
            "model",
            "kernels",
            "onnx",
            "data",
            "http",
            "mock",
            "retrieval",
            "rerankers",
            "evaluation",
            "finetune",
            "report",
        ],
    ),
];

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

/// For each room, the names of all its dependencies outside tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |value: &serde_json::Value| value.as_str().expect("a string").to_owned();
    packages
        .iter()
        .map(|package| {
            let known = package["dependencies"].as_array().expect("dependencies").iter();
            let known =
                known.filter(|known| known["kind"] != "dev").map(|known| text(&known["name"]));
            (text(&package["name"]), known.collect())
        })
        .collect()
}

#[test]
fn rooms_know_only_whom_they_may() {
    let dependencies = dependencies();
    let rooms: BTreeSet<&str> =
        dependencies.keys().filter_map(|name| name.strip_prefix("secondpass-")).collect();
    assert_eq!(rooms, ARROWS.iter().map(|(room, _)| *room).collect());
    for (room, allowed) in ARROWS {
        for known in &dependencies[&format!("secondpass-{room}")] {
            let Some(known) = known.strip_prefix("secondpass-") else { continue };
            assert!(allowed.contains(&known), "{room} may not know {known}: see ARCHITECTURE.md");
        }
    }
}

#[test]
fn only_the_model_names_burn() {
    for (package, known) in dependencies() {
        let burn = known.iter().any(|name| name == "burn" || name.starts_with("burn-"));
        assert_eq!(burn, package == "secondpass-model", "{package}");
    }
}

#[test]
fn only_the_onnx_room_names_its_runtime() {
    for (package, known) in dependencies() {
        assert_eq!(known.contains("ort"), package == "secondpass-onnx", "{package}");
    }
}

#[test]
fn only_the_binary_and_the_cli_reach_the_model() {
    for (package, known) in dependencies() {
        if known.contains("secondpass-model") {
            assert_eq!(package, "secondpass-cli");
        }
        if known.contains("secondpass-cli") {
            assert_eq!(package, "secondpass");
        }
    }
}
