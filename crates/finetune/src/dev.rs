use std::collections::BTreeMap;

use rand::seq::SliceRandom;
use secondpass_core::{
    Context, Dataset, DocId, Qrels, Query, QueryId, Ranking, Run, TruncationAudit,
};
use secondpass_evaluation::{NamedMeasure, evaluate};
use secondpass_text::{EncodedPair, PairTokenizer, Scorer, TokenBatch, plan};

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

/// The dev pairs, tokenized once.
pub(crate) struct DevSet {
    measure: NamedMeasure,
    qrels: Qrels,
    pairs: Vec<(QueryId, DocId, EncodedPair)>,
    batches: Vec<Vec<usize>>,
    /// What was cut.
    pub audit: TruncationAudit,
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
        let mut pairs = Vec::new();
        let mut audit = TruncationAudit::default();
        for query in queries {
            for (document, &grade) in dev.dataset.qrels().of(&query.id).into_iter().flatten() {
                qrels.insert(query.id.clone(), document.clone(), grade);
            }
            let Some(ranking) = dev.candidates.rankings.get(&query.id) else { continue };
            let ids: Vec<&DocId> = ranking.documents().take(settings.depth).collect();
            let mut passages = Vec::with_capacity(ids.len());
            for &id in &ids {
                let document = dev.dataset.corpus().get(id);
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
        if pairs.is_empty() {
            return Err(FinetuneError::NoDevPairs);
        }
        let lengths: Vec<usize> = pairs.iter().map(|(_, _, pair)| pair.ids.len()).collect();
        let batches = plan(&lengths, BATCH_TOKENS);
        Ok(Self { measure: settings.measure.clone(), qrels, pairs, batches, audit })
    }

    /// Dev queries that count.
    pub(crate) fn queries(&self) -> usize {
        self.qrels.len()
    }

    /// Scores all pairs and measures the rankings; `step` and `best` stand in errors.
    pub(crate) fn evaluate<S: Scorer + ?Sized>(
        &self,
        scorer: &S,
        step: usize,
        best: Option<usize>,
        context: &Context,
    ) -> Result<DevResult, FinetuneError> {
        let mut scores = vec![f32::NAN; self.pairs.len()];
        for batch in &self.batches {
            if context.is_over() {
                return Ok(DevResult::Stopped);
            }
            let mut tokens = TokenBatch::new();
            for &index in batch {
                let pair = &self.pairs[index].2;
                tokens.push(&pair.ids, &pair.type_ids);
            }
            let given = scorer.score(std::slice::from_ref(&tokens));
            let given = given.map_err(|source| FinetuneError::Score { step, source })?;
            for (&index, score) in batch.iter().zip(given) {
                scores[index] = score;
            }
        }
        if scores.iter().any(|score| !score.is_finite()) {
            return Err(FinetuneError::NotFinite { what: "score of a dev pair", step, best });
        }
        let mut by_query: BTreeMap<&QueryId, Vec<(DocId, f64)>> = BTreeMap::new();
        for ((query, document, _), score) in self.pairs.iter().zip(scores) {
            by_query.entry(query).or_default().push((document.clone(), f64::from(score)));
        }
        let is_collapsed = by_query.values().any(|scored| scored.len() > 1)
            && by_query
                .values()
                .all(|scored| scored.iter().all(|(_, score)| *score == scored[0].1));
        let mut run = Run::new("dev");
        for (query, scored) in by_query {
            // No NaN, and a candidate run is a ranking: no document stands in it twice.
            if let Ok(ranking) = Ranking::from_scores(scored) {
                run.rankings.insert(query.clone(), ranking);
            }
        }
        let value = evaluate(&run, &self.qrels, std::slice::from_ref(&self.measure)).mean(0);
        Ok(match is_collapsed {
            true => DevResult::Collapsed(value),
            false => DevResult::Value(value),
        })
    }
}
