//! Answers as the official clients' typed models read them and as our adapters do: equal scores,
//! equal bills. Made by `tests/golden/hosted/sdk_answers.py`, with the clients' versions.
//!
//! The other way round, `SDK_CHECK=FILE cargo test -p secondpass-rerankers --test sdk_answers` keeps
//! our requests, what the imitating servers answered and what we read there, for
//! `tests/golden/hosted/sdk_check.py` to read with the clients.
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

mod wire;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secondpass_core::Reranked;
use secondpass_http::{Answer, Exchange, ExchangeError, Network, Request, Timeouts};
use secondpass_mock::{Kind, Mock, Settings};
use serde_json::{Value, json};
use wire::{KEY, Wire, body, headers, hosted, job, options, path, rerank, scores, texts};

/// What both sides tell of an answer.
#[derive(Debug, PartialEq)]
struct Told {
    /// By the documents' places.
    scores: Vec<(u64, f64)>,
    /// `None` where the answer does not tell.
    units: Option<f64>,
}

fn ours(reranked: &Reranked) -> Told {
    let billed = reranked.usage.billed;
    let told = billed.untold == 0 && billed.reported > 0;
    let units = told.then_some(billed.reported as f64);
    Told { scores: scores(reranked).into_iter().collect(), units }
}

fn theirs(read: &Value) -> Told {
    let pair = |row: &Value| (row[0].as_u64().unwrap(), row[1].as_f64().unwrap());
    let mut scores: Vec<_> = read["scores"].as_array().unwrap().iter().map(pair).collect();
    scores.sort_by_key(|(place, _)| *place);
    Told { scores, units: read["units"].as_f64() }
}

#[test]
fn answers_are_read_as_the_official_clients_read_them() {
    let golden = include_str!("../../../tests/golden/hosted/sdk_answers.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let answers = golden["answers"].as_array().unwrap();
    for answer in answers {
        let text = |name: &str| answer[name].as_str().unwrap();
        let label = format!("{}, {}", text("client"), text("name"));
        let theirs = theirs(&answer["read"]);
        let documents = vec!["an invoice".to_owned(); theirs.scores.len()];
        let wire = Wire::new(answer["body"].to_string());
        let options = options(text("model"), &Value::Null);
        let hosted = hosted(text("provider"), None, options, wire);
        let reranked = rerank(&hosted, &job("invoices", &documents));
        let reranked = reranked.unwrap_or_else(|failed| panic!("{label}: {}", failed.error));
        assert_eq!(ours(&reranked), theirs, "{label}");
        if let Some(tokens) = answer["read"]["tokens"].as_f64() {
            assert_eq!(reranked.usage.tokens as f64, tokens, "{label}");
        }
    }
    assert!(answers.len() >= 20);
}

/// The network, of which what went through is kept.
struct Tap {
    network: Network,
    passed: Mutex<Vec<(Request, Answer)>>,
}

impl Exchange for Tap {
    fn exchange(&self, request: &Request, timeout: Duration) -> Result<Answer, ExchangeError> {
        let answer = self.network.exchange(request, timeout)?;
        self.passed.lock().unwrap().push((request.clone(), answer.clone()));
        Ok(answer)
    }
}

/// A case asked of the server that imitates its provider, as the checking script takes it.
fn asked(
    tap: &Arc<Tap>,
    mock: &Mock,
    (provider, model): (&str, &str),
    (name, case): (&str, &Value),
) -> Value {
    let query = case["query"].as_str().unwrap();
    let documents = texts(&case["documents"]);
    let hosted = hosted(provider, Some(mock.base_url()), options(model, case), tap.clone());
    let reranked = rerank(&hosted, &job(query, &documents));
    let reranked =
        reranked.unwrap_or_else(|failed| panic!("{provider}, {model}, {name}: {}", failed.error));
    let told = ours(&reranked);
    assert_eq!(told.scores.len(), documents.len());
    let passed = std::mem::take(&mut *tap.passed.lock().unwrap());
    let [(request, answer)] = passed.as_slice() else { panic!("{} calls", passed.len()) };
    json!({
        "provider": provider, "model": model, "name": name, "case": case,
        "request": {
            "method": request.method.to_string(),
            "path": path(request),
            "headers": headers(request),
            "body": body(request),
        },
        "answer": serde_json::from_slice::<Value>(&answer.body).unwrap(),
        "read": { "scores": told.scores, "units": told.units },
    })
}

/// The imitating servers are as strict as the providers; each takes every call of the golden file.
#[test]
fn the_imitating_servers_take_the_same_calls() {
    let golden = include_str!("../../../tests/golden/hosted/sdk_requests.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let network = Network::new(&Timeouts::default(), false).unwrap();
    let tap = Arc::new(Tap { network, passed: Mutex::default() });
    let mut kept = Vec::new();
    for provider in ["cohere", "azure", "voyage", "mixedbread", "pinecone", "bedrock"] {
        let kind: Kind = provider.parse().unwrap();
        let key = match kind {
            Kind::Bedrock => format!("{KEY}:{KEY}"),
            _ => KEY.to_owned(),
        };
        let mock = Mock::start(Settings { key: Some(key), ..Settings::new(kind) }).unwrap();
        let of_it = |sent: &&Value| sent["provider"] == provider;
        for sent in golden["requests"].as_array().unwrap().iter().filter(of_it) {
            let name = sent["case"].as_str().unwrap();
            let model = sent["model"].as_str().unwrap();
            kept.push(asked(&tap, &mock, (provider, model), (name, &golden["cases"][name])));
        }
    }
    assert_eq!(kept.len(), golden["requests"].as_array().unwrap().len());
    if let Some(file) = std::env::var_os("SDK_CHECK") {
        std::fs::write(file, json!(kept).to_string()).unwrap();
    }
}
