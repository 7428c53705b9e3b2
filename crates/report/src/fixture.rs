//! Hand-made records for tests. Their figures are invented.

use std::collections::BTreeMap;

use secondpass_core::{
    BillingUnit, ContentHash, Destination, DocId, Identity, Origin, Price, QueryId, Scoring,
    Tariff, TruncationAudit, Usage,
};
use secondpass_evaluation::{
    Agreement, CandidatesInfo, Comparison, Cost, DatasetInfo, DepthPoint, Difference, Estimate,
    ExperimentInfo, Latency, LatencyParts, LengthPoint, Machine, QueryChange, QueryRow, Record,
    Role, SCHEMA, ScoreDistribution, ShownDocument, Slice, Spent, StatisticsInfo, SystemRecord,
    UnitCost, Unjudged, UnknownCall, Verdict,
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
            sample: None,
            unanswerable: 0,
        },
        candidates: CandidatesInfo {
            first_stage: "BM25 (k1 0.9, b 0.4, English, title + text)".into(),
            depth: 50,
            mean: 49.7,
            hash: ContentHash::of(b"candidates"),
            with_relevant: 0.96,
            judged_at_10: 0.981,
            seconds: Some(0.48),
        },
        measures: MEASURES.map(str::to_owned).to_vec(),
        primary: "nDCG@10".into(),
        volumes: vec![10_000, 1_000_000],
        statistics: StatisticsInfo {
            alpha: 0.05,
            margin: 0.02,
            permutations: 100_000,
            resamples: 10_000,
            corrected_over: rerankers,
        },
        systems,
    }
}

/// A record that also compares another first stage.
pub(crate) fn with_retriever(rerankers: usize) -> Record {
    let mut record = record(rerankers);
    let retriever = SystemRecord {
        name: "dense".into(),
        role: Role::Retriever,
        identity: identity("dense", "secondpass"),
        origin: Origin::Live,
        destination: None,
        quality: quality(0.668),
        versus_first_stage: Some(difference(0.027)),
        comparison: Some(comparison(0.027)),
        unjudged: unjudged(0.668, 0.874),
        agreement: agreement(0.51, 0.43),
        slices: slices(0.668, Some(0.027)),
        ..first_stage()
    };
    record.systems.insert(1, retriever);
    record
}

/// A record that compares our engine with Cohere at a known price, Jina at an unknown one, a server
/// of one's own, a replay and a mock, in this order.
pub(crate) fn hosted() -> Record {
    let mut record = record(1);
    let hosted = [
        HostedCell {
            name: "cohere",
            host: "api.cohere.com",
            mean: 0.731,
            median: 0.182,
            price: price(0.002, "https://cohere.com/pricing"),
            ..HostedCell::default()
        },
        HostedCell {
            name: "jina",
            host: "api.jina.ai",
            mean: 0.724,
            median: 0.311,
            unit: BillingUnit::Token,
            units: 9_874,
            ..HostedCell::default()
        },
        HostedCell {
            name: "tei",
            host: "rerank.internal:8080",
            mean: 0.715,
            median: 0.043,
            server: Some(0.044),
            ..HostedCell::default()
        },
        HostedCell {
            name: "voyage",
            host: "api.voyageai.com",
            mean: 0.744,
            median: 0.226,
            unit: BillingUnit::Token,
            units: 9_702,
            price: price(5e-8, "https://docs.voyageai.com/docs/pricing"),
            origin: Origin::Replay { recorded: "2026-01-12T09:15:00Z".into() },
            ..HostedCell::default()
        },
        HostedCell {
            name: "cohere-imitated",
            host: "127.0.0.1:8899",
            mean: 0.655,
            median: 0.004,
            price: price(0.002, "https://cohere.com/pricing"),
            origin: Origin::Mock,
            ..HostedCell::default()
        },
    ];
    let oracle = record.systems.pop();
    record.systems.extend(hosted.into_iter().map(HostedCell::system));
    record.systems.extend(oracle);
    record.systems[2].possibly_billed_twice = vec![
        UnknownCall { query: QueryId::from("q31"), pass: String::new(), most: Some(0.002) },
        UnknownCall { query: QueryId::from("q32"), pass: "depth 20".into(), most: Some(0.002) },
    ];
    // A server of one's own is billed by nobody.
    record.systems[4].cost = None;
    if let Some(destination) = &mut record.systems[4].destination {
        destination.self_hosted = true;
        destination.region = Some("eu-central-1".into());
        destination.retention = None;
    }
    record.statistics.corrected_over = 6;
    record
}

