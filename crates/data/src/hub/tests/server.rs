use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The commit that `main` names at first.
pub const COMMIT: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Names that always stand for the newest commit, as they are written in addresses.
const MAIN: &str = "main";
const PULL_REQUEST: &str = "refs%2Fpr%2F1";

/// A hub that holds one model, `org/tiny`, and data sets.
pub struct Server {
    port: u16,
    hub: Arc<Mutex<Hub>>,
}

/// What the hub holds and how it behaves.
#[derive(Default)]
pub struct Hub {
    /// The model's files.
    pub files: BTreeMap<String, String>,
    /// The files of each data set by its id.
    pub datasets: BTreeMap<String, BTreeMap<String, String>>,
    /// Entity tags of files that have another than the default.
    pub tags: BTreeMap<String, String>,
    pub commit: String,
    /// A file whose content breaks off in the middle.
    pub cut: Option<String>,
    /// A file that is announced, but whose content is refused.
    pub refused: Option<String>,
    /// The only `Authorization` that is let in.
    pub token: Option<String>,
    requests: Vec<Request>,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub token: Option<String>,
}

impl Server {
    pub fn start(files: &[(&str, &str)]) -> Self {
        let files =
            files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let hub = Hub { files, commit: COMMIT.to_owned(), ..Hub::default() };
        let hub = Arc::new(Mutex::new(hub));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = hub.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let hub = shared.clone();
                std::thread::spawn(move || serve(stream, &hub));
            }
        });
        Self { port, hub }
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn change(&self, change: impl FnOnce(&mut Hub)) {
        change(&mut self.hub.lock().unwrap());
    }

    pub fn requests(&self) -> Vec<Request> {
        self.hub.lock().unwrap().requests.clone()
    }

    pub fn forget(&self) {
        self.change(|hub| hub.requests.clear());
    }
}

struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: String,
    cut: bool,
}

fn serve(mut stream: TcpStream, hub: &Mutex<Hub>) {
    let Some(request) = read(&stream) else { return };
    let answer = {
        let mut hub = hub.lock().unwrap();
        hub.requests.push(request.clone());
        answer(&hub, &request)
    };
    let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", answer.status);
    head += &format!("Content-Length: {}\r\n", answer.body.len());
    for (name, value) in &answer.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    // The client may hang up first, which is its right.
    let _ = stream.write_all(head.as_bytes());
    if request.method == "GET" {
        let end = if answer.cut { answer.body.len() / 2 } else { answer.body.len() };
        let _ = stream.write_all(&answer.body.as_bytes()[..end]);
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let path = target.split('?').next()?.to_owned();
    let mut token = None;
    for line in lines {
        let line = line.ok()?;
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                token = Some(value.to_owned());
            }
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    Some(Request { method, path, token })
}

/// The repository that a path begins with: its id, its files, and the rest of the path.
fn repository<'a>(
    hub: &'a Hub,
    models: &str,
    path: &'a str,
) -> Option<(&'a str, &'a BTreeMap<String, String>, &'a str)> {
    if let Some(rest) = path.strip_prefix("/datasets/") {
        let (id, files) = hub.datasets.iter().find(|(id, _)| {
            rest.strip_prefix(id.as_str()).is_some_and(|rest| rest.starts_with('/'))
        })?;
        return Some((id, files, rest.strip_prefix(id.as_str())?));
    }
    let rest = path.strip_prefix(models)?.strip_prefix("/org/tiny")?;
    Some(("org/tiny", &hub.files, rest))
}

fn answer(hub: &Hub, request: &Request) -> Answer {
    let refusal = |status, code: &str| Answer {
        status,
        headers: vec![("X-Error-Code", code.to_owned())],
        body: format!("{{\"error\": \"{code}\"}}"),
        cut: false,
    };
    if hub.token.is_some() && hub.token != request.token {
        return refusal("401 Unauthorized", "GatedRepo");
    }
    let (api, path) = match request.path.strip_prefix("/api") {
        Some(path) => (true, path),
        None => (false, request.path.as_str()),
    };
    let Some((id, files, path)) = repository(hub, if api { "/models" } else { "" }, path) else {
        return refusal("404 Not Found", "RepoNotFound");
    };
    let kind = if api { "/revision/" } else { "/resolve/" };
    let Some(rest) = path.strip_prefix(kind) else {
        return refusal("404 Not Found", "RepoNotFound");
    };
    let (revision, file) = rest.split_once('/').unwrap_or((rest, ""));
    if ![MAIN, PULL_REQUEST, &hub.commit].contains(&revision) {
        return refusal("404 Not Found", "RevisionNotFound");
    }
    let commit = ("X-Repo-Commit", hub.commit.clone());
    if api {
        let body = format!("{{\"id\": \"{id}\", \"sha\": \"{}\"}}", hub.commit);
        return Answer { status: "200 OK", headers: vec![commit], body, cut: false };
    }
    let Some(content) = files.get(file) else {
        let mut missing = refusal("404 Not Found", "EntryNotFound");
        missing.headers.push(commit);
        return missing;
    };
    if request.method == "GET" && hub.refused.as_deref() == Some(file) {
        return refusal("403 Forbidden", "Expired");
    }
    let tag = hub.tags.get(file).cloned().unwrap_or_else(|| {
        secondpass_core::ContentHash::of(content.as_bytes()).as_str()[..40].to_owned()
    });
    Answer {
        status: "200 OK",
        headers: vec![commit, ("ETag", format!("\"{tag}\""))],
        body: content.clone(),
        cut: hub.cut.as_deref() == Some(file),
    }
}
