use std::collections::HashSet;
use std::fs;
use std::path::Path;

use secondpass_core::{Corpus, Dataset, Qrels, Query, Ranking, Run};
use secondpass_data::triples::{Group, TeacherScores};
use tempfile::TempDir;

use super::*;
use crate::losses::LossKind;
use crate::testing::{Toy, corpus, query, tokenizer};
use crate::{Decay, Length, NegativeCounts};

const COLOURS: [&str; 5] = ["red", "blue", "green", "black", "white"];
const ANIMALS: [&str; 4] = ["fox", "owl", "hare", "newt"];

const RECIPE: &str = r#"
name = "toy"
seed = 3
[model]
kind = "folder"
path = "toy"
head = "kept"
[data]
kind = "embedded"
name = "toy"
[sampling]
negatives = 3
hard = 2
first_stage = 0
random = 1
[training]
steps = 40
groups_per_step = 5
groups_per_batch = 2
learning_rate = 4.0
warmup = 4
weight_decay = 0.0
decay = "linear"
max_length = 96
truncation = "longest-first"
[dev]
measure = "RR@10"
every = 10
depth = 20
"#;

/// Every colour and animal is a document; a query asks for one of them in a common phrase, and the
/// hard negatives have its colour or its animal.
pub(super) struct Fixture {
    pub recipe: Recipe,
    corpus: Corpus,
    training: Vec<Query>,
    pub groups: Vec<Group>,
    dev: Dataset,
    candidates: Run,
    tokenizer: PairTokenizer,
    pub start: Start,
    folder: TempDir,
}

