use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Where the time of one reranked query went. Parts that do not apply are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// Waiting for a turn.
    pub queue: Duration,
    /// Turning text into tokens.
    pub tokenize: Duration,
    /// The forward pass, scores read back included.
    pub compute: Duration,
    /// On the network, the provider's own time included unless it told.
    pub network: Duration,
    /// What the provider said it took, beside the time on the network.
    pub server: Option<Duration>,
}

impl Timings {
    /// All parts together.
    pub fn total(&self) -> Duration {
        self.queue + self.tokenize + self.compute + self.network + self.server.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_own_time_is_part_of_the_whole() {
        let second = Duration::from_secs(1);
        let told = Timings { network: second, server: Some(2 * second), ..Timings::default() };
        assert_eq!(told.total(), 3 * second);
        assert_eq!(Timings { server: None, ..told }.total(), second);
    }
}
