//! Training on the CPU: forward pass with dropout, backward pass and optimizer of a BERT-family
//! cross-encoder, on plain slices and without padding.
//!
//! Blocks of work depend on shapes alone, and what several of them sum is summed in their order: all
//! results are bit-identical whatever the number of threads. Dropout's masks are a function of the
//! seed and of a value's place, so that the backward pass draws them again instead of
//! keeping them.

mod activation;
mod adamw;
mod attention;
mod dense;
mod dropout;
mod embeddings;
mod gradients;
mod head;
mod layer;
mod layout;
mod lora;
mod network;
mod norm;
mod outer;
mod panels;
mod passes;
#[cfg(test)]
mod tests;
mod work;

pub use adamw::{AdamW, Step, squares};
pub use layout::{Part, Slot, TrainingConfig};
pub use lora::Adapter;
pub use network::{Tokens, TrainingNetwork};
