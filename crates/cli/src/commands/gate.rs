use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use secondpass_core::{ContentHash, Context};
use secondpass_data::{Access, write_file};
use secondpass_evaluation::compare::{Evidence, interleaved};
use secondpass_evaluation::{QueryRow, Record, store};
use serde::{Deserialize, Serialize};

use super::compare::{Known, config, drifted, tell, verdict};
use super::eval::read_experiment;
use crate::args::GateArgs;
use crate::dry_run::duration;
use crate::exit::usage;
use crate::note::note;
use crate::progress;

/// How often it looks whether a child has ended or Ctrl-C was pressed.
const LOOK: Duration = Duration::from_millis(20);
/// What the rounds of a folder belong to.
const MANIFEST: &str = "gate.json";
/// Lines of a failed child's words that are told.
const LAST_LINES: usize = 5;

/// Runs two builds side by side and compares them.
pub fn run(args: &GateArgs) -> Result<()> {
    let rules = config(args.gate.as_deref())?;
    let drifted = drifted(&rules)?;
    // Before any work: a config that cannot be read is no regression.
    read_experiment(&args.config)?;
    let rounds = args.rounds.unwrap_or(rules.interleaved.rounds);
    let manifest = Manifest::of(args)?;
    manifest.claim(&args.out)?;
    let context = progress::cancellable_saying("stopping; finished rounds are kept and compared");
    let mut done = Vec::new();
    for number in 1..=rounds {
        let began = Instant::now();
        match round(args, number, &context)? {
            Some(round) => done.push(round),
            None => break,
        }
        let left = began.elapsed().as_secs_f64() * (rounds - number) as f64;
        match number < rounds {
            true => {
                note(format_args!("round {number} of {rounds} done, about {} left", duration(left)))
            }
            false => note(format_args!("round {number} of {rounds} done")),
        }
    }
    let pairs: Vec<(Evidence<'_>, Evidence<'_>)> =
        done.iter().map(|(old, new)| (old.evidence(), new.evidence())).collect();
    let stopped = (done.len() < rounds).then(|| {
        anyhow!("stopped after {} of {rounds} rounds; the same command goes on", done.len())
    });
    let Some(comparison) = interleaved(&pairs, &rules, &drifted) else {
        return Err(stopped.unwrap_or_else(|| anyhow!("no round was run")));
    };
    let first = done.first().map_or(Vec::new(), |(old, new)| vec![&old.record, &new.record]);
    tell(&comparison, &Known::Experiments(first), &args.output)?;
    match stopped {
        Some(stopped) => Err(stopped),
        None => verdict(&comparison),
    }
}

/// What one build gave in one round.
struct Ran {
    record: Record,
    rows: Vec<QueryRow>,
}

impl Ran {
    fn evidence(&self) -> Evidence<'_> {
        Evidence { record: &self.record, rows: &self.rows }
    }
}

/// Both builds, the first one in turn; `None` where it was stopped.
fn round(args: &GateArgs, number: usize, context: &Context) -> Result<Option<(Ran, Ran)>> {
    let folder = args.out.join(format!("round-{number}"));
    let [old, new] = ["baseline", "current"].map(|side| folder.join(side));
    if let (Ok(old), Ok(new)) = (store::read(&old), store::read(&new)) {
        let ran = |(record, rows)| Ran { record, rows };
        return Ok(Some((ran(old), ran(new))));
    }
    // Half a round is none: its two runs are to lie side by side.
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", folder.display()));
        }
        _ => {}
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut turns = [(&args.baseline_bin, &old), (&args.current_bin, &new)];
    if number.is_multiple_of(2) {
        turns.reverse();
    }
    for (program, out) in turns {
        if !eval(program, out, args, context)? {
            return Ok(None);
        }
    }
    let read = |folder: &Path| -> Result<Ran> {
        let (record, rows) = store::read(folder).map_err(usage)?;
        Ok(Ran { record, rows })
    };
    Ok(Some((read(&old)?, read(&new)?)))
}

/// Runs the experiment with one build. Whether it came to its end.
fn eval(program: &Path, out: &Path, args: &GateArgs, context: &Context) -> Result<bool> {
    let log = out.with_extension("log");
    let words = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut child = Command::new(program)
        .arg("eval")
        .arg("--config")
        .arg(&args.config)
        .arg("--out")
        .arg(out)
        .args(["--no-cache", "--fresh"])
        .args(&args.eval)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(words)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))
        .map_err(usage)?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if context.is_over() {
            // Whatever it has not finished is thrown away with its round.
            let _ = child.kill();
            let _ = child.wait();
            return Ok(false);
        }
        std::thread::sleep(LOOK);
    };
    if context.is_over() {
        return Ok(false);
    }
    // Figures that were not met leave a record, which is what counts here.
    match status.success() || store::read_record(out).is_ok() {
        true => Ok(true),
        false => bail!("{}", failed(program, status, &log)),
    }
}

fn failed(program: &Path, status: ExitStatus, log: &Path) -> String {
    let words = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = words.lines().collect();
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
    format!("{} ended with {status}; it said (in {}):\n{last}", program.display(), log.display())
}

/// What the rounds of a folder were made of: rounds of other builds do not count.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Manifest {
    baseline: ContentHash,
    current: ContentHash,
    config: ContentHash,
    eval: Vec<String>,
}

impl Manifest {
    fn of(args: &GateArgs) -> Result<Self> {
        let hash = |path: &PathBuf| {
            let read = fs::read(path).with_context(|| format!("cannot read {}", path.display()));
            read.map(|bytes| ContentHash::of(&bytes)).map_err(usage)
        };
        Ok(Self {
            baseline: hash(&args.baseline_bin)?,
            current: hash(&args.current_bin)?,
            config: hash(&args.config)?,
            eval: args.eval.clone(),
        })
    }

    /// Makes the folder, or checks that its rounds are of the same builds.
    fn claim(&self, folder: &Path) -> Result<()> {
        let path = folder.join(MANIFEST);
        let refuse = |what: &str| {
            usage(anyhow!(
                "{} {what}; name another folder with --out, or remove it",
                folder.display()
            ))
        };
        match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice::<Self>(&bytes) {
                Ok(known) if known == *self => Ok(()),
                Ok(_) => Err(refuse("holds rounds of other builds, or of another experiment")),
                Err(_) => Err(refuse("holds a gate.json that is none of ours")),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut entries = fs::read_dir(folder).into_iter().flatten();
                if entries.next().is_some() {
                    return Err(refuse("is not empty"));
                }
                fs::create_dir_all(folder)
                    .with_context(|| format!("cannot create {}", folder.display()))?;
                let mut json = serde_json::to_vec_pretty(self)?;
                json.push(b'\n');
                Ok(write_file(&path, Access::Default, |out| Ok(out.write_all(&json)?))?)
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }
}
