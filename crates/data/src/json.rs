use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::lines::Line;
use crate::{DataError, Defect};

/// A line as a JSON object; `first` is the field a message shows when it is none.
pub(crate) fn object(
    line: &Line<'_>,
    first: &'static str,
) -> Result<Map<String, Value>, DataError> {
    match serde_json::from_str(line.text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(line.fail(Defect::NotAnObject { found: kind(&other), field: first })),
        Err(error) => {
            let (message, column) = (error.to_string(), error.column());
            // The parser counts lines of the text it was given, which is always one.
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            Err(line.fail(Defect::InvalidJson { message, column }))
        }
    }
}

/// A field that must hold a string; the string may be empty.
pub(crate) fn text(
    line: &Line<'_>,
    object: &mut Map<String, Value>,
    field: &'static str,
) -> Result<String, DataError> {
    match object.remove(field) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(wrong(line, field, "a string", &other)),
        None => Err(line.fail(Defect::MissingField { field })),
    }
}

/// A field that may be missing or null, which both mean an empty text.
pub(crate) fn optional_text(
    line: &Line<'_>,
    object: &mut Map<String, Value>,
    field: &'static str,
) -> Result<String, DataError> {
    match object.remove(field) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(wrong(line, field, "a string", &other)),
    }
}

/// An id under the first of these names that is there: a string that is not empty, or a whole
/// number.
pub(crate) fn id(
    line: &Line<'_>,
    object: &mut Map<String, Value>,
    names: &[&'static str],
) -> Result<String, DataError> {
    for &field in names {
        return match object.remove(field) {
            None => continue,
            Some(Value::String(id)) if id.trim().is_empty() => {
                Err(line.fail(Defect::EmptyField { field }))
            }
            Some(Value::String(id)) => Ok(id),
            Some(Value::Number(id)) if !id.is_f64() => Ok(id.to_string()),
            Some(other) => Err(wrong(line, field, "a string or a whole number", &other)),
        };
    }
    Err(line.fail(Defect::MissingField { field: names.first().copied().unwrap_or("id") }))
}

/// The id of an object that need not have one.
pub(crate) fn own_id(object: &Map<String, Value>) -> Option<String> {
    ["id", "_id"].iter().find_map(|name| attribute(object.get(*name)?.clone()))
}

/// The strings, numbers and truth values of an object, by name; none where the field is missing or
/// null.
pub(crate) fn attributes(
    line: &Line<'_>,
    object: &mut Map<String, Value>,
    field: &'static str,
) -> Result<BTreeMap<String, String>, DataError> {
    let named = |(name, value)| Some((name, attribute(value)?));
    match object.remove(field) {
        None | Some(Value::Null) => Ok(BTreeMap::new()),
        Some(Value::Object(fields)) => Ok(fields.into_iter().filter_map(named).collect()),
        Some(other) => Err(wrong(line, field, "an object", &other)),
    }
}

/// A value as an attribute; nothing for null, lists and objects.
pub(crate) fn attribute(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A list, or `None` where the field is missing or null.
pub(crate) fn optional_list(
    line: &Line<'_>,
    object: &mut Map<String, Value>,
    field: &'static str,
) -> Result<Option<Vec<Value>>, DataError> {
    match object.remove(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(values)) => Ok(Some(values)),
        Some(other) => Err(wrong(line, field, "a list", &other)),
    }
}

/// A list that must be there.
pub(crate) fn list(
    line: &Line<'_>,
    object: &mut Map<String, Value>,
    field: &'static str,
) -> Result<Vec<Value>, DataError> {
    optional_list(line, object, field)?.ok_or_else(|| line.fail(Defect::MissingField { field }))
}

/// A text that must be there and must not be blank.
pub(crate) fn filled_text(
    line: &Line<'_>,
    object: &mut Map<String, Value>,
    field: &'static str,
) -> Result<String, DataError> {
    match text(line, object, field)? {
        text if text.trim().is_empty() => Err(line.fail(Defect::EmptyField { field })),
        text => Ok(text),
    }
}

/// The items of a list as numbers.
pub(crate) fn numbers(
    line: &Line<'_>,
    field: &'static str,
    values: &[Value],
) -> Result<Vec<f64>, DataError> {
    let number = |(place, value): (usize, &Value)| {
        value.as_f64().ok_or_else(|| wrong_item(line, field, place, "a number", value))
    };
    values.iter().enumerate().map(number).collect()
}

/// The error for an item of a list, `place` counted from 0, of another type than expected.
pub(crate) fn wrong_item(
    line: &Line<'_>,
    field: &'static str,
    place: usize,
    expected: &'static str,
    found: &Value,
) -> DataError {
    line.fail(Defect::WrongItem { field, item: place + 1, expected, found: kind(found) })
}

/// The error for a value of another type than expected.
pub(crate) fn wrong(
    line: &Line<'_>,
    field: &'static str,
    expected: &'static str,
    found: &Value,
) -> DataError {
    line.fail(Defect::WrongType { field, expected, found: kind(found) })
}

/// What a value is, for messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
