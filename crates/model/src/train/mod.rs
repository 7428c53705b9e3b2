//! Training steps: gradients of a loss over groups, and the optimizer.

mod adamw;
mod loss;
mod trainee;

pub use trainee::Trainee;