/// What tells hosted rerankers apart.
struct HostedCell {
    name: &'static str,
    host: &'static str,
    mean: f64,
    median: f64,
    unit: BillingUnit,
    /// A query.
    units: u64,
    price: Option<Price>,
    server: Option<f64>,
    origin: Origin,
}

impl Default for HostedCell {
    fn default() -> Self {
        Self {
            name: "",
            host: "",
            mean: 0.5,
            median: 0.1,
            unit: BillingUnit::SearchUnit,
            units: 1,
            price: None,
            server: None,
            origin: Origin::Live,
        }
    }
}

impl HostedCell {
    fn system(self) -> SystemRecord {
        let network = match self.server {
            Some(_) => 0.003_1,
            None => 0.995 * self.median,
        };
        let timed = latency(self.median, 49.7);
        let tariff = Tariff { unit: self.unit, price: self.price };
        let query = UnitCost {
            queries: 150,
            candidates: 49.7,
            units: self.units as f64,
            usd: tariff.cost(self.units),
        };
        let (estimated, reported, doubtful) = (152 * self.units, 153 * self.units, 2 * self.units);
        SystemRecord {
            name: self.name.into(),
            origin: self.origin,
            destination: Some(Destination {
                host: self.host.into(),
                region: None,
                self_hosted: false,
                fields: vec!["query text".into(), "document text".into()],
                retention: Some("30 days, unless agreed otherwise".into()),
            }),
            identity: Identity {
                model: format!("{}-rerank", self.name),
                endpoint: Some(format!("https://{}", self.host)),
                ..identity(self.name, self.name)
            },
            quality: quality(self.mean),
            versus_first_stage: Some(difference(self.mean - 0.641)),
            comparison: Some(comparison(self.mean - 0.641)),
            unjudged: unjudged(self.mean, 0.961),
            depths: depths(self.mean, self.median),
            lengths: Vec::new(),
            latency: Some(Latency {
                concurrency: 8,
                parts: LatencyParts {
                    queue: 0.0021,
                    network,
                    server: self.server,
                    ..LatencyParts::default()
                },
                ..timed
            }),
            truncation: Some(TruncationAudit { estimated: true, ..audit(31, 2_204) }),
            cost: Some(Cost {
                spent: Spent {
                    calls: 155,
                    estimated,
                    reported,
                    untold: 0,
                    doubtful,
                    usd: tariff.cost(reported),
                    doubtful_usd: tariff.cost(doubtful),
                },
                tariff,
                query: Some(query),
                per_50: Some(query),
            }),
            ..reranker(0)
        }
    }
}

fn price(usd: f64, source: &str) -> Option<Price> {
    Some(Price { usd, read: "2026-01-05".into(), source: source.into() })
}

