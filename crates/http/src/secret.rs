use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

/// The largest key file that is read, in bytes.
const LARGEST: u64 = 16 * 1024;

/// A key, and where it came from. Its `Debug` shows only the latter; there is no `Display`, no
/// serialization and no comparison, and its memory is wiped when it is dropped.
#[derive(Clone, Debug)]
pub struct Secret {
    value: SecretString,
    origin: String,
    advice: Option<String>,
}

/// Why there is no key. The key's text is never part of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// None of the variables is set.
    #[error("no key found; set {} in the environment", .0.join(" or "))]
    Missing(Vec<String>),
    /// The variable or file holds only white space.
    #[error("{0} is empty; put the key into it")]
    Empty(String),
    /// Something that cannot stand in a header.
    #[error(
        "{0} holds white space, a control character or a letter outside ASCII inside the key; it \
         must hold the key alone, on one line"
    )]
    Malformed(String),
    /// The key stands in quotes, or behind its variable's name.
    #[error("{0} holds quotes or a NAME= around the key; it must hold the key alone, on one line")]
    Wrapped(String),
    /// The key file cannot be read.
    #[error("cannot read the key file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is too long for a key.
    #[error("{0} is longer than 16 KiB and no key file; it must hold the key alone, on one line")]
    TooLong(PathBuf),
}

impl Secret {
    /// A key from a text; `origin` names where it came from, in errors. White space around it is
    /// dropped.
    ///
    /// # Errors
    /// Texts that are empty or cannot stand in a header.
    pub fn new(text: &str, origin: impl Into<String>) -> Result<Self, SecretError> {
        let (key, origin) = (text.trim(), origin.into());
        if key.is_empty() {
            return Err(SecretError::Empty(origin));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SecretError::Malformed(origin));
        }
        if is_wrapped(key) {
            return Err(SecretError::Wrapped(origin));
        }
        Ok(Self { value: SecretString::from(key), origin, advice: None })
    }

    /// The key in the first of these environment variables that is set and not empty.
    ///
    /// # Errors
    /// When none is, or the first one found cannot stand in a header.
    pub fn from_env(names: &[&str]) -> Result<Self, SecretError> {
        Self::from_variables(names, |name| std::env::var_os(name))
    }

    fn from_variables(
        names: &[&str],
        read: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, SecretError> {
        for name in names {
            let Some(value) = read(name).filter(|value| !value.is_empty()) else { continue };
            let text = value.to_str().ok_or_else(|| SecretError::Malformed((*name).to_owned()))?;
            return Self::new(text, *name);
        }
        Err(SecretError::Missing(names.iter().map(|name| (*name).to_owned()).collect()))
    }

    /// The key in a file that holds nothing else. Whether others can read the file is told by
    /// [`Secret::advice`].
    ///
    /// # Errors
    /// Files that cannot be read, are longer than 16 KiB, are empty, or hold more than a key.
    pub fn from_file(path: &Path) -> Result<Self, SecretError> {
        let unread = |source| SecretError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(unread)?;
        let metadata = file.metadata().map_err(unread)?;
        let mut text = String::new();
        // A pipe or a device does not say how long it is.
        file.take(LARGEST + 1).read_to_string(&mut text).map_err(unread)?;
        if text.len() as u64 > LARGEST {
            return Err(SecretError::TooLong(path.to_owned()));
        }
        let mut secret = Self::new(&text, path.display().to_string())?;
        secret.advice = others_can_read(&metadata)
            .then(|| format!("{} can be read by other users; run: chmod 600 {0}", path.display()));
        Ok(secret)
    }

    /// The variable or file it came from.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What the user should be told about how the key is kept, if anything.
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }

    /// The same key behind a scheme's name (`Bearer `), as a header's value.
    pub fn prefixed(&self, scheme: &str) -> Self {
        let value = SecretString::from(format!("{scheme}{}", self.expose()));
        Self { value, ..self.clone() }
    }

    /// The key itself, to be put into a header or a signature and nowhere else.
    pub fn expose(&self) -> &str {
        self.value.expose_secret()
    }
}

