//! What the benches share: the embedded help-desk articles and questions, read without the crates
//! that would make building the benches slow.

use serde_json::Value;

const CORPUS: &str = include_str!("../../datasets/helpdesk/corpus.jsonl");
const DEV: &str = include_str!("../../datasets/helpdesk/make/queries/dev.json");

/// Title and text of each article, with its id.
pub fn articles() -> Vec<(String, String, String)> {
    let field = |article: &Value, name: &str| article[name].as_str().unwrap_or_default().to_owned();
    let read = |line: &str| serde_json::from_str(line).expect("the corpus is JSONL");
    let articles = CORPUS.lines().map(read);
    articles.map(|a: Value| (field(&a, "_id"), field(&a, "title"), field(&a, "text"))).collect()
}

/// The dev questions.
pub fn questions() -> Vec<String> {
    let all: Vec<Value> = serde_json::from_str(DEV).expect("the questions are JSON");
    all.iter().map(|q| q["text"].as_str().unwrap_or_default().to_owned()).collect()
}
