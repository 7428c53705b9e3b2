//! A post-norm encoder, as BERT, RoBERTa and XLM-R have it, from embeddings to hidden states.

use pulp::{Simd, WithSimd};

use crate::attention::{self, Heads, Inputs};
use crate::linear::{blocks, parts};
use crate::matmul::height;
use crate::reserve::reserve;
use crate::threads::Threads;
use crate::{Activation, Instructions, LayerNorm, Linear, ShapeError};

/// An encoder's shape, named as in Hugging Face's `config.json`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EncoderConfig {
    /// `hidden_size`
    pub hidden: usize,
    /// `num_attention_heads`
    pub heads: usize,
    /// `intermediate_size`
    pub intermediate: usize,
    /// `num_hidden_layers`
    pub layers: usize,
    /// `layer_norm_eps`
    pub epsilon: f32,
    /// `hidden_act`
    pub activation: Activation,
}

/// A linear layer's weights.
#[derive(Debug, Clone, Default)]
pub struct LinearWeights {
    /// `[inputs, outputs]`: transposed against PyTorch's files.
    pub weight: Vec<f32>,
    /// `[outputs]`
    pub bias: Vec<f32>,
}

/// A layer norm's weights.
#[derive(Debug, Clone, Default)]
pub struct NormWeights {
    /// `[hidden]`; `weight` in files.
    pub gamma: Vec<f32>,
    /// `[hidden]`; `bias` in files.
    pub beta: Vec<f32>,
}

/// One layer's weights.
#[derive(Debug, Clone, Default)]
pub struct LayerWeights {
    /// `attention.self.query`
    pub query: LinearWeights,
    /// `attention.self.key`
    pub key: LinearWeights,
    /// `attention.self.value`
    pub value: LinearWeights,
    /// `attention.output.dense`
    pub attention_output: LinearWeights,
    /// `attention.output.LayerNorm`
    pub attention_norm: NormWeights,
    /// `intermediate.dense`
    pub intermediate: LinearWeights,
    /// `output.dense`
    pub output: LinearWeights,
    /// `output.LayerNorm`
    pub output_norm: NormWeights,
}

/// An encoder with its weights laid out for one set of instructions. It takes embeddings (after their
/// norm) and gives hidden states; embeddings and heads are the caller's.
///
/// A batch is `x`, `[tokens, hidden]`, the tokens of all sequences one after another without padding, and
/// `offsets`, `[sequences + 1]`, where each sequence starts and where the last ends.
#[derive(Debug)]
pub struct Encoder {
    config: EncoderConfig,
    layers: Vec<Layer>,
    instructions: Instructions,
}

/// Memory that forward passes use again, which grows with the most tokens seen: four times `x` beside
/// what each thread needs for a block of rows and for one head of the longest sequence.
#[derive(Debug, Default)]
pub struct Workspace {
    queries: Vec<f32>,
    keys_values: Vec<f32>,
    context: Vec<f32>,
    spaces: Vec<Space>,
}

/// One thread's memory.
#[derive(Debug, Default)]
struct Space {
    attention: attention::Space,
    narrow: Vec<f32>,
    wide: Vec<f32>,
}

impl AsMut<attention::Space> for Space {
    fn as_mut(&mut self) -> &mut attention::Space {
        &mut self.attention
    }
}

impl EncoderConfig {
    fn check(&self) -> Result<(), ShapeError> {
        let &Self { hidden, heads, intermediate, .. } = self;
        let sides = [
            ("hidden_size", hidden),
            ("num_attention_heads", heads),
            ("intermediate_size", intermediate),
        ];
        for (what, side) in sides {
            if side == 0 {
                return Err(ShapeError::Dimension { what, problem: "is zero".to_owned() });
            }
        }
        if !hidden.is_multiple_of(heads) {
            let problem = format!("{hidden} is no multiple of {heads} heads");
            return Err(ShapeError::Dimension { what: "hidden_size", problem });
        }
        Ok(())
    }
}

