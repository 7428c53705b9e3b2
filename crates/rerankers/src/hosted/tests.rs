//! What [`Hosted`] does with any provider: an API of the tests' own, exchanges in place of sockets.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;
use secondpass_core::{
    Billed, BillingUnit, Context, Destination, Failed, Identity, Job, Origin, Quote, RerankError,
    Reranked, Reranker, Scoring, Tariff, TruncationAudit,
};
use secondpass_http::{
    Anonymous, Answer, Call, Client, Exchange, ExchangeError, HttpError, ManualClock, NoAnswer,
    Rates, Reply, Request, RetryPolicy, Settings,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Api, Bill, CallTokens, CountTokens, Hosted, HostedParts, Scored};
use crate::sequential::tests::{job, order, outcomes};

const SECOND: Duration = Duration::from_secs(1);

/// An API that bills two units a document, tells what it is told to tell, and takes few documents.
#[derive(Clone, Copy)]
struct Toy {
    size: usize,
    cuts: bool,
}

#[derive(Serialize, Deserialize)]
struct Ask {
    query: String,
    documents: Vec<String>,
}

#[derive(Deserialize)]
struct Told {
    /// Scores are texts, so that tests can say `nan` and `inf`.
    scores: Vec<(usize, String)>,
    units: Option<u64>,
    tokens: Option<u64>,
    server_seconds: Option<u64>,
}

impl Api for Toy {
    fn call(&self, query: &str, documents: &[String]) -> Call {
        Call::post("/rank", &Ask { query: query.to_owned(), documents: documents.to_vec() })
    }

    fn read(&self, reply: &Reply) -> Result<Scored, HttpError> {
        let told: Told = reply.json()?;
        Ok(Scored {
            scores: told.scores.iter().map(|(at, score)| (*at, score.parse().unwrap())).collect(),
            units: told.units,
            tokens: told.tokens,
            server: told.server_seconds.map(Duration::from_secs),
        })
    }

    fn score_range(&self) -> std::ops::RangeInclusive<f64> {
        -1e6..=1e6
    }

    fn documents_a_call(&self) -> usize {
        self.size
    }

    fn bill(&self, tokens: &CallTokens<'_>) -> Bill {
        let documents = tokens.documents.len() as u64;
        Bill { units: 2 * documents, chunks: 3 * documents }
    }

    fn truncation(&self, tokens: &CallTokens<'_>) -> Option<TruncationAudit> {
        let mut audit = TruncationAudit::default();
        for &document in tokens.documents {
            audit.note((tokens.query + document) as usize, 1);
        }
        self.cuts.then_some(audit)
    }
}

/// A token a word.
struct Words;

impl CountTokens for Words {
    fn count(&self, text: &str) -> u64 {
        text.split_whitespace().count() as u64
    }
}

type Respond = dyn Fn(&Ask, &ManualClock) -> Result<Answer, ExchangeError> + Send + Sync;

/// Answers as a test says, and counts.
struct Stub {
    respond: Box<Respond>,
    clock: Arc<ManualClock>,
    seen: AtomicUsize,
}

impl Exchange for Stub {
    fn exchange(&self, request: &Request, _timeout: Duration) -> Result<Answer, ExchangeError> {
        self.seen.fetch_add(1, Ordering::SeqCst);
        let ask: Ask = serde_json::from_slice(&request.body).unwrap();
        (self.respond)(&ask, &self.clock)
    }
}

/// A reranker and what stands behind it.
struct Room {
    hosted: Hosted,
    stub: Arc<Stub>,
    clock: Arc<ManualClock>,
}

impl Room {
    fn seen(&self) -> usize {
        self.stub.seen.load(Ordering::SeqCst)
    }

    fn rerank(&self, job: &Job) -> Result<Reranked, Failed> {
        self.rerank_within(job, &Context::default())
    }

    fn rerank_within(&self, job: &Job, context: &Context) -> Result<Reranked, Failed> {
        outcomes(&self.hosted, std::slice::from_ref(job), context).pop().unwrap()
    }
}

struct Plan {
    toy: Toy,
    unit: Option<BillingUnit>,
    attempts: u32,
    concurrency: usize,
    rates: Rates,
}

