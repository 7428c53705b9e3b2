//! Figures at smaller depths and other lengths, against runs that were given no more.

use secondpass_core::{Failed, Job, Origin, Reranked};

use super::world::{Hashing, World};
use super::*;
use crate::evaluate::evaluate;
use crate::experiment::Experiment;

fn plan<'a>(world: &'a World, rerankers: &'a [Contender<'a>]) -> Plan<'a> {
    Plan { rerankers, ..Plan::new(&world.experiment, &world.dataset, &world.candidates, "BM25") }
}

fn record(plan: &Plan<'_>) -> Record {
    run(plan, &Context::default(), &mut |_| ()).unwrap().0
}

/// The world with only so many candidates, measured on the primary measure with the others below.
fn at_depth(scoring: Scoring, depth: usize) -> f64 {
    let world = World::new(8);
    let reranker = Hashing::new("a", scoring);
    let mut total = 0.0;
    for query in world.dataset.queries() {
        let job = Job::new(&world.dataset, query, &world.candidates, depth);
        if job.candidates.is_empty() {
            continue;
        }
        let mut given = None;
        reranker.rerank_many(&[job], &Context::default(), &mut |_, r| given = r.ok());
        let ranked = given.unwrap().ranking;
        let rest = world.candidates.rankings[&query.id].documents().skip(depth).cloned();
        let whole = Ranking::with_unscored([], ranked.documents().cloned().chain(rest));
        let mut run = Run::new("run");
        run.rankings.insert(query.id.clone(), whole.unwrap());
        let values = evaluate(&run, world.dataset.qrels(), &world.experiment.measures[..1]);
        total += values.queries.iter().find(|row| row.query == query.id).unwrap().values[0];
    }
    total / 8.0
}

#[test]
fn depths_are_as_if_no_more_had_been_given() {
    let world = World::new(8);
    for scoring in [Scoring::Pointwise, Scoring::Listwise] {
        let reranker = Hashing::new("a", scoring);
        let contenders = [Contender::new("a", &reranker)];
        let sweep = Sweep { depths: vec![4, 2, 9, 6, 2], timed_queries: 3 };
        let record = record(&Plan { sweep, ..plan(&world, &contenders) });
        let [first_stage, system] = &record.systems[..] else { panic!("two systems") };
        assert!(first_stage.depths.is_empty());
        let depths: Vec<usize> = system.depths.iter().map(|point| point.depth).collect();
        assert_eq!(depths, [2, 4, 6]);
        for point in &system.depths {
            let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
            close(point.estimate.mean, at_depth(scoring, point.depth));
            close(point.versus_first_stage.mean, point.estimate.mean - first_stage.quality[0].mean);
            assert!(point.oracle >= point.estimate.mean);
            assert_eq!(point.pairs, point.depth as f64);
            let timed = match (scoring, point.depth) {
                (Scoring::Pointwise, 2 | 4) => 3,
                _ => 7,
            };
            assert_eq!(point.latency.as_ref().unwrap().samples, timed);
        }
        assert!(system.depths.windows(2).all(|pair| pair[0].oracle <= pair[1].oracle));
        assert_eq!(system.depths[2].estimate, system.quality[0]);
        let warnings = &record.experiment.warnings;
        assert!(warnings.iter().any(|warning| warning.contains("leaves out depth 9:")));
        let calls = if scoring == Scoring::Pointwise { 7 + 2 * 3 + 3 } else { 3 * 7 + 3 };
        assert_eq!(reranker.calls(), calls);
    }
}

#[test]
fn lengths_stand_beside_the_own_one() {
    let world = World::new(4);
    let [own, short, long] = ["own", "short", "long"].map(|m| Hashing::new(m, Scoring::Pointwise));
    let lengths = [
        LengthVariant { max_length: 1024, reranker: &long },
        LengthVariant { max_length: 64, reranker: &short },
    ];
    let contenders = [Contender { lengths: &lengths, ..Contender::new("a", &own) }];
    let system = &record(&plan(&world, &contenders)).systems[1];
    let lengths: Vec<usize> = system.lengths.iter().map(|point| point.max_length).collect();
    assert_eq!(lengths, [64, 512, 1024]);
    assert_eq!(system.lengths[1].estimate, system.quality[0]);
    assert_eq!(system.lengths[1].truncation, system.truncation);
    assert_ne!(system.lengths[0].estimate.mean, system.lengths[2].estimate.mean);
    assert!(system.lengths.iter().all(|point| point.latency.as_ref().unwrap().samples == 3));
    assert!(system.depths.is_empty());
}

