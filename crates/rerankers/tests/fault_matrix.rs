//! Every fault against every provider, over real sockets on loopback: what a job becomes, how often
//! its call goes out, and what is counted for the bill, beside what the server's books say.
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use secondpass_core::{
    Billed, BillingUnit, Candidate, Context, Destination, Document, Failed, Identity, Job, Query,
    RerankError, Reranked, Reranker, Scoring, Tariff,
};
use secondpass_http::{
    Anonymous, Authorize, Bearer, BreakerSettings, Client, ErrorKind, HttpError, KeyHeader,
    Network, RetryPolicy, Secret, Settings, SystemClock, Timeouts,
};
use secondpass_mock::{Books, Fault, Kind, Mock, Plan, score, tokens};
use secondpass_rerankers::hosted::{
    Api, AwsKeys, Azure, Bedrock, Cohere, CohereCompatible, CountTokens, Hosted, HostedParts, Jina,
    Mixedbread, Options, Pinecone, SigV4, Tei, Voyage,
};

/// Attempts a call at most.
const ATTEMPTS: u64 = 3;
/// Of one attempt: long enough for an answer on a busy machine, short enough to hang three times.
const TIMEOUT: Duration = Duration::from_secs(3);
const SHORT: &str = "20ms";
const LONG: &str = "12s";
/// What the whole matrix may take.
const PATIENCE: Duration = Duration::from_secs(180);
/// Cells at the same time: nearly all of them only wait.
const AT_ONCE: usize = 32;

const QUERY: &str = "export invoices";
const DOCUMENTS: [&str; 3] = ["Reset a password", "Export all invoices", "An invoice"];

