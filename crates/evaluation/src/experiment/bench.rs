use std::str::FromStr;

use serde::Deserialize;

use super::ConfigError;
use super::keys::Keys;
use crate::bench::{
    Arrivals, BenchError, CANDIDATES, Cell, DocumentLength, Load, Search, Sweep, WarmUp,
    samples_needed,
};

/// What of latency is measured. Of each list the usual value is the base if it is there, else the
/// first; the others are tried one setting after the other, or all together where `crossed`.
#[derive(Clone, Debug, PartialEq)]
pub struct BenchSpec {
    /// What texts are asked.
    pub texts: BenchTexts,
    /// Candidates a query; usually 50.
    pub candidates: Vec<usize>,
    /// Lengths of documents; usually the set's own.
    pub lengths: Vec<BenchLength>,
    /// Tokens a batch of a self-hosted reranker; empty for its own choice.
    pub batch_tokens: Vec<usize>,
    /// Clients of closed loops; usually 1.
    pub clients: Vec<usize>,
    /// Queries a second of open loops.
    pub rates: Vec<f64>,
    /// Whether arrivals of open loops are Poisson's, or at equal distances.
    pub poisson: bool,
    /// Draws Poisson's arrivals.
    pub seed: u64,
    /// Queries of open loops in work at a time; `None` for what the reranker takes.
    pub workers: Option<usize>,
    /// Every combination, instead of one setting after the other.
    pub crossed: bool,
    /// Queries a cell.
    pub queries: usize,
    /// Seconds a cell at most; `None` for as long as it takes.
    pub seconds: Option<f64>,
    /// Starts of a process of its own.
    pub cold_starts: usize,
    /// When a reranker counts as warm.
    pub warm_up: WarmUp,
    /// The search for the highest rate; `None` for none.
    pub find_rate: Option<FindRate>,
}

/// What texts are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BenchTexts {
    /// The experiment's queries with their candidates.
    #[default]
    Set,
    /// Common words, for latencies without a set.
    Synthetic,
}

/// How long documents are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawLength")]
pub enum BenchLength {
    /// As they are in the set.
    Own,
    /// So many tokens.
    Tokens(usize),
    /// As many tokens as the model reads of a pair, so that each pair is cut.
    Limit,
}

/// The search for the highest rate that keeps a 95th percentile.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindRate {
    /// Seconds that the 95th percentile may be.
    pub p95_seconds: f64,
    /// The rate of the first probe; `None` for half of what a closed loop did.
    pub start: Option<f64>,
    /// Queries a probe.
    #[serde(default = "probe_queries")]
    pub queries: usize,
    /// Probes at most.
    #[serde(default = "probes")]
    pub probes: usize,
    /// How near the rates that kept and that broke the limit must come, as a share.
    #[serde(default = "precision")]
    pub precision: f64,
}

/// Enough for an upper bound of p99.
const QUERIES: usize = 300;
/// So that nobody waits for hours unasked.
const SECONDS: f64 = 120.0;
/// Enough for a median that one odd start does not move.
const COLD_STARTS: usize = 3;
/// A length for texts that have none of their own.
const SYNTHETIC: usize = 128;

/// A setting that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {found}; allowed: {allowed}")]
pub struct BenchSetting {
    /// Which, as configs write it.
    pub key: &'static str,
    /// What was found.
    pub found: String,
    /// What may stand there.
    pub allowed: String,
}

impl Default for BenchSpec {
    fn default() -> Self {
        Self {
            texts: BenchTexts::Set,
            candidates: Vec::new(),
            lengths: Vec::new(),
            batch_tokens: Vec::new(),
            clients: Vec::new(),
            rates: Vec::new(),
            poisson: true,
            seed: Search::default().seed,
            workers: None,
            crossed: false,
            queries: QUERIES,
            seconds: Some(SECONDS),
            cold_starts: COLD_STARTS,
            warm_up: WarmUp::default(),
            find_rate: None,
        }
    }
}

impl FindRate {
    /// A search that keeps this limit, in seconds.
    pub fn keeping(p95_seconds: f64) -> Self {
        let (queries, probes, precision) = (probe_queries(), probes(), precision());
        Self { p95_seconds, start: None, queries, probes, precision }
    }

    /// The search itself, from this rate on where none is stated.
    pub fn search(&self, start: f64, workers: usize, seed: u64) -> Search {
        let Self { p95_seconds, queries, probes, precision, .. } = *self;
        let start = self.start.unwrap_or(start);
        Search {
            limit: p95_seconds,
            start,
            workers,
            precision,
            queries,
            probes,
            seed,
            ..Search::default()
        }
    }
}

