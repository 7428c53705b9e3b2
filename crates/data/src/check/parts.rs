use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use secondpass_core::{Dataset, DocId, Document, Grade, QueryId};
use sha2::{Digest, Sha256};

use super::{Finding, Place, Problem};
use crate::lines::Line;
use crate::texts::words;
use crate::{DataError, Defect, beir, golden};

/// What [`super::check`] and [`super::stats`] look at: of each text its length and a fingerprint, so
/// that a set of any size takes little memory.
#[derive(Clone, Debug)]
pub struct Parts {
    pub(super) name: String,
    pub(super) documents: Listed<Known>,
    pub(super) queries: Listed<Known>,
    pub(super) splits: BTreeMap<String, Listed<Judged>>,
    unreadable: Vec<Finding>,
}

/// What one file has, with its lines.
#[derive(Clone, Debug)]
pub(super) struct Listed<T> {
    pub file: String,
    /// Whether lines are known.
    lines: bool,
    pub items: Vec<T>,
}

/// A document or a query.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub line: u64,
    pub id: String,
    pub words: usize,
    pub fingerprint: u128,
}

/// A judgement.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub line: u64,
    pub query: QueryId,
    pub document: DocId,
    pub grade: Grade,
}

impl Parts {
    /// Reads a BEIR folder to its end, whatever is wrong with it. What cannot be read becomes a
    /// finding.
    pub fn beir(folder: &Path) -> Self {
        let mut troubles = Troubles::default();
        let documents = listed(folder, beir::CORPUS, &mut troubles, |line, _| {
            beir::document(line).map(|document| {
                let Document { id, .. } = &document;
                Some(Known::of(line.number, id.as_str(), &document.passage()))
            })
        });
        let queries = listed(folder, beir::QUERIES, &mut troubles, |line, _| {
            beir::query(line)
                .map(|query| Some(Known::of(line.number, query.id.as_str(), &query.text)))
        });
        let names = beir::splits(folder);
        if names.is_empty() {
            let file = folder.join("qrels").display().to_string();
            let what = "there is no judgements file SPLIT.tsv".to_owned();
            troubles.files.push(Place { file, line: None, what });
        }
        let splits = names.into_iter().map(|split| {
            let file = beir::qrels_of(&split);
            let judged = listed(folder, &file, &mut troubles, |line, first| {
                let judged = beir::judgement(line, first)?;
                Ok(judged.map(|(query, document, grade)| Judged {
                    line: line.number,
                    query,
                    document,
                    grade,
                }))
            });
            (split, judged)
        });
        let splits = splits.collect();
        let name = beir::name_of(folder);
        Self { name, documents, queries, splits, unreadable: troubles.findings() }
    }

    /// Reads a golden set to its end, whatever is wrong with it; `corpus` as [`golden::read`] takes
    /// it. What cannot be read becomes a finding.
    pub fn golden(path: &Path, corpus: Option<&Path>) -> Self {
        let name = path.display().to_string();
        let mut troubles = Troubles::default();
        let mut fault = |error| {
            troubles.note(error, &name);
            Ok(())
        };
        let read = golden::read_on(path, corpus, &mut fault);
        let mut parts = match &read {
            Ok(read) => Self::of(&[&read.dataset]),
            Err(_) => Self::of(&[]),
        };
        match read {
            // Where no line is sound, nothing is left to make a set of, and that is no news.
            Err(DataError::Empty { .. } | DataError::Dataset { .. })
                if !troubles.lines.is_empty() => {}
            Err(DataError::Empty { file, .. }) => {
                let what = "nothing to read".to_owned();
                troubles.empty.push(Place { file, line: None, what });
            }
            Err(error) => troubles.note(error, &name),
            Ok(_) => {}
        }
        // Documents are looked up after all lines were read.
        troubles.lines.sort_by_key(|place| place.line);
        parts.unreadable = troubles.findings();
        parts
    }

    /// The parts of sets that share a corpus, one for each split, that were read in any format.
    pub fn of(sets: &[&Dataset]) -> Self {
        let name = sets.first().map(|set| set.name()).unwrap_or_default().to_owned();
        let listed = |part: &str| Listed::unnumbered(format!("{name} ({part})"));
        let (mut documents, mut queries) = (listed("documents"), listed("queries"));
        let (mut known, mut asked) = (HashSet::new(), HashSet::new());
        let mut splits = BTreeMap::new();
        for set in sets {
            for document in set.corpus().documents() {
                if known.insert(&document.id) {
                    let text = document.passage();
                    documents.items.push(Known::of(0, document.id.as_str(), &text));
                }
            }
            for query in set.queries() {
                if asked.insert(&query.id) {
                    queries.items.push(Known::of(0, query.id.as_str(), &query.text));
                }
            }
            let judged = splits
                .entry(set.split().to_owned())
                .or_insert_with(|| Listed::unnumbered(format!("{name} ({})", set.split())));
            for (query, grades) in set.qrels().iter() {
                judged.items.extend(grades.iter().map(|(document, &grade)| {
                    let (query, document) = (query.clone(), document.clone());
                    Judged { line: 0, query, document, grade }
                }));
            }
        }
        Self { name, documents, queries, splits, unreadable: Vec::new() }
    }

