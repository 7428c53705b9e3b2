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

/// The error for a value of another type than expected.
pub(crate) fn wrong(
    line: &Line<'_>,
    field: &'static str,
    expected: &'static str,
    found: &Value,
) -> DataError {
    line.fail(Defect::WrongType { field, expected, found: kind(found) })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
