use std::path::Path;

use secondpass_core::{Dataset, DocId, Document, Query, QueryId, Run};
use serde_json::{Map, Value, json};

use crate::{Access, WriteError, write_file};

/// Writes a golden set that [`super::read`] gives back: whole or not at all, packed as the extension says,
/// and for its owner alone (mode 0600 on Unix), for it holds users' texts.
///
/// Without `corpus` every item carries its text, and documents that are neither judged nor
/// candidates are left out. With it the items are ids, and all documents are written to that file.
///
/// # Errors
/// Candidates that are not in the corpus, a score that is infinite, and what the operating system
/// refuses.
pub fn write(
    path: &Path,
    dataset: &Dataset,
    candidates: Option<&Run>,
    corpus: Option<&Path>,
) -> Result<(), WriteError> {
    if let Some(path) = corpus {
        write_file(path, Access::Owner, |file| {
            dataset.corpus().documents().iter().try_for_each(|document| {
                let Document { id, title, text } = document;
                Ok(writeln!(file, "{}", json!({"id": id, "title": title, "text": text}))?)
            })
        })?;
    }
    let item = |query: &QueryId, id: &DocId| match dataset.corpus().get(id) {
        None => {
            Err(WriteError::UnknownCandidate { query: query.to_string(), document: id.to_string() })
        }
        Some(_) if corpus.is_some() => Ok(fields(json!({"id": id}))),
        Some(Document { title, text, .. }) => Ok(match title.is_empty() {
            true => fields(json!({"id": id, "text": text})),
            false => fields(json!({"id": id, "title": title, "text": text})),
        }),
    };
    write_file(path, Access::Owner, |file| {
        dataset.queries().iter().try_for_each(|Query { id, text, attributes }| {
            let mut line = fields(json!({"id": id, "query": text}));
            if !attributes.is_empty() {
                line.insert("attributes".into(), json!(attributes));
            }
            let judged = dataset.qrels().of(id).into_iter().flatten().map(|(document, &grade)| {
                let mut item = item(id, document)?;
                if grade != 1 {
                    item.insert("grade".into(), grade.into());
                }
                Ok(Value::Object(item))
            });
            line.insert("relevant".into(), judged.collect::<Result<_, WriteError>>()?);
            if let Some(ranking) = candidates.and_then(|run| run.rankings.get(id)) {
                let ranked = ranking.ranked().iter().map(|ranked| {
                    let mut item = item(id, &ranked.document)?;
                    if let Some(score) = ranked.score {
                        let number = serde_json::Number::from_f64(score).ok_or_else(|| {
                            let (query, document) = (id.to_string(), ranked.document.to_string());
                            WriteError::Score { query, document, score }
                        })?;
                        item.insert("score".into(), number.into());
                    }
                    Ok(Value::Object(item))
                });
                line.insert("candidates".into(), ranked.collect::<Result<_, WriteError>>()?);
            }
            Ok(writeln!(file, "{}", Value::Object(line))?)
        })
    })
}

/// The fields of an object that was written out just before.
fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
