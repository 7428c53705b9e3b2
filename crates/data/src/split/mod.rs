//! One file of queries (a golden set, triples, groups: any lines with a `query`) split into train,
//! dev and test, so that what is learnt from one part cannot be recognized in another: lines of one
//! thread, customer or article stay together, near-duplicates stay together, and by time nothing in
//! an earlier part is younger than a later part. Personal data is taken out before anything is
//! written.

mod assign;
mod documents;
mod lines;
mod manifest;
mod moment;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;

use secondpass_core::ContentHash;

use crate::near::{Clusters, near_duplicates};
use crate::output::write_folder;
use crate::scrub::{Counts, Scrubber};
use crate::{Access, DataError, WriteError, write_file};
use assign::{Cluster, assigned};
use documents::{check_corpus, check_ids};
use lines::{Entry, keys, read, read_objects, scrub};
pub use manifest::{Manifest, PartSummary};
pub use moment::Moment;

/// How a file is to be split.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The parts with the shares of lines they are to get, which need not add up to 1. By time, the
    /// first gets the oldest.
    pub parts: Vec<(String, f64)>,
    /// A field with the time of each line, by which they are split.
    pub by_time: Option<String>,
    /// Fields whose value keeps lines together: a thread, a customer; of a list, each of its items
    /// (`relevant` or `pos` for articles).
    pub group_by: Vec<String>,
    /// The share of common shingles from which on queries are near-duplicates, 0.5 to 1; 1 keeps
    /// equal ones (but for case, punctuation and blanks) together.
    pub near: f64,
    /// Decides which lines go where, whatever their order in the file.
    pub seed: u64,
}

/// What a split is made of.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The lines: JSONL, CSV, TSV or Parquet, plain or packed.
    pub path: &'a Path,
    /// The documents whose ids the lines name, JSONL. It is written beside the parts, scrubbed as
    /// they are.
    pub corpus: Option<&'a Path>,
}

/// Why a file could not be split.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// It could not be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Names or shares of parts that cannot be.
    #[error(
        "the parts cannot be {found}; give at least two, each with a name of letters, digits, '-' and \
         '_' and a share above 0, as train=0.8,dev=0.1,test=0.1"
    )]
    Parts {
        /// What was given.
        found: String,
    },
    /// A threshold outside its bounds.
    #[error("near-duplicates cannot be told at {0}; choose a share from 0.5 to 1")]
    Near(f64),
    /// Documents that may be texts, and may be ids that scrubbing would spoil.
    #[error(
        "{place}: --scrub would change a document, and all documents of the file are single words, as \
         ids are; name the file that has them with --corpus, so that ids stay, or write the texts into \
         the lines"
    )]
    Ids {
        /// The first that would be changed.
        place: String,
    },
    /// Too few lines for the parts.
    #[error(
        "part '{part}' got no line: {lines} lines are too few for its share; give it a larger one, ask \
         for fewer parts, or add lines"
    )]
    TooFew {
        /// The part.
        part: String,
        /// Lines of the file.
        lines: usize,
    },
    /// What belongs together is too much for the parts.
    #[error(
        "part '{part}' got no line: the {lines} lines make {clusters} clusters that must stay together, \
         the largest of {largest} lines; group by a finer field, raise the threshold for \
         near-duplicates, or ask for fewer parts"
    )]
    EmptyPart {
        /// The part.
        part: String,
        /// Lines of the file.
        lines: usize,
        /// Sets of lines that stay together.
        clusters: usize,
        /// Lines of the largest.
        largest: usize,
    },
}

/// Splits a file into the parts, each written as `NAME.jsonl` into a folder that is new or empty,
/// with `manifest.json`: whole or not at all, and for their owner alone. With a scrubber, personal
/// data is taken out of every text first, and near-duplicates are told by what is left; what keeps
/// lines together (`group_by`) is told by the texts as they were. Ids stay as they are.
///
/// # Errors
/// Files that are missing or malformed, lines without a field that is asked for or with a time that
/// is none, documents that the corpus lacks or has twice, shares or a threshold that cannot be, a part
/// that would be empty, ids that hold an e-mail address or documents that look like ids where there is
/// a scrubber, a folder that holds files already.
pub fn split(
    source: Source<'_>,
    out: &Path,
    settings: &Settings,
    scrubber: Option<&Scrubber>,
) -> Result<Manifest, SplitError> {
    check(settings)?;
    let mut entries = read(source.path)?;
    let mut documents = source.corpus.map(read_objects).transpose()?;
    match (source.corpus, &documents, scrubber) {
        (Some(path), Some(documents), _) => {
            check_corpus(&entries, documents, &path.display().to_string())?;
        }
        (_, _, Some(scrubber)) => check_ids(&entries, scrubber)?,
        _ => {}
    }
    let mut clusters = Clusters::new(entries.len());
    let grouped = joined_by_fields(&entries, settings, &mut clusters)?;
    let times = times(&entries, settings)?;
    let mut counts = Counts::new();
    if let Some(scrubber) = scrubber {
        let ids = source.corpus.is_some();
        for entry in &mut entries {
            scrub(entry, scrubber, &mut counts, settings.by_time.as_deref(), ids)?;
        }
        for document in documents.iter_mut().flatten() {
            scrub(document, scrubber, &mut counts, None, true)?;
        }
    }
    let queries: Vec<&str> = entries.iter().map(Entry::query).collect();
    let near = near_duplicates(&queries, settings.near);
    let joined = near.iter().filter(|(one, other)| clusters.join(*one, *other)).count();
    let clusters = gathered(&mut clusters, &queries, times.as_deref());
    let parts = assigned(&clusters, settings);
    if let Some(part) = (0..settings.parts.len()).find(|part| !parts.contains(part)) {
        let (part, lines) = (settings.parts[part].0.clone(), entries.len());
        let largest = clusters.iter().map(|cluster| cluster.lines.len()).max().unwrap_or(0);
        return Err(match largest > 1 && lines >= settings.parts.len() {
            true => SplitError::EmptyPart { part, lines, clusters: clusters.len(), largest },
            false => SplitError::TooFew { part, lines },
        });
    }
    let mut manifest = Manifest::new(source.path, settings, entries.len())?;
    (manifest.grouped, manifest.near_duplicates) = (grouped, joined);
    manifest.scrubbed = scrubber
        .map(|_| counts.iter().map(|(rule, count)| (rule.name().to_owned(), *count)).collect());
    write_folder(out, |folder| {
        manifest.parts = fill(folder, &entries, &clusters, &parts, settings, times.as_deref())?;
        if let Some(documents) = &documents {
            let written = folder.join(CORPUS);
            write_file(&written, Access::Owner, |out| {
                documents.iter().try_for_each(|document| Ok(writeln!(out, "{}", document.json())?))
            })?;
            manifest.corpus = Some(hash(&written)?);
        }
        write_file(&folder.join(MANIFEST), Access::Owner, |file| manifest.write(file))
    })?;
    Ok(manifest)
}

