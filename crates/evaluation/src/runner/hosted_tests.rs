//! Rerankers that are billed and asked many at a time.

use std::sync::atomic::Ordering;

use proptest::prelude::*;
use secondpass_core::{Budget, Origin};

use super::resume_tests::{copy, timeless};
use super::world::{Ending, Hashing, Provider, Turn, World};
use super::*;
use crate::cache::ScoreCache;

const ONE: Turn = Turn { units: 1, doubtful: 0, slack: 0, end: Ending::Answers };

fn contender<'a>(provider: &'a Provider<'_>, concurrency: usize) -> Contender<'a> {
    Contender { concurrency, ..Contender::new("hosted", provider) }
}

/// Two repetitions and a smaller depth.
fn plan<'a>(
    world: &'a World,
    rerankers: &'a [Contender<'a>],
    journal: Option<&'a Journal>,
) -> Plan<'a> {
    Plan {
        rerankers,
        sweep: Sweep { depths: vec![2], timed_queries: 3 },
        repetitions: 2,
        journal,
        ..Plan::new(&world.experiment, &world.dataset, &world.candidates, "BM25")
    }
}

fn limited(limit: f64) -> Context {
    Context { budget: Budget::new(Some(limit)), ..Context::default() }
}

fn hosted(record: &Record) -> &SystemRecord {
    record.systems.iter().find(|system| system.name == "hosted").unwrap()
}

fn warning<'a>(record: &'a Record, beginning: &str) -> Option<&'a String> {
    record.experiment.warnings.iter().find(|warning| warning.starts_with(beginning))
}

#[test]
fn the_record_does_not_depend_on_which_is_back_first() {
    let world = World::new(20);
    let turn = |query: &str| match query {
        "q03" | "q11" => Turn { end: Ending::Fails, ..ONE },
        _ => Turn { units: 2, ..ONE },
    };
    let of = |concurrency| {
        let provider = Provider::new(turn);
        let contenders = [contender(&provider, concurrency)];
        let (mut record, rows) = timeless(
            run(&plan(&world, &contenders, None), &Context::default(), &mut |_| ()).unwrap(),
        );
        let most = provider.most_in_flight.load(Ordering::SeqCst);
        assert!(most <= concurrency && (concurrency == 1 || most > 1), "{most} of {concurrency}");
        let system = &mut record.systems[1];
        let depths = system.depths.iter_mut().map(|point| &mut point.latency);
        for latency in depths.chain([&mut system.latency]).flatten() {
            assert_eq!(std::mem::take(&mut latency.concurrency), concurrency);
        }
        assert_eq!(system.failures.len(), 2);
        // All but the first of each pass are timed: 17 answered, twice.
        assert_eq!(system.latency.as_ref().unwrap().samples, 2 * (17 - 1));
        (record, rows)
    };
    let one = of(1);
    assert_eq!(of(4), one);
    assert_eq!(of(32), one);
}

#[test]
fn the_first_query_says_where_answers_are_from() {
    let world = World::new(20);
    for concurrency in [1, 8] {
        let mut provider = Provider::new(|query| match query {
            "q00" => Turn { end: Ending::Fails, ..ONE },
            _ => ONE,
        });
        provider.origin = Origin::Replay { recorded: String::new() };
        let contenders = [contender(&provider, concurrency)];
        let (record, _) =
            run(&plan(&world, &contenders, None), &Context::default(), &mut |_| ()).unwrap();
        let expected = Origin::Replay { recorded: "q01".to_owned() };
        assert_eq!(hosted(&record).origin, expected, "{concurrency} in flight");
    }
}

