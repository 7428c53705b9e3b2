use std::collections::BTreeMap;
use std::time::Instant;

use rand::seq::SliceRandom;
use secondpass_core::{
    Context, Dataset, DocId, Qrels, Query, QueryId, Ranking, Run, TruncationAudit,
};
use secondpass_evaluation::{NamedMeasure, evaluate};
use secondpass_text::{EncodedPair, PairTokenizer, ScoreError, Scorer, TokenBatch, plan};

use crate::seeds::{Draw, generator};
use crate::{DevSettings, FinetuneError};

/// What checkpoints are compared on.
#[derive(Clone, Copy, Debug)]
pub struct Dev<'a> {
    /// The dev split.
    pub dataset: &'a Dataset,
    /// The first stage's candidates of its queries.
    pub candidates: &'a Run,
}

/// Padded tokens in a batch: enough to keep a device busy, little enough for any.
const BATCH_TOKENS: usize = 16_384;

/// Queries with their candidates, tokenized once.
pub(crate) struct Pairs {
    pairs: Vec<(QueryId, DocId, EncodedPair)>,
    batches: Vec<Vec<usize>>,
    /// What was cut.
    pub audit: TruncationAudit,
}

impl Pairs {
    /// The candidates of these queries, as deep as told.
    pub(crate) fn new(
        dataset: &Dataset,
        queries: &[&Query],
        candidates: &Run,
        depth: usize,
        tokenizer: &PairTokenizer,
    ) -> Result<Self, FinetuneError> {
        let mut pairs = Vec::new();
        let mut audit = TruncationAudit::default();
        for query in queries {
            let Some(ranking) = candidates.rankings.get(&query.id) else { continue };
            let ids: Vec<&DocId> = ranking.documents().take(depth).collect();
            let mut passages = Vec::with_capacity(ids.len());
            for &id in &ids {
                let document = dataset.corpus().get(id);
                let unknown = || FinetuneError::UnknownDocument {
                    query: query.id.clone(),
                    document: id.clone(),
                };
                passages.push(document.ok_or_else(unknown)?.passage());
            }
            let encoded = tokenizer
                .encode(&query.text, &passages)
                .map_err(|source| FinetuneError::Tokenize { query: query.id.clone(), source })?;
            for (id, pair) in ids.into_iter().zip(encoded) {
                audit.note(pair.ids.len() + pair.cut, pair.cut);
                pairs.push((query.id.clone(), id.clone(), pair));
            }
        }
        let lengths: Vec<usize> = pairs.iter().map(|(_, _, pair)| pair.ids.len()).collect();
        let batches = plan(&lengths, BATCH_TOKENS);
        Ok(Self { pairs, batches, audit })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Scores one batch: the seconds it takes, and its share of all tokens.
    pub(crate) fn try_one<S: Scorer + ?Sized>(
        &self,
        scorer: &S,
    ) -> Result<(f64, f64), FinetuneError> {
        let mut tokens = TokenBatch::new();
        for &index in self.batches.first().into_iter().flatten() {
            let pair = &self.pairs[index].2;
            tokens.push(&pair.ids, &pair.type_ids);
        }
        let started = Instant::now();
        let scored = scorer.score(std::slice::from_ref(&tokens));
        scored.map_err(|source| FinetuneError::Score { step: 0, source })?;
        let all: usize = self.pairs.iter().map(|(_, _, pair)| pair.ids.len()).sum();
        Ok((started.elapsed().as_secs_f64(), tokens.tokens() as f64 / all.max(1) as f64))
    }

    /// Each query's candidates by their scores, and whether the model gives every document of a
    /// query the same score; `None` when it was stopped.
    pub(crate) fn rank<S: Scorer + ?Sized>(
        &self,
        scorer: &S,
        context: &Context,
    ) -> Result<Option<(Run, bool)>, RankError> {
        let mut scores = vec![f32::NAN; self.pairs.len()];
        for batch in &self.batches {
            if context.is_over() {
                return Ok(None);
            }
            let mut tokens = TokenBatch::new();
            for &index in batch {
                let pair = &self.pairs[index].2;
                tokens.push(&pair.ids, &pair.type_ids);
            }
            let given = scorer.score(std::slice::from_ref(&tokens))?;
            for (&index, score) in batch.iter().zip(given) {
                scores[index] = score;
            }
        }
        if scores.iter().any(|score| !score.is_finite()) {
            return Err(RankError::NotFinite);
        }
        let mut by_query: BTreeMap<&QueryId, Vec<(DocId, f64)>> = BTreeMap::new();
        for ((query, document, _), score) in self.pairs.iter().zip(scores) {
            by_query.entry(query).or_default().push((document.clone(), f64::from(score)));
        }
        // What rounding makes of equal scores, in pairs of unequal length say, is no opinion either.
        let are_same = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0);
        let is_collapsed = by_query.values().any(|scored| scored.len() > 1)
            && by_query
                .values()
                .all(|scored| scored.iter().all(|(_, score)| are_same(*score, scored[0].1)));
        let mut run = Run::new("reranked");
        for (query, scored) in by_query {
            // No NaN, and a candidate run is a ranking: no document stands in it twice.
            if let Ok(ranking) = Ranking::from_scores(scored) {
                run.rankings.insert(query.clone(), ranking);
            }
        }
        Ok(Some((run, is_collapsed)))
    }
}

