use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use secondpass_core::{
    Cancel, Corpus, Dataset, Document, Failed, Job, Origin, Qrels, Query, Ranking, RerankError,
    Reranked, Reranker, Timings, TruncationAudit, Usage,
};

use super::*;
use crate::experiment::Experiment;
use crate::testing::identity;

const CONFIG: &str = r#"
name = "test"
measures = ["RR", "R@100", "Success@1"]
primary = "RR"
slices = ["kind", "absent"]
dataset = { kind = "beir", path = ".", split = "test" }
first_stage = { kind = "bm25", depth = 3 }
"#;

/// Four queries; the relevant document of each is `right`. Query `q4` has no candidates.
fn dataset() -> Dataset {
    let document = |id: &str| Document { id: id.into(), title: String::new(), text: id.to_owned() };
    let corpus = Corpus::new(["a", "b", "c", "right", "z"].map(document).to_vec()).unwrap();
    let query = |id: &str, kind: &str| Query {
        id: id.into(),
        text: format!("text of {id}"),
        attributes: [("kind".to_owned(), kind.to_owned())].into(),
    };
    let queries =
        vec![query("q1", "plain"), query("q2", "plain"), query("q3", "typo"), query("q4", "typo")];
    let mut qrels = Qrels::new();
    for query in &queries {
        qrels.insert(query.id.clone(), "right".into(), 1);
    }
    Dataset::new("set", "test", corpus, queries, qrels).unwrap()
}

/// `right` stands second for `q1`, first for `q2`, third for `q3`, and `z` below the depth.
fn candidates() -> Run {
    let mut run = Run::new("bm25");
    for (query, order) in [
        ("q1", ["a", "right", "b", "z"]),
        ("q2", ["right", "a", "b", "z"]),
        ("q3", ["a", "b", "right", "z"]),
    ] {
        let ranking =
            Ranking::from_scores((0..).zip(order).map(|(i, id)| (id.into(), -f64::from(i))));
        run.rankings.insert(query.into(), ranking.unwrap());
    }
    run
}

/// Answers each query by a function of its job, and notes which it was asked.
struct Fake<F> {
    identity: Identity,
    asked: Mutex<Vec<String>>,
    answer: F,
}

impl<F: Fn(&Job) -> Option<Result<Reranked, Failed>> + Send + Sync> Fake<F> {
    fn new(answer: F) -> Self {
        Self { identity: identity("fake"), asked: Mutex::default(), answer }
    }
}

impl<F: Fn(&Job) -> Option<Result<Reranked, Failed>> + Send + Sync> Reranker for Fake<F> {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn rerank_many(
        &self,
        jobs: &[Job],
        _: &Context,
        done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
    ) {
        for (position, job) in jobs.iter().enumerate() {
            self.asked.lock().unwrap().push(job.query.id.to_string());
            if let Some(answer) = (self.answer)(job) {
                done(position, answer);
            }
        }
    }
}

/// `right` first, the others as they came.
fn right_first(job: &Job) -> Reranked {
    let scores = job.candidates.iter().map(|candidate| {
        let id = candidate.document.id.clone();
        let score = if id.as_str() == "right" { 9.0 } else { -(candidate.rank as f64) };
        (id, score)
    });
    let mut audit = TruncationAudit::default();
    job.candidates.iter().for_each(|_| audit.note(10, 1));
    Reranked {
        ranking: Ranking::from_scores(scores).unwrap(),
        usage: Usage::free(job.candidates.len() as u64, 30),
        timings: Timings::default(),
        truncation: Some(audit),
        origin: Origin::Live,
    }
}