#[test]
fn progress_counts_passes_to_the_end() {
    let world = World::new(4);
    let reranker = Hashing::new("a", Scoring::Pointwise);
    let lengths = [LengthVariant { max_length: 64, reranker: &reranker }];
    let contenders = [Contender { lengths: &lengths, ..Contender::new("a", &reranker) }];
    let plan = Plan {
        sweep: Sweep { depths: vec![2], timed_queries: 2 },
        repetitions: 2,
        oracle: Some(&reranker),
        ..plan(&world, &contenders)
    };
    let mut seen = Vec::new();
    run(&plan, &Context::default(), &mut |step| {
        assert_eq!(step.passes, 5);
        if step.done == step.queries {
            seen.push((step.number, step.pass.to_owned(), step.queries, step.reused));
        }
    })
    .unwrap();
    let expected = [(1, "", 4, 1), (2, "repetition 2", 3, 0), (3, "depth 2", 2, 0)];
    let rest = [(4, "length 64", 4, 1), (5, "", 4, 1)];
    let expected = expected.into_iter().chain(rest);
    let expected: Vec<_> = expected
        .map(|(number, pass, all, reused)| (number, pass.to_owned(), all, reused))
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn repetitions_add_samples_and_tell_what_moves() {
    let world = World::new(4);
    let steady = Hashing::new("a", Scoring::Pointwise);
    let contenders = [Contender::new("a", &steady)];
    let once = record(&plan(&world, &contenders));
    let thrice = record(&Plan { repetitions: 3, ..plan(&world, &contenders) });
    assert_eq!(thrice.systems[1].latency.as_ref().unwrap().samples, 9);
    assert_eq!(thrice.systems[1].quality, once.systems[1].quality);
    assert_eq!(thrice.systems[1].usage, once.systems[1].usage);
    assert_eq!(thrice.experiment.warnings, once.experiment.warnings);

    /// Turns its order round from pass to pass: a warm-up and three queries.
    struct Moody<'a>(Hashing<'a>);
    impl Reranker for Moody<'_> {
        fn identity(&self) -> &Identity {
            self.0.identity()
        }
        fn rerank_many(
            &self,
            jobs: &[Job],
            context: &Context,
            done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
        ) {
            let sign = if (self.0.calls() / 4).is_multiple_of(2) { 1.0 } else { -1.0 };
            self.0.rerank_many(jobs, context, &mut |position, result| {
                let reranked = result.unwrap();
                let scores = reranked.ranking.ranked().iter();
                let scores = scores.map(|r| (r.document.clone(), sign * r.score.unwrap()));
                let ranking = Ranking::from_scores(scores).unwrap();
                done(position, Ok(Reranked { ranking, ..reranked }));
            });
        }
    }
    let moody = Moody(Hashing::new("a", Scoring::Pointwise));
    let contenders = [Contender::new("moody", &moody)];
    let record = record(&Plan { repetitions: 2, ..plan(&world, &contenders) });
    let told = record.experiment.warnings.iter().find(|warning| warning.starts_with("moody ord"));
    assert!(told.is_some_and(|told| told.contains(" of 3 queries differently")), "{told:?}");
}

#[test]
fn extremes_show_what_stood_on_top() {
    let world = World::new(30);
    let reranker = Hashing::new("a", Scoring::Pointwise);
    let contenders = [Contender::new("a", &reranker)];
    let plan = Plan { texts: &|text| Some(format!("<{text}>")), ..plan(&world, &contenders) };
    let (record, rows) = run(&plan, &Context::default(), &mut |_| ()).unwrap();
    let system = &record.systems[1];
    let difference = system.versus_first_stage.as_ref().unwrap();
    assert_eq!(system.most_hurt.len(), difference.hurt.min(10));
    assert_eq!(system.most_helped.len(), difference.helped.min(10));
    assert!(!system.most_hurt.is_empty() && !system.most_helped.is_empty());
    let gain = |change: &crate::QueryChange| change.after - change.before;
    assert!(system.most_hurt.is_sorted_by_key(gain));
    assert!(system.most_helped.is_sorted_by_key(|change| -gain(change)));
    let worst = (rows.iter().zip(rows.iter().skip(30)))
        .take(30)
        .map(|(before, after)| after.values[0] - before.values[0])
        .fold(0.0, f64::min);
    let hurt = &system.most_hurt[0];
    assert_eq!(gain(hurt), worst);
    let query = world.dataset.queries().iter().find(|query| query.id == hurt.query).unwrap();
    assert_eq!(hurt.text.as_deref(), Some(&*format!("<{}>", query.text)));
    let ranks: Vec<usize> = hurt.top_before.iter().map(|shown| shown.first_stage_rank).collect();
    assert_eq!(ranks, [1, 2, 3]);
    assert_eq!(hurt.top_after.len(), 3);
    for shown in &hurt.top_after {
        let first_stage = &world.candidates.rankings[&hurt.query];
        let place = first_stage.documents().position(|id| *id == shown.document).unwrap();
        assert_eq!(shown.first_stage_rank, place + 1);
        assert_eq!(shown.grade, world.dataset.qrels().grade(&hurt.query, &shown.document));
        assert!(shown.text.as_ref().unwrap().starts_with("<text of document"));
    }
    let scores = system.scores.as_ref().unwrap();
    let counted: u64 =
        [&scores.relevant, &scores.not_relevant, &scores.unjudged].into_iter().flatten().sum();
    assert_eq!(counted, 29 * 6);
    assert!(record.systems[0].scores.is_none() && record.systems[0].most_hurt.is_empty());
}