/// What becomes of a call that meets a fault.
#[derive(Clone, Debug, PartialEq)]
enum Becomes {
    /// A good answer, at the first attempt.
    Good,
    /// No whole answer, or one of a server in trouble: sent again, and perhaps billed each time.
    Lost(ErrorKind),
    /// Told to come back: sent again, and not billed.
    Later,
    /// Refused for good: not sent again, not billed, and no later job is sent either.
    Refused,
    /// An answer that cannot be used: not sent again, and paid for. Whether its bill can be read.
    Spoiled(ErrorKind, Bill),
    /// A score out of bounds: spoiled where the provider names its bounds.
    OutOfBounds,
    /// Points elsewhere: neither followed nor sent again, and not billed.
    Elsewhere,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bill {
    Told,
    Lost,
}

/// The table: what may go wrong, and what must become of it.
fn table() -> Vec<(String, Becomes)> {
    use Becomes::{Elsewhere, Good, Later, Lost, OutOfBounds, Refused, Spoiled};
    let rows = [
        (format!("slow-headers={SHORT}"), Good),
        (format!("slow-body={SHORT}"), Good),
        (format!("slow-headers={LONG}"), Lost(ErrorKind::Timeout)),
        (format!("slow-body={LONG}"), Lost(ErrorKind::Timeout)),
    ];
    let more = [
        ("hang", Lost(ErrorKind::Timeout)),
        ("reset", Lost(ErrorKind::Body)),
        ("429", Later),
        ("429-after=1", Later),
        ("429-after-date=1", Later),
        ("429-reset=1", Later),
        ("500", Lost(ErrorKind::Status)),
        ("502", Lost(ErrorKind::Status)),
        ("503", Lost(ErrorKind::Status)),
        ("504", Lost(ErrorKind::Status)),
        ("401", Refused),
        ("402", Refused),
        ("html=502", Lost(ErrorKind::Status)),
        ("html=200", Spoiled(ErrorKind::NotJson, Bill::Lost)),
        ("truncated", Spoiled(ErrorKind::NotJson, Bill::Lost)),
        ("nan", Spoiled(ErrorKind::NotJson, Bill::Lost)),
        ("infinite", Spoiled(ErrorKind::NotJson, Bill::Lost)),
        ("out-of-range", OutOfBounds),
        ("duplicate", Spoiled(ErrorKind::BadAnswer, Bill::Told)),
        ("missing", Spoiled(ErrorKind::BadAnswer, Bill::Told)),
        ("index-out-of-range", Spoiled(ErrorKind::BadAnswer, Bill::Told)),
        ("extra-fields", Good),
        ("gzip", Good),
        ("redirect", Elsewhere),
    ];
    let more = more.into_iter().map(|(fault, becomes)| (fault.to_owned(), becomes));
    rows.into_iter().chain(more).collect()
}

/// A provider, and what it bills the job: three query tokens, and documents of 4, 4 and 3.
struct Provider {
    kind: Kind,
    api: fn() -> Box<dyn Api>,
    key: fn(Secret) -> Box<dyn Authorize>,
    unit: Option<BillingUnit>,
    /// By our reading of its rules, in its unit.
    units: u64,
    /// Whether its answers tell the bill.
    tells: bool,
    /// Whether it names the bounds of its scores.
    bounds: bool,
}

fn providers() -> Vec<Provider> {
    let bearer: fn(Secret) -> Box<dyn Authorize> = |key| Box::new(Bearer(key));
    let tokens = |kind, api, units, bounds| Provider {
        kind,
        api,
        key: bearer,
        unit: Some(BillingUnit::Token),
        units,
        tells: true,
        bounds,
    };
    // Three short documents are one unit of a hundred.
    let search_unit = |kind, api| Provider {
        kind,
        api,
        key: bearer,
        unit: Some(BillingUnit::SearchUnit),
        units: 1,
        tells: true,
        bounds: true,
    };
    let own = |kind, api| Provider {
        kind,
        api,
        key: |_| Box::new(Anonymous),
        unit: None,
        units: 0,
        tells: false,
        bounds: false,
    };
    vec![
        search_unit(Kind::Cohere, || Box::new(Cohere::new(&model("rerank-v3.5")).unwrap())),
        own(Kind::Tei, || Box::new(Tei::new(&Options::default()).unwrap())),
        // Each text once, with two special tokens: 3 + 11 + 2 * 4.
        tokens(Kind::Jina, || Box::new(Jina::new(&model("jina-reranker-v3")).unwrap()), 22, true),
        // The query with each document: 3 * 3 + 11.
        tokens(Kind::Voyage, || Box::new(Voyage::new(&model("rerank-2.5")).unwrap()), 20, false),
        Provider {
            key: |key| Box::new(SigV4::bedrock(aws(key), "eu-central-1")),
            tells: false,
            ..search_unit(Kind::Bedrock, || Box::new(Bedrock::new(&Options::default()).unwrap()))
        },
        search_unit(Kind::Azure, || Box::new(Azure::new(&Options::default()).unwrap())),
        own(Kind::CohereCompatible, compatible),
        own(Kind::Infinity, compatible),
        own(Kind::LlamaCpp, compatible),
        tokens(
            Kind::Mixedbread,
            || Box::new(Mixedbread::new(&model("mixedbread-ai/mxbai-rerank-large-v2")).unwrap()),
            20,
            true,
        ),
        Provider {
            key: |key| Box::new(KeyHeader { name: "Api-Key".into(), key }),
            ..search_unit(Kind::Pinecone, || {
                Box::new(Pinecone::new(&model("bge-reranker-v2-m3")).unwrap())
            })
        },
    ]
}

fn provider(kind: Kind) -> Provider {
    providers().into_iter().find(|provider| provider.kind == kind).unwrap()
}

fn compatible() -> Box<dyn Api> {
    Box::new(CohereCompatible::new(&model("BAAI/bge-reranker-v2-m3")).unwrap())
}

fn aws(key: Secret) -> AwsKeys {
    AwsKeys { id: Secret::new("AKIDEXAMPLE", "test").unwrap(), secret: key, token: None }
}

/// One fault on one provider.
struct Cell<'a> {
    provider: &'a Provider,
    fault: &'a str,
    becomes: &'a Becomes,
    /// Whether the fault stays, or is met by the first attempt only.
    stays: bool,
}

/// What came of a cell.
struct Outcome {
    result: Result<Reranked, Failed>,
    /// Of a second job, where the first must be the last one sent.
    next: Option<Result<Reranked, Failed>>,
    billed: Billed,
    books: Books,
}

