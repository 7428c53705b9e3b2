//! The kernels at the shapes of MiniLM-L6, a base model and bge-reranker-v2-m3, on one thread. Rates
//! are operations a second: `Gelem/s` reads as GFLOP/s where the name says so.
//!
//! Times are the thread's on a processor, where Linux tells them, so that other work on the machine
//! counts for little.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use secondpass_kernels::{
    Activation, Attention, Encoder, EncoderConfig, Instructions, LayerNorm, LayerWeights, Linear,
    LinearWeights, NormWeights, Threads, Workspace,
};

const TOKENS: usize = 2048;

/// Hidden size, heads, intermediate size.
const SHAPES: [(&str, usize, usize, usize); 3] =
    [("minilm", 384, 12, 1536), ("base", 768, 12, 3072), ("v2-m3", 1024, 16, 4096)];

/// Time of this thread on a processor.
fn on_cpu() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(told.split_whitespace().next()?.parse().ok()?))
}

fn values(count: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn weights(inputs: usize, outputs: usize) -> LinearWeights {
    let scale = 1.0 / (inputs as f32).sqrt();
    let weight = values(inputs * outputs).iter().map(|value| value * scale).collect();
    LinearWeights { weight, bias: values(outputs) }
}

fn layer(hidden: usize, intermediate: usize) -> LayerWeights {
    let square = weights(hidden, hidden);
    let norm = NormWeights { gamma: vec![1.0; hidden], beta: vec![0.0; hidden] };
    LayerWeights {
        query: square.clone(),
        key: square.clone(),
        value: square.clone(),
        attention_output: square,
        attention_norm: norm.clone(),
        intermediate: weights(hidden, intermediate),
        output: weights(intermediate, hidden),
        output_norm: norm,
    }
}

fn measure(
    group: &mut BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: String,
    operations: usize,
    mut work: impl FnMut(),
) {
    group.throughput(Throughput::Elements(operations as u64));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|times| {
            let (start, before) = (Instant::now(), on_cpu());
            for _ in 0..times {
                work();
            }
            match (before, on_cpu()) {
                (Some(before), Some(after)) if after > before => after - before,
                _ => start.elapsed(),
            }
        });
    });
}

fn kernels(c: &mut Criterion) {
    let set = Instructions::detect();
    let threads = Threads::new(NonZeroUsize::MIN).expect("one thread");
    let mut group = c.benchmark_group("kernels");
    group.sample_size(10).measurement_time(Duration::from_secs(2));
    for (name, hidden, heads, intermediate) in SHAPES {
        let mut wide = values(TOKENS * intermediate);
        measure(&mut group, format!("{name} gelu, values"), wide.len(), || {
            Activation::Gelu.apply(black_box(&mut wide), set);
        });
        let mut x = values(TOKENS * hidden);
        let norm = LayerNorm::new(vec![1.0; hidden], vec![0.0; hidden], 1e-5, set).expect("fits");
        measure(&mut group, format!("{name} norm, values"), x.len(), || {
            norm.apply(black_box(&mut x)).expect("fits");
        });
        for (from, to) in [(hidden, hidden), (hidden, intermediate), (intermediate, hidden)] {
            let LinearWeights { weight, bias } = weights(from, to);
            let linear = Linear::new(&weight, Some(&bias), from, to, set).expect("fits");
            let (input, mut output) = (values(TOKENS * from), vec![0.0; TOKENS * to]);
            let flops = 2 * TOKENS * from * to;
            measure(&mut group, format!("{name} linear {from} to {to}, flops"), flops, || {
                let done = linear.apply(&input, &mut output, Activation::Identity, &threads);
                black_box(done).expect("fits");
            });
        }
        let attention = Attention::new(heads, hidden / heads, set).expect("fits");
        let (queries, both) = (values(TOKENS * hidden), values(TOKENS * 2 * hidden));
        let offsets = [0, 512, 1024, 1536, 2048];
        let flops = 4 * TOKENS * 512 * hidden;
        measure(&mut group, format!("{name} attention 4 x 512, flops"), flops, || {
            let done = attention.apply(&queries, &both, &offsets, &mut x, &threads);
            black_box(done).expect("fits");
        });
        let config = EncoderConfig {
            hidden,
            heads,
            intermediate,
            layers: 1,
            epsilon: 1e-5,
            activation: Activation::Gelu,
        };
        let encoder = Encoder::new(config, vec![layer(hidden, intermediate)], set).expect("fits");
        let mut workspace = Workspace::default();
        let mix: Vec<usize> = [0, 37, 380, 460, 640, 1040, 1130, 1400, 1536, 2048].to_vec();
        for (batch, offsets) in [("4 x 512", &offsets[..]), ("mix", &mix)] {
            let squares: usize = offsets.windows(2).map(|pair| (pair[1] - pair[0]).pow(2)).sum();
            let linear = 2 * TOKENS * hidden * (4 * hidden + 2 * intermediate);
            let flops = linear + 4 * squares * hidden;
            measure(&mut group, format!("{name} layer {batch}, flops"), flops, || {
                let done = encoder.forward(&mut x, offsets, &mut workspace, &threads);
                black_box(done).expect("fits");
            });
        }
    }
    group.finish();
}

criterion_group!(benches, kernels);
criterion_main!(benches);
