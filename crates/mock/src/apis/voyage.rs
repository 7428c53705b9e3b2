//! Voyage: `POST /v1/rerank`.
//!
//! After <https://docs.voyageai.com/reference/reranker-api> and
//! <https://www.mongodb.com/docs/voyageai/api-reference/overview>: whatever does not fit is refused with
//! 400 and `{"detail"}`, which is what the official client reads.

use serde_json::{Value, json};

use super::common::{Key, bearer, ranked};
use super::fields::{Fields, Flaw, body};
use crate::{Answer, Api, Request, Shape, tokens};

/// Documents of a call at most.
const MOST_DOCUMENTS: usize = 1_000;

/// Voyage's API.
pub struct Voyage {
    key: Key,
}

impl Voyage {
    /// Takes this key, or any that is not empty.
    pub fn new(key: Option<&str>) -> Self {
        Self { key: Key::new(key) }
    }
}

impl Api for Voyage {
    fn answer(&self, request: &Request) -> Answer {
        if request.path != "/v1/rerank" {
            return refuse(404, "Not Found");
        }
        if request.method != "POST" {
            return refuse(405, "Method Not Allowed");
        }
        match bearer(request) {
            Some(key) if self.key.opens(key) => {}
            Some(_) => return refuse(401, "Provided API key is invalid."),
            None => return refuse(401, "An API key is needed: Authorization: Bearer KEY."),
        }
        rerank(request).unwrap_or_else(|why| refuse(400, &why))
    }

    fn failure(&self, status: u16) -> Answer {
        refuse(
            status,
            match status {
                401 => "Provided API key is invalid.",
                402 => "The organization has no payment method.",
                403 => "This address may not use the API.",
                429 => "The rate limit is reached: wait and try again.",
                502..=504 => "The servers are overloaded.",
                _ => "An unexpected error happened.",
            },
        )
    }

    fn shape(&self, _: &Request) -> Shape {
        Shape { results: "/data", ..Shape::default() }
    }
}

/// How many tokens a model reads.
struct Limits {
    query: u64,
    pair: u64,
    /// Of a call: the query's tokens once a document, and all documents'.
    call: u64,
}

impl Limits {
    fn of(model: &str) -> Option<Self> {
        let (query, pair, call) = match model {
            "rerank-2.5" | "rerank-2.5-lite" | "rerank-3" | "rerank-3-lite" => {
                (8_000, 32_000, 600_000)
            }
            "rerank-2" => (4_000, 16_000, 600_000),
            "rerank-2-lite" => (2_000, 8_000, 600_000),
            "rerank-1" => (2_000, 8_000, 100_000),
            "rerank-lite-1" => (1_000, 4_000, 300_000),
            _ => return None,
        };
        Some(Self { query, pair, call })
    }
}

fn rerank(request: &Request) -> Result<Answer, String> {
    let said = |flaw: Flaw| format!("Request is malformed: {flaw}.");
    let body = body(request).map_err(said)?;
    let fields = Fields::of(&body);
    let query = fields.text("query").map_err(said)?;
    let documents = fields.texts("documents", 1..=MOST_DOCUMENTS).map_err(said)?;
    let model = fields.text("model").map_err(said)?;
    let top = fields.top("top_k").map_err(said)?;
    let with_documents = fields.boolean_or("return_documents", false).map_err(said)?;
    let truncation = fields.boolean_or("truncation", true).map_err(said)?;
    let limits = Limits::of(model).ok_or_else(|| format!("Model {model} is not supported."))?;
    let total = total_tokens(query, &documents, &limits, truncation)?;

    let results = ranked(query, &documents).into_iter().take(top).map(|(index, score)| {
        let mut result = json!({ "relevance_score": score, "index": index });
        if with_documents {
            result["document"] = json!(documents.get(index));
        }
        result
    });
    let results: Vec<Value> = results.collect();
    let body = json!({
        "object": "list",
        "data": results,
        "model": model,
        "usage": { "total_tokens": total },
    });
    Ok(Answer::good(body, total))
}

