use serde_json::{Map, Value};

use crate::lines::Line;
use crate::{DataError, Defect, json};

/// One document as a line names it.
pub(super) enum Item {
    /// A string: an id or a text.
    Text(String),
    Object(Object),
}

/// A document in an object, or an id written as a number.
#[derive(Default)]
pub(super) struct Object {
    pub id: Option<String>,
    pub title: String,
    pub text: Option<String>,
    pub grade: Option<i32>,
    pub score: Option<f64>,
}

/// The documents that a list names.
pub(super) fn items(
    line: &Line<'_>,
    field: &'static str,
    values: Vec<Value>,
) -> Result<Vec<Item>, DataError> {
    let one = |(place, value): (usize, Value)| match value {
        Value::String(text) if text.trim().is_empty() => {
            let lacks = "is empty; write the id or the text, or remove it";
            Err(line.fail(Defect::Item { field, item: place + 1, lacks }))
        }
        Value::String(text) => Ok(Item::Text(text)),
        Value::Number(id) if !id.is_f64() => {
            Ok(Item::Object(Object { id: Some(id.to_string()), ..Object::default() }))
        }
        Value::Object(object) => described(line, field, place, object).map(Item::Object),
        other => Err(json::wrong_item(line, field, place, "an id, a text or an object", &other)),
    };
    values.into_iter().enumerate().map(one).collect()
}

fn described(
    line: &Line<'_>,
    field: &'static str,
    place: usize,
    mut object: Map<String, Value>,
) -> Result<Object, DataError> {
    let id = match ["id", "_id"].iter().any(|field| object.contains_key(*field)) {
        true => Some(json::id(line, &mut object, &["id", "_id"])?),
        false => None,
    };
    let title = json::optional_text(line, &mut object, "title")?;
    let text = match object.contains_key("text") {
        true => Some(json::text(line, &mut object, "text")?),
        false => None,
    };
    // Only a document with an id of its own may be blank: it is one of many, not what was meant.
    let named = id.is_some() || text.as_deref().is_some_and(|text| !text.trim().is_empty());
    if !named {
        let lacks = "has neither an 'id' nor a 'text'; write one of them";
        return Err(line.fail(Defect::Item { field, item: place + 1, lacks }));
    }
    let grade = match object.remove("grade") {
        None | Some(Value::Null) => None,
        Some(value) => match value.as_i64().and_then(|grade| i32::try_from(grade).ok()) {
            Some(grade) => Some(grade),
            None => {
                let expected = "a whole number that fits 32 bits";
                let text = crate::error::shortened(&value.to_string());
                return Err(line.fail(Defect::Number { column: "grade", text, expected }));
            }
        },
    };
    let score = match object.remove("score") {
        None | Some(Value::Null) => None,
        Some(value) => match value.as_f64() {
            Some(score) => Some(score),
            None => return Err(json::wrong(line, "score", "a number", &value)),
        },
    };
    Ok(Object { id, title, text, grade, score })
}
