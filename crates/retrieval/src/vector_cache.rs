use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use secondpass_core::ContentHash;
use sha2::{Digest, Sha256};

use crate::Side;
use crate::private_file::private;

/// Vectors on disk, found by what was embedded: one file for each identity of an embedder, to which
/// records are only ever added.
///
/// What a killed process leaves is used by the next one. A record that was half written is cut off at
/// the next write; a record whose checksum is wrong is passed over and its text is embedded again;
/// the rest of the file stays good. Only a damaged header makes the file useless, and the error says
/// to delete it. Nothing is forced to the disk, so that a power cut may lose the last records, never
/// the meaning of the others.
///
/// Many processes may share a file: each writes under an exclusive lock, whole records at a time, and
/// sees what others wrote when it next writes. Two that embed the same text at the same time both
/// write it; the first one is used.
///
/// Layout, little-endian: eight bytes of magic and version, `u32` dimensions, `u32` length of the
/// identity, the identity, checksum; then records of 32 bytes of key, the vector in `f32`, checksum.
/// Checksums are the first eight bytes of the SHA-256 of what stands before them.
#[derive(Debug)]
pub struct VectorCache {
    path: PathBuf,
    identity: String,
    state: Mutex<State>,
}

/// What a vector is found by: the SHA-256 of side and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VectorKey([u8; 32]);

impl VectorKey {
    /// The key of a text on one side.
    pub fn of(side: Side, text: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(side.name());
        hasher.update([0]);
        hasher.update(text);
        Self(hasher.finalize().into())
    }
}

/// Why a cache of vectors on disk could not be used.
#[derive(Debug, thiserror::Error)]
pub enum VectorCacheError {
    /// The system refused.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something else lies there.
    #[error("{path} is no cache of vectors of this version; delete it, and it is made anew")]
    NotACache {
        /// The file.
        path: PathBuf,
    },
    /// The header does not fit its checksum or the embedder.
    #[error("the header of {path} is damaged; delete the file, and its vectors are computed again")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Vectors of another length than the file's.
    #[error(
        "{path} holds vectors of {expected} numbers and the model gave one of {found} under the same \
         identity; delete the file, or name in the identity what changed"
    )]
    Dimensions {
        /// The file.
        path: PathBuf,
        /// Of the vectors in the file.
        expected: usize,
        /// Of the new one.
        found: usize,
    },
}

