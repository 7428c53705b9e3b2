//! Cohere: `POST /v2/rerank`, and `/v1/rerank` as older clients and Azure know it.
//!
//! After <https://docs.cohere.com/reference/rerank>, the best practices beside it and the models of the
//! official SDK. Fields that v2 does not know are refused with 422, as reported in
//! <https://github.com/HKUDS/LightRAG/issues/1813>; an empty list of documents with 400
//! (<https://github.com/langchain4j/langchain4j/issues/770>).

use serde_json::{Map, Value, json};

use super::common::{Key, bearer, given, id, object, ranked};
use crate::{Answer, Api, Request, tokens};

/// Documents of a call above which Cohere advises against it.
const ADVISED_DOCUMENTS: usize = 1_000;
/// Chunks of a call above which Cohere refuses it.
const MOST_CHUNKS: u64 = 10_000;
/// Tokens of query and document together that are billed as one document.
const BILLED_CHUNK: u64 = 500;
/// Documents, or chunks of long ones, in a search unit.
const SEARCH_UNIT: u64 = 100;
/// Tokens of a document after which it is cut, unless the request says otherwise.
const TOKENS_PER_DOC: u64 = 4_096;
/// Special tokens that Cohere keeps free in each chunk.
const RESERVED: u64 = 4;

/// Cohere's API.
pub struct Cohere {
    key: Key,
}

impl Cohere {
    /// Takes this key, or any that is not empty.
    pub fn new(key: Option<&str>) -> Self {
        Self { key: Key::new(key) }
    }
}

impl Api for Cohere {
    fn answer(&self, request: &Request) -> Answer {
        match bearer(request) {
            None | Some("") => return refuse(401, "no api key supplied", &request.body),
            Some(key) if !self.key.opens(key) => {
                return refuse(401, "invalid api token", &request.body);
            }
            Some(_) => {}
        }
        let version = match request.path.as_str() {
            "/v2/rerank" => Version::V2,
            "/v1/rerank" => Version::V1,
            path => return refuse(404, &format!("there is no {path}"), &request.body),
        };
        if request.method != "POST" {
            return refuse(405, "rerank takes POST only", &request.body);
        }
        let known = |model: &str| model.starts_with("rerank-") || model.ends_with("-ft");
        match rerank(request, version, Models::Named(known)) {
            Ok(answer) => answer,
            Err(Refusal { status, message }) => refuse(status, &message, &request.body),
        }
    }

    fn failure(&self, status: u16) -> Answer {
        refuse(status, reason(status), &status.to_be_bytes())
    }

    fn request_id_header(&self) -> &'static str {
        "x-debug-trace-id"
    }
}

/// Which form of the API was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

impl Version {
    fn number(self) -> &'static str {
        match self {
            Self::V1 => "1",
            Self::V2 => "2",
        }
    }

    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::V1 => &[
                "model",
                "query",
                "documents",
                "top_n",
                "rank_fields",
                "return_documents",
                "max_chunks_per_doc",
            ],
            Self::V2 => &["model", "query", "documents", "top_n", "max_tokens_per_doc", "priority"],
        }
    }
}

/// Which models a host has.
pub(super) enum Models {
    /// Those whose names pass; v2 must name one.
    Named(fn(&str) -> bool),
    /// One only, whatever the request says.
    Deployed,
}

/// A request that is refused, and why.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
}

fn wrong(message: impl Into<String>) -> Refusal {
    Refusal { status: 400, message: format!("invalid request: {}", message.into()) }
}