    /// What could not be read.
    pub(super) fn unreadable(&self) -> &[Finding] {
        &self.unreadable
    }
}

impl<T> Listed<T> {
    fn unnumbered(file: String) -> Self {
        Self { file, lines: false, items: Vec::new() }
    }

    /// A place in this file.
    pub fn place(&self, line: u64, what: String) -> Place {
        Place { file: self.file.clone(), line: self.lines.then_some(line), what }
    }

    /// This file as a place.
    pub fn file_place(&self, what: String) -> Place {
        Place { file: self.file.clone(), line: None, what }
    }
}

impl Known {
    fn of(line: u64, id: &str, text: &str) -> Self {
        let digest = Sha256::digest(normalised(text));
        let bytes = digest.first_chunk().copied().unwrap_or_default();
        let fingerprint = u128::from_le_bytes(bytes);
        Self { line, id: id.to_owned(), words: words(text), fingerprint }
    }
}

/// What makes two texts the same: their words in lower case, a space between them, without the
/// punctuation at the end.
fn normalised(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let joined = words.join(" ");
    let bare = joined.trim_end_matches(['?', '!', '.', '…', '？', '！', '。', ' ']);
    match bare.is_empty() {
        true => joined,
        false => bare.to_owned(),
    }
}

/// What goes wrong while reading.
#[derive(Default)]
struct Troubles {
    files: Vec<Place>,
    lines: Vec<Place>,
    empty: Vec<Place>,
}

impl Troubles {
    fn note(&mut self, error: DataError, name: &str) {
        match error {
            DataError::Line { file, line, defect } => {
                self.lines.push(Place { file, line: Some(line), what: defect.to_string() });
            }
            other => {
                let file = name.to_owned();
                self.files.push(Place { file, line: None, what: other.to_string() });
            }
        }
    }

    fn findings(self) -> Vec<Finding> {
        let all = [
            (Problem::UnreadableFiles, self.files),
            (Problem::MalformedLines, self.lines),
            (Problem::EmptyFiles, self.empty),
        ];
        let found = all.into_iter().filter(|(_, places)| !places.is_empty());
        found.map(|(problem, places)| Finding { problem, places }).collect()
    }
}

/// Reads what can be read of one file; `parse` is told whether a line is the first that is not
/// blank.
fn listed<T>(
    folder: &Path,
    name: &str,
    troubles: &mut Troubles,
    parse: impl Fn(&Line<'_>, bool) -> Result<Option<T>, DataError>,
) -> Listed<T> {
    let file = folder.join(name).display().to_string();
    let mut listed = Listed { file, lines: true, items: Vec::new() };
    let mut lines = match beir::open_part(folder, name) {
        Ok(lines) => lines,
        Err(error) => {
            troubles.note(error, name);
            return listed;
        }
    };
    listed.file = lines.file().to_owned();
    let (mut first, mut bad) = (true, false);
    let read = lines.each(|line| {
        let parsed = line.and_then(|line| match parse(&line, std::mem::take(&mut first)) {
            // A judgement in the place of the header is one all the same.
            Err(error @ DataError::Line { defect: Defect::Header { .. }, .. }) => {
                troubles.note(error, name);
                bad = true;
                parse(&line, false)
            }
            other => other,
        });
        match parsed {
            Ok(item) => listed.items.extend(item),
            Err(error) => {
                troubles.note(error, name);
                bad = true;
            }
        }
        Ok(())
    });
    match read {
        Err(error) => troubles.note(error, name),
        Ok(()) if listed.items.is_empty() && !bad => {
            troubles.empty.push(listed.file_place("nothing to read".to_owned()));
        }
        Ok(()) => {}
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_in_any_case_and_spacing() {
        assert_eq!(normalised("  How  IS it?! "), normalised("how is it"));
        assert_ne!(normalised("C++"), normalised("C"));
        assert_ne!(normalised("?"), normalised("!"));
        assert_ne!(normalised("ab c"), normalised("a bc"));
    }
}
