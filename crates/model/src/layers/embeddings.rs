use burn::tensor::Tensor;

use super::{LayerNorm, dropout};
use crate::ModelConfig;
use crate::padded::Padded;
use crate::weights::{Kind, Parameters, Slot, Source, WeightsError};

/// Word, position and token type embeddings, added and normalized.
#[derive(Clone, Debug)]
pub(crate) struct Embeddings {
    /// `[vocabulary, hidden]`
    words: Tensor<2>,
    /// `[positions, hidden]`
    positions: Tensor<2>,
    /// `[types, hidden]`
    types: Tensor<2>,
    norm: LayerNorm,
    dropout: f64,
}

impl Embeddings {
    pub fn build(
        source: &mut dyn Source,
        path: &str,
        config: &ModelConfig,
    ) -> Result<Self, WeightsError> {
        let hidden = config.hidden_size;
        let mut table = |name: &str, entries| {
            source.matrix(&format!("{path}.{name}.weight"), [entries, hidden], Kind::Embedding)
        };
        Ok(Self {
            // The largest first: what loading needs beside the weights is then smallest.
            words: table("word_embeddings", config.vocab_size)?,
            positions: table("position_embeddings", config.max_position_embeddings)?,
            types: table("token_type_embeddings", config.type_vocab_size)?,
            norm: LayerNorm::build(
                source,
                &format!("{path}.LayerNorm"),
                hidden,
                config.layer_norm_eps,
            )?,
            dropout: config.hidden_dropout_prob,
        })
    }

    /// # Shapes
    /// - result: `[batch, tokens, hidden]`
    pub fn forward(&self, batch: &Padded) -> Tensor<3> {
        let look_up = |table: &Tensor<2>, ids: &_| table.clone().select(0, Clone::clone(ids));
        let sum = look_up(&self.words, &batch.ids)
            + look_up(&self.types, &batch.types)
            + look_up(&self.positions, &batch.positions);
        let [_, hidden] = sum.dims();
        // [batch * tokens, hidden] -> [batch, tokens, hidden]
        let x = sum.reshape([batch.batch, batch.tokens, hidden]);
        dropout(self.norm.forward(x), self.dropout)
    }
}

impl Parameters for Embeddings {
    fn visit(&mut self, path: &str, visit: &mut dyn FnMut(String, Slot<'_>)) {
        for (name, table) in [
            ("word_embeddings", &mut self.words),
            ("position_embeddings", &mut self.positions),
            ("token_type_embeddings", &mut self.types),
        ] {
            visit(format!("{path}.{name}.weight"), Slot::Matrix(table, Kind::Embedding));
        }
        self.norm.visit(&format!("{path}.LayerNorm"), visit);
    }
}
