//! Infinity: `POST /rerank`.
//!
//! After `libs/infinity_emb/infinity_emb/fastapi_schemas/pymodels.py`: 1 to 2,048 documents of at most
//! 122,880 characters, unknown fields ignored, FastAPI's errors.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::common::{Key, bearer, given, id, is_json, logit, object, ranked, texts};
use crate::{Answer, Api, Request, Shape, tokens};

const MOST_DOCUMENTS: usize = 2_048;
const MOST_CHARACTERS: usize = 8_192 * 15;
/// The served model's name, where the request names none.
const MODEL: &str = "BAAI/bge-reranker-v2-m3";

/// An Infinity server.
pub struct Infinity {
    key: Key,
}

impl Infinity {
    /// Takes this key only; without one, needs none.
    pub fn new(key: Option<&str>) -> Self {
        Self { key: Key::new(key) }
    }
}

impl Api for Infinity {
    fn answer(&self, request: &Request) -> Answer {
        let detail = |status, detail: &str| Answer::free(status, json!({ "detail": detail }));
        if request.path != "/rerank" {
            return detail(404, "Not Found");
        }
        if request.method != "POST" {
            return detail(405, "Method Not Allowed");
        }
        if self.key.is_set() && !bearer(request).is_some_and(|key| self.key.opens(key)) {
            return detail(401, "Unauthorized");
        }
        rerank(request).unwrap_or_else(|Wrong { field, kind, message }| {
            let place = match field {
                "" => json!(["body"]),
                field => json!(["body", field]),
            };
            Answer::free(422, json!({ "detail": [{ "type": kind, "loc": place, "msg": message }] }))
        })
    }

    fn failure(&self, status: u16) -> Answer {
        let message = "the server could not process the request";
        let error = json!({ "message": message, "type": null, "param": null, "code": status });
        Answer::free(status, json!({ "error": error }))
    }

    fn shape(&self, request: &Request) -> Shape {
        let raw =
            object(request).is_ok_and(|fields| fields.get("raw_scores") == Some(&true.into()));
        let range = if raw { None } else { Shape::default().range };
        Shape { range, ..Shape::default() }
    }
}

/// What a field has that it should not have, in FastAPI's words.
struct Wrong {
    field: &'static str,
    kind: &'static str,
    message: String,
}

fn wrong(field: &'static str, kind: &'static str, message: impl Into<String>) -> Wrong {
    Wrong { field, kind, message: message.into() }
}

