//! What must not be lost or taken for something else: a mock among other answers, money of earlier
//! starts, failures of later passes.

use std::sync::atomic::{AtomicBool, Ordering};

use secondpass_core::{Budget, Origin};

use super::resume_tests::copy;
use super::world::{Ending, Hashing, Provider, Turn, World};
use super::*;

const ONE: Turn = Turn { units: 1, doubtful: 0, slack: 0, end: Ending::Answers };

fn plan<'a>(
    world: &'a World,
    rerankers: &'a [Contender<'a>],
    journal: Option<&'a Journal>,
) -> Plan<'a> {
    let sweep = Sweep { depths: Vec::new(), timed_queries: 0 };
    let plan = Plan::new(&world.experiment, &world.dataset, &world.candidates, "BM25");
    Plan { rerankers, sweep, journal, ..plan }
}

fn limited(units: u64) -> Context {
    let limit = Some(units as f64 * Provider::USD);
    Context { budget: Budget::new(limit), ..Context::default() }
}

fn told<'a>(record: &'a Record, part: &str) -> Vec<&'a String> {
    record.experiment.warnings.iter().filter(|warning| warning.contains(part)).collect()
}

#[test]
fn one_made_up_answer_makes_the_whole_made_up() {
    let world = World::new(9);
    let replay = Origin::Replay { recorded: "2026-02-03T04:05:06Z".to_owned() };
    for origin in [Origin::Live, replay] {
        let mut provider = Provider::new(|_| ONE);
        (provider.origin, provider.mocked) = (origin.clone(), Some("q05"));
        let contenders = [Contender::new("hosted", &provider)];
        let (record, _) =
            run(&plan(&world, &contenders, None), &Context::default(), &mut |_| ()).unwrap();
        let system = &record.systems[1];
        assert_eq!(system.origin, Origin::Mock, "the others: {origin:?}");
        assert_eq!(system.comparison, None);
    }
}

#[test]
fn a_mock_in_a_later_pass_is_told() {
    let world = World::new(9);
    let mut provider = Provider::new(|_| ONE);
    provider.origin = Origin::Replay { recorded: "2026-02-03T04:05:06Z".to_owned() };
    let mut other = Provider::new(|_| ONE);
    other.mocked = Some("q00");
    let lengths = [LengthVariant { max_length: 64, reranker: &other }];
    let contenders = [Contender { lengths: &lengths, ..Contender::new("hosted", &provider) }];
    let (record, _) =
        run(&plan(&world, &contenders, None), &Context::default(), &mut |_| ()).unwrap();
    assert_eq!(record.systems[1].origin, Origin::Mock);
}

#[test]
fn lost_calls_of_unknown_price_count_when_it_is_known() {
    let world = World::new(9);
    let (folder, snapshot) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let turn = |_: &str| Turn { units: 1, slack: 2, ..ONE };
    let mut provider = Provider::new(turn);
    provider.tariff.price = None;
    // What lies on the disk while the sixth call is out is what a killed process leaves.
    provider.hashing = provider.hashing.before(|number| {
        if number == 5 {
            copy(folder.path(), &snapshot.path().join("killed"));
        }
    });
    {
        let journal = Journal::open(folder.path(), "world", false).unwrap();
        let contenders = [Contender::new("hosted", &provider)];
        run(&plan(&world, &contenders, Some(&journal)), &Context::default(), &mut |_| ()).unwrap();
    }
    let journal = Journal::open(&snapshot.path().join("killed"), "world", false).unwrap();
    assert_eq!((journal.finished(), journal.in_flight().len()), (5, 1));
    let again = Provider::new(turn);
    let contenders = [Contender::new("hosted", &again)];
    let plan = plan(&world, &contenders, Some(&journal));
    let spent = (5 + 3) as f64 * Provider::USD;
    assert_eq!(forecast(&plan).unwrap()[0].spent_usd, spent);
    let context = limited(100);
    let (record, _) = run(&plan, &context, &mut |_| ()).unwrap();
    assert_eq!(context.budget.spent(), spent + again.usd());
    let [lost] = &record.systems[1].possibly_billed_twice[..] else { panic!("one was out") };
    assert_eq!(lost.most, Some(3.0 * Provider::USD));
}

#[test]
fn money_of_systems_that_are_no_longer_asked_is_told() {
    let world = World::new(9);
    let free = Hashing::new("free", Scoring::Pointwise);
    let replayed = {
        let mut provider = Provider::new(|_| ONE);
        provider.origin = Origin::Replay { recorded: "2026-02-03T04:05:06Z".to_owned() };
        provider
    };
    let gone: [&[Contender<'_>]; 2] = [
        &[Contender::new("free", &free)],
        &[Contender { replayed: true, ..Contender::new("hosted", &replayed) }],
    ];
    for contenders in gone {
        let (folder, snapshot) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut provider = Provider::new(|_| ONE);
        provider.hashing = provider.hashing.before(|number| {
            if number == 5 {
                copy(folder.path(), &snapshot.path().join("killed"));
            }
        });
        {
            let journal = Journal::open(folder.path(), "world", false).unwrap();
            let live = [Contender::new("hosted", &provider)];
            run(&plan(&world, &live, Some(&journal)), &Context::default(), &mut |_| ()).unwrap();
        }
        let journal = Journal::open(&snapshot.path().join("killed"), "world", false).unwrap();
        let plan = plan(&world, contenders, Some(&journal));
        let (record, _) = run(&plan, &Context::default(), &mut |_| ()).unwrap();
        let told = told(&record, "Earlier starts of this run");
        assert_eq!(told.len(), 1, "{:?}", record.experiment.warnings);
        assert!(told[0].contains("hosted, which this one does not ask"), "{}", told[0]);
        assert!(told[0].contains("0.0059 USD"), "5 answers and a call: {}", told[0]);
        assert!(told[0].contains("1 call "), "{}", told[0]);
    }
}

#[test]
fn failures_of_later_passes_are_told() {
    let world = World::new(9);
    let later = AtomicBool::new(false);
    let mut provider = Provider::new(|query| match query {
        "q03" | "q04" if later.load(Ordering::SeqCst) => Turn { end: Ending::Fails, ..ONE },
        _ => ONE,
    });
    provider.hashing = Hashing::new("model", Scoring::Listwise);
    let contenders = [Contender::new("hosted", &provider)];
    let sweep = Sweep { depths: vec![2], timed_queries: 0 };
    let plan = Plan { sweep, ..plan(&world, &contenders, None) };
    let (record, _) = run(&plan, &Context::default(), &mut |step| {
        later.store(step.pass == "depth 2", Ordering::SeqCst);
    })
    .unwrap();
    assert!(record.systems[1].failures.is_empty());
    let told = told(&record, "'depth 2'");
    assert_eq!(told.len(), 1, "{:?}", record.experiment.warnings);
    assert!(
        told[0].starts_with("2 of 8 queries of hosted failed in its pass 'depth 2'"),
        "{told:?}"
    );
    assert!(told[0].contains("q03") && told[0].contains("the provider is gone"), "{told:?}");
}
