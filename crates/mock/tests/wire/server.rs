//! The server around the imitations: connections, bodies, keys, books.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Connection, HEADERS, rerank};
use secondpass_mock::{Kind, Mock, MockError, Plan, Settings};
use serde_json::{Value, json};

#[test]
fn each_of_its_own_paths_is_answered() {
    for (kind, path, id) in [
        (Kind::Cohere, "/v2/rerank", "x-debug-trace-id"),
        (Kind::Cohere, "/v1/rerank", "x-debug-trace-id"),
        (Kind::Azure, "/v2/rerank", "x-ms-request-id"),
        (Kind::Azure, "/v1/rerank", "x-ms-request-id"),
        (Kind::CohereCompatible, "/rerank", "x-request-id"),
        (Kind::CohereCompatible, "/v1/rerank", "x-request-id"),
        (Kind::CohereCompatible, "/v2/rerank", "x-request-id"),
        (Kind::Infinity, "/rerank", "x-request-id"),
        (Kind::LlamaCpp, "/v1/rerank", "x-request-id"),
    ] {
        let mock = Mock::start(Settings::new(kind)).unwrap();
        let mut connection = Connection::to(mock.address());
        let got = rerank(&mut connection, path, &["reset", "export invoices"]).unwrap();
        assert_eq!(got.status, 200, "{kind}{path} {}", got.text());
        assert_eq!(got.json()["results"][0]["index"], 1, "{kind}{path}");
        assert_eq!((got.header("content-type"), got.header(id)), ("application/json", "mock-1"));
        assert_eq!(got.header("x-secondpass-mock"), "1");
        let lost = rerank(&mut connection, "/v9/rerank", &["a"]).unwrap();
        assert_eq!((lost.status, lost.header("x-secondpass-mock")), (404, "1"), "{kind}");
    }
}

#[test]
fn a_key_that_is_set_is_the_only_one() {
    let ours = [Kind::CohereCompatible, Kind::Infinity, Kind::LlamaCpp];
    for kind in [Kind::Cohere, Kind::Azure].into_iter().chain(ours) {
        let path = if kind == Kind::Infinity { "/rerank" } else { "/v1/rerank" };
        let body = json!({ "query": "q", "documents": ["d"] }).to_string();
        let status = |set: Option<&str>, given: Option<&str>| {
            let settings = Settings { key: set.map(str::to_owned), ..Settings::new(kind) };
            let mock = Mock::start(settings).unwrap();
            let mut headers = vec![HEADERS[1]];
            let given = given.map(|key| format!("Bearer {key}"));
            headers.extend(given.as_deref().map(|key| ("authorization", key)));
            let got = Connection::to(mock.address()).send(path, &headers, body.as_bytes()).unwrap();
            got.status
        };
        assert_eq!(status(Some("right"), Some("right")), 200, "{kind}");
        assert_eq!(status(Some("right"), Some("wrong")), 401, "{kind}");
        assert_eq!(status(Some("right"), None), 401, "{kind}");
        assert_eq!(status(None, Some("any")), 200, "{kind}");
        assert_eq!(status(None, None), if ours.contains(&kind) { 200 } else { 401 }, "{kind}");
    }
}

#[test]
fn sixty_four_connections_at_once_are_all_served() {
    let latency = Duration::from_millis(100);
    let mock = Mock::start(Settings { latency, ..Settings::new(Kind::Cohere) }).unwrap();
    let begun = Instant::now();
    let top = |call: usize| {
        let mut connection = Connection::to(mock.address());
        // Kept alive: the second call goes over the same connection.
        for round in 0..2 {
            let text = format!("export invoices {call} {round}");
            let got = rerank(&mut connection, "/v2/rerank", &["reset", &text]).unwrap();
            assert_eq!(got.json()["results"][0]["index"], 1);
            assert!(got.times.0 >= latency);
        }
    };
    std::thread::scope(|scope| {
        (0..64).for_each(|call| {
            scope.spawn(move || top(call));
        });
    });
    // One after another they would take 12.8 seconds.
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    let books = mock.books();
    let calls = books.calls();
    assert_eq!((calls.len(), books.acknowledged(), books.billed()), (128, 128, 128));
    assert!((32..=64).contains(&books.most_in_flight()), "{}", books.most_in_flight());
    assert_eq!((books.in_flight(), books.repeated()), (0, Vec::new()));
    let requests: BTreeSet<_> = calls.iter().map(|call| call.request.clone()).collect();
    assert_eq!(requests.len(), 128);
    assert!(calls.windows(2).all(|pair| pair[0].arrived <= pair[1].arrived));
}

#[test]
fn long_bodies_are_read_and_longer_ones_refused() {
    let mock = Mock::start(Settings::new(Kind::Cohere)).unwrap();
    // The longest that is taken; what is in it is another matter.
    let body = vec![b'x'; 64 << 20];
    let got = Connection::to(mock.address()).send("/v2/rerank", &HEADERS, &body).unwrap();
    assert_eq!(got.status, 400, "{}", got.text());
    assert!(mock.books().calls()[0].request.is_some());

    let mut stream = TcpStream::connect(mock.address()).unwrap();
    let length = (64 << 20) + 1;
    write!(stream, "POST /v2/rerank HTTP/1.1\r\nhost: mock\r\ncontent-length: {length}\r\n\r\n")
        .unwrap();
    let mut left = length;
    let piece = vec![b' '; 1 << 20];
    while left > 0 {
        let sent = stream.write(&piece[..piece.len().min(left)]);
        match sent {
            Ok(sent) => left -= sent,
            Err(_) => break,
        }
    }
    let until = Instant::now() + Duration::from_secs(5);
    while mock.books().calls()[1].ended.is_none() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(mock.books().calls()[1].status, Some(413));
}

