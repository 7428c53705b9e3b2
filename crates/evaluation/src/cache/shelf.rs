use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use secondpass_core::{
    ContentHash, Identity, Job, Origin, Ranking, Reranked, Scoring, Timings, TruncationAudit, Usage,
};
use serde::{Deserialize, Serialize};

use super::{CacheError, EXTENSION, failed};
use crate::answer::Answer;
use crate::files::private;
use crate::{checked, keys};

/// The scores of one reranker, as they were when it was opened.
#[derive(Debug)]
pub(crate) struct Shelf {
    path: PathBuf,
    scoring: Scoring,
    /// By the texts of the pair: pointwise scores.
    pairs: HashMap<Key, f64>,
    /// By the texts of the query and its candidates.
    queries: HashMap<Key, Whole>,
}

/// What is known of a whole query.
#[derive(Debug)]
struct Whole {
    /// Only where pairs do not say it all.
    answer: Option<Answer>,
    truncation: Option<TruncationAudit>,
}

/// Half a SHA-256: enough to tell all texts of the world apart.
type Key = u128;

/// One query's scores in the file.
#[derive(Serialize, Deserialize)]
struct Line {
    query: String,
    /// One key a candidate, in the job's order; none where scoring is listwise.
    pairs: Vec<String>,
    answer: Answer,
}

impl Shelf {
    pub(super) fn open(folder: &Path, identity: &Identity) -> Result<Self, CacheError> {
        let path = folder.join(keys::quality(identity).as_str()).with_extension(EXTENSION);
        let scoring = identity.scoring;
        let mut shelf = Self { path, scoring, pairs: HashMap::new(), queries: HashMap::new() };
        let bytes = read_locked(&shelf.path)?;
        for content in checked::lines(&bytes).contents {
            // A line of another layout is a score to ask for again.
            if let Ok(line) = serde_json::from_str::<Line>(content) {
                shelf.learn(line);
            }
        }
        Ok(shelf)
    }

    /// The scores of this job, where all are known: they took no time and consumed nothing. What was
    /// cut is told where the same candidates were scored together before.
    pub(crate) fn get(&self, job: &Job) -> Option<Reranked> {
        let whole = self.queries.get(&key(&keys::texts(job)));
        let (ranking, truncation) = match (self.scoring, whole) {
            (Scoring::Listwise, whole) => {
                let reranked = whole?.answer.as_ref()?.reranked(job)?;
                (reranked.ranking, reranked.truncation)
            }
            (Scoring::Pointwise, whole) => {
                let scores: Option<Vec<_>> = job
                    .candidates
                    .iter()
                    .map(|candidate| {
                        let score = self.pairs.get(&key(&keys::pair(&job.query, candidate)))?;
                        Some((candidate.document.id.clone(), *score))
                    })
                    .collect();
                let ranking = Ranking::from_scores(scores?).ok()?;
                (ranking, whole.and_then(|whole| whole.truncation))
            }
        };
        Some(Reranked {
            ranking,
            usage: Usage::default(),
            timings: Timings::default(),
            truncation,
            origin: Origin::Live,
        })
    }

    /// Keeps an answer for later experiments, unless it is there already. It is not given in this
    /// one: what a run finds in the cache does not depend on the order of its queries.
    pub(crate) fn put(&self, job: &Job, answer: &Answer) -> Result<(), CacheError> {
        let query = keys::texts(job);
        if self.queries.contains_key(&key(&query)) {
            return Ok(());
        }
        let pairs = match self.scoring {
            Scoring::Listwise => Vec::new(),
            // A pointwise reranker that left candidates out gave no score to keep for them.
            Scoring::Pointwise if answer.scores().is_none() => return Ok(()),
            Scoring::Pointwise => {
                job.candidates.iter().map(|pair| short(&keys::pair(&job.query, pair))).collect()
            }
        };
        let answer = answer.without_times();
        let line = Line { query: short(&query), pairs, answer };
        let content = serde_json::to_string(&line)
            .map_err(|error| failed("write", &self.path)(error.into()))?;
        append_locked(&self.path, checked::line(&content).as_bytes())
    }

    fn learn(&mut self, line: Line) {
        let Some(query) = parse(&line.query) else { return };
        let truncation = line.answer.truncation;
        let answer = match self.scoring {
            Scoring::Listwise => Some(line.answer),
            Scoring::Pointwise => {
                let pairs: Option<Vec<Key>> = line.pairs.iter().map(|pair| parse(pair)).collect();
                let (Some(pairs), Some(scores)) = (pairs, line.answer.scores()) else { return };
                if pairs.len() != scores.len() {
                    return;
                }
                self.pairs.extend(pairs.into_iter().zip(scores));
                None
            }
        };
        self.queries.insert(query, Whole { answer, truncation });
    }
}

const DIGITS: usize = 32;

fn short(hash: &ContentHash) -> String {
    hash.as_str().chars().take(DIGITS).collect()
}

fn parse(digits: &str) -> Option<Key> {
    (digits.len() == DIGITS).then(|| Key::from_str_radix(digits, 16).ok()).flatten()
}

fn key(hash: &ContentHash) -> Key {
    // A hash is 64 hex digits.
    parse(hash.as_str().get(..DIGITS).unwrap_or_default()).unwrap_or_default()
}

/// Under a lock that writers respect, so that no line is read half written.
fn read_locked(path: &Path) -> Result<Vec<u8>, CacheError> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file.map_err(failed("read", path))?,
    };
    file.lock_shared().map_err(failed("lock", path))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed("read", path))?;
    Ok(bytes)
}

fn append_locked(path: &Path, line: &[u8]) -> Result<(), CacheError> {
    let open = private().read(true).append(true).create(true).open(path);
    let mut file = open.map_err(failed("create", path))?;
    file.lock().map_err(failed("lock", path))?;
    let mut append = || -> io::Result<()> {
        // The line of a process that died while writing has no end yet.
        let mut last = [b'\n'];
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        match last {
            [b'\n'] => file.write_all(line),
            _ => file.write_all(&[b"\n", line].concat()),
        }
    };
    let written = append();
    written.map_err(failed("write", path))
}