impl Default for Plan {
    fn default() -> Self {
        let toy = Toy { size: 10, cuts: true };
        let unit = Some(BillingUnit::SearchUnit);
        Self { toy, unit, attempts: 1, concurrency: 1, rates: Rates::default() }
    }
}

impl Plan {
    fn room(
        self,
        respond: impl Fn(&Ask, &ManualClock) -> Result<Answer, ExchangeError> + Send + Sync + 'static,
    ) -> Room {
        let clock = Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH));
        let stub = Stub { respond: Box::new(respond), clock: clock.clone(), seen: 0.into() };
        let stub = Arc::new(stub);
        let retry = RetryPolicy::new(self.attempts, SECOND, SECOND).unwrap();
        let settings = Settings {
            retry,
            rates: self.rates,
            ..Settings::new("example", "https://rank.example")
        };
        let client =
            Client::over(settings, Box::new(Anonymous), stub.clone(), clock.clone(), 7).unwrap();
        let identity = Identity {
            name: "toy".into(),
            provider: "example".into(),
            model: "toy-1".into(),
            revision: None,
            weights: None,
            endpoint: Some("https://rank.example".into()),
            device: None,
            dtype: None,
            max_length: None,
            truncation: None,
            scoring: Scoring::Pointwise,
        };
        let destination = Destination {
            host: "rank.example".into(),
            region: None,
            self_hosted: false,
            fields: vec!["query text".into(), "document text".into()],
            retention: None,
        };
        let hosted = Hosted::new(HostedParts {
            identity,
            api: Box::new(self.toy),
            client,
            destination,
            tariff: self.unit.map(|unit| Tariff { unit, price: None }),
            tokens: Box::new(Words),
            concurrency: self.concurrency,
        });
        Room { hosted, stub, clock }
    }
}

fn answer(body: serde_json::Value) -> Answer {
    Answer { status: 200, headers: Vec::new(), body: serde_json::to_vec(&body).unwrap() }
}

fn with_headers(headers: &[(&str, &str)], answer: Answer) -> Answer {
    let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    Answer { headers: headers.collect(), ..answer }
}

/// Every document scored by the number that it is, last ones first.
fn scored(ask: &Ask) -> serde_json::Value {
    let scores: Vec<_> = ask.documents.iter().enumerate().rev().collect();
    json!({ "scores": scores })
}

fn status(status: u16) -> Result<Answer, ExchangeError> {
    Ok(Answer { status, ..Answer::default() })
}

fn numbers(texts: &[&str]) -> Job {
    let ids: Vec<String> = (0..texts.len()).map(|at| format!("d{at}")).collect();
    let texts: Vec<(&str, &str)> =
        ids.iter().map(String::as_str).zip(texts.iter().copied()).collect();
    job("two words", &texts)
}

fn message(failed: &Failed) -> String {
    failed.error.to_string()
}

#[test]
fn parts_are_put_together_and_counted() {
    let room = Plan { toy: Toy { size: 2, cuts: true }, ..Plan::default() }
        .room(|ask, _| Ok(answer(scored(ask))));
    let reranked = room.rerank(&numbers(&["3", "1", "5", "2", "4"])).unwrap();
    assert_eq!(order(&reranked), ["d2", "d4", "d0", "d3", "d1"]);
    assert_eq!((reranked.usage.pairs, reranked.usage.tokens), (5, 5 * 3));
    let billed = Billed { calls: 3, chunks: 15, estimated: 10, untold: 10, ..Billed::default() };
    assert_eq!(reranked.usage.billed, billed);
    let audit = reranked.truncation.unwrap();
    assert_eq!((audit.pairs, audit.tokens, audit.tokens_cut), (5, 15, 5));
    assert!(audit.estimated);
    assert_eq!(reranked.origin, Origin::Live);
    assert_eq!(room.seen(), 3);
}

#[test]
fn what_the_answer_tells_counts_before_the_estimate() {
    let room = Plan { attempts: 3, toy: Toy { size: 9, cuts: false }, ..Plan::default() };
    let room =
        room.room(|_, _| Ok(answer(json!({ "scores": [[0, "1"]], "units": 7, "tokens": 40 }))));
    let reranked = room.rerank(&numbers(&["1"])).unwrap();
    assert_eq!(reranked.usage.tokens, 40);
    let billed = Billed { calls: 1, chunks: 3, estimated: 2, reported: 7, ..Billed::default() };
    assert_eq!(reranked.usage.billed, billed);
    assert_eq!(reranked.truncation, None);
}

