//! The checker of the embedded help-desk set: what its README promises, proved over its files.

// A defect of the set shall fail the test, helpers included.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use secondpass_core::{Dataset, DocId, Query};
use secondpass_data::embedded::{SPLITS, helpdesk, helpdesk_triples};

/// No query of dev or test may share this much of its character 4-grams (Jaccard: those in common
/// by those in either) with a query of another split.
const NEAR_DUPLICATE: f64 = 0.8;

/// What all files of the set may take once compressed.
const MAX_COMPRESSED_BYTES: f64 = 8e6;

// The reader itself refuses ids that occur twice, judgements of unknown documents or queries and
// empty queries, so reading every split proves that there are none.
#[test]
fn every_split_reads_and_is_large_enough() {
    let [train, dev, test] = SPLITS.map(split);
    assert!(train.queries().len() >= 1000, "{} training queries", train.queries().len());
    assert!(dev.queries().len() >= 150, "{} dev queries", dev.queries().len());
    assert!(test.queries().len() >= 150, "{} test queries", test.queries().len());
    assert!(train.corpus().len() >= 1200, "{} articles", train.corpus().len());
    let triples = helpdesk_triples().unwrap().count();
    assert!(triples >= 4000, "{triples} triples");
}

#[test]
fn articles_have_the_promised_length() {
    let set = split("train");
    let documents = set.corpus().documents();
    let words: usize = documents.iter().map(|d| d.text.split_whitespace().count()).sum();
    let mean = words as f64 / documents.len() as f64;
    assert!((60.0..=90.0).contains(&mean), "articles have {mean:.1} words in the mean");
}

#[test]
fn no_two_articles_are_the_same() {
    let set = split("train");
    let mut texts: HashMap<String, &DocId> = HashMap::new();
    for document in set.corpus().documents() {
        let twin = texts.insert(normalised(&document.text), &document.id);
        assert_eq!(twin, None, "same text as {}", document.id);
    }
}

#[test]
fn grades_are_0_to_3_and_near_misses_are_judged() {
    for name in SPLITS {
        let set = split(name);
        for (query, documents) in set.qrels().iter() {
            assert!(documents.values().all(|grade| (0..=3).contains(grade)), "{name}: {query}");
            assert!(documents.values().any(|&grade| grade > 0), "{name}: {query} has no answer");
            if name != "train" {
                assert!(documents.values().any(|&g| g == 0), "{name}: {query} has no near-miss");
            }
        }
    }
}

#[test]
fn no_query_is_in_two_splits() {
    let (mut ids, mut texts) = (HashMap::new(), HashMap::new());
    for name in SPLITS {
        for query in split(name).queries() {
            let earlier = ids.insert(query.id.clone(), name);
            assert!(earlier.is_none_or(|earlier| earlier == name), "{} in {name}", query.id);
            let earlier = texts.insert(normalised(&query.text), name);
            assert!(earlier.is_none_or(|earlier| earlier == name), "'{}' in {name}", query.text);
        }
    }
}

#[test]
fn no_evaluation_query_is_nearly_one_of_another_split() {
    let queries: Vec<(&str, Query)> = SPLITS
        .into_iter()
        .flat_map(|name| split(name).queries().to_vec().into_iter().map(move |q| (name, q)))
        .collect();
    let near: Vec<String> = near_duplicates(&queries)
        .into_iter()
        .map(|(similarity, one, other)| {
            let [(a, one), (b, other)] = [&queries[one], &queries[other]];
            format!("{similarity:.2} {a} '{}' ~ {b} '{}'", one.text, other.text)
        })
        .collect();
    assert!(near.is_empty(), "{} near-duplicates:\n{}", near.len(), near.join("\n"));
}

#[test]
fn near_duplicates_are_found() {
    let query = |text: &str| Query {
        id: text.into(),
        text: text.to_owned(),
        attributes: Default::default(),
    };
    let queries = [
        ("train", query("how do i export invoices to a csv file")),
        ("test", query("How do I export invoices to a CSV file??")),
        ("dev", query("how do i export orders to a pdf file")),
        ("test", query("how do i export invoices to a csv")),
    ];
    let pairs: Vec<_> = near_duplicates(&queries).into_iter().map(|(_, a, b)| (a, b)).collect();
    assert_eq!(pairs, [(1, 0), (3, 0)]);
}