impl BenchSpec {
    /// What is measured of a reranker that reads so many tokens of a pair (`None` where nobody
    /// knows), whose batches can be set or not, and that takes so many queries at a time: its cells,
    /// the base first. Cells that it cannot have are left out.
    pub fn cells(&self, limit: Option<usize>, batches: bool, workers: usize) -> Vec<Cell> {
        let length = |length: &BenchLength| match *length {
            BenchLength::Own => Some(DocumentLength::Own),
            BenchLength::Tokens(tokens) => Some(DocumentLength::Tokens(tokens)),
            BenchLength::Limit => limit.map(DocumentLength::Tokens),
        };
        let lengths: Vec<DocumentLength> = self.lengths.iter().filter_map(length).collect();
        let batch_tokens = if batches { self.batch_tokens.clone() } else { Vec::new() };
        let workers = self.workers.unwrap_or(workers);
        let open = |&rate: &f64| Load::Open { rate, arrivals: self.arrivals(), workers };
        let closed = self.clients.iter().map(|&clients| Load::Closed { clients });
        let loads: Vec<Load> = closed.chain(self.rates.iter().map(open)).collect();
        let usual_length = match self.texts {
            BenchTexts::Set => DocumentLength::Own,
            BenchTexts::Synthetic => DocumentLength::Tokens(SYNTHETIC),
        };
        let base = Cell {
            candidates: base(&self.candidates, CANDIDATES),
            length: base(&lengths, usual_length),
            batch_tokens: batch_tokens.first().copied(),
            load: base(&loads, Load::Closed { clients: 1 }),
        };
        let sweep = Sweep {
            candidates: self.candidates.clone(),
            lengths,
            batch_tokens,
            loads,
            crossed: self.crossed,
        };
        sweep.cells(base)
    }

    /// How open loops' arrivals are spread.
    pub fn arrivals(&self) -> Arrivals {
        match self.poisson {
            true => Arrivals::Poisson { seed: self.seed },
            false => Arrivals::Constant,
        }
    }

    /// Whether all this can be measured.
    ///
    /// # Errors
    /// The first setting that cannot be.
    pub fn check(&self) -> Result<(), BenchSetting> {
        let wrong = |key, found: String, allowed: &str| {
            Err(BenchSetting { key, found, allowed: allowed.to_owned() })
        };
        let whole = "whole numbers from 1, each once";
        let lists = [
            ("candidates", &self.candidates),
            ("batch_tokens", &self.batch_tokens),
            ("clients", &self.clients),
        ];
        for (key, values) in lists {
            if let Some(value) = odd(values, |&value| value > 0) {
                return wrong(key, value.to_string(), whole);
            }
        }
        if let Some(length) = odd(&self.lengths, |length| *length != BenchLength::Tokens(0)) {
            let allowed = "numbers of tokens from 1, \"own\" and \"limit\", each once";
            return wrong("lengths", format!("{length:?}"), allowed);
        }
        if self.texts == BenchTexts::Synthetic && self.lengths.contains(&BenchLength::Own) {
            let allowed =
                "numbers of tokens, or \"limit\": made-up texts have no length of their own";
            return wrong("lengths", "\"own\"".to_owned(), allowed);
        }
        if let Some(rate) = odd(&self.rates, |rate| rate.is_finite() && *rate > 0.0) {
            return wrong("rates", rate.to_string(), "queries a second above 0, each once");
        }
        if self.workers == Some(0) {
            return wrong("workers", "0".to_owned(), "a whole number from 1");
        }
        if self.queries == 0 {
            return wrong("queries", "0".to_owned(), "a whole number from 1");
        }
        if let Some(seconds) = self.seconds.filter(|s| !(s.is_finite() && *s > 0.0)) {
            return wrong("seconds", seconds.to_string(), "a number above 0");
        }
        if let Err(error) = self.warm_up.check() {
            return setting("warm_up", error);
        }
        let search = self.find_rate.map(|find| find.search(1.0, 1, 0).check());
        match (search, self.find_rate) {
            (Some(Err(_)), Some(find)) if find.queries < samples_needed(0.95) => {
                let allowed = "queries = 59 or more, so that the 95th percentile has a bound";
                wrong("find_rate", format!("queries = {}", find.queries), allowed)
            }
            (Some(Err(error)), _) => setting("find_rate", error),
            _ => Ok(()),
        }
    }
}

