//! `secondpass providers`, its check, and `secondpass mock-provider`.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Output};

use secondpass_mock::{Kind, Mock, Settings};
use serde_json::Value;
use support::hosted::{KEY, faulty, mock, table};
use support::{Home, fails, mean, stderr, succeeds};

/// A provider's row of the first table that `providers` prints.
fn row(listed: &str, name: &str) -> String {
    let found = listed.lines().find(|line| line.starts_with(&format!("│ {name} ")));
    found.unwrap_or_else(|| panic!("no {name} in {listed}")).to_owned()
}

#[test]
fn all_providers_are_listed() {
    let home = Home::new();
    home.write(
        "config/secondpass/prices.toml",
        "[[price]]\nprovider = \"pinecone\"\nmodel = \"bge-*\"\nunit = \"search-unit\"\nusd = 7.77\n\
         per = 1000\nread = \"2026-11-20\"\nsource = \"our agreement\"\n",
    );
    let mut command = home.command(&["providers"]);
    let listed = succeeds(&command.env("JINA_API_KEY", KEY).output().unwrap());
    let cohere = row(&listed, "cohere");
    for needed in [
        "not found: COHERE_API_KEY or CO_API_KEY",
        "https://api.cohere.com",
        "unknown",
        "10 requests",
    ] {
        assert!(cohere.contains(needed), "{needed}: {cohere}");
    }
    assert!(row(&listed, "jina").contains(" found "));
    assert!(
        row(&listed, "tei").contains("self-hosted") && row(&listed, "tei").contains("none needed")
    );
    assert!(listed.contains("2 for 1000 search units") && listed.contains("2026-11-23"));
    assert!(listed.contains("7.77 for 1000 search units") && listed.contains("our agreement"));
    assert!(!listed.contains(KEY));
    for name in ["voyage", "bedrock", "azure", "cohere-compatible", "mixedbread", "pinecone"] {
        row(&listed, name);
    }
}

#[test]
fn a_list_is_for_programs_too() {
    let home = Home::new();
    let mut command = home.command(&["providers", "--json"]);
    let printed = succeeds(&command.env("CO_API_KEY", KEY).output().unwrap());
    let listed: Vec<Value> = serde_json::from_str(&printed).unwrap();
    assert_eq!(listed.len(), 9);
    let named = |name: &str| listed.iter().find(|known| known["name"] == name).unwrap();
    let cohere = named("cohere");
    assert_eq!(
        (&cohere["key_found"], &cohere["base_url"]),
        (&true.into(), &"https://api.cohere.com".into())
    );
    let price = cohere["prices"].as_array().unwrap().iter().find(|p| p["model"] == "rerank-v3.5");
    let price = price.unwrap();
    assert_eq!((&price["usd"], &price["per"]), (&2.0.into(), &1000.0.into()));
    assert!(price["read"].as_str().unwrap().starts_with("20") && price["source"].is_string());
    assert_eq!(cohere["tiers"][0]["requests_per_minute"], 10);
    assert_eq!(named("voyage")["key_found"], false);
    assert_eq!(
        (&named("tei")["key_found"], &named("tei")["self_hosted"]),
        (&Value::Null, &true.into())
    );
    assert_eq!(
        (&named("pinecone")["region"], &named("jina")["region"]),
        (&"us".into(), &Value::Null)
    );
    assert!(!printed.contains(KEY));
}

/// Checks Cohere at this address.
fn checked(home: &Home, url: &str, more: &[&str]) -> Output {
    let args = ["providers", "check", "cohere", "--model", "rerank-v3.5", "--base-url", url];
    home.run_keyed(&[&args[..], more].concat())
}

#[test]
fn a_check_makes_one_smallest_call() {
    let home = Home::new();
    let provider =
        Mock::start(Settings { key: Some(KEY.into()), ..Settings::new(Kind::Cohere) }).unwrap();
    let output = checked(&home, &provider.base_url(), &[]);
    let told = succeeds(&output);
    let url = provider.base_url();
    assert!(told.starts_with(&format!("Cohere at {url} answered in ")), "{told}");
    assert!(told.contains("model 'rerank-v3.5', 1 search unit billed (0.002000 USD)"), "{told}");
    assert!(stderr(&output).contains("imitation"), "{}", stderr(&output));
    assert_eq!((provider.books().calls().len(), provider.books().billed()), (1, 1));

    let told: Value = serde_json::from_str(&succeeds(&checked(&home, &url, &["--json"]))).unwrap();
    assert_eq!((&told["origin"], &told["in_order"]), (&"mock".into(), &true.into()));
    assert_eq!(told["billed"]["reported"], 1);
    assert_eq!(told["destination"]["host"], provider.address().to_string());
}

