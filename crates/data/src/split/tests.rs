use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn settings() -> Settings {
    let parts = [("train", 0.6), ("dev", 0.2), ("test", 0.2)];
    Settings {
        parts: parts.map(|(name, share)| (name.to_owned(), share)).to_vec(),
        by_time: None,
        group_by: Vec::new(),
        near: 0.8,
        seed: 1,
    }
}

/// Splits lines; the manifest, and the lines of each part.
fn split_lines(
    lines: &[Value],
    settings: &Settings,
    scrubber: Option<&Scrubber>,
) -> Result<(Manifest, Vec<Vec<Value>>), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.jsonl");
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(&path, text).unwrap();
    let out = folder.path().join("out");
    let source = Source { path: &path, corpus: None };
    let manifest = match split(source, &out, settings, scrubber) {
        Ok(manifest) => manifest,
        Err(error) => {
            assert!(!out.exists(), "something was written in spite of {error}");
            return Err(error.to_string());
        }
    };
    let read = |(name, _): &(String, f64)| {
        let text = fs::read_to_string(out.join(format!("{name}.jsonl"))).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let parts = settings.parts.iter().map(read).collect();
    let written: Value = serde_json::from_slice(&fs::read(out.join(MANIFEST)).unwrap()).unwrap();
    assert_eq!(written["lines"], lines.len());
    Ok((manifest, parts))
}

fn queries(count: usize) -> Vec<Value> {
    // Words that share no shingles to speak of.
    let letter =
        |c: char| c.to_digit(10).and_then(|digit| char::from_digit(digit + 16, 36)).unwrap_or(c);
    let word = |n: usize| -> String {
        ContentHash::of(n.to_string().as_bytes()).as_str().chars().take(12).map(letter).collect()
    };
    (0..count)
        .map(|n| json!({"query": format!("{} {}", word(n), word(n + 1000)), "n": n}))
        .collect()
}

#[test]
fn shares_are_met_every_line_is_in_one_part_and_the_order_of_lines_does_not_matter() {
    let mut lines = queries(100);
    let (manifest, parts) = split_lines(&lines, &settings(), None).unwrap();
    assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [60, 20, 20]);
    assert_eq!(manifest.parts.iter().map(|part| part.lines).collect::<Vec<_>>(), [60, 20, 20]);
    let mut all: Vec<u64> =
        parts.iter().flatten().map(|line| line["n"].as_u64().unwrap()).collect();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..100));
    let set = |part: &[Value]| {
        part.iter().map(ToString::to_string).collect::<std::collections::BTreeSet<_>>()
    };
    lines.reverse();
    let (_, again) = split_lines(&lines, &settings(), None).unwrap();
    assert!(parts.iter().zip(&again).all(|(one, other)| set(one) == set(other)));
    let (_, other) = split_lines(&lines, &Settings { seed: 2, ..settings() }, None).unwrap();
    assert_ne!(set(&parts[1]), set(&other[1]));
}

#[test]
fn by_time_nothing_older_follows_and_duplicates_go_with_the_youngest() {
    let mut lines = queries(50);
    for (day, line) in lines.iter_mut().enumerate() {
        line["attributes"] = json!({"at": format!("2026-{:02}-{:02}", 1 + day / 28, 1 + day % 28)});
    }
    lines[2]["query"] = lines[48]["query"].as_str().unwrap().to_uppercase().into();
    let settings = Settings { by_time: Some("at".into()), ..settings() };
    let (manifest, parts) = split_lines(&lines, &settings, None).unwrap();
    let numbers = |part: usize| -> Vec<u64> {
        parts[part].iter().map(|line| line["n"].as_u64().unwrap()).collect()
    };
    assert!(numbers(2).contains(&2) && numbers(2).contains(&48));
    assert_eq!(manifest.near_duplicates, 1);
    let (train, dev) = (numbers(0), numbers(1));
    assert!(train.iter().max() < dev.iter().min() && dev.iter().max() < Some(&41));
    assert!(manifest.parts[0].to < manifest.parts[1].from);
    lines[7]["attributes"]["at"] = "yesterday".into();
    let error = split_lines(&lines, &settings, None).unwrap_err();
    assert!(error.contains("all.jsonl line 8: field 'at' is 'yesterday', not a time"), "{error}");
}

#[test]
fn lines_of_a_group_stay_together_and_lists_join_by_each_item() {
    let mut lines = queries(60);
    for (n, line) in lines.iter_mut().enumerate() {
        line["thread"] = json!(n / 3);
        line["pos"] = json!([format!("d{n}"), format!("d{}", if n == 59 { 0 } else { n })]);
    }
    let settings = Settings { group_by: vec!["thread".into(), "pos".into()], ..settings() };
    let (manifest, parts) = split_lines(&lines, &settings, None).unwrap();
    assert_eq!(manifest.grouped, 41);
    let part_of =
        |n: usize| parts.iter().position(|part| part.iter().any(|line| line["n"] == n)).unwrap();
    assert!((0..60).all(|n| part_of(n) == part_of(n / 3 * 3)));
    assert_eq!(part_of(0), part_of(59));
    let error = split_lines(&queries(9), &settings, None).unwrap_err();
    assert!(error.contains("line 1: field 'thread' is missing or holds no value"), "{error}");
}