/// The query's tokens times the number of documents, and all documents' tokens, each text cut to what
/// the model reads where that is allowed
/// (<https://docs.voyageai.com/docs/faq#what-is-the-total-number-of-tokens-for-the-rerankers>).
fn total_tokens(
    query: &str,
    documents: &[String],
    limits: &Limits,
    truncation: bool,
) -> Result<u64, String> {
    let all_of_query = tokens::count(query);
    let query = all_of_query.min(limits.query);
    if query < all_of_query && !truncation {
        return Err(format!("The query has {all_of_query} tokens, of {} allowed.", limits.query));
    }
    let mut total = 0;
    for (place, document) in documents.iter().enumerate() {
        let pair = query + tokens::count(document);
        if pair > limits.pair && !truncation {
            let most = limits.pair;
            let found = format!("The query and documents[{place}] have {pair} tokens together");
            return Err(format!("{found}, of {most} allowed."));
        }
        total += pair.min(limits.pair);
    }
    match total > limits.call {
        true => Err(format!("The call has {total} tokens, of {} allowed.", limits.call)),
        false => Ok(total),
    }
}

fn refuse(status: u16, detail: &str) -> Answer {
    Answer::free(status, json!({ "detail": detail }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{places, post, with};
    use super::*;

    fn ask(change: impl Fn(&mut Value)) -> Answer {
        let mut body = json!({
            "model": "rerank-2.5",
            "query": "export invoices",
            "documents": ["reset a password", "export all invoices", "an invoice"],
            "top_k": null,
        });
        change(&mut body);
        Voyage::new(Some("key")).answer(&post("/v1/rerank", &body))
    }

    #[test]
    fn all_results_come_best_first_and_tokens_are_billed() {
        let answer = ask(|_| {});
        assert_eq!(answer.status, 200);
        assert_eq!(places(&answer.body["data"])[0], 1);
        assert_eq!(places(&answer.body["data"]).len(), 3);
        assert_eq!(answer.body["usage"]["total_tokens"], json!(answer.billed));
        let [query, documents] =
            ["export invoices", "reset a password export all invoices an invoice"]
                .map(tokens::count);
        assert_eq!(answer.billed, 3 * query + documents);
    }

    #[test]
    fn top_k_and_return_documents_count() {
        let answer = ask(|body| {
            body["top_k"] = json!(2);
            body["return_documents"] = json!(true);
        });
        assert_eq!(places(&answer.body["data"]).len(), 2);
        assert_eq!(answer.body["data"][0]["document"], json!("export all invoices"));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_a_detail() {
        for (field, value) in [
            ("query", json!(7)),
            ("documents", json!([])),
            ("documents", json!(vec!["a"; MOST_DOCUMENTS + 1])),
            ("documents", json!([{ "text": "a" }])),
            ("top_k", json!(0)),
            ("model", json!("rerank-v3.5")),
            ("truncation", json!("yes")),
        ] {
            let answer = ask(|body| body[field] = value.clone());
            let detail = answer.body["detail"].as_str().unwrap();
            assert_eq!((answer.status, answer.billed), (400, 0), "{field}: {detail}");
        }
        let wrong = with(post("/v1/rerank", &json!({})), "authorization", "Bearer other");
        assert_eq!(Voyage::new(Some("key")).answer(&wrong).status, 401);
    }

    #[test]
    fn long_texts_are_cut_only_where_that_is_allowed() {
        let limits = Limits::of("rerank-2.5").unwrap();
        let long = "word ".repeat(usize::try_from(limits.pair).unwrap() + 5);
        let cut = ask(|body| body["documents"] = json!([long]));
        assert_eq!((cut.status, cut.billed), (200, limits.pair));
        let refused = ask(|body| {
            body["documents"] = json!([long]);
            body["truncation"] = json!(false);
        });
        assert_eq!(refused.status, 400);
        let many = ask(|body| body["documents"] = json!(vec![&long; 20]));
        assert_eq!(many.status, 400, "{}", many.body);
    }
}
