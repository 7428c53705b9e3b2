//! Tokenizing 50 help-desk candidates for a query, and planning their batches.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use secondpass_benches::{articles, questions};
use secondpass_text::{PairTokenizer, Truncation, plan};

const TOKENIZER: &[u8] = include_bytes!("../../crates/model/assets/helpdesk-mini/tokenizer.json");

fn text(c: &mut Criterion) {
    let passages: Vec<String> =
        articles().into_iter().take(50).map(|(_, title, text)| format!("{title} {text}")).collect();
    let query = questions().swap_remove(0);
    let tokenizer = PairTokenizer::from_bytes(TOKENIZER, "embedded", 512, Truncation::LongestFirst)
        .expect("the embedded tokenizer reads");
    let mut group = c.benchmark_group("text");
    group.throughput(Throughput::Elements(50));
    group.bench_function("tokenize 50 pairs", |b| {
        b.iter(|| tokenizer.encode(&query, &passages).expect("texts encode"));
    });
    let lengths: Vec<usize> = (0..10_000).map(|i| 16 + i * 7919 % 496).collect();
    group.throughput(Throughput::Elements(lengths.len() as u64));
    group.bench_function("plan 10,000 sequences", |b| b.iter(|| plan(&lengths, 4096)));
    group.finish();
}

criterion_group!(benches, text);
criterion_main!(benches);
