use std::collections::BTreeMap;

use secondpass_core::{DocId, Grade, Qrels, Ranking, Run};

use crate::bootstrap::mean;
use crate::measures::{Judged, JudgedRanking, Measure, NamedMeasure};
use crate::record::Unjudged;

/// How much unjudged documents could change a measure. Queries that a run does not answer have
/// nothing unjudged and score 0, as everywhere; values that do not apply are left out.
pub(super) fn unjudged(run: &Run, qrels: &Qrels, measure: &NamedMeasure) -> Unjudged {
    let empty = Ranking::default();
    let (mut judged_at_10, mut low, mut high, mut condensed) = (vec![], vec![], vec![], vec![]);
    for (query, judged) in qrels.iter() {
        let ranking = run.rankings.get(query).unwrap_or(&empty);
        let joined = JudgedRanking::join(ranking, judged);
        judged_at_10.push(Judged { cutoff: 10 }.of(&joined));
        low.push(measure.of(&joined));
        if joined.grades().iter().all(Option::is_some) {
            high.push(measure.of(&joined));
            condensed.push(measure.of(&joined));
        } else {
            high.push(measure.of(&JudgedRanking::join(ranking, &all_relevant(ranking, judged))));
            condensed.push(measure.of(&JudgedRanking::join(&only_judged(ranking, judged), judged)));
        }
    }
    let mean = |values: Vec<f64>| {
        mean(&values.into_iter().filter(|value| !value.is_nan()).collect::<Vec<_>>())
    };
    Unjudged {
        judged_at_10: mean(judged_at_10),
        low: mean(low),
        high: mean(high),
        condensed: mean(condensed),
    }
}

/// The judgements, and every retrieved document that has none at grade 1: in the ideal order too, so
/// that the bound can be reached.
fn all_relevant(ranking: &Ranking, judged: &BTreeMap<DocId, Grade>) -> BTreeMap<DocId, Grade> {
    let unjudged = ranking.documents().filter(|id| !judged.contains_key(*id));
    let mut grades = judged.clone();
    grades.extend(unjudged.map(|id| (id.clone(), 1)));
    grades
}

/// The ranking without the documents that nobody judged (Sakai 2007, "Alternatives to bpref").
fn only_judged(ranking: &Ranking, judged: &BTreeMap<DocId, Grade>) -> Ranking {
    let documents = ranking.documents().filter(|id| judged.contains_key(*id)).cloned();
    // A part of a ranking has no document twice.
    Ranking::with_unscored([], documents).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_by_hand() {
        let order = ["new", "bad", "good", "other"];
        let ranking = Ranking::with_unscored([], order.map(DocId::from)).unwrap();
        let mut run = Run::new("run");
        run.rankings.insert("q".into(), ranking);
        let mut qrels = Qrels::new();
        for query in ["q", "unanswered"] {
            qrels.insert(query.into(), "bad".into(), 0);
            qrels.insert(query.into(), "good".into(), 1);
        }
        let of = |measure: &str| unjudged(&run, &qrels, &measure.parse().unwrap());
        let rr = of("RR");
        assert_eq!((rr.low, rr.high, rr.condensed), (1.0 / 6.0, 0.5, 0.25));
        assert_eq!(rr.judged_at_10, 0.25);
        // Three relevant documents at ranks 1, 3 and 4 of the best possible 1, 2 and 3.
        let gain = |rank: f64| 1.0 / (rank + 1.0).log2();
        let expected = (1.0 + gain(3.0) + gain(4.0)) / (1.0 + gain(2.0) + gain(3.0)) / 2.0;
        assert!((of("nDCG@10").high - expected).abs() < 1e-12);
    }
}
