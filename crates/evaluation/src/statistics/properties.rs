//! What must hold for every set of differences.

use proptest::prelude::*;

use super::{
    Settings, compare, detectable, equivalence, holm, non_inferiority, randomization, t_test,
};
use crate::record::Verdict;

const PERMUTATIONS: usize = 200;
const SEED: u64 = 5;

fn settings() -> Settings {
    Settings::default().with_permutations(PERMUTATIONS).unwrap()
}

/// Differences like those of a measure: many zeros and ties, or any numbers.
fn differences() -> impl Strategy<Value = Vec<f64>> {
    let tied = prop::sample::select(vec![0.0, 0.0, 0.0, 0.5, -0.5, 0.131, -0.369, 1.0, -1.0]);
    let any = -1.0..1.0_f64;
    prop_oneof![
        prop::collection::vec(tied, 0..45),
        prop::collection::vec(any, 0..45),
        Just(vec![0.0; 30]),
        Just(vec![0.25; 30]),
    ]
}

fn p_values(differences: &[f64]) -> Vec<Option<f64>> {
    vec![
        t_test(differences).map(|test| test.p),
        Some(randomization(differences, PERMUTATIONS, SEED).p),
        equivalence(differences, 0.05),
        non_inferiority(differences, 0.05),
    ]
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-7 * (1.0 + a.abs())
}

fn all_close(a: &[Option<f64>], b: &[Option<f64>]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| match (a, b) {
            (Some(a), Some(b)) => close(*a, *b),
            (None, None) => true,
            _ => false,
        })
}

fn negated(differences: &[f64]) -> Vec<f64> {
    differences.iter().map(|value| -value).collect()
}

proptest! {
    #[test]
    fn p_values_are_above_0_and_at_most_1(differences in differences()) {
        for p in p_values(&differences).into_iter().flatten() {
            prop_assert!(p > 0.0 && p <= 1.0, "{p}");
        }
    }

    #[test]
    fn the_order_of_the_queries_does_not_matter(
        (differences, shuffled) in differences().prop_flat_map(|values| {
            (Just(values.clone()), Just(values).prop_shuffle())
        }),
    ) {
        prop_assert!(all_close(&p_values(&differences), &p_values(&shuffled)));
        prop_assert_eq!(
            randomization(&differences, PERMUTATIONS, SEED),
            randomization(&shuffled, PERMUTATIONS, SEED)
        );
    }

    #[test]
    fn which_system_is_subtracted_matters_only_for_the_sign(differences in differences()) {
        let other = negated(&differences);
        prop_assert_eq!(
            randomization(&differences, PERMUTATIONS, SEED),
            randomization(&other, PERMUTATIONS, SEED)
        );
        let (ours, theirs) = (t_test(&differences), t_test(&other));
        prop_assert_eq!(ours.map(|test| test.p), theirs.map(|test| test.p));
        prop_assert_eq!(ours.map(|test| test.statistic), theirs.map(|test| -test.statistic));
        prop_assert_eq!(equivalence(&differences, 0.05), equivalence(&other, 0.05));
        let verdict = |values: &[f64]| compare(&[values], &settings())[0].verdict;
        let mirrored = match verdict(&differences) {
            Verdict::Better => Some(Verdict::Worse),
            Verdict::Worse => Some(Verdict::Better),
            Verdict::Equivalent => Some(Verdict::Equivalent),
            Verdict::NonInferior | Verdict::CannotTell => None,
        };
        if let Some(mirrored) = mirrored {
            prop_assert_eq!(verdict(&other), mirrored);
        }
    }

    #[test]
    fn the_unit_of_the_measure_does_not_matter(differences in differences(), power in -20..20_i32) {
        let scale = 3.0_f64.powi(power);
        let scaled: Vec<f64> = differences.iter().map(|value| value * scale).collect();
        let both = |values: &[f64], margin: f64| [
            t_test(values).map(|test| test.p),
            Some(randomization(values, PERMUTATIONS, SEED).p),
            equivalence(values, margin),
            detectable(values, 0.05, 0.8).map(|found| found / margin),
        ];
        prop_assert!(all_close(&both(&differences, 0.05), &both(&scaled, 0.05 * scale)));
    }

    #[test]
    fn a_shift_of_all_queries_is_a_shift_of_the_margin(
        differences in differences(), shift in -0.5..0.5_f64,
    ) {
        let shifted: Vec<f64> = differences.iter().map(|value| value + shift).collect();
        if let Some(p) = non_inferiority(&differences, 0.6) {
            // Between the margins lies twice 0.6, wherever its middle is.
            prop_assert!(close(non_inferiority(&shifted, 0.6 - shift).unwrap(), p));
            let spread = |values: &[f64]| detectable(values, 0.05, 0.8).unwrap();
            prop_assert!(close(spread(&shifted), spread(&differences)));
        }
    }

    #[test]
    fn a_wider_margin_is_easier_to_keep(differences in differences(), margin in 0.0..0.5_f64) {
        if let Some(narrow) = equivalence(&differences, margin) {
            prop_assert!(equivalence(&differences, margin + 0.1).unwrap() <= narrow);
            let one_sided = non_inferiority(&differences, margin).unwrap();
            prop_assert!(one_sided <= narrow, "whoever is within the margin is not inferior");
        }
    }

    #[test]
    fn holm_keeps_the_order_and_lies_between_none_and_bonferroni(
        p_values in prop::collection::vec(1e-6..1.0_f64, 1..8),
    ) {
        let corrected = holm(&p_values);
        for (&p, &after) in p_values.iter().zip(&corrected) {
            prop_assert!(p <= after && after <= (p * p_values.len() as f64).min(1.0));
            for (&other, &other_after) in p_values.iter().zip(&corrected) {
                prop_assert!(p > other || after <= other_after);
            }
        }
    }

    #[test]
    fn comparisons_hold_no_nan(
        systems in prop::collection::vec(differences(), 0..4),
        odd in prop::sample::select(vec![0.0, f64::NAN, f64::INFINITY, 1e300, 1e-300]),
    ) {
        let mut systems = systems;
        systems.iter_mut().for_each(|values| values.push(odd));
        let borrowed: Vec<&[f64]> = systems.iter().map(Vec::as_slice).collect();
        let comparisons = compare(&borrowed, &settings());
        prop_assert_eq!(comparisons.len(), systems.len());
        for comparison in comparisons {
            let chances = [
                comparison.t_test,
                Some(comparison.randomization),
                Some(comparison.corrected),
                comparison.equivalence,
                comparison.non_inferiority,
            ];
            for p in chances.into_iter().flatten() {
                prop_assert!(p > 0.0 && p <= 1.0, "{comparison:?}");
            }
            let detectable = comparison.detectable.unwrap_or(1.0);
            prop_assert!(detectable > 0.0 && detectable.is_finite(), "{comparison:?}");
        }
    }
}
