//! llama.cpp's server: `POST /v1/rerank` and its other paths.
//!
//! After `tools/server`: values of a wrong type are taken as missing, scores are logits, a body that
//! is not JSON is an error of the server's.

use serde_json::{Value, json};

use super::common::{Key, bearer, logit, object, ranked, texts};
use crate::{Answer, Api, Request, Shape, tokens};

const PATHS: [&str; 4] = ["/rerank", "/reranking", "/v1/rerank", "/v1/reranking"];
/// The served model's name, where the request names none.
const MODEL: &str = "bge-reranker-v2-m3";

/// A llama.cpp server that was started with `--reranking`.
pub struct LlamaCpp {
    key: Key,
}

impl LlamaCpp {
    /// Takes this key only; without one, needs none.
    pub fn new(key: Option<&str>) -> Self {
        Self { key: Key::new(key) }
    }
}

impl Api for LlamaCpp {
    fn answer(&self, request: &Request) -> Answer {
        let other = || request.headers.get("x-api-key").map(String::as_str);
        let given = bearer(request).or_else(other);
        if self.key.is_set() && !given.is_some_and(|key| self.key.opens(key)) {
            return error(401, "Invalid API Key");
        }
        if request.method != "POST" || !PATHS.contains(&request.path.as_str()) {
            return error(404, "File Not Found");
        }
        rerank(request)
    }

    fn failure(&self, status: u16) -> Answer {
        error(status, "the server could not process the request")
    }

    fn shape(&self, request: &Request) -> Shape {
        match is_tei(request) {
            true => Shape { results: "", score: "score", range: None, ..Shape::default() },
            false => Shape { range: None, ..Shape::default() },
        }
    }
}

/// A request that names its documents `texts` is answered in text-embeddings-inference's form.
fn is_tei(request: &Request) -> bool {
    object(request).is_ok_and(|fields| fields.contains_key("texts"))
}

fn error(status: u16, message: &str) -> Answer {
    let kind = match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        501 => "not_supported_error",
        503 => "unavailable_error",
        _ => "server_error",
    };
    Answer::free(status, json!({ "error": { "code": status, "message": message, "type": kind } }))
}

fn rerank(request: &Request) -> Answer {
    let fields = match object(request) {
        Ok(fields) => fields,
        Err(message) => return error(500, &message),
    };
    let query = match fields.get("query") {
        None => return error(400, "\"query\" must be provided"),
        Some(Value::String(query)) => query,
        Some(_) => return error(400, "\"query\" must be a string"),
    };
    let named = |name: &str| fields.get(name).and_then(texts);
    let documents = named("documents").or_else(|| named("texts")).unwrap_or_default();
    if documents.is_empty() {
        return error(400, "\"documents\" must be a non-empty string array");
    }
    let top_n = fields.get("top_n").and_then(Value::as_u64);
    let top_n = top_n.and_then(|top_n| usize::try_from(top_n).ok()).unwrap_or(usize::MAX);
    let tei = is_tei(request);
    let with_text = fields.get("return_text") == Some(&true.into());

    let results = ranked(query, &documents).into_iter().take(top_n).map(|(index, score)| {
        let name = if tei { "score" } else { "relevance_score" };
        let mut result = json!({ "index": index, name: logit(score) });
        if tei && with_text {
            result["text"] = json!(documents.get(index));
        }
        result
    });
    let results: Vec<Value> = results.collect();
    if tei {
        return Answer::good(json!(results), 0);
    }
    let asked = tokens::count(query);
    let total: u64 = documents.iter().map(|text| asked + tokens::count(text)).sum();
    let model = fields.get("model").and_then(Value::as_str).unwrap_or(MODEL);
    let body = json!({
        "model": model,
        "object": "list",
        "usage": { "prompt_tokens": total, "total_tokens": total },
        "results": results,
    });
    Answer::good(body, 0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{places, post, with, without};
    use super::*;

    fn asked(body: Value) -> Request {
        post("/v1/rerank", &body)
    }

    fn answer(body: Value) -> Answer {
        LlamaCpp::new(None).answer(&asked(body))
    }

    #[test]
    fn scores_are_logits() {
        let query = "export invoices";
        let body = answer(json!({ "query": query, "documents": ["reset", "invoices"] })).body;
        assert_eq!(places(&body["results"]), [1, 0]);
        let scores =
            ["invoices", "reset"].map(|document| logit(crate::score::score(query, document)));
        for (result, score) in body["results"].as_array().unwrap().iter().zip(scores) {
            assert_eq!(result["relevance_score"], json!(score));
        }
        assert!(scores.iter().any(|score| *score < 0.0));
    }

    #[test]
    fn texts_are_answered_in_another_form() {
        let body =
            json!({ "query": "invoices", "texts": ["reset", "invoices"], "return_text": true });
        let answered = answer(body.clone()).body;
        assert_eq!(places(&answered), [1, 0]);
        assert_eq!(answered[0]["text"], "invoices");
        let shape = LlamaCpp::new(None).shape(&asked(body));
        assert!(answered[0][shape.score].is_f64() && shape.results.is_empty());
    }

    #[test]
    fn values_of_a_wrong_type_are_taken_as_missing() {
        let body = json!({ "query": "q", "documents": ["a", "b"], "top_n": "1", "model": 7 });
        let answered = answer(body).body;
        assert_eq!(places(&answered["results"]).len(), 2);
        assert_eq!(answered["model"], MODEL);
    }

    #[test]
    fn errors_tell_code_and_type() {
        for (body, status) in [
            (json!({ "documents": ["d"] }), 400),
            (json!({ "query": 1, "documents": ["d"] }), 400),
            (json!({ "query": "q", "documents": [] }), 400),
            (json!({ "query": "q", "documents": ["d", 1] }), 400),
            (json!([]), 500),
        ] {
            let answer = answer(body.clone());
            assert_eq!(answer.status, status, "{body}");
            assert_eq!(answer.body["error"]["code"], json!(status));
        }
        let server = LlamaCpp::new(Some("key"));
        let good = without(asked(json!({ "query": "q", "documents": ["d"] })), "authorization");
        assert_eq!(server.answer(&good).body["error"]["type"], "authentication_error");
        assert_eq!(server.answer(&with(good, "x-api-key", "key")).status, 200);
    }
}
