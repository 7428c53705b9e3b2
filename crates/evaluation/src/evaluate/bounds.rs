//! How far ties and missing judgements could move a run's mean.

use secondpass_core::{Qrels, Ranking, Run};

use super::{Queries, chosen};
use crate::bootstrap::mean;
use crate::measures::{Bounds, JudgedRanking, Measure, NamedMeasure, tie_bounds, unjudged_bounds};
use crate::record::Unjudged;

/// The mean of a measure in the worst and in the best order of all ties, over the queries to which
/// it applies. A wide gap says that scores are too coarse to rank by.
pub fn mean_tie_bounds(
    which: Queries<'_>,
    run: &Run,
    qrels: &Qrels,
    measure: &NamedMeasure,
) -> Bounds {
    let none = Ranking::default();
    let all = chosen(which, run, qrels)
        .map(|(_, judged, ranking)| tie_bounds(ranking.unwrap_or(&none), judged, measure));
    mean_bounds(all)
}

/// How much unjudged documents could change a measure's mean over all judged queries: the record's
/// [`Unjudged`], whose `high` is the mean of what [`unjudged_bounds`] says of each query. Queries to
/// which the measure does not apply are left out of its three figures, queries without any result of
/// the share that was judged.
pub fn unjudged(run: &Run, qrels: &Qrels, measure: &NamedMeasure) -> Unjudged {
    let (mut judged_at_10, mut condensed, mut bounds) = (Vec::new(), Vec::new(), Vec::new());
    for (_, judged, ranking) in chosen(Queries::Judged, run, qrels) {
        let joined = match ranking {
            Some(ranking) => JudgedRanking::join(ranking, judged),
            None => JudgedRanking::new(Vec::new(), judged.values().copied()),
        };
        // A query without any result has no top 10.
        if ranking.is_some() {
            judged_at_10.push(crate::measures::Judged { cutoff: Some(10) }.of(&joined));
        }
        condensed.push(measure.of(&joined.condensed()));
        bounds.push(unjudged_bounds(&joined, measure));
    }
    condensed.retain(|value| !value.is_nan());
    let Bounds { low, high } = mean_bounds(bounds);
    Unjudged { judged_at_10: mean(&judged_at_10), low, high, condensed: mean(&condensed) }
}

fn mean_bounds(all: impl IntoIterator<Item = Bounds>) -> Bounds {
    let (low, high): (Vec<f64>, Vec<f64>) = all
        .into_iter()
        .filter(|bounds| !bounds.low.is_nan())
        .map(|bounds| (bounds.low, bounds.high))
        .unzip();
    Bounds { low: mean(&low), high: mean(&high) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(scores: &[(&str, f64)]) -> Run {
        let mut run = Run::new("run");
        let scores = scores.iter().map(|&(id, score)| (id.into(), score));
        run.rankings.insert("q".into(), Ranking::from_scores(scores).unwrap());
        run
    }

    fn qrels(grades: &[(&str, i32)]) -> Qrels {
        let mut qrels = Qrels::new();
        for (document, grade) in grades {
            qrels.insert("q".into(), (*document).into(), *grade);
        }
        qrels
    }

    #[test]
    fn ties_bound_the_mean() {
        let rr = "RR".parse().unwrap();
        let run = run(&[("a", 2.0), ("b", 1.0), ("c", 1.0), ("d", 1.0)]);
        let mut judged = qrels(&[("c", 1)]);
        judged.insert("unanswered".into(), "x".into(), 1);
        let all = mean_tie_bounds(Queries::Judged, &run, &judged, &rr);
        assert_eq!(all, Bounds { low: 0.125, high: 0.25 });
        let answered = mean_tie_bounds(Queries::Answered, &run, &judged, &rr);
        assert_eq!(answered, Bounds { low: 0.25, high: 0.5 });
    }

    #[test]
    fn unjudged_documents_bound_the_mean() {
        // a unjudged, b relevant, c unjudged, d judged not relevant.
        let run = run(&[("a", 4.0), ("b", 3.0), ("c", 2.0), ("d", 1.0)]);
        let judged = qrels(&[("b", 1), ("d", 0)]);
        let figures = unjudged(&run, &judged, &"RR".parse().unwrap());
        assert_eq!(figures, Unjudged { judged_at_10: 0.5, low: 0.5, high: 1.0, condensed: 1.0 });
        let mut more = judged.clone();
        more.insert("unanswered".into(), "b".into(), 1);
        let figures = unjudged(&run, &more, &"RR".parse().unwrap());
        assert_eq!((figures.judged_at_10, figures.low, figures.high), (0.5, 0.25, 0.5));
        // b is all there is: with c relevant too, the precision at c counts for less than 1.
        let ap = unjudged(&run, &qrels(&[("a", 1), ("b", 0)]), &"AP".parse().unwrap());
        assert_eq!((ap.low, ap.high), (1.0, 1.0));
    }
}
