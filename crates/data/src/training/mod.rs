//! Training data in files of texts, JSONL, CSV, TSV or Parquet: triples (`query`, `positive`,
//! `negative`) and groups (`query`, `pos`, `neg`, perhaps `pos_scores` and `neg_scores`, as in
//! FlagEmbedding's JSONL; lists in CSV and TSV are written as JSON). Documents and queries get ids from the hashes of their texts, so equal texts are one.

mod builder;
pub mod check;
mod row;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;

use secondpass_core::{Dataset, QueryId};

pub(crate) use builder::Builder;
pub use row::Layout;
pub(crate) use row::{Place, Row, Unit, each, group};

use crate::DataError;
use crate::golden::file_name;
use crate::triples::Group;

/// What there is to learn from.
#[derive(Clone, Debug)]
pub struct TrainingSet {
    /// All texts as the corpus, all queries; positives have grade 1, negatives grade 0.
    pub dataset: Dataset,
    /// A group for each positive of a query, in the order their first lines stand, with all of the
    /// query's negatives, perhaps none.
    pub groups: Vec<Group>,
    /// Where each query stands first (file and line or row), with that line's own `id` if it has one:
    /// ids of queries are hashes, which tell nobody where to look.
    pub origins: HashMap<QueryId, String>,
}

/// The split of such data, which has no others.
pub const SPLIT: &str = "train";

/// Reads files of one layout as one set, line by line (tables whole). A query's lines are put
/// together, wherever they stand; what stands there twice counts once, with its first score.
///
/// # Errors
/// A missing or empty file, malformed lines, blank texts, no positive, lists of scores of another
/// length, a text that is (but for case, punctuation and blanks) both positive and negative of one
/// query: with file, line and field.
pub fn read<P: AsRef<Path>>(paths: &[P], layout: Layout) -> Result<TrainingSet, DataError> {
    let mut builder = Builder::of_training();
    for path in paths {
        let path = path.as_ref();
        let before = builder.rows();
        each(path, layout, &mut |row| {
            let row = row?;
            let place = row.place.clone();
            builder.add(row).map_err(|defect| place.fail(defect))
        })?;
        if builder.rows() == before {
            return Err(DataError::Empty { file: path.display().to_string(), what: layout.name() });
        }
    }
    let name = paths.first().map_or_else(String::new, |path| file_name(path.as_ref()));
    let origins = builder.origins();
    let (dataset, groups) = builder.finish(&name, SPLIT, &name)?;
    let groups = groups.iter().flat_map(|group| group.groups()).collect();
    Ok(TrainingSet { dataset, groups, origins })
}
