use secondpass_http::{Call, HttpError, Reply};
use serde::{Deserialize, Serialize};

use super::{Api, Bill, CallTokens, OptionError, Options, Scored};

/// Servers that the user runs and that understand Cohere's request, `POST /rerank` under the base URL:
/// vLLM (`vllm/entrypoints/pooling/score`), Infinity (`libs/infinity_emb`), llama.cpp
/// (`tools/server`), and others that took the form over. A base URL that ends in `/v1` or `/v2` works
/// where the server has that path.
///
/// Nobody bills a call. What a server does with a pair longer than its model reads differs: vLLM and
/// llama.cpp refuse it, Infinity cuts it and does not tell; so what is cut is unknown. With
/// `truncate = true` vLLM cuts too. `max_tokens_per_doc` is sent, and vLLM cuts documents there;
/// the others do not know it. Scores may be logits or probabilities.
#[derive(Clone, Debug)]
pub struct CohereCompatible {
    model: Option<String>,
    max_tokens_per_doc: Option<usize>,
    truncate: bool,
    documents: usize,
}

/// Without `top_n` all of them give all results. Infinity and llama.cpp pass over fields that they do
/// not know.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    query: &'a str,
    documents: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens_per_doc: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncate_prompt_tokens: Option<i64>,
}

/// Cohere's names, or those of text-embeddings-inference and Mixedbread, which some servers mix in.
#[derive(Deserialize)]
struct Answer {
    #[serde(alias = "data")]
    results: Vec<Row>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Row {
    index: usize,
    #[serde(alias = "score")]
    relevance_score: f64,
}

#[derive(Deserialize)]
struct Usage {
    total_tokens: Option<u64>,
}

impl CohereCompatible {
    const NAME: &'static str = "a cohere-compatible server";

    /// Documents of a call that all of them take: Infinity's limit, the only one known.
    const MOST_DOCUMENTS: usize = 2_048;
    /// vLLM's word for as much as the model reads.
    const WHAT_THE_MODEL_READS: i64 = -1;

    /// An adapter for one server; the model may be missing where the server has one only.
    ///
    /// # Errors
    /// More than 2,048 documents a call, an empty model, `max_tokens_per_doc = 0`, and
    /// `truncate = false`, which no server would obey that cuts by itself.
    pub fn new(options: &Options) -> Result<Self, OptionError> {
        let named = || options.named_model("the one it serves, or leave it out");
        let refused = |key, found: &str, allowed: &str| OptionError {
            key,
            found: Some(found.to_owned()),
            allowed: allowed.to_owned(),
        };
        if options.truncate == Some(false) {
            let allowed = "true, with which vLLM cuts, or leave it out for the server's own way";
            return Err(refused("truncate", "false", allowed));
        }
        if options.max_tokens_per_doc == Some(0) {
            return Err(refused("max_tokens_per_doc", "0", "a number from 1, or leave it out"));
        }
        Ok(Self {
            model: options.model.as_ref().map(|_| named()).transpose()?,
            max_tokens_per_doc: options.max_tokens_per_doc,
            truncate: options.truncate.unwrap_or(false),
            documents: options.documents_up_to(Self::MOST_DOCUMENTS, Self::NAME)?,
        })
    }
}

impl Api for CohereCompatible {
    fn call(&self, query: &str, documents: &[String]) -> Call {
        let body = Body {
            model: self.model.as_deref(),
            query,
            documents,
            max_tokens_per_doc: self.max_tokens_per_doc,
            truncate_prompt_tokens: self.truncate.then_some(Self::WHAT_THE_MODEL_READS),
        };
        Call::post("/rerank", &body)
    }

    fn read(&self, reply: &Reply) -> Result<Scored, HttpError> {
        let answer: Answer = reply.json()?;
        // Early llama.cpp writes 0 for what it did not count.
        let tokens = answer.usage.and_then(|usage| usage.total_tokens).filter(|&tokens| tokens > 0);
        let scores = answer.results.iter().map(|row| (row.index, row.relevance_score)).collect();
        Ok(Scored { scores, units: None, tokens, server: None })
    }

    fn documents_a_call(&self) -> usize {
        self.documents
    }

    fn bill(&self, _tokens: &CallTokens<'_>) -> Bill {
        Bill::default()
    }
}

#[cfg(test)]
mod tests {
    use secondpass_http::ErrorKind;
    use serde_json::json;

    use super::super::stub;
    use super::*;

    fn plain() -> CohereCompatible {
        CohereCompatible::new(&Options::default()).unwrap()
    }