#[test]
fn nothing_is_asked_for_nothing() {
    let world = World::new(4);
    let provider = Provider::new(|_| ONE);
    let contenders = [contender(&provider, 1)];
    let (record, rows) =
        run(&plan(&world, &contenders, None), &Context::default(), &mut |_| ()).unwrap();
    let asked = provider.hashing.asked.lock().unwrap().join(" ");
    assert_eq!(asked, "q00 q01 q02 q00 q01 q02 q00 q01 q02");
    let timed: Vec<bool> =
        rows.iter().filter(|row| row.system == "hosted").map(|row| row.seconds.is_some()).collect();
    assert_eq!(timed, [false, true, true, false], "the first has quality and no time");
    let system = hosted(&record);
    assert_eq!(system.destination.as_ref().unwrap().host, "api.example.com");
    let cost = system.cost.as_ref().unwrap();
    assert_eq!((cost.spent.calls, cost.spent.reported), (9, 9));
    assert_eq!(cost.spent.usd, Some(9.0 * Provider::USD));
    let query = cost.query.unwrap();
    assert_eq!((query.queries, query.candidates, query.units), (3, 6.0, 1.0));
    assert_eq!((query.usd, cost.per_50), (Some(Provider::USD), None));
    let told = warning(&record, "Texts left this machine: hosted sent").unwrap();
    assert!(told.contains("api.example.com (region unknown)"), "{told}");
}

#[test]
fn costs_are_told_for_fifty_candidates_too() {
    let world = World::of(3, 61, 60);
    let provider = Provider::new(|_| Turn { units: 3, ..ONE });
    let contenders = [contender(&provider, 2)];
    let (record, _) =
        run(&plan(&world, &contenders, None), &Context::default(), &mut |_| ()).unwrap();
    let per_50 = hosted(&record).cost.as_ref().unwrap().per_50.unwrap();
    assert_eq!((per_50.queries, per_50.candidates, per_50.units), (2, 50.0, 3.0));
    assert_eq!(per_50.usd, Some(3.0 * Provider::USD));
}

#[test]
fn a_limit_without_a_price_is_refused_before_anything_is_sent() {
    let world = World::new(4);
    let mut provider = Provider::new(|_| ONE);
    provider.tariff.price = None;
    let contenders = [contender(&provider, 1)];
    let plan = plan(&world, &contenders, None);
    let error = run(&plan, &limited(1.0), &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("'hosted'") && error.contains("--prices"), "{error}");
    assert_eq!(provider.hashing.calls(), 0);
    let (record, _) = run(&plan, &Context::default(), &mut |_| ()).unwrap();
    assert!(warning(&record, "hosted is billed by the search unit and no price").is_some());
    let cost = hosted(&record).cost.as_ref().unwrap();
    assert_eq!((cost.spent.usd, cost.query.unwrap().usd), (None, None));
    assert_eq!(forecast(&plan).unwrap()[0].usd, None);
}

#[test]
fn a_forecast_is_what_is_asked_then() {
    let world = World::new(12);
    let folder = tempfile::tempdir().unwrap();
    let cache = ScoreCache::open(&folder.path().join("scores")).unwrap();
    let free = Hashing::new("free", Scoring::Pointwise);
    let round = |context: &Context, is_kept: bool| {
        let provider = Provider::new(|_| Turn { units: 2, slack: 1, ..ONE });
        let contenders = [Contender::new("free", &free), contender(&provider, 3)];
        let journal = Journal::open(&folder.path().join("out"), "world", false).unwrap();
        let cache = (!is_kept).then_some(&cache);
        let plan = Plan { cache, ..plan(&world, &contenders, Some(&journal)) };
        let [told] = &forecast(&plan).unwrap()[..] else { panic!("one is billed") };
        assert_eq!(forecast(&plan).unwrap()[0], *told, "it takes nothing away");
        let done = run(&plan, context, &mut |_| ());
        assert_eq!(done.is_ok(), provider.hashing.calls() == told.queries);
        let billed = provider.bill.load(Ordering::SeqCst);
        assert_eq!(
            (told.units, told.most_units),
            (2 * told.queries as u64, 3 * told.queries as u64)
        );
        assert_eq!(told.usd, Some(told.units as f64 * Provider::USD));
        if done.is_ok() && !is_kept {
            journal.remove().unwrap();
        }
        (told.clone(), billed)
    };
    let (fresh, _) = round(&Context::default(), false);
    assert_eq!((fresh.queries, fresh.spent_usd), (11 + 11 + 3, 0.0));
    let (cached, _) = round(&Context::default(), false);
    assert_eq!(cached.queries, 3 + 3 + 3, "those that are timed anyhow");
    let (stopped, billed) = round(&limited(20.0 * Provider::USD), true);
    assert!(stopped == fresh && billed > 10 && billed <= 20, "{billed}");
    let (rest, _) = round(&Context::default(), true);
    assert_eq!(rest.units, fresh.units - billed);
    assert_eq!(rest.spent_usd, billed as f64 * Provider::USD);
}

