//! A whole cross-encoder in training.

use super::attention::How;
use super::dropout::{Dropout, Site};
use super::embeddings::{self, Again, SavedEmbeddings};
use super::gradients::{self, Linear};
use super::head::{self, Drops, Head, SavedHead};
use super::layer::{Common, Layer, Repack, Saved, add};
use super::layout::{self, Part, TrainingConfig};
use super::passes::{self, Results, Span};
use super::work::{Crew, Space, firsts, sized};
use crate::attention::Heads;
use crate::{EncoderConfig, Instructions, ShapeError, Threads};

/// A batch: the tokens of all sequences one after another.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a> {
    /// Each token's id.
    pub ids: &'a [u32],
    /// Each token's position.
    pub positions: &'a [u32],
    /// Each token's type.
    pub types: &'a [u32],
    /// Where each sequence starts, and where the last ends; none is empty.
    pub offsets: &'a [usize],
}

/// Weights, their gradients, and what a step remembers between its forward and its backward pass.
///
/// The last layer computes queries, and all that follows from them, for each sequence's first token
/// only: nothing else reaches the logit, and no gradient comes back through anything else.
#[derive(Debug)]
pub struct TrainingNetwork {
    config: TrainingConfig,
    weights: Vec<Vec<f32>>,
    /// Of the trained parameters; empty for the others.
    gradients: Vec<Vec<f32>>,
    /// The first layer in which, or below which, something is trained.
    lowest: usize,
    layers: Vec<Layer>,
    head: Head,
    /// Whether weights changed since they were laid out.
    stale: bool,
    /// Whether layers are computed again on the way back, instead of all of them being kept.
    recompute: bool,
    memory: Memory,
    instructions: Instructions,
    threads: Threads,
}

#[derive(Debug, Default)]
struct Memory {
    batch: Option<Batch>,
    embeddings: SavedEmbeddings,
    /// The first is shared by the layers below the lowest that is trained.
    layers: Vec<Saved>,
    /// What layers lend each other where all but their outputs are computed again.
    shared: Saved,
    head: SavedHead,
    passing: Passing,
    panels: Vec<Vec<f32>>,
    spaces: Vec<Space>,
}

/// The batch of the forward pass that waits for its backward pass.
#[derive(Debug)]
struct Batch {
    ids: Vec<u32>,
    positions: Vec<u32>,
    types: Vec<u32>,
    offsets: Vec<usize>,
    seed: u64,
}

/// What one layer hands on to the next, forward or back: a layer's input, gradients on their way.
#[derive(Debug, Default)]
struct Passing {
    x: Vec<f32>,
    first: Vec<f32>,
    gradient: Vec<f32>,
    first_gradient: Vec<f32>,
    wide: Vec<f32>,
    middle: Vec<f32>,
    narrow: Vec<f32>,
    attention: Vec<f32>,
    context: Vec<f32>,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
}

impl TrainingNetwork {
    /// Takes weights, ordered as [`TrainingConfig::slots`] orders them; `trained` says which of them
    /// get gradients.
    ///
    /// # Errors
    ///
    /// Dimensions that are zero or do not fit, and weights that do not have their shapes.
    pub fn new(
        config: TrainingConfig,
        weights: Vec<Vec<f32>>,
        trained: &[bool],
        instructions: Instructions,
        threads: Threads,
    ) -> Result<Self, ShapeError> {
        config.check()?;
        let slots = config.slots();
        let layers = config.encoder.layers;
        ShapeError::check("the list of weights", weights.len(), &[slots.len()])?;
        ShapeError::check("the list of trained parameters", trained.len(), &[slots.len()])?;
        for (index, (slot, weight)) in slots.iter().zip(&weights).enumerate() {
            ShapeError::check(&format!("parameter {index}"), weight.len(), &slot.shape)?;
        }
        let learns = slots.iter().zip(trained).filter(|(_, trained)| **trained);
        let lowest = learns.map(|(slot, _)| match slot.part {
            Part::Embeddings => 0,
            Part::Layer(layer) => layer,
            Part::Head => layers,
        });
        let gradient =
            |(weight, trained): (&Vec<f32>, &bool)| vec![0.0; weight.len() * usize::from(*trained)];
        Ok(Self {
            lowest: lowest.min().unwrap_or(layers),
            gradients: weights.iter().zip(trained).map(gradient).collect(),
            layers: (0..layers).map(|_| Layer::new(&config.encoder)).collect(),
            head: Head::new(config.encoder.hidden),
            stale: true,
            recompute: false,
            memory: Memory::default(),
            config,
            weights,
            instructions,
            threads,
        })
    }

