//! Every fault, as a client sees it.

use std::io::{ErrorKind, Read};
use std::time::{Duration, SystemTime};

use crate::support::{Connection, Cut, Got, HEADERS, rerank};
use secondpass_mock::{Books, Fault, Kind, Mock, Plan, Rule, Settings, Wait, When};
use serde_json::Value;

const DOCUMENTS: [&str; 3] = ["reset a password", "export all invoices", "invoices"];
const SLOW: Duration = Duration::from_millis(80);

fn always(kind: Kind, fault: Fault) -> Mock {
    let faults = Plan::new(vec![Rule { when: When::Always, fault }], 0);
    Mock::start(Settings { faults, ..Settings::new(kind) }).unwrap()
}

/// A call that meets the fault, and the books about it.
fn met(fault: Fault) -> (Result<Got, Cut>, Books) {
    let mock = always(Kind::Cohere, fault);
    let got = rerank(&mut Connection::to(mock.address()), "/v2/rerank", &DOCUMENTS);
    (got, mock.books())
}

fn answered(fault: Fault) -> Got {
    let (got, books) = met(fault.clone());
    let got = got.unwrap_or_else(|cut| panic!("{fault}: {cut:?}"));
    let calls = books.calls();
    let call = &calls[0];
    assert_eq!((call.status, call.delivered), (Some(got.status), true), "{call:?}");
    assert_eq!(call.fault, Some(fault.to_string()));
    assert_eq!(
        (call.billed, call.good),
        (u64::from(fault.bills()), fault.leaves_good()),
        "{call:?}"
    );
    assert_eq!(got.header("x-secondpass-mock"), "1", "{fault}");
    assert_eq!(got.header("x-debug-trace-id"), "mock-1", "{fault}");
    got
}

fn indexes(body: &Value) -> Vec<u64> {
    let results = body["results"].as_array().unwrap().iter();
    results.map(|result| result["index"].as_u64().unwrap()).collect()
}

#[test]
fn slow_headers_keep_everything_back() {
    let got = answered(Fault::SlowHeaders(SLOW));
    assert!(got.times.0 >= SLOW, "{:?}", got.times);
    assert_eq!(indexes(&got.json()), [1, 2, 0]);
}

#[test]
fn a_slow_body_comes_after_its_headers() {
    let got = answered(Fault::SlowBody(SLOW));
    // The first piece waits for an eighth.
    assert!(got.times.1 - got.times.0 >= SLOW / 2 && got.times.1 >= SLOW, "{:?}", got.times);
    assert_eq!(indexes(&got.json()), [1, 2, 0]);
}

#[test]
fn a_hanging_call_stays_open_until_the_client_gives_up() {
    let mock = always(Kind::Cohere, Fault::Hang);
    let mut connection = Connection::to(mock.address()).patience(SLOW);
    let error = rerank(&mut connection, "/v2/rerank", &DOCUMENTS).unwrap_err().error;
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    let books = mock.books();
    assert_eq!(books.in_flight(), 1);
    drop(connection);
    let until = std::time::Instant::now() + Duration::from_secs(5);
    while books.in_flight() > 0 {
        assert!(std::time::Instant::now() < until, "{:?}", books.calls());
        std::thread::sleep(Duration::from_millis(2));
    }
    let call = &books.calls()[0];
    assert_eq!((call.status, call.billed, call.delivered), (None, 1, false));
}

#[test]
fn a_reset_comes_after_half_of_the_body() {
    let (got, books) = met(Fault::Reset);
    let cut = got.unwrap_err();
    assert_eq!(cut.error.kind(), ErrorKind::ConnectionReset);
    assert!(String::from_utf8(cut.body).unwrap().starts_with("{\"id\""));
    let call = &books.calls()[0];
    assert_eq!((call.status, call.billed, call.delivered, call.good), (Some(200), 1, false, false));
}

#[test]
fn failures_have_the_providers_form() {
    for status in [400, 401, 402, 429, 498, 500, 502, 503, 504] {
        let got = answered(Fault::Status { status, wait: None });
        assert_eq!(got.status, status);
        assert!(got.json()["message"].is_string() && got.json()["id"].is_string(), "{got:?}");
        for name in ["retry-after", "x-ratelimit-reset"] {
            assert!(!got.headers.contains_key(name), "{got:?}");
        }
    }
}

#[test]
fn refusals_say_when_to_come_back() {
    let got = |wait| answered(Fault::Status { status: 429, wait: Some(wait) });
    assert_eq!(got(Wait::Seconds(2)).header("retry-after"), "2");

    let before = SystemTime::now();
    let date = got(Wait::Date(2));
    let date = httpdate::parse_http_date(date.header("retry-after")).unwrap();
    let from_now = date.duration_since(before).unwrap();
    assert!((2..10).contains(&from_now.as_secs()), "{from_now:?}");

    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let reset: u64 = got(Wait::Reset(2)).header("x-ratelimit-reset").parse().unwrap();
    assert!((2..10).contains(&(reset - now)), "{reset} {now}");
}