/// A table that fits a record: every timed system's queries take from half to twice its median, and
/// as many of 150 gain and lose as [`difference`] says.
pub(crate) fn rows(record: &Record) -> Vec<QueryRow> {
    let mut rows = Vec::new();
    for system in &record.systems {
        for query in 0..record.dataset.queries {
            let place = query as f64 / record.dataset.queries as f64;
            let seconds = system.latency.as_ref().map(|l| l.p50 * 4f64.powf(place - 0.5));
            let change = match (system.role, query % 150) {
                (Role::FirstStage, _) => 0.0,
                (_, gained @ 0..61) => 0.5 * (61 - gained) as f64 / 61.0,
                (_, lost @ 61..83) => -0.35 * (lost - 60) as f64 / 22.0,
                _ => 0.0,
            };
            rows.push(QueryRow {
                query: QueryId::from(format!("q{query}")),
                values: vec![0.5 + change; MEASURES.len()],
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
        ranking: None,
    }
}

/// Everything a user can name, made of what the page formats treat specially.
pub(crate) const HOSTILE: &str = "<script>alert('x')</script> & \"q\" | *b* _i_ `c` [a](http://example.com) # ~~s~~ $x$ \\ \u{7}";

/// A record whose every name and text is [`HOSTILE`].
pub(crate) fn hostile() -> Record {
    let mut record = with_retriever(1);
    let oracle = record.systems.pop();
    record.systems.extend(hosted().systems.into_iter().filter(|s| s.destination.is_some()));
    record.systems.extend(oracle);
    record.experiment.name = HOSTILE.into();
    record.experiment.demonstration = Some(HOSTILE.into());
    record.experiment.warnings = vec![format!("first line\nsecond line {HOSTILE}")];
    record.machine.cpu = HOSTILE.into();
    record.dataset.name = HOSTILE.into();
    record.dataset.split = HOSTILE.into();
    record.candidates.first_stage = HOSTILE.into();
    record.finished = HOSTILE.into();
    record.version = HOSTILE.into();
    record.machine.os = HOSTILE.into();
    record.primary = HOSTILE.into();
    record.measures[0] = HOSTILE.into();
    for system in &mut record.systems {
        system.name = format!("{} {HOSTILE}", system.name);
        let identity = &mut system.identity;
        identity.model = HOSTILE.into();
        identity.provider = HOSTILE.into();
        for text in [
            &mut identity.revision,
            &mut identity.device,
            &mut identity.dtype,
            &mut identity.truncation,
            &mut identity.endpoint,
        ] {
            *text = Some(HOSTILE.into());
        }
        if let Origin::Replay { recorded } = &mut system.origin {
            *recorded = HOSTILE.into();
        }
        if let Some(destination) = &mut system.destination {
            destination.host = HOSTILE.into();
            destination.region = Some(HOSTILE.into());
            destination.fields = vec![HOSTILE.into()];
            destination.retention = Some(HOSTILE.into());
        }
        if let Some(price) = system.cost.as_mut().and_then(|cost| cost.tariff.price.as_mut()) {
            price.read = HOSTILE.into();
            price.source = HOSTILE.into();
        }
        for call in &mut system.possibly_billed_twice {
            call.query = QueryId::from(HOSTILE);
            call.pass = HOSTILE.into();
        }
        system.quality[0].measure = HOSTILE.into();
        if let Some(difference) = &mut system.versus_first_stage {
            difference.measure = HOSTILE.into();
        }
        for change in system.most_hurt.iter_mut().chain(&mut system.most_helped) {
            change.query = QueryId::from(HOSTILE);
            change.text = Some(HOSTILE.into());
            for document in change.top_before.iter_mut().chain(&mut change.top_after) {
                document.document = DocId::from(HOSTILE);
                document.text = Some(HOSTILE.into());
            }
        }
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
        origin: Origin::Live,
        destination: None,
        quality: quality(0.641),
        versus_first_stage: None,
        comparison: None,
        unjudged: unjudged(0.641, 0.981),
        depths: Vec::new(),
        lengths: Vec::new(),
        scores: None,
        most_hurt: Vec::new(),
        most_helped: Vec::new(),
        agreement: Vec::new(),
        cached: 0,
        latency: None,
        truncation: None,
        usage: Usage::default(),
        cost: None,
        possibly_billed_twice: Vec::new(),
        failures: BTreeMap::new(),
        slices: slices(0.641, None),
    }
}

fn oracle() -> SystemRecord {
    SystemRecord {
        name: "oracle".into(),
        role: Role::Oracle,
        identity: identity("oracle", "baseline"),
        origin: Origin::Live,
        destination: None,
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
        origin: Origin::Live,
        destination: None,
        identity: Identity {
            model: format!("example/{name}"),
            revision: (index == 1).then(|| "c5ee24cb16019beea0893ab7796b1df96625c6b8".into()),
            endpoint: None,
            weights: Some(ContentHash::of(name.as_bytes())),
            device: Some("flex".into()),
            dtype: Some("f32".into()),
            max_length: Some(512),
            truncation: Some("longest-first".into()),
            ..identity(name, "secondpass")
        },
        quality: quality(mean),
        versus_first_stage: Some(difference(mean - 0.641)),
        // Those whose queries failed are not compared.
        comparison: (index != 1).then(|| comparison(mean - 0.641)),
        unjudged: unjudged(mean, 0.968),
        depths: depths(mean, median),
        lengths: lengths(mean, median),
        scores: Some(scores(index)),
        most_hurt: (0..3).map(|query| change(query, 1.0, 0.431)).collect(),
        most_helped: (60..62).map(|query| change(query, 0.0, 1.0)).collect(),
        agreement: match index {
            0 => agreement(0.72, 0.64),
            _ => agreement(0.91, 0.86),
        },
        cached: if index == 1 { 12 } else { 0 },
        latency: Some(latency(median, 49.7)),
        truncation: (index != 2).then(|| audit(12, 340)),
        usage: Usage::free(7_455, 596_060),
        cost: None,
        possibly_billed_twice: Vec::new(),
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
        endpoint: None,
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

fn comparison(mean: f64) -> Comparison {
    let clear = mean.abs() > 0.03;
    Comparison {
        verdict: match mean {
            up if up > 0.03 => Verdict::Better,
            down if down < -0.03 => Verdict::Worse,
            _ => Verdict::CannotTell,
        },
        queries: 150,
        t_test: Some(if clear { 0.000_31 } else { 0.214 }),
        randomization: if clear { 0.000_21 } else { 0.219 },
        exact: false,
        corrected: if clear { 0.000_42 } else { 0.438 },
        equivalence: Some(0.913),
        non_inferiority: Some(0.000_004),
        detectable: Some(0.043),
    }
}

fn unjudged(low: f64, judged_at_10: f64) -> Unjudged {
    Unjudged { judged_at_10, low, high: (low + 0.034).min(1.0), condensed: (low + 0.011).min(1.0) }
}

fn latency(median: f64, candidates: f64) -> Latency {
    Latency {
        samples: 150,
        candidates,
        p50: median,
        p95: 1.8 * median,
        mean: 1.1 * median,
        pairs_per_second: candidates / (1.1 * median),
        tokens_per_second: 80.0 * candidates / (1.1 * median),
        concurrency: 1,
        parts: LatencyParts {
            tokenize: 0.11 * median,
            compute: 0.99 * median,
            ..LatencyParts::default()
        },
    }
}

fn audit(pairs_cut: usize, tokens_cut: usize) -> TruncationAudit {
    TruncationAudit {
        pairs: 7_455,
        pairs_cut,
        tokens: 596_400,
        tokens_cut,
        longest: 561,
        estimated: false,
    }
}

fn depths(mean: f64, median: f64) -> Vec<DepthPoint> {
    [(10, -0.041, 0.811), (20, -0.022, 0.874), (30, -0.012, 0.913), (50, 0.0, 0.958)]
        .map(|(depth, change, oracle)| DepthPoint {
            depth,
            estimate: estimate(mean + change),
            versus_first_stage: difference(mean + change - 0.641),
            oracle,
            pairs: depth as f64 * 0.994,
            latency: Some(latency(median * depth as f64 / 50.0, depth as f64 * 0.994)),
        })
        .to_vec()
}

fn lengths(mean: f64, median: f64) -> Vec<LengthPoint> {
    [(128, -0.063, 5_210, 148_300), (256, -0.014, 940, 21_700), (512, 0.0, 12, 340)]
        .map(|(max_length, change, pairs_cut, tokens_cut)| LengthPoint {
            max_length,
            estimate: estimate(mean + change),
            truncation: Some(audit(pairs_cut, tokens_cut)),
            latency: (max_length != 256).then(|| latency(median * max_length as f64 / 512.0, 49.7)),
        })
        .to_vec()
}

fn scores(index: usize) -> ScoreDistribution {
    // Every reranker has a scale of its own.
    let (from, step) = [(-12.0, 2.0), (0.0, 0.1), (-1.0, 0.2)][index % 3];
    ScoreDistribution {
        edges: (0..=10).map(|edge| from + step * f64::from(edge)).collect(),
        relevant: vec![4, 6, 9, 14, 20, 28, 41, 58, 74, 56],
        not_relevant: vec![310, 420, 330, 220, 140, 95, 65, 40, 20, 10],
        unjudged: vec![40, 55, 45, 30, 20, 12, 8, 5, 3, 2],
    }
}

fn change(query: usize, before: f64, after: f64) -> QueryChange {
    let document = |name: &str, grade, first_stage_rank| ShownDocument {
        document: DocId::from(name),
        text: Some(format!("The beginning of {name}, as the record holds it")),
        grade,
        first_stage_rank,
    };
    QueryChange {
        query: QueryId::from(format!("q{query}")),
        text: Some("how do I reset my password without the old one".into()),
        before,
        after,
        top_before: vec![
            document("password-reset", Some(2), 1),
            document("password-rules", Some(0), 2),
            document("account-locked", None, 3),
        ],
        top_after: vec![
            document("password-rules", Some(0), 2),
            document("single-sign-on", None, 17),
            document("password-reset", Some(2), 1),
        ],
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
