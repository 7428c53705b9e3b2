use secondpass_core::{BillingUnit, ContentHash, Origin, Price, Ranking, Tariff};

use super::*;
use crate::record::{Cost, QueryRow, Record, Spent, UnitCost, Verdict};
use crate::testing::record;

const QUERIES: usize = 200;
const DOCUMENTS: usize = 20;

/// What the reranker `mini` thinks of a query's documents: one of them is relevant, and stands first
/// on most queries.
fn scores(query: usize) -> Vec<(String, f64)> {
    let score = |document: usize| ((document * 7 + query * 3) % 23) as f64 / 3.0;
    (0..DOCUMENTS).map(|document| (format!("d{document}"), score(document))).collect()
}

/// The query's row: the measure is the reciprocal rank of the document that the model likes best,
/// or on every third query the third.
fn row(query: usize, scores: Vec<(String, f64)>) -> QueryRow {
    let liked =
        Ranking::from_scores(self::scores(query).iter().map(|(id, s)| (id.as_str().into(), *s)));
    let liked = liked.unwrap();
    let relevant =
        liked.documents().nth(if query.is_multiple_of(3) { 2 } else { 0 }).unwrap().clone();
    let ranking =
        Ranking::from_scores(scores.iter().map(|(id, s)| (id.as_str().into(), *s))).unwrap();
    let rank = ranking.documents().position(|id| *id == relevant).unwrap() + 1;
    let top = ranking.documents().next().map(ToString::to_string);
    QueryRow {
        query: format!("q{query:03}").as_str().into(),
        system: "mini".to_owned(),
        values: vec![1.0 / rank as f64; 2],
        candidates: DOCUMENTS as u32,
        seconds: Some(0.01 + 0.001 * (query % 5) as f64),
        tokens: 0,
        pairs_cut: None,
        top,
        ranking: Some(ranking),
    }
}

fn rows() -> Vec<QueryRow> {
    (0..QUERIES).map(|query| row(query, scores(query))).collect()
}

/// The record, its reranker with weights that are known.
fn known() -> Record {
    let mut record = record();
    record.dataset.queries = QUERIES;
    record.systems[1].identity.provider = "secondpass".to_owned();
    record.systems[1].identity.weights = Some(ContentHash::of(b"weights"));
    record.systems.remove(0);
    record.systems.remove(1);
    record
}

/// Every tenth query's ranks are the wrong way round.
fn reversed() -> Vec<QueryRow> {
    let turned = |(id, score): (String, f64)| (id, -score);
    let row = |query: usize| match query % 10 {
        0 => row(query, scores(query).into_iter().map(turned).collect()),
        _ => row(query, scores(query)),
    };
    (0..QUERIES).map(row).collect()
}

fn compared(
    old: (&Record, &[QueryRow]),
    new: (&Record, &[QueryRow]),
    config: &GateConfig,
) -> Comparison {
    let evidence = |(record, rows)| Evidence { record, rows };
    experiments(evidence(old), evidence(new), config, &[])
}

fn says(comparison: &Comparison, weight: Weight, words: &str) -> bool {
    comparison.findings.iter().any(|f| f.weight == weight && f.text.contains(words))
}

#[test]
fn the_same_record_is_fine() {
    let (record, rows) = (known(), rows());
    let same = compared((&record, &rows), (&record, &rows), &GateConfig::default());
    assert_eq!((same.outcome, same.findings.len()), (Outcome::Fine, 0), "{:?}", same.findings);
    assert_eq!(same.systems[0].ranks.as_ref().unwrap().verdict, RankVerdict::Same);
    let quality = &same.systems[0].quality;
    assert_eq!(quality[0].verdict, QualityVerdict::NoRegression);
    assert_eq!((quality[0].gates, quality[1].gates), (true, false));
    assert_eq!(quality[0].tests.as_ref().unwrap().verdict, Verdict::Equivalent);
}

