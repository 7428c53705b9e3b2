use std::fmt::{self, Write as _};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How much of users' texts (queries, documents) a file that may leave the house shows: the three
/// values of `--texts`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Texts {
    /// No text at all. What shareable reports hold unless asked otherwise.
    #[default]
    None,
    /// A keyed token in the place of each text: equal texts can be matched, and nobody without the
    /// key can tell which text it was, or test a guess.
    Hash,
    /// The texts themselves.
    Full,
}

/// A name that is none of `none`, `hash`, `full`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' says nothing about texts; write none, hash or full")]
pub struct UnknownTexts(String);

/// What to do with each text, the key included where one is needed.
#[derive(Clone, Debug, Default)]
pub enum TextPolicy {
    /// Leave it out.
    #[default]
    None,
    /// Write its token.
    Hash(TextKey),
    /// Write it.
    Full,
}

/// The secret that tokens are made with. It appears in no message.
#[derive(Clone)]
pub struct TextKey([u8; TextKey::BYTES]);

/// Why a key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum TextKeyError {
    /// The operating system could not read or write it.
    #[error("{file}: {source}; the key of hashed texts is kept there")]
    Io {
        /// The key's file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error(
        "{file}: not a key of hashed texts (64 hex digits); name another file, or remove this one to \
         have a new key made: tokens made with the old one will match no longer"
    )]
    NotAKey {
        /// The key's file.
        file: String,
    },
    /// Others than the owner may read the file.
    #[error(
        "{file}: others may read this key (mode {mode:o}), and whoever has it can test guesses at the \
         texts; run chmod 600 on it, or remove it to have a new one made"
    )]
    Exposed {
        /// The key's file.
        file: String,
        /// Its permission bits.
        mode: u32,
    },
}

impl TextPolicy {
    /// What stands in the place of a text: nothing, its token, or the text itself.
    pub fn apply(&self, text: &str) -> Option<String> {
        match self {
            Self::None => None,
            Self::Hash(key) => Some(key.token(text)),
            Self::Full => Some(text.to_owned()),
        }
    }

    /// Which of the three it is.
    pub fn texts(&self) -> Texts {
        match self {
            Self::None => Texts::None,
            Self::Hash(_) => Texts::Hash,
            Self::Full => Texts::Full,
        }
    }
}

impl TextKey {
    /// Length of a key.
    pub const BYTES: usize = 32;

    /// A key of these bytes, which must come from a cryptographic source of randomness.
    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The key in a file of 64 hex digits, as [`TextKey::open_or_create`] leaves it.
    ///
    /// # Errors
    /// A file that is missing, is no key, or (on Unix) may be read by others than its owner.
    pub fn open(path: &Path) -> Result<Self, TextKeyError> {
        let text = fs::read_to_string(path).map_err(|source| match source.kind() {
            ErrorKind::InvalidData => TextKeyError::NotAKey { file: path.display().to_string() },
            _ => failed(path)(source),
        })?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(path).map_err(failed(path))?.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(TextKeyError::Exposed { file: path.display().to_string(), mode });
            }
        }
        let not_a_key = || TextKeyError::NotAKey { file: path.display().to_string() };
        from_hex(text.trim()).map(Self).ok_or_else(not_a_key)
    }

    /// The key in a file; where there is none, a new one of the bytes that `random` gives, kept in
    /// that file for its owner alone (mode 0600 on Unix). The bytes come from the caller because
    /// this crate has no source of randomness.
    ///
    /// # Errors
    /// As [`TextKey::open`], and a file that cannot be written.
    pub fn open_or_create(
        path: &Path,
        random: impl FnOnce() -> [u8; Self::BYTES],
    ) -> Result<Self, TextKeyError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = match options.open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Self::open(path),
            Err(error) => return Err(failed(path)(error)),
        };
        let key = Self(random());
        let written = writeln!(file, "{}", hex(&key.0)).and_then(|()| file.sync_all());
        if let Err(error) = written {
            // Half a key would be refused at every later start.
            let _ = fs::remove_file(path);
            return Err(failed(path)(error));
        }
        Ok(key)
    }

    /// A text's token: the first 16 hex digits (64 bits) of its HMAC-SHA256 (RFC 2104).
    ///
    /// HMAC rather than SHA-256 over key and text: it is the construction whose secrecy is proved
    /// from that of the hash, at the price of one more block. 64 bits keep a million texts apart
    /// with a chance of collision below one in ten million. The text counts byte by byte: a space
    /// more is another token.
    pub fn token(&self, text: &str) -> String {
        let mut token = hex(&hmac_sha256(&self.0, text.as_bytes()));
        token.truncate(16);
        token
    }
}

