//! Recordings: what is kept and what is not, kills and crowds, and what a replay serves.
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use secondpass_core::{Context, Origin};
use secondpass_http::{
    Anonymous, Answer, Authorize, Bearer, Call, Client, ErrorKind, Exchange, ExchangeError,
    KeyHeader, ManualClock, Method, NoAnswer, Recorder, Recording, RecordingError, Replay, Request,
    RetryPolicy, Secret, Settings,
};
use tempfile::TempDir;

const KEY: &str = "planted-Key_0123456789abcdefXYZ";
const TOOK: Duration = Duration::from_micros(123_456);

/// Answers from a list, each after [`TOOK`] of a clock that stands still otherwise.
struct Script {
    clock: Arc<ManualClock>,
    answers: Mutex<VecDeque<Answer>>,
}

impl Exchange for Script {
    fn exchange(&self, _: &Request, _: Duration) -> Result<Answer, ExchangeError> {
        self.clock.advance(TOOK);
        let broken = || ExchangeError {
            kind: NoAnswer::Broken,
            begun: None,
            detail: "the script is over".into(),
        };
        self.answers.lock().unwrap().pop_front().ok_or_else(broken)
    }
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, headers: Vec::new(), body: body.into() }
}

fn request(body: &str) -> Request {
    Request {
        method: Method::Post,
        url: "https://api.acme.example/v2/rerank".into(),
        headers: Vec::new(),
        secrets: Vec::new(),
        body: body.into(),
        largest_answer: 1 << 20,
    }
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.jsonl");
    (folder, path)
}

/// A recorder of these answers.
fn recorder(path: &Path, answers: impl IntoIterator<Item = Answer>) -> Recorder {
    let clock =
        Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)));
    let answers = Mutex::new(answers.into_iter().collect());
    let script = Script { clock: Arc::clone(&clock), answers };
    let recording = Arc::new(Recording::open(path).unwrap());
    Recorder::new(Arc::new(script), recording).with_clock(clock)
}

fn replayed(replay: &Replay, body: &str) -> Result<Answer, ExchangeError> {
    replay.exchange(&request(body), Duration::ZERO)
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

/// Sends a call through a client, as an adapter does.
fn send(
    exchange: impl Exchange + 'static,
    authorize: impl Authorize + 'static,
    body: &serde_json::Value,
) -> Result<secondpass_http::Reply, secondpass_http::HttpError> {
    let mut settings = Settings::new("acme", "https://api.acme.example/");
    settings.retry = RetryPolicy::new(1, Duration::ZERO, Duration::ZERO).unwrap();
    let clock = Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH));
    let client = Client::over(settings, Box::new(authorize), Arc::new(exchange), clock, 1).unwrap();
    let call = Call::post("/v2/rerank", body).with_header("x-account", KEY);
    client.send(&call, &Context::default())
}

#[test]
fn a_replay_says_what_was_answered_when_and_how_long_it_took() {
    let (_folder, path) = folder();
    let body = "{\"results\": [ {\"index\":0,\"relevance_score\":0.10000000000000001} ]}\n";
    let mut live = answer(200, body);
    let headers = [("content-type", "application/json"), (Origin::MOCK_HEADER, "1")];
    live.headers = headers.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec();
    let sent = recorder(&path, [live.clone()]).exchange(&request("q"), Duration::MAX).unwrap();
    assert_eq!(sent, live);

    let replay = Replay::open(&path).unwrap();
    assert_eq!((replay.len(), replay.note()), (1, None));
    let again = replayed(&replay, "q").unwrap();
    assert_eq!((again.status, text(&again)), (200, body));
    assert_eq!(again.header("content-type"), Some("application/json"));
    assert_eq!(again.header(Origin::MOCK_HEADER), Some("1"));
    assert_eq!(again.header(Origin::RECORDED_HEADER), Some("2001-09-09T01:46:40Z"));
    assert_eq!(again.header(Origin::TOOK_HEADER), Some("123456"));
}

