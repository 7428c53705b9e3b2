//! What holds for every measure on every ranking.

use std::collections::BTreeMap;

use proptest::prelude::*;
use secondpass_core::{DocId, Grade, Ranking};

use super::{JudgedRanking, Measure, NamedMeasure, Summary, tie_bounds, unjudged_bounds};

/// Never fall when a document of a higher grade moves up.
const BY_GRADE: &str = "nDCG nDCG@3 nDCG(dcg='exp-log2') nDCG(dcg='exp-log2')@2 RR RR@3 RR(rel=2) \
    R@1 R@5 R(rel=2)@3 AP AP@3 AP(rel=2) P@5 P(rel=3)@2 Success@2 Success(rel=2)@1 Rprec \
    Rprec(rel=2) IPrec@0.0 IPrec@0.5 IPrec(rel=2)@1.0 SetP SetP(relative=True) SetR SetF \
    SetF(rel=2,beta=0.5) SetAP NumQ NumRet NumRet(rel=2) NumRel(rel=2)";

/// Never fall when a relevant document moves up past one that is not: other moves change which
/// judged documents, or how many, stand above it.
const BY_RELEVANCE: &str = "Bpref Bpref(rel=2) RR(judged_only=True) \
    AP(rel=2,judged_only=True)@3 P(judged_only=True)@2 IPrec(judged_only=True)@0.5 \
    SetP(judged_only=True)";

/// Neither: a judged document that trades places with an unjudged one moves others of the list.
const OTHERS: &str = "Judged Judged@4 nDCG(judged_only=True)@3";

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

fn measures(names: &[&str]) -> Vec<NamedMeasure> {
    names.iter().flat_map(|names| names.split_whitespace()).map(|n| n.parse().unwrap()).collect()
}

fn all() -> Vec<NamedMeasure> {
    measures(&[BY_GRADE, BY_RELEVANCE, OTHERS])
}

/// Not lower, or not applicable to either.
fn at_least(after: f64, before: f64) -> bool {
    after >= before - 1e-12 || after.is_nan() && before.is_nan()
}

