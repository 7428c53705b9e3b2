use crate::quantile::quantile;

/// Where the middle of values lies that scatter to both sides alike: the Hodges-Lehmann estimate and
/// the interval that belongs to Wilcoxon's signed-rank test (Hodges and Lehmann 1963).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Middle {
    /// The median of the means of all pairs of values, each with itself, too.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// The middle of `values`, with an interval below which the true middle lies with a chance of at most
/// `beyond`, and above which with as much. Exact for any symmetric distribution, by counting all signs;
/// a few wild values move it little.
///
/// `None` where there are too few values for so sure an interval ([`fewest`]), or one is not finite.
pub fn signed_rank_interval(values: &[f64], beyond: f64) -> Option<Middle> {
    if values.len() < fewest(beyond) || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let outside = outside(values.len(), beyond)?;
    let means = pair_means(values);
    let value = quantile(&means, 0.5);
    Some(Middle { value, low: means[outside], high: means[means.len() - 1 - outside] })
}

/// The least number of values from which [`signed_rank_interval`] can be so sure.
pub fn fewest(beyond: f64) -> usize {
    // All signs alike is the rarest outcome: one of 2^n.
    (-beyond.clamp(f64::MIN_POSITIVE, 1.0).log2()).ceil().max(1.0) as usize
}

/// The means of all pairs, each value with itself, too, in order.
fn pair_means(values: &[f64]) -> Vec<f64> {
    let mut means = Vec::with_capacity(values.len() * (values.len() + 1) / 2);
    for (place, value) in values.iter().enumerate() {
        means.extend(values[..=place].iter().map(|other| f64::midpoint(*value, *other)));
    }
    means.sort_unstable_by(f64::total_cmp);
    means
}

/// How many of the pairs' means lie outside the interval on each side: the largest sum of ranks that
/// is reached or undercut with a chance of at most `beyond`.
fn outside(count: usize, beyond: f64) -> Option<usize> {
    // chances[s]: that the ranks so far with a positive sign sum up to s.
    let mut chances = vec![0.0; count * (count + 1) / 2 + 1];
    chances[0] = 1.0;
    let mut most = 0;
    for rank in 1..=count {
        most += rank;
        for sum in (0..=most).rev() {
            let with = if sum < rank { 0.0 } else { chances[sum - rank] };
            chances[sum] = f64::midpoint(chances[sum], with);
        }
    }
    let mut chance = 0.0;
    let within = chances.iter().take_while(|own| {
        chance += **own;
        chance <= beyond
    });
    within.count().checked_sub(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn critical_values_are_those_of_wilcoxons_tables() {
        // One-tailed, as printed in textbooks (McCornack 1965).
        for (count, beyond, critical) in [
            (8, 0.01, 1),
            (10, 0.005, 3),
            (10, 0.025, 8),
            (15, 0.005, 15),
            (20, 0.005, 37),
            (20, 0.025, 52),
            (25, 0.005, 68),
            (30, 0.005, 109),
            (30, 0.025, 137),
        ] {
            assert_eq!(outside(count, beyond), Some(critical), "{count} values, {beyond}");
        }
    }

    #[test]
    fn too_few_values_and_values_that_are_none_say_nothing() {
        assert_eq!(fewest(0.001), 10);
        assert_eq!(fewest(0.0025), 9);
        assert_eq!(fewest(0.5), 1);
        let values: Vec<f64> = (0..10).map(f64::from).collect();
        assert!(signed_rank_interval(&values, 0.001).is_some());
        assert_eq!(signed_rank_interval(&values[1..], 0.001), None);
        assert_eq!(signed_rank_interval(&[f64::NAN; 20], 0.001), None);
        assert_eq!(signed_rank_interval(&[], 0.5), None);
    }

    #[test]
    fn one_wild_value_moves_it_little() {
        let mut values: Vec<f64> = (0..20).map(|n| f64::from(n % 5)).collect();
        let before = signed_rank_interval(&values, 0.005).unwrap();
        values[3] = 1e9;
        let after = signed_rank_interval(&values, 0.005).unwrap();
        assert!(after.high - before.high <= 1.0 && after.value - before.value <= 0.5);
    }

    /// The chance that the test's statistic is at most `sum`, by trying all signs.
    fn tried(count: u32, sum: u32) -> f64 {
        let all = 1_u32 << count;
        let of = |signs: u32| (1..=count).filter(|rank| signs >> (rank - 1) & 1 == 1).sum::<u32>();
        f64::from((0..all).filter(|&signs| of(signs) <= sum).count() as u32) / f64::from(all)
    }

    proptest! {
        #[test]
        fn the_interval_is_as_sure_as_it_says_and_no_wider(count in 1_u32..=12, beyond in 0.001..0.4) {
            match outside(count as usize, beyond) {
                Some(sum) => {
                    let sum = sum as u32;
                    prop_assert!(tried(count, sum) <= beyond);
                    prop_assert!(tried(count, sum + 1) > beyond);
                }
                None => prop_assert!(tried(count, 0) > beyond),
            }
        }

        #[test]
        fn it_moves_with_its_values(
            values in prop::collection::vec(-10.0..10.0, 8..30),
            shift in -5.0_f64..5.0,
        ) {
            let moved: Vec<f64> = values.iter().map(|value| value + shift).collect();
            let of = |values: &[f64]| -> Middle { signed_rank_interval(values, 0.01).unwrap() };
            let (before, after) = (of(&values), of(&moved));
            let moves = [
                after.value - before.value,
                after.low - before.low,
                after.high - before.high,
            ];
            prop_assert!(moves.iter().all(|by: &f64| (by - shift).abs() < 1e-9), "{moves:?}");
            prop_assert!(before.low <= before.value && before.value <= before.high);
        }
    }
}
