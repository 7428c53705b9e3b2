//! Hosted rerankers in `secondpass eval`: beside our own, of every kind, many at a time, and gone.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use secondpass_mock::{Kind, Mock};
use serde_json::{Value, json};
use support::hosted::{USD, faulty, mock, slow, table};
use support::{EMBEDDED, Home, fails, mean, stderr, succeeds, system_of};

#[test]
fn our_own_and_a_provider_stand_side_by_side() {
    let home = Home::new();
    let (cohere, tei) = (mock(Kind::Cohere), slow(Kind::Tei, Duration::from_millis(30)));
    let tables = table(Kind::Cohere, &cohere.base_url()) + &table(Kind::Tei, &tei.base_url());
    home.asking(12, &(tables + EMBEDDED.split("[sweep]").next().unwrap()));
    let output = home.try_asking(&[]);
    let summary = succeeds(&output);
    assert!(summary.contains("decide nothing") || summary.contains("decides nothing"), "{summary}");
    assert!(stderr(&output).contains("cohere: 12 queries, about 12 search units: 0.0240 USD"));
    let record = home.json("out/record.json");

    let hosted = system_of(&record, "cohere");
    assert_eq!(hosted["origin"], "mock");
    assert_eq!(hosted["comparison"], Value::Null, "made-up figures bear no verdict");
    let destination = &hosted["destination"];
    assert_eq!(destination["host"], cohere.address().to_string());
    assert_eq!(destination["self_hosted"], false);
    // What Cohere's terms say is not said of whoever answers at another address.
    assert_eq!((&destination["region"], &destination["retention"]), (&Value::Null, &Value::Null));
    let cost = &hosted["cost"];
    assert_eq!(cost["tariff"]["unit"], "search-unit");
    assert_eq!(cost["tariff"]["price"]["usd"], USD);
    let spent = &cost["spent"];
    assert_eq!(spent["calls"], 12);
    assert_eq!((&spent["reported"], &spent["estimated"]), (&json!(12), &json!(12)));
    assert_eq!((spent["usd"].as_f64(), spent["doubtful"].as_u64()), (Some(12.0 * USD), Some(0)));
    assert_eq!(cost["query"]["usd"], USD);
    assert_eq!(cohere.books().billed(), 12);
    let parts = &hosted["latency"]["parts"];
    assert!(parts["network"].as_f64().unwrap() > 0.0);
    assert_eq!((&parts["server"], parts["compute"].as_f64()), (&Value::Null, Some(0.0)));

    let server = system_of(&record, "tei");
    assert_eq!(
        (&server["cost"], &server["destination"]["self_hosted"]),
        (&Value::Null, &json!(true))
    );
    assert_eq!(server["identity"]["model"], "BAAI/bge-reranker-v2-m3");
    let parts = &server["latency"]["parts"];
    assert!(parts["server"].as_f64().unwrap() >= 0.03, "{parts}");

    let own = system_of(&record, "mini");
    assert_eq!((&own["origin"], &own["destination"]), (&json!("live"), &Value::Null));
    assert_eq!(own["cost"], Value::Null);
    assert!(own["latency"]["parts"]["compute"].as_f64().unwrap() > 0.0);
    assert!(own["comparison"]["verdict"].is_string());

    for report in ["out/report.html", "out/report.md"] {
        let report = home.read(report);
        for needed in [
            "Where texts go",
            "What this run spent",
            "Where the time goes",
            "cohere (mock)",
            "tei (mock)",
            "made up",
        ] {
            assert!(report.contains(needed), "{needed}");
        }
        assert!(!report.contains("mini (mock)"));
    }
}

/// A table and the imitation that it asks, for each kind there is.
fn all() -> Vec<(Kind, Mock)> {
    Kind::ALL.into_iter().map(|kind| (kind, mock(kind))).collect()
}

#[test]
fn every_kind_of_provider_answers_an_evaluation() {
    let home = Home::new();
    let mocks = all();
    let tables: String = mocks.iter().map(|(kind, mock)| table(*kind, &mock.base_url())).collect();
    home.asking(4, &tables);
    let record = home.ask(&["--yes"]);
    let first = mean(&record, "cohere", "nDCG@10");
    assert_ne!(first, mean(&record, "first stage", "nDCG@10"));
    for (kind, mock) in &mocks {
        let system = system_of(&record, kind.name());
        assert_eq!(
            (&system["origin"], &system["failures"]),
            (&json!("mock"), &json!({})),
            "{kind}"
        );
        assert_eq!(system["destination"]["host"], mock.address().to_string());
        // All imitations score the same texts alike.
        assert_eq!(mean(&record, kind.name(), "nDCG@10"), first, "{kind}");
        let books = mock.books();
        assert_eq!((books.calls().len(), books.acknowledged()), (4, 4), "{kind}");
        let spent = &system["cost"]["spent"];
        // Pinecone and Bedrock bill, but not all tell it; one's own server does neither.
        let told = spent["reported"].as_u64().unwrap_or(0) + spent["untold"].as_u64().unwrap_or(0);
        let is_own =
            matches!(kind, Kind::Tei | Kind::CohereCompatible | Kind::Infinity | Kind::LlamaCpp);
        match is_own {
            true => assert_eq!(system["cost"], Value::Null, "{kind}"),
            false => assert_eq!(told, books.billed(), "{kind}"),
        }
    }
}

