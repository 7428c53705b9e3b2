use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// With fewer differences that are not zero than this, every permutation is gone through.
const EXACT_BELOW: usize = 20;

/// Sums that differ by less than this share of all sizes together are equal but for rounding.
const ROUNDING: f64 = 1e-12;

/// Differences whose signs one table flips: as many as a byte has bits.
const TABLE: usize = 8;
/// Tables that one drawn word of 64 bits serves.
const TABLES_A_WORD: usize = 8;

/// What Fisher's randomization test gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Randomization {
    /// Two-sided p-value, in (0, 1].
    pub p: f64,
    /// Whether every permutation was gone through, so that it does not depend on the seed.
    pub exact: bool,
}

/// Fisher's paired randomization test (Fisher 1935; Smucker, Allan and Carterette 2007 for
/// retrieval): were the two systems interchangeable, each query's difference could as well have had
/// the other sign. How often is the sum of differences with random signs at least as far from zero
/// as the one observed?
///
/// Below 20 differences that are not zero, all 2^n signs are gone through and p = b / 2^n (equal to
/// `scipy.stats.permutation_test`). Otherwise `permutations` are drawn and p = (b + 1) / (B + 1),
/// which is never 0 and holds its level (Phipson and Smyth 2010). A difference of zero has no sign
/// and changes nothing. The p-value depends neither on the order of the queries nor on which of the
/// two systems is subtracted. Every difference must be a finite number; others are left out.
///
/// The sums of eight sizes with all their 256 signs stand in a table, so that a drawn word of 64
/// bits signs 64 queries with eight look-ups.
pub fn randomization(differences: &[f64], permutations: usize, seed: u64) -> Randomization {
    let changed: Vec<f64> =
        differences.iter().copied().filter(|value| value.is_finite() && *value != 0.0).collect();
    let largest = changed.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    if changed.is_empty() {
        return Randomization { p: 1.0, exact: true };
    }
    let sizes_of = |sign: f64| {
        let ours = changed.iter().filter(|value| value.signum() == sign);
        let mut sizes: Vec<f64> = ours.map(|value| value.abs() / largest).collect();
        sizes.sort_unstable_by(f64::total_cmp);
        sizes
    };
    let (gains, losses) = (sizes_of(1.0), sizes_of(-1.0));
    let observed = (gains.iter().sum::<f64>() - losses.iter().sum::<f64>()).abs();
    let mut sizes = [gains, losses].concat();
    sizes.sort_unstable_by(f64::total_cmp);
    let reached = observed - ROUNDING * sizes.iter().sum::<f64>();
    match sizes.len() < EXACT_BELOW {
        true => Randomization { p: exact(&sizes, reached), exact: true },
        false => Randomization { p: drawn(&sizes, reached, permutations, seed), exact: false },
    }
}

/// The share of all sign patterns whose sum is at least `reached` from zero.
fn exact(sizes: &[f64], reached: f64) -> f64 {
    let tables: Vec<[f64; 256]> = sizes.chunks(TABLE).map(signed_sums).collect();
    // A pattern and its mirror image lie equally far from zero, so half of them suffice.
    let patterns = 1_u32 << (sizes.len() - 1);
    let sum = |pattern: u32| -> f64 {
        tables.iter().zip(pattern.to_le_bytes()).map(|(table, bits)| table[usize::from(bits)]).sum()
    };
    let far = (0..patterns).filter(|&pattern| sum(pattern).abs() >= reached).count();
    far as f64 / f64::from(patterns)
}

fn drawn(sizes: &[f64], reached: f64, permutations: usize, seed: u64) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut sums = vec![0.0; permutations];
    // Tables are the outer loop: eight of them fit the first-level cache, all of them would not.
    for word in sizes.chunks(TABLE * TABLES_A_WORD) {
        let tables: Vec<[f64; 256]> = word.chunks(TABLE).map(signed_sums).collect();
        for sum in &mut sums {
            let signs = random.next_u64().to_le_bytes();
            for (table, bits) in tables.iter().zip(signs) {
                *sum += table[usize::from(bits)];
            }
        }
    }
    let far = sums.iter().filter(|sum| sum.abs() >= reached).count();
    (far + 1) as f64 / (permutations + 1) as f64
}

