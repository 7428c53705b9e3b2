use serde::{Deserialize, Serialize};

/// What was cut from the pairs of a result. Providers that do not tell have no audit at all
/// (`None`), never one of zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TruncationAudit {
    /// Pairs that were scored.
    pub pairs: usize,
    /// Pairs that were longer than the limit.
    pub pairs_cut: usize,
    /// Tokens before any cut, special tokens included.
    pub tokens: usize,
    /// Tokens that were cut away.
    pub tokens_cut: usize,
    /// The longest pair before any cut, in tokens.
    pub longest: usize,
    /// Whether the tokens were counted by another rule than the provider's own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

impl TruncationAudit {
    /// Notes one pair.
    pub fn note(&mut self, tokens: usize, tokens_cut: usize) {
        self.pairs += 1;
        self.pairs_cut += usize::from(tokens_cut > 0);
        self.tokens += tokens;
        self.tokens_cut += tokens_cut;
        self.longest = self.longest.max(tokens);
    }

    /// Both audits as one.
    pub fn merge(&mut self, other: &Self) {
        self.pairs += other.pairs;
        self.pairs_cut += other.pairs_cut;
        self.tokens += other.tokens;
        self.tokens_cut += other.tokens_cut;
        self.longest = self.longest.max(other.longest);
        self.estimated |= other.estimated;
    }
}
