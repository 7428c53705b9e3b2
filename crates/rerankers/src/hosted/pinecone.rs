use std::ops::RangeInclusive;

use secondpass_core::TruncationAudit;
use secondpass_http::{Call, HttpError, Reply};
use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::{Api, Bill, CallTokens, OptionError, Options, Scored};

/// Pinecone Inference, `POST /rerank` (github.com/pinecone-io/pinecone-api, `2026-07`).
///
/// It hosts `bge-reranker-v2-m3`, so that the same model can be compared at home and away.
#[derive(Clone, Debug)]
pub struct Pinecone {
    model: String,
    documents: usize,
    /// Sent where the model is known to have the parameter, or the user says so.
    truncate: Option<bool>,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    query: &'a str,
    documents: Vec<Document<'a>>,
    top_n: usize,
    return_documents: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Parameters>,
}

/// Only `text` is ranked, which is the default of `rank_fields`.
#[derive(Serialize)]
struct Document<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct Parameters {
    truncate: &'static str,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Row>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Row {
    index: usize,
    score: f64,
}

#[derive(Deserialize)]
struct Usage {
    rerank_units: Option<u64>,
}

impl Pinecone {
    const NAME: &'static str = "Pinecone";
    /// The version of the API that requests and answers are of; every request must name one.
    const VERSION: &'static str = "2026-07";
    const COHERE: &'static str = "cohere-rerank-3.5";

    /// An adapter for one model. Where the model has the choice, long pairs are cut unless
    /// `truncate` is false, and then refused.
    ///
    /// # Errors
    /// No model, more documents a call than it takes (200 for `cohere-rerank-3.5`, otherwise 100),
    /// `max_tokens_per_doc`, or `truncate` for a model that has no such parameter.
    pub fn new(options: &Options) -> Result<Self, OptionError> {
        options.without_max_tokens(Self::NAME, "its models have limits of their own")?;
        let model = options.named_model("\"bge-reranker-v2-m3\" or \"pinecone-rerank-v0\"")?;
        if model == Self::COHERE {
            let instead = "that model splits long documents itself";
            options.without_truncate("cohere-rerank-3.5 at Pinecone", instead)?;
        }
        let most = if model == Self::COHERE { 200 } else { 100 };
        let truncate = options.truncate.or(limits(&model).map(|_| true));
        Ok(Self { model, documents: options.documents_up_to(most, Self::NAME)?, truncate })
    }
}

impl Api for Pinecone {
    fn call(&self, query: &str, documents: &[String]) -> Call {
        let body = Body {
            model: &self.model,
            query,
            documents: documents.iter().map(|text| Document { text }).collect(),
            top_n: documents.len(),
            return_documents: false,
            parameters: self
                .truncate
                .map(|cut| Parameters { truncate: if cut { "END" } else { "NONE" } }),
        };
        Call::post("/rerank", &body).with_header("X-Pinecone-Api-Version", Self::VERSION)
    }

    fn read(&self, reply: &Reply) -> Result<Scored, HttpError> {
        let answer: Answer = reply.json()?;
        let units = answer.usage.and_then(|usage| usage.rerank_units);
        let scores = answer.data.iter().map(|row| (row.index, row.score)).collect();
        Ok(Scored { scores, units, tokens: None, server: None })
    }

    /// As its specification describes scores.
    fn score_range(&self) -> RangeInclusive<f64> {
        0.0..=1.0
    }

    fn documents_a_call(&self) -> usize {
        self.documents
    }

    /// Rerank units: one a request, which the limit of 100 documents bounds. For the model that
    /// takes more, one for every 100 documents, as its maker bills.
    fn bill(&self, tokens: &CallTokens<'_>) -> Bill {
        let documents = tokens.documents.len() as u64;
        Bill { units: documents.div_ceil(100).max(1), chunks: 0 }
    }

    fn truncation(&self, tokens: &CallTokens<'_>) -> Option<TruncationAudit> {
        Some(limits(&self.model)?.audit(tokens, self.truncate?))
    }
}

/// What the models read that have the parameter `truncate`; `None` for others.
fn limits(model: &str) -> Option<Limits> {
    let (pair, special) = match model {
        "bge-reranker-v2-m3" => (1_024, 4),
        "pinecone-rerank-v0" => (512, 3),
        _ => return None,
    };
    Some(Limits { query: u64::MAX, pair, special })
}

#[cfg(test)]
mod tests {
    use secondpass_http::ErrorKind;
    use serde_json::{Value, json};

    use super::super::stub;
    use super::*;

    fn options(model: &str) -> Options {
        Options { model: Some(model.to_owned()), ..Options::default() }
    }

    fn pinecone() -> Pinecone {
        Pinecone::new(&options("bge-reranker-v2-m3")).unwrap()
    }

