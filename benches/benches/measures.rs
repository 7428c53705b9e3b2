//! Measuring a run of 500 queries with 100 documents each.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use secondpass_core::{Qrels, Ranking, Run};
use secondpass_evaluation::{NamedMeasure, evaluate};

const QUERIES: usize = 500;
const DOCUMENTS: usize = 100;

fn measures(c: &mut Criterion) {
    let mut run = Run::new("made up");
    let mut qrels = Qrels::new();
    for query in 0..QUERIES {
        let id = || format!("q{query}").into();
        let scored = (0..DOCUMENTS).map(|place| {
            let score = (place * 7919 + query * 31) % 1009;
            (format!("d{place}").into(), score as f64)
        });
        run.rankings.insert(id(), Ranking::from_scores(scored).expect("the scores are finite"));
        for judged in 0..10 {
            let document = format!("d{}", (query * 13 + judged * 11) % 150);
            qrels.insert(id(), document.into(), (judged % 3) as i32);
        }
    }
    let named: Vec<NamedMeasure> = ["nDCG@10", "RR@10", "AP", "R@50", "P@10", "Bpref", "RBP"]
        .iter()
        .filter_map(|name| name.parse().ok())
        .collect();
    let mut group = c.benchmark_group("measures");
    group.throughput(Throughput::Elements(QUERIES as u64));
    for measure in &named {
        let one = std::slice::from_ref(measure);
        group.bench_function(measure.to_string(), |b| b.iter(|| evaluate(&run, &qrels, one)));
    }
    group.bench_function("all of them", |b| b.iter(|| evaluate(&run, &qrels, &named)));
    group.finish();
}

criterion_group!(benches, measures);
criterion_main!(benches);
