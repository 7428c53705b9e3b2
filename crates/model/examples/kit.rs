//! Our side of `benches/gpu`: reads one JSON command a line, does it, answers with one JSON line. It
//! knows texts only as token ids, so that it needs no tokenizer, and keeps one model at a time.
//!
//! | command | answer |
//! |---|---|
//! | `{"do": "hello"}` | `version`, `cuda`: whether this build has it |
//! | `{"do": "cases", "file"}`, `{"do": "sets", "file"}` | the names of what is in it |
//! | `{"do": "load", "folder", "device", "dtype"}` | `seconds` until the weights are on the device, `host_peak` |
//! | `{"do": "load-embedded", "device", "dtype"}` | the same, of the model that is compiled in |
//! | `{"do": "score", "case", "budget", "runs", "within"}` | `seconds` of each run, `logits` of the last |
//! | `{"do": "rank", "set", "budget"}` | `seconds`, `logits` of the set's pairs |
//! | `{"do": "train", "folder", "device", "compute", "case", "group", "steps", "within"}` | `prepared`: seconds until the first step, `seconds` and `loss` of each, `memory`; or `not_available` and why |
//! | `{"do": "memory"}` | bytes: `reserved` and `pools_peak` on the device, `host_peak` of this process |
//! | `{"do": "forget"}` | nothing; the model is dropped |
//!
//! `within` is in seconds: no run or step begins after it. Numbers that JSON does not have come as the
//! texts `NaN`, `inf` and `-inf`. What fails is answered with `error`; after a panic the program ends,
//! since nobody knows what the device holds then.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use secondpass_model::{DeviceSpec, Dtype, Engine, HELPDESK_MINI, Head, Model, Trainee};
use secondpass_text::{AdamW, Compute, Learner, Rates, Scorer, TokenBatch, Trained, plan};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Command {
    Hello,
    Cases { file: PathBuf },
    Sets { file: PathBuf },
    Load { folder: PathBuf, device: String, dtype: String },
    LoadEmbedded { device: String, dtype: String },
    Score { case: String, budget: usize, runs: usize, within: Option<f64> },
    Rank { set: String, budget: usize },
    Train(Training),
    Memory,
    Forget,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Training {
    folder: PathBuf,
    device: String,
    compute: String,
    case: String,
    group: usize,
    steps: usize,
    within: Option<f64>,
}

/// Queries and documents to be paired; what else is in the file is for those who judge the ranking.
#[derive(Deserialize)]
struct RankingSet {
    /// The most tokens of a pair.
    length: usize,
    queries: Vec<Vec<u32>>,
    documents: Vec<Vec<u32>>,
    /// Query and document, by place.
    pairs: Vec<(usize, usize)>,
}

/// What is kept between commands.
#[derive(Default)]
struct Kit {
    device: Option<DeviceSpec>,
    engine: Option<Engine>,
    /// Token ids of each sequence, by case.
    cases: BTreeMap<String, Vec<Vec<u32>>>,
    sets: BTreeMap<String, RankingSet>,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut kit = Kit::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let done = catch_unwind(AssertUnwindSafe(|| {
            let command = serde_json::from_str(&line).map_err(Failure::from);
            command.and_then(|command| kit.obey(command)).map_err(|error| chain(&*error))
        }));
        let panicked = done.is_err();
        let answer = done
            .unwrap_or_else(|what| Err(format!("it panicked: {}", told(&*what))))
            .unwrap_or_else(|error| json!({ "error": error }));
        writeln!(out, "{answer}")?;
        out.flush()?;
        if panicked {
            std::process::exit(101);
        }
    }
    Ok(())
}

/// An error with its causes, those left out that it already tells.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

