//! Rerankers in ONNX files, end to end: the same scores as our own engine's, and what is said where
//! something is missing.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "onnx")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use support::{Home, fails, mean, stderr, succeeds};

/// Absolute, on logits.
const TOLERANCE: f64 = 1e-4;

/// The runtime's library: the one that the environment names, or the one of some Python.
fn library() -> Option<PathBuf> {
    let named = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from).filter(|path| path.exists());
    let found = named.or_else(|| {
        let script = "import glob, onnxruntime, os\n\
            print(glob.glob(os.path.dirname(onnxruntime.__file__) + '/capi/libonnxruntime.*')[0])";
        let output = Command::new("python3").args(["-c", script]).output().ok()?;
        let path = String::from_utf8(output.stdout).ok()?;
        Some(PathBuf::from(path.trim())).filter(|path| path.exists())
    });
    if found.is_none() {
        eprintln!("skipped: no ONNX Runtime library");
    }
    found
}

/// A model folder `NAME` from the golden files, with an ONNX file in it.
fn model(home: &Home, name: &str, onnx: &str, to: &str) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let bytes = std::fs::read(golden.join("models").join(name).join(file)).unwrap();
        home.write(&format!("{name}/{file}"), bytes);
    }
    home.write(&format!("{name}/{to}"), std::fs::read(golden.join("onnx").join(onnx)).unwrap());
}

fn run(home: &Home, library: Option<&Path>, args: &[&str]) -> Output {
    let mut command = home.command(args);
    for variable in ["ORT_DYLIB_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH"] {
        command.env_remove(variable);
    }
    if let Some(library) = library {
        command.env("ORT_DYLIB_PATH", library);
    }
    command.stdin(Stdio::null()).output().unwrap()
}

const DOCUMENTS: &str = "Open the invoice and choose Download.\n\
    A refund goes back to the card that paid.\n\
    Members are invited by their address, and owners may remove them. The plan counts every member \
    that signed in this month, guests too, and the invoice of the month names each.\n\
    export\n";

const RERANK: [&str; 6] =
    ["rerank", "--raw-scores", "--json", "--query", "export an invoice", "docs.txt"];

/// Logits by document.
fn scores(output: &Output) -> Vec<(String, f64)> {
    let json: Value = serde_json::from_str(&succeeds(output)).unwrap();
    let results = json["results"].as_array().unwrap().iter();
    let mut scores: Vec<_> = results
        .map(|result| {
            (result["id"].as_str().unwrap().to_owned(), result["score"].as_f64().unwrap())
        })
        .collect();
    scores.sort_by(|a, b| a.0.cmp(&b.0));
    scores
}

#[test]
fn scores_are_those_of_our_own_engine() {
    let Some(library) = library() else { return };
    let home = Home::new();
    home.write("docs.txt", DOCUMENTS);
    model(&home, "bert", "bert.onnx", "model.onnx");
    model(&home, "xlm-roberta-f16", "xlm-roberta-f16.onnx", "onnx/model.onnx");
    for name in ["bert", "xlm-roberta-f16"] {
        for more in [&[][..], &["--batch-tokens", "1"], &["--max-length", "12"]] {
            let args = [&RERANK[..], &["--model", name], more].concat();
            let own = scores(&run(&home, Some(&library), &args));
            let through = run(&home, Some(&library), &[&args[..], &["--onnx"]].concat());
            let onnx = scores(&through);
            assert_eq!(own.len(), 4);
            for ((document, own), (other, onnx)) in own.iter().zip(&onnx) {
                assert_eq!(document, other);
                assert!((own - onnx).abs() < TOLERANCE, "{name} {document}: {own} and {onnx}");
            }
            let spread = own.iter().map(|(_, score)| score).fold(f64::MIN, |a, b| a.max(*b))
                - own.iter().map(|(_, score)| score).fold(f64::MAX, |a, b| a.min(*b));
            assert!(spread > 0.1 || more == ["--max-length", "12"], "{name}: {spread}");
        }
    }
}

#[test]
fn a_quantized_file_says_what_it_is_and_scores_alike_in_any_batch() {
    let Some(library) = library() else { return };
    let home = Home::new();
    home.write("docs.txt", DOCUMENTS);
    model(&home, "bert", "bert-int8.onnx", "onnx/model_quantized.onnx");
    let named = "--onnx=onnx/model_quantized.onnx";
    let with = |tokens: &str| {
        let more = ["--model", "bert", named, "--batch-tokens", tokens];
        run(&home, Some(&library), &[&RERANK[..], &more].concat())
    };
    let output = with("4096");
    assert_eq!(scores(&output), scores(&with("1")));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let identity = &json["reranker"];
    assert_eq!(identity["dtype"], "int8");
    assert_eq!(identity["device"], "onnx");
    assert_eq!(identity["provider"], "onnxruntime");
    assert_eq!(identity["model"], "bert (onnx/model_quantized.onnx)");
    // The folder has safetensors too, and the hash is that of the file that scored.
    let f32 = run(&home, Some(&library), &[&RERANK[..], &["--model", "bert"]].concat());
    let f32: Value = serde_json::from_slice(&f32.stdout).unwrap();
    assert_ne!(identity["weights"], f32["reranker"]["weights"]);
    assert!(identity["weights"].is_string());
}

