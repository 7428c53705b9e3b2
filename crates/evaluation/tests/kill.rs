//! `kill -9` in the middle of two thousand queries, ten times: the run goes on where it was, asks
//! again at most what was out, lists all of that, and counts what it cost.
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use secondpass_core::{
    BillingUnit, Budget, ContentHash, Context, Corpus, Dataset, Destination, DocId, Document,
    Hasher, Identity, Job, Price, Qrels, Query, QueryId, Ranking, Reranker, Run, Scoring, Tariff,
};
use secondpass_evaluation::{
    Contender, Experiment, Journal, Plan, QueryRow, RunError, Sweep, run, store,
};
use secondpass_http::{
    Answer, Bearer, Client, Exchange, ExchangeError, Network, NoAnswer, Request, RetryPolicy,
    Secret, SystemClock, Timeouts,
};
use secondpass_mock::{Books, Kind, Mock, score};
use secondpass_rerankers::hosted::{Cohere, Guess, Hosted, HostedParts, Options};
use tempfile::TempDir;

const NAME: &str = "killed";
const CONFIG: &str = r#"
name = "killed"
measures = ["RR"]
primary = "RR"
dataset = { kind = "beir", path = ".", split = "test" }
first_stage = { kind = "bm25", depth = 6 }
"#;
const QUERIES: usize = 2000;
const CANDIDATES: usize = 6;
const IN_FLIGHT: usize = 64;
const KILLS: usize = 10;
/// So many that chance alone never uses them up.
const ATTEMPTS: u32 = 8;
/// Of a search unit, which a call is one of, in US dollars: a power of two, so that sums are exact.
const USD: f64 = 1.0 / 1024.0;
/// Queries of the run whose costs are limited.
const FEWER: usize = 1000;
/// Units that it may cost: fewer than its queries, and enough for a kill with all calls out, which
/// count as all of their attempts.
const LIMIT: u64 = 800;
/// How long the server works on each call, so that many are out at any moment.
const LATENCY: Duration = Duration::from_millis(40);

/// One in twenty together. The client gets over all of them.
const FAULTS: [&str; 6] =
    ["1%:500", "1%:503", "0.5%:429", "0.5%:html=502", "1%:reset", "1%:slow-body=30ms"];

/// What a child of these tests is told.
const FOLDER: &str = "KILL_FOLDER";
const SERVER: &str = "KILL_SERVER";
const UNITS: &str = "KILL_UNITS";
const ASKED: &str = "KILL_QUERIES";

/// What the children do that the other tests start and kill: the experiment, from where it was.
#[test]
#[ignore = "started by the other tests"]
fn run_until_killed() {
    let told = |name: &str| std::env::var(name).unwrap();
    let folder = Path::new(&told(FOLDER)).to_owned();
    let out = folder.join("out");
    store::claim(&out, NAME).unwrap();
    let journal = Journal::open(&out, NAME, false).unwrap();
    let limit = told(UNITS).parse::<u64>().ok().map(|units| units as f64 * USD);
    let context = Context { budget: Budget::new(limit), ..Context::default() };
    let timeouts = Timeouts::default();
    let hosted = hosted(&told(SERVER), Arc::new(Network::new(&timeouts, false).unwrap()));
    let contenders = [Contender { concurrency: IN_FLIGHT, ..Contender::new("hosted", &hosted) }];
    let world = World::new(told(ASKED).parse().unwrap());
    let plan = Plan {
        rerankers: &contenders,
        sweep: Sweep { depths: Vec::new(), timed_queries: 0 },
        journal: Some(&journal),
        ..Plan::new(&world.experiment, &world.dataset, &world.candidates, "made up")
    };
    let done = run(&plan, &context, &mut |_| ());
    let outcome = match &done {
        Ok((record, rows)) => {
            store::write(&out, record, rows).unwrap();
            "done"
        }
        Err(RunError::OverBudget { .. }) => "over",
        Err(error) => panic!("{error}"),
    };
    if done.is_ok() {
        journal.remove().unwrap();
    }
    fs::write(folder.join("outcome"), format!("{outcome} {}", context.budget.spent())).unwrap();
}

#[test]
fn killed_ten_times_it_repeats_at_most_what_was_out() {
    let runs = Runs::new(3, QUERIES);
    let mut dice = ChaCha8Rng::seed_from_u64(3);
    for kill in 0..KILLS {
        let calls = dice.random_range(20..170);
        assert!(runs.start(None).killed_after(calls), "start {kill} was over before its kill");
    }
    let (outcome, spent) = runs.start(None).end();
    assert_eq!(outcome, "done");
    let most_lost = KILLS * IN_FLIGHT;
    runs.check(spent, KILLS..=most_lost);
}

