/// A count with its noun: `1 query`, `3 queries`.
pub(crate) fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// [`counted`] in queries.
pub(crate) fn queries(count: usize) -> String {
    counted(count, "query", "queries")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        let shown = [0, 1, 2].map(queries);
        assert_eq!(shown, ["0 queries", "1 query", "2 queries"]);
    }
}
