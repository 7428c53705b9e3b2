use std::time::Duration;

use secondpass_core::{Context, TruncationAudit};
use secondpass_http::{Call, Client, HttpError, Reply};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::limits::Limits;
use super::{Api, Bill, CallTokens, OptionError, Options, Scored};

/// Hugging Face's text-embeddings-inference, `POST /rerank` (its `router/src/http`), which users
/// run themselves and nobody bills.
///
/// Scores are asked for raw: after the sigmoid, 32-bit floats tie at both ends. `truncate` is
/// always sent, because what a server does without it is a flag of its own (`--auto-truncate`).
/// Unless the config says otherwise it is true: one long pair would else have the whole call
/// refused (413). The server then cuts the longer of query and document first and does not say so;
/// [`Api::truncation`] does, once it knows the model's length from [`Tei::with_info`].
#[derive(Clone, Debug)]
pub struct Tei {
    model: Option<String>,
    /// From the config.
    asked: Option<usize>,
    documents: usize,
    truncate: bool,
    limits: Option<Limits>,
}

/// What a server says of itself. All but the model's name is missing in some versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeiInfo {
    /// The model's hub id, or its folder on the server.
    pub model: String,
    /// The hub revision.
    pub revision: Option<String>,
    /// The number format it computes in (`float16`).
    pub dtype: Option<String>,
    /// The longest pair in tokens, special ones included.
    pub max_input_length: Option<usize>,
    /// Texts a call at most.
    pub max_client_batch_size: Option<usize>,
    /// The server's own version.
    pub version: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    query: &'a str,
    texts: &'a [String],
    truncate: bool,
    raw_scores: bool,
    return_text: bool,
}

#[derive(Deserialize)]
struct Rank {
    index: usize,
    score: f64,
}

#[derive(Deserialize)]
struct Info {
    model_id: String,
    model_sha: Option<String>,
    model_dtype: Option<String>,
    model_type: Option<Value>,
    max_input_length: Option<usize>,
    max_client_batch_size: Option<usize>,
    version: Option<String>,
}

impl Tei {
    const NAME: &'static str = "text-embeddings-inference";
    /// Texts a call unless the server was started with another `--max-client-batch-size`.
    const DOCUMENTS: usize = 32;
    /// Special tokens of a pair: XLM-RoBERTa's, the most that any of its rerankers has.
    const SPECIAL: u64 = 4;

    /// An adapter for the model of a server, of which nothing is known yet. A model in the options
    /// is not sent; [`Tei::with_info`] holds the server to it.
    ///
    /// # Errors
    /// `max_tokens_per_doc`, or no documents a call.
    pub fn new(options: &Options) -> Result<Self, OptionError> {
        options.without_max_tokens(Self::NAME, "it cuts pairs to what its model reads")?;
        if options.documents_per_call == Some(0) {
            return Err(OptionError {
                key: "documents_per_call",
                found: Some("0".to_owned()),
                allowed: "from 1 to the server's --max-client-batch-size".to_owned(),
            });
        }
        Ok(Self {
            model: options.model.clone(),
            asked: options.documents_per_call,
            documents: options.documents_per_call.unwrap_or(Self::DOCUMENTS),
            truncate: options.truncate.unwrap_or(true),
            limits: None,
        })
    }

    /// The same, with what the server says of itself.
    ///
    /// # Errors
    /// Another model than the options name, or more documents a call than the server takes.
    pub fn with_info(self, info: &TeiInfo) -> Result<Self, OptionError> {
        if let Some(model) = self.model.as_ref().filter(|model| **model != info.model) {
            return Err(OptionError {
                key: "model",
                found: Some(format!("\"{model}\"")),
                allowed: format!("the server serves \"{}\"; name that, or none", info.model),
            });
        }
        let most = info.max_client_batch_size.unwrap_or(self.documents).max(1);
        if let Some(asked) = self.asked.filter(|&asked| asked > most) {
            return Err(OptionError {
                key: "documents_per_call",
                found: Some(asked.to_string()),
                allowed: format!(
                    "the server takes {most}; ask for no more, or start it with \
                     --max-client-batch-size {asked}"
                ),
            });
        }
        let limits = info.max_input_length.map(|pair| Limits {
            query: u64::MAX,
            pair: pair as u64,
            special: Self::SPECIAL,
        });
        Ok(Self { documents: self.asked.unwrap_or(most), limits, ..self })
    }

    /// Asks a server what it serves.
    ///
    /// # Errors
    /// No answer, one that is not text-embeddings-inference's, or a model that is no reranker.
    pub fn ask(client: &Client, context: &Context) -> Result<TeiInfo, HttpError> {
        let reply = client.send(&Call::get("/info"), context)?;
        let info: Info = reply.json()?;
        match info.model_type.as_ref().and_then(kind) {
            Some(kind) if !kind.to_lowercase().contains("reranker") => {
                Err(reply.bad_answer(&format!(
                    "it serves \"{}\", which is of type {kind}; start it with a reranker",
                    info.model_id
                )))
            }
            _ => Ok(TeiInfo {
                model: info.model_id,
                revision: info.model_sha,
                dtype: info.model_dtype,
                max_input_length: info.max_input_length,
                max_client_batch_size: info.max_client_batch_size,
                version: info.version,
            }),
        }
    }
}