/// What Cohere's models answer, on whatever host.
pub(super) fn rerank(
    request: &Request,
    version: Version,
    models: Models,
) -> Result<Answer, Refusal> {
    let fields = object(request).map_err(wrong)?;
    if let Some(name) = fields.keys().find(|name| !version.fields().contains(&name.as_str())) {
        let message = format!("unknown field: parameter '{name}' is not a valid field");
        return Err(Refusal { status: 422, message });
    }
    let model = model(&fields, version, models)?;
    let query = given(&fields, "query").ok_or_else(|| wrong("query is required"))?;
    let query = query.as_str().ok_or_else(|| wrong("query must be a string"))?;
    if query.is_empty() {
        return Err(wrong("query must not be empty"));
    }
    let documents = documents(&fields)?;
    let top_n = whole(&fields, "top_n", 1..=u64::MAX)?.unwrap_or(u64::MAX);
    let most_tokens = whole(&fields, "max_tokens_per_doc", 1..=u64::MAX)?.unwrap_or(TOKENS_PER_DOC);
    whole(&fields, "priority", 0..=999)?;
    whole(&fields, "max_chunks_per_doc", 1..=u64::MAX)?;

    let lengths = Lengths::of(query, &documents);
    let scored = lengths.scored_chunks(context(&model), most_tokens);
    if scored > MOST_CHUNKS {
        let message = format!("{} documents make {scored} chunks", documents.len());
        return Err(wrong(format!("{message}, of which {MOST_CHUNKS} are allowed")));
    }
    let with_documents = match given(&fields, "return_documents") {
        None => false,
        Some(value) => {
            value.as_bool().ok_or_else(|| wrong("return_documents must be a boolean"))?
        }
    };

    let (unit, units) = match model.contains("v5") {
        true => ("input_tokens", lengths.tokens()),
        false => ("search_units", lengths.search_units()),
    };
    let top_n = usize::try_from(top_n).unwrap_or(usize::MAX);
    let results = ranked(query, &documents).into_iter().take(top_n).map(|(index, score)| {
        let mut result = json!({ "index": index, "relevance_score": score });
        if with_documents {
            result["document"] = json!({ "text": documents.get(index) });
        }
        result
    });
    let mut meta = json!({
        "api_version": { "version": version.number() },
        "billed_units": { unit: units },
    });
    if documents.len() > ADVISED_DOCUMENTS {
        meta["warnings"] =
            json!([format!("more than {ADVISED_DOCUMENTS} documents in a call are not advised")]);
    }
    let results: Vec<Value> = results.collect();
    let body = json!({ "id": id(&request.body), "results": results, "meta": meta });
    Ok(Answer::good(body, units))
}

fn model(fields: &Map<String, Value>, version: Version, models: Models) -> Result<String, Refusal> {
    let named = given(fields, "model").map(|model| {
        let name = model.as_str().filter(|name| !name.is_empty());
        name.ok_or_else(|| wrong("model must be a name"))
    });
    let named = named.transpose()?;
    match (models, named) {
        (Models::Deployed, named) => Ok(named.unwrap_or_default().to_owned()),
        (Models::Named(_), None) if version == Version::V1 => Ok("rerank-english-v3.0".into()),
        (Models::Named(_), None) => Err(wrong("model is required")),
        (Models::Named(known), Some(name)) if known(name) => Ok(name.to_owned()),
        (Models::Named(_), Some(name)) => {
            Err(Refusal { status: 404, message: format!("model '{name}' not found") })
        }
    }
}

/// Strings, or objects: of one with a `text` that is all that is read, any other is read as YAML.
fn documents(fields: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let list = given(fields, "documents").ok_or_else(|| wrong("documents is required"))?;
    let list = list.as_array().ok_or_else(|| wrong("documents must be a list"))?;
    if list.is_empty() {
        return Err(wrong("list of documents must not be empty"));
    }
    let text = |(place, document): (usize, &Value)| match document {
        Value::String(text) => Ok(text.clone()),
        Value::Object(fields) => Ok(match fields.get("text") {
            Some(Value::String(text)) => text.clone(),
            _ => fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect(),
        }),
        _ => Err(wrong(format!("documents[{place}] must be a string or an object"))),
    };
    list.iter().enumerate().map(text).collect()
}

fn whole(
    fields: &Map<String, Value>,
    name: &str,
    allowed: std::ops::RangeInclusive<u64>,
) -> Result<Option<u64>, Refusal> {
    let Some(value) = given(fields, name) else { return Ok(None) };
    let number = value.as_u64().filter(|number| allowed.contains(number));
    number.map(Some).ok_or_else(|| match *allowed.end() {
        u64::MAX => wrong(format!("{name} must be a whole number from {}", allowed.start())),
        end => wrong(format!("{name} must be a whole number from {} to {end}", allowed.start())),
    })
}

/// Tokens that a model reads at once, query and chunk together.
fn context(model: &str) -> u64 {
    match model.contains("v4") || model.contains("v5") {
        true => 32_768,
        false => 4_096,
    }
}

/// What Cohere's models bill for a call, on whatever host.
pub(super) fn search_units(query: &str, documents: &[String]) -> u64 {
    Lengths::of(query, documents).search_units()
}

/// Lengths of a call's texts in tokens.
struct Lengths {
    query: u64,
    documents: Vec<u64>,
}

impl Lengths {
    fn of(query: &str, documents: &[String]) -> Self {
        let documents = documents.iter().map(|document| tokens::count(document)).collect();
        Self { query: tokens::count(query), documents }
    }

    /// What is billed: a document of more than 500 tokens counted together with the query is split,
    /// and each chunk counts as a document.
    fn search_units(&self) -> u64 {
        let room = BILLED_CHUNK.saturating_sub(self.query).max(1);
        let chunks: u64 = self.documents.iter().map(|length| chunks(*length, room)).sum();
        chunks.div_ceil(SEARCH_UNIT)
    }