const TABLE: &str = "[[reranker]]\nname = \"onnx\"\nkind = \"onnx\"\nmodel = \"./bert\"\n\
    [[reranker]]\nname = \"own\"\nkind = \"cross-encoder\"\nmodel = \"./bert\"\n[sweep]\ndepths = []\n";

#[test]
fn an_experiment_holds_it_beside_our_own_engine() {
    let Some(library) = library() else { return };
    let home = Home::new();
    model(&home, "bert", "bert.onnx", "model.onnx");
    home.set(8, 20);
    home.config("kind = \"bm25\"\ndepth = 10", TABLE);
    let args = ["eval", "--config", "small.toml", "--out", "out"];
    succeeds(&run(&home, Some(&library), &args));
    let record = home.json("out/record.json");
    assert_eq!(mean(&record, "onnx", "nDCG@10"), mean(&record, "own", "nDCG@10"));
    // Scores of one are no scores of the other: each has its own weights' hash.
    let systems = record["systems"].as_array().unwrap();
    let identity = |name: &str| &systems.iter().find(|s| s["name"] == name).unwrap()["identity"];
    assert_ne!(identity("onnx")["weights"], identity("own")["weights"]);
    let again = run(&home, Some(&library), &["eval", "--config", "small.toml", "--out", "again"]);
    succeeds(&again);
    let again = home.json("again/record.json");
    assert_eq!(mean(&again, "onnx", "nDCG@10"), mean(&record, "onnx", "nDCG@10"));
}

#[test]
fn what_gives_no_score_is_refused() {
    let Some(library) = library() else { return };
    let home = Home::new();
    home.write("docs.txt", DOCUMENTS);
    let args = [&RERANK[..], &["--model", "bert", "--onnx"]].concat();
    model(&home, "bert", "nan.onnx", "model.onnx");
    fails(&run(&home, Some(&library), &args), 1, "NaN");
    model(&home, "bert", "two-classes.onnx", "model.onnx");
    fails(&run(&home, Some(&library), &args), 1, "num_labels = 1");
    home.write("bert/model.onnx", "version https://git-lfs.github.com/spec/v1\n");
    fails(&run(&home, Some(&library), &args), 1, "get the file again");
    model(&home, "bert", "external.onnx", "model.onnx");
    fails(&run(&home, Some(&library), &args), 1, "bert has no external.onnx_data");
}

#[test]
fn a_missing_file_and_a_missing_runtime_say_what_to_do() {
    let home = Home::new();
    home.write("docs.txt", DOCUMENTS);
    model(&home, "bert", "bert.onnx", "other.onnx");
    let args = [&RERANK[..], &["--model", "bert"]].concat();
    let missing = run(&home, None, &[&args[..], &["--onnx"]].concat());
    fails(
        &missing,
        1,
        "bert has no model.onnx or onnx/model.onnx; name the file, or export the model",
    );
    let outside = run(&home, None, &[&args[..], &["--onnx=../other.onnx"]].concat());
    fails(&outside, 2, "'../other.onnx' is no file of a model's folder");
    let both = run(&home, None, &[&args[..], &["--onnx", "--device", "cpu"]].concat());
    fails(&both, 2, "cannot be used with");

    let nowhere = home.path("nowhere.so");
    let named = run(&home, Some(&nowhere), &[&args[..], &["--onnx=other.onnx"]].concat());
    fails(&named, 2, "it is not there; `pip install onnxruntime`");
    let plain = run(&home, None, &[&args[..], &["--onnx=other.onnx"]].concat());
    // A machine may have the library where its loader looks.
    if !plain.status.success() {
        fails(&plain, 2, "no ONNX Runtime library was found; `pip install onnxruntime`");
        assert!(stderr(&plain).contains("ORT_DYLIB_PATH"));
    }
}

#[test]
fn keys_of_another_kind_are_refused() {
    let home = Home::new();
    home.set(2, 4);
    for (line, message) in [
        ("device = \"cpu\"", "reranker 1.device"),
        ("dtype = \"f32\"", "reranker 1.dtype"),
        ("region = \"eu\"", "reranker 1.region"),
        ("file = \" \"", "reranker 1.file"),
    ] {
        let table =
            format!("[[reranker]]\nname = \"a\"\nkind = \"onnx\"\nmodel = \"./m\"\n{line}\n");
        home.config("kind = \"bm25\"", &table);
        fails(&home.run(&["eval", "--config", "small.toml"]), 2, message);
    }
    let own =
        "[[reranker]]\nname = \"a\"\nkind = \"cross-encoder\"\nmodel = \"./m\"\nfile = \"x\"\n";
    home.config("kind = \"bm25\"", own);
    fails(&home.run(&["eval", "--config", "small.toml"]), 2, "reranker 1.file");
}
