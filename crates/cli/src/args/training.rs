//! Flags of the commands that make training data.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::EngineArgs;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass triples check train.jsonl --against mine.toml
  secondpass triples check a.jsonl b.jsonl.gz --against tickets/golden.jsonl --tokenizer ./my-model

Files are triples (query, positive, negative) or groups (query, pos, neg), as JSONL, CSV, TSV or Parquet.
Exit code 1 when something is wrong that training must not start with.")]
pub struct TriplesArgs {
    #[command(subcommand)]
    pub command: TriplesCommand,
}

#[derive(Subcommand, Debug)]
pub enum TriplesCommand {
    /// Count what is in training data, and show everything that is wrong with it
    Check(TriplesCheckArgs),
}

#[derive(clap::Args, Debug)]
pub struct TriplesCheckArgs {
    /// Training data, all of one layout
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// What will be evaluated on: an experiment's config, a golden set (JSONL), or a BEIR folder or
    /// `helpdesk` with :SPLIT behind it; may be given many times
    #[arg(long, value_name = "SET")]
    pub against: Vec<String>,
    /// Let evaluation queries in training pass with a warning
    #[arg(long)]
    pub allow_overlap: bool,
    /// Count tokens too: a tokenizer.json, a model's folder, or `embedded`
    #[arg(long, value_name = "PATH")]
    pub tokenizer: Option<PathBuf>,
    /// The longest pair in tokens, special ones included
    #[arg(long, value_name = "TOKENS", default_value_t = 512, requires = "tokenizer")]
    pub max_length: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass split tickets.jsonl --out tickets --by-time created --group-by customer --scrub
  secondpass split golden.jsonl --corpus corpus.jsonl --out parts --group-by relevant
  secondpass split tickets.csv --out tickets --scrub --names staff.txt --parts train=0.9,test=0.1

Each line has a `query`; its other fields are kept. Fields are looked for in the line, its `attributes`
and its `metadata`. Lines that must stay together never end in two parts.")]
pub struct SplitArgs {
    /// A golden set, triples, groups or any lines with a `query`: JSONL, CSV, TSV or Parquet
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Folder for the parts and their manifest; it must be new or empty
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Names and shares of the parts; by time, the first gets the oldest lines
    #[arg(long, value_name = "NAME=SHARE,...", default_value = "train=0.8,dev=0.1,test=0.1")]
    pub parts: String,
    /// Split by the times in this field
    #[arg(long, value_name = "FIELD")]
    pub by_time: Option<String>,
    /// Keep lines together that have a value of this field in common (a thread, a customer; `pos` or
    /// `relevant` for articles); may be given many times
    #[arg(long, value_name = "FIELD")]
    pub group_by: Vec<String>,
    /// Keep queries together that share this much of their 4-letter shingles; 1 for equal ones alone.
    /// Below 0.7 some pairs are missed
    #[arg(long, value_name = "SHARE", default_value_t = secondpass_data::NEAR)]
    pub near: f64,
    /// Draws which lines go where
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The documents whose ids the lines name (JSONL), each once: written beside the parts
    #[arg(long, value_name = "FILE")]
    pub corpus: Option<PathBuf>,
    /// Take out e-mail addresses, phone, card and account numbers, and keys, before anything is written
    #[arg(long)]
    pub scrub: bool,
    /// Names to take out too, one a line
    #[arg(long, value_name = "FILE", requires = "scrub")]
    pub names: Option<PathBuf>,
    /// Print the manifest as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass mine --config mine.toml --out mined.jsonl
  secondpass mine --config mine.toml --retriever dense --preset perc-pos-95 --out mined.jsonl
  secondpass mine --config mine.toml --run bm25.trec.gz --teacher BAAI/bge-reranker-v2-m3 \\
      --preset perc-pos-95 --out mined.jsonl

Documents that are judged relevant are never negatives; those judged not relevant come first. Beside
the groups stand their statistics (.stats.json) and a picture of the scores (.svg, .png). What a teacher
has scored is kept until all is written: the same command goes on where it was stopped.")]
pub struct MineArgs {
    /// The experiment whose dataset and first stage are used
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The split to mine for; kinds of datasets without splits ignore it
    #[arg(long, value_name = "SPLIT", default_value = "train")]
    pub split: String,
    /// Take candidates from this TREC run instead of the first stage
    #[arg(long, value_name = "FILE", conflicts_with = "retriever")]
    pub run: Option<PathBuf>,
    /// Use this [[retriever]] of the config instead of its first stage
    #[arg(long, value_name = "NAME")]
    pub retriever: Option<String>,
    /// Ranks that negatives are taken from, from 1, both included
    #[arg(long, value_name = "FIRST..LAST", default_value = "10..100", value_parser = ranks)]
    pub ranks: (usize, usize),
    /// Negatives a query, at most
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = super::positive)]
    pub num_negatives: usize,
    /// Which of those that pass: those that score highest, or any
    #[arg(long, value_name = "HOW", value_enum, default_value_t = SamplingFlag::Top)]
    pub sampling: SamplingFlag,
    /// Stay this much below the lowest positive's score
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    pub absolute_margin: Option<f64>,
    /// Stay this share below the lowest positive's score; only for scores from 0 to 1 and cosines
    #[arg(long, value_name = "SHARE", conflicts_with = "preset")]
    pub relative_margin: Option<f64>,
    /// The highest score of a negative
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    pub max_score: Option<f64>,
    /// The lowest score of a negative
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    pub min_score: Option<f64>,
    /// perc-pos-95: mined negatives come to at most 0.95 of the lowest positive's score (documents that
    /// are judged not relevant are taken whatever they score)
    #[arg(long, value_name = "NAME", value_enum)]
    pub preset: Option<PresetFlag>,
    /// Score positives and candidates again: a [[reranker]] of the config by its name, a folder, a hub
    /// id, or `embedded`. Margins then hold for its scores (of logits, for their sigmoid)
    #[arg(long, value_name = "NAME_OR_MODEL")]
    pub teacher: Option<String>,
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Draws where sampling is random
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The groups to write, JSONL; .gz and .zst are packed. A file that is there is replaced
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Forget what a teacher scored in an earlier start
    #[arg(long)]
    pub fresh: bool,
    /// Print the statistics as JSON
    #[arg(long)]
    pub json: bool,
}

/// How negatives are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SamplingFlag {
    Top,
    Random,
}

/// A named set of options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PresetFlag {
    #[value(name = "perc-pos-95")]
    PercPos95,
}

fn ranks(text: &str) -> Result<(usize, usize), String> {
    let wrong = || "it must be two ranks from 1, as 10..100".to_owned();
    let (first, last) = text.split_once("..").ok_or_else(wrong)?;
    let rank = |text: &str| super::positive(text).map_err(|_| wrong());
    let (first, last) = (rank(first)?, rank(last.trim_start_matches('='))?);
    if last < first { Err(wrong()) } else { Ok((first, last)) }
}
