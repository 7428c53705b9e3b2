use std::path::PathBuf;

use secondpass_evaluation::BenchLength;
use secondpass_model::{DeviceSpec, Dtype};

use super::HostedArgs;

#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  secondpass bench --model embedded
  secondpass bench --model ./my-model --candidates 10,50,100 --lengths own,64,256,limit
  secondpass bench --model BAAI/bge-reranker-v2-m3 --rate 2 --find-rate --p95 0.5
  secondpass bench --config tickets.toml --reranker ours --clients 1,2,4 --dry-run
  secondpass bench --kind cohere --model rerank-v3.5 --queries 60 --cold-starts 0 --max-cost 2

Of each list the usual value (50 candidates, texts as they are, one client) is measured if it is there,
else the first; the others one setting after the other. A closed loop tells what a reranker can do; an
open one (--rate) what users wait for, stalls included. Texts are those of the config's set, or of the
embedded help-desk set. Ctrl-C ends it and keeps what was measured. See docs/bench.md.")]
pub struct BenchArgs {
    /// An experiment: its rerankers, its set, and its [bench]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Measure this [[reranker]] of the config only
    #[arg(long, value_name = "NAME", requires = "config")]
    pub reranker: Option<String>,
    /// In place of the config's rerankers: a Hugging Face folder, a hub id, `embedded`, or a
    /// provider's model
    #[arg(long, value_name = "PATH_OR_ID")]
    pub model: Option<String>,
    /// The kind of provider, as `secondpass providers` lists it [default: our own engine]
    #[arg(long, value_name = "KIND", conflicts_with = "reranker")]
    pub kind: Option<String>,
    /// Another address than the provider's own
    #[arg(long, value_name = "URL", requires = "kind")]
    pub base_url: Option<String>,
    /// Where to compute: auto, cpu, flex, ndarray, cuda or cuda:N [default: auto, or the config's]
    #[arg(long, conflicts_with = "kind")]
    pub device: Option<DeviceSpec>,
    /// Number format to compute in: f32, f16 or bf16 [default: f32, or the config's]
    #[arg(long, conflicts_with = "kind")]
    pub dtype: Option<Dtype>,
    /// Longest pair in tokens, special ones included [default: the model's positions, at most 1024,
    /// or the config's]
    #[arg(long, value_name = "TOKENS", conflicts_with = "kind")]
    pub max_length: Option<usize>,
    /// Candidates a query
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    pub candidates: Vec<usize>,
    /// Lengths of documents: tokens, `own`, or `limit` for the model's
    #[arg(long, value_name = "TOKENS,…", value_delimiter = ',')]
    pub lengths: Vec<BenchLength>,
    /// Tokens a batch of our own engine
    #[arg(long, value_name = "TOKENS,…", value_delimiter = ',')]
    pub batch_tokens: Vec<usize>,
    /// Clients of closed loops, each asking again as soon as it is answered
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    pub clients: Vec<usize>,
    /// Queries a second of open loops, which arrive whether or not earlier ones are answered
    #[arg(long, value_name = "RATE,…", value_delimiter = ',')]
    pub rate: Vec<f64>,
    /// How they arrive: poisson or constant
    #[arg(long, value_name = "HOW")]
    pub arrivals: Option<Arrivals>,
    /// Queries of open loops in work at a time
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
    /// Measure every combination of the lists
    #[arg(long)]
    pub crossed: bool,
    /// Find the highest rate that keeps the 95th percentile of --p95
    #[arg(long, requires = "p95")]
    pub find_rate: bool,
    /// Seconds that the 95th percentile may be
    #[arg(long, value_name = "SECONDS", requires = "find_rate")]
    pub p95: Option<f64>,
    /// Queries a cell; p99 has a bound from 299 on [default: 300]
    #[arg(long, value_name = "N")]
    pub queries: Option<usize>,
    /// Seconds a cell at most [default: 120]
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<f64>,
    /// Starts of a process of its own, to its first score; of our own engine [default: 3]
    #[arg(long, value_name = "N")]
    pub cold_starts: Option<usize>,
    /// Ask made-up texts instead of the set's
    #[arg(long)]
    pub synthetic: bool,
    /// Folder for the record and its page [default: reports/NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the record as JSON instead of tables
    #[arg(long)]
    pub json: bool,
    /// Print the cells and about how long they will take, and measure nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub hosted: HostedArgs,
    /// What a child process is told: the number of the reranker whose first score it gives
    #[arg(long, hide = true, value_name = "N")]
    pub first_score: Option<usize>,
}

/// How queries of an open loop arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Arrivals {
    /// At random, independent of each other.
    Poisson,
    /// At equal distances.
    Constant,
}
