//! Training steps: gradients of a loss over groups, and the optimizer.

mod adamw;
mod loss;
#[cfg(test)]
mod tests;
mod trainee;

pub use trainee::Trainee;
