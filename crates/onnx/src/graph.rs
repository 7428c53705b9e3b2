use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

/// What an ONNX file says of its weights, read without loading them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// The number format that most of its weights are kept in: `f32`, `f16`, `bf16`, `int8`, `int4`.
    pub dtype: String,
    /// Whether activations are quantized by what is in the batch: then a sequence's score would
    /// depend on its neighbours.
    pub quantizes_batches: bool,
    /// The files beside it that hold weights, as models beyond 2 GB have them.
    pub external: Vec<PathBuf>,
}

/// Why a file is no ONNX model.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else, or damaged.
    #[error("{}: no ONNX model, or a damaged one ({defect}); get the file again", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where it stops making sense.
        defect: String,
    },
    /// Weights in a file that it may not name.
    #[error(
        "{}: it keeps weights in '{location}', which is no file beside it; do not use this model",
        .path.display()
    )]
    Elsewhere {
        /// The file.
        path: PathBuf,
        /// What it names.
        location: String,
    },
}

impl Graph {
    /// Reads the structure of an ONNX file.
    ///
    /// # Errors
    /// Files that cannot be read, are no ONNX model, or keep weights outside their folder.
    pub fn read(path: &Path) -> Result<Self, GraphError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                GraphError::Damaged { path: path.to_owned(), defect: source.to_string() }
            }
            _ => GraphError::Read { path: path.to_owned(), source },
        };
        let file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let mut found = Found::default();
        let mut reader = Reader { file: BufReader::new(file), at: 0, number: None };
        found.model(&mut reader, size).map_err(failed)?;
        if !found.has_graph {
            return Err(failed(invalid("it has no graph")));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let beside = |location: String| match is_plain(&location) {
            true => Ok(folder.join(location)),
            false => Err(GraphError::Elsewhere { path: path.to_owned(), location }),
        };
        let most = found.elements.into_iter().max_by_key(|&(_, count)| count);
        Ok(Self {
            dtype: most.map_or("f32", |(name, _)| name).to_owned(),
            quantizes_batches: found.quantizes_batches,
            external: found.external.into_iter().map(beside).collect::<Result<_, _>>()?,
        })
    }
}

/// Operators that scale activations by the largest in the batch.
const BY_BATCH: [&str; 3] =
    ["DynamicQuantizeLinear", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM"];

#[derive(Default)]
struct Found {
    has_graph: bool,
    elements: BTreeMap<&'static str, u64>,
    quantizes_batches: bool,
    external: BTreeSet<String>,
}

/// The parts of `onnx.proto` that are read here, by their field numbers.
impl Found {
    fn model(&mut self, reader: &mut Reader, end: u64) -> io::Result<()> {
        while let Some((field, length)) = reader.field(end)? {
            match field {
                7 => {
                    self.has_graph = true;
                    self.graph(reader, reader.at + length)?;
                }
                _ => reader.skip(length)?,
            }
        }
        Ok(())
    }

    fn graph(&mut self, reader: &mut Reader, end: u64) -> io::Result<()> {
        while let Some((field, length)) = reader.field(end)? {
            match field {
                1 => self.node(reader, reader.at + length)?,
                5 => self.tensor(reader, reader.at + length)?,
                _ => reader.skip(length)?,
            }
        }
        Ok(())
    }

    fn node(&mut self, reader: &mut Reader, end: u64) -> io::Result<()> {
        while let Some((field, length)) = reader.field(end)? {
            match field {
                4 => self.quantizes_batches |= BY_BATCH.contains(&&*reader.text(length)?),
                _ => reader.skip(length)?,
            }
        }
        Ok(())
    }

    fn tensor(&mut self, reader: &mut Reader, end: u64) -> io::Result<()> {
        let (mut elements, mut kind) = (1_u64, 0);
        while let Some((field, length)) = reader.field(end)? {
            match field {
                // Sizes come one by one, or packed into one field.
                1 if reader.number.is_some() => {
                    elements = elements.saturating_mul(reader.number.unwrap_or(0));
                }
                1 => {
                    let packed = reader.at + length;
                    while reader.at < packed {
                        elements = elements.saturating_mul(reader.varint()?);
                    }
                }
                2 => kind = reader.number.unwrap_or(0),
                13 => self.entry(reader, reader.at + length)?,
                _ => reader.skip(length)?,
            }
        }
        if let Some(name) = format(kind) {
            let sum = self.elements.entry(name).or_default();
            *sum = sum.saturating_add(elements);
        }
        Ok(())
    }

    /// One of the entries that say where a tensor's values are.
    fn entry(&mut self, reader: &mut Reader, end: u64) -> io::Result<()> {
        let (mut key, mut value) = (String::new(), String::new());
        while let Some((field, length)) = reader.field(end)? {
            match field {
                1 => key = reader.text(length)?,
                2 => value = reader.text(length)?,
                _ => reader.skip(length)?,
            }
        }
        if key == "location" {
            self.external.insert(value);
        }
        Ok(())
    }
}

/// The formats that weights are kept in; whole numbers of other widths are sizes and axes.
fn format(kind: u64) -> Option<&'static str> {
    match kind {
        1 => Some("f32"),
        2 | 3 => Some("int8"),
        10 => Some("f16"),
        11 => Some("f64"),
        16 => Some("bf16"),
        21 | 22 => Some("int4"),
        _ => None,
    }
}

