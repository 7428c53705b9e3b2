use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;
use super::keys::Keys;

/// What finds the candidates, and how many of them a query.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstStageSpec {
    /// How they are found.
    pub kind: FirstStageKind,
    /// Candidates a query at most, from 1.
    pub depth: usize,
    /// What may be a candidate.
    pub pool: Pool,
}

/// Another first stage, for comparison with the one that gives the candidates.
#[derive(Clone, Debug, PartialEq)]
pub struct RetrieverSpec {
    /// The name shown in reports.
    pub name: String,
    /// How it finds documents.
    pub kind: FirstStageKind,
}

/// What may be a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Any document of the corpus.
    Corpus,
    /// A query's judged documents only, all of them up to the depth: for sets that judge a fixed
    /// list of documents a query.
    Judged,
}

/// How candidates are found. Analysers, poolings, fusions, devices and number formats stay as they
/// were written: who owns them validates them, and reports [`ConfigError::Value`] with the key.
#[derive(Clone, Debug, PartialEq)]
pub enum FirstStageKind {
    /// BM25 over the corpus.
    Bm25 {
        /// Term-frequency saturation, from 0.
        k1: f64,
        /// Length normalisation, 0 to 1.
        b: f64,
        /// What makes terms of texts.
        analyzer: String,
    },
    /// Inner products of an encoder's vectors.
    Dense(DenseSpec),
    /// Inner products of vectors from an OpenAI-compatible `/v1/embeddings` endpoint.
    Embeddings(EmbeddingsSpec),
    /// Several first stages as one.
    Hybrid {
        /// How they become one.
        fusion: String,
        /// Reciprocal rank fusion's constant, from 0; `None` for its usual value.
        k: Option<f64>,
        /// How weighted sums normalise scores; `None` for their usual way.
        normalization: Option<String>,
        /// At least two.
        parts: Vec<PartSpec>,
    },
    /// A TREC run from elsewhere.
    Run(PathBuf),
    /// JSONL candidates from elsewhere; `-` is standard input.
    Candidates(PathBuf),
    /// The candidates that the dataset's own file gives.
    Given,
}

/// An encoder that makes vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DenseSpec {
    /// A folder or a hub id. One that starts with `./` or `../` stands here joined to the config's
    /// folder.
    pub model: String,
    /// A hub revision to pin.
    pub revision: Option<String>,
    /// `mean` or `cls`.
    pub pooling: String,
    /// Stands before every query.
    pub query_prefix: String,
    /// Stands before every document.
    pub document_prefix: String,
    /// The longest text in tokens; `None` for the model's own limit.
    pub max_length: Option<usize>,
    /// The device.
    pub device: String,
    /// The number format to compute in.
    pub dtype: String,
}

/// An endpoint that makes vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddingsSpec {
    /// Its base URL (`https://api.openai.com/v1`).
    pub endpoint: String,
    /// The model's name there.
    pub model: String,
    /// Numbers in a vector; `None` for the model's own.
    pub dimensions: Option<usize>,
    /// The environment variable that holds the key; `None` where none is needed.
    pub key_env: Option<String>,
    /// Stands before every query.
    pub query_prefix: String,
    /// Stands before every document.
    pub document_prefix: String,
}

/// A part of a hybrid first stage.
#[derive(Clone, Debug, PartialEq)]
pub struct PartSpec {
    /// How it finds documents; not itself a hybrid.
    pub kind: FirstStageKind,
    /// Its weight, above 0.
    pub weight: f64,
    /// Documents a query that it contributes at most; `None` for the first stage's depth.
    pub depth: Option<usize>,
}

const DEFAULT_K1: f64 = 0.9;
const DEFAULT_B: f64 = 0.4;
const DEFAULT_ANALYZER: &str = "english";
const DEFAULT_DEPTH: usize = 50;
/// The kinds there are, as errors list them.
const KINDS: &str = "\"bm25\", \"dense\", \"embeddings\", \"hybrid\", \"run\", \"candidates\", \
    \"given\"";

/// Every key of every kind; which apply depends on the kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFirstStage {
    name: Option<String>,
    kind: String,
    depth: Option<usize>,
    pool: Option<String>,
    weight: Option<f64>,
    k1: Option<f64>,
    b: Option<f64>,
    analyzer: Option<String>,
    model: Option<String>,
    revision: Option<String>,
    pooling: Option<String>,
    query_prefix: Option<String>,
    document_prefix: Option<String>,
    max_length: Option<usize>,
    device: Option<String>,
    dtype: Option<String>,
    endpoint: Option<String>,
    dimensions: Option<usize>,
    key_env: Option<String>,
    fusion: Option<String>,
    k: Option<f64>,
    normalization: Option<String>,
    part: Option<Vec<RawFirstStage>>,
    path: Option<PathBuf>,
}

