//! Every provider of the catalogue, opened as the command line opens it, against the server that
//! imitates it: answered, recorded without its key, and replayed without a network.
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use secondpass_core::{Context, Origin, Price, RerankError, Reranker, Tariff};
use secondpass_http::{Rates, Recording, Replay, Secret, Timeouts};
use secondpass_mock::{Kind, Mock, Settings};
use secondpass_rerankers::hosted::{
    Guess, Hosted, KeyKind, OpenError, OpenSettings, Options, PROVIDERS, Provider, Through, check,
    open, provider,
};

const KEY: &str = "planted-Key_0123456789abcdefXYZ";
const KEY_ID: &str = "AKIDPLANTED0EXAMPLE";

fn mock(kind: &str, key: Option<&str>) -> Mock {
    let kind: Kind = kind.parse().unwrap();
    Mock::start(Settings { key: key.map(str::to_owned), ..Settings::new(kind) }).unwrap()
}

/// A model that the imitation knows.
fn model(kind: &str) -> Option<String> {
    let model = match kind {
        "tei" | "bedrock" => return None,
        "jina" => "jina-reranker-v3",
        "voyage" => "rerank-2.5",
        "mixedbread" => "mixedbread-ai/mxbai-rerank-large-v2",
        "pinecone" | "cohere-compatible" => "BAAI/bge-reranker-v2-m3",
        _ => "rerank-v3.5",
    };
    let last = model.rsplit('/').next().filter(|_| kind == "pinecone");
    Some(last.unwrap_or(model).to_owned())
}

fn settings(known: &Provider, base_url: Option<String>, through: Through) -> OpenSettings {
    let price = Price { usd: 1.0, read: "2026-01-01".to_owned(), source: "a test".to_owned() };
    OpenSettings {
        name: known.title.to_owned(),
        provider: known.kind.to_owned(),
        base_url,
        key: None,
        key_env: None,
        options: Options {
            model: model(known.kind),
            region: (known.kind == "bedrock").then(|| "eu-central-1".to_owned()),
            ..Options::default()
        },
        rates: Rates::default(),
        attempts: Some(1),
        timeouts: Timeouts::default(),
        through,
        tariff: known.unit("rerank-v3.5").map(|unit| Tariff { unit, price: Some(price) }),
        tokens: Box::new(Guess),
        concurrency: 2,
    }
}

fn opened(settings: OpenSettings) -> Hosted {
    open(settings, &Context::default()).unwrap()
}

/// Asks a live provider and then its recording, which both say the same.
fn answers_and_replays(
    known: &Provider,
    base_url: Option<String>,
    key: Option<Secret>,
    file: &Path,
) {
    let recording = Arc::new(Recording::open(file).unwrap());
    let through = Through::Recorded(Arc::clone(&recording));
    let live = opened(OpenSettings { key, ..settings(known, base_url.clone(), through) });
    let checked = check(&live, &Context::default()).unwrap();
    assert!(checked.in_order, "{}", known.kind);
    assert_eq!(checked.reranked.origin, Origin::Mock, "{}", known.kind);
    assert_eq!(checked.reranked.usage.billed.calls, 1, "{}", known.kind);
    assert!(recording.finish().unwrap() >= 1);

    let replay = Arc::new(Replay::open(file).unwrap());
    let replayed = opened(settings(known, base_url, Through::Replay(replay)));
    assert_eq!(replayed.identity(), live.identity());
    let again = check(&replayed, &Context::default()).unwrap();
    assert_eq!(again.reranked.ranking, checked.reranked.ranking, "{}", known.kind);
    // What it tells is the bill of the recorded call.
    let [recorded, told] = [&checked, &again].map(|checked| checked.reranked.usage.billed.units());
    assert_eq!(told, recorded, "{}", known.kind);

    let kept = std::fs::read_to_string(file).unwrap();
    for secret in [KEY, KEY_ID, "capital of France"] {
        for piece in secret.as_bytes().windows(8) {
            let piece = std::str::from_utf8(piece).unwrap();
            assert!(
                !kept.contains(piece),
                "{piece} of {secret} in the recording of {}",
                known.kind
            );
        }
    }
}

#[test]
fn every_provider_answers_is_recorded_and_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let by_key = |known: &&Provider| known.key_kind != KeyKind::SigV4;
    for known in PROVIDERS.iter().filter(by_key) {
        let key = known.key_needed.then(|| Secret::new(KEY, "TEST_KEY").unwrap());
        let mock = mock(known.kind, key.as_ref().map(Secret::expose));
        let file = folder.path().join(known.kind);
        answers_and_replays(known, Some(mock.base_url()), key, &file);
    }
}

#[test]
fn a_wrong_key_is_told_with_where_it_came_from() {
    for known in PROVIDERS.iter().filter(|known| known.key_needed) {
        let mock = mock(known.kind, Some("another-key"));
        let key = Some(Secret::new(KEY, "TEST_KEY").unwrap());
        let base_url = Some(mock.base_url());
        let hosted = opened(OpenSettings { key, ..settings(known, base_url, Through::Network) });
        let error = check(&hosted, &Context::default()).unwrap_err().error;
        assert!(matches!(error, RerankError::Unavailable { .. }), "{}: {error}", known.kind);
        let error = error.to_string();
        assert!(error.contains("TEST_KEY") && !error.contains("planted"), "{error}");
    }
}

#[test]
fn a_server_that_is_not_there_is_told_before_anything_is_asked() {
    let gone = mock("tei", None).base_url();
    let known = provider("tei").unwrap();
    let error = open(settings(known, Some(gone), Through::Network), &Context::default());
    let error = error.err().unwrap();
    assert!(matches!(error, OpenError::Info(_)));
    assert!(error.to_string().contains("that the server runs"), "{error}");
}

/// Run by the test below, in a process with variables of its own.
#[test]
#[ignore = "started by keys_and_addresses_come_from_the_environment"]
fn opens_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let cohere = provider("cohere").unwrap();
    answers_and_replays(cohere, None, None, &folder.path().join("cohere"));
    let bedrock = provider("bedrock").unwrap();
    let base_url = std::env::var("BEDROCK").ok();
    answers_and_replays(bedrock, base_url, None, &folder.path().join("bedrock"));
    assert_eq!([cohere, bedrock].map(Provider::key_found), [Some(true); 2]);
    assert_eq!(provider("jina").unwrap().key_found(), Some(false));
    assert_eq!(provider("tei").unwrap().key_found(), None);
}

#[test]
fn keys_and_addresses_come_from_the_environment() {
    let cohere = mock("cohere", Some(KEY));
    let bedrock = mock("bedrock", Some(&format!("{KEY_ID}:{KEY}")));
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "opens_from_the_environment"]);
    command.env_remove("JINA_API_KEY").env_remove("COHERE_API_KEY");
    command.envs([
        ("CO_API_KEY", KEY),
        ("COHERE_BASE_URL", &cohere.base_url()),
        ("CO_API_URL", "http://127.0.0.1:1"),
        ("AWS_ACCESS_KEY_ID", KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", KEY),
        ("AWS_SESSION_TOKEN", ""),
        ("BEDROCK", &bedrock.base_url()),
    ]);
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    assert_eq!([cohere, bedrock].map(|mock| mock.books().calls().len()), [1, 1]);
}