#[test]
fn over_the_limit_it_says_how_to_go_on() {
    let world = World::new(6);
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::new(|_| ONE);
    let contenders = [contender(&provider, 1)];
    let journal = Journal::open(folder.path(), "world", false).unwrap();
    let plan = plan(&world, &contenders, Some(&journal));
    let error = run(&plan, &limited(3.0 * Provider::USD), &mut |_| ()).unwrap_err().to_string();
    assert_eq!(
        error,
        "stopped after 3 of 6 queries of 'hosted', before the costs could pass the limit of 0.0029 USD: \
         0.0029 USD are spent, and the next call may cost 0.00098; what is finished is kept: the same \
         command with a higher --max-cost goes on from here"
    );
}

#[test]
fn killed_with_eight_in_flight_it_goes_on_and_tells_what_was_lost() {
    let world = World::new(30);
    let (folder, snapshots) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let turn = |_: &str| Turn { units: 1, slack: 1, ..ONE };
    let mut provider = Provider::new(turn);
    // What lies on the disk while calls are out is what a killed process leaves.
    provider.hashing = provider.hashing.before(|number| {
        if number % 9 == 7 {
            copy(folder.path(), &snapshots.path().join(number.to_string()));
        }
    });
    let expected = {
        let journal = Journal::open(folder.path(), "world", false).unwrap();
        let contenders = [contender(&provider, 8)];
        run(&plan(&world, &contenders, Some(&journal)), &Context::default(), &mut |_| ()).unwrap().0
    };
    let total = provider.hashing.calls();
    let mut lost = Vec::new();
    for entry in fs_entries(snapshots.path()) {
        let journal = Journal::open(&entry, "world", false).unwrap();
        let (finished, in_flight) = (journal.finished(), journal.in_flight().len());
        assert!(in_flight <= 8 && journal.damaged() == 0);
        lost.push(in_flight);
        let again = Provider::new(turn);
        let contenders = [contender(&again, 8)];
        let context = limited(1.0);
        let plan = plan(&world, &contenders, Some(&journal));
        let spent_before = forecast(&plan).unwrap()[0].spent_usd;
        assert_eq!(spent_before, (finished + 2 * in_flight) as f64 * Provider::USD);
        let (record, _) = run(&plan, &context, &mut |_| ()).unwrap();
        assert_eq!(again.hashing.calls() + finished, total);
        assert_eq!(context.budget.spent(), spent_before + again.usd());
        let system = hosted(&record);
        assert_eq!(system.quality, hosted(&expected).quality);
        assert_eq!(system.usage, hosted(&expected).usage);
        assert_eq!(system.cost, hosted(&expected).cost);
        assert_eq!(system.possibly_billed_twice.len(), in_flight);
        for call in &system.possibly_billed_twice {
            assert_eq!(call.most, Some(2.0 * Provider::USD));
        }
        let told = warning(&record, &format!("{in_flight} call"));
        assert_eq!(told.is_some(), in_flight > 0);
        drop(journal);
        // It stays told when the same run is started once more.
        let journal = Journal::open(&entry, "world", false).unwrap();
        assert_eq!(journal.in_flight().len(), in_flight);
    }
    assert!(lost.len() > 4 && lost.iter().max() > Some(&2), "{lost:?}");
}

