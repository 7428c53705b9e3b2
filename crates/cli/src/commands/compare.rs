use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use secondpass_data::{Access, write_file};
use secondpass_evaluation::bench::{BENCH_FILE, BenchRecord, SampleRow, read_bench};
use secondpass_evaluation::compare::{
    BenchEvidence, Comparison, Drift, Evidence, GateConfig, History, Outcome, Weight, benches,
    experiments,
};
use secondpass_evaluation::{QueryRow, RECORD_FILE, Record, store};
use secondpass_report::{gate, trends};
use serde::Serialize;

use crate::args::{CompareArgs, GateOutputArgs};
use crate::exit::{NotComparable, usage};
use crate::note::note;
use crate::table::table;

/// Says whether one record is worse than another.
pub fn run(args: &CompareArgs) -> Result<()> {
    let config = config(args.config.as_deref())?;
    let drifted = drifted(&config)?;
    let (old, new) = (read(&args.baseline)?, read(&args.current)?);
    let (comparison, known) = match (&old, &new) {
        (Read::Experiment(old, old_rows), Read::Experiment(new, new_rows)) => {
            let baseline = Evidence { record: old, rows: old_rows };
            let current = Evidence { record: new, rows: new_rows };
            let known = Known::Experiments(vec![&**old, &**new]);
            (experiments(baseline, current, &config, &drifted), known)
        }
        (Read::Bench(old, old_samples), Read::Bench(new, new_samples)) => {
            let baseline = BenchEvidence { record: old, samples: old_samples };
            let current = BenchEvidence { record: new, samples: new_samples };
            (benches(baseline, current, &config), Known::Benches(vec![&**old, &**new]))
        }
        _ => {
            return Err(usage(anyhow!(
                "{} and {} are of different kinds: one is an experiment's record, the other a bench's",
                args.baseline.display(),
                args.current.display()
            )));
        }
    };
    tell(&comparison, &known, &args.output)?;
    verdict(&comparison)
}

/// What a folder holds.
enum Read {
    Experiment(Box<Record>, Vec<QueryRow>),
    Bench(Box<BenchRecord>, Vec<SampleRow>),
}

/// A record that cannot be read is the fault of what was asked: it must not look like a regression.
fn read(folder: &Path) -> Result<Read> {
    let place = || format!("{}: name folders that eval or bench wrote into", folder.display());
    if folder.join(BENCH_FILE).exists() && !folder.join(RECORD_FILE).exists() {
        let (record, samples) = read_bench(folder).with_context(place).map_err(usage)?;
        return Ok(Read::Bench(Box::new(record), samples));
    }
    let (record, rows) = store::read(folder).with_context(place).map_err(usage)?;
    Ok(Read::Experiment(Box::new(record), rows))
}

/// The rules of a file, else the defaults.
pub fn config(path: Option<&Path>) -> Result<GateConfig> {
    let Some(path) = path else { return Ok(GateConfig::default()) };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {}; it is to be a gate's TOML file", path.display()))
        .map_err(usage)?;
    GateConfig::parse(&text, &path.display().to_string()).map_err(usage)
}

/// What the config's canary found.
pub fn drifted(config: &GateConfig) -> Result<Vec<Drift>> {
    let Some(path) = &config.canary.report else { return Ok(Vec::new()) };
    let told = || format!("{}: [canary] report is what `canary check --out` wrote", path.display());
    let text = std::fs::read(path).with_context(told).map_err(usage)?;
    Ok(vec![serde_json::from_slice(&text).with_context(told).map_err(usage)?])
}

/// The records that a history learns.
pub enum Known<'a> {
    Experiments(Vec<&'a Record>),
    Benches(Vec<&'a BenchRecord>),
}

/// Prints a comparison and writes the files that were asked for.
pub fn tell(comparison: &Comparison, known: &Known<'_>, output: &GateOutputArgs) -> Result<()> {
    if let Some(path) = &output.markdown {
        write(path, gate::markdown(comparison).as_bytes())?;
    }
    if let Some(path) = &output.json {
        write(path, &json(comparison)?)?;
    }
    if let Some(path) = &output.benchmark_json {
        let (bigger, smaller) = gate::benchmark(comparison);
        write(path, &json(&bigger)?)?;
        write(&beside(path), &json(&smaller)?)?;
    }
    if let Some(path) = &output.history {
        remember(path, known)?;
    }
    print(&mut std::io::stdout().lock(), comparison)
}

/// Where the figures of which less is better go: `NAME-smaller.json`.
fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().map_or("json".into(), |ending| ending.to_string_lossy());
    path.with_file_name(format!("{stem}-smaller.{ending}"))
}

fn remember(path: &Path, known: &Known<'_>) -> Result<()> {
    let mut history = History::read(path).map_err(usage)?;
    let (name, measure) = match known {
        Known::Experiments(records) => {
            records.iter().for_each(|record| {
                history.add(record);
            });
            let last = records.last();
            last.map_or((String::new(), String::new()), |record| {
                (record.experiment.name.clone(), record.primary.clone())
            })
        }
        Known::Benches(records) => {
            records.iter().for_each(|record| {
                history.add_bench(record);
            });
            (records.last().map_or(String::new(), |record| record.name.clone()), String::new())
        }
    };
    history.write(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    trends(&history, &name, &measure, folder.unwrap_or(Path::new(".")))?;
    Ok(())
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(value)?;
    json.push(b'\n');
    Ok(json)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    Ok(write_file(path, Access::Default, |out| Ok(out.write_all(bytes)?))?)
}

fn print(out: &mut impl Write, comparison: &Comparison) -> Result<()> {
    writeln!(out, "{}", comparison.headline())?;
    if comparison.current.demonstration {
        writeln!(out, "{}", gate::DEMONSTRATION)?;
    }
    for finding in &comparison.findings {
        let weight = match finding.weight {
            Weight::Fail => "worse: ",
            Weight::Warn => "look: ",
            Weight::Note => "",
        };
        writeln!(out, "- {weight}{}", finding.text)?;
    }
    for told in gate::tables(comparison) {
        let mut shown = table(&told.head, |column| column >= told.labels);
        told.rows.into_iter().for_each(|row| {
            shown.add_row(row);
        });
        writeln!(out, "\n{}\n{shown}", told.title)?;
    }
    Ok(())
}

/// The exit code that a comparison asks for.
pub fn verdict(comparison: &Comparison) -> Result<()> {
    match comparison.outcome {
        Outcome::Fine => Ok(()),
        Outcome::Regression => {
            let worse = comparison.findings.iter().filter(|f| f.weight == Weight::Fail).count();
            Err(anyhow!("the gate is shut: {worse} of what was found count as worse, see above"))
        }
        Outcome::NotComparable => {
            let what: Vec<&str> = comparison.differences.iter().map(|d| d.what.as_str()).collect();
            let what = what.join(", ");
            note("hint: run the baseline anew with the current data, candidates and config");
            Err(NotComparable(format!("the records cannot be compared: they differ in {what}"))
                .into())
        }
    }
}