proptest! {
    #[test]
    fn shares_are_between_0_and_1_and_counts_are_whole(
        grades in grades(),
        kept in 0..12_usize,
    ) {
        let judged = judgements(&grades);
        let joined = JudgedRanking::join(&in_order(ids(grades.len())).cut(kept), &judged);
        let whole = JudgedRanking::join(&in_order(ids(grades.len())), &judged);
        for measure in all() {
            let value = measure.of(&joined);
            // Which documents were retrieved does not decide whether a measure applies.
            prop_assert_eq!(value.is_nan(), measure.of(&whole).is_nan());
            prop_assert!(!value.is_nan() || measure.to_string().starts_with("Bpref"));
            let is_possible = match measure.summary() {
                Summary::Mean => value.is_nan() || (0.0..=1.0 + 1e-12).contains(&value),
                Summary::Sum => value >= 0.0 && value.fract() == 0.0,
            };
            prop_assert!(is_possible, "{measure}: {value}");
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
        let join = |order: Vec<DocId>| JudgedRanking::join(&in_order(order), &judged);
        let as_they_are = ids(grades.len());
        let mut swapped = as_they_are.clone();
        swapped.swap(upper, lower);
        let (worse, better) = match gain(lower) > gain(upper) {
            true => (as_they_are, swapped),
            false => (swapped, as_they_are),
        };
        let (before, after) = (join(worse), join(better));
        let crosses = |rel: Grade| (gain(lower) >= rel) != (gain(upper) >= rel);
        let of_relevance = measures(&[BY_RELEVANCE]).into_iter().filter(|measure| {
            crosses(if measure.to_string().contains("rel=2") { 2 } else { 1 })
        });
        for measure in measures(&[BY_GRADE]).into_iter().chain(of_relevance) {
            let (before, after) = (measure.of(&before), measure.of(&after));
            prop_assert!(at_least(after, before), "{measure}: {before} fell to {after}");
        }
    }

    #[test]
    fn tie_bounds_are_those_of_all_orders(
        rows in proptest::collection::vec((proptest::option::of(-1..3_i32), 0..3_u8), 0..6),
    ) {
        let grades: Vec<_> = rows.iter().map(|(grade, _)| *grade).collect();
        let judged = judgements(&grades);
        let scores = rows.iter().enumerate();
        let scores = scores.map(|(id, (_, score))| (format!("d{id}").into(), f64::from(*score)));
        let ranking = Ranking::from_scores(scores).unwrap();
        // Every order that never puts a lower score first.
        let orders: Vec<JudgedRanking> = permutations(rows.len())
            .into_iter()
            .filter(|order| order.is_sorted_by_key(|&id| std::cmp::Reverse(rows[id].1)))
            .map(|order| in_order(order.into_iter().map(|id| format!("d{id}").into())))
            .map(|ranking| JudgedRanking::join(&ranking, &judged))
            .collect();
        for measure in all() {
            let bounds = tie_bounds(&ranking, &judged, &measure);
            let values: Vec<f64> = orders.iter().map(|order| measure.of(order)).collect();
            let low = values.iter().copied().reduce(f64::min).unwrap();
            let high = values.iter().copied().reduce(f64::max).unwrap();
            let same = |a: f64, b: f64| (a - b).abs() < 1e-12 || a.is_nan() && b.is_nan();
            prop_assert!(
                same(bounds.low, low) && same(bounds.high, high),
                "{measure}: {bounds:?}, not {low} to {high}"
            );
        }
    }

    #[test]
    fn unjudged_bounds_are_those_of_all_judgements(
        grades in proptest::collection::vec(proptest::option::weighted(0.4, -1..3_i32), 0..8),
        kept in 0..8_usize,
    ) {
        let ranking = in_order(ids(grades.len())).cut(kept);
        let joined = JudgedRanking::join(&ranking, &judgements(&grades));
        let unjudged: Vec<usize> =
            (0..kept.min(grades.len())).filter(|&place| grades[place].is_none()).collect();
        prop_assert_eq!(unjudged.len(), joined.unjudged());
        let judged_too = |chosen: usize| {
            let mut grades = grades.clone();
            for (bit, &place) in unjudged.iter().enumerate() {
                if chosen >> bit & 1 == 1 {
                    grades[place] = Some(1);
                }
            }
            JudgedRanking::join(&ranking, &judgements(&grades))
        };
        prop_assert_eq!(
            joined.with_unjudged_relevant(usize::MAX),
            judged_too((1 << unjudged.len()) - 1)
        );
        let cases: Vec<JudgedRanking> = (0..1 << unjudged.len()).map(judged_too).collect();
        for measure in all() {
            let bounds = unjudged_bounds(&joined, &measure);
            let low = measure.of(&joined);
            let high = cases.iter().map(|case| measure.of(case)).fold(low, f64::max);
            let same = |a: f64, b: f64| (a - b).abs() < 1e-12 || low.is_nan() && a.is_nan();
            // See `unjudged_bounds`.
            let name = measure.to_string();
            let is_attained_only = name.contains("judged_only") || name.starts_with("Bpref(rel");
            let is_right = match is_attained_only {
                true => bounds.high <= high + 1e-12 || low.is_nan(),
                false => same(bounds.high, high),
            };
            prop_assert!(
                same(bounds.low, low) && is_right,
                "{measure}: {bounds:?}, not {low} to {high}"
            );
            let is_share = measure.summary() == Summary::Mean;
            prop_assert!(!is_share || low.is_nan() || bounds.high <= 1.0 + 1e-12);
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

/// All orders of the numbers below `count`.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    match count {
        0 => vec![Vec::new()],
        _ => permutations(count - 1)
            .into_iter()
            .flat_map(|shorter| {
                (0..count).map(move |place| {
                    let mut longer = shorter.clone();
                    longer.insert(place, count - 1);
                    longer
                })
            })
            .collect(),
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
    expect("P(rel=2)@5", 1.0 / 5.0);
    expect("nDCG(dcg='exp-log2')@1", 1.0 / 7.0);
    expect("Rprec", 1.0 / 3.0);
    // d0 above d1, d3 below it; d4 is not retrieved.
    expect("Bpref", (1.0 + 0.0) / 3.0);
    expect("IPrec@0.5", 2.0 / 4.0);
    expect("IPrec@1.0", 0.0);
    expect("SetF", 2.0 * 0.5 * (2.0 / 3.0) / (0.5 + 2.0 / 3.0));
    expect("NumRet", 4.0);
    expect("NumRel(rel=2)", 2.0);
    expect("AP(judged_only=True)", (1.0 + 2.0 / 3.0) / 3.0);
}

#[test]
fn the_highest_grade_there_is() {
    let joined = JudgedRanking::new(vec![Some(1), Some(Grade::MAX)], [1, Grade::MAX]);
    for name in ["nDCG", "nDCG(dcg='exp-log2')"] {
        let value = name.parse::<NamedMeasure>().unwrap().of(&joined);
        assert!((value - 1.0 / 3_f64.log2()).abs() < 1e-6, "{name}: {value}");
    }
}