impl Encoder {
    /// Lays out the weights.
    ///
    /// # Errors
    ///
    /// A dimension is zero, the hidden size is no multiple of the number of heads, the number of layers
    /// differs from the configuration's, or a tensor does not have its shape.
    pub fn new(
        config: EncoderConfig,
        layers: Vec<LayerWeights>,
        instructions: Instructions,
    ) -> Result<Self, ShapeError> {
        config.check()?;
        if layers.len() != config.layers {
            let problem = format!("{} promised, weights for {}", config.layers, layers.len());
            return Err(ShapeError::Dimension { what: "num_hidden_layers", problem });
        }
        let mut layers = layers.into_iter();
        let next = |_, into: &mut LayerWeights| {
            *into = layers.next().unwrap_or_default();
            Ok(())
        };
        Self::of_layers(config, next, instructions)
    }

    /// As [`Encoder::new`], of weights that `read` puts, layer by layer, into the memory of the layer before:
    /// neither are there two copies of a model, nor is memory asked for again and again.
    ///
    /// # Errors
    ///
    /// As [`Encoder::new`], and those of `read`.
    pub fn of_layers<E: From<ShapeError>>(
        config: EncoderConfig,
        mut read: impl FnMut(usize, &mut LayerWeights) -> Result<(), E>,
        instructions: Instructions,
    ) -> Result<Self, E> {
        config.check()?;
        let mut weights = LayerWeights::default();
        let layers = (0..config.layers)
            .map(|i| {
                read(i, &mut weights)?;
                Ok(Layer::new(config, i, &weights, instructions)?)
            })
            .collect::<Result<_, E>>()?;
        Ok(Self { config, layers, instructions })
    }

    /// The encoder's shape.
    pub fn config(&self) -> EncoderConfig {
        self.config
    }

    /// The instructions that the weights are laid out for.
    pub fn instructions(&self) -> Instructions {
        self.instructions
    }

    /// Replaces embeddings by the last layer's hidden states, for every token.
    ///
    /// # Errors
    ///
    /// `x` and `offsets` do not fit together.
    pub fn forward(
        &self,
        x: &mut [f32],
        offsets: &[usize],
        workspace: &mut Workspace,
        threads: &Threads,
    ) -> Result<(), ShapeError> {
        self.check(x, offsets)?;
        let Some(first) = self.layers.first() else { return Ok(()) };
        let pass = Pass { encoder: self, threads };
        let Workspace { queries, keys_values, context, spaces } = workspace;
        spaces.resize_with(threads.count().max(spaces.len()), Space::default);
        let queries = reserve(queries, x.len());
        let keys_values = reserve(keys_values, 2 * x.len());
        let context = reserve(context, x.len());
        pass.rows(x, spaces, None, Some(Next::all(first, queries, keys_values)));
        for (layer, next) in self.layers.iter().zip(self.layers[1..].iter().map(Some).chain([None]))
        {
            let inputs = Inputs { queries, query_offsets: offsets, keys_values, offsets };
            let context = pass.attend(inputs, context, spaces);
            let next = next.map(|next| Next::all(next, queries, keys_values));
            pass.rows(x, spaces, Some((layer, context)), next);
        }
        Ok(())
    }

