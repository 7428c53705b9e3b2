use std::fmt::Write;
use std::ops::RangeInclusive;
use std::time::Duration;

use secondpass_core::TruncationAudit;
use secondpass_http::{Call, HttpError, Reply};
use serde::{Deserialize, Serialize};

use super::{Api, Bill, CallTokens, Cohere, OptionError, Options, Scored};

/// Cohere's rerankers on Amazon Bedrock, by `InvokeModel`
/// (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html). The body is
/// Cohere's without the model, which stands in the path, and with the version of its API.
///
/// The model may be an id, or the ARN of an inference profile. Bedrock does not tell what it bills.
#[derive(Clone, Debug)]
pub struct Bedrock {
    path: String,
    max_tokens_per_doc: Option<usize>,
    /// Knows the model's limits and what it bills.
    cohere: Cohere,
}

#[derive(Serialize)]
struct Body<'a> {
    query: &'a str,
    documents: &'a [String],
    top_n: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens_per_doc: Option<usize>,
    api_version: u32,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    index: usize,
    relevance_score: f64,
}

impl Bedrock {
    /// The model where none is named.
    pub const MODEL: &'static str = "cohere.rerank-v3-5:0";
    const NAME: &'static str = "Cohere on Bedrock";

    /// An adapter for one model.
    ///
    /// # Errors
    /// As [`Cohere::new`], but that the model may be missing.
    pub fn new(options: &Options) -> Result<Self, OptionError> {
        let model = match options.model {
            Some(_) => options.named_model(&format!("{:?}", Self::MODEL))?,
            None => Self::MODEL.to_owned(),
        };
        Ok(Self {
            path: format!("/model/{}/invoke", encoded(&model)),
            max_tokens_per_doc: options.max_tokens_per_doc,
            cohere: Cohere::of(options, Some(model), Self::NAME)?,
        })
    }

    /// The region of these options, or else of the variable `AWS_REGION`.
    ///
    /// # Errors
    /// None is named, or what is named is no region.
    pub fn region(options: &Options) -> Result<String, OptionError> {
        let named = options.region.clone();
        let region = named.or_else(|| std::env::var("AWS_REGION").ok()).filter(|r| !r.is_empty());
        let allowed = || {
            "name one in which Bedrock has the model, such as \"eu-central-1\", or set AWS_REGION"
                .to_owned()
        };
        let is_region = |region: &String| {
            let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            region.contains('-') && region.bytes().all(|byte| known(byte) || byte == b'-')
        };
        match region {
            Some(region) if is_region(&region) => Ok(region),
            found => Err(OptionError { key: "region", found, allowed: allowed() }),
        }
    }

    /// Where texts are processed that go to a region: there, unless the model is named by an inference
    /// profile, which may pass them on to all regions of a geography (`eu.cohere…`) or to any
    /// (docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles.html). `None` where the name
    /// does not tell.
    pub fn processed_in(options: &Options, region: &str) -> Option<String> {
        let model = options.model.as_deref().unwrap_or(Self::MODEL).trim();
        match model.split_once(".cohere.") {
            _ if model.contains("inference-profile/") => None,
            Some(("global", _)) => None,
            Some((geography, _)) => Some(geography.to_owned()),
            None => Some(region.to_owned()),
        }
    }

    /// Where Bedrock answers in a region.
    pub fn base_url(region: &str) -> String {
        format!("https://bedrock-runtime.{region}.amazonaws.com")
    }
}

impl Api for Bedrock {
    fn call(&self, query: &str, documents: &[String]) -> Call {
        Call::post(
            self.path.as_str(),
            &Body {
                query,
                documents,
                top_n: documents.len(),
                max_tokens_per_doc: self.max_tokens_per_doc,
                api_version: 2,
            },
        )
    }

    fn read(&self, reply: &Reply) -> Result<Scored, HttpError> {
        let answer: Answer = reply.json()?;
        let scores = answer.results.iter().map(|row| (row.index, row.relevance_score)).collect();
        let latency = reply.header("x-amzn-bedrock-invocation-latency");
        let server = latency.and_then(|ms| ms.trim().parse().ok()).map(Duration::from_millis);
        Ok(Scored { scores, server, ..Scored::default() })
    }

    fn score_range(&self) -> RangeInclusive<f64> {
        self.cohere.score_range()
    }

    fn documents_a_call(&self) -> usize {
        self.cohere.documents_a_call()
    }

    /// Queries of up to 100 documents or chunks
    /// (docs.aws.amazon.com/bedrock/latest/userguide/rerank-pricing.html). How long a chunk may be is
    /// not said there: Cohere's own rule is taken.
    fn bill(&self, tokens: &CallTokens<'_>) -> Bill {
        self.cohere.bill(tokens)
    }

    fn truncation(&self, tokens: &CallTokens<'_>) -> Option<TruncationAudit> {
        self.cohere.truncation(tokens)
    }
}