fn rerank(request: &Request) -> Result<Answer, Wrong> {
    if !is_json(request) {
        return Err(wrong("", "model_attributes_type", "the input should be an object"));
    }
    let fields = object(request).map_err(|message| wrong("", "json_invalid", message))?;
    let missing = |field| wrong(field, "missing", "Field required");
    let query = fields.get("query").ok_or_else(|| missing("query"))?;
    let query = query.as_str().ok_or_else(|| wrong("query", "string_type", "not a string"))?.trim();
    let documents = fields.get("documents").ok_or_else(|| missing("documents"))?;
    let documents = texts(documents)
        .ok_or_else(|| wrong("documents", "list_type", "the input should be a list of strings"))?;
    if documents.is_empty() {
        return Err(wrong("documents", "too_short", "at least 1 item is needed"));
    }
    if documents.len() > MOST_DOCUMENTS {
        let message = format!("at most {MOST_DOCUMENTS} items are allowed");
        return Err(wrong("documents", "too_long", message));
    }
    let documents: Vec<_> = documents.iter().map(|text| text.trim().to_owned()).collect();
    let long = |text: &str| text.chars().count() > MOST_CHARACTERS;
    let too_long = || format!("at most {MOST_CHARACTERS} characters are allowed");
    if long(query) {
        return Err(wrong("query", "string_too_long", too_long()));
    }
    if documents.iter().any(|text| long(text)) {
        return Err(wrong("documents", "string_too_long", too_long()));
    }
    let flag = |name: &'static str| match given(&fields, name) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| wrong(name, "bool_type", "not a boolean")),
    };
    let (with_documents, raw) = (flag("return_documents")?, flag("raw_scores")?);
    let top_n = match given(&fields, "top_n") {
        None => usize::MAX,
        Some(value) => {
            let number = value.as_u64().filter(|number| *number > 0);
            let number = number.and_then(|number| usize::try_from(number).ok());
            number.ok_or_else(|| wrong("top_n", "greater_than", "should be greater than 0"))?
        }
    };
    let model = given(&fields, "model").and_then(Value::as_str).unwrap_or(MODEL);

    let asked = tokens::count(query);
    let total: u64 = documents.iter().map(|text| asked + tokens::count(text)).sum();
    let results = ranked(query, &documents).into_iter().take(top_n).map(|(index, score)| {
        let document = if with_documents { documents.get(index) } else { None };
        let score = if raw { logit(score) } else { score };
        json!({ "relevance_score": score, "index": index, "document": document })
    });
    let results: Vec<Value> = results.collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let body = json!({
        "object": "rerank",
        "results": results,
        "model": model,
        "usage": { "prompt_tokens": total, "total_tokens": total },
        "id": format!("infinity-{}", id(&request.body)),
        "created": now.as_secs(),
    });
    Ok(Answer::good(body, 0))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{places, post};
    use super::*;

    fn asked(change: impl FnOnce(&mut Value)) -> Request {
        let mut body = json!({ "query": "export invoices", "documents": ["reset", "invoices"] });
        change(&mut body);
        post("/rerank", &body)
    }

    fn answer(change: impl FnOnce(&mut Value)) -> Answer {
        Infinity::new(None).answer(&asked(change))
    }

    #[test]
    fn documents_and_logits_come_when_asked_for() {
        let plain = answer(|body| body["unknown"] = json!(1)).body;
        assert_eq!(places(&plain["results"]), [1, 0]);
        assert!(plain["results"][0]["document"].is_null());
        assert_eq!(plain["object"], "rerank");
        let asked_for = answer(|body| {
            body["return_documents"] = json!(true);
            body["raw_scores"] = json!(true);
            body["top_n"] = json!(1);
        });
        let results = &asked_for.body["results"];
        assert_eq!((places(results), &results[0]["document"]), (vec![1], &json!("invoices")));
        let score = |body: &Value| body["results"][0]["relevance_score"].as_f64().unwrap();
        assert!((score(&asked_for.body) - logit(score(&plain))).abs() < 1e-12);
        let shape = |raw: bool| Infinity::new(None).shape(&asked(|b| b["raw_scores"] = json!(raw)));
        assert_eq!((shape(true).range, shape(false).range), (None, Some((0.0, 1.0))));
    }

    #[test]
    fn refusals_name_the_field() {
        for (field, value, kind) in [
            ("query", json!(1), "string_type"),
            ("query", json!("x".repeat(MOST_CHARACTERS + 1)), "string_too_long"),
            ("documents", json!("d"), "list_type"),
            ("documents", json!([]), "too_short"),
            ("documents", json!(vec!["d"; MOST_DOCUMENTS + 1]), "too_long"),
            ("documents", json!(["x".repeat(MOST_CHARACTERS + 1)]), "string_too_long"),
            ("top_n", json!(0), "greater_than"),
            ("raw_scores", json!(2), "bool_type"),
        ] {
            let answer = answer(|body| body[field] = value);
            assert_eq!(answer.status, 422, "{field} {kind}");
            let detail = &answer.body["detail"][0];
            assert_eq!((&detail["loc"], &detail["type"]), (&json!(["body", field]), &json!(kind)));
        }
        assert_eq!(answer(|body| body["documents"] = json!(vec!["d"; MOST_DOCUMENTS])).status, 200);
        assert_eq!(answer(|body| *body = json!([])).body["detail"][0]["loc"], json!(["body"]));
    }
}
