//! The first stage on SciFact, against the figures that Anserini publishes for its flat BM25 and
//! against a run made elsewhere.

// A test file as a whole: a missing field fails the test where it is read.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use secondpass_core::{Corpus, DocId, Document, FirstStage, Query, QueryId, Ranking};
use secondpass_retrieval::{Bm25, Bm25Parameters};

#[test]
fn figures_of_anserini() {
    let Some(folder) = folder() else { return };
    let (corpus, qrels) = (corpus(&folder), qrels(&folder));
    let queries = queries(&folder, &qrels);
    assert_eq!((corpus.len(), queries.len()), (5183, 300));
    let build = || Bm25::new(&corpus, Bm25Parameters::default()).unwrap();
    let run = build().retrieve(&queries, 100).unwrap();
    assert_eq!(run.hash(), build().retrieve(&queries, 100).unwrap().hash());

    let mean = |measure: fn(&Ranking, &[DocId]) -> f64| {
        let values = qrels.iter().map(|(query, relevant)| measure(&run.rankings[query], relevant));
        values.sum::<f64>() / qrels.len() as f64
    };
    let (ndcg, recall) = (mean(ndcg_at_10), mean(recall));
    println!("nDCG@10 {ndcg:.4}, R@100 {recall:.4}");
    assert!((ndcg - 0.679).abs() <= 0.005, "nDCG@10 is {ndcg}");
    assert!((recall - 0.925).abs() <= 0.005, "R@100 is {recall}");

    let other = top_10_of_other_run(&folder);
    let overlap = |query: &Query| {
        let theirs = &other[&query.id];
        let ours = run.rankings[&query.id].documents().take(10);
        ours.filter(|id| theirs.contains(id)).count() as f64 / 10.0
    };
    let overlap = queries.iter().map(overlap).sum::<f64>() / queries.len() as f64;
    println!("overlap of the first 10 with the other run: {overlap:.4}");
    assert!(overlap > 0.95, "overlap is {overlap}");
}

fn ndcg_at_10(ranking: &Ranking, relevant: &[DocId]) -> f64 {
    let discount = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    let places = ranking.documents().take(10).enumerate();
    let gained: f64 =
        places.filter(|(_, id)| relevant.contains(id)).map(|(rank, _)| discount(rank)).sum();
    gained / (0..relevant.len().min(10)).map(discount).sum::<f64>()
}

fn recall(ranking: &Ranking, relevant: &[DocId]) -> f64 {
    ranking.documents().filter(|id| relevant.contains(id)).count() as f64 / relevant.len() as f64
}

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/scifact");
    if !folder.exists() {
        println!("skipped: no ../shared");
        return None;
    }
    Some(folder)
}

fn rows(folder: &Path, file: &str) -> Vec<HashMap<String, serde_json::Value>> {
    let lines = fs::read_to_string(folder.join(file)).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(row: &'a HashMap<String, serde_json::Value>, field: &str) -> &'a str {
    row[field].as_str().unwrap()
}

fn corpus(folder: &Path) -> Corpus {
    let document = |row: HashMap<_, _>| Document {
        id: text(&row, "_id").into(),
        title: text(&row, "title").into(),
        text: text(&row, "text").into(),
    };
    Corpus::new(rows(folder, "corpus.jsonl").into_iter().map(document).collect()).unwrap()
}

/// The relevant documents of each judged query.
fn qrels(folder: &Path) -> BTreeMap<QueryId, Vec<DocId>> {
    let mut qrels: BTreeMap<QueryId, Vec<DocId>> = BTreeMap::new();
    for line in fs::read_to_string(folder.join("qrels/test.tsv")).unwrap().lines().skip(1) {
        let fields: Vec<_> = line.split('\t').collect();
        assert_eq!(fields[2], "1");
        qrels.entry(fields[0].into()).or_default().push(fields[1].into());
    }
    qrels
}

fn queries(folder: &Path, judged: &BTreeMap<QueryId, Vec<DocId>>) -> Vec<Query> {
    let query = |row: HashMap<_, _>| Query {
        id: text(&row, "_id").into(),
        text: text(&row, "text").into(),
        attributes: Default::default(),
    };
    let queries = rows(folder, "queries.jsonl").into_iter().map(query);
    queries.filter(|query| judged.contains_key(&query.id)).collect()
}

fn top_10_of_other_run(folder: &Path) -> BTreeMap<QueryId, Vec<DocId>> {
    let mut run: BTreeMap<QueryId, Vec<DocId>> = BTreeMap::new();
    for line in fs::read_to_string(folder.join("bm25.test.trec")).unwrap().lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        let documents = run.entry(fields[0].into()).or_default();
        if documents.len() < 10 {
            documents.push(fields[2].into());
        }
    }
    run
}