#[test]
fn every_fault_at_every_provider_ends_as_it_must() {
    let started = Instant::now();
    let (table, providers) = (table(), providers());
    every_fault_is_in(&table);
    let kinds: Vec<Kind> = providers.iter().map(|provider| provider.kind).collect();
    assert_eq!(kinds, Kind::ALL);
    let cells: Vec<Cell<'_>> = providers
        .iter()
        .flat_map(|provider| table.iter().map(move |row| (provider, row)))
        .flat_map(|(provider, (fault, becomes))| {
            [false, true].map(|stays| Cell { provider, fault, becomes, stays })
        })
        .collect();
    let network = Arc::new(Network::new(&timeouts(), false).unwrap());
    let next = AtomicUsize::new(0);
    let wrong: Vec<String> = thread::scope(|scope| {
        let work = || {
            let take = || cells.get(next.fetch_add(1, Ordering::Relaxed));
            std::iter::from_fn(take).filter_map(|cell| cell.check(&network).err()).collect()
        };
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|w| -> Vec<String> { w.join().unwrap() }).collect()
    });
    println!("{} cells in {:.1?}", cells.len(), started.elapsed());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cells.len(), wrong.join("\n"));
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

/// Seventy documents in calls of 32, 32 and 6, at the same time, one of which has to be sent again.
#[test]
fn calls_of_one_job_are_put_together_in_spite_of_faults() {
    let tei = provider(Kind::Tei);
    for fault in ["500", "reset", "429", "slow-headers=100ms"] {
        let mock = mock(tei.kind, &format!("2:{fault}"));
        let network = Arc::new(Network::new(&timeouts(), false).unwrap());
        let texts: Vec<String> =
            (0..70).map(|n| format!("{n} {}", DOCUMENTS[n % DOCUMENTS.len()])).collect();
        let hosted = tei.hosted(&mock.base_url(), &network);
        let reranked = rerank(&hosted, &[job(&texts)]).remove(0).unwrap();
        assert_eq!(ids(&reranked), order(&texts), "{fault}");
        let calls = mock.books().calls().len() as u64;
        assert_eq!(calls, if fault.starts_with("slow") { 3 } else { 4 }, "{fault}");
        assert_eq!((reranked.usage.billed.calls, reranked.usage.pairs), (calls, 70), "{fault}");
    }
}

/// Five documents in calls of two: one answer is spoiled, and the others were paid for nonetheless.
#[test]
fn what_a_failed_job_was_billed_is_not_forgotten() {
    let voyage = Provider {
        api: || {
            let pairs = Options { documents_per_call: Some(2), ..model("rerank-2.5") };
            Box::new(Voyage::new(&pairs).unwrap())
        },
        ..provider(Kind::Voyage)
    };
    let mock = mock(voyage.kind, "3:duplicate");
    let network = Arc::new(Network::new(&timeouts(), false).unwrap());
    let texts: Vec<String> = (0..5).map(|n| format!("{n} {}", DOCUMENTS[n % 3])).collect();
    let hosted = voyage.hosted(&mock.base_url(), &network);
    let failed = rerank(&hosted, &[job(&texts)]).remove(0).unwrap_err();
    assert_eq!(http(&failed.error).unwrap().kind(), &ErrorKind::BadAnswer);
    let (billed, books) = (failed.usage.billed, mock.books());
    assert_eq!((billed.calls, books.calls().len()), (3, 3));
    assert_eq!((billed.reported, billed.untold, billed.doubtful), (books.billed(), 0, 0));
}

/// A fault that the server learns to play must come into the table.
fn every_fault_is_in(table: &[(String, Becomes)]) {
    let rows: Vec<Fault> = table.iter().map(|(fault, _)| fault.parse().unwrap()).collect();
    for fault in Fault::each(Duration::from_millis(20)) {
        assert!(rows.contains(&fault), "'{fault}' is not in the table");
    }
}