#[test]
fn attempts_whose_answer_was_lost_are_doubtful() {
    let left = Mutex::new(vec![
        status(429),
        status(503),
        Err(ExchangeError { kind: NoAnswer::Broken, begun: None, detail: "cut".into() }),
    ]);
    let room = Plan { attempts: 4, ..Plan::default() };
    let room = room
        .room(move |ask, _| left.lock().unwrap().pop().unwrap_or_else(|| Ok(answer(scored(ask)))));
    let billed = room.rerank(&numbers(&["1", "2"])).unwrap().usage.billed;
    assert_eq!((billed.calls, billed.estimated, billed.untold), (4, 4, 4));
    assert_eq!(billed.doubtful, 2 * 4, "the 503 and the broken one, not the 429");
}

#[test]
fn the_tariff_says_what_is_counted() {
    for (unit, units, quoted) in [
        (Some(BillingUnit::Token), 4, Some(Quote { units: 4, most: 12 })),
        (Some(BillingUnit::Request), 1, Some(Quote { units: 1, most: 3 })),
        (Some(BillingUnit::Hour), 0, Some(Quote { units: 0, most: 0 })),
        (None, 0, None),
    ] {
        let room = Plan { unit, attempts: 3, ..Plan::default() };
        let room = room.room(|ask, _| Ok(answer(scored(ask))));
        let job = numbers(&["1", "2"]);
        assert_eq!(room.hosted.quote(&job), quoted, "{unit:?}");
        let billed = room.rerank(&job).unwrap().usage.billed;
        assert_eq!((billed.estimated, billed.units(), billed.calls), (units, units, 1), "{unit:?}");
    }
}

#[test]
fn units_of_another_kind_are_not_those_of_the_tariff() {
    let room = Plan { unit: Some(BillingUnit::Request), ..Plan::default() }
        .room(|_, _| Ok(answer(json!({ "scores": [[0, "1"]], "units": 700 }))));
    let billed = room.rerank(&numbers(&["1"])).unwrap().usage.billed;
    assert_eq!((billed.reported, billed.untold), (0, 1));
}

#[test]
fn the_most_counts_every_attempt_of_every_part() {
    let room = Plan { attempts: 3, toy: Toy { size: 2, cuts: true }, ..Plan::default() };
    let room = room.room(|ask, _| Ok(answer(scored(ask))));
    let quote = room.hosted.quote(&numbers(&["1"; 5])).unwrap();
    assert_eq!(quote, Quote { units: 10, most: 30 });
    assert_eq!(room.hosted.quote(&numbers(&[])).unwrap(), Quote::default());
    assert_eq!(room.seen(), 0);
}

#[test]
fn wrong_answers_are_told_and_have_been_paid_for() {
    for (scores, told) in [
        (json!([[0, "1"], [1, "2"], [2, "3"]]), "it scores index 2, and 2 documents were sent"),
        (json!([[0, "1"], [0, "2"]]), "it scores index 0 twice"),
        (json!([[1, "1"]]), "it does not score index 0 of 2 documents"),
        (json!([]), "it does not score index 0 of 2 documents"),
        (json!([[0, "1"], [1, "nan"]]), "the score of index 1 is NaN"),
        (json!([[0, "-inf"], [1, "1"]]), "the score of index 0 is -inf"),
        (json!([[0, "1"], [1, "2e6"]]), "the score of index 1 is 2000000, not from -1000000 to"),
    ] {
        let room =
            Plan::default().room(move |_, _| Ok(answer(json!({ "scores": scores, "units": 9 }))));
        let failed = room.rerank(&numbers(&["1", "2"])).unwrap_err();
        assert!(matches!(failed.error, RerankError::Scoring { .. }), "{failed:?}");
        assert!(message(&failed).contains(told), "{}", message(&failed));
        assert!(
            message(&failed).starts_with("query 'q': example at https://rank.example"),
            "{failed:?}"
        );
        let billed = failed.usage.billed;
        assert_eq!((failed.usage.pairs, billed.calls, billed.reported), (0, 1, 9), "{told}");
    }
    let room = Plan::default().room(|_, _| status(200));
    let failed = room.rerank(&numbers(&["1", "2"])).unwrap_err();
    assert_eq!(failed.usage.billed.untold, 4, "no JSON: {}", message(&failed));
}

