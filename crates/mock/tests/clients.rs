//! The providers' own clients against their imitations: what they take for the real thing is one.
//!
//! Runs where `SECONDPASS_CLIENTS_PYTHON` names a Python with the packages that `clients.py` lists.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Command;

use secondpass_mock::{Kind, Mock, Plan, Settings};
use serde_json::{Map, Value, json};

const KEY: &str = "AKIDMOCK:right-key";

/// Servers by the names that `clients.py` calls them by, and what goes wrong on each.
const SERVERS: [(&str, Kind, &[&str]); 15] = [
    ("cohere", Kind::Cohere, &[]),
    ("cohere-full", Kind::Cohere, &["*:429"]),
    ("cohere-later", Kind::Cohere, &["1:429-after=1"]),
    ("cohere-shaky", Kind::Cohere, &["1:500"]),
    ("cohere-unpaid", Kind::Cohere, &["*:402"]),
    ("azure", Kind::Azure, &[]),
    ("cohere-compatible", Kind::CohereCompatible, &[]),
    ("voyage", Kind::Voyage, &[]),
    ("voyage-busy", Kind::Voyage, &["1-2:429"]),
    ("bedrock", Kind::Bedrock, &[]),
    ("bedrock-busy", Kind::Bedrock, &["1-2:429"]),
    ("mixedbread", Kind::Mixedbread, &[]),
    ("mixedbread-busy", Kind::Mixedbread, &["1-2:429-after=1"]),
    ("pinecone", Kind::Pinecone, &[]),
    ("pinecone-busy", Kind::Pinecone, &["1:503"]),
];

#[test]
fn clients_take_the_imitations_for_the_services() {
    let Some(python) = python() else { return };
    let servers = start(&SERVERS);
    let run = run(python, &servers, &[]);
    assert!(run.passed, "{}", run.said);

    // What the clients saw is what the books say: refusals that are final are asked once, others
    // again, and nothing twice that was answered.
    for (name, package, calls, answered) in [
        ("cohere-full", "cohere", 1, 0),
        ("cohere-later", "cohere", 2, 1),
        ("cohere-shaky", "cohere", 2, 1),
        ("cohere-unpaid", "cohere", 1, 0),
        ("voyage-busy", "voyageai", 3, 1),
        ("bedrock-busy", "boto3", 3, 1),
        ("mixedbread-busy", "mixedbread", 3, 1),
        ("pinecone-busy", "pinecone", 2, 1),
    ] {
        if run.skipped(package) {
            continue;
        }
        let books = servers[name].books();
        let found = (books.calls().len(), books.acknowledged());
        assert_eq!(found, (calls, answered), "{name}: {:#?}", books.calls());
    }
}

/// Spoiled answers must fail the checks, else their passing says nothing.
#[test]
fn clients_notice_what_is_wrong() {
    let Some(python) = python() else { return };
    for (package, name, kind, fault, title) in [
        ("cohere", "cohere", Kind::Cohere, "extra-fields", "ClientV2.rerank: typed answer"),
        ("voyageai", "voyage", Kind::Voyage, "duplicate", "Client.rerank: typed answer"),
        ("boto3", "bedrock", Kind::Bedrock, "index-out-of-range", "InvokeModel, signed"),
        ("mixedbread", "mixedbread", Kind::Mixedbread, "out-of-range", "AsyncMixedbread.rerank"),
        ("pinecone", "pinecone", Kind::Pinecone, "missing", "inference.rerank: typed answer"),
    ] {
        let always = format!("*:{fault}");
        let mut servers = SERVERS.to_vec();
        let rules: &[&str] = &[&always];
        for server in servers.iter_mut().filter(|server| server.0 == name) {
            *server = (name, kind, rules);
        }
        let run = run(python.clone(), &start(&servers), &[package]);
        let failed = run.said.contains(&format!("FAILED  {title}"));
        assert!(run.skipped(package) || (failed && !run.passed), "{fault}:\n{}", run.said);
    }
}

fn python() -> Option<OsString> {
    let python = std::env::var_os("SECONDPASS_CLIENTS_PYTHON");
    if python.is_none() {
        println!("skipped: SECONDPASS_CLIENTS_PYTHON names no Python");
    }
    python
}

fn start<'a>(servers: &[(&'a str, Kind, &[&str])]) -> BTreeMap<&'a str, Mock> {
    let start = |(name, kind, rules): &(&'a str, Kind, &[&str])| {
        let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        let faults = Plan::new(rules, 0);
        let settings = Settings { faults, key: Some(KEY.into()), ..Settings::new(*kind) };
        (*name, Mock::start(settings).unwrap())
    };
    servers.iter().map(start).collect()
}

struct Run {
    passed: bool,
    said: String,
}

impl Run {
    fn skipped(&self, package: &str) -> bool {
        self.said.contains(&format!("skipped: {package} "))
    }
}

fn run(python: OsString, servers: &BTreeMap<&str, Mock>, packages: &[&str]) -> Run {
    let told = servers
        .iter()
        .map(|(name, mock)| ((*name).to_owned(), json!({ "url": mock.base_url(), "key": KEY })));
    let told: Map<String, Value> = told.collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients.py");
    let output = Command::new(python)
        .arg(script)
        .arg(Value::from(told).to_string())
        .args(packages)
        .output()
        .unwrap();
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    let said = said.join("\n");
    println!("{said}");
    Run { passed: output.status.success(), said }
}
