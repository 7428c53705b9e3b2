use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;
use super::keys::Keys;

/// Which dataset, and which split of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetSpec {
    /// Where it comes from.
    pub source: DatasetSource,
    /// The split whose queries are run.
    pub split: String,
    /// Run only so many queries, drawn from the split; `None` for all.
    pub sample: Option<QuerySample>,
}

/// A part of a split's queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuerySample {
    /// How many, from 1; all where the split has fewer.
    pub queries: usize,
    /// Decides which.
    pub seed: u64,
}

/// Where a dataset comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatasetSource {
    /// Compiled into the program, by name.
    Embedded(String),
    /// A folder in BEIR's layout.
    Beir(PathBuf),
    /// A public set that has a manifest, by name.
    Public(String),
    /// A golden set: JSONL with a query and its relevant documents a line.
    Golden {
        /// The lines.
        path: PathBuf,
        /// The documents that ids refer to; `None` where the lines hold texts.
        corpus: Option<PathBuf>,
    },
    /// FlagEmbedding's JSONL: a query with positives and negatives a line.
    FlagEmbedding(PathBuf),
}

/// The kinds there are, as errors list them.
const KINDS: &str = "\"embedded\", \"beir\", \"public\", \"golden\", \"flag-embedding\"";
/// The split of a file that is one.
const ONE_SPLIT: &str = "all";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDataset {
    kind: String,
    name: Option<String>,
    path: Option<PathBuf>,
    corpus: Option<PathBuf>,
    split: Option<String>,
    queries: Option<usize>,
    seed: Option<u64>,
}

impl Keys<'_> {
    pub fn dataset(&self, raw: RawDataset) -> Result<DatasetSpec, ConfigError> {
        let RawDataset { kind, name, path, corpus, split, queries, seed } = raw;
        let when = format!("kind = \"{kind}\"");
        let (has_name, has_path) = (name.is_some(), path.is_some());
        let has_corpus = ("dataset.corpus", corpus.is_some());
        let no_name = [("dataset.name", has_name), has_corpus];
        let no_path = [("dataset.path", has_path), has_corpus];
        let one_split = ("dataset.split", split.is_some());
        let named = |what| {
            self.absent(&no_path, &when)?;
            self.filled("dataset.name", self.needed("dataset.name", name, what)?)
        };
        let at = |what| Ok(self.beside(&self.needed("dataset.path", path, what)?));
        let (source, has_splits) = match kind.as_str() {
            "embedded" => (DatasetSource::Embedded(named("the embedded set's name")?), true),
            "public" => {
                let name = named("a name that 'secondpass dataset list' shows")?;
                (DatasetSource::Public(name), true)
            }
            "beir" => {
                self.absent(&no_name, &when)?;
                (DatasetSource::Beir(at("the folder with corpus.jsonl in it")?), true)
            }
            "golden" => {
                self.absent(&[("dataset.name", has_name), one_split], &when)?;
                let path = at("the JSONL file of queries and their relevant documents")?;
                let corpus = corpus.map(|corpus| self.beside(&corpus));
                (DatasetSource::Golden { path, corpus }, false)
            }
            "flag-embedding" => {
                self.absent(&[no_name[0], no_name[1], one_split], &when)?;
                (DatasetSource::FlagEmbedding(at("the JSONL file")?), false)
            }
            other => return Err(self.value("dataset.kind", other, KINDS)),
        };
        let split = match (split, has_splits) {
            (split, true) => self.filled(
                "dataset.split",
                self.needed("dataset.split", split, "the split whose queries are run")?,
            )?,
            (_, false) => ONE_SPLIT.to_owned(),
        };
        let sample = match queries {
            None => {
                self.absent(&[("dataset.seed", seed.is_some())], "dataset.queries is missing")?;
                None
            }
            Some(queries) => Some(QuerySample {
                queries: self.positive("dataset.queries", queries)?,
                seed: seed.unwrap_or(0),
            }),
        };
        Ok(DatasetSpec { source, split, sample })
    }
}
