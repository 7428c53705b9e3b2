use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use half::{bf16, f16};
use safetensors::tensor::{Dtype as FileDtype, Metadata};

use super::decode::Format;
use super::rows::Rows;
use super::{Kind, Random, Source};
use crate::Dtype;

/// Why weights could not be read.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// Not readable.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not a whole safetensors file.
    #[error("{path} is not a whole safetensors file: {reason}; download it again")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A tensor the architecture needs.
    #[error(
        "{path} lacks the tensor '{name}'; it is not the weights of this config.json's architecture"
    )]
    Missing {
        /// The file, or the first of several.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
    /// An encoder where a reranker was asked for.
    #[error(
        "{path} has an encoder but no classification head (no tensor '{name}'), so it cannot rerank; fine-tune it \
         first, or use a model for sequence classification"
    )]
    Headless {
        /// The file, or the first of several.
        path: PathBuf,
        /// The head's first tensor.
        name: String,
    },
    /// A tensor of another shape.
    #[error("{path}: tensor '{name}' has shape {found:?}, and config.json asks for {expected:?}")]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape the config gives it.
        expected: Vec<usize>,
    },
    /// A tensor in a number format we do not read.
    #[error("{path}: tensor '{name}' is stored as {found}; only F32, F16 and BF16 are read")]
    FileDtype {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its format.
        found: String,
    },
    /// Tensors nobody asked for.
    #[error(
        "{path} holds tensors that the architecture of config.json does not use: {names}; the two do not belong \
         together"
    )]
    Unused {
        /// The file, or the first of several.
        path: PathBuf,
        /// The first few of them.
        names: String,
    },
    /// Weights that are NaN or infinite.
    #[error("{path}: tensor '{name}' holds a value that is not finite; the file is damaged")]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
}

/// Where the bytes of a safetensors file are.
pub(crate) enum Bytes {
    /// On disk: read tensor by tensor, so that memory never holds the file beside the weights.
    File(File),
    /// Compiled in.
    Memory(&'static [u8]),
}

struct Entry {
    shard: usize,
    start: u64,
    shape: Vec<usize>,
    dtype: FileDtype,
}

/// The tensors of one or more safetensors files, read one at a time onto a device.
pub(crate) struct Files {
    shards: Vec<(PathBuf, Bytes)>,
    entries: BTreeMap<String, Entry>,
    used: BTreeSet<String>,
    /// What our names start with and the file's do not: an encoder saved by itself.
    bare: Option<&'static str>,
    device: Device,
    dtype: Dtype,
    /// What is read before it becomes numbers.
    chunk: Vec<u8>,
}

/// The longest header there may be, as in the safetensors library.
const MAX_HEADER: u64 = 100_000_000;

/// Bytes read at a time: large enough for the disk and for threads to be worth starting, small beside
/// any model.
const CHUNK: usize = 4 << 20;

impl Files {
    /// Reads the headers of all shards.
    pub fn open(paths: &[PathBuf], device: Device, dtype: Dtype) -> Result<Self, WeightsError> {
        let open = |path: &PathBuf| match File::open(path) {
            Ok(file) => Ok((path.clone(), Bytes::File(file))),
            Err(source) => Err(WeightsError::Read { path: path.clone(), source }),
        };
        let shards = paths.iter().map(open).collect::<Result<_, _>>()?;
        Self::new(shards, device, dtype)
    }

    /// Reads the header of a file that is in memory; `name` stands for it in errors.
    pub fn in_memory(
        bytes: &'static [u8],
        name: &str,
        device: Device,
        dtype: Dtype,
    ) -> Result<Self, WeightsError> {
        Self::new(vec![(name.into(), Bytes::Memory(bytes))], device, dtype)
    }

