//! Adapters opened as the command line opens them, over an exchange of the tests' own.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secondpass_core::{
    BillingUnit, Candidate, Context, Destination, Document, Failed, Identity, Job, Query, Reranked,
    Reranker, Scoring, Tariff,
};
use secondpass_http::{
    Answer, Client, Exchange, ExchangeError, Method, Rates, Request, RetryPolicy, Secret, Settings,
    Timeouts,
};
use secondpass_rerankers::hosted::{
    AwsKeys, Bedrock, Cohere, Guess, Hosted, HostedParts, OpenSettings, Options, SigV4, Through,
    open, provider,
};
use serde_json::{Value, json};

/// The key of all calls.
pub const KEY: &str = "a-key-of-the-tests";
/// The region of calls that are signed.
pub const REGION: &str = "eu-central-1";

/// Keeps what goes out, and answers every POST with one body.
pub struct Wire {
    body: String,
    sent: Mutex<Vec<Request>>,
}

impl Wire {
    pub fn new(body: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { body: body.into(), sent: Mutex::default() })
    }

    /// The only POST so far.
    pub fn sent(&self) -> Request {
        let sent = self.sent.lock().unwrap();
        assert_eq!(sent.len(), 1, "one call, in one attempt");
        sent[0].clone()
    }
}

impl Exchange for Wire {
    fn exchange(&self, request: &Request, _: Duration) -> Result<Answer, ExchangeError> {
        // Only text-embeddings-inference is asked what it is.
        let info = json!({ "model_id": "m", "max_input_length": 512 });
        let body = match request.method {
            Method::Get => info.to_string(),
            Method::Post => {
                self.sent.lock().unwrap().push(request.clone());
                self.body.clone()
            }
        };
        Ok(Answer { status: 200, headers: Vec::new(), body: body.into() })
    }
}

/// A reranker of this kind whose calls go over `exchange`. Each call is sent once.
pub fn hosted(
    kind: &str,
    base_url: Option<String>,
    options: Options,
    exchange: Arc<dyn Exchange>,
) -> Hosted {
    let known = provider(kind).unwrap();
    if kind == "bedrock" {
        return signed(base_url.unwrap_or_else(|| Bedrock::base_url(REGION)), &options, exchange);
    }
    let settings = OpenSettings {
        name: kind.to_owned(),
        provider: kind.to_owned(),
        base_url: base_url.or_else(|| known.base_url.is_none().then(|| "http://localhost".into())),
        key: known.key_needed.then(|| Secret::new(KEY, "TEST_KEY").unwrap()),
        key_env: None,
        rates: Rates::default(),
        attempts: Some(1),
        timeouts: Timeouts::default(),
        through: Through::Exchange(exchange),
        tariff: tariff(known.unit(options.model.as_deref().unwrap_or_default())),
        tokens: Box::new(Guess),
        concurrency: 1,
        options,
    };
    open(settings, &Context::default()).unwrap()
}

/// Opened from the environment otherwise, which a test cannot set for itself alone.
fn signed(base_url: String, options: &Options, exchange: Arc<dyn Exchange>) -> Hosted {
    let key = || Secret::new(KEY, "TEST_KEY").unwrap();
    let keys = AwsKeys { id: key(), secret: key(), token: None };
    let retry = RetryPolicy::default().with_attempts(1).unwrap();
    let settings = Settings { retry, ..Settings::new("bedrock", base_url.as_str()) };
    let authorize = Box::new(SigV4::bedrock(keys, REGION));
    Hosted::new(HostedParts {
        identity: Identity {
            name: "bedrock".to_owned(),
            provider: "bedrock".to_owned(),
            model: Bedrock::MODEL.to_owned(),
            revision: None,
            weights: None,
            endpoint: Some(base_url.clone()),
            device: None,
            dtype: None,
            max_length: None,
            truncation: None,
            scoring: Scoring::Pointwise,
        },
        api: Box::new(Bedrock::new(options).unwrap()),
        client: Client::through(settings, authorize, exchange).unwrap(),
        destination: Destination {
            host: base_url,
            region: Some(REGION.to_owned()),
            self_hosted: false,
            fields: Vec::new(),
            retention: None,
        },
        tariff: tariff(Some(Cohere::unit(Bedrock::MODEL))),
        tokens: Box::new(Guess),
        concurrency: 1,
    })
}

fn tariff(unit: Option<BillingUnit>) -> Option<Tariff> {
    unit.map(|unit| Tariff { unit, price: None })
}

/// A query with these candidates, called by their places.
pub fn job(query: &str, documents: &[String]) -> Job {
    let candidate = |(place, text): (usize, &String)| Candidate {
        document: Document {
            id: place.to_string().into(),
            title: String::new(),
            text: text.clone(),
        },
        score: 1.0,
        rank: place + 1,
    };
    Job {
        query: Query { id: "q".into(), text: query.to_owned(), attributes: BTreeMap::new() },
        candidates: documents.iter().enumerate().map(candidate).collect(),
    }
}

/// What becomes of one job.
pub fn rerank(hosted: &Hosted, job: &Job) -> Result<Reranked, Failed> {
    let mut outcome = None;
    let jobs = std::slice::from_ref(job);
    hosted.rerank_many(jobs, &Context::default(), &mut |_, result| outcome = Some(result));
    outcome.unwrap()
}

/// The scores by the documents' places.
pub fn scores(reranked: &Reranked) -> BTreeMap<u64, f64> {
    let ranked = reranked.ranking.ranked().iter();
    ranked.map(|r| (r.document.as_str().parse().unwrap(), r.score.unwrap())).collect()
}

/// The path under the base URL of an attempt.
pub fn path(request: &Request) -> String {
    let (_, rest) = request.url.split_once("://").unwrap();
    rest.split_once('/').map(|(_, path)| format!("/{path}")).unwrap()
}

/// The headers of an attempt by name, keys and signatures left out.
pub fn headers(request: &Request) -> BTreeMap<String, String> {
    let plain = request.headers.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let secret = request.secrets.iter().map(|(name, value)| (name.as_str(), value.expose()));
    let secret = secret.map(|(name, value)| match value.split_once(' ') {
        Some((scheme, rest)) if rest.contains(KEY) => (name, format!("{scheme} KEY")),
        _ => (name, value.replace(KEY, "KEY")),
    });
    let kind = request.content_type().map(|kind| ("content-type", kind.to_owned()));
    let all = plain.chain(secret).chain(kind);
    all.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}

/// The body of an attempt.
pub fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// Options of a case of the golden files: `max_tokens_per_doc`, `truncate`.
pub fn options(model: &str, case: &Value) -> Options {
    let tokens = case["max_tokens_per_doc"].as_u64();
    Options {
        model: Some(model.to_owned()),
        max_tokens_per_doc: tokens.map(|tokens| tokens.try_into().unwrap()),
        truncate: case["truncate"].as_bool(),
        ..Options::default()
    }
}

/// The texts of a list.
pub fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
