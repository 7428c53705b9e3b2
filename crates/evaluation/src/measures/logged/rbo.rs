use std::collections::HashSet;
use std::hash::Hash;

/// The usual persistence: 86% of the weight lies on the first ten ranks.
pub const PERSISTENCE: f64 = 0.9;

/// Rank-biased overlap of two lists (Webber, Moffat and Zobel, TOIS 2010), extrapolated: their
/// RBO_ext, equation 32, which takes the agreement seen at the end of the lists to go on for ever.
/// 1 for equal lists, 0 for lists that share nothing.
///
/// `persistence` is p, the chance that a reader goes on to the next rank, above 0 and below 1. No
/// list may hold a document twice, and ties are broken before: the order is the list's. `None` when
/// either is empty, holds a document twice, or p is out of its range.
///
/// Biased towards what was shown: see the module.
pub fn rbo_ext<T: Eq + Hash>(a: &[T], b: &[T], persistence: f64) -> Option<f64> {
    let p = persistence;
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() || !(p > 0.0 && p < 1.0) {
        return None;
    }
    let (s, l) = (short.len(), long.len());
    let (mut in_short, mut in_long) = (HashSet::new(), HashSet::new());
    // X_d of the paper: documents that both lists have in their first d.
    let (mut shared, mut shared_at_s) = (0_usize, 0_usize);
    let (mut weight, mut sum) = (1.0, 0.0);
    for depth in 1..=l {
        let from_long = &long[depth - 1];
        let mut is_new = in_long.insert(from_long);
        match short.get(depth - 1) {
            Some(from_short) if from_short == from_long => {
                is_new &= in_short.insert(from_short);
                shared += 1;
            }
            Some(from_short) => {
                is_new &= in_short.insert(from_short);
                shared += usize::from(in_long.contains(from_short));
                shared += usize::from(in_short.contains(from_long));
            }
            None => shared += usize::from(in_short.contains(from_long)),
        }
        if !is_new {
            return None;
        }
        weight *= p;
        if depth <= s {
            shared_at_s = shared;
        }
        // Beyond its end the shorter list is taken to go on agreeing as it did.
        let unseen = depth.saturating_sub(s) as f64 * shared_at_s as f64 / s as f64;
        sum += weight * (shared as f64 + unseen) / depth as f64;
    }
    let unseen = (l - s) as f64 * shared_at_s as f64 / s as f64;
    let at_the_end = (shared as f64 + unseen) / l as f64;
    Some((1.0 - p) / p * sum + weight * at_the_end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(a: Option<f64>, b: f64) {
        let a = a.unwrap();
        assert!((a - b).abs() < 1e-12, "{a}, not {b}");
    }

    #[test]
    fn by_hand() {
        // Agreements 0, 1/2, 1 at depths 1 to 3, then 1 for ever, with p = 1/2:
        // 1/2 * (0 + 1/2 * 1/2 + 1/4 * 1) + 1/8 * 1.
        close(rbo_ext(&["a", "b", "c"], &["b", "c", "a"], 0.5), 0.375);
        // The shorter one ends at depth 1 with agreement 1 and goes on so: 1, (1 + 1) / 2.
        close(rbo_ext(&["a"], &["a", "b"], 0.9), 1.0);
        // 1 at depth 1; at depth 2 one of two, and so for ever: (1 - p) + p / 2.
        close(rbo_ext(&["a", "b"], &["a", "c"], 0.9), 0.55);
    }

    #[test]
    fn what_has_no_value() {
        assert_eq!(rbo_ext::<&str>(&[], &[], 0.9), None);
        assert_eq!(rbo_ext(&["a"], &[], 0.9), None);
        assert_eq!(rbo_ext(&["a", "a"], &["a", "b"], 0.9), None);
        assert_eq!(rbo_ext(&["a", "b"], &["c", "b", "c"], 0.9), None);
        for p in [0.0, 1.0, -1.0, 2.0, f64::NAN] {
            assert_eq!(rbo_ext(&["a"], &["a"], p), None);
        }
    }

    /// The definition, equation 4 of the paper: the weighted agreements of two endless lists, whose
    /// agreement beyond what is known is that of the known part.
    fn summed(a: &[u8], b: &[u8], p: f64) -> f64 {
        let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        let shared = |depth: usize| {
            let short = &short[..depth.min(short.len())];
            long.iter().take(depth).filter(|&id| short.contains(id)).count() as f64
        };
        let s = short.len();
        let agreement = |depth: usize| {
            let known = depth.min(long.len());
            let unseen = known.saturating_sub(s) as f64 * shared(s) / s as f64;
            (shared(known) + unseen) / known as f64
        };
        let mut weight = 1.0 - p;
        let mut sum = 0.0;
        for depth in 1..2_000 {
            sum += weight * agreement(depth);
            weight *= p;
        }
        sum
    }

    fn list() -> impl Strategy<Value = Vec<u8>> {
        Just((0..16).collect::<Vec<u8>>())
            .prop_shuffle()
            .prop_flat_map(|ids| (1..=ids.len()).prop_map(move |kept| ids[..kept].to_vec()))
    }

    proptest! {
        #[test]
        fn equal_to_its_definition(a in list(), b in list(), p in 0.05..0.97_f64) {
            let value = rbo_ext(&a, &b, p).unwrap();
            prop_assert!((value - summed(&a, &b, p)).abs() < 1e-9);
            prop_assert!((-1e-12..=1.0 + 1e-12).contains(&value));
        }

        #[test]
        fn the_same_either_way_and_1_with_itself(a in list(), b in list()) {
            let (there, back) = (rbo_ext(&a, &b, PERSISTENCE), rbo_ext(&b, &a, PERSISTENCE));
            prop_assert!((there.unwrap() - back.unwrap()).abs() < 1e-12);
            prop_assert!((rbo_ext(&a, &a, PERSISTENCE).unwrap() - 1.0).abs() < 1e-12);
        }

        #[test]
        fn a_swap_further_down_weighs_less(place in 0..14_usize) {
            let whole: Vec<u8> = (0..16).collect();
            let swapped = |place: usize| {
                let mut list = whole.clone();
                list.swap(place, place + 1);
                rbo_ext(&whole, &list, PERSISTENCE).unwrap()
            };
            prop_assert!(swapped(place) < swapped(place + 1));
        }
    }
}