fn fs_entries(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_provider_that_is_gone_is_asked_no_more() {
    let world = World::new(9);
    let folder = tempfile::tempdir().unwrap();
    let free = Hashing::new("free", Scoring::Pointwise);
    let gone = |query: &str| match query {
        "q03" => Turn { end: Ending::Unavailable, ..ONE },
        _ => ONE,
    };
    let start = |provider: &Provider<'_>, concurrency| {
        let contenders = [contender(provider, concurrency), Contender::new("free", &free)];
        let journal = Journal::open(folder.path(), "world", false).unwrap();
        let mut last = None;
        let plan = plan(&world, &contenders, Some(&journal));
        let (record, _) = run(&plan, &Context::default(), &mut |step| {
            last = Some((step.number, step.done));
            assert!(step.number <= step.passes);
        })
        .unwrap();
        assert_eq!(last, Some((6, 3)));
        record
    };
    let provider = Provider::new(gone);
    let record = start(&provider, 1);
    assert_eq!(provider.hashing.asked.lock().unwrap().join(" "), "q00 q01 q02 q03");
    let system = hosted(&record);
    let reasons: Vec<&str> = system.failures.values().map(String::as_str).collect();
    assert_eq!(reasons[0], "query 'q03': the provider is gone");
    let not_asked = "not asked: hosted was given up after query 'q03': the provider is gone";
    assert_eq!(reasons[1..], [not_asked; 4]);
    assert!(system.depths.is_empty() && system.comparison.is_none());
    assert_eq!(system.cost.as_ref().unwrap().spent.reported, 4, "a failure's bill counts");
    let other = &record.systems[2];
    assert!(other.failures.is_empty() && other.comparison.is_some() && !other.depths.is_empty());

    let provider = Provider::new(|_| ONE);
    let record = start(&provider, 4);
    let system = hosted(&record);
    assert!(system.failures.is_empty() && !system.depths.is_empty());
    assert_eq!(provider.hashing.calls(), 5 + 8 + 3);
    assert_eq!(system.cost.as_ref().unwrap().spent.reported, 4 + 5 + 8 + 3);
}

#[test]
fn a_provider_that_goes_later_keeps_what_it_gave() {
    let world = World::new(9);
    let again = std::sync::atomic::AtomicBool::new(false);
    let provider = Provider::new(|query| match query {
        "q03" if again.load(Ordering::SeqCst) => Turn { end: Ending::Unavailable, ..ONE },
        _ => ONE,
    });
    let contenders = [contender(&provider, 1)];
    let (record, _) = run(&plan(&world, &contenders, None), &Context::default(), &mut |step| {
        again.store(step.pass == "repetition 2", Ordering::SeqCst);
    })
    .unwrap();
    let system = hosted(&record);
    assert!(system.failures.is_empty() && system.comparison.is_some());
    assert_eq!(system.latency.as_ref().unwrap().samples, 7 + 2);
    let timed: Vec<bool> = system.depths.iter().map(|point| point.latency.is_some()).collect();
    assert_eq!(timed, [false, true], "no later pass was taken");
    assert_eq!(provider.hashing.calls(), 8 + 4);
    assert!(warning(&record, "hosted was given up in its pass 'repetition 2'").is_some());
    assert!(warning(&record, "hosted ordered").is_none());
}

