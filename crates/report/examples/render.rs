//! Renders a record again, to look at what a change of the reports does without running anything:
//! `render OUT RECORD`, or with a decision's config `render OUT decide.toml RECORD...`.

use std::error::Error;
use std::path::{Path, PathBuf};

use secondpass_evaluation::decision::{Case, DecideConfig, Evidence, decide};
use secondpass_evaluation::prices::PriceTable;
use secondpass_evaluation::{finding, store};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let Some((out, rest)) = args.split_first() else {
        return Err("render OUT RECORD, or render OUT decide.toml RECORD...".into());
    };
    let (config, folders): (Vec<&PathBuf>, Vec<&PathBuf>) =
        rest.iter().partition(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let read = folders.iter().map(|folder| store::read(folder)).collect::<Result<Vec<_>, _>>()?;
    if let Some(config) = config.first() {
        return of_decision(out, config, &read);
    }
    for (record, rows) in &read {
        secondpass_report::render(record, rows, &finding(record), out)?;
    }
    Ok(())
}

fn of_decision(
    out: &Path,
    config: &Path,
    read: &[(secondpass_evaluation::Record, Vec<secondpass_evaluation::QueryRow>)],
) -> Result<(), Box<dyn Error>> {
    let file = config.display().to_string();
    let config = DecideConfig::parse(&std::fs::read_to_string(config)?, &file)?;
    let evidence: Vec<Evidence<'_>> =
        read.iter().map(|(record, rows)| Evidence { record, rows }).collect();
    let case = Case::from_records(&evidence, &config, &PriceTable::own()?)?;
    secondpass_report::render_decision(&decide(&case, &config), &evidence, out)?;
    Ok(())
}
