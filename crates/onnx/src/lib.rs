//! Cross-encoders in ONNX files, run by ONNX Runtime on the CPU.
//!
//! The runtime is a library that is looked for and loaded when it is first needed ([`Library::find`]);
//! nothing is linked. An [`OnnxModel`] is a [`secondpass_text::Scorer`]: tokenization, truncation and
//! batches are those of every other cross-encoder.

mod config;
mod error;
mod graph;
mod inputs;
mod outputs;
mod runtime;
mod scorer;

pub use error::LoadError;
pub use graph::{Graph, GraphError};
pub use runtime::{INSTALL, Library, RuntimeError};
pub use scorer::OnnxModel;
