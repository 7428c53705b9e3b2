//! Training data with the program as a user runs it: split, mine, check.

// What fails here fails a test.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::finetune::{TRAIN, recipe};
use support::{Home, fails, stderr, succeeds, until};

fn objects(home: &Home, name: &str) -> Vec<Value> {
    home.read(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Tickets of 20 customers over 60 days, with personal data in them, as golden sets have it.
fn tickets(home: &Home) {
    let things = ["invoice", "password", "printer", "refund", "calendar", "contract"];
    let verbs = ["export", "reset", "cancel", "share", "archive", "translate", "rename"];
    let mut lines = String::new();
    for n in 0..60 {
        let (thing, verb) = (things[n % 6], verbs[n % 7]);
        let line = json!({
            "id": format!("t{n}"),
            "query": format!("how can team {n} {verb} the {thing} of week {}", n * 37 % 53),
            "relevant": [format!("To {verb} a {thing} open page {} and write to Ada Lovelace, \
                                  help{n}@desk.example or +44 20 7946 0{n:03}.", n % 9)],
            "attributes": {"customer": format!("c{}", n % 20), "created": format!("2026-{:02}-{:02}", 1 + n / 28, 1 + n % 28)},
        });
        lines += &format!("{line}\n");
    }
    home.write("tickets.jsonl", lines);
    home.write("names.txt", "Ada Lovelace\n");
}

#[test]
fn a_split_leaks_neither_customers_nor_personal_data() {
    let home = Home::new();
    tickets(&home);
    let args = [
        "split",
        "tickets.jsonl",
        "--out",
        "parts",
        "--group-by",
        "customer",
        "--scrub",
        "--names",
        "names.txt",
    ];
    let output = home.run(&args);
    let shown = succeeds(&output);
    assert!(shown.contains("60 of kind email") && shown.contains("60 of kind name"), "{shown}");
    for secret in ["Lovelace", "desk.example", "7946"] {
        assert_eq!(home.files_with("parts", secret), Vec::<std::path::PathBuf>::new(), "{secret}");
    }
    let mut customers = Vec::new();
    let mut lines = 0;
    for part in ["train", "dev", "test"] {
        let found = objects(&home, &format!("parts/{part}.jsonl"));
        lines += found.len();
        let of = |line: &Value| line["attributes"]["customer"].as_str().unwrap().to_owned();
        customers.push(found.iter().map(of).collect::<std::collections::BTreeSet<_>>());
    }
    assert_eq!(lines, 60);
    assert!(customers[0].is_disjoint(&customers[1]) && customers[0].is_disjoint(&customers[2]));
    assert!(customers[1].is_disjoint(&customers[2]) && !customers[2].is_empty());
    let manifest = home.json("parts/manifest.json");
    assert_eq!(manifest["scrubbed"], json!({"email": 60, "name": 60, "phone": 60}));
    fails(&home.run(&args), 1, "the folder holds files already");
    let odd = ["split", "tickets.jsonl", "--out", "odd", "--parts", "train"];
    fails(&home.run(&odd), 2, "--parts is 'train'");

    let by_time = ["split", "tickets.jsonl", "--out", "timed", "--by-time", "created", "--json"];
    let manifest: Value = serde_json::from_str(&succeeds(&home.run(&by_time))).unwrap();
    let moment = |part: usize, end: &str| manifest["parts"][part][end].as_str().unwrap().to_owned();
    assert!(moment(0, "to") <= moment(1, "from") && moment(1, "to") <= moment(2, "from"));
}

const HELPDESK: &str = "name = \"helpdesk\"\nmeasures = [\"nDCG@10\"]\nprimary = \"nDCG@10\"\n\
    [dataset]\nkind = \"embedded\"\nname = \"helpdesk\"\nsplit = \"test\"\nsample = 150\n\
    [first_stage]\nkind = \"bm25\"\ndepth = 30\n";

#[test]
fn mined_groups_of_the_embedded_set_pass_the_check() {
    let home = Home::new();
    home.write("small.toml", HELPDESK);
    let args = ["mine", "--config", "small.toml", "--ranks", "2..30", "--out", "mined.jsonl"];
    let shown = succeeds(&home.run(&args));
    assert!(shown.contains("negatives mined"), "{shown}");
    let first = home.bytes("mined.jsonl");
    for file in ["mined.stats.json", "mined.scores.svg", "mined.scores.png"] {
        assert!(home.path(file).is_file(), "{file}");
    }
    assert!(!home.path(".mined.journal").exists());
    let output = home.run(&args);
    succeeds(&output);
    assert!(stderr(&output).contains("mined.jsonl is there and will be replaced"));
    assert_eq!(home.bytes("mined.jsonl"), first, "the same command gives the same bytes");
    for group in objects(&home, "mined.jsonl") {
        let ids = |side: &str| group[side].as_array().unwrap().clone();
        assert!(ids("neg_ids").iter().all(|id| !ids("pos_ids").contains(id)), "{group}");
        assert!(ids("neg").len() <= 8 && !ids("pos").is_empty());
    }
    let check =
        ["triples", "check", "mined.jsonl", "--against", "small.toml", "--tokenizer", "embedded"];
    let shown = succeeds(&home.run(&check));
    assert!(shown.contains("pairs, tokens"), "{shown}");
    let leaking = ["triples", "check", "mined.jsonl", "--against", "helpdesk:train", "--json"];
    let output = home.run(&leaking);
    fails(&output, 1, "cannot be used as it is");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["findings"][0]["kind"], "evaluation-overlap");
    succeeds(&home.run(&[&leaking[..], &["--allow-overlap"]].concat()));
    let recipe = include_str!("../configs/finetune/helpdesk-mini.toml");
    home.write("recipe.toml", recipe);
    let shown = succeeds(&home.run(&["finetune", "--config", "recipe.toml", "--check"]));
    assert!(shown.contains("lines of training data"), "{shown}");
    let share = [&args[..], &["--preset", "perc-pos-95"]].concat();
    fails(&home.run(&share), 2, "is not from 0 to 1");
}

#[test]
fn mining_that_was_killed_goes_on_and_writes_the_same() {
    let home = Home::new();
    home.write("small.toml", HELPDESK);
    let args = |out| {
        [
            "mine",
            "--config",
            "small.toml",
            "--ranks",
            "2..30",
            "--teacher",
            "embedded",
            "--preset",
            "perc-pos-95",
            "--sampling",
            "random",
            "--seed",
            "5",
            "--out",
            out,
        ]
    };
    let mut child = home.start(&mut home.command(&args("mined.jsonl")));
    let journal = home.path(".mined.journal");
    until("scores in the journal", || support::lines(&journal).len() >= 5);
    assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!home.path("mined.jsonl").exists(), "nothing is written before all is mined");
    let output = home.run(&args("mined.jsonl"));
    succeeds(&output);
    assert!(stderr(&output).contains("queries were scored by an earlier start"));
    succeeds(&home.run(&args("whole.jsonl")));
    assert_eq!(home.read("mined.jsonl"), home.read("whole.jsonl"));
    assert_eq!(home.json("mined.stats.json"), home.json("whole.stats.json"));
    assert!(!journal.exists());
    let group = &objects(&home, "mined.jsonl")[0];
    assert_eq!(
        group["neg"].as_array().unwrap().len(),
        group["neg_scores"].as_array().unwrap().len()
    );
}

