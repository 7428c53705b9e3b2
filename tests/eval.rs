//! `secondpass eval` and `quickstart` as a user runs them.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

/// Runs at the root of the repository, with its caches in the test's own folder.
fn secondpass(folder: &tempfile::TempDir, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_secondpass"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("SECONDPASS_CACHE", folder.path().join("cache"))
        .output()
        .unwrap()
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn fails(output: &Output, code: i32, message: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(error.contains(message), "{error}");
}

/// A BEIR folder of three documents and two queries, and an experiment over it.
fn small_set(folder: &Path, more: &str) -> String {
    let set = folder.join("set");
    std::fs::create_dir_all(set.join("qrels")).unwrap();
    let corpus = r#"{"_id": "a", "title": "Invoices", "text": "export invoices as csv"}
{"_id": "b", "title": "Reports", "text": "export reports as pdf"}
{"_id": "c", "title": "Refunds", "text": "refund a payment"}
"#;
    std::fs::write(set.join("corpus.jsonl"), corpus).unwrap();
    let queries = r#"{"_id": "1", "text": "export invoices", "metadata": {"kind": "plain"}}
{"_id": "2", "text": "refund payment", "metadata": {"kind": "plain"}}
"#;
    std::fs::write(set.join("queries.jsonl"), queries).unwrap();
    std::fs::write(
        set.join("qrels/test.tsv"),
        "query-id\tcorpus-id\tscore\n1\ta\t1\n1\tb\t0\n2\tc\t1\n",
    )
    .unwrap();
    let config = format!(
        "name = \"small\"\nmeasures = [\"nDCG@10\", \"R@5\"]\nprimary = \"nDCG@10\"\nslices = [\"kind\"]\n\
         [dataset]\nkind = \"beir\"\npath = \"set\"\nsplit = \"test\"\n\
         [first_stage]\nkind = \"bm25\"\ndepth = 5\n{more}"
    );
    let path = folder.join("small.toml");
    std::fs::write(&path, config).unwrap();
    path.to_str().unwrap().to_owned()
}

fn reranker() -> String {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/models/xlm-roberta");
    format!(
        "[[reranker]]\nname = \"random\"\nkind = \"cross-encoder\"\nmodel = \"{}\"\n",
        model.display()
    )
}

#[test]
fn an_experiment_leaves_a_record_a_table_and_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let config = small_set(folder.path(), &reranker());
    let out = folder.path().join("out");
    let args = ["eval", "--config", &config, "--out", out.to_str().unwrap()];
    let summary = succeeds(&secondpass(&folder, &args));
    assert!(summary.contains("nDCG@10") && summary.contains("oracle"), "{summary}");
    for file in ["record.json", "queries.parquet", "report.md", "report.html"] {
        assert!(out.join(file).metadata().unwrap().len() > 0, "{file}");
    }
    for chart in ["quality", "changes", "latency", "quality-latency"] {
        for ending in ["svg", "png"] {
            let file = out.join("charts").join(chart).with_extension(ending);
            assert!(file.is_file(), "{}", file.display());
        }
    }

    let record = std::fs::read_to_string(out.join("record.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let names: Vec<_> = record["systems"].as_array().unwrap().iter().map(|s| &s["name"]).collect();
    assert_eq!(names, ["first stage", "random", "oracle"]);
    assert_eq!(record["systems"][0]["quality"][0]["mean"], 1.0);
    assert!(record["systems"][1]["identity"]["weights"].is_string());

    // A rerun replaces its own, another experiment does not.
    succeeds(&secondpass(&folder, &args));
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("\"small\"", "\"other\"")).unwrap();
    let before = std::fs::read(out.join("record.json")).unwrap();
    fails(&secondpass(&folder, &args), 1, "small");
    assert_eq!(std::fs::read(out.join("record.json")).unwrap(), before);
}

#[test]
fn expectations_decide_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let expect = |value: &str| {
        format!(
            "[[expect]]\nsystem = \"first stage\"\nmeasure = \"nDCG@10\"\nvalue = {value}\ntolerance = 0.01\n"
        )
    };
    let out = folder.path().join("out");
    let config = small_set(folder.path(), &expect("1.0"));
    let args = ["eval", "--config", &config, "--out", out.to_str().unwrap()];
    succeeds(&secondpass(&folder, &args));
    small_set(folder.path(), &expect("0.5"));
    fails(&secondpass(&folder, &args), 1, "1 of 1 expected figures were not met");
}