#[test]
fn a_page_of_html_is_no_json() {
    for status in [502, 200] {
        let got = answered(Fault::Html(status));
        assert_eq!(got.status, status);
        assert!(got.header("content-type").starts_with("text/html"), "{got:?}");
        assert!(got.text().starts_with("<!DOCTYPE html>"), "{got:?}");
    }
}

#[test]
fn truncated_json_arrives_whole_as_far_as_http_knows() {
    let got = answered(Fault::Truncated);
    assert_eq!(got.header("content-length"), got.body.len().to_string());
    assert!(serde_json::from_slice::<Value>(&got.body).unwrap_err().is_eof());
}

#[test]
fn scores_that_are_none() {
    for (fault, word) in [(Fault::Nan, "NaN"), (Fault::Infinite, "Infinity")] {
        let got = answered(fault);
        assert!(got.text().contains(&format!("\"relevance_score\":{word}}}")), "{}", got.text());
        assert!(serde_json::from_slice::<Value>(&got.body).is_err());
    }
    let body = answered(Fault::OutOfRange).json();
    assert_eq!(body["results"][0]["relevance_score"], 1.5);
}

#[test]
fn indexes_that_do_not_fit() {
    assert_eq!(indexes(&answered(Fault::Duplicate).json()), [1, 2, 1]);
    assert_eq!(indexes(&answered(Fault::Missing).json()), [1, 2]);
    assert_eq!(indexes(&answered(Fault::IndexOutOfRange).json()), [1, 2, 3]);
}

#[test]
fn extra_fields_leave_the_rest_as_it_was() {
    let body = answered(Fault::ExtraFields).json();
    assert!(body["unheard_of"].is_object() && body["results"][0]["unheard_of"].is_string());
    assert_eq!(indexes(&body), [1, 2, 0]);
}

#[test]
fn gzip_is_for_clients_that_take_it() {
    let faulty = always(Kind::Cohere, Fault::Gzip);
    let zipping = Mock::start(Settings { gzip: true, ..Settings::new(Kind::Cohere) }).unwrap();
    for mock in [faulty, zipping] {
        let body = br#"{"model": "rerank-v3.5", "query": "q", "documents": ["d"]}"#;
        for (accepts, packed) in
            [("br, gzip;q=0.5", true), ("identity", false), ("gzip;q=0", false)]
        {
            let headers = [HEADERS[0], HEADERS[1], ("accept-encoding", accepts)];
            let got = Connection::to(mock.address()).send("/v2/rerank", &headers, body).unwrap();
            let coding = if packed { "gzip" } else { "" };
            assert_eq!(got.header("content-encoding"), coding, "{accepts}");
            let mut text = String::new();
            if packed {
                flate2::read::GzDecoder::new(&*got.body).read_to_string(&mut text).unwrap();
            } else {
                text.push_str(got.text());
            }
            assert_eq!(indexes(&serde_json::from_str(&text).unwrap()), [0], "{accepts}");
        }
        assert!(mock.books().calls().iter().all(|call| call.is_acknowledged()));
    }
}

#[test]
fn a_redirect_leads_to_another_host() {
    let got = answered("redirect".parse().unwrap());
    let target = "https://elsewhere.invalid/v2/rerank";
    assert_eq!((got.status, got.header("location")), (307, target));
    let got = answered(Fault::Redirect("http://127.0.0.1:9/".into()));
    assert_eq!(got.header("location"), "http://127.0.0.1:9/v2/rerank");
}

#[test]
fn faults_come_when_the_plan_says() {
    let rules = ["2:500", "3-4:429"].map(|rule| rule.parse().unwrap()).to_vec();
    let settings = Settings { faults: Plan::new(rules, 0), ..Settings::new(Kind::Cohere) };
    let mock = Mock::start(settings).unwrap();
    let mut connection = Connection::to(mock.address());
    let statuses = [0; 5].map(|_| {
        // A look around is no call.
        connection.get("/health").unwrap();
        rerank(&mut connection, "/v2/rerank", &DOCUMENTS).unwrap().status
    });
    assert_eq!(statuses, [200, 500, 429, 429, 200]);
    let books = mock.books();
    assert_eq!((books.calls().len(), books.billed(), books.acknowledged()), (5, 2, 2));
    // The same request was answered twice, though the faults between them do not count.
    assert_eq!(books.repeated().len(), 1);
}

#[test]
fn a_fault_that_does_not_fit_is_not_entered() {
    // llama.cpp gives logits, which have no range.
    let mock = always(Kind::LlamaCpp, Fault::OutOfRange);
    let got = rerank(&mut Connection::to(mock.address()), "/v1/rerank", &DOCUMENTS).unwrap();
    assert_eq!(got.json()["results"].as_array().unwrap().len(), 3);
    assert_eq!((mock.books().calls()[0].fault.as_deref(), mock.books().acknowledged()), (None, 1));
}
