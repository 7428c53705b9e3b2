//! `secondpass dataset` as a user runs it; pulling is tested where it is done.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::{Home, fails, succeeds};

fn json(home: &Home, args: &[&str]) -> Value {
    serde_json::from_str(&succeeds(&home.run(args))).unwrap()
}

#[test]
fn public_sets_are_listed_with_their_licences() {
    let home = Home::new();
    let table = succeeds(&home.run(&["dataset", "list"]));
    assert!(table.contains("scifact") && table.contains("'helpdesk' is compiled in"), "{table}");
    let listed = json(&home, &["dataset", "list", "--json"]);
    let listed = listed.as_array().unwrap();
    assert!(listed.len() >= 10);
    for set in listed {
        assert!(!set["license"].as_str().unwrap().is_empty(), "{set}");
        assert!(!set["splits"].as_array().unwrap().is_empty(), "{set}");
        assert_eq!(set["pulled"], false);
    }
    // A set that was not pulled says how to get it.
    fails(&home.run(&["dataset", "stats", "scifact"]), 1, "secondpass dataset pull scifact");
    fails(&home.run(&["dataset", "pull", "no-such-set"]), 2, "no-such-set");
    home.config_on(
        "kind = \"public\"\nname = \"scifact\"\nsplit = \"test\"",
        "kind = \"bm25\"",
        "",
    );
    let output = home.run(&["eval", "--config", "small.toml", "--out", "out"]);
    fails(&output, 1, "secondpass dataset pull scifact");
}

#[test]
fn a_broken_manifest_of_ones_own_is_named() {
    let home = Home::new();
    home.write("manifests/mine.toml", "name = \"mine\"\nsurprise = 1\n");
    let output = home.run(&["dataset", "--manifests", "manifests", "list"]);
    fails(&output, 2, "mine.toml");
    fails(&home.run(&["dataset", "--manifests", "nowhere", "list"]), 2, "nowhere");
}

#[test]
fn a_sound_set_is_counted_and_found_sound() {
    let home = Home::new();
    home.set(20, 40);
    let stats = json(&home, &["dataset", "stats", "set", "--json"]);
    assert_eq!((&stats["documents"], &stats["queries"]), (&40.into(), &20.into()));
    assert_eq!(stats["splits"]["test"]["judgements"], 40);
    let table = succeeds(&home.run(&["dataset", "stats", "set"]));
    assert!(table.contains("0: 20, 1: 20"), "{table}");
    assert_eq!(json(&home, &["dataset", "check", "set", "--json"]), Value::Array(Vec::new()));
    succeeds(&home.run(&["dataset", "check", "helpdesk"]));
    fails(&home.run(&["dataset", "check", "nowhere"]), 2, "'nowhere' is no folder");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let home = Home::new();
    home.write(
        "set/corpus.jsonl",
        "{\"_id\": \"a\", \"text\": \"one two\"}\n{\"_id\": \"a\", \"text\": \"three four\"}\n\
         {\"_id\": \"b\", \"text\": \"\"}\n{\"_id\": \"c\"\n{\"_id\": \"d\", \"text\": \"One two.\"}\n",
    );
    home.write(
        "set/queries.jsonl",
        "{\"_id\": \"1\", \"text\": \"one\"}\n{\"_id\": \"2\", \"text\": \"two\"}\n\
         {\"_id\": \"3\", \"text\": \"three\"}\n",
    );
    let head = "query-id\tcorpus-id\tscore\n";
    home.write("set/qrels/test.tsv", format!("{head}1\ta\t1\n1\tnobody\t1\n9\ta\t1\n"));
    home.write("set/qrels/train.tsv", format!("{head}1\ta\t1\n2\ta\t0\n"));

    let output = home.run(&["dataset", "check", "set", "--json"]);
    fails(&output, 1, "set cannot be used as it is");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = found.as_array().unwrap();
    for (severity, what, place) in [
        ("error", "used before", "corpus.jsonl line 2"),
        ("error", "malformed", "corpus.jsonl line 4"),
        ("error", "not in the corpus", "test.tsv line 3"),
        ("error", "a query that is not there", "test.tsv line 4"),
        ("warning", "neither title nor text", "corpus.jsonl line 3"),
        ("warning", "repeats another's text", "corpus.jsonl line 5"),
        ("warning", "too", "'1'"),
        ("warning", "no relevant document", "'2'"),
        ("note", "judged nowhere", "line 3"),
    ] {
        let is_it = |finding: &&Value| {
            let places = finding["places"].as_array().unwrap();
            finding["severity"] == severity
                && finding["message"].as_str().unwrap().contains(what)
                && places.iter().any(|found| found.as_str().unwrap().contains(place))
        };
        assert!(found.iter().any(|finding| is_it(&finding)), "{what}: {found:#?}");
    }
    let table = home.run(&["dataset", "check", "set"]);
    fails(&table, 1, "set cannot be used as it is");
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("Give each an id of its own"), "{table}");
}
