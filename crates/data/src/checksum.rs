use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use secondpass_core::{ContentHash, Hasher};

use crate::DataError;

/// The SHA-256 of a file's bytes, as `sha256sum` prints it, without holding the file in memory.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256(path: &Path) -> Result<ContentHash, DataError> {
    let failed = |source| DataError::Io { file: path.display().to_string(), source };
    let mut file = File::open(path).map_err(failed)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(read) => {
                hasher.raw(buffer.get(..read).unwrap_or_default());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_hash_of_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        // Longer than one read.
        let content = vec![7; (1 << 20) + 3];
        std::fs::write(&path, &content).unwrap();
        assert_eq!(sha256(&path).unwrap(), ContentHash::of(&content));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = sha256(Path::new("no/such/file")).unwrap_err();
        assert!(error.to_string().starts_with("no/such/file: "), "{error}");
    }
}
