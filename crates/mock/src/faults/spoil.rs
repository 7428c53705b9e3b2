use serde_json::{Value, json};

use super::Fault;
use crate::{Answer, Shape};

/// Texts that stand in a spoiled body for words that JSON does not have, as serialized, and those
/// words.
pub(crate) const BARE_WORDS: [(&str, &str); 2] =
    [("\"\\u0001NaN\\u0001\"", "NaN"), ("\"\\u0001Infinity\\u0001\"", "Infinity")];

/// Spoils the results of a good answer. False where there is nothing to spoil: a refusal, a score
/// without a range, a fault that is not about results.
pub(crate) fn spoil(answer: &mut Answer, fault: &Fault, shape: &Shape) -> bool {
    if answer.status != 200 {
        return false;
    }
    if *fault == Fault::ExtraFields
        && let Value::Object(fields) = &mut answer.body
    {
        fields.insert("unheard_of".into(), json!({ "nested": [1, null, "text"] }));
    }
    let Some(Value::Array(results)) = answer.body.pointer_mut(shape.results) else { return false };
    let Some(first) = results.first().cloned() else { return false };
    let indexes = results.iter().filter_map(|result| result[shape.index].as_u64());
    let top = indexes.max().unwrap_or(0);
    let others = results.len() as u64;
    // The best score is spoiled, so that the order stays right.
    let score = match (fault, shape.range) {
        (Fault::Nan, _) => Some(json!("\u{1}NaN\u{1}")),
        (Fault::Infinite, _) => Some(json!("\u{1}Infinity\u{1}")),
        (Fault::OutOfRange, Some((_, most))) => Some(json!(most + 0.5)),
        _ => None,
    };
    if let (Some(score), Some(best)) = (score, results.first_mut()) {
        best[shape.score] = score;
        return true;
    }
    let single = results.len() == 1;
    let Some(last) = results.last_mut() else { return false };
    match fault {
        Fault::Duplicate if single => results.push(first),
        Fault::Duplicate => last[shape.index] = first[shape.index].clone(),
        Fault::Missing => {
            results.pop();
        }
        // One past the last document, if all are there; with fewer their number is not known here.
        Fault::IndexOutOfRange if top + 1 == others => last[shape.index] = json!(others),
        Fault::IndexOutOfRange => last[shape.index] = json!(u32::MAX),
        Fault::ExtraFields => {
            for result in results {
                result["unheard_of"] = json!("text");
            }
        }
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoiled(fault: Fault, shape: &Shape, body: Value) -> (bool, Value) {
        let mut answer = Answer::good(body, 1);
        (spoil(&mut answer, &fault, shape), answer.body)
    }

    #[test]
    fn each_shape_is_spoiled_in_its_own_place() {
        let shape = Shape { results: "", score: "score", ..Shape::default() };
        let body = json!([{ "index": 1, "score": 0.9 }, { "index": 0, "score": 0.1 }]);
        let (done, spoilt) = spoiled(Fault::Duplicate, &shape, body.clone());
        assert!(done);
        assert_eq!(spoilt[1]["index"], 1);
        assert_eq!(spoiled(Fault::IndexOutOfRange, &shape, body.clone()).1[1]["index"], 2);
        assert_eq!(spoiled(Fault::OutOfRange, &shape, body.clone()).1[0]["score"], 1.5);
        assert_eq!(spoiled(Fault::Missing, &shape, body.clone()).1.as_array().unwrap().len(), 1);
        assert_eq!(spoiled(Fault::ExtraFields, &shape, body).1[0]["unheard_of"], "text");
    }

    #[test]
    fn bare_words_are_written_as_python_writes_them() {
        let body = json!({ "results": [{ "index": 0, "relevance_score": 0.5 }] });
        for (fault, (stands_for, word)) in [Fault::Nan, Fault::Infinite].into_iter().zip(BARE_WORDS)
        {
            let (_, spoilt) = spoiled(fault, &Shape::default(), body.clone());
            assert!(spoilt.to_string().contains(stands_for), "{spoilt} {word}");
        }
    }

    #[test]
    fn where_there_is_nothing_to_spoil_nothing_changes() {
        let raw = Shape { range: None, ..Shape::default() };
        let body = json!({ "results": [{ "index": 0, "relevance_score": 0.5 }] });
        assert_eq!(spoiled(Fault::OutOfRange, &raw, body.clone()), (false, body));
        let refused = json!({ "message": "no" });
        assert_eq!(spoiled(Fault::Nan, &raw, refused.clone()), (false, refused));
        let empty = json!({ "results": [] });
        assert_eq!(spoiled(Fault::Missing, &raw, empty.clone()), (false, empty));
    }
}
