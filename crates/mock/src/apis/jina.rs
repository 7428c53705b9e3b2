//! Jina: `POST /v1/rerank`.
//!
//! After <https://api.jina.ai/openapi.json>: names and statuses of its errors, its models. Errors come
//! as `{"detail", "code", "request_id"}`, a body that does not fit as FastAPI refuses it. It bills the
//! tokens of the request: published answers with their texts fit the query once, each document once,
//! and two special tokens for each of them.

use serde_json::{Value, json};

use super::common::{Key, bearer, id, ranked};
use super::fields::{Fields, Flaw, Wrong, body};
use crate::{Answer, Api, Request, tokens};

/// Documents of a call at most.
const MOST_DOCUMENTS: usize = 2_048;
/// Around each text.
const SPECIAL_TOKENS: u64 = 2;

/// Jina's API.
pub struct Jina {
    key: Key,
}

impl Jina {
    /// Takes this key, or any that is not empty.
    pub fn new(key: Option<&str>) -> Self {
        Self { key: Key::new(key) }
    }
}

impl Api for Jina {
    fn answer(&self, request: &Request) -> Answer {
        if request.path != "/v1/rerank" {
            return Answer::free(404, json!({ "detail": "Not Found" }));
        }
        if request.method != "POST" {
            return Answer::free(405, json!({ "detail": "Method Not Allowed" }));
        }
        let scheme = request.headers.get("authorization");
        let code = match (scheme, bearer(request)) {
            (None, _) => Some(("AUTH_MISSING_API_KEY", "Authentication required")),
            (_, None) => Some(("AUTH_INVALID_FORMAT", "Invalid authorization format")),
            (_, Some(key)) if !self.key.opens(key) => {
                Some(("AUTH_INVALID_API_KEY", "Invalid API key"))
            }
            _ => None,
        };
        if let Some((code, detail)) = code {
            return refuse(401, code, detail, &request.body);
        }
        rerank(request).unwrap_or_else(|refusal| match refusal {
            Refusal::Flaw(flaw) => Answer::free(422, flaw.pydantic()),
            Refusal::Model(name) => {
                let detail = format!("Model '{name}' not found");
                refuse(400, "INPUT_MODEL_NOT_FOUND", &detail, &request.body)
            }
        })
    }

    fn failure(&self, status: u16) -> Answer {
        let (code, detail) = match status {
            401 => ("AUTH_INVALID_API_KEY", "Invalid API key"),
            402 | 403 => ("AUTHZ_INSUFFICIENT_BALANCE", "Insufficient account balance"),
            429 => ("RATE_REQUEST_LIMIT_EXCEEDED", "Request rate limit exceeded"),
            502 | 503 => ("SERVICE_UNAVAILABLE", "Service temporarily unavailable"),
            504 => ("SERVICE_TIMEOUT", "Request timed out"),
            _ => ("INTERNAL_ERROR", "An unexpected error occurred"),
        };
        refuse(status, code, detail, &status.to_be_bytes())
    }
}

enum Refusal {
    Flaw(Flaw),
    Model(String),
}

impl From<Flaw> for Refusal {
    fn from(flaw: Flaw) -> Self {
        Self::Flaw(flaw)
    }
}

fn rerank(request: &Request) -> Result<Answer, Refusal> {
    let body = body(request)?;
    let fields = Fields::of(&body);
    let model = fields.text("model")?;
    let query = fields.text("query")?;
    let documents = fields.each("documents", 1..=MOST_DOCUMENTS, |document, _| text(document))?;
    let top = fields.top("top_n")?;
    let with_documents = fields.boolean_or("return_documents", false)?;
    if !["jina-reranker-", "jina-colbert-"].iter().any(|family| model.starts_with(family)) {
        return Err(Refusal::Model(model.into()));
    }

    let results = ranked(query, &documents).into_iter().take(top).map(|(index, score)| {
        let mut result = json!({ "index": index, "relevance_score": score });
        if with_documents {
            result["document"] = json!({ "text": documents.get(index) });
        }
        result
    });
    let results: Vec<Value> = results.collect();
    let total = [query].into_iter().chain(documents.iter().map(String::as_str));
    let total = total.map(|text| tokens::count(text) + SPECIAL_TOKENS).sum();
    let body = json!({
        "model": model,
        "object": "list",
        "usage": { "total_tokens": total },
        "results": results,
    });
    Ok(Answer::good(body, total))
}