#[test]
fn what_is_not_live_neither_fills_nor_reads_the_cache() {
    let world = World::new(6);
    let folder = tempfile::tempdir().unwrap();
    let cache = ScoreCache::open(folder.path()).unwrap();
    let of = |origin: Origin, replayed: bool| {
        let mut provider = Provider::new(|_| ONE);
        provider.origin = origin;
        let contenders = [Contender { replayed, ..contender(&provider, 2) }];
        let journal = tempfile::tempdir().unwrap();
        let journal = Journal::open(journal.path(), "world", false).unwrap();
        let sweep = Sweep { depths: Vec::new(), timed_queries: 2 };
        let plan = Plan {
            cache: Some(&cache),
            sweep,
            repetitions: 1,
            ..plan(&world, &contenders, Some(&journal))
        };
        let context = limited(1.0);
        let told = forecast(&plan).unwrap().len();
        let (record, _) = run(&plan, &context, &mut |_| ()).unwrap();
        (record, context.budget.spent(), told, provider.hashing.calls())
    };
    let recorded = "2026-02-03T04:05:06Z".to_owned();
    let replay = Origin::Replay { recorded: recorded.clone() };

    let (record, spent, told, calls) = of(Origin::Mock, false);
    assert_eq!((spent, told, calls), (5.0 * Provider::USD, 1, 5));
    let system = hosted(&record);
    assert_eq!((&system.origin, &system.comparison), (&Origin::Mock, &None));
    assert_eq!(record.statistics.corrected_over, 0);
    assert!(warning(&record, "The answers of hosted came from a server that imitates").is_some());
    assert!(crate::finding(&record).contains("made up"));

    let (record, spent, told, calls) = of(replay.clone(), true);
    assert_eq!((spent, told, calls), (0.0, 0, 5));
    let system = hosted(&record);
    assert_eq!((&system.origin, &system.destination), (&replay, &None));
    // The recorded time, but for the first query's.
    let latency = system.latency.as_ref().unwrap();
    assert_eq!((latency.samples, latency.p50, latency.parts.network), (4, 2.0, 2.0));
    let cost = system.cost.as_ref().unwrap();
    assert_eq!((cost.spent.reported, cost.spent.usd), (0, Some(0.0)), "nothing was spent now");
    assert_eq!(cost.query.unwrap().usd, Some(Provider::USD), "what the recording was billed");
    assert!(warning(&record, &format!("The answers of hosted ({recorded}) were played")).is_some());

    // A recording of a mock is a mock's, and costs and times are those of a recording.
    let (record, spent, told, calls) = of(Origin::Mock, true);
    assert_eq!((spent, told, calls), (0.0, 0, 5));
    let system = hosted(&record);
    assert_eq!((&system.origin, &system.destination), (&Origin::Mock, &None));
    assert_eq!(system.latency.as_ref().unwrap().p50, 2.0);
    let cost = system.cost.as_ref().unwrap();
    assert_eq!((cost.spent.calls, cost.spent.usd), (0, Some(0.0)));

    // Nothing of that is in the cache, and what a live one puts there no recording takes.
    let (record, _, _, calls) = of(Origin::Live, false);
    assert_eq!((hosted(&record).cached, calls), (0, 5));
    let (record, ..) = of(replay, true);
    assert_eq!(hosted(&record).cached, 0);
    let (record, _, told, calls) = of(Origin::Live, false);
    assert_eq!((hosted(&record).cached, told, calls), (3, 1, 2));
    let query = hosted(&record).cost.as_ref().unwrap().query.unwrap();
    assert_eq!((query.queries, query.units), (5, 1.0), "those from the cache by quote");
}

#[test]
fn a_recording_in_the_journal_is_not_taken_for_a_live_answer() {
    let world = World::new(4);
    let folder = tempfile::tempdir().unwrap();
    let of = |origin: Origin, replayed: bool| {
        let mut provider = Provider::new(|_| ONE);
        provider.origin = origin;
        let contenders = [Contender { replayed, ..contender(&provider, 1) }];
        let journal = Journal::open(folder.path(), "world", false).unwrap();
        let plan = plan(&world, &contenders, Some(&journal));
        let (record, _) = run(&plan, &Context::default(), &mut |_| ()).unwrap();
        (hosted(&record).origin.clone(), provider.hashing.calls())
    };
    let replay = Origin::Replay { recorded: "2026-02-03T04:05:06Z".to_owned() };
    assert_eq!(of(replay.clone(), true), (replay.clone(), 9));
    assert_eq!(of(replay.clone(), true), (replay, 0));
    assert_eq!(of(Origin::Live, false), (Origin::Live, 9));
}

