use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use secondpass_core::{ContentHash, Dataset, DocId, Document, Query, Run};

use super::stats::Tally;
use super::{MineError, Mined, MinedQuery, Sampling, Selection};
use crate::answers::Answers;

/// A query with the documents that are looked at for it.
pub(super) struct Task<'a> {
    pub query: &'a Query,
    /// Judged relevant.
    pub positives: Vec<&'a Document>,
    /// Judged not relevant.
    pub judged: Vec<&'a Document>,
    /// What the first stage gave in the ranks, in its order, without what is judged.
    pub candidates: Vec<&'a Document>,
    /// Candidates that say the same as a positive.
    pub same: usize,
    /// Whether the first stage's run has the query at all.
    pub is_ranked: bool,
    /// The first stage's scores, of all of the above in their order.
    pub found: Vec<Option<f64>>,
}

impl<'a> Task<'a> {
    /// Positives, judged and candidates: what a teacher scores.
    pub fn documents(&self) -> impl Iterator<Item = &'a Document> {
        self.positives.iter().chain(&self.judged).chain(&self.candidates).copied()
    }
}

/// The queries that have a positive, in the set's order.
pub(super) fn tasks<'a>(
    dataset: &'a Dataset,
    run: &Run,
    selection: &Selection,
) -> Result<Vec<Task<'a>>, MineError> {
    let answers = Answers::of(dataset);
    let queries = dataset.queries().iter();
    let tasks =
        queries.filter_map(|query| task(dataset, run, selection, query, &answers).transpose());
    let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
    if tasks.is_empty() {
        return Err(MineError::NoPositives);
    }
    // One that has some of them may still be what there is.
    match tasks.iter().any(|task| task.is_ranked) {
        true => Ok(tasks),
        false => {
            let example = tasks[0].query.id.clone();
            Err(MineError::OtherRun { run: run.name.clone(), queries: tasks.len(), example })
        }
    }
}

fn task<'a>(
    dataset: &'a Dataset,
    run: &Run,
    selection: &Selection,
    query: &'a Query,
    answers: &Answers<'_>,
) -> Result<Option<Task<'a>>, MineError> {
    let known = |id: &DocId| {
        dataset.corpus().get(id).ok_or_else(|| MineError::UnknownDocument {
            query: query.id.clone(),
            document: id.clone(),
        })
    };
    let Some(grades) = dataset.qrels().of(&query.id) else { return Ok(None) };
    let side = |relevant: bool| -> Result<Vec<&Document>, MineError> {
        let judged = grades.iter().filter(|&(_, &grade)| (grade > 0) == relevant);
        judged.map(|(id, _)| known(id)).collect()
    };
    let (positives, mut judged) = (side(true)?, side(false)?);
    if positives.is_empty() {
        return Ok(None);
    }
    judged.retain(|document| {
        !answers.name(&query.id, &document.id) && !answers.say(&query.id, document)
    });
    let ranking = run.rankings.get(&query.id);
    let ranked = ranking.map_or(&[][..], |ranking| ranking.ranked());
    let (first, last) = selection.ranks;
    let (mut candidates, mut same) = (Vec::new(), 0);
    for found in ranked.iter().take(last).skip(first - 1) {
        if grades.contains_key(&found.document) || answers.name(&query.id, &found.document) {
            continue;
        }
        let document = known(&found.document)?;
        match answers.say(&query.id, document) {
            true => same += 1,
            false => candidates.push(document),
        }
    }
    let score = |document: &Document| {
        ranked.iter().find(|found| found.document == document.id).and_then(|found| found.score)
    };
    let all = positives.iter().chain(&judged).chain(&candidates);
    let found = all.map(|document| score(document)).collect();
    let is_ranked = ranking.is_some();
    Ok(Some(Task { query, positives, judged, candidates, same, is_ranked, found }))
}

