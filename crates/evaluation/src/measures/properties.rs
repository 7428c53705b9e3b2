//! What holds for every measure on every ranking.

use std::collections::BTreeMap;

use proptest::prelude::*;
use secondpass_core::{DocId, Grade, Ranking};

use super::{JudgedRanking, Measure, NamedMeasure};

const NAMES: [&str; 11] =
    ["nDCG", "nDCG@3", "RR", "RR@3", "R@1", "R@5", "AP", "AP@3", "P@5", "Success@2", "Judged@4"];

/// Grades by document number; `None` is unjudged. All documents are ranked, in this order.
fn grades() -> impl Strategy<Value = Vec<Option<Grade>>> {
    proptest::collection::vec(proptest::option::of(-2..4_i32), 0..12)
}

fn ids(count: usize) -> Vec<DocId> {
    (0..count).map(|number| DocId::from(format!("d{number}"))).collect()
}

fn judgements(grades: &[Option<Grade>]) -> BTreeMap<DocId, Grade> {
    ids(grades.len())
        .into_iter()
        .zip(grades)
        .filter_map(|(id, grade)| Some((id, (*grade)?)))
        .collect()
}

fn in_order(order: impl IntoIterator<Item = DocId>) -> Ranking {
    let scores = order.into_iter().enumerate().map(|(place, id)| (id, -(place as f64)));
    Ranking::from_scores(scores).unwrap()
}

fn measures() -> Vec<NamedMeasure> {
    NAMES.iter().map(|name| name.parse().unwrap()).collect()
}

proptest! {
    #[test]
    fn between_0_and_1(grades in grades(), kept in 0..12_usize) {
        let joined =
            JudgedRanking::join(&in_order(ids(grades.len())).cut(kept), &judgements(&grades));
        for measure in measures() {
            let value = measure.of(&joined);
            prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{measure}: {value}");
        }
    }

    #[test]
    fn moving_a_better_document_up_never_lowers(
        grades in grades().prop_filter("two documents", |grades| grades.len() > 1),
        (a, b) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        let (a, b) = (a.index(grades.len()), b.index(grades.len()));
        let (upper, lower) = (a.min(b), a.max(b));
        let gain = |place: usize| grades[place].unwrap_or(0).max(0);
        let judged = judgements(&grades);
        let as_they_are = ids(grades.len());
        let mut swapped = as_they_are.clone();
        swapped.swap(upper, lower);
        let (worse, better) = match gain(lower) > gain(upper) {
            true => (as_they_are, swapped),
            false => (swapped, as_they_are),
        };
        let before = JudgedRanking::join(&in_order(worse), &judged);
        let after = JudgedRanking::join(&in_order(better), &judged);
        let by_grade = |measure: &NamedMeasure| !measure.to_string().starts_with("Judged");
        for measure in measures().into_iter().filter(by_grade) {
            let (before, after) = (measure.of(&before), measure.of(&after));
            prop_assert!(after >= before - 1e-12, "{measure}: {before} fell to {after}");
        }
    }

    #[test]
    fn the_order_of_input_rows_does_not_matter(
        scored in proptest::collection::vec((proptest::option::of(-2..4_i32), 0..4_u8), 0..12)
            .prop_flat_map(|rows| {
                let numbered: Vec<_> = rows.iter().copied().enumerate().collect();
                (Just(numbered.clone()), Just(numbered).prop_shuffle())
            }),
    ) {
        let (rows, shuffled) = scored;
        let grades: Vec<_> = rows.iter().map(|(_, (grade, _))| *grade).collect();
        let rank = |rows: &[(usize, (Option<Grade>, u8))]| {
            let scores =
                rows.iter().map(|(id, (_, score))| (format!("d{id}").into(), f64::from(*score)));
            JudgedRanking::join(&Ranking::from_scores(scores).unwrap(), &judgements(&grades))
        };
        prop_assert_eq!(rank(&rows), rank(&shuffled));
    }
}

#[test]
fn hand_computed_values() {
    // d0 relevant at grade 1, d1 not, d2 unjudged, d3 grade 3; d4 relevant and not retrieved.
    let grades = [Some(1), Some(0), None, Some(3), Some(2)];
    let joined = JudgedRanking::join(&in_order(ids(4)), &judgements(&grades));
    let expect = |name: &str, expected: f64| {
        let value = name.parse::<NamedMeasure>().unwrap().of(&joined);
        assert!((value - expected).abs() < 1e-12, "{name}: {value}, not {expected}");
    };
    let ideal = 3.0 + 2.0 / 3_f64.log2() + 1.0 / 2.0;
    expect("nDCG", (1.0 + 3.0 / 5_f64.log2()) / ideal);
    expect("nDCG@1", 1.0 / 3.0);
    expect("RR", 1.0);
    expect("R@3", 1.0 / 3.0);
    expect("AP", (1.0 + 2.0 / 4.0) / 3.0);
    expect("P@5", 2.0 / 5.0);
    expect("Success@1", 1.0);
    expect("Judged@10", 3.0 / 4.0);
    expect("Judged@2", 1.0);
}