impl FromStr for BenchLength {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("own", _) => Ok(Self::Own),
            ("limit", _) => Ok(Self::Limit),
            (_, Ok(tokens)) if tokens > 0 => Ok(Self::Tokens(tokens)),
            _ => Err("it must be a number of tokens from 1, `own` or `limit`".to_owned()),
        }
    }
}

fn setting(key: &'static str, error: BenchError) -> Result<(), BenchSetting> {
    let (found, allowed) = match error {
        BenchError::Setting { setting, value, allowed } => {
            (format!("{setting}, {value}"), allowed.to_owned())
        }
        BenchError::Rate { rate } => (format!("start = {rate}"), "a rate above 0".to_owned()),
        other => ("wrong".to_owned(), other.to_string()),
    };
    Err(BenchSetting { key, found, allowed })
}

/// The usual value where it is listed or nothing is, else the first.
fn base<T: Copy + PartialEq>(listed: &[T], usual: T) -> T {
    match listed.first() {
        Some(&first) if !listed.contains(&usual) => first,
        _ => usual,
    }
}

/// The first value that may not be, or stands there twice.
fn odd<T: PartialEq>(values: &[T], may_be: impl Fn(&T) -> bool) -> Option<&T> {
    let mut all = values.iter().enumerate();
    all.find(|(place, value)| !may_be(value) || values[..*place].contains(value))
        .map(|(_, value)| value)
}

fn probe_queries() -> usize {
    Search::default().queries
}

fn probes() -> usize {
    Search::default().probes
}

