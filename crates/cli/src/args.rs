mod bench;
mod doctor;
mod gate;
mod training;
mod warmup;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use secondpass_core::Texts;
use secondpass_evaluation::HOSTED_KINDS;
use secondpass_model::{DeviceSpec, Dtype};
use secondpass_text::Truncation;

pub use bench::{Arrivals, BenchArgs};
pub use doctor::{DoctorArgs, Need};
pub use gate::{
    CanaryArgs, CanaryCheckArgs, CanaryCommand, CanaryRecordArgs, CompareArgs, GateArgs,
    GateOutputArgs,
};
pub use training::{
    MineArgs, PresetFlag, SamplingFlag, SplitArgs, TriplesArgs, TriplesCheckArgs, TriplesCommand,
};
pub use warmup::WarmupArgs;

use crate::load::Settings;

/// Which reranker should we run, is it worth it, and can we make it better on our own data?
#[derive(Parser, Debug)]
#[command(name = "secondpass", version, max_term_width = 100)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Rerank documents for one query with a cross-encoder
    Rerank(RerankArgs),
    /// Run an experiment: first stage, rerankers and the oracle on the same candidates
    Eval(EvalArgs),
    /// Measure latency: under load, warm, with bounds on each percentile
    Bench(Box<BenchArgs>),
    /// Say which reranker to run, or none, from the records of experiments
    Decide(DecideArgs),
    /// Say whether a record is worse than an earlier one
    Compare(CompareArgs),
    /// Run two builds of this program side by side, and say whether the second is worse
    Gate(GateArgs),
    /// Know a hosted model again, to notice when it changed by itself
    Canary(CanaryArgs),
    /// Measure TREC runs against judgements
    Measure(MeasureArgs),
    /// Write what a first stage finds, as a TREC run
    Retrieve(RetrieveArgs),
    /// List, pull, check and count data sets
    Dataset(DatasetArgs),
    /// Measure what an LLM cited of what it was shown, from a production log
    Logs(LogsArgs),
    /// Learn when a reranker's scores can be trusted: probabilities, and a threshold to answer
    Calibrate(CalibrateArgs),
    /// Train a cross-encoder on groups of one positive and its negatives
    Finetune(FinetuneArgs),
    /// Split a file into train, dev and test so that nothing leaks, without personal data
    Split(SplitArgs),
    /// Mine hard negatives for judged pairs
    Mine(MineArgs),
    /// Check training data
    Triples(TriplesArgs),
    /// Run the embedded help-desk demonstration; needs no download, key or GPU
    Quickstart(QuickstartArgs),
    /// List hosted rerankers with their keys, limits and prices, or try one
    Providers(ProvidersArgs),
    /// Serve an imitation of a hosted reranker on this machine, to try things without a key
    MockProvider(MockProviderArgs),
    /// Say what this machine and this build can do, and what to do about the rest
    Doctor(DoctorArgs),
    /// Load a model and let it meet every length once, so that no user waits for it
    Warmup(WarmupArgs),
    /// Remove what experiments wrote, and the caches
    Purge(PurgeArgs),
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass rerank --model BAAI/bge-reranker-v2-m3 --query 'export invoices' docs.txt
  secondpass rerank --model embedded --query 'export invoices' docs.txt
  secondpass rerank --model ./my-model --query 'refund' --top-n 5 --json docs.jsonl
  secondpass rerank --model ./my-model --onnx=onnx/model_quantized.onnx --query 'refund' docs.txt
  psql -Atc 'select text from docs' | secondpass rerank --model ./my-model --query 'refund' -

Documents are one a line, or JSONL objects with `text` and optionally `id` and `title`.
Scores are the sigmoid of the model's logit: they sort within one query and one model, and are not
probabilities.")]
pub struct RerankArgs {
    /// A Hugging Face folder, a hub id such as BAAI/bge-reranker-v2-m3, or `embedded` for the small
    /// demonstration model that the program carries
    #[arg(long, value_name = "PATH_OR_ID")]
    pub model: String,
    /// Run the model's ONNX file through ONNX Runtime: model.onnx or onnx/model.onnx, or the file named
    /// (--onnx=onnx/model_quantized.onnx)
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        conflicts_with_all = ["device", "dtype"]
    )]
    pub onnx: Option<String>,
    /// A hub branch, tag or commit to use
    #[arg(long)]
    pub revision: Option<String>,
    /// What to look for
    #[arg(long)]
    pub query: String,
    /// Where the documents are; `-` reads standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub documents: PathBuf,
    /// Print only the best N
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub top_n: Option<u64>,
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Print logits instead of their sigmoid
    #[arg(long)]
    pub raw_scores: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Print where the time went, to standard error (or into the JSON)
    #[arg(long)]
    pub timings: bool,
}

