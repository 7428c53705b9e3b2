//! Sets of every kind, each run through `secondpass eval` without a reranker.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::{Home, fails, mean, stderr, system_of};

const BM25: &str = "kind = \"bm25\"\ndepth = 10";
const GIVEN: &str = "kind = \"given\"\ndepth = 10";

/// Runs the experiment and holds that the oracle has a place to stand on.
fn eval(home: &Home) -> Value {
    let record = home.eval("out", &[]);
    let names: Vec<_> =
        record["systems"].as_array().unwrap().iter().map(|system| &system["name"]).collect();
    assert_eq!(names, ["first stage", "oracle"]);
    assert!(mean(&record, "oracle", "nDCG@10") >= mean(&record, "first stage", "nDCG@10"));
    assert!(system_of(&record, "first stage")["comparison"].is_null());
    record
}

fn counts(record: &Value) -> (u64, u64, u64) {
    let count = |name: &str| record["dataset"][name].as_u64().unwrap();
    (count("documents"), count("queries"), count("judgements"))
}

#[test]
fn golden_set_with_texts() {
    let home = Home::new();
    home.write(
        "golden.jsonl",
        "{\"query\": \"undo a commit\", \"relevant\": [\"git revert undoes a commit\"]}\n\
         {\"query\": \"list branches\", \"relevant\": [\"git branch gives the list of branches\"]}\n",
    );
    home.config_on("kind = \"golden\"\npath = \"golden.jsonl\"", BM25, "");
    let record = eval(&home);
    assert_eq!(counts(&record), (2, 2, 2));
    assert_eq!(mean(&record, "first stage", "RR"), 1.0);

    home.write("golden.jsonl", "{\"query\": \"x\", \"relevant\": [\"y\"]}\n{\"query\": \"z\"}\n");
    let output = home.run(&["eval", "--config", "small.toml", "--out", "other"]);
    fails(&output, 1, "golden.jsonl");
    fails(&output, 1, "line 2");
    fails(&output, 1, "relevant");
}

#[test]
fn golden_set_over_a_corpus_with_its_own_candidates() {
    let home = Home::new();
    home.set(1, 8);
    home.write(
        "golden.jsonl",
        "{\"query\": \"a\", \"relevant\": [{\"id\": \"d1\", \"grade\": 2}], \
         \"candidates\": [\"d2\", \"d1\"]}\n\
         {\"query\": \"b\", \"relevant\": [\"d3\"], \"candidates\": [\"d3\", \"d4\"]}\n",
    );
    let set = "kind = \"golden\"\npath = \"golden.jsonl\"\ncorpus = \"set/corpus.jsonl\"";
    home.config_on(set, GIVEN, "");
    let record = eval(&home);
    assert_eq!(mean(&record, "first stage", "RR"), (0.5 + 1.0) / 2.0);
    assert_eq!(mean(&record, "oracle", "RR"), 1.0);
    assert!(record["candidates"]["seconds"].is_null(), "nothing was searched");
    home.write("golden.jsonl", "{\"query\": \"a\", \"relevant\": [\"d99\"]}\n");
    let output = home.run(&["eval", "--config", "small.toml", "--out", "other"]);
    fails(&output, 1, "d99");
}

#[test]
fn flag_embedding() {
    let home = Home::new();
    home.write(
        "train.jsonl",
        "{\"query\": \"red\", \"pos\": [\"a red one\"], \"neg\": [\"a blue one\", \"green\"]}\n\
         {\"query\": \"blue\", \"pos\": [\"a blue one\"], \"neg\": [\"a red one\"]}\n",
    );
    home.config_on("kind = \"flag-embedding\"\npath = \"train.jsonl\"", GIVEN, "");
    let record = eval(&home);
    assert_eq!(counts(&record), (3, 2, 5));
    assert_eq!(mean(&record, "oracle", "RR"), 1.0);
    home.config_on("kind = \"flag-embedding\"\npath = \"train.jsonl\"", BM25, "");
    assert_eq!(mean(&eval(&home), "first stage", "RR"), 1.0);
}

#[test]
fn pairs_in_a_table() {
    let home = Home::new();
    home.write(
        "pairs.csv",
        "question,passage,label\nred,\"a red one, the best\",1\nred,a blue one,0\n\
         blue,a blue one,1\n",
    );
    let set = "kind = \"pairs\"\npath = \"pairs.csv\"\n\
         columns = { query = \"question\", document = \"passage\" }";
    home.config_on(set, GIVEN, "");
    let record = eval(&home);
    assert_eq!(counts(&record), (2, 2, 3));
    assert_eq!(mean(&record, "oracle", "RR"), 1.0);

    let args = ["eval", "--config", "small.toml", "--out", "other"];
    home.config_on(&set.replace("passage", "text"), GIVEN, "");
    fails(&home.run(&args), 1, "text");
    home.config_on(&set.replace("document =", "doc ="), GIVEN, "");
    fails(&home.run(&args), 2, "dataset.columns");
    home.config_on(set, GIVEN, "");
    home.write("pairs.csv", "question,passage,label\nred,a red one,yes\n");
    fails(&home.run(&args), 1, "label");
}

