//! A run that was stopped or killed anywhere goes on and gives the same record.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use secondpass_core::Cancel;

use super::world::{Hashing, World};
use super::*;
use crate::experiment::Experiment;
use crate::journal::JOURNAL_FOLDER;
use crate::record::Latency;

/// Two systems (pointwise and listwise), two repetitions, two smaller depths, another length.
fn run_all(
    world: &World,
    rerankers: [&Hashing<'_>; 3],
    journal: Option<&Journal>,
    context: &Context,
) -> Result<(Record, Vec<QueryRow>), RunError> {
    let [pointwise, listwise, shorter] = rerankers;
    let lengths = [LengthVariant { max_length: 128, reranker: shorter }];
    let plan = Plan {
        rerankers: &[
            Contender { lengths: &lengths, ..Contender::new("pointwise", pointwise) },
            Contender::new("listwise", listwise),
        ],
        sweep: Sweep { depths: vec![2, 4], timed_queries: 2 },
        repetitions: 2,
        journal,
        ..Plan::new(&world.experiment, &world.dataset, &world.candidates, "BM25")
    };
    run(&plan, context, &mut |_| ())
}

fn rerankers<'a>() -> [Hashing<'a>; 3] {
    [
        Hashing::new("a", Scoring::Pointwise),
        Hashing::new("b", Scoring::Listwise),
        Hashing::new("c", Scoring::Pointwise),
    ]
}

/// All but what a clock says. How many samples there are stays.
pub(super) fn timeless(result: (Record, Vec<QueryRow>)) -> (Record, Vec<QueryRow>) {
    let (mut record, mut rows) = result;
    record.finished.clear();
    let forget = |latency: &mut Option<Latency>| {
        if let Some(latency) = latency {
            (latency.p50, latency.p95, latency.mean) = (0.0, 0.0, 0.0);
            (latency.pairs_per_second, latency.tokens_per_second) = (0.0, 0.0);
            latency.parts = Default::default();
        }
    };
    for system in &mut record.systems {
        forget(&mut system.latency);
        system.depths.iter_mut().for_each(|point| forget(&mut point.latency));
        system.lengths.iter_mut().for_each(|point| forget(&mut point.latency));
    }
    rows.iter_mut().for_each(|row| row.seconds = row.seconds.map(|_| 0.0));
    (record, rows)
}

fn reference(world: &World) -> (Record, Vec<QueryRow>) {
    let [a, b, c] = &rerankers();
    timeless(run_all(world, [a, b, c], None, &Context::default()).unwrap())
}

#[test]
fn stopped_after_any_call_it_goes_on() {
    let world = World::new(4);
    let expected = reference(&world);
    for stop in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let calls = AtomicUsize::new(0);
        let cancel = Cancel::default();
        let count = |_| {
            if calls.fetch_add(1, Ordering::Relaxed) == stop {
                cancel.set();
            }
        };
        let [a, b, c] = rerankers().map(|reranker| reranker.before(count));
        let journal = Journal::open(folder.path(), "world", false).unwrap();
        let context = Context { cancel: cancel.clone(), ..Context::default() };
        let stopped = run_all(&world, [&a, &b, &c], Some(&journal), &context);
        let Err(error) = stopped else {
            // Only what stops the last call, or comes after it, may leave a whole record.
            assert!(calls.load(Ordering::Relaxed) <= stop + 1, "stop {stop} was ignored");
            assert!(stop > 30, "only {stop} calls");
            break;
        };
        assert!(error.to_string().contains("the same command goes on"), "{error}");
        drop(journal);

        let journal = Journal::open(folder.path(), "world", false).unwrap();
        let finished = journal.finished();
        let [a, b, c] = &rerankers();
        let resumed = run_all(&world, [a, b, c], Some(&journal), &Context::default()).unwrap();
        assert_eq!(timeless(resumed), expected);
        // All that was finished before is taken from there, warm-ups aside.
        let again = a.calls() + b.calls() + c.calls();
        assert!(finished + again <= 45 && finished + 8 >= stop, "{stop}: {finished} + {again}");
        journal.remove().unwrap();
        assert!(!folder.path().join(JOURNAL_FOLDER).exists());
    }
}

#[test]
fn killed_during_any_call_it_goes_on() {
    let world = World::new(4);
    let expected = reference(&world);
    let (folder, snapshots) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let calls = AtomicUsize::new(0);
    // What lies on the disk while a call is out is what a killed process leaves.
    let snapshot = |_| {
        let number = calls.fetch_add(1, Ordering::Relaxed);
        copy(folder.path(), &snapshots.path().join(number.to_string()));
    };
    let [a, b, c] = rerankers().map(|reranker| reranker.before(snapshot));
    let journal = Journal::open(folder.path(), "world", false).unwrap();
    let whole = run_all(&world, [&a, &b, &c], Some(&journal), &Context::default()).unwrap();
    assert_eq!(timeless(whole), expected);
    let calls = calls.load(Ordering::Relaxed);
    let mut finished = 0;
    for number in 0..calls {
        let left = snapshots.path().join(number.to_string());
        let journal = Journal::open(&left, "world", false).unwrap();
        assert!(journal.finished() >= finished && journal.damaged() == 0);
        finished = journal.finished();
        assert!(journal.in_flight().len() <= 1);
        let [a, b, c] = &rerankers();
        let resumed = run_all(&world, [a, b, c], Some(&journal), &Context::default()).unwrap();
        assert_eq!(timeless(resumed), expected);
    }
    assert!(finished > 20, "{finished}");
    let journal = Journal::open(&snapshots.path().join((calls - 1).to_string()), "world", false);
    // The call that was lost is told after it has been made again.
    assert_eq!(journal.unwrap().in_flight().len(), 1);
}

