use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use secondpass_core::{
    Corpus, Document, Failed, Identity, Job, Origin, Qrels, Query, Ranking, RerankError, Reranked,
    Reranker, Scoring, Timings, Usage,
};
use secondpass_data::training::{self, Layout};

use super::*;
use crate::testing::query;

/// Queries `q0` to `q5`, documents `d0` to `d39`; `d0` is relevant to all, `d1` too by its text, `d5`
/// is judged not relevant. The run has all documents in order, scored 0.99, 0.98, ….
struct Fixture {
    dataset: Dataset,
    run: Run,
}

fn id(number: usize) -> String {
    format!("d{number}")
}

impl Fixture {
    fn new() -> Self {
        let document = |number: usize| Document {
            id: id(number).into(),
            title: String::new(),
            text: match number {
                1 => "Text number 0!".to_owned(),
                number => format!("text number {number}"),
            },
        };
        let corpus = Corpus::new((0..40).map(document).collect()).unwrap();
        let queries: Vec<Query> =
            (0..6).map(|number| query(&format!("q{number}"), &format!("query {number}"))).collect();
        let (mut qrels, mut run) = (Qrels::new(), Run::new("run"));
        for query in &queries {
            qrels.insert(query.id.clone(), "d0".into(), 1);
            qrels.insert(query.id.clone(), "d5".into(), 0);
            let scores = (0..40).map(|n| (id(n).into(), 0.99 - n as f64 / 100.0));
            run.rankings.insert(query.id.clone(), Ranking::from_scores(scores).unwrap());
        }
        let dataset = Dataset::new("set", "train", corpus, queries, qrels).unwrap();
        Self { dataset, run }
    }

    fn mine(&self, selection: &Selection) -> Result<Mining, MineError> {
        mine(&self.dataset, &self.run, selection, None, &Context::default(), &mut |_, _| {})
    }

    fn taught(
        &self,
        selection: &Selection,
        reranker: &dyn Reranker,
        journal: &mut TeacherJournal,
    ) -> Result<Mining, MineError> {
        let teacher = Teacher { reranker, logits: true };
        let context = Context::default();
        mine(
            &self.dataset,
            &self.run,
            selection,
            Some((teacher, journal)),
            &context,
            &mut |_, _| {},
        )
    }
}

fn negatives(mining: &Mining, query: usize) -> Vec<&str> {
    mining.queries[query].negatives.iter().map(|mined| mined.document.as_str()).collect()
}

fn selection() -> Selection {
    Selection { ranks: (1, 20), num_negatives: 3, ..Selection::default() }
}

#[test]
fn ranks_count_from_one_and_what_is_judged_comes_first() {
    let fixture = Fixture::new();
    let mining = fixture.mine(&selection()).unwrap();
    // d1 says what d0 says.
    assert_eq!(negatives(&mining, 0), ["d5", "d2", "d3"]);
    let mining = fixture.mine(&Selection { ranks: (11, 12), ..selection() }).unwrap();
    assert_eq!(negatives(&mining, 0), ["d5", "d10", "d11"]);
    let mining = fixture.mine(&Selection { ranks: (12, 12), ..selection() }).unwrap();
    assert_eq!(negatives(&mining, 0), ["d5", "d11"]);
    assert_eq!((mining.stats.short, mining.stats.judged, mining.stats.mined), (6, 6, 6));
    assert_eq!(mining.queries[0].positives[0].document.as_str(), "d0");
}

#[test]
fn what_answers_the_same_question_elsewhere_is_no_negative() {
    let fixture = Fixture::new();
    let mut queries = fixture.dataset.queries().to_vec();
    queries.push(query("q6", "Query 0?"));
    let (corpus, mut qrels) = (fixture.dataset.corpus().clone(), fixture.dataset.qrels().clone());
    for relevant in ["d2", "d5"] {
        qrels.insert("q6".into(), relevant.into(), 1);
    }
    let dataset = Dataset::new("set", "train", corpus, queries, qrels).unwrap();
    let mining = Fixture { dataset, run: fixture.run }.mine(&selection()).unwrap();
    assert_eq!(negatives(&mining, 0), ["d3", "d4", "d6"]);
    assert_eq!(negatives(&mining, 1), ["d5", "d2", "d3"]);
}

