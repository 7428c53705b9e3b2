use burn::tensor::activation::softmax;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Bool, DType, Tensor};

use super::{Linear, cast, dropout};
use crate::ModelConfig;
use crate::weights::{Parameters, Slot, Source, WeightsError};

/// Multi-head self-attention, the output projection included, without residual and LayerNorm.
#[derive(Clone, Debug)]
pub(crate) struct Attention {
    pub query: Linear,
    pub key: Linear,
    pub value: Linear,
    pub output: Linear,
    pub heads: usize,
    pub head_size: usize,
    dropout: f64,
}

impl Attention {
    pub fn build(
        source: &mut dyn Source,
        path: &str,
        config: &ModelConfig,
    ) -> Result<Self, WeightsError> {
        let hidden = config.hidden_size;
        let mut linear =
            |name: &str| Linear::build(source, &format!("{path}.{name}"), hidden, hidden);
        Ok(Self {
            query: linear("self.query")?,
            key: linear("self.key")?,
            value: linear("self.value")?,
            output: linear("output.dense")?,
            heads: config.num_attention_heads,
            head_size: config.head_size(),
            dropout: config.attention_probs_dropout_prob,
        })
    }

    /// # Shapes
    /// - x and result: `[batch, tokens, hidden]`
    /// - padding: `[batch, tokens]`, true where a key is padding
    pub fn forward(&self, x: Tensor<3>, padding: Option<&Tensor<2, Bool>>) -> Tensor<3> {
        let [batch, tokens, hidden] = x.dims();
        // [batch, tokens, hidden] -> [batch, heads, tokens, head size]
        let split =
            |x: Tensor<3>| x.reshape([batch, tokens, self.heads, self.head_size]).swap_dims(1, 2);
        let query = split(self.query.forward(x.clone()));
        let key = split(self.key.forward(x.clone()));
        let value = split(self.value.forward(x));
        // [batch, tokens] -> [batch, heads, query, key]
        let mask = padding.map(|padding| {
            padding
                .clone()
                .reshape([batch, 1, 1, tokens])
                .expand([batch, self.heads, tokens, tokens])
        });
        // Of narrow formats the fused operation makes single ones on a card, which round in the softmax.
        let context = if query.is_autodiff() || query.dtype() != DType::F32 {
            unfused(query, key, value, mask, self.dropout)
        } else {
            attention(query, key, value, mask, None, AttentionModuleOptions::default())
        };
        // [batch, heads, tokens, head size] -> [batch, tokens, hidden]
        self.output.forward(context.swap_dims(1, 2).reshape([batch, tokens, hidden]))
    }
}

/// Attention in separate steps, with dropout on the weights: burn's fused operation has neither dropout
/// nor a backward pass of its own. Scores are scaled before they are formed, so that they stay within a
/// narrow format's range, and their softmax is computed in f32.
///
/// # Shapes
/// - query: `[batch, heads, queries, head size]`, as is the result
/// - key and value: `[batch, heads, keys, head size]`
/// - mask: `[batch, heads, queries, keys]`, true where nothing is seen; every query sees something
pub(crate) fn unfused(
    query: Tensor<4>,
    key: Tensor<4>,
    value: Tensor<4>,
    mask: Option<Tensor<4, Bool>>,
    share: f64,
) -> Tensor<4> {
    let ([.., size], dtype) = (query.dims(), query.dtype());
    let scale = 1.0 / (size as f64).sqrt();
    // [batch, heads, query, key]
    let scores = cast((query * scale).matmul(key.transpose()), DType::F32);
    let scores = match mask {
        Some(mask) => scores.mask_fill(mask, f32::NEG_INFINITY),
        None => scores,
    };
    dropout(cast(softmax(scores, 3), dtype), share).matmul(value)
}

impl Parameters for Attention {
    fn visit(&mut self, path: &str, visit: &mut dyn FnMut(String, Slot<'_>)) {
        self.query.visit(&format!("{path}.self.query"), visit);
        self.key.visit(&format!("{path}.self.key"), visit);
        self.value.visit(&format!("{path}.self.value"), visit);
        self.output.visit(&format!("{path}.output.dense"), visit);
    }
}
