use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use secondpass_core::{Context, Dataset, FirstStage, Run};
use secondpass_data::{open_text, trec};
use secondpass_evaluation::{
    ConfigError, DatasetSource, DenseSpec, EmbeddingsSpec, Experiment, FirstStageKind, PartSpec,
    Pool,
};
use secondpass_model::Encoder;
use secondpass_retrieval::{
    Bm25, Bm25Parameters, CachedEmbedder, Dense, Fusion, Hybrid, HybridPart, LocalEmbedder,
    OpenAiEmbedder, OpenAiSettings, Prefixes, RunCandidates, TextEmbedder, judged_pool,
    read_candidates,
};
use secondpass_text::TextTokenizer;

use crate::datasets::Loaded;
use crate::exit::usage;
use crate::{batching, folders, load, progress};

/// What a first stage found.
pub struct Found {
    /// Its candidates, cut to the experiment's depth and pool.
    pub run: Run,
    /// What it is, with its settings.
    pub description: String,
    /// Time for all queries, in seconds; `None` where nothing was searched here.
    pub seconds: Option<f64>,
}

/// Builds first stages and lets them find candidates.
pub struct Searcher<'a> {
    experiment: &'a Experiment,
    dataset: &'a Dataset,
    /// The candidates that the dataset's own file gives.
    given: Option<&'a Run>,
    context: &'a Context,
    /// What was built so far: an encoder that is searched alone and in a hybrid is loaded once.
    built: RefCell<Vec<(FirstStageKind, Arc<dyn FirstStage>)>>,
}

impl<'a> Searcher<'a> {
    pub fn new(experiment: &'a Experiment, loaded: &'a Loaded, context: &'a Context) -> Self {
        let Loaded { dataset, given } = loaded;
        Self { experiment, dataset, given: given.as_ref(), context, built: RefCell::default() }
    }

    /// The experiment's own candidates.
    pub fn candidates(&self) -> Result<Found> {
        self.find("first_stage", &self.experiment.first_stage.kind)
    }

    /// What the first stage of this table of the config finds.
    pub fn find(&self, table: &str, kind: &FirstStageKind) -> Result<Found> {
        let stage = self.build(table, kind)?;
        let (queries, spec) = (self.dataset.queries(), &self.experiment.first_stage);
        let depth = self.depth();
        let started = Instant::now();
        let run = stage.retrieve(queries, depth)?;
        let seconds = is_search(kind).then(|| started.elapsed().as_secs_f64());
        let description = self.described(kind, stage.describe());
        Ok(match spec.pool {
            Pool::Corpus => Found { run, description, seconds },
            Pool::Judged => Found {
                run: judged_pool(&run, queries, self.dataset.qrels(), spec.depth),
                description: format!("{description}, judged documents only"),
                seconds,
            },
        })
    }

    /// Documents a query to look for: all of them, where only judged ones are to be kept.
    fn depth(&self) -> usize {
        let spec = &self.experiment.first_stage;
        match spec.pool {
            Pool::Corpus => spec.depth,
            Pool::Judged => self.dataset.corpus().len(),
        }
    }

    /// What a stage says of itself and, of candidates that the dataset gives, what their order is
    /// worth.
    fn described(&self, kind: &FirstStageKind, description: String) -> String {
        let order = match (kind, &self.experiment.dataset.source) {
            (
                FirstStageKind::Given,
                DatasetSource::FlagEmbedding(_) | DatasetSource::Pairs { .. },
            ) => "the dataset gives them in no order, so they stand by content hash",
            (FirstStageKind::Given, DatasetSource::Log(_)) => {
                "as shown in production, and judged by what was cited: biased towards this order"
            }
            _ => return description,
        };
        format!("{description} ({order})")
    }

    /// The first stage of a table; another table's, where it says the same.
    fn build(&self, table: &str, kind: &FirstStageKind) -> Result<Arc<dyn FirstStage>> {
        let is_built = |(built, _): &&(FirstStageKind, _)| built == kind;
        if let Some((_, stage)) = self.built.borrow().iter().find(is_built) {
            return Ok(stage.clone());
        }
        let stage = self.open(table, kind)?;
        self.built.borrow_mut().push((kind.clone(), stage.clone()));
        Ok(stage)
    }

