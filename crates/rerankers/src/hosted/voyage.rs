use secondpass_core::TruncationAudit;
use secondpass_http::{Call, HttpError, Reply};
use serde::{Deserialize, Serialize};

use super::limits::{Limits, pair_tokens};
use super::{Api, Bill, CallTokens, OptionError, Options, Scored};

/// Voyage AI, `POST /v1/rerank` (docs.voyageai.com/reference/reranker-api).
///
/// Unless told otherwise it cuts the query, then the document, to what the model reads; with
/// `truncate = false` it refuses what is longer. Beside 1,000 documents it refuses calls of more
/// than 600,000 tokens in all (300,000 for the first models), the query counted with every
/// document: for long documents set `documents_per_call` accordingly.
#[derive(Clone, Debug)]
pub struct Voyage {
    model: String,
    documents: usize,
    truncate: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    query: &'a str,
    documents: &'a [String],
    model: &'a str,
    top_k: usize,
    return_documents: bool,
    truncation: bool,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Row>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Row {
    index: usize,
    relevance_score: f64,
}

#[derive(Deserialize)]
struct Usage {
    total_tokens: Option<u64>,
}

impl Voyage {
    const NAME: &'static str = "Voyage";

    /// An adapter for one model; `truncate` is true unless it is given.
    ///
    /// # Errors
    /// No model, more than 1,000 documents a call, or `max_tokens_per_doc`.
    pub fn new(options: &Options) -> Result<Self, OptionError> {
        options.without_max_tokens(Self::NAME, "it cuts pairs to what the model reads")?;
        Ok(Self {
            model: options.named_model("\"rerank-2.5\" or \"rerank-2.5-lite\"")?,
            documents: options.documents_up_to(1_000, Self::NAME)?,
            truncate: options.truncate.unwrap_or(true),
        })
    }

    /// What its documentation says that the model reads; `None` for one that it does not name. Its
    /// special tokens are not told.
    fn limits(&self) -> Option<Limits> {
        let (query, pair) = match self.model.as_str() {
            "rerank-3" | "rerank-3-lite" | "rerank-2.5" | "rerank-2.5-lite" => (8_000, 32_000),
            "rerank-2" => (4_000, 16_000),
            "rerank-2-lite" | "rerank-1" => (2_000, 8_000),
            "rerank-lite-1" => (1_000, 4_000),
            _ => return None,
        };
        Some(Limits { query, pair, special: 0 })
    }
}

impl Api for Voyage {
    fn call(&self, query: &str, documents: &[String]) -> Call {
        Call::post(
            "/v1/rerank",
            &Body {
                query,
                documents,
                model: &self.model,
                top_k: documents.len(),
                return_documents: false,
                truncation: self.truncate,
            },
        )
    }

    fn read(&self, reply: &Reply) -> Result<Scored, HttpError> {
        let answer: Answer = reply.json()?;
        let tokens = answer.usage.and_then(|usage| usage.total_tokens);
        let scores = answer.data.iter().map(|row| (row.index, row.relevance_score)).collect();
        Ok(Scored { scores, units: tokens, tokens, server: None })
    }

    fn documents_a_call(&self) -> usize {
        self.documents
    }

    /// Tokens, the query counted with every document (docs.voyageai.com/docs/pricing). Whether
    /// tokens that are cut away are billed is not told: they count.
    fn bill(&self, tokens: &CallTokens<'_>) -> Bill {
        Bill { units: pair_tokens(tokens), chunks: 0 }
    }

    fn truncation(&self, tokens: &CallTokens<'_>) -> Option<TruncationAudit> {
        Some(self.limits()?.audit(tokens, self.truncate))
    }
}

#[cfg(test)]
mod tests {
    use secondpass_http::ErrorKind;
    use serde_json::json;

    use super::super::stub;
    use super::*;

    fn options(model: &str) -> Options {
        Options { model: Some(model.to_owned()), ..Options::default() }
    }

    fn voyage() -> Voyage {
        Voyage::new(&options("rerank-2.5")).unwrap()
    }

