//! What `docs/candidates.md` shows as lines of candidates is read as such. The blocks under the
//! recipes are what psql and Chroma printed when the page was written.

// A test file as a whole: a missing field fails the test where it is read.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use secondpass_core::{Corpus, Document, Query};
use secondpass_retrieval::read_candidates;

#[test]
fn every_block_of_lines_is_read() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/candidates.md");
    let page = std::fs::read_to_string(page).unwrap();
    let query = |id: &str| Query { id: id.into(), text: id.into(), attributes: Default::default() };
    let queries = ["q1", "q2", "7", "8"].map(query);
    let document =
        |id: &str| Document { id: id.into(), title: String::new(), text: format!("text of {id}") };
    let documents = ["d1", "d2", "d\"3", "d4", "d7"].map(document);
    let corpus = Corpus::new(documents.into()).unwrap();
    let blocks = page.split("```jsonl\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let lengths = blocks.map(|block| {
        let run = read_candidates(block.as_bytes(), "page", &queries, &corpus).unwrap();
        run.rankings.values().map(|ranking| ranking.len()).collect::<Vec<_>>()
    });
    assert_eq!(lengths.collect::<Vec<_>>(), [[2, 1], [2, 2], [3, 1], [2, 2]]);
}