#[test]
fn personal_data_is_gone_before_anything_is_written() {
    let mut lines = queries(30);
    lines[3] = json!({
        "id": 7, "query": "anna@example.com cannot log in", "pos": ["Ask Anna, +49 30 1234567", "x"],
        "attributes": {"customer": "anna@example.com", "when": 1_700_000_000}, "n": 3, "phone": 49_301_234_567_u64,
        "scores": [0.123456789012]
    });
    lines[4]["attributes"] = json!({"customer": "anna@example.com"});
    for line in &mut lines {
        if line.get("attributes").is_none() {
            line["attributes"] = json!({"customer": line["n"].clone()});
        }
    }
    let settings = Settings { group_by: vec!["customer".into()], ..settings() };
    let (manifest, parts) = split_lines(&lines, &settings, Some(&Scrubber::new(["Anna"]))).unwrap();
    let all: Vec<&Value> = parts.iter().flatten().collect();
    let found = all.iter().find(|line| line["n"] == 3).unwrap();
    assert_eq!(found["query"], "[email] cannot log in");
    assert_eq!(found["pos"], json!(["Ask [name], [phone]", "x"]));
    assert_eq!((&found["id"], &found["phone"]), (&json!(7), &json!("[phone]")));
    assert_eq!(found["scores"], json!([0.123456789012]));
    assert!(
        parts.iter().any(|part| [3, 4].iter().all(|n| part.iter().any(|line| line["n"] == *n)))
    );
    let counts = manifest.scrubbed.unwrap();
    assert_eq!((counts["email"], counts["name"], counts["phone"]), (3, 1, 3));
    lines[9]["id"] = "bob@example.com".into();
    let error = split_lines(&lines, &settings, Some(&Scrubber::new([]))).unwrap_err();
    assert!(error.contains("line 10: the id holds an e-mail address"), "{error}");
    assert!(!error.contains("bob"));
}

#[test]
fn numbers_with_gaps_and_names_of_fields_are_scrubbed_and_ids_of_mined_groups_stay() {
    let mut lines = queries(30);
    lines[3]["phone"] = json!(491_511_234_567.0);
    lines[3]["scores"] = json!([0.123_456_789_012, 1.0, 4_915_112_345.678]);
    lines[3]["counts"] = json!({"john@x.com": 3, "ann@x.com": {"id": 1}, "text": "Text"});
    lines[3]["pos_ids"] = json!(["4915112345678", 4_915_112_345_678_u64]);
    lines[3]["relevant"] = json!(["a text of words", 4_915_112_345_678_u64]);
    let (_, parts) =
        split_lines(&lines, &settings(), Some(&Scrubber::new(["text", "query"]))).unwrap();
    let found = parts.iter().flatten().find(|line| line["n"] == 3).unwrap();
    assert_eq!(found["phone"], "[phone]");
    assert_eq!(found["scores"], json!([0.123_456_789_012, 1.0, 4_915_112_345.678]));
    assert_eq!(found["counts"], json!({"[email]": 3, "[email] 2": {"id": 1}, "text": "[name]"}));
    assert_eq!(found["pos_ids"], json!(["4915112345678", 4_915_112_345_678_u64]));
    assert_eq!(found["relevant"], json!(["a [name] of words", 4_915_112_345_678_u64]));
}

#[test]
fn documents_that_look_like_ids_are_not_scrubbed_in_silence() {
    let mut lines = queries(30);
    for line in &mut lines {
        line["relevant"] = json!(["550e8400-e29b-41d4-a716-446655440000"]);
    }
    let error = split_lines(&lines, &settings(), Some(&Scrubber::new([]))).unwrap_err();
    assert!(error.contains("all.jsonl line 1: --scrub would change a document"), "{error}");
    assert!(error.contains("--corpus"), "{error}");
    split_lines(&lines, &settings(), None).unwrap();
    lines[7]["relevant"] = json!(["write to 4915112345678"]);
    split_lines(&lines, &settings(), Some(&Scrubber::new([]))).unwrap();
}

