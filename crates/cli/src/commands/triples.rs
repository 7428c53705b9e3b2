use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use secondpass_core::Dataset;
use secondpass_data::training::Layout;
use secondpass_data::training::check::{Against, Lengths, Report, Tokens, check, check_groups};
use secondpass_data::{beir, embedded, golden};
use secondpass_finetune::{DataSource, ModelSource, Recipe};
use secondpass_model::HELPDESK_MINI;
use secondpass_text::{PairTokenizer, Truncation};

use super::eval::read_experiment;
use super::finetune::data::{self, Data};
use crate::args::{TriplesArgs, TriplesCheckArgs, TriplesCommand};
use crate::exit::usage;
use crate::table::table;
use crate::{datasets, load};

/// Training data: what is in it, and what is wrong with it.
pub fn run(args: &TriplesArgs) -> Result<()> {
    match &args.command {
        TriplesCommand::Check(args) => checked(args),
    }
}

fn checked(args: &TriplesCheckArgs) -> Result<()> {
    let sets: Vec<(String, Dataset)> =
        args.against.iter().map(|set| evaluated(set)).collect::<Result<_>>()?;
    let evaluation = sets.iter().map(|(name, set)| (name.clone(), set.queries())).collect();
    let layout = layout(&args.files)?;
    let tokenizer = args.tokenizer.as_deref().map(|path| tokenizer(path, args.max_length));
    let tokenizer = tokenizer.transpose()?;
    let report = counting(tokenizer.as_ref(), |tokens| {
        let allow_overlap = args.allow_overlap;
        let against = Against { evaluation, allow_overlap, tokens, ..Against::default() };
        Ok(check(&args.files, layout, against)?)
    })?;
    told(&report, layout.name(), tokenizer.as_ref(), args.json)
}

/// Checks what a recipe trains on, against its dev queries and those that it tests on.
pub fn check_recipe(recipe: &Recipe, json: bool) -> Result<()> {
    let tokenizer = match &recipe.model {
        ModelSource::Folder { path, .. } => Some(tokenizer(path, recipe.training.max_length)?),
        // Its tokenizer is trained with it.
        ModelSource::Random { .. } => None,
    };
    let mut sets = vec![("dev".to_owned(), data::dev(recipe)?)];
    for spec in &recipe.tests {
        sets.push((spec.name.clone(), data::evaluated(&spec.set)?));
    }
    let report = counting(tokenizer.as_ref(), |tokens| {
        let against = Against {
            evaluation: sets.iter().map(|(name, set)| (name.clone(), set.queries())).collect(),
            dev_first: true,
            allow_overlap: recipe.allow_overlap,
            needs_teacher: recipe.loss.needs_teacher(),
            tokens,
        };
        match &recipe.data {
            // What cannot be read is listed with the rest.
            DataSource::Files { layout, paths, .. } => Ok(check(paths, *layout, against)?),
            _ => {
                let Data { training, groups, .. } = data::data(recipe)?;
                Ok(check_groups(&training, &groups, against))
            }
        }
    })?;
    told(&report, "training data", tokenizer.as_ref(), json)
}

/// Makes a report with a tokenizer that counts.
fn counting(
    tokenizer: Option<&PairTokenizer>,
    report: impl FnOnce(Option<(Tokens<'_>, usize)>) -> Result<Report>,
) -> Result<Report> {
    let mut failed = None;
    let mut count = |query: &str, document: &str| {
        let pairs = tokenizer.map(|tokenizer| tokenizer.encode(query, &[document]));
        match pairs.transpose() {
            Ok(pairs) => {
                pairs.iter().flatten().map(|pair| pair.ids.len() + pair.cut).sum::<usize>()
            }
            Err(error) => {
                failed.get_or_insert(error);
                0
            }
        }
    };
    let count: Tokens<'_> = &mut count;
    let report = report(tokenizer.map(|tokenizer| (count, tokenizer.max_length())))?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(report),
    }
}

/// Prints a report; fails where training must not start.
fn told(report: &Report, what: &str, tokenizer: Option<&PairTokenizer>, json: bool) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match json {
        true => writeln!(out, "{}", serde_json::to_string_pretty(report)?)?,
        false => show(&mut out, report, what, tokenizer.map(PairTokenizer::max_length))?,
    }
    drop(out);
    match report.has_errors() {
        true => bail!("the training data cannot be used as it is"),
        false => Ok(()),
    }
}

