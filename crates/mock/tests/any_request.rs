//! Whatever is sent, an imitation answers: without a panic, and refusals cost nothing.

#![allow(clippy::unwrap_used)]

use secondpass_mock::apis::api;
use secondpass_mock::{Api, Kind, Request};
use serde_json::{Value, json};

/// Requests that are answered well, so that changes to them reach every check.
fn good(kind: Kind) -> Request {
    let (query, texts) = ("export invoices", ["reset a password", "all invoices – für März"]);
    let documents = json!({ "model": model(kind), "query": query, "documents": texts, "top_n": 1 });
    let (path, body) = match kind {
        Kind::Cohere | Kind::Azure | Kind::CohereCompatible => ("/v2/rerank", documents),
        Kind::Infinity => ("/rerank", documents),
        Kind::Jina | Kind::LlamaCpp => ("/v1/rerank", documents),
        Kind::Tei => ("/rerank", json!({ "query": query, "texts": texts, "truncate": true })),
        Kind::Voyage => (
            "/v1/rerank",
            json!({ "model": model(kind), "query": query, "documents": texts, "top_k": 1 }),
        ),
        Kind::Bedrock => (
            "/model/cohere.rerank-v3-5%3A0/invoke",
            json!({ "query": query, "documents": texts, "api_version": 2 }),
        ),
        Kind::Mixedbread => ("/v1/reranking", json!({ "query": query, "input": texts })),
        Kind::Pinecone => (
            "/rerank",
            json!({
                "model": model(kind),
                "query": query,
                "documents": texts.map(|text| json!({ "text": text })),
                "parameters": { "truncate": "END" },
            }),
        ),
    };
    let now = httpdate::fmt_http_date(std::time::SystemTime::now());
    let headers = match kind {
        Kind::Bedrock => vec![
            ("host", "bedrock-runtime.eu-central-1.amazonaws.com".to_owned()),
            ("x-amz-date", stamp(&now)),
            (
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential=ID/{}/eu-central-1/bedrock/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature=0",
                    &stamp(&now)[..8]
                ),
            ),
        ],
        Kind::Pinecone => {
            vec![("api-key", "key".into()), ("x-pinecone-api-version", "2025-01".into())]
        }
        _ => vec![("authorization", "Bearer key".into())],
    };
    let headers = headers.into_iter().chain([("content-type", "application/json".to_owned())]);
    Request {
        method: "POST".into(),
        path: path.into(),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).collect(),
        body: body.to_string().into_bytes(),
    }
}

fn model(kind: Kind) -> &'static str {
    match kind {
        Kind::Jina => "jina-reranker-v3",
        Kind::Voyage => "rerank-2.5",
        Kind::Pinecone => "bge-reranker-v2-m3",
        _ => "rerank-v3.5",
    }
}

/// `Mon, 23 Nov 2026 12:00:00 GMT` as AWS writes it.
fn stamp(date: &str) -> String {
    let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = months.find(&date[8..11]).map_or(0, |at| at / 3 + 1);
    let time = date[17..25].replace(':', "");
    format!("{}{month:02}{}T{time}Z", &date[12..16], &date[5..7])
}

/// SplitMix64.
struct Draws(u64);

impl Draws {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }
}

fn ask(api: &dyn Api, request: &Request, why: &dyn Fn() -> String) -> u16 {
    let answer = api.answer(request);
    assert!((200..600).contains(&answer.status), "{}", why());
    assert!(answer.status == 200 || answer.billed == 0, "{}", why());
    let shape = api.shape(request);
    let results = answer.body.pointer(shape.results).and_then(Value::as_array);
    if answer.status == 200 && request.method == "POST" {
        let results = results.unwrap_or_else(|| panic!("{}", why()));
        assert!(results.iter().all(|result| result[shape.score].is_number()), "{}", why());
    }
    answer.status
}

#[test]
fn changed_bytes_and_headers_are_answered() {
    for kind in Kind::ALL {
        let api = api(kind, None);
        let request = good(kind);
        assert_eq!(ask(&*api, &request, &|| format!("{kind}")), 200, "{kind}");
        let mut draws = Draws(kind as u64);
        let mut refused = 0;
        for round in 0..3_000 {
            let mut changed = request.clone();
            for _ in 0..=draws.below(3) {
                let at = draws.below(changed.body.len());
                match draws.below(4) {
                    0 => changed.body[at] = draws.below(256) as u8,
                    1 => drop(changed.body.remove(at)),
                    2 => changed.body.insert(at, br#"[]{}":,-019nt"#[draws.below(13)]),
                    _ => {
                        let names: Vec<String> = changed.headers.keys().cloned().collect();
                        let value = changed.headers.get_mut(&names[draws.below(names.len())]);
                        if let Some(value) = value {
                            let kept = draws.below(value.chars().count());
                            *value = value.chars().take(kept).collect();
                            value.push(['é', '=', '/', ',', ' '][draws.below(5)]);
                        }
                    }
                }
            }
            let why = || format!("{kind}, round {round}: {changed:?}");
            refused += u32::from(ask(&*api, &changed, &why) != 200);
        }
        assert!(refused > 500, "{kind} refused {refused}");
    }
}

/// Each field in turn takes every kind of value.
#[test]
fn fields_of_every_type_are_answered() {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("END"),
        json!([]),
        json!([null]),
        json!([[]]),
        json!([1]),
        json!([""]),
        json!([{}]),
        json!({}),
        json!({ "text": 1 }),
        json!([{ "text": "" }]),
    ];
    let more = ["return_documents", "truncation", "rank_fields", "top_n", "raw_scores", "priority"];
    for kind in Kind::ALL {
        let api = api(kind, None);
        let request = good(kind);
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let own = body.as_object().unwrap().keys().map(String::as_str);
        for name in own.chain(more) {
            for value in &values {
                let mut body = body.clone();
                body[name] = value.clone();
                let changed = Request { body: body.to_string().into_bytes(), ..request.clone() };
                ask(&*api, &changed, &|| format!("{kind}: {name} = {value}"));
            }
        }
        for path in ["", "/", "/model//invoke", "/model/%/invoke", "/rerank/", "/é"] {
            let changed = Request { path: path.into(), ..request.clone() };
            api.answer(&changed);
        }
        for status in [400, 401, 402, 403, 408, 413, 429, 500, 502, 503, 504, 599] {
            let answer = api.failure(status);
            assert_eq!((answer.status, answer.billed), (status, 0), "{kind}");
        }
    }
}