#[test]
fn margins_hold_against_the_lowest_positive() {
    let fixture = Fixture::new();
    let relative = Selection { relative_margin: Some(0.05), ..selection() };
    let mining = fixture.mine(&relative).unwrap();
    // 0.95 of 0.99 is 0.9405: d5 is judged, d2 to d4 are too near.
    assert_eq!(negatives(&mining, 0), ["d5", "d6", "d7"]);
    assert_eq!((mining.stats.above_margin, mining.stats.same_text), (18, 6));
    for query in &mining.queries {
        for mined in &query.negatives[1..] {
            assert!(mined.score.unwrap() <= 0.95 * 0.99);
        }
    }
    let absolute = Selection { absolute_margin: Some(0.1), ..selection() };
    assert_eq!(negatives(&fixture.mine(&absolute).unwrap(), 0), ["d5", "d10", "d11"]);
    let bounds = Selection { max_score: Some(0.9), min_score: Some(0.895), ..selection() };
    assert_eq!(negatives(&fixture.mine(&bounds).unwrap(), 0), ["d5", "d9"]);
}

#[test]
fn a_share_of_scores_without_a_zero_is_refused_with_the_reason() {
    let mut fixture = Fixture::new();
    let scores = (0..40).map(|n| (id(n).into(), 20.0 - n as f64));
    let ranking = Ranking::from_scores(scores).unwrap();
    fixture.run.rankings.insert("q3".into(), ranking);
    let selection = Selection { relative_margin: Some(0.05), ..selection() };
    let error = fixture.mine(&selection).unwrap_err().to_string();
    assert!(error.starts_with("query 'q3': the score 20 is not from 0 to 1"), "{error}");
    assert!(error.contains("Use an absolute margin, or a teacher"), "{error}");
}

#[test]
fn cosines_below_zero_do_not_stop_a_share() {
    let mut fixture = Fixture::new();
    let mut cosines = |query: &str, positive: f64| {
        let scores = (0..40).map(|n| (id(n).into(), positive - 0.3 - n as f64 / 100.0));
        let scores = scores.filter(|(id, _): &(DocId, f64)| id.as_str() != "d0");
        let scores = scores.chain([("d0".into(), positive)]);
        fixture.run.rankings.insert(query.into(), Ranking::from_scores(scores).unwrap());
    };
    cosines("q2", 0.4);
    cosines("q3", -0.1);
    let selection = Selection { relative_margin: Some(0.05), ..selection() };
    let mining = fixture.mine(&selection).unwrap();
    assert_eq!(negatives(&mining, 2), ["d5", "d2", "d3"]);
    assert_eq!(negatives(&mining, 3), ["d5", "d2", "d3"]);
    let closer = Selection { relative_margin: Some(0.9), ranks: (1, 40), ..selection };
    let mining = fixture.mine(&closer).unwrap();
    for (query, most) in [(2, 0.04), (3, -0.19)] {
        let mined = &mining.queries[query].negatives[1..];
        assert!(mined.iter().all(|mined| mined.score.unwrap() <= most + 1e-6), "{mined:?}");
    }
}

#[test]
fn a_run_of_other_queries_is_refused_and_one_that_lacks_some_is_counted() {
    let mut fixture = Fixture::new();
    let mining = fixture.mine(&selection()).unwrap();
    assert_eq!(mining.stats.unranked, 0);
    fixture.run.rankings.remove(&QueryId::from("q1"));
    let mining = fixture.mine(&selection()).unwrap();
    assert_eq!((mining.stats.unranked, negatives(&mining, 1)), (1, vec!["d5"]));
    fixture.run.rankings =
        [("x".into(), fixture.run.rankings.remove(&QueryId::from("q0")).unwrap())].into();
    let error = fixture.mine(&selection()).unwrap_err().to_string();
    assert!(error.starts_with("the candidates 'run' have none of the 6 queries"), "{error}");
}

