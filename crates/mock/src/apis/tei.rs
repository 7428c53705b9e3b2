//! text-embeddings-inference with a reranker: `POST /rerank`, `GET /info`, `GET /health`.
//!
//! After the router's source (<https://github.com/huggingface/text-embeddings-inference>,
//! `router/src/http/server.rs`): what the handler refuses comes as `{"error", "error_type"}`, a body
//! that cannot be read as a line of text, a wrong key with nothing at all. The health routes need no
//! key.

use serde::Deserialize;
use serde_json::{Value, json};

use super::common::{Key, bearer, is_json};
use crate::{Answer, Api, Request, Shape, score, tokens};

/// Documents of a call, unless the server was started with another `--max-client-batch-size`.
const MAX_CLIENT_BATCH_SIZE: usize = 32;
/// Tokens of a pair of bge-reranker-v2-m3.
const MAX_INPUT_LENGTH: u64 = 8_192;
/// `<s> query </s></s> document </s>`.
const SPECIAL_TOKENS: u64 = 4;
/// Bytes of a body, as `--payload-limit` is unless set.
const PAYLOAD_LIMIT: usize = 2_000_000;

/// A server of text-embeddings-inference.
pub struct Tei {
    key: Key,
    max_client_batch_size: usize,
    max_input_length: u64,
}

impl Tei {
    /// Takes this key, or asks for none.
    pub fn new(key: Option<&str>) -> Self {
        Self {
            key: Key::new(key),
            max_client_batch_size: MAX_CLIENT_BATCH_SIZE,
            max_input_length: MAX_INPUT_LENGTH,
        }
    }

    /// Takes this many documents a call, instead of 32.
    pub fn max_client_batch_size(self, documents: usize) -> Self {
        Self { max_client_batch_size: documents, ..self }
    }

    /// Reads this many tokens of a pair, instead of 8,192.
    pub fn max_input_length(self, tokens: u64) -> Self {
        Self { max_input_length: tokens, ..self }
    }
}

impl Api for Tei {
    fn answer(&self, request: &Request) -> Answer {
        let key_fits = !self.key.is_set() || bearer(request).is_some_and(|key| self.key.opens(key));
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/health" | "/" | "/ping") => Answer::free(200, Value::Null),
            (_, "/info" | "/rerank" | "/invocations") | ("POST", "/") if !key_fits => {
                Answer::free(401, Value::Null)
            }
            ("GET", "/info") => Answer::free(200, self.info()),
            ("POST", "/rerank" | "/" | "/invocations") => {
                self.rerank(request).unwrap_or_else(|refusal| refusal)
            }
            (_, "/info" | "/rerank" | "/" | "/invocations" | "/health" | "/ping") => {
                Answer::free(405, Value::Null)
            }
            _ => Answer::free(404, Value::Null),
        }
    }

    fn failure(&self, status: u16) -> Answer {
        match status {
            424 => refuse(424, "Backend", "Inference failed"),
            429 => refuse(429, "Overloaded", "Model is overloaded"),
            503 => refuse(503, "Unhealthy", "unhealthy"),
            // What stands before the server, or breaks in it, has no form of its own.
            _ => Answer::free(status, Value::Null),
        }
    }

    fn shape(&self, request: &Request) -> Shape {
        let raw = serde_json::from_slice::<Body>(&request.body).is_ok_and(|body| body.raw_scores);
        let range = (!raw).then_some((0.0, 1.0));
        Shape { results: "", score: "score", range, ..Shape::default() }
    }

    fn time_headers(&self) -> &'static [&'static str] {
        &["x-compute-time", "x-total-time", "x-inference-time"]
    }
}

/// A request, read by the same library as the router reads it.
#[derive(Deserialize)]
struct Body {
    query: String,
    texts: Vec<String>,
    #[serde(default)]
    truncate: Option<bool>,
    #[serde(default, rename = "truncation_direction")]
    _truncation_direction: Direction,
    #[serde(default)]
    raw_scores: bool,
    #[serde(default)]
    return_text: bool,
}

#[derive(Default, Deserialize)]
enum Direction {
    #[serde(alias = "left")]
    Left,
    #[default]
    #[serde(alias = "right")]
    Right,
}