/// Whether it looks like a line of a shell's or a `.env` file. Keys of AWS may hold a `=` themselves.
fn is_wrapped(key: &str) -> bool {
    let is_name = |name: &str| {
        let of_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        name.bytes().all(of_name) && (name.ends_with("_KEY") || name.ends_with("_TOKEN"))
    };
    let quoted = |quote: char| key.len() > 1 && key.starts_with(quote) && key.ends_with(quote);
    quoted('"') || quoted('\'') || key.split_once('=').is_some_and(|(name, _)| is_name(name))
}

#[cfg(unix)]
fn others_can_read(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn others_can_read(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(name: &str) -> Option<OsString> {
        match name {
            "OLD" => Some("k-old".into()),
            "EMPTY" => Some("".into()),
            "BLANK" => Some(" \n".into()),
            "TWO" => Some("planted-key another".into()),
            "NEW" => Some(" k-new\n".into()),
            _ => None,
        }
    }

    #[test]
    fn the_first_variable_that_is_set_counts() {
        let secret = Secret::from_variables(&["UNSET", "EMPTY", "NEW", "OLD"], variables).unwrap();
        assert_eq!((secret.expose(), secret.origin()), ("k-new", "NEW"));
        let missing = Secret::from_variables(&["UNSET", "EMPTY"], variables).unwrap_err();
        assert!(missing.to_string().contains("set UNSET or EMPTY"), "{missing}");
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_refused_without_being_shown() {
        let error = Secret::from_variables(&["TWO"], variables).unwrap_err();
        assert!(matches!(error, SecretError::Malformed(_)));
        assert!(!format!("{error} {error:?}").contains("planted"), "{error}");
        let blank = Secret::from_variables(&["BLANK"], variables).unwrap_err();
        assert!(matches!(blank, SecretError::Empty(_)));
        assert!(matches!(Secret::new("schlüssel", "x").unwrap_err(), SecretError::Malformed(_)));
    }

    #[test]
    fn a_line_of_a_shells_file_is_no_key() {
        for text in
            ["\"planted-1\"", "'planted-1'", "COHERE_API_KEY=planted-1", "CO_TOKEN=planted-1"]
        {
            let error = Secret::new(text, "file").unwrap_err();
            assert!(matches!(error, SecretError::Wrapped(_)), "{text}");
            assert!(!format!("{error} {error:?}").contains("planted"), "{error}");
        }
        for text in ["wJalrXUtnFEMI/K7MDENG==", "k=v", "'", "ABC="] {
            assert_eq!(Secret::new(text, "file").unwrap().expose(), text);
        }
    }

    #[test]
    fn debug_shows_the_origin_alone() {
        let shown = format!("{:?}", Secret::new("planted-key", "COHERE_API_KEY").unwrap());
        assert!(shown.contains("COHERE_API_KEY") && !shown.contains("planted"), "{shown}");
    }

    #[test]
    fn a_file_holds_the_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "k-file\n").unwrap();
        assert_eq!(Secret::from_file(&path).unwrap().expose(), "k-file");
        std::fs::write(&path, "k-file\nsecond line\n").unwrap();
        assert!(matches!(Secret::from_file(&path).unwrap_err(), SecretError::Malformed(_)));
        std::fs::write(&path, "k".repeat(20_000)).unwrap();
        assert!(matches!(Secret::from_file(&path).unwrap_err(), SecretError::TooLong(_)));
        let gone = Secret::from_file(&folder.path().join("gone")).unwrap_err();
        assert!(matches!(gone, SecretError::Read { .. }));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_without_end_is_not_read_to_its_end() {
        let error = Secret::from_file(Path::new("/dev/zero")).unwrap_err();
        assert!(matches!(error, SecretError::TooLong(_)), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_advised_against() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "k-file").unwrap();
        for (mode, advised) in [(0o600, false), (0o640, true), (0o644, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let secret = Secret::from_file(&path).unwrap();
            let advice = secret.advice();
            assert_eq!(advice.is_some_and(|text| text.contains("chmod 600")), advised, "{mode:o}");
        }
    }
}