#[derive(clap::Args, Clone, Debug)]
pub struct EngineArgs {
    /// Where to compute: auto, cpu, flex, ndarray, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    pub device: DeviceSpec,
    /// Number format to compute in: f32, f16 or bf16
    #[arg(long, default_value = "f32")]
    pub dtype: Dtype,
    /// Longest pair in tokens, special ones included [default: the model's positions, at most 1024]
    #[arg(long, value_name = "TOKENS")]
    pub max_length: Option<usize>,
    /// What to do with longer pairs: longest-first, document-only or error
    #[arg(long, default_value = "longest-first")]
    pub truncation: Truncation,
    /// Tokens scored at a time, padding included [default: 32768 on a card, else 4096; with --json what
    /// `eval` found best for this model here]
    #[arg(long, value_name = "TOKENS", value_parser = positive)]
    pub batch_tokens: Option<usize>,
}

impl EngineArgs {
    /// How a model is to be run.
    pub fn settings(&self) -> Settings {
        let Self { device, dtype, max_length, truncation, .. } = *self;
        Settings { device, dtype, max_length, truncation }
    }
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass eval --config configs/scifact.toml --out reports/scifact
  secondpass eval --config configs/scifact.toml --dry-run
  my-retriever | secondpass eval --config tickets.toml --candidates -
  secondpass eval --config configs/hosted.toml --max-cost 2.50 --record recordings/cohere.jsonl

Hosted rerankers are billed. What a run will cost is estimated before it starts: up to 1 USD it goes
on, above that it asks on a terminal and refuses elsewhere, unless --max-cost says how much it may be.
Exit code 1 when the figures under [[expect]] are not met.")]
pub struct EvalArgs {
    /// The experiment
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// JSONL candidates in place of the config's first stage; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub candidates: Option<PathBuf>,
    /// Print what would be run, with pairs, tokens and time, and run nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub hosted: HostedArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass decide reports/mine reports/hosted --config configs/decide.toml
  secondpass decide reports/mine --config configs/decide.toml --out reports/decision

Rules first (latency, budget, residency, licence), then the cheapest choice whose quality is not worse
by more than the margin. Records must be of the same queries and candidates. See docs/decide.md.")]
pub struct DecideArgs {
    /// Folders that eval wrote into
    #[arg(value_name = "FOLDER", required = true)]
    pub records: Vec<PathBuf>,
    /// What the decision keeps to
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Prices that override the program's own
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// Write the decision's page, its charts and its data into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print JSON instead of sentences
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Clone, Debug, Default)]
pub struct HostedArgs {
    /// Spend at most this on hosted rerankers; what earlier starts of the same run spent counts
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub max_cost: Option<f64>,
    /// Do not ask whether the estimated cost is fine
    #[arg(long)]
    pub yes: bool,
    /// Keep each exchange with hosted rerankers in this file, for `kind = "replay"`
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Prices that override the program's own
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// A file that holds a key alone, for one kind of provider (cohere=PATH) or for all
    #[arg(long, value_name = "[KIND=]PATH")]
    pub key_file: Vec<KeyFile>,
}

/// Where a key is, and whose it is.
#[derive(Clone, Debug)]
pub struct KeyFile {
    /// `None` for all providers.
    pub kind: Option<String>,
    pub path: PathBuf,
}

impl std::str::FromStr for KeyFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, path) = match text.split_once('=') {
            Some((kind, path)) if HOSTED_KINDS.contains(&kind) => (Some(kind.to_owned()), path),
            _ => (None, text),
        };
        match path.is_empty() {
            true => Err("it must be a path, or a kind of provider, '=' and a path".to_owned()),
            false => Ok(Self { kind, path: PathBuf::from(path) }),
        }
    }
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass providers
  secondpass providers check cohere --model rerank-v3.5
  secondpass providers check tei --base-url http://127.0.0.1:8080

