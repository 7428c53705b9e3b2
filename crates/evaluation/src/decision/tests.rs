use secondpass_core::{BillingUnit, Destination, Origin, Price, Tariff};

use super::*;
use crate::bench::testing::bench_record;
use crate::bench::{BenchRecord, Capacity, CellCapacity, Probe, Search, SearchEnd, percentile};
use crate::cost::{Basis, CostModel, Figure};
use crate::prices::PriceTable;
use crate::record::{Agreement, Cost, Latency, LatencyParts, Spent, SystemRecord, UnitCost};
use crate::testing;
use crate::{QueryRow, Record};

const QUERIES: usize = 200;
/// A machine that carries 40 queries a second for a dollar an hour, beside a provider's 0.002 a
/// query: cheaper from 730,000 queries a month on.
const CONFIG: &str = r#"
    margin = 0.02
    [volume]
    queries_per_month = 2_000_000
    [[choice]]
    name = "ours"
    machine_usd_per_hour = 1.0
    queries_per_second = { value = 40, within = [30, 50], basis = "measured", source = "a bench" }
    utilisation = { value = 0.5, within = [0.4, 0.6] }
    [[choice]]
    name = "theirs"
    price_within = 0.2
"#;

fn config(more: &str) -> DecideConfig {
    DecideConfig::parse(&format!("{more}\n{CONFIG}"), "decide.toml").unwrap()
}

/// `key = value` of a table that [`CONFIG`] does not have.
fn limits(limits: &str) -> DecideConfig {
    DecideConfig::parse(&format!("{CONFIG}\n[constraints]\n{limits}"), "decide.toml").unwrap()
}

fn hosted_cost() -> Cost {
    let unit = UnitCost { queries: QUERIES, candidates: 50.0, units: 1.0, usd: Some(0.002) };
    let price = Price { usd: 0.002, read: "2026-10-01".to_owned(), source: "a list".to_owned() };
    Cost {
        tariff: Tariff { unit: BillingUnit::SearchUnit, price: Some(price) },
        spent: Spent::default(),
        query: Some(unit),
        per_50: Some(unit),
    }
}

/// `ours` on machines of one's own and `theirs` from a provider in Frankfurt: the first stage's mean
/// is 0.5, theirs gains on each query; a tenth of a second, and a fifth.
fn record(ours: f64, theirs: f64) -> (Record, Vec<QueryRow>) {
    let mut record = testing::record();
    record.dataset.documents = 50_000;
    record.measures = vec!["nDCG@10".to_owned()];
    let of = |name: &str, seconds: f64| SystemRecord {
        name: name.to_owned(),
        latency: Some(Latency {
            samples: QUERIES,
            candidates: 50.0,
            p50: seconds,
            p95: seconds,
            mean: seconds,
            pairs_per_second: 50.0 / seconds,
            tokens_per_second: 0.0,
            concurrency: 1,
            parts: LatencyParts::default(),
        }),
        ..record.systems[1].clone()
    };
    let mut provider = of("theirs", 0.2);
    provider.cost = Some(hosted_cost());
    provider.destination = Some(Destination {
        host: "api.example".to_owned(),
        region: Some("eu-central-1".to_owned()),
        self_hosted: false,
        fields: Vec::new(),
        retention: None,
    });
    let own = of("ours", 0.1);
    record.systems.splice(1..2, [own, provider]);
    let mut rows = Vec::new();
    for (system, gain, seconds) in
        [("first stage", 0.0, None), ("ours", ours, Some(0.1)), ("theirs", theirs, Some(0.2))]
    {
        for query in 0..QUERIES {
            // A spread that is the same for all, and one that is not.
            let shared = 0.2 * ((query % 7) as f64 / 3.0 - 1.0);
            let own = 0.05 * (((query * 13 + system.len() * 5) % 11) as f64 / 5.0 - 1.0);
            rows.push(QueryRow {
                query: format!("q{query}").as_str().into(),
                system: system.to_owned(),
                values: vec![0.5 + shared + if gain == 0.0 { 0.0 } else { gain + own }],
                candidates: 50,
                seconds,
                tokens: 0,
                pairs_cut: None,
                top: None,
                ranking: None,
            });
        }
    }
    (record, rows)
}

fn case_of(record: &Record, rows: &[QueryRow], config: &DecideConfig) -> Case {
    let evidence = [Evidence { record, rows }];
    Case::from_records(&evidence, config, &PriceTable::own().unwrap()).unwrap()
}

