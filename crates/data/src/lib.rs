//! Everything that comes from files: readers and writers of sets (BEIR folders, golden sets, TREC
//! runs, judgements and topics, FlagEmbedding's training data, tables, production logs, documents,
//! triples), plain or packed; checks of what they hold; models from folders or the Hugging Face hub;
//! checksums; and the embedded help-desk set. Knows `core` only, and prints nothing.

pub mod beir;
pub mod check;
mod checksum;
mod compression;
pub mod documents;
pub mod embedded;
mod error;
pub mod flag_embedding;
mod fold;
pub mod golden;
pub mod hub;
mod json;
mod lines;
pub mod manifest;
mod near;
mod normal;
mod output;
pub mod production_log;
pub mod scrub;
pub mod split;
pub mod tables;
mod texts;
pub mod topics;
pub mod training;
pub mod trec;
pub mod triples;
mod user_folder;

#[cfg(test)]
mod mutation_tests;

pub use checksum::sha256;
pub use compression::Compression;
pub use error::{DataError, Defect, WriteError};
pub use lines::open_text;
pub use near::{NEAR, near_duplicates};
pub use normal::normalized;
pub use output::{Access, write_file};
pub use user_folder::user_folder;
