use rayon::prelude::*;

use super::settings::Settings;
use super::{detectable, equivalence, holm, non_inferiority, randomization, t_test};
use crate::record::{Comparison, Verdict};

/// The chance with which [`Comparison::detectable`] is shown: the convention since Cohen (1988).
const POWER: f64 = 0.8;

/// Compares several systems with one baseline on one measure. Each of `systems` has the differences
/// from the baseline, one a query; the answers come in the same order. A difference that is not a
/// finite number (a measure that does not apply to that query) is left out, and
/// [`Comparison::queries`] counts the others.
///
/// # How a verdict is reached
/// In this order, at the level alpha:
///
/// 1. [`Equivalent`](Verdict::Equivalent): the two one-sided tests show that the true difference is
///    smaller than the margin, or none of enough queries to show a difference changed at all. This
///    comes first, because the margin says what matters in practice: many queries show even a
///    difference too small to matter. Where one is shown as well, [`Comparison::corrected`] tells it.
/// 2. [`Better`](Verdict::Better) or [`Worse`](Verdict::Worse), by the sign of the mean: Fisher's
///    randomization test, corrected over all systems given (Holm), shows a difference.
/// 3. [`NonInferior`](Verdict::NonInferior): the one-sided test shows that the system is not worse by
///    the margin.
/// 4. [`CannotTell`](Verdict::CannotTell), with the smallest difference that could have been shown.
///
/// For one system the three tests share the level: no true difference is a false discovery for more
/// than one of "differs" and "within the margin", and whoever is within it is not inferior. Over
/// several systems only the test of difference is corrected; equivalence and non-inferiority hold
/// their level for each system by itself. One query shows nothing.
///
/// The detectable difference is the one at the strictest level of Holm's correction (alpha over the
/// number of systems), so that it holds whatever the other systems do. There is none where the
/// queries are so few that not even the same sign on all of them is shown.
pub fn compare(systems: &[&[f64]], settings: &Settings) -> Vec<Comparison> {
    let applicable: Vec<Vec<f64>> = systems
        .iter()
        .map(|values| values.iter().copied().filter(|value| value.is_finite()).collect())
        .collect();
    let tests: Vec<_> = applicable
        .par_iter()
        .map(|values| randomization(values, settings.permutations(), settings.seed()))
        .collect();
    let p_values: Vec<f64> = tests.iter().map(|test| test.p).collect();
    let strictest = settings.alpha() / systems.len().max(1) as f64;
    let of_one = |((differences, test), corrected): ((&Vec<f64>, _), f64)| {
        let randomization::Randomization { p, exact } = test;
        let margin = settings.margin();
        let mut comparison = Comparison {
            verdict: Verdict::CannotTell,
            queries: differences.len(),
            t_test: t_test(differences).map(|test| test.p),
            randomization: p,
            exact,
            corrected,
            equivalence: equivalence(differences, margin),
            non_inferiority: non_inferiority(differences, margin),
            detectable: can_show(differences.len(), strictest)
                .then(|| detectable(differences, strictest, POWER))
                .flatten(),
        };
        comparison.verdict = verdict(differences, &comparison, settings.alpha());
        comparison
    };
    applicable.iter().zip(tests).zip(holm(&p_values)).map(of_one).collect()
}

/// Whether any outcome over so many queries has a two-sided randomization p-value below `level`: of
/// all 2^n signs, two are the most extreme.
pub(crate) fn can_show(queries: usize, level: f64) -> bool {
    let queries = i32::try_from(queries).unwrap_or(i32::MAX);
    0.5_f64.powi(queries.saturating_sub(1)) < level
}