fn decided(record: &Record, rows: &[QueryRow], config: &DecideConfig) -> (Decision, String) {
    let decision = decide(&case_of(record, rows, config), config);
    let told = sentences(&decision).join("\n");
    (decision, told)
}

fn reranks(name: &str) -> Outcome {
    Outcome::Rerank(name.to_owned())
}

#[test]
fn the_cheapest_of_those_good_enough() {
    let (record, rows) = record(0.1, 0.105);
    let (decision, told) = decided(&record, &rows, &config(""));
    assert_eq!(decision.outcome, reranks("ours"), "{told}");
    assert!(decision.sure && decision.confidence > 0.95, "{told}");
    assert!(told.starts_with("Rerank with ours: the cheapest choice within the limits"), "{told}");
    assert!(told.contains("at 1460.00 USD a month."), "{told}");
    assert!(told.contains("Not theirs: it costs 2540.00 USD a month more than ours."), "{told}");
    assert!(told.contains("Below 619–887 k queries a month choose theirs."), "{told}");
    assert!(told.contains("Not measured of ours: US dollars an hour of a machine 1"), "{told}");
    assert!(told.contains("0.0020, from 0.0016 to 0.0024 (by the vendor, 2026-10-01, a list)"));
    let text = serde_json::to_string(&decision).unwrap();
    assert_eq!(serde_json::from_str::<Decision>(&text).unwrap(), decision);
}

#[test]
fn at_another_volume_another_choice() {
    let (record, rows) = record(0.1, 0.105);
    let mut config = config("");
    config.volume.queries_per_month = 100_000.0;
    let (decision, told) = decided(&record, &rows, &config);
    assert_eq!(decision.outcome, reranks("theirs"), "{told}");
    assert!(told.contains("Above 619–887 k queries a month choose ours."), "{told}");
}

#[test]
fn who_comes_next() {
    let next = |ours: f64, theirs: f64, config: &DecideConfig| {
        let (record, rows) = record(ours, theirs);
        decided(&record, &rows, config).0.runner_up
    };
    // Never the best while ours is there, and the one without it.
    assert_eq!(next(0.1, 0.105, &config("")).as_deref(), Some("theirs"));
    // A choice that breaks a rule comes never.
    assert_eq!(next(0.1, 0.105, &limits("p95_seconds = 0.15")).as_deref(), Some("first stage"));
    let (mut demonstration, rows) = record(0.1, 0.105);
    demonstration.experiment.demonstration = Some("made up".to_owned());
    assert_eq!(decided(&demonstration, &rows, &config("")).0.runner_up, None);
}

#[test]
fn an_inferior_choice_is_no_bargain() {
    let (record, rows) = record(0.04, 0.1);
    let (decision, told) = decided(&record, &rows, &config(""));
    assert_eq!(decision.outcome, reranks("theirs"), "{told}");
    assert!(told.contains("Not ours: it is inferior to theirs by 0.060."), "{told}");
    assert!(told.contains("With a margin of 0.060 or more choose ours."), "{told}");
    assert!(told.contains("Nothing is both better and cheaper than: the first stage ("), "{told}");
}

#[test]
fn rules_come_first() {
    let (record, rows) = record(0.04, 0.1);
    let outcome = |limit: &str| decided(&record, &rows, &limits(limit));
    let (decision, told) = outcome("usd_per_month = 3000");
    assert_eq!(decision.outcome, reranks("ours"));
    assert!(told.contains("Not theirs: it costs 4000.00 USD a month, which is more than 3000.00."));
    assert!(told.contains("more than 3000.00, theirs would be the one."), "{told}");
    let (decision, told) = outcome("p95_seconds = 0.15");
    assert_eq!(decision.outcome, reranks("ours"));
    assert!(told.contains("95% of its queries take 200 ms, which is more than 150 ms"), "{told}");
    let (decision, told) = outcome("residency = [\"us\"]");
    assert_eq!(decision.outcome, reranks("ours"));
    assert!(told.contains("texts would go to api.example in eu-central-1"), "{told}");
    assert_eq!(outcome("residency = [\"eu\"]").0.outcome, reranks("theirs"));
    let (decision, told) = outcome("p95_seconds = 0.05");
    assert_eq!(decision.outcome, Outcome::DoNotRerank);
    assert!(told.contains("No choice is fast enough: 95% of the queries may take 50 ms"), "{told}");
    assert!(told.contains("A rule of thumb agrees: in 50 ms there is seldom time"), "{told}");
}