#[test]
fn reversed_ranks_on_a_tenth_of_the_queries_are_caught_without_a_test() {
    let (record, before, after) = (known(), rows(), reversed());
    let caught = compared((&record, &before), (&record, &after), &GateConfig::default());
    assert_eq!(caught.outcome, Outcome::Regression);
    let check = caught.systems[0].ranks.as_ref().unwrap();
    assert_eq!((check.changed, check.queries, check.examples.len()), (20, QUERIES, 10));
    assert_eq!(check.examples[0].as_str(), "q000");
    assert!(check.moved.as_ref().unwrap().by > 1.0);
    assert!(
        says(&caught, Weight::Fail, "ranks otherwise on 20 of 200 queries"),
        "{:?}",
        caught.findings
    );
    // Told, where it is said that it only warns; the loss itself still counts.
    let mut config = GateConfig::default();
    config.ranks.on_change = OnFinding::Warn;
    let warned = compared((&record, &before), (&record, &after), &config);
    assert!(says(&warned, Weight::Warn, "ranks otherwise on 20"));
    assert!(says(&warned, Weight::Fail, "nDCG@10 fell"), "{:?}", warned.findings);
}

#[test]
fn reversed_ranks_are_caught_by_the_test_where_the_weights_changed() {
    let (record, before, after) = (known(), rows(), reversed());
    let mut other = record.clone();
    other.systems[0].identity.weights = Some(ContentHash::of(b"others"));
    let caught = compared((&record, &before), (&other, &after), &GateConfig::default());
    assert_eq!(caught.outcome, Outcome::Regression);
    assert_eq!(caught.systems[0].ranks, None);
    assert!(says(&caught, Weight::Note, "weights"), "{:?}", caught.findings);
    assert!(says(&caught, Weight::Fail, "nDCG@10 fell"), "{:?}", caught.findings);
    let quality = &caught.systems[0].quality[0];
    assert!(quality.high < -0.01 && quality.queries == QUERIES, "{quality:?}");
}

#[test]
fn noise_of_arithmetic_is_no_other_order() {
    let (record, before) = (known(), rows());
    let shaken = |query: usize| {
        let noise = |(place, (id, score)): (usize, (String, f64))| {
            (id, score + 4e-5 * (((place + query) % 3) as f64 - 1.0))
        };
        row(query, scores(query).into_iter().enumerate().map(noise).collect())
    };
    let after: Vec<QueryRow> = (0..QUERIES).map(shaken).collect();
    let fine = compared((&record, &before), (&record, &after), &GateConfig::default());
    assert_eq!(fine.systems[0].ranks.as_ref().unwrap().verdict, RankVerdict::Same);
    assert_eq!(fine.outcome, Outcome::Fine, "{:?}", fine.findings);
}

#[test]
fn tables_without_rankings_are_compared_by_what_they_have() {
    let (record, mut before, mut after) = (known(), rows(), reversed());
    before.iter_mut().for_each(|row| row.ranking = None);
    let caught = compared((&record, &before), (&record, &after), &GateConfig::default());
    assert_eq!(caught.systems[0].ranks.as_ref().unwrap().of, RanksOf::Measures);
    assert!(says(&caught, Weight::Fail, "written before rankings were kept"));
    after.clone_from(&before);
    let same = compared((&record, &before), (&record, &after), &GateConfig::default());
    assert_eq!(same.outcome, Outcome::Fine);
}

#[test]
fn too_few_queries_warn_or_fail_as_told_and_say_what_they_could_show() {
    let (record, before) = (known(), rows());
    let mut other = record.clone();
    other.systems[0].identity.weights = Some(ContentHash::of(b"others"));
    let few: Vec<QueryRow> = before[..30].to_vec();
    let mut after = few.clone();
    for (place, row) in after.iter_mut().enumerate() {
        row.values[0] += 0.3 * ((place % 3) as f64 - 1.0);
    }
    let mut config = GateConfig::default();
    let unsure = compared((&record, &few), (&other, &after), &config);
    assert_eq!(unsure.outcome, Outcome::Fine);
    assert!(
        says(&unsure, Weight::Warn, "30 queries would show a loss of 0."),
        "{:?}",
        unsure.findings
    );
    config.quality.on_inconclusive = OnFinding::Fail;
    let failed = compared((&record, &few), (&other, &after), &config);
    assert_eq!(failed.outcome, Outcome::Regression);
}

#[test]
fn every_difference_is_listed_and_nothing_else_compared() {
    let (record, rows) = (known(), rows());
    let mut other = record.clone();
    other.dataset.hash = ContentHash::of(b"other");
    other.dataset.queries = 199;
    other.candidates.hash = ContentHash::of(b"other");
    other.candidates.depth = 10;
    other.primary = "RR".to_owned();
    other.systems[0].name = "renamed".to_owned();
    let mut config = GateConfig::default();
    config.quality.measures = vec!["AP".to_owned()];
    let none = compared((&record, &rows), (&other, &rows), &config);
    assert_eq!((none.outcome, none.systems.len()), (Outcome::NotComparable, 0));
    let what: Vec<&str> = none.differences.iter().map(|d| d.what.as_str()).collect();
    assert_eq!(
        what,
        [
            "documents, queries or judgements",
            "number of queries",
            "candidates",
            "candidates a query",
            "primary measure",
            "system 'mini'",
            "measure AP, which is to gate",
        ]
    );
}

