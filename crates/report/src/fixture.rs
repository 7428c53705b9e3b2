//! Hand-made records for tests. Their figures are invented.

use std::collections::BTreeMap;

use secondpass_core::{ContentHash, Identity, QueryId, Scoring, TruncationAudit, Usage};
use secondpass_evaluation::{
    Agreement, CandidatesInfo, DatasetInfo, Difference, Estimate, ExperimentInfo, Latency, Machine,
    QueryRow, Record, Role, SCHEMA, Slice, SystemRecord,
};

const MEASURES: [&str; 9] =
    ["nDCG@10", "RR@10", "R@1", "R@5", "R@10", "R@50", "AP", "Success@1", "P@5"];

/// A record of first stage, `rerankers` rerankers and oracle over 150 queries.
pub(crate) fn record(rerankers: usize) -> Record {
    let mut systems = vec![first_stage()];
    systems.extend((0..rerankers).map(reranker));
    systems.push(oracle());
    Record {
        schema: SCHEMA,
        experiment: ExperimentInfo {
            name: "help desk".into(),
            config: ContentHash::of(b"config"),
            demonstration: None,
            warnings: Vec::new(),
        },
        finished: "2026-01-31T12:00:00Z".into(),
        version: "0.1.0".into(),
        machine: Machine {
            cpu: "Example CPU 3000".into(),
            cores: 2,
            memory: 24 << 30,
            os: "linux x86_64".into(),
        },
        dataset: DatasetInfo {
            name: "helpdesk".into(),
            split: "test".into(),
            hash: ContentHash::of(b"dataset"),
            documents: 1_250,
            queries: 150,
            judgements: 2_310,
        },
        candidates: CandidatesInfo {
            first_stage: "BM25 (k1 0.9, b 0.4, English, title + text)".into(),
            depth: 50,
            mean: 49.7,
            hash: ContentHash::of(b"candidates"),
            with_relevant: 0.96,
            judged_at_10: 0.981,
        },
        measures: MEASURES.map(str::to_owned).to_vec(),
        primary: "nDCG@10".into(),
        systems,
    }
}

/// A table that fits a record: every timed system's queries take from half to twice its median.
pub(crate) fn rows(record: &Record) -> Vec<QueryRow> {
    let mut rows = Vec::new();
    for system in &record.systems {
        for query in 0..record.dataset.queries {
            let place = query as f64 / record.dataset.queries as f64;
            let seconds = system.latency.as_ref().map(|l| l.p50 * 4f64.powf(place - 0.5));
            rows.push(QueryRow {
                query: QueryId::from(format!("q{query}")),
                ..row(&system.name, seconds)
            });
        }
    }
    rows
}

/// One row of the table.
pub(crate) fn row(system: &str, seconds: Option<f64>) -> QueryRow {
    QueryRow {
        query: QueryId::from("q"),
        system: system.into(),
        values: vec![0.5; MEASURES.len()],
        candidates: 50,
        seconds,
        tokens: 4_000,
        pairs_cut: Some(0),
        top: Some("d1".into()),
    }
}

/// Everything a user can name, made of what the page formats treat specially.
pub(crate) const HOSTILE: &str = "<script>alert('x')</script> & \"q\" | *b* _i_ `c` [a](http://example.com) # ~~s~~ $x$ \\ \u{7}";

/// A record whose every name is [`HOSTILE`].
pub(crate) fn hostile() -> Record {
    let mut record = record(1);
    record.experiment.name = HOSTILE.into();
    record.experiment.demonstration = Some(HOSTILE.into());
    record.experiment.warnings = vec![format!("first line\nsecond line {HOSTILE}")];
    record.machine.cpu = HOSTILE.into();
    record.dataset.name = HOSTILE.into();
    record.dataset.split = HOSTILE.into();
    record.candidates.first_stage = HOSTILE.into();
    for system in &mut record.systems {
        system.name = format!("{} {HOSTILE}", system.name);
        system.identity.model = HOSTILE.into();
        system.failures.insert(QueryId::from(HOSTILE), HOSTILE.into());
        for slice in &mut system.slices {
            slice.attribute = HOSTILE.into();
            slice.value = HOSTILE.into();
        }
    }
    record
}

fn first_stage() -> SystemRecord {
    SystemRecord {
        name: "first stage".into(),
        role: Role::FirstStage,
        identity: identity("first stage", "baseline"),
        quality: quality(0.641),
        versus_first_stage: None,
        agreement: Vec::new(),
        latency: None,
        truncation: None,
        usage: Usage::default(),
        failures: BTreeMap::new(),
        slices: slices(0.641, None),
    }
}

