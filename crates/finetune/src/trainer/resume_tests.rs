//! Runs that are stopped, killed or refused, and what the next start makes of them.

use std::fs;

use secondpass_core::Context;
use secondpass_evaluation::training::{TrainingRecord, TrainingWarning};

use super::tests::{Fixture, is_step, losses, saved_step, toy};
use super::{Event, finish};
use crate::state::{JOURNAL, States};
use crate::testing::Toy;
use crate::{Checkpoint, FinetuneError, Length};

/// What must not depend on interruptions: all but times.
fn timeless(record: &TrainingRecord) -> TrainingRecord {
    let mut record = record.clone();
    record.seconds = 0.0;
    record.steps.iter_mut().for_each(|step| step.tokens_per_second = 0.0);
    record
}

fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.recipe.training.length = Length::Steps(24);
    fixture.recipe.dev.every = 5;
    fixture.recipe.keep.every = 4;
    fixture
}

/// Goes on until a step is made, then stops as Ctrl-C does.
fn until(fixture: &Fixture, toy: &mut Toy, step: usize) -> TrainingRecord {
    let context = Context::default();
    let record = fixture.go_on(toy, &context, false, &mut |event| {
        if is_step(&event, step) {
            context.cancel.set();
        }
    });
    record.unwrap()
}

fn go_on(
    fixture: &Fixture,
    toy: &mut Toy,
) -> Result<(TrainingRecord, Option<usize>), FinetuneError> {
    let mut resumed = None;
    let record = fixture.go_on(toy, &Context::default(), false, &mut |event| {
        if let Event::Resumed { step, .. } = event {
            resumed = Some(step);
        }
    });
    record.map(|record| (record, resumed))
}

#[test]
fn stopped_at_any_step_it_goes_on_as_if_it_had_not_been() {
    let fixture = fixture();
    let mut whole = toy();
    let uninterrupted = fixture.train(&mut whole).unwrap();
    let saved = saved_step(&fixture.best());
    for step in 1..24 {
        let fixture = self::fixture();
        let stopped = until(&fixture, &mut toy(), step);
        assert!(stopped.stopped && stopped.steps.len() == step);
        let mut other = toy();
        let (record, resumed) = go_on(&fixture, &mut other).unwrap();
        assert_eq!(resumed, Some(step));
        assert_eq!(timeless(&record), timeless(&uninterrupted), "stopped at {step}");
        assert_eq!(other.weights, whole.weights, "stopped at {step}");
        assert_eq!(saved_step(&fixture.best()), saved);
    }
}

#[test]
fn lost_at_any_step_it_goes_on_from_the_latest_state() {
    let mut whole = toy();
    let uninterrupted = fixture().train(&mut whole).unwrap();
    for step in 1..24 {
        let fixture = fixture();
        let mut lost = toy();
        lost.fails_at = Some(step);
        let error = fixture.train(&mut lost).unwrap_err();
        assert!(matches!(error, FinetuneError::Learn { .. }), "{error}");
        let mut other = toy();
        let (record, resumed) = go_on(&fixture, &mut other).unwrap();
        let latest = Some(step / 4 * 4).filter(|&latest| latest > 0);
        assert_eq!(resumed, latest, "lost at {step}");
        if resumed.is_some() {
            assert_eq!(timeless(&record), timeless(&uninterrupted), "lost at {step}");
        }
        assert_eq!(
            (losses(&record), other.weights),
            (losses(&uninterrupted), whole.weights.clone())
        );
        let journal = fs::read_to_string(States::of(&fixture.best(), 1).folder().join(JOURNAL));
        // 24 steps, 6 evaluations: what was made twice stands once.
        assert_eq!(journal.unwrap().lines().count(), 30);
    }
}

#[test]
fn a_finished_run_is_finished_again_until_its_states_are_forgotten() {
    let fixture = fixture();
    let first = fixture.train(&mut toy()).unwrap();
    let (again, resumed) = go_on(&fixture, &mut toy()).unwrap();
    assert_eq!((&again.steps, resumed), (&first.steps, Some(24)));
    let folder = fixture.best();
    finish(&Checkpoint { folder: &folder, files: &[], half: true }).unwrap();
    assert!(matches!(go_on(&fixture, &mut toy()), Err(FinetuneError::CheckpointExists(_))));
}

#[test]
fn another_run_is_refused_and_says_what_differs() {
    let mut fixture = fixture();
    until(&fixture, &mut toy(), 9);
    let recipe = fixture.recipe.hash.clone();
    fixture.recipe.hash = secondpass_core::ContentHash::of(b"other");
    let refused = |fixture: &Fixture| go_on(fixture, &mut toy()).unwrap_err().to_string();
    assert!(refused(&fixture).contains("and the recipe differ;"), "{}", refused(&fixture));
    fixture.recipe.hash = recipe;
    fixture.start.weights = secondpass_core::ContentHash::of(b"ones");
    let negative = fixture.groups[3].negatives.pop().unwrap();
    assert!(refused(&fixture).contains("the training data, the weights it starts from differ;"));
    let fresh = fixture.go_on(&mut toy(), &Context::default(), true, &mut |event| {
        assert!(!matches!(event, Event::Resumed { .. }));
    });
    assert_eq!(fresh.unwrap().steps.len(), 24);
    fixture.groups[3].negatives.push(negative);
}

