//! The lines of a file as objects, whose other fields are kept as they are.

use std::path::Path;

use serde_json::{Map, Value};

use super::moment::Moment;
use crate::error::shortened;
use crate::lines::open;
use crate::scrub::{Counts, Rule, Scrubber};
use crate::tables::rows;
use crate::{DataError, Defect, json};

/// One line, or one row of a table.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its line, or the row's (the header is line 1).
    line: u64,
    object: Map<String, Value>,
}

impl Entry {
    /// What it asks, which [`read`] has seen to be there.
    pub fn query(&self) -> &str {
        self.object.get(QUERY).and_then(Value::as_str).unwrap_or_default()
    }

    /// It as a line of JSON.
    pub fn json(&self) -> String {
        Value::Object(self.object.clone()).to_string()
    }

    /// A field of the line, or of its `attributes` or `metadata`.
    fn field(&self, name: &str) -> Option<&Value> {
        let within = |outer: &str| self.object.get(outer)?.get(name);
        self.object.get(name).or_else(|| within("attributes")).or_else(|| within("metadata"))
    }

    fn fail(&self, file: &str, defect: Defect) -> DataError {
        DataError::Line { file: file.to_owned(), line: self.line, defect }
    }
}

const QUERY: &str = "query";

/// Fields whose value is an id and not a text.
const IDS: [&str; 2] = ["id", "_id"];

/// Lists of documents, which are ids where there is a corpus.
const DOCUMENTS: [&str; 6] = ["relevant", "candidates", "positive", "negative", "pos", "neg"];

/// Reads the lines of a file, each with a query.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, DataError> {
    let entries = match rows(path, &[])? {
        Some(rows) => {
            (2..).zip(rows).map(|(line, object)| Entry { line, object }).collect::<Vec<_>>()
        }
        None => read_objects(path)?,
    };
    let file = path.display().to_string();
    for entry in &entries {
        match entry.object.get(QUERY) {
            Some(Value::String(text)) if !text.trim().is_empty() => {}
            Some(Value::String(_)) => {
                return Err(entry.fail(&file, Defect::EmptyField { field: QUERY }));
            }
            _ => return Err(entry.fail(&file, Defect::MissingField { field: QUERY })),
        }
    }
    match entries.is_empty() {
        true => Err(DataError::Empty { file, what: "queries" }),
        false => Ok(entries),
    }
}

/// Reads the lines of a JSONL file.
pub(super) fn read_objects(path: &Path) -> Result<Vec<Entry>, DataError> {
    let mut entries = Vec::new();
    open(path, "JSONL, or a table as .csv, .tsv or .parquet")?.each_filled(|line| {
        let object = json::object(&line, QUERY)?;
        entries.push(Entry { line: line.number, object });
        Ok(())
    })?;
    Ok(entries)
}

/// The values of a field that keep a line together with others: of a list each item, of an object
/// its id or text.
pub(super) fn keys(entry: &Entry, field: &str, file: &str) -> Result<Vec<String>, DataError> {
    let one = |value: &Value| match value {
        Value::Object(fields) => {
            IDS.iter().chain(&["text"]).find_map(|name| json::attribute(fields.get(*name)?.clone()))
        }
        other => json::attribute(other.clone()),
    };
    let found: Option<Vec<String>> = match entry.field(field) {
        None => None,
        Some(Value::Array(items)) => items.iter().map(one).collect(),
        Some(value) => one(value).filter(|key| !key.trim().is_empty()).map(|key| vec![key]),
    };
    found.ok_or_else(|| entry.fail(file, Defect::NoValue { field: field.to_owned() }))
}

/// The time in a field.
pub(super) fn time(entry: &Entry, field: &str, file: &str) -> Result<Moment, DataError> {
    let missing = || entry.fail(file, Defect::NoValue { field: field.to_owned() });
    let text = json::attribute(entry.field(field).ok_or_else(missing)?.clone());
    let text = text.ok_or_else(missing)?;
    text.parse().map_err(|_| {
        let (field, text) = (field.to_owned(), shortened(&text));
        entry.fail(file, Defect::NoTime { field, text })
    })
}

/// Takes personal data out of every text of a line, and out of whole numbers that look like some.
/// Ids stay, `kept` (the time) stays, and so do documents where they are `ids`.
pub(super) fn scrub(
    entry: &mut Entry,
    scrubber: &Scrubber,
    counts: &mut Counts,
    file: &str,
    kept: Option<&str>,
    ids: bool,
) -> Result<(), DataError> {
    let addresses = Scrubber::with_rules(&[Rule::Email], []);
    let mut personal = false;
    let mut is_personal = |text: &str| {
        let mut found = Counts::new();
        addresses.scrub(text, &mut found);
        personal |= !found.is_empty();
    };
    for (name, value) in &mut entry.object {
        if Some(name.as_str()) == kept {
            continue;
        }
        let names_documents = ids && DOCUMENTS.contains(&name.as_str());
        walk(value, name, names_documents, kept, &mut |value, is_id| match (is_id, &*value) {
            (true, Value::String(id)) => is_personal(id),
            (false, Value::String(text)) => {
                let scrubbed = scrubber.scrub(text, counts);
                if scrubbed != text.as_str() {
                    *value = Value::String(scrubbed.into_owned());
                }
            }
            (false, Value::Number(number)) if !number.is_f64() => {
                let text = number.to_string();
                let scrubbed = scrubber.scrub(&text, counts);
                if scrubbed != text.as_str() {
                    *value = Value::String(scrubbed.into_owned());
                }
            }
            _ => {}
        });
    }
    match personal {
        true => Err(entry.fail(file, Defect::PersonalId)),
        false => Ok(()),
    }
}

/// Visits every value that holds no other, and says whether it is an id.
fn walk(
    value: &mut Value,
    name: &str,
    ids: bool,
    kept: Option<&str>,
    visit: &mut dyn FnMut(&mut Value, bool),
) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, name, ids, kept, visit)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if Some(name.as_str()) != kept {
                    walk(value, name, false, kept, visit);
                }
            }
        }
        other => visit(other, ids || IDS.contains(&name)),
    }
}
