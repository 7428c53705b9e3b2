use std::fmt;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{MutexGuard, PoisonError};

use secondpass_core::Context;
use secondpass_http::{
    Anonymous, Attempt, Authorize, Bearer, Call, Client, ErrorKind, HttpError, Reply, Secret,
    SecretError, Settings, SetupError,
};
use serde::{Deserialize, Serialize};

use crate::{EmbedError, Prefixes, Side, TextEmbedder, normalise};

/// The most texts in one call. OpenAI takes 2,048, self-hosted servers fewer.
const MOST_TEXTS: usize = 256;

/// An endpoint that speaks OpenAI's embeddings protocol, and how to use it.
#[derive(Clone, Debug)]
pub struct OpenAiSettings {
    /// Timeouts, retries and limits, and the base URL: without a path (`http://tei:8080`) the
    /// endpoint is `/v1/embeddings` under it, with one (`https://api.openai.com/v1`) `/embeddings`.
    pub http: Settings,
    /// The model's name, as the endpoint knows it.
    pub model: String,
    /// Shorter vectors than the model's own, where it can give them (text-embedding-3 and later).
    pub dimensions: Option<usize>,
    /// The environment variable that holds the key; `None` where no key is wanted.
    pub key_variable: Option<String>,
    /// What stands before queries and documents.
    pub prefixes: Prefixes,
    /// The most texts in one call, up to 256.
    pub texts_per_call: usize,
    /// The most characters in one call, so that it keeps below the endpoint's limit of tokens
    /// (300,000 at OpenAI). A longer text goes alone.
    pub chars_per_call: usize,
    /// Calls in flight at once.
    pub in_flight: usize,
}

impl OpenAiSettings {
    /// An endpoint without key and prefixes: 128 texts and 200,000 characters a call, 4 in flight.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            http: Settings::new("embeddings endpoint", base_url),
            model: model.into(),
            dimensions: None,
            key_variable: None,
            prefixes: Prefixes::default(),
            texts_per_call: 128,
            chars_per_call: 200_000,
            in_flight: 4,
        }
    }
}

/// Settings with which nothing can be embedded.
#[derive(Debug, thiserror::Error)]
pub enum OpenAiError {
    /// The key is not there, or no key.
    #[error(transparent)]
    Key(#[from] SecretError),
    /// The base URL or the timeouts cannot be used.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// No model.
    #[error("the embeddings endpoint needs a model's name; set model")]
    NoModel,
    /// A number outside its range.
    #[error("{name} is {found} and must be {allowed}")]
    Range {
        /// Which setting.
        name: &'static str,
        /// Its value.
        found: usize,
        /// What it may be.
        allowed: &'static str,
    },
}

/// Texts that the protocol has no place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} {index} (from 0) is empty, and an embeddings endpoint takes no empty texts; drop it from the \
     data, or set a prefix", .side.name()
)]
pub struct EmptyText {
    /// Query or document.
    pub side: Side,
    /// Its place among the texts given.
    pub index: usize,
}

/// What the endpoint was asked for and what it says it counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmbeddingUsage {
    /// Calls that were answered.
    pub calls: u64,
    /// Texts in them.
    pub texts: u64,
    /// Tokens, by the endpoint's own count.
    pub prompt_tokens: u64,
    /// Answered calls for which it told no count.
    pub uncounted: u64,
    /// Attempts whose answers were lost, and which may have been billed all the same.
    pub possibly_billed: u64,
}

impl fmt::Display for EmbeddingUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, texts, prompt_tokens, uncounted, possibly_billed } = self;
        write!(f, "{texts} texts in {calls} calls, {prompt_tokens} tokens")?;
        if *uncounted > 0 {
            write!(f, " (and {uncounted} calls whose tokens the endpoint did not tell)")?;
        }
        match possibly_billed {
            0 => Ok(()),
            lost => write!(f, "; {lost} attempts without an answer were possibly billed"),
        }
    }
}

