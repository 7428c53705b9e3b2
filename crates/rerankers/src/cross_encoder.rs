use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use secondpass_core::{
    Context, DocId, Failed, Identity, Job, Origin, Ranking, RerankError, Reranked, Reranker,
    Timings, TruncationAudit, Usage,
};
use secondpass_text::{
    Chunks, EncodedPair, PairTokenizer, ScoreError, Scorer, TokenBatch, TokenizeError, plan,
};

use crate::LongDocuments;
use crate::batching::{AvailableMemory, Room, Tuning, Verdict};
use crate::sequential::{each, stopped};

/// A pointwise reranker: reads each (query, document) pair with a cross-encoder and sorts by its
/// logit.
pub struct CrossEncoder {
    identity: Identity,
    tokenizer: PairTokenizer,
    scorer: Box<dyn Scorer>,
    tuning: Arc<Tuning>,
    room: Option<Room>,
    long: LongDocuments,
    overlap: usize,
}

/// A scorer that gave more or fewer scores than it was given sequences.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the model gave {found} scores for {expected} pairs; a reranker must have one label, see \
     num_labels in its config.json"
)]
pub struct WrongScoreCount {
    /// Sequences given.
    pub expected: usize,
    /// Scores that came back.
    pub found: usize,
}

/// A pair that is too long where nothing may be cut.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "document '{document}' makes a pair of {length} tokens, over the limit of {max_length}; raise the \
     maximum length or truncate longest-first"
)]
pub struct PairTooLong {
    /// Which document.
    pub document: DocId,
    /// The pair's length in tokens.
    pub length: usize,
    /// The limit.
    pub max_length: usize,
}

/// A document for which there is no memory even alone.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "document '{document}' makes a pair of {length} tokens, for which {}; close other programs, lower the \
     maximum length, or score long documents in chunks (long_documents)",
    needs(*need, *available)
)]
pub struct NoMemory {
    /// Which document.
    pub document: DocId,
    /// The pair's length in tokens.
    pub length: usize,
    /// Bytes it needs, where that can be told.
    pub need: Option<u64>,
    /// Bytes there are, where that can be told.
    pub available: Option<u64>,
}

fn needs(need: Option<u64>, available: Option<u64>) -> String {
    let gb = |bytes: u64| format!("{:.2} GB", bytes as f64 / 1e9);
    match (need, available) {
        (Some(need), Some(free)) => format!("{} are needed and {} available", gb(need), gb(free)),
        (Some(need), None) => format!("{} were refused", gb(need)),
        (None, _) => "memory was refused".to_owned(),
    }
}

impl CrossEncoder {
    /// A reranker that is known as `identity`, whose `max_length` and `truncation` are to be the
    /// tokenizer's. `budget` is the size of a batch in tokens, padding included: larger uses the
    /// device better, and more memory. Any budget gives the same scores; a pair longer than it is
    /// scored alone. Long documents are truncated.
    pub fn new(
        identity: Identity,
        tokenizer: PairTokenizer,
        scorer: Box<dyn Scorer>,
        budget: usize,
    ) -> Self {
        let (long, overlap) = (LongDocuments::Truncate, 0);
        let tuning = Arc::new(Tuning::known(budget));
        Self { identity, tokenizer, scorer, tuning, room: None, long, overlap }
    }

    /// Finds the size of a batch while it works.
    #[must_use]
    pub fn with_tuning(self, tuning: Arc<Tuning>) -> Self {
        Self { tuning, ..self }
    }

    /// Cuts batches that this much memory does not hold, down to single pairs.
    #[must_use]
    pub fn with_available_memory(self, available: AvailableMemory) -> Self {
        Self { room: Some(Room::new(available)), ..self }
    }

    /// Treats long documents so; chunks overlap by so many tokens ([`secondpass_text::OVERLAP`]
    /// unless there is a reason). It takes the place of the truncation in the identity (`max-chunk
    /// overlap=32`). Usage and audit count every chunk that is scored as a pair.
    #[must_use]
    pub fn with_long_documents(mut self, long: LongDocuments, overlap: usize) -> Self {
        self.identity.truncation = match long {
            LongDocuments::Truncate => Some(self.tokenizer.truncation().to_string()),
            LongDocuments::FirstChunk => Some(long.to_string()),
            LongDocuments::MaxChunk | LongDocuments::MeanTopK(_) => {
                Some(format!("{long} overlap={overlap}"))
            }
        };
        Self { long, overlap, ..self }
    }

