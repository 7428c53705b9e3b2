//! Typed reading of a body's fields, and what is wrong with one that does not fit.

use std::fmt;
use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use super::common::is_json;
use crate::Request;

/// A body's object, or one inside it, and the way there.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    at: Vec<Value>,
}

/// What is wrong with a body, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Flaw {
    /// Names and places from the body down; empty for the body itself.
    pub(super) at: Vec<Value>,
    pub(super) wrong: Wrong,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wrong {
    NotJson(String),
    Missing,
    NotText,
    NotWhole,
    NotBoolean,
    NotList,
    NotObject,
    /// Fewer elements of a list than these.
    TooFew(usize),
    /// More elements of a list than these.
    TooMany(usize),
    /// A number, or the characters of a text, out of these bounds.
    OutOf(RangeInclusive<u64>),
    NotOneOf(&'static [&'static str]),
    Unknown,
}

/// The body of a request that says that it is JSON.
pub(super) fn body(request: &Request) -> Result<Map<String, Value>, Flaw> {
    match is_json(request) {
        true => parsed(request),
        false => Err(Flaw { at: Vec::new(), wrong: Wrong::NotObject }),
    }
}

/// The body, whatever it says that it is.
pub(super) fn parsed(request: &Request) -> Result<Map<String, Value>, Flaw> {
    let flaw = |wrong| Flaw { at: Vec::new(), wrong };
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(flaw(Wrong::NotObject)),
        Err(error) => Err(flaw(Wrong::NotJson(error.to_string()))),
    }
}

impl<'a> Fields<'a> {
    pub(super) fn of(map: &'a Map<String, Value>) -> Self {
        Self { map, at: Vec::new() }
    }

    /// `None` where the field is missing or null.
    pub(super) fn given(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn required(&self, name: &str) -> Result<&'a Value, Flaw> {
        self.map.get(name).ok_or_else(|| self.flaw(name, Wrong::Missing))
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str, Flaw> {
        self.required(name)?.as_str().ok_or_else(|| self.flaw(name, Wrong::NotText))
    }

    pub(super) fn text_or(&self, name: &str, default: &'a str) -> Result<&'a str, Flaw> {
        self.given(name).map_or(Ok(default), |_| self.text(name))
    }

    pub(super) fn one_of(
        &self,
        name: &str,
        allowed: &'static [&'static str],
    ) -> Result<&'a str, Flaw> {
        let text = self.text(name)?;
        let known = allowed.contains(&text);
        known.then_some(text).ok_or_else(|| self.flaw(name, Wrong::NotOneOf(allowed)))
    }

    pub(super) fn boolean_or(&self, name: &str, default: bool) -> Result<bool, Flaw> {
        let Some(value) = self.given(name) else { return Ok(default) };
        value.as_bool().ok_or_else(|| self.flaw(name, Wrong::NotBoolean))
    }

    pub(super) fn whole(
        &self,
        name: &str,
        allowed: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Flaw> {
        let Some(value) = self.given(name) else { return Ok(None) };
        if !value.is_i64() && !value.is_u64() {
            return Err(self.flaw(name, Wrong::NotWhole));
        }
        let number = value.as_u64().filter(|number| allowed.contains(number));
        number.map(Some).ok_or_else(|| self.flaw(name, Wrong::OutOf(allowed)))
    }

    /// How many results are wanted: all where the field is not given.
    pub(super) fn top(&self, name: &str) -> Result<usize, Flaw> {
        let top = self.whole(name, 1..=u64::MAX)?;
        Ok(top.and_then(|top| usize::try_from(top).ok()).unwrap_or(usize::MAX))
    }

    pub(super) fn list(
        &self,
        name: &str,
        allowed: RangeInclusive<usize>,
    ) -> Result<&'a [Value], Flaw> {
        let list =
            self.required(name)?.as_array().ok_or_else(|| self.flaw(name, Wrong::NotList))?;
        if list.len() < *allowed.start() {
            return Err(self.flaw(name, Wrong::TooFew(*allowed.start())));
        }
        if list.len() > *allowed.end() {
            return Err(self.flaw(name, Wrong::TooMany(*allowed.end())));
        }
        Ok(list)
    }

    /// A list of strings.
    pub(super) fn texts(
        &self,
        name: &str,
        allowed: RangeInclusive<usize>,
    ) -> Result<Vec<String>, Flaw> {
        self.each(name, allowed, |value, _| value.as_str().map(str::to_owned).ok_or(Wrong::NotText))
    }

