//! One file a command.

pub mod eval;
pub mod finetune;
pub mod rerank;
