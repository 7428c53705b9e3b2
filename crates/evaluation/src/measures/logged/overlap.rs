use std::collections::HashSet;
use std::hash::Hash;

/// Share of the top k that both lists have, 0 to 1, whatever their order within. Of a list with
/// fewer than k documents, all count, and the longer list's number is the whole. `None` when both
/// are empty or k is 0.
///
/// Biased towards what was shown: see the module. No list may hold a document twice.
pub fn overlap_at<T: Eq + Hash>(a: &[T], b: &[T], k: usize) -> Option<f64> {
    let (a, b) = (&a[..k.min(a.len())], &b[..k.min(b.len())]);
    let top: HashSet<&T> = a.iter().collect();
    let shared = b.iter().filter(|document| top.contains(document)).count();
    let whole = a.len().max(b.len());
    (whole > 0).then(|| shared as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_within_the_top_does_not_matter() {
        let (a, b) = (["a", "b", "c"], ["b", "a", "d"]);
        assert_eq!(overlap_at(&a, &b, 1), Some(0.0));
        assert_eq!(overlap_at(&a, &b, 2), Some(1.0));
        assert_eq!(overlap_at(&a, &b, 9), Some(2.0 / 3.0));
        assert_eq!(overlap_at(&a, &["a"], 3), Some(1.0 / 3.0));
        assert_eq!(overlap_at(&a, &b, 0), None);
        assert_eq!(overlap_at::<&str>(&[], &[], 3), None);
    }
}