/// A query's negatives. `scores` are a teacher's of [`Task::documents`], and whether they are logits.
pub(super) fn picked(
    task: &Task<'_>,
    scores: Option<(&Vec<f64>, bool)>,
    selection: &Selection,
    tally: &mut Tally,
) -> Result<MinedQuery, MineError> {
    let mined = |(place, document): (usize, &Document)| {
        let teacher = scores.map(|(scores, _)| scores[place]);
        let score = match scores {
            Some((scores, true)) => Some(1.0 / (1.0 + (-scores[place]).exp())),
            Some((scores, false)) => Some(scores[place]),
            None => task.found[place],
        };
        Mined { document: document.id.clone(), score, teacher }
    };
    let mut all: Vec<Mined> = task.documents().enumerate().map(mined).collect();
    let mut candidates = all.split_off(task.positives.len() + task.judged.len());
    let judged = all.split_off(task.positives.len());
    let positives = all;

    tally.seen.queries += 1;
    tally.seen.unranked += usize::from(!task.is_ranked);
    tally.seen.same_text += task.same;
    tally.seen.candidates += candidates.len() + task.same;
    let lowest = positives.iter().filter_map(|positive| positive.score).min_by(f64::total_cmp);
    if selection.relative_margin.is_some() {
        // Cosines have a zero, and below it no answer is left out by a share of what lies above.
        let mut scores = positives.iter().chain(&candidates).filter_map(|mined| mined.score);
        if let Some(score) = scores.find(|score| !(-1.0..=1.0).contains(score)) {
            return Err(MineError::RelativeMargin { query: task.query.id.clone(), score });
        }
    }
    if selection.has_margin() && lowest.is_none() {
        // Nothing says how high a false negative would score.
        tally.seen.without_positive_score += 1;
        tally.seen.above_margin += candidates.len();
        candidates.clear();
    }
    let most = lowest.map_or(f64::INFINITY, |lowest| {
        let absolute = selection.absolute_margin.map_or(f64::INFINITY, |margin| lowest - margin);
        // A share of a score below zero lies above it.
        let share = |margin: f64| lowest * (1.0 - margin * lowest.signum());
        let relative = selection.relative_margin.map_or(f64::INFINITY, share);
        absolute.min(relative)
    });
    candidates.retain(|mined| {
        let score = mined.score.unwrap_or(f64::NEG_INFINITY);
        let above_margin = score > most;
        let out = selection.max_score.is_some_and(|bound| score > bound)
            || selection.min_score.is_some_and(|bound| score < bound);
        if above_margin {
            tally.seen.above_margin += 1;
            tally.left_out.extend(mined.score);
        } else if out {
            tally.seen.out_of_bounds += 1;
            tally.left_out.extend(mined.score);
        }
        !above_margin && !out
    });
    match selection.sampling {
        // The first stage's order stands where scores tie.
        Sampling::Top if scores.is_some() => candidates.sort_by(|a, b| {
            b.score.unwrap_or(f64::NEG_INFINITY).total_cmp(&a.score.unwrap_or(f64::NEG_INFINITY))
        }),
        Sampling::Top => {}
        Sampling::Random => candidates.shuffle(&mut generator(selection.seed, task.query)),
    }
    let judged_count = judged.len().min(selection.num_negatives);
    tally.seen.judged += judged_count;
    let mut negatives = judged;
    negatives.extend(candidates);
    negatives.truncate(selection.num_negatives);
    tally.seen.mined += negatives.len() - judged_count;
    tally.seen.short += usize::from(negatives.len() < selection.num_negatives);
    tally.seen.without_negatives += usize::from(negatives.is_empty());
    let query = task.query.id.clone();
    Ok(MinedQuery { query, positives, negatives, judged: judged_count })
}

/// Draws of one query, whatever was drawn for others.
fn generator(seed: u64, query: &Query) -> ChaCha8Rng {
    let hash = ContentHash::of(format!("{seed} {}", query.id).as_bytes());
    let mut bytes = [0; 32];
    for (byte, digit) in bytes.iter_mut().zip(hash.as_str().bytes()) {
        *byte = digit;
    }
    ChaCha8Rng::from_seed(bytes)
}
