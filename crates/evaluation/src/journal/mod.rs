//! An experiment's finished queries, kept on disk until its record is written, so that a run that
//! was stopped or killed goes on where it was.
//!
//! Under an output folder's `journal/` lies one segment a process start (`0001.jsonl`, …), to which
//! that process alone appends. A line is a checksum and JSON (see [`crate::checked`]); kinds of lines
//! are in [`line`]. A line is handed to the system before its query counts as finished, so that
//! killing the process loses nothing; a power cut may cost the last second. Keys hash everything
//! that decides an answer, so segments merge by key and a changed config reuses what still applies.
//! Journals hold ids, places and numbers, and no texts.
//!
//! A journal is removed when its record has been written: the same command then measures again. A
//! start that sent nothing, because it was refused say, leaves nothing behind.

mod line;
mod lock;
mod owner;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use secondpass_core::{Billed, ContentHash, QueryId, Usage};

use crate::answer::Answer;
use crate::checked;
use crate::files::{private, remedy};
use crate::record::Machine;
use line::{Done, FORMAT, Header, Intent, Line, Outcome};
pub(crate) use owner::{Owner, owner};

/// The journal's folder within an output folder.
pub const JOURNAL_FOLDER: &str = "journal";

/// A power cut may cost what was finished within this time.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// The journal of one output folder, which no other process may write meanwhile.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    lock: File,
    finished: usize,
    damaged: usize,
    in_flight: Vec<InFlight>,
    earlier: BTreeMap<String, Earlier>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    segment: File,
    synced: Instant,
    kept: HashMap<ContentHash, Kept>,
    /// Whether the segment holds more than its header.
    used: bool,
}

/// A call that an earlier start sent and whose answer it did not live to keep. It is made again, so
/// a hosted one may have been billed twice.
#[derive(Clone, Debug, PartialEq)]
pub struct InFlight {
    /// Whose.
    pub system: String,
    /// In which pass (see [`crate::Progress::pass`]).
    pub pass: String,
    /// For which query.
    pub query: QueryId,
    /// The most it can have cost, in US dollars; `None` where calls are not billed, or no price was known.
    pub upper_bound: Option<f64>,
    /// The most units it can have been billed; `None` where calls are not billed.
    pub most_units: Option<u64>,
}

/// What earlier starts left of one query in one pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Kept {
    /// Its answer, with the wall-clock time in seconds where it was measured on this machine.
    pub answer: Option<(Answer, Option<f64>)>,
    /// What failed attempts consumed; a failure is tried again.
    pub spent: Usage,
}

/// What earlier starts are known to have spent on one system; calls whose answers were lost are not
/// in it (see [`Journal::in_flight`]).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Earlier {
    /// What was billed.
    pub billed: Billed,
    /// What that was taken to cost when it came back, in US dollars.
    pub usd: f64,
    /// The part of it for which no price was known then.
    pub unpriced: Billed,
}

/// One query in one pass.
pub(crate) struct Call<'a> {
    /// The hash of everything that decides the answer.
    pub key: ContentHash,
    pub system: &'a str,
    pub pass: &'a str,
    pub query: &'a QueryId,
    /// Whether somebody bills it.
    pub billed: bool,
    /// The most units it can be billed; `None` where nobody bills it.
    pub most_units: Option<u64>,
}

/// Why a journal could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system refused.
    #[error("cannot {doing} '{}': {source}; {}", path.display(), remedy(source))]
    Io {
        /// `read`, `write`, `create`, `lock` or `remove`.
        doing: &'static str,
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process runs an experiment in this folder.
    #[error(
        "another process is running an experiment in '{}'; wait until it has ended, or choose \
         another folder", folder.display()
    )]
    Busy {
        /// The output folder.
        folder: PathBuf,
    },
    /// The folder holds the unfinished run of another experiment.
    #[error(
        "'{}' holds an unfinished run of another experiment, '{owner}'; nothing was written: choose \
         another folder for '{name}', or purge this one", folder.display()
    )]
    OtherExperiment {
        /// The output folder.
        folder: PathBuf,
        /// The experiment it belongs to.
        owner: String,
        /// The experiment that asked.
        name: String,
    },
    /// Another version of the program wrote it.
    #[error(
        "'{}' has journal format {found}, this program reads {FORMAT}; begin anew, or finish the run \
         with the version that began it", path.display()
    )]
    Format {
        /// The segment.
        path: PathBuf,
        /// The format it says it has.
        found: u32,
    },
}

