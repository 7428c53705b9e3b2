//! An experiment whose first stage asks an OpenAI-compatible endpoint for vectors, against a server
//! on loopback.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use support::{Home, fails, mean, stderr, succeeds};

/// Planted; to be seen by the endpoint alone.
const KEY: &str = "sk-planted-3f9a7c51e2";

/// What the endpoint was sent.
struct Request {
    authorization: String,
    body: Value,
}

/// An endpoint that gives a text's counts of letters as its vector.
struct Endpoint {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Endpoint {
    /// `refuse`: every call gets 401, with its key in the answer.
    fn start(refuse: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), refuse, &seen);
            }
        });
        Self { url, requests }
    }

    fn calls(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    fn texts(&self) -> usize {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|request| request.body["input"].as_array().unwrap().len()).sum()
    }
}

fn answer(mut stream: TcpStream, refuse: bool, seen: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length, mut authorization) = (String::new(), 0, String::new());
    reader.read_line(&mut first).unwrap();
    assert!(first.starts_with("POST /v1/embeddings "), "{first}");
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => authorization = value.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let reply = match refuse {
        true => json!({"error": {"message": format!("no such key: {authorization}")}}),
        false => {
            let texts = body["input"].as_array().unwrap();
            let data = texts.iter().enumerate().map(|(index, text)| {
                let text = text.as_str().unwrap();
                let vector: Vec<usize> =
                    ('a'..='z').map(|letter| text.matches(letter).count()).collect();
                json!({"object": "embedding", "index": index, "embedding": vector})
            });
            json!({
                "object": "list",
                "data": data.collect::<Vec<_>>(),
                "model": body["model"],
                "usage": {"prompt_tokens": texts.len(), "total_tokens": texts.len()},
            })
        }
    };
    seen.lock().unwrap().push(Request { authorization, body });
    let status = if refuse { "401 Unauthorized" } else { "200 OK" };
    let reply = reply.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        reply.len()
    );
    stream.write_all(format!("{head}{reply}").as_bytes()).unwrap();
}

fn home(endpoint: &Endpoint) -> Home {
    let home = Home::new();
    home.set(12, 30);
    let stage = format!(
        "kind = \"embeddings\"\nendpoint = \"{}\"\nmodel = \"letters\"\nkey_env = \"PLANTED_KEY\"\n\
         query_prefix = \"query: \"\ndepth = 10",
        endpoint.url
    );
    home.config(&stage, "");
    home
}

fn eval(home: &Home, out: &str) -> Output {
    let args = ["eval", "--config", "small.toml", "--out", out, "--texts", "full"];
    home.command(&args).env("PLANTED_KEY", KEY).stdin(Stdio::null()).output().unwrap()
}

fn key_is_nowhere(home: &Home, output: &Output) {
    assert_eq!(home.files_with("", KEY), Vec::<std::path::PathBuf>::new());
    assert!(!String::from_utf8_lossy(&output.stdout).contains(KEY));
    assert!(!stderr(output).contains(KEY), "{}", stderr(output));
}

#[test]
fn vectors_are_asked_for_once_and_the_key_stays_in_the_environment() {
    let endpoint = Endpoint::start(false);
    let home = home(&endpoint);
    let output = eval(&home, "one");
    succeeds(&output);
    key_is_nowhere(&home, &output);
    assert_eq!(endpoint.texts(), 12 + 30);
    for request in endpoint.requests.lock().unwrap().iter() {
        assert_eq!(request.authorization, format!("Bearer {KEY}"));
        assert_eq!(request.body["model"], "letters");
    }
    let prefixed = |request: &Request| {
        let texts = request.body["input"].as_array().unwrap();
        texts.iter().filter(|text| text.as_str().unwrap().starts_with("query: ")).count()
    };
    let queries: usize = endpoint.requests.lock().unwrap().iter().map(prefixed).sum();
    assert_eq!(queries, 12);

    let calls = endpoint.calls();
    let output = eval(&home, "two");
    succeeds(&output);
    key_is_nowhere(&home, &output);
    assert_eq!(endpoint.calls(), calls);
    let (one, two) = (home.json("one/record.json"), home.json("two/record.json"));
    assert_eq!(one["candidates"]["hash"], two["candidates"]["hash"]);
    assert_eq!(mean(&one, "first stage", "nDCG@10"), mean(&two, "first stage", "nDCG@10"));

    // One more document: one more text.
    let corpus = home.read("set/corpus.jsonl");
    home.write("set/corpus.jsonl", corpus + "{\"_id\": \"new\", \"text\": \"zzz zzz\"}\n");
    succeeds(&eval(&home, "three"));
    assert_eq!(endpoint.texts(), 12 + 30 + 1);
}

#[test]
fn a_refusal_is_told_without_the_key() {
    let endpoint = Endpoint::start(true);
    let home = home(&endpoint);
    let output = eval(&home, "out");
    fails(&output, 1, "401");
    key_is_nowhere(&home, &output);
    // A wrong key does not become right by asking again.
    assert_eq!(endpoint.calls(), 1);
    assert!(!home.path("out").exists());
}

#[test]
fn a_key_that_is_not_there_is_named() {
    let endpoint = Endpoint::start(false);
    let home = home(&endpoint);
    let output = home.run(&["eval", "--config", "small.toml", "--out", "out"]);
    fails(&output, 2, "PLANTED_KEY");
    assert_eq!(endpoint.calls(), 0);
}