fn told(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

impl Kit {
    fn obey(&mut self, command: Command) -> Result<Value, Failure> {
        match command {
            Command::Hello => Ok(json!({
                "version": env!("CARGO_PKG_VERSION"), "cuda": cfg!(feature = "cuda"),
            })),
            Command::Cases { file } => {
                self.cases = serde_json::from_slice(&std::fs::read(file)?)?;
                Ok(json!({ "cases": self.cases.keys().collect::<Vec<_>>() }))
            }
            Command::Sets { file } => {
                self.sets = serde_json::from_slice(&std::fs::read(file)?)?;
                Ok(json!({ "sets": self.sets.keys().collect::<Vec<_>>() }))
            }
            Command::Load { folder, device, dtype } => {
                let weights = [folder.join("model.safetensors")];
                let config = folder.join("config.json");
                self.load(&device, &dtype, |device, dtype| {
                    Ok(Engine::load(&config, &weights, device, dtype)?)
                })
            }
            Command::LoadEmbedded { device, dtype } => {
                self.load(&device, &dtype, |device, dtype| {
                    Ok(Engine::from_bytes(HELPDESK_MINI, device, dtype)?)
                })
            }
            Command::Score { case, budget, runs, within } => {
                self.score(self.case(&case)?, budget, runs, within)
            }
            Command::Rank { set, budget } => {
                let set = self.sets.get(&set).ok_or_else(|| format!("there is no set '{set}'"))?;
                self.score(&paired(set)?, budget, 1, None)
            }
            Command::Train(training) => self.train(&training),
            Command::Memory => Ok(self.memory()),
            Command::Forget => {
                self.engine = None;
                Ok(json!({}))
            }
        }
    }

    fn load(
        &mut self,
        device: &str,
        dtype: &str,
        engine: impl Fn(DeviceSpec, Dtype) -> Result<Engine, Failure>,
    ) -> Result<Value, Failure> {
        self.engine = None;
        let (device, dtype): (DeviceSpec, Dtype) = (device.parse()?, dtype.parse()?);
        let started = Instant::now();
        let loaded = engine(device, dtype)?;
        self.device = Some(loaded.device());
        settle(loaded.device())?;
        let seconds = started.elapsed().as_secs_f64();
        self.engine = Some(loaded);
        Ok(json!({ "seconds": seconds, "host_peak": host_peak() }))
    }

    fn score(
        &self,
        sequences: &[Vec<u32>],
        budget: usize,
        runs: usize,
        within: Option<f64>,
    ) -> Result<Value, Failure> {
        let engine = self.engine.as_ref().ok_or("load a model first")?;
        let lengths: Vec<usize> = sequences.iter().map(Vec::len).collect();
        let parts = plan(&lengths, budget);
        let batches: Vec<TokenBatch> = parts.iter().map(|part| batch(sequences, part)).collect();
        let (mut seconds, mut scores) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        for _ in 0..runs.max(1) {
            if !seconds.is_empty() && is_over(begun, within) {
                break;
            }
            // The clock stops when the scores are on the host.
            let started = Instant::now();
            scores = engine.score(&batches)?;
            seconds.push(started.elapsed().as_secs_f64());
        }
        let mut logits = vec![f32::NAN; sequences.len()];
        for (&place, score) in parts.iter().flatten().zip(scores) {
            logits[place] = score;
        }
        let logits: Vec<Value> = logits.into_iter().map(number).collect();
        Ok(json!({ "seconds": seconds, "logits": logits, "batches": batches.len() }))
    }

    fn train(&mut self, training: &Training) -> Result<Value, Failure> {
        let Training { folder, device, compute, case, group, steps, within } = training;
        let Some(trained) = trained_in(compute.parse()?) else {
            let why = format!("this build does not train in {compute}");
            return Ok(json!({ "not_available": why }));
        };
        let rates = Rates {
            learning_rate: 1e-5,
            weight_decay: 0.01,
            clip_norm: Some(1.0),
            adamw: AdamW::default(),
        };
        let sequences = self.case(case)?;
        let tokens = batch(sequences, &(0..sequences.len().min(*group)).collect::<Vec<_>>());
        self.engine = None;
        let begun = Instant::now();
        let weights = [folder.join("model.safetensors")];
        let config = folder.join("config.json");
        // Master weights are f32, whatever is computed in.
        let device = device.parse()?;
        let model = Model::load(&config, &weights, device, Dtype::F32, Head::FromFile)?;
        let device = model.device();
        self.device = Some(device);
        let mut trainee = Trainee::new(model, &trained)?;
        settle(device)?;
        let prepared = begun.elapsed().as_secs_f64();
        let (mut seconds, mut losses) = (Vec::new(), Vec::new());
        for step in 0..*steps {
            if is_over(begun, *within) {
                break;
            }
            let started = Instant::now();
            let mut loss = f64::NAN;
            trainee.accumulate(&tokens, step as u64, &mut |logits| {
                let (value, derivatives) = first_is_positive(logits);
                loss = value;
                Ok(derivatives)
            })?;
            // Reads the gradients' norm back, and so waits for the device; what the optimizer then does
            // is waited for, too.
            trainee.apply(&rates)?;
            settle(device)?;
            seconds.push(started.elapsed().as_secs_f64());
            losses.push(number(loss as f32));
        }
        // While the trainee is still there.
        let memory = self.memory();
        Ok(json!({ "prepared": prepared, "seconds": seconds, "loss": losses, "memory": memory }))
    }

    fn memory(&self) -> Value {
        let device = self.device.and_then(opened);
        let usage = device.as_ref().and_then(Device::memory_pool_usage);
        let pools = device.as_ref().and_then(Device::memory_pool_report);
        let peak = pools
            .map(|pools| pools.iter().map(|pool| pool.page_size * pool.pages_peak).sum::<u64>());
        json!({
            "reserved": usage.map(|usage| usage.bytes_reserved), "pools_peak": peak,
            "host_peak": host_peak(),
        })
    }

    fn case(&self, name: &str) -> Result<&[Vec<u32>], Failure> {
        let case = self.cases.get(name).ok_or_else(|| format!("there is no case '{name}'"))?;
        Ok(case)
    }
}

/// What is trained, for a format to compute in; `None` where there is no such training.
fn trained_in(compute: Dtype) -> Option<Trained> {
    match compute {
        Dtype::F32 => Some(Trained::default()),
        Dtype::Bf16 => Some(Trained { compute: Compute::Bf16, ..Trained::default() }),
        Dtype::F16 => None,
    }
}

/// The device as burn opens it, to be asked for what the engine does not tell; `None` where our own
/// kernels compute.
fn opened(device: DeviceSpec) -> Option<Device> {
    match device {
        #[cfg(feature = "cuda")]
        DeviceSpec::Cuda(index) => Some(Device::cuda(index)),
        DeviceSpec::Flex => Some(Device::flex()),
        _ => None,
    }
}

/// Waits until all that was asked of the device is done, uploads and what fusion put off included. A
/// synchronisation alone tells no failures; a read does.
fn settle(device: DeviceSpec) -> Result<(), Failure> {
    let Some(device) = opened(device) else { return Ok(()) };
    device.sync().map_err(|error| format!("{error:?}"))?;
    let read = Tensor::<1>::zeros([1], &device).try_into_vec_as::<f32>();
    read.map(|_| ()).map_err(|error| error.to_string().into())
}

fn is_over(begun: Instant, within: Option<f64>) -> bool {
    within.is_some_and(|within| begun.elapsed().as_secs_f64() > within)
}

/// The most memory that this process held, in bytes; Linux tells it in kB.
fn host_peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// A number as JSON can say it.
fn number(value: f32) -> Value {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}

fn batch(sequences: &[Vec<u32>], part: &[usize]) -> TokenBatch {
    let mut batch = TokenBatch::new();
    part.iter().for_each(|&place| batch.push(&sequences[place], &[]));
    batch
}

/// The set's pairs as the XLM-RoBERTa family reads them; a document that is too long is cut.
fn paired(set: &RankingSet) -> Result<Vec<Vec<u32>>, Failure> {
    const BEGIN: u32 = 0;
    const END: u32 = 2;
    let pair = |&(query, document): &(usize, usize)| {
        let query = set.queries.get(query).ok_or("a pair names a query that is not there")?;
        let document = set.documents.get(document).ok_or("a pair names no document")?;
        let room = set.length.saturating_sub(query.len() + 4).min(document.len());
        let parts = [&[BEGIN], &query[..], &[END, END], &document[..room], &[END]];
        Ok(parts.concat())
    };
    set.pairs.iter().map(pair).collect()
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
