//! Cohere's models on AWS Bedrock: `POST /model/{id}/invoke` of `bedrock-runtime` and `POST /rerank` of
//! `bedrock-agent-runtime`.
//!
//! After the AWS API references of InvokeModel and Rerank, and
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/rerank-supported.html>. Errors come as
//! `{"message"}` with their name in `x-amzn-errortype`; what `InvokeModel` needs and does not permit
//! is told by a refusal in <https://github.com/langgenius/dify/issues/12640>. Bedrock does not tell
//! what it bills: a query of up to 100 chunks
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/rerank-pricing.html>).

use std::time::SystemTime;

use serde_json::{Value, json};

use super::cohere::search_units;
use super::common::{id, is_json, ranked};
use super::fields::{Fields, Flaw, Wrong, parsed};
use super::signature::{Credentials, verify};
use crate::{Answer, Api, Request, Shape};

/// Documents of a call at most.
const MOST_DOCUMENTS: usize = 1_000;
/// Characters of a text of `Rerank`.
const MOST_CHARACTERS: u64 = 32_000;
/// The name that requests to both services are signed for.
const SERVICE: &str = "bedrock";
const REQUEST_ID: &str = "x-amzn-requestid";

/// Bedrock's API.
pub struct Bedrock {
    credentials: Credentials,
    now: fn() -> SystemTime,
}

impl Bedrock {
    /// Takes requests signed with this key: `SECRET` or `ACCESS_KEY_ID:SECRET`. Without one, a
    /// signature's form, scope and date are checked, and what it signs is not.
    pub fn new(key: Option<&str>) -> Self {
        Self { credentials: Credentials::new(key), now: SystemTime::now }
    }
}

impl Api for Bedrock {
    fn answer(&self, request: &Request) -> Answer {
        let Some(operation) = Operation::of(&request.path) else {
            return refuse(404, "UnknownOperationException", "There is no such operation", request);
        };
        if request.method != "POST" {
            return refuse(405, "UnknownOperationException", "POST only", request);
        }
        if let Err(why) = verify(request, SERVICE, &self.credentials, (self.now)()) {
            return refuse(403, why.kind, &why.message, request);
        }
        // InvokeModel takes a body without a type for JSON.
        if request.headers.contains_key("content-type") && !is_json(request) {
            return refuse(400, "ValidationException", "content-type is not JSON", request);
        }
        let answer = match &operation {
            Operation::Invoke(model) => invoke(request, model),
            Operation::Rerank => rerank(request),
        };
        match answer {
            Ok(mut answer) => {
                answer.headers.push((REQUEST_ID.into(), id(&request.body)));
                answer
            }
            Err(why) => refuse(400, "ValidationException", &why, request),
        }
    }

    fn failure(&self, status: u16) -> Answer {
        let (kind, message) = match status {
            401 | 403 => ("AccessDeniedException", "You may not use this model."),
            408 => ("ModelTimeoutException", "The model took too long."),
            424 => ("ModelErrorException", "The model failed."),
            429 => ("ThrottlingException", "Too many requests: wait and try again."),
            503 => ("ServiceUnavailableException", "The service is not available."),
            _ => ("InternalServerException", "The service failed."),
        };
        let failed = Request { body: status.to_be_bytes().into(), ..Request::default() };
        refuse(status, kind, message, &failed)
    }

    fn shape(&self, request: &Request) -> Shape {
        match Operation::of(&request.path) {
            Some(Operation::Rerank) => Shape { score: "relevanceScore", ..Shape::default() },
            _ => Shape::default(),
        }
    }

    fn request_id_header(&self) -> &'static str {
        REQUEST_ID
    }

    fn time_headers(&self) -> &'static [&'static str] {
        &["x-amzn-bedrock-invocation-latency"]
    }
}

enum Operation {
    Invoke(String),
    Rerank,
}