#[test]
fn without_a_positives_score_no_margin_can_hold() {
    let mut fixture = Fixture::new();
    let scores = (6..40).map(|n| (id(n).into(), 0.5));
    fixture.run.rankings.insert("q2".into(), Ranking::from_scores(scores).unwrap());
    let selection = Selection { absolute_margin: Some(0.0), ..selection() };
    let mining = fixture.mine(&selection).unwrap();
    assert_eq!(mining.stats.without_positive_score, 1);
    assert_eq!(negatives(&mining, 2), ["d5"], "judged ones need no margin");
    let bare = fixture.mine(&Selection { absolute_margin: None, ..selection }).unwrap();
    assert_eq!(negatives(&bare, 2).len(), 3);
}

#[test]
fn random_negatives_depend_on_the_seed_and_the_query_alone() {
    let fixture = Fixture::new();
    let random = Selection { sampling: Sampling::Random, seed: 7, ..selection() };
    let mining = fixture.mine(&random).unwrap();
    let again = fixture.mine(&random).unwrap();
    assert_eq!(mining.queries, again.queries);
    let other = fixture.mine(&Selection { seed: 8, ..random.clone() }).unwrap();
    assert_ne!(mining.queries, other.queries);
    assert!((1..6).any(|query| negatives(&mining, query) != negatives(&mining, 0)));
    let reversed: Vec<Query> = fixture.dataset.queries().iter().rev().cloned().collect();
    let (corpus, qrels) = (fixture.dataset.corpus().clone(), fixture.dataset.qrels().clone());
    let dataset = Dataset::new("set", "train", corpus, reversed, qrels).unwrap();
    let turned = Fixture { dataset, run: fixture.run.clone() }.mine(&random).unwrap();
    assert_eq!(turned.queries[5], mining.queries[0]);
}

/// Gives documents of an odd number high logits, and counts queries. Fails at one of them.
struct Odd {
    identity: Identity,
    asked: AtomicUsize,
    fails_at: Option<&'static str>,
}

impl Odd {
    fn new(fails_at: Option<&'static str>) -> Self {
        let identity = Identity {
            name: "odd".into(),
            provider: "test".into(),
            model: "odd".into(),
            revision: None,
            weights: None,
            endpoint: None,
            device: None,
            dtype: None,
            max_length: None,
            truncation: None,
            scoring: Scoring::Pointwise,
        };
        Self { identity, asked: AtomicUsize::new(0), fails_at }
    }
}

impl Reranker for Odd {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn rerank_many(
        &self,
        jobs: &[Job],
        _: &Context,
        done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
    ) {
        for (index, job) in jobs.iter().enumerate() {
            if self.fails_at == Some(job.query.id.as_str()) {
                let error = RerankError::Stopped(job.query.id.clone());
                done(index, Err(Failed { error, usage: Usage::default() }));
                return;
            }
            self.asked.fetch_add(1, Ordering::Relaxed);
            let score = |id: &DocId| {
                let number: usize = id.as_str()[1..].parse().unwrap();
                match number {
                    0 => 2.0,
                    n if n % 2 == 1 => 3.0 - n as f64 / 100.0,
                    n => -(n as f64) / 10.0,
                }
            };
            let scores = job.candidates.iter().map(|candidate| {
                let id = candidate.document.id.clone();
                let score = score(&id);
                (id, score)
            });
            done(
                index,
                Ok(Reranked {
                    ranking: Ranking::from_scores(scores).unwrap(),
                    usage: Usage::default(),
                    timings: Timings::default(),
                    truncation: None,
                    origin: Origin::Live,
                }),
            );
        }
    }
}