    /// The last layer's hidden states of each sequence's first token, `[sequences, hidden]`: all that a
    /// classification head reads. The last layer computes keys and values for every token, everything
    /// else for the first tokens only. `x` is used up.
    ///
    /// # Errors
    ///
    /// `x` and `offsets` do not fit together.
    pub fn forward_first(
        &self,
        x: &mut [f32],
        offsets: &[usize],
        workspace: &mut Workspace,
        threads: &Threads,
    ) -> Result<Vec<f32>, ShapeError> {
        self.check(x, offsets)?;
        let starts = &offsets[..offsets.len() - 1];
        let hidden = self.config.hidden;
        let firsts = |x: &[f32]| -> Vec<f32> {
            starts.iter().flat_map(|start| &x[start * hidden..][..hidden]).copied().collect()
        };
        let Some((last, before)) = self.layers.split_last() else { return Ok(firsts(x)) };
        let pass = Pass { encoder: self, threads };
        let Workspace { queries, keys_values, context, spaces } = workspace;
        spaces.resize_with(threads.count().max(spaces.len()), Space::default);
        let queries = reserve(queries, x.len());
        let keys_values = reserve(keys_values, 2 * x.len());
        let context = reserve(context, x.len());
        for i in 0..=before.len() {
            let done = i.checked_sub(1).map(|done| {
                let inputs = Inputs { queries, query_offsets: offsets, keys_values, offsets };
                (&before[done], pass.attend(inputs, context, spaces))
            });
            let next = match before.get(i) {
                Some(layer) => Next::all(layer, queries, keys_values),
                None => Next { layer: last, queries: None, keys_values: Some(keys_values) },
            };
            pass.rows(x, spaces, done, Some(next));
        }
        let mut first = firsts(x);
        let queries = &mut queries[..first.len()];
        let context = &mut context[..first.len()];
        let next = Next { layer: last, queries: Some(queries), keys_values: None };
        pass.rows(&mut first, spaces, None, Some(next));
        let query_offsets: Vec<usize> = (0..=starts.len()).collect();
        let inputs = Inputs { queries, query_offsets: &query_offsets, keys_values, offsets };
        let context = pass.attend(inputs, context, spaces);
        pass.rows(&mut first, spaces, Some((last, context)), None);
        Ok(first)
    }

    fn check(&self, x: &[f32], offsets: &[usize]) -> Result<(), ShapeError> {
        let tokens = x.len() / self.config.hidden;
        ShapeError::check("x", x.len(), &[tokens, self.config.hidden])?;
        ShapeError::check_offsets(offsets, tokens)
    }
}

#[derive(Debug)]
struct Layer {
    query: Linear,
    /// Keys and values in one product.
    key_value: Linear,
    attention_output: Linear,
    attention_norm: LayerNorm,
    intermediate: Linear,
    output: Linear,
    output_norm: LayerNorm,
}

impl Layer {
    fn new(
        config: EncoderConfig,
        index: usize,
        weights: &LayerWeights,
        instructions: Instructions,
    ) -> Result<Self, ShapeError> {
        let EncoderConfig { hidden, intermediate, epsilon, .. } = config;
        let check = |name: &str, weights: &LinearWeights, inputs: usize, outputs: usize| {
            let named = format!("layer.{index}.{name}");
            ShapeError::check(
                &format!("{named}.weight"),
                weights.weight.len(),
                &[inputs, outputs],
            )?;
            ShapeError::check(&format!("{named}.bias"), weights.bias.len(), &[outputs])
        };
        let linear = |name: &str, weights: &LinearWeights, inputs: usize, outputs: usize| {
            check(name, weights, inputs, outputs)?;
            Linear::new(&weights.weight, Some(&weights.bias), inputs, outputs, instructions)
        };
        let norm = |name: &str, weights: &NormWeights| {
            let named = format!("layer.{index}.{name}");
            ShapeError::check(&format!("{named}.weight"), weights.gamma.len(), &[hidden])?;
            ShapeError::check(&format!("{named}.bias"), weights.beta.len(), &[hidden])?;
            LayerNorm::new(weights.gamma.clone(), weights.beta.clone(), epsilon, instructions)
        };
        let LayerWeights { key, value, .. } = weights;
        check("attention.self.key", key, hidden, hidden)?;
        check("attention.self.value", value, hidden, hidden)?;
        let output = &weights.attention_output;
        Ok(Self {
            query: linear("attention.self.query", &weights.query, hidden, hidden)?,
            key_value: Linear::beside(
                &[&key.weight, &value.weight],
                &[&key.bias, &value.bias],
                hidden,
                hidden,
                instructions,
            )?,
            attention_output: linear("attention.output.dense", output, hidden, hidden)?,
            attention_norm: norm("attention.output.LayerNorm", &weights.attention_norm)?,
            intermediate: linear(
                "intermediate.dense",
                &weights.intermediate,
                hidden,
                intermediate,
            )?,
            output: linear("output.dense", &weights.output, intermediate, hidden)?,
            output_norm: norm("output.LayerNorm", &weights.output_norm)?,
        })
    }
}