#[test]
fn parts_that_succeeded_are_not_forgotten() {
    let begun = Arc::new(AtomicUsize::new(0));
    let room = Plan { toy: Toy { size: 1, cuts: true }, ..Plan::default() };
    let room = room.room(move |ask, _| {
        begun.fetch_add(1, Ordering::SeqCst);
        wait_until(|| begun.load(Ordering::SeqCst) == 3);
        match ask.documents[0].as_str() {
            "2" => status(500),
            _ => Ok(answer(scored(ask))),
        }
    });
    let failed = room.rerank(&numbers(&["1", "2", "3"])).unwrap_err();
    assert!(message(&failed).contains("500"), "{}", message(&failed));
    assert_eq!((failed.usage.pairs, failed.usage.tokens), (2, 6));
    let billed = failed.usage.billed;
    assert_eq!((billed.calls, billed.estimated, billed.doubtful), (3, 4, 2));
}

#[test]
fn parts_go_out_at_the_same_time_and_the_longest_decides() {
    let begun = Arc::new(AtomicUsize::new(0));
    let room = Plan { toy: Toy { size: 1, cuts: true }, ..Plan::default() };
    let room = room.room(move |ask, _| {
        begun.fetch_add(1, Ordering::SeqCst);
        // Ends only if all four are under way.
        wait_until(|| begun.load(Ordering::SeqCst) == 4);
        let took =
            (SECOND.as_micros() as u64 * ask.documents[0].parse::<u64>().unwrap()).to_string();
        let headers =
            [(Origin::RECORDED_HEADER, "2026-11-01T00:00:00Z"), (Origin::TOOK_HEADER, &*took)];
        Ok(with_headers(&headers, answer(scored(ask))))
    });
    let reranked = room.rerank(&numbers(&["1", "4", "2", "3"])).unwrap();
    assert_eq!(reranked.timings.total(), 4 * SECOND);
}

#[test]
fn a_recorded_answer_has_the_recorded_time_and_the_oldest_date() {
    let at = |place: &str| format!("2026-11-0{place}T00:00:00Z");
    let room = Plan { toy: Toy { size: 1, cuts: true }, ..Plan::default() };
    let room = room.room(move |ask, clock| {
        clock.advance(90 * SECOND);
        let date = at(&ask.documents[0]);
        let headers = [(Origin::RECORDED_HEADER, &*date), (Origin::TOOK_HEADER, "250000")];
        Ok(with_headers(&headers, answer(scored(ask))))
    });
    let reranked = room.rerank(&numbers(&["3", "2", "4"])).unwrap();
    assert_eq!(reranked.origin, Origin::Replay { recorded: "2026-11-02T00:00:00Z".into() });
    assert_eq!(reranked.timings.network, Duration::from_millis(250));
    assert_eq!(reranked.timings.total(), Duration::from_millis(250));
}

#[test]
fn a_recorded_answer_must_say_how_long_it_took() {
    let headers = [(Origin::RECORDED_HEADER, "2026-11-01T00:00:00Z")];
    let room = Plan::default().room(move |ask, _| Ok(with_headers(&headers, answer(scored(ask)))));
    let failed = room.rerank(&numbers(&["1"])).unwrap_err();
    assert!(message(&failed).contains("record it again"), "{}", message(&failed));
}

#[test]
fn one_made_up_answer_makes_the_whole_made_up() {
    let room = Plan { toy: Toy { size: 1, cuts: true }, ..Plan::default() };
    let room = room.room(|ask, _| {
        let recorded =
            [(Origin::RECORDED_HEADER, "2026-11-01T00:00:00Z"), (Origin::TOOK_HEADER, "1")];
        Ok(match ask.documents[0].as_str() {
            "1" => with_headers(&[(Origin::MOCK_HEADER, "1")], answer(scored(ask))),
            "2" => with_headers(&recorded, answer(scored(ask))),
            _ => answer(scored(ask)),
        })
    });
    let origin = |texts: &[&str]| room.rerank(&numbers(texts)).unwrap().origin;
    assert_eq!(origin(&["3", "2", "1"]), Origin::Mock);
    assert!(matches!(origin(&["3", "2"]), Origin::Replay { .. }));
    assert_eq!(origin(&["3"]), Origin::Live);
}