/// The tiny recipe over these files, with a golden set as dev.
fn over_files(home: &Home, data: &str, more: &str) {
    let beir = "kind = \"beir\"\npath = \"set\"\nsplit = \"train\"\ndev_split = \"dev\"";
    let text = recipe(more);
    assert!(text.contains(beir));
    home.write("tiny.toml", text.replace(beir, data));
    let dev = |n: usize| {
        let other = json!(["a text about nothing of the kind", "nor is this one"]);
        format!(
            "{}\n",
            json!({"id": format!("d{n}"), "query": format!("dev question {n}"),
            "relevant": [format!("dev answer {n}")], "candidates": other})
        )
    };
    home.write("dev.jsonl", (0..4).map(dev).collect::<String>());
}

/// Triples of ten questions.
fn triples() -> String {
    let line = |n: usize| {
        format!(
            "{}\n",
            json!({"query": format!("question number {n} of ten"),
            "positive": format!("answer {n} of many"), "negative": format!("another text {n}")})
        )
    };
    (0..10).map(line).collect()
}

const TRIPLES: &str = "kind = \"triples\"\npath = \"t.jsonl\"\ndev_path = \"dev.jsonl\"";
const CHECK: [&str; 4] = ["finetune", "--config", "tiny.toml", "--check"];