#[test]
fn licences_and_languages_must_be_known() {
    let (mut record, rows) = record(0.1, 0.105);
    record.systems[1].identity.model = "jinaai/jina-reranker-v3".to_owned();
    let (decision, told) = decided(&record, &rows, &limits("commercial = true"));
    assert_eq!(decision.outcome, reranks("theirs"), "{told}");
    assert!(told.contains("CC BY-NC 4.0, does not allow commercial use (read on 2026-11-23)"));
    record.systems[1].identity.model = "mine".to_owned();
    let (_, told) = decided(&record, &rows, &limits("commercial = true"));
    assert!(told.contains("whether the licence of mine allows commercial use is not known"));
    let mut config = limits("commercial = true\nlanguages = [\"de\"]");
    config.choices[0].commercial = Some(true);
    config.choices[0].languages = Some(vec!["en".to_owned(), "de".to_owned()]);
    config.choices[1].languages = Some(vec!["en".to_owned()]);
    let (decision, told) = decided(&record, &rows, &config);
    assert_eq!(decision.outcome, reranks("ours"), "{told}");
    assert!(told.contains("Not theirs: it is not made for de."), "{told}");
}

#[test]
fn what_is_not_live_never_wins() {
    let (mut record, rows) = record(0.1, 0.105);
    record.systems[1].origin = Origin::Mock;
    let (decision, told) = decided(&record, &rows, &config(""));
    assert_eq!(decision.outcome, reranks("theirs"));
    assert!(told.contains("Not ours: a server that imitates its provider made its figures up."));
    assert_eq!(decision.choices[1].best, 0.0);
    record.systems[2].origin = Origin::Replay { recorded: "2026-02-03".to_owned() };
    let (decision, told) = decided(&record, &rows, &config(""));
    assert_eq!(decision.outcome, Outcome::Undecided(Why::NoEvidence));
    assert!(told.starts_with("Nothing is decided") && told.contains("recorded on 2026-02-03"));
    let (mut demonstration, rows) = self::record(0.1, 0.105);
    demonstration.experiment.demonstration = Some("made up".to_owned());
    let (decision, told) = decided(&demonstration, &rows, &config(""));
    assert!(matches!(decision.outcome, Outcome::Undecided(Why::Demonstration(_))));
    assert!(!decision.sure && told.contains("the set is a demonstration (made up)"), "{told}");
}

#[test]
fn no_gain_no_reranking() {
    let (mut record, rows) = record(0.001, 0.002);
    record.candidates.with_relevant = 0.6;
    record.systems[1].agreement = vec![Agreement { k: 5, overlap: 0.93 }];
    record.dataset.documents = 200;
    let (decision, told) = decided(&record, &rows, &config(""));
    assert_eq!(decision.outcome, Outcome::DoNotRerank);
    assert!(decision.sure, "within the margin whatever is drawn: {told}");
    assert!(told.starts_with("Do not rerank.\nIt stays best in 100%"), "{told}");
    assert!(told.contains("No gain is shown: theirs comes nearest with +0.00"), "{told}");
    assert!(told.contains("Only 60% of the queries have a relevant candidate"), "{told}");
    assert!(told.contains("ours and the first stage have 93% of the top 5 in common"), "{told}");
    assert!(told.contains("agrees: in a corpus as small as 200 documents"), "{told}");
    let (small, rows) = self::record(0.012, 0.01);
    let (decision, told) = decided(&small, &rows, &config(""));
    assert_eq!(decision.outcome, Outcome::DoNotRerank);
    assert!(told.contains("too small to matter or costs too much: ours brings +0.01"), "{told}");
}

#[test]
fn documents_read_together_need_another_order() {
    let (mut record, rows) = record(0.1, 0.08);
    record.systems[1].agreement = vec![Agreement { k: 5, overlap: 0.93 }];
    assert_eq!(decided(&record, &rows, &config("")).0.outcome, reranks("ours"));
    let (decision, told) = decided(&record, &rows, &config("documents_used = 5"));
    assert_eq!(decision.outcome, reranks("theirs"), "{told}");
    assert!(told.contains("Not ours: it hands over 93% of the same 5 documents."), "{told}");
}

#[test]
fn few_queries_settle_nothing() {
    let (record, rows) = record(0.02, 0.021);
    let few: Vec<QueryRow> = rows.into_iter().filter(|row| row.query.as_str().len() == 2).collect();
    let (decision, told) = decided(&record, &few, &config(""));
    assert_eq!(decision.queries, 10);
    assert!(!decision.sure, "{told}");
}

