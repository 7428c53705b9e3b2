use std::collections::HashMap;
use std::path::Path;

use secondpass_core::{Dataset, DocId, Query, QueryId};
use secondpass_data::{Access, WriteError, write_file};
use serde_json::json;

use super::{Mined, MinedQuery, Mining};

/// Writes what was mined as groups, one JSON object a line: `query`, `pos` and `neg` (texts, title
/// first), `pos_scores` and `neg_scores` where a teacher scored them, and the ids beside them (`id`,
/// `pos_ids`, `neg_ids`). FlagEmbedding's training and [`secondpass_data::training`] read it. Whole or
/// not at all, and for its owner alone.
///
/// # Errors
/// What the operating system refuses.
pub fn write(path: &Path, dataset: &Dataset, mining: &Mining) -> Result<(), WriteError> {
    let texts: HashMap<&QueryId, &Query> =
        dataset.queries().iter().map(|query| (&query.id, query)).collect();
    let text = |id: &DocId| dataset.corpus().get(id).map(|document| document.passage());
    write_file(path, Access::Owner, |file| {
        for MinedQuery { query, positives, negatives, .. } in &mining.queries {
            let ids = |side: &[Mined]| -> Vec<DocId> {
                side.iter().map(|mined| mined.document.clone()).collect()
            };
            let texts_of = |side: &[Mined]| -> Vec<String> {
                side.iter().filter_map(|mined| text(&mined.document)).collect()
            };
            let mut line = json!({
                "query": texts.get(query).map(|query| &query.text),
                "pos": texts_of(positives),
                "neg": texts_of(negatives),
            });
            let taught = |side: &[Mined]| -> Option<Vec<f64>> {
                side.iter().map(|mined| mined.teacher).collect()
            };
            if let (Some(positives), Some(negatives)) = (taught(positives), taught(negatives)) {
                line["pos_scores"] = json!(positives);
                line["neg_scores"] = json!(negatives);
            }
            line["id"] = json!(query);
            line["pos_ids"] = json!(ids(positives));
            line["neg_ids"] = json!(ids(negatives));
            writeln!(file, "{line}")?;
        }
        Ok(())
    })
}
