/// Reciprocal rank of the first document that was cited; 0 when none of the list was. `None` when
/// nothing was cited: there is no citation to find, and the query says nothing about a ranking.
///
/// Biased towards what was shown: see the module.
pub fn cited_rr<T: PartialEq>(ranking: &[T], cited: &[T]) -> Option<f64> {
    let first = ranking.iter().position(|document| cited.contains(document));
    (!cited.is_empty()).then(|| first.map_or(0.0, |place| 1.0 / (place + 1) as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_citation_counts() {
        assert_eq!(cited_rr(&["a", "b", "c"], &["c", "b"]), Some(0.5));
        assert_eq!(cited_rr(&["a", "b"], &["x"]), Some(0.0));
        assert_eq!(cited_rr(&[], &["x"]), Some(0.0));
        assert_eq!(cited_rr(&["a"], &[]), None);
    }
}
