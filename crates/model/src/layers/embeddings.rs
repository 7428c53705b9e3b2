use burn::tensor::{Int, Tensor};

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
        let x = self.look_up(&batch.ids, &batch.types, &batch.positions);
        let [_, hidden] = x.dims();
        // [batch * tokens, hidden] -> [batch, tokens, hidden]
        dropout(x.reshape([batch.batch, batch.tokens, hidden]), self.dropout)
    }

    /// The same without dropout.
    ///
    /// # Shapes
    /// - ids, types, positions: `[tokens]`
    /// - result: `[tokens, hidden]`
    pub fn look_up(
        &self,
        ids: &Tensor<1, Int>,
        types: &Tensor<1, Int>,
        positions: &Tensor<1, Int>,
    ) -> Tensor<2> {
        let row = |table: &Tensor<2>, ids: &Tensor<1, Int>| table.clone().select(0, ids.clone());
        let sum = row(&self.words, ids) + row(&self.types, types) + row(&self.positions, positions);
        self.norm.forward(sum)
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