#[test]
fn without_states_a_run_starts_over_and_says_so_beforehand() {
    let fixture = fixture();
    let mut forgetful = toy();
    forgetful.forgets = true;
    let record = fixture.train(&mut forgetful).unwrap();
    let told = |warning: &&TrainingWarning| matches!(warning, TrainingWarning::NotResumable { .. });
    assert_eq!((record.steps.len(), record.warnings.iter().filter(told).count()), (24, 1));
    // What it made is not taken for what the next start would make again.
    assert!(matches!(go_on(&fixture, &mut toy()), Err(FinetuneError::CheckpointExists(_))));
    assert!(fixture.best().exists());
}

#[test]
fn damaged_states_are_passed_over() {
    let fixture = fixture();
    let uninterrupted = fixture.train(&mut toy()).unwrap();
    let fixture = self::fixture();
    until(&fixture, &mut toy(), 11);
    let states = States::of(&fixture.best(), 2);
    let latest = states.folder().join("step-00000011");
    fs::write(latest.join("trainer.json"), "cut sho").unwrap();
    let (record, resumed) = go_on(&fixture, &mut toy()).unwrap();
    assert_eq!(resumed, Some(8));
    assert_eq!(losses(&record), losses(&uninterrupted));
    assert!(matches!(&record.warnings[..], [TrainingWarning::DamagedState { .. }]));
    // All of them.
    until(&fixture, &mut toy(), 1);
    for entry in fs::read_dir(states.folder()).unwrap() {
        let file = entry.unwrap().path().join("state.json");
        if file.exists() {
            fs::write(file, "").unwrap();
        }
    }
    assert!(matches!(go_on(&fixture, &mut toy()), Err(FinetuneError::DamagedStates { .. })));
}

#[test]
fn best_weights_that_were_changed_are_not_taken_for_those_saved() {
    let fixture = fixture();
    until(&fixture, &mut toy(), 11);
    let weights = fixture.best().join("model.safetensors");
    let bytes = fs::read(&weights).unwrap();
    let refused =
        || matches!(go_on(&fixture, &mut toy()), Err(FinetuneError::CheckpointChanged { .. }));
    fs::write(&weights, "hi").unwrap();
    assert!(refused());
    let aside = fixture.best().with_file_name("aside");
    fs::rename(fixture.best(), &aside).unwrap();
    assert!(refused());
    fs::rename(&aside, fixture.best()).unwrap();
    assert!(refused());
    fs::write(&weights, bytes).unwrap();
    assert_eq!(go_on(&fixture, &mut toy()).unwrap().1, Some(11));
}

/// Lost in its first step, after the weights that it began with were saved.
fn lost() -> Toy {
    let mut lost = toy();
    lost.fails_at = Some(0);
    for (place, weight) in lost.weights.iter_mut().enumerate() {
        *weight = (place * 37 % 11) as f32;
    }
    lost
}

#[test]
fn what_somebody_else_put_there_is_never_removed() {
    let fixture = fixture();
    let mut lost = lost();
    fixture.train(&mut lost).unwrap_err();
    fs::remove_dir_all(fixture.best()).unwrap();
    fs::create_dir(fixture.best()).unwrap();
    let thesis = fixture.best().join("thesis.txt");
    fs::write(&thesis, "years of work").unwrap();
    for fresh in [false, true] {
        let again = fixture.go_on(&mut toy(), &Context::default(), fresh, &mut |_| {});
        assert!(matches!(again, Err(FinetuneError::CheckpointExists(_))));
        assert_eq!(fs::read_to_string(&thesis).unwrap(), "years of work");
    }
    fs::remove_dir_all(fixture.best()).unwrap();
    assert_eq!(go_on(&fixture, &mut toy()).unwrap().1, None);
}

/// Killed before or after any of a save's renames.
#[test]
fn a_save_that_was_cut_anywhere_is_known_for_the_run_s_own() {
    let uninterrupted = losses(&fixture().train(&mut toy()).unwrap());
    for is_first in [true, false] {
        for cut in 0..3 {
            let fixture = fixture();
            let (folder, states) = (fixture.best(), States::of(&fixture.best(), 2));
            if is_first {
                fixture.train(&mut lost()).unwrap_err();
            } else {
                until(&fixture, &mut toy(), 9);
            }
            let files: &[(&str, &[u8])] = &[("tokenizer.json", b"{}")];
            let checkpoint = Checkpoint { folder: &folder, files, half: true };
            let before = states.checkpoints();
            let staged = checkpoint.stage(&Toy::new(7), 9).unwrap();
            let both: Vec<_> = before.iter().chain([&staged]).collect();
            states.note_checkpoints(&both).unwrap();
            match cut {
                0 => {}
                1 => fs::rename(&folder, folder.with_file_name(".best.old")).unwrap(),
                _ => checkpoint.publish().unwrap(),
            }
            let (record, resumed) = go_on(&fixture, &mut toy()).unwrap();
            assert_eq!(resumed.is_none(), is_first);
            assert_eq!(losses(&record), uninterrupted);
        }
    }
}