#[test]
fn time_is_split_into_waiting_network_and_server() {
    let left = Mutex::new(1);
    let room = Plan { attempts: 2, ..Plan::default() };
    let room = room.room(move |_, clock| {
        clock.advance(5 * SECOND);
        let mut left = left.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            return status(503);
        }
        Ok(answer(json!({ "scores": [[0, "1"]], "server_seconds": 3 })))
    });
    let timings = room.rerank(&numbers(&["1"])).unwrap().timings;
    assert_eq!((timings.network, timings.server), (2 * SECOND, Some(3 * SECOND)));
    // The failed attempt and the pause after it, of at most a second.
    assert!((5 * SECOND..7 * SECOND).contains(&timings.queue), "{timings:?}");
    let whole = room.clock.passed();
    assert!(timings.total() >= whole && timings.total() < whole + SECOND, "{timings:?}");
}

#[test]
fn a_server_cannot_take_longer_than_its_answer() {
    let room = Plan::default().room(|_, clock| {
        clock.advance(SECOND);
        Ok(answer(json!({ "scores": [[0, "1"]], "server_seconds": 30 })))
    });
    let timings = room.rerank(&numbers(&["1"])).unwrap().timings;
    assert_eq!((timings.network, timings.server), (Duration::ZERO, Some(SECOND)));
}

#[test]
fn a_refusal_that_is_final_ends_all_jobs() {
    for refusal in [401, 402, 403] {
        let room = Plan { attempts: 3, ..Plan::default() }.room(move |_, _| status(refusal));
        let jobs = [numbers(&["1"]), numbers(&["2"]), numbers(&["3"])];
        let outcomes = outcomes(&room.hosted, &jobs, &Context::default());
        let calls = outcomes.into_iter().map(|outcome| {
            let failed = outcome.unwrap_err();
            assert!(matches!(failed.error, RerankError::Unavailable { .. }), "{failed:?}");
            failed.usage.billed.calls
        });
        assert_eq!(calls.collect::<Vec<_>>(), [1, 0, 0]);
        assert_eq!(room.seen(), 1);
    }
}

#[test]
fn a_refusal_that_is_not_final_leaves_the_other_jobs_alone() {
    let room = Plan::default().room(|ask, _| match ask.documents[0].as_str() {
        "1" => status(422),
        _ => Ok(answer(scored(ask))),
    });
    let outcomes = outcomes(&room.hosted, &[numbers(&["1"]), numbers(&["2"])], &Context::default());
    assert!(matches!(outcomes[0].as_ref().unwrap_err().error, RerankError::Scoring { .. }));
    assert!(outcomes[1].is_ok());
}

#[test]
fn a_stopped_context_sends_nothing() {
    let room = Plan { concurrency: 2, ..Plan::default() }.room(|_, _| status(500));
    let cancelled = Context::default();
    cancelled.cancel.set();
    let late = Context { deadline: Some(Instant::now()), ..Context::default() };
    for context in [cancelled, late] {
        for outcome in outcomes(&room.hosted, &[numbers(&["1"]), numbers(&["2"])], &context) {
            let failed = outcome.unwrap_err();
            assert!(matches!(failed.error, RerankError::Stopped(_)), "{failed:?}");
            assert!(failed.usage.billed.is_nothing());
        }
    }
    assert_eq!(room.seen(), 0);
}

#[test]
fn what_was_under_way_when_it_stopped_is_counted() {
    let context = Context::default();
    let cancel = context.cancel.clone();
    let room = Plan { attempts: 3, ..Plan::default() }.room(move |_, _| {
        cancel.set();
        status(503)
    });
    let failed = room.rerank_within(&numbers(&["1"]), &context).unwrap_err();
    assert!(matches!(failed.error, RerankError::Stopped(_)), "{failed:?}");
    assert_eq!((failed.usage.billed.calls, failed.usage.billed.doubtful), (1, 2));

    let context = Context::default();
    let cancel = context.cancel.clone();
    let room = Plan::default().room(move |ask, _| {
        cancel.set();
        Ok(answer(scored(ask)))
    });
    let paid = room.rerank_within(&numbers(&["1"]), &context);
    assert!(paid.is_ok(), "an answer that came is kept");
}