    #[test]
    fn asks_for_all_scores_and_no_documents() {
        let texts = ["Pay here.", "Reset it."];
        let (request, body) = stub::asked(&pinecone(), "late invoice", &texts);
        assert_eq!(request.url, "https://rerank.example/rerank");
        let version = ("X-Pinecone-Api-Version".to_owned(), "2026-07".to_owned());
        assert_eq!(request.headers, [version]);
        assert_eq!(
            body,
            json!({
                "model": "bge-reranker-v2-m3",
                "query": "late invoice",
                "documents": [{"text": "Pay here."}, {"text": "Reset it."}],
                "top_n": 2,
                "return_documents": false,
                "parameters": {"truncate": "END"}
            })
        );
    }

    #[test]
    fn models_have_their_own_parameters() {
        let parameters = |options: Options| {
            stub::asked(&Pinecone::new(&options).unwrap(), "q", &["d"]).1["parameters"].clone()
        };
        let whole = Options { truncate: Some(false), ..options("pinecone-rerank-v0") };
        assert_eq!(parameters(whole), json!({"truncate": "NONE"}));
        assert_eq!(parameters(options("cohere-rerank-3.5")), Value::Null);
        assert_eq!(parameters(options("newer")), Value::Null);
        let told = Options { truncate: Some(true), ..options("newer") };
        assert_eq!(parameters(told), json!({"truncate": "END"}));
    }

    #[test]
    fn reads_scores_and_units() {
        let body = r#"{"model":"bge-reranker-v2-m3","data":[{"index":1,"score":0.48,
            "document":{"id":"7","text":"x"}},{"index":0,"score":0.01}],"usage":{"rerank_units":1}}"#;
        let scored = stub::read(&pinecone(), &[], body).unwrap();
        assert_eq!(scored.scores, [(1, 0.48), (0, 0.01)]);
        assert_eq!((scored.units, scored.tokens), (Some(1), None));
        let untold = r#"{"data":[{"index":0,"score":1}]}"#;
        assert_eq!(stub::read(&pinecone(), &[], untold).unwrap().units, None);
        assert_eq!(pinecone().score_range(), 0.0..=1.0);
    }

    #[test]
    fn other_forms_are_errors() {
        for body in [
            r#"{"results":[{"index":0,"score":1}]}"#,
            r#"{"data":[{"index":0}]}"#,
            r#"{"data":[{"score":1}]}"#,
        ] {
            let error = stub::read(&pinecone(), &[], body).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::NotJson, "{body}");
        }
        let body =
            r#"{"error":{"code":"UNAUTHENTICATED","message":"Invalid API key."},"status":401}"#;
        let error = stub::refused(&pinecone(), 401, body);
        assert!(error.is_final() && error.to_string().contains("Invalid API key."), "{error}");
    }

    #[test]
    fn a_request_is_a_unit() {
        let units = |api: &Pinecone, documents: usize| {
            api.bill(&CallTokens { query: 900, documents: &vec![900; documents] }).units
        };
        assert_eq!([1, 100].map(|n| units(&pinecone(), n)), [1, 1]);
        let cohere = Pinecone::new(&options("cohere-rerank-3.5")).unwrap();
        assert_eq!([100, 101, 200].map(|n| units(&cohere, n)), [1, 2, 2]);
        assert_eq!((pinecone().documents_a_call(), cohere.documents_a_call()), (100, 200));
    }

    #[test]
    fn long_pairs_are_cut_at_the_models_limit() {
        let tokens = CallTokens { query: 20, documents: &[1_000, 1_001] };
        let audit = pinecone().truncation(&tokens).unwrap();
        assert_eq!((audit.pairs, audit.pairs_cut, audit.tokens_cut), (2, 1, 1));
        let whole = Options { truncate: Some(false), ..options("bge-reranker-v2-m3") };
        let audit = Pinecone::new(&whole).unwrap().truncation(&tokens).unwrap();
        assert_eq!(audit.pairs_cut, 0);
        let cohere = Pinecone::new(&options("cohere-rerank-3.5")).unwrap();
        assert_eq!(cohere.truncation(&tokens), None);
    }

    #[test]
    fn options_that_it_does_not_know_are_refused() {
        let refused = |options: Options| Pinecone::new(&options).unwrap_err().key;
        assert_eq!(refused(Options::default()), "model");
        let long = Options { max_tokens_per_doc: Some(1), ..options("bge-reranker-v2-m3") };
        assert_eq!(refused(long), "max_tokens_per_doc");
        let many = Options { documents_per_call: Some(101), ..options("bge-reranker-v2-m3") };
        assert_eq!(refused(many), "documents_per_call");
        let cohere = Options { truncate: Some(true), ..options("cohere-rerank-3.5") };
        assert_eq!(refused(cohere), "truncate");
    }
}
