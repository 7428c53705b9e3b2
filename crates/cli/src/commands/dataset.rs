use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use secondpass_data::beir;
use secondpass_data::check::{Finding, Parts, Severity, Stats, check, stats};
use secondpass_data::embedded;
use secondpass_data::hub::HubSettings;
use secondpass_data::manifest::{Catalogue, Manifest, datasets_folder, pull, resolve};

use crate::args::{DatasetArgs, DatasetCommand, DatasetPullArgs, DatasetSetArgs};
use crate::exit::usage;
use crate::progress;
use crate::table::table;

/// Public sets and one's own: what there is, getting one, and what is wrong with one.
pub fn run(args: &DatasetArgs) -> Result<()> {
    match &args.command {
        DatasetCommand::List { json } => list(&catalogue(args)?, *json),
        DatasetCommand::Pull(pulled) => get(&catalogue(args)?, pulled),
        DatasetCommand::Check(set) => checked(&catalogue(args)?, set),
        DatasetCommand::Stats(set) => counted(&catalogue(args)?, set),
    }
}

fn catalogue(args: &DatasetArgs) -> Result<Catalogue> {
    match &args.manifests {
        Some(folder) => Ok(Catalogue::built_in()?.with_folder(folder).map_err(usage)?),
        None => Catalogue::from_env().map_err(usage),
    }
}

fn list(catalogue: &Catalogue, json: bool) -> Result<()> {
    let root = datasets_folder()?;
    let is_here = |manifest: &Manifest| resolve(manifest, None, &root).is_ok();
    let mut out = std::io::stdout().lock();
    if json {
        let sets: Vec<_> = catalogue
            .list()
            .map(|manifest| {
                serde_json::json!({
                    "name": manifest.name,
                    "title": manifest.title,
                    "splits": manifest.splits().collect::<Vec<_>>(),
                    "license": manifest.license,
                    "license_of_texts": manifest.license_of_texts,
                    "homepage": manifest.homepage,
                    "documents": manifest.corpus.count,
                    "pulled": is_here(manifest),
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&sets)?)?;
        return Ok(());
    }
    let mut table =
        table(&["name", "splits", "documents", "licence", "licence of texts", "pulled"], |at| {
            at == 2
        });
    for manifest in catalogue.list() {
        table.add_row([
            manifest.name.clone(),
            manifest.splits().collect::<Vec<_>>().join(", "),
            manifest.corpus.count.map_or_else(|| "-".to_owned(), |count| count.to_string()),
            manifest.license.clone(),
            manifest.license_of_texts.clone(),
            if is_here(manifest) { "yes" } else { "no" }.to_owned(),
        ]);
    }
    writeln!(out, "{table}")?;
    writeln!(
        out,
        "'{}' is compiled in and needs no pull. Whether a licence allows your use is yours to check.",
        embedded::NAME
    )?;
    Ok(())
}

fn get(catalogue: &Catalogue, args: &DatasetPullArgs) -> Result<()> {
    let manifest = catalogue.get(&args.name).map_err(usage)?;
    let root = datasets_folder()?;
    let settings = HubSettings::from_env();
    let pulled = pull(manifest, &args.split, &root, &settings, &progress::downloads())?;
    let mut out = std::io::stdout().lock();
    match pulled.placed.is_empty() {
        true => writeln!(out, "{}: all files were there", pulled.folder.display())?,
        false => writeln!(
            out,
            "{}: {} files, hashes in {}",
            pulled.folder.display(),
            pulled.placed.len(),
            pulled.lockfile.display()
        )?,
    }
    writeln!(
        out,
        "In a config: [dataset] kind = \"public\", name = \"{}\", split = one of {}",
        manifest.name,
        pulled.splits.join(", ")
    )?;
    Ok(())
}

/// The parts of a folder, a golden set, a public set that was pulled, or the embedded one.
fn parts(catalogue: &Catalogue, set: &str, corpus: Option<&Path>) -> Result<Parts> {
    if set == embedded::NAME && !Path::new(set).exists() {
        let splits = ["train", "dev", "test"].map(embedded::helpdesk);
        let sets = splits.into_iter().collect::<Result<Vec<_>, _>>()?;
        return Ok(Parts::of(&sets.iter().collect::<Vec<_>>()));
    }
    if Path::new(set).is_dir() {
        return Ok(Parts::beir(Path::new(set)));
    }
    if Path::new(set).is_file() {
        return Ok(Parts::golden(Path::new(set), corpus));
    }
    match catalogue.get(set) {
        Ok(manifest) => Ok(Parts::beir(&resolve(manifest, None, &datasets_folder()?)?)),
        Err(error) => Err(usage(anyhow::anyhow!("'{set}' is no folder or file, and {error}"))),
    }
}

fn checked(catalogue: &Catalogue, args: &DatasetSetArgs) -> Result<()> {
    let findings = check(&parts(catalogue, &args.set, args.corpus.as_deref())?);
    let count = |severity| findings.iter().filter(|f| f.severity() == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let mut out = std::io::stdout().lock();
    if args.json {
        let found: Vec<_> = findings.iter().map(json).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&found)?)?;
    } else {
        for finding in &findings {
            writeln!(out, "{}: {finding}\n", finding.severity())?;
        }
        writeln!(out, "{}: {errors} kinds of errors, {warnings} of warnings", args.set)?;
    }
    drop(out);
    match errors {
        0 => Ok(()),
        _ => bail!("{} cannot be used as it is", args.set),
    }
}

fn json(finding: &Finding) -> serde_json::Value {
    serde_json::json!({
        "severity": finding.severity().to_string(),
        "message": finding.to_string(),
        "count": finding.places.len(),
        "places": finding.places.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn counted(catalogue: &Catalogue, args: &DatasetSetArgs) -> Result<()> {
    let set = Path::new(&args.set);
    if set.is_dir() && beir::splits(set).is_empty() {
        return Err(usage(anyhow::anyhow!(
            "{}: no judgements; a BEIR folder has them in qrels/SPLIT.tsv",
            args.set
        )));
    }
    let stats = stats(&parts(catalogue, &args.set, args.corpus.as_deref())?);
    let mut out = std::io::stdout().lock();
    match args.json {
        true => writeln!(out, "{}", serde_json::to_string_pretty(&stats)?)?,
        false => show(&mut out, &stats)?,
    }
    Ok(())
}

fn show(out: &mut impl Write, stats: &Stats) -> Result<()> {
    let words = stats.document_words;
    writeln!(
        out,
        "{}: {} documents of {} words (median; 95% have at most {}, the longest {}), {} queries",
        stats.name, stats.documents, words.median, words.p95, words.max, stats.queries
    )?;
    let heads = ["split", "queries", "words", "judgements", "relevant a query", "grades"];
    let mut table = table(&heads, |at| (1..5).contains(&at));
    for (name, split) in &stats.splits {
        let grades: Vec<String> =
            split.grades.iter().map(|(grade, count)| format!("{grade}: {count}")).collect();
        table.add_row([
            name.clone(),
            split.queries.to_string(),
            format!("{} (max {})", split.query_words.median, split.query_words.max),
            split.judgements.to_string(),
            format!("{} (max {})", split.relevant.median, split.relevant.max),
            grades.join(", "),
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(())
}
