//! text-embeddings-inference on the wire: it refuses with a line of text or with nothing, and tells how
//! long it worked.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use secondpass_mock::{Kind, Mock, Settings};

#[test]
fn text_and_nothing_go_out_as_such_and_times_are_told() {
    let key = Some("key".to_owned());
    let latency = Duration::from_millis(12);
    let mock = Mock::start(Settings { key, latency, ..Settings::new(Kind::Tei) }).unwrap();
    let ask = |head: &str, body: &str| {
        let mut stream = TcpStream::connect(mock.address()).unwrap();
        let length = body.len();
        let tail = format!("host: here\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(format!("{head}\r\n{tail}{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_lowercase(), body.to_owned())
    };

    let (head, body) = ask("GET /health HTTP/1.1", "");
    assert!(head.starts_with("http/1.1 200") && !head.contains("content-type"), "{head}");
    assert_eq!(body, "");
    let (head, body) = ask("POST /rerank HTTP/1.1", "{}");
    assert!(head.starts_with("http/1.1 401"), "{head}");
    assert_eq!(body, "");
    let json =
        "POST /rerank HTTP/1.1\r\nauthorization: Bearer key\r\ncontent-type: application/json";
    let (head, body) = ask(json, r#"{"query": "a"}"#);
    assert!(
        head.starts_with("http/1.1 422") && head.contains("content-type: text/plain"),
        "{head}"
    );
    assert!(body.starts_with("Failed to deserialize") && body.contains("`texts`"), "{body}");
    let (head, body) = ask(json, r#"{"query": "a", "texts": ["a"]}"#);
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(head.contains("x-total-time: 12\r\n") && head.contains("x-queue-time: 0"), "{head}");
    assert!(body.starts_with("[{") && body.ends_with("}]"), "{body}");
}
