//! `--record`, and `kind = "replay"`, which repeats a hosted evaluation for nothing.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use secondpass_mock::{Kind, Mock};
use serde_json::{Value, json};
use support::hosted::{KEY, USD, mock, table};
use support::{Home, fails, lines, stderr, succeeds, system_of};

/// An evaluation of two providers, recorded in `kept/answers.jsonl`; gives its record too.
fn recorded() -> (Home, Mock, Mock, Value) {
    let home = Home::new();
    let (cohere, tei) = (mock(Kind::Cohere), mock(Kind::Tei));
    // Each query is three calls to one's own server.
    let split = "documents_per_call = 2\n";
    let tables =
        table(Kind::Cohere, &cohere.base_url()) + &table(Kind::Tei, &tei.base_url()) + split;
    home.asking(12, &tables);
    let output = home.try_asking(&["--record", "kept/answers.jsonl", "--texts", "full"]);
    succeeds(&output);
    // Twelve of one, thirty-six of the other, and what that one said of itself.
    let told = stderr(&output);
    assert!(told.contains("49 exchanges recorded in kept/answers.jsonl"), "{told}");
    let record = home.json("out/record.json");
    (home, cohere, tei, record)
}

/// Makes the recording one of the providers themselves, which do not say that they are imitations.
fn as_if_live(home: &Home) {
    let recording = home.read("kept/answers.jsonl");
    let real = recording.replace(r#",["x-secondpass-mock","1"]"#, "");
    assert_ne!(real, recording);
    home.write("kept/answers.jsonl", real);
}

/// Makes the config play the recording; without addresses, if so wanted.
fn replayed(home: &Home, addresses: bool) {
    let config = home.read("small.toml");
    let lines = config.lines().map(|line| match line.split_once(" = ") {
        Some(("kind", kind)) if ["\"cohere\"", "\"tei\""].contains(&kind) => {
            format!("kind = \"replay\"\nprovider = {kind}\nrecording = \"kept/answers.jsonl\"")
        }
        Some(("base_url", _)) if !addresses => String::new(),
        _ => line.to_owned(),
    });
    home.write("small.toml", lines.collect::<Vec<_>>().join("\n"));
}

/// Runs the experiment without any key.
fn without_key(home: &Home, more: &[&str]) -> std::process::Output {
    home.run(&[&["eval", "--config", "small.toml", "--out", "out"], more].concat())
}

/// What of a system rests on its scores.
fn scores(record: &Value, system: &str) -> Value {
    let system = system_of(record, system);
    let fields = ["quality", "scores", "agreement", "most_hurt", "most_helped", "failures"];
    let fields = fields.map(|field| {
        assert!(!system[field].is_null(), "{field}");
        (field.to_owned(), system[field].clone())
    });
    Value::Object(fields.into_iter().collect())
}

#[test]
fn a_recording_repeats_a_run_without_key_and_network() {
    let (home, cohere, tei, live) = recorded();
    let calls = || (cohere.books().calls().len(), tei.books().calls().len());
    let before = calls();
    assert_eq!(before, (12, 36));
    replayed(&home, true);
    // The servers are there and are not asked. What an imitation made up stays made up.
    succeeds(&without_key(&home, &[]));
    assert_eq!(calls(), before);
    assert_eq!(system_of(&home.json("out/record.json"), "cohere")["origin"], "mock");

    drop((cohere, tei));
    replayed(&home, false);
    as_if_live(&home);
    let summary = succeeds(&without_key(&home, &["--texts", "full"]));
    let replay = home.json("out/record.json");
    for name in ["cohere", "tei"] {
        assert_eq!(scores(&replay, name), scores(&live, name));
        let system = system_of(&replay, name);
        let recorded = system["origin"]["replay"]["recorded"].as_str().unwrap();
        assert!(home.read("kept/answers.jsonl").contains(&format!("\"recorded\":\"{recorded}\"")));
        let mark = format!("{name} (replay of {})", &recorded[..10]);
        assert!(summary.contains(&mark), "{mark}: {summary}");
        assert!(home.read("out/report.html").contains(&mark));
        assert!(summary.contains("decide nothing"), "{summary}");
        assert_eq!(system["destination"], Value::Null, "nothing went anywhere");
    }
    // What it cost when it was recorded, and that it costs nothing now.
    let cost = &system_of(&replay, "cohere")["cost"];
    assert_eq!((&cost["query"]["usd"], &cost["spent"]["usd"]), (&json!(USD), &json!(0.0)));
    assert_eq!(cost["spent"]["calls"], 0);
}

#[test]
fn times_are_those_of_the_recording() {
    for is_real in [true, false] {
        let (home, ..) = recorded();
        let slow = home.read("kept/answers.jsonl");
        let slow: Vec<String> = slow
            .lines()
            .map(|line| match line.split_once("\"took_us\":") {
                Some((before, after)) => {
                    let (_, after) = after.split_once(',').unwrap();
                    format!("{before}\"took_us\":7000000,{after}\n")
                }
                None => format!("{line}\n"),
            })
            .collect();
        home.write("kept/answers.jsonl", slow.concat());
        replayed(&home, false);
        if is_real {
            as_if_live(&home);
        }
        succeeds(&without_key(&home, &[]));
        let record = home.json("out/record.json");
        let latency = &system_of(&record, "cohere")["latency"];
        assert_eq!((&latency["p50"], &latency["parts"]["network"]), (&json!(7.0), &json!(7.0)));
    }
}

/// A recording is for publishing: it holds neither texts nor who asked.
#[test]
fn a_recording_holds_no_texts_and_no_key() {
    let (home, ..) = recorded();
    let recording = home.read("kept/answers.jsonl");
    for line in lines(&home.path("set/queries.jsonl")) {
        let query: Value = serde_json::from_str(&line).unwrap();
        assert!(!recording.contains(query["text"].as_str().unwrap()));
    }
    for secret in [KEY, "authorization", "x-request-id", "127.0.0.1"] {
        assert!(!recording.contains(secret), "{secret}");
    }
}

#[test]
fn a_call_that_was_not_recorded_is_an_error_that_names_its_query() {
    let (home, ..) = recorded();
    replayed(&home, false);
    // In place of a word that no candidate is found by.
    let queries = home.read("set/queries.jsonl");
    let changed: Vec<String> = queries
        .lines()
        .map(|line| match line.contains("\"q5\"") {
            true => line.replace("\"text\": \"", "\"text\": \"zzz "),
            false => line.to_owned(),
        })
        .collect();
    home.write("set/queries.jsonl", changed.join("\n"));
    let output = without_key(&home, &[]);
    fails(&output, 1, "1 of 12 queries of 'cohere' failed");
    for needed in ["'q5'", "kept/answers.jsonl has no such call", "record again"] {
        fails(&output, 1, needed);
    }
    let record = home.json("out/record.json");
    let failed = |name: &str| {
        let failures = system_of(&record, name)["failures"].as_object().unwrap();
        failures.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((failed("cohere").as_str(), failed("tei").as_str()), ("q5", "q5"));
}

#[test]
fn other_options_were_not_recorded() {
    let (home, ..) = recorded();
    replayed(&home, false);
    let config = home.read("small.toml");
    home.write("small.toml", config.replace("documents_per_call = 2", "documents_per_call = 3"));
    let output = without_key(&home, &[]);
    fails(&output, 1, "12 of 12 queries of 'tei' failed");
    assert_eq!(system_of(&home.json("out/record.json"), "cohere")["failures"], json!({}));
}

#[test]
fn a_recording_is_added_to() {
    let (home, cohere, _tei, _) = recorded();
    let once = lines(&home.path("kept/answers.jsonl"));
    home.queries(13);
    succeeds(&home.try_asking(&["--record", "kept/answers.jsonl"]));
    let twice = lines(&home.path("kept/answers.jsonl"));
    assert_eq!(twice[..once.len()], once);
    assert!(twice.len() > once.len());
    assert_eq!(cohere.books().calls().len(), 12 + 13);
    replayed(&home, false);
    let output = without_key(&home, &[]);
    succeeds(&output);
    let record = home.json("out/record.json");
    assert_eq!(record["dataset"]["queries"], 13);
}

#[test]
fn what_is_no_recording_is_refused_before_anything_else() {
    let (home, ..) = recorded();
    replayed(&home, false);
    home.write("kept/answers.jsonl", "{\"format\":1}\n");
    fails(&without_key(&home, &[]), 2, "this is no recording");
    std::fs::remove_file(home.path("kept/answers.jsonl")).unwrap();
    fails(&without_key(&home, &[]), 2, "cannot read the recording");
}
