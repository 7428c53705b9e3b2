//! A client of bare sockets, so that tests see what is on the wire.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

/// An answer as it came.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// Until the headers, and until the end of the body.
    pub times: (Duration, Duration),
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What went wrong, and what of the body had come by then.
#[derive(Debug)]
pub struct Cut {
    pub error: io::Error,
    pub body: Vec<u8>,
}

impl From<io::Error> for Cut {
    fn from(error: io::Error) -> Self {
        Self { error, body: Vec::new() }
    }
}

/// One connection, kept alive.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a server");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        Self(BufReader::new(stream))
    }

    pub fn patience(self, time: Duration) -> Self {
        self.0.get_ref().set_read_timeout(Some(time)).expect("a timeout");
        self
    }

    pub fn send(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Got, Cut> {
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: mock\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        let begun = Instant::now();
        // In one piece: a second small one would wait for the first one's acknowledgement.
        self.0.get_mut().write_all(&[head.as_bytes(), body].concat())?;
        self.receive(begun)
    }

    pub fn get(&mut self, path: &str) -> Result<Got, Cut> {
        let begun = Instant::now();
        write!(self.0.get_mut(), "GET {path} HTTP/1.1\r\nhost: mock\r\n\r\n")?;
        self.receive(begun)
    }

    fn receive(&mut self, begun: Instant) -> Result<Got, Cut> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines[0].split(' ').nth(1).and_then(|status| status.parse().ok());
        let headers = lines[1..].iter().filter_map(|line| line.split_once(": "));
        let headers: BTreeMap<_, _> =
            headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let to_headers = begun.elapsed();
        let length: usize = headers["content-length"].parse().expect("a length");
        let mut body = Vec::new();
        while body.len() < length {
            let mut piece = vec![0; length - body.len()];
            match self.0.read(&mut piece) {
                Ok(0) => return Err(Cut { error: io::ErrorKind::UnexpectedEof.into(), body }),
                Ok(read) => body.extend(&piece[..read]),
                Err(error) => return Err(Cut { error, body }),
            }
        }
        let times = (to_headers, begun.elapsed());
        Ok(Got { status: status.expect("a status"), headers, body, times })
    }
}

pub const HEADERS: [(&str, &str); 2] =
    [("authorization", "Bearer key"), ("content-type", "application/json")];

/// A call that Cohere, Azure, vLLM, Infinity and llama.cpp all take.
pub fn rerank(connection: &mut Connection, path: &str, documents: &[&str]) -> Result<Got, Cut> {
    let body = serde_json::json!({
        "model": "rerank-v3.5", "query": "export invoices", "documents": documents,
    });
    connection.send(path, &HEADERS, body.to_string().as_bytes())
}