#[test]
fn every_kind_can_be_checked() {
    let home = Home::new();
    for kind in Kind::ALL {
        let provider = mock(kind);
        let table = table(kind, &provider.base_url());
        let value = |key: &str| {
            let line = table.lines().find(|line| line.starts_with(&format!("{key} = ")))?;
            line.split('"').nth(1).map(str::to_owned)
        };
        let mut args = vec!["providers".to_owned(), "check".to_owned(), value("kind").unwrap()];
        for (key, flag) in
            [("base_url", "--base-url"), ("model", "--model"), ("region", "--region")]
        {
            args.extend(value(key).into_iter().flat_map(|value| [flag.to_owned(), value]));
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let told = succeeds(&home.run_keyed(&args));
        assert!(told.contains("answered in"), "{kind}: {told}");
        assert_eq!(provider.books().acknowledged(), 1, "{kind}");
    }
}

#[test]
fn a_check_explains_what_failed() {
    let home = Home::new();
    let strict =
        Mock::start(Settings { key: Some("another".into()), ..Settings::new(Kind::Cohere) })
            .unwrap();
    let wrong = checked(&home, &strict.base_url(), &[]);
    fails(&wrong, 1, "401");
    fails(&wrong, 1, "check the key in COHERE_API_KEY");
    assert!(!stderr(&wrong).contains(KEY));

    // A port that was just free: nobody listens.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = checked(&home, &format!("http://{free}"), &[]);
    fails(&nobody, 1, &format!("cannot connect to cohere at http://{free}"));
    fails(&nobody, 1, "check the base URL, that the server runs");

    let page = faulty(Kind::Cohere, &["*:html=200"]);
    let page = checked(&home, &page.base_url(), &[]);
    fails(&page, 1, "check that the base URL is an API's, and no web page's or login's");
    assert!(!stderr(&page).contains("<html>"), "{}", stderr(&page));

    let elsewhere = faulty(Kind::Cohere, &["*:redirect"]);
    let elsewhere_told = checked(&home, &elsewhere.base_url(), &[]);
    fails(&elsewhere_told, 1, "https://elsewhere.invalid");
    fails(&elsewhere_told, 1, "keys are not sent on");

    // A busy provider is called once, and that is said at once.
    let busy = faulty(Kind::Cohere, &["*:429"]);
    fails(&checked(&home, &busy.base_url(), &[]), 1, "429");
    assert_eq!(busy.books().calls().len(), 1);

    // Another server: Cohere's path is none of its.
    let tei = mock(Kind::Tei);
    fails(&checked(&home, &tei.base_url(), &[]), 1, "check the base URL");
    fails(&home.run(&["providers", "check", "cohere", "--model", "any"]), 2, "set COHERE_API_KEY");
    fails(&home.run(&["providers", "check", "coherent"]), 2, "'coherent' is no provider");
    fails(&home.run(&["providers", "check", "tei"]), 2, "base");
    fails(&home.run_keyed(&["providers", "check", "cohere"]), 2, "rerank-v3.5");
}

/// A running `mock-provider`, and where it listens.
struct Served(Child, String);

impl Served {
    fn start(home: &Home, more: &[&str]) -> Self {
        let args = [&["mock-provider", "--port", "0"], more].concat();
        let mut child = home.start(&mut home.command(&args));
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self(child, line.trim().to_owned())
    }

    /// Ctrl-C; gives what it said.
    #[cfg(unix)]
    fn stop(self) -> Output {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.0.wait_with_output().unwrap()
    }
}

#[cfg(unix)]
#[test]
fn an_imitation_serves_until_ctrl_c_and_tells_its_sums() {
    let home = Home::new();
    let served = Served::start(
        &home,
        &["--kind", "cohere", "--key", KEY, "--fault", "1:503", "--latency", "30ms"],
    );
    let url = served.1.clone();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    fails(&checked(&home, &url, &[]), 1, "503");
    let answer = succeeds(&checked(&home, &url, &["--json"]));
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((&answer["origin"], &answer["in_order"]), (&"mock".into(), &true.into()));
    home.asking(6, &table(Kind::Cohere, &url));
    let record = home.ask(&[]);
    assert!(mean(&record, "cohere", "nDCG@10") > 0.0);

    let output = served.stop();
    assert!(output.status.success());
    let told = stderr(&output);
    assert!(told.contains("imitating cohere: scores are made up"), "{told}");
    assert!(told.contains(&format!("base_url = \"{url}\"")), "{told}");
    assert!(told.contains("8 calls, 7 answered well, 7 units billed, at most 1 at once"), "{told}");
    assert!(!told.contains(KEY), "{told}");
}

#[test]
fn an_imitation_that_cannot_be_is_refused() {
    let home = Home::new();
    let provider = mock(Kind::Cohere);
    let port = provider.address().port().to_string();
    let taken = home.run(&["mock-provider", "--kind", "cohere", "--port", &port]);
    fails(&taken, 2, "cannot be had");
    fails(&home.run(&["mock-provider", "--kind", "coherent"]), 2, "cohere-compatible");
    fails(&home.run(&["mock-provider", "--kind", "tei", "--fault", "often:500"]), 2, "often:500");
}