impl Tei {
    fn rerank(&self, request: &Request) -> Result<Answer, Answer> {
        let body = self.read(request)?;
        if body.texts.is_empty() {
            return Err(refuse(400, "Empty", "`texts` cannot be empty"));
        }
        let (found, most) = (body.texts.len(), self.max_client_batch_size);
        if found > most {
            let error = format!("batch size {found} > maximum allowed batch size {most}");
            return Err(refuse(413, "Validation", &error));
        }
        let most = self.max_input_length;
        let query = tokens::count(&body.query);
        let mut read = 0;
        for text in &body.texts {
            let pair = query + tokens::count(text) + SPECIAL_TOKENS;
            if pair > most && !body.truncate.unwrap_or(false) {
                let error = format!("`inputs` must have less than {most} tokens. Given: {pair}");
                return Err(refuse(413, "Validation", &error));
            }
            read += pair.min(most);
        }

        let mut ranks: Vec<(usize, f64)> = body
            .texts
            .iter()
            .map(|text| score::score(&body.query, text))
            .map(|score| if body.raw_scores { (score / (1.0 - score)).ln() } else { score })
            .map(as_single)
            .enumerate()
            .collect();
        // Sorted upwards and turned round: ties come in the reverse of the request's order.
        ranks.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        ranks.reverse();
        let ranks = ranks.into_iter().map(|(index, score)| match body.return_text {
            true => json!({ "index": index, "text": body.texts.get(index), "score": score }),
            false => json!({ "index": index, "score": score }),
        });
        let ranks: Vec<Value> = ranks.collect();
        let characters = |text: &String| text.chars().count();
        let documents: usize = body.texts.iter().map(characters).sum();
        let characters = characters(&body.query) * found + documents;
        let headers = [
            ("x-compute-type", "cpu".to_owned()),
            ("x-compute-characters", characters.to_string()),
            ("x-compute-tokens", read.to_string()),
            ("x-tokenization-time", "0".into()),
            ("x-queue-time", "0".into()),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Ok(Answer { status: 200, headers, body: json!(ranks), billed: 0 })
    }

    fn read(&self, request: &Request) -> Result<Body, Answer> {
        if request.body.len() > PAYLOAD_LIMIT {
            return Err(text(413, "Failed to buffer the request body: length limit exceeded"));
        }
        if !is_json(request) {
            return Err(text(415, "Expected request with `Content-Type: application/json`"));
        }
        serde_json::from_slice(&request.body).map_err(|error| match error.is_data() {
            true => {
                let why = "Failed to deserialize the JSON body into the target type";
                text(422, &format!("{why}: {error}"))
            }
            false => text(400, &format!("Failed to parse the request body as JSON: {error}")),
        })
    }

    fn info(&self) -> Value {
        json!({
            "model_id": "BAAI/bge-reranker-v2-m3",
            "model_sha": "953dc6f6f85a1b2dbfca4c34a2796e7dde08d41e",
            "model_dtype": "float16",
            "model_type": {
                "reranker": { "id2label": { "0": "LABEL_0" }, "label2id": { "LABEL_0": 0 } },
            },
            "max_concurrent_requests": 512,
            "max_input_length": self.max_input_length,
            "max_batch_tokens": 16_384,
            "max_batch_requests": null,
            "max_client_batch_size": self.max_client_batch_size,
            "auto_truncate": false,
            "tokenization_workers": 8,
            "version": "1.8.2",
            "sha": null,
            "docker_label": null,
        })
    }
}

/// The number that a 32-bit float prints as.
fn as_single(number: f64) -> f64 {
    let single = number as f32;
    single.to_string().parse().unwrap_or(f64::from(single))
}

fn refuse(status: u16, kind: &str, error: &str) -> Answer {
    Answer::free(status, json!({ "error": error, "error_type": kind }))
}

fn text(status: u16, line: &str) -> Answer {
    Answer::free(status, json!(line))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{places, post, with, without};
    use super::*;

    fn asked(change: impl Fn(&mut Value)) -> Request {
        let mut body = json!({
            "query": "export invoices",
            "texts": ["reset a password", "export all invoices", "an invoice"],
        });
        change(&mut body);
        without(post("/rerank", &body), "authorization")
    }

    fn ask(change: impl Fn(&mut Value)) -> Answer {
        Tei::new(None).answer(&asked(change))
    }

    #[test]
    fn a_bare_array_comes_back_and_costs_nothing() {
        let answer = ask(|_| {});
        assert_eq!((answer.status, answer.billed), (200, 0));
        assert_eq!(places(&answer.body)[0], 1);
        assert_eq!(answer.body[0].get("text"), None);
        let tokens = ["export invoices", "reset a password", "export all invoices", "an invoice"]
            .map(tokens::count);
        let read = 3 * (tokens[0] + SPECIAL_TOKENS) + tokens[1] + tokens[2] + tokens[3];
        assert!(answer.headers.contains(&("x-compute-tokens".into(), read.to_string())));
        let texts = ask(|body| body["return_text"] = json!(true));
        assert_eq!(texts.body[0]["text"], json!("export all invoices"));
    }

    #[test]
    fn ties_come_in_reverse_order() {
        let answer = ask(|body| body["texts"] = json!(["same", "export invoices", "same", "same"]));
        assert_eq!(places(&answer.body), [1, 3, 2, 0]);
    }

    #[test]
    fn raw_scores_are_logits_of_the_others() {
        let [plain, raw] =
            [false, true].map(|raw| ask(|body| body["raw_scores"] = json!(raw)).body);
        assert_eq!(places(&plain), places(&raw));
        for (plain, raw) in plain.as_array().unwrap().iter().zip(raw.as_array().unwrap()) {
            let back = 1.0 / (1.0 + (-raw["score"].as_f64().unwrap()).exp());
            assert!((back - plain["score"].as_f64().unwrap()).abs() < 1e-6);
        }
        let range =
            |raw: bool| Tei::new(None).shape(&asked(|b| b["raw_scores"] = json!(raw))).range;
        assert_eq!((range(false), range(true)), (Some((0.0, 1.0)), None));
    }

    #[test]
    fn batches_and_pairs_have_limits() {
        let many = |server: Tei, documents: usize| {
            server.answer(&asked(|body| body["texts"] = json!(vec!["a"; documents])))
        };
        assert_eq!(many(Tei::new(None), 32).status, 200);
        let over = many(Tei::new(None), 33);
        assert_eq!((over.status, &over.body["error_type"]), (413, &json!("Validation")));
        assert_eq!(many(Tei::new(None).max_client_batch_size(50), 50).status, 200);
        let long = |truncate: bool| {
            Tei::new(None).max_input_length(16).answer(&asked(|body| {
                body["texts"] = json!(["word ".repeat(20)]);
                body["truncate"] = json!(truncate);
            }))
        };
        assert_eq!(long(false).status, 413);
        assert!(long(true).headers.contains(&("x-compute-tokens".into(), "16".into())));
    }

    #[test]
    fn what_cannot_be_read_is_refused_in_plain_text() {
        for (field, value, status) in [
            ("texts", json!("one"), 422),
            ("query", json!(null), 422),
            ("truncation_direction", json!("up"), 422),
            ("texts", json!([]), 400),
        ] {
            let answer = ask(|body| body[field] = value.clone());
            assert_eq!(answer.status, status, "{field}");
            assert_eq!(answer.body.is_string(), status == 422);
        }
        assert_eq!(ask(|body| body["truncation_direction"] = json!("left")).status, 200);
        let mut cut = asked(|_| {});
        cut.body.pop();
        assert_eq!(Tei::new(None).answer(&cut).status, 400);
        let form = with(asked(|_| {}), "content-type", "text/plain");
        assert_eq!(Tei::new(None).answer(&form).status, 415);
        let large = ask(|body| body["texts"] = json!(["a".repeat(PAYLOAD_LIMIT)]));
        assert_eq!(large.status, 413);
    }

    #[test]
    fn info_and_health_say_what_is_served() {
        let get = |path: &str| Request { method: "GET".into(), path: path.into(), ..asked(|_| {}) };
        let open = Tei::new(None).max_client_batch_size(64);
        assert_eq!(open.answer(&get("/info")).body["max_client_batch_size"], json!(64));
        let closed = Tei::new(Some("key"));
        assert_eq!(closed.answer(&get("/health")).status, 200);
        assert_eq!(closed.answer(&get("/info")), Answer::free(401, Value::Null));
        assert_eq!(closed.answer(&asked(|_| {})).status, 401);
        let keyed = with(asked(|_| {}), "authorization", "Bearer key");
        assert_eq!(closed.answer(&keyed).status, 200);
        assert_eq!(open.answer(&get("/rerank")).status, 405);
    }
}