impl Cell<'_> {
    fn check(&self, network: &Arc<Network>) -> Result<(), String> {
        let outcome = self.run(network);
        self.judge(&outcome).map_err(|why| {
            let Self { provider, fault, stays, .. } = self;
            let when = if *stays { "always" } else { "once" };
            format!("{} {fault} {when}: {why}", provider.kind)
        })
    }

    fn run(&self, network: &Arc<Network>) -> Outcome {
        let when = if self.stays { "*" } else { "1" };
        let mock = mock(self.provider.kind, &format!("{when}:{}", self.fault));
        let hosted = self.provider.hosted(&mock.base_url(), network);
        let jobs = if *self.becomes == Becomes::Refused { 2 } else { 1 };
        let mut results = rerank(&hosted, &vec![job(&DOCUMENTS); jobs]).into_iter();
        let result = results.next().unwrap();
        let billed = match &result {
            Ok(reranked) => reranked.usage.billed,
            Err(failed) => failed.usage.billed,
        };
        Outcome { result, next: results.next(), billed, books: mock.books() }
    }

    /// The outcome against the table.
    fn judge(&self, outcome: &Outcome) -> Result<(), String> {
        let Provider { units, tells, bounds, .. } = *self.provider;
        let becomes = match self.becomes {
            Becomes::OutOfBounds if bounds => Becomes::Spoiled(ErrorKind::BadAnswer, Bill::Told),
            // Nothing speaks against such a score; and of raw scores the server has none.
            Becomes::OutOfBounds => Becomes::Good,
            other => other.clone(),
        };
        if becomes != Becomes::Good || *self.becomes == Becomes::Good {
            let fault: Fault = self.fault.parse().map_err(|error| format!("{error}"))?;
            let played = outcome.books.calls().first().and_then(|call| call.fault.clone());
            same("fault", &played, &Some(fault.to_string()))?;
        }
        // Attempts, those of them perhaps billed for nothing, answers, and their error.
        let (calls, lost, answers, error) = match &becomes {
            Becomes::Good | Becomes::OutOfBounds => (1, 0, 1, None),
            Becomes::Lost(kind) if self.stays => (ATTEMPTS, ATTEMPTS, 0, Some(kind.clone())),
            Becomes::Lost(_) => (2, 1, 1, None),
            Becomes::Later if self.stays => (ATTEMPTS, 0, 0, Some(ErrorKind::Status)),
            Becomes::Later => (2, 0, 1, None),
            Becomes::Refused => (1, 0, 0, Some(ErrorKind::Status)),
            Becomes::Spoiled(kind, _) => (1, 0, 1, Some(kind.clone())),
            Becomes::Elsewhere => (1, 0, 0, Some(elsewhere())),
        };
        let told = tells && !matches!(becomes, Becomes::Spoiled(_, Bill::Lost));
        let expected = Billed {
            calls,
            chunks: outcome.billed.chunks,
            estimated: units * answers,
            // The server counts by the provider's rules too.
            reported: if told { units * answers } else { 0 },
            untold: if told { 0 } else { units * answers },
            doubtful: units * lost,
        };
        same("billed", &outcome.billed, &expected)?;
        same("calls in the books", &(outcome.books.calls().len() as u64), &calls)?;
        let most = outcome.billed.units() + outcome.billed.doubtful;
        if outcome.books.billed() > most {
            return Err(format!("billed {}, and at most {most} told", outcome.books.billed()));
        }
        match (&outcome.result, error) {
            (Ok(reranked), None) => {
                same("ranking", &ids(reranked), &order(&DOCUMENTS))?;
            }
            (Err(failed), Some(kind)) => {
                let last = becomes == Becomes::Refused;
                same("final", &matches!(failed.error, RerankError::Unavailable { .. }), &last)?;
                let error = http(&failed.error).ok_or("an error of another kind")?;
                same("error", error.kind(), &kind)?;
                same("attempts", &(error.attempts().len() as u64), &calls)?;
                if let Becomes::Later | Becomes::Refused = becomes {
                    let digits: String = self.fault.chars().take(3).collect();
                    same("status", &error.status().map(|s| s.to_string()), &Some(digits))?;
                }
            }
            (Ok(_), Some(kind)) => return Err(format!("no error, and {kind:?} expected")),
            (Err(failed), None) => return Err(format!("an error: {}", failed.error)),
        }
        if let Some(next) = &outcome.next {
            let Err(Failed { error: RerankError::Unavailable { .. }, usage }) = next else {
                return Err("the next job was not given up".to_owned());
            };
            same("calls of the next job", &usage.billed.calls, &0)?;
        }
        self.waits(&outcome.books)
    }

    /// Between attempts at least as long as the answer asks for.
    fn waits(&self, books: &Books) -> Result<(), String> {
        // A date or time in whole seconds, rounded up, is at least what is left of a second away.
        let asked = match self.fault {
            "429-after=1" | "429-after-date=1" | "429-reset=1" => Duration::from_millis(990),
            _ => return Ok(()),
        };
        let calls = books.calls();
        for pair in calls.windows(2) {
            let waited = pair[1].arrived.saturating_sub(pair[0].arrived);
            if waited < asked {
                return Err(format!("only {waited:?} between attempts"));
            }
        }
        Ok(())
    }
}

