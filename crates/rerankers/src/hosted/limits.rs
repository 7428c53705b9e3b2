use secondpass_core::TruncationAudit;

use super::CallTokens;

/// How much of a pair a model reads, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Of the query alone; `u64::MAX` where only the pair is limited.
    pub query: u64,
    /// Of query, document and special tokens together.
    pub pair: u64,
    /// Special tokens of a pair.
    pub special: u64,
}

impl Limits {
    /// What a call's pairs lose where the provider cuts them. Where it refuses long pairs instead
    /// (`cuts` is false), a pair that was scored has lost nothing.
    pub fn audit(&self, tokens: &CallTokens<'_>, cuts: bool) -> TruncationAudit {
        let mut audit = TruncationAudit { estimated: true, ..TruncationAudit::default() };
        for &document in tokens.documents {
            let of = |query: u64| query.saturating_add(document).saturating_add(self.special);
            let whole = of(tokens.query);
            let read = of(tokens.query.min(self.query)).min(self.pair);
            let cut = if cuts { whole - read } else { 0 };
            audit.note(size(whole), size(cut));
        }
        audit
    }
}

/// Tokens of all pairs of a call: the query counts with every document.
pub(super) fn pair_tokens(tokens: &CallTokens<'_>) -> u64 {
    let queries = tokens.query.saturating_mul(tokens.documents.len() as u64);
    tokens.documents.iter().fold(queries, |sum, &document| sum.saturating_add(document))
}

fn size(tokens: u64) -> usize {
    usize::try_from(tokens).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_query_is_cut_first_and_then_the_pair() {
        let limits = Limits { query: 8, pair: 20, special: 4 };
        let audit = |query, document| {
            let audit = limits.audit(&CallTokens { query, documents: &[document] }, true);
            (audit.tokens, audit.tokens_cut)
        };
        assert_eq!(audit(8, 8), (20, 0));
        assert_eq!(audit(10, 8), (22, 2), "the query");
        assert_eq!(audit(8, 9), (21, 1), "the pair");
        assert_eq!(audit(10, 9), (23, 3), "both");
    }

    #[test]
    fn a_provider_that_refuses_cuts_nothing() {
        let limits = Limits { query: u64::MAX, pair: 20, special: 4 };
        let audit = limits.audit(&CallTokens { query: 8, documents: &[100, 1] }, false);
        assert_eq!((audit.pairs, audit.pairs_cut, audit.longest), (2, 0, 112));
        assert!(audit.estimated);
    }

    proptest! {
        #[test]
        fn no_more_is_read_than_the_limit(
            query in 0..200_u64,
            documents in prop::collection::vec(0..200_u64, 0..9),
            limit in 4..200_u64,
            pair in 4..300_u64,
        ) {
            let tokens = CallTokens { query, documents: &documents };
            let audit = Limits { query: limit, pair, special: 4 }.audit(&tokens, true);
            let read = (audit.tokens - audit.tokens_cut) as u64;
            prop_assert_eq!(audit.pairs, documents.len());
            prop_assert!(read <= pair * documents.len() as u64);
            let whole = pair_tokens(&tokens) + 4 * documents.len() as u64;
            prop_assert_eq!(audit.tokens as u64, whole);
        }
    }
}