/// The keys that say how documents are found, apart from `kind`.
const BM25: &[&str] = &["k1", "b", "analyzer"];
const DENSE: &[&str] = &[
    "model",
    "revision",
    "pooling",
    "query_prefix",
    "document_prefix",
    "max_length",
    "device",
    "dtype",
];
const EMBEDDINGS: &[&str] =
    &["endpoint", "model", "dimensions", "key_env", "query_prefix", "document_prefix"];
const HYBRID: &[&str] = &["fusion", "k", "normalization", "part"];
const PATH: &[&str] = &["path"];

impl RawFirstStage {
    /// Every key that only some kinds know, and whether it is there.
    fn keys(&self) -> [(&'static str, bool); 19] {
        [
            ("k1", self.k1.is_some()),
            ("b", self.b.is_some()),
            ("analyzer", self.analyzer.is_some()),
            ("model", self.model.is_some()),
            ("revision", self.revision.is_some()),
            ("pooling", self.pooling.is_some()),
            ("query_prefix", self.query_prefix.is_some()),
            ("document_prefix", self.document_prefix.is_some()),
            ("max_length", self.max_length.is_some()),
            ("device", self.device.is_some()),
            ("dtype", self.dtype.is_some()),
            ("endpoint", self.endpoint.is_some()),
            ("dimensions", self.dimensions.is_some()),
            ("key_env", self.key_env.is_some()),
            ("fusion", self.fusion.is_some()),
            ("k", self.k.is_some()),
            ("normalization", self.normalization.is_some()),
            ("part", self.part.is_some()),
            ("path", self.path.is_some()),
        ]
    }
}

impl Keys<'_> {
    /// The first stage that gives the candidates.
    pub fn first_stage(&self, raw: RawFirstStage) -> Result<FirstStageSpec, ConfigError> {
        let table = "first_stage";
        let beside = [
            ("first_stage.name", raw.name.is_some()),
            ("first_stage.weight", raw.weight.is_some()),
        ];
        self.absent(&beside, "the table is 'first_stage'")?;
        let depth = self.positive("first_stage.depth", raw.depth.unwrap_or(DEFAULT_DEPTH))?;
        let pool = match raw.pool.as_deref() {
            None | Some("corpus") => Pool::Corpus,
            Some("judged") => Pool::Judged,
            Some(other) => {
                return Err(self.value("first_stage.pool", other, "\"corpus\", \"judged\""));
            }
        };
        let kind = self.kind(table, raw, Nesting::Outer)?;
        Ok(FirstStageSpec { kind, depth, pool })
    }

    /// Another first stage, at the same depth and over the same pool.
    pub fn retriever(
        &self,
        number: usize,
        raw: RawFirstStage,
    ) -> Result<RetrieverSpec, ConfigError> {
        let table = format!("retriever {number}");
        let key = |name: &str| format!("{table}.{name}");
        let beside = [
            (&*key("depth"), raw.depth.is_some()),
            (&*key("pool"), raw.pool.is_some()),
            (&*key("weight"), raw.weight.is_some()),
        ];
        self.absent(&beside, "the table is 'retriever' (it takes the first stage's)")?;
        let name = self.needed(&key("name"), raw.name.clone(), "the name shown in reports")?;
        let name = self.filled(&key("name"), name)?;
        Ok(RetrieverSpec { name, kind: self.kind(&table, raw, Nesting::Outer)? })
    }

    fn kind(
        &self,
        table: &str,
        raw: RawFirstStage,
        nesting: Nesting,
    ) -> Result<FirstStageKind, ConfigError> {
        let key = |name: &str| format!("{table}.{name}");
        let known = match (raw.kind.as_str(), nesting) {
            ("bm25", _) => BM25,
            ("dense", _) => DENSE,
            ("embeddings", _) => EMBEDDINGS,
            ("hybrid", Nesting::Outer) => HYBRID,
            ("run" | "candidates", _) => PATH,
            ("given", Nesting::Outer) => &[],
            (other, _) => return Err(self.value(&key("kind"), other, KINDS)),
        };
        self.only(table, raw.keys(), known, &raw.kind)?;
        Ok(match raw.kind.as_str() {
            "bm25" => {
                let (k1, b) = (raw.k1.unwrap_or(DEFAULT_K1), raw.b.unwrap_or(DEFAULT_B));
                FirstStageKind::Bm25 {
                    k1: self.within(&key("k1"), k1, (0.0, f64::MAX), "a number from 0")?,
                    b: self.within(&key("b"), b, (0.0, 1.0), "a number from 0 to 1")?,
                    analyzer: raw.analyzer.unwrap_or_else(|| DEFAULT_ANALYZER.to_owned()),
                }
            }
            "dense" => FirstStageKind::Dense(self.dense(table, raw)?),
            "embeddings" => FirstStageKind::Embeddings(self.embeddings(table, raw)?),
            "hybrid" => self.hybrid(table, raw)?,
            "given" => FirstStageKind::Given,
            "run" => {
                let path = self.needed(&key("path"), raw.path, "the TREC run's file")?;
                FirstStageKind::Run(self.beside(&path))
            }
            _ => {
                let what = "the JSONL file of candidates, or \"-\" for standard input";
                let path = self.needed(&key("path"), raw.path, what)?;
                let is_input = path.as_os_str() == "-";
                FirstStageKind::Candidates(if is_input { path } else { self.beside(&path) })
            }
        })
    }

