//! Mixedbread: `POST /v1/reranking`.
//!
//! After <https://www.mixedbread.com/api-reference/endpoints/reranking> and the types of the official
//! clients: `top_k` is 10 unless the request says otherwise, a body that does not fit is refused as
//! FastAPI does, everything else as `{"type", "message", …}`.

use serde_json::{Value, json};

use super::common::{Key, bearer, ranked};
use super::fields::{Fields, Flaw, Wrong, body};
use crate::{Answer, Api, Request, Shape, tokens};

/// Results that come back unless the request says otherwise.
const TOP_K: u64 = 10;

/// Mixedbread's API.
pub struct Mixedbread {
    key: Key,
}

impl Mixedbread {
    /// Takes this key, or any that is not empty.
    pub fn new(key: Option<&str>) -> Self {
        Self { key: Key::new(key) }
    }
}

impl Api for Mixedbread {
    fn answer(&self, request: &Request) -> Answer {
        if request.path != "/v1/reranking" {
            return Answer::free(404, json!({ "detail": "Not Found" }));
        }
        if request.method != "POST" {
            return Answer::free(405, json!({ "detail": "Method Not Allowed" }));
        }
        if !bearer(request).is_some_and(|key| self.key.opens(key)) {
            return self.failure(401);
        }
        rerank(request).unwrap_or_else(|refusal| match refusal {
            Refusal::Flaw(flaw) => Answer::free(422, flaw.pydantic()),
            Refusal::Model(name) => {
                refuse(404, "model_not_found_error", &format!("The model {name} is not known."))
            }
        })
    }

    fn failure(&self, status: u16) -> Answer {
        let (kind, message) = match status {
            401 => ("unauthorized_error", "The API key is missing or not valid."),
            402 => ("payment_required_error", "The balance of the account is used up."),
            403 => ("forbidden_error", "This key may not do that."),
            429 => ("too_many_requests_error", "The rate limit is reached."),
            503 | 504 => ("service_unavailable_error", "The service is overloaded."),
            _ => ("internal_error", "Something went wrong on our side."),
        };
        refuse(status, kind, message)
    }

    fn shape(&self, _: &Request) -> Shape {
        Shape { results: "/data", score: "score", ..Shape::default() }
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
    let model = fields.text_or("model", "mixedbread-ai/mxbai-rerank-large-v2")?;
    let query = fields.text("query")?;
    let rank_fields = match fields.given("rank_fields") {
        Some(_) => Some(fields.texts("rank_fields", 0..=usize::MAX)?),
        None => None,
    };
    let inputs = fields.list("input", 1..=usize::MAX)?;
    let texts =
        fields.each("input", 1..=usize::MAX, |input, _| text(input, rank_fields.as_deref()))?;
    let top = fields.whole("top_k", 1..=u64::MAX)?.unwrap_or(TOP_K);
    let return_input = fields.boolean_or("return_input", false)?;
    fields.boolean_or("rewrite_query", false)?;
    let name = model.strip_prefix("mixedbread-ai/").unwrap_or(model);
    if !name.starts_with("mxbai-rerank-") {
        return Err(Refusal::Model(model.into()));
    }

    let most = usize::try_from(top).unwrap_or(usize::MAX);
    let results = ranked(query, &texts).into_iter().take(most).map(|(index, score)| {
        let input = return_input.then(|| inputs.get(index));
        json!({ "index": index, "score": score, "input": input, "object": "rank_result" })
    });
    let results: Vec<Value> = results.collect();
    let total = tokens::of_pairs(query, &texts);
    let body = json!({
        "usage": { "prompt_tokens": total, "total_tokens": total, "completion_tokens": 0 },
        "model": model,
        "data": results,
        "object": "list",
        "top_k": top,
        "return_input": return_input,
    });
    Ok(Answer::good(body, total))
}

/// A string, or the fields of an object that are to be read: all where none are named.
fn text(input: &Value, fields: Option<&[String]>) -> Result<String, Wrong> {
    match input {
        Value::String(text) => Ok(text.clone()),
        Value::Object(object) => {
            let read = object.iter().filter(|(name, _)| fields.is_none_or(|f| f.contains(name)));
            let texts: Vec<String> = read
                .map(|(_, value)| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                .collect();
            Ok(texts.join("\n"))
        }
        _ => Err(Wrong::NotText),
    }
}

fn refuse(status: u16, kind: &str, message: &str) -> Answer {
    Answer::free(
        status,
        json!({ "type": kind, "message": message, "url": "/v1/reranking", "details": null }),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::{places, post, without};
    use super::*;

    fn ask(change: impl Fn(&mut Value)) -> Answer {
        let mut body = json!({
            "model": "mixedbread-ai/mxbai-rerank-large-v2",
            "query": "export invoices",
            "input": ["reset a password", "export all invoices", "an invoice"],
        });
        change(&mut body);
        Mixedbread::new(None).answer(&post("/v1/reranking", &body))
    }

    #[test]
    fn ten_results_come_unless_more_are_asked_for() {
        let inputs: Vec<String> = (0..30).map(|i| format!("invoice {i}")).collect();
        let ten = ask(|body| body["input"] = json!(inputs));
        assert_eq!(places(&ten.body["data"]).len(), 10);
        let all = ask(|body| {
            body["input"] = json!(inputs);
            body["top_k"] = json!(30);
        });
        assert_eq!(places(&all.body["data"]).len(), 30);
        assert_eq!(ten.billed, all.billed);
        assert_eq!(all.body["usage"]["total_tokens"], json!(all.billed));
    }

    #[test]
    fn objects_are_read_by_their_rank_fields() {
        let by = |field: &str| {
            ask(|body| {
                body["input"] = json!([
                    { "title": "export invoices", "note": "" },
                    { "title": "", "note": "export invoices" },
                ]);
                body["rank_fields"] = json!([field]);
                body["return_input"] = json!(true);
            })
        };
        assert_eq!(places(&by("title").body["data"])[0], 0);
        let note = by("note");
        assert_eq!(places(&note.body["data"])[0], 1);
        assert_eq!(note.body["data"][0]["input"]["note"], json!("export invoices"));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (field, value) in [
            ("query", json!(null)),
            ("input", json!([])),
            ("input", json!([7])),
            ("top_k", json!(0)),
            ("return_input", json!(1)),
        ] {
            let answer = ask(|body| body[field] = value.clone());
            assert_eq!((answer.status, answer.billed), (422, 0), "{field}");
            assert_eq!(answer.body["detail"][0]["loc"][1], json!(field));
        }
        assert_eq!(ask(|body| body["model"] = json!("other")).status, 404);
        let keyless = without(post("/v1/reranking", &json!({})), "authorization");
        let answer = Mixedbread::new(None).answer(&keyless);
        assert_eq!((answer.status, &answer.body["type"]), (401, &json!("unauthorized_error")));
    }
}
