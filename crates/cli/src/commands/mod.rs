pub mod dataset;
pub mod eval;
pub mod finetune;
pub mod logs;
pub mod measure;
pub mod purge;
pub mod rerank;
pub mod retrieve;
