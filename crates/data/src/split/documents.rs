//! The documents that lines name: texts, or ids of a corpus that goes along.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::SplitError;
use super::lines::Entry;
use crate::error::shortened;
use crate::scrub::{Counts, Scrubber};
use crate::{DataError, Defect, json, texts};

/// Checks that a corpus has each id once, and every document that the lines name.
///
/// # Errors
/// An id that is there twice, and a document that is not there, with file and line.
pub(super) fn check_corpus(
    entries: &[Entry],
    corpus: &[Entry],
    file: &str,
) -> Result<(), DataError> {
    let mut ids: HashMap<String, u64> = HashMap::new();
    for document in corpus {
        let number = document.place.number;
        // Without an id a document is known by its line, as where the corpus is read to be used.
        let id = document.id().unwrap_or_else(|| number.to_string());
        if let Some(first) = ids.insert(id.clone(), number) {
            return Err(document.place.fail(Defect::DuplicateId { what: "document", id, first }));
        }
    }
    for entry in entries {
        for document in entry.documents() {
            let id = match document {
                Value::Object(fields) => json::own_id(fields),
                other => json::attribute(other.clone()),
            };
            if let Some(id) = id.filter(|id| !ids.contains_key(id)) {
                let (id, file) = (shortened(&id), file.to_owned());
                return Err(entry.place.fail(Defect::Unknown { what: "document", id, file }));
            }
        }
    }
    Ok(())
}

/// Refuses to scrub documents that look like ids, each a single word: a wrong placeholder would part
/// them from their documents, and nothing says that they are no texts.
///
/// # Errors
/// A scrubber that would change one of them.
pub(super) fn check_ids(entries: &[Entry], scrubber: &Scrubber) -> Result<(), SplitError> {
    let words = |value: &Value| matches!(value, Value::String(text) if texts::words(text) == 1);
    let named = |entry: &Entry| entry.documents().filter(|value| !value.is_number()).all(words);
    if !entries.iter().all(named) {
        return Ok(());
    }
    let mut seen = HashSet::new();
    for entry in entries {
        for text in entry.documents().filter_map(Value::as_str) {
            if seen.insert(text) && scrubber.scrub(text, &mut Counts::new()) != text {
                return Err(SplitError::Ids { place: entry.place.to_string() });
            }
        }
    }
    Ok(())
}