fn priced(record: &mut Record, usd: Option<f64>, units: f64) {
    let price =
        usd.map(|usd| Price { usd, read: "2026-01-02".to_owned(), source: "list".to_owned() });
    record.systems[0].cost = Some(Cost {
        tariff: Tariff { unit: BillingUnit::SearchUnit, price },
        spent: Spent::default(),
        query: Some(UnitCost {
            queries: 1,
            candidates: 20.0,
            units,
            usd: usd.map(|usd| usd * units),
        }),
        per_50: None,
    });
}

#[test]
fn a_price_rise_and_more_units_are_caught() {
    let rows = rows();
    let with = |usd, units| {
        let mut record = known();
        priced(&mut record, usd, units);
        record
    };
    let cheap = with(Some(0.002), 1.0);
    let outcome =
        |record: &Record| compared((&cheap, &rows), (record, &rows), &GateConfig::default());
    assert_eq!(outcome(&cheap).outcome, Outcome::Fine);
    assert_eq!(outcome(&with(Some(0.00201), 1.0)).outcome, Outcome::Fine);
    let dearer = outcome(&with(Some(0.0022), 1.0));
    assert_eq!(dearer.outcome, Outcome::Regression);
    assert!(
        says(&dearer, Weight::Fail, "10.0% more: 2.00 → 2.20 US dollars"),
        "{:?}",
        dearer.findings
    );
    assert_eq!(outcome(&with(Some(0.002), 2.0)).outcome, Outcome::Regression);
    assert_eq!(outcome(&with(Some(0.001), 1.0)).outcome, Outcome::Fine);
    assert!(says(&outcome(&with(None, 1.0)), Weight::Warn, "cannot be compared"));
    let free = with(Some(0.0), 1.0);
    let now_costs = compared((&free, &rows), (&cheap, &rows), &GateConfig::default());
    assert!(
        says(&now_costs, Weight::Fail, "something where it cost nothing"),
        "{:?}",
        now_costs.findings
    );
}

#[test]
fn a_stored_latency_warns_and_only_a_pinned_runner_makes_it_count() {
    let (record, before, mut after) = (known(), rows(), rows());
    for row in &mut after {
        row.seconds = row.seconds.map(|seconds| 1.3 * seconds);
    }
    let mut config = GateConfig::default();
    let warned = compared((&record, &before), (&record, &after), &config);
    assert_eq!(warned.outcome, Outcome::Fine);
    assert!(says(&warned, Weight::Warn, "not declared pinned"), "{:?}", warned.findings);
    config.latency.runner = Runner::Pinned;
    let caught = compared((&record, &before), (&record, &after), &config);
    assert!(says(&caught, Weight::Fail, "more than 10% slower"), "{:?}", caught.findings);
    let mut elsewhere = record.clone();
    elsewhere.machine.cores = 64;
    let warned = compared((&record, &before), (&elsewhere, &after), &config);
    assert!(says(&warned, Weight::Warn, "different machines"), "{:?}", warned.findings);
}

#[test]
fn a_hosted_model_that_drifted_is_not_held_against_the_change() {
    let (mut record, before, after) = (known(), rows(), reversed());
    record.systems[0].identity.weights = None;
    let evidence = |rows| Evidence { record: &record, rows };
    let config = GateConfig::default();
    let blamed = experiments(evidence(&before), evidence(&after), &config, &[]);
    assert_eq!(blamed.outcome, Outcome::Regression);
    let drift = Drift {
        identity: record.systems[0].identity.clone(),
        recorded: "2026-01-01T00:00:00Z".to_owned(),
        checked: "2026-02-01T00:00:00Z".to_owned(),
        tolerance: 1e-3,
        queries: 20,
        changed: Vec::new(),
        moved: 0.3,
        drifted: true,
    };
    let told =
        experiments(evidence(&before), evidence(&after), &config, std::slice::from_ref(&drift));
    assert_eq!(told.outcome, Outcome::NotComparable);
    assert!(told.differences[0].what.contains("the model that 'mini' asks"));
    assert!(says(&told, Weight::Warn, "the provider changed the model"));
    let steady = Drift { drifted: false, ..drift };
    let blamed = experiments(evidence(&before), evidence(&after), &config, &[steady]);
    assert_eq!(blamed.outcome, Outcome::Regression);
}