#[test]
fn tables_of_documents_queries_and_judgements() {
    let home = Home::new();
    home.write("documents.csv", "id,text\nd1,a red one\nd2,a blue one\n");
    home.write("queries.tsv", "id\ttext\tcolour\n1\tred\twarm\n2\tblue\tcold\n");
    home.write("judgements.csv", "query,doc,grade\n1,d1,1\n2,d2,2\n");
    let set = "kind = \"tables\"\ndocuments = \"documents.csv\"\nqueries = \"queries.tsv\"\n\
         judgements = \"judgements.csv\"\nsplit = \"dev\"\n\
         columns = { judgements = { document = \"doc\" } }";
    home.config_on(set, BM25, "");
    let config = home.read("small.toml");
    home.write("small.toml", config.replace("[dataset]", "slices = [\"colour\"]\n[dataset]"));
    let record = eval(&home);
    assert_eq!(counts(&record), (2, 2, 2));
    assert_eq!(record["dataset"]["split"], "dev");
    assert_eq!(mean(&record, "first stage", "RR"), 1.0);
    let slices = system_of(&record, "first stage")["slices"].as_array().unwrap();
    let values: Vec<_> = slices.iter().map(|slice| &slice["value"]).collect();
    assert_eq!(values, ["cold", "warm"]);

    home.write("judgements.csv", "query,doc,grade\n1,d9,1\n");
    fails(&home.run(&["eval", "--config", "small.toml", "--out", "other"]), 1, "d9");
}

#[test]
fn trec_topics_and_judgements() {
    let home = Home::new();
    home.write(
        "documents.jsonl",
        "{\"id\": \"d1\", \"text\": \"a red one\"}\n{\"id\": \"d2\", \"text\": \"a blue one\"}\n",
    );
    home.write(
        "topics",
        "<top>\n<num> Number: 301\n<title> red\n<desc> Description:\nwhat is blue\n</top>\n",
    );
    home.write("qrels", "301 0 d1 1\n301 0 d2 0\n");
    let set = "kind = \"trec\"\ndocuments = \"documents.jsonl\"\ntopics = \"topics\"\n\
         qrels = \"qrels\"";
    home.config_on(set, BM25, "");
    assert_eq!(mean(&eval(&home), "first stage", "RR"), 1.0);
    home.config_on(&format!("{set}\npart = \"description\""), BM25, "");
    assert_eq!(mean(&eval(&home), "first stage", "RR"), 0.0);
    home.config_on(&format!("{set}\npart = \"narrative\""), BM25, "");
    let args = ["eval", "--config", "small.toml", "--out", "other"];
    fails(&home.run(&args), 2, "dataset.part");
    home.config_on(set, BM25, "");
    home.write("qrels", "301 0 d1 1\n301 0 d9\n");
    fails(&home.run(&args), 1, "line 2");
}

#[test]
fn a_log_of_what_was_cited() {
    let home = Home::new();
    home.write(
        "log.jsonl",
        "{\"query\": \"red\", \"candidates\": [{\"id\": \"d2\", \"text\": \"a blue one\"}, \
         {\"id\": \"d1\", \"text\": \"a red one\"}], \"cited\": [\"d1\"]}\n\
         {\"query\": \"blue\", \"candidates\": [\"d2\", \"d1\"], \"cited\": [\"d2\"]}\n",
    );
    home.config_on("kind = \"log\"\npath = \"log.jsonl\"", GIVEN, "");
    let record = eval(&home);
    assert_eq!(counts(&record), (2, 2, 4));
    assert_eq!(mean(&record, "first stage", "RR"), (0.5 + 1.0) / 2.0);
    let output = home.run(&["eval", "--config", "small.toml", "--out", "out"]);
    assert!(stderr(&output).contains("biased"), "{}", stderr(&output));
    // Documents without a text are nothing to rerank.
    home.write(
        "log.jsonl",
        "{\"query\": \"red\", \"candidates\": [\"d1\"], \"cited\": [\"d1\"]}\n",
    );
    let output = home.run(&["eval", "--config", "small.toml", "--out", "other"]);
    fails(&output, 1, "needs its text");
}

#[test]
fn a_sample_of_the_queries() {
    let home = Home::new();
    home.set(20, 40);
    let set = "kind = \"beir\"\npath = \"set\"\nsplit = \"test\"";
    let sampled = |seed: &str| {
        home.config_on(&format!("{set}\nsample = 5{seed}"), BM25, "");
        home.eval("out", &[])
    };
    let (first, again, other) = (sampled(""), sampled(""), sampled("\nseed = 7"));
    assert_eq!(counts(&first).1, 5);
    let hash = |record: &Value| record["candidates"]["hash"].as_str().unwrap().to_owned();
    assert_eq!(hash(&first), hash(&again));
    assert_ne!(hash(&first), hash(&other));
    assert_ne!(first["dataset"]["hash"], other["dataset"]["hash"]);
}
