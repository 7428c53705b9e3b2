//! Scores of earlier experiments give quality, and never a time.

use std::fs;

use proptest::prelude::*;
use secondpass_core::{Job, Reranker};

use super::world::{Hashing, World};
use super::*;
use crate::answer::Answer;
use crate::cache::ScoreCache;
use crate::experiment::Experiment;

fn run_cached(world: &World, reranker: &dyn Reranker, cache: &ScoreCache) -> SystemRecord {
    let plan = Plan {
        rerankers: &[Contender::new("a", reranker)],
        sweep: Sweep { depths: Vec::new(), timed_queries: 2 },
        cache: Some(cache),
        ..Plan::new(&world.experiment, &world.dataset, &world.candidates, "BM25")
    };
    let (record, rows) = run(&plan, &Context::default(), &mut |_| ()).unwrap();
    let timed = rows.iter().filter(|row| row.system == "a" && row.seconds.is_some()).count();
    let system = record.systems[1].clone();
    assert_eq!(system.latency.as_ref().map_or(0, |latency| latency.samples), timed);
    system
}

#[test]
fn a_second_experiment_asks_for_times_only() {
    let world = World::new(8);
    for scoring in [Scoring::Pointwise, Scoring::Listwise] {
        let folder = tempfile::tempdir().unwrap();
        let cache = ScoreCache::open(&folder.path().join("scores")).unwrap();
        let first = Hashing::new("a", scoring);
        let before = run_cached(&world, &first, &cache);
        assert_eq!((before.cached, first.calls()), (0, 7 + 1));
        let second = Hashing::new("a", scoring);
        let after = run_cached(&world, &second, &cache);
        assert_eq!((after.cached, second.calls()), (5, 2 + 1));
        assert_eq!(after.latency.as_ref().unwrap().samples, 2);
        assert_eq!((&after.quality, &after.scores), (&before.quality, &before.scores));
        assert_eq!(after.truncation, before.truncation);
        assert_eq!(after.usage.pairs, 2 * 6);

        let other = Hashing::new("other", scoring);
        assert_eq!(run_cached(&world, &other, &cache).cached, 0);
        let size = cache.size().unwrap();
        assert!(size.rerankers == 2 && size.bytes > 0);
        fs::write(folder.path().join("scores/notes.txt"), "mine").unwrap();
        assert_eq!(cache.purge().unwrap(), size);
        assert_eq!(cache.size().unwrap(), Default::default());
        assert!(folder.path().join("scores/notes.txt").exists());
    }
}

/// The world with fewer candidates.
fn shallow() -> World {
    let config = r#"
name = "world"
measures = ["nDCG@5"]
primary = "nDCG@5"
dataset = { kind = "beir", path = ".", split = "test" }
first_stage = { kind = "bm25", depth = 3 }
"#;
    World { experiment: Experiment::parse(config, "world.toml").unwrap(), ..World::new(8) }
}

