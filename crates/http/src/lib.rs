//! What every HTTP client here needs, with a synchronous face: keys that never show, timeouts,
//! retries within a budget, limits a provider's tier sets, a circuit breaker, and errors that say
//! what to do next.
//!
//! A [`Client`] speaks to one provider. It decides *whether and when* to send; an [`Exchange`] sends:
//! [`Network`] over TCP and TLS, or whatever stands in for it (a recording, a test).
//!
//! ```no_run
//! use secondpass_core::Context;
//! use secondpass_http::{Bearer, Call, Client, Secret, Settings};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = Secret::from_env(&["COHERE_API_KEY", "CO_API_KEY"])?;
//! let settings = Settings::new("cohere", "https://api.cohere.com");
//! let client = Client::new(settings, Box::new(Bearer(key)))?;
//! let call = Call::post("/v2/rerank", &serde_json::json!({"query": "why"}));
//! let answer: serde_json::Value = client.send(&call, &Context::default())?.json()?;
//! # Ok(())
//! # }
//! ```

mod address;
mod attempt;
mod authorize;
mod breaker;
mod client;
mod clock;
mod echo;
mod error;
mod exchange;
mod limit;
mod network;
mod record;
mod recording;
mod redact;
mod replay;
mod retry;
mod secret;
mod settings;
mod sync;
mod timeouts;

pub use address::{AddressError, authority, is_private_url};
pub use attempt::{Attempt, Outcome};
pub use authorize::{Anonymous, Authorize, Bearer, KeyHeader};
pub use breaker::{Breaker, BreakerSettings};
pub use client::{Call, Client, Reply};
pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{ErrorKind, GaveUp, HttpError, SetupError};
pub use exchange::{Answer, Exchange, ExchangeError, Method, NoAnswer, Request};
pub use limit::{InFlight, Rates, TokenBucket};
pub use network::Network;
pub use record::{Recorder, Recording};
pub use recording::RecordingError;
pub use redact::{EXCERPT, Redactor};
pub use replay::Replay;
pub use retry::{Decision, PolicyError, RetryBudget, RetryPolicy, Told, told};
pub use secret::{Secret, SecretError};
pub use settings::Settings;
pub use timeouts::{TimeoutError, Timeouts};