    #[test]
    fn asks_for_all_scores_and_no_documents() {
        let (request, body) = stub::asked(&plain(), "late invoice", &["Pay here.", "Reset it."]);
        assert_eq!(request.url, "https://rerank.example/rerank");
        let documents = ["Pay here.", "Reset it."];
        assert_eq!(body, json!({ "query": "late invoice", "documents": documents }));
        let options = Options {
            model: Some("BAAI/bge-reranker-v2-m3".to_owned()),
            max_tokens_per_doc: Some(512),
            truncate: Some(true),
            ..Options::default()
        };
        let (_, body) = stub::asked(&CohereCompatible::new(&options).unwrap(), "q", &["d"]);
        assert_eq!(
            body,
            json!({
                "model": "BAAI/bge-reranker-v2-m3",
                "query": "q",
                "documents": ["d"],
                "max_tokens_per_doc": 512,
                "truncate_prompt_tokens": -1
            })
        );
    }

    #[test]
    fn reads_what_each_server_answers() {
        let vllm = r#"{"id":"rerank-1","model":"m","usage":{"prompt_tokens":56,"total_tokens":56},
            "results":[{"index":1,"document":{"text":"x","multi_modal":null},"relevance_score":0.99},
            {"index":0,"document":{"text":"y"},"relevance_score":0.0005}]}"#;
        let infinity = r#"{"object":"rerank","results":[{"relevance_score":0.99,"index":1,
            "document":null},{"relevance_score":0.0005,"index":0,"document":null}],"model":"m",
            "usage":{"prompt_tokens":56,"total_tokens":56},"id":"infinity-1","created":1}"#;
        let llama_cpp = r#"{"model":"m","object":"list","usage":{"prompt_tokens":56,
            "total_tokens":56},"results":[{"index":1,"relevance_score":0.99},
            {"index":0,"relevance_score":0.0005}]}"#;
        let mixed = r#"{"data":[{"index":1,"score":0.99},{"index":0,"score":0.0005}],
            "usage":{"total_tokens":56}}"#;
        for body in [vllm, infinity, llama_cpp, mixed] {
            let scored = stub::read(&plain(), &[], body).unwrap();
            assert_eq!(scored.scores, [(1, 0.99), (0, 0.0005)], "{body}");
            assert_eq!((scored.units, scored.tokens), (None, Some(56)), "{body}");
        }
    }

    #[test]
    fn tokens_that_nobody_counted_are_not_told() {
        for usage in ["", r#","usage":null"#, r#","usage":{}"#, r#","usage":{"total_tokens":0}"#] {
            let body = format!(r#"{{"results":[{{"index":0,"relevance_score":-4.5}}]{usage}}}"#);
            let scored = stub::read(&plain(), &[], &body).unwrap();
            assert_eq!((scored.scores, scored.tokens), (vec![(0, -4.5)], None), "{usage}");
        }
    }

    #[test]
    fn other_forms_are_errors() {
        for body in [
            r#"[{"index":0,"score":1}]"#,
            r#"{"results":[{"index":0}]}"#,
            r#"{"results":[{"index":0,"relevance_score":1,"score":1}]}"#,
            r#"{"results":[],"data":[]}"#,
            r#"{"error":{"message":"no"}}"#,
        ] {
            let error = stub::read(&plain(), &[], body).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::NotJson, "{body}");
        }
        let body = r#"{"error":{"code":500,"message":"input is too large","type":"server_error"}}"#;
        let error = stub::refused(&plain(), 500, body);
        assert!(error.to_string().contains("input is too large"), "{error}");
    }

    #[test]
    fn nobody_bills_and_nobody_tells_what_is_cut() {
        let tokens = CallTokens { query: 10, documents: &[10_000] };
        assert_eq!(plain().bill(&tokens), Bill::default());
        assert_eq!(plain().truncation(&tokens), None);
        assert_eq!(plain().documents_a_call(), 2_048);
    }

    #[test]
    fn options_that_cannot_be_kept_are_refused() {
        let wrong = |options: Options| CohereCompatible::new(&options).unwrap_err().to_string();
        let none = Options::default;
        for (options, told) in [
            (Options { truncate: Some(false), ..none() }, "'truncate' is false: true, with which"),
            (Options { max_tokens_per_doc: Some(0), ..none() }, "'max_tokens_per_doc' is 0: a"),
            (Options { model: Some(" ".to_owned()), ..none() }, "'model' is empty: name one"),
            (Options { documents_per_call: Some(2_049), ..none() }, "takes from 1 to 2048"),
        ] {
            let error = wrong(options);
            assert!(error.contains(told), "{error}");
        }
    }
}
