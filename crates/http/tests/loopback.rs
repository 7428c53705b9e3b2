//! The client against a real server on loopback, with settings in milliseconds.
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

mod server;

use std::collections::HashSet;
use std::time::{Duration, Instant, SystemTime};

use secondpass_core::Context;
use secondpass_http::{
    Anonymous, Bearer, BreakerSettings, Call, Client, ErrorKind, GaveUp, HttpError, Network,
    NoAnswer, Outcome, Rates, Reply, RetryPolicy, Secret, Settings, SystemClock, Timeouts,
};
use serde_json::{Value, json};

use server::{Action, Server};

const KEY: &str = "planted-Key_0123456789abcdefXYZ";

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn settings(url: &str) -> Settings {
    let mut settings = Settings::new("acme", url);
    settings.timeouts = Timeouts { connect: ms(2000), request: ms(2000), total: ms(8000) };
    settings.retry = RetryPolicy::new(3, ms(2), ms(10)).unwrap().with_patience(ms(2500));
    settings.breaker = BreakerSettings { failures: 50, pause: ms(50) };
    settings.largest_answer = 1024;
    settings.proxy = false;
    settings
}

fn client(settings: Settings) -> Client {
    let key = Secret::new(KEY, "ACME_API_KEY").unwrap();
    Client::new(settings, Box::new(Bearer(key))).unwrap()
}

fn call() -> Call {
    Call::post("/v1/rerank", &json!({"query": "q", "documents": ["a"]}))
}

fn send(settings: Settings) -> Result<Reply, HttpError> {
    client(settings).send(&call(), &Context::default())
}

/// The reply to a script, and the server that played it.
fn play(script: impl IntoIterator<Item = Action>) -> (Result<Reply, HttpError>, Server) {
    let server = Server::playing(script);
    (send(settings(&server.url())), server)
}

fn outcomes(attempts: &[secondpass_http::Attempt]) -> Vec<Outcome> {
    attempts.iter().map(|attempt| attempt.outcome).collect()
}

#[test]
fn a_call_carries_json_key_and_name_and_brings_json_back() {
    let (reply, server) = play([Action::ok().with("X-Request-Id", "r1")]);
    let reply = reply.unwrap();
    assert_eq!(reply.json::<Value>().unwrap(), json!({"ok": true}));
    assert_eq!((reply.status, reply.request_id.as_deref()), (200, Some("r1")));
    assert_eq!(outcomes(&reply.attempts), [Outcome::Status(200)]);
    assert!(reply.network() > Duration::ZERO);

    let request = server.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/rerank HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("authorization: Bearer {KEY}\r\n")), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(head.contains("user-agent: secondpass/"), "{head}");
    assert_eq!(body, r#"{"query":"q","documents":["a"]}"#);
}

#[test]
fn without_a_key_no_key_is_sent_and_reading_sends_no_body() {
    let server = Server::playing([]);
    let client = Client::new(settings(&format!("{}/base/", server.url())), Box::new(Anonymous));
    let call = Call::get("/info").with_header("x-client-name", "test");
    client.unwrap().send(&call, &Context::default()).unwrap();
    let request = server.requests().remove(0).to_ascii_lowercase();
    assert!(request.starts_with("get /base/info http/1.1\r\n"), "{request}");
    assert!(request.contains("x-client-name: test") && !request.contains("authorization"));
    assert!(request.ends_with("\r\n\r\n"), "{request}");
}

#[test]
fn trouble_that_passes_is_retried() {
    let (reply, server) = play([Action::status(503, "busy"), Action::Close]);
    let reply = reply.unwrap();
    let expected =
        [Outcome::Status(503), Outcome::NoAnswer(NoAnswer::Broken), Outcome::Status(200)];
    assert_eq!(outcomes(&reply.attempts), expected);
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests.iter().collect::<HashSet<_>>().len(), 1, "all attempts are alike");
}

#[test]
fn retry_after_in_seconds_is_waited_for() {
    let (reply, _server) = play([Action::status(429, "").with("Retry-After", "0.25")]);
    let reply = reply.unwrap();
    assert_eq!(outcomes(&reply.attempts), [Outcome::Status(429), Outcome::Status(200)]);
    assert!(reply.queued() >= ms(250), "{:?}", reply.queued());
}