impl Fixture {
    pub fn new() -> Self {
        let all = COLOURS.iter().flat_map(|colour| ANIMALS.map(|animal| (*colour, animal)));
        let all: Vec<(&str, &str)> = all.collect();
        let texts: Vec<(String, String)> = all
            .iter()
            .map(|(colour, animal)| {
                (format!("{colour}-{animal}"), format!("the home of a {colour} {animal} is here"))
            })
            .collect();
        let refs: Vec<(&str, &str)> =
            texts.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
        let corpus = corpus(&refs);
        let (mut training, mut groups, mut dev, mut qrels) = (vec![], vec![], vec![], Qrels::new());
        let mut candidates = Run::new("all");
        for (number, (colour, animal)) in all.iter().enumerate() {
            let id = format!("{colour}-{animal}");
            let is_near = |(c, a): &&(&str, &str)| (c == colour) != (a == animal);
            let near = all.iter().filter(is_near).map(|(c, a)| format!("{c}-{a}").into());
            // 13 groups to learn from, 7 dev queries.
            if number % 3 == 0 {
                dev.push(query(&id, &format!("is the {colour} {animal} here")));
                qrels.insert(id.as_str().into(), id.as_str().into(), 1);
                let scores = refs.iter().map(|(document, _)| ((*document).into(), 0.0));
                let ranking = Ranking::from_scores(scores).unwrap();
                candidates.rankings.insert(id.as_str().into(), ranking);
            } else {
                training.push(query(&id, &format!("where is the {colour} {animal}")));
                groups.push(Group::new(id.as_str().into(), id.as_str().into(), near.collect()));
            }
        }
        let mut words: Vec<&str> = refs.iter().map(|(_, text)| *text).collect();
        words.extend(training.iter().map(|query| query.text.as_str()));
        Self {
            recipe: Recipe::parse(RECIPE, "toy.toml").unwrap(),
            tokenizer: tokenizer(&words, 96),
            dev: Dataset::new("toy", "dev", corpus.clone(), dev, qrels).unwrap(),
            corpus,
            training,
            groups,
            candidates,
            start: Start {
                weights: ContentHash::of(b"zeros"),
                tokenizer: ContentHash::of(b"words"),
                device: "toy".to_owned(),
            },
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn train(&self, toy: &mut Toy) -> Result<TrainingRecord, FinetuneError> {
        self.watched(toy, &Context::default(), &mut |_| {})
    }

    /// Each call trains into a folder of its own.
    fn watched(
        &self,
        toy: &mut Toy,
        context: &Context,
        progress: &mut dyn FnMut(Event),
    ) -> Result<TrainingRecord, FinetuneError> {
        let folder = self.best();
        for folder in [&folder, States::of(&folder, 1).folder()] {
            if folder.exists() {
                fs::remove_dir_all(folder).unwrap();
            }
        }
        self.go_on(toy, context, false, progress)
    }

    /// Each call goes on where the one before was stopped.
    pub fn go_on(
        &self,
        toy: &mut Toy,
        context: &Context,
        fresh: bool,
        progress: &mut dyn FnMut(Event),
    ) -> Result<TrainingRecord, FinetuneError> {
        let folder = self.best();
        let qrels = &Qrels::new();
        let Self { corpus, groups, .. } = self;
        let task = Task {
            recipe: &self.recipe,
            data: TrainingData { queries: &self.training, corpus, qrels, groups, candidates: None },
            dev: Dev { dataset: &self.dev, candidates: &self.candidates },
            tokenizer: &self.tokenizer,
            start: &self.start,
            checkpoint: Checkpoint {
                folder: &folder,
                files: &[("tokenizer.json", b"{}")],
                half: true,
            },
            fresh,
        };
        train(&task, toy, context, progress)
    }

    pub fn best(&self) -> std::path::PathBuf {
        self.folder.path().join("best")
    }
}

pub(super) fn toy() -> Toy {
    Toy::new(1009)
}

pub(super) fn losses(record: &TrainingRecord) -> Vec<f64> {
    record.steps.iter().map(|step| step.loss).collect()
}

pub(super) fn is_step(event: &Event, number: usize) -> bool {
    matches!(event, Event::Step { step, .. } if step.step == number)
}

pub(super) fn saved_step(folder: &Path) -> String {
    fs::read_to_string(folder.join("model.safetensors")).unwrap()
}

#[test]
fn the_loss_falls_and_the_best_is_saved() {
    let fixture = Fixture::new();
    let mut events = Vec::new();
    let summary =
        fixture.watched(&mut toy(), &Context::default(), &mut |event| events.push(event)).unwrap();
    assert_eq!((summary.steps.len(), summary.of, summary.groups), (40, 40, 200));
    // Four documents that score alike.
    let losses = losses(&summary);
    assert!((losses[0] - 4_f64.ln()).abs() < 0.2, "{losses:?}");
    assert!(losses[39] < 0.3 * losses[0], "{losses:?}");
    let steps: Vec<usize> = summary.evaluations.iter().map(|one| one.step).collect();
    assert_eq!(steps, [0, 10, 20, 30, 40]);
    let best = summary.best.unwrap();
    assert!(best.value > 0.95 && best.value > summary.evaluations[0].value + 0.3, "{summary:?}");
    assert_eq!(saved_step(&fixture.best()), best.step.to_string());
    assert!(fixture.best().join("tokenizer.json").exists());
    assert_eq!((summary.dev_queries, summary.dev_truncation.pairs), (7, 140));
    assert_eq!(summary.truncation.pairs, 800);
    assert_eq!(summary.tokens, summary.truncation.tokens as u64);
    let rates: Vec<f64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Step { step, .. } => Some(step.learning_rate),
            _ => None,
        })
        .collect();
    assert_eq!((rates.len(), rates[0], rates[4]), (40, 1.0, 4.0));
    let saves = events.iter().filter(|event| matches!(event, Event::Evaluated { best: true, .. }));
    assert!(saves.count() > 0);
    let text = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<TrainingRecord>(&text).unwrap(), summary);
}