    /// The pairs to score, document after document, and how many each has.
    fn pairs(&self, job: &Job) -> Result<(Vec<EncodedPair>, Vec<usize>), TokenizeError> {
        let passages: Vec<String> = job.candidates.iter().map(|c| c.document.passage()).collect();
        let query = &job.query.text;
        if self.long == LongDocuments::Truncate {
            let pairs = self.tokenizer.encode(query, &passages)?;
            let counts = vec![1; pairs.len()];
            return Ok((pairs, counts));
        }
        let first_only = self.long == LongDocuments::FirstChunk;
        let chunks = Chunks { overlap: self.overlap, first_only };
        let documents = self.tokenizer.encode_chunks(query, &passages, chunks)?;
        let counts = documents.iter().map(Vec::len).collect();
        Ok((documents.into_iter().flatten().collect(), counts))
    }

    fn rerank(&self, job: &Job, context: &Context) -> Result<Reranked, Failed> {
        if job.candidates.is_empty() {
            return Ok(Reranked {
                ranking: Ranking::default(),
                usage: Usage::default(),
                timings: Timings::default(),
                truncation: Some(TruncationAudit::default()),
                origin: Origin::Live,
            });
        }
        let mut usage = Usage::default();
        let mut timings = Timings::default();

        let started = Instant::now();
        let (pairs, counts) = self.pairs(job).map_err(|source| untokenized(job, source, usage))?;
        let lengths: Vec<usize> = pairs.iter().map(|pair| pair.ids.len()).collect();
        let tokens = lengths.iter().sum();
        let attempt = self.tuning.choose(tokens);
        let mut batches = VecDeque::from(plan(&lengths, attempt.budget));
        timings.tokenize = started.elapsed();

        let mut scores = vec![0.0; pairs.len()];
        while let Some(indexes) = batches.pop_front() {
            if context.is_over() {
                return Err(stopped(job, usage));
            }
            let started = Instant::now();
            let logits = match self.score(&pairs, &indexes) {
                Ok(logits) => logits,
                Err(Unscored::NoRoom { .. }) if indexes.len() > 1 => {
                    let (first, second) = indexes.split_at(indexes.len() / 2);
                    batches.push_front(second.to_vec());
                    batches.push_front(first.to_vec());
                    usage.batches_cut += 1;
                    continue;
                }
                Err(Unscored::NoRoom { need, available }) => {
                    let length = lengths[indexes[0]];
                    let document = owner(&counts, indexes[0]);
                    let document = job.candidates[document].document.id.clone();
                    let source = NoMemory { document, length, need, available };
                    return Err(failed(job, source, usage));
                }
                Err(Unscored::Failed(source)) => return Err(failed(job, source, usage)),
            };
            timings.compute += started.elapsed();
            let tokens: usize = indexes.iter().map(|&index| lengths[index]).sum();
            usage += Usage::free(indexes.len() as u64, tokens as u64);
            if logits.len() != indexes.len() {
                let source = WrongScoreCount { expected: indexes.len(), found: logits.len() };
                return Err(failed(job, source, usage));
            }
            for (index, logit) in indexes.into_iter().zip(logits) {
                scores[index] = f64::from(logit);
            }
        }
        if usage.batches_cut == 0 {
            self.tuning.done(attempt, tokens, timings.compute);
        }

        let documents = job.candidates.iter().map(|candidate| candidate.document.id.clone());
        let mut scores = scores.as_slice();
        let scores = counts.into_iter().map(|count| {
            let (of_document, rest) = scores.split_at(count);
            scores = rest;
            self.long.combine(of_document)
        });
        let ranking = Ranking::from_scores(documents.zip(scores))
            .map_err(|error| Failed { error: error.into(), usage })?;
        Ok(Reranked {
            ranking,
            usage,
            timings,
            truncation: Some(audit(&pairs)),
            origin: Origin::Live,
        })
    }
}

/// Why a batch has no scores.
enum Unscored {
    /// Not enough memory, with the bytes needed and available as far as they are known.
    NoRoom {
        need: Option<u64>,
        available: Option<u64>,
    },
    Failed(ScoreError),
}

