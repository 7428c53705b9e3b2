//! Training steps: gradients of a loss over groups, and the optimizer.

mod adamw;
#[cfg(test)]
mod tests;
mod trainee;

pub use trainee::Trainee;