impl Api for Tei {
    fn call(&self, query: &str, documents: &[String]) -> Call {
        Call::post(
            "/rerank",
            &Body {
                query,
                texts: documents,
                truncate: self.truncate,
                raw_scores: true,
                return_text: false,
            },
        )
    }

    /// The server's time and tokens stand in headers; tokens are those after the cut.
    fn read(&self, reply: &Reply) -> Result<Scored, HttpError> {
        let ranks: Vec<Rank> = reply.json()?;
        let number = |name: &str| reply.header(name)?.trim().parse::<u64>().ok();
        // Both are the time from the request's start, in whole milliseconds.
        let took = number("x-total-time").or_else(|| number("x-compute-time"));
        Ok(Scored {
            scores: ranks.iter().map(|rank| (rank.index, rank.score)).collect(),
            units: None,
            tokens: number("x-compute-tokens"),
            server: took.map(Duration::from_millis),
        })
    }

    fn documents_a_call(&self) -> usize {
        self.documents
    }

    /// Nobody bills a call.
    fn bill(&self, _tokens: &CallTokens<'_>) -> Bill {
        Bill::default()
    }

    fn truncation(&self, tokens: &CallTokens<'_>) -> Option<TruncationAudit> {
        Some(self.limits?.audit(tokens, self.truncate))
    }
}