#[test]
fn records_must_fit() {
    let (first, rows) = record(0.1, 0.1);
    let (prices, config) = (PriceTable::own().unwrap(), config(""));
    let gather = |evidence: &[Evidence<'_>], config: &DecideConfig| {
        Case::from_records(evidence, config, &prices).unwrap_err().to_string()
    };
    let one = Evidence { record: &first, rows: &rows };
    assert!(gather(&[], &config).starts_with("there is no record"));
    assert!(gather(&[one, one], &config).contains("two records have a reranker 'ours'"));
    let mut other = first.clone();
    other.candidates.depth = 20;
    let second = Evidence { record: &other, rows: &rows };
    assert!(gather(&[one, second], &config).contains("differs from 'quickstart' in depth"));
    let short = Evidence { record: &first, rows: &rows[..rows.len() - 1] };
    assert!(gather(&[short], &config).contains("for 'theirs' on query 'q199'"));
    let mut unknown = config.clone();
    unknown.choices[0].name = "hers".to_owned();
    assert!(
        gather(&[one], &unknown).contains("choice 'hers' is in no record; there are: ours, theirs")
    );
    let mut machine = config.clone();
    machine.choices[0].machine_usd_per_hour = None;
    machine.choices[0].machine = Some("a toaster".to_owned());
    assert!(gather(&[one], &machine).contains("for the machine 'a toaster' of choice 'ours'"));
}

#[test]
fn figures_come_from_the_record_and_the_table() {
    let (record, rows) = record(0.1, 0.1);
    let mut config = config("");
    let spec = &mut config.choices[0];
    (spec.machine_usd_per_hour, spec.queries_per_second) = (None, None);
    spec.machine = Some("aws g5.xlarge".to_owned());
    let case = case_of(&record, &rows, &config);
    let Some(CostModel::SelfHosted(own)) = &case.choices[0].cost else { panic!("{case:?}") };
    assert_eq!((own.machine.value, own.spare), (1.006, 1));
    // One in flight for a tenth of a second.
    assert!((own.rate.value - 10.0).abs() < 1e-9);
    assert_eq!(own.rate.date.as_deref(), Some("2026-02-03"));
    let Some(CostModel::Hosted(hosted)) = &case.choices[1].cost else { panic!("{case:?}") };
    assert!((hosted.price.low - 0.0016).abs() < 1e-12 && hosted.units.value == 1.0);
    // Without a machine nobody knows what it costs.
    config.choices[0].machine = None;
    let decision = decide(&case_of(&record, &rows, &config), &config);
    assert!(decision.choices[1].failed.contains(&Failed::CostUnknown));
}

#[test]
fn configs_that_cannot_be() {
    let error = |text: &str| DecideConfig::parse(text, "decide.toml").unwrap_err().to_string();
    let with =
        |more: &str| error(&format!("{more}\nmargin = 0.01\n[volume]\nqueries_per_month = 10"));
    assert!(error("margin = 0.01").contains("missing field `volume`"));
    assert!(with("weights = 1").starts_with("decide.toml, line 1: unknown field `weights`"));
    let error_of = |text: &str| error(&format!("margin = 0.01\n{text}"));
    let empty = error_of("[volume]\nqueries_per_month = 0");
    assert_eq!(
        empty,
        "decide.toml: key 'volume.queries_per_month' is 0; allowed: a number above 0"
    );
    let peak = "[volume]\nqueries_per_month = 1e9\npeak_queries_per_second = 1";
    assert!(error_of(peak).contains("key 'volume.peak_queries_per_second' is 1"));
    let choice = "[volume]\nqueries_per_month = 10\n[[choice]]\nname = \"a\"\n";
    let of = |key: &str| error_of(&format!("{choice}{key}"));
    assert!(of("utilisation = 1.5").contains("'choice 1.utilisation' is 1.5; allowed: a share"));
    assert!(of("queries_per_second = 0").contains("'choice 1.queries_per_second' is 0"));
    assert!(of("p95_seconds = { value = 1, within = [2, 3] }").contains("from 2 to 3"));
    assert!(of("[[choice]]\nname = \"a\"").contains("'choice 1.name' is a; allowed"));
    assert!(of("discounts = [{ from = 5, share = 2 }]").contains("discount 1 takes 2 off"));
}

/// `ours` with no rate of its own, and a limit of half a second.
fn without_rate() -> DecideConfig {
    let lines: Vec<&str> =
        CONFIG.lines().filter(|line| !line.contains("queries_per_second")).collect();
    let text = format!("{}\n[constraints]\np95_seconds = 0.5", lines.join("\n"));
    DecideConfig::parse(&text, "decide.toml").unwrap()
}

