//! What hosted rerankers may cost: estimates, limits, prices.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::process::{Command, Stdio};

use secondpass_mock::{Kind, Mock};
use serde_json::{Value, json};
use support::hosted::{USD, faulty, mock, table};
use support::{Home, fails, stderr, system_of};

/// Twelve calls of one search unit each.
fn home(provider: &Mock, more: &str) -> Home {
    let home = Home::new();
    home.asking(12, &(table(Kind::Cohere, &provider.base_url()) + more));
    home
}

/// A price of everything that Cohere sells.
fn price(usd: f64) -> String {
    format!(
        "[[price]]\nprovider = \"cohere\"\nmodel = \"*\"\nunit = \"search-unit\"\nusd = {usd}\n\
         per = 1\nread = \"2026-11-20\"\nsource = \"our agreement\"\n"
    )
}

fn spent(record: &Value) -> &Value {
    &system_of(record, "cohere")["cost"]["spent"]
}

#[test]
fn a_run_stops_before_its_limit_and_goes_on_with_a_higher_one() {
    // The third answer breaks off: its work may be billed, and it is asked for again.
    let provider = faulty(Kind::Cohere, &["3:reset"]);
    let home = home(&provider, "attempts = 2\nconcurrency = 4\n");
    let limit = 0.018;
    let stopped = home.try_asking(&["--max-cost", "0.018"]);
    fails(&stopped, 1, "before the costs could pass the limit of 0.018 USD");
    fails(&stopped, 1, "the same command with a higher --max-cost goes on from here");
    let books = provider.books();
    let billed = books.billed() as f64 * USD;
    // A call and its second attempt may be 0.004: so much is left at the most.
    assert!(billed <= limit && billed + 2.0 * USD > limit - 1e-9, "{billed}");
    assert!(!home.path("out/record.json").exists());

    // What was spent counts: the same limit lets nothing through.
    let calls = books.calls().len();
    let again = home.try_asking(&["--max-cost", "0.018"]);
    fails(&again, 1, "before the costs could pass the limit");
    assert!(stderr(&again).contains("earlier starts of this run spent 0.01"), "{}", stderr(&again));
    assert_eq!(books.calls().len(), calls);

    let record = home.ask(&["--max-cost", "1"]);
    assert_eq!(books.repeated(), []);
    assert_eq!((books.acknowledged(), books.calls().len()), (12, 13));
    let spent = spent(&record);
    assert_eq!((&spent["calls"], &spent["reported"]), (&json!(13), &json!(12)));
    assert_eq!((&spent["doubtful"], &spent["doubtful_usd"]), (&json!(1), &json!(USD)));
}

#[test]
fn a_limit_of_nothing_sends_nothing() {
    let provider = mock(Kind::Cohere);
    let home = home(&provider, "");
    fails(&home.try_asking(&["--max-cost", "0"]), 1, "stopped after 0 of 12 queries");
    assert!(provider.books().calls().is_empty());
    fails(&home.try_asking(&["--max-cost=-1"]), 2, "US dollars");
}

#[test]
fn more_than_a_dollar_is_not_spent_unasked() {
    let provider = mock(Kind::Cohere);
    let home = home(&provider, "");
    home.write("dear.toml", price(0.09));
    let prices = ["--prices", "dear.toml"];
    let refused = home.try_asking(&prices);
    fails(&refused, 2, "this run costs about 1.08 USD");
    fails(&refused, 2, "--max-cost");
    assert!(provider.books().calls().is_empty());
    assert!(!home.path("out").exists());

    home.write("fair.toml", price(0.08));
    home.ask(&["--prices", "fair.toml"]);
    assert_eq!(provider.books().billed(), 12);
    // Whoever says yes beforehand, or how much it may be, is not asked.
    home.ask(&[&prices[..], &["--yes"]].concat());
    assert_eq!(provider.books().billed(), 24);
    home.ask(&[&prices[..], &["--max-cost", "5"]].concat());
    assert_eq!(provider.books().billed(), 36);
}