#[test]
fn a_model_that_gained_nothing_is_told() {
    let fixture = Fixture::new();
    let mut dull = toy();
    dull.is_dull = true;
    for (place, weight) in dull.weights.iter_mut().enumerate() {
        *weight = (place * 37 % 11) as f32;
    }
    let record = fixture.train(&mut dull).unwrap();
    let before = record.evaluations[0].value;
    assert_eq!((record.steps.len(), record.best.unwrap().step), (40, 0));
    let gained_nothing =
        |warning: &&TrainingWarning| matches!(warning, TrainingWarning::NothingGained { .. });
    let told: Vec<_> = record.warnings.iter().filter(gained_nothing).collect();
    assert_eq!(told, [&TrainingWarning::NothingGained { before, random_head: false }]);
    assert!(told[0].to_string().contains("the model that training started from"), "{}", told[0]);
}

#[test]
fn the_seed_decides_the_losses() {
    let mut fixture = Fixture::new();
    let first = fixture.train(&mut toy()).unwrap();
    assert_eq!(losses(&first), losses(&fixture.train(&mut toy()).unwrap()));
    fixture.recipe.seed += 1;
    assert_ne!(losses(&first), losses(&fixture.train(&mut toy()).unwrap()));
}

#[test]
fn micro_batches_add_up_to_the_step() {
    let mut fixture = Fixture::new();
    fixture.recipe.training.length = Length::Epochs(1);
    let (mut small, mut whole) = (toy(), toy());
    let parts = fixture.train(&mut small).unwrap();
    // 13 groups: two steps of 5, then 3.
    assert_eq!((parts.steps.len(), parts.groups), (3, 13));
    let batches: Vec<usize> = small.batches.iter().map(Vec::len).collect();
    assert_eq!(batches, [3, 3, 2, 0]);
    let seeds: HashSet<u64> = small.batches.iter().flatten().map(|(_, seed)| *seed).collect();
    assert_eq!(seeds.len(), 8);
    fixture.recipe.training.micro_batch = MicroBatch::Groups(5);
    let together = fixture.train(&mut whole).unwrap();
    for (part, whole) in losses(&parts).iter().zip(losses(&together)) {
        assert!((part - whole).abs() < 1e-5, "{part} {whole}");
    }
}

#[test]
fn a_later_but_worse_checkpoint_is_not_saved() {
    let fixture = Fixture::new();
    let mut toy = toy();
    toy.spoilt_after = Some(35);
    let summary = fixture.train(&mut toy).unwrap();
    let best = summary.best.unwrap();
    assert!((10..=30).contains(&best.step));
    assert!(summary.evaluations[4].value < best.value);
    assert_eq!(saved_step(&fixture.best()), best.step.to_string());
}

