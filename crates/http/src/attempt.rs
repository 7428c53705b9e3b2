use std::time::Duration;

use crate::exchange::NoAnswer;

/// One time that a call was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Waiting before it: for a turn, a limit, or the pause after the attempt before.
    pub waited: Duration,
    /// From its start to the last byte, or to its failure.
    pub took: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a whole answer of this status.
    Status(u16),
    /// Without one.
    NoAnswer(NoAnswer),
}

impl Attempt {
    /// Whether the provider may have done, and billed, the work of an attempt whose answer was lost:
    /// everything that went out and was neither answered in full nor refused by the provider.
    pub fn possibly_billed(&self) -> bool {
        match self.outcome {
            Outcome::Status(status) => (500..600).contains(&status),
            Outcome::NoAnswer(kind) => {
                !matches!(kind, NoAnswer::Connect | NoAnswer::Request | NoAnswer::NotRecorded)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_answers_may_have_been_billed_and_refusals_not() {
        let billed = |outcome| {
            Attempt { waited: Duration::ZERO, took: Duration::ZERO, outcome }.possibly_billed()
        };
        for outcome in [
            Outcome::Status(503),
            Outcome::NoAnswer(NoAnswer::Timeout),
            Outcome::NoAnswer(NoAnswer::Broken),
            Outcome::NoAnswer(NoAnswer::TooLarge),
        ] {
            assert!(billed(outcome), "{outcome:?}");
        }
        for outcome in [Outcome::Status(429), Outcome::NoAnswer(NoAnswer::Connect)] {
            assert!(!billed(outcome), "{outcome:?}");
        }
    }
}