    /// Keeps of each layer its output alone, and computes the rest again on the way back (Chen et al.
    /// 2016): about a tenth of the memory for a third more time. The gradients are the same to the bit.
    #[must_use]
    pub fn recomputing(mut self, recompute: bool) -> Self {
        self.recompute = recompute;
        self
    }

    /// Whether layers are computed again on the way back.
    pub fn is_recomputing(&self) -> bool {
        self.recompute
    }

    /// The shape.
    pub fn config(&self) -> &TrainingConfig {
        &self.config
    }

    /// All weights, in order.
    pub fn weights(&self) -> &[Vec<f32>] {
        &self.weights
    }

    /// A parameter's summed gradient, empty where it is not trained.
    pub fn gradient(&self, index: usize) -> &[f32] {
        &self.gradients[index]
    }

    /// The instructions it runs on.
    pub fn instructions(&self) -> Instructions {
        self.instructions
    }

    /// The threads it runs on.
    pub fn threads(&self) -> &Threads {
        &self.threads
    }

    /// Changes one parameter, which `change` gets with its gradient.
    pub fn update(
        &mut self,
        index: usize,
        change: impl FnOnce(&mut [f32], &[f32], Instructions, &Threads),
    ) {
        self.stale = true;
        let (weight, gradient) = (&mut self.weights[index], &self.gradients[index]);
        change(weight, gradient, self.instructions, &self.threads);
    }

    /// Sets all gradients to zero.
    pub fn forget(&mut self) {
        self.memory.batch = None;
        self.gradients.iter_mut().for_each(|gradient| gradient.fill(0.0));
    }

    /// The logits of a batch, under dropout drawn from `seed`. [`TrainingNetwork::backward`] goes on
    /// from here.
    ///
    /// # Errors
    ///
    /// Offsets that do not fit the tokens, and ids, positions or types that have no embedding.
    pub fn forward(&mut self, tokens: &Tokens<'_>, seed: u64) -> Result<Vec<f32>, ShapeError> {
        self.check(tokens)?;
        self.lay_out();
        let count = tokens.ids.len();
        let sequences = tokens.offsets.len() - 1;
        let EncoderConfig { hidden, layers, epsilon, .. } = self.config.encoder;
        let draws = Draws::new(&self.config, seed);
        let Memory { batch, embeddings, layers: saved, shared, head, passing, spaces, .. } =
            &mut self.memory;
        let mut crew = Crew { instructions: self.instructions, threads: &self.threads, spaces };
        let x = sized(&mut passing.x, count * hidden);
        let first = sized(&mut passing.first, sequences * hidden);
        let drop = draws.embeddings();
        embeddings::forward(&mut crew, &self.weights, tokens, epsilon, drop, embeddings, x);

        saved.resize_with(layers - self.lowest + 1, Saved::default);
        for index in 0..layers {
            let pass =
                Pass::new(&self.config, &self.weights, &self.layers, index, draws, tokens.offsets);
            let saved = &mut saved[(index + 1).saturating_sub(self.lowest)];
            if self.recompute {
                saved.swap_all_but_output(shared);
            }
            pass.forward(&mut crew, x, first, saved);
            // Of the last layer all stays: it comes first on the way back.
            if self.recompute && !pass.span.first_only {
                saved.swap_all_but_output(shared);
            }
        }

        sized(&mut head.input, first.len()).copy_from_slice(first);
        sized(&mut head.dense, first.len());
        sized(&mut head.pooled, first.len());
        let mut logits = vec![0.0; sequences];
        crew.each(vec![head::Forward {
            head: &self.head,
            drops: draws.head(),
            hidden,
            saved: head,
            logits: &mut logits,
        }]);
        *batch = Some(Batch::new(tokens, seed));
        Ok(logits)
    }

