use std::ops::RangeInclusive;

use secondpass_http::{Call, HttpError, Reply};
use serde::{Deserialize, Serialize};

use super::limits::pair_tokens;
use super::{Api, Bill, CallTokens, OptionError, Options, Scored};

/// Mixedbread, `POST /v1/reranking` (mixedbread.com/api-reference/endpoints/reranking).
///
/// It cuts documents that are too long for a model and does not tell where, so there is no audit.
/// It refuses an empty query, and one of over 32,000 characters.
#[derive(Clone, Debug)]
pub struct Mixedbread {
    model: String,
    documents: usize,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    query: &'a str,
    input: &'a [String],
    top_k: usize,
    return_input: bool,
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
    total_tokens: Option<u64>,
}

impl Mixedbread {
    const NAME: &'static str = "Mixedbread";

    /// An adapter for one model.
    ///
    /// # Errors
    /// No model, more than 1,000 documents a call, `max_tokens_per_doc` or `truncate`.
    pub fn new(options: &Options) -> Result<Self, OptionError> {
        let instead = "it always cuts documents to what the model reads";
        options.without_max_tokens(Self::NAME, instead)?;
        options.without_truncate(Self::NAME, instead)?;
        Ok(Self {
            model: options.named_model("\"mixedbread-ai/mxbai-rerank-large-v2\"")?,
            documents: options.documents_up_to(1_000, Self::NAME)?,
        })
    }
}

impl Api for Mixedbread {
    fn call(&self, query: &str, documents: &[String]) -> Call {
        Call::post(
            "/v1/reranking",
            &Body {
                model: &self.model,
                query,
                input: documents,
                top_k: documents.len(),
                return_input: false,
            },
        )
    }

    fn read(&self, reply: &Reply) -> Result<Scored, HttpError> {
        let answer: Answer = reply.json()?;
        let tokens = answer.usage.and_then(|usage| usage.total_tokens);
        let scores = answer.data.iter().map(|row| (row.index, row.score)).collect();
        Ok(Scored { scores, units: tokens, tokens, server: None })
    }

    /// As its client library describes scores.
    fn score_range(&self) -> RangeInclusive<f64> {
        0.0..=1.0
    }

    fn documents_a_call(&self) -> usize {
        self.documents
    }

    /// Tokens. Its rule is not told; this counts the query with every document, as a cross-encoder
    /// reads it, which is the larger of the two rules in use.
    fn bill(&self, tokens: &CallTokens<'_>) -> Bill {
        Bill { units: pair_tokens(tokens), chunks: 0 }
    }
}

#[cfg(test)]
mod tests {
    use secondpass_http::ErrorKind;
    use serde_json::json;

    use super::super::stub;
    use super::*;

    fn options() -> Options {
        let model = Some("mixedbread-ai/mxbai-rerank-large-v2".to_owned());
        Options { model, ..Options::default() }
    }

    fn mixedbread() -> Mixedbread {
        Mixedbread::new(&options()).unwrap()
    }

    #[test]
    fn asks_for_all_scores_and_no_input() {
        let texts = ["Pay here.", "Reset it."];
        let (request, body) = stub::asked(&mixedbread(), "late invoice", &texts);
        assert_eq!(request.url, "https://rerank.example/v1/reranking");
        assert_eq!(
            body,
            json!({
                "model": "mixedbread-ai/mxbai-rerank-large-v2",
                "query": "late invoice",
                "input": ["Pay here.", "Reset it."],
                "top_k": 2,
                "return_input": false
            })
        );
    }

    #[test]
    fn reads_scores_and_tokens() {
        let body = r#"{"usage":{"prompt_tokens":61,"total_tokens":61,"completion_tokens":null},
            "model":"mixedbread-ai/mxbai-rerank-large-v2","data":[
            {"index":1,"score":0.91,"input":null,"object":"rank_result"},{"index":0,"score":0.1}],
            "object":"list","top_k":2,"return_input":false}"#;
        let scored = stub::read(&mixedbread(), &[], body).unwrap();
        assert_eq!(scored.scores, [(1, 0.91), (0, 0.1)]);
        assert_eq!((scored.units, scored.tokens), (Some(61), Some(61)));
        assert_eq!(mixedbread().score_range(), 0.0..=1.0);
        let untold = r#"{"data":[{"index":0,"score":1}],"usage":null}"#;
        assert_eq!(stub::read(&mixedbread(), &[], untold).unwrap().units, None);
    }

    #[test]
    fn other_forms_are_errors() {
        for body in [
            r#"{"results":[{"index":0,"score":1}]}"#,
            r#"{"data":[{"index":0,"relevance_score":1}]}"#,
            "[]",
        ] {
            let error = stub::read(&mixedbread(), &[], body).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::NotJson, "{body}");
        }
        let body = r#"{"type":"too_many_requests_error","message":"Rate limit exceeded."}"#;
        let error = stub::refused(&mixedbread(), 429, body);
        assert!(error.to_string().contains("Rate limit exceeded."), "{error}");
    }

    #[test]
    fn the_estimate_counts_the_query_with_every_document() {
        let tokens = CallTokens { query: 10, documents: &[100, 200] };
        assert_eq!(mixedbread().bill(&tokens), Bill { units: 320, chunks: 0 });
        assert_eq!(mixedbread().truncation(&tokens), None);
    }

    #[test]
    fn options_that_it_does_not_know_are_refused() {
        let refused = |options: Options| Mixedbread::new(&options).unwrap_err().key;
        assert_eq!(refused(Options::default()), "model");
        assert_eq!(refused(Options { truncate: Some(true), ..options() }), "truncate");
        let long = Options { max_tokens_per_doc: Some(1), ..options() };
        assert_eq!(refused(long), "max_tokens_per_doc");
        let many = Options { documents_per_call: Some(1_001), ..options() };
        assert_eq!(refused(many), "documents_per_call");
    }
}