#[test]
fn neither_keys_nor_request_texts_nor_the_askers_traces_are_kept() {
    let (_folder, path) = folder();
    let mut echo = answer(
        400,
        &format!(r#"{{"message":"key {KEY} of {KEY}","{KEY}":["Bearer {KEY}",{{"t":"…{KEY}"}}]}}"#),
    );
    let traces = ["x-request-id", "set-cookie", "x-organization", "cf-ray", "location", "server"];
    echo.headers = traces.map(|name| (name.to_owned(), "trace-of-the-asker".to_owned())).to_vec();
    echo.headers.push(("content-type".to_owned(), format!("text/{KEY}")));
    echo.headers.push(("retry-after".to_owned(), "7".to_owned()));
    let page = answer(401, &format!("<html>no such key: {KEY}</html>"));
    let texts = serde_json::json!({"query": "planted query", "documents": ["planted document"]});
    let key = || Secret::new(KEY, "TEST_KEY").unwrap();
    send(recorder(&path, [echo]), Bearer(key()), &texts).unwrap_err();
    let header = KeyHeader { name: "api-key".into(), key: key() };
    send(recorder(&path, [page]), header, &texts).unwrap_err();

    let kept = fs::read_to_string(&path).unwrap();
    for piece in KEY.as_bytes().windows(8) {
        assert!(!kept.contains(std::str::from_utf8(piece).unwrap()), "{kept}");
    }
    for part in ["planted", "trace-of-the-asker", "acme", "rerank", "api-key", "bearer"] {
        assert!(!kept.to_lowercase().contains(part), "{part} in {kept}");
    }
    assert_eq!(kept.lines().count(), 3);
    assert!(kept.contains("retry-after") && kept.contains("no such key"), "{kept}");
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_a_recording() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = folder();
    drop(Recording::open(&path).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_success_stands_for_the_failures_around_it_and_the_newest_success_wins() {
    let (_folder, path) = folder();
    let answers = [(429, "wait"), (200, "old"), (200, "new"), (503, "down")];
    let recorder = recorder(&path, answers.map(|(status, body)| answer(status, body)));
    for _ in answers {
        recorder.exchange(&request("q"), Duration::MAX).unwrap();
    }
    let replay = Replay::open(&path).unwrap();
    assert_eq!((text(&replayed(&replay, "q").unwrap()), replay.len()), ("new", 1));
}

#[test]
fn the_newest_failure_is_served_where_nothing_succeeded() {
    let (_folder, path) = folder();
    let recorder = recorder(&path, [answer(429, "wait"), answer(401, "who?")]);
    recorder.exchange(&request("q"), Duration::MAX).unwrap();
    recorder.exchange(&request("q"), Duration::MAX).unwrap();
    recorder.exchange(&request("q"), Duration::MAX).unwrap_err();
    let replay = Replay::open(&path).unwrap();
    assert_eq!(replayed(&replay, "q").unwrap().status, 401);
}

#[test]
fn a_call_that_was_not_recorded_is_refused_with_the_way_to_record_it() {
    let (_folder, path) = folder();
    drop(Recording::open(&path).unwrap());
    let replay = Replay::open(&path).unwrap();
    assert!(replay.is_empty());
    let error = send(replay, Anonymous, &serde_json::json!({"query": "planted"})).unwrap_err();
    assert_eq!((error.kind(), error.attempts().len()), (&ErrorKind::NotRecorded, 1));
    assert!(!error.attempts()[0].possibly_billed() && !error.is_final());
    let text = error.to_string();
    for part in ["calls.jsonl has no such call", "record again", "texts, model and options"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("planted"), "{text}");
}

#[test]
fn a_recording_cut_anywhere_is_read_and_goes_on() {
    let (_folder, path) = folder();
    for body in ["1", "2"] {
        recorder(&path, [answer(200, body)]).exchange(&request(body), Duration::MAX).unwrap();
    }
    let whole = fs::read(&path).unwrap();
    let second = whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    for end in second..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        let replay = Replay::open(&path).unwrap();
        assert_eq!(replay.note().is_some(), end > second, "{end}");
        assert!(replayed(&replay, "1").is_ok() && replayed(&replay, "2").is_err(), "{end}");
        recorder(&path, [answer(200, "3")]).exchange(&request("3"), Duration::MAX).unwrap();
        let replay = Replay::open(&path).unwrap();
        assert_eq!((replay.note(), replay.len()), (None, 2), "{end}");
        assert_eq!(text(&replayed(&replay, "3").unwrap()), "3");
    }
    let head = whole.iter().position(|&byte| byte == b'\n').unwrap();
    for end in 0..head {
        fs::write(&path, &whole[..end]).unwrap();
        assert!(matches!(Replay::open(&path), Err(RecordingError::NotARecording(_))), "{end}");
        recorder(&path, [answer(200, "3")]).exchange(&request("3"), Duration::MAX).unwrap();
        assert_eq!(Replay::open(&path).unwrap().len(), 1);
    }
}

#[test]
fn two_recordings_put_together_are_one() {
    let (_folder, path) = folder();
    recorder(&path, [answer(200, "1")]).exchange(&request("1"), Duration::MAX).unwrap();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [whole.clone(), whole].concat()).unwrap();
    assert_eq!(Replay::open(&path).unwrap().len(), 1);
}

#[test]
fn many_threads_with_a_file_handle_each_lose_nothing() {
    let (_folder, path) = folder();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let body = "x".repeat(thread * 5000);
                let recorder = recorder(path, (0..25).map(|_| answer(200, &body)));
                for call in 0..25 {
                    let request = request(&format!("{thread} {call}"));
                    recorder.exchange(&request, Duration::MAX).unwrap();
                }
            });
        }
    });
    let replay = Replay::open(&path).unwrap();
    assert_eq!((replay.len(), replay.note()), (200, None));
    let last = replayed(&replay, "7 24").unwrap();
    assert_eq!(last.body.len(), 35_000);
}

