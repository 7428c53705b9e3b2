use std::fmt;
use std::time::Duration;

use crate::{Kind, Plan};

/// How a [`crate::Mock`] behaves.
#[derive(Clone, PartialEq)]
pub struct Settings {
    /// Whom it imitates.
    pub kind: Kind,
    /// The port on the loopback address; 0 for any that is free.
    pub port: u16,
    /// The only key that it takes; without one see [`crate::apis::api`].
    pub key: Option<String>,
    /// How long it works on each answer.
    pub latency: Duration,
    /// What goes wrong.
    pub faults: Plan,
    /// Whether answers are packed with gzip for clients that take that.
    pub gzip: bool,
    /// Which model answers; another seed is another model behind the same name, 0 the usual one.
    pub score_seed: u64,
}

impl Settings {
    /// Any free port, any key, at once, nothing goes wrong.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            port: 0,
            key: None,
            latency: Duration::ZERO,
            faults: Plan::default(),
            gzip: false,
            score_seed: 0,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("kind", &self.kind)
            .field("port", &self.port)
            // Somebody may try it with a real one.
            .field("key", &self.key.as_ref().map(|_| "***"))
            .field("latency", &self.latency)
            .field("faults", &self.faults)
            .field("gzip", &self.gzip)
            .field("score_seed", &self.score_seed)
            .finish()
    }
}