impl Operation {
    fn of(path: &str) -> Option<Self> {
        if path == "/rerank" {
            return Some(Self::Rerank);
        }
        let model = path.strip_prefix("/model/")?.strip_suffix("/invoke")?;
        Some(Self::Invoke(decoded(model)))
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).filter(|_| *first == b'%');
        let byte = hex.and_then(|hex| u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `cohere.rerank-v3-5:0`, alone or at the end of an ARN.
fn check(model: &str) -> Result<(), String> {
    let name = model.rsplit('/').next().unwrap_or(model);
    let known = name.strip_prefix("cohere.rerank-v").is_some_and(|version| version.contains(':'));
    known.then_some(()).ok_or_else(|| "The provided model identifier is invalid.".into())
}

/// What Cohere's own container takes and answers.
fn invoke(request: &Request, model: &str) -> Result<Answer, String> {
    check(model)?;
    let said = |flaw: Flaw| match (&flaw.wrong, flaw.path()) {
        (Wrong::Missing, key) => malformed(&format!("#: required key [{key}] not found")),
        (Wrong::Unknown, key) => malformed(&format!("#: extraneous key [{key}] is not permitted")),
        _ => malformed(&flaw.to_string()),
    };
    let body = parsed(request).map_err(said)?;
    let fields = Fields::of(&body);
    fields
        .only(&["query", "documents", "top_n", "api_version", "max_tokens_per_doc"])
        .map_err(said)?;
    fields.required("api_version").map_err(said)?;
    fields.whole("api_version", 2..=2).map_err(said)?;
    let query = fields.text("query").map_err(said)?;
    let documents = fields.texts("documents", 1..=MOST_DOCUMENTS).map_err(said)?;
    let top = fields.top("top_n").map_err(said)?;
    fields.whole("max_tokens_per_doc", 1..=u64::MAX).map_err(said)?;
    let results = ranked(query, &documents).into_iter().take(top);
    let results: Vec<Value> =
        results.map(|(index, score)| json!({ "index": index, "relevance_score": score })).collect();
    Ok(Answer::good(json!({ "results": results }), search_units(query, &documents)))
}

fn malformed(why: &str) -> String {
    format!("Malformed input request: {why}, please reformat your input and try again.")
}

fn rerank(request: &Request) -> Result<Answer, String> {
    let said = |flaw: Flaw| format!("Validation failed: {flaw}.");
    let body = parsed(request).map_err(said)?;
    let fields = Fields::of(&body);
    let (query, documents, top) = wanted(&fields).map_err(said)?;
    let settings = fields.object("rerankingConfiguration").map_err(said)?;
    check(model(&settings).map_err(said)?)?;
    let results = ranked(&query, &documents).into_iter().take(top);
    let results: Vec<Value> =
        results.map(|(index, score)| json!({ "index": index, "relevanceScore": score })).collect();
    Ok(Answer::good(json!({ "results": results }), search_units(&query, &documents)))
}

fn wanted(fields: &Fields<'_>) -> Result<(String, Vec<String>, usize), Flaw> {
    let mut query = String::new();
    for one in fields.objects("queries", 1..=1)? {
        one.one_of("type", &["TEXT"])?;
        query = text(&one.object("textQuery")?)?;
    }
    let mut documents = Vec::new();
    for source in fields.objects("sources", 1..=MOST_DOCUMENTS)? {
        source.one_of("type", &["INLINE"])?;
        let document = source.object("inlineDocumentSource")?;
        documents.push(match document.one_of("type", &["TEXT", "JSON"])? {
            "TEXT" => text(&document.object("textDocument")?)?,
            _ => document.required("jsonDocument")?.to_string(),
        });
    }
    let settings = fields.object("rerankingConfiguration")?;
    let settings = settings.object("bedrockRerankingConfiguration")?;
    let top = settings.whole("numberOfResults", 1..=1_000)?.unwrap_or(u64::MAX);
    Ok((query, documents, usize::try_from(top).unwrap_or(usize::MAX)))
}

fn text(fields: &Fields<'_>) -> Result<String, Flaw> {
    let text = fields.text("text")?;
    let characters = text.chars().count() as u64;
    let allowed = 1..=MOST_CHARACTERS;
    match allowed.contains(&characters) {
        true => Ok(text.to_owned()),
        false => Err(fields.flaw("text", Wrong::OutOf(allowed))),
    }
}

fn model<'a>(settings: &Fields<'a>) -> Result<&'a str, Flaw> {
    settings.one_of("type", &["BEDROCK_RERANKING_MODEL"])?;
    let settings = settings.object("bedrockRerankingConfiguration")?;
    settings.object("modelConfiguration")?.text("modelArn")
}

