//! Two thousand calls, 64 at a time, of which one in twenty goes wrong: what comes back, what was
//! sent, what is billed, how fast it went out, and what it takes of this machine.
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use secondpass_core::{
    Billed, BillingUnit, Candidate, Context, Destination, Document, Failed, Identity, Job, Query,
    RerankError, Reranked, Reranker, Scoring, Tariff,
};
use secondpass_http::{
    Bearer, Client, ErrorKind, HttpError, Network, Rates, RetryPolicy, Secret, Settings,
    SystemClock, Timeouts,
};
use secondpass_mock::{Books, Call, Kind, Mock, Plan, score, tokens};
use secondpass_rerankers::hosted::{Api, Cohere, CountTokens, Hosted, HostedParts, Options, Tei};

/// Calls that would be sent if nothing went wrong.
const CALLS: usize = 2000;
const IN_FLIGHT: usize = 64;
/// Enough that chance alone never uses them up: of two thousand calls one in ten million.
const ATTEMPTS: u32 = 8;
/// Of an attempt: far more than a busy machine takes for a good answer, which must not be asked for
/// twice.
const TIMEOUT: Duration = Duration::from_secs(6);
/// A minute: below what an unoptimized build on one core sends.
const RATE: f64 = 15_000.0;
/// How long the server works on each call: so long that many are out, and 64 reach the rate.
const LATENCY: Duration = Duration::from_millis(200);
/// Bytes of a document, of which a call has eight or 32.
const LONG: usize = 600;
/// What may come on top between a quarter of the calls and the last one; a body of each call would
/// be twice as much.
const GROWTH: u64 = 4 << 20;

/// One in twenty together, and one that never answers. The client gets over them.
const PASSING: [&str; 9] = [
    "150:hang",
    "0.5%:500",
    "0.5%:502",
    "0.5%:503",
    "0.5%:504",
    "0.5%:429",
    "0.5%:html=502",
    "0.5%:reset",
    "0.5%:slow-headers=100ms",
];
/// The rest of one in twenty, where an answer that cannot be used fails its job alone.
const SPOILED: [&str; 4] = ["0.25%:truncated", "0.25%:nan", "0.25%:duplicate", "0.25%:missing"];
const SLOW: [&str; 1] = ["1%:slow-body=100ms"];

/// Threads and memory are the process's: one load at a time.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn two_thousand_calls_of_one_query_each() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let rules: Vec<&str> = PASSING.into_iter().chain(SPOILED).collect();
    let mock = mock(Kind::Cohere, &rules, 11);
    let jobs: Vec<Job> = (0..CALLS).map(|number| job(number, 8)).collect();
    let opened = Instant::now();
    let model = Options { model: Some("rerank-v3.5".to_owned()), ..Options::default() };
    let rates = Rates { requests: Some(RATE), ..Rates::default() };
    let cohere =
        hosted(&mock, Box::new(Cohere::new(&model).unwrap()), Some(BillingUnit::SearchUnit), rates);
    let load = Load::of(&cohere, &jobs);
    let took = opened.elapsed();
    let calls = mock.books().calls();
    load.is_right(&jobs, &mock.books(), |score| score);
    keeps_to_the_rate(&calls, took);

    // A job fails where its answer was spoiled, and nowhere else.
    let spoiled = |call: &&Call| call.status == Some(200) && call.delivered && !call.good;
    let spoiled: Vec<&Call> = calls.iter().filter(spoiled).collect();
    let failed: Vec<&Failed> = load.results.iter().filter_map(|r| r.as_ref().err()).collect();
    assert_eq!(failed.len(), spoiled.len());
    assert!(failed.len() > 5, "{} of {CALLS}", failed.len());
    for failed in failed {
        let RerankError::Scoring { source, .. } = &failed.error else { panic!("{failed:?}") };
        let kind = source.downcast_ref::<HttpError>().unwrap().kind();
        assert!(matches!(kind, ErrorKind::NotJson | ErrorKind::BadAnswer), "{kind:?}");
    }
    assert_eq!(mock.books().acknowledged() + spoiled.len(), CALLS);

    // What is on the bill is what is told: an answer that was lost counts as doubtful.
    let is_answer = |call: &&Call| call.status == Some(200) && call.delivered;
    let lost = |call: &&Call| match call.status {
        Some(200) => !call.delivered,
        Some(status) => status >= 500,
        None => true,
    };
    let units: u64 = calls.iter().filter(is_answer).map(|call| call.billed).sum();
    let billed = load.billed();
    assert_eq!((billed.units(), billed.estimated), (units, units));
    assert_eq!(billed.doubtful, calls.iter().filter(lost).count() as u64);
    let hidden = ["truncated", "nan"].map(|fault| Some(fault.to_owned()));
    let untold = calls.iter().filter(|call| hidden.contains(&call.fault)).count() as u64;
    assert_eq!(billed.untold, untold);
    let on_the_bill = mock.books().billed();
    assert!(units < on_the_bill && on_the_bill <= units + billed.doubtful, "{on_the_bill}");

    // Whatever failed is whole when it is asked for again.
    let again: Vec<Job> = (jobs.iter().zip(&load.results))
        .filter(|(_, result)| result.is_err())
        .map(|(job, _)| job.clone())
        .collect();
    let quiet = self::mock(Kind::Cohere, &[], 0);
    let api = Box::new(Cohere::new(&model).unwrap());
    let cohere = hosted(&quiet, api, Some(BillingUnit::SearchUnit), rates);
    let rest = Load::of(&cohere, &again);
    rest.is_right(&again, &quiet.books(), |score| score);
    assert!(rest.results.iter().all(Result::is_ok));
}