/// A path segment in which only unreserved letters stand as they are (RFC 3986, section 2.3), as
/// AWS's clients encode it.
fn encoded(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            // Writing to a String cannot fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use secondpass_http::ErrorKind;
    use serde_json::json;

    use super::super::stub;
    use super::*;

    fn bedrock() -> Bedrock {
        Bedrock::new(&Options::default()).unwrap()
    }

    #[test]
    fn the_model_stands_in_the_path_and_the_version_in_the_body() {
        let (request, body) = stub::asked(&bedrock(), "late invoice", &["Pay here.", "Reset it."]);
        let path = "/model/cohere.rerank-v3-5%3A0/invoke";
        assert_eq!(request.url, format!("https://rerank.example{path}"));
        let expected = json!({
            "query": "late invoice",
            "documents": ["Pay here.", "Reset it."],
            "top_n": 2,
            "api_version": 2
        });
        assert_eq!(body, expected);
        let short = Options { max_tokens_per_doc: Some(512), ..Options::default() };
        let (_, body) = stub::asked(&Bedrock::new(&short).unwrap(), "q", &["d"]);
        assert_eq!(body["max_tokens_per_doc"], json!(512));
    }

    /// Paths and bases as botocore makes them.
    #[test]
    fn addresses_are_those_of_botocore() {
        let golden = include_str!("../../../../tests/golden/hosted/sigv4.json");
        let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
        for case in golden["cases"].as_array().unwrap() {
            let text = |key: &str| case[key].as_str().map(str::to_owned);
            let options =
                Options { model: text("model"), region: text("region"), ..Options::default() };
            let base = Bedrock::base_url(&Bedrock::region(&options).unwrap());
            let path = Bedrock::new(&options).unwrap().path;
            assert_eq!(Some(format!("{base}{path}")), text("url"));
        }
    }

    #[test]
    fn reads_scores_and_the_servers_time() {
        let body = r#"{"id":"1","results":[{"index":1,"relevance_score":0.93},
            {"index":0,"relevance_score":1e-5}],"meta":{"api_version":{"version":"2"}}}"#;
        let scored = stub::read(&bedrock(), &[], body).unwrap();
        assert_eq!(scored.scores, [(1, 0.93), (0, 1e-5)]);
        assert_eq!((scored.units, scored.tokens, scored.server), (None, None, None));
        let latency = [("x-amzn-bedrock-invocation-latency", "42")];
        let scored = stub::read(&bedrock(), &latency, body).unwrap();
        assert_eq!(scored.server, Some(Duration::from_millis(42)));
    }

    #[test]
    fn other_forms_are_errors() {
        for body in [
            r#"{"data":[{"relevance_score":1,"index":0}]}"#,
            r#"{"results":[{"relevance_score":1}]}"#,
            r#"{"results":[{"relevance_score":1,"index":-1}]}"#,
            r#"{"results":[{"relevance_score":NaN,"index":0}]}"#,
            r#"{"results":[{"relevance_score":null,"index":0}]}"#,
            "<html>",
        ] {
            let error = stub::read(&bedrock(), &[], body).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::NotJson, "{body}");
        }
        let denied = r#"{"message":"You don't have access to the model."}"#;
        let error = stub::refused(&bedrock(), 403, denied);
        assert!(error.to_string().contains("access to the model") && error.is_final(), "{error}");
    }

    #[test]
    fn an_inference_profile_may_pass_texts_on() {
        let processed = |model: Option<&str>| {
            let options = Options { model: model.map(str::to_owned), ..Options::default() };
            Bedrock::processed_in(&options, "eu-central-1")
        };
        let arn = "arn:aws:bedrock:eu-central-1:1:application-inference-profile/a1";
        let whole = "arn:aws:bedrock:eu-central-1::foundation-model/cohere.rerank-v3-5:0";
        assert_eq!(processed(None).as_deref(), Some("eu-central-1"));
        assert_eq!(processed(Some(whole)).as_deref(), Some("eu-central-1"));
        assert_eq!(processed(Some("eu.cohere.rerank-v3-5:0")).as_deref(), Some("eu"));
        assert_eq!(processed(Some("global.cohere.rerank-v3-5:0")), None);
        assert_eq!(processed(Some(arn)), None);
    }

    #[test]
    fn bills_queries_of_a_hundred_chunks() {
        let documents = [vec![100; 99], vec![450; 2]].concat();
        let tokens = CallTokens { query: 100, documents: &documents };
        assert_eq!(bedrock().bill(&tokens), Bill { units: 2, chunks: 103 });
        assert!(bedrock().truncation(&tokens).is_some());
    }

    #[test]
    fn options_that_it_does_not_know_are_refused() {
        let refused = |options: Options| Bedrock::new(&options).unwrap_err().key;
        let truncate = Options { truncate: Some(true), ..Options::default() };
        assert_eq!(refused(truncate), "truncate");
        let many = Options { documents_per_call: Some(1_001), ..Options::default() };
        assert_eq!(refused(many), "documents_per_call");
        assert_eq!(bedrock().documents_a_call(), 1_000);
        for region in ["", "frankfurt", "eu-central-1.evil.example/", "EU-central-1"] {
            let options = Options { region: Some(region.to_owned()), ..Options::default() };
            assert_eq!(Bedrock::region(&options).unwrap_err().key, "region", "{region}");
        }
    }
}