    /// Adds to the gradients what follows from the derivatives of the loss by the last forward pass's
    /// logits.
    ///
    /// # Errors
    ///
    /// No forward pass waits, or it had another number of sequences.
    pub fn backward(&mut self, derivatives: &[f32]) -> Result<(), ShapeError> {
        let sequences = self.memory.batch.as_ref().map_or(0, |batch| batch.offsets.len() - 1);
        ShapeError::check("derivatives", derivatives.len(), &[sequences])?;
        let Some(batch) = self.memory.batch.take() else { return Ok(()) };
        let layers = self.config.encoder.layers;
        let draws = Draws::new(&self.config, batch.seed);
        self.head_back(derivatives, draws);
        for index in (self.lowest..layers).rev() {
            self.layer_back(index, &batch, draws);
        }
        if self.trains_embeddings() {
            let Memory { embeddings, passing, spaces, .. } = &mut self.memory;
            let mut crew = Crew { instructions: self.instructions, threads: &self.threads, spaces };
            embeddings::backward(
                &mut crew,
                &self.weights[layout::EMBEDDING_NORM],
                &batch.tokens(),
                draws.embeddings(),
                embeddings,
                &mut passing.gradient,
                &mut self.gradients,
            );
        }
        Ok(())
    }

    fn trains_embeddings(&self) -> bool {
        self.gradients[..layout::layer(0)].iter().any(|gradient| !gradient.is_empty())
    }

    fn head_back(&mut self, derivatives: &[f32], draws: Draws) {
        let EncoderConfig { hidden, layers, .. } = self.config.encoder;
        let rows = derivatives.len();
        let Memory { head, passing, panels, spaces, .. } = &mut self.memory;
        let mut crew = Crew { instructions: self.instructions, threads: &self.threads, spaces };
        let gradient = sized(&mut passing.first_gradient, rows * hidden);
        let dense_gradient = sized(&mut passing.middle, rows * hidden);
        crew.each(vec![head::Back {
            head: &self.head,
            drops: draws.head(),
            hidden,
            saved: head,
            derivatives,
            dense_gradient,
            gradient,
        }]);
        let place = layout::head(layers);
        let linears: [Summand<'_>; 2] = [
            (&head.input, dense_gradient, rows, place),
            (&head.pooled, derivatives, rows, place + 2),
        ];
        sum(&mut crew, &mut self.gradients, &linears, panels);
    }

    /// One layer's share: from the gradient by its output, in `passing.gradient` (of the last layer:
    /// `first_gradient`), to that by its input, in `passing.gradient`.
    fn layer_back(&mut self, index: usize, batch: &Batch, draws: Draws) {
        let EncoderConfig { hidden, intermediate, .. } = self.config.encoder;
        let offsets = &batch.offsets[..];
        let count = batch.ids.len();
        let pass = Pass::new(&self.config, &self.weights, &self.layers, index, draws, offsets);
        let Pass { common, how, span, .. } = pass;
        let queries = span.queries();
        let goes_on = index > self.lowest || self.trains_embeddings();
        let Memory { embeddings, layers: saved, shared, passing, panels, spaces, .. } =
            &mut self.memory;
        let mut crew = Crew { instructions: self.instructions, threads: &self.threads, spaces };
        let (below, own) = saved.split_at_mut((index + 1).saturating_sub(self.lowest));
        let own = &mut own[0];
        let layer = common.layer;

        let x = sized(&mut passing.x, count * hidden);
        let (normalized, norm, drop) = match (index, below.last()) {
            (1.., Some(below)) => {
                (&below.output, layout::layer(index - 1) + layout::OUTPUT_NORM, None)
            }
            _ => (&embeddings.normalized, layout::EMBEDDING_NORM, Some(draws.embeddings())),
        };
        let (scale, shift) = (&self.weights[norm], &self.weights[norm + 1]);
        let first = sized(&mut passing.first, (offsets.len() - 1) * hidden);
        if self.recompute && !span.first_only {
            own.swap_all_but_output(shared);
            Again { normalized, scale, shift, drop, x: &mut *x }.all(&mut crew);
            pass.forward(&mut crew, x, first, own);
        }
        Again { normalized, scale, shift, drop, x: &mut *x }.all(&mut crew);
        firsts(x, offsets, hidden, first);
        let asking = if span.first_only { &*first } else { &*x };

        let wide = sized(&mut passing.wide, queries * intermediate);
        let middle = sized(&mut passing.middle, queries * hidden);
        let narrow = sized(&mut passing.narrow, queries * hidden);
        let attention = sized(&mut passing.attention, queries * hidden);
        let context = sized(&mut passing.context, queries * hidden);
        let output_gradient = match span.first_only {
            true => &mut passing.first_gradient,
            false => &mut passing.gradient,
        };
        let results = Results {
            gradient: output_gradient,
            wide_gradient: wide,
            middle,
            narrow_gradient: narrow,
            attention_gradient: attention,
            context_gradient: context,
        };
        let norms = passes::rows_back(&mut crew, common, own, results);
        let [query, key, value] = [
            sized(&mut passing.query, queries * hidden),
            sized(&mut passing.key, count * hidden),
            sized(&mut passing.value, count * hidden),
        ];
        let results = [&mut *query, &mut *key, &mut *value];
        passes::attend_back(&mut crew, how, span, own, context, results);

        let place = layout::layer(index);
        for (norms, at) in
            norms.chunks_exact(2 * hidden).zip([layout::ATTENTION_NORM, layout::OUTPUT_NORM])
        {
            for (norm, at) in norms.chunks_exact(hidden).zip(place + at..) {
                add(&mut self.gradients[at], norm);
            }
        }
        let linears: [Summand<'_>; 6] = [
            (middle, wide, queries, place + layout::WIDE),
            (&own.wide, narrow, queries, place + layout::NARROW),
            (&own.context, attention, queries, place + layout::ATTENTION_OUTPUT),
            (asking, query, queries, place + layout::QUERY),
            (x, key, count, place + layout::KEY),
            (x, value, count, place + layout::VALUE),
        ];
        sum(&mut crew, &mut self.gradients, &linears, panels);
        if self.recompute {
            own.swap_all_but_output(shared);
        }
        if !goes_on {
            return;
        }
        let gradient = sized(&mut passing.gradient, count * hidden);
        let both = [(&layer.key, &*key), (&layer.value, &*value)];
        let asked = (&layer.query, &*query);
        if span.first_only {
            let first = &mut passing.first_gradient;
            passes::input_back(&mut crew, hidden, [asked], first, true);
            passes::input_back(&mut crew, hidden, both, gradient, false);
            for (row, &at) in first.chunks_exact(hidden).zip(offsets) {
                add(&mut gradient[at * hidden..][..hidden], row);
            }
        } else {
            passes::input_back(&mut crew, hidden, [asked, both[0], both[1]], gradient, true);
        }
    }

