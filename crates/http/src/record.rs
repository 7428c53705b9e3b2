use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secondpass_core::rfc3339;

use crate::echo::without_texts;
use crate::exchange::{Answer, Exchange, ExchangeError, Request};
use crate::recording::{self, Exchanged, HEAD, RecordingError};
use crate::sync::lock;
use crate::{Clock, Redactor, SystemClock};

/// A file that exchanges are added to, whole lines at a time, by any number of threads and
/// processes. [`crate::Replay`] reads it.
///
/// It holds neither requests nor keys: a request is there as its hash, and of an answer the status,
/// headers that tell nothing of who asked, and the body, from which keys and texts of the request are
/// taken out. Only its owner may read it.
pub struct Recording {
    path: PathBuf,
    file: Mutex<File>,
    written: AtomicU64,
    trouble: Mutex<Option<io::Error>>,
}

/// Passes exchanges on to another and keeps each that was answered in a [`Recording`]. Answers whose
/// body is no UTF-8 are not kept: no API sends them.
///
/// A recording that cannot be written does not spoil an answer that may have been paid for; it is
/// reported by [`Recording::finish`].
pub struct Recorder {
    inner: Arc<dyn Exchange>,
    recording: Arc<Recording>,
    clock: Arc<dyn Clock>,
}

impl Recording {
    /// Opens a recording to be added to, or makes one.
    ///
    /// # Errors
    /// Files that cannot be written or locked, and files that are something else.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let unwritten = |source| RecordingError::Write { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(unwritten)?;
        file.lock().map_err(unwritten)?;
        let begun = begin(&mut file, path);
        file.unlock().map_err(unwritten)?;
        begun?;
        Ok(Self {
            path: path.to_owned(),
            file: Mutex::new(file),
            written: AtomicU64::new(0),
            trouble: Mutex::default(),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many exchanges were added.
    ///
    /// # Errors
    /// The first one that could not be written since the last time this was asked.
    pub fn finish(&self) -> Result<u64, RecordingError> {
        match lock(&self.trouble).take() {
            Some(source) => Err(RecordingError::Write { path: self.path.clone(), source }),
            None => Ok(self.written.load(Ordering::Relaxed)),
        }
    }

    fn add(&self, exchanged: &Exchanged) {
        let line = serde_json::to_vec(exchanged).map_err(io::Error::from);
        match line.and_then(|line| append(&mut lock(&self.file), line)) {
            Ok(()) => {
                self.written.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                lock(&self.trouble).get_or_insert(error);
            }
        }
    }
}

impl Recorder {
    /// Records what `inner` answers.
    pub fn new(inner: Arc<dyn Exchange>, recording: Arc<Recording>) -> Self {
        Self { inner, recording, clock: Arc::new(SystemClock) }
    }

    /// The same with another clock, for tests.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }
}

impl Exchange for Recorder {
    fn exchange(&self, request: &Request, timeout: Duration) -> Result<Answer, ExchangeError> {
        let sent = self.clock.now();
        let answer = self.inner.exchange(request, timeout)?;
        let took = self.clock.now().saturating_duration_since(sent);
        if let Ok(body) = std::str::from_utf8(&answer.body) {
            let redactor = Redactor::new(request.secrets.iter().map(|(_, secret)| secret));
            let kept = answer.headers.iter().filter(|(name, _)| recording::is_kept(name));
            let success = (200..300).contains(&answer.status);
            let body = without_texts(&request.body, body, success);
            self.recording.add(&Exchanged {
                request: recording::hash(request),
                recorded: rfc3339(self.clock.date()),
                took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                status: answer.status,
                headers: kept.map(|(name, value)| (name.clone(), redactor.body(value))).collect(),
                body: redactor.body(&body),
            });
        }
        Ok(answer)
    }
}

/// Makes sure that the file, which is locked, is a recording with whole lines.
fn begin(file: &mut File, path: &Path) -> Result<(), RecordingError> {
    let unwritten = |source| RecordingError::Write { path: path.to_owned(), source };
    let mut head = Vec::new();
    // Longer than any head: the first line of a file of another kind may never end.
    Read::by_ref(file).take(1024).read_to_end(&mut head).map_err(unwritten)?;
    match head.iter().position(|&byte| byte == b'\n') {
        Some(end) => match recording::format(&head[..end]) {
            Some(1) => mend(file).map_err(unwritten),
            Some(found) => Err(RecordingError::Format { path: path.to_owned(), found }),
            None => Err(RecordingError::NotARecording(path.to_owned())),
        },
        // New, or killed while it was made.
        None if HEAD.as_bytes().starts_with(&head) => {
            file.set_len(0).map_err(unwritten)?;
            file.rewind().map_err(unwritten)?;
            writeln!(file, "{HEAD}").map_err(unwritten)
        }
        None => Err(RecordingError::NotARecording(path.to_owned())),
    }
}

/// Adds a line while nobody else does.
fn append(file: &mut File, mut line: Vec<u8>) -> io::Result<()> {
    line.push(b'\n');
    file.lock()?;
    let written = mend(file).and_then(|()| file.write_all(&line));
    file.unlock()?;
    written
}

/// Takes a last line away that somebody was killed in, and goes to the end.
fn mend(file: &mut File) -> io::Result<()> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut end = length;
    let mut chunk = [0; 4096];
    while end > 0 {
        // The last byte alone tells nearly always.
        let size = if end == length { 1 } else { end.min(chunk.len() as u64) };
        let chunk = &mut chunk[..size as usize];
        file.seek(SeekFrom::Start(end - size))?;
        file.read_exact(chunk)?;
        if let Some(at) = chunk.iter().rposition(|&byte| byte == b'\n') {
            end = end - size + at as u64 + 1;
            break;
        }
        end -= size;
    }
    if end < length {
        file.set_len(end)?;
    }
    file.seek(SeekFrom::Start(end)).map(|_| ())
}

#[cfg(test)]
mod tests {
    use crate::Method;

    use super::*;

    struct Always;

    impl Exchange for Always {
        fn exchange(&self, _: &Request, _: Duration) -> Result<Answer, ExchangeError> {
            Ok(Answer { status: 200, headers: Vec::new(), body: b"paid for".to_vec() })
        }
    }

    #[test]
    fn an_answer_survives_a_recording_that_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calls.jsonl");
        let whole = Recording::open(&path).unwrap();
        let recording = Arc::new(Recording {
            file: Mutex::new(File::open(&path).unwrap()), // For reading only.
            ..whole
        });
        let request = Request {
            method: Method::Get,
            url: "https://host/x".into(),
            headers: Vec::new(),
            secrets: Vec::new(),
            body: Vec::new(),
            largest_answer: 100,
        };
        let recorder = Recorder::new(Arc::new(Always), Arc::clone(&recording));
        assert_eq!(recorder.exchange(&request, Duration::MAX).unwrap().body, b"paid for");
        let error = recording.finish().unwrap_err();
        assert!(matches!(error, RecordingError::Write { .. }));
        assert!(error.to_string().contains("calls.jsonl"), "{error}");
    }

    #[test]
    fn a_long_line_without_an_end_goes_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calls.jsonl");
        for length in [1, 4095, 4096, 4097, 20_000] {
            std::fs::write(&path, format!("{HEAD}\n{}", "x".repeat(length))).unwrap();
            drop(Recording::open(&path).unwrap());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{HEAD}\n"), "{length}");
        }
    }
}