/// Vectors from any endpoint with OpenAI's embeddings protocol (`POST /v1/embeddings`, OpenAI API
/// reference, "Create embeddings"): OpenAI's own, text-embeddings-inference, vLLM, Infinity,
/// llama.cpp. What the endpoint does with texts that are too long is its own affair: OpenAI refuses
/// them, others cut.
pub struct OpenAiEmbedder {
    settings: OpenAiSettings,
    client: Client,
    path: &'static str,
    identity: String,
    /// Numbers in a vector, once they are known.
    dimensions: Mutex<Option<usize>>,
    usage: Mutex<EmbeddingUsage>,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
    usage: Option<Counted>,
}

#[derive(Deserialize)]
struct Item {
    index: usize,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct Counted {
    prompt_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

impl OpenAiEmbedder {
    /// An embedder over the real network. Nothing is sent yet.
    ///
    /// # Errors
    /// A key variable that is not set, and settings out of their range.
    pub fn connect(settings: OpenAiSettings) -> Result<Self, OpenAiError> {
        let authorize: Box<dyn Authorize> = match &settings.key_variable {
            Some(name) => Box::new(Bearer(Secret::from_env(&[name])?)),
            None => Box::new(Anonymous),
        };
        Self::authorized(settings, authorize)
    }

    /// The same with a key from elsewhere, such as a key file.
    ///
    /// # Errors
    /// Settings out of their range.
    pub fn authorized(
        settings: OpenAiSettings,
        authorize: Box<dyn Authorize>,
    ) -> Result<Self, OpenAiError> {
        let client = Client::new(settings.http.clone(), authorize)?;
        Self::over(settings, client)
    }

    /// The same over a client of one's own; `settings.http` does not count then.
    ///
    /// # Errors
    /// Settings out of their range.
    pub fn over(settings: OpenAiSettings, client: Client) -> Result<Self, OpenAiError> {
        if settings.model.trim().is_empty() {
            return Err(OpenAiError::NoModel);
        }
        let at_least_1 = "at least 1";
        for (name, found, most, allowed) in [
            ("texts_per_call", settings.texts_per_call, MOST_TEXTS, "from 1 to 256"),
            ("chars_per_call", settings.chars_per_call, usize::MAX, at_least_1),
            ("in_flight", settings.in_flight, usize::MAX, at_least_1),
            ("dimensions", settings.dimensions.unwrap_or(1), usize::MAX, at_least_1),
        ] {
            if !(1..=most).contains(&found) {
                return Err(OpenAiError::Range { name, found, allowed });
            }
        }
        let base = client.base_url();
        let path = match base.split_once("://").is_some_and(|(_, rest)| rest.contains('/')) {
            true => "/embeddings",
            false => "/v1/embeddings",
        };
        let identity = format!(
            "{base}{path} model={:?} dimensions={} query={:?} document={:?}",
            settings.model,
            settings.dimensions.map_or_else(|| "own".to_owned(), |given| given.to_string()),
            settings.prefixes.query,
            settings.prefixes.document,
        );
        Ok(Self {
            path,
            identity,
            dimensions: Mutex::new(settings.dimensions),
            usage: Mutex::default(),
            settings,
            client,
        })
    }

    /// What was used so far.
    pub fn usage(&self) -> EmbeddingUsage {
        *lock(&self.usage)
    }

    /// The vectors of the texts of one call.
    fn call(
        &self,
        side: Side,
        texts: &[&str],
        context: &Context,
    ) -> Result<Vec<Vec<f32>>, EmbedError> {
        let prefix = self.settings.prefixes.of(side);
        let texts: Vec<String> = texts.iter().map(|text| format!("{prefix}{text}")).collect();
        let body = Body {
            model: &self.settings.model,
            input: &texts,
            encoding_format: "float",
            dimensions: self.settings.dimensions,
        };
        let bytes: usize = texts.iter().map(String::len).sum();
        // Four bytes a token is the rule of thumb for English; limits need no more.
        let call = Call::post(self.path, &body).with_tokens(bytes.div_ceil(4) as u64);
        let failed = |error: HttpError| match error.kind() {
            ErrorKind::Stopped => EmbedError::Stopped,
            _ if context.is_over() => EmbedError::Stopped,
            _ => EmbedError::model(error),
        };
        let reply = self.client.send(&call, context).map_err(|error| {
            lock(&self.usage).possibly_billed += lost(error.attempts());
            failed(error)
        })?;
        let answer = reply.json::<Answer>();
        let count = answer.as_ref().ok().and_then(|answer| answer.usage.as_ref());
        self.note(&reply, texts.len(), count.and_then(|c| c.prompt_tokens.or(c.total_tokens)));
        self.vectors(&reply, answer.map_err(failed)?.data, texts.len())
    }

    fn note(&self, reply: &Reply, texts: usize, tokens: Option<u64>) {
        let mut usage = lock(&self.usage);
        usage.calls += 1;
        usage.texts += texts as u64;
        usage.prompt_tokens += tokens.unwrap_or(0);
        usage.uncounted += u64::from(tokens.is_none());
        usage.possibly_billed += lost(&reply.attempts);
    }

    /// Checks an answer and puts its vectors into the order of the texts.
    fn vectors(
        &self,
        reply: &Reply,
        items: Vec<Item>,
        texts: usize,
    ) -> Result<Vec<Vec<f32>>, EmbedError> {
        let bad = |reason: String| EmbedError::model(reply.bad_answer(&reason));
        let mut vectors: Vec<Option<Vec<f32>>> = (0..texts).map(|_| None).collect();
        for Item { index, embedding } in items {
            let place = vectors
                .get_mut(index)
                .ok_or_else(|| bad(format!("index {index} for {texts} texts, from 0")))?;
            if place.replace(embedding).is_some() {
                return Err(bad(format!("index {index} comes twice")));
            }
        }
        let mut dimensions = lock(&self.dimensions);
        let mut ordered = Vec::with_capacity(texts);
        for (index, vector) in vectors.into_iter().enumerate() {
            let mut vector = vector.ok_or_else(|| bad(format!("index {index} is missing")))?;
            let expected = dimensions.unwrap_or(vector.len());
            if vector.is_empty() {
                return Err(bad(format!("index {index} has no numbers")));
            }
            if vector.len() != expected {
                let found = vector.len();
                return Err(bad(format!("index {index} has {found} numbers, not {expected}")));
            }
            normalise(&mut vector)
                .map_err(|_| bad(format!("index {index} has a number that is not finite")))?;
            *dimensions = Some(expected);
            ordered.push(vector);
        }
        Ok(ordered)
    }

    /// Which texts go together, in calls of at most so many texts and characters.
    fn calls(&self, side: Side, texts: &[&str]) -> Result<Vec<Range<usize>>, EmptyText> {
        let prefix = self.settings.prefixes.of(side).chars().count();
        let mut calls: Vec<Range<usize>> = Vec::new();
        let mut chars = 0;
        for (index, text) in texts.iter().enumerate() {
            let length = prefix + text.chars().count();
            if length == 0 {
                return Err(EmptyText { side, index });
            }
            match calls.last_mut() {
                Some(call)
                    if call.len() < self.settings.texts_per_call
                        && chars + length <= self.settings.chars_per_call =>
                {
                    call.end = index + 1;
                    chars += length;
                }
                _ => {
                    calls.push(index..index + 1);
                    chars = length;
                }
            }
        }
        Ok(calls)
    }
}

impl TextEmbedder for OpenAiEmbedder {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn embed(
        &self,
        side: Side,
        texts: &[&str],
        context: &Context,
    ) -> Result<Vec<Vec<f32>>, EmbedError> {
        let calls = self.calls(side, texts).map_err(EmbedError::model)?;
        let next = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        let done: Vec<Mutex<Option<Result<_, EmbedError>>>> =
            calls.iter().map(|_| Mutex::new(None)).collect();
        let work = || {
            while !failed.load(Ordering::Relaxed) {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(call) = calls.get(at) else { return };
                let result = match context.is_over() {
                    true => Err(EmbedError::Stopped),
                    false => self.call(side, &texts[call.clone()], context),
                };
                failed.fetch_or(result.is_err(), Ordering::Relaxed);
                *lock(&done[at]) = Some(result);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.settings.in_flight.min(calls.len()) {
                scope.spawn(work);
            }
            work();
        });
        let mut vectors = Vec::with_capacity(texts.len());
        // Calls are begun in order: what stands before the first that failed has been answered.
        for result in done {
            let result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
            vectors.extend(result.unwrap_or(Err(EmbedError::Stopped))?);
        }
        Ok(vectors)
    }
}

fn lost(attempts: &[Attempt]) -> u64 {
    attempts.iter().filter(|attempt| attempt.possibly_billed()).count() as u64
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::sync::Arc;
    use std::thread::JoinHandle;
    use std::time::Duration;

    use secondpass_http::{RetryPolicy, Timeouts};
    use serde_json::{Value, json};

    use super::*;

    const KEY: &str = "planted-Key_0123456789abcdefXYZ";

    /// An embeddings endpoint on loopback: answers the n-th request (from 0) by a function of it.
    struct Endpoint {
        address: SocketAddr,
        requests: Arc<Mutex<Vec<(String, Value)>>>,
        stop: Arc<AtomicBool>,
        thread: Option<JoinHandle<()>>,
    }

    impl Endpoint {
        fn answering(answer: impl Fn(usize, &Value) -> (u16, String) + Send + 'static) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let requests: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
            let stop = Arc::new(AtomicBool::new(false));
            let (of_thread, stopped) = (Arc::clone(&requests), Arc::clone(&stop));
            let thread = std::thread::spawn(move || {
                for stream in listener.incoming() {
                    if stopped.load(Ordering::SeqCst) {
                        return;
                    }
                    let mut stream = stream.unwrap();
                    let Some((head, body)) = receive(&stream) else { continue };
                    let number = lock(&of_thread).len();
                    let (status, text) = answer(number, &body);
                    lock(&of_thread).push((head, body));
                    let length = text.len();
                    let _ = write!(
                        stream,
                        "HTTP/1.1 {status} X\r\nx-request-id: r{number}\r\nretry-after: 0\r\n\
                         connection: close\r\ncontent-length: {length}\r\n\r\n{text}"
                    );
                }
            });
            Self { address, requests, stop, thread: Some(thread) }
        }

        fn settings(&self) -> OpenAiSettings {
            let mut settings = OpenAiSettings::new(format!("http://{}", self.address), "m1");
            let ms = Duration::from_millis;
            settings.http.timeouts =
                Timeouts { connect: ms(2000), request: ms(2000), total: ms(8000) };
            settings.http.retry = RetryPolicy::new(3, ms(1), ms(4)).unwrap();
            settings.http.proxy = false;
            settings
        }

        fn bodies(&self) -> Vec<Value> {
            lock(&self.requests).iter().map(|(_, body)| body.clone()).collect()
        }
    }

    impl Drop for Endpoint {
        fn drop(&mut self) {
            self.stop.store(true, Ordering::SeqCst);
            let _ = TcpStream::connect(self.address);
            let _ = self.thread.take().map(JoinHandle::join);
        }
    }

    fn receive(stream: &TcpStream) -> Option<(String, Value)> {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let lower = head.to_ascii_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"))?;
        let mut body = vec![0; length.trim().parse().ok()?];
        reader.read_exact(&mut body).ok()?;
        Some((head, serde_json::from_slice(&body).ok()?))
    }

    /// The numbers of a text: how often it holds `a`, how often `b`, and one.
    fn numbers(text: &str) -> [usize; 3] {
        [text.matches('a').count(), text.matches('b').count(), 1]
    }

    fn items(request: &Value) -> Vec<Value> {
        let texts = request["input"].as_array().unwrap().iter().enumerate();
        texts
            .map(|(index, text)| {
                let embedding = numbers(text.as_str().unwrap());
                json!({"object": "embedding", "index": index, "embedding": embedding})
            })
            .collect()
    }

    fn answer(items: Vec<Value>) -> (u16, String) {
        let tokens = items.len() * 10;
        let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
        let answer = json!({"object": "list", "data": items, "model": "m1", "usage": usage});
        (200, answer.to_string())
    }

    fn right(_: usize, request: &Value) -> (u16, String) {
        answer(items(request))
    }

    fn unit(text: &str) -> Vec<f32> {
        let numbers = numbers(text).map(|number| number as f32);
        let length = numbers.iter().map(|x| x * x).sum::<f32>().sqrt();
        numbers.iter().map(|x| x / length).collect()
    }

    fn assert_close(found: &[Vec<f32>], texts: &[&str]) {
        assert_eq!(found.len(), texts.len());
        for (found, text) in found.iter().zip(texts) {
            for (found, expected) in found.iter().zip(unit(text)) {
                assert!((found - expected).abs() < 1e-6, "{text}: {found} is not {expected}");
            }
        }
    }

    fn embed(settings: OpenAiSettings, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let embedder = OpenAiEmbedder::connect(settings).unwrap();
        embedder.embed(Side::Document, texts, &Context::default())
    }

    #[test]
    fn texts_become_unit_vectors_in_their_order_whatever_the_split() {
        let endpoint = Endpoint::answering(right);
        let texts = ["a", "bb", "aab", "", "abba ", "b"].map(|text| format!("{text}."));
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for (texts_per_call, chars_per_call, calls) in
            [(6, 1000, 1), (2, 1000, 3), (6, 5, 4), (1, 1, 6)]
        {
            let before = endpoint.bodies().len();
            let settings = OpenAiSettings { texts_per_call, chars_per_call, ..endpoint.settings() };
            let embedder = OpenAiEmbedder::connect(settings).unwrap();
            let found = embedder.embed(Side::Document, &texts, &Context::default()).unwrap();
            assert_close(&found, &texts);
            assert_eq!(endpoint.bodies().len() - before, calls);
            let usage = embedder.usage();
            assert_eq!((usage.calls, usage.texts, usage.prompt_tokens), (calls as u64, 6, 60));
            assert_eq!(usage.to_string(), format!("6 texts in {calls} calls, 60 tokens"));
        }
    }

    #[test]
    fn what_is_sent() {
        let endpoint = Endpoint::answering(right);
        let mut settings = OpenAiSettings {
            prefixes: Prefixes { query: "query: ".into(), document: "passage: ".into() },
            dimensions: Some(3),
            ..endpoint.settings()
        };
        settings.http.base_url.push_str("/openai/v1/");
        let key = Bearer(Secret::new(KEY, "OPENAI_API_KEY").unwrap());
        let embedder = OpenAiEmbedder::authorized(settings, Box::new(key)).unwrap();
        embedder.embed(Side::Query, &["a"], &Context::default()).unwrap();
        embedder.embed(Side::Document, &["b", ""], &Context::default()).unwrap();
        let requests = lock(&endpoint.requests).clone();
        assert!(requests[0].0.starts_with("POST /openai/v1/embeddings HTTP"), "{}", requests[0].0);
        assert!(requests[0].0.contains(&format!("authorization: Bearer {KEY}")));
        let body = |input: Value| json!({"model": "m1", "input": input, "encoding_format": "float", "dimensions": 3});
        assert_eq!(requests[0].1, body(json!(["query: a"])));
        assert_eq!(requests[1].1, body(json!(["passage: b", "passage: "])));
    }

    #[test]
    fn without_a_path_the_endpoint_is_under_v1_and_no_key_is_sent() {
        let endpoint = Endpoint::answering(right);
        embed(endpoint.settings(), &["a"]).unwrap();
        let (head, body) = lock(&endpoint.requests).remove(0);
        assert!(head.starts_with("POST /v1/embeddings HTTP"), "{head}");
        assert!(!head.to_ascii_lowercase().contains("authorization"), "{head}");
        assert_eq!(body.get("dimensions"), None);
    }

    #[test]
    fn shuffled_answers_are_put_in_order() {
        let endpoint = Endpoint::answering(|_, request| {
            let mut items = items(request);
            items.reverse();
            items.swap(0, 1);
            answer(items)
        });
        let texts = ["a.", "bb.", "aab.", "b."];
        assert_close(&embed(endpoint.settings(), &texts).unwrap(), &texts);
    }

    #[test]
    fn wrong_answers_are_refused_with_the_request_id() {
        type Spoil = fn(&mut Vec<Value>);
        let cases: [(Spoil, &str); 9] = [
            (|items| drop(items.remove(1)), "index 1 is missing"),
            (|items| items[1]["index"] = json!(0), "index 0 comes twice"),
            (|items| items[2]["index"] = json!(3), "index 3 for 3 texts"),
            (|items| items.push(items[0].clone()), "index 0 comes twice"),
            (|items| items[1]["embedding"] = json!([1, 2]), "index 1 has 2 numbers, not 3"),
            (|items| items[0]["embedding"] = json!([]), "index 0 has no numbers"),
            (|items| items[2]["embedding"][1] = json!(1e300), "number out of range"),
            (|items| items[2]["embedding"][1] = Value::Null, "without the JSON expected"),
            (|items| items[2]["embedding"] = json!("AACAPw=="), "without the JSON expected"),
        ];
        for (spoil, part) in cases {
            let endpoint = Endpoint::answering(move |_, request| {
                let mut items = items(request);
                spoil(&mut items);
                answer(items)
            });
            let error = embed(endpoint.settings(), &["a", "b", "c"]).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("request id r0"), "{error}");
            assert_eq!(endpoint.bodies().len(), 1, "a bad answer is not asked for again");
        }
    }

    #[test]
    fn a_literal_nan_is_no_json() {
        let endpoint = Endpoint::answering(|_, request| {
            let (status, text) = answer(items(request));
            (status, text.replace("[1,0,1]", "[NaN,0,1]"))
        });
        let error = embed(endpoint.settings(), &["a"]).unwrap_err().to_string();
        assert!(error.contains("without the JSON expected"), "{error}");
    }

    #[test]
    fn dimensions_are_those_asked_for_and_the_same_in_all_calls() {
        let endpoint = Endpoint::answering(|number, request| {
            let mut items = items(request);
            if number > 0 {
                items[0]["embedding"] = json!([1, 2]);
            }
            answer(items)
        });
        let embedder = OpenAiEmbedder::connect(endpoint.settings()).unwrap();
        embedder.embed(Side::Query, &["a"], &Context::default()).unwrap();
        let error = embedder.embed(Side::Document, &["a"], &Context::default()).unwrap_err();
        assert!(error.to_string().contains("has 2 numbers, not 3"), "{error}");

        let endpoint = Endpoint::answering(right);
        let settings = OpenAiSettings { dimensions: Some(2), ..endpoint.settings() };
        let error = embed(settings, &["a"]).unwrap_err();
        assert!(error.to_string().contains("has 3 numbers, not 2"), "{error}");
    }

    #[test]
    fn too_many_requests_are_waited_for_and_counted() {
        let endpoint = Endpoint::answering(|number, request| match number {
            0 => (429, "slow down".into()),
            1 => (503, "busy".into()),
            _ => right(number, request),
        });
        let embedder = OpenAiEmbedder::connect(endpoint.settings()).unwrap();
        let found = embedder.embed(Side::Document, &["a"], &Context::default()).unwrap();
        assert_close(&found, &["a"]);
        assert_eq!(endpoint.bodies().len(), 3);
        let usage = embedder.usage();
        assert_eq!((usage.calls, usage.possibly_billed), (1, 1));
        assert!(usage.to_string().ends_with("1 attempts without an answer were possibly billed"));
    }

    #[test]
    fn refusals_say_what_to_do_and_never_show_the_key() {
        let endpoint = Endpoint::answering(|_, _| (401, format!("wrong key {KEY}")));
        let key = Bearer(Secret::new(KEY, "OPENAI_API_KEY").unwrap());
        let embedder = OpenAiEmbedder::authorized(endpoint.settings(), Box::new(key)).unwrap();
        let error = embedder.embed(Side::Query, &["a"; 1000], &Context::default()).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains("check the key in OPENAI_API_KEY"), "{text}");
        assert!(!text.contains("planted"), "{text}");
        let calls = endpoint.bodies().len();
        assert!(calls <= 4, "{calls}: after a failure no more calls are begun");
    }

