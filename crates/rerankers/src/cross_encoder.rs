use std::time::Instant;

use secondpass_core::{
    Context, DocId, Failed, Identity, Job, Ranking, RerankError, Reranked, Reranker, Timings,
    TruncationAudit, Usage,
};
use secondpass_text::{EncodedPair, PairTokenizer, Scorer, TokenBatch, TokenizeError, plan};

use crate::sequential::{each, stopped};

/// A pointwise reranker: reads each (query, document) pair with a cross-encoder and sorts by its
/// logit.
pub struct CrossEncoder {
    identity: Identity,
    tokenizer: PairTokenizer,
    scorer: Box<dyn Scorer>,
    budget: usize,
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

impl CrossEncoder {
    /// A reranker that is known as `identity`, whose `max_length` and `truncation` are to be the
    /// tokenizer's. `budget` is the size of a batch in tokens, padding included: larger uses the
    /// device better, and more memory. Any budget gives the same scores; a pair longer than it is
    /// scored alone.
    pub fn new(
        identity: Identity,
        tokenizer: PairTokenizer,
        scorer: Box<dyn Scorer>,
        budget: usize,
    ) -> Self {
        Self { identity, tokenizer, scorer, budget }
    }

    fn rerank(&self, job: &Job, context: &Context) -> Result<Reranked, Failed> {
        if job.candidates.is_empty() {
            return Ok(Reranked {
                ranking: Ranking::default(),
                usage: Usage::default(),
                timings: Timings::default(),
                truncation: Some(TruncationAudit::default()),
            });
        }
        let mut usage = Usage::default();
        let mut timings = Timings::default();

        let started = Instant::now();
        let passages: Vec<String> = job.candidates.iter().map(|c| c.document.passage()).collect();
        let pairs = self.tokenizer.encode(&job.query.text, &passages);
        let pairs = pairs.map_err(|source| untokenized(job, source, usage))?;
        let lengths: Vec<usize> = pairs.iter().map(|pair| pair.ids.len()).collect();
        let batches = plan(&lengths, self.budget);
        timings.tokenize = started.elapsed();

        let mut scores = vec![0.0; pairs.len()];
        for indexes in batches {
            if context.is_over() {
                return Err(stopped(job, usage));
            }
            let started = Instant::now();
            let batch = batch(&pairs, &indexes);
            let tokens = batch.tokens();
            let logits =
                self.scorer.score(&[batch]).map_err(|source| failed(job, source, usage))?;
            timings.compute += started.elapsed();
            usage += Usage { pairs: indexes.len() as u64, tokens: tokens as u64 };
            if logits.len() != indexes.len() {
                let source = WrongScoreCount { expected: indexes.len(), found: logits.len() };
                return Err(failed(job, source, usage));
            }
            for (index, logit) in indexes.into_iter().zip(logits) {
                scores[index] = f64::from(logit);
            }
        }

        let documents = job.candidates.iter().map(|candidate| candidate.document.id.clone());
        let ranking = Ranking::from_scores(documents.zip(scores))
            .map_err(|error| Failed { error: error.into(), usage })?;
        Ok(Reranked { ranking, usage, timings, truncation: Some(audit(&pairs)) })
    }
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
    }

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
            }
            Ok(scores)
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
            assert_eq!(reranked.usage, Usage { pairs: 4, tokens: 4 * 5 + 12 });
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
        assert_eq!(reranked.usage, Usage { pairs: 4, tokens: 27 });
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
        assert_eq!(used, [Usage { pairs: 1, tokens: 9 }, Usage::default()]);
    }

    #[test]
    fn a_deadline_in_the_past_stops_at_once() {
        let context = Context { deadline: Some(Instant::now()), ..Context::default() };
        let outcome = outcomes(&with(Fake::Shared, 100), &[mixed()], &context).remove(0);
        assert!(matches!(outcome.unwrap_err().error, RerankError::Stopped(_)));
    }
}
