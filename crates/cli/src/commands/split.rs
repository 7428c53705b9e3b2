use std::io::{BufRead, Write};
use std::path::Path;

use anyhow::Result;
use secondpass_data::open_text;
use secondpass_data::scrub::Scrubber;
use secondpass_data::split::{Manifest, Settings, Source, SplitError, split};

use crate::args::SplitArgs;
use crate::exit::usage;
use crate::table::table;

/// Splits a file into train, dev and test.
pub fn run(args: &SplitArgs) -> Result<()> {
    let settings = Settings {
        parts: parts(&args.parts)?,
        by_time: args.by_time.clone(),
        group_by: args.group_by.clone(),
        near: args.near,
        seed: args.seed,
    };
    let names = args.names.as_deref().map(names).transpose()?.unwrap_or_default();
    let scrubber = args.scrub.then(|| Scrubber::new(names.iter().map(String::as_str)));
    let source = Source { path: &args.file, corpus: args.corpus.as_deref() };
    let manifest = split(source, &args.out, &settings, scrubber.as_ref()).map_err(graded)?;
    let mut out = std::io::stdout().lock();
    match args.json {
        true => writeln!(out, "{}", serde_json::to_string_pretty(&manifest)?)?,
        false => show(&mut out, &manifest, args)?,
    }
    Ok(())
}

/// What cannot be asked for, and what failed.
fn graded(error: SplitError) -> anyhow::Error {
    match error {
        SplitError::Parts { .. } | SplitError::Near(_) => usage(error),
        other => other.into(),
    }
}

fn parts(text: &str) -> Result<Vec<(String, f64)>> {
    let part = |part: &str| {
        let (name, share) = part.split_once('=')?;
        Some((name.trim().to_owned(), share.trim().parse().ok()?))
    };
    text.split(',').map(part).collect::<Option<_>>().ok_or_else(|| {
        usage(anyhow::anyhow!(
            "--parts is '{text}'; write names and shares, as train=0.8,dev=0.1,test=0.1"
        ))
    })
}

fn names(path: &Path) -> Result<Vec<String>> {
    let lines = open_text(path).map_err(usage)?.lines();
    Ok(lines.collect::<Result<_, _>>()?)
}

fn show(out: &mut impl Write, manifest: &Manifest, args: &SplitArgs) -> Result<()> {
    let timed = manifest.by_time.is_some();
    let mut heads = vec!["part", "share", "lines", "clusters"];
    if timed {
        heads.extend(["oldest", "youngest"]);
    }
    let mut shown = table(&heads, |at| (1..4).contains(&at));
    for part in &manifest.parts {
        let share = part.lines as f64 / manifest.lines as f64;
        let mut row = vec![
            part.name.clone(),
            format!("{share:.3}"),
            part.lines.to_string(),
            part.clusters.to_string(),
        ];
        if timed {
            let moment = |moment: Option<_>| {
                moment.map_or_else(String::new, |moment: secondpass_data::split::Moment| {
                    moment.to_string()
                })
            };
            row.extend([moment(part.from), moment(part.to)]);
        }
        shown.add_row(row);
    }
    writeln!(out, "{shown}")?;
    writeln!(
        out,
        "{} lines stay with others by their fields, {} more because their queries say nearly the \
         same (from {} of their shingles)",
        manifest.grouped, manifest.near_duplicates, manifest.near
    )?;
    if let Some(scrubbed) = &manifest.scrubbed {
        let counts: Vec<String> =
            scrubbed.iter().map(|(kind, count)| format!("{count} of kind {kind}")).collect();
        let counts = if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") };
        writeln!(
            out,
            "Personal data taken out: {counts}. Read a sample before you share the files."
        )?;
    }
    writeln!(out, "Parts and manifest: {}", args.out.display())?;
    Ok(())
}
