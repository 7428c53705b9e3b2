use std::ops::RangeInclusive;

use secondpass_core::Scoring;
use secondpass_http::{Call, HttpError, Reply};
use serde::{Deserialize, Serialize};

use super::{Api, Bill, CallTokens, OptionError, Options, Scored};

/// Jina AI, `POST /v1/rerank` (api.jina.ai/openapi.json).
///
/// What it does with documents that are longer than a model reads is not told: the cards of the
/// models name 1,024 tokens in windows for `jina-reranker-v2-base-multilingual` and 131,072 for all
/// documents of `jina-reranker-v3` together, and say nothing of the API. So there is no audit.
#[derive(Clone, Debug)]
pub struct Jina {
    model: String,
    documents: usize,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    query: &'a str,
    documents: &'a [String],
    top_n: usize,
    return_documents: bool,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Row>,
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

impl Jina {
    const NAME: &'static str = "Jina";

    /// An adapter for one model. Jina names no limit of documents a call; 1,000 are sent at most.
    ///
    /// # Errors
    /// No model, more than 1,000 documents a call, `max_tokens_per_doc` or `truncate`.
    pub fn new(options: &Options) -> Result<Self, OptionError> {
        let instead = "it does not tell how it treats long documents";
        options.without_max_tokens(Self::NAME, instead)?;
        options.without_truncate(Self::NAME, instead)?;
        Ok(Self {
            model: options
                .named_model("\"jina-reranker-v3\" or \"jina-reranker-v2-base-multilingual\"")?,
            documents: options.documents_up_to(1_000, Self::NAME)?,
        })
    }

    /// How the model comes to a score: v3 reads up to 64 documents of a call together
    /// ("jina-reranker-v3: Last but Not Late Interaction for Listwise Document Reranking", 2025),
    /// the others each pair.
    pub fn scoring(&self) -> Scoring {
        match self.model.starts_with("jina-reranker-v3") {
            true => Scoring::Listwise,
            false => Scoring::Pointwise,
        }
    }
}

impl Api for Jina {
    fn call(&self, query: &str, documents: &[String]) -> Call {
        Call::post(
            "/v1/rerank",
            &Body {
                model: &self.model,
                query,
                documents,
                top_n: documents.len(),
                return_documents: false,
            },
        )
    }

    fn read(&self, reply: &Reply) -> Result<Scored, HttpError> {
        let answer: Answer = reply.json()?;
        let tokens = answer.usage.and_then(|usage| usage.total_tokens);
        let scores = answer.results.iter().map(|row| (row.index, row.relevance_score)).collect();
        Ok(Scored { scores, units: tokens, tokens, server: None })
    }

    /// A probability, or for v3 a cosine, which can be negative; its ColBERT models add up cosines.
    fn score_range(&self) -> RangeInclusive<f64> {
        match self.model.starts_with("jina-reranker-") {
            true => -1.0..=1.0,
            false => f64::MIN..=f64::MAX,
        }
    }

    fn documents_a_call(&self) -> usize {
        self.documents
    }

    /// Tokens of the request: the query once, each document once, and two special tokens for each
    /// of them. Jina says no more than that it counts "the input request"; with the tokenizer of
    /// `jina-reranker-v2-base-multilingual` (XLM-RoBERTa's) this rule, and no other that was tried,
    /// gives the `total_tokens` of published answers: 815 for the ten documents of its own example.
    fn bill(&self, tokens: &CallTokens<'_>) -> Bill {
        let texts = tokens.documents.len() as u64 + 1;
        let documents = tokens.documents.iter().fold(tokens.query, |a, &b| a.saturating_add(b));
        Bill { units: documents.saturating_add(2 * texts), chunks: 0 }
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

    fn jina() -> Jina {
        Jina::new(&options("jina-reranker-v2-base-multilingual")).unwrap()
    }

    #[test]
    fn asks_for_all_scores_and_no_documents() {
        let (request, body) = stub::asked(&jina(), "late invoice", &["Pay here.", "Reset it."]);
        assert_eq!(request.url, "https://rerank.example/v1/rerank");
        assert_eq!(
            body,
            json!({
                "model": "jina-reranker-v2-base-multilingual",
                "query": "late invoice",
                "documents": ["Pay here.", "Reset it."],
                "top_n": 2,
                "return_documents": false
            })
        );
    }

    #[test]
    fn reads_scores_and_tokens() {
        let body = r#"{"model":"jina-reranker-v3","object":"list","usage":{"total_tokens":38,
            "prompt_tokens":38},"results":[{"index":1,"document":{"text":"x"},
            "relevance_score":0.87},{"index":0,"relevance_score":-0.06}]}"#;
        let scored = stub::read(&jina(), &[], body).unwrap();
        assert_eq!(scored.scores, [(1, 0.87), (0, -0.06)]);
        assert_eq!((scored.units, scored.tokens, scored.server), (Some(38), Some(38), None));
        let untold = r#"{"results":[{"index":0,"relevance_score":1}]}"#;
        assert_eq!(stub::read(&jina(), &[], untold).unwrap().units, None);
    }

    #[test]
    fn other_forms_are_errors() {
        for body in [
            r#"{"data":[{"index":0,"relevance_score":1}]}"#,
            r#"{"results":[{"index":0,"score":1}]}"#,
            r#"{"results":[{"index":"0","relevance_score":1}]}"#,
            r#"{"results":{}}"#,
        ] {
            let error = stub::read(&jina(), &[], body).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::NotJson, "{body}");
        }
        let body = r#"{"detail":"Insufficient account balance",
            "code":"AUTHZ_INSUFFICIENT_BALANCE","request_id":"7"}"#;
        let error = stub::refused(&jina(), 403, body);
        assert!(error.is_final(), "{error}");
        assert!(error.to_string().contains("Insufficient account balance"), "{error}");
    }

    /// An answer that was published with its texts: four documents about learning, `total_tokens`
    /// 50.
    #[test]
    fn bills_as_published_answers_do() {
        let tokens = CallTokens { query: 4, documents: &[9, 9, 8, 10] };
        assert_eq!(jina().bill(&tokens), Bill { units: 50, chunks: 0 });
    }

    #[test]
    fn what_it_cuts_is_unknown() {
        let tokens = CallTokens { query: 4, documents: &[9_000] };
        assert_eq!(jina().truncation(&tokens), None);
    }

    #[test]
    fn version_three_is_listwise() {
        assert_eq!(jina().scoring(), Scoring::Pointwise);
        let third = Jina::new(&options("jina-reranker-v3")).unwrap();
        assert_eq!(third.scoring(), Scoring::Listwise);
        assert_eq!(third.score_range(), -1.0..=1.0);
        let sums = Jina::new(&options("jina-colbert-v2")).unwrap();
        assert!(sums.score_range().contains(&17.5));
    }

    #[test]
    fn options_that_it_does_not_know_are_refused() {
        assert_eq!(Jina::new(&Options::default()).unwrap_err().key, "model");
        let base = || options("jina-reranker-m0");
        let refused = |options: Options| Jina::new(&options).unwrap_err().key;
        assert_eq!(refused(Options { truncate: Some(true), ..base() }), "truncate");
        let long = Options { max_tokens_per_doc: Some(1), ..base() };
        assert_eq!(refused(long), "max_tokens_per_doc");
        let many = Options { documents_per_call: Some(1_001), ..base() };
        assert_eq!(refused(many), "documents_per_call");
    }
}
