use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use secondpass_core::ContentHash;

use crate::exchange::{Answer, Exchange, ExchangeError, NoAnswer, Request};
use crate::recording::{self, Exchanged, RecordingError};
use crate::sync::lock;

/// Answers from a [`crate::Recording`]; nothing is sent, and no key is needed. Each answer carries
/// [`secondpass_core::Origin::RECORDED_HEADER`] and [`secondpass_core::Origin::TOOK_HEADER`].
///
/// Of several answers to the same request the newest success counts, or the newest of all where none
/// succeeded.
pub struct Replay {
    path: PathBuf,
    file: Mutex<File>,
    places: HashMap<ContentHash, Place>,
    cut: Option<usize>,
}

/// Where an exchange stands.
struct Place {
    line: usize,
    start: u64,
    length: usize,
    success: bool,
}

impl Replay {
    /// Reads a recording through. Answers stay in the file until they are asked for.
    ///
    /// # Errors
    /// Files that cannot be read or are something else, and lines that are no exchange. A last line
    /// without an end is left out ([`Replay::note`]).
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let unread = |source| RecordingError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(unread)?;
        let mut reader = BufReader::new(file);
        let (mut places, mut cut) = (HashMap::new(), None);
        let (mut start, mut text) = (0, Vec::new());
        for line in 1.. {
            text.clear();
            let length = reader.read_until(b'\n', &mut text).map_err(unread)?;
            if length == 0 && line > 1 {
                break;
            }
            let whole = text.pop_if(|byte| *byte == b'\n').is_some();
            if line == 1 {
                match recording::format(&text) {
                    Some(1) => {}
                    Some(found) => {
                        return Err(RecordingError::Format { path: path.to_owned(), found });
                    }
                    None => return Err(RecordingError::NotARecording(path.to_owned())),
                }
            } else if !whole {
                cut = Some(line);
            } else if text != recording::HEAD.as_bytes() {
                let exchanged = parse(&text).map_err(|reason| {
                    let path = path.to_owned();
                    RecordingError::Line { path, line, reason }
                })?;
                let success = exchanged.is_success();
                let place = Place { line, start, length: text.len(), success };
                keep(&mut places, exchanged.request, place);
            }
            start += length as u64;
        }
        let file = Mutex::new(reader.into_inner());
        Ok(Self { path: path.to_owned(), file, places, cut })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many different requests it answers.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether it answers none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// What the user should be told about the file, if anything.
    pub fn note(&self) -> Option<String> {
        let line = self.cut?;
        Some(format!(
            "{}, line {line}: cut off, as by a kill, and left out; recording to the file again \
             takes it away",
            self.path.display()
        ))
    }

    fn read(&self, place: &Place) -> Result<Exchanged, RecordingError> {
        let mut text = vec![0; place.length];
        let mut file = lock(&self.file);
        let read = file.seek(SeekFrom::Start(place.start)).and_then(|_| file.read_exact(&mut text));
        drop(file);
        let path = || self.path.clone();
        read.map_err(|source| RecordingError::Read { path: path(), source })?;
        parse(&text).map_err(|reason| RecordingError::Line {
            path: path(),
            line: place.line,
            reason,
        })
    }
}

impl Exchange for Replay {
    fn exchange(&self, request: &Request, _: Duration) -> Result<Answer, ExchangeError> {
        let none = |detail| ExchangeError { kind: NoAnswer::NotRecorded, begun: None, detail };
        let hash = recording::hash(request);
        let Some(place) = self.places.get(&hash) else {
            let path = self.path.display();
            let detail =
                format!("the recording {path} has no such call (request {})", hash.short());
            return Err(none(detail));
        };
        let exchanged = self.read(place).map_err(|error| none(error.to_string()))?;
        Ok(exchanged.into_answer())
    }
}

fn parse(line: &[u8]) -> Result<Exchanged, String> {
    let exchanged: Exchanged = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    match exchanged.status {
        100..600 => Ok(exchanged),
        status => Err(format!("{status} is no HTTP status")),
    }
}

/// A later success stands for all, a later failure for failures only.
fn keep(places: &mut HashMap<ContentHash, Place>, hash: ContentHash, place: Place) {
    match places.entry(hash) {
        Entry::Vacant(entry) => {
            entry.insert(place);
        }
        Entry::Occupied(mut entry) => {
            if place.success || !entry.get().success {
                entry.insert(place);
            }
        }
    }
}
