use std::fmt;
use std::fs::File;

use memmap2::{Mmap, MmapOptions};

use super::decode::Format;

/// An embedding's rows. Of the quarter of a million words of a multilingual model a query's pairs hold some
/// hundred: the others are not read from the disk, nor held in memory.
pub(crate) struct Rows {
    bytes: Bytes,
    format: Format,
    width: usize,
    /// The file and the tensor, for errors.
    origin: String,
}

enum Bytes {
    /// Of a file, which the system reads where it is looked at.
    Mapped(Mmap),
    /// Compiled in.
    Carried(&'static [u8]),
    /// Numbers, looked at already.
    Held(Vec<f32>),
}

/// A row with a value that is no number.
#[derive(Debug, thiserror::Error)]
#[error("{0} holds a value that is not finite; the file is damaged, download it again")]
pub(crate) struct NotFinite(String);

impl Rows {
    /// Those of a file from `start`, `[rows, width]` of them; none where they cannot be mapped. `origin`
    /// names them in errors.
    pub(super) fn mapped(
        file: &File,
        start: u64,
        shape: [usize; 2],
        format: Format,
        origin: String,
    ) -> Option<Self> {
        let length = shape[0] * shape[1] * format.width();
        // SAFETY: The map is only read, as bytes, of which every value is one. What another program
        // writes into the file meanwhile is seen as other numbers, and a file that is shortened ends
        // this process: so it is for every program that maps models. What writes models here writes
        // beside them and renames, which leaves the file that is mapped as it is.
        let map = unsafe { MmapOptions::new().offset(start).len(length).map(file) }.ok()?;
        Some(Self { bytes: Bytes::Mapped(map), format, width: shape[1], origin })
    }

    /// Those of bytes that are compiled in.
    pub(super) fn carried(
        bytes: &'static [u8],
        width: usize,
        format: Format,
        origin: String,
    ) -> Self {
        Self { bytes: Bytes::Carried(bytes), format, width, origin }
    }

    /// Those of numbers at hand, which were looked at.
    pub fn held(values: Vec<f32>, width: usize) -> Self {
        let (bytes, origin) = (Bytes::Held(values), "memory".to_owned());
        Self { bytes, format: Format::F32, width, origin }
    }

    /// Appends a row.
    ///
    /// # Errors
    /// Values that are not finite: the rows of a file were not looked at before.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn append(&self, row: usize, to: &mut Vec<f32>) -> Result<(), NotFinite> {
        let bytes: &[u8] = match &self.bytes {
            Bytes::Held(values) => {
                to.extend_from_slice(&values[row * self.width..][..self.width]);
                return Ok(());
            }
            Bytes::Mapped(map) => map,
            Bytes::Carried(bytes) => bytes,
        };
        let place = to.len();
        let length = self.width * self.format.width();
        self.format.append(&bytes[row * length..][..length], to);
        match to[place..].iter().all(|value| value.is_finite()) {
            true => Ok(()),
            false => Err(NotFinite(self.origin.clone())),
        }
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, width, origin, .. } = self;
        write!(f, "rows of {width} {format:?} of {origin}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_those_of_the_file_wherever_it_has_them() {
        let values = [0.5, -1.0, 2.0, 8.0, f32::NAN, 0.0];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        // Odd offsets, as a header of any length makes them.
        for start in [0, 3, 4096, 5001] {
            let mut bytes = vec![7_u8; start];
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            std::fs::write(&path, &bytes).unwrap();
            let file = File::open(&path).unwrap();
            let origin = format!("{}: tensor 'words'", path.display());
            let rows = Rows::mapped(&file, start as u64, [3, 2], Format::F32, origin).unwrap();
            let mut found = vec![1.0];
            rows.append(1, &mut found).unwrap();
            rows.append(0, &mut found).unwrap();
            assert_eq!(found, [1.0, 2.0, 8.0, 0.5, -1.0]);
            let error = rows.append(2, &mut found).unwrap_err().to_string();
            assert!(error.contains("table") && error.contains("'words'"), "{error}");
        }
    }
}
