use std::path::PathBuf;

use clap::Subcommand;

use super::{HostedArgs, positive};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass compare reports/main reports/mine
  secondpass compare reports/main reports/mine --config configs/gate.toml --markdown comment.md
  secondpass compare reports/main reports/mine --history reports/history.parquet

The folders hold records of the same experiment (or of the same bench). Exit codes: 0 not worse;
1 worse, or inconclusive where the config says that this fails; 2 what was asked for cannot be, or a
record cannot be read; 3 the records cannot be compared. See docs/gate.md.")]
pub struct CompareArgs {
    /// The folder of the earlier record
    #[arg(value_name = "BASELINE")]
    pub baseline: PathBuf,
    /// The folder of the record that is judged
    #[arg(value_name = "CURRENT")]
    pub current: PathBuf,
    /// What is let through [default: as configs/gate.toml has it]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub output: GateOutputArgs,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass gate --baseline-bin main/secondpass --current-bin target/release/secondpass \\
    --config configs/quickstart.toml
  secondpass gate --baseline-bin a --current-bin b --config mine.toml --gate configs/gate.toml -- --yes

Both builds run the experiment in turn (A B, B A, A B, ...), so that whatever the machine does meets
both. Quality is judged by the first round, latency by all. What stands after -- goes to every eval.
Ctrl-C leaves finished rounds, and the same command goes on. Exit codes as for `compare`.")]
pub struct GateArgs {
    /// The build that is to be measured against
    #[arg(long, value_name = "FILE")]
    pub baseline_bin: PathBuf,
    /// The build that is judged
    #[arg(long, value_name = "FILE")]
    pub current_bin: PathBuf,
    /// The experiment that both run
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// What is let through [default: as configs/gate.toml has it]
    #[arg(long, value_name = "FILE")]
    pub gate: Option<PathBuf>,
    /// Rounds, each of both builds [default: the gate's]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub rounds: Option<usize>,
    /// Folder for the rounds' records
    #[arg(long, value_name = "DIR", default_value = "reports/gate")]
    pub out: PathBuf,
    #[command(flatten)]
    pub output: GateOutputArgs,
    /// Further arguments of every eval
    #[arg(last = true, value_name = "EVAL_ARGS")]
    pub eval: Vec<String>,
}

#[derive(clap::Args, Debug)]
pub struct GateOutputArgs {
    /// Write a pull-request comment or job summary
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Write everything as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write quality for github-action-benchmark (customBiggerIsBetter), and times and costs beside it
    /// as NAME-smaller.json (customSmallerIsBetter)
    #[arg(long, value_name = "FILE")]
    pub benchmark_json: Option<PathBuf>,
    /// Add both records to this table of figures over time, and draw its trends beside it
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass canary record --config configs/hosted.toml --reranker cohere --out cohere.canary.json
  secondpass canary check cohere.canary.json --config configs/hosted.toml --out drift.json

Put drift.json into [canary] of gate.toml: a model that changed by itself is then told, and not held
against a change of yours. Both ask the provider, which bills it. No texts are kept.")]
pub struct CanaryArgs {
    #[command(subcommand)]
    pub command: CanaryCommand,
}

#[derive(Subcommand, Debug)]
pub enum CanaryCommand {
    /// Keep the scores of a few fixed queries
    Record(CanaryRecordArgs),
    /// Ask the same again; exit code 1 where the model answers otherwise
    Check(CanaryCheckArgs),
}

#[derive(clap::Args, Debug)]
pub struct CanaryRecordArgs {
    /// The experiment whose queries, candidates and reranker are used
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The reranker of the config [default: its first]
    #[arg(long, value_name = "NAME")]
    pub reranker: Option<String>,
    /// How many queries
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = positive)]
    pub queries: usize,
    /// Candidates a query
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = positive)]
    pub depth: usize,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    #[command(flatten)]
    pub hosted: HostedArgs,
}

#[derive(clap::Args, Debug)]
pub struct CanaryCheckArgs {
    /// What `canary record` wrote
    #[arg(value_name = "CANARY")]
    pub canary: PathBuf,
    /// The experiment whose queries and reranker are used
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The reranker of the config [default: its first]
    #[arg(long, value_name = "NAME")]
    pub reranker: Option<String>,
    /// How far a score may move, as in configs/gate.toml [default: its [canary] tolerance]
    #[arg(long, value_name = "FILE")]
    pub gate: Option<PathBuf>,
    /// Write what was found as JSON, for [canary] of gate.toml
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub hosted: HostedArgs,
}
