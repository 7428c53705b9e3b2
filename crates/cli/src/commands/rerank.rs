use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use secondpass_core::{Candidate, ContentHash, Corpus, Job, Query, Reranked, Reranker};
use secondpass_data::documents;
use secondpass_rerankers::CrossEncoder;
use secondpass_text::{ScoreError, Scorer, TokenBatch};
use serde_json::json;

use crate::args::RerankArgs;
use crate::batching::Batching;
use crate::exit::usage;
use crate::load::{self, Opened};
use crate::note::note;
use crate::onnx;
use crate::progress;
use crate::table::table;

/// Reranks the documents of a file or of standard input.
pub fn run(args: &RerankArgs, started: Instant) -> Result<()> {
    if args.query.trim().is_empty() {
        return Err(usage(anyhow::anyhow!("--query is empty; say what to look for")));
    }
    let corpus = match args.documents.as_os_str() == "-" {
        true => documents::read_from(std::io::stdin().lock(), "standard input")?,
        false => documents::read(&args.documents)?,
    };
    let loading = Instant::now();
    let first = Arc::new(OnceLock::new());
    let reranker = match &args.onnx {
        Some(file) => through_onnx(args, file, &first)?,
        None => on_our_engine(args, &first)?,
    };
    let load_time = loading.elapsed();
    if args.model == load::EMBEDDED {
        note(
            "note: the embedded model is a demonstration, trained on the help-desk articles of \
             `quickstart` alone; its ranking of other texts means nothing",
        );
    }
    let reranked = rerank_one(&reranker, job(&args.query, &corpus))?;
    let times = Times {
        load: load_time,
        tokenize: reranked.timings.tokenize,
        compute: reranked.timings.compute,
        first_score: first.get().map_or(started.elapsed(), |at| at.duration_since(started)),
    };
    let mut out = std::io::stdout().lock();
    if args.json {
        print_json(&mut out, args, &reranker, &reranked, &corpus, &times)?;
    } else {
        print_table(&mut out, args, &reranked, &corpus)?;
        note_truncation(&reranker, &reranked);
        if reranked.usage.batches_cut > 0 {
            note(format_args!(
                "note: batches did not fit into memory and were cut {} times; free memory, or lower \
                 --batch-tokens or --max-length",
                reranked.usage.batches_cut
            ));
        }
        if args.timings {
            times.print();
        }
    }
    Ok(())
}

/// When the first scores were there.
type First = Arc<OnceLock<Instant>>;

fn on_our_engine(args: &RerankArgs, first: &First) -> Result<CrossEncoder> {
    let opened = load::open(&args.model, args.revision.as_deref(), args.engine.settings())?;
    let weights = weights(args, || opened.weights())?;
    let Opened { loaded, model, revision, .. } = opened;
    let identity = loaded.identity(&short(&model), &model, revision, weights);
    let scorer = Box::new(Watched { scorer: loaded.model, first: Arc::clone(first) });
    Batching::of(args.engine.batch_tokens, true).cross_encoder(identity, loaded.tokenizer, scorer)
}

fn through_onnx(args: &RerankArgs, file: &str, first: &First) -> Result<CrossEncoder> {
    let opened = onnx::open(onnx::Settings {
        model: &args.model,
        file: Some(file).filter(|file| !file.is_empty()),
        revision: args.revision.as_deref(),
        max_length: args.engine.max_length,
        truncation: args.engine.truncation,
    })?;
    let weights = weights(args, || opened.weights())?;
    let identity = opened.identity(&short(&opened.model), weights);
    let scorer = Box::new(Watched { scorer: opened.scorer, first: Arc::clone(first) });
    Batching::of(args.engine.batch_tokens, true).cross_encoder(identity, opened.tokenizer, scorer)
}

/// Whoever keeps the JSON can tell later which weights it came from. A table does not wait for their
/// hash.
fn weights(
    args: &RerankArgs,
    hash: impl FnOnce() -> Result<ContentHash>,
) -> Result<Option<ContentHash>> {
    args.json.then(hash).transpose()
}

/// A model's name without its owner.
fn short(model: &str) -> String {
    Path::new(model).file_name().map_or(model.into(), OsStr::to_string_lossy).into_owned()
}

/// Where the time of the whole program went.
struct Times {
    load: Duration,
    tokenize: Duration,
    compute: Duration,
    /// From the start of the process until the first batch's scores were read back.
    first_score: Duration,
}

/// A scorer that notes when its first scores were there.
struct Watched<S> {
    scorer: S,
    first: First,
}

impl<S: Scorer> Scorer for Watched<S> {
    fn score(&self, batches: &[TokenBatch]) -> std::result::Result<Vec<f32>, ScoreError> {
        let scores = self.scorer.score(batches);
        self.first.get_or_init(Instant::now);
        scores
    }