/// Why pairs have no ranking.
#[derive(Debug, thiserror::Error)]
pub enum RankError {
    /// The model cannot score them.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// A score that is NaN or infinite.
    #[error("a score is not finite")]
    NotFinite,
}

/// The dev pairs and how they are measured.
pub(crate) struct DevSet {
    measure: NamedMeasure,
    qrels: Qrels,
    pairs: Pairs,
}

/// What an evaluation gave.
pub(crate) enum DevResult {
    /// The measure's mean over the dev queries.
    Value(f64),
    /// The same, of a model that gives every document of a query the same score.
    Collapsed(f64),
    /// It was stopped before its end.
    Stopped,
}

impl DevSet {
    /// Tokenizes the candidates of all dev queries, or of as many as the settings say, drawn by the
    /// seed.
    pub(crate) fn new(
        dev: Dev<'_>,
        settings: &DevSettings,
        tokenizer: &PairTokenizer,
        seed: u64,
    ) -> Result<Self, FinetuneError> {
        let mut queries: Vec<&Query> = dev.dataset.queries().iter().collect();
        if let Some(limit) = settings.queries {
            queries.shuffle(&mut generator(seed, Draw::DevQueries, 0, 0));
            queries.truncate(limit);
        }
        let mut qrels = Qrels::new();
        for query in &queries {
            for (document, &grade) in dev.dataset.qrels().of(&query.id).into_iter().flatten() {
                qrels.insert(query.id.clone(), document.clone(), grade);
            }
        }
        let pairs = Pairs::new(dev.dataset, &queries, dev.candidates, settings.depth, tokenizer)?;
        match pairs.len() {
            0 => Err(FinetuneError::NoDevPairs),
            _ => Ok(Self { measure: settings.measure.clone(), qrels, pairs }),
        }
    }

    /// Dev queries that count.
    pub(crate) fn queries(&self) -> usize {
        self.qrels.len()
    }

    /// What is scored at each evaluation.
    pub(crate) fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    /// Scores all pairs and measures the rankings; `step` and `best` stand in errors.
    pub(crate) fn evaluate<S: Scorer + ?Sized>(
        &self,
        scorer: &S,
        step: usize,
        best: Option<usize>,
        context: &Context,
    ) -> Result<DevResult, FinetuneError> {
        let not_finite = |what| FinetuneError::NotFinite { what, queries: Vec::new(), step, best };
        let (run, is_collapsed) = match self.pairs.rank(scorer, context) {
            Ok(Some(ranked)) => ranked,
            Ok(None) => return Ok(DevResult::Stopped),
            Err(RankError::NotFinite) => return Err(not_finite("score of a dev pair")),
            Err(RankError::Score(source)) => return Err(FinetuneError::Score { step, source }),
        };
        let value = evaluate(&run, &self.qrels, std::slice::from_ref(&self.measure)).mean(0);
        if !value.is_finite() {
            return Err(FinetuneError::NoDevValue { measure: self.measure.to_string() });
        }
        Ok(match is_collapsed {
            true => DevResult::Collapsed(value),
            false => DevResult::Value(value),
        })
    }
}