/// The sum of at most eight sizes under every choice of signs: bit i gives size i a plus. Where there
/// are fewer, the bits that are left over change nothing.
fn signed_sums(sizes: &[f64]) -> [f64; 256] {
    let mut sums = [0.0; 256];
    sums[0] = -sizes.iter().sum::<f64>();
    for signs in 1..sums.len() {
        let lowest = signs.trailing_zeros() as usize;
        let size = sizes.get(lowest).copied().unwrap_or(0.0);
        sums[signs] = sums[signs & (signs - 1)] + 2.0 * size;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_queries_by_hand() {
        // Of eight sign patterns, two (all plus, all minus) reach 0.6; four reach 0.4.
        assert_eq!(randomization(&[0.1, 0.2, 0.3], 10, 1).p, 0.25);
        assert_eq!(randomization(&[-0.1, 0.2, 0.3], 10, 1).p, 0.5);
        // 0.1 + 0.2 - 0.3 is zero but for rounding: every pattern is as far.
        assert_eq!(randomization(&[0.1, 0.2, -0.3], 10, 1).p, 1.0);
        assert_eq!(randomization(&[0.7], 10, 1), Randomization { p: 1.0, exact: true });
        assert_eq!(randomization(&[], 10, 1).p, 1.0);
        assert_eq!(randomization(&[0.0; 50], 10, 1), Randomization { p: 1.0, exact: true });
    }

    #[test]
    fn exact_below_twenty_changed_queries() {
        let mut differences: Vec<f64> = (1..20).map(|i| 1.0 + f64::from(i) / 100.0).collect();
        differences.extend([0.0; 30]);
        let test = randomization(&differences, 10, 1);
        assert_eq!(test, Randomization { p: 2.0 / f64::from(1 << 19), exact: true });
        differences.push(1.0);
        assert!(!randomization(&differences, 10, 1).exact);
    }

    #[test]
    fn drawn_signs_agree_with_all_signs() {
        // 64 + 8 + 3 sizes: a full word, a full table and a part of one. Their signed sums have the
        // variance of their squares, and are near normal.
        let sizes: Vec<f64> = (0..75).map(|i| 0.2 + (f64::from(i) * 0.37).sin().abs()).collect();
        let deviation = sizes.iter().map(|size| size * size).sum::<f64>().sqrt();
        for (reach, expected) in [(1.0, 0.3173), (1.959_964, 0.05), (3.290_5, 0.001)] {
            let p = drawn(&sizes, reach * deviation, 100_000, 7);
            assert!((p - expected).abs() < 0.004, "{p} for {expected}");
        }
        // And where all of them can be gone through, both ways tell the same.
        let few = &sizes[..15];
        for reach in [2.0, 4.0, 8.0] {
            let (all, some) = (exact(few, reach), drawn(few, reach, 200_000, 7));
            let error = (all * (1.0 - all) / 200_000.0).sqrt();
            assert!((all - some).abs() < 4.0 * error + 1e-5, "{all} and {some}");
        }
    }

    #[test]
    fn the_smallest_p_value_counts_the_observed_signs_too() {
        let differences = vec![0.5; 60];
        assert_eq!(randomization(&differences, 999, 3).p, 1.0 / 1000.0);
        assert_eq!(randomization(&differences, 0, 3).p, 1.0);
    }

    #[test]
    fn the_same_every_time_and_another_with_another_seed() {
        let differences: Vec<f64> = (0..40).map(|i| (f64::from(i) * 0.7).sin() + 0.1).collect();
        let p = |seed| randomization(&differences, 1000, seed).p;
        assert_eq!(p(1), p(1));
        assert_ne!(p(1), p(2));
    }
}