    fn open(&self, table: &str, kind: &FirstStageKind) -> Result<Arc<dyn FirstStage>> {
        let corpus = self.dataset.corpus();
        Ok(match kind {
            FirstStageKind::Bm25 { k1, b, analyzer } => {
                let parameters = Bm25Parameters::new(*k1, *b).map_err(usage)?;
                let analyzer = self.parse(table, "analyzer", analyzer)?;
                let folder = folders::part("indexes")?;
                let reused = Bm25::reused(&folder, corpus, parameters, analyzer);
                Arc::new(reused.context(CACHE_REMEDY)?.0)
            }
            FirstStageKind::Dense(spec) => {
                let embedder = self.embedder(table, spec)?;
                Arc::new(self.dense(embedder)?)
            }
            FirstStageKind::Run(path) => {
                let origin = path.display().to_string();
                Arc::new(RunCandidates::from_origin(trec::read_run(path)?, &origin, corpus)?)
            }
            FirstStageKind::Given => {
                let given = self.given.cloned().ok_or_else(|| {
                    self.wrong(
                        table,
                        "kind",
                        "given",
                        "another kind: this dataset gives no candidates",
                    )
                })?;
                Arc::new(RunCandidates::new(given, corpus)?)
            }
            FirstStageKind::Embeddings(spec) => Arc::new(self.dense(self.endpoint(table, spec)?)?),
            FirstStageKind::Hybrid { fusion, k, normalization, parts } => {
                let fusion = self.fusion(table, fusion, *k, normalization.as_deref())?;
                let part = |(number, part): (usize, &PartSpec)| {
                    Ok(HybridPart {
                        stage: Box::new(self.build(&format!("{table}.part {number}"), &part.kind)?),
                        weight: part.weight,
                        depth: part.depth.unwrap_or(self.depth()),
                    })
                };
                let parts = (1..).zip(parts).map(part).collect::<Result<_>>()?;
                Arc::new(Hybrid::new(fusion, parts).map_err(usage)?)
            }
            FirstStageKind::Candidates(path) => {
                Arc::new(RunCandidates::new(self.candidate_lines(path)?, corpus)?)
            }
        })
    }

    fn candidate_lines(&self, path: &Path) -> Result<Run> {
        let (queries, corpus) = (self.dataset.queries(), self.dataset.corpus());
        if path.as_os_str() == "-" {
            let input = std::io::stdin().lock();
            return Ok(read_candidates(input, "standard input", queries, corpus)?);
        }
        let shown = path.display().to_string();
        Ok(read_candidates(open_text(path)?, &shown, queries, corpus)?)
    }

    fn fusion(
        &self,
        table: &str,
        name: &str,
        k: Option<f64>,
        normalization: Option<&str>,
    ) -> Result<Fusion> {
        match (name, k, normalization) {
            ("rrf", Some(k), None) => Ok(Fusion::ReciprocalRank { k }),
            ("rrf", None, None) => Ok(Fusion::default()),
            ("weighted", None, normalization) => {
                let named =
                    self.parse(table, "normalization", normalization.unwrap_or("min-max"))?;
                Ok(Fusion::WeightedSum(named))
            }
            ("rrf", _, Some(found)) => {
                let allowed = "absent: reciprocal rank fusion looks at ranks only";
                Err(self.wrong(table, "normalization", &format!("{found:?}"), allowed))
            }
            ("weighted", Some(k), _) => {
                let allowed = "absent: it belongs to fusion = \"rrf\"";
                Err(self.wrong(table, "k", &k.to_string(), allowed))
            }
            (other, ..) => {
                let allowed = "\"rrf\", \"weighted\"";
                Err(self.wrong(table, "fusion", &format!("{other:?}"), allowed))
            }
        }
    }

