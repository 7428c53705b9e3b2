//! The same evaluation for rows that borrow from a file's bytes: nothing is allocated a row, and
//! queries are shared out to threads.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::thread;

use secondpass_core::{
    DocId, Grade, QrelsRow, QueryId, QueryRows, RunRow, by_score, by_score_then_id,
};

use super::{Evaluation, Queries, QueryValues};
use crate::measures::{JudgedRanking, Measure, NamedMeasure};

/// In which order documents stand whose scores tie (as 32-bit floats).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// By document id, descending, as trec_eval orders them and [`secondpass_core::Ranking`] does.
    #[default]
    ByDocument,
    /// As the run's own rank column has them, then by document id. Scores still come first.
    AsRanked,
}

/// Why rows could not be measured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowsError {
    /// A score is not a number.
    #[error("query '{query}' scores document '{document}' NaN; give it a number")]
    NaN {
        /// Which query.
        query: QueryId,
        /// Which document.
        document: DocId,
    },
    /// A run ranks a document twice, or a document was judged twice.
    #[error("query '{query}' has document '{document}' twice in the {what}; remove one of them")]
    Duplicate {
        /// `run` or `judgements`.
        what: &'static str,
        /// Which query.
        query: QueryId,
        /// Which document.
        document: DocId,
    },
    /// The rows of one query came in two parts.
    #[error("query '{query}' comes twice among the queries of the {what}; join its rows")]
    DuplicateQuery {
        /// `run` or `judgements`.
        what: &'static str,
        /// Which query.
        query: QueryId,
    },
    /// Ties were to be ordered by the rank column, which holds no number here.
    #[error(
        "query '{query}' has no whole number as the rank of document '{document}'; write ranks, or \
         order ties by document id"
    )]
    NoRank {
        /// Which query.
        query: QueryId,
        /// Which document.
        document: DocId,
    },
}

/// Measures the rows of a run, as [`super::evaluate_on`] measures a [`secondpass_core::Run`]: equal
/// to it in every value under [`Ties::ByDocument`].
///
/// # Errors
/// A NaN score; a document twice in a query, or a query twice; ties to be ordered by ranks that are
/// not there. Queries that do not count are not looked into.
pub fn evaluate_rows(
    run: &[QueryRows<'_, RunRow<'_>>],
    qrels: &[QueryRows<'_, QrelsRow<'_>>],
    measures: &[NamedMeasure],
    which: Queries<'_>,
    ties: Ties,
) -> Result<Evaluation, RowsError> {
    let answers = by_query(run, "run")?;
    let mut judged: Vec<_> = qrels.iter().filter(|query| !query.rows.is_empty()).collect();
    judged.sort_unstable_by_key(|query| query.query);
    if let Some(twice) = judged.windows(2).find(|pair| pair[0].query == pair[1].query) {
        let query = twice[0].query.into();
        return Err(RowsError::DuplicateQuery { what: "judgements", query });
    }
    let work: Vec<_> = judged
        .into_iter()
        .map(|judged| {
            let ranked = answers.get(judged.query).copied().unwrap_or_default();
            (judged.query, judged.rows, ranked)
        })
        .filter(|(query, _, ranked)| which.counts(query, !ranked.is_empty()))
        .collect();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = work.len().div_ceil(threads).max(SMALLEST_SHARE);
    let parts: Vec<Result<Vec<QueryValues>, RowsError>> = thread::scope(|scope| {
        let started: Vec<_> = work
            .chunks(share)
            .map(|part| scope.spawn(move || measure_all(part, measures, ties)))
            .collect();
        started.into_iter().map(join).collect()
    });
    let mut queries = Vec::with_capacity(work.len());
    for part in parts {
        queries.append(&mut part?);
    }
    Ok(Evaluation { measures: measures.to_vec(), queries })
}

/// Queries that are worth a thread of their own.
const SMALLEST_SHARE: usize = 64;

type Work<'a> = (&'a str, &'a [QrelsRow<'a>], &'a [RunRow<'a>]);

fn by_query<'a, R>(
    all: &[QueryRows<'a, R>],
    what: &'static str,
) -> Result<HashMap<&'a str, &'a [R]>, RowsError> {
    let mut rows = HashMap::with_capacity(all.len());
    for query in all {
        if rows.insert(query.query, query.rows).is_some() {
            let query = query.query.into();
            return Err(RowsError::DuplicateQuery { what, query });
        }
    }
    Ok(rows)
}

