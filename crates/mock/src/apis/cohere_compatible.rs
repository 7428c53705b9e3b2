//! vLLM's rerank API: Cohere's request, Jina's answer, OpenAI's errors.
//!
//! After `vllm/entrypoints/pooling/score/protocol.py`: unknown fields are tolerated, `top_n` 0 means
//! all, every result has its document. A pair longer than the model's length is refused unless
//! `truncate_prompt_tokens` cuts it.

use serde_json::{Map, Value, json};

use super::common::{Key, bearer, given, id, is_json, object, ranked, texts};
use crate::{Answer, Api, Request, tokens};

/// Tokens of a pair that the served model reads.
const MODEL_LENGTH: u64 = 8_192;
/// The served model's name, where the request names none.
const MODEL: &str = "BAAI/bge-reranker-v2-m3";

/// A vLLM server that serves a reranker.
pub struct CohereCompatible {
    key: Key,
}

impl CohereCompatible {
    /// Takes this key only; without one, needs none.
    pub fn new(key: Option<&str>) -> Self {
        Self { key: Key::new(key) }
    }
}

impl Api for CohereCompatible {
    fn answer(&self, request: &Request) -> Answer {
        if self.key.is_set() && !bearer(request).is_some_and(|key| self.key.opens(key)) {
            return Answer::free(401, json!({ "error": "Unauthorized" }));
        }
        if !["/rerank", "/v1/rerank", "/v2/rerank"].contains(&request.path.as_str()) {
            return Answer::free(404, json!({ "detail": "Not Found" }));
        }
        if request.method != "POST" {
            return Answer::free(405, json!({ "detail": "Method Not Allowed" }));
        }
        if !is_json(request) {
            return error(415, "only the media type 'application/json' is allowed");
        }
        rerank(request).unwrap_or_else(|message| error(400, &message))
    }

    fn failure(&self, status: u16) -> Answer {
        error(status, "the engine could not process the request")
    }
}

fn error(status: u16, message: &str) -> Answer {
    let kind = match status {
        400 | 415 => "BadRequestError",
        404 => "NotFoundError",
        503 => "ServiceUnavailableError",
        _ => "InternalServerError",
    };
    let error = json!({ "message": message, "type": kind, "param": null, "code": status });
    Answer::free(status, json!({ "error": error }))
}

fn rerank(request: &Request) -> Result<Answer, String> {
    let fields = object(request)?;
    let query = fields.get("query").and_then(Value::as_str).ok_or("query must be a string")?;
    let documents = fields.get("documents").and_then(texts);
    let documents = documents.ok_or("documents must be a list of strings")?;
    if documents.is_empty() {
        return Err("at least one document must be given".into());
    }
    let model = match given(&fields, "model") {
        None => MODEL,
        Some(model) => model.as_str().ok_or("model must be a string")?,
    };
    let top_n = match whole(&fields, "top_n", 0)?.unwrap_or(0) {
        0 => documents.len(),
        top_n => usize::try_from(top_n).unwrap_or(usize::MAX),
    };
    let cut = whole(&fields, "truncate_prompt_tokens", -1)?;
    let longest = match cut {
        None => u64::MAX,
        Some(cut) => match u64::try_from(cut) {
            Err(_) => MODEL_LENGTH,
            Ok(cut) if cut <= MODEL_LENGTH => cut,
            Ok(cut) => {
                return Err(format!("truncate_prompt_tokens is {cut}: at most {MODEL_LENGTH}"));
            }
        },
    };
    let most_document = whole(&fields, "max_tokens_per_doc", 0)?.unwrap_or(0);
    let most_document = u64::try_from(most_document).ok().filter(|most| *most > 0);
    let asked = tokens::count(query);
    let mut total = 0;
    for (place, document) in documents.iter().enumerate() {
        let length = tokens::count(document).min(most_document.unwrap_or(u64::MAX));
        let pair = (asked + length).min(longest);
        if pair > MODEL_LENGTH {
            return Err(format!(
                "document {place} makes a pair of {pair} tokens, but the model reads {MODEL_LENGTH}"
            ));
        }
        total += pair;
    }
    let results = ranked(query, &documents).into_iter().take(top_n).map(|(index, score)| {
        let document = json!({ "text": documents.get(index) });
        json!({ "index": index, "document": document, "relevance_score": score })
    });
    let results: Vec<Value> = results.collect();
    let body = json!({
        "id": format!("rerank-{}", id(&request.body).replace('-', "")),
        "model": model,
        "usage": { "prompt_tokens": total, "total_tokens": total },
        "results": results,
    });
    Ok(Answer::good(body, 0))
}