/// Whether a location names a file right beside the model.
fn is_plain(location: &str) -> bool {
    let mut parts = Path::new(location).components();
    let one = matches!(parts.next(), Some(Component::Normal(part)) if part == location);
    one && parts.next().is_none() && !location.contains(['\\', ':'])
}

/// Protocol buffers, field by field.
struct Reader {
    file: BufReader<File>,
    at: u64,
    /// The last field's value, where it was a number.
    number: Option<u64>,
}

impl Reader {
    /// The next field before `end`: its number, and the bytes of its content that are still to be
    /// read (none for numbers).
    fn field(&mut self, end: u64) -> io::Result<Option<(u64, u64)>> {
        if self.at == end {
            return Ok(None);
        }
        let tag = self.varint()?;
        self.number = None;
        let length = match tag & 7 {
            0 => {
                self.number = Some(self.varint()?);
                0
            }
            1 => 8,
            2 => self.varint()?,
            5 => 4,
            kind => return Err(invalid(format!("a field of kind {kind} at byte {}", self.at))),
        };
        match self.at.checked_add(length) {
            Some(after) if after <= end => Ok(Some((tag >> 3, length))),
            _ => Err(invalid(format!("a field that ends behind its parent at byte {}", self.at))),
        }
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let mut byte = [0];
            self.file.read_exact(&mut byte)?;
            self.at += 1;
            value |= u64::from(byte[0] & 0x7f) << shift;
            if byte[0] < 0x80 {
                return Ok(value);
            }
        }
        Err(invalid(format!("a number without end at byte {}", self.at)))
    }

    fn text(&mut self, length: u64) -> io::Result<String> {
        const LONGEST: u64 = 4096;
        if length > LONGEST {
            return Err(invalid(format!("a name of {length} bytes at byte {}", self.at)));
        }
        let mut bytes = vec![0; length as usize];
        self.file.read_exact(&mut bytes)?;
        self.at += length;
        String::from_utf8(bytes)
            .map_err(|_| invalid(format!("a name without UTF-8 at {}", self.at)))
    }

    fn skip(&mut self, length: u64) -> io::Result<()> {
        match i64::try_from(length) {
            Ok(short) => self.file.seek_relative(short)?,
            Err(_) => {
                self.file.seek(SeekFrom::Start(self.at + length))?;
            }
        }
        self.at += length;
        Ok(())
    }
}

fn invalid(defect: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, defect.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(name: &str) -> PathBuf {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/onnx");
        root.join(name)
    }

    #[test]
    fn formats_and_quantization_are_read() {
        for (name, dtype, quantizes_batches) in [
            ("bert.onnx", "f32", false),
            ("xlm-roberta-f16.onnx", "f16", false),
            ("bert-int8.onnx", "int8", true),
        ] {
            let expected = Graph { dtype: dtype.into(), quantizes_batches, external: vec![] };
            assert_eq!(Graph::read(&golden(name)).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn weights_in_another_file_are_found_beside_it() {
        let graph = Graph::read(&golden("external.onnx")).unwrap();
        assert_eq!(graph.external, [golden("external.onnx_data")]);
    }

    #[test]
    fn weights_outside_the_folder_are_refused() {
        let bytes = std::fs::read(golden("external.onnx")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for location in ["../ernal.onnx_data", "/xternal.onnx_data", "ex/ernal.onnx_data"] {
            // Of the same length, so that the lengths in the file stay right.
            let changed = replace(&bytes, b"external.onnx_data", location.as_bytes());
            assert_eq!(changed.len(), bytes.len());
            let path = folder.path().join("model.onnx");
            std::fs::write(&path, changed).unwrap();
            let error = Graph::read(&path).unwrap_err().to_string();
            assert!(error.contains(location) && error.contains("do not use"), "{error}");
        }
    }

    fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    }

    /// Cut anywhere, a file is an error or still a whole message, and never a panic.
    #[test]
    fn cut_files_and_other_files_are_told() {
        let whole = std::fs::read(golden("bert.onnx")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        let mut refused = 0;
        for cut in (0..whole.len()).step_by(whole.len() / 97) {
            std::fs::write(&path, &whole[..cut]).unwrap();
            refused += usize::from(Graph::read(&path).is_err());
        }
        assert!(refused > 90, "{refused}");
        for other in [&b"version https://git-lfs.github.com/spec/v1\n"[..], b"{}", b"", &[255; 64]]
        {
            std::fs::write(&path, other).unwrap();
            let error = Graph::read(&path).unwrap_err().to_string();
            assert!(error.contains("get the file again"), "{error}");
        }
        let error = Graph::read(&folder.path().join("none")).unwrap_err();
        assert!(matches!(error, GraphError::Read { .. }), "{error}");
    }
}