impl VectorCache {
    /// Opens the file of an identity in `folder`, and makes both if they are not there. Reads the
    /// whole file once, to know which records are good.
    ///
    /// # Errors
    /// Files that cannot be made or read, something else in their place, a damaged header.
    pub fn open(folder: &Path, identity: &str) -> Result<Self, VectorCacheError> {
        let at = |action, path: &Path| {
            let path = path.to_owned();
            move |source| VectorCacheError::Io { action, path, source }
        };
        fs::create_dir_all(folder).map_err(at("make the folder", folder))?;
        let hash = ContentHash::of(identity.as_bytes());
        let path = folder.join(format!("{}.vectors", &hash.as_str()[..32]));
        let mut options = private();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(at("open", &path))?;
        let state = State { file, dimensions: None, places: HashMap::new(), end: 0, damaged: 0 };
        let cache = Self { path, identity: identity.to_owned(), state: Mutex::new(state) };
        cache.with_lock(false, |state, length| cache.catch_up(state, length))?;
        Ok(cache)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many vectors it holds.
    pub fn len(&self) -> usize {
        self.state().places.len()
    }

    /// Whether it holds no vector.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many records were passed over because their checksum is wrong.
    pub fn damaged(&self) -> usize {
        self.state().damaged
    }

    /// Of each key, whether its vector is there.
    pub fn holds(&self, keys: &[VectorKey]) -> Vec<bool> {
        let state = self.state();
        keys.iter().map(|key| state.places.contains_key(key)).collect()
    }

    /// The vector of a key, exactly as it was written.
    ///
    /// # Errors
    /// A file that can no longer be read.
    pub fn get(&self, key: &VectorKey) -> Result<Option<Vec<f32>>, VectorCacheError> {
        let mut state = self.state();
        let (Some(&place), Some(dimensions)) = (state.places.get(key), state.dimensions) else {
            return Ok(None);
        };
        let mut bytes = vec![0; dimensions * NUMBER];
        let read = state.file.seek(SeekFrom::Start(place + KEY as u64));
        read.and_then(|_| state.file.read_exact(&mut bytes)).map_err(self.io("read"))?;
        Ok(Some(numbers(&bytes)))
    }

    /// Adds vectors in one write. Keys that are there already stay as they are.
    ///
    /// # Errors
    /// Vectors of another length than the file's, a disk that takes no more: what was written before
    /// stays good.
    pub fn add(&self, vectors: &[(VectorKey, &[f32])]) -> Result<(), VectorCacheError> {
        let Some((_, first)) = vectors.first() else { return Ok(()) };
        self.with_lock(true, |state, length| {
            self.catch_up(state, length)?;
            let mut bytes = Vec::new();
            let dimensions = match state.dimensions {
                Some(dimensions) => dimensions,
                None => {
                    bytes = self.header(first.len());
                    first.len()
                }
            };
            let mut added = Vec::new();
            for (key, vector) in vectors {
                if vector.len() != dimensions {
                    return Err(VectorCacheError::Dimensions {
                        path: self.path.clone(),
                        expected: dimensions,
                        found: vector.len(),
                    });
                }
                if !state.places.contains_key(key) {
                    added.push((*key, state.end + bytes.len() as u64));
                    let start = bytes.len();
                    bytes.extend_from_slice(&key.0);
                    vector.iter().for_each(|x| bytes.extend_from_slice(&x.to_le_bytes()));
                    bytes.extend_from_slice(&checksum(&bytes[start..]));
                }
            }
            // What a killed process left half written is overwritten, and never read as a record.
            let written = state.file.set_len(state.end);
            let written = written.and_then(|()| state.file.seek(SeekFrom::Start(state.end)));
            if let Err(error) = written.and_then(|_| state.file.write_all(&bytes)) {
                // The half that went through is cut off; if even that fails, the next writer does it.
                let _ = state.file.set_len(state.end);
                return Err(self.io("write to")(error));
            }
            state.end += bytes.len() as u64;
            state.dimensions = Some(dimensions);
            added.into_iter().for_each(|(key, place)| {
                state.places.entry(key).or_insert(place);
            });
            Ok(())
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves at worst a record that is not listed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn io(&self, action: &'static str) -> impl FnOnce(io::Error) -> VectorCacheError {
        let path = self.path.clone();
        move |source| VectorCacheError::Io { action, path, source }
    }

    /// Runs `work` with the file locked against other processes, and tells it how long the file is.
    fn with_lock<T>(
        &self,
        exclusive: bool,
        work: impl FnOnce(&mut State, u64) -> Result<T, VectorCacheError>,
    ) -> Result<T, VectorCacheError> {
        let mut state = self.state();
        let locked = if exclusive { state.file.lock() } else { state.file.lock_shared() };
        locked.map_err(self.io("lock"))?;
        let length = state.file.metadata().map_err(self.io("read"));
        let result = length.and_then(|about| work(&mut state, about.len()));
        let unlocked = state.file.unlock().map_err(self.io("unlock"));
        let result = result?;
        unlocked.map(|()| result)
    }

    /// Lists the records between what is known and the end of the file.
    fn catch_up(&self, state: &mut State, length: u64) -> Result<(), VectorCacheError> {
        let dimensions = match state.dimensions {
            Some(dimensions) => dimensions,
            None => match self.read_header(state, length)? {
                Some(dimensions) => dimensions,
                None => return Ok(()),
            },
        };
        let size = record_size(dimensions);
        state.file.seek(SeekFrom::Start(state.end)).map_err(self.io("read"))?;
        let mut reader = BufReader::with_capacity(1 << 20, &state.file);
        let mut record = vec![0; size];
        while state.end + size as u64 <= length {
            reader.read_exact(&mut record).map_err(self.io("read"))?;
            let (content, sum) = record.split_at(size - SUM);
            let key = content.first_chunk::<KEY>().filter(|_| checksum(content) == sum);
            match key {
                Some(key) => {
                    state.places.entry(VectorKey(*key)).or_insert(state.end);
                }
                None => state.damaged += 1,
            }
            state.end += size as u64;
        }
        Ok(())
    }

    /// The dimensions that the header tells; `None` of a file without a whole one. Knows then where
    /// the records start.
    fn read_header(
        &self,
        state: &mut State,
        length: u64,
    ) -> Result<Option<usize>, VectorCacheError> {
        let path = || self.path.clone();
        let expected = self.header(0);
        let mut header = Vec::new();
        state.file.rewind().map_err(self.io("read"))?;
        let size = expected.len() as u64;
        (&state.file).take(size).read_to_end(&mut header).map_err(self.io("read"))?;
        let magic = header.len().min(MAGIC.len());
        if header[..magic] != MAGIC[..magic] {
            return Err(VectorCacheError::NotACache { path: path() });
        }
        if length < size {
            // Its writer was killed before there was any record: written anew.
            return Ok(None);
        }
        let dimensions =
            header[MAGIC.len()..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        match dimensions.map(|dimensions| dimensions as usize) {
            Some(dimensions) if dimensions > 0 && header == self.header(dimensions) => {
                state.end = size;
                state.dimensions = Some(dimensions);
                Ok(Some(dimensions))
            }
            _ => Err(VectorCacheError::Damaged { path: path() }),
        }
    }

    fn header(&self, dimensions: usize) -> Vec<u8> {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(&number(dimensions));
        header.extend_from_slice(&number(self.identity.len()));
        header.extend_from_slice(self.identity.as_bytes());
        header.extend_from_slice(&checksum(&header));
        header
    }
}

#[derive(Debug)]
struct State {
    file: File,
    /// Numbers in a vector; known once the file has its header.
    dimensions: Option<usize>,
    /// Where the record of each key starts.
    places: HashMap<VectorKey, u64>,
    /// Where the next record goes: the end of the last whole one.
    end: u64,
    damaged: usize,
}

/// The last byte is the version of the layout.
const MAGIC: [u8; 8] = *b"spvecs\0\x01";
const KEY: usize = 32;
const NUMBER: usize = size_of::<f32>();
const SUM: usize = 8;

fn record_size(dimensions: usize) -> usize {
    KEY + dimensions * NUMBER + SUM
}

fn checksum(bytes: &[u8]) -> [u8; SUM] {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let mut sum = [0; SUM];
    sum.copy_from_slice(&digest[..SUM]);
    sum
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|number| f32::from_le_bytes(*number)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn open(folder: &Path) -> VectorCache {
        VectorCache::open(folder, "model").unwrap()
    }

    fn key(text: &str) -> VectorKey {
        VectorKey::of(Side::Document, text)
    }

    fn fill(cache: &VectorCache, texts: &[&str]) {
        for text in texts {
            cache.add(&[(key(text), &vector(text))]).unwrap();
        }
    }

    fn vector(text: &str) -> [f32; 3] {
        [text.len() as f32, 0.1, -1e-30]
    }

    #[test]
    fn vectors_come_back_bit_for_bit_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        fill(&open(folder.path()), &["a", "bb"]);
        let again = open(folder.path());
        assert_eq!((again.len(), again.damaged()), (2, 0));
        assert_eq!(again.get(&key("bb")).unwrap(), Some(vector("bb").to_vec()));
        assert_eq!(again.get(&VectorKey::of(Side::Query, "bb")).unwrap(), None);
        assert_eq!(again.holds(&[key("c"), key("a")]), [false, true]);
    }

    #[test]
    fn another_identity_is_another_file() {
        let folder = tempfile::tempdir().unwrap();
        fill(&open(folder.path()), &["a"]);
        assert!(VectorCache::open(folder.path(), "model revision=2").unwrap().is_empty());
    }

    #[test]
    fn two_at_once_share_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (open(folder.path()), open(folder.path()));
        std::thread::scope(|scope| {
            for (cache, start) in [(&one, 0), (&other, 30)] {
                scope.spawn(move || {
                    for at in start..start + 60 {
                        fill(cache, &[&format!("text {at}")]);
                    }
                });
            }
        });
        let all = open(folder.path());
        assert_eq!((all.len(), all.damaged()), (90, 0));
        for at in 0..90 {
            let text = format!("text {at}");
            assert_eq!(all.get(&key(&text)).unwrap(), Some(vector(&text).to_vec()));
        }
    }

    #[cfg(unix)]
    #[test]
    fn vectors_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let cache = open(folder.path());
        fill(&cache, &["a"]);
        let mode = fs::metadata(cache.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_cut_anywhere_keeps_its_whole_records_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let texts = ["a", "bb", "ccc"];
        let path = {
            let cache = open(folder.path());
            fill(&cache, &texts);
            cache.path().to_owned()
        };
        let whole = fs::read(&path).unwrap();
        let header = whole.len() - 3 * record_size(3);
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let cache = open(folder.path());
            assert_eq!(cache.len(), length.saturating_sub(header) / record_size(3), "{length}");
            fill(&cache, &texts);
            drop(cache);
            assert_eq!(fs::read(&path).unwrap(), whole, "{length}");
        }
    }

    #[test]
    fn a_disk_that_lost_a_block_costs_its_records_only() {
        let folder = tempfile::tempdir().unwrap();
        let cache = open(folder.path());
        fill(&cache, &["a", "bb", "ccc"]);
        let mut bytes = fs::read(cache.path()).unwrap();
        let size = record_size(3);
        let middle = bytes.len() - 2 * size;
        bytes[middle..middle + size].fill(0);
        fs::write(cache.path(), &bytes).unwrap();
        let cache = open(folder.path());
        assert_eq!((cache.len(), cache.damaged()), (2, 1));
        assert_eq!(cache.get(&key("bb")).unwrap(), None);
        fill(&cache, &["bb"]);
        assert_eq!(open(folder.path()).get(&key("bb")).unwrap(), Some(vector("bb").to_vec()));
    }

    #[test]
    fn what_is_no_cache_is_left_alone_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let cache = open(folder.path());
        fill(&cache, &["a"]);
        let path = cache.path().to_owned();
        let good = fs::read(&path).unwrap();
        let error = || VectorCache::open(folder.path(), "model").unwrap_err();
        fs::write(&path, "shopping list").unwrap();
        assert!(matches!(error(), VectorCacheError::NotACache { .. }));
        assert_eq!(fs::read(&path).unwrap(), b"shopping list");
        for place in MAGIC.len()..cache.header(3).len() {
            let mut bytes = good.clone();
            bytes[place] ^= 1;
            fs::write(&path, bytes).unwrap();
            assert!(matches!(error(), VectorCacheError::Damaged { .. }), "{place}");
            assert!(error().to_string().contains("delete"));
        }
    }

    #[test]
    fn other_dimensions_are_refused_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let cache = open(folder.path());
        fill(&cache, &["a"]);
        let before = fs::read(cache.path()).unwrap();
        let error = cache.add(&[(key("b"), &vector("b")), (key("c"), &[1.0])]).unwrap_err();
        let expected = matches!(error, VectorCacheError::Dimensions { expected: 3, found: 1, .. });
        assert!(expected, "{error}");
        assert_eq!(fs::read(cache.path()).unwrap(), before);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_damage_gives_an_error_or_only_what_was_written(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut: prop::sample::Index,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let texts = ["a", "bb", "ccc", "dddd"];
            let cache = open(folder.path());
            fill(&cache, &texts);
            let mut bytes = fs::read(cache.path()).unwrap();
            bytes.truncate(cut.index(bytes.len()) + 1);
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            fs::write(cache.path(), bytes).unwrap();
            if let Ok(cache) = VectorCache::open(folder.path(), "model") {
                for text in texts {
                    let found = cache.get(&key(text)).unwrap();
                    prop_assert!(found.is_none_or(|found| found == vector(text)));
                }
                fill(&cache, &texts);
                prop_assert_eq!(open(folder.path()).len(), 4);
            }
        }
    }
}