/// One forward pass over some threads.
#[derive(Clone, Copy)]
struct Pass<'a> {
    encoder: &'a Encoder,
    threads: &'a Threads,
}

/// What attention gave.
#[derive(Clone, Copy)]
struct Context<'a> {
    heads: Heads,
    values: &'a [f32],
    query_offsets: &'a [usize],
}

/// What the next layer's attention needs of each row.
struct Next<'a> {
    layer: &'a Layer,
    queries: Option<&'a mut [f32]>,
    keys_values: Option<&'a mut [f32]>,
}

impl<'a> Next<'a> {
    fn all(layer: &'a Layer, queries: &'a mut [f32], keys_values: &'a mut [f32]) -> Self {
        Self { layer, queries: Some(queries), keys_values: Some(keys_values) }
    }
}

impl Pass<'_> {
    fn attend<'a>(
        self,
        inputs: Inputs<'_, 'a>,
        context: &'a mut [f32],
        spaces: &mut [Space],
    ) -> Context<'a> {
        let EncoderConfig { hidden, heads, .. } = self.encoder.config;
        let heads = Heads { count: heads, size: hidden / heads };
        let instructions = self.encoder.instructions;
        attention::attend(heads, inputs, context, spaces, self.threads, instructions);
        Context { heads, values: context, query_offsets: inputs.query_offsets }
    }

    /// Everything between two attentions, which needs no other row: the rest of one layer, then the
    /// queries, keys and values of the next, block of rows by block of rows, so that what one step
    /// writes is in the cache when the next reads it.
    fn rows(
        self,
        x: &mut [f32],
        spaces: &mut [Space],
        done: Option<(&Layer, Context<'_>)>,
        next: Option<Next<'_>>,
    ) {
        let hidden = self.encoder.config.hidden;
        let instructions = self.encoder.instructions;
        let blocks = blocks(x.len() / hidden, self.threads.count(), height(instructions));
        let layer = next.as_ref().map(|next| next.layer);
        let (queries, keys_values) =
            next.map_or((None, None), |next| (next.queries, next.keys_values));
        let mut queries = queries.map(|all| parts(all, &blocks, hidden).into_iter());
        let mut keys_values = keys_values.map(|all| parts(all, &blocks, 2 * hidden).into_iter());
        let starts = blocks.iter().scan(0, |end, rows| Some(std::mem::replace(end, *end + rows)));
        let tasks = parts(x, &blocks, hidden).into_iter().zip(starts).map(|(x, first)| Rows {
            first,
            x,
            done,
            next: layer.map(|layer| Next {
                layer,
                queries: queries.as_mut().and_then(Iterator::next),
                keys_values: keys_values.as_mut().and_then(Iterator::next),
            }),
            config: self.encoder.config,
        });
        self.threads.each(spaces, tasks.collect(), |space, rows| {
            instructions.run(RunRows { rows, space });
        });
    }
}

/// A block of rows between two attentions.
struct Rows<'a> {
    /// The first row's place among all.
    first: usize,
    /// `[rows, hidden]`
    x: &'a mut [f32],
    done: Option<(&'a Layer, Context<'a>)>,
    next: Option<Next<'a>>,
    config: EncoderConfig,
}

struct RunRows<'a> {
    rows: Rows<'a>,
    space: &'a mut Space,
}

