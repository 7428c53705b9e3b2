//! A headless Chromium, driven over its DevTools protocol through a pair of pipes: messages are JSON,
//! each ended by a zero byte (`--remote-debugging-pipe`).

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// One open page, and what happened in it.
pub struct Browser {
    child: Child,
    commands: File,
    messages: Receiver<Value>,
    session: Option<String>,
    last: u64,
    /// What the browser told without being asked.
    pub events: Vec<Value>,
}

/// Where Chromium is: as `SECONDPASS_CHROMIUM` says, or by its usual names on the path.
pub fn chromium() -> Option<PathBuf> {
    if let Some(told) = std::env::var_os("SECONDPASS_CHROMIUM") {
        return Some(told.into());
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let at = |name| folders.iter().map(move |folder: &PathBuf| folder.join(name));
    names.into_iter().flat_map(at).find(|file| file.is_file())
}

impl Browser {
    /// Starts one whose profile and pipes lie in `folder`, with an empty page; `None` where it does
    /// not start.
    pub fn start(chromium: &Path, folder: &Path) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let (commands, answers) = (folder.join("commands"), folder.join("answers"));
        let made = Command::new("mkfifo").args([&commands, &answers]).status();
        if !made.is_ok_and(|status| status.success()) {
            return None;
        }
        // The shell opens the pipes as the numbers that Chromium expects, then becomes it.
        let script = "commands=$1 answers=$2; shift 2; exec \"$@\" 3<\"$commands\" 4>\"$answers\"";
        let child = Command::new("sh")
            .args(["-c", script, "sh"])
            .args([&commands, &answers])
            .arg(chromium)
            .args([
                "--remote-debugging-pipe",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
                "--window-size=1280,900",
            ])
            .arg(format!("--user-data-dir={}", folder.join("profile").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        // Each waits until the shell has opened the other end, in the shell's order.
        let commands = OpenOptions::new().write(true).open(&commands).unwrap();
        let answers = BufReader::new(File::open(&answers).unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    break;
                }
            }
        });
        let mut browser =
            Self { child, commands, messages, session: None, last: 0, events: Vec::new() };
        browser.open_page();
        Some(browser)
    }

    fn open_page(&mut self) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.call("Target.attachToTarget", attach);
        self.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Sends a command and gives its result.
    #[track_caller]
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.commands.write_all(format!("{message}\0").as_bytes()).unwrap();
        let started = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(started.elapsed());
            let told = self.messages.recv_timeout(left);
            let told = told.unwrap_or_else(|error| panic!("{method}: no answer: {error}"));
            if told["id"] == self.last {
                assert!(told["error"].is_null(), "{method}: {}", told["error"]);
                return told["result"].clone();
            }
            self.events.push(told);
        }
    }

    /// Shows a file, and waits until all of it is there. What happened before is forgotten.
    #[track_caller]
    pub fn open(&mut self, file: &Path) {
        self.events.clear();
        let url = format!("file://{}", file.display());
        let shown = self.call("Page.navigate", json!({ "url": url }));
        assert!(shown["errorText"].is_null(), "{url}: {shown}");
        let started = Instant::now();
        while self.evaluate("document.readyState + location.protocol") != "completefile:" {
            assert!(started.elapsed() < PATIENCE, "{url} does not load");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The value of an expression in the page.
    #[track_caller]
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true });
        let told = self.call("Runtime.evaluate", params);
        assert!(told["exceptionDetails"].is_null(), "{expression}: {told}");
        told["result"]["value"].clone()
    }

    /// Clicks on an element, as a person does: the middle of where it is shown.
    #[track_caller]
    pub fn click(&mut self, element: &str) {
        let place = self.evaluate(&format!(
            "(() => {{ const e = {element}; e.scrollIntoView({{ block: 'center' }}); \
             const r = e.getBoundingClientRect(); \
             return [r.left + r.width / 2, r.top + r.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let params = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1
            });
            self.call("Input.dispatchMouseEvent", params);
        }
    }

    /// What went wrong in the page: exceptions, and whatever stands in its console.
    pub fn complaints(&self) -> Vec<&Value> {
        let wrong = ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"];
        self.events.iter().filter(|e| wrong.iter().any(|method| e["method"] == *method)).collect()
    }

    /// The addresses that were asked for.
    pub fn requests(&self) -> Vec<&str> {
        let asked = self.events.iter().filter(|e| e["method"] == "Network.requestWillBeSent");
        asked.filter_map(|event| event["params"]["request"]["url"].as_str()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
