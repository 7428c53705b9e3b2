use std::path::PathBuf;

use crate::{GraphError, RuntimeError};

/// Why an ONNX file gives no reranker.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No runtime to run it.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The file is no model.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The `config.json` beside it cannot be used.
    #[error("{}: {reason}", .path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Which field, and the remedy.
        reason: String,
    },
    /// The runtime refuses it.
    #[error(
        "{}: ONNX Runtime {version} cannot load it: {reason}; export it again, or update the runtime",
        .path.display()
    )]
    Refused {
        /// The file.
        path: PathBuf,
        /// The runtime's version.
        version: String,
        /// What it said.
        reason: String,
    },
    /// An input that nobody here can fill, or one that is missing.
    #[error("{}: {problem}; export it for text classification with {EXPECTED}", .path.display())]
    Inputs {
        /// The file.
        path: PathBuf,
        /// Which input.
        problem: String,
    },
    /// More than one output, or one of a wrong type or shape.
    #[error("{}: {problem}; export it for text classification with one output, logits", .path.display())]
    Outputs {
        /// The file.
        path: PathBuf,
        /// Which output.
        problem: String,
    },
    /// A classifier.
    #[error(
        "{}: its output '{output}' has {classes} values a pair, and a reranker has one; export a model \
         with num_labels = 1 (the logits of a classifier are no score)", .path.display()
    )]
    Classes {
        /// The file.
        path: PathBuf,
        /// The output's name.
        output: String,
        /// Values a pair.
        classes: i64,
    },
}

/// What a model may be asked with.
const EXPECTED: &str =
    "the inputs input_ids and attention_mask, and token_type_ids where it reads them";
