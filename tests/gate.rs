//! `secondpass compare`, `gate` and `canary` as a user and a CI job run them.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use secondpass_core::Ranking;
use secondpass_evaluation::{QueryRow, store};
use secondpass_mock::Kind;

use support::hosted::{mock, table};
use support::{EMBEDDED, Home, fails, stderr, succeeds};

const BM25: &str = "kind = \"bm25\"\ndepth = 10";

/// An experiment with the model that the program carries, and its record in `base`.
fn measured(queries: usize) -> Home {
    let home = Home::new();
    home.set(queries, 101);
    home.config(BM25, EMBEDDED);
    home.eval("base", &[]);
    home
}

/// Writes a record's copy with other rows, as another build might have found them.
fn planted(home: &Home, from: &str, to: &str, change: impl Fn(usize, &mut QueryRow)) {
    let (record, mut rows) = store::read(&home.path(from)).unwrap();
    let of = rows.iter_mut().filter(|row| row.system == "mini");
    of.enumerate().for_each(|(place, row)| change(place, row));
    store::write(&home.path(to), &record, &rows).unwrap();
}

#[test]
fn the_same_program_is_not_worse_and_everything_is_written() {
    let home = measured(20);
    home.eval("again", &["--no-cache"]);
    let args = [
        "compare",
        "base",
        "again",
        "--markdown",
        "comment.md",
        "--json",
        "told.json",
        "--benchmark-json",
        "figures.json",
        "--history",
        "kept/history.parquet",
    ];
    let printed = succeeds(&home.run(&args));
    assert!(printed.contains("no regression beyond 0.01"), "{printed}");
    let comment = home.read("comment.md");
    assert!(comment.starts_with("### ✅ secondpass: "), "{comment}");
    let told = home.json("told.json");
    assert_eq!(told["outcome"], "fine");
    let mini = told["systems"].as_array().unwrap().iter().find(|s| s["name"] == "mini").unwrap();
    assert_eq!(
        (&mini["ranks"]["verdict"], &mini["ranks"]["of"]),
        (&"same".into(), &"rankings".into())
    );
    assert_eq!(mini["quality"][0]["verdict"], "no-regression");
    let figures = home.json("figures.json");
    let names: Vec<&str> =
        figures.as_array().unwrap().iter().filter_map(|f| f["name"].as_str()).collect();
    assert!(names.contains(&"mini / nDCG@10"), "{names:?}");
    assert!(figures[0]["value"].is_f64() && figures[0]["unit"] == "score");
    assert!(home.read("figures-smaller.json").contains("\"mini / p95\""));

    let rows = || home.files("kept").len();
    let table = home.bytes("kept/history.parquet");
    assert_eq!(rows(), 5, "the table and two charts, each twice: {:?}", home.files("kept"));
    assert!(home.read("kept/trend-quality.svg").contains("2 records; latest: "));
    succeeds(&home.run(&args));
    assert_eq!(home.bytes("kept/history.parquet"), table, "the same records are not more rows");
}

#[test]
fn reversed_ranks_on_a_tenth_of_the_queries_are_caught() {
    let home = measured(40);
    planted(&home, "base", "worse", |place, row| {
        if place % 10 == 0 {
            let ranking = row.ranking.take().unwrap();
            let turned = ranking.ranked().iter().map(|r| (r.document.clone(), -r.score.unwrap()));
            row.ranking = Some(Ranking::from_scores(turned).unwrap());
            row.top = row.ranking.as_ref().unwrap().documents().next().map(ToString::to_string);
            row.values.fill(0.0);
        }
    });
    let caught = home.run(&["compare", "base", "worse", "--markdown", "comment.md"]);
    fails(&caught, 1, "the gate is shut");
    let comment = home.read("comment.md");
    assert!(comment.contains("❌ mini: ranks otherwise on 4 of 40 queries"), "{comment}");
}

#[test]
fn other_candidates_are_not_compared() {
    let home = measured(10);
    home.config("kind = \"bm25\"\ndepth = 5", EMBEDDED);
    home.eval("other", &[]);
    let refused = home.run(&["compare", "base", "other", "--json", "told.json"]);
    fails(&refused, 3, "candidates a query");
    assert_eq!(home.json("told.json")["outcome"], "not-comparable");
}