#[test]
fn defects_are_named_with_file_and_place() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let config = small_set(folder.path(), "");
    let args = ["eval", "--config", &config, "--out", out.to_str().unwrap()];
    let spoil = |file: &str, text: &[u8]| {
        small_set(folder.path(), "");
        std::fs::write(folder.path().join("set").join(file), text).unwrap();
    };
    spoil(
        "corpus.jsonl",
        b"{\"_id\": \"a\", \"text\": \"x\"}\n{\"_id\": \"a\", \"text\": \"y\"}\n",
    );
    fails(&secondpass(&folder, &args), 1, "line 2");
    spoil("corpus.jsonl", b"{\"_id\": \"a\", \"text\": \"\xff\"}\n");
    fails(&secondpass(&folder, &args), 1, "line 1");
    spoil("queries.jsonl", b"{\"_id\": \"1\"");
    fails(&secondpass(&folder, &args), 1, "queries.jsonl");
    spoil("qrels/test.tsv", b"query-id\tcorpus-id\tscore\n1\tnobody\t1\n");
    fails(&secondpass(&folder, &args), 1, "nobody");
    spoil("corpus.jsonl", b"");
    fails(&secondpass(&folder, &args), 1, "corpus.jsonl");
    assert!(!out.join("record.json").exists());

    fails(&secondpass(&folder, &["eval", "--config", "nowhere.toml"]), 2, "nowhere.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    for name in ["../escape", "/tmp/escape", "a\\nb", ".", ""] {
        std::fs::write(&config, text.replace("\"small\"", &format!("\"{name}\""))).unwrap();
        fails(&secondpass(&folder, &args), 2, "name");
    }
    small_set(folder.path(), "surprise = 1\n");
    fails(&secondpass(&folder, &args), 2, "surprise");
    small_set(folder.path(), &reranker().replace("\"cross-encoder\"", "\"magic\""));
    fails(&secondpass(&folder, &args), 2, "magic");
    let on_tpu = format!("{}device = \"tpu\"\n", reranker());
    small_set(folder.path(), &on_tpu);
    fails(&secondpass(&folder, &args), 2, "tpu");
}

#[test]
fn scifact_as_anserini() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join("../shared/data/scifact").exists() {
        println!("skipped: no ../shared");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let args = ["eval", "--config", "configs/scifact-bm25.toml", "--out", out.to_str().unwrap()];
    // The config expects nDCG@10 and R@100; a figure that is off is a failure.
    succeeds(&secondpass(&folder, &args));
}

#[test]
fn quickstart_runs_on_what_the_program_carries() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let summary = succeeds(&secondpass(&folder, &["quickstart", "--out", out.to_str().unwrap()]));
    assert!(summary.contains("Demonstration:"), "{summary}");
    assert!(summary.contains("report.html"), "{summary}");
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(html.contains("predict nothing"));
    let record = std::fs::read_to_string(out.join("record.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let names: Vec<_> = record["systems"].as_array().unwrap().iter().map(|s| &s["name"]).collect();
    assert_eq!(names, ["first stage", "helpdesk-mini", "oracle"]);
    assert!(record["systems"][1]["latency"]["p50"].as_f64().unwrap() > 0.0);
    assert_eq!(record["systems"][1]["failures"].as_object().unwrap().len(), 0);
}

#[test]
fn a_reranker_that_fails_is_no_loser_but_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let too_short = format!("{}max_length = 6\ntruncation = \"error\"\n", reranker());
    let config = small_set(folder.path(), &too_short);
    let args = ["eval", "--config", &config, "--out", out.to_str().unwrap()];
    let output = secondpass(&folder, &args);
    fails(&output, 1, "2 of 2 queries of 'random' failed");
    fails(&output, 1, "over the limit of 6");
    let report = std::fs::read_to_string(out.join("report.md")).unwrap();
    assert!(report.contains("is not compared") && !report.contains("worse than"), "{report}");
}

#[test]
fn a_failed_run_leaves_no_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let config = small_set(folder.path(), "");
    std::fs::remove_file(folder.path().join("set/corpus.jsonl")).unwrap();
    fails(
        &secondpass(&folder, &["eval", "--config", &config, "--out", out.to_str().unwrap()]),
        1,
        "corpus.jsonl",
    );
    assert!(!out.exists());
}
