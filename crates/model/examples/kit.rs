//! Our side of `benches/gpu`: reads one JSON command a line, does it, answers with one JSON line. It
//! knows texts only as token ids, so that it needs no tokenizer, and keeps one model at a time.
//!
//! | command | answer |
//! |---|---|
//! | `{"do": "load", "folder", "device", "dtype"}` | `seconds`, `parameters` |
//! | `{"do": "cases", "file"}` | the names of the cases in it |
//! | `{"do": "score", "case", "budget", "runs"}` | `seconds` of each run, `logits` of the last |
//! | `{"do": "train", "case", "group", "steps"}` | `seconds` and `loss` of each step |
//! | `{"do": "forget"}` | nothing; the model is dropped |

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Instant;

use secondpass_model::{DeviceSpec, Dtype, Engine, Head, Model, Trainee};
use secondpass_text::{AdamW, Learner, Rates, Scorer, TokenBatch, Trained, plan};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Command {
    Load { folder: PathBuf, device: String, dtype: String },
    Cases { file: PathBuf },
    Score { case: String, budget: usize, runs: usize },
    Train { case: String, group: usize, steps: usize, learning_rate: f64 },
    Forget,
}

/// What is kept between commands.
#[derive(Default)]
struct Kit {
    /// Where the model on it came from: a trainee is loaded anew.
    source: Option<(PathBuf, DeviceSpec, Dtype)>,
    engine: Option<Engine>,
    trainee: Option<Trainee>,
    /// Token ids of each sequence, by case.
    cases: BTreeMap<String, Vec<Vec<u32>>>,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut kit = Kit::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = serde_json::from_str(&line?)
            .map_err(Failure::from)
            .and_then(|command| kit.obey(command))
            .unwrap_or_else(|error| json!({ "error": error.to_string() }));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

impl Kit {
    fn obey(&mut self, command: Command) -> Result<Value, Failure> {
        match command {
            Command::Load { folder, device, dtype } => self.load(folder, &device, &dtype),
            Command::Cases { file } => {
                self.cases = serde_json::from_slice(&std::fs::read(file)?)?;
                Ok(json!({ "cases": self.cases.keys().collect::<Vec<_>>() }))
            }
            Command::Score { case, budget, runs } => self.score(&case, budget, runs),
            Command::Train { case, group, steps, learning_rate } => {
                self.train(&case, group, steps, learning_rate)
            }
            Command::Forget => {
                (self.engine, self.trainee) = (None, None);
                Ok(json!({}))
            }
        }
    }

    fn load(&mut self, folder: PathBuf, device: &str, dtype: &str) -> Result<Value, Failure> {
        (self.engine, self.trainee) = (None, None);
        let (device, dtype): (DeviceSpec, Dtype) = (device.parse()?, dtype.parse()?);
        let started = Instant::now();
        let weights = [folder.join("model.safetensors")];
        let engine = Engine::load(&folder.join("config.json"), &weights, device, dtype)?;
        let seconds = started.elapsed().as_secs_f64();
        self.engine = Some(engine);
        self.source = Some((folder, device, dtype));
        Ok(json!({ "seconds": seconds }))
    }

    fn score(&self, case: &str, budget: usize, runs: usize) -> Result<Value, Failure> {
        let engine = self.engine.as_ref().ok_or("load a model first")?;
        let sequences = self.case(case)?;
        let lengths: Vec<usize> = sequences.iter().map(Vec::len).collect();
        let parts = plan(&lengths, budget);
        let batches: Vec<TokenBatch> = parts.iter().map(|part| batch(sequences, part)).collect();
        let (mut seconds, mut scores) = (Vec::new(), Vec::new());
        for _ in 0..runs.max(1) {
            // The clock stops when the scores are on the host.
            let started = Instant::now();
            scores = engine.score(&batches)?;
            seconds.push(started.elapsed().as_secs_f64());
        }
        let mut logits = vec![0.0f32; sequences.len()];
        for (&place, score) in parts.iter().flatten().zip(scores) {
            logits[place] = score;
        }
        Ok(json!({ "seconds": seconds, "logits": logits, "batches": batches.len() }))
    }

    fn train(
        &mut self,
        case: &str,
        group: usize,
        steps: usize,
        learning_rate: f64,
    ) -> Result<Value, Failure> {
        let sequences = self.case(case)?;
        let tokens = batch(sequences, &(0..group.min(sequences.len())).collect::<Vec<_>>());
        let (folder, device, dtype) = self.source.clone().ok_or("load a model first")?;
        self.engine = None;
        let trainee = match &mut self.trainee {
            Some(trainee) => trainee,
            none => {
                let weights = [folder.join("model.safetensors")];
                let config = folder.join("config.json");
                let model = Model::load(&config, &weights, device, dtype, Head::FromFile)?;
                none.insert(Trainee::new(model, &Trained::default())?)
            }
        };
        let rates = Rates {
            learning_rate,
            weight_decay: 0.01,
            clip_norm: Some(1.0),
            adamw: AdamW::default(),
        };
        let (mut seconds, mut losses) = (Vec::new(), Vec::new());
        for step in 0..steps {
            let started = Instant::now();
            let mut loss = f64::NAN;
            trainee.accumulate(&tokens, step as u64, &mut |logits| {
                let (value, derivatives) = first_is_positive(logits);
                loss = value;
                Ok(derivatives)
            })?;
            // Reads the gradients' norm back, and so waits for the device.
            trainee.apply(&rates)?;
            seconds.push(started.elapsed().as_secs_f64());
            losses.push(loss);
        }
        Ok(json!({ "seconds": seconds, "loss": losses }))
    }

    fn case(&self, name: &str) -> Result<&[Vec<u32>], Failure> {
        let case = self.cases.get(name).ok_or_else(|| format!("there is no case '{name}'"))?;
        Ok(case)
    }
}

fn batch(sequences: &[Vec<u32>], part: &[usize]) -> TokenBatch {
    let mut batch = TokenBatch::new();
    part.iter().for_each(|&place| batch.push(&sequences[place], &[]));
    batch
}

/// Softmax cross-entropy of one group whose first sequence is the positive.
fn first_is_positive(logits: &[f32]) -> (f64, Vec<f32>) {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f64> = logits.iter().map(|l| f64::from(l - highest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    let probability = |place: usize| exponentials[place] / sum;
    let derivatives = (0..logits.len())
        .map(|place| (probability(place) - f64::from(u8::from(place == 0))) as f32)
        .collect();
    (-probability(0).ln(), derivatives)
}