#[test]
fn a_bill_far_from_the_estimate_is_told() {
    let mut record = crate::testing::record();
    let tariff = Provider::new(|_| ONE).tariff;
    let told = |reported: u64, record: &mut Record| {
        let spent = crate::Spent { estimated: 120, untold: 20, reported, ..Default::default() };
        let cost = crate::Cost { tariff: tariff.clone(), spent, query: None, per_50: None };
        record.systems[1].cost = Some(cost);
        let warnings = warning::warnings(record, &[50; 2]);
        warnings.iter().map(Warning::to_string).find(|told| told.contains(" reports "))
    };
    assert_eq!(told(110, &mut record), None);
    assert_eq!(told(90, &mut record), None);
    let more = told(111, &mut record).unwrap();
    assert!(more.starts_with("mini reports 111 search units and 100 were estimated, 11% more"));
    assert!(told(80, &mut record).unwrap().contains("20% less"));
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let end = prop_oneof![
        8 => Just(Ending::Answers),
        2 => Just(Ending::Fails),
        1 => Just(Ending::Unavailable),
    ];
    let turn = (0..4_u64, 0..3_u64, 0..4_u64, end);
    let turn = turn.prop_map(|(units, doubtful, slack, end)| Turn { units, doubtful, slack, end });
    prop::collection::vec(turn, 9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_limit_is_ever_passed(
        turns in turns(),
        limits in prop::collection::vec(0..60_u64, 1..4),
        concurrency in 1..7_usize,
    ) {
        let world = World::new(10);
        let folder = tempfile::tempdir().unwrap();
        let turn = |query: &str| turns[query[1..].parse::<usize>().unwrap()];
        let mut bill = 0.0;
        let start = |context: &Context| {
            let provider = Provider::new(turn);
            let contenders = [contender(&provider, concurrency)];
            let journal = Journal::open(folder.path(), "world", false).unwrap();
            let done = run(&plan(&world, &contenders, Some(&journal)), context, &mut |_| ());
            (done, provider.usd())
        };
        let mut highest = 0.0_f64;
        for limit in limits {
            let limit = limit as f64 * Provider::USD;
            highest = highest.max(limit);
            let context = limited(limit);
            let (done, billed) = start(&context);
            bill += billed;
            prop_assert!(bill <= highest, "{bill} of {highest}");
            prop_assert_eq!(context.budget.spent(), bill);
            if let Err(error) = done {
                let is_over = matches!(error, RunError::OverBudget { .. });
                prop_assert!(is_over, "{}", error);
            }
        }
        let (done, billed) = start(&Context::default());
        let record = done.unwrap().0;
        let spent = hosted(&record).cost.as_ref().unwrap().spent;
        prop_assert_eq!(spent.usd.unwrap() + spent.doubtful_usd.unwrap(), bill + billed);
        prop_assert!(hosted(&record).possibly_billed_twice.is_empty());
        if turns.iter().all(|turn| turn.end != Ending::Unavailable) {
            let provider = Provider::new(turn);
            let contenders = [contender(&provider, 1)];
            let alone = run(&plan(&world, &contenders, None), &Context::default(), &mut |_| ());
            let (ours, alone) = (hosted(&record), alone.unwrap().0);
            prop_assert_eq!(&ours.quality, &hosted(&alone).quality);
            prop_assert_eq!(&ours.failures, &hosted(&alone).failures);
        }
    }
}