#[test]
fn killed_or_not_no_limit_is_passed() {
    let runs = Runs::new(4, FEWER);
    assert!(runs.start(Some(LIMIT)).killed_after(100));
    let (outcome, spent) = runs.start(Some(LIMIT)).end();
    assert_eq!(outcome, "over");
    let calls = runs.books.calls().len();
    let billed = runs.books.billed();
    assert!(billed as f64 * USD <= spent && spent <= LIMIT as f64 * USD, "{billed}, {spent}");
    println!("over at {} of {LIMIT} units, of which {billed} are on the bill", spent / USD);
    // What is left is less than one more call may cost.
    assert!(spent > (LIMIT - u64::from(ATTEMPTS)) as f64 * USD, "{spent}");
    assert_eq!(runs.start(Some(LIMIT)).end(), ("over".to_owned(), spent));
    assert_eq!(runs.books.calls().len(), calls, "nothing more is sent");

    let (outcome, spent) = runs.start(Some(20 * FEWER as u64)).end();
    assert_eq!(outcome, "done");
    runs.check(spent, 1..=IN_FLIGHT);
}

/// The starts of one experiment, and the server that they ask.
struct Runs {
    queries: usize,
    folder: TempDir,
    mock: Mock,
    books: Books,
}

/// One start.
struct Start<'a> {
    runs: &'a Runs,
    child: Child,
}

impl Runs {
    fn new(seed: u64, queries: usize) -> Self {
        let rules = FAULTS.iter().map(|rule| rule.parse().unwrap()).collect();
        let settings = secondpass_mock::Settings {
            faults: secondpass_mock::Plan::new(rules, seed),
            latency: LATENCY,
            ..secondpass_mock::Settings::new(Kind::Cohere)
        };
        let mock = Mock::start(settings).unwrap();
        // A kill loses nothing that the system has, on whatever disk.
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        Self { queries, folder: folder.unwrap(), books: mock.books(), mock }
    }

    /// Starts the experiment, or goes on with it, with so many units to spend.
    fn start(&self, units: Option<u64>) -> Start<'_> {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "run_until_killed", "--nocapture"]);
        command.env(FOLDER, self.folder.path()).env(SERVER, self.mock.base_url());
        command.env(ASKED, self.queries.to_string());
        command.env(UNITS, units.map(|units| units.to_string()).unwrap_or_default());
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        Start { runs: self, child }
    }

    /// What must hold of a run that is over, whatever happened on the way, when it says that it
    /// `spent` so much.
    fn check(&self, spent: f64, lost: RangeInclusive<usize>) {
        let world = World::new(self.queries);
        let (record, rows) = store::read(&self.folder.path().join("out")).unwrap();
        let system = record.systems.iter().find(|system| system.name == "hosted").unwrap();
        assert_eq!(system.failures, BTreeMap::new());
        let rows: HashMap<&QueryId, &QueryRow> =
            rows.iter().filter(|row| row.system == "hosted").map(|row| (&row.query, row)).collect();
        assert_eq!(rows.len(), self.queries);
        for query in world.dataset.queries() {
            let best = world.best(query);
            assert_eq!(rows[&query.id].top.as_deref(), Some(best.as_str()), "{}", query.id);
        }

        // Each was acknowledged, and what was acknowledged twice was out at a kill and is listed.
        let mut listed: HashMap<&QueryId, usize> = HashMap::new();
        for call in &system.possibly_billed_twice {
            *listed.entry(&call.query).or_default() += 1;
        }
        let asked = world.requests();
        let mut acknowledged: HashMap<&QueryId, usize> = HashMap::new();
        let calls = self.books.calls();
        for call in calls.iter().filter(|call| call.is_acknowledged()) {
            *acknowledged.entry(&asked[call.request.as_ref().unwrap()]).or_default() += 1;
        }
        assert_eq!(acknowledged.len(), self.queries);
        let mut repeated = 0;
        for (query, times) in acknowledged {
            repeated += times - 1;
            let known = listed.get(query).copied().unwrap_or(0);
            assert!(times - 1 <= known, "{query}: {times} answers, listed {known} times");
        }
        let out = system.possibly_billed_twice.len();
        println!(
            "{} calls, {} with a fault; {out} were out at the kills, {repeated} of them answered",
            calls.len(),
            calls.iter().filter(|call| call.fault.is_some()).count()
        );
        assert!(lost.contains(&out), "{out} of {lost:?} were out");

        // The sums agree, and nothing that is on the bill is missing.
        let cost = system.cost.as_ref().unwrap().spent;
        assert_eq!((cost.reported, cost.untold), (self.queries as u64, 0));
        let most: f64 = system.possibly_billed_twice.iter().map(|call| call.most.unwrap()).sum();
        assert_eq!(spent, cost.usd.unwrap() + cost.doubtful_usd.unwrap() + most);
        let billed = self.books.billed() as f64 * USD;
        assert!(billed <= spent, "{billed} of {spent}");
        assert!(cost.calls <= calls.len() as u64);
    }
}