fn refuse(status: u16, kind: &str, message: &str, request: &Request) -> Answer {
    let headers = [("x-amzn-errortype", kind.to_owned()), (REQUEST_ID, id(&request.body))];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Answer { status, headers, body: json!({ "message": message }), billed: 0 }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::super::signature::parse;
    use super::super::testing::{places, with, without};
    use super::*;

    /// Requests that botocore signed (`tests/golden/hosted/bedrock.py`).
    fn golden() -> Vec<(String, Request)> {
        let text = include_str!("../../../../tests/golden/hosted/bedrock.json");
        let cases: Value = serde_json::from_str(text).unwrap();
        let cases = cases["requests"].as_array().unwrap().clone();
        let cases = cases.into_iter().map(|case| {
            let headers: BTreeMap<String, String> =
                serde_json::from_value(case["headers"].clone()).unwrap();
            let body = case["body"].as_str().unwrap().as_bytes().to_vec();
            let path = case["path"].as_str().unwrap().to_owned();
            let name = case["name"].as_str().unwrap().to_owned();
            (name, Request { method: "POST".into(), path, headers, body })
        });
        cases.collect()
    }

    fn server(key: &str) -> Bedrock {
        Bedrock { now: || parse("20261123T120200Z").unwrap(), ..Bedrock::new(Some(key)) }
    }

    const KEY: &str = "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    #[test]
    fn what_botocore_signed_is_answered() {
        for (name, request) in golden() {
            let answer = server(KEY).answer(&request);
            assert_eq!((answer.status, answer.billed), (200, 1), "{name}: {}", answer.body);
            assert_eq!(places(&answer.body["results"]), [1, 0], "{name}");
            assert!(answer.headers.iter().any(|(name, _)| name == REQUEST_ID));
            let shape = server(KEY).shape(&request);
            assert!(answer.body["results"][0][shape.score].is_f64(), "{name}");
        }
    }

    #[test]
    fn what_is_changed_after_signing_is_refused() {
        type Change = fn(&Request) -> Request;
        let changes: [(&str, &str, Change); 9] = [
            ("body", "InvalidSignatureException", |r| Request {
                body: [&r.body[..], b" "].concat(),
                ..r.clone()
            }),
            ("host", "InvalidSignatureException", |r| with(r.clone(), "host", "elsewhere")),
            ("unsigned", "InvalidSignatureException", |r| with(r.clone(), "x-amz-new", "1")),
            ("no date", "IncompleteSignatureException", |r| without(r.clone(), "x-amz-date")),
            ("old", "InvalidSignatureException", |r| {
                with(r.clone(), "x-amz-date", "20261123T115659Z")
            }),
            ("no key", "MissingAuthenticationTokenException", |r| {
                without(r.clone(), "authorization")
            }),
            ("bearer", "IncompleteSignatureException", |r| {
                with(r.clone(), "authorization", "Bearer key")
            }),
            ("service", "InvalidSignatureException", |r| {
                let value = r.headers["authorization"].replace("/bedrock/", "/s3/");
                with(r.clone(), "authorization", &value)
            }),
            ("id", "UnrecognizedClientException", |r| {
                let value = r.headers["authorization"].replace("AKIDEXAMPLE", "AKIDOTHER");
                with(r.clone(), "authorization", &value)
            }),
        ];
        for (_, request) in golden() {
            for (name, kind, change) in &changes {
                let answer = server(KEY).answer(&change(&request));
                assert_eq!(answer.status, 403, "{name}");
                let told = &("x-amzn-errortype".to_owned(), (*kind).to_owned());
                assert!(answer.headers.contains(told), "{name}: {:?}", answer.headers);
            }
            assert_eq!(server("AKIDEXAMPLE:other").answer(&request).status, 403);
            let late = Bedrock {
                now: || parse("20261123T120000Z").unwrap() + Duration::from_secs(301),
                ..server(KEY)
            };
            assert_eq!(late.answer(&request).status, 403);
        }
    }

    #[test]
    fn bodies_are_checked() {
        let anybody = Bedrock { credentials: Credentials::Any, ..server(KEY) };
        let (_, request) = golden().remove(0);
        let ask = |change: &dyn Fn(&mut Value)| {
            let mut body: Value = serde_json::from_slice(&request.body).unwrap();
            change(&mut body);
            anybody.answer(&Request { body: body.to_string().into(), ..request.clone() })
        };
        assert_eq!(ask(&|_| {}).status, 200);
        assert_eq!(places(&ask(&|body| body["top_n"] = json!(1)).body["results"]), [1]);
        for (field, value) in [
            ("query", json!(null)),
            ("documents", json!([])),
            ("documents", json!([{ "text": "a" }])),
            ("documents", json!(vec!["a"; MOST_DOCUMENTS + 1])),
            ("api_version", json!(1)),
            ("top_n", json!(0)),
            ("model", json!("rerank-v3.5")),
        ] {
            let answer = ask(&|body| body[field] = value.clone());
            assert_eq!((answer.status, answer.billed), (400, 0), "{field}");
            let message = answer.body["message"].as_str().unwrap();
            assert!(message.contains(field), "{message}");
        }
        let bare = ask(&|body| *body = json!({}));
        assert!(bare.body["message"].as_str().unwrap().contains("required key [api_version]"));
        let other = Request { path: "/model/cohere.command-r/invoke".into(), ..request.clone() };
        assert_eq!(anybody.answer(&other).status, 400);
        let none = Request { path: "/v2/rerank".into(), ..request.clone() };
        assert_eq!(anybody.answer(&none).status, 404);
    }

    #[test]
    fn model_ids_are_decoded() {
        for (path, id) in [
            ("/model/cohere.rerank-v3-5%3A0/invoke", "cohere.rerank-v3-5:0"),
            ("/model/cohere.rerank-v3-5:0/invoke", "cohere.rerank-v3-5:0"),
            ("/model/a%zz%/invoke", "a%zz%"),
        ] {
            let Some(Operation::Invoke(found)) = Operation::of(path) else { panic!("{path}") };
            assert_eq!(found, id);
        }
    }
}