#[test]
fn many_queries_at_a_time_give_the_same_record() {
    let provider = slow(Kind::Cohere, Duration::from_millis(20));
    let of = |concurrency: usize| {
        let home = Home::new();
        let table = table(Kind::Cohere, &provider.base_url());
        // Three calls a query.
        let more = format!("concurrency = {concurrency}\ndocuments_per_call = 2\n");
        home.asking(30, &(table + &more));
        let mut record = home.ask(&["--texts", "full"]);
        let latency = record["systems"][1]["latency"].take();
        assert_eq!(latency["concurrency"], concurrency);
        // Whoever opens the connection is not timed.
        assert_eq!(latency["samples"], 29);
        assert_eq!(provider.books().repeated().len(), if concurrency == 1 { 0 } else { 90 });
        record["systems"].take()
    };
    let one = of(1);
    // A query's calls go out together.
    let alone = provider.books().most_in_flight();
    assert_eq!(alone, 3);
    assert_eq!(one[1]["cost"]["spent"]["calls"], 90);
    assert_eq!(of(8), one);
    let most = provider.books().most_in_flight();
    assert!(alone < most && most <= 8 * 3, "{most}");
}

#[test]
fn a_dead_provider_ends_its_own_cell_only() {
    for (rule, calls, words) in [("*:503", 10, "trouble of its own"), ("*:401", 1, "check the key")]
    {
        let home = Home::new();
        let (dead, alive) = (faulty(Kind::Jina, &[rule]), mock(Kind::Cohere));
        let gone = table(Kind::Jina, &dead.base_url()) + "attempts = 1\n";
        home.asking(30, &(gone + &table(Kind::Cohere, &alive.base_url())));
        let output = home.try_asking(&[]);
        fails(&output, 1, "30 of 30 queries of 'jina' failed");
        // Some attempts, and then none: nothing that was not going to be answered went out.
        assert_eq!(dead.books().calls().len(), calls, "{rule}");
        assert_eq!(alive.books().acknowledged(), 30);

        let record = home.json("out/record.json");
        let failures = system_of(&record, "jina")["failures"].as_object().unwrap();
        assert_eq!(failures.len(), 30);
        let reasons = || failures.values().map(|reason| reason.as_str().unwrap());
        assert!(reasons().any(|reason| reason.contains(words)), "{rule}: {failures:?}");
        let unasked = reasons().filter(|reason| reason.starts_with("not asked: jina was given up"));
        assert!(unasked.count() >= 30 - 1 - calls, "{rule}: {failures:?}");
        let other = system_of(&record, "cohere");
        assert_eq!(
            (&other["failures"], &other["cost"]["spent"]["reported"]),
            (&json!({}), &json!(30))
        );
        assert!(home.read("out/report.md").contains("not asked"));
    }
}

#[test]
fn one_bad_answer_fails_one_query() {
    let home = Home::new();
    let provider = faulty(Kind::Cohere, &["3:missing"]);
    home.asking(8, &table(Kind::Cohere, &provider.base_url()));
    let output = home.try_asking(&[]);
    fails(&output, 1, "1 of 8 queries of 'cohere' failed");
    let failures = home.json("out/record.json")["systems"][1]["failures"].clone();
    // It shows who answered, how, in which answer and with what.
    let reason = failures["q2"].as_str().unwrap();
    for needed in ["cohere", "200", "mock-3", "relevance_score"] {
        assert!(reason.contains(needed), "{needed}: {reason}");
    }
    // Its work was done, and will be on the bill.
    assert_eq!(provider.books().billed(), 8);
}

#[test]
fn a_dry_run_asks_nobody() {
    let home = Home::new();
    let provider = mock(Kind::Cohere);
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/configs/hosted.toml");
    let mut command = home.keyed(&["eval", "--config", config, "--dry-run"]);
    let output = command.env("COHERE_BASE_URL", provider.base_url()).output().unwrap();
    let plan = succeeds(&output);
    // Sixty queries, and twenty at a smaller depth.
    assert!(plan.contains("0.1600 USD (80 search units)") && plan.contains("not tried"), "{plan}");
    assert!(plan.contains("0 USD (this machine)"), "{plan}");
    assert!(provider.books().calls().is_empty());
    assert!(!home.path("reports").exists());
}
