use std::collections::HashSet;

use secondpass_core::{ContentHash, line_of};
use serde::Deserialize;

use super::bench::RawBench;
use super::dataset::RawDataset;
use super::first_stage::RawFirstStage;
use super::keys::{Keys, quoted};
use super::reranker::RawReranker;
use super::settings::{RawCost, RawStatistics, RawSweep};
use super::{ConfigError, Expectation, Experiment, FIRST_STAGE, ORACLE};
use crate::measures::{MeasureError, NamedMeasure, Summary};

impl Experiment {
    /// Reads a config. `file_name` is its path: it stands in errors, and relative paths in the
    /// config are joined to its folder.
    ///
    /// # Errors
    /// Broken TOML, unknown or missing keys, values that cannot be.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, ConfigError> {
        let raw: RawExperiment = toml::from_str(text).map_err(|error| ConfigError::Toml {
            file: file_name.to_owned(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        let keys = Keys { file: file_name };
        let measures = keys.measures(&raw.measures)?;
        let primary = keys.primary(&raw.primary, &measures)?;
        let mut systems = Systems::new(raw.oracle);
        let mut retrievers = Vec::with_capacity(raw.retriever.len());
        for (number, raw) in (1..).zip(raw.retriever) {
            let retriever = keys.retriever(number, raw)?;
            systems.add(&keys, &format!("retriever {number}.name"), &retriever.name)?;
            retrievers.push(retriever);
        }
        let mut rerankers = Vec::with_capacity(raw.reranker.len());
        for (number, raw) in (1..).zip(raw.reranker) {
            let reranker = keys.reranker(number, raw)?;
            systems.add(&keys, &format!("reranker {number}.name"), &reranker.name)?;
            rerankers.push(reranker);
        }
        let expect = keys.expectations(raw.expect, &systems.names, &measures)?;
        let mut slices = HashSet::new();
        if let Some(twice) = raw.slices.iter().find(|slice| !slices.insert(slice.as_str())) {
            return Err(keys.value("slices", twice, "each attribute once"));
        }
        let first_stage = keys.first_stage(raw.first_stage)?;
        Ok(Self {
            file: file_name.to_owned(),
            config: ContentHash::of(text.as_bytes()),
            name: keys.folder_name("name", raw.name)?,
            demonstration: raw.demonstration,
            dataset: keys.dataset(raw.dataset)?,
            sweep: keys.sweep(raw.sweep, first_stage.depth)?,
            first_stage,
            retrievers,
            rerankers,
            measures,
            primary,
            slices: raw.slices,
            oracle: raw.oracle,
            repetitions: keys.positive("repetitions", raw.repetitions)?,
            statistics: keys.statistics(raw.statistics)?,
            bench: keys.bench(raw.bench)?,
            residency: keys.residency(raw.residency)?,
            prices: raw.cost.prices.map(|path| keys.beside(&path)),
            volumes: keys.volumes(raw.cost.queries_per_month)?,
            expect,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExperiment {
    name: String,
    #[serde(default)]
    demonstration: bool,
    measures: Vec<String>,
    primary: String,
    #[serde(default)]
    slices: Vec<String>,
    #[serde(default = "yes")]
    oracle: bool,
    #[serde(default = "once")]
    repetitions: usize,
    dataset: RawDataset,
    first_stage: RawFirstStage,
    #[serde(default)]
    retriever: Vec<RawFirstStage>,
    #[serde(default)]
    reranker: Vec<RawReranker>,
    #[serde(default)]
    statistics: RawStatistics,
    #[serde(default)]
    sweep: RawSweep,
    #[serde(default)]
    cost: RawCost,
    bench: Option<RawBench>,
    residency: Option<Vec<String>>,
    #[serde(default)]
    expect: Vec<RawExpectation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExpectation {
    system: String,
    measure: String,
    value: f64,
    tolerance: f64,
}

fn yes() -> bool {
    true
}

fn once() -> usize {
    1
}

/// The names of an experiment's systems, each once, in the order of the record.
struct Systems {
    names: Vec<String>,
}

impl Systems {
    fn new(oracle: bool) -> Self {
        let oracle = oracle.then(|| ORACLE.to_owned());
        Self { names: std::iter::once(FIRST_STAGE.to_owned()).chain(oracle).collect() }
    }

    fn add(&mut self, keys: &Keys<'_>, key: &str, name: &str) -> Result<(), ConfigError> {
        // The oracle's name stays its own where it is left out, too.
        if name == ORACLE || self.names.iter().any(|taken| taken == name) {
            let allowed = "a name no other system has, neither 'first stage' nor 'oracle'";
            return Err(keys.value(key, name, allowed));
        }
        self.names.push(name.to_owned());
        Ok(())
    }
}

impl Keys<'_> {
    fn measures(&self, names: &[String]) -> Result<Vec<NamedMeasure>, ConfigError> {
        let mut measures: Vec<NamedMeasure> = Vec::with_capacity(names.len());
        for name in names {
            let measure = self.measure("measures", name)?;
            if measures.contains(&measure) {
                return Err(self.value("measures", name, "each measure once"));
            }
            measures.push(measure);
        }
        match measures.is_empty() {
            true => Err(ConfigError::Value {
                file: self.file.to_owned(),
                key: "measures".to_owned(),
                found: "empty".to_owned(),
                allowed: format!("a list of {}", NamedMeasure::allowed()),
            }),
            false => Ok(measures),
        }
    }

    /// Verdicts and margins are of a mean from 0 to 1; a count is none.
    fn primary(&self, name: &str, all: &[NamedMeasure]) -> Result<NamedMeasure, ConfigError> {
        let primary = self.one_of("primary", name, all)?;
        match primary.summary() {
            Summary::Mean => Ok(primary),
            Summary::Sum => {
                let is_mean = |measure: &&NamedMeasure| measure.summary() == Summary::Mean;
                let means: Vec<String> =
                    all.iter().filter(is_mean).map(NamedMeasure::to_string).collect();
                let allowed = match means.is_empty() {
                    true => "a measure that is no count, added to 'measures'".to_owned(),
                    false => format!("one of 'measures' that is no count: {}", quoted(&means)),
                };
                Err(self.value("primary", name, &allowed))
            }
        }
    }

    fn expectations(
        &self,
        raw: Vec<RawExpectation>,
        systems: &[String],
        measures: &[NamedMeasure],
    ) -> Result<Vec<Expectation>, ConfigError> {
        let check = |(number, raw): (usize, RawExpectation)| {
            let key = |field: &str| format!("expect {number}.{field}");
            if !systems.contains(&raw.system) {
                return Err(self.value(&key("system"), &raw.system, &quoted(systems)));
            }
            let measure = self.one_of(&key("measure"), &raw.measure, measures)?;
            if !raw.value.is_finite() {
                return Err(self.number(&key("value"), raw.value, "a finite number"));
            }
            let tolerance = (0.0, f64::MAX);
            let tolerance =
                self.within(&key("tolerance"), raw.tolerance, tolerance, "a number from 0")?;
            Ok(Expectation { system: raw.system, measure, value: raw.value, tolerance })
        };
        (1..).zip(raw).map(check).collect()
    }

    fn one_of(
        &self,
        key: &str,
        name: &str,
        all: &[NamedMeasure],
    ) -> Result<NamedMeasure, ConfigError> {
        let measure = self.measure(key, name)?;
        if all.contains(&measure) {
            return Ok(measure);
        }
        let names: Vec<String> = all.iter().map(NamedMeasure::to_string).collect();
        let allowed = format!("one of 'measures': {}", quoted(&names));
        Err(self.value(key, name, &allowed))
    }

    fn measure(&self, key: &str, name: &str) -> Result<NamedMeasure, ConfigError> {
        name.parse().map_err(|error: MeasureError| match error {
            MeasureError::Unknown { .. } => self.value(key, name, &NamedMeasure::allowed()),
            MeasureError::Cutoff { problem, .. } => {
                self.value(key, name, &format!("{} (this one {problem})", NamedMeasure::allowed()))
            }
            MeasureError::Parameter { problem, .. } => {
                self.value(key, name, &format!("{} (this one {problem})", NamedMeasure::allowed()))
            }
        })
    }
}