#[test]
fn records_that_cannot_be_read_are_no_regression() {
    let home = measured(10);
    home.eval("new", &[]);
    let record = home.read("new/record.json");
    let table = home.bytes("new/queries.parquet");
    let compare = || home.run(&["compare", "base", "new"]);
    for (bytes, message) in [
        (&record.as_bytes()[..record.len() / 2], "is truncated or is not a record"),
        (b"", "is truncated or is not a record"),
        (record.replacen("\"schema\": 3", "\"schema\": 2", 1).as_bytes(), "has schema 2"),
    ] {
        home.write("new/record.json", bytes);
        fails(&compare(), 2, message);
    }
    home.write("new/record.json", &record);
    let mut other = table.clone();
    let middle = other.len() / 2;
    other[middle] ^= 1;
    for bytes in [&other[..], &table[..table.len() / 2], b""] {
        home.write("new/queries.parquet", bytes);
        fails(&compare(), 2, "cut or changed");
    }
    home.write("new/queries.parquet", &table);
    succeeds(&compare());
    fails(&home.run(&["compare", "base", "nowhere"]), 2, "nowhere");
    home.write("gate.toml", "[quality]\nmargn = 0.1\n");
    fails(&home.run(&["compare", "base", "new", "--config", "gate.toml"]), 2, "gate.toml, line 2");
    home.write("history.parquet", "no table");
    fails(
        &home.run(&["compare", "base", "new", "--history", "history.parquet"]),
        2,
        "is not a history",
    );
}

#[test]
fn a_price_rise_is_caught() {
    let provider = mock(Kind::Cohere);
    let home = Home::new();
    home.asking(10, &table(Kind::Cohere, &provider.base_url()));
    let ask = |out: &str, usd: &str| {
        let price = format!(
            "[[price]]\nprovider = \"cohere\"\nmodel = \"rerank-v3.5\"\nunit = \"search-unit\"\n\
             usd = {usd}\nper = 1\nread = \"2026-11-20\"\nsource = \"a test\"\n"
        );
        home.write("prices.toml", price);
        let args = ["eval", "--config", "small.toml", "--out", out, "--prices", "prices.toml"];
        succeeds(&home.run_keyed(&args));
    };
    ask("base", "0.002");
    ask("same", "0.002");
    ask("dearer", "0.0025");
    succeeds(&home.run(&["compare", "base", "same"]));
    let caught = home.run(&["compare", "base", "dearer"]);
    fails(&caught, 1, "the gate is shut");
    let printed = String::from_utf8_lossy(&caught.stdout).into_owned();
    assert!(printed.contains("cohere (mock): a query costs 25.0% more: 2.00 → 2.50"), "{printed}");
}

#[test]
fn a_hosted_model_that_changed_by_itself_is_told_apart_from_a_change_of_ours() {
    let usual = mock(Kind::Cohere);
    let other = secondpass_mock::Mock::start(secondpass_mock::Settings {
        score_seed: 7,
        ..secondpass_mock::Settings::new(Kind::Cohere)
    })
    .unwrap();
    let home = Home::new();
    let asking = |url: &str| home.asking(30, &table(Kind::Cohere, url));
    asking(&usual.base_url());
    home.ask(&["--no-cache"]);
    std::fs::rename(home.path("out"), home.path("base")).unwrap();
    let record = ["canary", "record", "--config", "small.toml", "--out", "canary.json"];
    let printed = succeeds(&home.run_keyed(&record));
    assert!(printed.contains("20 queries kept in canary.json"), "{printed}");
    let document =
        home.json("canary.json")["queries"][0]["candidates"][0].as_str().unwrap().to_owned();
    assert!(document.starts_with('d'), "ids, and no texts: {document}");
    let check = ["canary", "check", "canary.json", "--config", "small.toml", "--out", "drift.json"];
    let printed = succeeds(&home.run_keyed(&check));
    assert!(printed.contains("answers as it did on"), "{printed}");
    assert_eq!(home.json("drift.json")["drifted"], false);

    asking(&other.base_url());
    fails(&home.run_keyed(&check), 1, "rerank-v3.5 of cohere changed by itself since");
    assert_eq!(home.json("drift.json")["changed"].as_array().unwrap().len(), 20);
    home.ask(&["--no-cache"]);
    home.write("gate.toml", "[canary]\nreport = \"drift.json\"\n");
    let told = home.run(&["compare", "base", "out", "--config", "gate.toml"]);
    fails(&told, 3, "the model that 'cohere' asks");

    home.asking(31, &table(Kind::Cohere, &usual.base_url()));
    home.write(
        "canary.json",
        home.read("canary.json").replacen("\"schema\": 1", "\"schema\": 9", 1),
    );
    fails(&home.run_keyed(&check), 2, "has schema 9");
    home.write("canary.json", "{");
    fails(&home.run_keyed(&check), 2, "canary.json: name what `canary record` wrote");
}