fn join<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn measure_all(
    part: &[Work<'_>],
    measures: &[NamedMeasure],
    ties: Ties,
) -> Result<Vec<QueryValues>, RowsError> {
    let mut joiner =
        Joiner { ties, places: HashMap::new(), order: Vec::new(), looked_up: Vec::new() };
    let measured = part.iter().map(|&(query, judged, ranked)| {
        let joined = joiner.join(query, judged, ranked)?;
        Ok(QueryValues {
            query: query.into(),
            values: measures.iter().map(|measure| measure.of(&joined)).collect(),
            missing: ranked.is_empty(),
        })
    });
    measured.collect()
}

/// Joins one query after another in the same memory.
struct Joiner<'a> {
    ties: Ties,
    /// The place of each document among the query's rows.
    places: HashMap<&'a str, u32>,
    /// The rows, best first.
    order: Vec<u32>,
    /// The grade of each row.
    looked_up: Vec<Option<Grade>>,
}

impl<'a> Joiner<'a> {
    fn join(
        &mut self,
        query: &str,
        judged: &[QrelsRow<'a>],
        ranked: &[RunRow<'a>],
    ) -> Result<JudgedRanking, RowsError> {
        self.check(query, ranked)?;
        self.look_up(query, judged, ranked)?;
        let compare = |a: &RunRow<'_>, b: &RunRow<'_>| match self.ties {
            Ties::ByDocument => by_score_then_id((a.document, a.score), (b.document, b.score)),
            Ties::AsRanked => by_score(a.score, b.score)
                .then(a.rank.cmp(&b.rank))
                .then_with(|| b.document.cmp(a.document)),
        };
        // Most runs are written in order; equal documents are out of the question by now.
        let grades = match ranked.is_sorted_by(|a, b| compare(a, b) == Ordering::Less) {
            true => self.looked_up.clone(),
            false => {
                self.order.clear();
                self.order.extend(0..ranked.len() as u32);
                let row = |&place: &u32| &ranked[place as usize];
                self.order.sort_by(|a, b| compare(row(a), row(b)));
                self.order.iter().map(|&place| self.looked_up[place as usize]).collect()
            }
        };
        Ok(JudgedRanking::new(grades, judged.iter().map(|row| row.grade)))
    }

    fn check(&self, query: &str, ranked: &[RunRow<'_>]) -> Result<(), RowsError> {
        let named = |row: &RunRow<'_>| (query.into(), row.document.into());
        if let Some(row) = ranked.iter().find(|row| row.score.is_nan()) {
            let (query, document) = named(row);
            return Err(RowsError::NaN { query, document });
        }
        if self.ties == Ties::AsRanked
            && let Some(row) = ranked.iter().find(|row| row.rank.is_none())
        {
            let (query, document) = named(row);
            return Err(RowsError::NoRank { query, document });
        }
        Ok(())
    }

    /// Finds the grade of each row. The many rows of the run go into the table once, which finds
    /// those that come twice; the few judgements are then looked up in it.
    fn look_up(
        &mut self,
        query: &str,
        judged: &[QrelsRow<'a>],
        ranked: &[RunRow<'a>],
    ) -> Result<(), RowsError> {
        let twice = |what, document: &str| RowsError::Duplicate {
            what,
            query: query.into(),
            document: document.into(),
        };
        self.places.clear();
        for (place, row) in (0..).zip(ranked) {
            match self.places.entry(row.document) {
                Entry::Vacant(free) => free.insert(place),
                Entry::Occupied(_) => return Err(twice("run", row.document)),
            };
        }
        self.looked_up.clear();
        self.looked_up.resize(ranked.len(), None);
        // Rows of the judgements come after those of the run, so that both are told apart.
        for (place, row) in (ranked.len() as u32..).zip(judged) {
            match self.places.entry(row.document) {
                Entry::Vacant(free) => {
                    free.insert(place);
                }
                Entry::Occupied(taken) => match self.looked_up.get_mut(*taken.get() as usize) {
                    Some(grade @ None) => *grade = Some(row.grade),
                    _ => return Err(twice("judgements", row.document)),
                },
            }
        }
        Ok(())
    }
}
