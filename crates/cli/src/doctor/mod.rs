//! What this machine and this build can do, one finding a line, each with what to do about it.

mod caches;
mod devices;
mod keys;
mod memory;
mod models;
mod runtimes;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::args::Need;

/// Something that was looked at.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// The group it is shown in.
    pub section: &'static str,
    /// Its name there.
    pub name: String,
    pub state: State,
    /// What was found, as a person reads it.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// The same for programs.
    #[serde(flatten)]
    pub details: Map<String, Value>,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// There, and usable.
    Ok,
    /// Not there; many do without.
    Absent,
    /// Something is likely to go wrong.
    Warning,
    /// It was asked for, and cannot be used.
    Broken,
}

impl State {
    /// As it stands before a line.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Absent => "-",
            Self::Warning => "!",
            Self::Broken => "broken",
        }
    }
}

impl Finding {
    fn new(section: &'static str, name: impl Into<String>, state: State, found: String) -> Self {
        let (name, details) = (name.into(), Map::new());
        Self { section, name, state, found, advice: None, details }
    }

    fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }
}

/// Looks at everything. What is needed and not there counts as broken.
pub fn look(needed: &[Need]) -> Vec<Finding> {
    let mut findings = devices::look();
    findings.extend(memory::look());
    findings.extend(runtimes::look());
    findings.extend(models::look());
    findings.extend(caches::look());
    findings.extend(keys::look());
    for need in needed {
        let name = match need {
            Need::Cuda => devices::CUDA,
            Need::Onnx => runtimes::ONNX,
        };
        for finding in findings.iter_mut().filter(|finding| finding.name == name) {
            if finding.state != State::Ok {
                finding.state = State::Broken;
            }
        }
    }
    findings
}

/// Bytes as people read them.
fn shown(bytes: u64) -> String {
    match bytes as f64 {
        large if large >= 1e9 => format!("{:.1} GB", large / 1e9),
        middling if middling >= 1e6 => format!("{:.1} MB", middling / 1e6),
        small => format!("{:.1} kB", small / 1e3),
    }
}