/// The manifest's name in the folder.
pub const MANIFEST: &str = "manifest.json";

/// The corpus's name in the folder.
pub const CORPUS: &str = "corpus.jsonl";

fn check(settings: &Settings) -> Result<(), SplitError> {
    let named = |name: &str| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        !name.is_empty() && name.chars().all(is_name) && name != "manifest" && name != "corpus"
    };
    let names: std::collections::BTreeSet<&String> =
        settings.parts.iter().map(|(name, _)| name).collect();
    let fits = settings.parts.len() > 1
        && names.len() == settings.parts.len()
        && settings
            .parts
            .iter()
            .all(|(name, share)| named(name) && share.is_finite() && *share > 0.0);
    if !fits {
        let shown = settings.parts.iter().map(|(name, share)| format!("{name}={share}"));
        let found = format!("'{}'", shown.collect::<Vec<_>>().join(","));
        return Err(SplitError::Parts { found });
    }
    match (0.5..=1.0).contains(&settings.near) {
        true => Ok(()),
        false => Err(SplitError::Near(settings.near)),
    }
}

/// Joins lines that share a value of a field; how many joins that made.
fn joined_by_fields(
    entries: &[Entry],
    settings: &Settings,
    clusters: &mut Clusters,
) -> Result<usize, DataError> {
    let mut joined = 0;
    for field in &settings.group_by {
        let mut firsts = HashMap::new();
        for (place, entry) in entries.iter().enumerate() {
            for key in keys(entry, field)? {
                let first = *firsts.entry(key).or_insert(place);
                joined += usize::from(clusters.join(first, place));
            }
        }
    }
    Ok(joined)
}

fn times(entries: &[Entry], settings: &Settings) -> Result<Option<Vec<Moment>>, DataError> {
    let Some(field) = &settings.by_time else { return Ok(None) };
    entries.iter().map(|entry| lines::time(entry, field)).collect::<Result<_, _>>().map(Some)
}

/// The lines that belong together, by their smallest query (so that their order does not depend on
/// the file's), with the time of the youngest.
fn gathered(clusters: &mut Clusters, queries: &[&str], times: Option<&[Moment]>) -> Vec<Cluster> {
    let mut places: HashMap<usize, usize> = HashMap::new();
    let mut gathered: Vec<Cluster> = Vec::new();
    for (line, query) in queries.iter().enumerate() {
        let place = *places.entry(clusters.root(line)).or_insert_with(|| {
            gathered.push(Cluster { lines: Vec::new(), name: (*query).to_owned(), latest: None });
            gathered.len() - 1
        });
        let cluster = &mut gathered[place];
        cluster.lines.push(line);
        if *query < cluster.name.as_str() {
            cluster.name = (*query).to_owned();
        }
        cluster.latest = cluster.latest.max(times.map(|times| times[line]));
    }
    gathered
}

/// Writes the parts.
fn fill(
    folder: &Path,
    entries: &[Entry],
    clusters: &[Cluster],
    parts: &[usize],
    settings: &Settings,
    times: Option<&[Moment]>,
) -> Result<Vec<PartSummary>, WriteError> {
    let mut part_of = vec![0; entries.len()];
    for (cluster, &part) in clusters.iter().zip(parts) {
        cluster.lines.iter().for_each(|&line| part_of[line] = part);
    }
    let mut summaries = Vec::new();
    for (part, (name, share)) in settings.parts.iter().enumerate() {
        let lines = || (0..entries.len()).filter(|&line| part_of[line] == part);
        let path = folder.join(format!("{name}.jsonl"));
        write_file(&path, Access::Owner, |file| {
            lines().try_for_each(|line| Ok(writeln!(file, "{}", entries[line].json())?))
        })?;
        let moments = || lines().filter_map(|line| times.map(|times| times[line]));
        summaries.push(PartSummary {
            name: name.clone(),
            share: *share,
            lines: lines().count(),
            clusters: parts.iter().filter(|&&found| found == part).count(),
            from: moments().min(),
            to: moments().max(),
            sha256: hash(&path)?,
        });
    }
    Ok(summaries)
}

/// The hash of a file just written.
fn hash(path: &Path) -> Result<ContentHash, WriteError> {
    crate::sha256(path).map_err(|error| WriteError::Io(std::io::Error::other(error)))
}
