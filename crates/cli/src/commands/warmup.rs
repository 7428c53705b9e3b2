use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use secondpass_core::{Candidate, Context, Document, Job, Query, Reranker};
use secondpass_model::DeviceSpec;
use secondpass_rerankers::{CrossEncoder, TUNING_QUERIES, TUNING_TOKENS};
use secondpass_text::PairTokenizer;
use serde_json::json;

use crate::args::WarmupArgs;
use crate::batching::{Batching, usual};
use crate::exit::usage;
use crate::load::{self, Opened};
use crate::note::note;
use crate::progress;
use crate::table::table;

/// Means nothing, and no tokenizer makes less of it than a token a word.
const WORD: &str = "warm ";

/// Loads a model and lets it score batches of every length that it will meet.
pub fn run(args: &WarmupArgs, started: Instant) -> Result<()> {
    let engine = &args.engine;
    let opened = load::open(&args.model, args.revision.as_deref(), engine.settings())?;
    let weights = if args.tune { Some(opened.weights()?) } else { None };
    let Opened { loaded, model, revision, .. } = opened;
    let identity = loaded.identity(&model, &model, revision, weights);
    let device = identity.device.clone().unwrap_or_default();
    let is_card = matches!(device.parse(), Ok(DeviceSpec::Cuda(_)));
    if args.tune && is_card {
        return Err(usage(anyhow::anyhow!(
            "--tune is for processors, and {device} is none; leave it out, and set --batch-tokens where the \
             usual {} are not wanted",
            usual(Some(&device))
        )));
    }
    let lengths = lengths(loaded.tokenizer.max_length(), args.from);
    let fillers = Fillers::new(&loaded.tokenizer)?;
    let reranker = Batching::of(engine.batch_tokens, args.tune).cross_encoder(
        identity,
        loaded.tokenizer,
        Box::new(loaded.model),
    )?;
    let load = started.elapsed();
    let budget = engine.batch_tokens.unwrap_or(usual(Some(&device)));

    let context = progress::cancellable();
    let mut lines = Vec::new();
    for (length, documents) in batches(&lengths, budget, is_card) {
        let job = fillers.job(&vec![length; documents]);
        let first = rerank(&reranker, &job, &context)?;
        let again = rerank(&reranker, &job, &context)?;
        note(format_args!(
            "{documents} of {length} tokens: {:.0} ms, then {:.0} ms",
            1e3 * first.as_secs_f64(),
            1e3 * again.as_secs_f64()
        ));
        lines.push(Line { length, documents, first, again });
    }
    if args.tune {
        tune(&reranker, &fillers, &context)?;
    }
    print(args, &model, &device, load, &lines)
}

/// What a batch of one length took.
struct Line {
    length: usize,
    documents: usize,
    first: Duration,
    again: Duration,
}

/// The longest pair's length, and each half as long that is no shorter than `from`.
fn lengths(longest: usize, from: usize) -> Vec<usize> {
    let halves = std::iter::successors(Some(longest), |length| Some(length / 2));
    halves.take_while(|&length| length == longest || length >= from.max(1)).collect()
}

/// The fewest tokens of a batch that a card is made ready for, unless a single pair has fewer.
const FEWEST: usize = 512;

/// Lengths with numbers of documents: each length with as many as the budget holds, and for a card, whose
/// kernels are chosen by the power of two that tokens come to, also with half as many, and so on.
fn batches(lengths: &[usize], budget: usize, is_card: bool) -> Vec<(usize, usize)> {
    let of = |&length: &usize| {
        let most = (budget / length).max(1);
        let halves = std::iter::successors(Some(most), |documents| Some(documents / 2));
        let enough = move |documents: &usize| {
            *documents == most || is_card && *documents > 0 && documents * length >= FEWEST
        };
        halves.take_while(enough).map(move |documents| (length, documents))
    };
    lengths.iter().flat_map(of).collect()
}

/// Pairs of a wanted number of tokens.
struct Fillers {
    /// The longest pair.
    most: usize,
    /// Tokens of a pair of one word each, and what each word more adds.
    least: usize,
}