impl Journal {
    /// Opens the journal of the experiment `name` in its output folder, which is made where it is
    /// missing, and reads what earlier starts of the same experiment finished. `fresh` leaves all of
    /// that out and begins anew. Claim the folder first, with [`crate::store::claim`].
    ///
    /// # Errors
    /// Another process writes there, the journal is another experiment's or of another format, or
    /// the system refuses.
    pub fn open(folder: &Path, name: &str, fresh: bool) -> Result<Self, JournalError> {
        let journal = folder.join(JOURNAL_FOLDER);
        fs::create_dir_all(&journal).map_err(failed("create", &journal))?;
        let lock = lock::acquire(&journal, folder)?;
        let segments = segment::list(&journal).map_err(failed("read", &journal))?;
        let machine = machine();
        let mut contents = Contents::default();
        for (_, path) in &segments {
            match fresh {
                true => fs::remove_file(path).map_err(failed("remove", path))?,
                false => contents.read(path, folder, name, &machine)?,
            }
        }
        let number = segments.last().map_or(1, |(number, _)| number + 1);
        let path = journal.join(segment::name(number));
        let segment =
            private().append(true).create_new(true).open(&path).map_err(failed("create", &path))?;
        let finished = contents.kept.values().filter(|kept| kept.answer.is_some()).count();
        let opened = Self {
            folder: journal,
            lock,
            finished,
            damaged: contents.damaged,
            in_flight: contents.in_flight,
            earlier: contents.earlier,
            inner: Mutex::new(Inner {
                path,
                segment,
                synced: Instant::now(),
                kept: contents.kept,
                used: false,
            }),
        };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let header = Header { format: FORMAT, experiment: name.to_owned(), version, machine };
        opened.append(&Line::Header(header), true)?;
        Ok(opened)
    }

    /// Answers of earlier starts that can be reused, over all systems and passes.
    pub fn finished(&self) -> usize {
        self.finished
    }

    /// Lines of earlier starts that are not what was written, and were left out; their queries run
    /// again.
    pub fn damaged(&self) -> usize {
        self.damaged
    }

    /// Calls that earlier starts sent and whose answers they did not keep, whatever became of the same
    /// query since; oldest start first, then by system, pass and query.
    pub fn in_flight(&self) -> &[InFlight] {
        &self.in_flight
    }

    /// Takes the journal away: to be called when the record has been written.
    ///
    /// # Errors
    /// The system refuses.
    pub fn remove(self) -> Result<(), JournalError> {
        remove_locked(&self.folder, &self.lock).map(drop)
    }

    /// What earlier starts spent, by system; only systems that somebody bills are in it.
    pub(crate) fn earlier(&self) -> &BTreeMap<String, Earlier> {
        &self.earlier
    }

    /// What earlier starts left of this call, which stays there.
    pub(crate) fn peek(&self, key: &ContentHash) -> Option<Kept> {
        self.inner().kept.get(key).cloned()
    }

    /// What earlier starts left of this call; given once.
    pub(crate) fn take(&self, key: &ContentHash) -> Option<Kept> {
        self.inner().kept.remove(key)
    }

    /// Notes that a call goes out, before it does.
    pub(crate) fn begin(
        &self,
        call: &Call<'_>,
        upper_bound: Option<f64>,
    ) -> Result<(), JournalError> {
        let intent = Intent {
            key: call.key.clone(),
            system: call.system.to_owned(),
            pass: call.pass.to_owned(),
            query: call.query.clone(),
            upper_bound,
            most_units: call.most_units,
        };
        // What costs money is on the disk itself before it is spent.
        self.append(&Line::Intent(intent), call.billed)
    }

    /// Keeps an answer and what it cost in US dollars, before it counts.
    pub(crate) fn answered(
        &self,
        call: &Call<'_>,
        answer: &Answer,
        seconds: Option<f64>,
        usd: Option<f64>,
    ) -> Result<(), JournalError> {
        self.done(call, Outcome::Answer(answer.clone()), seconds, usd)
    }

    /// Keeps what a failed call consumed and cost in US dollars, and why it failed.
    pub(crate) fn failed(
        &self,
        call: &Call<'_>,
        reason: &str,
        usage: Usage,
        usd: Option<f64>,
    ) -> Result<(), JournalError> {
        self.done(call, Outcome::Failure { reason: reason.to_owned(), usage }, None, usd)
    }

    fn done(
        &self,
        call: &Call<'_>,
        outcome: Outcome,
        seconds: Option<f64>,
        usd: Option<f64>,
    ) -> Result<(), JournalError> {
        let system = call.billed.then(|| call.system.to_owned());
        let key = call.key.clone();
        let done = Done { key, seconds, outcome, system, usd };
        self.append(&Line::Done(Box::new(done)), false)
    }