fn run_with(
    fake: &dyn Reranker,
    context: &Context,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(Record, Vec<QueryRow>), RunError> {
    let experiment = Experiment::parse(CONFIG, "test.toml").unwrap();
    let (dataset, candidates) = (dataset(), candidates());
    let plan = Plan {
        rerankers: &[Contender::new("fake", fake)],
        oracle: Some(fake),
        demonstration: Some("made up"),
        ..Plan::new(&experiment, &dataset, &candidates, "BM25")
    };
    run(&plan, context, progress)
}

#[test]
fn everything_measured_stands_in_the_record() {
    let fake = Fake::new(|job| Some(Ok(right_first(job))));
    let mut steps = Vec::new();
    let (record, rows) = run_with(&fake, &Context::default(), &mut |progress| {
        steps.push((progress.system.to_owned(), progress.done));
    })
    .unwrap();

    assert_eq!(record.dataset.queries, 4);
    assert_eq!(record.candidates.depth, 3);
    assert_eq!(record.candidates.mean, 9.0 / 4.0);
    assert_eq!(record.candidates.with_relevant, 0.75);
    assert_eq!(record.experiment.demonstration.as_deref(), Some("made up"));

    let [first_stage, reranker, oracle] = &record.systems[..] else { panic!("three systems") };
    let close = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-12, "{value}");
    close(first_stage.quality[0].mean, (0.5 + 1.0 + 1.0 / 3.0) / 4.0);
    close(reranker.quality[0].mean, 0.75);
    assert_eq!((reranker.quality[0].queries, reranker.quality[0].missing), (4, 1));
    assert_eq!(first_stage.versus_first_stage, None);
    let difference = reranker.versus_first_stage.as_ref().unwrap();
    assert_eq!((difference.helped, difference.hurt, difference.unchanged), (2, 0, 2));
    close(reranker.agreement[0].overlap, 1.0 / 3.0);
    close(reranker.agreement[1].overlap, 1.0);
    let cutoffs: Vec<usize> = reranker.agreement.iter().map(|agreement| agreement.k).collect();
    assert_eq!(cutoffs, [1, 3, 5, 10]);
    // The warm-up counts neither as a sample nor as usage.
    assert_eq!(reranker.latency.as_ref().unwrap().samples, 3);
    assert_eq!(reranker.usage, Usage::free(9, 90));
    assert_eq!(reranker.truncation.unwrap().pairs_cut, 9);
    assert_eq!((oracle.role, oracle.latency.as_ref()), (Role::Oracle, None));
    let slices: Vec<_> =
        reranker.slices.iter().map(|slice| (slice.value.as_str(), slice.estimate.mean)).collect();
    assert_eq!(slices, [("plain", 1.0), ("typo", 0.5)]);
    assert!(record.experiment.warnings.iter().any(|warning| warning.contains("'absent'")));
    assert!(record.experiment.warnings.iter().any(|warning| warning.starts_with("R@100 looks")));

    assert_eq!(fake.asked.lock().unwrap().join(" "), "q1 q1 q2 q3 q1 q2 q3");
    assert_eq!(steps.first(), Some(&("fake".to_owned(), 0)));
    assert_eq!(steps.last(), Some(&(ORACLE.to_owned(), 4)));

    assert_eq!(rows.len(), 12);
    let row = |system: &str, query: &str| {
        rows.iter().find(|row| row.system == system && row.query.as_str() == query).unwrap()
    };
    assert_eq!(row("fake", "q1").top.as_deref(), Some("right"));
    assert_eq!((row("fake", "q1").tokens, row("fake", "q1").pairs_cut), (30, Some(3)));
    assert!(row("fake", "q1").seconds.is_some() && row(FIRST_STAGE, "q1").seconds.is_none());
    assert_eq!(row("fake", "q4").top, None);
    assert_eq!(row(FIRST_STAGE, "q1").candidates, 3);
}

#[test]
fn failures_score_zero_and_are_listed() {
    let fake = Fake::new(|job: &Job| match job.query.id.as_str() {
        "q1" => Some(Err(Failed {
            error: RerankError::Scoring { query: job.query.id.clone(), source: "broken".into() },
            usage: Usage::free(1, 7),
        })),
        "q2" => None,
        _ => {
            let mut reranked = right_first(job);
            reranked.ranking = reranked.ranking.cut(2);
            Some(Ok(reranked))
        }
    });
    let (record, _) = run_with(&fake, &Context::default(), &mut |_| ()).unwrap();
    let reranker = &record.systems[1];
    let reasons: Vec<&str> = reranker.failures.values().map(String::as_str).collect();
    assert_eq!(
        reasons,
        [
            "query 'q1': broken",
            "the reranker gave no answer",
            "the reranker gave 2 of 3 candidates back",
        ]
    );
    assert_eq!((reranker.quality[0].mean, reranker.quality[0].missing), (0.0, 4));
    assert_eq!(reranker.usage, Usage::free(4, 37));
    assert_eq!((reranker.latency.as_ref(), reranker.truncation), (None, None));
    assert!(
        record.experiment.warnings.iter().any(|line| line.contains("failed on 3 of 4 queries"))
    );
}

