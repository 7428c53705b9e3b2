use std::collections::HashMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use secondpass_core::{Corpus, Hasher};
use sha2::{Digest, Sha256};

use super::index::{Index, Posting};
use super::{Bm25, Bm25Error};
use crate::private_file::private;
use crate::{Analyzer, Bm25Parameters};

/// Why an index was not read from a file or written to one.
#[derive(Debug, thiserror::Error)]
pub enum IndexFileError {
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
    /// Damaged, of another version, or no index at all.
    #[error("{path} is no whole BM25 index of this version; delete it, and it is built anew")]
    Corrupt {
        /// The file.
        path: PathBuf,
    },
    /// A good index of something else.
    #[error("{path} is the index of another corpus or analyser; give each its own file")]
    Other {
        /// The file.
        path: PathBuf,
    },
    /// The corpus cannot be indexed.
    #[error(transparent)]
    Build(#[from] Bm25Error),
}

impl Bm25 {
    /// The index of a corpus from `folder`, where an earlier run has left it, or built and left
    /// there. The file is found by the hash of corpus and analyser; k1 and b do not matter to it. A
    /// file that is damaged is built and written again. The second value tells whether it was reused.
    ///
    /// # Errors
    /// A corpus that cannot be indexed, a folder that cannot be written to.
    pub fn reused(
        folder: &Path,
        corpus: &Corpus,
        parameters: Bm25Parameters,
        analyzer: Analyzer,
    ) -> Result<(Self, bool), IndexFileError> {
        let path = folder.join(format!("{}.bm25", hex(&key(corpus, analyzer)[..16])));
        match Self::load(&path, corpus, parameters, analyzer) {
            Ok(found) => return Ok((found, true)),
            Err(IndexFileError::Corrupt { .. }) => {}
            Err(IndexFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let built = Self::with_analyzer(corpus, parameters, analyzer)?;
        fs::create_dir_all(folder).map_err(io_error("make the folder", folder))?;
        built.save(&path, corpus)?;
        Ok((built, false))
    }

    /// Writes the index whole or not at all, for its owner alone (mode 0600 on Unix), as it holds the
    /// words of the documents. Little-endian: eight bytes of magic and version; the
    /// SHA-256 that names corpus and analyser; then, as numbers of seven bits a byte (LEB128), the
    /// documents' lengths, and of each term its text, the gaps between its documents and its
    /// occurrences; last the SHA-256 of everything before it.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, path: &Path, corpus: &Corpus) -> Result<(), IndexFileError> {
        let mut terms: Vec<(&str, u32)> =
            self.index.terms.iter().map(|(term, &number)| (&**term, number)).collect();
        terms.sort_unstable_by_key(|&(_, number)| number);
        let beside = path.with_extension(format!("{}.part", std::process::id()));
        let file = private().write(true).create(true).truncate(true).open(&beside);
        let file = file.map_err(io_error("write", &beside))?;
        let mut out = Summed { out: BufWriter::with_capacity(1 << 20, file), sum: Sha256::new() };
        let written = write(&mut out, &key(corpus, self.analyzer), &self.index, &terms);
        let written = written.and_then(|()| {
            let sum: [u8; 32] = out.sum.finalize().into();
            out.out.write_all(&sum)?;
            out.out.flush()?;
            fs::rename(&beside, path)
        });
        written.map_err(|source| {
            let _ = fs::remove_file(&beside);
            io_error("write", path)(source)
        })
    }

    /// Reads the index that [`Bm25::save`] wrote of this corpus with this analyser. It finds exactly
    /// what the one that was saved finds.
    ///
    /// # Errors
    /// A file that is not there, damaged, or of another corpus or analyser.
    pub fn load(
        path: &Path,
        corpus: &Corpus,
        parameters: Bm25Parameters,
        analyzer: Analyzer,
    ) -> Result<Self, IndexFileError> {
        let corrupt = || IndexFileError::Corrupt { path: path.to_owned() };
        let bytes = fs::read(path).map_err(io_error("read", path))?;
        let content = bytes.strip_prefix(&MAGIC).ok_or_else(corrupt)?;
        let (content, sum) = content.split_last_chunk::<32>().ok_or_else(corrupt)?;
        let (found, content) = content.split_first_chunk::<32>().ok_or_else(corrupt)?;
        let computed: [u8; 32] = Sha256::digest(&bytes[..bytes.len() - sum.len()]).into();
        if computed != *sum {
            return Err(corrupt());
        }
        if *found != key(corpus, analyzer) {
            return Err(IndexFileError::Other { path: path.to_owned() });
        }
        let index = read(content).ok_or_else(corrupt)?;
        if index.lengths.len() != corpus.len() {
            return Err(corrupt());
        }
        Ok(Self::over(index, corpus, parameters, analyzer))
    }
}

/// The last byte is the version: raise it when the layout or what an analyser gives changes.
const MAGIC: [u8; 8] = *b"spbm25\0\x01";

fn io_error(action: &'static str, path: &Path) -> impl Fn(io::Error) -> IndexFileError {
    let path = path.to_owned();
    move |source| IndexFileError::Io { action, path: path.clone(), source }
}

fn key(corpus: &Corpus, analyzer: Analyzer) -> [u8; 32] {
    let mut hasher = Hasher::new();
    hasher.field(corpus.hash().as_str()).field(analyzer.describe()).field("title+text");
    Sha256::digest(hasher.finish().as_str()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sums what it writes.
struct Summed<W> {
    out: W,
    sum: Sha256,
}

impl<W: Write> Summed<W> {
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.out.write_all(bytes)
    }
}

fn write<W: Write>(
    out: &mut Summed<W>,
    key: &[u8; 32],
    index: &Index,
    terms: &[(&str, u32)],
) -> io::Result<()> {
    out.bytes(&MAGIC)?;
    out.bytes(key)?;
    // One buffer a term, so that sums and writes run over long pieces.
    let mut buffer = Vec::new();
    put(&mut buffer, index.lengths.len() as u64);
    index.lengths.iter().for_each(|&length| put(&mut buffer, length.into()));
    put(&mut buffer, terms.len() as u64);
    put(&mut buffer, index.postings.len() as u64);
    out.bytes(&buffer)?;
    for &(term, number) in terms {
        buffer.clear();
        put(&mut buffer, term.len() as u64);
        buffer.extend_from_slice(term.as_bytes());
        let postings = index.of(number);
        put(&mut buffer, postings.len() as u64);
        let mut next = 0;
        for posting in postings {
            put(&mut buffer, (posting.document - next).into());
            put(&mut buffer, posting.occurrences.into());
            next = posting.document + 1;
        }
        out.bytes(&buffer)?;
    }
    Ok(())
}

/// `None` of anything that no index writes, whatever its checksum says.
fn read(bytes: &[u8]) -> Option<Index> {
    let mut rest = bytes;
    let documents = u32::try_from(take(&mut rest)?).ok()?;
    // Nothing is reserved beyond what the bytes can hold: at least one byte a number.
    let fits = |count: u64, bytes: usize| usize::try_from(count).ok().filter(|&n| n <= bytes);
    let mut lengths = Vec::with_capacity(fits(documents.into(), rest.len())?);
    for _ in 0..documents {
        lengths.push(u32::try_from(take(&mut rest)?).ok()?);
    }
    let terms_count = take(&mut rest)?;
    let terms_count = fits(terms_count, rest.len())?;
    let postings_count = take(&mut rest)?;
    let mut postings = Vec::with_capacity(fits(postings_count, rest.len())?);
    let mut terms = HashMap::with_capacity(terms_count);
    let mut starts = Vec::with_capacity(terms_count + 1);
    starts.push(0);
    for number in 0..u32::try_from(terms_count).ok()? {
        let size = take(&mut rest)?;
        let (term, after) = rest.split_at_checked(fits(size, rest.len())?)?;
        rest = after;
        if terms.insert(std::str::from_utf8(term).ok()?.into(), number).is_some() {
            return None;
        }
        let mut next = 0_u32;
        for _ in 0..take(&mut rest)? {
            let gap = u32::try_from(take(&mut rest)?).ok()?;
            let document = next.checked_add(gap).filter(|&document| document < documents)?;
            let occurrences = u32::try_from(take(&mut rest)?).ok()?;
            postings.push(Posting { document, occurrences });
            next = document + 1;
        }
        starts.push(postings.len());
    }
    let is_whole = rest.is_empty() && postings.len() as u64 == postings_count;
    is_whole.then_some(Index { lengths, terms, starts, postings })
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::slice;

    use proptest::prelude::*;
    use secondpass_core::{Document, FirstStage, Query};

    use super::*;

    fn corpus(texts: &[String]) -> Corpus {
        let document = |(at, text): (usize, &String)| Document {
            id: format!("d{at}").into(),
            title: String::new(),
            text: text.clone(),
        };
        Corpus::new(texts.iter().enumerate().map(document).collect()).unwrap()
    }

    fn texts() -> Vec<String> {
        ["Rote Äpfel", "rote, rote Birnen am Baum", "", "grüne Pflaumen"].map(String::from).to_vec()
    }

    fn german(folder: &Path, corpus: &Corpus) -> (Bm25, bool) {
        Bm25::reused(folder, corpus, Bm25Parameters::default(), Analyzer::German).unwrap()
    }

    #[test]
    fn the_second_time_it_is_reused_and_finds_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = corpus(&texts());
        let query = Query {
            id: "q".into(),
            text: "roter Apfel, Birnen".into(),
            attributes: Default::default(),
        };
        let (built, reused) = german(folder.path(), &corpus);
        assert!(!reused);
        let (loaded, reused) = german(folder.path(), &corpus);
        assert!(reused && loaded.index == built.index && loaded.describe() == built.describe());
        let runs = [built, loaded].map(|bm25| bm25.retrieve(slice::from_ref(&query), 9).unwrap());
        assert_eq!(runs[0], runs[1]);
        assert_eq!(runs[0].rankings["q"].len(), 2);
        // Other settings read the same file, another analyser or corpus does not.
        let other = Bm25Parameters::new(1.2, 0.75).unwrap();
        let reused = |corpus: &Corpus, parameters, analyzer| {
            Bm25::reused(folder.path(), corpus, parameters, analyzer).unwrap().1
        };
        assert!(reused(&corpus, other, Analyzer::German));
        assert!(!reused(&corpus, other, Analyzer::None));
        assert!(!reused(&self::corpus(&texts()[1..]), other, Analyzer::German));
    }

    #[cfg(unix)]
    #[test]
    fn words_of_documents_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        german(folder.path(), &corpus(&texts()));
        let modes = fs::read_dir(folder.path()).unwrap().map(|entry| {
            let permissions = entry.unwrap().metadata().unwrap().permissions();
            permissions.mode() & 0o777
        });
        assert_eq!(modes.collect::<Vec<_>>(), [0o600]);
    }

