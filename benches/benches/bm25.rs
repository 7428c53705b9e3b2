//! Indexing the help-desk articles and finding 50 candidates for each dev question.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use secondpass_benches::{articles, questions};
use secondpass_core::{Corpus, Document, FirstStage, Query};
use secondpass_retrieval::{Bm25, Bm25Parameters};

fn bm25(c: &mut Criterion) {
    let documents =
        articles().into_iter().map(|(id, title, text)| Document { id: id.into(), title, text });
    let corpus = Corpus::new(documents.collect()).expect("ids are unique");
    let query = |(index, text): (usize, String)| Query {
        id: index.to_string().into(),
        text,
        attributes: Default::default(),
    };
    let queries: Vec<Query> = questions().into_iter().enumerate().map(query).collect();
    let index = || Bm25::new(&corpus, Bm25Parameters::default()).expect("the corpus indexes");
    let mut group = c.benchmark_group("bm25");
    group.sample_size(20);
    group.throughput(Throughput::Elements(corpus.len() as u64));
    group.bench_function("index", |b| b.iter(index));
    let index = index();
    group.throughput(Throughput::Elements(queries.len() as u64));
    group.bench_function("search, top 50", |b| {
        b.iter(|| index.retrieve(&queries, 50).expect("queries are found"));
    });
    group.finish();
}

criterion_group!(benches, bm25);
criterion_main!(benches);
