use std::convert::Infallible;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Response, StatusCode};
use secondpass_core::{Hasher, Origin};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::apis::api;
use crate::body::{Pace, Paced};
use crate::books::{Books, Entry};
use crate::faults::{BARE_WORDS, Fault, Wait, spoil};
use crate::wire::{Tail, Wire};
use crate::{Answer, Api, Request, Settings, another};

/// Bytes of a request's body, packed or not, that are read at most.
const MOST_BYTES: usize = 64 << 20;
/// The pause after a failed accept, for want of file handles say.
const AFTER_ERROR: Duration = Duration::from_millis(10);

/// A running imitation on the loopback address, in a thread of its own. It stops when dropped.
pub struct Mock {
    address: SocketAddr,
    books: Books,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

/// Why an imitation does not start.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// The port cannot be had.
    #[error("port {port} of {host} cannot be had: {source}; choose another, or 0 for any", host = Ipv4Addr::LOCALHOST)]
    Port {
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no thread or no runtime.
    #[error("the server cannot run: {0}")]
    Run(#[from] io::Error),
}

impl Mock {
    /// Starts imitating `settings.kind`. From then on connections are taken.
    ///
    /// # Errors
    /// A port that is taken or forbidden; a system without threads to give.
    pub fn start(settings: Settings) -> Result<Self, MockError> {
        let api = api(settings.kind, settings.key.as_deref());
        Self::serve(api, settings)
    }

    /// Starts a server for an API that was built by hand; of the settings, kind and key are of no
    /// matter.
    ///
    /// # Errors
    /// As [`Mock::start`].
    pub fn serve(api: Box<dyn Api>, settings: Settings) -> Result<Self, MockError> {
        let port = settings.port;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .map_err(|source| MockError::Port { port, source })?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let books = Books::open();
        let server = Arc::new(Server { api, settings, books: books.clone() });
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            // Dropping the runtime ends every connection.
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, server) => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("mock".into()).spawn(run)?;
        Ok(Self { address, books, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as a client's base URL, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it did so far; they outlive it.
    pub fn books(&self) -> Books {
        self.books.clone()
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // Dropping the sender is the signal.
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic in there has been printed already.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, server: Arc<Server>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(AFTER_ERROR).await;
            continue;
        };
        // Small writes would wait for the client's acknowledgement otherwise.
        let _ = stream.set_nodelay(true);
        let tail = Tail::default();
        let wire = Wire::new(stream, tail.clone());
        let server = Arc::clone(&server);
        let service = service_fn(move |request| {
            let (server, tail) = (Arc::clone(&server), tail.clone());
            async move { server.respond(request, tail).await }
        });
        tokio::spawn(async move {
            // A connection that the client or a fault cut is no news.
            let _ =
                hyper::server::conn::http1::Builder::new().serve_connection(wire, service).await;
        });
    }
}

struct Server {
    api: Box<dyn Api>,
    settings: Settings,
    books: Books,
}

/// A request that could not be taken in, by the status that says why.
struct Unread(u16);

impl Server {
    async fn respond(
        &self,
        request: hyper::Request<Incoming>,
        tail: Tail,
    ) -> Result<Response<Paced>, Infallible> {
        // What is not a call has no number, so that a look at `/health` moves no fault.
        let entry = (request.method() == Method::POST).then(|| self.books.arrive());
        let zips = takes_gzip(request.headers());
        let request = take(request).await;
        if let (Some(entry), Ok(request)) = (&entry, &request) {
            let mut hasher = Hasher::new();
            hasher.field(&request.method).field(&request.path).field(&request.body);
            entry.write(|call| call.request = Some(hasher.finish()));
        }
        let fault = entry.as_ref().and_then(|entry| self.settings.faults.fault(entry.number()));
        let reply = self.reply(&request, fault, zips);

        if let Some(entry) = &entry {
            entry.write(|call| {
                call.fault = reply.fault.as_ref().map(ToString::to_string);
                call.billed = reply.billed;
            });
        }
        if reply.fault == Some(Fault::Hang) {
            // Until the client gives up; hyper then drops this, which ends the entry.
            std::future::pending::<Infallible>().await;
        }
        if !reply.wait.is_zero() {
            tokio::time::sleep(reply.wait).await;
        }
        if let Some(entry) = &entry {
            entry.write(|call| (call.status, call.good) = (Some(reply.status), reply.good));
        }
        let id = entry.as_ref().map_or(0, Entry::number);
        let mut response = Response::new(Paced::new(reply.body, reply.pace, entry, tail));
        *response.status_mut() =
            StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = self.headers(&reply.headers, id);
        Ok(response)
    }

    fn reply(&self, request: &Result<Request, Unread>, fault: Option<&Fault>, zips: bool) -> Reply {
        let fault = fault.cloned();
        let mut answer = match (request, &fault) {
            (_, Some(Fault::Status { status, wait })) => {
                let mut answer = self.api.failure(*status);
                answer.headers.extend(wait.map(told));
                answer
            }
            (Ok(request), Some(Fault::Redirect(target))) => {
                let target = format!("{}{}", target.trim_end_matches('/'), request.path);
                let mut answer = Answer::free(307, serde_json::json!({}));
                answer.headers.push(("location".into(), target));
                answer
            }
            (Ok(request), _) => {
                let mut answer = self.api.answer(request);
                if self.settings.score_seed != 0 {
                    let (shape, seed) = (self.api.shape(request), self.settings.score_seed);
                    another::model(&mut answer, &shape, seed, &request.body);
                }
                answer
            }
            (Err(Unread(status)), _) => self.api.failure(*status),
        };
        let mut reply = Reply {
            fault: None,
            status: answer.status,
            wait: self.settings.latency,
            pace: Pace::AtOnce,
            billed: answer.billed,
            good: answer.status == 200,
            headers: Vec::new(),
            body: Bytes::new(),
        };
        let played = match &fault {
            None => false,
            Some(Fault::SlowHeaders(time)) => {
                reply.wait += *time;
                true
            }
            Some(Fault::SlowBody(time)) => {
                reply.pace = Pace::Over(*time);
                true
            }
            Some(Fault::Reset) => {
                reply.pace = Pace::Half;
                true
            }
            Some(Fault::Gzip) => zips,
            Some(Fault::Html(status)) => {
                reply.status = *status;
                true
            }
            Some(Fault::Hang | Fault::Truncated | Fault::Status { .. } | Fault::Redirect(_)) => {
                true
            }
            Some(fault) => match request {
                Ok(request) => spoil(&mut answer, fault, &self.api.shape(request)),
                Err(_) => false,
            },
        };
        reply.fault = fault.filter(|_| played);

        let (mut body, kind) = match (&reply.fault, &answer.body) {
            (Some(Fault::Html(status)), _) => {
                (page(*status).into_bytes(), Some("text/html; charset=utf-8"))
            }
            (_, Value::Null) => (Vec::new(), None),
            (_, Value::String(line)) => {
                (line.clone().into_bytes(), Some("text/plain; charset=utf-8"))
            }
            (_, body) => (json(body).into_bytes(), Some("application/json")),
        };
        if let Some(fault) = &reply.fault {
            reply.good &= fault.leaves_good();
            if !fault.bills() {
                reply.billed = 0;
            }
        }
        if reply.fault == Some(Fault::Truncated) {
            body.truncate(body.len() / 2);
        }
        reply.headers.extend(answer.headers);
        if reply.status == 200 {
            let worked = self.settings.latency.as_millis().to_string();
            let names = self.api.time_headers().iter();
            reply.headers.extend(names.map(|name| ((*name).to_owned(), worked.clone())));
        }
        reply.headers.extend(kind.map(|kind| ("content-type".into(), kind.into())));
        if zips && (self.settings.gzip || reply.fault == Some(Fault::Gzip)) {
            let mut packed = Vec::new();
            // Reading from memory cannot fail.
            if GzEncoder::new(body.as_slice(), Compression::fast()).read_to_end(&mut packed).is_ok()
            {
                body = packed;
                reply.headers.push(("content-encoding".into(), "gzip".into()));
            }
        }
        reply.body = body.into();
        reply
    }

    /// The answer's headers, what every answer has, and the provider's request id if it is not there.
    fn headers(&self, given: &[(String, String)], call: u64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
            {
                headers.append(name, value);
            }
        }
        headers.insert(Origin::MOCK_HEADER, HeaderValue::from_static("1"));
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(self.api.request_id_header().as_bytes()),
            HeaderValue::from_str(&format!("mock-{call}")),
        ) {
            headers.entry(name).or_insert(value);
        }
        headers
    }
}

/// What is to be sent, and how.
struct Reply {
    /// The one that is played.
    fault: Option<Fault>,
    status: u16,
    wait: Duration,
    pace: Pace,
    billed: u64,
    good: bool,
    headers: Vec<(String, String)>,
    body: Bytes,
}

/// Reads a request to its end.
async fn take(request: hyper::Request<Incoming>) -> Result<Request, Unread> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MOST_BYTES).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Unread(413)),
        Err(_) => return Err(Unread(400)),
    };
    let body = match head.headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => body,
        Some(b"gzip") => unpack(&body)?,
        Some(_) => return Err(Unread(415)),
    };
    let mut request = Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        headers: Default::default(),
        body,
    };
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let values = request.headers.entry(name.as_str().to_owned()).or_default();
        if !values.is_empty() {
            values.push_str(", ");
        }
        values.push_str(&value);
    }
    Ok(request)
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, Unread> {
    let mut body = Vec::new();
    let most = MOST_BYTES as u64 + 1;
    GzDecoder::new(packed).take(most).read_to_end(&mut body).map_err(|_| Unread(400))?;
    if body.len() > MOST_BYTES { Err(Unread(413)) } else { Ok(body) }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && quality.trim() != "q=0"
    })
}

/// The header that says when to come back.
fn told(wait: Wait) -> (String, String) {
    let later = |seconds| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // Both forms are in whole seconds.
        Duration::from_secs((now + Duration::from_secs(seconds)).as_secs_f64().ceil() as u64)
    };
    match wait {
        Wait::Seconds(seconds) => ("retry-after".into(), seconds.to_string()),
        Wait::Date(seconds) => {
            let date = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + later(seconds));
            ("retry-after".into(), date)
        }
        Wait::Reset(seconds) => ("x-ratelimit-reset".into(), later(seconds).as_secs().to_string()),
    }
}

/// A body as JSON, with the words that JSON does not have.
fn json(body: &Value) -> String {
    let mut text = body.to_string();
    for (stands_for, word) in BARE_WORDS {
        if text.contains(stands_for) {
            text = text.replacen(stands_for, word, 1);
        }
    }
    text
}

fn page(status: u16) -> String {
    format!(
        "<!DOCTYPE html>\n<html><head><title>{status}</title></head>\n\
         <body><h1>{status}</h1><p>The proxy got no answer.</p></body></html>\n"
    )
}
