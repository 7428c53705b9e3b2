use std::fmt::Display;
use std::path::{Path, PathBuf};

use secondpass_core::{ContentHash, line_of};
use secondpass_data::training::Layout;
use serde::Deserialize;

use super::more::{RawAdamW, RawKeeping, RawLoss, RawTest, RawTrained};
use super::{
    DataSource, DevSet, DevSettings, Dropout, Head, Initialization, JudgedSplit, Length,
    ModelSource, NegativeCounts, Recipe, RecipeError, Shape, Training, Warmup,
};
use crate::MicroBatch;

/// Bounds every count, so that no product of two of them overflows.
const MOST: usize = 1_000_000_000;

impl Recipe {
    /// Reads a recipe. `file_name` is its path: it stands in errors, and relative paths are
    /// joined to its folder.
    ///
    /// # Errors
    /// Broken TOML, unknown or missing keys, values that cannot be.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, RecipeError> {
        let raw: RawRecipe = toml::from_str(text).map_err(|error| RecipeError::Toml {
            file: file_name.to_owned(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        let keys = Keys { file: file_name };
        let model = keys.model(raw.model)?;
        let recompute = raw.training.recompute.unwrap_or(false);
        let compute = keys.compute(raw.training.compute.as_deref())?;
        let training = keys.training(raw.training)?;
        if let ModelSource::Random { shape, .. } = &model
            && training.max_length > shape.max_length
        {
            let allowed = format!("at most model.shape.max_length ({})", shape.max_length);
            return Err(keys.value("training.max_length", training.max_length, &allowed));
        }
        let dev = keys.dev(raw.dev)?;
        let loss = keys.loss(raw.loss)?;
        let sampling = keys.sampling(&raw.sampling)?;
        if loss.needs_teacher() && sampling.hard != sampling.total() {
            // Nobody scored what is drawn from elsewhere.
            let (found, allowed) =
                (sampling.hard, "all of sampling.negatives, as the loss needs a teacher's scores");
            return Err(keys.value("sampling.hard", found, allowed));
        }
        Ok(Self {
            file: file_name.to_owned(),
            hash: ContentHash::of(text.as_bytes()),
            name: keys.name(raw.name)?,
            seed: raw.seed,
            model,
            allow_overlap: raw.data.allow_overlap.unwrap_or(false),
            data: keys.data(raw.data)?,
            sampling,
            loss,
            trained: keys.trained(raw.trained, raw.seed, recompute, compute)?,
            training,
            keep: keys.keeping(raw.keep, dev.every)?,
            tests: keys.tests(raw.evaluate, &dev)?,
            dev,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRecipe {
    name: String,
    seed: u64,
    model: RawModel,
    data: RawData,
    sampling: RawSampling,
    loss: Option<RawLoss>,
    trained: Option<RawTrained>,
    training: RawTraining,
    keep: Option<RawKeeping>,
    dev: RawDev,
    #[serde(default)]
    evaluate: Vec<RawTest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModel {
    kind: String,
    shape: Option<RawShape>,
    tokenizer: Option<RawTokenizer>,
    path: Option<PathBuf>,
    head: Option<String>,
    hidden_dropout: Option<f64>,
    attention_dropout: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawShape {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    max_length: usize,
    hidden_dropout: f64,
    attention_dropout: f64,
    initializer_range: f64,
    initialization: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTokenizer {
    vocabulary: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawData {
    kind: String,
    name: Option<String>,
    path: Option<PathBuf>,
    split: Option<String>,
    dev_path: Option<PathBuf>,
    dev_split: Option<String>,
    dev_corpus: Option<PathBuf>,
    paths: Option<Vec<PathBuf>>,
    run: Option<PathBuf>,
    ranks: Option<[usize; 2]>,
    negatives: Option<usize>,
    allow_overlap: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSampling {
    negatives: usize,
    hard: usize,
    first_stage: usize,
    random: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTraining {
    epochs: Option<usize>,
    steps: Option<usize>,
    groups_per_step: usize,
    groups_per_batch: Option<usize>,
    tokens_per_batch: Option<usize>,
    recompute: Option<bool>,
    compute: Option<String>,
    learning_rate: f64,
    warmup: toml::Value,
    weight_decay: f64,
    adamw: Option<RawAdamW>,
    clip_norm: Option<f64>,
    decay: String,
    max_length: usize,
    truncation: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDev {
    measure: String,
    every: usize,
    depth: usize,
    pool: Option<String>,
    queries: Option<usize>,
    patience: Option<usize>,
}

pub(super) fn quoted(text: &str) -> String {
    format!("'{text}'")
}

/// Validation, with the file that every error names.
pub(super) struct Keys<'a> {
    file: &'a str,
}

impl Keys<'_> {
    fn model(&self, raw: RawModel) -> Result<ModelSource, RecipeError> {
        match raw.kind.as_str() {
            "random" => {
                const WHEN: &str = "model.kind = \"random\"";
                self.absent("model.path", raw.path.is_some(), WHEN)?;
                self.absent("model.head", raw.head.is_some(), WHEN)?;
                self.absent("model.hidden_dropout", raw.hidden_dropout.is_some(), WHEN)?;
                self.absent("model.attention_dropout", raw.attention_dropout.is_some(), WHEN)?;
                let shape = self.needed("model.shape", raw.shape, "the encoder's sizes")?;
                let tokenizer = self.needed(
                    "model.tokenizer",
                    raw.tokenizer,
                    "the table with the tokenizer's vocabulary",
                )?;
                let vocabulary = self.count("model.tokenizer.vocabulary", tokenizer.vocabulary)?;
                Ok(ModelSource::Random { shape: self.shape(&shape)?, vocabulary })
            }
            "folder" => {
                const WHEN: &str = "model.kind = \"folder\"";
                self.absent("model.shape", raw.shape.is_some(), WHEN)?;
                self.absent("model.tokenizer", raw.tokenizer.is_some(), WHEN)?;
                let path = self.needed("model.path", raw.path, "the model's folder")?;
                let head = self.needed("model.head", raw.head, "\"new\" or \"kept\"")?;
                let head = match head.as_str() {
                    "new" => Head::New,
                    "kept" => Head::Kept,
                    other => {
                        return Err(self.value("model.head", quoted(other), "'new', 'kept'"));
                    }
                };
                let dropout = |key: &str, value: Option<f64>| {
                    value.map(|value| self.dropout(key, value)).transpose()
                };
                let dropout = Dropout {
                    hidden: dropout("model.hidden_dropout", raw.hidden_dropout)?,
                    attention: dropout("model.attention_dropout", raw.attention_dropout)?,
                };
                Ok(ModelSource::Folder { path: self.model_path(path), head, dropout })
            }
            other => Err(self.value("model.kind", quoted(other), "'random', 'folder'")),
        }
    }

    fn shape(&self, raw: &RawShape) -> Result<Shape, RecipeError> {
        let count = |key: &str, value| self.count(&format!("model.shape.{key}"), value);
        let dropout = |key: &str, value| self.dropout(&format!("model.shape.{key}"), value);
        let heads = count("num_attention_heads", raw.num_attention_heads)?;
        let hidden_size = count("hidden_size", raw.hidden_size)?;
        if !hidden_size.is_multiple_of(heads) {
            let allowed = format!("a multiple of num_attention_heads ({heads})");
            return Err(self.value("model.shape.hidden_size", hidden_size, &allowed));
        }
        Ok(Shape {
            hidden_size,
            num_hidden_layers: count("num_hidden_layers", raw.num_hidden_layers)?,
            num_attention_heads: heads,
            intermediate_size: count("intermediate_size", raw.intermediate_size)?,
            max_length: count("max_length", raw.max_length)?,
            hidden_dropout: dropout("hidden_dropout", raw.hidden_dropout)?,
            attention_dropout: dropout("attention_dropout", raw.attention_dropout)?,
            initializer_range: self
                .positive("model.shape.initializer_range", raw.initializer_range)?,
            initialization: match raw.initialization.as_str() {
                "normal" => Initialization::Normal,
                "mimetic" => Initialization::Mimetic,
                other => {
                    let key = "model.shape.initialization";
                    return Err(self.value(key, quoted(other), "'normal', 'mimetic'"));
                }
            },
        })
    }

    fn data(&self, raw: RawData) -> Result<DataSource, RecipeError> {
        match raw.kind.as_str() {
            "embedded" => {
                for (key, is_there) in [
                    ("data.path", raw.path.is_some()),
                    ("data.split", raw.split.is_some()),
                    ("data.dev_path", raw.dev_path.is_some()),
                    ("data.dev_split", raw.dev_split.is_some()),
                    ("data.dev_corpus", raw.dev_corpus.is_some()),
                    ("data.paths", raw.paths.is_some()),
                    ("data.run", raw.run.is_some()),
                    ("data.ranks", raw.ranks.is_some()),
                    ("data.negatives", raw.negatives.is_some()),
                ] {
                    self.absent(key, is_there, "data.kind is 'embedded'")?;
                }
                let name = self.needed("data.name", raw.name, "the embedded set's name")?;
                Ok(DataSource::Embedded(self.filled("data.name", name)?))
            }
            "beir" => {
                const WHEN: &str = "data.kind is 'beir'";
                self.absent("data.name", raw.name.is_some(), WHEN)?;
                self.absent("data.paths", raw.paths.is_some(), WHEN)?;
                self.absent("data.dev_corpus", raw.dev_corpus.is_some(), WHEN)?;
                let path = "the folder with corpus.jsonl in it";
                let path = self.beside(&self.needed("data.path", raw.path, path)?);
                let split = raw.split.unwrap_or_else(|| "train".to_owned());
                let dev = JudgedSplit {
                    path: raw.dev_path.map_or_else(|| path.clone(), |dev| self.beside(&dev)),
                    split: raw.dev_split.unwrap_or_else(|| "dev".to_owned()),
                };
                let train = JudgedSplit { path, split };
                if train == dev {
                    let allowed = "another split than data.split, or another data.dev_path";
                    return Err(self.value("data.dev_split", quoted(&dev.split), allowed));
                }
                match raw.run {
                    Some(run) => {
                        let (ranks, run) = (raw.ranks.unwrap_or([10, 100]), self.beside(&run));
                        let negatives = raw.negatives.unwrap_or(8);
                        let negatives = self.count("data.negatives", negatives)?;
                        if ranks[0] == 0 || ranks[1] < ranks[0] {
                            let found = format!("{ranks:?}");
                            let allowed = "the first and the last rank, from 1, as [10, 100]";
                            return Err(self.value("data.ranks", found, allowed));
                        }
                        let ranks = (ranks[0], ranks[1]);
                        Ok(DataSource::BeirAndRun { train, dev, run, ranks, negatives })
                    }
                    None => {
                        const WHEN: &str = "there is no data.run";
                        self.absent("data.ranks", raw.ranks.is_some(), WHEN)?;
                        self.absent("data.negatives", raw.negatives.is_some(), WHEN)?;
                        Ok(DataSource::Beir { train, dev })
                    }
                }
            }
            "triples" => self.files(Layout::Triples, raw),
            "groups" => self.files(Layout::Groups, raw),
            other => {
                let allowed = "'embedded', 'beir', 'triples', 'groups'";
                Err(self.value("data.kind", quoted(other), allowed))
            }
        }
    }

    fn files(&self, layout: Layout, raw: RawData) -> Result<DataSource, RecipeError> {
        const WHEN: &str = "training reads files";
        for (key, is_there) in [
            ("data.name", raw.name.is_some()),
            ("data.split", raw.split.is_some()),
            ("data.run", raw.run.is_some()),
            ("data.ranks", raw.ranks.is_some()),
            ("data.negatives", raw.negatives.is_some()),
        ] {
            self.absent(key, is_there, WHEN)?;
        }
        let paths = match (raw.path, raw.paths) {
            (Some(path), None) => vec![path],
            (None, Some(paths)) if !paths.is_empty() => paths,
            (Some(_), Some(_)) => {
                let (file, key) = (self.file.to_owned(), "data.paths".to_owned());
                return Err(RecipeError::Superfluous { file, key, when: "data.path is there" });
            }
            _ => return self.needed("data.path", None, "the file to train on (or data.paths)"),
        };
        let paths = paths.iter().map(|path| self.beside(path)).collect();
        let what = "a golden set (JSONL), or a BEIR folder with data.dev_split";
        let path = self.beside(&self.needed("data.dev_path", raw.dev_path, what)?);
        let dev = match raw.dev_split {
            Some(split) => {
                let when = "data.dev_split is there";
                self.absent("data.dev_corpus", raw.dev_corpus.is_some(), when)?;
                DevSet::Beir(JudgedSplit { path, split })
            }
            None => {
                let corpus = raw.dev_corpus.map(|corpus| self.beside(&corpus));
                DevSet::Golden { path, corpus }
            }
        };
        Ok(DataSource::Files { layout, paths, dev })
    }

    fn sampling(&self, raw: &RawSampling) -> Result<NegativeCounts, RecipeError> {
        let counts = [raw.hard, raw.first_stage, raw.random];
        let sum = counts.iter().fold(0, |sum: usize, &count| sum.saturating_add(count));
        if raw.negatives != sum || raw.negatives == 0 {
            let allowed = format!("at least 1, and hard + first_stage + random ({sum})");
            return Err(self.value("sampling.negatives", raw.negatives, &allowed));
        }
        self.count("sampling.negatives", sum)?;
        let RawSampling { hard, first_stage, random, .. } = *raw;
        Ok(NegativeCounts { hard, first_stage, random })
    }

    fn training(&self, raw: RawTraining) -> Result<Training, RecipeError> {
        let length = match (raw.epochs, raw.steps) {
            (Some(epochs), None) => Length::Epochs(self.count("training.epochs", epochs)?),
            (None, Some(steps)) => Length::Steps(self.count("training.steps", steps)?),
            (None, None) => {
                self.needed("training.epochs", None, "the length, unless 'steps' is")?
            }
            (Some(_), Some(_)) => {
                self.absent("training.epochs", true, "training.steps is there")?;
                Length::Steps(0)
            }
        };
        let groups_per_step = self.count("training.groups_per_step", raw.groups_per_step)?;
        let micro_batch = self.micro_batch(&raw, groups_per_step)?;
        let clip_norm =
            raw.clip_norm.map(|norm| self.positive("training.clip_norm", norm)).transpose()?;
        let truncation = raw.truncation.parse().map_err(|_| {
            let allowed = "'longest-first', 'document-only', 'error'";
            self.value("training.truncation", quoted(&raw.truncation), allowed)
        })?;
        Ok(Training {
            length,
            groups_per_step,
            micro_batch,
            learning_rate: self.positive("training.learning_rate", raw.learning_rate)?,
            warmup: self.warmup(&raw.warmup)?,
            decay: self.decay(&raw.decay)?,
            weight_decay: self.at_least_zero("training.weight_decay", raw.weight_decay)?,
            adamw: self.adamw(raw.adamw)?,
            clip_norm,
            max_length: self.count("training.max_length", raw.max_length)?,
            truncation,
        })
    }

    fn micro_batch(
        &self,
        raw: &RawTraining,
        groups_per_step: usize,
    ) -> Result<MicroBatch, RecipeError> {
        const KEY: &str = "training.groups_per_batch";
        match (raw.groups_per_batch, raw.tokens_per_batch) {
            (Some(groups), None) if groups > groups_per_step => {
                let allowed = format!("at most training.groups_per_step ({groups_per_step})");
                Err(self.value(KEY, groups, &allowed))
            }
            (Some(groups), None) => Ok(MicroBatch::Groups(self.count(KEY, groups)?)),
            (None, Some(tokens)) => {
                Ok(MicroBatch::Tokens(self.count("training.tokens_per_batch", tokens)?))
            }
            (None, None) => {
                let what = "what is computed at once, unless 'tokens_per_batch' is";
                self.needed(KEY, None, what)
            }
            (Some(_), Some(_)) => {
                self.absent(KEY, true, "training.tokens_per_batch is there")?;
                Ok(MicroBatch::Groups(1))
            }
        }
    }

    fn dropout(&self, key: &str, value: f64) -> Result<f64, RecipeError> {
        match (0.0..1.0).contains(&value) {
            true => Ok(value),
            false => Err(self.value(key, value, "a number from 0 to below 1")),
        }
    }

    fn warmup(&self, raw: &toml::Value) -> Result<Warmup, RecipeError> {
        let allowed = "a share of the steps as a decimal (0.1), or a whole number of steps (500)";
        let wrong = || self.value("training.warmup", raw, allowed);
        match *raw {
            toml::Value::Float(share) if (0.0..=1.0).contains(&share) => Ok(Warmup::Share(share)),
            toml::Value::Integer(steps) => {
                let steps = usize::try_from(steps).ok().filter(|&steps| steps <= MOST);
                steps.map(Warmup::Steps).ok_or_else(wrong)
            }
            _ => Err(wrong()),
        }
    }

    fn dev(&self, raw: RawDev) -> Result<DevSettings, RecipeError> {
        let measure = raw.measure.parse().map_err(|_| {
            let allowed = secondpass_evaluation::NamedMeasure::allowed();
            self.value("dev.measure", quoted(&raw.measure), &allowed)
        })?;
        let queries = raw.queries.map(|queries| self.count("dev.queries", queries)).transpose()?;
        let every = self.count("dev.every", raw.every)?;
        let pool = self.pool("dev.pool", raw.pool.as_deref())?;
        let patience = raw.patience.map(|patience| self.count("dev.patience", patience));
        let patience = patience.transpose()?;
        let depth = self.count("dev.depth", raw.depth)?;
        Ok(DevSettings { measure, every, depth, pool, queries, patience })
    }

    /// A folder from the recipe's own, where it says so by `./` or `../`, otherwise an absolute one or
    /// a name on the hub: as in an experiment's config.
    fn model_path(&self, path: PathBuf) -> PathBuf {
        match path.starts_with("./") || path.starts_with("../") {
            true => self.beside(&path),
            false => path,
        }
    }

    /// What names a folder, too.
    fn name(&self, name: String) -> Result<String, RecipeError> {
        let name = self.filled("name", name)?;
        match name.starts_with('.') || name.contains(['/', '\\']) {
            true => {
                let allowed =
                    "a name that a folder can have: no '/' or '\\' in it, and no '.' first";
                Err(self.value("name", quoted(&name), allowed))
            }
            false => Ok(name),
        }
    }

    /// A path of the recipe, from the recipe's own folder.
    pub(super) fn beside(&self, path: &Path) -> PathBuf {
        match Path::new(self.file).parent() {
            Some(folder) => folder.join(path),
            None => path.to_owned(),
        }
    }

    pub(super) fn count(&self, key: &str, value: usize) -> Result<usize, RecipeError> {
        match (1..=MOST).contains(&value) {
            true => Ok(value),
            false => Err(self.value(key, value, &format!("a whole number from 1 to {MOST}"))),
        }
    }

    pub(super) fn positive(&self, key: &str, value: f64) -> Result<f64, RecipeError> {
        match value.is_finite() && value > 0.0 {
            true => Ok(value),
            false => Err(self.value(key, value, "a number above 0")),
        }
    }

    pub(super) fn filled(&self, key: &str, text: String) -> Result<String, RecipeError> {
        match text.trim().is_empty() {
            true => Err(self.value(key, quoted(&text), "a text that is not blank")),
            false => Ok(text),
        }
    }

    fn needed<T>(&self, key: &str, value: Option<T>, what: &'static str) -> Result<T, RecipeError> {
        let file = self.file.to_owned();
        value.ok_or_else(|| RecipeError::Missing { file, key: key.to_owned(), what })
    }

    pub(super) fn absent(
        &self,
        key: &str,
        is_there: bool,
        when: &'static str,
    ) -> Result<(), RecipeError> {
        let (file, key) = (self.file.to_owned(), key.to_owned());
        match is_there {
            true => Err(RecipeError::Superfluous { file, key, when }),
            false => Ok(()),
        }
    }

    pub(super) fn value(&self, key: &str, found: impl Display, allowed: &str) -> RecipeError {
        RecipeError::Value {
            file: self.file.to_owned(),
            key: key.to_owned(),
            found: found.to_string(),
            allowed: allowed.to_owned(),
        }
    }
}
