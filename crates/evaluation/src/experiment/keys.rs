use std::path::{Path, PathBuf};

use super::ConfigError;

/// Validation of values, with the file that every error names.
pub(super) struct Keys<'a> {
    pub file: &'a str,
}

impl Keys<'_> {
    /// A path of the config, from the config's own folder.
    pub fn beside(&self, path: &Path) -> PathBuf {
        match Path::new(self.file).parent() {
            Some(folder) => folder.join(path),
            None => path.to_owned(),
        }
    }

    /// A folder or a hub id; one that starts with `./` or `../` is a path of the config.
    pub fn folder_or_id(&self, name: String) -> String {
        match name.starts_with("./") || name.starts_with("../") {
            true => self.beside(Path::new(&name)).to_string_lossy().into_owned(),
            false => name,
        }
    }

    pub fn filled(&self, key: &str, text: String) -> Result<String, ConfigError> {
        match text.trim().is_empty() {
            true => Err(self.value(key, &text, "a text that is not blank")),
            false => Ok(text),
        }
    }

    /// A name that is a folder's too: reports go to `reports/NAME`.
    pub fn folder_name(&self, key: &str, text: String) -> Result<String, ConfigError> {
        let name = self.filled(key, text)?;
        let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '+');
        let is_plain = name.chars().all(plain) && !name.starts_with('.') && name.len() <= 100;
        match is_plain && name.trim() == name {
            true => Ok(name),
            false => {
                let allowed =
                    "letters, digits, blanks, '-', '_', '+' and '.' (not first), at most 100 bytes";
                Err(self.value(key, &name, allowed))
            }
        }
    }

    pub fn needed<T>(
        &self,
        key: &str,
        value: Option<T>,
        what: &'static str,
    ) -> Result<T, ConfigError> {
        value.ok_or_else(|| ConfigError::Missing {
            file: self.file.to_owned(),
            key: key.to_owned(),
            what,
        })
    }

    /// Refuses the first key that is there and has no meaning `when`.
    pub fn absent(&self, keys: &[(&str, bool)], when: &str) -> Result<(), ConfigError> {
        match keys.iter().find(|(_, is_there)| *is_there) {
            Some((key, _)) => Err(ConfigError::Superfluous {
                file: self.file.to_owned(),
                key: (*key).to_owned(),
                when: when.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Refuses the first key of a table that is there and is not among those `known` to its kind.
    pub fn only(
        &self,
        table: &str,
        keys: impl IntoIterator<Item = (&'static str, bool)>,
        known: &[&str],
        kind: &str,
    ) -> Result<(), ConfigError> {
        let mut unknown =
            keys.into_iter().filter(|(key, is_there)| *is_there && !known.contains(key));
        match unknown.next() {
            Some((key, _)) => {
                self.absent(&[(&format!("{table}.{key}"), true)], &format!("kind = \"{kind}\""))
            }
            None => Ok(()),
        }
    }

    /// A whole number from 1.
    pub fn positive(&self, key: &str, value: usize) -> Result<usize, ConfigError> {
        match value {
            0 => Err(self.number(key, 0.0, "a whole number from 1")),
            _ => Ok(value),
        }
    }

    /// A number within `low` and `high`, both included.
    pub fn within(
        &self,
        key: &str,
        value: f64,
        (low, high): (f64, f64),
        allowed: &str,
    ) -> Result<f64, ConfigError> {
        match value.is_finite() && (low..=high).contains(&value) {
            true => Ok(value),
            false => Err(self.number(key, value, allowed)),
        }
    }

    pub fn value(&self, key: &str, found: &str, allowed: &str) -> ConfigError {
        ConfigError::Value {
            file: self.file.to_owned(),
            key: key.to_owned(),
            found: format!("{found:?}"),
            allowed: allowed.to_owned(),
        }
    }

    pub fn number(&self, key: &str, found: f64, allowed: &str) -> ConfigError {
        ConfigError::Value {
            file: self.file.to_owned(),
            key: key.to_owned(),
            found: found.to_string(),
            allowed: allowed.to_owned(),
        }
    }
}

/// Names in quotes, with commas between them.
pub(super) fn quoted(names: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{:?}", name.as_ref())).collect();
    quoted.join(", ")
}