    fn append(&self, line: &Line, sync: bool) -> Result<(), JournalError> {
        let mut inner = self.inner();
        let inner = &mut *inner;
        inner.used |= !matches!(line, Line::Header(_));
        let mut write = || -> io::Result<()> {
            let content = serde_json::to_string(line).map_err(io::Error::from)?;
            inner.segment.write_all(checked::line(&content).as_bytes())?;
            if sync || inner.synced.elapsed() >= SYNC_EVERY {
                inner.segment.sync_data()?;
                inner.synced = Instant::now();
            }
            Ok(())
        };
        let written = write();
        written.map_err(failed("write", &inner.path))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves nothing half changed here.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let inner = self.inner();
        if inner.used {
            return;
        }
        // What cannot be taken away does no harm: it says nothing.
        let _ = fs::remove_file(&inner.path);
        if segment::list(&self.folder).is_ok_and(|earlier| earlier.is_empty()) {
            let _ = remove_locked(&self.folder, &self.lock);
        }
    }
}

/// Removes the journal of an output folder, whosever it is; gives the files that were removed.
///
/// # Errors
/// A process writes it, or the system refuses.
pub(crate) fn purge(folder: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let journal = folder.join(JOURNAL_FOLDER);
    let lock = lock::acquire(&journal, folder)?;
    remove_locked(&journal, &lock)
}

/// Segments, then the lock's file, then the folder unless something else is in it.
fn remove_locked(journal: &Path, _lock: &File) -> Result<Vec<PathBuf>, JournalError> {
    let segments = segment::list(journal).map_err(failed("read", journal))?;
    let mut removed: Vec<PathBuf> = segments.into_iter().map(|(_, path)| path).collect();
    removed.push(journal.join(lock::FILE));
    for path in &removed {
        fs::remove_file(path).map_err(failed("remove", path))?;
    }
    let _ = fs::remove_dir(journal);
    Ok(removed)
}

/// What all segments hold together.
#[derive(Default)]
struct Contents {
    kept: HashMap<ContentHash, Kept>,
    in_flight: Vec<InFlight>,
    earlier: BTreeMap<String, Earlier>,
    damaged: usize,
}

impl Contents {
    fn read(
        &mut self,
        path: &Path,
        folder: &Path,
        name: &str,
        machine: &ContentHash,
    ) -> Result<(), JournalError> {
        let bytes = fs::read(path).map_err(failed("read", path))?;
        let lines = checked::lines(&bytes);
        self.damaged += lines.damaged;
        // Until a header says otherwise, times are of a machine that nobody knows.
        let mut same_machine = false;
        // A segment is one start: what it sent and did not bring back was lost with it.
        let mut intents: HashMap<ContentHash, InFlight> = HashMap::new();
        for content in lines.contents {
            match serde_json::from_str(content) {
                Ok(Line::Header(header)) if header.format != FORMAT => {
                    let (path, found) = (path.to_owned(), header.format);
                    return Err(JournalError::Format { path, found });
                }
                Ok(Line::Header(header)) if header.experiment != name => {
                    return Err(JournalError::OtherExperiment {
                        folder: folder.to_owned(),
                        owner: header.experiment,
                        name: name.to_owned(),
                    });
                }
                Ok(Line::Header(header)) => same_machine = header.machine == *machine,
                Ok(Line::Intent(intent)) => {
                    let Intent { key, system, pass, query, upper_bound, most_units } = intent;
                    let call = InFlight { system, pass, query, upper_bound, most_units };
                    intents.insert(key, call);
                }
                Ok(Line::Done(done)) => {
                    intents.remove(&done.key);
                    self.done(*done, same_machine);
                }
                Err(_) => self.damaged += 1,
            }
        }
        let mut lost: Vec<InFlight> = intents.into_values().collect();
        lost.sort_by(|a, b| (&a.system, &a.pass, &a.query).cmp(&(&b.system, &b.pass, &b.query)));
        self.in_flight.append(&mut lost);
        Ok(())
    }

    fn done(&mut self, done: Done, same_machine: bool) {
        if let Some(system) = &done.system {
            self.earlier.entry(system.clone()).or_default().add(&done);
        }
        let kept = self.kept.entry(done.key).or_default();
        match done.outcome {
            Outcome::Answer(answer) => {
                kept.answer = Some((answer, done.seconds.filter(|_| same_machine)));
            }
            Outcome::Failure { usage, .. } => kept.spent += usage,
        }
    }
}

impl Earlier {
    fn add(&mut self, done: &Done) {
        let billed = match &done.outcome {
            // Whoever plays a recording back bills nothing.
            Outcome::Answer(answer) if answer.is_replayed() => return,
            Outcome::Answer(answer) => answer.usage.billed,
            Outcome::Failure { usage, .. } => usage.billed,
        };
        self.billed += billed;
        match done.usd {
            Some(usd) => self.usd += usd,
            None => self.unpriced += billed,
        }
    }
}

/// What times depend on, devices aside, which stand in an answer's key.
fn machine() -> ContentHash {
    let Machine { cpu, cores, os, .. } = Machine::here();
    ContentHash::of(format!("{cpu}\n{cores}\n{os}").as_bytes())
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    move |source| JournalError::Io { doing, path: path.to_owned(), source }
}