    fn dense(&self, table: &str, raw: RawFirstStage) -> Result<DenseSpec, ConfigError> {
        let key = |name: &str| format!("{table}.{name}");
        let model = self.needed(&key("model"), raw.model, "an encoder's folder or hub id")?;
        let pooling = "\"mean\" or \"cls\", as the model's 1_Pooling/config.json says";
        Ok(DenseSpec {
            model: self.folder_or_id(self.filled(&key("model"), model)?),
            revision: raw.revision,
            pooling: self.needed(&key("pooling"), raw.pooling, pooling)?,
            query_prefix: raw.query_prefix.unwrap_or_default(),
            document_prefix: raw.document_prefix.unwrap_or_default(),
            max_length: match raw.max_length {
                Some(length) => Some(self.positive(&key("max_length"), length)?),
                None => None,
            },
            device: raw.device.unwrap_or_else(|| "auto".to_owned()),
            dtype: raw.dtype.unwrap_or_else(|| "f32".to_owned()),
        })
    }

    fn embeddings(&self, table: &str, raw: RawFirstStage) -> Result<EmbeddingsSpec, ConfigError> {
        let key = |name: &str| format!("{table}.{name}");
        let endpoint = "the base URL, such as \"https://api.openai.com/v1\"";
        let endpoint = self.needed(&key("endpoint"), raw.endpoint, endpoint)?;
        let model = self.needed(&key("model"), raw.model, "the model's name at the endpoint")?;
        Ok(EmbeddingsSpec {
            endpoint: self.filled(&key("endpoint"), endpoint)?,
            model: self.filled(&key("model"), model)?,
            dimensions: match raw.dimensions {
                Some(dimensions) => Some(self.positive(&key("dimensions"), dimensions)?),
                None => None,
            },
            key_env: raw.key_env,
            query_prefix: raw.query_prefix.unwrap_or_default(),
            document_prefix: raw.document_prefix.unwrap_or_default(),
        })
    }

    fn hybrid(&self, table: &str, raw: RawFirstStage) -> Result<FirstStageKind, ConfigError> {
        let key = |name: &str| format!("{table}.{name}");
        let k = match raw.k {
            Some(k) => Some(self.within(&key("k"), k, (0.0, f64::MAX), "a number from 0")?),
            None => None,
        };
        let parts = self.needed(&key("part"), raw.part, "a list of at least two first stages")?;
        if parts.len() < 2 {
            return Err(self.number(&key("part"), parts.len() as f64, "at least two first stages"));
        }
        let parts = (1..).zip(parts).map(|(number, raw)| self.part(table, number, raw));
        Ok(FirstStageKind::Hybrid {
            fusion: raw.fusion.unwrap_or_else(|| "rrf".to_owned()),
            k,
            normalization: raw.normalization,
            parts: parts.collect::<Result<_, _>>()?,
        })
    }

    fn part(
        &self,
        table: &str,
        number: usize,
        raw: RawFirstStage,
    ) -> Result<PartSpec, ConfigError> {
        let table = format!("{table}.part {number}");
        let key = |name: &str| format!("{table}.{name}");
        let beside = [(&*key("name"), raw.name.is_some()), (&*key("pool"), raw.pool.is_some())];
        self.absent(&beside, "the table is a part of a hybrid")?;
        let weight = raw.weight.unwrap_or(1.0);
        let weight = match weight > 0.0 && weight.is_finite() {
            true => weight,
            false => return Err(self.number(&key("weight"), weight, "a number above 0")),
        };
        let depth = match raw.depth {
            Some(depth) => Some(self.positive(&key("depth"), depth)?),
            None => None,
        };
        Ok(PartSpec { kind: self.kind(&table, raw, Nesting::Part)?, weight, depth })
    }
}

/// Where a first stage stands.
#[derive(Clone, Copy)]
enum Nesting {
    Outer,
    /// In a hybrid, which holds no hybrids.
    Part,
}