#[test]
fn retry_after_as_a_date_is_waited_for() {
    // HTTP dates have whole seconds: this one lies 0.9 to 1.9 s ahead.
    let date = httpdate::fmt_http_date(SystemTime::now() + ms(1900));
    let until = httpdate::parse_http_date(&date).unwrap();
    let (reply, _server) = play([Action::status(429, "").with("Retry-After", date)]);
    assert_eq!(reply.unwrap().attempts.len(), 2);
    assert!(SystemTime::now() >= until);
}

#[test]
fn a_retry_after_that_is_too_long_ends_the_call_and_is_told() {
    let (reply, server) = play([Action::status(429, "slow down").with("Retry-After", "3600")]);
    let error = reply.unwrap_err();
    assert_eq!(error.gave_up(), GaveUp::AskedTooLong(Duration::from_secs(3600)));
    let text = error.to_string();
    assert!(text.contains("429 Too Many Requests: \"slow down\""), "{text}");
    assert!(text.contains("come back after 3600 s"), "{text}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_costs_or_cannot_succeed_is_never_retried() {
    for (status, part) in [
        (400, "check the model's name"),
        (401, "check the key in ACME_API_KEY"),
        (402, "billing limit"),
        (403, "what the key in ACME_API_KEY may use"),
        (422, "check the model's name"),
    ] {
        let refusal = Action::status(status, r#"{"message":"no"}"#).with("x-request-id", "r2");
        let (reply, server) = play([refusal]);
        let error = reply.unwrap_err();
        assert_eq!((error.kind(), error.status()), (&ErrorKind::Status, Some(status)));
        assert_eq!(error.request_id(), Some("r2"));
        assert_eq!(error.excerpt(), Some(r#"{"message":"no"}"#));
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(error.is_final(), [401, 402, 403].contains(&status));
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[test]
fn a_server_that_hangs_is_given_up_after_the_timeout_each_time() {
    let server = Server::playing([Action::Hang, Action::Hang, Action::HangInBody]);
    let mut settings = settings(&server.url());
    settings.timeouts.connect = ms(80);
    settings.timeouts.request = ms(80);
    let started = Instant::now();
    let error = send(settings).unwrap_err();
    assert!(started.elapsed() >= ms(240), "{:?}", started.elapsed());
    assert_eq!(error.kind(), &ErrorKind::Timeout);
    assert_eq!(outcomes(error.attempts()), [Outcome::NoAnswer(NoAnswer::Timeout); 3]);
    assert!(error.attempts().iter().all(secondpass_http::Attempt::possibly_billed));
    assert_eq!((error.status(), error.request_id()), (Some(200), Some("r9")), "what had come");
    assert!(error.to_string().contains("raise the request timeout"), "{error}");
}

#[test]
fn the_total_timeout_cuts_an_attempt_short() {
    let server = Server::playing([Action::Hang]);
    let mut settings = settings(&server.url());
    settings.timeouts = Timeouts { connect: ms(100), request: ms(100), total: ms(100) };
    let started = Instant::now();
    let error = send(settings).unwrap_err();
    assert!(started.elapsed() < ms(1500), "{:?}", started.elapsed());
    assert_eq!((error.attempts().len(), error.gave_up()), (1, GaveUp::NoTime));
}

#[test]
fn a_deadline_cuts_it_short_too() {
    let server = Server::playing([Action::Hang]);
    let context = Context { deadline: Some(Instant::now() + ms(100)), ..Context::default() };
    let started = Instant::now();
    let error = client(settings(&server.url())).send(&call(), &context).unwrap_err();
    assert!(started.elapsed() < ms(1500), "{:?}", started.elapsed());
    assert_eq!(error.gave_up(), GaveUp::NoTime);
}

#[test]
fn a_connection_that_breaks_in_the_body_is_retried_and_told() {
    let (reply, _server) = play([Action::Break]);
    assert_eq!(reply.unwrap().attempts.len(), 2);
    let (reply, server) = play([Action::Break, Action::Break, Action::Break]);
    let error = reply.unwrap_err();
    assert_eq!((error.kind(), error.gave_up()), (&ErrorKind::Body, GaveUp::NoAttemptsLeft));
    assert_eq!((error.status(), error.request_id()), (Some(200), Some("r8")));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn nobody_at_the_address_is_a_connection_error() {
    let url = Server::playing([]).url();
    let error = send(settings(&url)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Connect);
    assert_eq!(outcomes(error.attempts()), [Outcome::NoAnswer(NoAnswer::Connect); 3]);
    assert!(!error.attempts()[0].possibly_billed());
    let text = error.to_string();
    assert!(text.starts_with(&format!("cannot connect to acme at {url}")), "{text}");
    assert!(text.contains("3 attempts") && text.contains("check the base URL"), "{text}");
}

#[test]
fn redirects_are_refused_and_their_target_sees_nothing() {
    let elsewhere = Server::playing([]);
    for status in [301, 302, 303, 307, 308] {
        let to = format!("{}/x?token={KEY}", elsewhere.url());
        let (reply, server) = play([Action::status(status, "").with("location", to)]);
        let error = reply.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Redirect(Some(elsewhere.url())));
        assert!(error.to_string().contains(&elsewhere.url()), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[test]
fn errors_repeat_no_text_of_the_request() {
    let text = "Salaries of the board, not to be passed on";
    let call = Call::post("/v1/rerank", &json!({"model": "acme-rerank-large", "query": text}));
    for (status, body) in [
        (200, format!(r#"{{"query":"{text}","score":NaN}}"#)),
        (200, format!(r#"{{"query":"{}"#, &text[..30])),
        (400, format!(r#"{{"detail":"acme-rerank-large cannot read '{}...'"}}"#, &text[..20])),
    ] {
        let server = Server::playing([Action::status(status, &body)]);
        let sent = client(settings(&server.url())).send(&call, &Context::default());
        let error = sent.and_then(|reply| reply.json::<Vec<u8>>()).unwrap_err();
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains("Salaries of"), "{shown}");
            assert!(shown.contains("[text]"), "{shown}");
        }
        assert_eq!(status == 400, error.to_string().contains("acme-rerank-large"), "{error}");
    }
}

#[test]
fn a_page_instead_of_json_is_told_as_text() {
    let page = "<html><head><title>Login</title></head><body>please sign in</body></html>";
    let (reply, server) = play([Action::status(200, page)]);
    let error = reply.unwrap().json::<Value>().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotJson);
    assert_eq!(error.excerpt(), Some("Login please sign in"));
    assert!(error.to_string().contains("check that the base URL is an API's"), "{error}");
    assert_eq!(server.requests().len(), 1);

    let (reply, _server) = play([Action::status(404, page)]);
    assert_eq!(reply.unwrap_err().excerpt(), Some("Login please sign in"));
}

#[test]
fn truncated_json_and_wrong_content_name_the_request() {
    let (reply, _server) = play([Action::status(200, r#"{"ok":"#).with("x-request-id", "r3")]);
    let reply = reply.unwrap();
    let error = reply.json::<Value>().unwrap_err();
    assert!(error.to_string().contains("EOF while parsing"), "{error}");
    assert!(error.to_string().contains("request id r3"), "{error}");
    let error = reply.bad_answer("index 3 comes twice");
    assert_eq!(error.kind(), &ErrorKind::BadAnswer);
    assert!(error.to_string().contains("index 3 comes twice"), "{error}");
}

#[test]
fn answers_that_are_too_large_are_not_read() {
    let body = "x".repeat(1025);
    for action in [
        Action::status(200, &body),
        Action::Chunks(body.clone().into_bytes()),
        // 64 KiB of zeros in 96 bytes.
        Action::Answer {
            status: 200,
            headers: vec![("content-encoding", "gzip".into())],
            body: hex(
                "1f8b0800000000000203edc101010000008090feafee080a00000000000000000000000000000000\
                 0000000000000000000000000000000000000000000000000000000000000000000000000000000\
                 0000000000000006aeb8e97d700000100",
            ),
        },
    ] {
        let (reply, server) = play([action.clone()]);
        let error = reply.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::TooLarge(1024), "{action:?}");
        assert!(error.attempts()[0].possibly_billed());
        assert_eq!(server.requests().len(), 1, "it would be too large again");
    }
    let (reply, _server) = play([Action::Chunks(body[..1024].into())]);
    assert_eq!(reply.unwrap().body.len(), 1024);
}

#[test]
fn compressed_answers_are_read() {
    let gzip = Action::Answer {
        status: 200,
        headers: vec![("content-encoding", "gzip".into())],
        body: hex("1f8b0800000000000203ab56cacf56b22a292a4dad0500905fd4a70b000000"),
    };
    let (reply, server) = play([gzip]);
    assert_eq!(reply.unwrap().json::<Value>().unwrap(), json!({"ok": true}));
    assert!(server.requests()[0].contains("accept-encoding: gzip"));
}

/// Every way to fail, with the key in everything that comes back.
#[test]
fn a_planted_key_never_shows() {
    let echo = format!("invalid key {KEY} (Bearer {KEY}), ends in {}", &KEY[15..]);
    let page = format!("<html><title>{KEY}</title>{echo}</html>");
    let elsewhere = format!("https://{KEY}.example/{KEY}");
    let ids = |action: Action| action.with("x-request-id", format!("id-{KEY}"));
    let (reply, _server) = play([ids(Action::status(200, &page))]);
    let reply = reply.unwrap();
    let mut shown = vec![format!("{reply:?}"), format!("{:?}", reply.json::<Value>().unwrap_err())];
    let errors = [
        ids(Action::status(401, &echo)),
        ids(Action::status(500, &page)),
        ids(Action::status(302, &echo)).with("location", elsewhere),
        Action::status(200, &KEY.repeat(100)),
        Action::Break,
    ]
    .map(|action| play([action.clone(), action.clone(), action]).0.unwrap_err());
    let typed = reply.json::<Vec<u8>>().unwrap_err();
    let wrong = reply.bad_answer(&echo);
    for error in errors.iter().chain([&typed, &wrong]) {
        shown.extend([error.to_string(), format!("{error:?}"), error.remedy()]);
    }
    for shown in shown {
        for piece in KEY.as_bytes().windows(8) {
            let piece = std::str::from_utf8(piece).unwrap().to_ascii_lowercase();
            assert!(!shown.to_ascii_lowercase().contains(&piece), "{piece} in {shown}");
        }
    }
}

/// Many callers, a limit on calls in flight, and trouble in one of twenty answers.
#[test]
fn many_callers_share_one_client_and_none_is_lost() {
    let script = (0..200).map(|at| match at % 20 {
        7 => Action::status(503, "busy"),
        13 if at % 3 == 0 => Action::Break,
        _ => Action::ok(),
    });
    let server = Server::playing(script);
    let mut settings = settings(&server.url());
    settings.rates = Rates { in_flight: Some(6), ..Rates::default() };
    // Chance gives no call eight of the 14 bad answers.
    settings.retry = RetryPolicy::new(8, ms(1), ms(4)).unwrap();
    let client = client(settings);
    let attempts: usize = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    let calls = (0..10).map(|_| client.send(&call(), &Context::default()));
                    calls.map(|reply| reply.unwrap().attempts.len()).sum::<usize>()
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    assert_eq!(server.requests().len(), attempts, "each attempt was one request");
    assert!(attempts > 160, "{attempts}");
}

#[test]
fn a_key_is_not_sent_readable_over_the_open_network() {
    let key = Secret::new(KEY, "ACME_API_KEY").unwrap();
    let client = Client::new(Settings::new("acme", "http://acme.example"), Box::new(Bearer(key)));
    let error = client.err().unwrap();
    assert!(error.to_string().contains("use https"), "{error}");
}

#[test]
fn a_client_can_be_built_over_a_network_of_its_own() {
    let server = Server::playing([]);
    let settings = settings(&server.url());
    let network = Network::new(&settings.timeouts, false).unwrap();
    let (network, clock) = (std::sync::Arc::new(network), std::sync::Arc::new(SystemClock));
    let client = Client::over(settings, Box::new(Anonymous), network, clock, 7).unwrap();
    assert_eq!(client.send(&call(), &Context::default()).unwrap().status, 200);
}

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}