/// A string, or an object with a `text`.
fn text(document: &Value) -> Result<String, Wrong> {
    let text = match document {
        Value::Object(fields) => fields.get("text").ok_or(Wrong::Missing)?,
        other => other,
    };
    text.as_str().map(str::to_owned).ok_or(Wrong::NotText)
}

fn refuse(status: u16, code: &str, detail: &str, bytes: &[u8]) -> Answer {
    let body = json!({ "detail": detail, "request_id": id(bytes).replace('-', ""), "code": code });
    Answer::free(status, body)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{places, post, with, without};
    use super::*;

    fn request() -> Value {
        json!({
            "model": "jina-reranker-v3",
            "query": "export invoices",
            "documents": ["reset a password", { "text": "export all invoices" }, "an invoice"],
        })
    }

    fn ask(change: impl Fn(&mut Value)) -> Answer {
        let mut body = request();
        change(&mut body);
        Jina::new(Some("key")).answer(&post("/v1/rerank", &body))
    }

    #[test]
    fn all_results_come_best_first_and_tokens_are_billed() {
        let answer = ask(|_| {});
        assert_eq!(answer.status, 200);
        assert_eq!(places(&answer.body["results"])[0], 1);
        assert_eq!(places(&answer.body["results"]).len(), 3);
        assert_eq!(answer.body["results"][0].get("document"), None);
        assert_eq!(answer.body["usage"]["total_tokens"], json!(answer.billed));
        let texts = ["export invoices", "reset a password", "export all invoices", "an invoice"];
        let tokens: u64 = texts.map(|text| tokens::count(text) + SPECIAL_TOKENS).iter().sum();
        assert_eq!(answer.billed, tokens, "the query counts once");
    }

    #[test]
    fn top_n_and_return_documents_count() {
        let answer = ask(|body| {
            body["top_n"] = json!(1);
            body["return_documents"] = json!(true);
        });
        assert_eq!(places(&answer.body["results"]), [1]);
        assert_eq!(answer.body["results"][0]["document"], json!({ "text": "export all invoices" }));
        assert_eq!(answer.billed, ask(|_| {}).billed);
    }

    #[test]
    fn what_does_not_fit_is_refused_as_fastapi_does() {
        for (field, value, kind) in [
            ("query", json!(7), "string_type"),
            ("documents", json!([]), "too_short"),
            ("documents", json!(vec!["a"; MOST_DOCUMENTS + 1]), "too_long"),
            ("documents", json!(["a", 7]), "string_type"),
            ("top_n", json!(0), "greater_than_equal"),
            ("top_n", json!("3"), "int_type"),
            ("return_documents", json!("yes"), "bool_type"),
        ] {
            let answer = ask(|body| body[field] = value.clone());
            assert_eq!((answer.status, answer.billed), (422, 0), "{field} {kind}");
            assert_eq!(answer.body["detail"][0]["type"], json!(kind));
            assert_eq!(answer.body["detail"][0]["loc"][1], json!(field));
        }
        let mut cut = post("/v1/rerank", &request());
        cut.body.pop();
        let answer = Jina::new(None).answer(&cut);
        assert_eq!(answer.body["detail"][0]["type"], json!("json_invalid"));
    }

    #[test]
    fn models_and_keys_are_checked() {
        let answer = ask(|body| body["model"] = json!("rerank-v3.5"));
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("INPUT_MODEL_NOT_FOUND")));
        let good = post("/v1/rerank", &request());
        for (request, code) in [
            (without(good.clone(), "authorization"), "AUTH_MISSING_API_KEY"),
            (with(good.clone(), "authorization", "key"), "AUTH_INVALID_FORMAT"),
            (with(good, "authorization", "Bearer other"), "AUTH_INVALID_API_KEY"),
        ] {
            let answer = Jina::new(Some("key")).answer(&request);
            assert_eq!((answer.status, &answer.body["code"]), (401, &json!(code)));
        }
    }
}
