//! Public sets by name: what they consist of, where their files lie on the hub, under which licence,
//! and how to get them as BEIR folders that stay what they were.
//!
//! A [`Manifest`] is a small TOML file. Those in `datasets/` are compiled in, and a folder of the
//! user's own can be added ([`Catalogue`]). [`pull`] downloads a set through the hub's cache into a
//! BEIR folder and writes a lockfile of hashes beside it, which every later pull must match.
//! [`resolve`] finds the folder of a set that was pulled.

mod catalogue;
mod error;
mod keys;
mod lock;
mod parse;
mod place;
mod pull;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use catalogue::Catalogue;
pub use error::{Against, KeyDefect, ManifestError, Mismatch, PullError};
pub use lock::{Lock, LockedFile};
pub use place::datasets_folder;
pub use pull::{Pulled, pull, resolve};

/// What a manifest says where a source does not tell a licence.
pub const NOT_STATED: &str = "not stated";

/// A set that can be pulled: its files on the hub, and what was read about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The name it is asked for by, and that of its folder.
    pub name: String,
    /// Its name as people write it.
    pub title: String,
    /// The language of its texts as a BCP 47 tag (`en`), where it has one.
    pub language: Option<String>,
    /// Where its makers describe it.
    pub homepage: Option<String>,
    /// The licence of the files on the hub, as their card states it, or [`NOT_STATED`].
    pub license: String,
    /// The licence of the texts and judgements that were packaged, or [`NOT_STATED`]. Whether a use
    /// is allowed is for the user to find out.
    pub license_of_texts: String,
    /// What to cite.
    pub citations: Vec<Citation>,
    /// The pages that all of this was read from.
    pub sources: Vec<String>,
    /// The day they were read, `YYYY-MM-DD`.
    pub read: Option<String>,
    /// What a user of the set should know.
    pub note: Option<String>,
    /// The documents.
    pub corpus: RemoteFile,
    /// The queries of all splits.
    pub queries: RemoteFile,
    /// The judgements by split.
    pub qrels: BTreeMap<String, RemoteFile>,
}

/// One file of a set on the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// The id of the repository of kind data set, `OWNER/NAME`.
    pub hub: String,
    /// The commit, branch or tag. Only a full commit always means the same.
    pub revision: String,
    /// The file's path in the repository.
    pub file: String,
    /// Its SHA-256 in lower-case hex, where a source states it.
    pub sha256: Option<String>,
    /// Its size in bytes, where a source states it.
    pub bytes: Option<u64>,
    /// How many documents (of the corpus) or queries (of the queries or of a split) a source states.
    pub count: Option<u64>,
    /// How many judgements of a split a source states.
    pub judgements: Option<u64>,
}

/// A publication to cite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// The authors' names, in order.
    pub authors: Vec<String>,
    /// The title.
    pub title: String,
    /// Where it appeared.
    pub venue: Option<String>,
    /// The year.
    pub year: Option<u64>,
    /// Where it can be read.
    pub url: Option<String>,
}

impl Manifest {
    /// The splits it has judgements for, by name.
    pub fn splits(&self) -> impl Iterator<Item = &str> {
        self.qrels.keys().map(String::as_str)
    }

    /// The path of the documents in the BEIR folder: the compression of the hub's file is kept.
    pub fn corpus_path(&self) -> String {
        format!("corpus{}", suffix(&self.corpus.file, parse::TEXTS))
    }

    /// The path of the queries in the BEIR folder.
    pub fn queries_path(&self) -> String {
        format!("queries{}", suffix(&self.queries.file, parse::TEXTS))
    }

    /// The path of a split's judgements in the BEIR folder; `None` for a split it has not.
    pub fn qrels_path(&self, split: &str) -> Option<String> {
        let file = &self.qrels.get(split)?.file;
        Some(format!("qrels/{split}{}", suffix(file, parse::JUDGEMENTS)))
    }
}

/// The ending of a file's name, one of those allowed.
fn suffix(file: &str, allowed: &[&'static str]) -> &'static str {
    allowed.iter().copied().find(|ending| file.ends_with(ending)).unwrap_or_default()
}