A check makes one call with two short documents, which a hosted provider bills as its smallest unit.")]
pub struct ProvidersArgs {
    #[command(subcommand)]
    pub command: Option<ProvidersCommand>,
    /// Prices that override the program's own
    #[arg(long, value_name = "FILE", global = true)]
    pub prices: Option<PathBuf>,
    /// A file that holds a key alone, for one kind of provider (cohere=PATH) or for all
    #[arg(long, value_name = "[KIND=]PATH", global = true)]
    pub key_file: Vec<KeyFile>,
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Subcommand, Debug)]
pub enum ProvidersCommand {
    /// Make one smallest call, and explain what failed
    Check(ProvidersCheckArgs),
}

#[derive(clap::Args, Debug)]
pub struct ProvidersCheckArgs {
    /// The kind of provider, as `secondpass providers` lists it
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The model, as the provider calls it
    #[arg(long)]
    pub model: Option<String>,
    /// Another address than the provider's own
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// The region, where it is part of the address
    #[arg(long)]
    pub region: Option<String>,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass mock-provider --kind cohere --port 8080
  secondpass mock-provider --kind tei --fault 5%:503 --latency 40ms
  secondpass mock-provider --kind jina --fault 1-2:429-after=1 --fault 7:hang

Then, in another terminal, set base_url to the address it prints. Scores are made up, and every answer
says so: reports mark them, and they decide nothing. Ctrl-C ends it and prints what it billed.")]
pub struct MockProviderArgs {
    /// Which API to imitate
    #[arg(long)]
    pub kind: secondpass_mock::Kind,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// The key to ask for [default: any]
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// What goes wrong with which calls: 3:500, 1-2:429-after=1, 5%:slow-body=500ms, *:gzip
    #[arg(long, value_name = "CALLS:FAULT")]
    pub fault: Vec<secondpass_mock::Rule>,
    /// How long every answer takes, as 40ms or 1.5s
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = duration)]
    pub latency: std::time::Duration,
    /// Draws the calls that a share of faults hits
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Answer as another model behind the same name; 0 is the usual one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub score_seed: u64,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  secondpass finetune --config configs/finetune/helpdesk-mini.toml --out models/helpdesk-mini