#[test]
fn a_recipes_check_lists_everything_at_once_and_refuses_what_training_refuses() {
    let home = Home::new();
    let wrong = "{\"query\": \"pets\", \"positive\": \"cats\"}\n\
        {\"query\": \"Pets?\", \"positive\": \"dogs\", \"negative\": \"Cats.\"}\n\
        {\"query\": \"x\", \"positive\": \"\"}\nnot json\n";
    home.write("t.jsonl", format!("{}{wrong}", triples()));
    over_files(&home, TRIPLES, "");
    let output = home.run(&[&CHECK[..], &["--json"]].concat());
    fails(&output, 1, "cannot be used as it is");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let kinds: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["malformed", "empty-text", "contradiction"]);
    let cats = "t.jsonl line 12: the text 'Cats.' is both a positive and a negative";
    fails(&home.run(&TRAIN), 1, cats);

    // What is tested on counts as what checkpoints are chosen on does.
    home.write("t.jsonl", triples());
    let test = "{\"id\": \"e1\", \"query\": \"Question number 3 of ten?\", \"relevant\": [\"a b\"]}\n\
        {\"id\": \"e2\", \"query\": \"DEV question 2\", \"relevant\": [\"c d\"]}\n";
    home.write("test.jsonl", test);
    let evaluate = "[[evaluate]]\nname = \"held out\"\npath = \"test.jsonl\"\n";
    over_files(&home, TRIPLES, evaluate);
    let output = home.run(&CHECK);
    fails(&output, 1, "cannot be used as it is");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("t.jsonl line 4: query 'e1' of held out"), "{shown}");
    assert!(shown.contains("query 'd2' of dev: query 'e2' of held out"), "{shown}");
    let output = home.run(&TRAIN);
    fails(&output, 2, "1 of the training queries are queries of 'held out' too");
    assert!(stderr(&output).contains("(t.jsonl line 4): question number 3 of ten"));
    home.write("test.jsonl", test.lines().last().unwrap());
    fails(&home.run(&TRAIN), 2, "1 of the dev queries are queries of 'held out' too");
    home.write("test.jsonl", test);
    over_files(&home, &format!("{TRIPLES}\nallow_overlap = true"), evaluate);
    succeeds(&home.run(&CHECK));
    let told = succeeds(&home.run(&TRAIN));
    assert!(told.contains("held out: RR"), "{told}");
}

