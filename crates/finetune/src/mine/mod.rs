//! Hard negatives for a set's judged pairs, from what a first stage finds: documents near the
//! positives that are not judged relevant. A cross-encoder may score them again, and what it takes
//! for an answer is left out as a false negative.
//!
//! Options are named as in sentence-transformers' `mine_hard_negatives` where it has them. Margins
//! hold against the lowest positive of a query, as in NV-Retriever's "TopK-PercPos" with 95%
//! (Moreira et al. 2024, <https://arxiv.org/abs/2407.15831>): negatives score at most 0.95 of it.

mod error;
mod journal;
mod pick;
mod stats;
mod teach;
#[cfg(test)]
mod tests;
mod write;

use secondpass_core::{Context, Dataset, DocId, QueryId, Run};
use secondpass_data::triples::Group;

pub use error::MineError;
pub use journal::TeacherJournal;
pub use stats::{Distribution, MiningStats};
pub use teach::Teacher;
pub use write::write;

use stats::Tally;

/// Which candidates become negatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// The ranks they are taken from, from 1, both ends included. The first ranks hold most of the
    /// relevant documents that nobody judged.
    pub ranks: (usize, usize),
    /// How many a query, at most.
    pub num_negatives: usize,
    /// Which of those that pass.
    pub sampling: Sampling,
    /// How much below the lowest positive's score they stay, in units of the score.
    pub absolute_margin: Option<f64>,
    /// How much below the lowest positive's score they stay, as a share of it: 0.05 lets them come to
    /// 0.95 of it. Only for scores from 0 to 1, and cosines.
    pub relative_margin: Option<f64>,
    /// The highest score they may have.
    pub max_score: Option<f64>,
    /// The lowest.
    pub min_score: Option<f64>,
    /// Draws where sampling is random; by query, so that the order of queries does not matter.
    pub seed: u64,
}

/// Which of the candidates that pass are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Those of the highest scores: a teacher's where there is one.
    Top,
    /// Any, with equal probability.
    Random,
}

impl Default for Selection {
    /// The best 8 of the ranks 10 to 100, without margins.
    fn default() -> Self {
        Self {
            ranks: (10, 100),
            num_negatives: 8,
            sampling: Sampling::Top,
            absolute_margin: None,
            relative_margin: None,
            max_score: None,
            min_score: None,
            seed: 0,
        }
    }
}

impl Selection {
    /// Checks what no type can: ranks from 1 in order, at least one negative, margins and bounds that
    /// are numbers.
    ///
    /// # Errors
    /// The first that cannot be, and what can.
    pub fn check(&self) -> Result<(), MineError> {
        let wrong =
            |option, found: String, allowed| Err(MineError::Option { option, found, allowed });
        let (first, last) = self.ranks;
        if first == 0 || last < first {
            return wrong("ranks", format!("{first}..{last}"), "two ranks from 1, as 10..100");
        }
        if self.num_negatives == 0 {
            return wrong("num-negatives", "0".to_owned(), "a whole number from 1");
        }
        match self.relative_margin {
            Some(margin) if !(0.0..1.0).contains(&margin) => {
                return wrong("relative-margin", margin.to_string(), "a share from 0 to below 1");
            }
            _ => {}
        }
        let numbers = [
            ("absolute-margin", self.absolute_margin),
            ("max-score", self.max_score),
            ("min-score", self.min_score),
        ];
        for (option, value) in numbers {
            if let Some(value) = value.filter(|value| !value.is_finite()) {
                return wrong(option, value.to_string(), "a number");
            }
        }
        Ok(())
    }

    fn has_margin(&self) -> bool {
        self.absolute_margin.is_some() || self.relative_margin.is_some()
    }
}

/// A document with the score that decided about it, and the teacher's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Mined {
    /// The document.
    pub document: DocId,
    /// The score that margins held for: a teacher's (of one that gives logits, their sigmoid), else
    /// the first stage's; `None` for a document that neither scored.
    pub score: Option<f64>,
    /// What the teacher gave, as it gave it.
    pub teacher: Option<f64>,
}

/// A query with its positives and what was mined for it.
#[derive(Clone, Debug, PartialEq)]
pub struct MinedQuery {
    /// The query.
    pub query: QueryId,
    /// All documents that are judged relevant, by id.
    pub positives: Vec<Mined>,
    /// Those judged not relevant first, then what was mined; perhaps none.
    pub negatives: Vec<Mined>,
    /// How many of them are judged not relevant. No margin or bound holds for those: somebody looked.
    pub judged: usize,
}

/// What was mined, and what was seen on the way.
#[derive(Clone, Debug)]
pub struct Mining {
    /// The queries that have a positive, in the order of the set.
    pub queries: Vec<MinedQuery>,
    /// Counts, and how scores lie.
    pub stats: MiningStats,
}

/// Mines negatives for every query of a set that has a positive. Documents that are judged relevant,
/// and those that say the same as one of them, are never negatives; those judged not relevant come
/// first, wherever they rank and whatever they score.
///
/// `done` is told how many queries of how many a teacher has scored. Equal arguments give equal
/// results, whatever was in the journal.
///
/// # Errors
/// Options that cannot be, candidates of other queries alone or that are not in the corpus, a relative
/// margin where a score is neither from 0 to 1 nor a cosine, a teacher that fails or is stopped (what it scored is in the journal), a journal
/// that cannot be written.
pub fn mine(
    dataset: &Dataset,
    run: &Run,
    selection: &Selection,
    teacher: Option<(Teacher<'_>, &mut TeacherJournal)>,
    context: &Context,
    done: &mut dyn FnMut(usize, usize),
) -> Result<Mining, MineError> {
    selection.check()?;
    let tasks = pick::tasks(dataset, run, selection)?;
    let scored = match teacher {
        Some((teacher, journal)) => {
            Some(teach::scores(dataset, &tasks, teacher, journal, context, done)?)
        }
        None => None,
    };
    let mut tally = Tally::default();
    let mut queries = Vec::new();
    for (place, task) in tasks.iter().enumerate() {
        let scores = scored.as_ref().map(|scored| (&scored.scores[place], scored.logits));
        queries.push(pick::picked(task, scores, selection, &mut tally)?);
    }
    Ok(Mining { stats: tally.finish(&queries), queries })
}

/// A group for each positive of a set, with negatives mined from a run: training straight from
/// judgements and what a first stage found. Beside them, what was seen on the way.
///
/// # Errors
/// As [`mine`].
pub fn groups_of_run(
    dataset: &Dataset,
    run: &Run,
    selection: &Selection,
) -> Result<(Vec<Group>, MiningStats), MineError> {
    let mining = mine(dataset, run, selection, None, &Context::default(), &mut |_, _| {})?;
    let ids = |side: &[Mined]| -> Vec<DocId> {
        side.iter().map(|mined| mined.document.clone()).collect()
    };
    let groups = mining.queries.iter().flat_map(|query| {
        let negatives = ids(&query.negatives);
        let group = move |positive| Group::new(query.query.clone(), positive, negatives.clone());
        ids(&query.positives).into_iter().map(group)
    });
    Ok((groups.collect(), mining.stats))
}
