//! Chunks with tokenizers as models bring them: WordPiece, byte-level BPE, and SentencePiece.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use secondpass_text::{Chunks, EncodedPair, OVERLAP, PairTokenizer, Truncation};
use tokenizers::Tokenizer;

const QUERY: &str = "Which words does a chunk end with?";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every tokenizer at hand, by its file.
fn tokenizers() -> Vec<PathBuf> {
    let golden = ["bert", "roberta", "xlm-roberta"];
    let golden = golden.map(|name| root().join("tests/golden/models").join(name));
    let shared = root().join("../shared/models/xlm-roberta-tokenizer");
    if !shared.exists() {
        println!("skipped: no ../shared");
    }
    let folders = golden.into_iter().chain(shared.exists().then_some(shared));
    folders.map(|folder| folder.join("tokenizer.json")).collect()
}

fn pairs(file: &Path, max_length: usize) -> PairTokenizer {
    PairTokenizer::from_file(file, max_length, Truncation::Error).expect("a tokenizer")
}

/// Words of all lengths, scripts with and without spaces, and a word longer than a chunk.
fn document() -> String {
    let sentence = "The committee reconsidered its counterproductive regulations, 委员会重新审议了条例，\
                    y los 27 países votaron. ";
    format!("{} {} {}", sentence.repeat(12), "x9".repeat(200), sentence.repeat(5))
}

/// The document's tokens of a pair: what stands between an empty document's pair and its last token.
fn of_document<'a>(pair: &'a EncodedPair, empty: &EncodedPair) -> &'a [u32] {
    &pair.ids[empty.ids.len() - 1..pair.ids.len() - 1]
}

#[test]
fn chunks_are_the_documents_own_tokens_and_the_query_stays_whole() {
    for file in tokenizers() {
        let (tokenizer, whole) = (pairs(&file, 96), pairs(&file, 1_000_000));
        let [empty, whole] = &whole.encode(QUERY, &["", &document()]).expect("pairs")[..] else {
            panic!("two documents, two pairs")
        };
        let expected = of_document(whole, empty);
        for overlap in [0, 7, OVERLAP] {
            let chunks = Chunks { overlap, first_only: false };
            let chunks = tokenizer.encode_chunks(QUERY, &[document()], chunks).expect("chunks");
            // Where the chunks so far can have ended: repeated words make several ends possible.
            let mut ends = BTreeSet::from([0]);
            for pair in &chunks[0] {
                assert!(pair.ids.len() <= 96 && pair.cut == 0);
                assert_eq!(pair.ids[..empty.ids.len() - 1], empty.ids[..empty.ids.len() - 1]);
                let tokens = of_document(pair, empty);
                let starts = ends.iter().flat_map(|&end: &usize| end.saturating_sub(overlap)..=end);
                let starts = starts.filter(|&start| expected[start..].starts_with(tokens));
                ends = starts.map(|start| start + tokens.len()).collect();
            }
            assert!(chunks[0].len() > 5, "{} chunks", chunks[0].len());
            let name = file.display();
            assert!(ends.contains(&expected.len()), "{name} with overlap {overlap}: {ends:?}");
        }
        let first = Chunks { overlap: 0, first_only: true };
        let first = tokenizer.encode_chunks(QUERY, &[document()], first).expect("chunks");
        let first = &first[0][0];
        assert_eq!(of_document(first, empty).len() + first.cut, expected.len());
    }
}

#[test]
fn sentencepiece_chunks_begin_with_words() {
    let file = root().join("tests/golden/models/xlm-roberta/tokenizer.json");
    let names = Tokenizer::from_file(&file).expect("a tokenizer");
    let tokenizer = pairs(&file, 96);
    let text = "The committee reconsidered its counterproductive regulations twice. ".repeat(30);
    let empty = &tokenizer.encode(QUERY, &[""]).expect("a pair")[0];
    for overlap in [0, OVERLAP] {
        let chunks = Chunks { overlap, first_only: false };
        let chunks = tokenizer.encode_chunks(QUERY, &[&text], chunks).expect("chunks");
        assert!(chunks[0].len() > 5, "{} chunks", chunks[0].len());
        for pair in &chunks[0] {
            let first = of_document(pair, empty)[0];
            let token = names.id_to_token(first).expect("a token");
            assert!(token.starts_with('▁'), "a chunk begins with '{token}'");
        }
    }
}