    /// Searches the corpus by an embedder's vectors, which are kept in the cache.
    fn dense(&self, embedder: Box<dyn TextEmbedder>) -> Result<Dense> {
        let cached =
            CachedEmbedder::new(embedder, &folders::part("vectors")?).context(CACHE_REMEDY)?;
        let bar =
            progress::bar(0, "embedding {pos}/{len} documents [{bar:30}] {per_sec}, {eta} left");
        let dense = Dense::new(
            self.dataset.corpus(),
            Arc::new(cached),
            self.context,
            &mut |done, documents| {
                bar.set_length(documents as u64);
                bar.set_position(done as u64);
            },
        )?;
        bar.finish_and_clear();
        Ok(dense)
    }

    fn embedder(&self, table: &str, spec: &DenseSpec) -> Result<Box<dyn TextEmbedder>> {
        let files = load::files(&spec.model, spec.revision.as_deref())
            .with_context(|| format!("{}: table '{table}'", self.experiment.file))?;
        let encoder = Encoder::load(
            &files.config,
            &files.weights,
            self.parse(table, "device", &spec.device)?,
            self.parse(table, "dtype", &spec.dtype)?,
            self.parse(table, "pooling", &spec.pooling)?,
        )?;
        let limit = encoder.config().max_length();
        let max_length = spec.max_length.unwrap_or(limit);
        if max_length > limit {
            let allowed = format!("at most the model's {limit} positions");
            return Err(self.wrong(table, "max_length", &max_length.to_string(), &allowed));
        }
        let tokenizer = TextTokenizer::from_file(&files.tokenizer, max_length)?;
        let weights = load::weights_hash(&files.weights)?;
        let identity = format!(
            "{} weights={} pooling={} dtype={}",
            load::shown(&spec.model),
            weights.short(),
            encoder.pooling(),
            encoder.dtype().on(encoder.device())
        );
        let prefixes =
            Prefixes { query: spec.query_prefix.clone(), document: spec.document_prefix.clone() };
        let batch_tokens = batching::usual(Some(&encoder.device().to_string()));
        let embedder = LocalEmbedder::new(identity, tokenizer, Box::new(encoder), prefixes);
        Ok(Box::new(embedder.with_batch_tokens(batch_tokens)))
    }

    fn endpoint(&self, table: &str, spec: &EmbeddingsSpec) -> Result<Box<dyn TextEmbedder>> {
        let settings = OpenAiSettings {
            dimensions: spec.dimensions,
            key_variable: spec.key_env.clone(),
            prefixes: Prefixes {
                query: spec.query_prefix.clone(),
                document: spec.document_prefix.clone(),
            },
            ..OpenAiSettings::new(&*spec.endpoint, &*spec.model)
        };
        let embedder = OpenAiEmbedder::connect(settings)
            .with_context(|| format!("{}: table '{table}'", self.experiment.file))
            .map_err(usage)?;
        Ok(Box::new(embedder))
    }

    fn parse<T>(&self, table: &str, key: &str, value: &str) -> Result<T>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        value.parse().map_err(|error: T::Err| {
            self.wrong(table, key, &format!("{value:?}"), &allowed(&error))
        })
    }

    fn wrong(&self, table: &str, key: &str, found: &str, allowed: &str) -> anyhow::Error {
        usage(ConfigError::Value {
            file: self.experiment.file.clone(),
            key: format!("{table}.{key}"),
            found: found.to_owned(),
            allowed: allowed.to_owned(),
        })
    }
}

/// What may stand there, from an error that says what stood there: "unknown x 'y'; use a or b".
pub fn allowed(error: &impl std::fmt::Display) -> String {
    let error = error.to_string();
    match error.split_once("; use ") {
        Some((_, allowed)) => allowed.to_owned(),
        None => error,
    }
}

/// What to do where the cache's folder is at fault.
pub const CACHE_REMEDY: &str = "the cache cannot be used; set SECONDPASS_CACHE to a folder that can be \
    written to";

/// Whether anything is searched: candidates from elsewhere were found by somebody else.
fn is_search(kind: &FirstStageKind) -> bool {
    !matches!(kind, FirstStageKind::Run(_) | FirstStageKind::Candidates(_) | FirstStageKind::Given)
}