#[test]
fn two_thousand_calls_of_queries_that_are_split() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let rules: Vec<&str> = PASSING.into_iter().chain(SLOW).collect();
    let mock = mock(Kind::Tei, &rules, 12);
    // Calls of 32, 32 and 6 documents.
    let jobs: Vec<Job> = (0..CALLS / 3 + 1).map(|number| job(number, 70)).collect();
    let tei = Box::new(Tei::new(&Options::default()).unwrap());
    let load = Load::of(&hosted(&mock, tei, None, Rates::default()), &jobs);
    // It is asked for logits.
    load.is_right(&jobs, &mock.books(), |score| (score / (1.0 - score)).ln());
    assert!(load.results.iter().all(Result::is_ok));
    assert_eq!(mock.books().acknowledged(), 3 * jobs.len());
    let billed = load.billed();
    assert_eq!(billed, Billed { calls: billed.calls, chunks: billed.chunks, ..Billed::default() });
}

/// What came of many jobs at once.
struct Load {
    /// In the order of the jobs.
    results: Vec<Result<Reranked, Failed>>,
    before: Machine,
    /// After a quarter, and after the last job.
    quarter: Machine,
    last: Machine,
    /// When all was over.
    after: Machine,
    most_threads: u64,
}

/// Of this process, as the kernel counts; nothing where it does not tell.
#[derive(Clone, Copy, Debug, Default)]
struct Machine {
    /// Bytes in memory.
    resident: u64,
    threads: u64,
}

impl Machine {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let number = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        Self { resident: number("VmRSS:") << 10, threads: number("Threads:") }
    }
}

