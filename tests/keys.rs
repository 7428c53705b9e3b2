//! Keys of hosted rerankers: where they come from, and that they go nowhere but to the provider.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::ops::Range;
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};

use secondpass_mock::{Answer, Api, Kind, Mock, Request, Settings, apis};
use serde_json::{Value, json};
use support::hosted::{KEY, faulty, mock, table};
use support::{Home, fails, stderr, succeeds};

const EVAL: [&str; 5] = ["eval", "--config", "small.toml", "--out", "out"];

/// Takes the planted key and no other.
fn strict() -> Mock {
    Mock::start(Settings { key: Some(KEY.to_owned()), ..Settings::new(Kind::Cohere) }).unwrap()
}

fn home(provider: &Mock) -> Home {
    let home = Home::new();
    home.asking(6, &table(Kind::Cohere, &provider.base_url()));
    home
}

/// Nothing that the program wrote or said holds the key, or most of it.
#[track_caller]
fn nowhere(home: &Home, output: &Output) {
    for part in [KEY, &KEY[..20], &KEY[10..]] {
        let files = home.files_with(".", part);
        let files: Vec<_> = files.iter().filter(|file| !file.ends_with("the.key")).collect();
        assert!(files.is_empty(), "{files:?}");
        for told in [&output.stdout, &output.stderr] {
            let told = String::from_utf8_lossy(told);
            assert!(!told.contains(part), "{told}");
        }
    }
}

/// Cohere, as far as it goes, that says in everything it answers who asked.
struct Echo {
    cohere: Box<dyn Api>,
    /// Calls that are refused, counted from 0; the refusal says who asked, too.
    refused: Range<usize>,
    calls: AtomicUsize,
}

impl Echo {
    fn start(refused: Range<usize>) -> Mock {
        let cohere = apis::api(Kind::Cohere, Some(KEY));
        let echo = Self { cohere, refused, calls: AtomicUsize::new(0) };
        Mock::serve(Box::new(echo), Settings::new(Kind::Cohere)).unwrap()
    }
}

impl Api for Echo {
    fn answer(&self, request: &Request) -> Answer {
        let who = request.headers.get("authorization").cloned().unwrap_or_default();
        let mut answer = match self.refused.contains(&self.calls.fetch_add(1, Ordering::SeqCst)) {
            true => Answer::free(400, json!({ "message": format!("{who} asks for too much") })),
            false => self.cohere.answer(request),
        };
        answer.headers.push(("x-request-id".to_owned(), KEY.to_owned()));
        answer.headers.push(("server-timing".to_owned(), format!("app;desc=\"{who}\"")));
        if let Value::Object(fields) = &mut answer.body {
            fields.insert("id".to_owned(), json!(KEY));
            fields.insert("asked".to_owned(), json!({ "by": [who], KEY: "knocks" }));
        }
        answer
    }

    fn failure(&self, status: u16) -> Answer {
        self.cohere.failure(status)
    }
}

#[test]
fn a_key_in_the_environment_goes_to_the_provider_alone() {
    let provider = strict();
    let home = home(&provider);
    let output = home.try_asking(&["--record", "kept.jsonl", "--texts", "full", "--json"]);
    succeeds(&output);
    assert_eq!(provider.books().acknowledged(), 6);
    nowhere(&home, &output);
    // What was looked through is all there.
    for file in ["out/record.json", "out/report.html", "out/queries.parquet", "kept.jsonl"] {
        assert!(home.files(".").iter().any(|path| path.ends_with(file)), "{file}");
    }
}

#[test]
fn a_key_file_is_as_good() {
    let provider = strict();
    let home = home(&provider);
    home.write("the.key", format!("{KEY}\n"));
    home.write("other.key", "another-key-of-somebody-else");
    for files in [
        &["--key-file", "the.key"][..],
        &["--key-file", "cohere=the.key", "--key-file", "other.key"],
        &["--key-file", "other.key", "--key-file", "cohere=the.key"],
    ] {
        let output = home.run(&[&EVAL[..], files, &["--record", "kept.jsonl"]].concat());
        succeeds(&output);
        nowhere(&home, &output);
    }
    assert_eq!(provider.books().acknowledged(), 18);
    // What the file says wins over the environment.
    let output = home.try_asking(&["--key-file", "other.key"]);
    fails(&output, 1, "check the key in other.key");
    nowhere(&home, &output);
    fails(&home.try_asking(&["--key-file", "none.key"]), 2, "none.key");
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_advised_against() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    let provider = strict();
    let home = home(&provider);
    home.write("the.key", KEY);
    let told = |mode: u32| {
        set_permissions(home.path("the.key"), Permissions::from_mode(mode)).unwrap();
        let output = home.run(&[&EVAL[..], &["--key-file", "the.key"]].concat());
        succeeds(&output);
        stderr(&output)
    };
    assert!(told(0o644).contains("the.key can be read by other users; run: chmod 600 the.key"));
    assert!(!told(0o600).contains("chmod"));
}

