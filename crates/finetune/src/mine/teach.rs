use secondpass_core::{
    Candidate, ContentHash, Context, Dataset, Failed, Hasher, Job, RerankError, Reranked, Reranker,
};

use super::MineError;
use super::journal::TeacherJournal;
use super::pick::Task;

/// A reranker that scores positives and candidates again.
#[derive(Clone, Copy)]
pub struct Teacher<'a> {
    /// Which.
    pub reranker: &'a dyn Reranker,
    /// Whether its scores are logits, as a local cross-encoder's are: margins then hold for their
    /// sigmoid.
    pub logits: bool,
}

/// A teacher's scores of each task's documents.
pub(super) struct Scored {
    pub scores: Vec<Vec<f64>>,
    pub logits: bool,
}

/// Jobs that are handed to a teacher at once: enough to keep it busy.
const AT_ONCE: usize = 32;

/// Scores the documents of every task: from the journal where they stand in it, else by the teacher,
/// each query's into the journal before it counts.
pub(super) fn scores(
    dataset: &Dataset,
    tasks: &[Task<'_>],
    teacher: Teacher<'_>,
    journal: &mut TeacherJournal,
    context: &Context,
    done: &mut dyn FnMut(usize, usize),
) -> Result<Scored, MineError> {
    let keys: Vec<ContentHash> = tasks.iter().map(|task| key(dataset, task, teacher)).collect();
    let mut scores: Vec<Option<Vec<f64>>> =
        keys.iter().map(|key| journal.get(key).map(<[f64]>::to_vec)).collect();
    let open: Vec<usize> = (0..tasks.len()).filter(|&place| scores[place].is_none()).collect();
    let mut finished = tasks.len() - open.len();
    done(finished, tasks.len());
    for places in open.chunks(AT_ONCE) {
        let jobs: Vec<Job> = places.iter().map(|&place| job(&tasks[place])).collect();
        let mut failed = None;
        teacher.reranker.rerank_many(&jobs, context, &mut |index, reranked| {
            let place = places[index];
            let kept = reranked
                .map_err(|Failed { error, .. }| MineError::Teacher(error))
                .and_then(|reranked| in_order(&tasks[place], &reranked))
                .and_then(|found| {
                    journal.append(&keys[place], &found)?;
                    Ok(found)
                });
            match kept {
                Ok(found) => {
                    scores[place] = Some(found);
                    finished += 1;
                    done(finished, tasks.len());
                }
                // One that was stopped says less than what stopped it.
                Err(error) => {
                    let stopped =
                        matches!(failed, Some(MineError::Teacher(RerankError::Stopped(_))));
                    if failed.is_none() || stopped {
                        failed = Some(error);
                    }
                }
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
    }
    let missing =
        |place: usize| MineError::Teacher(RerankError::Stopped(tasks[place].query.id.clone()));
    let scores = scores.into_iter().enumerate();
    let scores = scores.map(|(place, found)| found.ok_or_else(|| missing(place)));
    Ok(Scored { scores: scores.collect::<Result<_, _>>()?, logits: teacher.logits })
}

/// Everything that decides a query's scores.
fn key(dataset: &Dataset, task: &Task<'_>, teacher: Teacher<'_>) -> ContentHash {
    let mut hasher = Hasher::new();
    let mut identity = teacher.reranker.identity().clone();
    // What people call it is no part of what it is.
    identity.name.clear();
    hasher.field("teacher scores 1").field(format!("{identity:?}"));
    hasher.field(dataset.name()).field(&task.query.text);
    for document in task.documents() {
        hasher.field(document.id.as_str()).field(&document.title).field(&document.text);
    }
    hasher.finish()
}

fn job(task: &Task<'_>) -> Job {
    let candidate = |(rank, document): (usize, &secondpass_core::Document)| Candidate {
        document: document.clone(),
        score: 1.0 / rank as f64,
        rank,
    };
    Job {
        query: task.query.clone(),
        candidates: (1..).zip(task.documents()).map(candidate).collect(),
    }
}

/// The scores in the order of the task's documents.
fn in_order(task: &Task<'_>, reranked: &Reranked) -> Result<Vec<f64>, MineError> {
    let scores: std::collections::HashMap<_, _> = reranked
        .ranking
        .ranked()
        .iter()
        .filter_map(|ranked| Some((&ranked.document, ranked.score?)))
        .collect();
    let score = |document: &secondpass_core::Document| {
        scores.get(&document.id).copied().ok_or_else(|| MineError::Unscored {
            query: task.query.id.clone(),
            document: document.id.clone(),
        })
    };
    task.documents().map(score).collect()
}