#[test]
fn jobs_run_at_the_same_time_and_are_reported_here() {
    let begun = Arc::new(AtomicUsize::new(0));
    let room = Plan { concurrency: 3, ..Plan::default() }.room(move |ask, _| {
        begun.fetch_add(1, Ordering::SeqCst);
        // Ends only if three are under way at once.
        wait_until(|| begun.load(Ordering::SeqCst) >= 3);
        Ok(answer(scored(ask)))
    });
    let jobs: Vec<Job> = (0..7).map(|_| numbers(&["1", "2"])).collect();
    let here = thread::current().id();
    let mut seen = BTreeMap::new();
    room.hosted.rerank_many(&jobs, &Context::default(), &mut |index, outcome| {
        assert_eq!(thread::current().id(), here);
        *seen.entry(index).or_insert(0) += usize::from(outcome.is_ok());
    });
    assert_eq!(seen, (0..7).map(|index| (index, 1)).collect());
}

#[test]
fn an_empty_job_calls_nobody() {
    let room = Plan::default().room(|_, _| status(500));
    let reranked = room.rerank(&numbers(&[])).unwrap();
    assert!(reranked.ranking.is_empty() && reranked.usage.billed.is_nothing());
    assert_eq!(room.seen(), 0);
}

#[test]
fn a_job_that_makes_no_ranking_costs_nothing() {
    let room = Plan::default().room(|ask, _| Ok(answer(scored(ask))));
    let failed = room.rerank(&job("q", &[("a", "1"), ("a", "2")])).unwrap_err();
    assert!(matches!(failed.error, RerankError::Ranking(_)), "{failed:?}");
    assert_eq!(room.seen(), 0);
}

#[test]
fn tokens_a_minute_are_kept() {
    let rates = Rates { tokens: Some(60.0), ..Rates::default() };
    let room = Plan { rates, ..Plan::default() }.room(|ask, _| Ok(answer(scored(ask))));
    for _ in 0..3 {
        // Two words of the query and one of the document, with each of two documents.
        room.rerank(&numbers(&["1", "2"])).unwrap();
    }
    let passed = room.clock.passed().as_secs_f64();
    assert!((passed - 12.0).abs() < 0.5, "two calls of 6 tokens at one a second: {passed}");
}

/// Waits for other threads; gives up, and lets the test fail, after a while.
fn wait_until(done: impl Fn() -> bool) {
    let end = Instant::now() + 10 * SECOND;
    while !done() {
        assert!(Instant::now() < end, "the others never came");
        thread::sleep(Duration::from_millis(1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Guards the indexes: whatever the split and the order of answers.
    #[test]
    fn each_document_gets_its_own_score(
        scores in prop::collection::vec(-1000_i32..1000, 0..40),
        size in 1_usize..12,
        concurrency in 1_usize..4,
        turn in 0_usize..7,
    ) {
        let room = Plan { toy: Toy { size, cuts: true }, concurrency, ..Plan::default() };
        let room = room.room(move |ask, _| {
            let mut scores: Vec<_> = ask.documents.iter().enumerate().collect();
            let by = turn % scores.len().max(1);
            scores.rotate_left(by);
            if turn % 2 == 0 {
                scores.reverse();
            }
            Ok(answer(json!({ "scores": scores })))
        });
        let texts: Vec<String> = scores.iter().map(i32::to_string).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let jobs = vec![numbers(&texts); 3];
        for outcome in outcomes(&room.hosted, &jobs, &Context::default()) {
            let reranked = outcome.unwrap();
            prop_assert_eq!(reranked.ranking.len(), scores.len());
            for ranked in reranked.ranking.ranked() {
                let at: usize = ranked.document.as_str()[1..].parse().unwrap();
                prop_assert_eq!(ranked.score, Some(f64::from(scores[at])));
            }
            let calls = scores.len().div_ceil(size) as u64;
            prop_assert_eq!(reranked.usage.billed.calls, calls);
            prop_assert_eq!(reranked.usage.pairs, scores.len() as u64);
        }
    }
}