#[test]
fn a_key_that_a_server_repeats_is_blanked() {
    let provider = Echo::start(0..0);
    let home = home(&provider);
    let output = home.try_asking(&["--record", "kept.jsonl", "--texts", "full", "--json"]);
    succeeds(&output);
    nowhere(&home, &output);
    assert!(home.read("kept.jsonl").contains("[redacted]"));
}

#[test]
fn a_refusal_that_repeats_a_key_is_shown_without_it() {
    let provider = Echo::start(2..4);
    let home = home(&provider);
    let output = home.try_asking(&["--record", "kept.jsonl"]);
    fails(&output, 1, "2 of 6 queries of 'cohere' failed");
    fails(&output, 1, "asks for too much");
    assert!(home.read("out/record.json").contains("asks for too much"));
    nowhere(&home, &output);
}

/// While a run is not over its journal is there too.
#[test]
fn a_journal_holds_no_key_either() {
    let provider = Echo::start(1..2);
    let home = home(&provider);
    let output = home.try_asking(&["--max-cost", "0.012", "--record", "kept.jsonl"]);
    fails(&output, 1, "before the costs could pass the limit");
    let journals = home.files("out/journal");
    let text: String = journals.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert!(text.contains("asks for too much"), "{text}");
    nowhere(&home, &output);
}

#[test]
fn faults_show_no_key() {
    for rule in ["*:401", "*:html", "*:truncated", "*:redirect", "*:nan"] {
        let provider = faulty(Kind::Cohere, &[rule]);
        let home = home(&provider);
        let config = home.read("small.toml");
        home.write("small.toml", config.replace("[sweep]", "attempts = 1\n[sweep]"));
        let output = home.try_asking(&["--record", "kept.jsonl"]);
        fails(&output, 1, "6 of 6 queries of 'cohere' failed");
        nowhere(&home, &output);
    }
}

#[test]
fn keys_of_aws_sign_and_are_not_sent() {
    let provider = Mock::start(Settings {
        key: Some(format!("AKIDEXAMPLE:{KEY}")),
        ..Settings::new(Kind::Bedrock)
    })
    .unwrap();
    let home = Home::new();
    home.asking(6, &table(Kind::Bedrock, &provider.base_url()));
    let mut command = home.command(&[&EVAL[..], &["--record", "kept.jsonl"]].concat());
    command.envs([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", KEY)]);
    let output = command.output().unwrap();
    succeeds(&output);
    assert_eq!(provider.books().acknowledged(), 6);
    nowhere(&home, &output);
    // One of the two is no pair.
    let mut half = home.command(&EVAL);
    fails(
        &half.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").output().unwrap(),
        2,
        "AWS_SECRET_ACCESS_KEY",
    );
}

#[test]
fn a_missing_key_is_named_and_nothing_is_sent() {
    let provider = mock(Kind::Cohere);
    let home = home(&provider);
    let missing = home.run(&EVAL);
    fails(&missing, 2, "no key found; set COHERE_API_KEY or CO_API_KEY in the environment");
    fails(&missing, 2, "reranker 1 ('cohere')");
    let config = home.read("small.toml");
    home.write("small.toml", config.replace("[sweep]", "key_env = \"TEAM_KEY\"\n[sweep]"));
    fails(&home.try_asking(&[]), 2, "set TEAM_KEY");
    assert!(provider.books().calls().is_empty());
    assert!(!home.path("out").exists());

    let mut command = home.command(&EVAL);
    succeeds(&command.env("TEAM_KEY", KEY).output().unwrap());
    assert_eq!(provider.books().acknowledged(), 6);
}

#[test]
fn keys_do_not_stand_in_configs() {
    let provider = mock(Kind::Cohere);
    let home = home(&provider);
    let config = home.read("small.toml");
    home.write("small.toml", config.replace("[sweep]", &format!("api_key = \"{KEY}\"\n[sweep]")));
    let output = home.try_asking(&[]);
    fails(&output, 2, "api_key");
    assert!(!stderr(&output).contains(KEY), "{}", stderr(&output));
    assert!(provider.books().calls().is_empty());
}