#[test]
fn a_teacher_drops_what_it_takes_for_an_answer_and_its_scores_are_kept() {
    let fixture = Fixture::new();
    let selection = Selection { relative_margin: Some(0.05), ..selection() };
    let odd = Odd::new(None);
    let mining = fixture.taught(&selection, &odd, &mut TeacherJournal::none()).unwrap();
    assert_eq!(negatives(&mining, 0), ["d5", "d2", "d4"], "no odd one, the hardest first");
    let first = &mining.queries[0];
    assert_eq!((first.positives[0].teacher, first.negatives[1].teacher), (Some(2.0), Some(-0.2)));
    assert!((first.positives[0].score.unwrap() - 0.880797).abs() < 1e-6);
    let stats = &mining.stats;
    let histogram = stats.histogram.as_ref().unwrap();
    assert_eq!(histogram.positives.iter().sum::<u64>(), 6);
    assert_eq!(histogram.negatives.iter().sum::<u64>(), 12, "what is judged counts apart");
    assert_eq!((stats.negative_scores.unwrap().count, stats.judged_scores.unwrap().count), (12, 6));
    assert_eq!(histogram.left_out.iter().sum::<u64>(), stats.above_margin as u64);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mined.jsonl");
    write(&path, &fixture.dataset, &mining).unwrap();
    let read = training::read(&[&path], Layout::Groups).unwrap();
    assert_eq!(read.groups.len(), 6);
    let teacher = read.groups[0].teacher.as_ref().unwrap();
    assert_eq!((teacher.positive, teacher.negatives[1]), (2.0, -0.2));
}

#[test]
fn what_was_stopped_anywhere_goes_on_and_ends_the_same() {
    let fixture = Fixture::new();
    let folder = tempfile::tempdir().unwrap();
    let whole = fixture.taught(&selection(), &Odd::new(None), &mut TeacherJournal::none()).unwrap();
    for (stop, left) in [("q0", 0), ("q3", 3), ("q5", 5)] {
        let path = folder.path().join(stop);
        let mut journal = TeacherJournal::open(&path).unwrap();
        let error = fixture.taught(&selection(), &Odd::new(Some(stop)), &mut journal);
        assert!(matches!(error, Err(MineError::Teacher(RerankError::Stopped(_)))), "{error:?}");
        // Killed while a line was being written.
        drop(journal);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend(b"0123456789abcdef {\"key\": \"hal");
        std::fs::write(&path, bytes).unwrap();
        let mut journal = TeacherJournal::open(&path).unwrap();
        assert_eq!(journal.reused(), left);
        let odd = Odd::new(None);
        let mining = fixture.taught(&selection(), &odd, &mut journal).unwrap();
        assert_eq!(odd.asked.load(Ordering::Relaxed), 6 - left);
        assert_eq!((&mining.queries, &mining.stats), (&whole.queries, &whole.stats));
        // Nothing is asked again, and other margins need no teacher either.
        let mut journal = TeacherJournal::open(&path).unwrap();
        assert_eq!(journal.reused(), 6);
        let margin = Selection { relative_margin: Some(0.05), ..selection() };
        let odd = Odd::new(None);
        fixture.taught(&margin, &odd, &mut journal).unwrap();
        assert_eq!(odd.asked.load(Ordering::Relaxed), 0);
        journal.remove().unwrap();
        assert!(!path.exists());
    }
}

#[test]
fn options_and_sets_that_cannot_be_say_why() {
    let fixture = Fixture::new();
    let error = |selection: Selection| fixture.mine(&selection).unwrap_err().to_string();
    let bad = Selection { ranks: (0, 10), ..selection() };
    assert_eq!(error(bad), "ranks is 0..10; allowed: two ranks from 1, as 10..100");
    assert!(error(Selection { ranks: (9, 8), ..selection() }).starts_with("ranks is 9..8"));
    assert!(error(Selection { num_negatives: 0, ..selection() }).starts_with("num-negatives is 0"));
    let bad = Selection { relative_margin: Some(1.0), ..selection() };
    assert!(error(bad).contains("a share from 0 to below 1"));
    let mut other = Fixture::new();
    let stray = Ranking::from_scores([("nowhere".into(), 1.0)]).unwrap();
    other.run.rankings.insert("q0".into(), stray);
    let error = other.mine(&selection()).unwrap_err().to_string();
    assert!(error.contains("'nowhere', which is not in the corpus"), "{error}");
    let told = Cell::new(0);
    let mut journal = TeacherJournal::none();
    let odd = Odd::new(None);
    let teacher = Teacher { reranker: &odd, logits: false };
    let mined = mine(
        &fixture.dataset,
        &fixture.run,
        &selection(),
        Some((teacher, &mut journal)),
        &Context::default(),
        &mut |done, of| {
            assert!(done <= of && of == 6);
            told.set(told.get() + 1);
        },
    );
    assert!(mined.is_ok() && told.get() == 7);
}