#[test]
fn a_corpus_has_each_document_once_and_all_that_lines_name() {
    let folder = tempfile::tempdir().unwrap();
    let (path, corpus) = (folder.path().join("set.jsonl"), folder.path().join("corpus.jsonl"));
    let lines: String = queries(20)
        .into_iter()
        .map(|mut line| {
            line["relevant"] = json!(["a", {"id": 2}]);
            format!("{line}\n")
        })
        .collect();
    fs::write(&path, lines).unwrap();
    let error = |documents: &str| {
        fs::write(&corpus, documents).unwrap();
        let out = folder.path().join("out");
        let source = Source { path: &path, corpus: Some(&corpus) };
        split(source, &out, &settings(), None).map_err(|error| error.to_string())
    };
    let (a, two) = ("{\"_id\":\"a\",\"text\":\"A\"}\n", "{\"id\":2,\"text\":\"B\"}\n");
    let twice = error(&format!("{a}{two}{a}")).unwrap_err();
    assert!(twice.contains("corpus.jsonl line 3: document id 'a' was already used at line 1"));
    let unknown = error(a).unwrap_err();
    assert!(unknown.contains("set.jsonl line 1: document '2' is not among"), "{unknown}");
    error(&format!("{a}{two}")).unwrap();
}

#[test]
fn what_a_table_lacks_is_named_by_row_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.csv");
    let error = |text: &str, settings: &Settings| {
        fs::write(&path, text).unwrap();
        let source = Source { path: &path, corpus: None };
        split(source, &folder.path().join("out"), settings, None).unwrap_err().to_string()
    };
    let columns = error("question,at\nq,1\n", &settings());
    assert!(columns.contains("no column 'query'; it has: question, at"), "{columns}");
    let empty = error("query,at\n\"q\nr\",1\n,2\n", &settings());
    assert!(empty.contains("set.csv row 2: 'query' is empty"), "{empty}");
    let timed = Settings { by_time: Some("at".into()), ..settings() };
    let time = error("query,at\n\"q\nr\",1\ns,soon\n", &timed);
    assert!(time.contains("set.csv row 2: field 'at' is 'soon'"), "{time}");
}

#[test]
fn a_corpus_goes_along_and_its_ids_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (path, corpus) = (folder.path().join("set.csv"), folder.path().join("corpus.jsonl"));
    let id = "550e8400-e29b-41d4-a716-446655440000";
    fs::write(&path, format!("query,positive\nred fox,{id}\nblue whale,{id}\n")).unwrap();
    fs::write(&corpus, json!({"_id": id, "text": "write to a@b.example"}).to_string()).unwrap();
    let mut settings = settings();
    settings.parts.truncate(2);
    let out = folder.path().join("out");
    let source = Source { path: &path, corpus: Some(&corpus) };
    split(source, &out, &settings, Some(&Scrubber::new([]))).unwrap();
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    assert_eq!(read(CORPUS), format!("{{\"_id\":\"{id}\",\"text\":\"write to [email]\"}}\n"));
    assert!(read("train.jsonl").contains(id) && read("dev.jsonl").contains(id));
    let error = split(source, &out, &settings, None).unwrap_err().to_string();
    assert!(error.contains("the folder holds files already"), "{error}");
}

#[test]
fn what_cannot_be_split_says_why() {
    let lines = queries(12);
    let error = |settings: &Settings| split_lines(&lines, settings, None).unwrap_err();
    let mut odd = settings();
    odd.parts[1].1 = 0.0;
    assert!(error(&odd).starts_with("the parts cannot be 'train=0.6,dev=0,test=0.2'"));
    odd.parts[1] = ("train".into(), 1.0);
    assert!(error(&odd).contains("the parts cannot be"));
    assert!(error(&Settings { near: 0.2, ..settings() }).contains("told at 0.2; choose"));
    let same: Vec<Value> = (0..5).map(|_| json!({"query": "the same"})).collect();
    let error = split_lines(&same, &settings(), None).unwrap_err();
    assert!(error.contains("part 'dev' got no line: the 5 lines make 1 clusters"), "{error}");
    let error = split_lines(&[json!({"text": "x"})], &settings(), None).unwrap_err();
    assert!(error.contains("line 1: field 'query' is missing"), "{error}");
    let error = split_lines(&[json!({"query": 7})], &settings(), None).unwrap_err();
    assert!(error.contains("line 1: field 'query' is a number, expected a string"), "{error}");
    let error = split_lines(&queries(2), &settings(), None).unwrap_err();
    assert!(error.contains("2 lines are too few for its share"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_query_is_in_two_parts(words in prop::collection::vec("[a-d]{1,3}( [a-d]{1,3}){0,2}", 6..40), seed in any::<u64>()) {
        let lines: Vec<Value> = words.iter().map(|query| json!({"query": query})).collect();
        let settings = Settings { seed, ..settings() };
        // Few words may well make too few clusters.
        if let Ok((_, parts)) = split_lines(&lines, &settings, None) {
            for (place, part) in parts.iter().enumerate() {
                for line in part {
                    let query = crate::normalized(line["query"].as_str().unwrap());
                    let elsewhere = parts[place + 1..].iter().flatten();
                    for other in elsewhere {
                        prop_assert_ne!(&query, &crate::normalized(other["query"].as_str().unwrap()));
                    }
                }
            }
        }
    }
}