/// On a terminal the question is asked; `script` gives one.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_asked() {
    let has_script = Command::new("script").arg("--version").stdout(Stdio::null()).status();
    if !has_script.is_ok_and(|status| status.success()) {
        println!("skipped: no `script` here");
        return;
    }
    let provider = mock(Kind::Cohere);
    let home = home(&provider, "");
    home.write("dear.toml", price(0.09));
    let asked = |word: &str| {
        let program = env!("CARGO_BIN_EXE_secondpass");
        let line = format!(
            "printf '{word}\\n' | script --quiet --return --flush --command '{program} eval --config \
             small.toml --out out --prices dear.toml' /dev/null"
        );
        let mut shell = home.other("sh");
        shell.args(["-c", &line]).env("COHERE_API_KEY", "any");
        let output = shell.output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(told.contains("this run costs about 1.08 USD; go on? [y/N]"), "{told}");
        (output.status.code(), told)
    };
    let (code, told) = asked("n");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("stopped before anything was sent"), "{told}");
    assert!(provider.books().calls().is_empty());
    let (code, told) = asked("y");
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(provider.books().billed(), 12);
}

#[test]
fn an_unknown_price_is_not_nothing() {
    let provider = mock(Kind::Cohere);
    let home = home(&provider, "");
    let config = home.read("small.toml").replace("rerank-v3.5", "rerank-v3.6-new");
    home.write("small.toml", config);
    fails(&home.try_asking(&[]), 2, "nobody knows what 'cohere' will cost");
    let limited = home.try_asking(&["--max-cost", "1"]);
    fails(&limited, 2, "--max-cost cannot hold 'cohere', whose price is not known");
    fails(&limited, 2, "--prices");
    assert!(provider.books().calls().is_empty());

    let record = home.ask(&["--yes"]);
    let cost = &system_of(&record, "cohere")["cost"];
    assert_eq!((&cost["tariff"]["price"], &cost["spent"]["usd"]), (&Value::Null, &Value::Null));
    assert_eq!(cost["spent"]["reported"], 12);
    assert!(home.read("out/report.md").contains("price unknown (1 search unit)"));
    let warnings = record["experiment"]["warnings"].to_string();
    assert!(warnings.contains("price"), "{warnings}");

    home.write("mine.toml", price(0.01));
    let record = home.ask(&["--max-cost", "1", "--prices", "mine.toml"]);
    assert_eq!(spent(&record)["usd"], 0.12);
}

#[test]
fn prices_of_a_users_own_win() {
    let provider = mock(Kind::Cohere);
    let home = home(&provider, "");
    let told = |more: &[&str]| {
        let record = home.ask(more);
        let price = system_of(&record, "cohere")["cost"]["tariff"]["price"].clone();
        assert_eq!(spent(&record)["usd"].as_f64().unwrap(), 12.0 * price["usd"].as_f64().unwrap());
        price
    };
    assert_eq!(told(&[])["usd"], USD);

    home.write("config/secondpass/prices.toml", price(0.03));
    let own = told(&[]);
    assert_eq!((&own["usd"], &own["source"]), (&json!(0.03), &json!("our agreement")));
    assert_eq!(own["read"], "2026-11-20");

    let config = home.read("small.toml");
    home.write("small.toml", format!("{config}[cost]\nprices = \"experiment.toml\"\n"));
    home.write("experiment.toml", price(0.04));
    assert_eq!(told(&[])["usd"], 0.04);

    home.write("flag.toml", price(0.05));
    assert_eq!(told(&["--prices", "flag.toml"])["usd"], 0.05);

    home.write("flag.toml", price(0.05).replace("usd", "euro"));
    let calls = provider.books().calls().len();
    fails(&home.try_asking(&["--prices", "flag.toml"]), 2, "flag.toml");
    fails(&home.try_asking(&["--prices", "none.toml"]), 2, "none.toml");
    assert_eq!(provider.books().calls().len(), calls);
}

#[test]
fn months_are_told_at_each_volume() {
    let provider = mock(Kind::Cohere);
    let home = home(&provider, "");
    let config = home.read("small.toml");
    home.write("small.toml", format!("{config}[cost]\nqueries_per_month = [10_000, 1_000_000]\n"));
    let record = home.ask(&[]);
    assert_eq!(record["volumes"], json!([10_000, 1_000_000]));
    let report = home.read("out/report.md");
    let row = report.lines().find(|line| line.starts_with("| cohere (mock) | \\$0.002 ")).unwrap();
    for amount in ["\\$2.00 |", "\\$20.00 |", "\\$2,000 |"] {
        assert!(row.contains(amount), "{amount}: {row}");
    }
}