    fn new(
        mut shards: Vec<(PathBuf, Bytes)>,
        device: Device,
        dtype: Dtype,
    ) -> Result<Self, WeightsError> {
        let mut entries = BTreeMap::new();
        for (shard, (path, bytes)) in shards.iter_mut().enumerate() {
            for (name, entry) in header(path, bytes, shard)? {
                entries.insert(name, entry);
            }
        }
        let (used, bare, chunk) = (BTreeSet::new(), None, Vec::new());
        Ok(Self { shards, entries, used, bare, device, dtype, chunk })
    }

    /// Whether some tensor's name starts so.
    pub fn has(&self, prefix: &str) -> bool {
        self.entries.keys().any(|name| name.starts_with(prefix))
    }

    /// Whether there are word embeddings, which every encoder has.
    pub fn has_encoder(&self) -> bool {
        self.entries.keys().any(|name| name.ends_with("embeddings.word_embeddings.weight"))
    }

    /// Finds `prefix.rest` under `rest` where the file holds an encoder saved by itself.
    pub fn without_prefix(mut self, prefix: &'static str) -> Self {
        if !self.has(prefix) {
            self.bare = Some(prefix);
        }
        self
    }

    /// Checks that every tensor was used, or may be left: `allowed` are parts of names.
    pub fn finish(&self, allowed: &[&str]) -> Result<(), WeightsError> {
        let left: Vec<&str> = self
            .entries
            .keys()
            .filter(|name| !self.used.contains(*name))
            .filter(|name| !allowed.iter().any(|part| name.contains(part)))
            .map(String::as_str)
            .collect();
        match left.len() {
            0 => Ok(()),
            count => {
                let more =
                    if count > 4 { format!(" and {} more", count - 4) } else { String::new() };
                let names = left[..count.min(4)].join(", ") + &more;
                Err(WeightsError::Unused { path: self.first_path(), names })
            }
        }
    }

    pub fn first_path(&self) -> PathBuf {
        self.shards.first().map(|(path, _)| path.clone()).unwrap_or_default()
    }

    /// Older BERT files call LayerNorm's parameters gamma and beta.
    fn find(&self, name: &str, kind: Kind) -> Result<String, WeightsError> {
        let bare = self.bare.and_then(|prefix| name.strip_prefix(prefix)?.strip_prefix('.'));
        let name = bare.unwrap_or(name);
        let old = match kind {
            Kind::Scale => name.strip_suffix("weight").map(|stem| format!("{stem}gamma")),
            Kind::Shift => name.strip_suffix("bias").map(|stem| format!("{stem}beta")),
            _ => None,
        };
        let names = [Some(name.to_owned()), old];
        names
            .into_iter()
            .flatten()
            .find(|name| self.entries.contains_key(name))
            .ok_or_else(|| WeightsError::Missing { path: self.first_path(), name: name.to_owned() })
    }

    /// A reranker's tensors: an encoder without a head is an error.
    pub fn of_reranker(self, encoder: &'static str, head: &str) -> Result<Self, WeightsError> {
        let files = self.without_prefix(encoder);
        match files.has_encoder() && !files.has("classifier.") {
            true => Err(WeightsError::Headless { path: files.first_path(), name: head.to_owned() }),
            false => Ok(files),
        }
    }

    /// A tensor as f32, instead of what `into` holds: a projection `[in, out]`, anything else as the file
    /// has it.
    pub fn numbers(
        &mut self,
        name: &str,
        shape: &[usize],
        kind: Kind,
        into: &mut Vec<f32>,
    ) -> Result<(), WeightsError> {
        match (kind, shape) {
            (Kind::Projection, &[inputs, outputs]) => {
                self.read(name, &[outputs, inputs], true, kind, into)
            }
            _ => self.read(name, shape, false, kind, into),
        }
    }