    #[test]
    fn an_endpoint_that_counts_nothing_is_told() {
        let endpoint =
            Endpoint::answering(|_, request| (200, json!({"data": items(request)}).to_string()));
        let embedder = OpenAiEmbedder::connect(endpoint.settings()).unwrap();
        embedder.embed(Side::Query, &["a"], &Context::default()).unwrap();
        assert_eq!((embedder.usage().prompt_tokens, embedder.usage().uncounted), (0, 1));
        assert!(embedder.usage().to_string().contains("did not tell"));
    }

    #[test]
    fn a_user_who_stops_and_a_deadline_end_it() {
        let endpoint = Endpoint::answering(right);
        let embedder = OpenAiEmbedder::connect(endpoint.settings()).unwrap();
        let context = Context::default();
        context.cancel.set();
        let error = embedder.embed(Side::Query, &["a"], &context).unwrap_err();
        assert!(matches!(error, EmbedError::Stopped), "{error}");
        assert_eq!(endpoint.bodies().len(), 0);
        assert_eq!(embedder.embed(Side::Query, &[], &context).unwrap(), Vec::<Vec<f32>>::new());
    }

    #[test]
    fn empty_texts_are_named() {
        let endpoint = Endpoint::answering(right);
        let error = embed(endpoint.settings(), &["a", ""]).unwrap_err().to_string();
        assert!(error.contains("document 1 (from 0) is empty"), "{error}");
        assert_eq!(endpoint.bodies().len(), 0);
    }

