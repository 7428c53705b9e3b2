//! `residency`: an experiment that is bound to places sends no text elsewhere.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use secondpass_mock::{Answer, Api, Kind, Mock, Request, Settings, apis};
use support::hosted::{mock, table};
use support::{Home, fails, succeeds, system_of};

/// An imitation that counts every request, those too that are no calls: a look at what a server is
/// has sent something.
struct Watched {
    api: Box<dyn Api>,
    requests: Arc<AtomicUsize>,
}

impl Api for Watched {
    fn answer(&self, request: &Request) -> Answer {
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.api.answer(request)
    }

    fn failure(&self, status: u16) -> Answer {
        self.api.failure(status)
    }
}

fn watched(kind: Kind) -> (Mock, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let api = Watched { api: apis::api(kind, None), requests: Arc::clone(&requests) };
    (Mock::serve(Box::new(api), Settings::new(kind)).unwrap(), requests)
}

/// An experiment that may send texts to these places.
fn home(places: &str, tables: &str) -> Home {
    let home = Home::new();
    home.asking(4, tables);
    home.config_key(&format!("residency = [{places}]"));
    home
}

#[test]
fn a_hosted_reranker_is_refused_before_anything_is_sent() {
    let ((tei, asked), (cohere, called)) = (watched(Kind::Tei), watched(Kind::Cohere));
    let tables = table(Kind::Tei, &tei.base_url()) + &table(Kind::Cohere, &cohere.base_url());
    let home = home("\"self-hosted\"", &tables);
    for more in [&[][..], &["--dry-run"]] {
        let output = home.try_asking(more);
        fails(&output, 2, "reranker 2 ('cohere')");
        fails(&output, 2, "in an unknown region, and residency allows self-hosted only");
        fails(&output, 2, &cohere.address().to_string());
    }
    assert_eq!((asked.load(Ordering::SeqCst), called.load(Ordering::SeqCst)), (0, 0));
    assert!(!home.path("out").exists());

    // Without it, the same server may be asked.
    let config = home.read("small.toml");
    let cut = config.find("[[reranker]]\nname = \"cohere\"").unwrap();
    home.write("small.toml", format!("{}{}", &config[..cut], support::hosted::NO_SWEEP));
    let record = home.ask(&[]);
    assert_eq!(system_of(&record, "tei")["destination"]["self_hosted"], true);
    assert_eq!((asked.load(Ordering::SeqCst), called.load(Ordering::SeqCst)), (1 + 4, 0));
}

#[test]
fn an_own_server_at_a_public_address_needs_a_word() {
    // An address that is nobody's (RFC 5737).
    let public = table(Kind::CohereCompatible, "https://192.0.2.1");
    let home = home("\"self-hosted\"", &public);
    let refused = home.try_asking(&["--dry-run"]);
    fails(&refused, 2, "192.0.2.1");
    fails(&refused, 2, "region = \"self-hosted\"");
    let config = home.read("small.toml");
    home.write("small.toml", config.replace("[sweep]", "region = \"self-hosted\"\n[sweep]"));
    succeeds(&home.try_asking(&["--dry-run"]));
}

#[test]
fn regions_hold_what_lies_in_them() {
    let (voyage, bedrock) = (mock(Kind::Voyage), mock(Kind::Bedrock));
    let eu = table(Kind::Voyage, &voyage.base_url()) + "region = \"eu\"\n";
    let tables = eu.clone() + &table(Kind::Bedrock, &bedrock.base_url());
    let inside = home("\"self-hosted\", \"eu\"", &tables);
    let record = inside.ask(&["--yes"]);
    assert_eq!(system_of(&record, "bedrock")["destination"]["region"], "eu-central-1");
    assert_eq!(system_of(&record, "voyage")["destination"]["region"], "eu");
    assert!(inside.read("out/report.md").contains("eu-central-1"));
    let called = || (voyage.books().calls().len(), bedrock.books().calls().len());
    assert_eq!(called(), (4, 4));

    let elsewhere = tables.replace("eu-central-1", "us-east-1");
    let output = home("\"eu\"", &elsewhere).try_asking(&["--yes"]);
    fails(&output, 2, "reranker 2 ('bedrock')");
    fails(&output, 2, "in us-east-1, and residency allows eu only");
    // Europe is not all in one place.
    let output = home("\"eu-central-1\"", &eu).try_asking(&["--yes"]);
    fails(&output, 2, "in eu, and residency allows eu-central-1 only");
    assert_eq!(called(), (4, 4));
}

#[test]
fn a_replay_sends_nothing_anywhere() {
    let cohere = mock(Kind::Cohere);
    let home = Home::new();
    home.asking(4, &table(Kind::Cohere, &cohere.base_url()));
    home.ask(&["--record", "kept.jsonl"]);
    let replay = "kind = \"replay\"\nprovider = \"cohere\"\nrecording = \"kept.jsonl\"\n";
    let config = home.read("small.toml").replace("kind = \"cohere\"\n", replay);
    home.write("small.toml", config);
    home.config_key("residency = [\"self-hosted\"]");
    home.ask(&[]);
    assert_eq!(cohere.books().calls().len(), 4);
}