impl CrossEncoder {
    /// Scores the pairs of these indexes if there is memory for them.
    fn score(&self, pairs: &[EncodedPair], indexes: &[usize]) -> Result<Vec<f32>, Unscored> {
        let batch = batch(pairs, indexes);
        let need = self.scorer.batch_bytes(batch.len(), batch.longest());
        let place = match (&self.room, need) {
            (Some(room), Some(bytes)) => match room.ask(bytes) {
                Verdict::Fits(place) => Some((room, place)),
                Verdict::Short(free) => {
                    return Err(Unscored::NoRoom { need, available: Some(free) });
                }
            },
            _ => None,
        };
        let scores = self.scorer.score(&[batch]);
        if let Some((room, place)) = place {
            room.over(place);
        }
        scores.map_err(|error| match error {
            ScoreError::OutOfMemory(_) => Unscored::NoRoom { need, available: None },
            error => Unscored::Failed(error),
        })
    }
}

/// The document that a pair is of, where each has so many.
fn owner(counts: &[usize], pair: usize) -> usize {
    let mut before = 0;
    counts
        .iter()
        .position(|count| {
            before += count;
            pair < before
        })
        .unwrap_or(0)
}

impl Reranker for CrossEncoder {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn rerank_many(
        &self,
        jobs: &[Job],
        context: &Context,
        done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
    ) {
        each(jobs, context, done, |job| self.rerank(job, context));
    }
}

fn batch(pairs: &[EncodedPair], indexes: &[usize]) -> TokenBatch {
    let mut batch = TokenBatch::new();
    for &index in indexes {
        batch.push(&pairs[index].ids, &pairs[index].type_ids);
    }
    batch
}

fn audit(pairs: &[EncodedPair]) -> TruncationAudit {
    let mut audit = TruncationAudit::default();
    for pair in pairs {
        audit.note(pair.ids.len() + pair.cut, pair.cut);
    }
    audit
}

/// Names the document that is too long; the tokenizer knows only its place.
fn untokenized(job: &Job, source: TokenizeError, usage: Usage) -> Failed {
    let candidate = match source {
        TokenizeError::TooLong { index, .. } => job.candidates.get(index),
        _ => None,
    };
    match (candidate, source) {
        (Some(candidate), TokenizeError::TooLong { length, max_length, .. }) => {
            let document = candidate.document.id.clone();
            failed(job, PairTooLong { document, length, max_length }, usage)
        }
        (_, source) => failed(job, source, usage),
    }
}