    #[test]
    fn damage_is_found_wherever_it_is_and_built_over() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = corpus(&texts());
        let path = folder.path().join("x.bm25");
        german(folder.path(), &corpus).0.save(&path, &corpus).unwrap();
        let good = fs::read(&path).unwrap();
        let load = |analyzer| Bm25::load(&path, &corpus, Bm25Parameters::default(), analyzer);
        assert!(matches!(load(Analyzer::None), Err(IndexFileError::Other { .. })));
        for place in 0..good.len() {
            let mut bytes = good.clone();
            bytes[place] ^= 0x10;
            fs::write(&path, &bytes).unwrap();
            assert!(matches!(load(Analyzer::German), Err(IndexFileError::Corrupt { .. })));
            fs::write(&path, &good[..place]).unwrap();
            assert!(matches!(load(Analyzer::German), Err(IndexFileError::Corrupt { .. })));
        }
        let kept = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let kept = kept.filter(|kept| *kept != path).collect::<Vec<_>>();
        let [kept] = &kept[..] else { panic!("one index and nothing half written: {kept:?}") };
        fs::write(kept, &good[..40]).unwrap();
        assert!(!german(folder.path(), &corpus).1);
        assert!(german(folder.path(), &corpus).1);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(texts in prop::collection::vec("[a-zé ]{0,40}", 0..40)) {
            let index = Index::build(&corpus(&texts), Analyzer::None).unwrap();
            let mut terms: Vec<(&str, u32)> =
                index.terms.iter().map(|(term, &number)| (&**term, number)).collect();
            terms.sort_unstable_by_key(|&(_, number)| number);
            let mut out = Summed { out: Vec::new(), sum: Sha256::new() };
            write(&mut out, &[0; 32], &index, &terms).unwrap();
            prop_assert_eq!(read(&out.out[MAGIC.len() + 32..]), Some(index));
        }

        #[test]
        fn any_bytes_are_an_index_or_none(bytes in prop::collection::vec(0_u8..9, 0..60)) {
            if let Some(index) = read(&bytes) {
                let documents = index.lengths.len();
                prop_assert!(index.postings.iter().all(|p| (p.document as usize) < documents));
            }
        }

        #[test]
        fn numbers_round_trip(number in any::<u64>()) {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            prop_assert_eq!(take(&mut &bytes[..]), Some(number));
        }
    }
}