fn whole(fields: &Map<String, Value>, name: &str, least: i64) -> Result<Option<i64>, String> {
    let Some(value) = given(fields, name) else { return Ok(None) };
    let number = value.as_i64().filter(|number| *number >= least);
    number.map(Some).ok_or_else(|| format!("{name} must be a whole number from {least}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{places, post, with, without};
    use super::*;

    fn asked(change: impl FnOnce(&mut Value)) -> Request {
        let mut body = json!({ "query": "export invoices", "documents": ["reset", "invoices"] });
        change(&mut body);
        post("/v2/rerank", &body)
    }

    fn answer(change: impl FnOnce(&mut Value)) -> Answer {
        CohereCompatible::new(None).answer(&asked(change))
    }

    #[test]
    fn results_have_their_documents_and_nobody_bills() {
        let answer = answer(|body| body["unknown"] = json!(1));
        assert_eq!((answer.status, answer.billed), (200, 0));
        assert_eq!(places(&answer.body["results"]), [1, 0]);
        assert_eq!(answer.body["results"][0]["document"], json!({ "text": "invoices" }));
        // The query's tokens count with each document's.
        let total = 2 * tokens::count("export invoices")
            + tokens::count("reset")
            + tokens::count("invoices");
        assert_eq!(answer.body["usage"]["total_tokens"], json!(total));
        assert_eq!(answer.body["model"], json!(MODEL));
    }

    #[test]
    fn top_n_of_0_means_all() {
        let count =
            |top_n: i64| places(&answer(|body| body["top_n"] = json!(top_n)).body["results"]);
        assert_eq!((count(0).len(), count(1).len(), count(9).len()), (2, 1, 2));
    }

    #[test]
    fn long_pairs_are_refused_unless_cut() {
        let with = |field: &str, value: Value| {
            answer(|body| {
                body["documents"] = json!(["word ".repeat(9_000)]);
                body[field] = value;
            })
        };
        let refused = with("top_n", json!(0));
        assert_eq!(refused.status, 400);
        let message = refused.body["error"]["message"].as_str().unwrap();
        assert!(message.contains("8192"), "{message}");
        assert_eq!(with("truncate_prompt_tokens", json!(-1)).status, 200);
        assert_eq!(with("truncate_prompt_tokens", json!(8_193)).status, 400);
        let cut = with("truncate_prompt_tokens", json!(512));
        assert_eq!(cut.body["usage"]["total_tokens"], json!(512));
        assert_eq!(with("max_tokens_per_doc", json!(100)).status, 200);
    }

    #[test]
    fn errors_are_openais() {
        for (field, value) in [
            ("query", json!(null)),
            ("documents", json!(["d", 1])),
            ("documents", json!([])),
            ("top_n", json!(-1)),
            ("truncate_prompt_tokens", json!(-2)),
            ("model", json!(7)),
        ] {
            let answer = answer(|body| body[field] = value.clone());
            assert_eq!(answer.status, 400, "{field} {value}");
            assert_eq!(answer.body["error"]["type"], "BadRequestError");
        }
        let server = CohereCompatible::new(Some("key"));
        let plain = with(asked(|_| {}), "content-type", "text/plain");
        assert_eq!(server.answer(&plain).status, 415);
        let refused = server.answer(&without(asked(|_| {}), "authorization"));
        assert_eq!((refused.status, refused.body), (401, json!({ "error": "Unauthorized" })));
    }
}