impl Provider {
    fn hosted(&self, base_url: &str, network: &Arc<Network>) -> Hosted {
        let millisecond = Duration::from_millis(1);
        let settings = Settings {
            timeouts: timeouts(),
            retry: RetryPolicy::new(ATTEMPTS as u32, millisecond, 2 * millisecond).unwrap(),
            breaker: BreakerSettings { failures: 100, ..BreakerSettings::default() },
            proxy: false,
            ..Settings::new(self.kind.name(), base_url)
        };
        let key = (self.key)(Secret::new("key-of-the-matrix", "test").unwrap());
        let client =
            Client::over(settings, key, network.clone(), Arc::new(SystemClock), 7).unwrap();
        Hosted::new(HostedParts {
            identity: identity(self.kind.name()),
            api: (self.api)(),
            client,
            destination: destination(),
            tariff: self.unit.map(|unit| Tariff { unit, price: None }),
            tokens: Box::new(AsTheMock),
            concurrency: 1,
        })
    }
}

/// Counts as the server does, so that estimates and bills can be compared.
struct AsTheMock;

impl CountTokens for AsTheMock {
    fn count(&self, text: &str) -> u64 {
        tokens::count(text)
    }
}

fn model(name: &str) -> Options {
    Options { model: Some(name.to_owned()), ..Options::default() }
}

fn timeouts() -> Timeouts {
    Timeouts { connect: TIMEOUT, request: TIMEOUT, total: Duration::from_secs(20) }
}

fn mock(kind: Kind, rule: &str) -> Mock {
    let faults = Plan::new(vec![rule.parse().unwrap()], 0);
    let settings = secondpass_mock::Settings { faults, ..secondpass_mock::Settings::new(kind) };
    Mock::start(settings).unwrap()
}

fn rerank(hosted: &Hosted, jobs: &[Job]) -> Vec<Result<Reranked, Failed>> {
    let mut results: Vec<_> = jobs.iter().map(|_| None).collect();
    hosted.rerank_many(jobs, &Context::default(), &mut |index, result| {
        assert!(results[index].replace(result).is_none(), "done is called once a job");
    });
    results.into_iter().map(Option::unwrap).collect()
}

fn job(texts: &[impl AsRef<str>]) -> Job {
    let query = Query { id: "q".into(), text: QUERY.into(), attributes: Default::default() };
    let texts = texts.iter().map(AsRef::as_ref);
    let candidates = (1..).zip(texts).map(|(rank, text)| Candidate {
        document: Document { id: text.into(), title: String::new(), text: text.into() },
        score: -(rank as f64),
        rank,
    });
    Job { query, candidates: candidates.collect() }
}

/// The texts, best first by the scores that the server makes up.
fn order(texts: &[impl AsRef<str>]) -> Vec<String> {
    let mut order: Vec<String> = texts.iter().map(|text| text.as_ref().to_owned()).collect();
    order.sort_by(|a, b| score::score(QUERY, b).total_cmp(&score::score(QUERY, a)));
    order
}

fn ids(reranked: &Reranked) -> Vec<String> {
    let ranked = reranked.ranking.ranked().iter();
    ranked.map(|ranked| ranked.document.as_str().to_owned()).collect()
}

fn http(error: &RerankError) -> Option<&HttpError> {
    match error {
        RerankError::Scoring { source, .. } | RerankError::Unavailable { source, .. } => {
            source.downcast_ref()
        }
        _ => None,
    }
}

fn elsewhere() -> ErrorKind {
    ErrorKind::Redirect(Some("https://elsewhere.invalid".to_owned()))
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, right: &T) -> Result<(), String> {
    match found == right {
        true => Ok(()),
        false => Err(format!("{what}: found {found:?}, expected {right:?}")),
    }
}

fn identity(provider: &str) -> Identity {
    Identity {
        name: provider.to_owned(),
        provider: provider.to_owned(),
        model: "of the matrix".to_owned(),
        revision: None,
        weights: None,
        endpoint: None,
        device: None,
        dtype: None,
        max_length: None,
        truncation: None,
        scoring: Scoring::Pointwise,
    }
}

fn destination() -> Destination {
    Destination {
        host: "localhost".to_owned(),
        region: None,
        self_hosted: true,
        fields: Vec::new(),
        retention: None,
    }
}