    /// The rows of an embedding, which stay where they are until they are looked up.
    pub fn rows(&mut self, name: &str, shape: [usize; 2]) -> Result<Rows, WeightsError> {
        let kind = Kind::Embedding;
        let (found, format) = self.check(name, &shape, kind)?;
        let entry = &self.entries[&found];
        let (path, bytes) = &self.shards[entry.shard];
        let origin = format!("{}: tensor '{found}'", path.display());
        let rows = match bytes {
            Bytes::File(file) => Rows::mapped(file, entry.start, shape, format, origin),
            Bytes::Memory(bytes) => {
                let (start, length) = (entry.start as usize, shape[0] * shape[1] * format.width());
                let bytes = bytes.get(start..start + length);
                bytes.map(|bytes| Rows::carried(bytes, shape[1], format, origin))
            }
        };
        match rows {
            Some(rows) => {
                self.used.insert(found);
                Ok(rows)
            }
            // Some file systems cannot map.
            None => Ok(Rows::held(self.owned(name, &shape, kind)?, shape[1])),
        }
    }

    /// As [`Files::numbers`], into memory of its own.
    fn owned(&mut self, name: &str, shape: &[usize], kind: Kind) -> Result<Vec<f32>, WeightsError> {
        let mut values = Vec::new();
        self.numbers(name, shape, kind, &mut values)?;
        Ok(values)
    }

    /// A tensor's name in the file and its format, if it has the shape.
    fn check(
        &self,
        name: &str,
        expected: &[usize],
        kind: Kind,
    ) -> Result<(String, Format), WeightsError> {
        let name = self.find(name, kind)?;
        let entry = &self.entries[&name];
        let (path, _) = &self.shards[entry.shard];
        if entry.shape != expected {
            return Err(WeightsError::Shape {
                path: path.clone(),
                name,
                found: entry.shape.clone(),
                expected: expected.to_vec(),
            });
        }
        match Format::of(entry.dtype) {
            Some(format) => Ok((name, format)),
            None => {
                let found = format!("{:?}", entry.dtype);
                Err(WeightsError::FileDtype { path: path.clone(), name, found })
            }
        }
    }

    /// Reads one tensor as f32, transposed when the file holds `[columns, rows]` and `[rows,
    /// columns]` is wanted.
    fn read(
        &mut self,
        name: &str,
        expected: &[usize],
        transposed: bool,
        kind: Kind,
        values: &mut Vec<f32>,
    ) -> Result<(), WeightsError> {
        let (name, format) = self.check(name, expected, kind)?;
        let entry = &self.entries[&name];
        let (path, bytes) = &mut self.shards[entry.shard];
        let count: usize = entry.shape.iter().product();
        let columns = *entry.shape.last().unwrap_or(&1);
        match transposed {
            // All of it is written below.
            true => values.resize(count, 0.0),
            false => values.clear(),
        }
        values.reserve_exact(count - values.len());
        // Whole rows at a time, at least one.
        let row = columns * format.width();
        let step = (CHUNK / row.max(1)).max(1) * row;
        let total = count * format.width();
        self.chunk.resize(step.min(total).max(self.chunk.len()), 0);
        let mut position = 0;
        while position < total {
            let length = (total - position).min(step);
            let chunk = &mut self.chunk[..length];
            bytes
                .read_at(entry.start + position as u64, chunk)
                .map_err(|source| WeightsError::Read { path: path.clone(), source })?;
            if transposed {
                format.transpose(chunk, columns, position / row, values);
            } else {
                format.append(chunk, values);
            }
            position += length;
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err(WeightsError::NotFinite { path: path.clone(), name });
        }
        self.used.insert(name);
        Ok(())
    }

    fn tensor<const D: usize>(
        &self,
        name: &str,
        kind: Kind,
        values: Vec<f32>,
        shape: [usize; D],
    ) -> Tensor<D> {
        let dtype = format(name, kind, self.dtype);
        // Narrow formats are converted on the host, so that the device never holds both.
        let data = match dtype {
            Dtype::F32 => TensorData::new(values, shape),
            Dtype::F16 => {
                TensorData::new(values.into_iter().map(f16::from_f32).collect::<Vec<_>>(), shape)
            }
            Dtype::Bf16 => {
                TensorData::new(values.into_iter().map(bf16::from_f32).collect::<Vec<_>>(), shape)
            }
        };
        Tensor::from_data(data, (&self.device, dtype.burn()))
    }
}

impl Source for Files {
    fn matrix(
        &mut self,
        name: &str,
        shape: [usize; 2],
        kind: Kind,
    ) -> Result<Tensor<2>, WeightsError> {
        let values = self.owned(name, &shape, kind)?;
        Ok(self.tensor(name, kind, values, shape))
    }