/// A bench of `ours` that kept this limit at 30 and 40 queries a second, and broke it at 50.
fn bench(record: &Record, limit: f64) -> BenchRecord {
    let mut bench = bench_record();
    let ours = record.systems.iter().find(|system| system.name == "ours").unwrap();
    let system = &mut bench.systems[0];
    (system.name, system.identity) = ("ours".to_owned(), ours.identity.clone());
    system.cells[0].cell.candidates = record.candidates.depth;
    let probe = |rate: f64, kept: bool| Probe {
        rate,
        asked: 500,
        failed: 0,
        runs: 1,
        found: percentile(&[rate / 100.0; 500], 0.95),
        overloaded: false,
        kept,
        sure: true,
    };
    let capacity = Capacity {
        search: Search { limit, ..Search::default() },
        kept: Some(40.0),
        broken: Some(50.0),
        end: SearchEnd::Found,
        probes: vec![probe(30.0, true), probe(40.0, true), probe(50.0, false)],
    };
    system.capacities = vec![CellCapacity { cell: 0, capacity }];
    bench
}

fn case_with(
    record: &Record,
    rows: &[QueryRow],
    benches: &[BenchEvidence<'_>],
) -> Result<Case, DecideError> {
    let (evidence, prices) = ([Evidence { record, rows }], PriceTable::own().unwrap());
    Case::from_records_and_benches(&evidence, benches, &without_rate(), &prices)
}

fn rate_and_p95(case: &Case) -> (Figure, Figure) {
    let ours = case.choices.iter().find(|choice| choice.name == "ours").unwrap();
    let Some(CostModel::SelfHosted(own)) = &ours.cost else { panic!("{ours:?}") };
    (own.rate.clone(), ours.timing.as_ref().unwrap().p95.clone())
}

#[test]
fn a_bench_gives_the_rate_at_the_limit_and_the_time_at_the_planned_share() {
    let (record, rows) = record(0.1, 0.105);
    let found = bench(&record, 0.5);
    for choice in [None, Some("ours")] {
        let beside = BenchEvidence { choice, record: &found };
        let (rate, p95) = rate_and_p95(&case_with(&record, &rows, &[beside]).unwrap());
        assert!((rate.value - 2000f64.sqrt()).abs() < 1e-9, "{rate:?}");
        assert_eq!((rate.low, rate.high, rate.basis), (40.0, 50.0, Basis::Measured));
        assert_eq!(rate.date.as_deref(), Some("2026-02-03"));
        assert!(rate.source.starts_with("the bench 'bench', synthetic, the highest rate"));
        // Half of 40 is planned for, and 30 is the nearest that was tried.
        assert!((p95.value - 0.3).abs() < 1e-9 && p95.source.contains("30.00"), "{p95:?}");
    }
    // A search for a laxer limit says nothing of this one.
    let lax = bench(&record, 2.0);
    let (rate, p95) = rate_and_p95(
        &case_with(&record, &rows, &[BenchEvidence { choice: None, record: &lax }]).unwrap(),
    );
    assert!(rate.source.starts_with("the record"), "{rate:?}");
    assert!((p95.value - 0.01).abs() < 1e-9 && p95.source.contains("p95 of"), "{p95:?}");
}

#[test]
fn a_bench_of_something_else_is_refused_where_it_is_named() {
    let (record, rows) = record(0.1, 0.105);
    let spoilt = |spoil: &dyn Fn(&mut BenchRecord)| {
        let mut found = bench(&record, 0.5);
        spoil(&mut found);
        let beside = BenchEvidence { choice: None, record: &found };
        let case = case_with(&record, &rows, &[beside]).unwrap();
        let (rate, _) = rate_and_p95(&case);
        assert!(rate.source.starts_with("the record"), "{rate:?}");
        let named = BenchEvidence { choice: Some("ours"), ..beside };
        case_with(&record, &rows, &[named]).unwrap_err().to_string()
    };
    let told = [
        (
            spoilt(&|bench| bench.systems[0].name = "x".to_owned()),
            "it did not measure 'ours', but x",
        ),
        (spoilt(&|bench| bench.systems[0].identity.max_length = Some(7)), "another maximum length"),
        (spoilt(&|bench| bench.systems[0].cells[0].live = false), "a mock or a recording answered"),
        (
            spoilt(&|bench| bench.systems[0].cells[0].cell.candidates = 3),
            "measure with --candidates",
        ),
    ];
    for (told, needed) in told {
        assert!(told.contains(needed) && told.contains("choice 'ours'"), "{told}");
    }
}