fn failed(
    job: &Job,
    source: impl std::error::Error + Send + Sync + 'static,
    usage: Usage,
) -> Failed {
    let source = Box::new(source);
    Failed { error: RerankError::Scoring { query: job.query.id.clone(), source }, usage }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use secondpass_core::{Cancel, RankingError, Scoring};
    use secondpass_text::{ScoreError, Truncation};

    use super::*;
    use crate::sequential::tests::{job, order, outcomes};

    /// Knows the words a to d, and [`TokenBatch`] sees them as 3 to 6.
    const TOKENIZER: &str = r#"{
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "decoder": null,
        "post_processor": {"type": "BertProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0]},
        "model": {
            "type": "WordLevel", "unk_token": "<unk>",
            "vocab": {"<s>": 0, "</s>": 1, "<unk>": 2, "a": 3, "b": 4, "c": 5, "d": 6}
        }
    }"#;

    /// Scores a pair by how many words of the document are words of the query, or as told.
    enum Fake {
        Shared,
        NaN,
        TooFew,
        Fails,
        /// Scores, then lets the user lose patience.
        Cancels(Cancel),
        /// Is refused memory for batches of more tokens than this, padding included.
        Refused(usize),
        /// Says that a token takes a gigabyte.
        Large,
    }

    const GB: u64 = 1 << 30;

    impl Scorer for Fake {
        fn score(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError> {
            let mut scores: Vec<f32> =
                batches.iter().flat_map(TokenBatch::sequences).map(shared).collect();
            match self {
                Self::Shared => {}
                Self::NaN => scores.fill(f32::NAN),
                Self::TooFew => scores.truncate(scores.len() - 1),
                Self::Fails => return Err(ScoreError::Device("it is on fire".into())),
                Self::Cancels(cancel) => cancel.set(),
                Self::Refused(most) => {
                    let tokens = |batch: &TokenBatch| batch.len() * batch.longest();
                    if batches.iter().any(|batch| tokens(batch) > *most) {
                        return Err(ScoreError::OutOfMemory("refused".into()));
                    }
                }
                Self::Large => {}
            }
            Ok(scores)
        }

        fn batch_bytes(&self, sequences: usize, longest: usize) -> Option<u64> {
            matches!(self, Self::Large).then(|| (sequences * longest) as u64 * GB)
        }
    }

    fn shared((ids, types): (&[u32], &[u32])) -> f32 {
        let words = |of: u32| {
            let tokens = ids.iter().zip(types);
            tokens.filter(move |&(&id, &kind)| kind == of && id > 1).map(|(&id, _)| id)
        };
        words(1).filter(|&id| words(0).any(|word| word == id)).count() as f32
    }

    fn cross_encoder(fake: Fake, budget: usize, limit: usize, mode: Truncation) -> CrossEncoder {
        let tokenizer =
            PairTokenizer::from_bytes(TOKENIZER.as_bytes(), "test", limit, mode).unwrap();
        let identity = Identity {
            name: "fake".into(),
            provider: "test".into(),
            model: "shared-words".into(),
            revision: None,
            weights: None,
            endpoint: None,
            device: None,
            dtype: None,
            max_length: Some(limit),
            truncation: Some(mode.to_string()),
            scoring: Scoring::Pointwise,
        };
        CrossEncoder::new(identity, tokenizer, Box::new(fake), budget)
    }

    fn with(fake: Fake, budget: usize) -> CrossEncoder {
        cross_encoder(fake, budget, 64, Truncation::LongestFirst)
    }

    fn only(reranker: &CrossEncoder, job: Job) -> Result<Reranked, Failed> {
        outcomes(reranker, &[job], &Context::default()).remove(0)
    }

    /// Lengths that the plan puts into another order than they come in.
    fn mixed() -> Job {
        job("a b", &[("one", "a"), ("none", "d d d d"), ("three", "a b a c"), ("two", "c b a")])
    }

    #[test]
    fn every_score_finds_its_document_at_every_budget() {
        for budget in [0, 1, 8, 16, 1000] {
            let reranked = only(&with(Fake::Shared, budget), mixed()).unwrap();
            let places: Vec<_> = reranked.ranking.ranked().iter().map(|r| r.score).collect();
            assert_eq!(order(&reranked), ["three", "two", "one", "none"], "budget {budget}");
            assert_eq!(places, [Some(3.0), Some(2.0), Some(1.0), Some(0.0)]);
            assert_eq!(reranked.usage, Usage::free(4, 4 * 5 + 12));
        }
    }

    #[test]
    fn titles_are_read() {
        let mut job = job("a", &[("text", "b"), ("title", "b")]);
        job.candidates[1].document.title = "a".into();
        assert_eq!(order(&only(&with(Fake::Shared, 100), job).unwrap()), ["title", "text"]);
    }

    #[test]
    fn what_was_cut_is_told() {
        let reranker = cross_encoder(Fake::Shared, 100, 7, Truncation::LongestFirst);
        let reranked = only(&reranker, mixed()).unwrap();
        let audit = reranked.truncation.unwrap();
        assert_eq!((audit.pairs, audit.pairs_cut), (4, 3));
        assert_eq!((audit.tokens, audit.tokens_cut, audit.longest), (32, 5, 9));
        assert_eq!(reranked.usage, Usage::free(4, 27));
    }

    /// Pairs of at most 9 tokens: 4 of a document beside 3 special ones and a query of 2.
    fn long(mode: &str, overlap: usize, fake: Fake) -> CrossEncoder {
        let reranker = cross_encoder(fake, 100, 9, Truncation::LongestFirst);
        reranker.with_long_documents(mode.parse().unwrap(), overlap)
    }

    /// In chunks of four, `late` has 0, 4 and 1 words of the query, `steady` 2, 2 and 2.
    fn long_job() -> Job {
        job(
            "a b",
            &[("late", "c c c c a b a b d d a"), ("steady", "a b c c a b c c a b"), ("short", "a")],
        )
    }

    #[test]
    fn each_mode_scores_long_documents_in_its_own_way() {
        for (mode, late, steady, pairs) in [
            ("truncate", 0.0, 2.0, 3),
            ("first-chunk", 0.0, 2.0, 3),
            ("max-chunk", 4.0, 2.0, 7),
            ("mean-top-1", 4.0, 2.0, 7),
            ("mean-top-2", 2.5, 2.0, 7),
            ("mean-top-3", 5.0 / 3.0, 2.0, 7),
            ("mean-top-9", 5.0 / 3.0, 2.0, 7),
        ] {
            let reranked = only(&long(mode, 0, Fake::Shared), long_job()).unwrap();
            let score = |id: &str| {
                let ranked = reranked.ranking.ranked().iter();
                ranked.filter(|r| r.document.as_str() == id).find_map(|r| r.score).unwrap()
            };
            let close = |found: f64, expected: f64| (found - expected).abs() < 1e-6;
            assert!(close(score("late"), late), "{mode}: {}", score("late"));
            assert!(close(score("steady"), steady), "{mode}: {}", score("steady"));
            assert!(close(score("short"), 1.0), "{mode}");
            assert_eq!(reranked.usage.pairs, pairs, "{mode}");
            assert_eq!(reranked.truncation.unwrap().pairs, pairs as usize, "{mode}");
        }
    }

    #[test]
    fn what_chunks_cost_and_leave_out_is_told() {
        // 22 tokens of documents, and for each of 7 pairs 5 of query and special ones.
        let reranked = only(&long("max-chunk", 0, Fake::Shared), long_job()).unwrap();
        let audit = reranked.truncation.unwrap();
        assert_eq!(reranked.usage.tokens, 22 + 7 * 5);
        assert_eq!((audit.pairs_cut, audit.tokens_cut, audit.tokens), (0, 0, 22 + 7 * 5));
        let reranked = only(&long("first-chunk", 0, Fake::Shared), long_job()).unwrap();
        let audit = reranked.truncation.unwrap();
        assert_eq!(reranked.usage.tokens, 9 + 3 * 5);
        assert_eq!((audit.pairs_cut, audit.tokens_cut, audit.longest), (2, 13, 16));
    }

    #[test]
    fn overlap_costs_pairs_and_is_part_of_the_identity() {
        let reranked = only(&long("max-chunk", 1, Fake::Shared), long_job()).unwrap();
        assert_eq!(reranked.usage.pairs, 4 + 3 + 1);
        let truncation = |mode, overlap| {
            let reranker = long(mode, overlap, Fake::Shared);
            reranker.identity().truncation.clone().unwrap()
        };
        assert_eq!(truncation("truncate", 1), "longest-first");
        assert_eq!(truncation("first-chunk", 1), "first-chunk");
        assert_eq!(truncation("max-chunk", 1), "max-chunk overlap=1");
        assert_eq!(truncation("mean-top-3", 0), "mean-top-3 overlap=0");
    }

    #[test]
    fn a_nan_among_chunks_is_an_error_that_names_the_document() {
        let failed = only(&long("max-chunk", 0, Fake::NaN), long_job()).unwrap_err();
        let RerankError::Ranking(RankingError::NaN(document)) = &failed.error else {
            panic!("{}", failed.error)
        };
        assert_eq!((document.as_str(), failed.usage.pairs), ("late", 7));
    }

    #[test]
    fn a_query_that_leaves_no_room_for_chunks_is_told() {
        let job = job("a b c d a", &[("one", "a b")]);
        let error = only(&long("max-chunk", 0, Fake::Shared), job).unwrap_err().error.to_string();
        assert!(error.starts_with("query 'q': the query's 5 tokens leave room for 1"), "{error}");
    }

    #[test]
    fn without_candidates_nothing_is_scored() {
        let reranked = only(&with(Fake::Fails, 100), job("a", &[])).unwrap();
        assert!(reranked.ranking.is_empty());
        assert_eq!(reranked.usage, Usage::default());
        assert_eq!(reranked.timings.total(), Duration::ZERO);
    }

    #[test]
    fn nan_is_an_error_that_names_the_document() {
        let failed = only(&with(Fake::NaN, 100), mixed()).unwrap_err();
        let RerankError::Ranking(RankingError::NaN(document)) = &failed.error else {
            panic!("{}", failed.error)
        };
        assert_eq!(document.as_str(), "one");
        assert_eq!(failed.usage.pairs, 4);
    }

    #[test]
    fn failures_beneath_are_passed_on_with_the_query() {
        let message =
            |reranker: CrossEncoder| only(&reranker, mixed()).unwrap_err().error.to_string();
        assert_eq!(message(with(Fake::Fails, 100)), "query 'q': the device failed: it is on fire");
        assert!(message(with(Fake::TooFew, 100)).contains("3 scores for 4 pairs"));
        let too_long = cross_encoder(Fake::Shared, 100, 8, Truncation::Error);
        assert!(
            message(too_long).starts_with("query 'q': document 'none' makes a pair of 9 tokens")
        );
    }

    #[test]
    fn batches_are_cut_to_the_memory_there_is() {
        // The longest of four pairs has 9 tokens.
        // Where memory is counted, a second batch needs only what the first did not leave it.
        for (most, cut, counted) in [(36, 0, 0), (18, 1, 1), (9, 3, 2)] {
            let reranked = only(&with(Fake::Refused(most), 1000), mixed()).unwrap();
            assert_eq!(order(&reranked), ["three", "two", "one", "none"], "{most}");
            assert_eq!(reranked.usage, Usage { batches_cut: cut, ..Usage::free(4, 32) }, "{most}");
            let free = Some((most as u64 + 4) * GB);
            let reranker = with(Fake::Large, 1000).with_available_memory(Arc::new(move || free));
            let reranked = only(&reranker, mixed()).unwrap();
            assert_eq!(order(&reranked), ["three", "two", "one", "none"], "{most}");
            assert_eq!(reranked.usage.batches_cut, counted, "{most}");
        }
    }

    #[test]
    fn a_document_too_large_for_memory_is_named_and_the_others_go_on() {
        let reranker = with(Fake::Large, 1000).with_available_memory(Arc::new(|| Some(9 * GB)));
        let small = job("a", &[("x", "a"), ("y", "b c")]);
        let outcomes = outcomes(&reranker, &[mixed(), small], &Context::default());
        let error = outcomes[0].as_ref().unwrap_err().error.to_string();
        assert!(error.contains("document 'none' makes a pair of 9 tokens"), "{error}");
        assert!(error.contains("9.66 GB are needed and 9.66 GB available"), "{error}");
        assert!(error.contains("lower the maximum length"), "{error}");
        assert!(outcomes[1].is_ok());
        let refused = only(&with(Fake::Refused(8), 1000), mixed()).unwrap_err().error.to_string();
        assert!(
            refused.contains("document 'none'") && refused.contains("was refused"),
            "{refused}"
        );
    }

    #[test]
    fn a_chunk_without_memory_names_its_document() {
        let refused = only(&long("max-chunk", 0, Fake::Refused(8)), long_job()).unwrap_err();
        let error = refused.error.to_string();
        assert!(error.contains("document 'late'"), "{error}");
    }

    #[test]
    fn one_failed_job_does_not_stop_the_others() {
        let reranker = cross_encoder(Fake::Shared, 100, 8, Truncation::Error);
        let jobs = [mixed(), job("a", &[("x", "a")])];
        let outcomes = outcomes(&reranker, &jobs, &Context::default());
        assert!(outcomes[0].is_err() && outcomes[1].is_ok());
    }

    #[test]
    fn stops_between_batches_and_says_what_was_used() {
        let context = Context::default();
        let reranker = with(Fake::Cancels(context.cancel.clone()), 1);
        let outcomes = outcomes(&reranker, &[mixed(), mixed()], &context);
        let used: Vec<_> = outcomes
            .into_iter()
            .map(|outcome| {
                let failed = outcome.unwrap_err();
                assert!(matches!(failed.error, RerankError::Stopped(_)), "{}", failed.error);
                failed.usage
            })
            .collect();
        // The longest pair went first.
        assert_eq!(used, [Usage::free(1, 9), Usage::default()]);
    }

    #[test]
    fn a_deadline_in_the_past_stops_at_once() {
        let context = Context { deadline: Some(Instant::now()), ..Context::default() };
        let outcome = outcomes(&with(Fake::Shared, 100), &[mixed()], &context).remove(0);
        assert!(matches!(outcome.unwrap_err().error, RerankError::Stopped(_)));
    }
}
