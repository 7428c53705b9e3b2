//! The lines of a file as objects, whose other fields are kept as they are.

use std::path::Path;

use serde_json::{Map, Number, Value};

use super::moment::Moment;
use crate::error::shortened;
use crate::lines::open;
use crate::scrub::{Counts, Rule, Scrubber};
use crate::tables::rows;
use crate::training::{Place, Unit};
use crate::{DataError, Defect, json};

/// One line, or one row of a table.
#[derive(Debug)]
pub(super) struct Entry {
    pub place: Place,
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

    /// Its id, if it has one.
    pub fn id(&self) -> Option<String> {
        json::own_id(&self.object)
    }

    /// What it names as documents, in lists or alone.
    pub fn documents(&self) -> impl Iterator<Item = &Value> {
        DOCUMENTS.iter().filter_map(|name| self.object.get(*name)).flat_map(|value| match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        })
    }
}

const QUERY: &str = "query";

/// Fields whose value is an id, or a list of ids, and not a text. `mine` writes the last two.
const IDS: [&str; 4] = ["id", "_id", "pos_ids", "neg_ids"];

/// Lists of documents, which are ids where there is a corpus.
const DOCUMENTS: [&str; 6] = ["relevant", "candidates", "positive", "negative", "pos", "neg"];

/// Fields that this program reads by their names, which stay whatever list of names they stand in.
const FIELDS: [&str; 9] = [
    QUERY,
    "pos_scores",
    "neg_scores",
    "attributes",
    "metadata",
    "title",
    "text",
    "grade",
    "score",
];

/// Reads the lines of a file, each with a query.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, DataError> {
    let file = path.display().to_string();
    let entries = match rows(path, &[QUERY])? {
        Some(rows) => {
            let of_row = |(number, object)| {
                let place = Place { file: file.as_str().into(), number, unit: Unit::Row };
                Entry { place, object }
            };
            (1..).zip(rows).map(of_row).collect::<Vec<_>>()
        }
        None => read_objects(path)?,
    };
    for Entry { place, object } in &entries {
        let defect = match object.get(QUERY) {
            Some(Value::String(text)) if !text.trim().is_empty() => continue,
            Some(Value::String(_)) => Defect::EmptyField { field: QUERY },
            // What a table has no value for is left out of its rows.
            None if place.unit == Unit::Row => Defect::EmptyField { field: QUERY },
            None => Defect::MissingField { field: QUERY },
            Some(other) => {
                let found = json::kind(other);
                Defect::WrongType { field: QUERY, expected: "a string", found }
            }
        };
        return Err(place.fail(defect));
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
        entries.push(Entry { place: Place::of(&line), object });
        Ok(())
    })?;
    Ok(entries)
}

/// The values of a field that keep a line together with others: of a list each item, of an object
/// its id or text.
pub(super) fn keys(entry: &Entry, field: &str) -> Result<Vec<String>, DataError> {
    let one = |value: &Value| match value {
        Value::Object(fields) => {
            json::own_id(fields).or_else(|| json::attribute(fields.get("text")?.clone()))
        }
        other => json::attribute(other.clone()),
    };
    let found: Option<Vec<String>> = match entry.field(field) {
        None => None,
        Some(Value::Array(items)) => items.iter().map(one).collect(),
        Some(value) => one(value).filter(|key| !key.trim().is_empty()).map(|key| vec![key]),
    };
    found.ok_or_else(|| entry.place.fail(Defect::NoValue { field: field.to_owned() }))
}

/// The time in a field.
pub(super) fn time(entry: &Entry, field: &str) -> Result<Moment, DataError> {
    let missing = || entry.place.fail(Defect::NoValue { field: field.to_owned() });
    let text = json::attribute(entry.field(field).ok_or_else(missing)?.clone());
    let text = text.ok_or_else(missing)?;
    text.parse().map_err(|_| {
        let (field, text) = (field.to_owned(), shortened(&text));
        entry.place.fail(Defect::NoTime { field, text })
    })
}

/// Takes personal data out of every text of a line, out of the names of its fields, and out of whole
/// numbers that look like some. Ids stay, `kept` (the time) stays, and so do documents where they are
/// `ids`.
pub(super) fn scrub(
    entry: &mut Entry,
    scrubber: &Scrubber,
    counts: &mut Counts,
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
            (false, Value::Number(number)) => {
                let Some(text) = whole(number) else { return };
                let scrubbed = scrubber.scrub(&text, counts);
                if scrubbed != text.as_str() {
                    *value = Value::String(scrubbed.into_owned());
                }
            }
            _ => {}
        });
    }
    rename(&mut entry.object, kept, &mut |name| scrubber.scrub(name, counts).into_owned());
    match personal {
        true => Err(entry.place.fail(Defect::PersonalId)),
        false => Ok(()),
    }
}

/// The digits of a number that is whole: a phone number in a column with gaps is read as a float.
fn whole(number: &Number) -> Option<String> {
    // Of larger ones the last digits are not there.
    const LARGEST: f64 = 1e16;
    match number.as_f64().filter(|_| number.is_f64()) {
        None => Some(number.to_string()),
        Some(float) if float.fract() == 0.0 && float.abs() < LARGEST => Some(format!("{float:.0}")),
        Some(_) => None,
    }
}

/// Gives fields new names, in whatever depth; where two get the same, the later one a number too.
fn rename(
    object: &mut Map<String, Value>,
    kept: Option<&str>,
    rename_one: &mut dyn FnMut(&str) -> String,
) {
    for (name, mut value) in std::mem::take(object) {
        match &mut value {
            Value::Object(fields) => rename(fields, kept, rename_one),
            Value::Array(items) => items
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(|fields| rename(fields, kept, rename_one)),
            _ => {}
        }
        let known = [&IDS[..], &DOCUMENTS, &FIELDS].concat().contains(&name.as_str());
        let new = if known || Some(name.as_str()) == kept { name } else { rename_one(&name) };
        let mut free = new.clone();
        let mut number = 1;
        while object.contains_key(&free) {
            number += 1;
            free = format!("{new} {number}");
        }
        object.insert(free, value);
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
        // A document that is a number is one by its id: texts are none.
        other => {
            let is_id = IDS.contains(&name) || DOCUMENTS.contains(&name) && other.is_number();
            visit(other, ids || is_id);
        }
    }
}
