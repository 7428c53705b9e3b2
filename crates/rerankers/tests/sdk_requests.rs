//! Our requests beside those of the official clients: for the same call, everything is equal but what
//! is listed here with its reason.
//!
//! What the clients sent stands in `tests/golden/hosted/sdk_requests.json`, with their versions. Not
//! held: headers that name a client and its machine, and `accept`, which the network adds.
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

mod wire;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use wire::{Wire, body, headers, hosted, job, options, path, rerank, texts};

/// A field that we send otherwise than a client.
struct Meant {
    client: &'static str,
    field: &'static str,
    theirs: Sends,
    ours: Sends,
    /// Why.
    reason: &'static str,
}

/// What stands in a field.
enum Sends {
    Nothing,
    /// The number of documents.
    Count,
    /// This JSON.
    This(&'static str),
    /// `:` as it is, `%3A` on the other side.
    Colon,
    Encoded,
}

const ALL: &str = "an evaluation asks for all results by their number, whatever the default is";
const DEFAULT: &str = "the provider's default, written out, so that a change of it changes nothing";

#[rustfmt::skip]
const MEANT: &[Meant] = &[
    Meant { client: "cohere", field: "body.top_n", theirs: Sends::Count, ours: Sends::Nothing,
        reason: "without it Cohere gives all results, as its specification says" },
    Meant { client: "cohere on azure", field: "body.top_n", theirs: Sends::Count,
        ours: Sends::Nothing, reason: "as at Cohere" },
    Meant { client: "voyage", field: "body.top_k", theirs: Sends::This("null"), ours: Sends::Count,
        reason: ALL },
    Meant { client: "voyage", field: "body.return_documents", theirs: Sends::Nothing,
        ours: Sends::This("false"), reason: DEFAULT },
    Meant { client: "mixedbread", field: "body.top_k", theirs: Sends::Nothing, ours: Sends::Count,
        reason: ALL },
    Meant { client: "mixedbread", field: "body.return_input", theirs: Sends::Nothing,
        ours: Sends::This("false"), reason: DEFAULT },
    Meant { client: "pinecone", field: "body.top_n", theirs: Sends::Nothing, ours: Sends::Count,
        reason: ALL },
    Meant { client: "pinecone", field: "body.rank_fields", theirs: Sends::This(r#"["text"]"#),
        ours: Sends::Nothing, reason: "the default, and our documents have no other field" },
    Meant { client: "pinecone", field: "body.parameters", theirs: Sends::Nothing,
        ours: Sends::This(r#"{"truncate":"END"}"#),
        reason: "long pairs are cut unless the config says otherwise, whatever the model's default" },
    Meant { client: "cohere on bedrock", field: "body.top_n", theirs: Sends::Nothing,
        ours: Sends::Count, reason: ALL },
    Meant { client: "cohere on bedrock", field: "path", theirs: Sends::Colon, ours: Sends::Encoded,
        reason: "the same path; we encode it as boto3 does" },
    Meant { client: "cohere on bedrock", field: "header.x-client-name",
        theirs: Sends::This(r#""n/a""#), ours: Sends::Nothing,
        reason: "Cohere's header, which AWS does not read" },
    Meant { client: "boto3", field: "body.top_n", theirs: Sends::Nothing, ours: Sends::Count,
        reason: ALL },
];

type Fields = BTreeMap<String, Value>;

fn golden() -> Value {
    let golden = include_str!("../../../tests/golden/hosted/sdk_requests.json");
    serde_json::from_str(golden).unwrap()
}

/// A request as fields that can be held against each other.
fn fields(base_url: &str, method: &str, path: &str, headers: Fields, body: &Value) -> Fields {
    let plain = [("base_url", base_url), ("method", method), ("path", path)];
    let plain = plain.map(|(name, value)| (name.to_owned(), json!(value)));
    let headers = headers.into_iter().map(|(name, value)| (format!("header.{name}"), value));
    let body = body.as_object().unwrap().iter();
    let body = body.map(|(name, value)| (format!("body.{name}"), value.clone()));
    plain.into_iter().chain(headers).chain(body).collect()
}

fn theirs(sent: &Value) -> Fields {
    let text = |name: &str| sent[name].as_str().unwrap();
    let headers = sent["headers"].as_object().unwrap().clone().into_iter().collect();
    fields(text("base_url"), text("method"), text("path"), headers, &sent["body"])
}

fn ours(sent: &Value, case: &Value) -> Fields {
    let wire = Wire::new("{}");
    let options = options(sent["model"].as_str().unwrap(), case);
    let provider = sent["provider"].as_str().unwrap();
    // A deployment on Azure has no address that we could know.
    let address = sent["base_url"].as_str().filter(|_| provider == "azure");
    let hosted = hosted(provider, address.map(str::to_owned), options, wire.clone());
    // Whatever is made of the empty answer: the request has gone out.
    let _ = rerank(&hosted, &job(case["query"].as_str().unwrap(), &texts(&case["documents"])));
    let request = wire.sent();
    let mut headers = headers(&request);
    // Part of the signature, which a golden file of its own holds.
    headers.remove("x-amz-date");
    let headers = headers.into_iter().map(|(name, value)| (name, json!(value))).collect();
    let method = request.method.to_string();
    let address = hosted.client().base_url();
    fields(address, &method, &path(&request), headers, &body(&request))
}

impl Sends {
    fn is(&self, value: Option<&Value>, other: Option<&Value>, documents: usize) -> bool {
        let swapped = |value: &Value, from: &str, to: &str| {
            value.as_str().is_some_and(|text| text.contains(from))
                && other == Some(&json!(value.as_str().unwrap().replace(from, to)))
        };
        match (self, value) {
            (Self::Nothing, None) => true,
            (Self::Count, Some(value)) => *value == json!(documents),
            (Self::This(json), Some(value)) => {
                serde_json::from_str::<Value>(json).unwrap() == *value
            }
            (Self::Colon, Some(value)) => swapped(value, ":", "%3A"),
            (Self::Encoded, Some(value)) => swapped(value, "%3A", ":"),
            _ => false,
        }
    }
}

/// The listed difference that explains this one.
fn explained(
    client: &str,
    field: &str,
    (theirs, ours): (Option<&Value>, Option<&Value>),
    documents: usize,
) -> Option<usize> {
    MEANT.iter().position(|meant| {
        (meant.client, meant.field) == (client, field)
            && meant.theirs.is(theirs, ours, documents)
            && meant.ours.is(ours, theirs, documents)
    })
}

/// Fields that differ.
fn differing(theirs: &Fields, ours: &Fields) -> BTreeSet<String> {
    let names = theirs.keys().chain(ours.keys());
    names.filter(|name| theirs.get(*name) != ours.get(*name)).cloned().collect()
}

#[test]
fn requests_are_those_of_the_official_clients() {
    let golden = golden();
    let mut used = BTreeSet::new();
    let mut clients: BTreeMap<&str, usize> = BTreeMap::new();
    for sent in golden["requests"].as_array().unwrap() {
        let (client, name) = (sent["client"].as_str().unwrap(), sent["case"].as_str().unwrap());
        let case = &golden["cases"][name];
        let documents = case["documents"].as_array().unwrap().len();
        let (theirs, ours) = (theirs(sent), ours(sent, case));
        for field in differing(&theirs, &ours) {
            let pair = (theirs.get(&field), ours.get(&field));
            match explained(client, &field, pair, documents) {
                Some(meant) => drop(used.insert(meant)),
                None => {
                    panic!("{client}, {name}: {field} is {:?} there and {:?} here", pair.0, pair.1)
                }
            }
        }
        *clients.entry(client).or_default() += 1;
    }
    for (at, Meant { client, field, reason, .. }) in MEANT.iter().enumerate() {
        assert!(used.contains(&at), "{client}, {field} ({reason}): listed, but nothing differs so");
    }
    assert_eq!(clients.len(), 7);
    assert!(clients.values().all(|&cases| cases >= 10), "{clients:?}");
}

/// The comparison itself: what is altered is seen, field by field.
#[test]
fn any_other_difference_is_seen() {
    let golden = golden();
    for sent in golden["requests"].as_array().unwrap() {
        let case = &golden["cases"][sent["case"].as_str().unwrap()];
        let ours = ours(sent, case);
        let client = sent["client"].as_str().unwrap();
        for field in ours.keys() {
            for altered in [None, Some(json!("altered"))] {
                let mut theirs = ours.clone();
                theirs.remove(field);
                theirs.extend(altered.map(|value| (field.clone(), value)));
                assert_eq!(differing(&theirs, &ours), BTreeSet::from([field.clone()]));
                let pair = (theirs.get(field), ours.get(field));
                let documents = case["documents"].as_array().unwrap().len();
                let meant = explained(client, field, pair, documents).map(|at| &MEANT[at]);
                // Only an absence that is listed passes.
                let listed = meant.is_none_or(|meant| matches!(meant.theirs, Sends::Nothing));
                assert!(listed && (meant.is_none() || pair.0.is_none()), "{client} {field}");
            }
        }
    }
}
