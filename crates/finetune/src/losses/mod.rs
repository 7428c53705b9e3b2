//! Losses: what is wrong with a batch's logits, and which way they should go.

mod group_softmax;

pub use group_softmax::group_softmax;

/// A loss and its derivatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// Mean over the batch's groups.
    pub value: f64,
    /// The derivative of the value by each logit, in the batch's order.
    pub derivatives: Vec<f32>,
}
