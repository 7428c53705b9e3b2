use std::collections::HashSet;
use std::path::{Path, PathBuf};

use secondpass_core::ContentHash;
use serde::Deserialize;

use super::{
    ConfigError, DatasetSource, DatasetSpec, Expectation, Experiment, FIRST_STAGE, FirstStageKind,
    FirstStageSpec, ModelSpec, ORACLE, RerankerKind, RerankerSpec,
};
use crate::measures::{MeasureError, NamedMeasure};

const DEFAULT_K1: f64 = 0.9;
const DEFAULT_B: f64 = 0.4;
const DEFAULT_DEPTH: usize = 50;

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
        let rerankers = keys.rerankers(raw.reranker)?;
        let expect = keys.expectations(raw.expect, &rerankers, &measures, raw.oracle)?;
        let mut slices = HashSet::new();
        if let Some(twice) = raw.slices.iter().find(|slice| !slices.insert(slice.as_str())) {
            return Err(keys.value("slices", twice, "each attribute once"));
        }
        Ok(Self {
            file: file_name.to_owned(),
            config: ContentHash::of(text.as_bytes()),
            name: keys.folder_name("name", raw.name)?,
            demonstration: raw.demonstration,
            dataset: keys.dataset(raw.dataset)?,
            first_stage: keys.first_stage(raw.first_stage)?,
            rerankers,
            measures,
            primary,
            slices: raw.slices,
            oracle: raw.oracle,
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
    dataset: RawDataset,
    first_stage: RawFirstStage,
    #[serde(default)]
    reranker: Vec<RawReranker>,
    #[serde(default)]
    expect: Vec<RawExpectation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDataset {
    kind: String,
    name: Option<String>,
    path: Option<PathBuf>,
    split: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFirstStage {
    kind: String,
    k1: Option<f64>,
    b: Option<f64>,
    path: Option<PathBuf>,
    depth: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReranker {
    name: String,
    kind: String,
    model: String,
    revision: Option<String>,
    max_length: Option<usize>,
    truncation: Option<String>,
    device: Option<String>,
    dtype: Option<String>,
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

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

/// Validation, with the file that every error names.
struct Keys<'a> {
    file: &'a str,
}

impl Keys<'_> {
    fn dataset(&self, raw: RawDataset) -> Result<DatasetSpec, ConfigError> {
        let source = match raw.kind.as_str() {
            "embedded" => {
                self.absent("dataset.path", raw.path.is_some(), "kind = \"embedded\"")?;
                let name = self.needed("dataset.name", raw.name, "the embedded set's name")?;
                DatasetSource::Embedded(self.filled("dataset.name", name)?)
            }
            "beir" => {
                self.absent("dataset.name", raw.name.is_some(), "kind = \"beir\"")?;
                let path =
                    self.needed("dataset.path", raw.path, "the folder with corpus.jsonl in it")?;
                DatasetSource::Beir(self.beside(&path))
            }
            other => return Err(self.value("dataset.kind", other, "\"embedded\", \"beir\"")),
        };
        Ok(DatasetSpec { source, split: self.filled("dataset.split", raw.split)? })
    }

    fn first_stage(&self, raw: RawFirstStage) -> Result<FirstStageSpec, ConfigError> {
        let kind = match raw.kind.as_str() {
            "bm25" => {
                self.absent("first_stage.path", raw.path.is_some(), "kind = \"bm25\"")?;
                let (k1, b) = (raw.k1.unwrap_or(DEFAULT_K1), raw.b.unwrap_or(DEFAULT_B));
                if !(k1.is_finite() && k1 >= 0.0) {
                    return Err(self.number("first_stage.k1", k1, "a number from 0"));
                }
                if !(0.0..=1.0).contains(&b) {
                    return Err(self.number("first_stage.b", b, "a number from 0 to 1"));
                }
                FirstStageKind::Bm25 { k1, b }
            }
            "run" => {
                self.absent("first_stage.k1", raw.k1.is_some(), "kind = \"run\"")?;
                self.absent("first_stage.b", raw.b.is_some(), "kind = \"run\"")?;
                let path = self.needed("first_stage.path", raw.path, "the TREC run's file")?;
                FirstStageKind::Run(self.beside(&path))
            }
            other => return Err(self.value("first_stage.kind", other, "\"bm25\", \"run\"")),
        };
        let depth = raw.depth.unwrap_or(DEFAULT_DEPTH);
        if depth == 0 {
            return Err(self.number("first_stage.depth", 0.0, "a whole number from 1"));
        }
        Ok(FirstStageSpec { kind, depth })
    }

    fn rerankers(&self, raw: Vec<RawReranker>) -> Result<Vec<RerankerSpec>, ConfigError> {
        let mut names = HashSet::from([FIRST_STAGE.to_owned(), ORACLE.to_owned()]);
        let mut rerankers = Vec::with_capacity(raw.len());
        for (number, raw) in (1..).zip(raw) {
            let key = |field: &str| format!("reranker {number}.{field}");
            let name = self.filled(&key("name"), raw.name)?;
            if !names.insert(name.clone()) {
                let allowed = "a name no other system has, neither 'first stage' nor 'oracle'";
                return Err(self.value(&key("name"), &name, allowed));
            }
            let kind = match raw.kind.as_str() {
                "cross-encoder" => RerankerKind::CrossEncoder,
                other => return Err(self.value(&key("kind"), other, "\"cross-encoder\"")),
            };
            let model = self.model(self.filled(&key("model"), raw.model)?);
            if raw.revision.is_some() && model == ModelSpec::Embedded {
                self.absent(&key("revision"), true, "model = \"embedded\"")?;
            }
            if raw.max_length == Some(0) {
                return Err(self.number(&key("max_length"), 0.0, "a whole number from 1"));
            }
            rerankers.push(RerankerSpec {
                name,
                kind,
                model,
                revision: raw.revision,
                max_length: raw.max_length,
                truncation: raw.truncation.unwrap_or_else(|| "longest-first".to_owned()),
                device: raw.device.unwrap_or_else(|| "auto".to_owned()),
                dtype: raw.dtype.unwrap_or_else(|| "f32".to_owned()),
            });
        }
        Ok(rerankers)
    }

    fn model(&self, name: String) -> ModelSpec {
        match name.as_str() {
            "embedded" => ModelSpec::Embedded,
            relative if relative.starts_with("./") || relative.starts_with("../") => {
                ModelSpec::Named(self.beside(Path::new(relative)).to_string_lossy().into_owned())
            }
            _ => ModelSpec::Named(name),
        }
    }

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

    fn primary(&self, name: &str, all: &[NamedMeasure]) -> Result<NamedMeasure, ConfigError> {
        self.one_of("primary", name, all)
    }

    fn expectations(
        &self,
        raw: Vec<RawExpectation>,
        rerankers: &[RerankerSpec],
        measures: &[NamedMeasure],
        oracle: bool,
    ) -> Result<Vec<Expectation>, ConfigError> {
        let mut systems = vec![FIRST_STAGE];
        systems.extend(rerankers.iter().map(|reranker| reranker.name.as_str()));
        systems.extend(oracle.then_some(ORACLE));
        let check = |(number, raw): (usize, RawExpectation)| {
            let key = |field: &str| format!("expect {number}.{field}");
            if !systems.contains(&raw.system.as_str()) {
                return Err(self.value(&key("system"), &raw.system, &quoted(&systems)));
            }
            let measure = self.one_of(&key("measure"), &raw.measure, measures)?;
            if !raw.value.is_finite() {
                return Err(self.number(&key("value"), raw.value, "a finite number"));
            }
            if !(raw.tolerance.is_finite() && raw.tolerance >= 0.0) {
                return Err(self.number(&key("tolerance"), raw.tolerance, "a number from 0"));
            }
            let (value, tolerance) = (raw.value, raw.tolerance);
            Ok(Expectation { system: raw.system, measure, value, tolerance })
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
        })
    }

    /// A path of the config, from the config's own folder.
    fn beside(&self, path: &Path) -> PathBuf {
        match Path::new(self.file).parent() {
            Some(folder) => folder.join(path),
            None => path.to_owned(),
        }
    }

    fn filled(&self, key: &str, text: String) -> Result<String, ConfigError> {
        match text.trim().is_empty() {
            true => Err(self.value(key, &text, "a text that is not blank")),
            false => Ok(text),
        }
    }

    /// A name that is a folder's too: reports go to `reports/NAME`.
    fn folder_name(&self, key: &str, text: String) -> Result<String, ConfigError> {
        let name = self.filled(key, text)?;
        let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '+');
        let is_plain = name.chars().all(plain) && !name.starts_with('.') && name.len() <= 100;
        match is_plain && name.trim() == name {
            true => Ok(name),
            false => {
                let allowed =
                    "letters, digits, blanks, '-', '_', '+' and '.' (not first), at most 100 bytes";
                Err(self.value(key, &name, allowed))
            }
        }
    }

    fn needed<T>(&self, key: &str, value: Option<T>, what: &'static str) -> Result<T, ConfigError> {
        value.ok_or_else(|| ConfigError::Missing {
            file: self.file.to_owned(),
            key: key.to_owned(),
            what,
        })
    }

    fn absent(&self, key: &str, is_there: bool, when: &str) -> Result<(), ConfigError> {
        match is_there {
            true => Err(ConfigError::Superfluous {
                file: self.file.to_owned(),
                key: key.to_owned(),
                when: when.to_owned(),
            }),
            false => Ok(()),
        }
    }

    fn value(&self, key: &str, found: &str, allowed: &str) -> ConfigError {
        ConfigError::Value {
            file: self.file.to_owned(),
            key: key.to_owned(),
            found: format!("{found:?}"),
            allowed: allowed.to_owned(),
        }
    }

    fn number(&self, key: &str, found: f64, allowed: &str) -> ConfigError {
        ConfigError::Value {
            file: self.file.to_owned(),
            key: key.to_owned(),
            found: found.to_string(),
            allowed: allowed.to_owned(),
        }
    }
}

fn quoted(names: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{:?}", name.as_ref())).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests;
