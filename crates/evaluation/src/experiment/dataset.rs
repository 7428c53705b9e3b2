use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::keys::Keys;

/// Which dataset, and which split of it.
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetSpec {
    /// Where it comes from.
    pub source: DatasetSource,
    /// The split whose queries are run; `all` where a source knows no splits.
    pub split: String,
    /// Run only so many queries, drawn from the split; `None` for all.
    pub sample: Option<QuerySample>,
}

/// A part of a split's queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuerySample {
    /// How many, from 1; all where the split has fewer.
    pub queries: usize,
    /// Decides which.
    pub seed: u64,
}

/// Where a dataset comes from. Names of columns and parts of topics stay as they were written: who
/// reads the files validates them.
#[derive(Clone, Debug, PartialEq)]
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
    /// A table of judged pairs of texts: CSV, TSV or Parquet.
    Pairs {
        /// The table.
        path: PathBuf,
        /// The names of its columns.
        columns: serde_json::Value,
    },
    /// Tables of documents, queries and judgements.
    Tables {
        /// The documents.
        documents: PathBuf,
        /// The queries.
        queries: PathBuf,
        /// The judgements.
        judgements: PathBuf,
        /// The names of their columns, by table.
        columns: serde_json::Value,
    },
    /// TREC topics and judgements over a file of documents.
    Trec {
        /// The documents, as JSONL.
        documents: PathBuf,
        /// The topics.
        topics: PathBuf,
        /// The judgements.
        qrels: PathBuf,
        /// Which part of a topic is the query; `None` for the title.
        part: Option<String>,
    },
    /// A log of a system in production, whose citations stand for judgements.
    Log(PathBuf),
}

/// Each kind with the keys that it knows beside `kind`, `sample` and `seed`.
const KINDS: &[(&str, &[&str])] = &[
    ("embedded", &["name", "split"]),
    ("beir", &["path", "split"]),
    ("public", &["name", "split"]),
    ("golden", &["path", "corpus"]),
    ("flag-embedding", &["path"]),
    ("pairs", &["path", "columns"]),
    ("tables", &["documents", "queries", "judgements", "columns", "split"]),
    ("trec", &["documents", "topics", "qrels", "part", "split"]),
    ("log", &["path"]),
];
/// The split of what knows no splits.
const ONE_SPLIT: &str = "all";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDataset {
    kind: String,
    name: Option<String>,
    split: Option<String>,
    path: Option<PathBuf>,
    corpus: Option<PathBuf>,
    documents: Option<PathBuf>,
    queries: Option<PathBuf>,
    judgements: Option<PathBuf>,
    topics: Option<PathBuf>,
    qrels: Option<PathBuf>,
    part: Option<String>,
    columns: Option<serde_json::Value>,
    sample: Option<usize>,
    seed: Option<u64>,
}

impl RawDataset {
    fn keys(&self) -> [(&'static str, bool); 11] {
        [
            ("name", self.name.is_some()),
            ("split", self.split.is_some()),
            ("path", self.path.is_some()),
            ("corpus", self.corpus.is_some()),
            ("documents", self.documents.is_some()),
            ("queries", self.queries.is_some()),
            ("judgements", self.judgements.is_some()),
            ("topics", self.topics.is_some()),
            ("qrels", self.qrels.is_some()),
            ("part", self.part.is_some()),
            ("columns", self.columns.is_some()),
        ]
    }
}

impl Keys<'_> {
    pub fn dataset(&self, mut raw: RawDataset) -> Result<DatasetSpec, ConfigError> {
        let Some((_, known)) = KINDS.iter().find(|(kind, _)| *kind == raw.kind) else {
            let kinds: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
            return Err(self.value("dataset.kind", &raw.kind, &super::keys::quoted(&kinds)));
        };
        self.only("dataset", raw.keys(), known, &raw.kind)?;
        let sample = match (raw.sample, raw.seed) {
            (None, seed) => {
                self.absent(&[("dataset.seed", seed.is_some())], "dataset.sample is missing")?;
                None
            }
            (Some(queries), seed) => Some(QuerySample {
                queries: self.positive("dataset.sample", queries)?,
                seed: seed.unwrap_or(0),
            }),
        };
        let split = match (raw.split.take(), raw.kind.as_str()) {
            (Some(split), _) => self.filled("dataset.split", split)?,
            (None, "embedded" | "beir" | "public") => {
                self.needed("dataset.split", None, "the split whose queries are run")?
            }
            (None, _) => ONE_SPLIT.to_owned(),
        };
        Ok(DatasetSpec { source: self.source(raw)?, split, sample })
    }

    fn source(&self, raw: RawDataset) -> Result<DatasetSource, ConfigError> {
        let path = |key: &str, path: Option<PathBuf>, what| {
            Ok(self.beside(&self.needed(&format!("dataset.{key}"), path, what)?))
        };
        let name = |name: Option<String>, what| {
            self.filled("dataset.name", self.needed("dataset.name", name, what)?)
        };
        let columns = || raw.columns.clone().unwrap_or_else(|| serde_json::json!({}));
        Ok(match raw.kind.as_str() {
            "embedded" => DatasetSource::Embedded(name(raw.name, "the embedded set's name")?),
            "public" => {
                let what = "a name that 'secondpass dataset list' shows";
                DatasetSource::Public(name(raw.name, what)?)
            }
            "beir" => {
                let what = "the folder with corpus.jsonl in it";
                DatasetSource::Beir(path("path", raw.path, what)?)
            }
            "golden" => DatasetSource::Golden {
                path: path(
                    "path",
                    raw.path,
                    "the JSONL file of queries and their relevant documents",
                )?,
                corpus: raw.corpus.map(|corpus| self.beside(&corpus)),
            },
            "flag-embedding" => {
                let what = "the JSONL file of queries, positives and negatives";
                DatasetSource::FlagEmbedding(path("path", raw.path, what)?)
            }
            "pairs" => DatasetSource::Pairs {
                columns: columns(),
                path: path("path", raw.path, "the table of queries, documents and labels")?,
            },
            "tables" => DatasetSource::Tables {
                columns: columns(),
                documents: path("documents", raw.documents, "the table of documents")?,
                queries: path("queries", raw.queries, "the table of queries")?,
                judgements: path("judgements", raw.judgements, "the table of judgements")?,
            },
            "trec" => DatasetSource::Trec {
                documents: path("documents", raw.documents, "the JSONL file of documents")?,
                topics: path("topics", raw.topics, "the file of topics")?,
                qrels: path("qrels", raw.qrels, "the file of judgements")?,
                part: raw.part,
            },
            _ => DatasetSource::Log(path("path", raw.path, "the JSONL file of the log")?),
        })
    }
}
