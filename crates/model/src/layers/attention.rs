use burn::tensor::activation::softmax;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Bool, Tensor};

use super::{Linear, dropout};
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
        let context = if query.is_autodiff() {
            self.unfused(query, key, value, mask)
        } else {
            attention(query, key, value, mask, None, AttentionModuleOptions::default())
        };
        // [batch, heads, tokens, head size] -> [batch, tokens, hidden]
        self.output.forward(context.swap_dims(1, 2).reshape([batch, tokens, hidden]))
    }

    /// The same in separate steps, with dropout on the weights: burn's fused operation has neither
    /// dropout nor a backward pass of its own.
    fn unfused(
        &self,
        query: Tensor<4>,
        key: Tensor<4>,
        value: Tensor<4>,
        mask: Option<Tensor<4, Bool>>,
    ) -> Tensor<4> {
        let scale = 1.0 / (self.head_size as f64).sqrt();
        // [batch, heads, query, key]
        let scores = query.matmul(key.transpose()) * scale;
        let scores = match mask {
            Some(mask) => scores.mask_fill(mask, f32::NEG_INFINITY),
            None => scores,
        };
        dropout(softmax(scores, 3), self.dropout).matmul(value)
    }
}

impl Parameters for Attention {
    fn visit(&mut self, path: &str, visit: &mut dyn FnMut(String, Slot<'_>)) {
        self.query.visit(&format!("{path}.self.query"), visit);
        self.key.visit(&format!("{path}.self.key"), visit);
        self.value.visit(&format!("{path}.self.value"), visit);
        self.output.visit(&format!("{path}.output.dense"), visit);
    }
}
