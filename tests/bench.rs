//! `secondpass bench`, and `[bench]` in an experiment. No absolute time is asserted: what is planted
//! is compared with what was measured.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use secondpass_mock::Kind;
use serde_json::Value;
use support::hosted::{NO_SWEEP, USD, faulty, mock, table};
use support::{EMBEDDED, Home, fails, stderr, succeeds, until};

/// Two windows of warming up whatever they show, and no processes of their own.
const QUICK: &str = "warm_up = { window = 5, tolerance = 100.0, at_most = 10 }\ncold_starts = 0\n";

fn bench(home: &Home, out: &str) -> Value {
    home.json(&format!("{out}/bench.json"))
}

#[track_caller]
fn percentile(cell: &Value, share: f64) -> f64 {
    let latency = cell["measured"]["latency"].as_array().unwrap();
    let found = latency.iter().find(|percentile| percentile["share"] == share);
    found.unwrap_or_else(|| panic!("no p{}", share * 100.0))["value"].as_f64().unwrap()
}

/// An experiment that asks an imitation, with a `[bench]`.
fn asking(home: &Home, tables: &str, bench: &str) {
    home.queries(40);
    let more = format!("{tables}{NO_SWEEP}[bench]\n{QUICK}candidates = 5\n{bench}");
    home.config("kind = \"bm25\"\ndepth = 5", &more);
}