fn oracle() -> SystemRecord {
    SystemRecord {
        name: "oracle".into(),
        role: Role::Oracle,
        identity: identity("oracle", "baseline"),
        quality: quality(0.958),
        versus_first_stage: Some(difference(0.317)),
        agreement: agreement(0.61, 0.55),
        slices: slices(0.958, Some(0.317)),
        ..first_stage()
    }
}

fn reranker(index: usize) -> SystemRecord {
    const NAMES: [&str; 8] = [
        "helpdesk-mini",
        "ms-marco-MiniLM-L-6-v2",
        "bge-reranker-v2-m3",
        "bge-reranker-base",
        "a-very-long-organisation-name/cross-encoder-distilled-from-several-teachers-f16-v3",
        "tiny",
        "bge-reranker-large",
        "random",
    ];
    const MEANS: [f64; 8] = [0.702, 0.688, 0.791, 0.768, 0.742, 0.655, 0.803, 0.214];
    const MEDIANS: [f64; 8] = [0.0124, 0.061, 1.93, 0.642, 0.187, 0.0049, 2.21, 0.0121];
    let (mean, median) = (MEANS[index % 8], MEDIANS[index % 8]);
    let name = NAMES[index % 8];
    SystemRecord {
        name: name.into(),
        role: Role::Reranker,
        identity: Identity {
            model: format!("example/{name}"),
            revision: (index == 1).then(|| "c5ee24cb16019beea0893ab7796b1df96625c6b8".into()),
            weights: Some(ContentHash::of(name.as_bytes())),
            device: Some("flex".into()),
            dtype: Some("f32".into()),
            max_length: Some(512),
            truncation: Some("longest-first".into()),
            ..identity(name, "secondpass")
        },
        quality: quality(mean),
        versus_first_stage: Some(difference(mean - 0.641)),
        agreement: agreement(0.72, 0.64),
        latency: Some(Latency {
            samples: 150,
            candidates: 49.7,
            p50: median,
            p95: 1.8 * median,
            mean: 1.1 * median,
            pairs_per_second: 49.7 / (1.1 * median),
            tokens_per_second: 3_976.0 / (1.1 * median),
        }),
        truncation: (index != 2).then_some(TruncationAudit {
            pairs: 7_455,
            pairs_cut: 12,
            tokens: 596_400,
            tokens_cut: 340,
            longest: 561,
        }),
        usage: Usage { pairs: 7_455, tokens: 596_060 },
        failures: if index == 1 {
            BTreeMap::from([(QueryId::from("q17"), "deadline exceeded after 30 s".into())])
        } else {
            BTreeMap::new()
        },
        slices: slices(mean, Some(mean - 0.641)),
    }
}

fn identity(name: &str, provider: &str) -> Identity {
    Identity {
        name: name.into(),
        provider: provider.into(),
        model: name.into(),
        revision: None,
        weights: None,
        device: None,
        dtype: None,
        max_length: None,
        truncation: None,
        scoring: Scoring::Pointwise,
    }
}

fn quality(mean: f64) -> Vec<Estimate> {
    MEASURES
        .iter()
        .map(|measure| Estimate { measure: (*measure).into(), ..estimate(mean) })
        .collect()
}

fn estimate(mean: f64) -> Estimate {
    Estimate {
        measure: "nDCG@10".into(),
        mean,
        low: (mean - 0.042).max(0.0),
        high: (mean + 0.039).min(1.0),
        queries: 150,
        missing: 0,
    }
}

fn difference(mean: f64) -> Difference {
    Difference {
        measure: "nDCG@10".into(),
        mean,
        low: mean - 0.03,
        high: mean + 0.03,
        helped: 61,
        hurt: 22,
        unchanged: 67,
    }
}

fn agreement(top: f64, five: f64) -> Vec<Agreement> {
    vec![Agreement { k: 1, overlap: top }, Agreement { k: 5, overlap: five }]
}

fn slices(mean: f64, versus: Option<f64>) -> Vec<Slice> {
    [("style", "negation"), ("style", "typo"), ("family", "held out")]
        .map(|(attribute, value)| Slice {
            attribute: attribute.into(),
            value: value.into(),
            estimate: Estimate { queries: 31, ..estimate(mean) },
            versus_first_stage: versus.map(|mean| Difference {
                helped: 12,
                hurt: 6,
                unchanged: 13,
                ..difference(mean)
            }),
        })
        .to_vec()
}