#[test]
fn another_depth_profits_where_pairs_stand_alone() {
    let shallow = shallow();
    for (scoring, cached) in [(Scoring::Pointwise, 5), (Scoring::Listwise, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let cache = ScoreCache::open(folder.path()).unwrap();
        run_cached(&World::new(8), &Hashing::new("a", scoring), &cache);
        let found = run_cached(&shallow, &Hashing::new("a", scoring), &cache);
        assert_eq!(found.cached, cached);
        let empty = tempfile::tempdir().unwrap();
        let empty = ScoreCache::open(empty.path()).unwrap();
        let expected = run_cached(&shallow, &Hashing::new("a", scoring), &empty);
        assert_eq!((&found.quality, &found.scores), (&expected.quality, &expected.scores));
        // Pairs alone do not tell what was cut of a query.
        assert_eq!(found.truncation.is_none(), scoring == Scoring::Pointwise);
    }
}

#[test]
fn a_cache_that_cannot_be_written_costs_no_figure() {
    let world = World::new(4);
    let folder = tempfile::tempdir().unwrap();
    let cache = ScoreCache::open(&folder.path().join("scores")).unwrap();
    fs::remove_dir(folder.path().join("scores")).unwrap();
    fs::write(folder.path().join("scores"), "a file in its place").unwrap();
    let reranker = Hashing::new("a", Scoring::Pointwise);
    let plan = Plan {
        rerankers: &[Contender::new("a", &reranker)],
        cache: Some(&cache),
        ..Plan::new(&world.experiment, &world.dataset, &world.candidates, "BM25")
    };
    let (record, _) = run(&plan, &Context::default(), &mut |_| ()).unwrap();
    assert_eq!(record.systems[1].latency.as_ref().unwrap().samples, 3);
    let told = record.experiment.warnings.iter().filter(|w| w.starts_with("The cache of scores"));
    assert_eq!(told.count(), 1);
}

#[test]
fn what_rests_on_more_than_texts_and_weights_is_never_kept() {
    let folder = tempfile::tempdir().unwrap();
    let cache = ScoreCache::open(folder.path()).unwrap();
    let mut identity = crate::testing::identity("x");
    let is_kept = |identity: &Identity| cache.shelf(identity).unwrap().is_some();
    assert!(!is_kept(&identity));
    identity.provider = "vendor".to_owned();
    assert!(is_kept(&identity));
    identity.device = Some("flex".to_owned());
    assert!(!is_kept(&identity));
    identity.weights = Some(secondpass_core::ContentHash::of(b"weights"));
    assert!(is_kept(&identity));
}

#[test]
fn many_writers_lose_nothing() {
    let world = World::new(40);
    let folder = tempfile::tempdir().unwrap();
    let cache = ScoreCache::open(folder.path()).unwrap();
    let halves = [0, 1].map(|half| {
        let mut world = World::new(40);
        let mut turn = 0;
        world.candidates.rankings.retain(|_, _| {
            turn += 1;
            turn % 2 == half
        });
        world
    });
    std::thread::scope(|scope| {
        for half in &halves {
            let cache = &cache;
            scope.spawn(move || run_cached(half, &Hashing::new("a", Scoring::Pointwise), cache));
        }
    });
    let all = run_cached(&world, &Hashing::new("a", Scoring::Pointwise), &cache);
    assert_eq!(all.cached, 39 - 2);
}

proptest! {
    #[test]
    fn whatever_becomes_of_the_file_no_score_is_wrong(
        listwise in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let scoring = if listwise { Scoring::Listwise } else { Scoring::Pointwise };
        let (world, reranker) = (World::new(6), Hashing::new("a", scoring));
        let folder = tempfile::tempdir().unwrap();
        let cache = ScoreCache::open(folder.path()).unwrap();
        let shelf = || cache.shelf(reranker.identity()).unwrap().unwrap();
        let queries = &world.dataset.queries()[..5];
        let jobs: Vec<_> = queries
            .iter()
            .map(|query| Job::new(&world.dataset, query, &world.candidates, 6))
            .collect();
        let mut expected = Vec::new();
        reranker.rerank_many(&jobs, &Context::default(), &mut |place, result| {
            let reranked = result.unwrap();
            shelf().put(&jobs[place], &Answer::new(&jobs[place], &reranked).unwrap()).unwrap();
            expected.push(reranked);
        });
        let path = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(&path, bytes).unwrap();
        let damaged = shelf();
        for (job, expected) in jobs.iter().zip(&expected) {
            match damaged.get(job) {
                Some(found) => prop_assert_eq!(&found.ranking, &expected.ranking),
                None => damaged.put(job, &Answer::new(job, expected).unwrap()).unwrap(),
            }
        }
        // What is added after the damage is whole.
        let mended = shelf();
        for (job, expected) in jobs.iter().zip(&expected) {
            prop_assert_eq!(&mended.get(job).unwrap().ranking, &expected.ranking);
        }
    }
}