The checkpoint that is best on dev is in the folder at any moment. A run that was stopped or killed
goes on where it was with the same command.")]
pub struct FinetuneArgs {
    /// The recipe
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Show what is in the training data and what is wrong with it, and train nothing
    #[arg(long)]
    pub check: bool,
    /// Folder for the trained model; it must not exist or be empty [default: models/NAME, with
    /// --seed models/NAME-N]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Another seed than the recipe's: how much of a gain is luck shows in a few of them
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Where to compute: auto, cpu, flex, ndarray, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    pub device: DeviceSpec,
    /// Show what would be done: counts, steps, lengths, memory, time; write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Start anew where a run was stopped, and forget that one
    #[arg(long)]
    pub fresh: bool,
    /// Print the training record, the forecast of a dry run or what a check finds, as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass measure qrels.txt bm25.trec -m nDCG@10 -m RR -m 'AP(rel=2)'
  secondpass measure qrels.txt a.trec b.trec.gz -m nDCG@10 --json

Names are those of ir_measures. A query without results scores 0, unless --answered. Documents whose
scores tie are ordered by id, descending, as trec_eval does, unless --as-ranked.")]
pub struct MeasureArgs {
    /// TREC judgements: query, 0, document, grade
    #[arg(value_name = "QRELS")]
    pub qrels: PathBuf,
    /// TREC runs: query, Q0, document, rank, score, tag
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,
    /// A measure; may be given many times
    #[arg(short, long, value_name = "NAME", required = true)]
    pub measure: Vec<String>,
    /// Print each query's values too
    #[arg(short = 'q', long)]
    pub per_query: bool,
    /// Leave out judged queries that a run does not answer
    #[arg(long)]
    pub answered: bool,
    /// Order ties by the run's rank column
    #[arg(long)]
    pub as_ranked: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass retrieve --config configs/scifact.toml --out bm25.trec.gz
  secondpass retrieve --config configs/scifact.toml --retriever dense --out dense.trec
  secondpass retrieve --config configs/scifact.toml --depth 1000 --out - | head

The run's measures go to standard error.")]
pub struct RetrieveArgs {
    /// The experiment whose dataset and first stage are used
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Use this [[retriever]] of the config instead of its first stage
    #[arg(long, value_name = "NAME")]
    pub retriever: Option<String>,
    /// Documents a query at most, instead of the config's
    #[arg(long, value_name = "N", value_parser = positive)]
    pub depth: Option<usize>,
    /// The run to write; `-` is standard output, .gz and .zst are packed
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

#[derive(clap::Args, Debug)]
pub struct DatasetArgs {
    /// A folder with manifests of your own [default: SECONDPASS_MANIFESTS]
    #[arg(long, value_name = "DIR", global = true)]
    pub manifests: Option<PathBuf>,
    #[command(subcommand)]
    pub command: DatasetCommand,
}

#[derive(Subcommand, Debug)]
pub enum DatasetCommand {
    /// Show the public sets there are manifests of
    List {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Download a public set; later pulls must give the same bytes
    Pull(DatasetPullArgs),
    /// Show everything that is wrong with a set, and what to do
    Check(DatasetSetArgs),
    /// Count what is in a set
    Stats(DatasetSetArgs),
}

#[derive(clap::Args, Debug)]
pub struct DatasetPullArgs {
    /// A name that `dataset list` shows
    pub name: String,
    /// A split whose judgements are wanted; may be given many times [default: all]
    #[arg(long, value_name = "SPLIT")]
    pub split: Vec<String>,
}

#[derive(clap::Args, Debug)]
pub struct DatasetSetArgs {
    /// A BEIR folder, a golden set (JSONL), a public set that was pulled, or `helpdesk`
    #[arg(value_name = "PATH_OR_NAME")]
    pub set: String,
    /// The documents that a golden set's ids refer to
    #[arg(long, value_name = "FILE")]
    pub corpus: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass logs answers.jsonl
  secondpass logs answers.jsonl --run reranked.trec

Each line is an object with query, candidates (in the order shown) and cited (ids).")]
pub struct LogsArgs {
    /// The log, JSONL
    pub log: PathBuf,
    /// Another order of the same queries' documents, as a TREC run
    #[arg(long, value_name = "FILE")]
    pub run: Option<PathBuf>,
    /// How many documents go to the LLM
    #[arg(short, long, value_name = "N", default_value_t = 5, value_parser = positive)]
    pub k: usize,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass calibrate --config configs/quickstart.toml --dev dev --test test
  secondpass calibrate --config tickets.toml --precision 0.8 --out calibration.json

The map and the threshold are fitted on dev alone; what is printed of test was not seen before.")]
pub struct CalibrateArgs {
    /// The experiment whose dataset, first stage and reranker are used
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The reranker of the config [default: its first]
    #[arg(long, value_name = "NAME")]
    pub reranker: Option<String>,
    /// The split to fit on
    #[arg(long, value_name = "SPLIT", default_value = "dev")]
    pub dev: String,
    /// The split to report on
    #[arg(long, value_name = "SPLIT", default_value = "test")]
    pub test: String,
    /// The share of answers that is to be right
    #[arg(long, value_name = "SHARE", default_value_t = 0.9)]
    pub precision: f64,
    /// Write the calibration with its report as JSON
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print JSON instead of tables
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass purge reports/tickets
  secondpass purge --caches

Only files that this program wrote are removed. Downloaded models and data sets stay.")]
pub struct PurgeArgs {
    /// Folders that experiments wrote into
    #[arg(value_name = "FOLDER")]
    pub reports: Vec<PathBuf>,
    /// Also the caches of scores, vectors, indexes and kernels, and the key of hashed texts
    #[arg(long)]
    pub caches: bool,
}

#[derive(clap::Args, Debug)]
pub struct QuickstartArgs {
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(clap::Args, Debug)]
pub struct OutputArgs {
    /// Folder for the record and the report [default: reports/NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the record as JSON instead of a summary
    #[arg(long)]
    pub json: bool,
    /// What of queries and documents the record and the report show: none, hash or full
    #[arg(long, value_name = "WHICH", default_value = "none")]
    pub texts: Texts,
    /// Begin anew where an interrupted run left finished queries
    #[arg(long)]
    pub fresh: bool,
    /// Score everything anew, and keep no scores for later experiments
    #[arg(long)]
    pub no_cache: bool,
}

fn dollars(text: &str) -> Result<f64, String> {
    match text.trim_start_matches('$').parse::<f64>() {
        Ok(usd) if usd.is_finite() && usd >= 0.0 => Ok(usd),
        _ => Err("it must be an amount in US dollars, as 2.50".to_owned()),
    }
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || "it must be a time, as 40ms or 1.5s".to_owned();
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (text.strip_suffix('s').ok_or_else(wrong)?, 1.0),
    };
    let seconds = number.parse::<f64>().map_err(|_| wrong())? * unit;
    std::time::Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("it must be a whole number from 1".to_owned()),
        Ok(number) => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn flags_are_consistent() {
        super::Args::command().debug_assert();
    }
}
