use std::io::Write;

use anyhow::{Result, bail};
use serde_json::json;

use crate::args::DoctorArgs;
use crate::doctor::{self, Finding, State};

/// Says what this machine and this build can do, and what to do about the rest.
pub fn run(args: &DoctorArgs) -> Result<()> {
    let findings = doctor::look(&args.need);
    let mut out = std::io::stdout().lock();
    match args.json {
        true => {
            let whole = json!({ "version": env!("CARGO_PKG_VERSION"), "findings": findings });
            writeln!(out, "{}", serde_json::to_string_pretty(&whole)?)?;
        }
        false => print(&mut out, &findings)?,
    }
    let broken: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.state == State::Broken)
        .map(|finding| finding.name.as_str())
        .collect();
    match broken.is_empty() {
        true => Ok(()),
        false => {
            bail!("asked for and not usable: {}; each line says what to do", broken.join(", "))
        }
    }
}

fn print(out: &mut impl Write, findings: &[Finding]) -> Result<()> {
    let width = findings.iter().map(|finding| finding.name.len()).max().unwrap_or(0);
    let mut section = "";
    for finding in findings {
        if finding.section != section {
            let space = if section.is_empty() { "" } else { "\n" };
            writeln!(out, "{space}{}", finding.section)?;
            section = finding.section;
        }
        let Finding { name, found, state, .. } = finding;
        writeln!(out, "  {:<6}  {name:<width$}  {found}", state.mark())?;
        if let Some(advice) = &finding.advice {
            writeln!(out, "  {:6}  {:width$}  → {advice}", "", "")?;
        }
    }
    Ok(())
}