fn verdict(differences: &[f64], comparison: &Comparison, alpha: f64) -> Verdict {
    let shown = |p: Option<f64>| p.is_some_and(|p| p < alpha);
    let unchanged =
        can_show(differences.len(), alpha) && differences.iter().all(|value| *value == 0.0);
    if unchanged || shown(comparison.equivalence) {
        Verdict::Equivalent
    } else if comparison.corrected < alpha {
        match differences.iter().sum::<f64>() > 0.0 {
            true => Verdict::Better,
            false => Verdict::Worse,
        }
    } else if shown(comparison.non_inferiority) {
        Verdict::NonInferior
    } else {
        Verdict::CannotTell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(queries: u32, mean: f64, spread: f64) -> Vec<f64> {
        // Evenly placed over a period, so that its own mean is zero.
        let place = |i| std::f64::consts::TAU * (f64::from(i) + 0.5) / f64::from(queries);
        (0..queries).map(|i| mean + spread * place(i).sin()).collect()
    }

    fn one(differences: &[f64]) -> Comparison {
        compare(&[differences], &Settings::default()).remove(0)
    }

    #[test]
    fn each_verdict() {
        assert_eq!(one(&wave(60, 0.2, 0.3)).verdict, Verdict::Better);
        assert_eq!(one(&wave(60, -0.2, 0.3)).verdict, Verdict::Worse);
        assert_eq!(one(&wave(60, 0.001, 0.02)).verdict, Verdict::Equivalent);
        assert_eq!(one(&wave(60, 0.02, 0.137)).verdict, Verdict::NonInferior);
        let unclear = one(&wave(60, 0.02, 0.3));
        assert_eq!(unclear.verdict, Verdict::CannotTell);
        // The deviation is about 0.3 / sqrt(2), the standard error that over sqrt(60).
        let detectable = unclear.detectable.unwrap();
        assert!((detectable - 2.85 * 0.2121 / 60_f64.sqrt()).abs() < 0.002, "{detectable}");
    }

    #[test]
    fn smaller_than_the_margin_is_equivalent_though_a_difference_is_shown() {
        let tiny = one(&wave(200, 0.004, 0.01));
        assert!(tiny.corrected < 0.05 && tiny.t_test.unwrap() < 0.05);
        assert_eq!(tiny.verdict, Verdict::Equivalent);
    }

    #[test]
    fn the_same_values_are_equivalent_and_nothing_is_nan() {
        let same = one(&[0.0; 60]);
        assert_eq!(
            same,
            Comparison {
                verdict: Verdict::Equivalent,
                queries: 60,
                t_test: None,
                randomization: 1.0,
                exact: true,
                corrected: 1.0,
                equivalence: None,
                non_inferiority: None,
                detectable: None,
            }
        );
    }

    #[test]
    fn one_query_or_none_shows_nothing() {
        for differences in [&[][..], &[0.0], &[0.9], &[0.4, f64::NAN]] {
            let comparison = one(differences);
            assert_eq!(comparison.verdict, Verdict::CannotTell, "{differences:?}");
            assert_eq!((comparison.randomization, comparison.corrected), (1.0, 1.0));
            assert_eq!(comparison.detectable, None);
        }
    }

    #[test]
    fn the_same_gain_on_every_query_is_shown_by_enough_queries_only() {
        assert_eq!(one(&[0.3; 5]).verdict, Verdict::CannotTell);
        assert_eq!(one(&[0.3; 6]).verdict, Verdict::Better);
    }

    #[test]
    fn no_change_on_too_few_queries_is_no_equivalence() {
        for queries in 2..6 {
            let few = one(&vec![0.0; queries]);
            assert_eq!((few.verdict, few.detectable), (Verdict::CannotTell, None), "{queries}");
        }
        assert_eq!(one(&[0.0; 6]).verdict, Verdict::Equivalent);
    }

    #[test]
    fn queries_too_few_to_show_anything_detect_nothing() {
        let differences = [0.3, 0.1, 0.2, 0.4, 0.3, 0.2];
        assert_eq!(one(&differences[..5]).detectable, None);
        assert!(one(&differences).detectable.is_some());
        let together = compare(&[&differences, &differences], &Settings::default());
        assert_eq!(together[0].detectable, None, "2 / 64 is above 0.05 / 2");
    }

    #[test]
    fn where_a_measure_does_not_apply_the_query_is_left_out() {
        let mut differences = wave(60, 0.2, 0.3);
        let whole = one(&differences);
        differences.insert(7, f64::NAN);
        assert_eq!(one(&differences), whole);
        assert_eq!(whole.queries, 60);
    }

    #[test]
    fn more_rerankers_need_more_evidence() {
        let slight = wave(60, 0.064, 0.3);
        let alone = one(&slight);
        assert_eq!(alone.verdict, Verdict::Better, "{alone:?}");
        let nothing = wave(60, 0.0, 0.3);
        let three = compare(&[&slight, &nothing, &nothing], &Settings::default());
        assert_eq!(three[0].randomization, alone.randomization);
        assert!((three[0].corrected - 3.0 * alone.randomization).abs() < 1e-12);
        assert!(three[0].corrected > 0.05 && three[0].detectable > alone.detectable);
        assert_ne!(three[0].verdict, Verdict::Better);
    }
}