impl Load {
    fn of(hosted: &Hosted, jobs: &[Job]) -> Self {
        let before = Machine::now();
        let mut results: Vec<_> = jobs.iter().map(|_| None).collect();
        let (mut done, mut most_threads) = (0, 0);
        let (mut quarter, mut last) = (before, before);
        hosted.rerank_many(jobs, &Context::default(), &mut |index, result| {
            assert!(results[index].replace(result).is_none(), "done is called once a job");
            done += 1;
            if done % 16 == 0 {
                last = Machine::now();
                most_threads = most_threads.max(last.threads);
            }
            if done == jobs.len().div_ceil(4) {
                quarter = Machine::now();
            }
        });
        let results: Vec<_> = results.into_iter().map(Option::unwrap).collect();
        // Threads that have no more to do take a moment to end, on a busy machine a longer one.
        let ended = || Machine::now().threads <= before.threads + 8;
        for _ in 0..100 {
            if ended() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Self { results, before, quarter, last, after: Machine::now(), most_threads }
    }

    /// What holds of every load: each document has the score that the server made up for it, best
    /// first, nothing that was answered was asked for again, and neither threads nor memory grow.
    fn is_right(&self, jobs: &[Job], books: &Books, made_up: fn(f64) -> f64) {
        for (job, result) in jobs.iter().zip(&self.results) {
            let Ok(reranked) = result else { continue };
            let mut expected: Vec<(&str, f64)> = (job.candidates.iter())
                .map(|candidate| &candidate.document)
                .map(|doc| (doc.id.as_str(), made_up(score::score(&job.query.text, &doc.text))))
                .collect();
            expected.sort_by(|a, b| b.1.total_cmp(&a.1));
            let ranked = reranked.ranking.ranked().iter();
            let found: Vec<(&str, f64)> =
                ranked.map(|ranked| (ranked.document.as_str(), ranked.score.unwrap())).collect();
            assert_eq!(found.len(), expected.len(), "query {}", job.query.id);
            for (found, expected) in found.iter().zip(&expected) {
                // Some servers score in single precision.
                let is_same = found.0 == expected.0 && (found.1 - expected.1).abs() < 1e-6;
                assert!(is_same, "query {}: {found:?}, not {expected:?}", job.query.id);
            }
        }
        let calls = books.calls();
        assert_eq!(books.repeated(), [], "what was acknowledged is not asked for again");
        assert_eq!(self.billed().calls, calls.len() as u64);
        let most = books.most_in_flight();
        assert!(most <= IN_FLIGHT && most > IN_FLIGHT.min(jobs.len()) / 4, "{most} in flight");
        println!(
            "{} calls, {} with a fault, at most {most} in flight; {} threads at most; {} MiB resident \
             after a quarter, {} at the end",
            calls.len(),
            calls.iter().filter(|call| call.fault.is_some()).count(),
            self.most_threads,
            self.quarter.resident >> 20,
            self.last.resident >> 20,
        );
        // A worker a job, and for each of its other calls one more.
        let most = self.before.threads + 3 * IN_FLIGHT as u64;
        assert!(self.most_threads <= most, "{} threads, and at first {:?}", most, self.before);
        // A thread that has ended may be counted for a moment longer.
        assert!(self.after.threads <= self.before.threads + 8, "{:?}", self.after);
        let grown = self.last.resident.saturating_sub(self.quarter.resident);
        assert!(grown < GROWTH, "{grown} bytes more than after a quarter of the calls");
    }

    fn billed(&self) -> Billed {
        let mut sum = Billed::default();
        for result in &self.results {
            sum += match result {
                Ok(reranked) => reranked.usage.billed,
                Err(failed) => failed.usage.billed,
            };
        }
        sum
    }
}

/// No call arrives before its turn: a tenth of a second's worth that was saved up, and then so many a
/// minute since the client was made, which the books are older than. A busy machine can only be
/// late. `took` is the time of all calls.
fn keeps_to_the_rate(calls: &[Call], took: Duration) {
    let a_second = RATE / 60.0;
    let burst = a_second * 0.1 + 1.0;
    assert!(calls.len() > CALLS, "{} calls", calls.len());
    for (before, call) in calls.iter().enumerate() {
        let turn = (before as f64 - burst).max(0.0) / a_second;
        let arrived = call.arrived.as_secs_f64();
        assert!(arrived >= turn, "call {} came after {arrived:.3} s, not {turn:.3} s", call.number);
    }
    let rate = (calls.len() as f64 - burst) / took.as_secs_f64();
    let [from, to] = [calls.len() / 10, calls.len() * 9 / 10];
    let steady = (to - from) as f64 / (calls[to].arrived - calls[from].arrived).as_secs_f64();
    println!("{rate:.1} calls a second, {steady:.1} of the middle ones, of {a_second:.1} allowed");
    assert!(rate <= 1.02 * a_second, "{rate:.1} calls a second");
}

fn hosted(mock: &Mock, api: Box<dyn Api>, unit: Option<BillingUnit>, rates: Rates) -> Hosted {
    let timeouts = Timeouts { connect: TIMEOUT, request: TIMEOUT, total: 10 * TIMEOUT };
    let millisecond = Duration::from_millis(1);
    let settings = Settings {
        timeouts,
        retry: RetryPolicy::new(ATTEMPTS, millisecond, 8 * millisecond).unwrap(),
        rates: Rates { in_flight: Some(IN_FLIGHT), ..rates },
        proxy: false,
        ..Settings::new("the mock", mock.base_url())
    };
    let network = Arc::new(Network::new(&timeouts, false).unwrap());
    let key = Box::new(Bearer(Secret::new("key-of-the-load", "test").unwrap()));
    let client = Client::over(settings, key, network, Arc::new(SystemClock), 7).unwrap();
    let name = "load".to_owned();
    Hosted::new(HostedParts {
        identity: Identity {
            name: name.clone(),
            provider: name.clone(),
            model: name,
            revision: None,
            weights: None,
            endpoint: None,
            device: None,
            dtype: None,
            max_length: None,
            truncation: None,
            scoring: Scoring::Pointwise,
        },
        api,
        client,
        destination: Destination {
            host: "localhost".to_owned(),
            region: None,
            self_hosted: true,
            fields: Vec::new(),
            retention: None,
        },
        tariff: unit.map(|unit| Tariff { unit, price: None }),
        tokens: Box::new(AsTheMock),
        concurrency: IN_FLIGHT,
    })
}

/// Counts as the server does, so that estimates and bills can be compared.
struct AsTheMock;

impl CountTokens for AsTheMock {
    fn count(&self, text: &str) -> u64 {
        tokens::count(text)
    }
}

fn mock(kind: Kind, rules: &[&str], seed: u64) -> Mock {
    let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    let faults = Plan::new(rules, seed);
    let settings = secondpass_mock::Settings::new(kind);
    Mock::start(secondpass_mock::Settings { faults, latency: LATENCY, ..settings }).unwrap()
}

/// A query and its documents, some of which share words with it. Together they are as long in a call
/// of eight documents as in one of 32.
fn job(number: usize, documents: usize) -> Job {
    let length = if documents > 8 { LONG / 4 } else { LONG };
    let query = Query {
        id: format!("q{number}").into(),
        text: format!("export invoices of customer {number}"),
        attributes: Default::default(),
    };
    let words = ["export", "invoices", "of", "customer", "nothing"];
    let candidate = |place: usize| {
        let id = format!("q{number}-d{place}");
        let text = format!("{} {id} {}", words[place % 5], "x".repeat(length));
        Candidate {
            document: Document { id: id.as_str().into(), title: String::new(), text },
            score: -(place as f64),
            rank: place + 1,
        }
    };
    Job { query, candidates: (0..documents).map(candidate).collect() }
}
