use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Bool, DType, Tensor};

use crate::layers::{cast, unfused};
use crate::{DeviceSpec, Dtype};

/// How a device is given its attention: the sizes that it likes, and the way to its fast kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    /// A group's sequences are padded to a multiple of this.
    pub multiple: usize,
    /// A group of several sequences has so many attention scores at most, over all heads.
    pub most_scores: u64,
    /// Whether there is a fused kernel of f16 alone, to be used for other narrow formats, too.
    pub f16_kernel: bool,
}

/// Bytes that the scores of a group may take on a card where they are written out, as they are for f32: a
/// page of burn's memory holds a quarter of the card's, and it takes several such tensors.
const MOST_BYTES: u64 = 2 << 30;
/// Rows of a tile of the fused kernel, times the four of its planes that share a block: other numbers of
/// queries it refuses.
const TILE: usize = 64;
/// Within f16 by some margin. Queries, keys and values come of normalized rows and are nowhere near.
const MOST_F16: f32 = 60_000.0;

impl Ways {
    pub fn of(device: DeviceSpec, dtype: Dtype) -> Self {
        let is_narrow = dtype != Dtype::F32;
        match device {
            DeviceSpec::Cuda(_) => Self {
                multiple: if is_narrow { TILE } else { 1 },
                most_scores: MOST_BYTES / Dtype::F32.bytes() as u64,
                f16_kernel: is_narrow,
            },
            _ => Self { multiple: 1, most_scores: u64::MAX, f16_kernel: false },
        }
    }

    /// A group's length for its longest sequence's.
    pub fn rounded(&self, length: usize) -> usize {
        length.next_multiple_of(self.multiple)
    }

    /// The weights that contexts are multiplied with, in the format that contexts come in.
    pub fn of_contexts(&self, weight: Tensor<2>) -> Tensor<2> {
        match self.f16_kernel {
            // Of weights f16 holds all that bf16 does, but what is next to nothing.
            true => cast(weight, DType::F16),
            false => weight,
        }
    }

    /// Attention of so many queries of each sequence over all of its keys. The result may be of another
    /// format than what is given.
    ///
    /// # Shapes
    /// - query: `[count, heads, queries, head size]`, as is the result
    /// - key and value: `[count, heads, longest, head size]`
    /// - hidden: `[count, heads, queries, longest]`, true where nothing is to be seen; every query sees
    ///   something
    pub fn attend(
        &self,
        query: Tensor<4>,
        key: Tensor<4>,
        value: Tensor<4>,
        hidden: Option<Tensor<4, Bool>>,
    ) -> Tensor<4> {
        let fused = |query, key, value| {
            attention(query, key, value, hidden.clone(), None, AttentionModuleOptions::default())
        };
        let (dtype, queries, keys) = (query.dtype(), query.dims()[2], key.dims()[2]);
        match (self.f16_kernel, queries == keys) {
            (false, _) => fused(query, key, value),
            // bf16's range is wider than what queries, keys and values fill, and f16 has three bits more.
            (true, true) => {
                let [query, key, value] = [query, key, value].map(|x| match dtype {
                    DType::F16 => x,
                    _ => x.clamp(-MOST_F16, MOST_F16).cast(DType::F16),
                });
                fused(query, key, value)
            }
            // One query a sequence is a small product, which the kernel does not take.
            (true, false) => unfused(query, key, value, hidden, 0.0),
        }
    }
}
