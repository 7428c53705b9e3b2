use toml::{Table, Value};

use super::{KeyDefect, ManifestError};
use crate::error::shortened;

/// The keys of one TOML table, taken one by one; knows where it is, for messages.
pub(super) struct Keys<'a> {
    file: &'a str,
    /// The keys above, each with a dot behind it.
    above: String,
    table: Table,
}

impl<'a> Keys<'a> {
    /// Those of a whole file.
    pub fn of_file(file: &'a str, text: &str) -> Result<Self, ManifestError> {
        match text.parse::<Table>() {
            Ok(table) => Ok(Self { file, above: String::new(), table }),
            Err(error) => {
                let before = error.span().and_then(|span| text.get(..span.start));
                Err(ManifestError::Syntax {
                    file: file.to_owned(),
                    line: before.map_or(1, |before| before.matches('\n').count() + 1),
                    message: error.message().to_owned(),
                })
            }
        }
    }

    /// An error about one key.
    pub fn fail(&self, key: &str, defect: KeyDefect) -> ManifestError {
        let key = format!("{}{key}", self.above);
        ManifestError::Key { file: self.file.to_owned(), key, defect }
    }

    /// A text that must be there and fit.
    pub fn text(
        &mut self,
        key: &str,
        expected: &'static str,
        fits: impl Fn(&str) -> bool,
    ) -> Result<String, ManifestError> {
        match self.optional_text(key, expected, fits)? {
            Some(text) => Ok(text),
            None => Err(self.fail(key, KeyDefect::Missing { expected })),
        }
    }

    /// A text that may be there and must fit.
    pub fn optional_text(
        &mut self,
        key: &str,
        expected: &'static str,
        fits: impl Fn(&str) -> bool,
    ) -> Result<Option<String>, ManifestError> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(value) => self.fitting(key, value, expected, &fits).map(Some),
        }
    }

    /// A list of texts that must all fit; empty where there is none.
    pub fn texts(
        &mut self,
        key: &str,
        expected: &'static str,
        fits: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, ManifestError> {
        match self.table.remove(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => {
                values.into_iter().map(|value| self.fitting(key, value, expected, &fits)).collect()
            }
            Some(other) => {
                Err(self
                    .fail(key, KeyDefect::Type { expected: "a list of texts", found: a(&other) }))
            }
        }
    }

    /// A whole number that is not negative, if it is there.
    pub fn number(&mut self, key: &str) -> Result<Option<u64>, ManifestError> {
        const EXPECTED: &str = "a whole number from 0";
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::Integer(number)) => match u64::try_from(number) {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(self
                    .fail(key, KeyDefect::Value { value: number.to_string(), expected: EXPECTED })),
            },
            Some(other) => {
                Err(self.fail(key, KeyDefect::Type { expected: EXPECTED, found: a(&other) }))
            }
        }
    }

    /// A table that must be there.
    pub fn table(&mut self, key: &str, expected: &'static str) -> Result<Self, ManifestError> {
        match self.table.remove(key) {
            None => Err(self.fail(key, KeyDefect::Missing { expected })),
            Some(value) => self.below(key, value, expected),
        }
    }

    /// A list of tables; empty where there is none.
    pub fn tables(
        &mut self,
        key: &str,
        expected: &'static str,
    ) -> Result<Vec<Self>, ManifestError> {
        match self.table.remove(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => {
                values.into_iter().map(|value| self.below(key, value, expected)).collect()
            }
            Some(other) => Err(self.fail(key, KeyDefect::Type { expected, found: a(&other) })),
        }
    }

    /// What is left as tables by their keys.
    pub fn each(&mut self, expected: &'static str) -> Result<Vec<(String, Self)>, ManifestError> {
        std::mem::take(&mut self.table)
            .into_iter()
            .map(|(key, value)| Ok((key.clone(), self.below(&key, value, expected)?)))
            .collect()
    }

    /// Fails when a key is left that nobody took.
    pub fn finish(self, allowed: &'static [&'static str]) -> Result<(), ManifestError> {
        match self.table.keys().next() {
            None => Ok(()),
            Some(key) => Err(self.fail(key, KeyDefect::Unknown { allowed })),
        }
    }

    fn fitting(
        &self,
        key: &str,
        value: Value,
        expected: &'static str,
        fits: &impl Fn(&str) -> bool,
    ) -> Result<String, ManifestError> {
        match value {
            Value::String(text) if fits(&text) => Ok(text),
            Value::String(text) => {
                Err(self.fail(key, KeyDefect::Value { value: shortened(&text), expected }))
            }
            other => Err(self.fail(key, KeyDefect::Type { expected, found: a(&other) })),
        }
    }

    fn below(
        &self,
        key: &str,
        value: Value,
        expected: &'static str,
    ) -> Result<Self, ManifestError> {
        match value {
            Value::Table(table) => {
                Ok(Self { file: self.file, above: format!("{}{key}.", self.above), table })
            }
            other => Err(self.fail(key, KeyDefect::Type { expected, found: a(&other) })),
        }
    }
}

fn a(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}