fn precision() -> f64 {
    Search::default().precision
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawLength {
    Tokens(usize),
    Named(String),
}

impl TryFrom<RawLength> for BenchLength {
    type Error = String;

    fn try_from(raw: RawLength) -> Result<Self, String> {
        match raw {
            RawLength::Tokens(tokens) => Ok(Self::Tokens(tokens)),
            RawLength::Named(name) => name.parse(),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> From<OneOrMany<T>> for Vec<T> {
    fn from(raw: OneOrMany<T>) -> Self {
        match raw {
            OneOrMany::One(value) => vec![value],
            OneOrMany::Many(values) => values,
        }
    }
}

/// The `[bench]` table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBench {
    #[serde(default)]
    texts: BenchTexts,
    candidates: Option<OneOrMany<usize>>,
    lengths: Option<OneOrMany<BenchLength>>,
    batch_tokens: Option<OneOrMany<usize>>,
    clients: Option<OneOrMany<usize>>,
    rates: Option<OneOrMany<f64>>,
    arrivals: Option<String>,
    seed: Option<u64>,
    workers: Option<usize>,
    #[serde(default)]
    crossed: bool,
    queries: Option<usize>,
    seconds: Option<f64>,
    cold_starts: Option<usize>,
    warm_up: Option<RawWarmUp>,
    find_rate: Option<FindRate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWarmUp {
    window: Option<usize>,
    tolerance: Option<f64>,
    at_most: Option<usize>,
    seconds: Option<f64>,
}

impl Keys<'_> {
    pub fn bench(&self, raw: Option<RawBench>) -> Result<Option<BenchSpec>, ConfigError> {
        let Some(raw) = raw else { return Ok(None) };
        let usual = BenchSpec::default();
        let poisson = match raw.arrivals.as_deref() {
            None | Some("poisson") => true,
            Some("constant") => false,
            Some(other) => {
                return Err(self.value("bench.arrivals", other, "\"poisson\", \"constant\""));
            }
        };
        let warm_up = match raw.warm_up {
            None => usual.warm_up,
            Some(raw) => WarmUp {
                window: raw.window.unwrap_or(usual.warm_up.window),
                tolerance: raw.tolerance.unwrap_or(usual.warm_up.tolerance),
                at_most: raw.at_most.unwrap_or(usual.warm_up.at_most),
                seconds: raw.seconds.unwrap_or(usual.warm_up.seconds),
            },
        };
        let spec = BenchSpec {
            texts: raw.texts,
            candidates: raw.candidates.map(Into::into).unwrap_or_default(),
            lengths: raw.lengths.map(Into::into).unwrap_or_default(),
            batch_tokens: raw.batch_tokens.map(Into::into).unwrap_or_default(),
            clients: raw.clients.map(Into::into).unwrap_or_default(),
            rates: raw.rates.map(Into::into).unwrap_or_default(),
            poisson,
            seed: raw.seed.unwrap_or(usual.seed),
            workers: raw.workers,
            crossed: raw.crossed,
            queries: raw.queries.unwrap_or(usual.queries),
            seconds: raw.seconds.or(usual.seconds),
            cold_starts: raw.cold_starts.unwrap_or(usual.cold_starts),
            warm_up,
            find_rate: raw.find_rate,
        };
        spec.check().map_err(|wrong| ConfigError::Value {
            file: self.file.to_owned(),
            key: format!("bench.{}", wrong.key),
            found: wrong.found,
            allowed: wrong.allowed,
        })?;
        Ok(Some(spec))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(table: &str) -> Result<BenchSpec, ConfigError> {
        let raw: RawBench = toml::from_str(table).unwrap();
        Ok(Keys { file: "x.toml" }.bench(Some(raw))?.unwrap())
    }

    #[test]
    fn an_empty_table_measures_the_usual_cell() {
        let spec = parsed("").unwrap();
        assert_eq!(spec, BenchSpec::default());
        assert_eq!(spec.cells(Some(512), true, 1), [Cell::default()]);
        assert!(spec.queries >= samples_needed(0.99));
    }

    #[test]
    fn one_value_sets_and_several_are_tried() {
        let spec =
            parsed("candidates = [10, 50, 200]\nlengths = [\"own\", 64, \"limit\"]\nclients = 2")
                .unwrap();
        let cells = spec.cells(Some(512), true, 1);
        assert_eq!(cells.len(), 5);
        assert!(cells.iter().all(|cell| cell.load == Load::Closed { clients: 2 }));
        assert_eq!((cells[0].candidates, cells[0].length), (50, DocumentLength::Own));
        assert_eq!(cells[4].length, DocumentLength::Tokens(512));
        // Nobody knows the limit.
        assert_eq!(spec.cells(None, true, 1).len(), 4);
        let first = parsed("candidates = [20, 100]").unwrap().cells(None, true, 1);
        assert_eq!(first[0].candidates, 20);
    }

    #[test]
    fn batches_are_of_those_who_have_them() {
        let spec = parsed("batch_tokens = [1024, 8192]").unwrap();
        let sizes = |batches| -> Vec<Option<usize>> {
            spec.cells(None, batches, 1).iter().map(|cell| cell.batch_tokens).collect()
        };
        assert_eq!(sizes(true), [Some(1024), Some(8192)]);
        assert_eq!(sizes(false), [None]);
    }

    #[test]
    fn loads_are_closed_or_open() {
        let spec = parsed("clients = [1, 4]\nrates = 2.5\narrivals = \"constant\"").unwrap();
        let open = |workers| Load::Open { rate: 2.5, arrivals: Arrivals::Constant, workers };
        let loads: Vec<Load> = spec.cells(None, true, 7).iter().map(|cell| cell.load).collect();
        assert_eq!(loads, [Load::Closed { clients: 1 }, Load::Closed { clients: 4 }, open(7)]);
        let alone = parsed("rates = 2.5\narrivals = \"constant\"\nworkers = 3").unwrap();
        assert_eq!(alone.cells(None, true, 7)[0].load, open(3));
    }

    #[test]
    fn made_up_texts_have_a_stated_length() {
        let spec = parsed("texts = \"synthetic\"").unwrap();
        assert_eq!(spec.cells(None, true, 1)[0].length, DocumentLength::Tokens(SYNTHETIC));
        let error = parsed("texts = \"synthetic\"\nlengths = [\"own\", 64]").unwrap_err();
        assert!(error.to_string().contains("made-up"), "{error}");
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_key() {
        for (table, key) in [
            ("candidates = [10, 10]", "bench.candidates"),
            ("candidates = 0", "bench.candidates"),
            ("lengths = [0]", "bench.lengths"),
            ("batch_tokens = [0]", "bench.batch_tokens"),
            ("clients = [2, 0]", "bench.clients"),
            ("rates = [-1.0]", "bench.rates"),
            ("arrivals = \"bursts\"", "bench.arrivals"),
            ("workers = 0", "bench.workers"),
            ("queries = 0", "bench.queries"),
            ("seconds = 0.0", "bench.seconds"),
            ("warm_up = { window = 0 }", "bench.warm_up"),
            ("find_rate = { p95_seconds = 0.0 }", "bench.find_rate"),
            ("find_rate = { p95_seconds = 0.1, queries = 58 }", "bench.find_rate"),
            ("find_rate = { p95_seconds = 0.1, start = 0.0 }", "bench.find_rate"),
        ] {
            let error = parsed(table).unwrap_err().to_string();
            assert!(error.contains(&format!("key '{key}'")), "{table}: {error}");
            assert!(error.contains("allowed: "), "{error}");
        }
    }
}