    /// What the fifth generation bills, whose prices are told per token: the query counted with each
    /// document. Cohere does not say so, and cuts nothing off the bill.
    fn tokens(&self) -> u64 {
        self.documents.iter().map(|length| self.query + length).sum()
    }

    /// What is scored: each document cut, then split into chunks as large as the context allows. A
    /// query takes half the context at most.
    fn scored_chunks(&self, context: u64, most_tokens: u64) -> u64 {
        let room = context - RESERVED - self.query.min(context / 2);
        self.documents.iter().map(|length| chunks((*length).min(most_tokens), room)).sum()
    }
}

/// Chunks of a text; an empty one counts as one.
fn chunks(length: u64, room: u64) -> u64 {
    length.div_ceil(room).max(1)
}

fn refuse(status: u16, message: &str, bytes: &[u8]) -> Answer {
    Answer::free(status, json!({ "id": id(bytes), "message": message }))
}

/// A few words for a status.
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        400 => "invalid request",
        401 => "invalid api token",
        402 => "the billing limit of this key is reached",
        403 => "this key may not do that",
        404 => "not found",
        408 | 504 => "the request took too long",
        413 => "the request is too large",
        422 => "the request cannot be processed",
        429 => "too many requests: wait and try again later",
        498 => "blocked by the rules on content",
        499 => "the request was cancelled",
        503 => "the service is overloaded",
        _ => "internal server error, this has been reported to our developers",
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{places, post, with, without};
    use super::*;

    /// A good body with changes.
    fn asked(change: impl FnOnce(&mut Value)) -> Request {
        let mut body = json!({
            "model": "rerank-v3.5",
            "query": "export invoices",
            "documents": ["reset a password", "export all invoices", "invoices"],
        });
        change(&mut body);
        post("/v2/rerank", &body)
    }

    fn answer(request: &Request) -> Answer {
        Cohere::new(Some("key")).answer(request)
    }

    fn billed(model: &str, query: usize, documents: &[usize]) -> u64 {
        let text = |words: &usize| "word ".repeat(*words);
        let documents: Vec<_> = documents.iter().map(text).collect();
        let answer = answer(&asked(|body| {
            body["model"] = json!(model);
            body["query"] = json!(text(&query));
            body["documents"] = json!(documents);
        }));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.billed
    }

    #[test]
    fn the_best_comes_first_and_the_bill_last() {
        let answer = answer(&asked(|_| {}));
        assert_eq!((answer.status, answer.billed), (200, 1));
        let body = &answer.body;
        assert_eq!(places(&body["results"]), [1, 2, 0]);
        let first = body["results"][0].as_object().unwrap();
        assert_eq!(first.keys().collect::<Vec<_>>(), ["index", "relevance_score"]);
        let meta =
            json!({ "api_version": { "version": "2" }, "billed_units": { "search_units": 1 } });
        assert_eq!(body["meta"], meta);
        assert_eq!(body["id"].as_str().map(str::len), Some(36));
    }

    #[test]
    fn optional_fields_do_what_they_say() {
        let top = answer(&asked(|body| body["top_n"] = json!(2)));
        assert_eq!(places(&top.body["results"]), [1, 2]);
        let more = answer(&asked(|body| body["top_n"] = json!(50)));
        assert_eq!(places(&more.body["results"]).len(), 3);
        for (field, value) in
            [("priority", json!(999)), ("max_tokens_per_doc", json!(1)), ("top_n", json!(null))]
        {
            assert_eq!(answer(&asked(|body| body[field] = value)).status, 200, "{field}");
        }
        let objects = asked(|body| {
            body["documents"] =
                json!([{ "text": "reset" }, { "title": "export", "body": "invoices" }, "invoices"]);
        });
        assert_eq!(places(&answer(&objects).body["results"]), [1, 2, 0]);
    }

    #[test]
    fn what_is_wrong_is_refused_for_nothing() {
        for (field, value, status, told) in [
            ("model", json!(null), 400, "model is required"),
            ("model", json!(""), 400, "model"),
            ("model", json!("gpt"), 404, "'gpt'"),
            ("query", json!(null), 400, "query is required"),
            ("query", json!(""), 400, "empty"),
            ("query", json!(["q"]), 400, "query"),
            ("documents", json!(null), 400, "documents is required"),
            ("documents", json!("d"), 400, "documents"),
            ("documents", json!([]), 400, "list of documents must not be empty"),
            ("documents", json!(["d", 1]), 400, "documents[1]"),
            ("top_n", json!(0), 400, "top_n"),
            ("top_n", json!(1.5), 400, "top_n"),
            ("priority", json!(1_000), 400, "priority"),
            ("priority", json!(-1), 400, "priority"),
            ("max_tokens_per_doc", json!(0), 400, "max_tokens_per_doc"),
            ("top_k", json!(1), 422, "unknown field: parameter 'top_k'"),
            ("return_documents", json!(true), 422, "'return_documents'"),
        ] {
            let answer = answer(&asked(|body| body[field] = value.clone()));
            let message = answer.body["message"].as_str().unwrap();
            assert_eq!((answer.status, answer.billed), (status, 0), "{field} {value}: {message}");
            assert!(message.contains(told), "{message}");
            assert!(answer.body["id"].is_string());
        }
        let mut request = asked(|_| {});
        request.body = b"{".to_vec();
        assert_eq!(answer(&request).status, 400);
        request.method = "GET".into();
        assert_eq!(answer(&request).status, 405);
        request.path = "/v2/chat".into();
        assert_eq!(answer(&request).status, 404);
    }

    #[test]
    fn keys_come_as_bearer_tokens() {
        let status = |request: Request| answer(&request).status;
        assert_eq!(status(with(asked(|_| {}), "authorization", "bearer key")), 200);
        for key in ["Bearer other", "Bearer ", "Bearer", "key", "Basic key"] {
            assert_eq!(status(with(asked(|_| {}), "authorization", key)), 401, "{key}");
        }
        assert_eq!(status(without(asked(|_| {}), "authorization")), 401);
    }

    #[test]
    fn a_chunk_is_500_tokens_less_the_querys() {
        // 100 documents of one chunk are one unit, the next one begins another.
        assert_eq!(billed("rerank-v3.5", 100, &[400; 100]), 1);
        assert_eq!(billed("rerank-v3.5", 100, &[400; 101]), 2);
        // One token more, two chunks each.
        assert_eq!(billed("rerank-v3.5", 100, &[401; 100]), 2);
        assert_eq!(billed("rerank-v3.5", 101, &[400; 100]), 2);
        // What is not scored is billed: 20,000 tokens are 50 chunks, of which 4,096 tokens count.
        assert_eq!(billed("rerank-v3.5", 100, &[20_000; 4]), 2);
        assert_eq!(billed("rerank-v4.0-fast", 100, &[20_000; 4]), 2);
        // An empty document counts.
        assert_eq!(billed("rerank-v3.5", 1, &[0; 101]), 2);
        // A long query leaves a token a chunk.
        assert_eq!(billed("rerank-v3.5", 600, &[250, 51]), 4);
        assert_eq!(billed("rerank-v5.0-fast", 100, &[20_000, 0]), 20_200);
    }

    #[test]
    fn many_documents_are_advised_against_and_many_chunks_refused() {
        let of = |documents: usize, words: usize, most: u64| {
            let text = "word ".repeat(words);
            answer(&asked(|body| {
                body["documents"] = json!(vec![text; documents]);
                body["max_tokens_per_doc"] = json!(most);
            }))
        };
        assert!(of(1_000, 1, 10).body["meta"]["warnings"].is_null());
        assert_eq!(of(1_001, 1, 10).body["meta"]["warnings"].as_array().unwrap().len(), 1);
        assert_eq!(of(10_000, 1, 10).status, 200);
        let refused = of(10_001, 1, 10);
        assert_eq!((refused.status, refused.billed), (400, 0));
        // The query of 3 tokens and 4 special ones leave 4,089 of the context.
        let lengths = |document| Lengths { query: 3, documents: vec![document; 10] };
        assert_eq!(lengths(4_089).scored_chunks(context("rerank-v3.5"), 5_000), 10);
        assert_eq!(lengths(4_090).scored_chunks(context("rerank-v3.5"), 5_000), 20);
        assert_eq!(lengths(4_090).scored_chunks(context("rerank-v3.5"), 4_000), 10);
        assert_eq!(lengths(4_090).scored_chunks(context("rerank-v4.0-pro"), 5_000), 10);
    }

    #[test]
    fn the_first_version_has_its_own_fields() {
        let mut body =
            json!({ "query": "export", "documents": ["export"], "return_documents": true });
        let of = |body: &Value| answer(&post("/v1/rerank", body));
        let told = of(&body).body;
        assert_eq!(told["results"][0]["document"], json!({ "text": "export" }));
        assert_eq!(told["meta"]["api_version"]["version"], "1");
        body["max_tokens_per_doc"] = json!(10);
        assert_eq!(of(&body).status, 422);
    }
}