impl WithSimd for RunRows<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Rows { first, x, done, next, config } = self.rows;
        let rows = x.len() / config.hidden;
        if let Some((layer, context)) = done {
            // [rows, hidden]: first the context, later what is added to `x`.
            let wide = reserve(&mut self.space.wide, rows * config.intermediate.max(config.hidden));
            let narrow = reserve(&mut self.space.narrow, x.len());
            let gathered = &mut wide[..x.len()];
            let Context { heads, values, query_offsets } = context;
            attention::gather(heads, values, query_offsets, first..first + rows, gathered);
            layer.attention_output.forward(simd, gathered, narrow, Activation::Identity);
            layer.attention_norm.add_and_apply(simd, x, narrow);
            let wide = &mut wide[..rows * config.intermediate];
            layer.intermediate.forward(simd, x, wide, config.activation);
            layer.output.forward(simd, wide, narrow, Activation::Identity);
            layer.output_norm.add_and_apply(simd, x, narrow);
        }
        let Some(Next { layer, queries, keys_values }) = next else { return };
        if let Some(queries) = queries {
            layer.query.forward(simd, x, queries, Activation::Identity);
        }
        if let Some(keys_values) = keys_values {
            layer.key_value.forward(simd, x, keys_values, Activation::Identity);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::ops::Range;

    use proptest::prelude::*;

    use super::*;
    use crate::reference::{self, Numbers};

    fn threads(count: usize) -> Threads {
        Threads::new(NonZeroUsize::new(count).unwrap()).unwrap()
    }

    fn config(hidden: usize, heads: usize, intermediate: usize, layers: usize) -> EncoderConfig {
        let activation = Activation::Gelu;
        EncoderConfig { hidden, heads, intermediate, layers, epsilon: 1e-5, activation }
    }

    fn offsets(lengths: &[usize]) -> Vec<usize> {
        let ends = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        [0].into_iter().chain(ends).collect()
    }

    fn rows(all: &[f32], range: Range<usize>, hidden: usize) -> &[f32] {
        &all[range.start * hidden..range.end * hidden]
    }

    /// Every set of instructions, one and two threads, every token and the first ones, against f64.
    fn check(config: EncoderConfig, lengths: &[usize], seed: u64) {
        let mut numbers = Numbers::new(seed);
        let weights: Vec<LayerWeights> =
            (0..config.layers).map(|_| numbers.layer(config.hidden, config.intermediate)).collect();
        let offsets = offsets(lengths);
        let embeddings = numbers.take(offsets[lengths.len()] * config.hidden, 1.0);
        let expected = reference::encoder(&config, &weights, &embeddings, &offsets);
        for set in Instructions::available() {
            let encoder = Encoder::new(config, weights.clone(), set).unwrap();
            let mut workspace = Workspace::default();
            let mut results = [1, 2, 3].map(|count| {
                let mut x = embeddings.clone();
                encoder.forward(&mut x, &offsets, &mut workspace, &threads(count)).unwrap();
                let first = encoder
                    .forward_first(
                        &mut embeddings.clone(),
                        &offsets,
                        &mut workspace,
                        &threads(count),
                    )
                    .unwrap();
                (x, first)
            });
            reference::assert_close(&results[0].0, &expected, 1e-5);
            assert!(results.iter().all(|other| *other == results[0]), "{set:?}");
            let (x, first) = std::mem::take(&mut results[0]);
            for (start, first) in offsets.iter().zip(first.chunks_exact(config.hidden)) {
                assert_eq!(rows(&x, *start..start + 1, config.hidden), first, "{set:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn encoders_equal_the_reference(
            (heads, size) in prop_oneof![(1_usize..=2, Just(32_usize)), Just((1, 64)), Just((3, 7))],
            intermediate in 1_usize..=70,
            layers in 1_usize..=3,
            lengths in prop::collection::vec(1_usize..=60, 1..=8),
            seed: u64,
        ) {
            check(config(heads * size, heads, intermediate, layers), &lengths, seed);
        }
    }

    #[test]
    fn one_token_alone_equals_the_reference() {
        check(config(32, 1, 64, 2), &[1], 1);
    }

    #[test]
    fn sixty_four_sequences_of_mixed_lengths_equal_the_reference() {
        let lengths: Vec<usize> = (0..64).map(|i| 1 + i * 37 % 41).collect();
        check(config(64, 2, 96, 2), &lengths, 2);
    }

    #[test]
    fn a_wide_layer_equals_the_reference() {
        check(config(1024, 16, 4096, 1), &[5, 2], 3);
        check(config(384, 12, 1536, 1), &[3, 9], 4);
    }

    #[test]
    fn a_sequence_of_several_blocks_of_keys_equals_the_reference() {
        check(config(32, 1, 32, 1), &[3, 1100], 5);
    }

    #[test]
    fn a_batch_equals_its_singles_to_the_bit() {
        let config = config(64, 2, 128, 3);
        let mut numbers = Numbers::new(6);
        let weights: Vec<_> = (0..3).map(|_| numbers.layer(64, 128)).collect();
        let offsets = offsets(&[17, 1, 300, 5]);
        let embeddings = numbers.take(323 * 64, 1.0);
        for set in Instructions::available() {
            let encoder = Encoder::new(config, weights.clone(), set).unwrap();
            let mut workspace = Workspace::default();
            let mut x = embeddings.clone();
            encoder.forward(&mut x, &offsets, &mut workspace, &threads(2)).unwrap();
            for pair in offsets.windows(2) {
                let mut single = rows(&embeddings, pair[0]..pair[1], 64).to_vec();
                let ends = [0, pair[1] - pair[0]];
                encoder.forward(&mut single, &ends, &mut workspace, &threads(1)).unwrap();
                assert_eq!(single, rows(&x, pair[0]..pair[1], 64), "{set:?}");
            }
        }
    }

    #[test]
    fn no_layers_and_no_sequences_change_nothing() {
        let encoder = Encoder::new(config(2, 1, 2, 0), vec![], Instructions::detect()).unwrap();
        let mut workspace = Workspace::default();
        let mut x = [1.0, 2.0, 3.0, 4.0];
        let first = encoder.forward_first(&mut x, &[0, 2], &mut workspace, &threads(2)).unwrap();
        assert_eq!(first, [1.0, 2.0]);
        let mut numbers = Numbers::new(7);
        let layers = vec![numbers.layer(2, 2)];
        let encoder = Encoder::new(config(2, 1, 2, 1), layers, Instructions::detect()).unwrap();
        encoder.forward(&mut [], &[0], &mut workspace, &threads(2)).unwrap();
        let first = encoder.forward_first(&mut [], &[0], &mut workspace, &threads(2)).unwrap();
        assert!(first.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_names_it() {
        let set = Instructions::detect();
        let good = config(4, 2, 8, 1);
        let mut numbers = Numbers::new(8);
        let mut of = |config: EncoderConfig, change: &dyn Fn(&mut LayerWeights)| {
            let mut layer = numbers.layer(4, 8);
            change(&mut layer);
            Encoder::new(config, vec![layer], set).map_err(|error| error.to_string())
        };
        assert!(of(good, &|_| ()).is_ok());
        let heads = of(EncoderConfig { heads: 3, ..good }, &|_| ()).unwrap_err();
        assert!(heads.contains("4 is no multiple of 3 heads"), "{heads}");
        assert!(of(EncoderConfig { heads: 0, ..good }, &|_| ()).is_err());
        assert!(of(EncoderConfig { layers: 2, ..good }, &|_| ()).is_err());
        let key = of(good, &|layer| layer.key.weight.truncate(15)).unwrap_err();
        assert!(key.contains("layer.0.attention.self.key.weight has 15 values"), "{key}");
        let norm = of(good, &|layer| layer.output_norm.beta.truncate(3)).unwrap_err();
        assert!(norm.contains("layer.0.output.LayerNorm.bias"), "{norm}");
        let encoder = of(good, &|_| ()).unwrap();
        let forward = |tokens: usize, offsets: &[usize]| {
            let mut x = vec![0.0; tokens * 4];
            encoder.forward(&mut x, offsets, &mut Workspace::default(), &threads(1))
        };
        assert!(forward(3, &[0, 1, 3]).is_ok());
        for offsets in [&[][..], &[1, 3], &[0, 2], &[0, 0, 3], &[0, 4]] {
            assert!(forward(3, offsets).is_err(), "{offsets:?}");
        }
    }
}