    #[test]
    fn asks_for_all_scores_and_no_documents() {
        let (request, body) = stub::asked(&voyage(), "late invoice", &["Pay here.", "Reset it."]);
        assert_eq!(request.url, "https://rerank.example/v1/rerank");
        assert_eq!(
            body,
            json!({
                "query": "late invoice",
                "documents": ["Pay here.", "Reset it."],
                "model": "rerank-2.5",
                "top_k": 2,
                "return_documents": false,
                "truncation": true
            })
        );
        let whole = Options { truncate: Some(false), ..options("rerank-2.5") };
        let (_, body) = stub::asked(&Voyage::new(&whole).unwrap(), "q", &["d"]);
        assert_eq!(body["truncation"], json!(false));
    }

    #[test]
    fn reads_scores_and_tokens() {
        let body = r#"{"object":"list","data":[{"relevance_score":0.93,"index":1,"document":"x"},
            {"relevance_score":-0.5,"index":0}],"model":"rerank-2.5","usage":{"total_tokens":26}}"#;
        let scored = stub::read(&voyage(), &[], body).unwrap();
        assert_eq!(scored.scores, [(1, 0.93), (0, -0.5)]);
        assert_eq!((scored.units, scored.tokens), (Some(26), Some(26)));
        for usage in ["", r#","usage":null"#, r#","usage":{}"#] {
            let body = format!(r#"{{"data":[{{"relevance_score":1,"index":0}}]{usage}}}"#);
            assert_eq!(stub::read(&voyage(), &[], &body).unwrap().units, None, "{usage}");
        }
    }

    #[test]
    fn other_forms_are_errors() {
        for body in [
            r#"{"results":[{"relevance_score":1,"index":0}]}"#,
            r#"{"data":[{"relevance_score":1}]}"#,
            r#"{"data":[{"relevance_score":1,"index":-1}]}"#,
            r#"{"data":[{"relevance_score":1,"index":0.5}]}"#,
            r#"{"data":[{"index":0}]}"#,
            r#"{"data":[{"relevance_score":null,"index":0}]}"#,
            r#"{"data":[{"relevance_score":NaN,"index":0}]}"#,
            r#"{"data":[{"relevance_score":"1","index":0}]}"#,
            r#"{"data":[{"relevance_score":1,"index":0}],"usage":{"total_tokens":-3}}"#,
            "<html>",
        ] {
            let error = stub::read(&voyage(), &[], body).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::NotJson, "{body}");
        }
        let error = stub::refused(&voyage(), 400, r#"{"detail":"The request body is wrong."}"#);
        assert!(error.to_string().contains("The request body is wrong."), "{error}");
    }

    #[test]
    fn the_query_is_billed_with_every_document() {
        let tokens = CallTokens { query: 10, documents: &[100, 200, 300] };
        assert_eq!(voyage().bill(&tokens), Bill { units: 630, chunks: 0 });
    }

    #[test]
    fn each_model_cuts_at_its_own_limits() {
        let cut = |model: &str, query, document| {
            let tokens = CallTokens { query, documents: &[document] };
            Voyage::new(&options(model)).unwrap().truncation(&tokens).map(|a| a.tokens_cut)
        };
        assert_eq!(cut("rerank-2.5-lite", 8_000, 24_000), Some(0));
        assert_eq!(cut("rerank-2.5-lite", 8_010, 24_001), Some(11));
        assert_eq!(cut("rerank-2", 4_001, 1), Some(1));
        assert_eq!(cut("rerank-1", 10, 8_000), Some(10));
        assert_eq!(cut("rerank-lite-1", 1_000, 3_001), Some(1));
        assert_eq!(cut("rerank-9", 1, 1), None);
    }

    #[test]
    fn options_that_it_does_not_know_are_refused() {
        let none = Options::default();
        assert_eq!(Voyage::new(&none).unwrap_err().key, "model");
        let long = Options { max_tokens_per_doc: Some(512), ..options("rerank-2.5") };
        assert_eq!(Voyage::new(&long).unwrap_err().key, "max_tokens_per_doc");
        let many = Options { documents_per_call: Some(1_001), ..options("rerank-2.5") };
        assert_eq!(Voyage::new(&many).unwrap_err().key, "documents_per_call");
        let few = Options { documents_per_call: Some(50), ..options("rerank-2.5") };
        assert_eq!(Voyage::new(&few).unwrap().documents_a_call(), 50);
        assert_eq!(voyage().documents_a_call(), 1_000);
    }
}