    /// Lays the weights out, if they changed.
    fn lay_out(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let weights = &self.weights;
        let instructions = self.instructions;
        let repack = |dense, place: usize| Repack {
            dense,
            weight: &weights[place],
            bias: &weights[place + 1],
            instructions,
        };
        let mut tasks = Vec::new();
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let linears = layer.linears().into_iter();
            tasks.extend(linears.map(|(dense, at)| repack(dense, layout::layer(index) + at)));
        }
        let place = layout::head(self.config.encoder.layers);
        tasks.push(repack(&mut self.head.dense, place));
        tasks.push(repack(&mut self.head.project, place + 2));
        let spaces = &mut self.memory.spaces;
        Crew { instructions, threads: &self.threads, spaces }.each(tasks);
    }

    fn check(&self, tokens: &Tokens<'_>) -> Result<(), ShapeError> {
        let Tokens { ids, positions, types, offsets } = *tokens;
        ShapeError::check_offsets(offsets, ids.len())?;
        if ids.is_empty() {
            let problem = "there is no sequence".to_owned();
            return Err(ShapeError::Offsets { tokens: 0, problem });
        }
        let tables = [
            ("vocab_size", ids, self.config.vocabulary),
            ("max_position_embeddings", positions, self.config.positions),
            ("type_vocab_size", types, self.config.types),
        ];
        for (what, all, limit) in tables {
            ShapeError::check(what, all.len(), &[ids.len()])?;
            if let Some(id) = all.iter().find(|id| **id as usize >= limit) {
                let problem = format!("{id} is not below {limit}");
                return Err(ShapeError::Dimension { what, problem });
            }
        }
        Ok(())
    }
}

impl Batch {
    fn new(tokens: &Tokens<'_>, seed: u64) -> Self {
        Self {
            ids: tokens.ids.to_vec(),
            positions: tokens.positions.to_vec(),
            types: tokens.types.to_vec(),
            offsets: tokens.offsets.to_vec(),
            seed,
        }
    }

    fn tokens(&self) -> Tokens<'_> {
        let Self { ids, positions, types, offsets, .. } = self;
        Tokens { ids, positions, types, offsets }
    }
}

/// Where each mask is drawn from.
#[derive(Debug, Clone, Copy)]
struct Draws {
    seed: u64,
    heads: Heads,
    hidden: Dropout,
    attention: Dropout,
    head: Dropout,
    head_input: Dropout,
}

