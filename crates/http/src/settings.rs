use crate::{BreakerSettings, Rates, RetryBudget, RetryPolicy, Timeouts};

/// How to speak to one provider.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name, as errors call it.
    pub provider: String,
    /// Scheme, host and the path that all calls share.
    pub base_url: String,
    /// How long it may take.
    pub timeouts: Timeouts,
    /// Which failures are worth another attempt, and when.
    pub retry: RetryPolicy,
    /// How many retries all calls together may cause.
    pub budget: RetryBudget,
    /// What its tier allows.
    pub rates: Rates,
    /// When to give it up.
    pub breaker: BreakerSettings,
    /// The longest answer to read, in bytes after decompression.
    pub largest_answer: usize,
    /// Headers in which it names a request, the first that is there counts.
    pub request_id_headers: Vec<String>,
    /// Whether `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` count.
    pub proxy: bool,
}

impl Settings {
    /// Defaults for a hosted API: no limits but the retry policy's, answers up to 64 MiB, proxies as
    /// the environment says.
    pub fn new(provider: impl Into<String>, base_url: impl Into<String>) -> Self {
        let names = [
            "x-request-id",
            "request-id",
            "x-amzn-requestid",
            "x-ms-request-id",
            "x-debug-trace-id",
            "x-trace-id",
            "cf-ray",
        ];
        Self {
            provider: provider.into(),
            base_url: base_url.into(),
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            budget: RetryBudget::default(),
            rates: Rates::default(),
            breaker: BreakerSettings::default(),
            largest_answer: 64 * 1024 * 1024,
            request_id_headers: names.map(str::to_owned).to_vec(),
            proxy: true,
        }
    }
}
