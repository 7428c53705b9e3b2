//! Starts of a process of its own: what a deployment, a crash or a new replica waits for.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read as _, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use secondpass_core::{Candidate, Context, Document, Job, Query};
use secondpass_evaluation::bench::{ColdStart, peak_memory};
use secondpass_evaluation::{Experiment, quantile};
use serde::{Deserialize, Serialize};

use crate::exit::usage;
use crate::own::{self, Opening};

/// How often it is looked whether a child has ended or Ctrl-C was pressed.
const LOOK: Duration = Duration::from_millis(20);

/// The query that a child is given on its standard input.
#[derive(Serialize, Deserialize)]
struct Asked {
    query: String,
    /// Title and text of each candidate.
    documents: Vec<(String, String)>,
}

/// What a child says of itself, in one line, once its first scores are there.
#[derive(Serialize, Deserialize)]
struct Said {
    load: f64,
    peak_memory: Option<u64>,
}

/// The child's work: opens one reranker, reranks what stands on standard input, and says so.
pub fn first_score(experiment: &Experiment, place: usize) -> Result<()> {
    let spec = experiment.rerankers.get(place).with_context(|| format!("no reranker {place}"));
    let spec = spec.map_err(usage)?;
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text)?;
    let asked: Asked = serde_json::from_str(&text).map_err(usage)?;
    let started = Instant::now();
    let opening = Opening { hashed: false, cached: true };
    let Some(own) = own::open(experiment, place, &spec.name, &spec.kind, opening)? else {
        return Err(usage(anyhow::anyhow!("'{}' does not run in this process", spec.name)));
    };
    let reranker = own.reranker(None)?;
    let load = started.elapsed().as_secs_f64();
    let mut failed = None;
    reranker.rerank_many(&[asked.job()], &Context::default(), &mut |_, answer| {
        failed = answer.err().map(|failed| failed.error);
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(&Said { load, peak_memory: peak_memory() })?)?;
    Ok(out.flush()?)
}

/// Starts so many children, one after the other, each with these flags, and gives the medians;
/// `None` when Ctrl-C came first.
pub fn cold_start(
    flags: &[OsString],
    job: &Job,
    starts: usize,
    context: &Context,
) -> Result<Option<ColdStart>> {
    let asked = serde_json::to_vec(&Asked::of(job))?;
    let program = std::env::current_exe().context("this program's own file cannot be found")?;
    let (mut cold, mut loads, mut memory) = (ColdStart::default(), Vec::new(), None);
    for _ in 0..starts {
        let mut command = Command::new(&program);
        command.args(flags).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let Some((seconds, said)) = start(&mut command, &asked, context)? else { return Ok(None) };
        cold.starts.push(seconds);
        loads.push(said.load);
        memory = memory.max(said.peak_memory);
    }
    cold.first_score = median(&cold.starts);
    cold.load = median(&loads);
    cold.peak_memory = memory;
    Ok(Some(cold))
}

fn start(command: &mut Command, asked: &[u8], context: &Context) -> Result<Option<(f64, Said)>> {
    let started = Instant::now();
    let mut child =
        Ending(command.spawn().context("a process for a cold start cannot be started")?);
    let mut input = child.0.stdin.take().context("a child without an input")?;
    // A child that has ended says why on its standard error.
    let _ = input.write_all(asked);
    drop(input);
    let output = BufReader::new(child.0.stdout.take().context("a child without an output")?);
    // The line comes on a thread of its own, so that Ctrl-C is seen meanwhile.
    let reader = std::thread::spawn(move || {
        let line = output.lines().next();
        (line, Instant::now())
    });
    while !reader.is_finished() {
        if context.is_over() {
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
    let Ok((line, heard)) = reader.join() else { bail!("the first score's time is lost") };
    if context.is_over() {
        return Ok(None);
    }
    let said = line.and_then(Result::ok).and_then(|line| serde_json::from_str(&line).ok());
    let Some(said) = said else {
        let mut error = String::new();
        if let Some(mut stderr) = child.0.stderr.take() {
            let _ = stderr.read_to_string(&mut error);
        }
        bail!(
            "a process of its own gave no first score: {}; --cold-starts 0 leaves it out",
            error.trim().strip_prefix("error: ").unwrap_or(error.trim())
        );
    };
    Ok(Some((heard.duration_since(started).as_secs_f64(), said)))
}

fn median(seconds: &[f64]) -> Option<f64> {
    let mut ascending = seconds.to_vec();
    ascending.sort_unstable_by(f64::total_cmp);
    (!ascending.is_empty()).then(|| quantile(&ascending, 0.5))
}

/// A child that does not outlive its measurement.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        // One that has ended already cannot be ended again.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Asked {
    fn of(job: &Job) -> Self {
        let text = |candidate: &Candidate| {
            (candidate.document.title.clone(), candidate.document.text.clone())
        };
        Self { query: job.query.text.clone(), documents: job.candidates.iter().map(text).collect() }
    }

    fn job(self) -> Job {
        let candidate = |(rank, (title, text)): (usize, (String, String))| Candidate {
            document: Document { id: format!("{rank}").as_str().into(), title, text },
            score: -(rank as f64),
            rank,
        };
        let query = Query { id: "first".into(), text: self.query, attributes: Default::default() };
        Job { query, candidates: (1..).zip(self.documents).map(candidate).collect() }
    }
}

/// A query with these texts, for tests.
#[cfg(test)]
pub fn job(query: &str, documents: &[&str]) -> Job {
    let documents = documents.iter().map(|text| (String::new(), (*text).to_owned())).collect();
    Asked { query: query.to_owned(), documents }.job()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_asked_the_same_texts() {
        let documents =
            vec![("A title".to_owned(), "one".to_owned()), (String::new(), "two".to_owned())];
        let job = Asked { query: "what".to_owned(), documents: documents.clone() }.job();
        let again = Asked::of(&job);
        assert_eq!((again.query.as_str(), again.documents), ("what", documents));
        let ids: Vec<&str> = job.candidates.iter().map(|c| c.document.id.as_str()).collect();
        assert_eq!(ids, ["1", "2"]);
    }

    #[test]
    fn medians_are_of_all_starts() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[]), None);
    }
}
