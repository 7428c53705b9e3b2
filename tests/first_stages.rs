//! Candidates from elsewhere, and first stages beside one another, through the whole program.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use support::{EMBEDDED, Home, fails, mean, ranked, stderr, succeeds, system_of};

fn retrieve(home: &Home, more: &[&str]) -> String {
    let args = [&["retrieve", "--config", "small.toml", "--out", "-"], more].concat();
    succeeds(&home.run(&args))
}

#[test]
fn candidates_on_standard_input() {
    let home = Home::new();
    home.set(2, 10);
    home.config("kind = \"candidates\"\npath = \"-\"\ndepth = 3", "");
    let args = ["retrieve", "--config", "small.toml", "--out", "-"];
    let lines = "{\"query_id\": \"q0\", \"document_id\": \"d2\", \"score\": 0.5}\n\
         {\"query_id\": \"q0\", \"document_id\": \"d1\", \"score\": 0.75}\n\
         {\"query_id\": \"q1\", \"candidates\": [\"d9\", \"d4\", \"d5\", \"d6\"]}\n";
    let run = succeeds(&home.run_on(lines, &args));
    let expected = [("q0", "d1"), ("q0", "d2"), ("q1", "d9"), ("q1", "d4"), ("q1", "d5")];
    assert_eq!(ranked(&run), expected);

    let unknown = lines.replace("d9", "nobody");
    fails(&home.run_on(&unknown, &args), 1, "nobody");
    fails(&home.run_on(&unknown, &args), 1, "line 3");
    let misspelt = lines.replacen("score", "scor", 1);
    fails(&home.run_on(&misspelt, &args), 1, "scor");

    home.write("candidates.jsonl", lines);
    home.config("kind = \"candidates\"\npath = \"candidates.jsonl\"\ndepth = 3", "");
    assert_eq!(ranked(&retrieve(&home, &[])), expected);
    // What was written is read again as a first stage of its own.
    home.write("other.trec", &run);
    home.config("kind = \"run\"\npath = \"other.trec\"\ndepth = 3", "");
    assert_eq!(ranked(&retrieve(&home, &[])), expected);
}

#[test]
fn candidates_that_the_set_gives() {
    let home = Home::new();
    home.write(
        "golden.jsonl",
        "{\"id\": \"1\", \"query\": \"undo\", \"relevant\": [{\"text\": \"revert\"}], \"candidates\": \
         [\"reset\", \"revert\", \"rebase\"]}\n",
    );
    let set = "kind = \"golden\"\npath = \"golden.jsonl\"";
    home.config_on(set, "kind = \"given\"\ndepth = 2", "");
    let run = retrieve(&home, &[]);
    assert_eq!(ranked(&run).len(), 2);
    // The ids are hashes of the texts; the relevant one is second.
    let output = home.run(&["retrieve", "--config", "small.toml", "--out", "run"]);
    assert!(stderr(&output).contains("RR 0.5000"), "{}", stderr(&output));

    home.write("golden.jsonl", "{\"query\": \"undo\", \"relevant\": [{\"text\": \"revert\"}]}\n");
    let output = home.run(&["retrieve", "--config", "small.toml", "--out", "-"]);
    fails(&output, 2, "first_stage.kind");
}

#[test]
fn an_experiment_on_what_another_system_found() {
    let home = Home::new();
    home.set(3, 10);
    home.config("kind = \"candidates\"\npath = \"-\"\ndepth = 5", EMBEDDED);
    let all: String = (0..3)
        .map(|query| {
            let documents: Vec<String> = (0..10).map(|number| format!("\"d{number}\"")).collect();
            format!("{{\"query_id\": \"q{query}\", \"candidates\": [{}]}}\n", documents.join(", "))
        })
        .collect();
    let args = ["eval", "--config", "small.toml", "--out", "out"];
    succeeds(&home.run_on(&all, &args));
    let record = home.json("out/record.json");
    assert_eq!(record["candidates"]["mean"], 5.0);
    assert!(record["candidates"]["seconds"].is_null(), "nothing was searched here");
    assert_eq!(system_of(&record, "mini")["usage"]["pairs"], 3 * 5);
    // Relevant are d0, d7 and d4: first, not among five, fifth.
    assert_eq!(mean(&record, "first stage", "RR"), (1.0 + 0.0 + 0.2) / 3.0);
    assert_eq!(mean(&record, "oracle", "RR"), 2.0 / 3.0);
}

#[test]
fn judged_documents_only() {
    let home = Home::new();
    home.set(10, 30);
    home.config("kind = \"bm25\"\ndepth = 10\npool = \"judged\"", "");
    let run = retrieve(&home, &[]);
    let qrels = home.read("set/qrels/test.tsv");
    let mut judged: Vec<(&str, &str)> = qrels
        .lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split('\t');
            (fields.next().unwrap(), fields.next().unwrap())
        })
        .collect();
    let mut found = ranked(&run);
    judged.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, judged);
}

#[test]
fn other_first_stages_are_measured_and_not_reranked() {
    let home = Home::new();
    home.set(10, 30);
    home.write("poor.trec", "q0 Q0 d1 1 1 x\n");
    let poor = "[[retriever]]\nname = \"poor\"\nkind = \"run\"\npath = \"poor.trec\"\n";
    home.config("kind = \"bm25\"\ndepth = 10", &format!("{poor}{EMBEDDED}"));
    let record = home.eval("out", &[]);
    let roles: Vec<_> =
        record["systems"].as_array().unwrap().iter().map(|system| &system["role"]).collect();
    assert_eq!(roles, ["first-stage", "retriever", "reranker", "oracle"]);
    assert_eq!(mean(&record, "poor", "RR"), 0.0);
    assert_eq!(system_of(&record, "poor")["quality"][0]["missing"], 9);
    assert!(mean(&record, "first stage", "RR") > 0.0);
    assert!(system_of(&record, "poor")["latency"].is_null());
}
