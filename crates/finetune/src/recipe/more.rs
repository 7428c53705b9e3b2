//! The tables that a recipe may leave out: the loss, what is trained, what is kept, what is tested.

use std::path::{Path, PathBuf};

use secondpass_evaluation::Pool;
use secondpass_text::{AdamW, Compute, Lora, LoraTarget, Trained};
use serde::Deserialize;

use super::parse::{Keys, quoted};
use super::{DevSet, JudgedSplit, Keeping, RecipeError, TestSpec};
use crate::Decay;
use crate::losses::LossKind;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLoss {
    kind: String,
    pos_weight: Option<f64>,
    weight: Option<f64>,
    temperature: Option<f64>,
    mu: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTrained {
    embeddings: Option<bool>,
    frozen_layers: Option<usize>,
    lora: Option<RawLora>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLora {
    targets: Vec<String>,
    rank: usize,
    alpha: f64,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAdamW {
    beta_1: Option<f64>,
    beta_2: Option<f64>,
    epsilon: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKeeping {
    every: Option<usize>,
    last: Option<usize>,
    weights: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTest {
    name: String,
    path: PathBuf,
    split: Option<String>,
    corpus: Option<PathBuf>,
    depth: Option<usize>,
    pool: Option<String>,
    measure: Option<String>,
    other_domain: Option<bool>,
}

impl Keys<'_> {
    pub(super) fn loss(&self, raw: Option<RawLoss>) -> Result<LossKind, RecipeError> {
        let Some(raw) = raw else { return Ok(LossKind::GroupSoftmax) };
        let takes: &[&str] = match raw.kind.as_str() {
            "binary-cross-entropy" => &["pos_weight"],
            "distillation" => &["weight", "temperature"],
            "lambda" => &["mu"],
            _ => &[],
        };
        for (key, is_there) in [
            ("pos_weight", raw.pos_weight.is_some()),
            ("weight", raw.weight.is_some()),
            ("temperature", raw.temperature.is_some()),
            ("mu", raw.mu.is_some()),
        ] {
            let is_stray = is_there && !takes.contains(&key);
            self.absent(&format!("loss.{key}"), is_stray, "loss.kind is another")?;
        }
        let positive = |key: &str, value: Option<f64>, default| match value {
            Some(value) => self.positive(&format!("loss.{key}"), value),
            None => Ok(default),
        };
        Ok(match raw.kind.as_str() {
            "group-softmax" => LossKind::GroupSoftmax,
            "ranknet" => LossKind::RankNet,
            "binary-cross-entropy" => LossKind::BinaryCrossEntropy {
                pos_weight: positive("pos_weight", raw.pos_weight, 1.0)?,
            },
            "margin-mse" => LossKind::MarginMse,
            "distillation" => LossKind::Distillation {
                weight: positive("weight", raw.weight, 1.0)?,
                temperature: positive("temperature", raw.temperature, 1.0)?,
            },
            "lambda" => {
                LossKind::Lambda { mu: self.at_least_zero("loss.mu", raw.mu.unwrap_or(10.0))? }
            }
            other => {
                let allowed = "'group-softmax', 'ranknet', 'binary-cross-entropy', 'margin-mse', \
                               'distillation', 'lambda'";
                return Err(self.value("loss.kind", quoted(other), allowed));
            }
        })
    }

    pub(super) fn trained(
        &self,
        raw: Option<RawTrained>,
        seed: u64,
        recompute: bool,
        compute: Compute,
    ) -> Result<Trained, RecipeError> {
        let Some(raw) = raw else {
            return Ok(Trained { recompute, compute, ..Trained::default() });
        };
        let lora = raw.lora.map(|lora| self.lora(&lora, seed)).transpose()?;
        if lora.is_some() {
            let stray = raw.embeddings == Some(true);
            self.absent("trained.embeddings", stray, "trained.lora is there")?;
        }
        Ok(Trained {
            embeddings: raw.embeddings.unwrap_or(lora.is_none()),
            // Up to all layers, which only the model knows.
            frozen_layers: raw.frozen_layers.unwrap_or(0),
            lora,
            recompute,
            compute,
        })
    }

    pub(super) fn compute(&self, raw: Option<&str>) -> Result<Compute, RecipeError> {
        let Some(name) = raw else { return Ok(Compute::default()) };
        let allowed = || Compute::ALL.map(|compute| quoted(&compute.to_string())).join(", ");
        name.parse().map_err(|_| self.value("training.compute", quoted(name), &allowed()))
    }

    fn lora(&self, raw: &RawLora, seed: u64) -> Result<Lora, RecipeError> {
        let mut targets = Vec::new();
        for name in &raw.targets {
            let allowed = || LoraTarget::ALL.map(|target| quoted(&target.to_string())).join(", ");
            let target = name.parse::<LoraTarget>();
            let target =
                target.map_err(|_| self.value("trained.lora.targets", quoted(name), &allowed()))?;
            if targets.contains(&target) {
                let found = format!("{} twice", quoted(name));
                return Err(self.value("trained.lora.targets", found, "each target once"));
            }
            targets.push(target);
        }
        if targets.is_empty() {
            return Err(self.value("trained.lora.targets", "empty", "at least one target"));
        }
        Ok(Lora {
            targets,
            rank: self.count("trained.lora.rank", raw.rank)?,
            alpha: self.positive("trained.lora.alpha", raw.alpha)?,
            seed,
        })
    }

    pub(super) fn adamw(&self, raw: Option<RawAdamW>) -> Result<AdamW, RecipeError> {
        let (raw, default) = (raw.unwrap_or_default(), AdamW::default());
        let beta = |key: &str, value: f64| match (0.0..1.0).contains(&value) {
            true => Ok(value),
            false => Err(self.value(key, value, "a number from 0 to below 1")),
        };
        Ok(AdamW {
            beta_1: beta("training.adamw.beta_1", raw.beta_1.unwrap_or(default.beta_1))?,
            beta_2: beta("training.adamw.beta_2", raw.beta_2.unwrap_or(default.beta_2))?,
            epsilon: self
                .positive("training.adamw.epsilon", raw.epsilon.unwrap_or(default.epsilon))?,
        })
    }

    pub(super) fn decay(&self, name: &str) -> Result<Decay, RecipeError> {
        match name {
            "linear" => Ok(Decay::Linear),
            "cosine" => Ok(Decay::Cosine),
            "constant" => Ok(Decay::Constant),
            other => {
                let allowed = "'linear', 'cosine', 'constant'";
                Err(self.value("training.decay", quoted(other), allowed))
            }
        }
    }

    /// `evaluations` is how often dev is evaluated, in steps: states are kept as often unless the
    /// recipe says otherwise.
    pub(super) fn keeping(
        &self,
        raw: Option<RawKeeping>,
        evaluations: usize,
    ) -> Result<Keeping, RecipeError> {
        let raw = raw.unwrap_or_default();
        let half = match raw.weights.as_deref() {
            None | Some("f16") => true,
            Some("f32") => false,
            Some(other) => return Err(self.value("keep.weights", quoted(other), "'f16', 'f32'")),
        };
        Ok(Keeping {
            every: self.count("keep.every", raw.every.unwrap_or(evaluations))?,
            last: self.count("keep.last", raw.last.unwrap_or(2))?,
            half,
        })
    }

    pub(super) fn tests(
        &self,
        raw: Vec<RawTest>,
        dev: &super::DevSettings,
    ) -> Result<Vec<TestSpec>, RecipeError> {
        let mut tests: Vec<TestSpec> = Vec::new();
        for (number, raw) in raw.into_iter().enumerate() {
            let key = |key: &str| format!("evaluate[{number}].{key}");
            let name = self.filled(&key("name"), raw.name)?;
            if tests.iter().any(|test| test.name == name) {
                let found = format!("{} again", quoted(&name));
                return Err(self.value(&key("name"), found, "a name of its own"));
            }
            let measure = match raw.measure {
                None => dev.measure.clone(),
                Some(text) => text.parse().map_err(|_| {
                    let allowed = secondpass_evaluation::NamedMeasure::allowed();
                    self.value(&key("measure"), quoted(&text), &allowed)
                })?,
            };
            let path = self.beside(&raw.path);
            let set = match is_lines(&path) {
                true => {
                    let when = "the path is a golden set, JSONL";
                    self.absent(&key("split"), raw.split.is_some(), when)?;
                    DevSet::Golden { path, corpus: raw.corpus.map(|corpus| self.beside(&corpus)) }
                }
                false => {
                    let when = "the path is a BEIR folder (a golden set's ends in .jsonl)";
                    self.absent(&key("corpus"), raw.corpus.is_some(), when)?;
                    let split = raw.split.unwrap_or_else(|| "test".to_owned());
                    DevSet::Beir(JudgedSplit { path, split })
                }
            };
            tests.push(TestSpec {
                name,
                set,
                depth: self.count(&key("depth"), raw.depth.unwrap_or(dev.depth))?,
                pool: self.pool(&key("pool"), raw.pool.as_deref())?,
                measure,
                other_domain: raw.other_domain.unwrap_or(false),
            });
        }
        Ok(tests)
    }

    pub(super) fn pool(&self, key: &str, name: Option<&str>) -> Result<Pool, RecipeError> {
        match name {
            None | Some("corpus") => Ok(Pool::Corpus),
            Some("judged") => Ok(Pool::Judged),
            Some(other) => Err(self.value(key, quoted(other), "'corpus', 'judged'")),
        }
    }

    pub(super) fn at_least_zero(&self, key: &str, value: f64) -> Result<f64, RecipeError> {
        match value.is_finite() && value >= 0.0 {
            true => Ok(value),
            false => Err(self.value(key, value, "a number from 0")),
        }
    }
}

/// Whether a path's name says that it is a file of lines and no folder.
fn is_lines(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    [".jsonl", ".jsonl.gz", ".jsonl.zst"].iter().any(|ending| name.ends_with(ending))
}
