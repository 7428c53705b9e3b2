//! Pinecone's inference API: `POST /rerank`.
//!
//! After `inference_2025-01.oas.yaml` of <https://github.com/pinecone-io/pinecone-api> and the limits
//! of <https://docs.pinecone.io/guides/search/rerank-results>.

use serde_json::{Value, json};

use super::common::{Key, ranked};
use super::fields::{Fields, Flaw, Wrong, body};
use crate::{Answer, Api, Request, Shape, tokens};

/// Documents in a rerank unit.
const RERANK_UNIT: u64 = 100;
/// The header that every request must have.
const VERSION: &str = "x-pinecone-api-version";

/// Pinecone's API.
pub struct Pinecone {
    key: Key,
}

impl Pinecone {
    /// Takes this key, or any that is not empty.
    pub fn new(key: Option<&str>) -> Self {
        Self { key: Key::new(key) }
    }
}

impl Api for Pinecone {
    fn answer(&self, request: &Request) -> Answer {
        if request.path != "/rerank" {
            return refuse(404, "NOT_FOUND", "There is nothing at this path.");
        }
        if request.method != "POST" {
            return refuse(405, "UNIMPLEMENTED", "rerank takes POST only.");
        }
        if !request.headers.get("api-key").is_some_and(|key| self.key.opens(key)) {
            return self.failure(401);
        }
        if !request.headers.contains_key(VERSION) {
            let why = format!("Header {VERSION} is required: the date of the API's version.");
            return refuse(400, "INVALID_ARGUMENT", &why);
        }
        rerank(request).unwrap_or_else(|refusal| match refusal {
            Refusal::Argument(why) => refuse(400, "INVALID_ARGUMENT", &why),
            Refusal::Model(name) => {
                refuse(404, "NOT_FOUND", &format!("Model '{name}' is not known."))
            }
        })
    }

    fn failure(&self, status: u16) -> Answer {
        let (code, message) = match status {
            401 => ("UNAUTHENTICATED", "Invalid API key."),
            402 => ("FAILED_PRECONDITION", "The last payment failed."),
            403 => ("FORBIDDEN", "The quota of the project is used up."),
            429 => ("RESOURCE_EXHAUSTED", "Too many requests: wait and try again."),
            502 | 503 => ("UNAVAILABLE", "The service is not available."),
            504 => ("DEADLINE_EXCEEDED", "The service took too long."),
            _ => ("UNKNOWN", "Internal server error."),
        };
        refuse(status, code, message)
    }

    fn shape(&self, _: &Request) -> Shape {
        Shape { results: "/data", score: "score", ..Shape::default() }
    }
}

/// What a hosted model takes.
struct Limits {
    documents: usize,
    pair_tokens: u64,
    rank_fields: usize,
    /// Whether longer pairs are cut unless the request says otherwise.
    cuts: bool,
}

impl Limits {
    fn of(model: &str) -> Option<Self> {
        Some(match model {
            "bge-reranker-v2-m3" => {
                Self { documents: 100, pair_tokens: 1_024, rank_fields: 1, cuts: false }
            }
            "pinecone-rerank-v0" => {
                Self { documents: 100, pair_tokens: 512, rank_fields: 1, cuts: true }
            }
            "cohere-rerank-3.5" => {
                let rank_fields = usize::MAX;
                Self { documents: 200, pair_tokens: 40_000, rank_fields, cuts: true }
            }
            _ => return None,
        })
    }
}

enum Refusal {
    Argument(String),
    Model(String),
}

impl From<Flaw> for Refusal {
    fn from(flaw: Flaw) -> Self {
        Self::Argument(flaw.to_string())
    }
}

fn rerank(request: &Request) -> Result<Answer, Refusal> {
    let body = body(request)?;
    let fields = Fields::of(&body);
    let model = fields.text("model")?;
    let query = fields.text("query")?;
    let limits = Limits::of(model).ok_or_else(|| Refusal::Model(model.into()))?;
    let rank_fields = match fields.given("rank_fields") {
        Some(_) => fields.texts("rank_fields", 1..=limits.rank_fields)?,
        None => vec!["text".into()],
    };
    let documents = fields.list("documents", 1..=limits.documents)?;
    let texts = fields
        .each("documents", 1..=limits.documents, |document, _| text(document, &rank_fields))?;
    let top = fields.top("top_n")?;
    let return_documents = fields.boolean_or("return_documents", true)?;
    let cuts = match fields.given("parameters") {
        None => limits.cuts,
        Some(_) => {
            let parameters = fields.object("parameters")?;
            match parameters.given("truncate") {
                None => limits.cuts,
                Some(_) => parameters.one_of("truncate", &["END", "NONE"])? == "END",
            }
        }
    };
    if !cuts {
        let query = tokens::count(query);
        let longest = texts.iter().map(|text| query + tokens::count(text)).max().unwrap_or(0);
        if longest > limits.pair_tokens {
            let most = limits.pair_tokens;
            let why = format!("query and document have {longest} tokens together, {most} at most");
            return Err(Refusal::Argument(why));
        }
    }

    let results = ranked(query, &texts).into_iter().take(top).map(|(index, score)| {
        let mut result = json!({ "index": index, "score": score });
        if return_documents {
            result["document"] = json!(documents.get(index));
        }
        result
    });
    let results: Vec<Value> = results.collect();
    let units = (texts.len() as u64).div_ceil(RERANK_UNIT);
    let body = json!({ "model": model, "data": results, "usage": { "rerank_units": units } });
    Ok(Answer::good(body, units))
}

