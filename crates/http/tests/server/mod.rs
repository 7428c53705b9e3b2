//! A server on loopback that plays a script, one action a request, and keeps what it was sent.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What to do with a request.
#[derive(Clone, Debug)]
pub enum Action {
    /// Answers in full.
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// Says nothing until the test ends.
    Hang,
    /// Sends a head, and nothing of the body it promises until the test ends.
    HangInBody,
    /// Sends half of the body that it promises, then closes.
    Break,
    /// Closes without a word.
    Close,
    /// Sends a body in chunks, without saying how long it will be.
    Chunks(Vec<u8>),
}

impl Action {
    pub fn ok() -> Self {
        Self::status(200, r#"{"ok":true}"#)
    }

    pub fn status(status: u16, body: &str) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into() }
    }

    pub fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Answer { status, mut headers, body } => {
                headers.push((name, value.into()));
                Self::Answer { status, headers, body }
            }
            other => panic!("{other:?} has no headers"),
        }
    }
}

pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    script: Mutex<VecDeque<Action>>,
    requests: Mutex<Vec<String>>,
    stop: AtomicBool,
}

impl Server {
    /// Plays these actions; from then on it answers with success.
    pub fn playing(script: impl IntoIterator<Item = Action>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::new(script.into_iter().collect()),
            requests: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if of_thread.stop.load(Ordering::SeqCst) {
                    break;
                }
                let shared = Arc::clone(&of_thread);
                let stream = stream.unwrap();
                // Ends by itself, when the client drops it or the flag is seen.
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far: head and body as they came.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().unwrap().join();
    }
}

fn serve(stream: TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some(request) = receive(&mut reader) {
        shared.requests.lock().unwrap().push(request);
        let action = shared.script.lock().unwrap().pop_front().unwrap_or_else(Action::ok);
        if !play(action, &mut writer, shared) {
            return;
        }
    }
}

/// One request, or `None` when the client has gone.
fn receive(reader: &mut impl BufRead) -> Option<String> {
    let mut text = String::new();
    let mut length = 0;
    loop {
        let start = text.len();
        if reader.read_line(&mut text).ok()? == 0 {
            return None;
        }
        let line = text[start..].trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    text.push_str(&String::from_utf8_lossy(&body));
    Some(text)
}

/// Whether the connection stays open. A client that has gone is no concern of the server's.
fn play(action: Action, writer: &mut TcpStream, shared: &Shared) -> bool {
    match action {
        Action::Answer { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            let whole = [head.as_bytes(), b"\r\n", &body].concat();
            writer.write_all(&whole).is_ok()
        }
        Action::Hang => hang(shared),
        Action::HangInBody => {
            let _ = writer
                .write_all(b"HTTP/1.1 200 X\r\nx-request-id: r9\r\ncontent-length: 9\r\n\r\n");
            hang(shared)
        }
        Action::Break => {
            let _ = writer
                .write_all(b"HTTP/1.1 200 X\r\nx-request-id: r8\r\ncontent-length: 9\r\n\r\n{\"o");
            false
        }
        Action::Close => false,
        Action::Chunks(body) => {
            let _ = writer.write_all(b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n");
            for chunk in body.chunks(100) {
                let head = format!("{:x}\r\n", chunk.len());
                if writer.write_all(&[head.as_bytes(), chunk, b"\r\n"].concat()).is_err() {
                    return false;
                }
            }
            writer.write_all(b"0\r\n\r\n").is_ok()
        }
    }
}

fn hang(shared: &Shared) -> bool {
    while !shared.stop.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}