impl fmt::Debug for TextKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextKey(…)")
    }
}

impl FromStr for Texts {
    type Err = UnknownTexts;

    fn from_str(text: &str) -> Result<Self, UnknownTexts> {
        match text {
            "none" => Ok(Self::None),
            "hash" => Ok(Self::Hash),
            "full" => Ok(Self::Full),
            _ => Err(UnknownTexts(text.to_owned())),
        }
    }
}

impl fmt::Display for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Hash => "hash",
            Self::Full => "full",
        })
    }
}

/// RFC 2104 over SHA-256, whose blocks have 64 bytes; longer keys are hashed first.
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    let hashed = Sha256::digest(key);
    let key = if key.len() > block.len() { &hashed[..] } else { key };
    block.iter_mut().zip(key).for_each(|(byte, key)| *byte = *key);
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn from_hex(digits: &str) -> Option<[u8; TextKey::BYTES]> {
    let digits: Vec<u8> = digits
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    bytes.try_into().ok().filter(|_| rest.is_empty())
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> TextKeyError {
    let file = path.display().to_string();
    move |source| TextKeyError::Io { file: file.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test's own, removed at its end.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let name = format!("secondpass-text-policy-{}-{test}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn hmac_equals_the_published_vectors() {
        // RFC 4231, test cases 1, 2 and 6: a short key, a shorter one, one longer than a block.
        let cases: [(&[u8], &[u8], &str); 3] = [
            (
                &[0x0b; 20],
                b"Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, message, expected) in cases {
            assert_eq!(hex(&hmac_sha256(key, message)), expected);
        }
    }

    #[test]
    fn a_policy_leaves_out_hashes_or_shows() {
        let (one, other) = (TextKey::new([1; 32]), TextKey::new([2; 32]));
        assert_eq!(TextPolicy::None.apply("text"), None);
        assert_eq!(TextPolicy::Full.apply("text").as_deref(), Some("text"));
        let token = TextPolicy::Hash(one.clone()).apply("text").unwrap();
        assert_eq!((token.len(), &token), (16, &one.token("text")));
        assert_ne!(token, other.token("text"));
        assert_ne!(token, one.token("text "));
    }

    #[test]
    fn names_round_trip_and_others_are_refused() {
        for texts in [Texts::None, Texts::Hash, Texts::Full] {
            assert_eq!(texts.to_string().parse(), Ok(texts));
            assert_eq!(serde_json::to_value(texts).unwrap(), texts.to_string());
        }
        let error = "Full".parse::<Texts>().unwrap_err().to_string();
        assert_eq!(error, "'Full' says nothing about texts; write none, hash or full");
        assert_eq!(TextPolicy::Hash(TextKey::new([0; 32])).texts(), Texts::Hash);
    }

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let folder = Folder::new("made-once");
        let path = folder.0.join("key");
        let made = TextKey::open_or_create(&path, || [7; 32]).unwrap();
        let read = TextKey::open_or_create(&path, || unreachable!("the file is there")).unwrap();
        assert_eq!(read.token("x"), made.token("x"));
        assert_eq!(TextKey::open(&path).unwrap().token("x"), TextKey::new([7; 32]).token("x"));
        assert_eq!(format!("{made:?}"), "TextKey(…)");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let folder = Folder::new("no-key");
        let path = folder.0.join("key");
        for content in ["", "abc", &"0".repeat(63), &"0".repeat(66), &"g".repeat(64), "é"] {
            fs::write(&path, content).unwrap();
            restrict(&path, 0o600);
            let error = TextKey::open(&path).unwrap_err();
            assert!(matches!(error, TextKeyError::NotAKey { .. }), "{content}: {error}");
        }
        fs::write(&path, [0xff]).unwrap();
        assert!(matches!(TextKey::open(&path).unwrap_err(), TextKeyError::NotAKey { .. }));
        let missing = TextKey::open(&folder.0.join("none")).unwrap_err().to_string();
        assert!(missing.contains("none: "), "{missing}");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new("owner");
        let path = folder.0.join("key");
        TextKey::open_or_create(&path, || [7; 32]).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        restrict(&path, 0o644);
        let error = TextKey::open(&path).unwrap_err().to_string();
        assert!(error.contains("mode 644") && error.contains("chmod 600"), "{error}");
    }

    fn restrict(path: &Path, mode: u32) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        #[cfg(not(unix))]
        let _ = (path, mode);
    }
}
