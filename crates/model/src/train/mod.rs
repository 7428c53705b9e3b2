//! Training steps: gradients of a loss, and the optimizer.

mod adamw;
mod burn;
mod cpu;
#[cfg(test)]
mod parity;
mod plan;
mod state;
#[cfg(test)]
mod tests;
mod trainee;

pub use trainee::Trainee;