    fn batch_bytes(&self, sequences: usize, longest: usize) -> Option<u64> {
        self.scorer.batch_bytes(sequences, longest)
    }
}

impl Times {
    fn print(&self) {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        note(format_args!(
            "load {:.1} ms, tokenize {:.1} ms, compute {:.1} ms, process start to first score {:.1} ms",
            ms(self.load),
            ms(self.tokenize),
            ms(self.compute),
            ms(self.first_score)
        ));
    }
}

fn job(query: &str, corpus: &Corpus) -> Job {
    let candidates = corpus.documents().iter().enumerate().map(|(index, document)| Candidate {
        document: document.clone(),
        // There was no first stage: the order of the file is all there is.
        score: -(index as f64),
        rank: index + 1,
    });
    let query =
        Query { id: "query".into(), text: query.to_owned(), attributes: Default::default() };
    Job { query, candidates: candidates.collect() }
}

fn rerank_one(reranker: &dyn Reranker, job: Job) -> Result<Reranked> {
    let mut answer = None;
    let context = progress::cancellable();
    reranker.rerank_many(&[job], &context, &mut |_, result| answer = Some(result));
    match answer {
        Some(Ok(reranked)) => Ok(reranked),
        Some(Err(failed)) => Err(failed.error.into()),
        None => bail!("the reranker gave no answer"),
    }
}

fn shown(score: Option<f64>, raw: bool) -> Option<f64> {
    let logit = score?;
    Some(if raw { logit } else { 1.0 / (1.0 + (-logit).exp()) })
}

fn print_json(
    out: &mut impl Write,
    args: &RerankArgs,
    reranker: &dyn Reranker,
    reranked: &Reranked,
    corpus: &Corpus,
    times: &Times,
) -> Result<()> {
    let top = args.top_n.map_or(usize::MAX, |n| n as usize);
    let results = reranked.ranking.ranked().iter().take(top).enumerate().map(|(index, ranked)| {
        let document = corpus.get(&ranked.document);
        json!({
            "rank": index + 1,
            "id": ranked.document,
            "score": shown(ranked.score, args.raw_scores),
            "title": document.map(|d| d.title.as_str()).filter(|title| !title.is_empty()),
            "text": document.map(|d| d.text.as_str()),
        })
    });
    let mut whole = json!({
        "query": args.query,
        "reranker": reranker.identity(),
        "score": if args.raw_scores { "logit" } else { "sigmoid of the logit" },
        "results": results.collect::<Vec<_>>(),
        "usage": reranked.usage,
        "truncation": reranked.truncation,
    });
    if args.timings {
        whole["timings_seconds"] = json!({
            "load": times.load.as_secs_f64(),
            "tokenize": times.tokenize.as_secs_f64(),
            "compute": times.compute.as_secs_f64(),
            "process_start_to_first_score": times.first_score.as_secs_f64(),
        });
    }
    writeln!(out, "{}", serde_json::to_string_pretty(&whole)?)?;
    Ok(())
}

/// The longest text a table shows of a document.
const SNIPPET: usize = 100;

fn print_table(
    out: &mut impl Write,
    args: &RerankArgs,
    reranked: &Reranked,
    corpus: &Corpus,
) -> Result<()> {
    let top = args.top_n.map_or(usize::MAX, |n| n as usize);
    let mut table = table(&["rank", "score", "id", "document"], |column| column < 2);
    for (index, ranked) in reranked.ranking.ranked().iter().take(top).enumerate() {
        let score = shown(ranked.score, args.raw_scores);
        let passage = corpus.get(&ranked.document).map(|d| d.passage()).unwrap_or_default();
        table.add_row([
            (index + 1).to_string(),
            score.map_or("-".to_owned(), |score| format!("{score:.4}")),
            plain(ranked.document.as_str(), usize::MAX),
            plain(&passage, SNIPPET),
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(())
}

/// A text for a terminal: control characters, which could move its cursor, become blanks.
fn plain(text: &str, limit: usize) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().take(limit).map(clean).collect();
    if text.chars().nth(limit).is_some() {
        shown.push('…');
    }
    shown
}

fn note_truncation(reranker: &dyn Reranker, reranked: &Reranked) {
    let Some(audit) = reranked.truncation.filter(|audit| audit.pairs_cut > 0) else { return };
    let limit = reranker.identity().max_length.unwrap_or_default();
    eprintln!(
        "note: {} of {} pairs were cut to {limit} tokens; {} of {} tokens were not read (longest pair {}); see --max-length \
         and --truncation",
        audit.pairs_cut, audit.pairs, audit.tokens_cut, audit.tokens, audit.longest
    );
}