#[test]
fn a_loss_that_is_not_finite_names_its_step_and_keeps_the_best() {
    let fixture = Fixture::new();
    let mut toy = toy();
    toy.nan_at = Some(14);
    let error = fixture.train(&mut toy).unwrap_err();
    let FinetuneError::NotFinite { step: 15, best: Some(10), queries, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(queries.len(), 2, "a micro-batch of two groups");
    assert!(error.to_string().contains(&format!("'{}'", queries[0])), "{error}");
    assert!(error.to_string().ends_with("The checkpoint of step 10 is kept"), "{error}");
    assert_eq!(saved_step(&fixture.best()), "10");
}

#[test]
fn a_stop_keeps_what_was_best() {
    let fixture = Fixture::new();
    let context = Context::default();
    let summary = fixture.watched(&mut toy(), &context, &mut |event| {
        if is_step(&event, 17) {
            context.cancel.set();
        }
    });
    let summary = summary.unwrap();
    assert_eq!((summary.steps.len(), summary.of, summary.stopped), (17, 40, true));
    assert_eq!(summary.best.unwrap().step, 10);
    assert_eq!(saved_step(&fixture.best()), "10");
    // Stopped before anything was known: no error, and nothing saved.
    let summary = fixture.watched(&mut toy(), &context, &mut |_| {}).unwrap();
    assert_eq!((summary.steps.len(), summary.best, summary.stopped), (0, None, true));
    assert!(!fixture.best().exists());
}

#[test]
fn a_model_that_tells_nothing_apart_is_an_error() {
    let fixture = Fixture::new();
    let mut toy = toy();
    toy.is_dull = true;
    let mut warned = Vec::new();
    let error = fixture.watched(&mut toy, &Context::default(), &mut |event| {
        if let Event::Warned(TrainingWarning::Collapsed { step }) = event {
            warned.push(step);
        }
    });
    assert!(matches!(error, Err(FinetuneError::Collapsed { steps: 40 })));
    assert_eq!(warned, [10, 20, 30, 40]);
    assert!(!fixture.best().exists());
}

#[test]
fn a_training_query_in_dev_is_refused() {
    let mut fixture = Fixture::new();
    fixture.training[2].text = "Is the Red fox, here?".to_owned();
    let error = fixture.train(&mut toy()).unwrap_err();
    assert!(
        matches!(
            &error,
            FinetuneError::Leak { count: 1, first, .. } if first.dev.as_str() == "red-fox"
        ),
        "{error}"
    );
    fixture.recipe.allow_overlap = true;
    fixture.train(&mut toy()).unwrap();
}

#[test]
fn a_training_query_in_dev_that_no_group_uses_does_no_harm() {
    let mut fixture = Fixture::new();
    fixture.training[2].text = "Is the Red fox, here?".to_owned();
    let unused = fixture.training[2].id.clone();
    fixture.groups.retain(|group| group.query != unused);
    fixture.train(&mut toy()).unwrap();
}

#[test]
fn a_tokenizer_with_other_settings_is_refused() {
    let mut fixture = Fixture::new();
    fixture.recipe.training.max_length = 95;
    let error = fixture.train(&mut toy()).unwrap_err();
    assert!(matches!(error, FinetuneError::TokenizerSettings { found: 96, expected: 95, .. }));
}

#[test]
fn dev_queries_and_depth_may_be_limited() {
    let mut fixture = Fixture::new();
    fixture.recipe.dev.queries = Some(3);
    fixture.recipe.dev.depth = 15;
    let summary = fixture.train(&mut toy()).unwrap();
    assert_eq!((summary.dev_queries, summary.dev_truncation.pairs), (3, 45));
    fixture.candidates.rankings.clear();
    assert!(matches!(fixture.train(&mut toy()), Err(FinetuneError::NoDevPairs)));
}

#[test]
fn a_full_disk_is_told() {
    let fixture = Fixture::new();
    let mut toy = toy();
    toy.disk_is_full = true;
    assert!(matches!(fixture.train(&mut toy), Err(FinetuneError::Save { step: 10, .. })));
}

#[test]
fn every_loss_learns() {
    let mut fixture = Fixture::new();
    for (kind, rate) in [
        (LossKind::RankNet, 8.0),
        (LossKind::BinaryCrossEntropy { pos_weight: 3.0 }, 8.0),
        (LossKind::Lambda { mu: 10.0 }, 1.0),
    ] {
        fixture.recipe.loss = kind;
        fixture.recipe.training.learning_rate = rate;
        let record = fixture.train(&mut toy()).unwrap();
        let losses = losses(&record);
        assert!(losses[39] < 0.8 * losses[0], "{kind}: {losses:?}");
        assert!(record.best.unwrap().value > record.evaluations[0].value + 0.2, "{kind}");
    }
}

#[test]
fn a_teacher_is_learnt_from() {
    let mut fixture = Fixture::new();
    fixture.recipe.sampling = NegativeCounts { hard: 3, first_stage: 0, random: 0 };
    // A cross-entropy cannot fall below the entropy of its teacher.
    for (kind, rate, floor) in [
        (LossKind::MarginMse, 1.0, 0.5),
        (LossKind::Distillation { weight: 1.0, temperature: 2.0 }, 4.0, 0.75),
    ] {
        fixture.recipe.loss = kind;
        fixture.recipe.training.learning_rate = rate;
        for group in &mut fixture.groups {
            let negatives = vec![-1.0; group.negatives.len()];
            group.teacher = Some(TeacherScores { positive: 2.0, negatives });
        }
        let record = fixture.train(&mut toy()).unwrap();
        let losses = losses(&record);
        assert!(losses[39] < floor * losses[0], "{kind}: {losses:?}");
        assert!(record.best.unwrap().value > record.evaluations[0].value + 0.2, "{kind}");
        assert_eq!(record.truncation.pairs, 800, "no negative comes from elsewhere");
        let kept = fixture.groups[4].teacher.take();
        assert!(matches!(fixture.train(&mut toy()), Err(FinetuneError::NoTeacher(_))));
        fixture.groups[4].teacher = kept;
        let kept = std::mem::take(&mut fixture.groups[4].negatives);
        assert!(matches!(fixture.train(&mut toy()), Err(FinetuneError::NothingTaught(_))));
        fixture.groups[4].negatives = kept;
    }
}

#[test]
fn packing_by_tokens_learns_the_same() {
    let mut fixture = Fixture::new();
    fixture.recipe.training.micro_batch = MicroBatch::Groups(5);
    let whole = fixture.train(&mut toy()).unwrap();
    fixture.recipe.training.micro_batch = MicroBatch::Tokens(250);
    let mut packed = toy();
    let parts = fixture.train(&mut packed).unwrap();
    assert!(packed.batches[..40].iter().any(|step| step.len() > 1), "{:?}", packed.batches);
    for (whole, part) in losses(&whole).iter().zip(losses(&parts)) {
        assert!((whole - part).abs() < 1e-4, "{whole} {part}");
    }
}

#[test]
fn too_little_memory_makes_smaller_batches_and_the_same_steps() {
    let mut fixture = Fixture::new();
    fixture.recipe.training.micro_batch = MicroBatch::Groups(5);
    let whole = fixture.train(&mut toy()).unwrap();
    let mut small = toy();
    small.room = Some(9);
    let parts = fixture.train(&mut small).unwrap();
    // 5 groups of 4 documents have no room, then 3, then 2 have.
    assert!(
        small.batches[0].iter().all(|(sequences, _)| *sequences <= 8),
        "{:?}",
        small.batches[0]
    );
    let limits: Vec<String> = parts.warnings.iter().map(|warning| warning.to_string()).collect();
    assert!(limits.len() == 2 && limits[1].contains("2 groups"), "{limits:?}");
    for (whole, part) in losses(&whole).iter().zip(losses(&parts)) {
        assert!((whole - part).abs() < 1e-4, "{whole} {part}");
    }
    small.room = Some(3);
    let error = fixture.train(&mut small).unwrap_err();
    assert!(matches!(&error, FinetuneError::OutOfMemory { step: 1, tokens: 1.., .. }), "{error}");
    assert!(error.to_string().contains("training.max_length"), "{error}");
}

#[test]
fn patience_ends_training() {
    let mut fixture = Fixture::new();
    fixture.recipe.dev.every = 2;
    fixture.recipe.dev.patience = Some(3);
    let mut toy = toy();
    toy.spoilt_after = Some(12);
    let record = fixture.train(&mut toy).unwrap();
    let best = record.best.unwrap().step;
    assert!(record.ended_early && !record.stopped && record.steps.len() < 40, "{record:?}");
    assert_eq!(record.steps.len(), best + 6);
    assert_eq!(saved_step(&fixture.best()), best.to_string());
}

#[test]
fn a_loss_that_explodes_stops_and_says_where() {
    let mut fixture = Fixture::new();
    fixture.recipe.training.decay = Decay::Constant;
    fixture.recipe.training.learning_rate = 1e9;
    let error = fixture.train(&mut toy()).unwrap_err();
    let FinetuneError::Exploded { step, queries, .. } = &error else { panic!("{error}") };
    assert!(*step > 1 && !queries.is_empty());
    assert!(error.to_string().contains("training diverges in the batch of quer"), "{error}");
}
