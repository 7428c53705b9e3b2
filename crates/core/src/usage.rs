use serde::{Deserialize, Serialize};

/// What a result consumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Pairs scored.
    pub pairs: u64,
    /// Tokens computed or billed, padding excluded.
    pub tokens: u64,
    /// Batches that were cut for want of memory.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub batches_cut: u64,
    /// What a provider bills for it; nothing where nobody bills.
    #[serde(default, skip_serializing_if = "Billed::is_nothing")]
    pub billed: Billed,
}

impl Usage {
    /// Pairs and tokens that nobody bills.
    pub fn free(pairs: u64, tokens: u64) -> Self {
        Self { pairs, tokens, ..Self::default() }
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Sums stop at the largest number: what a provider reports is anything that it likes.
impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.pairs = self.pairs.saturating_add(other.pairs);
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.batches_cut = self.batches_cut.saturating_add(other.batches_cut);
        self.billed += other.billed;
    }
}

/// What a provider bills, counted in its own unit ([`crate::Tariff::unit`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billed {
    /// Calls that went out, each attempt counted.
    pub calls: u64,
    /// Documents as the provider counts them for its bill, each chunk of a long one as one, by
    /// estimate; 0 where it does not count documents.
    pub chunks: u64,
    /// Units of the calls that were answered, by our reading of the provider's rules.
    pub estimated: u64,
    /// Units that the answers reported.
    pub reported: u64,
    /// Of the estimated units, those of answers that did not report any.
    pub untold: u64,
    /// Units, by estimate, of attempts whose answer was lost: the provider may bill them, and again
    /// with the attempt that succeeded.
    pub doubtful: u64,
}

impl Billed {
    /// Whether nothing was sent to anyone who bills.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// The units that will be on the bill: those reported, and the estimate of those that were not
    /// told. Without the doubtful ones.
    pub fn units(&self) -> u64 {
        self.reported.saturating_add(self.untold)
    }

    /// The same with the doubtful ones: the most that may be on the bill, by our reading.
    pub fn with_doubtful(&self) -> u64 {
        self.units().saturating_add(self.doubtful)
    }
}

/// Sums stop at the largest number, as those of [`Usage`] do: a bill never becomes small again.
impl std::ops::AddAssign for Billed {
    fn add_assign(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.chunks = self.chunks.saturating_add(other.chunks);
        self.estimated = self.estimated.saturating_add(other.estimated);
        self.reported = self.reported.saturating_add(other.reported);
        self.untold = self.untold.saturating_add(other.untold);
        self.doubtful = self.doubtful.saturating_add(other.doubtful);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_bills_is_written_as_before() {
        let text = serde_json::to_string(&Usage::free(3, 40)).unwrap();
        assert_eq!(text, r#"{"pairs":3,"tokens":40}"#);
        assert_eq!(serde_json::from_str::<Usage>(&text).unwrap(), Usage::free(3, 40));
    }

    #[test]
    fn no_sum_wraps_around() {
        let most = Billed { reported: u64::MAX, doubtful: 2, ..Billed::default() };
        let mut sum = Usage { pairs: u64::MAX, tokens: 3, batches_cut: 0, billed: most };
        sum += Usage {
            pairs: 1,
            tokens: 4,
            batches_cut: u64::MAX,
            billed: Billed { untold: 5, ..most },
        };
        assert_eq!((sum.pairs, sum.tokens, sum.billed.reported), (u64::MAX, 7, u64::MAX));
        assert_eq!((sum.billed.units(), sum.billed.with_doubtful()), (u64::MAX, u64::MAX));
    }

    #[test]
    fn the_bill_holds_what_was_told_and_the_estimate_of_the_rest() {
        let told = Billed { calls: 1, estimated: 3, reported: 2, ..Billed::default() };
        let untold = Billed { calls: 2, estimated: 4, untold: 4, doubtful: 4, ..Billed::default() };
        let mut both = told;
        both += untold;
        assert_eq!((both.calls, both.units(), both.doubtful), (3, 6, 4));
    }
}