#[test]
fn packed_requests_are_unpacked() {
    let mock = Mock::start(Settings::new(Kind::Cohere)).unwrap();
    let body = br#"{"model": "rerank-v3.5", "query": "q", "documents": ["d"]}"#;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(body).unwrap();
    let packed = packed.finish().unwrap();
    let mut connection = Connection::to(mock.address());
    let mut status = |coding: &str, body: &[u8]| {
        let headers = [HEADERS[0], HEADERS[1], ("content-encoding", coding)];
        connection.send("/v2/rerank", &headers, body).unwrap().status
    };
    assert_eq!(status("gzip", &packed), 200);
    assert_eq!(status("gzip", body), 400);
    assert_eq!(status("br", body), 415);
    let calls = mock.books().calls();
    assert_eq!(calls[1].request, None);
}

#[test]
fn an_answer_that_was_read_is_in_the_books() {
    let mock = Mock::start(Settings::new(Kind::Cohere)).unwrap();
    let books = mock.books();
    let mut connection = Connection::to(mock.address());
    for call in 1..=200 {
        rerank(&mut connection, "/v2/rerank", &[&call.to_string()]).unwrap();
        assert_eq!((books.acknowledged(), books.in_flight()), (call, 0));
    }
    assert_eq!(books.most_in_flight(), 1);
}

/// What the client counted and what the books say must be one thing, whatever goes wrong.
#[test]
fn books_and_client_agree_under_load() {
    let rules = ["2%:500", "1%:reset", "1%:nan", "1%:truncated", "1%:slow-body=20ms"];
    let rules = rules.map(|rule| rule.parse().unwrap()).to_vec();
    let faults = Plan::new(rules, 7);
    let mock = Mock::start(Settings { faults, ..Settings::new(Kind::Cohere) }).unwrap();
    let [good, cut, refused, damaged] = [(); 4].map(|()| AtomicUsize::new(0));
    let call = |connection: &mut Connection, number: usize| {
        let document = format!("invoices {number}");
        match rerank(connection, "/v2/rerank", &["reset", &document]) {
            Err(_) => &cut,
            Ok(got) if got.status != 200 => &refused,
            Ok(got) => match serde_json::from_slice::<Value>(&got.body) {
                Ok(body) => {
                    assert_eq!(body["results"][0]["index"], 1);
                    &good
                }
                Err(_) => &damaged,
            },
        }
    };
    let calls = 2_048;
    std::thread::scope(|scope| {
        for worker in 0..64 {
            let (call, mock, cut) = (&call, &mock, &cut);
            scope.spawn(move || {
                let mut connection = Connection::to(mock.address());
                for number in 0..calls / 64 {
                    let counter = call(&mut connection, worker * 1_000 + number);
                    counter.fetch_add(1, Ordering::Relaxed);
                    if std::ptr::eq(counter, cut) {
                        connection = Connection::to(mock.address());
                    }
                }
            });
        }
    });
    let books = mock.books();
    let with = |names: &[&str]| {
        let fits = |fault: &String| names.contains(&fault.as_str());
        books.calls().iter().filter(|call| call.fault.as_ref().is_some_and(fits)).count()
    };
    let [good, cut, refused, damaged] = [good, cut, refused, damaged].map(AtomicUsize::into_inner);
    assert_eq!(books.calls().len(), calls);
    assert_eq!(books.acknowledged(), good);
    assert_eq!(with(&["reset"]), cut);
    assert_eq!(with(&["500"]), refused);
    assert_eq!(with(&["nan", "truncated"]), damaged);
    assert!(cut > 0 && refused > 0 && damaged > 0, "{cut} {refused} {damaged}");
    assert_eq!(books.billed() as usize, calls - refused);
    assert!(books.repeated().is_empty() && books.most_in_flight() <= 64);
}

#[test]
fn it_stops_when_dropped_and_gives_its_port_back() {
    let mock = Mock::start(Settings::new(Kind::Cohere)).unwrap();
    let port = mock.address().port();
    assert_eq!(mock.base_url(), format!("http://127.0.0.1:{port}"));
    let taken = Mock::start(Settings { port, ..Settings::new(Kind::Cohere) });
    let error = taken.err().unwrap();
    assert!(matches!(error, MockError::Port { port: named, .. } if named == port));
    assert!(error.to_string().contains(&port.to_string()), "{error}");

    let books = mock.books();
    drop(mock);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(books.calls().is_empty());
    Mock::start(Settings { port, ..Settings::new(Kind::Cohere) }).unwrap();
}

#[test]
fn a_key_is_not_shown() {
    let settings = Settings { key: Some("s3cret".into()), ..Settings::new(Kind::Cohere) };
    assert!(!format!("{settings:?}").contains("s3cret"));
}
