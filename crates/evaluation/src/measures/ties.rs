use std::cmp::Ordering;
use std::collections::BTreeMap;

use secondpass_core::{DocId, Grade, Ranking, by_score};

use super::{Bounds, JudgedRanking, Measure, NamedMeasure};

/// The least and the most that a measure can be over all orders of documents whose scores tie: how
/// much of a value the tie rule decided. Equal where nothing depends on ties.
///
/// Documents without a score keep their order; they tie with none. Both bounds are attained
/// (McSherry and Najork, ECIR 2008, average over the same orders): every measure here gains or
/// stays when a document of a higher grade, or a judged one, moves up within its tie.
pub fn tie_bounds(
    ranking: &Ranking,
    judged: &BTreeMap<DocId, Grade>,
    measure: &NamedMeasure,
) -> Bounds {
    let joined = JudgedRanking::join(ranking, judged);
    let scores: Vec<Option<f64>> = ranking.ranked().iter().map(|ranked| ranked.score).collect();
    let tie = |a: &Option<f64>, b: &Option<f64>| match (a, b) {
        (Some(a), Some(b)) => by_score(*a, *b) == Ordering::Equal,
        _ => false,
    };
    let gain = |grade: &Option<Grade>| i64::from(grade.unwrap_or(0).max(0));
    let known = |grade: &Option<Grade>| i64::from(grade.is_some());
    let arrange = |key: &dyn Fn(&Option<Grade>) -> i64| {
        let mut grades = joined.grades().to_vec();
        let mut start = 0;
        for group in scores.chunk_by(tie) {
            let end = start + group.len();
            grades[start..end].sort_by_key(key);
            start = end;
        }
        measure.of(&joined.with_grades(grades))
    };
    let values = [
        arrange(&|grade| -gain(grade)),
        arrange(&|grade| gain(grade)),
        arrange(&|grade| -known(grade)),
        arrange(&|grade| known(grade)),
    ];
    // `min` and `max` pass NaN over; where one order is not applicable, none is.
    match values[0].is_nan() {
        true => Bounds { low: f64::NAN, high: f64::NAN },
        false => Bounds {
            low: values.into_iter().fold(f64::INFINITY, f64::min),
            high: values.into_iter().fold(f64::NEG_INFINITY, f64::max),
        },
    }
}
