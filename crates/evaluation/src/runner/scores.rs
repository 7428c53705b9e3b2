use secondpass_core::{Qrels, Run};

use crate::quantile::quantile;
use crate::record::ScoreDistribution;

const BINS: usize = 30;

/// How a run's scores lie, in bins of equal width between their 0.5th and 99.5th percentile; scores
/// beyond count in the outermost bins. `None` without any finite score.
pub(super) fn distribution(run: &Run, qrels: &Qrels) -> Option<ScoreDistribution> {
    let all = || run.rankings.values().flat_map(|ranking| ranking.ranked());
    let mut scores: Vec<f64> =
        all().filter_map(|ranked| ranked.score).filter(|score| score.is_finite()).collect();
    scores.sort_unstable_by(f64::total_cmp);
    if scores.is_empty() {
        return None;
    }
    let (mut low, mut high) = (quantile(&scores, 0.005), quantile(&scores, 0.995));
    drop(scores);
    // A single value, or values that differ by less than floating point can divide, stand in the
    // middle bin.
    let room = f64::max(low.abs(), high.abs()) * 1e-9;
    if high - low <= room {
        let half = room.max(0.5);
        (low, high) = (low - half, high + half);
    }
    let width = (high - low) / BINS as f64;
    let edges = (0..=BINS).map(|edge| low + width * edge as f64).collect();
    let bins = || vec![0_u64; BINS];
    let (mut relevant, mut not_relevant, mut unjudged) = (bins(), bins(), bins());
    for (query, ranking) in &run.rankings {
        for ranked in ranking.ranked() {
            let Some(score) = ranked.score else { continue };
            // The conversion of a float to an integer saturates, so infinities are clamped too.
            let bin = (((score - low) / width) as usize).min(BINS - 1);
            match qrels.grade(query, &ranked.document) {
                Some(grade) if grade > 0 => relevant[bin] += 1,
                Some(_) => not_relevant[bin] += 1,
                None => unjudged[bin] += 1,
            }
        }
    }
    Some(ScoreDistribution { edges, relevant, not_relevant, unjudged })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secondpass_core::{DocId, Ranking};

    use super::*;

    fn run(scores: &[f64]) -> Run {
        let ids = (0..scores.len()).map(|i| DocId::from(format!("d{i:03}")));
        let mut run = Run::new("run");
        run.rankings
            .insert("q".into(), Ranking::from_scores(ids.zip(scores.iter().copied())).unwrap());
        run
    }

    #[test]
    fn by_relevance_with_the_ends_clamped() {
        let mut scores: Vec<f64> = (0..1000).map(f64::from).collect();
        (scores[0], scores[999]) = (-1e9, f64::INFINITY);
        let mut qrels = Qrels::new();
        qrels.insert("q".into(), "d000".into(), 1);
        qrels.insert("q".into(), "d999".into(), 0);
        let found = distribution(&run(&scores), &qrels).unwrap();
        assert!((found.edges[0] - 4.99).abs() < 0.02 && found.edges.len() == BINS + 1);
        assert_eq!((found.relevant[0], found.not_relevant[BINS - 1]), (1, 1));
        assert_eq!(found.unjudged.iter().sum::<u64>(), 998);
        assert_eq!(distribution(&run(&[]), &qrels), None);
    }

    #[test]
    fn one_value_has_room_around_it() {
        let found = distribution(&run(&[2.0, 2.0]), &Qrels::new()).unwrap();
        assert_eq!((found.edges[0], found.edges[BINS]), (1.5, 2.5));
        assert_eq!(found.unjudged[BINS / 2], 2);
    }

    proptest! {
        #[test]
        fn every_score_counts_once_and_edges_ascend(
            scores in prop::collection::vec(-1e12_f64..1e12, 1..50),
        ) {
            let found = distribution(&run(&scores), &Qrels::new()).unwrap();
            prop_assert!(found.edges.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!(found.unjudged.iter().sum::<u64>(), scores.len() as u64);
        }
    }
}