/// The ranked fields of a document, all of which it must have.
fn text(document: &Value, fields: &[String]) -> Result<String, Wrong> {
    let document = document.as_object().ok_or(Wrong::NotObject)?;
    let texts = fields.iter().map(|field| {
        let text = document.get(field).ok_or(Wrong::Missing)?;
        text.as_str().ok_or(Wrong::NotText)
    });
    let texts: Vec<&str> = texts.collect::<Result<_, _>>()?;
    Ok(texts.join("\n"))
}

fn refuse(status: u16, code: &str, message: &str) -> Answer {
    let error = json!({ "code": code, "message": message });
    Answer::free(status, json!({ "error": error, "status": status }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{places, post, with, without};
    use super::*;

    fn asked(change: impl Fn(&mut Value)) -> Request {
        let texts = ["reset a password", "export all invoices", "an invoice"];
        let mut body = json!({
            "model": "bge-reranker-v2-m3",
            "query": "export invoices",
            "documents": texts.map(|text| json!({ "text": text })),
        });
        change(&mut body);
        let request = without(post("/rerank", &body), "authorization");
        with(with(request, "api-key", "key"), VERSION, "2025-01")
    }

    fn ask(change: impl Fn(&mut Value)) -> Answer {
        Pinecone::new(Some("key")).answer(&asked(change))
    }

    #[test]
    fn documents_come_back_and_a_unit_is_billed() {
        let answer = ask(|_| {});
        assert_eq!((answer.status, answer.billed), (200, 1));
        assert_eq!(places(&answer.body["data"]).len(), 3);
        assert_eq!(answer.body["data"][0]["document"], json!({ "text": "export all invoices" }));
        assert_eq!(answer.body["usage"], json!({ "rerank_units": 1 }));
        let bare = ask(|body| {
            body["return_documents"] = json!(false);
            body["top_n"] = json!(1);
        });
        assert_eq!(places(&bare.body["data"]), [1]);
        assert_eq!(bare.body["data"][0].get("document"), None);
        let many = ask(|body| {
            body["model"] = json!("cohere-rerank-3.5");
            body["documents"] = json!(vec![json!({ "text": "a" }); 101]);
        });
        assert_eq!(many.billed, 2);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (field, value) in [
            ("query", json!(7)),
            ("documents", json!([])),
            ("documents", json!(["a"])),
            ("documents", json!([{ "body": "a" }])),
            ("documents", json!(vec![json!({ "text": "a" }); 101])),
            ("rank_fields", json!(["text", "title"])),
            ("top_n", json!(0)),
            ("parameters", json!({ "truncate": "end" })),
        ] {
            let answer = ask(|body| body[field] = value.clone());
            assert_eq!((answer.status, answer.billed), (400, 0), "{field}");
            assert_eq!(answer.body["error"]["code"], json!("INVALID_ARGUMENT"));
        }
        assert_eq!(ask(|body| body["model"] = json!("other")).status, 404);
        let undated = Pinecone::new(None).answer(&without(asked(|_| {}), VERSION));
        assert_eq!(undated.status, 400);
        let bearer = with(without(asked(|_| {}), "api-key"), "authorization", "Bearer key");
        let answer = Pinecone::new(Some("key")).answer(&bearer);
        assert_eq!((answer.status, &answer.body["status"]), (401, &json!(401)));
    }

    #[test]
    fn long_pairs_are_cut_only_when_asked_to() {
        let long = |parameters: Value| {
            ask(move |body| {
                body["documents"] = json!([{ "text": "word ".repeat(1_100) }]);
                body["parameters"] = parameters.clone();
            })
        };
        assert_eq!(long(json!({})).status, 400);
        assert_eq!(long(json!({ "truncate": "NONE" })).status, 400);
        assert_eq!(long(json!({ "truncate": "END" })).status, 200);
    }
}