#[test]
fn the_embedded_model_is_measured() {
    let home = Home::new();
    let flags = ["bench", "--model", "embedded", "--candidates", "4,8", "--lengths", "own,16"];
    let more = ["--clients", "1,2", "--batch-tokens", "512,1024", "--queries", "60"];
    let out = ["--cold-starts", "2", "--out", "out"];
    let output = home.run(&[&flags[..], &more, &out].concat());
    let told = succeeds(&output);
    for needed in
        ["4 candidates, own length, 1 client", "cold start: ", "bench.html", "peak memory"]
    {
        assert!(told.contains(needed), "{needed}: {told}");
    }
    let record = bench(&home, "out");
    let system = &record["systems"][0];
    let cells = system["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 5, "{told}");
    for cell in cells {
        assert_eq!((&cell["measured"]["asked"], &cell["live"]), (&60.into(), &true.into()));
        assert!(percentile(cell, 0.5) <= percentile(cell, 0.99));
        let throughput = &cell["measured"]["throughput"];
        let pairs = throughput["pairs"].as_f64().unwrap() / throughput["queries"].as_f64().unwrap();
        assert!((pairs - cell["cell"]["candidates"].as_f64().unwrap()).abs() < 1e-6);
        // 60 answers bound no 99th percentile.
        assert!(cell["measured"]["latency"][3]["high"].is_null());
    }
    assert_eq!(cells[1]["cell"]["candidates"], 8);
    let warnings = system["warnings"].to_string();
    assert!(warnings.contains("has no upper bound"), "{warnings}");
    let cold = &system["cold_start"];
    let (load, first) = (cold["load"].as_f64().unwrap(), cold["first_score"].as_f64().unwrap());
    assert!(0.0 < load && load < first, "{cold}");
    assert_eq!(cold["starts"].as_array().unwrap().len(), 2);
    for page in ["out/bench.html", "out/bench.md"] {
        let page = home.read(page);
        for needed in ["has no upper bound", "Latency by number of candidates", "Cold start"] {
            assert!(page.contains(needed), "{needed}");
        }
    }
    assert!(home.bytes("out/samples.parquet").starts_with(b"PAR1"));
    let removed = succeeds(&home.run(&["purge", "out"]));
    assert!(removed.contains("files removed") && !home.path("out").exists(), "{removed}");
}

#[test]
fn a_stall_is_not_hidden_by_an_open_loop() {
    const STALL: Duration = Duration::from_millis(1500);
    let home = Home::new();
    let fault = format!("40:slow-headers={}ms", STALL.as_millis());
    let measured = |load: &str| {
        let server = faulty(Kind::Tei, &[&fault]);
        asking(&home, &table(Kind::Tei, &server.base_url()), &format!("queries = 60\n{load}"));
        succeeds(&home.run(&["bench", "--config", "small.toml", "--out", "out"]));
        bench(&home, "out")["systems"][0]["cells"][0].clone()
    };
    let closed = measured("clients = 1\n");
    let open = measured("rates = 20.0\narrivals = \"constant\"\nworkers = 1\n");
    // All who arrive during the stall wait: 30 queries, half of them for more than half of it.
    let half = STALL.as_secs_f64() / 2.0;
    assert!(percentile(&open, 0.9) > half, "{open}");
    assert!(percentile(&open, 0.99) > half, "{open}");
    // Of the polite loop it is one query in sixty.
    assert!(percentile(&closed, 0.9) < percentile(&open, 0.9), "{closed}");
    assert!(closed["measured"]["max"].as_f64().unwrap() >= STALL.as_secs_f64());
    assert_eq!((&open["live"], &open["measured"]["asked"]), (&false.into(), &60.into()));
    let page = home.read("out/bench.html");
    assert!(page.contains("Not live.") && page.contains("tei (not live)"));
}

#[test]
fn no_bench_spends_more_than_it_may() {
    let home = Home::new();
    let server = mock(Kind::Cohere);
    asking(&home, &table(Kind::Cohere, &server.base_url()), "queries = 600\n");
    let run = |more: &[&str]| {
        home.run_keyed(&[&["bench", "--config", "small.toml", "--out", "out"], more].concat())
    };
    let dry = succeeds(&run(&["--dry-run"]));
    assert!(dry.contains("about 610 queries, 610 search units: 1.2200 USD"), "{dry}");
    fails(&run(&[]), 2, "--max-cost");
    assert!(server.books().calls().is_empty() && !home.path("out").exists());
    let output = run(&["--max-cost", "0.05"]);
    fails(&output, 1, "was not measured to the end");
    let billed = server.books().billed();
    assert!(billed > 10 && billed as f64 * USD <= 0.05, "{billed}");
    let record = bench(&home, "out");
    let system = &record["systems"][0];
    assert_eq!(system["spent"]["units"], billed);
    assert_eq!(system["spent"]["usd"].as_f64().unwrap(), billed as f64 * USD);
    assert!(system["ended"].as_str().unwrap().contains("USD"), "{system}");
    assert!(home.read("out/bench.html").contains("ended before all of the plan"));
}

#[test]
fn a_dry_run_shows_cells_and_writes_nothing() {
    let home = Home::new();
    let output = home.run(&[
        "bench",
        "--model",
        "embedded",
        "--candidates",
        "4,8",
        "--find-rate",
        "--p95",
        "0.5",
        "--dry-run",
    ]);
    let told = succeeds(&output);
    for needed in ["8 candidates", "the highest rate whose p95 keeps 0.5 s", "in all"] {
        assert!(told.contains(needed), "{needed}: {told}");
    }
    assert!(!home.path("reports").exists());
}

#[test]
fn ctrl_c_leaves_what_was_measured() {
    if !cfg!(unix) {
        eprintln!("skipped: no signals");
        return;
    }
    let home = Home::new();
    home.set(20, 40);
    let bench_table =
        format!("[bench]\n{QUICK}candidates = [2, 3]\nqueries = 1000000\nseconds = 2.0\n");
    home.config("kind = \"bm25\"\ndepth = 5", &format!("{EMBEDDED}{bench_table}"));
    let mut command = home.command(&["bench", "--config", "small.toml", "--out", "out"]);
    let child = home.start(&mut command);
    until("the first cell", || home.path("out/bench.json").exists());
    let killed =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let output = child.wait_with_output().unwrap();
    fails(&output, 1, "stopped");
    let record = bench(&home, "out");
    let system = &record["systems"][0];
    assert!(system["cells"][0]["measured"]["asked"].as_u64().unwrap() > 0);
    assert!(system["ended"].as_str().unwrap().contains("stopped"));
    assert!(home.path("out/bench.html").exists() && home.path("out/samples.parquet").exists());
}

#[test]
fn an_experiment_measures_quality_then_latency_and_a_decision_takes_both() {
    let home = Home::new();
    home.set(60, 100);
    let bench_table = format!(
        "[bench]\n{QUICK}candidates = 5\nqueries = 60\n\
         find_rate = {{ p95_seconds = 20.0, queries = 59, probes = 2 }}\n"
    );
    home.config("kind = \"bm25\"\ndepth = 5", &format!("{EMBEDDED}{bench_table}"));
    let dry = succeeds(&home.run(&["eval", "--config", "small.toml", "--dry-run"]));
    assert!(dry.contains("5 candidates, own length, 1 client"), "{dry}");
    let output = home.run(&["eval", "--config", "small.toml", "--out", "out"]);
    let told = succeeds(&output);
    assert!(told.contains("highest rate whose p95 keeps 20 s"), "{told}");
    let record = bench(&home, "out");
    let capacity = &record["systems"][0]["capacities"][0]["capacity"];
    let kept = capacity["kept"].as_f64().unwrap();
    assert_eq!(capacity["probes"].as_array().unwrap().len(), 2);
    assert!(home.path("out/record.json").exists() && home.path("out/report.html").exists());

    let decide = |choice: &str| {
        let config = format!(
            "margin = 0.01\nvolume = {{ queries_per_month = 1000 }}\n\
             constraints = {{ p95_seconds = 20.0 }}\n[[choice]]\nname = \"mini\"\n\
             machine_usd_per_hour = 1.0\ncommercial = true\n{choice}"
        );
        home.write("decide.toml", config);
        home.run(&["decide", "out", "--config", "decide.toml", "--json"])
    };
    let told = succeeds(&decide(""));
    assert!(told.contains("the bench 'small'"), "{told}");
    assert!(kept > 0.0 && told.contains("the highest rate whose p95 keeps 20 s"), "{told}");
    // One that is named and does not fit says why.
    let config = home.read("small.toml").replace("candidates = 5\n", "candidates = 4\n");
    home.write("small.toml", config);
    succeeds(&home.run(&["bench", "--config", "small.toml", "--out", "other"]));
    fails(&decide("bench = \"other\"\n"), 2, "measure with --candidates 5");
    fails(&decide("bench = \"nowhere\"\n"), 2, "choice 'mini', key 'bench'");
}

#[test]
fn what_cannot_be_measured_is_refused_at_once() {
    let home = Home::new();
    fails(&home.run(&["bench"]), 2, "nothing to measure");
    fails(&home.run(&["bench", "--kind", "nobody"]), 2, "'nobody' is not known");
    let many = home.run(&["bench", "--model", "embedded", "--candidates", "100000"]);
    fails(&many, 2, "a cell wants 100000 candidates");
    home.set(5, 10);
    home.config("kind = \"bm25\"\ndepth = 5", &format!("{EMBEDDED}[bench]\nclients = 0\n"));
    fails(&home.run(&["bench", "--config", "small.toml"]), 2, "key 'bench.clients' is 0");
    home.config("kind = \"bm25\"\ndepth = 5", EMBEDDED);
    let none = home.run(&["bench", "--config", "small.toml", "--reranker", "x"]);
    fails(&none, 2, "has no reranker 'x'; there is 'mini'");
    // A folder of another name stays as it is.
    let table = "0".repeat(64);
    home.write("out/bench.json", format!("{{\"name\": \"other\", \"table\": \"{table}\"}}"));
    let taken = home.run(&["bench", "--model", "embedded", "--candidates", "2", "--out", "out"]);
    assert!(!taken.status.success());
    assert!(stderr(&taken).contains("holds the bench 'other'"), "{}", stderr(&taken));
}