#[test]
fn one_family_is_held_out_of_training() {
    let test = split("test");
    let held_out: BTreeSet<&str> = test
        .queries()
        .iter()
        .filter(|query| is_held_out(query))
        .map(|query| query.attributes["family"].as_str())
        .collect();
    assert_eq!(held_out.len(), 1, "one family is held out and tested, found {held_out:?}");
    let families = families();
    let is_held = |id: &DocId| held_out.contains(families[id].as_str());
    assert!(families.keys().any(is_held), "the family {held_out:?} has no articles");

    let train = split("train");
    for query in train.queries() {
        assert!(!is_held_out(query), "{}", query.id);
        assert!(!held_out.contains(query.attributes["family"].as_str()), "{}", query.id);
    }
    for (query, documents) in train.qrels().iter() {
        assert!(!documents.keys().any(is_held), "training query {query} judges the family");
    }
    for (query, positive, negative) in helpdesk_triples().unwrap() {
        assert!(!is_held(&positive) && !is_held(&negative), "a triple of {query} has the family");
    }
    // The mark is consistent: queries of the family carry it, others do not.
    for set in [&test, &split("dev")] {
        for query in set.queries() {
            let of_family = held_out.contains(query.attributes["family"].as_str());
            assert_eq!(is_held_out(query), of_family, "{}", query.id);
        }
    }
}

/// Shannon's bound for single bytes is what an arithmetic coder reaches that knows nothing but how
/// often each byte occurs; every usual compressor does far better.
#[test]
fn the_files_compress_well_below_the_limit() {
    let files = ["corpus.jsonl", "queries.jsonl", "triples.tsv"].map(str::to_owned);
    let qrels = SPLITS.map(|name| format!("qrels/{name}.tsv"));
    let bytes: f64 = files
        .iter()
        .chain(&qrels)
        .map(|file| entropy_bytes(&std::fs::read(folder().join(file)).unwrap()))
        .sum();
    assert!(bytes < MAX_COMPRESSED_BYTES, "{bytes:.0} bytes");
}

fn split(name: &str) -> Dataset {
    helpdesk(name).unwrap_or_else(|error| panic!("{error}"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/helpdesk")
}

/// The family of every article, from the corpus file: documents do not carry it.
fn families() -> HashMap<DocId, String> {
    let corpus = std::fs::read_to_string(folder().join("corpus.jsonl")).unwrap();
    let article = |line: &str| {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        let family = object["metadata"]["family"].as_str().unwrap().to_owned();
        (object["_id"].as_str().unwrap().into(), family)
    };
    corpus.lines().filter(|line| !line.is_empty()).map(article).collect()
}

fn is_held_out(query: &Query) -> bool {
    query.attributes.get("held_out").is_some_and(|value| value == "yes")
}

/// Pairs of a dev or test query and one of another split that are as similar as
/// [`NEAR_DUPLICATE`], with their similarity. Only queries that share a 4-gram are compared.
fn near_duplicates(queries: &[(&str, Query)]) -> Vec<(f64, usize, usize)> {
    let sets: Vec<_> = queries.iter().map(|(_, query)| shingles(&query.text)).collect();
    let mut holders: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, set) in sets.iter().enumerate() {
        for shingle in set {
            holders.entry(shingle).or_default().push(place);
        }
    }
    let mut near = Vec::new();
    for (place, set) in sets.iter().enumerate().filter(|(place, _)| queries[*place].0 != "train") {
        let mut common: HashMap<usize, usize> = HashMap::new();
        for &other in set.iter().flat_map(|shingle| &holders[shingle.as_str()]) {
            if queries[other].0 != queries[place].0 {
                *common.entry(other).or_default() += 1;
            }
        }
        near.extend(common.into_iter().filter_map(|(other, common)| {
            let similarity = common as f64 / (set.len() + sets[other].len() - common) as f64;
            (similarity >= NEAR_DUPLICATE).then_some((similarity, place, other))
        }));
    }
    near.sort_by_key(|&(_, one, other)| (one, other));
    near
}

fn shingles(text: &str) -> HashSet<String> {
    let characters: Vec<char> = normalised(text).chars().collect();
    match characters.len() {
        0..4 => [characters.iter().collect()].into(),
        _ => characters.windows(4).map(|window| window.iter().collect()).collect(),
    }
}

/// Lower case, letters and digits only, one space between words.
fn normalised(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

fn entropy_bytes(content: &[u8]) -> f64 {
    let mut counts = [0_u64; 256];
    for &byte in content {
        counts[usize::from(byte)] += 1;
    }
    let total = content.len() as f64;
    let bits = |&count: &u64| count as f64 * (total / count as f64).log2();
    counts.iter().filter(|&&count| count > 0).map(bits).sum::<f64>() / 8.0
}

/// The test split was sealed before anything was scored on it; its sources may not change after.
#[test]
fn the_test_split_is_the_sealed_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/helpdesk");
    let seal = std::fs::read_to_string(folder.join("test.sha256")).unwrap();
    let mut checked = 0;
    for line in seal.lines() {
        let (hash, file) = line.split_once("  ").unwrap();
        assert_eq!(secondpass_data::sha256(&folder.join(file)).unwrap().as_str(), hash, "{file}");
        checked += 1;
    }
    assert_eq!(checked, 2);
}