impl Start<'_> {
    /// Kills it when it has sent so many calls; whether it was still running.
    fn killed_after(mut self, calls: usize) -> bool {
        let until = self.runs.books.calls().len() + calls;
        while self.runs.books.calls().len() < until {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.child.kill().unwrap();
        !self.child.wait().unwrap().success()
    }

    /// How it ended, and what it said is spent.
    fn end(mut self) -> (String, f64) {
        assert!(self.child.wait().unwrap().success());
        let outcome = fs::read_to_string(self.runs.folder.path().join("outcome")).unwrap();
        let (outcome, spent) = outcome.split_once(' ').unwrap();
        (outcome.to_owned(), spent.parse().unwrap())
    }
}

struct World {
    experiment: Experiment,
    dataset: Dataset,
    candidates: Run,
}

impl World {
    fn new(queries: usize) -> Self {
        let document = |i: usize| Document {
            id: format!("d{i}").as_str().into(),
            title: String::new(),
            text: format!("text of document {i}"),
        };
        let query = |i: usize| Query {
            id: format!("q{i}").as_str().into(),
            text: format!("query {i}"),
            attributes: Default::default(),
        };
        let documents = queries / 2;
        let corpus = Corpus::new((0..documents).map(document).collect()).unwrap();
        let queries: Vec<Query> = (0..queries).map(query).collect();
        let (mut qrels, mut candidates) = (Qrels::new(), Run::new("made up"));
        for (i, query) in queries.iter().enumerate() {
            qrels.insert(query.id.clone(), document(i % documents).id, 1);
            let places = (0..CANDIDATES).map(|place| ((i + place * 37) % documents, place));
            let scores = places.map(|(i, place)| (document(i).id, -(place as f64)));
            candidates.rankings.insert(query.id.clone(), Ranking::from_scores(scores).unwrap());
        }
        Self {
            experiment: Experiment::parse(CONFIG, "kill.toml").unwrap(),
            dataset: Dataset::new(NAME, "test", corpus, queries, qrels).unwrap(),
            candidates,
        }
    }

    fn job(&self, query: &Query) -> Job {
        Job::new(&self.dataset, query, &self.candidates, CANDIDATES)
    }

    /// The document that the server scores highest for this query.
    fn best(&self, query: &Query) -> DocId {
        let documents = self.job(query).candidates.into_iter().map(|candidate| candidate.document);
        let score = |document: &Document| score::score(&query.text, &document.text);
        documents.max_by(|a, b| score(a).total_cmp(&score(b))).unwrap().id
    }

    /// Which query a request is for, by the hash that the books name it by.
    fn requests(&self) -> HashMap<ContentHash, QueryId> {
        let sent = Arc::new(Sent::default());
        let hosted = hosted("http://localhost", sent.clone());
        for query in self.dataset.queries() {
            hosted.rerank_many(&[self.job(query)], &Context::default(), &mut |_, _| ());
        }
        let hashes = sent.0.lock().unwrap();
        let ids = self.dataset.queries().iter().map(|query| query.id.clone());
        hashes.iter().cloned().zip(ids).collect()
    }
}

/// Answers nothing and keeps what it was asked.
#[derive(Default)]
struct Sent(Mutex<Vec<ContentHash>>);

impl Exchange for Sent {
    fn exchange(&self, request: &Request, _: Duration) -> Result<Answer, ExchangeError> {
        let mut hasher = Hasher::new();
        let path = request.url.strip_prefix("http://localhost").unwrap();
        hasher.field(request.method.to_string()).field(path).field(&request.body);
        self.0.lock().unwrap().push(hasher.finish());
        // It is not asked again.
        let kind = NoAnswer::NotRecorded;
        Err(ExchangeError { kind, begun: None, detail: "nobody is there".to_owned() })
    }
}

fn hosted(base_url: &str, exchange: Arc<dyn Exchange>) -> Hosted {
    let millisecond = Duration::from_millis(1);
    let settings = secondpass_http::Settings {
        retry: RetryPolicy::new(ATTEMPTS, millisecond, 8 * millisecond).unwrap(),
        proxy: false,
        ..secondpass_http::Settings::new("the mock", base_url)
    };
    let key = Box::new(Bearer(Secret::new("key-of-the-kills", "test").unwrap()));
    let client = Client::over(settings, key, exchange, Arc::new(SystemClock), 7).unwrap();
    let model = "rerank-v3.5";
    let options = Options { model: Some(model.to_owned()), ..Options::default() };
    let price = Price { usd: USD, read: "2026-01-01".to_owned(), source: "a test".to_owned() };
    Hosted::new(HostedParts {
        identity: Identity {
            name: "hosted".to_owned(),
            provider: "cohere".to_owned(),
            model: model.to_owned(),
            revision: None,
            weights: None,
            endpoint: Some(base_url.to_owned()),
            device: None,
            dtype: None,
            max_length: None,
            truncation: None,
            scoring: Scoring::Pointwise,
        },
        api: Box::new(Cohere::new(&options).unwrap()),
        client,
        destination: Destination {
            host: "localhost".to_owned(),
            region: None,
            self_hosted: false,
            fields: Vec::new(),
            retention: None,
        },
        tariff: Some(Tariff { unit: BillingUnit::SearchUnit, price: Some(price) }),
        tokens: Box::new(Guess),
        concurrency: 1,
    })
}