#[test]
fn a_mock_is_compared_and_marked_and_failures_are_told() {
    let (mut record, rows) = (known(), rows());
    record.systems[0].origin = Origin::Mock;
    record.systems[0].failures.insert("q001".into(), "no luck".to_owned());
    let told = compared((&record, &rows), (&record, &rows), &GateConfig::default());
    assert_eq!(told.systems[0].label(), "mini (mock)");
    assert!(says(&told, Weight::Warn, "1 query failed"), "{:?}", told.findings);
}

#[test]
fn two_builds_side_by_side() {
    let (record, before) = (known(), rows());
    let slower = |factor: f64| -> Vec<QueryRow> {
        let mut rows = before.clone();
        rows.iter_mut().for_each(|row| row.seconds = row.seconds.map(|s| factor * s));
        rows
    };
    let (same, fifteen) = (slower(1.0), slower(1.15));
    let evidence = |rows| Evidence { record: &record, rows };
    let rounds = |rows| vec![(evidence(&before), evidence(rows)); 10];
    let config = GateConfig::default();
    let fine = interleaved(&rounds(&same), &config, &[]).unwrap();
    assert_eq!(fine.outcome, Outcome::Fine, "{:?}", fine.findings);
    let caught = interleaved(&rounds(&fifteen), &config, &[]).unwrap();
    assert!(says(&caught, Weight::Fail, "p50") && says(&caught, Weight::Fail, "p95"));
    assert_eq!(caught.systems[0].latency[0].samples, 10 * QUERIES);
    let few = interleaved(&rounds(&fifteen)[..2], &config, &[]).unwrap();
    assert!(says(&few, Weight::Warn, "cannot be told from 2 rounds"), "{:?}", few.findings);
    // A build whose order is not the same every time is told.
    let turned = reversed();
    let mut unsteady = rounds(&same);
    unsteady[3].1 = evidence(&turned);
    let told = interleaved(&unsteady, &config, &[]).unwrap();
    assert!(says(&told, Weight::Warn, "in round 4 the current build"), "{:?}", told.findings);
    assert!(interleaved(&[], &config, &[]).is_none());
}

mod of_benches {
    use super::*;
    use crate::bench::testing::bench_record;
    use crate::bench::{BenchRecord, Sample, SampleRow};
    use std::time::Duration;

    fn samples(factor: f64) -> Vec<SampleRow> {
        let row = |place: u64| {
            let took = factor * (10.0 + (place * 7 % 13) as f64 / 10.0);
            let sample = Sample {
                intended: Duration::from_millis(20 * place),
                start: Duration::from_millis(20 * place),
                end: Duration::from_millis(20 * place) + Duration::from_secs_f64(took / 1e3),
                ..Sample::default()
            };
            SampleRow { system: 0, cell: 0, probe: 0, sample }
        };
        (0..400).map(row).collect()
    }

    fn of(old: &BenchRecord, new: &BenchRecord, factor: f64, config: &GateConfig) -> Comparison {
        let (before, after) = (samples(1.0), samples(factor));
        let baseline = BenchEvidence { record: old, samples: &before };
        benches(baseline, BenchEvidence { record: new, samples: &after }, config)
    }

    #[test]
    fn a_slower_cell_counts_on_a_pinned_runner() {
        let record = bench_record();
        let mut config = GateConfig::default();
        let warned = of(&record, &record, 1.2, &config);
        assert_eq!(warned.outcome, Outcome::Fine);
        assert!(says(&warned, Weight::Warn, "not declared pinned"), "{:?}", warned.findings);
        config.latency.runner = Runner::Pinned;
        assert_eq!(of(&record, &record, 1.2, &config).outcome, Outcome::Regression);
        assert_eq!(of(&record, &record, 1.0, &config).outcome, Outcome::Fine);
        let mut other = record.clone();
        other.systems[0].environment.kernel = Some("another".to_owned());
        assert!(says(&of(&record, &other, 1.2, &config), Weight::Warn, "environments differ"));
        other.source = "another set".to_owned();
        other.systems[0].cells.clear();
        let none = of(&record, &other, 1.0, &config);
        assert_eq!((none.outcome, none.differences.len() > 1), (Outcome::NotComparable, true));
    }
}
