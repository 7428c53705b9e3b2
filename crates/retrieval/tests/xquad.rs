//! The analysers on XQuAD-R: what each language's chain is worth against words in lower case.

// A test file as a whole: a missing field fails the test where it is read.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use secondpass_core::{Corpus, Document, FirstStage, Query};
use secondpass_retrieval::{Analyzer, Bm25, Bm25Parameters};

/// Set, analyser, nDCG@10 with it and with [`Analyzer::None`], as measured with k1 0.9 and b 0.4.
const FIGURES: [(&str, Analyzer, f64, f64); 5] = [
    ("en", Analyzer::English, 0.846, 0.832),
    ("de", Analyzer::German, 0.785, 0.743),
    ("es", Analyzer::Spanish, 0.823, 0.798),
    ("zh", Analyzer::Cjk, 0.824, 0.834),
    ("ar", Analyzer::Arabic, 0.763, 0.680),
];

/// Room for another order of the same sums and no more: a stop word or a rule that goes missing moves
/// a figure further.
const TOLERANCE: f64 = 0.001;

#[test]
fn figures_with_and_without_the_language() {
    for (language, analyzer, with, without) in FIGURES {
        let Some(folder) = folder(language) else { return };
        let set = Set::read(&folder);
        for (analyzer, expected) in [(analyzer, with), (Analyzer::None, without)] {
            let found = set.ndcg_at_10(analyzer);
            println!("{language} {analyzer}: nDCG@10 {found:.4}");
            assert!(
                (found - expected).abs() <= TOLERANCE,
                "{language} {analyzer}: nDCG@10 is {found:.4} and was {expected:.4}"
            );
        }
    }
}

struct Set {
    corpus: Corpus,
    queries: Vec<Query>,
    /// The one relevant document of each query.
    relevant: HashMap<String, String>,
}

impl Set {
    fn read(folder: &Path) -> Self {
        let text = |row: &serde_json::Value, field: &str| row[field].as_str().unwrap().to_owned();
        let rows = |file| -> Vec<serde_json::Value> {
            let lines = fs::read_to_string(folder.join(file)).unwrap();
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let document = |row: &serde_json::Value| Document {
            id: text(row, "_id").into(),
            title: text(row, "title"),
            text: text(row, "text"),
        };
        let query = |row: &serde_json::Value| Query {
            id: text(row, "_id").into(),
            text: text(row, "text"),
            attributes: Default::default(),
        };
        let qrels = fs::read_to_string(folder.join("qrels/test.tsv")).unwrap();
        let pair = |line: &str| {
            let fields: Vec<_> = line.split('\t').collect();
            assert_eq!(fields[2], "1");
            (fields[0].to_owned(), fields[1].to_owned())
        };
        let set = Self {
            corpus: Corpus::new(rows("corpus.jsonl").iter().map(document).collect()).unwrap(),
            queries: rows("queries.jsonl").iter().map(query).collect(),
            relevant: qrels.lines().skip(1).map(pair).collect(),
        };
        assert_eq!(
            (set.queries.len(), set.relevant.len(), qrels.lines().count()),
            (1190, 1190, 1191)
        );
        set
    }

    fn ndcg_at_10(&self, analyzer: Analyzer) -> f64 {
        let bm25 = Bm25::with_analyzer(&self.corpus, Bm25Parameters::default(), analyzer).unwrap();
        let run = bm25.retrieve(&self.queries, 10).unwrap();
        let gain = |query: &Query| {
            let relevant = &self.relevant[query.id.as_str()];
            let mut documents = run.rankings[&query.id].documents();
            let rank = documents.position(|id| id.as_str() == relevant);
            rank.map_or(0.0, |rank| 1.0 / (rank as f64 + 2.0).log2())
        };
        self.queries.iter().map(gain).sum::<f64>() / self.queries.len() as f64
    }
}

fn folder(language: &str) -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = data.join(format!("xquad-r-{language}"));
    if !folder.exists() {
        println!("skipped: no ../shared");
        return None;
    }
    Some(folder)
}