#[test]
fn groups_in_a_table_are_trained_on_and_faults_of_training_name_its_rows() {
    let home = Home::new();
    let row = |n: usize| {
        format!(
            "g{n},question number {n} of ten,\"[\"\"answer {n} of many\"\"]\",\"[\"\"other {n}\"\"]\"\n"
        )
    };
    let rows: String = (0..10).map(row).collect();
    home.write("g.csv", format!("id,query,pos,neg\n{rows}"));
    let groups = "kind = \"groups\"\npath = \"g.csv\"\ndev_path = \"dev.jsonl\"";
    over_files(&home, groups, "");
    assert!(succeeds(&home.run(&CHECK)).contains("nothing is wrong with them"));
    succeeds(&home.run(&[&TRAIN[..], &["--dry-run"]].concat()));

    over_files(&home, groups, "[loss]\nkind = \"margin-mse\"\n");
    let text = home.read("tiny.toml");
    home.write(
        "tiny.toml",
        text.replace("random = 1", "random = 0").replace("hard = 1", "hard = 2"),
    );
    let output = home.run(&TRAIN);
    fails(&output, 1, "has no teacher's scores");
    assert!(stderr(&output).contains("(g.csv row 1, id 'g0'): question number 0 of ten"));
    let output = home.run(&CHECK);
    fails(&output, 1, "cannot be used as it is");
    assert!(String::from_utf8_lossy(&output.stdout).contains("10 rows without a teacher's scores"));
}

#[test]
fn a_run_of_other_queries_is_refused() {
    let home = support::finetune::home();
    let with_run = |text: String| {
        home.write(
            "tiny.toml",
            text.replace("[sampling]", "run = \"run.trec\"\nranks = [1, 10]\n[sampling]"),
        );
    };
    with_run(recipe(""));
    home.write("run.trec", "q15 Q0 d3 1 9.0 bm25\nq16 Q0 d4 1 8.0 bm25\n");
    for command in [&TRAIN[..], &CHECK[..]] {
        fails(&home.run(command), 2, "run.trec: the candidates 'bm25' have none of the 8 queries");
    }
    home.write("run.trec", "q1 Q0 d3 1 9.0 bm25\nq2 Q0 d4 1 8.0 bm25\n");
    let output = home.run(&[&TRAIN[..], &["--dry-run"]].concat());
    succeeds(&output);
    assert!(
        stderr(&output).contains("6 of the 8 training queries are not in"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn scifact() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/scifact");
    if !shared.join("corpus.jsonl").is_file() {
        eprintln!("skipped: no ../shared");
        return;
    }
    let home = Home::new();
    let config = |split: &str| {
        format!(
            "name = \"scifact\"\nmeasures = [\"nDCG@10\"]\nprimary = \"nDCG@10\"\n[dataset]\n\
             kind = \"beir\"\npath = {:?}\nsplit = \"{split}\"\n[first_stage]\nkind = \"bm25\"\ndepth = 100\n",
            shared.display().to_string()
        )
    };
    home.write("scifact.toml", config("test"));
    let mined =
        succeeds(&home.run(&["mine", "--config", "scifact.toml", "--out", "mined.jsonl.gz"]));
    assert!(mined.contains("809 queries"), "{mined}");
    // Two claims of SciFact's test split stand in its training split too.
    let check = ["triples", "check", "mined.jsonl.gz", "--against", "scifact.toml", "--json"];
    let output = home.run(&check);
    fails(&output, 1, "cannot be used as it is");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let overlap = &report["findings"][0];
    assert_eq!((&overlap["kind"], &overlap["count"]), (&json!("evaluation-overlap"), &json!(2)));
    succeeds(&home.run(&[&check[..], &["--allow-overlap"]].concat()));
    let split = [
        "split",
        "mined.jsonl.gz",
        "--out",
        "parts",
        "--group-by",
        "pos_ids",
        "--parts",
        "train=0.9,dev=0.1",
    ];
    succeeds(&home.run(&split));
    let ids = |part: &str| -> std::collections::BTreeSet<String> {
        let groups = objects(&home, &format!("parts/{part}.jsonl"));
        let ids = groups.iter().flat_map(|group| group["pos_ids"].as_array().unwrap().clone());
        ids.map(|id| id.to_string()).collect()
    };
    assert!(ids("train").is_disjoint(&ids("dev")) && !ids("dev").is_empty());
}
