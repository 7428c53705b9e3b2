use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use secondpass_core::{ContentHash, Identity, Scoring};
use secondpass_data::hub::{self, HubError, HubSettings, NamedFiles};
use secondpass_text::{PairTokenizer, Scorer, Truncation};

use crate::exit::usage;
use crate::load;
use crate::progress;

/// Where a model's ONNX file is, unless it is named.
const USUAL: [&str; 2] = ["model.onnx", "onnx/model.onnx"];

/// Which model, and how it is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// A folder or a hub id.
    pub model: &'a str,
    pub file: Option<&'a str>,
    pub revision: Option<&'a str>,
    pub max_length: Option<usize>,
    pub truncation: Truncation,
}

/// A cross-encoder in an ONNX file, ready to score. Copies share it.
#[derive(Clone)]
pub struct Onnx {
    pub scorer: Arc<dyn Scorer>,
    pub tokenizer: PairTokenizer,
    /// The longest pair that it has positions for.
    limit: usize,
    dtype: String,
    /// What it was asked for by.
    pub model: String,
    revision: Option<String>,
    /// All files that hold weights.
    weights: Vec<PathBuf>,
}

/// Opens a model: its ONNX file, `tokenizer.json` and `config.json`.
pub fn open(settings: Settings<'_>) -> Result<Onnx> {
    let Settings { model: spec, .. } = settings;
    let names = match settings.file {
        Some(file) => vec![file],
        None => USUAL.to_vec(),
    };
    let NamedFiles { paths, revision } =
        files(settings, &[&["config.json", "tokenizer.json"], &names[..]].concat())?;
    let missing = |file: &str, hint: &'static str| {
        let (folder, file) = (spec.to_owned(), file.to_owned());
        anyhow::Error::from(HubError::MissingFile { folder, file, hint })
    };
    let [Some(config), Some(tokenizer), found @ ..] = &paths[..] else {
        return Err(match paths.first() {
            Some(None) => missing("config.json", "; it is no model in the Hugging Face layout"),
            _ => missing(
                "tokenizer.json",
                "; save the tokenizer in the fast format beside the model",
            ),
        });
    };
    let Some((at, file)) =
        found.iter().enumerate().find_map(|(at, path)| Some((at, path.as_ref()?)))
    else {
        let hint = "; name the file, or export the model (optimum-cli export onnx --task \
                    text-classification)";
        return Err(missing(&names.join(" or "), hint));
    };
    let external = external(settings, names[at], file)?;
    let (scorer, limit, dtype) = runtime::load(config, file)?;
    let max_length = load::within(limit, settings.max_length)?;
    let tokenizer = PairTokenizer::from_file(tokenizer, max_length, settings.truncation)
        .map_err(load::graded_tokenizer)?;
    let model = match settings.file {
        Some(file) => format!("{} ({file})", load::shown(spec)),
        None => load::shown(spec),
    };
    let weights = [vec![file.clone()], external].concat();
    Ok(Onnx { scorer, tokenizer, limit, dtype, model, revision, weights })
}

impl Onnx {
    /// The same model with another limit on pairs.
    pub fn cut_at(&self, length: usize) -> Result<Self> {
        let length = load::within(self.limit, Some(length))?;
        let tokenizer = self.tokenizer.with_max_length(length).map_err(load::graded_tokenizer)?;
        Ok(Self { tokenizer, ..self.clone() })
    }

    /// The hash of its weights.
    pub fn weights(&self) -> Result<ContentHash> {
        load::weights_hash(&self.weights)
    }

    /// Which reranker this is.
    pub fn identity(&self, name: &str, weights: Option<ContentHash>) -> Identity {
        Identity {
            name: name.to_owned(),
            provider: "onnxruntime".to_owned(),
            model: self.model.clone(),
            revision: self.revision.clone(),
            weights,
            endpoint: None,
            device: Some("onnx".to_owned()),
            dtype: Some(self.dtype.clone()),
            max_length: Some(self.tokenizer.max_length()),
            truncation: Some(self.tokenizer.truncation().to_string()),
            scoring: Scoring::Pointwise,
        }
    }
}

fn files(settings: Settings<'_>, names: &[&str]) -> Result<NamedFiles> {
    let Settings { model, revision, .. } = settings;
    hub::named_files(model, revision, names, &HubSettings::from_env(), &progress::downloads())
        .map_err(|error| match error {
            HubError::OutsideFile { .. } => usage(error),
            error => error.into(),
        })
}

/// The files beside the ONNX file that hold weights, downloaded if need be.
fn external(settings: Settings<'_>, name: &str, file: &Path) -> Result<Vec<PathBuf>> {
    let folder = name.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
    let names: Vec<String> = runtime::external(file)?
        .iter()
        .filter_map(|path| Some(format!("{folder}{}", path.file_name()?.to_string_lossy())))
        .collect();
    let asked: Vec<&str> = names.iter().map(String::as_str).collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let found = files(settings, &asked)?.paths.into_iter().zip(names);
    found
        .map(|(path, name)| {
            path.ok_or_else(|| {
                let (folder, hint) = (settings.model.to_owned(), "; its weights are in there");
                HubError::MissingFile { folder, file: name, hint }.into()
            })
        })
        .collect()
}

/// One thread a core that this process may use.
fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

#[cfg(feature = "onnx")]
mod runtime {
    use super::*;
    use secondpass_onnx::{Graph, Library, OnnxModel};

    /// A model, the longest pair it takes, and its number format.
    pub fn load(config: &Path, file: &Path) -> Result<(Arc<dyn Scorer>, usize, String)> {
        let library = Library::find().map_err(usage)?;
        let model = OnnxModel::load(&library, config, file, threads())?;
        let (limit, dtype) = (model.max_length(), model.graph().dtype.clone());
        Ok((Arc::new(model), limit, dtype))
    }

    pub fn external(file: &Path) -> Result<Vec<PathBuf>> {
        Ok(Graph::read(file)?.external)
    }
}

#[cfg(not(feature = "onnx"))]
mod runtime {
    use super::*;

    pub fn load(_: &Path, _: &Path) -> Result<(Arc<dyn Scorer>, usize, String)> {
        let _ = threads();
        Err(usage(anyhow::anyhow!("this build has no ONNX; rebuild with `--features onnx`")))
    }

    pub fn external(_: &Path) -> Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }
}