    /// The elements of a list, each read from itself and its place.
    pub(super) fn each<T>(
        &self,
        name: &str,
        allowed: RangeInclusive<usize>,
        mut read: impl FnMut(&'a Value, usize) -> Result<T, Wrong>,
    ) -> Result<Vec<T>, Flaw> {
        let elements = self.list(name, allowed)?.iter().enumerate();
        let read = elements.map(|(place, value)| {
            read(value, place).map_err(|wrong| {
                let mut flaw = self.flaw(name, wrong);
                flaw.at.push(json!(place));
                flaw
            })
        });
        read.collect()
    }

    pub(super) fn object(&self, name: &str) -> Result<Self, Flaw> {
        self.inside(name, self.required(name)?, None)
    }

    /// The objects of a list.
    pub(super) fn objects(
        &self,
        name: &str,
        allowed: RangeInclusive<usize>,
    ) -> Result<Vec<Self>, Flaw> {
        let elements = self.list(name, allowed)?.iter().enumerate();
        elements.map(|(place, value)| self.inside(name, value, Some(place))).collect()
    }

    fn inside(&self, name: &str, value: &'a Value, place: Option<usize>) -> Result<Self, Flaw> {
        let mut flaw = self.flaw(name, Wrong::NotObject);
        flaw.at.extend(place.map(|place| json!(place)));
        match value.as_object() {
            Some(map) => Ok(Self { map, at: flaw.at }),
            None => Err(flaw),
        }
    }

    /// Refuses fields of other names.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Flaw> {
        match self.map.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(self.flaw(name, Wrong::Unknown)),
            None => Ok(()),
        }
    }

    pub(super) fn flaw(&self, name: &str, wrong: Wrong) -> Flaw {
        let mut at = self.at.clone();
        at.push(json!(name));
        Flaw { at, wrong }
    }
}

impl Flaw {
    /// As servers on FastAPI refuse: `{"detail": [{"type", "loc", "msg"}]}`, with pydantic 2's names
    /// (<https://docs.pydantic.dev/latest/errors/validation_errors/>).
    pub(super) fn pydantic(&self) -> Value {
        let (kind, message) = match &self.wrong {
            Wrong::NotJson(_) => ("json_invalid", "JSON decode error".into()),
            Wrong::Missing => ("missing", "Field required".into()),
            Wrong::NotText => ("string_type", "Input should be a valid string".into()),
            Wrong::NotWhole => ("int_type", "Input should be a valid integer".into()),
            Wrong::NotBoolean => ("bool_type", "Input should be a valid boolean".into()),
            Wrong::NotList => ("list_type", "Input should be a valid list".into()),
            Wrong::NotObject => ("model_attributes_type", "Input should be an object".into()),
            Wrong::TooFew(least) => ("too_short", format!("List needs {least} or more items")),
            Wrong::TooMany(most) => ("too_long", format!("List may have {most} items at most")),
            Wrong::OutOf(allowed) => {
                ("greater_than_equal", format!("Input should be at least {}", allowed.start()))
            }
            Wrong::NotOneOf(allowed) => ("enum", format!("Input should be {}", allowed.join(", "))),
            Wrong::Unknown => ("extra_forbidden", "Extra inputs are not permitted".into()),
        };
        let place = [json!("body")].into_iter().chain(self.at.iter().cloned());
        let place: Vec<Value> = place.collect();
        json!({ "detail": [{ "type": kind, "loc": place, "msg": message }] })
    }

    /// The way to the field: `documents[3]`.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.at {
            match step {
                Value::String(name) if path.is_empty() => path.push_str(name),
                Value::String(name) => path.extend([".", name]),
                place => path.push_str(&format!("[{place}]")),
            }
        }
        if path.is_empty() { "the body".into() } else { path }
    }
}

/// A phrase: `documents[3] is not a string`.
impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        match &self.wrong {
            Wrong::NotJson(why) => write!(f, "{path} is not JSON: {why}"),
            Wrong::Missing => write!(f, "{path} is required"),
            Wrong::NotText => write!(f, "{path} is not a string"),
            Wrong::NotWhole => write!(f, "{path} is not a whole number"),
            Wrong::NotBoolean => write!(f, "{path} is neither true nor false"),
            Wrong::NotList => write!(f, "{path} is not a list"),
            Wrong::NotObject => write!(f, "{path} is not a JSON object"),
            Wrong::TooFew(least) => write!(f, "{path} needs {least} elements or more"),
            Wrong::TooMany(most) => write!(f, "{path} may have {most} elements at most"),
            Wrong::OutOf(allowed) if *allowed.end() == u64::MAX => {
                write!(f, "{path} is below {}", allowed.start())
            }
            Wrong::OutOf(allowed) => {
                write!(f, "{path} is not within {} and {}", allowed.start(), allowed.end())
            }
            Wrong::NotOneOf(allowed) => write!(f, "{path} is none of {}", allowed.join(", ")),
            Wrong::Unknown => write!(f, "{path} is not a known field"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_say_where_they_are() {
        let value = json!({ "texts": ["a", 1], "top": 0, "deep": { "list": [{}, 7] }, "no": null });
        let fields = Fields::of(value.as_object().unwrap());
        let said = |flaw: Flaw| flaw.to_string();
        assert_eq!(
            fields.texts("texts", 1..=9).map_err(said),
            Err("texts[1] is not a string".into())
        );
        assert_eq!(fields.top("top").map_err(said), Err("top is below 1".into()));
        assert_eq!(fields.top("no"), Ok(usize::MAX));
        assert_eq!(fields.text("no").map_err(said), Err("no is not a string".into()));
        assert_eq!(fields.text("none").map_err(said), Err("none is required".into()));
        let deep = fields.object("deep").unwrap();
        let flaw = deep.objects("list", 1..=2).unwrap_err();
        assert_eq!(flaw.to_string(), "deep.list[1] is not a JSON object");
        assert_eq!(flaw.pydantic()["detail"][0]["loc"], json!(["body", "deep", "list", 1]));
        assert_eq!(
            fields.only(&["texts", "top", "no"]).map_err(said),
            Err("deep is not a known field".into())
        );
    }
}
