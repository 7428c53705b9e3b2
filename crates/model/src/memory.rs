use std::num::NonZeroUsize;

use crate::{DeviceSpec, Dtype, ModelConfig};

/// What a model of some shape takes of memory: estimates, to be used with some room to spare.
impl ModelConfig {
    /// Numbers in the weights of a cross-encoder of this shape.
    pub fn parameters(&self) -> u64 {
        let (hidden, inner) = (self.hidden_size as u64, self.intermediate_size as u64);
        let rows = self.vocab_size + self.max_position_embeddings + self.type_vocab_size;
        let norm = 2 * hidden;
        let attention = 4 * (hidden * hidden + hidden) + norm;
        let forward = 2 * hidden * inner + inner + hidden + norm;
        let head = hidden * hidden + 2 * hidden + 1;
        rows as u64 * hidden + norm + self.num_hidden_layers as u64 * (attention + forward) + head
    }

    /// Bytes that its weights take; norms and the head are f32 in every format.
    pub fn weights_bytes(&self, dtype: Dtype) -> u64 {
        let hidden = self.hidden_size as u64;
        let norms = (2 * self.num_hidden_layers as u64 + 1) * 2 * hidden;
        let wide = norms + hidden * hidden + 2 * hidden + 1;
        let narrow = self.parameters().saturating_sub(wide);
        narrow * dtype.bytes() as u64 + wide * Dtype::F32.bytes() as u64
    }

    /// Bytes of a card beside the weights that a batch of so many sequences takes while it is scored, each
    /// counted as long as the longest: the residual stream, what is projected, padded and attended, the
    /// feed-forward part before and after its activation, which is computed in f32, and a group's
    /// attention scores before and after the softmax.
    pub fn card_batch_bytes(&self, dtype: Dtype, sequences: usize, longest: usize) -> u64 {
        let (hidden, inner) = (self.hidden_size as u64, self.intermediate_size as u64);
        let (sequences, longest) = (sequences as u64, longest as u64);
        let tokens = sequences.saturating_mul(longest);
        let (narrow, wide) = (dtype.bytes() as u64, Dtype::F32.bytes() as u64);
        let token = (9 * hidden + 2 * inner) * narrow + 2 * inner * wide;
        let pairs = tokens.saturating_mul(longest);
        let scores = pairs.saturating_mul(2 * self.num_attention_heads as u64 * wide);
        tokens.saturating_mul(token).saturating_add(scores)
    }

    /// Bytes beside the weights that a batch of so many sequences takes while it is scored, each
    /// counted as long as the longest; `None` for a card, whose memory is not this process's.
    pub fn batch_bytes(&self, device: DeviceSpec, sequences: usize, longest: usize) -> Option<u64> {
        let (hidden, inner) = (self.hidden_size as u64, self.intermediate_size as u64);
        let (sequences, longest) = (sequences as u64, longest as u64);
        let tokens = sequences.saturating_mul(longest);
        let numbers = match device {
            DeviceSpec::Cuda(_) => return None,
            // The residual stream, queries, keys, values and context of every token; for each thread a
            // block of rows, and the keys and values of one head of one sequence.
            DeviceSpec::Auto | DeviceSpec::Cpu => {
                let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
                let head = hidden / self.num_attention_heads.max(1) as u64;
                let keys_values = (3 * head).saturating_mul(longest);
                let block = keys_values.saturating_add(ROWS * (inner + hidden) + SCORES);
                let blocks = block.saturating_mul(threads as u64);
                tokens.saturating_mul(5 * hidden).saturating_add(blocks)
            }
            // Every operation writes its result beside its operands; attention keeps its weights for
            // every pair of tokens, before and after the softmax.
            DeviceSpec::Flex | DeviceSpec::NdArray => {
                let weights = (2 * self.num_attention_heads as u64).saturating_mul(longest);
                tokens.saturating_mul((8 * hidden + 3 * inner).saturating_add(weights))
            }
        };
        Some(numbers.saturating_mul(size_of::<f32>() as u64))
    }
}

/// Rows that a thread of our own kernels takes at a time, at most.
const ROWS: u64 = 128;
/// Attention scores that it keeps at a time, at most.
const SCORES: u64 = 1 << 16;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Head, Model};

    fn golden(name: &str) -> (ModelConfig, Model) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/models");
        let config = folder.join(name).join("config.json");
        let weights = [folder.join(name).join("model.safetensors")];
        let model = Model::load(&config, &weights, DeviceSpec::Flex, Dtype::F32, Head::FromFile);
        (ModelConfig::from_file(&config).unwrap(), model.unwrap())
    }

    #[test]
    fn parameters_are_those_of_the_network() {
        for name in ["bert", "roberta", "xlm-roberta"] {
            let (config, model) = golden(name);
            assert_eq!(config.parameters(), model.parameters() as u64, "{name}");
        }
    }

    #[test]
    fn weights_take_what_the_network_holds() {
        use crate::weights::{Parameters, Slot};
        for (name, dtype) in [("bert", Dtype::Bf16), ("xlm-roberta", Dtype::F16)] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/models");
            let config = folder.join(name).join("config.json");
            let weights = [folder.join(name).join("model.safetensors")];
            let model = Model::load(&config, &weights, DeviceSpec::Flex, dtype, Head::FromFile);
            let mut bytes = 0;
            model.unwrap().network.visit("", &mut |_, slot| {
                bytes += match slot {
                    Slot::Matrix(tensor, _) => {
                        tensor.shape().num_elements() * tensor.dtype().size()
                    }
                    Slot::Vector(tensor, _) => {
                        tensor.shape().num_elements() * tensor.dtype().size()
                    }
                };
            });
            let config = ModelConfig::from_file(&config).unwrap();
            assert_eq!(config.weights_bytes(dtype), bytes as u64, "{name}");
        }
    }

    #[test]
    fn a_batch_takes_memory_in_proportion_on_our_own_kernels() {
        let (config, _) = golden("bert");
        let bytes = |device, sequences, longest| {
            config.batch_bytes(device, sequences, longest).unwrap() as f64
        };
        let own = |longest| bytes(DeviceSpec::Cpu, 1, longest);
        assert!(own(1 << 20) / own(1 << 19) < 2.001, "linear in length");
        let burn = |longest| bytes(DeviceSpec::Flex, 1, longest);
        assert!(burn(1 << 20) / burn(1 << 19) > 3.5, "quadratic in length");
        assert_eq!(config.batch_bytes(DeviceSpec::Cuda(0), 1, 1), None);
        let card = |dtype, longest| config.card_batch_bytes(dtype, 1, longest) as f64;
        assert!(card(Dtype::F32, 64) > card(Dtype::Bf16, 64), "wider numbers take more");
        assert!(card(Dtype::Bf16, 1 << 20) / card(Dtype::Bf16, 1 << 19) > 3.5, "quadratic");
        assert_eq!(config.card_batch_bytes(Dtype::F32, usize::MAX, usize::MAX), u64::MAX);
        assert_eq!(config.batch_bytes(DeviceSpec::Flex, usize::MAX, usize::MAX), Some(u64::MAX));
    }
}