#[test]
fn a_changed_config_reuses_what_still_applies() {
    let mut world = World::new(4);
    let folder = tempfile::tempdir().unwrap();
    let [a, b, c] = &rerankers();
    let journal = Journal::open(folder.path(), "world", false).unwrap();
    run_all(&world, [a, b, c], Some(&journal), &Context::default()).unwrap();
    drop(journal);
    let config = r#"
name = "world"
measures = ["RR", "P@1"]
primary = "RR"
dataset = { kind = "beir", path = ".", split = "test" }
first_stage = { kind = "bm25", depth = 6 }
"#;
    world.experiment = Experiment::parse(config, "world.toml").unwrap();
    let journal = Journal::open(folder.path(), "world", false).unwrap();
    let [a, _, c] = &rerankers();
    let other_model = &Hashing::new("other", Scoring::Listwise);
    let context = Context::default();
    let resumed = run_all(&world, [a, other_model, c], Some(&journal), &context).unwrap();
    assert_eq!((a.calls(), c.calls()), (0, 0));
    assert!(other_model.calls() > 0);
    drop(journal);
    let expected = run_all(&world, [a, other_model, c], None, &context).unwrap();
    assert_eq!(timeless(resumed), timeless(expected));
    // Told to begin anew, it does.
    let journal = Journal::open(folder.path(), "world", true).unwrap();
    assert_eq!(journal.finished(), 0);
}

#[test]
fn failures_are_tried_again_and_what_they_consumed_counts() {
    use secondpass_core::{Failed, Job, RerankError, Reranked, Usage};

    struct Failing<'a>(Hashing<'a>);
    impl Reranker for Failing<'_> {
        fn identity(&self) -> &Identity {
            self.0.identity()
        }
        fn rerank_many(
            &self,
            jobs: &[Job],
            _: &Context,
            done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
        ) {
            let (query, source) = (jobs[0].query.id.clone(), "busy".into());
            let usage = Usage::free(0, 1);
            done(0, Err(Failed { error: RerankError::Scoring { query, source }, usage }));
        }
    }
    let world = World::new(3);
    let folder = tempfile::tempdir().unwrap();
    let run_one = |reranker: &dyn Reranker| {
        let journal = Journal::open(folder.path(), "world", false).unwrap();
        let plan = Plan {
            rerankers: &[Contender::new("a", reranker)],
            journal: Some(&journal),
            ..Plan::new(&world.experiment, &world.dataset, &world.candidates, "BM25")
        };
        run(&plan, &Context::default(), &mut |_| ()).unwrap().0.systems[1].clone()
    };
    let failed = run_one(&Failing(Hashing::new("a", Scoring::Pointwise)));
    assert_eq!((failed.failures.len(), failed.usage.tokens), (2, 2));
    let again = run_one(&Hashing::new("a", Scoring::Pointwise));
    assert_eq!((again.failures.len(), again.usage.tokens), (0, 2 + 120));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn whatever_becomes_of_the_journal_no_figure_is_wrong(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        twice in any::<bool>(),
    ) {
        let world = World::new(4);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(JOURNAL_FOLDER).join("0001.jsonl");
        let expected = {
            let journal = Journal::open(folder.path(), "world", false).unwrap();
            let [a, b, c] = &rerankers();
            timeless(run_all(&world, [a, b, c], Some(&journal), &Context::default()).unwrap())
        };
        let mut bytes = fs::read(&path).unwrap();
        if twice {
            bytes.extend(bytes.clone());
        }
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(&path, bytes).unwrap();
        let journal = Journal::open(folder.path(), "world", false).unwrap();
        let [a, b, c] = &rerankers();
        let resumed = run_all(&world, [a, b, c], Some(&journal), &Context::default()).unwrap();
        let (mut record, rows) = timeless(resumed);
        record.experiment.warnings.retain(|warning| !warning.contains(" of the journal w"));
        // Where the header is lost nobody knows whose times they are.
        for (system, expected) in record.systems.iter().zip(&expected.0.systems) {
            prop_assert_eq!(&system.quality, &expected.quality);
            prop_assert_eq!(&system.scores, &expected.scores);
            prop_assert_eq!(&system.usage, &expected.usage);
        }
        prop_assert_eq!(record.experiment.warnings, expected.0.experiment.warnings);
        for (row, expected) in rows.iter().zip(&expected.1) {
            prop_assert_eq!((&row.values, &row.top), (&expected.values, &expected.top));
        }
    }
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}