#[test]
fn retrievers_are_measured_as_they_rank() {
    let config = r#"
name = "world"
measures = ["RR"]
primary = "RR"
dataset = { kind = "beir", path = ".", split = "test" }
first_stage = { kind = "bm25", depth = 2 }
"#;
    let mut world = World::new(3);
    world.experiment = Experiment::parse(config, "world.toml").unwrap();
    let mut best = Run::new("dense");
    for (query, judged) in world.dataset.qrels().iter() {
        let order = judged.iter().map(|(document, grade)| (document.clone(), f64::from(*grade)));
        let ranking = Ranking::from_scores(order).unwrap();
        best.rankings.insert(query.clone(), ranking);
    }
    let retrievers = [Retriever { name: "dense", description: "dense model", run: &best }];
    let plan =
        Plan { retrievers: &retrievers, first_stage_seconds: Some(1.5), ..plan(&world, &[]) };
    let (record, rows) = run(&plan, &Context::default(), &mut |_| ()).unwrap();
    let system = &record.systems[1];
    assert_eq!((system.role, system.name.as_str()), (Role::Retriever, "dense"));
    assert_eq!(system.identity.model, "dense model");
    assert_eq!((system.quality[0].mean, system.unjudged.low), (1.0, 1.0));
    assert!(system.versus_first_stage.as_ref().unwrap().mean > 0.0);
    assert_eq!(system.comparison.as_ref().unwrap().queries, 3);
    assert_eq!(record.statistics.corrected_over, 0, "a family of its own");
    assert!(system.agreement.is_empty() && system.latency.is_none());
    assert_eq!(record.candidates.seconds, Some(1.5));
    assert_eq!(rows.iter().filter(|row| row.system == "dense" && row.candidates == 2).count(), 3);
}

#[test]
fn depths_that_no_query_reaches_are_left_out() {
    let mut world = World::new(8);
    for ranking in world.candidates.rankings.values_mut() {
        *ranking = ranking.cut(3);
    }
    let reranker = Hashing::new("a", Scoring::Pointwise);
    let contenders = [Contender::new("a", &reranker)];
    let depths = |depths: Vec<usize>| {
        let sweep = Sweep { depths, timed_queries: 1 };
        let record = record(&Plan { sweep, ..plan(&world, &contenders) });
        let swept: Vec<usize> = record.systems[1].depths.iter().map(|point| point.depth).collect();
        (swept, record.experiment.warnings.join(" "))
    };
    let (swept, warnings) = depths(vec![2, 3, 4, 6]);
    assert_eq!(swept, [2, 6]);
    assert!(warnings.contains("leaves out depth 3, 4: no query has more than 3 candidates"));
    assert!(depths(vec![4, 6]).0.is_empty());
}

#[test]
fn a_reranker_that_could_change_few_queries_is_not_equivalent() {
    let mut world = World::new(30);
    /// Every candidate stays where it was.
    struct Still(Identity);
    impl Reranker for Still {
        fn identity(&self) -> &Identity {
            &self.0
        }
        fn rerank_many(
            &self,
            jobs: &[Job],
            _: &Context,
            done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
        ) {
            for (position, job) in jobs.iter().enumerate() {
                let ids = job.candidates.iter().map(|candidate| candidate.document.id.clone());
                done(
                    position,
                    Ok(Reranked {
                        ranking: Ranking::with_unscored([], ids).unwrap(),
                        usage: Default::default(),
                        timings: Default::default(),
                        truncation: None,
                        origin: Origin::Live,
                    }),
                );
            }
        }
    }
    let still = Still(crate::testing::identity("still"));
    let contenders = [Contender::new("still", &still)];
    let verdict = |world: &World| {
        let comparison = record(&plan(world, &contenders)).systems[1].comparison.clone().unwrap();
        (comparison.verdict, comparison.queries)
    };
    assert_eq!(verdict(&world), (Verdict::Equivalent, 30));
    for ranking in world.candidates.rankings.values_mut().skip(5) {
        *ranking = ranking.cut(1);
    }
    assert_eq!(verdict(&world), (Verdict::CannotTell, 5));
}
