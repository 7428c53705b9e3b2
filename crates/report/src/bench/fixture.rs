//! Hand-made benches for tests. Their figures are invented.

use std::time::Duration;

use secondpass_core::{Identity, Scoring};
use secondpass_evaluation::Machine;
use secondpass_evaluation::bench::{
    BENCH_SCHEMA, BenchRecord, BenchSystem, Capacity, Cell, CellCapacity, CellRecord, ColdStart,
    DocumentLength, Environment, Load, Measured, Probe, Sample, SampleRow, Search, SearchEnd,
    WarmUp, Warmed, percentile,
};

/// Queries of each cell.
const QUERIES: u64 = 400;

/// So many rerankers, each measured over candidates, lengths and clients, and searched.
pub(super) fn record(rerankers: usize) -> BenchRecord {
    BenchRecord {
        schema: BENCH_SCHEMA,
        name: "help desk".to_owned(),
        finished: "2026-01-31T12:00:00Z".to_owned(),
        version: "0.1.0".to_owned(),
        machine: Machine {
            cpu: "Example CPU 3000".to_owned(),
            cores: 2,
            memory: 24 << 30,
            os: "linux x86_64".to_owned(),
        },
        source: "helpdesk test".to_owned(),
        warm_up: WarmUp::default(),
        systems: (1..=rerankers).map(system).collect(),
    }
}

/// The samples of each reranker's first cell.
pub(super) fn rows(rerankers: usize) -> Vec<SampleRow> {
    let row = |system: u32, sample| SampleRow { system, cell: 0, probe: 0, sample };
    let of = |system: usize| {
        samples(system as u64 + 1, 50).into_iter().map(move |sample| row(system as u32, sample))
    };
    (0..rerankers).flat_map(of).collect()
}

fn system(number: usize) -> BenchSystem {
    let base = Cell::default();
    let cells = [
        base,
        Cell { candidates: 10, ..base },
        Cell { candidates: 200, ..base },
        Cell { length: DocumentLength::Tokens(64), ..base },
        Cell { length: DocumentLength::Tokens(256), ..base },
        Cell { load: Load::Closed { clients: 4 }, ..base },
    ];
    let cell = |cell: Cell| CellRecord {
        cell,
        jobs: 50,
        filled: 0,
        warmed: Warmed {
            queries: 60,
            failed: 0,
            seconds: 0.6,
            first: 0.5,
            medians: vec![0.02, 0.01, 0.01],
            steady: true,
        },
        measured: Measured::of(&samples(number as u64, cell.candidates)),
        live: true,
        cut_short: None,
    };
    BenchSystem {
        name: format!("reranker {number}"),
        identity: Identity {
            name: format!("reranker {number}"),
            provider: "secondpass".to_owned(),
            model: "a model".to_owned(),
            revision: None,
            weights: None,
            endpoint: None,
            device: Some("cpu".to_owned()),
            dtype: Some("f32".to_owned()),
            max_length: Some(512),
            truncation: Some("longest-first".to_owned()),
            scoring: Scoring::Pointwise,
        },
        destination: None,
        environment: Environment {
            governors: vec!["powersave".to_owned()],
            others: Some(0.01),
            ..Environment::default()
        },
        cold_start: Some(ColdStart {
            load: Some(0.25),
            first_score: Some(0.6),
            peak_memory: Some(1 << 29),
            starts: vec![0.7, 0.6, 0.5],
        }),
        peak_memory: Some(1 << 30),
        cells: cells.into_iter().map(cell).collect(),
        capacities: vec![CellCapacity { cell: 0, capacity: capacity() }],
        ended: None,
        spent: None,
        warnings: vec!["cell 3: measure for longer".to_owned()],
    }
}

fn capacity() -> Capacity {
    let probe = |rate: f64, kept: bool| Probe {
        rate,
        asked: 500,
        failed: 0,
        runs: 1,
        found: percentile(&[rate / 20.0; 500], 0.95),
        overloaded: !kept,
        kept,
        sure: true,
    };
    Capacity {
        search: Search::default(),
        kept: Some(8.0),
        broken: Some(12.0),
        end: SearchEnd::Found,
        probes: vec![probe(4.0, true), probe(8.0, true), probe(16.0, false), probe(12.0, false)],
    }
}

/// Each takes a millisecond for ten candidates, and some up to twice as long.
fn samples(number: u64, candidates: usize) -> Vec<Sample> {
    let sample = |place: u64| {
        let start = Duration::from_millis(20 * place);
        let micros = 100 * number * candidates as u64 * (100 + place * 37 % 100) / 100;
        Sample {
            job: place as usize % 50,
            candidates,
            intended: start,
            start,
            end: start + Duration::from_micros(micros),
            pairs: candidates as u64,
            tokens: 100 * candidates as u64,
            live: true,
            ..Sample::default()
        }
    };
    (0..QUERIES).map(sample).collect()
}