impl Draws {
    fn new(config: &TrainingConfig, seed: u64) -> Self {
        let EncoderConfig { hidden, heads, .. } = config.encoder;
        let head_input = if config.drops_head_input { config.head_dropout } else { 0.0 };
        Self {
            seed,
            heads: Heads { count: heads, size: hidden / heads },
            hidden: Dropout::new(config.hidden_dropout),
            attention: Dropout::new(config.attention_dropout),
            head: Dropout::new(config.head_dropout),
            head_input: Dropout::new(head_input),
        }
    }

    fn site(&self, site: usize) -> Site {
        Site::new(self.seed, site as u64)
    }

    fn embeddings(&self) -> (Dropout, Site) {
        (self.hidden, self.site(0))
    }

    fn head(&self) -> Drops {
        Drops { before: (self.head_input, self.site(1)), after: (self.head, self.site(2)) }
    }

    fn attention(&self, layer: usize) -> How {
        How { heads: self.heads, dropout: self.attention, site: self.site(3 + 3 * layer) }
    }

    fn outputs(&self, layer: usize) -> [Site; 2] {
        [self.site(4 + 3 * layer), self.site(5 + 3 * layer)]
    }
}

/// One layer on its way, forward or back.
#[derive(Clone, Copy)]
struct Pass<'a> {
    config: &'a EncoderConfig,
    common: Common<'a>,
    how: How,
    span: Span<'a>,
}

impl<'a> Pass<'a> {
    fn new(
        config: &'a TrainingConfig,
        weights: &'a [Vec<f32>],
        layers: &'a [Layer],
        index: usize,
        draws: Draws,
        offsets: &'a [usize],
    ) -> Self {
        let config = &config.encoder;
        let place = layout::layer(index);
        let [attention, output] = [place + layout::ATTENTION_NORM, place + layout::OUTPUT_NORM];
        let common = Common {
            layer: &layers[index],
            norms: [attention, attention + 1, output, output + 1].map(|at| &weights[at][..]),
            epsilon: config.epsilon,
            activation: config.activation,
            dropout: draws.hidden,
            sites: draws.outputs(index),
        };
        let span = Span { offsets, first_only: index + 1 == layers.len() };
        Self { config, common, how: draws.attention(index), span }
    }

    /// From the layer's input, `x`, to its output, in its place. Of the last layer the output is in
    /// `first`: of each sequence's first token.
    fn forward(self, crew: &mut Crew<'_>, x: &mut [f32], first: &mut [f32], saved: &mut Saved) {
        let Self { config, common, how, span } = self;
        let (hidden, layer) = (config.hidden, common.layer);
        saved.prepare(config, span, x.len() / hidden);
        let Saved { queries, keys, values, .. } = &mut *saved;
        let query = (&layer.query, &mut queries[..]);
        let [key, value] = [(&layer.key, &mut keys[..]), (&layer.value, &mut values[..])];
        if span.first_only {
            firsts(x, span.offsets, hidden, first);
            passes::project(crew, hidden, x, [key, value]);
            passes::project(crew, hidden, first, [query]);
        } else {
            passes::project(crew, hidden, x, [query, key, value]);
        }
        passes::attend(crew, how, span, saved);
        passes::rows(crew, common, if span.first_only { first } else { x }, saved);
    }
}

/// What a linear layer read, the gradient by what it gave, their rows, and its weight's place.
type Summand<'a> = (&'a [f32], &'a [f32], usize, usize);

/// Adds to the gradients of those linear layers that are trained.
fn sum(
    crew: &mut Crew<'_>,
    all: &mut [Vec<f32>],
    linears: &[Summand<'_>],
    panels: &mut Vec<Vec<f32>>,
) {
    let places = linears.iter().map(|(.., place)| *place);
    let take = |at| [at, at + 1].map(|at: usize| std::mem::take(&mut all[at]));
    let mut taken: Vec<[Vec<f32>; 2]> = places.clone().map(take).collect();
    let summed = linears.iter().zip(&mut taken).map(|(&(x, y, rows, _), [weight, bias])| Linear {
        x,
        y,
        rows,
        weight: trained(weight),
        bias: trained(bias),
    });
    gradients::accumulate(crew, summed.collect(), panels);
    for (place, [weight, bias]) in places.zip(taken) {
        (all[place], all[place + 1]) = (weight, bias);
    }
}

fn trained(gradient: &mut [f32]) -> Option<&mut [f32]> {
    Some(gradient).filter(|gradient| !gradient.is_empty())
}
