//! The same evaluation for rows that borrow from a file's bytes: nothing is allocated a row, and
//! queries are shared out to threads.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::thread;

use secondpass_core::{
    DocId, Grade, IdIndex, QrelsRow, QueryId, QueryRows, RunRow, by_score, by_score_then_id,
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
    let mut joiner = Joiner { ties, ..Joiner::default() };
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
#[derive(Default)]
struct Joiner {
    ties: Ties,
    /// The place of each document among the query's rows.
    places: IdIndex,
    /// The rows, best first.
    order: Vec<u32>,
    /// The grade of each row.
    looked_up: Vec<Option<Grade>>,
}

impl Joiner {
    fn join(
        &mut self,
        query: &str,
        judged: &[QrelsRow<'_>],
        ranked: &[RunRow<'_>],
    ) -> Result<JudgedRanking, RowsError> {
        self.check(query, ranked)?;
        self.look_up(query, judged, ranked)?;
        self.sort(ranked);
        let grades = self.order.iter().map(|&place| self.looked_up[place as usize]).collect();
        Ok(JudgedRanking::new(grades, judged.iter().map(|row| row.grade)))
    }

    /// Most runs are written by falling score, and only their ties are left to be ordered.
    fn sort(&mut self, ranked: &[RunRow<'_>]) {
        let row = |place: &u32| &ranked[*place as usize];
        let scores = |a: &RunRow<'_>, b: &RunRow<'_>| by_score(a.score, b.score);
        self.order.clear();
        self.order.extend(0..ranked.len() as u32);
        if !ranked.is_sorted_by(|a, b| scores(a, b) != Ordering::Greater) {
            self.order.sort_by(|a, b| scores(row(a), row(b)));
        }
        let tied = |a: &u32, b: &u32| scores(row(a), row(b)) == Ordering::Equal;
        for group in self.order.chunk_by_mut(tied).filter(|group| group.len() > 1) {
            group.sort_by(|a, b| {
                let (a, b) = (row(a), row(b));
                let by_rank = match self.ties {
                    Ties::ByDocument => Ordering::Equal,
                    Ties::AsRanked => a.rank.cmp(&b.rank),
                };
                by_rank.then_with(|| by_score_then_id((a.document, a.score), (b.document, b.score)))
            });
        }
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
        judged: &[QrelsRow<'_>],
        ranked: &[RunRow<'_>],
    ) -> Result<(), RowsError> {
        let twice = |what, document: &str| RowsError::Duplicate {
            what,
            query: query.into(),
            document: document.into(),
        };
        // Rows of the judgements are numbered on behind those of the run.
        let document = |place: u32| match ranked.get(place as usize) {
            Some(row) => row.document,
            None => judged[place as usize - ranked.len()].document,
        };
        self.places.clear(ranked.len() + judged.len());
        for (place, row) in (0..).zip(ranked) {
            if self.places.insert(row.document, place, document).is_some() {
                return Err(twice("run", row.document));
            }
        }
        self.looked_up.clear();
        self.looked_up.resize(ranked.len(), None);
        for (place, row) in (ranked.len() as u32..).zip(judged) {
            let Some(taken) = self.places.insert(row.document, place, document) else { continue };
            match self.looked_up.get_mut(taken as usize) {
                Some(grade @ None) => *grade = Some(row.grade),
                _ => return Err(twice("judgements", row.document)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secondpass_core::{Qrels, Ranking, Run};

    use super::*;
    use crate::evaluate::evaluate_on;

    fn row(document: &str, score: f64, rank: u32) -> RunRow<'_> {
        RunRow { document, score, rank: Some(rank) }
    }

    const JUDGED: [QrelsRow<'static>; 1] = [QrelsRow { document: "a", grade: 1 }];

    fn rr(run: &[RunRow<'_>], judged: &[QrelsRow<'_>], ties: Ties) -> Result<f64, RowsError> {
        let run = [QueryRows { query: "q", rows: run }];
        let qrels = [QueryRows { query: "q", rows: judged }];
        let measures = ["RR".parse().unwrap()];
        evaluate_rows(&run, &qrels, &measures, Queries::Judged, ties).map(|values| values.mean(0))
    }

    #[test]
    fn ties_by_document_or_as_ranked() {
        let run = [row("b", 1.0, 3), row("a", 1.0, 2), row("c", 1.0, 4), row("d", 2.0, 9)];
        assert_eq!(rr(&run, &JUDGED, Ties::ByDocument), Ok(0.25));
        assert_eq!(rr(&run, &JUDGED, Ties::AsRanked), Ok(0.5));
        let unranked = [RunRow { rank: None, ..run[0] }];
        assert_eq!(rr(&unranked, &JUDGED, Ties::ByDocument), Ok(0.0));
        let error = rr(&unranked, &JUDGED, Ties::AsRanked).unwrap_err();
        assert!(matches!(error, RowsError::NoRank { .. }));
    }

    #[test]
    fn what_cannot_be_measured_is_an_error() {
        let run = [row("a", 1.0, 1), row("b", f64::NAN, 2)];
        let error = rr(&run, &JUDGED, Ties::ByDocument).unwrap_err();
        assert_eq!(error.to_string(), "query 'q' scores document 'b' NaN; give it a number");
        let run = [row("b", 1.0, 1), row("a", 0.5, 2), row("b", 0.0, 3)];
        let error = rr(&run, &JUDGED, Ties::ByDocument).unwrap_err();
        assert!(error.to_string().contains("document 'b' twice in the run"));
        for document in ["a", "elsewhere"] {
            let judged = [1, 0].map(|grade| QrelsRow { document, grade });
            let error = rr(&run[..2], &judged, Ties::ByDocument).unwrap_err();
            assert!(error.to_string().contains("twice in the judgements"));
        }
        let query = QueryRows { query: "q", rows: &run[..1] };
        let judged = QueryRows { query: "q", rows: &JUDGED };
        let measure = |run: &[_], qrels: &[_]| {
            let error = evaluate_rows(run, qrels, &[], Queries::Judged, Ties::ByDocument);
            error.unwrap_err().to_string()
        };
        assert!(measure(&[query, query], &[judged]).contains("queries of the run"));
        assert!(measure(&[query], &[judged, judged]).contains("queries of the judgements"));
    }

    const IDS: [&str; 8] = ["a", "b", "c", "d10", "d9", "é", "z", "zz"];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn equal_to_the_evaluation_of_a_run(
            // For each query, a score and a grade for some of the documents: enough queries for
            // several threads.
            queries in prop::collection::vec(
                prop::collection::vec(
                    (prop::option::of(0..3_u8), prop::option::of(-1..3_i32)),
                    IDS.len(),
                ),
                0..200,
            ),
            answered: bool,
        ) {
            let names: Vec<String> = (0..queries.len()).map(|query| format!("q{query}")).collect();
            let (mut run, mut qrels) = (Run::new("run"), Qrels::new());
            let (mut ranked, mut judged) = (Vec::new(), Vec::new());
            for (name, rows) in names.iter().zip(&queries) {
                let rows = || IDS.iter().zip(rows);
                let scores = rows().filter_map(|(&id, (score, _))| Some((id, f64::from((*score)?))));
                let grades = rows().filter_map(|(&id, (_, grade))| Some((id, (*grade)?)));
                let scores: Vec<(&str, f64)> = scores.collect();
                let grades: Vec<(&str, i32)> = grades.collect();
                for &(id, grade) in &grades {
                    qrels.insert(name.as_str().into(), id.into(), grade);
                }
                let ranking = scores.iter().map(|&(id, score)| (id.into(), score));
                let ranking = Ranking::from_scores(ranking).unwrap();
                run.rankings.insert(name.as_str().into(), ranking);
                let row = |(document, score)| RunRow { document, score, rank: None };
                ranked.push(scores.into_iter().map(row).collect::<Vec<_>>());
                let row = |(document, grade)| QrelsRow { document, grade };
                judged.push(grades.into_iter().map(row).collect::<Vec<_>>());
            }
            let which = if answered { Queries::Answered } else { Queries::Judged };
            let names = || names.iter().map(String::as_str);
            let ranked: Vec<_> =
                names().zip(&ranked).map(|(query, rows)| QueryRows { query, rows }).collect();
            let judged: Vec<_> =
                names().zip(&judged).map(|(query, rows)| QueryRows { query, rows }).collect();
            let measures: Vec<NamedMeasure> =
                ["nDCG@3", "AP", "RR", "NumRet"].map(|name| name.parse().unwrap()).into();
            let rows = evaluate_rows(&ranked, &judged, &measures, which, Ties::ByDocument);
            prop_assert_eq!(rows.unwrap(), evaluate_on(which, &run, &qrels, &measures));
        }
    }
}
