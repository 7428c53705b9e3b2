//! Indexing the help-desk articles and finding 50 candidates for each dev query.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use secondpass_core::FirstStage;
use secondpass_data::embedded;
use secondpass_retrieval::{Bm25, Bm25Parameters};

fn bm25(c: &mut Criterion) {
    let set = embedded::helpdesk("dev").expect("the embedded set reads");
    let index = || Bm25::new(set.corpus(), Bm25Parameters::default()).expect("the corpus indexes");
    let mut group = c.benchmark_group("bm25");
    group.sample_size(20);
    group.throughput(Throughput::Elements(set.corpus().len() as u64));
    group.bench_function("index", |b| b.iter(index));
    let index = index();
    group.throughput(Throughput::Elements(set.queries().len() as u64));
    group.bench_function("search, top 50", |b| {
        b.iter(|| index.retrieve(set.queries(), 50).expect("queries are found"));
    });
    group.finish();
}

criterion_group!(benches, bm25);
criterion_main!(benches);
