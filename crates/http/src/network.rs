use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::exchange::{Answer, Exchange, ExchangeError, Method, NoAnswer, Request};
use crate::sync::lock;
use crate::{SetupError, Timeouts};

/// The real network: HTTP/1.1 over TCP, with TLS by rustls, connections kept for the next call.
/// Redirects are answers, and nothing is sent twice. One thread does the input and output of all
/// callers, and ends with this.
pub struct Network {
    client: reqwest::Client,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Network {
    /// A network with this connect timeout (the others come with each exchange); `proxy` tells
    /// whether the environment's proxies count.
    ///
    /// # Errors
    /// Without certificates to trust, or a thread to run on.
    pub fn new(timeouts: &Timeouts, proxy: bool) -> Result<Self, SetupError> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("secondpass/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeouts.connect)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only();
        let builder = if proxy { builder } else { builder.no_proxy() };
        let client = builder.build().map_err(|error| SetupError::Network(causes(&error)))?;

        let unset = |error: std::io::Error| SetupError::Network(error.to_string());
        let runtime = Builder::new_current_thread().enable_all().build().map_err(unset)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("secondpass-http".into())
            .spawn(move || {
                // Ends when told to, or when there is nobody left to tell it.
                let _ = runtime.block_on(stopped);
                runtime.shutdown_background();
            })
            .map_err(unset)?;
        Ok(Self { client, runtime: handle, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Exchange for Network {
    fn exchange(&self, request: &Request, timeout: Duration) -> Result<Answer, ExchangeError> {
        let built = build(&self.client, request)?;
        let (client, limit) = (self.client.clone(), request.largest_answer);
        let (sender, receiver) = mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            let begun = Arc::new(Mutex::new(None));
            let whole = perform(client, built, limit, Arc::clone(&begun));
            let result = match tokio::time::timeout(timeout, whole).await {
                Ok(result) => result,
                Err(_) => Err(ExchangeError {
                    kind: NoAnswer::Timeout,
                    begun: lock(&begun).take(),
                    detail: format!("nothing whole after {timeout:.1?}"),
                }),
            };
            // Nobody waits any more only when the caller's thread is gone.
            let _ = sender.send(result);
        });
        receiver.recv().unwrap_or_else(|_| {
            let detail = "the network thread has ended".to_owned();
            Err(ExchangeError { kind: NoAnswer::Broken, begun: None, detail })
        })
    }
}

fn build(client: &reqwest::Client, request: &Request) -> Result<reqwest::Request, ExchangeError> {
    let unbuilt = |detail: String| ExchangeError { kind: NoAnswer::Request, begun: None, detail };
    let mut builder = match request.method {
        Method::Get => client.get(&request.url),
        Method::Post => client.post(&request.url).body(request.body.clone()),
    };
    if let Some(content_type) = request.content_type() {
        builder = builder.header(reqwest::header::CONTENT_TYPE, content_type);
    }
    builder = builder.header(reqwest::header::ACCEPT, "application/json");
    let plain = request.headers.iter().map(|(name, value)| (name, value.as_str(), false));
    let secret = request.secrets.iter().map(|(name, value)| (name, value.expose(), true));
    for (name, value, sensitive) in plain.chain(secret) {
        let malformed = || unbuilt(format!("header '{name}' is malformed"));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| malformed())?;
        value.set_sensitive(sensitive);
        builder = builder.header(header, value);
    }
    builder.build().map_err(|error| unbuilt(causes(&error.without_url())))
}

/// Sends, and reads the body until its end or the limit. What is known when it is cut off stands in
/// `begun`.
async fn perform(
    client: reqwest::Client,
    request: reqwest::Request,
    limit: usize,
    begun: Arc<Mutex<Option<Answer>>>,
) -> Result<Answer, ExchangeError> {
    let failed = |error: reqwest::Error| {
        let kind = match () {
            () if error.is_connect() => NoAnswer::Connect,
            () if error.is_timeout() => NoAnswer::Timeout,
            () if error.is_builder() => NoAnswer::Request,
            () => NoAnswer::Broken,
        };
        let detail = causes(&error.without_url());
        ExchangeError { kind, begun: lock(&begun).clone(), detail }
    };
    let mut response = client.execute(request).await.map_err(failed)?;
    let headers = response.headers().iter();
    let headers = headers.filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let mut answer =
        Answer { status: response.status().as_u16(), headers: headers.collect(), body: Vec::new() };
    *lock(&begun) = Some(answer.clone());
    let too_large = || ExchangeError {
        kind: NoAnswer::TooLarge,
        begun: lock(&begun).clone(),
        detail: format!("over {limit} bytes"),
    };
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if answer.body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        answer.body.extend_from_slice(&chunk);
    }
    Ok(answer)
}

/// An error and all beneath it, each once.
fn causes(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        next = cause.source();
    }
    told
}