    #[test]
    fn settings_are_checked() {
        let with = |change: fn(&mut OpenAiSettings)| {
            let mut settings = OpenAiSettings::new("https://host.example", "m1");
            change(&mut settings);
            OpenAiEmbedder::connect(settings).map(|e| e.identity).map_err(|e| e.to_string())
        };
        assert!(with(|s| s.texts_per_call = 257).unwrap_err().contains("from 1 to 256"));
        assert!(with(|s| s.chars_per_call = 0).unwrap_err().contains("at least 1"));
        assert!(with(|s| s.dimensions = Some(0)).unwrap_err().contains("dimensions is 0"));
        assert!(with(|s| s.model.clear()).unwrap_err().contains("set model"));
        let unset = with(|s| s.key_variable = Some("SECONDPASS_NO_SUCH_KEY".into()));
        assert!(unset.unwrap_err().contains("set SECONDPASS_NO_SUCH_KEY"));
        let identities = [
            with(|_| ()),
            with(|s| s.model = "m2".into()),
            with(|s| s.dimensions = Some(3)),
            with(|s| s.prefixes.query = "x".into()),
            with(|s| s.prefixes.document = "x".into()),
            with(|s| s.http.base_url = "https://other.example".into()),
        ];
        let different: std::collections::HashSet<_> = identities.iter().flatten().collect();
        assert_eq!(different.len(), identities.len());
    }
}