#[test]
fn one_answer_without_an_audit_makes_it_unknown() {
    let fake = Fake::new(|job: &Job| {
        let mut reranked = right_first(job);
        if job.query.id.as_str() == "q2" {
            reranked.truncation = None;
        }
        Some(Ok(reranked))
    });
    let (record, rows) = run_with(&fake, &Context::default(), &mut |_| ()).unwrap();
    assert_eq!(record.systems[1].truncation, None);
    let cut: Vec<_> =
        rows.iter().filter(|row| row.system == "fake").map(|row| row.pairs_cut).collect();
    assert_eq!(cut, [Some(3), None, Some(3), None]);
}

#[test]
fn the_user_can_stop_it() {
    let cancel = Cancel::default();
    let context = Context { cancel: cancel.clone(), ..Context::default() };
    let calls = AtomicUsize::new(0);
    let fake = Fake::new(|job: &Job| {
        // The warm-up is the first call, so the third reranks the second query.
        if calls.fetch_add(1, Ordering::Relaxed) == 2 {
            cancel.set();
        }
        Some(Ok(right_first(job)))
    });
    let stopped = run_with(&fake, &context, &mut |_| ()).unwrap_err();
    let message = stopped.to_string();
    assert!(message.starts_with("stopped after 2 of 4 queries of 'fake'; nothing"), "{message}");
}

#[test]
fn candidates_outside_the_corpus_are_refused() {
    let mut candidates = candidates();
    let stranger = Ranking::from_scores([("stranger".into(), 1.0)]).unwrap();
    candidates.rankings.insert("q1".into(), stranger);
    let experiment = Experiment::parse(CONFIG, "test.toml").unwrap();
    let dataset = dataset();
    let plan = Plan::new(&experiment, &dataset, &candidates, "BM25");
    let error = run(&plan, &Context::default(), &mut |_| ()).unwrap_err();
    assert!(error.to_string().starts_with("query 'q1' has candidate 'stranger'"), "{error}");
}

#[test]
fn no_candidates_at_all_are_refused_with_examples() {
    let experiment = Experiment::parse(CONFIG, "test.toml").unwrap();
    let (dataset, mut strangers) = (dataset(), Run::new("bm25"));
    let message = |candidates: &Run| {
        let plan = Plan::new(&experiment, &dataset, candidates, "BM25");
        run(&plan, &Context::default(), &mut |_| ()).unwrap_err().to_string()
    };
    strangers.rankings.insert("q1".into(), Ranking::default());
    assert_eq!(
        message(&strangers),
        "no query of the dataset has candidates: the dataset asks query 'q1', and the first stage \
         found nothing for it or for any other; give the candidates the query ids of the dataset"
    );
    let found = Ranking::from_scores([("a".into(), 1.0)]).unwrap();
    strangers.rankings.insert("query-1".into(), found);
    assert!(
        message(&strangers).contains("'q1', and the candidates are for others, such as 'query-1'")
    );
}

#[test]
fn no_measure_no_verdict() {
    let config = CONFIG.replace("\"RR\",", "\"Bpref\",").replace("= \"RR\"", "= \"Bpref\"");
    let experiment = Experiment::parse(&config, "test.toml").unwrap();
    let (dataset, candidates) = (dataset(), candidates());
    let fake = Fake::new(|job| Some(Ok(right_first(job))));
    let rerankers = [Contender::new("fake", &fake)];
    let plan =
        Plan { rerankers: &rerankers, ..Plan::new(&experiment, &dataset, &candidates, "BM25") };
    let (record, _) = run(&plan, &Context::default(), &mut |_| ()).unwrap();
    let system = &record.systems[1];
    assert_eq!((system.quality[0].queries, system.quality[0].missing), (0, 0));
    assert_eq!((&system.comparison, record.statistics.corrected_over), (&None, 0));
    assert!(record.experiment.warnings.iter().any(|told| told.contains("Bpref applies to none")));
    assert!(crate::finding(&record).starts_with("Nothing was compared"));
}
