//! States to go on from: a folder a state, each written whole or not at all, the latest ones kept.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use secondpass_core::ContentHash;
use secondpass_evaluation::training::{TrainingIdentity, TrainingRecord, TrainingWarning};
use secondpass_text::{Learner, TrainError};
use serde::{Deserialize, Serialize};

use crate::{FinetuneError, MicroBatch};

/// What a state holds beside the learner's own files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// All that was done, and with what.
    pub record: TrainingRecord,
    /// What a micro-batch may hold: less than the recipe says once memory ran out.
    pub micro_batch: MicroBatch,
}

/// The states of one training run.
#[derive(Clone, Debug)]
pub(crate) struct States {
    folder: PathBuf,
    last: usize,
}

const TRAINER: &str = "trainer.json";
/// The hashes that the checkpoint folder may have: of the one that is there, and of the one that is
/// about to take its place.
const CHECKPOINTS: &str = "checkpoints.json";
const PARTIAL: &str = "partial";
pub(crate) const JOURNAL: &str = "journal.jsonl";

impl States {
    /// The states of the model that goes to `folder`, beside it: the model's folder is replaced as a
    /// whole when a better one is found, and holds nothing that does not belong to a model.
    pub fn of(folder: &Path, last: usize) -> Self {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        Self { folder: folder.with_file_name(format!(".{name}.state")), last }
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Begins a run: from now on what is in the checkpoint folder is known to be this run's.
    pub fn begin(&self) -> Result<(), FinetuneError> {
        fs::create_dir_all(&self.folder)
            .map_err(|source| FinetuneError::Checkpoint { path: self.folder.clone(), source })
    }

    /// The hashes that the checkpoint folder may have; none before the first.
    pub fn checkpoints(&self) -> Vec<ContentHash> {
        let bytes = fs::read(self.folder.join(CHECKPOINTS)).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Notes those hashes.
    pub fn note_checkpoints(&self, hashes: &[&ContentHash]) -> Result<(), FinetuneError> {
        let (path, partial) =
            (self.folder.join(CHECKPOINTS), self.folder.join("checkpoints.partial"));
        let json = serde_json::to_vec(hashes).unwrap_or_default();
        fs::write(&partial, json)
            .and_then(|()| File::open(&partial)?.sync_all())
            .and_then(|()| fs::rename(&partial, &path))
            .map_err(|source| FinetuneError::Checkpoint { path, source })
    }

    /// Whether there is one to go on from.
    pub fn exist(&self) -> bool {
        !self.steps().is_empty()
    }

    /// Forgets all, at once: a run that is half forgotten would look like one that was just begun.
    pub fn clear(&self) -> std::io::Result<()> {
        let mut gone = self.folder.clone().into_os_string();
        gone.push(".gone");
        let gone = PathBuf::from(gone);
        remove(&gone)?;
        match fs::rename(&self.folder, &gone) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Err(_) => Ok(()),
            Ok(()) => remove(&gone),
        }
    }

    /// Brings the learner to the latest state that is whole and tells what was done until then;
    /// `None` when there is no state. What is passed over goes to `warn`.
    pub fn load(
        &self,
        identity: &TrainingIdentity,
        learner: &mut dyn Learner,
        warn: &mut dyn FnMut(TrainingWarning),
    ) -> Result<Option<Kept>, FinetuneError> {
        let steps = self.steps();
        let mut latest = None;
        for &step in steps.iter().rev() {
            let folder = self.at(step);
            let reason = match read(&folder.join(TRAINER)) {
                Err(reason) => reason,
                Ok(kept) => {
                    let differences = kept.record.identity.differences(identity);
                    if !differences.is_empty() {
                        let folder = self.folder.clone();
                        return Err(FinetuneError::OtherRun { folder, differences });
                    }
                    match learner.load_state(&folder) {
                        Ok(()) => return Ok(Some(kept)),
                        Err(error) => error.to_string(),
                    }
                }
            };
            let state = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            warn(TrainingWarning::DamagedState { state, reason: reason.clone() });
            latest.get_or_insert(reason);
        }
        match latest {
            None => Ok(None),
            Some(reason) => {
                Err(FinetuneError::DamagedStates { folder: self.folder.clone(), reason })
            }
        }
    }

    /// Keeps a state, and drops those that are too old. False when the learner has none to keep;
    /// the reason then goes to `warn`.
    pub fn save(
        &self,
        kept: &Kept,
        learner: &dyn Learner,
        warn: &mut dyn FnMut(TrainingWarning),
    ) -> Result<bool, FinetuneError> {
        let step = kept.record.steps.len();
        let failed =
            |reason: String| FinetuneError::State { step, folder: self.folder.clone(), reason };
        let partial = self.folder.join(PARTIAL);
        let written = (|| -> Result<Option<String>, String> {
            remove(&partial)
                .and_then(|()| fs::create_dir_all(&partial))
                .map_err(shown(&partial))?;
            match learner.save_state(&partial) {
                Err(TrainError::State(reason)) => return Ok(Some(reason)),
                Err(error) => return Err(error.to_string()),
                Ok(()) => {}
            }
            write(&partial.join(TRAINER), kept)?;
            // A state that survives a kill may still be lost with the power.
            for entry in fs::read_dir(&partial).map_err(shown(&partial))? {
                let path = entry.map_err(shown(&partial))?.path();
                File::open(&path).and_then(|file| file.sync_all()).map_err(shown(&path))?;
            }
            let target = self.at(step);
            remove(&target).and_then(|()| fs::rename(&partial, &target)).map_err(shown(&target))?;
            Ok(None)
        })();
        match written {
            Ok(None) => {}
            Ok(Some(reason)) => {
                warn(TrainingWarning::NotResumable { reason });
                // Nothing was in it; what cannot be removed does no harm.
                let _ = fs::remove_dir_all(&partial);
                return Ok(false);
            }
            Err(reason) => {
                let _ = fs::remove_dir_all(&partial);
                return Err(failed(reason));
            }
        }
        let steps = self.steps();
        for &old in &steps[..steps.len().saturating_sub(self.last)] {
            remove(&self.at(old)).map_err(|error| failed(error.to_string()))?;
        }
        Ok(true)
    }

    /// Adds a line to the journal of steps and evaluations, for whoever watches.
    pub fn note(&self, line: &impl Serialize) -> Result<(), FinetuneError> {
        let path = self.folder.join(JOURNAL);
        let mut json = serde_json::to_vec(line).unwrap_or_default();
        json.push(b'\n');
        let written = fs::create_dir_all(&self.folder)
            .and_then(|()| OpenOptions::new().create(true).append(true).open(&path))
            .and_then(|mut file| file.write_all(&json));
        written.map_err(|source| FinetuneError::Checkpoint { path, source })
    }

    /// Makes the journal hold what the record holds and no more: a killed run may have come further
    /// than its latest state.
    pub fn renote(&self, record: &TrainingRecord) -> Result<(), FinetuneError> {
        let path = self.folder.join(JOURNAL);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(FinetuneError::Checkpoint { path, source: error });
            }
            _ => {}
        }
        let mut evaluations = record.evaluations.iter().peekable();
        for made in 0..=record.steps.len() {
            if let Some(step) = made.checked_sub(1).and_then(|last| record.steps.get(last)) {
                self.note(step)?;
            }
            while let Some(evaluated) = evaluations.next_if(|one| one.step <= made) {
                self.note(evaluated)?;
            }
        }
        Ok(())
    }

    /// Steps with a state, in order.
    fn steps(&self) -> Vec<usize> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut steps: Vec<usize> = entries
            .filter_map(|entry| {
                entry.file_name().to_str()?.strip_prefix("step-")?.parse::<usize>().ok()
            })
            .collect();
        steps.sort_unstable();
        steps
    }

    fn at(&self, step: usize) -> PathBuf {
        self.folder.join(format!("step-{step:08}"))
    }
}