    fn vector(&mut self, name: &str, length: usize, kind: Kind) -> Result<Tensor<1>, WeightsError> {
        let values = self.owned(name, &[length], kind)?;
        Ok(self.tensor(name, kind, values, [length]))
    }
}

/// An encoder from files with a fresh head: what training starts from.
pub(crate) struct WithNewHead {
    pub files: Files,
    pub random: Random,
}

impl Source for WithNewHead {
    fn matrix(
        &mut self,
        name: &str,
        shape: [usize; 2],
        kind: Kind,
    ) -> Result<Tensor<2>, WeightsError> {
        match self.files.find(name, kind).is_ok() || !is_head(name) {
            true => self.files.matrix(name, shape, kind),
            false => self.random.matrix(name, shape, kind),
        }
    }

    fn vector(&mut self, name: &str, length: usize, kind: Kind) -> Result<Tensor<1>, WeightsError> {
        match self.files.find(name, kind).is_ok() || !is_head(name) {
            true => self.files.vector(name, length, kind),
            false => self.random.vector(name, length, kind),
        }
    }
}

/// The format of a parameter in a model of some format: norms and the head compute in f32.
pub(crate) fn format(name: &str, kind: Kind, dtype: Dtype) -> Dtype {
    match kind {
        Kind::Scale | Kind::Shift => Dtype::F32,
        _ if is_head(name) => Dtype::F32,
        _ => dtype,
    }
}

fn is_head(name: &str) -> bool {
    name.starts_with("classifier.") || name.contains(".pooler.")
}

impl Bytes {
    fn len(&self) -> std::io::Result<u64> {
        match self {
            Self::File(file) => Ok(file.metadata()?.len()),
            Self::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    fn read_at(&mut self, start: u64, into: &mut [u8]) -> std::io::Result<()> {
        match self {
            Self::File(file) => {
                file.seek(SeekFrom::Start(start))?;
                file.read_exact(into)
            }
            Self::Memory(bytes) => {
                let mut rest = bytes.get(start as usize..).unwrap_or_default();
                rest.read_exact(into)
            }
        }
    }
}

fn header(
    path: &Path,
    bytes: &mut Bytes,
    shard: usize,
) -> Result<Vec<(String, Entry)>, WeightsError> {
    let read = |source| WeightsError::Read { path: path.to_owned(), source };
    let format = |reason: String| WeightsError::Format { path: path.to_owned(), reason };
    let file_length = bytes.len().map_err(read)?;
    if file_length < 8 {
        return Err(format(format!("it has only {file_length} bytes")));
    }
    let mut length = [0; 8];
    bytes.read_at(0, &mut length).map_err(read)?;
    let length = u64::from_le_bytes(length);
    if length > (file_length - 8).min(MAX_HEADER) {
        return Err(format(format!(
            "its header should take {length} bytes and the file has {file_length}"
        )));
    }
    let mut header = vec![0; length as usize];
    bytes.read_at(8, &mut header).map_err(read)?;
    let metadata: Metadata =
        serde_json::from_slice(&header).map_err(|e| format(format!("bad header: {e}")))?;
    let data = metadata.data_len() as u64;
    if file_length - 8 - length != data {
        let found = file_length - 8 - length;
        return Err(format(format!(
            "it holds {found} bytes of weights where its header needs {data}"
        )));
    }
    let entry = |(name, info): (String, &safetensors::tensor::TensorInfo)| {
        let start = 8 + length + info.data_offsets.0 as u64;
        (name, Entry { shard, start, shape: info.shape.clone(), dtype: info.dtype })
    };
    Ok(metadata.tensors().into_iter().map(entry).collect())
}