/// Builds that are shell scripts: each gives a record that was prepared, so that no test rests on how
/// long anything takes.
#[cfg(unix)]
mod builds {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use support::until;

    fn script(home: &Home, name: &str, text: &str) {
        home.write(name, format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(home.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A build that takes so many seconds and gives the record in this folder.
    fn giving(home: &Home, name: &str, record: &str, seconds: f64) {
        let text = format!(
            "while [ $# -gt 0 ]; do [ \"$1\" = --out ] && out=$2; shift; done\n\
             sleep {seconds}\nmkdir -p \"$out\"\ncp {record}/record.json {record}/queries.parquet \"$out\""
        );
        script(home, name, &text);
    }

    fn gate<'a>(current: &'a str, out: &'a str) -> Vec<&'a str> {
        let args = ["gate", "--baseline-bin", "./usual", "--current-bin", current, "--config"];
        [&args[..], &["small.toml", "--rounds", "9", "--out", out]].concat()
    }

    /// The usual build, and one whose queries take fifteen percent longer.
    fn builds() -> Home {
        let home = measured(20);
        planted(&home, "base", "even", |place, row| {
            row.seconds = Some(0.010 + 0.001 * (place % 7) as f64);
        });
        planted(&home, "even", "slow", |_, row| {
            row.seconds = row.seconds.map(|seconds| 1.15 * seconds);
        });
        giving(&home, "usual", "even", 0.0);
        giving(&home, "slower", "slow", 0.0);
        home
    }

    #[test]
    fn a_build_that_is_fifteen_percent_slower_is_caught_and_the_same_one_is_not() {
        let home = builds();
        let same = home.run(&gate("./usual", "same"));
        let printed = succeeds(&same);
        assert!(stderr(&same).contains("round 9 of 9 done"), "{}", stderr(&same));
        assert!(printed.starts_with("It did not get worse."), "{printed}");
        let caught = home.run(&gate("./slower", "slower-rounds"));
        fails(&caught, 1, "the gate is shut");
        let printed = String::from_utf8_lossy(&caught.stdout).into_owned();
        assert!(printed.contains("worse: mini: p50 "), "{printed}");
        assert!(printed.contains("1.15 times [1.15, 1.15]"), "{printed}");
        // Each round has both records, and they are no other gate's.
        assert!(home.path("slower-rounds/round-9/current/record.json").exists());
        fails(&home.run(&gate("./slower", "same")), 2, "holds rounds of other builds");
    }

    #[test]
    fn what_was_stopped_keeps_its_rounds_and_goes_on() {
        let home = builds();
        // The second build comes to its end in the first round only.
        giving(&home, "stuck", "even", 0.0);
        let text = home
            .read("stuck")
            .replace("sleep 0", "[ -e go ] || [ ! -e rounds/round-1/current ] || sleep 600");
        home.write("stuck", text);
        let mut child = home.start(&mut home.command(&gate("./stuck", "rounds")));
        until("the second round", || {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            home.path("rounds/round-2/current.log").exists()
        });
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let stopped = child.wait_with_output().unwrap();
        fails(&stopped, 1, "stopped after 1 of 9 rounds; the same command goes on");
        let printed = String::from_utf8_lossy(&stopped.stdout).into_owned();
        assert!(printed.contains("inconclusive"), "{printed}");
        let log = || std::fs::metadata(home.path("rounds/round-1/current.log")).unwrap().modified();
        let first = log().unwrap();
        home.write("go", "");
        succeeds(&home.run(&gate("./stuck", "rounds")));
        assert_eq!(log().unwrap(), first, "a finished round ran again");
    }

    #[test]
    fn a_real_build_runs_and_one_that_fails_says_why() {
        let home = measured(5);
        script(&home, "usual", &format!("exec '{}' \"$@\"", env!("CARGO_BIN_EXE_secondpass")));
        script(&home, "broken", "echo 'it is broken' >&2\nexit 101");
        fails(&home.run(&gate("./broken", "rounds")), 1, "it is broken");
        assert!(home.path("rounds/round-1/baseline/record.json").exists());
        fails(&home.run(&gate("./nowhere", "other")), 2, "cannot read ./nowhere");
    }
}