/// A checksum, and below it what it is of.
fn write(path: &Path, kept: &Kept) -> Result<(), String> {
    let json = serde_json::to_string(kept).map_err(|error| error.to_string())?;
    let text = format!("{}\n{json}\n", ContentHash::of(json.as_bytes()));
    fs::write(path, text).map_err(shown(path))
}

fn read(path: &Path) -> Result<Kept, String> {
    let text = fs::read_to_string(path).map_err(shown(path))?;
    let (checksum, json) = text.trim_end().split_once('\n').unwrap_or_default();
    if ContentHash::of(json.as_bytes()).as_str() != checksum {
        return Err(format!("{} is damaged", path.display()));
    }
    serde_json::from_str(json).map_err(|error| format!("{}: {error}", path.display()))
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn shown(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    |error| format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Toy, record};

    fn kept(steps: usize) -> Kept {
        let mut record = record(100);
        let step = secondpass_evaluation::training::TrainingStep {
            step: 0,
            loss: 0.1,
            accuracy: 0.0,
            learning_rate: 1.0,
            gradient_norm: 1.0,
            tokens_per_second: 1.0,
        };
        record.steps.resize(steps, step);
        Kept { record, micro_batch: MicroBatch::Groups(2) }
    }

    fn load(states: &States) -> (Result<Option<usize>, FinetuneError>, usize) {
        let mut warned = 0;
        let identity = record(100).identity;
        let found = states.load(&identity, &mut Toy::new(3), &mut |_| warned += 1);
        (found.map(|kept| kept.map(|kept| kept.record.steps.len())), warned)
    }

    fn save(states: &States, steps: usize, toy: &Toy) -> Result<bool, FinetuneError> {
        states.save(&kept(steps), toy, &mut |_| {})
    }

    #[test]
    fn the_latest_ones_are_kept() {
        let parent = tempfile::tempdir().unwrap();
        let states = States::of(&parent.path().join("model"), 2);
        assert!(!states.exist() && !states.folder().exists());
        assert!(matches!(load(&states), (Ok(None), 0)));
        for step in [10, 20, 30, 30] {
            assert!(save(&states, step, &Toy::new(3)).unwrap());
        }
        assert_eq!(states.steps(), [20, 30]);
        assert!(matches!(load(&states), (Ok(Some(30)), 0)));
        states.clear().unwrap();
        assert!(!states.folder().exists());
        states.clear().unwrap();
    }

    #[test]
    fn damage_leads_to_the_state_before() {
        let parent = tempfile::tempdir().unwrap();
        let states = States::of(&parent.path().join("model"), 3);
        for step in [10, 20, 30] {
            save(&states, step, &Toy::new(3)).unwrap();
        }
        let trainer = states.at(30).join(TRAINER);
        let text = fs::read_to_string(&trainer).unwrap().replace("\"seed\":1", "\"seed\":2");
        fs::write(&trainer, text).unwrap();
        fs::write(states.at(20).join("state.json"), "{").unwrap();
        assert!(matches!(load(&states), (Ok(Some(10)), 2)));
        fs::remove_file(states.at(10).join(TRAINER)).unwrap();
        let (error, _) = load(&states);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("trainer.json is damaged") && error.contains("--fresh"), "{error}");
    }

    #[test]
    fn a_full_disk_leaves_the_state_before() {
        let parent = tempfile::tempdir().unwrap();
        let states = States::of(&parent.path().join("model"), 2);
        save(&states, 10, &Toy::new(3)).unwrap();
        let mut full = Toy::new(3);
        full.disk_is_full = true;
        let error = save(&states, 20, &full).unwrap_err().to_string();
        assert!(error.contains("state of step 20") && error.contains("no space left"), "{error}");
        assert!(!states.folder().join(PARTIAL).exists());
        assert!(matches!(load(&states), (Ok(Some(10)), 0)));
        // Cut before the rename: what lies there is no state.
        fs::create_dir_all(states.folder().join(PARTIAL)).unwrap();
        assert!(matches!(load(&states), (Ok(Some(10)), 0)));
        assert!(save(&states, 20, &Toy::new(3)).unwrap());
    }

    #[test]
    fn a_learner_without_states_is_told_of() {
        let parent = tempfile::tempdir().unwrap();
        let states = States::of(&parent.path().join("model"), 2);
        let mut toy = Toy::new(3);
        toy.forgets = true;
        let mut warnings = Vec::new();
        assert!(!states.save(&kept(5), &toy, &mut |warning| warnings.push(warning)).unwrap());
        assert!(matches!(&warnings[..], [TrainingWarning::NotResumable { .. }]));
        assert!(!states.exist());
    }

    #[test]
    fn another_run_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let states = States::of(&parent.path().join("model"), 2);
        save(&states, 10, &Toy::new(3)).unwrap();
        let mut identity = record(100).identity;
        identity.data = ContentHash::of(b"other");
        let error = states.load(&identity, &mut Toy::new(3), &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("the training data differ"), "{error}");
    }
}
