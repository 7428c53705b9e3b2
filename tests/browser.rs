//! The pages in a real browser: they run, ask nobody for anything, and work on small and dark screens.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

use serde_json::json;

#[path = "support/browser.rs"]
mod browser;
mod support;

use browser::Browser;
use support::{EMBEDDED, Home, fails, succeeds};

const DECIDE: &str = "margin = 0.02\n[constraints]\np95_seconds = 5\n[volume]\n\
    queries_per_month = 1_000_000\n[defaults]\nmachine = \"aws m7g.large\"\n";

/// A report and a decision on one experiment with two rerankers, and a bench.
fn pages(home: &Home) {
    home.set(12, 60);
    let other = EMBEDDED.replace("\"mini\"", "\"short\"").replace("[sweep]\ndepths = []\n", "");
    home.config("kind = \"bm25\"\ndepth = 10", &format!("{other}max_length = 32\n{EMBEDDED}"));
    home.eval("out", &[]);
    home.write("decide.toml", DECIDE);
    let args = ["decide", "out", "--config", "decide.toml", "--out", "decided"];
    let told = succeeds(&home.run(&args));
    assert!(told.ends_with("Report: decided/decision.html\n"), "{told}");
    let bench = ["bench", "--model", "embedded", "--candidates", "4,8", "--lengths", "own,16"];
    let quick = ["--queries", "30", "--clients", "1,2", "--out", "measured"];
    succeeds(&home.run(&[&bench[..], &quick].concat()));
}

#[test]
fn a_decision_leaves_its_page_beside_no_record() {
    let home = Home::new();
    pages(&home);
    let files = ["decision.html", "decision.md", "decision.json", "charts/break-even.svg"];
    for file in files {
        assert!(!home.bytes(&format!("decided/{file}")).is_empty(), "{file}");
    }
    let decision = home.json("decided/decision.json");
    assert!(decision["decision"]["confidence"].is_number(), "{decision}");
    let args = ["decide", "out", "--config", "decide.toml", "--out", "out"];
    fails(&home.run(&args), 2, "choose another folder, as out/decision");
}

#[test]
fn pages_work_in_a_browser() {
    let Some(chromium) = browser::chromium() else {
        eprintln!("skipped: no chromium");
        return;
    };
    let home = Home::new();
    let Some(mut browser) = Browser::start(&chromium, &home.path("browser")) else {
        eprintln!("skipped: no chromium that starts");
        return;
    };
    pages(&home);
    for (page, table, chart) in [
        ("out/report.html", "quality", "quality"),
        ("decided/decision.html", "quality", "break-even"),
        ("measured/bench.html", "latency", "bench-candidates"),
    ] {
        browser.open(&home.path(page));
        sorts(&mut browser, table);
        toggles(&mut browser, chart);
        fits(&mut browser);
        shows_both_themes(&mut browser);
        assert!(browser.complaints().is_empty(), "{page}: {:?}", browser.complaints());
        let [only] = browser.requests()[..] else { panic!("{page}: {:?}", browser.requests()) };
        assert!(only.starts_with("file://") && only.ends_with(page), "{only}");
    }
}

/// A click on a head sorts by it, another one the other way, and says so.
fn sorts(browser: &mut Browser, section: &str) {
    let table = format!("document.querySelector('#{section} table')");
    let column = format!(
        "[...{table}.tBodies[0].rows].map(row => parseFloat(row.cells[1].firstChild.textContent))"
    );
    let head = format!("{table}.tHead.rows[0].cells[1]");
    for (told, sign) in [("ascending", 1.0), ("descending", -1.0)] {
        browser.click(&format!("{head}.querySelector('button')"));
        assert_eq!(browser.evaluate(&format!("{head}.getAttribute('aria-sort')")), told);
        let values = browser.evaluate(&column);
        let values: Vec<f64> = values.as_array().unwrap().iter().flat_map(|v| v.as_f64()).collect();
        assert!(values.len() > 2, "{values:?}");
        assert!(values.windows(2).all(|p| sign * p[0] <= sign * p[1]), "{told}: {values:?}");
    }
    let marked = format!("{table}.querySelectorAll('[aria-sort]').length");
    assert_eq!(browser.evaluate(&marked), 1);
}

/// A click on a series' button hides its shapes, another one shows them again.
fn toggles(browser: &mut Browser, chart: &str) {
    let figure = format!("document.querySelector('#chart-{chart}')");
    let button = format!("{figure}.querySelector('.legend button')");
    let shown = format!(
        "[...{figure}.querySelectorAll('g[data-series]')].filter(part => part.dataset.series === \
         {button}.textContent).map(part => getComputedStyle(part).visibility).join(' ')"
    );
    let before = browser.evaluate(&shown);
    assert!(before.as_str().unwrap().starts_with("visible"), "{chart}: {before}");
    browser.click(&button);
    let hidden = browser.evaluate(&shown);
    assert_eq!(hidden.as_str().unwrap(), before.as_str().unwrap().replace("visible", "hidden"));
    assert_eq!(browser.evaluate(&format!("{button}.getAttribute('aria-pressed')")), "false");
    browser.click(&button);
    assert_eq!(browser.evaluate(&shown), before);
}

/// On a phone the page itself does not scroll sideways.
fn fits(browser: &mut Browser) {
    let phone = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
    browser.call("Emulation.setDeviceMetricsOverride", phone);
    let wide = browser.evaluate("document.documentElement.scrollWidth");
    assert!(wide.as_f64().unwrap() <= 390.0, "{wide}");
    browser.call("Emulation.clearDeviceMetricsOverride", json!({}));
}

/// Page and charts follow the reader's theme.
fn shows_both_themes(browser: &mut Browser) {
    let grounds = "[document.body, document.querySelector('figure svg rect, figure svg')].map(part \
                   => getComputedStyle(part)).map(look => look.backgroundColor + look.fill).join()";
    let mut seen = Vec::new();
    for theme in ["light", "dark"] {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        browser.call("Emulation.setEmulatedMedia", json!({ "features": features }));
        seen.push(browser.evaluate(grounds));
    }
    assert_ne!(seen[0], seen[1]);
}