/// The layout of the files, which must have one.
fn layout(files: &[std::path::PathBuf]) -> Result<Layout> {
    let mut found: Option<Layout> = None;
    for file in files {
        let layout = Layout::detect(file)?;
        match found {
            Some(other) if other != layout => {
                return Err(usage(anyhow::anyhow!(
                    "{} holds {}, and the files before it {}; check them one after the other",
                    file.display(),
                    layout.name(),
                    other.name()
                )));
            }
            _ => found = Some(layout),
        }
    }
    found.ok_or_else(|| usage(anyhow::anyhow!("there is no file to check")))
}

/// A set that will be evaluated on.
fn evaluated(spec: &str) -> Result<(String, Dataset)> {
    let path = Path::new(spec);
    if path.extension().is_some_and(|extension| extension == "toml") {
        return Ok((spec.to_owned(), datasets::load(&read_experiment(path)?)?.dataset));
    }
    let set = match spec.rsplit_once(':') {
        Some((set, split)) if set == embedded::NAME => embedded::helpdesk(split).map_err(usage)?,
        Some((folder, split)) if Path::new(folder).is_dir() => {
            beir::read(Path::new(folder), split)?
        }
        _ if path.is_dir() => {
            return Err(usage(anyhow::anyhow!(
                "--against {spec}: name the split that will be evaluated, as {spec}:test"
            )));
        }
        _ => {
            golden::read(path, None)
                .with_context(|| format!("--against {spec}"))
                .map_err(usage)?
                .dataset
        }
    };
    Ok((spec.to_owned(), set))
}

fn tokenizer(path: &Path, max_length: usize) -> Result<PairTokenizer> {
    let truncation = Truncation::LongestFirst;
    if path.as_os_str() == load::EMBEDDED {
        let bytes = HELPDESK_MINI;
        let made = PairTokenizer::from_bytes(bytes.tokenizer, bytes.name, max_length, truncation);
        return made.map_err(usage);
    }
    let file = if path.is_dir() { path.join("tokenizer.json") } else { path.to_owned() };
    PairTokenizer::from_file(&file, max_length, truncation).map_err(usage)
}

fn show(
    out: &mut impl Write,
    report: &Report,
    what: &str,
    max_length: Option<usize>,
) -> Result<()> {
    writeln!(
        out,
        "{} lines of {}: {} queries, {} documents, {} positives, {} negatives; {} lines with a \
         teacher's scores",
        report.rows,
        what,
        report.queries,
        report.documents,
        report.positives,
        report.negatives,
        report.taught
    )?;
    let mut lengths = table(&["length of", "shortest", "median", "95%", "longest"], |at| at > 0);
    let rows = [
        ("queries, characters", Some(report.query_characters)),
        ("documents, characters", Some(report.document_characters)),
        ("pairs, tokens", report.pair_tokens),
    ];
    for (name, found) in rows {
        if let Some(Lengths { min, median, p95, max }) = found {
            lengths.add_row([
                name.to_owned(),
                min.to_string(),
                median.to_string(),
                p95.to_string(),
                max.to_string(),
            ]);
        }
    }
    writeln!(out, "{lengths}")?;
    if let (Some(cut), Some(max_length)) = (report.cut, max_length) {
        writeln!(out, "{cut} pairs are longer than {max_length} tokens and will be cut")?;
    }
    for finding in &report.findings {
        let severity = if finding.is_error { "error" } else { "warning" };
        writeln!(out, "\n{severity}: {} {}", finding.count, finding.kind.advice())?;
        for place in finding.places.iter().take(5) {
            writeln!(out, "  {place}")?;
        }
        if finding.count > 5 {
            writeln!(out, "  …")?;
        }
    }
    if report.findings.is_empty() {
        writeln!(out, "nothing is wrong with them")?;
    }
    Ok(())
}