/// What the processes do that the next test starts and kills.
#[test]
#[ignore = "started by killed_processes_leave_whole_lines"]
fn record_until_killed() {
    let path = PathBuf::from(std::env::var_os("RECORDING").unwrap());
    let name = std::process::id();
    for call in 0.. {
        let body = "x".repeat(20_000);
        let recorder = recorder(&path, [answer(200, &body)]);
        recorder.exchange(&request(&format!("{name} {call}")), Duration::MAX).unwrap();
    }
}

#[test]
fn killed_processes_leave_whole_lines() {
    let (_folder, path) = folder();
    for round in 0..5 {
        let mut children = [(); 3].map(|()| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--ignored", "--exact", "record_until_killed"]);
            command.env("RECORDING", &path).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        });
        let before = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        while fs::metadata(&path).map_or(0, |metadata| metadata.len()) < before + 1_000_000 {
            std::thread::sleep(Duration::from_millis(1));
        }
        for child in &mut children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let replay = Replay::open(&path).unwrap();
        assert!(replay.len() >= 40 * (round + 1), "{}", replay.len());
    }
}

#[test]
fn other_files_are_refused_and_left_as_they_are() {
    let (_folder, path) = folder();
    let later = "{\"format\":2,\"kind\":\"secondpass recording\"}\n";
    for (content, expected) in [
        ("id,text\n1,a\n", "line 1: this is no recording"),
        ("no line end", "line 1: this is no recording"),
        ("{\"format\":1}\n", "line 1: this is no recording"),
        (later, "has format 2, and this version reads format 1"),
    ] {
        fs::write(&path, content).unwrap();
        for error in [Recording::open(&path).err().unwrap(), Replay::open(&path).err().unwrap()] {
            let error = error.to_string();
            assert!(error.contains(expected) && error.contains("calls.jsonl"), "{error}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    let gone = Replay::open(&path.with_extension("gone")).err().unwrap();
    assert!(matches!(gone, RecordingError::Read { .. }));
    let nowhere = Recording::open(&path.join("below")).err().unwrap();
    assert!(matches!(nowhere, RecordingError::Write { .. }));
}

#[test]
fn a_changed_line_is_named() {
    let (_folder, path) = folder();
    recorder(&path, [answer(200, "1")]).exchange(&request("1"), Duration::MAX).unwrap();
    let whole = fs::read_to_string(&path).unwrap();
    for (from, to, reason) in [
        ("\"status\"", "\"state\"", "unknown field `state`"),
        ("\"status\":200", "\"status\":99", "99 is no HTTP status"),
        ("\"status\":200", "\"status\":\"200\"", "invalid type"),
    ] {
        fs::write(&path, whole.replacen(from, to, 1)).unwrap();
        let error = Replay::open(&path).err().unwrap().to_string();
        assert!(error.contains("calls.jsonl, line 2: ") && error.contains(reason), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_in_the_file_is_read_or_refused(
        at in 0usize..400,
        bytes in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let (_folder, path) = folder();
        recorder(&path, [answer(200, "1")]).exchange(&request("1"), Duration::MAX).unwrap();
        let mut content = fs::read(&path).unwrap();
        let at = at.min(content.len());
        let end = (at + bytes.len() / 2).min(content.len());
        content.splice(at..end, bytes);
        fs::write(&path, &content).unwrap();
        if let Ok(replay) = Replay::open(&path) {
            let _ = replayed(&replay, "1");
        }
    }

    #[test]
    fn every_text_comes_back_as_it_was(body in "\\PC*", status in 200u16..300) {
        let (_folder, path) = folder();
        recorder(&path, [answer(status, &body)]).exchange(&request("q"), Duration::MAX).unwrap();
        let again = replayed(&Replay::open(&path).unwrap(), "q").unwrap();
        prop_assert_eq!((again.status, text(&again)), (status, &*body));
    }
}