/// `{"reranker": {…}}` says `reranker`.
fn kind(model_type: &Value) -> Option<&str> {
    match model_type {
        Value::String(kind) => Some(kind),
        Value::Object(fields) => fields.keys().next().map(String::as_str),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use secondpass_http::{ErrorKind, Method};
    use serde_json::json;

    use super::super::stub::{self, Stub};
    use super::*;

    const INFO: &str = r#"{"model_id":"BAAI/bge-reranker-v2-m3","model_sha":"953dc6f",
        "model_dtype":"float16","model_type":{"reranker":{"id2label":{"0":"LABEL_0"},
        "label2id":{"LABEL_0":0}}},"max_concurrent_requests":512,"max_input_length":8192,
        "max_batch_tokens":16384,"max_batch_requests":null,"max_client_batch_size":64,
        "auto_truncate":true,"tokenization_workers":8,"version":"1.8.2","sha":null,
        "docker_label":null}"#;

    fn tei() -> Tei {
        Tei::new(&Options::default()).unwrap()
    }

    fn ask(body: &str) -> Result<TeiInfo, HttpError> {
        Tei::ask(&Stub::new(200, &[], body).client(), &Context::default())
    }

    fn info(length: Option<usize>, batch: Option<usize>) -> TeiInfo {
        TeiInfo {
            model: "m".to_owned(),
            revision: None,
            dtype: None,
            max_input_length: length,
            max_client_batch_size: batch,
            version: None,
        }
    }

    #[test]
    fn asks_for_raw_scores_and_no_texts() {
        let (request, body) = stub::asked(&tei(), "late invoice", &["Pay here.", "Reset it."]);
        assert_eq!(request.url, "https://rerank.example/rerank");
        assert_eq!(
            body,
            json!({
                "query": "late invoice",
                "texts": ["Pay here.", "Reset it."],
                "truncate": true,
                "raw_scores": true,
                "return_text": false
            })
        );
        let whole = Options { truncate: Some(false), ..Options::default() };
        let (_, body) = stub::asked(&Tei::new(&whole).unwrap(), "q", &["d"]);
        assert_eq!(body["truncate"], json!(false));
    }

    #[test]
    fn reads_scores_time_and_tokens() {
        let body = r#"[{"index":1,"score":7.25},{"index":0,"score":-11.5,"text":"x","new":1}]"#;
        let headers = [
            ("x-compute-time", "38"),
            ("x-compute-tokens", "57"),
            ("x-total-time", "37"),
            ("x-tokenization-time", "1"),
            ("x-queue-time", "2"),
            ("x-inference-time", "30"),
        ];
        let scored = stub::read(&tei(), &headers, body).unwrap();
        assert_eq!(scored.scores, [(1, 7.25), (0, -11.5)]);
        assert_eq!(scored.server, Some(Duration::from_millis(37)));
        assert_eq!((scored.units, scored.tokens), (None, Some(57)));
        let older = stub::read(&tei(), &headers[..1], body).unwrap();
        assert_eq!((older.server, older.tokens), (Some(Duration::from_millis(38)), None));
        let silent = stub::read(&tei(), &[("x-total-time", "soon")], body).unwrap();
        assert_eq!((silent.server, silent.tokens), (None, None));
    }

    #[test]
    fn other_forms_are_errors() {
        for body in [
            r#"{"results":[{"index":0,"score":1}]}"#,
            r#"[{"index":0}]"#,
            r#"[{"index":0,"score":null}]"#,
            r#"[{"index":0,"score":NaN}]"#,
            r#"[{"index":0,"score":1}"#,
        ] {
            let error = stub::read(&tei(), &[], body).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::NotJson, "{body}");
        }
        let body = r#"{"error":"batch size 50 > maximum allowed batch size 32",
            "error_type":"Validation"}"#;
        let error = stub::refused(&tei(), 413, body).to_string();
        assert!(error.contains("maximum allowed batch size 32"), "{error}");
        assert!(error.contains("send fewer or shorter texts"), "{error}");
    }

    #[test]
    fn nobody_bills() {
        let tokens = CallTokens { query: 4, documents: &[9; 32] };
        assert_eq!(tei().bill(&tokens), Bill::default());
    }

    #[test]
    fn a_server_says_what_it_serves() {
        let stub = Stub::new(200, &[], INFO);
        let found = Tei::ask(&stub.client(), &Context::default()).unwrap();
        let request = stub.request();
        assert_eq!(
            (request.method, request.url.as_str()),
            (Method::Get, "https://rerank.example/info")
        );
        let expected = TeiInfo {
            model: "BAAI/bge-reranker-v2-m3".to_owned(),
            revision: Some("953dc6f".to_owned()),
            dtype: Some("float16".to_owned()),
            max_input_length: Some(8192),
            max_client_batch_size: Some(64),
            version: Some("1.8.2".to_owned()),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn older_servers_say_less() {
        let found = ask(r#"{"model_id":"m","model_type":null}"#).unwrap();
        assert_eq!(found, info(None, None));
        let tei = tei().with_info(&found).unwrap();
        assert_eq!(tei.documents_a_call(), 32);
        assert_eq!(tei.truncation(&CallTokens { query: 1, documents: &[1] }), None);
    }

    #[test]
    fn a_server_of_something_else_is_refused() {
        for model_type in [r#"{"embedding":{"pooling":"cls"}}"#, r#"{"classifier":{}}"#] {
            let error = ask(&format!(r#"{{"model_id":"e5","model_type":{model_type}}}"#));
            let error = error.unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::BadAnswer);
            assert!(error.to_string().contains("start it with a reranker"), "{error}");
        }
        assert_eq!(ask("<html>").unwrap_err().kind(), &ErrorKind::NotJson);
        assert_eq!(ask("{}").unwrap_err().kind(), &ErrorKind::NotJson);
    }

    #[test]
    fn calls_are_as_large_as_the_server_takes() {
        let size = |asked, served| {
            let options = Options { documents_per_call: asked, ..Options::default() };
            let tei = Tei::new(&options).unwrap();
            tei.with_info(&info(None, served)).map(|tei| tei.documents_a_call())
        };
        assert_eq!(size(None, None), Ok(32));
        assert_eq!(size(None, Some(64)), Ok(64));
        assert_eq!(size(Some(48), Some(64)), Ok(48));
        assert_eq!(size(Some(48), None), Ok(48));
        let error = size(Some(65), Some(64)).unwrap_err();
        assert!(error.to_string().contains("--max-client-batch-size 65"), "{error}");
    }

    #[test]
    fn the_server_must_serve_the_model_that_is_named() {
        let named = |model: &str| {
            let options = Options { model: Some(model.to_owned()), ..Options::default() };
            Tei::new(&options).unwrap().with_info(&info(None, None))
        };
        assert!(named("m").is_ok());
        let error = named("other").unwrap_err();
        assert_eq!(
            error.to_string(),
            "'model' is \"other\": the server serves \"m\"; name that, or none"
        );
    }

    #[test]
    fn what_it_cuts_is_counted() {
        let tokens = CallTokens { query: 100, documents: &[408, 409] };
        assert_eq!(tei().truncation(&tokens), None, "the model's length is not known");
        let known = tei().with_info(&info(Some(512), None)).unwrap();
        let audit = known.truncation(&tokens).unwrap();
        assert_eq!((audit.pairs, audit.pairs_cut, audit.tokens_cut), (2, 1, 1));
        let whole = Options { truncate: Some(false), ..Options::default() };
        let whole = Tei::new(&whole).unwrap().with_info(&info(Some(512), None)).unwrap();
        assert_eq!(whole.truncation(&tokens).unwrap().pairs_cut, 0);
    }

    #[test]
    fn options_that_it_does_not_know_are_refused() {
        let long = Options { max_tokens_per_doc: Some(512), ..Options::default() };
        assert_eq!(Tei::new(&long).unwrap_err().key, "max_tokens_per_doc");
        let none = Options { documents_per_call: Some(0), ..Options::default() };
        assert_eq!(Tei::new(&none).unwrap_err().key, "documents_per_call");
    }
}
