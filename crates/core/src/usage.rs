use serde::{Deserialize, Serialize};

/// What a result consumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Pairs scored.
    pub pairs: u64,
    /// Tokens computed or billed, padding excluded.
    pub tokens: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.pairs += other.pairs;
        self.tokens += other.tokens;
    }
}
