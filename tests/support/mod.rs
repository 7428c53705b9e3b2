//! A folder of its own for each test, and the program as a user runs it there.

// What fails here fails a test, and no test uses all of it.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub mod finetune;
pub mod hosted;

/// A temporary folder in which the program runs; its caches lie there too, so that none of the
/// user's is read or written. Keys, addresses and prices that the user has are not seen either.
pub struct Home(tempfile::TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn read(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// All files under a folder, folders left out.
    pub fn files(&self, folder: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.path(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { &mut folders } else { &mut files }.push(path);
            }
        }
        files.sort();
        files
    }

    /// The files under a folder whose bytes contain a text.
    pub fn files_with(&self, folder: &str, text: &str) -> Vec<PathBuf> {
        let holds = |path: &PathBuf| {
            let bytes = fs::read(path).unwrap();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        };
        self.files(folder).into_iter().filter(holds).collect()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.other(env!("CARGO_BIN_EXE_secondpass"));
        command.args(args);
        command
    }

    /// Another program, which runs here as the program does.
    pub fn other(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.0.path());
        command.env("SECONDPASS_CACHE", self.path("cache"));
        command.env("SECONDPASS_DATASETS", self.path("datasets"));
        command.env("XDG_CONFIG_HOME", self.path("config"));
        command.env("HF_HUB_OFFLINE", "1");
        for variable in hosted::VARIABLES {
            command.env_remove(variable);
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs with this text on standard input.
    pub fn run_on(&self, input: &str, args: &[&str]) -> Output {
        let mut child = self.start(self.command(args).stdin(Stdio::piped()));
        // A program that refuses its flags does not read.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    pub fn start(&self, command: &mut Command) -> Child {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// A set in BEIR's layout in `set/`: each query has some words of one document, which is
    /// relevant, and one word of another, which is judged not to be.
    pub fn set(&self, queries: usize, documents: usize) {
        let mut words = Words(1);
        let texts: Vec<Vec<String>> = (0..documents).map(|_| words.take(12)).collect();
        let mut lines = String::new();
        for (number, text) in texts.iter().enumerate() {
            let text = text.join(" ");
            writeln!(lines, "{{\"_id\": \"d{number}\", \"title\": \"\", \"text\": \"{text}\"}}")
                .unwrap();
        }
        self.write("set/corpus.jsonl", &lines);
        let (mut lines, mut qrels) = (String::new(), "query-id\tcorpus-id\tscore\n".to_owned());
        for number in 0..queries {
            let (right, wrong) = (number * 7 % documents, (number * 7 + 3) % documents);
            let text = [&texts[right][2..4], &texts[wrong][5..6]].concat().join(" ");
            let parity = if number % 2 == 0 { "even" } else { "odd" };
            writeln!(
                lines,
                "{{\"_id\": \"q{number}\", \"text\": \"{text}\", \
                 \"metadata\": {{\"parity\": \"{parity}\"}}}}"
            )
            .unwrap();
            writeln!(qrels, "q{number}\td{right}\t1\nq{number}\td{wrong}\t0").unwrap();
        }
        self.write("set/queries.jsonl", &lines);
        self.write("set/qrels/test.tsv", &qrels);
    }

    /// An experiment on that set in `small.toml`.
    pub fn config(&self, first_stage: &str, more: &str) {
        self.config_on("kind = \"beir\"\npath = \"set\"\nsplit = \"test\"", first_stage, more);
    }

    /// An experiment on any set in `small.toml`.
    pub fn config_on(&self, dataset: &str, first_stage: &str, more: &str) {
        let text = format!(
            "name = \"small\"\nmeasures = [\"nDCG@10\", \"RR\", \"R@5\"]\nprimary = \"nDCG@10\"\n\
             [dataset]\n{dataset}\n[first_stage]\n{first_stage}\n{more}"
        );
        self.write("small.toml", text);
    }

    /// Puts keys before the tables of that experiment.
    pub fn config_key(&self, line: &str) {
        let config = self.read("small.toml");
        self.write("small.toml", format!("{line}\n{config}"));
    }

    /// Runs that experiment into a folder and gives its record.
    #[track_caller]
    pub fn eval(&self, out: &str, more: &[&str]) -> Value {
        let args = ["eval", "--config", "small.toml", "--out", out];
        succeeds(&self.run(&[&args[..], more].concat()));
        self.json(&format!("{out}/record.json"))
    }
}

/// The model that the program carries, without the sweep over depths, which would take time.
pub const EMBEDDED: &str = "[[reranker]]\nname = \"mini\"\nkind = \"cross-encoder\"\n\
    model = \"embedded\"\n[sweep]\ndepths = []\n";

/// Standard output of a run that must have worked.
#[track_caller]
pub fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Holds that a run ended with this code and said this on standard error.
#[track_caller]
pub fn fails(output: &Output, code: i32, message: &str) {
    let error = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(error.contains(message), "'{message}' is not in: {error}");
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The mean of a system's measure in a record.
#[track_caller]
pub fn mean(record: &Value, system: &str, measure: &str) -> f64 {
    let quality = system_of(record, system)["quality"].as_array().unwrap();
    let found = quality.iter().find(|estimate| estimate["measure"] == measure);
    found.unwrap_or_else(|| panic!("{system} has no {measure}"))["mean"].as_f64().unwrap()
}

#[track_caller]
pub fn system_of<'a>(record: &'a Value, name: &str) -> &'a Value {
    let systems = record["systems"].as_array().unwrap();
    let found = systems.iter().find(|system| system["name"] == name);
    found.unwrap_or_else(|| panic!("the record has no system '{name}'"))
}

/// Query and document of each line of a run.
pub fn ranked(run: &str) -> Vec<(&str, &str)> {
    run.lines()
        .map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(fields.len(), 6, "{line}");
            (fields[0], fields[2])
        })
        .collect()
}

/// Waits until something is there.
#[track_caller]
pub fn until(what: &str, mut is_there: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_there() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A file's lines; none where it is missing.
pub fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Words that look like words, always the same ones.
struct Words(u64);

impl Words {
    fn take(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.word()).collect()
    }

    fn word(&mut self) -> String {
        // Knuth's MMIX generator.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let syllable = |at: u64| ["ba", "ke", "li", "mo", "nu", "ra"][(at % 6) as usize];
        let bits = self.0 >> 33;
        format!("{}{}{}t", syllable(bits), syllable(bits / 6), syllable(bits / 36))
    }
}
