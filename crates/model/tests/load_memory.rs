//! Loading needs little memory beside the weights. A sixth of bge-reranker-v2-m3's shape: as wide,
//! a sixth of its vocabulary, 4 of its 24 layers. The only test of its process, so that nothing else
//! takes memory while it looks.

#![cfg(target_os = "linux")]
// What fails here fails a test.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use secondpass_model::{DeviceSpec, Dtype, Head, Model};

const HIDDEN: usize = 1024;
const LAYERS: usize = 4;
const VOCABULARY: usize = 250_002 / 6;
const POSITIONS: usize = 8194;
const WIDE: usize = 4096;

/// How much anonymous memory may be used at most, relative to the parameters' bytes.
const LIMIT: f64 = 1.3;

#[test]
fn loading_peaks_below_1_3_times_the_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let (config, weights) = write_model(folder.path());

    let before = status("RssAnon");
    let peak = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let watcher = std::thread::spawn({
        let (peak, over) = (Arc::clone(&peak), Arc::clone(&over));
        move || {
            while !over.load(Ordering::Relaxed) {
                peak.fetch_max(status("RssAnon"), Ordering::Relaxed);
                std::thread::sleep(Duration::from_micros(500));
            }
        }
    });
    let model =
        Model::load(&config, &[weights], DeviceSpec::Flex, Dtype::F32, Head::FromFile).unwrap();
    over.store(true, Ordering::Relaxed);
    watcher.join().unwrap();

    let parameters = (model.parameters() * Dtype::F32.bytes()) as f64;
    let after = status("RssAnon");
    let ratio = (peak.load(Ordering::Relaxed) - before) as f64 / parameters;
    println!(
        "{:.0} MB of parameters: peak RssAnon {ratio:.3} x, after loading {:.3} x, VmHWM {:.0} MB",
        parameters / 1e6,
        (after - before) as f64 / parameters,
        status("VmHWM") as f64 / 1e6
    );
    assert!(ratio >= 0.95, "the watcher saw only {ratio} x the weights: it does not work");
    assert!(ratio <= LIMIT, "loading peaked at {ratio} x the weights");
}

/// A field of /proc/self/status, in bytes.
fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Writes the model tensor by tensor, so that the test itself stays small.
fn write_model(folder: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let config = folder.join("config.json");
    let json = serde_json::json!({
        "model_type": "xlm-roberta", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
        "num_attention_heads": 16, "intermediate_size": WIDE, "vocab_size": VOCABULARY,
        "max_position_embeddings": POSITIONS, "type_vocab_size": 1, "layer_norm_eps": 1e-5,
        "hidden_act": "gelu", "pad_token_id": 1, "id2label": {"0": "LABEL_0"}
    });
    std::fs::write(&config, json.to_string()).unwrap();

    let mut tensors: Vec<(String, Vec<usize>)> = Vec::new();
    let mut add = |name: &str, shape: &[usize]| tensors.push((name.to_owned(), shape.to_vec()));
    add("roberta.embeddings.word_embeddings.weight", &[VOCABULARY, HIDDEN]);
    add("roberta.embeddings.position_embeddings.weight", &[POSITIONS, HIDDEN]);
    add("roberta.embeddings.token_type_embeddings.weight", &[1, HIDDEN]);
    for end in ["weight", "bias"] {
        add(&format!("roberta.embeddings.LayerNorm.{end}"), &[HIDDEN]);
    }
    for layer in 0..LAYERS {
        let path = format!("roberta.encoder.layer.{layer}");
        let mut linear = |name: &str, input: usize, output: usize| {
            add(&format!("{path}.{name}.weight"), &[output, input]);
            add(&format!("{path}.{name}.bias"), &[output]);
        };
        for name in ["query", "key", "value"] {
            linear(&format!("attention.self.{name}"), HIDDEN, HIDDEN);
        }
        linear("attention.output.dense", HIDDEN, HIDDEN);
        linear("intermediate.dense", HIDDEN, WIDE);
        linear("output.dense", WIDE, HIDDEN);
        for norm in ["attention.output", "output"] {
            for end in ["weight", "bias"] {
                add(&format!("{path}.{norm}.LayerNorm.{end}"), &[HIDDEN]);
            }
        }
    }
    add("classifier.dense.weight", &[HIDDEN, HIDDEN]);
    add("classifier.dense.bias", &[HIDDEN]);
    add("classifier.out_proj.weight", &[1, HIDDEN]);
    add("classifier.out_proj.bias", &[1]);

    let mut header = serde_json::Map::new();
    let mut end = 0;
    for (name, shape) in &tensors {
        let start = end;
        end += shape.iter().product::<usize>() * 4;
        let entry =
            serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]});
        header.insert(name.clone(), entry);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let weights = folder.join("model.safetensors");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&weights).unwrap());
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(&header).unwrap();
    let mut state = 1u32;
    for _ in 0..end / 4 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let value = (state >> 8) as f32 / (1 << 24) as f32 * 0.04 - 0.02;
        file.write_all(&value.to_le_bytes()).unwrap();
    }
    file.flush().unwrap();
    (config, weights)
}