impl Fillers {
    fn new(tokenizer: &PairTokenizer) -> Result<Self> {
        let pairs = tokenizer.encode(WORD.trim(), &[WORD.trim()])?;
        let least = pairs.first().map_or(0, |pair| pair.ids.len());
        Ok(Self { most: tokenizer.max_length(), least })
    }

    /// A query with a document for each of these lengths.
    fn job(&self, lengths: &[usize]) -> Job {
        let candidates = lengths.iter().enumerate().map(|(index, length)| Candidate {
            document: Document {
                id: format!("{index}").into(),
                title: String::new(),
                text: WORD.repeat(length.saturating_sub(self.least) + 1),
            },
            score: -(index as f64),
            rank: index + 1,
        });
        let query =
            Query { id: "warmup".into(), text: WORD.into(), attributes: Default::default() };
        Job { query, candidates: candidates.collect() }
    }
}

/// Asks until the size of batches is found, or was known.
fn tune(reranker: &CrossEncoder, fillers: &Fillers, context: &Context) -> Result<()> {
    // Of no single length: what is found is to suit a mix.
    let mix = [32, 64, 128, 256].map(|length| fillers.most.min(length));
    let mut tokens = 0;
    let enough = mix.iter().cycle().take_while(|length| {
        let wanted = tokens < TUNING_TOKENS;
        tokens += **length;
        wanted
    });
    let job = fillers.job(&enough.copied().collect::<Vec<usize>>());
    let bar = progress::bar(TUNING_QUERIES as u64, "tuning {wide_bar} {pos}/{len}, {eta} left");
    for _ in 0..TUNING_QUERIES {
        rerank(reranker, &job, context)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

fn rerank(reranker: &CrossEncoder, job: &Job, context: &Context) -> Result<Duration> {
    let began = Instant::now();
    let mut answer = None;
    reranker.rerank_many(std::slice::from_ref(job), context, &mut |_, told| answer = Some(told));
    match answer {
        Some(Ok(_)) => Ok(began.elapsed()),
        Some(Err(failed)) => Err(failed.error.into()),
        None => bail!("stopped; what was compiled so far is kept"),
    }
}

fn print(
    args: &WarmupArgs,
    model: &str,
    device: &str,
    load: Duration,
    lines: &[Line],
) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let milliseconds = |time: Duration| 1e3 * time.as_secs_f64();
    if args.json {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| {
                json!({
                    "tokens": line.length,
                    "documents": line.documents,
                    "first_ms": milliseconds(line.first),
                    "again_ms": milliseconds(line.again),
                })
            })
            .collect();
        let told = json!({
            "model": model, "device": device, "load_s": load.as_secs_f64(), "lengths": lines,
        });
        writeln!(out, "{told:#}")?;
        return Ok(());
    }
    writeln!(out, "{model} on {device}: loaded in {:.1} s", load.as_secs_f64())?;
    let mut shown = table(&["tokens", "documents", "first", "again"], |_| true);
    for line in lines {
        shown.add_row([
            line.length.to_string(),
            line.documents.to_string(),
            format!("{:.0} ms", milliseconds(line.first)),
            format!("{:.0} ms", milliseconds(line.again)),
        ]);
    }
    writeln!(out, "{shown}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_halve() {
        assert_eq!(lengths(512, 32), [512, 256, 128, 64, 32]);
        assert_eq!(lengths(100, 30), [100, 50]);
        assert_eq!(lengths(16, 32), [16]);
        assert_eq!(lengths(1, 1), [1]);
    }

    #[test]
    fn a_card_meets_every_power_of_two() {
        assert_eq!(batches(&[512, 64], 4096, false), [(512, 8), (64, 64)]);
        let of_512 = [(512, 8), (512, 4), (512, 2), (512, 1)];
        assert_eq!(batches(&[512], 4096, true), of_512);
        assert_eq!(batches(&[256], 2048, true), [(256, 8), (256, 4), (256, 2)]);
        assert_eq!(batches(&[8192], 4096, true), [(8192, 1)], "one pair is the least there is");
        assert_eq!(batches(&[16], 256, true), [(16, 16)]);
        let tokens: std::collections::BTreeSet<u32> =
            batches(&[512, 128], 32_768, true).iter().map(|(l, d)| (l * d).ilog2()).collect();
        assert_eq!(tokens, (9..=15).collect());
    }
}
