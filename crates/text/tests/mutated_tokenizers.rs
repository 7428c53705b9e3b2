//! Damaged `tokenizer.json` files, the tokenizers library's parser included: an error or a tokenizer
//! that works, never a panic.

use std::path::Path;

use proptest::prelude::*;
use secondpass_text::{Chunks, PairTokenizer, TextTokenizer, Truncation};

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/models");
    std::fs::read(folder.join(name).join("tokenizer.json")).expect("the golden files are there")
}

fn try_it(bytes: &[u8]) {
    if let Ok(tokenizer) = PairTokenizer::from_bytes(bytes, "mutated", 32, Truncation::LongestFirst)
    {
        // Whatever it makes of them, it must come back.
        let _ = tokenizer.encode("a query, 北京", &["some document 🙂", ""]);
        let long = "some document 🙂, ".repeat(20);
        let _ = tokenizer.encode_chunks("a query, 北京", &[&long, ""], Chunks::default());
    }
    if let Ok(tokenizer) = TextTokenizer::from_bytes(bytes, "mutated", 32) {
        // A vocabulary that lost its unknown token is told at the first word that needs it. The
        // post-processor may place special tokens by what it reads, but never beyond the limit.
        if let Ok(texts) = tokenizer.encode("query: ", &["some document 🙂, 北京", ""]) {
            assert!(texts.iter().all(|text| text.ids.len() <= 32));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn bytes_changed(
        model in prop::sample::select(&["xlm-roberta", "roberta", "bert"][..]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = golden(model);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        try_it(&bytes);
    }

    #[test]
    fn a_piece_cut_out(
        model in prop::sample::select(&["xlm-roberta", "roberta", "bert"][..]),
        start: prop::sample::Index,
        length in 1usize..400,
    ) {
        let mut bytes = golden(model);
        let start = start.index(bytes.len());
        let end = (start + length).min(bytes.len());
        bytes.drain(start..end);
        try_it(&bytes);
    }

    #[test]
    fn values_replaced(
        model in prop::sample::select(&["xlm-roberta", "roberta", "bert"][..]),
        number in prop::sample::select(&["0", "1", "-1", "4294967296", "1e400", "null", "\"x\"", "[]"][..]),
        place: prop::sample::Index,
    ) {
        let text = String::from_utf8(golden(model)).expect("JSON is UTF-8");
        let colons: Vec<usize> = text.match_indices("\":").map(|(at, _)| at + 2).collect();
        let start = colons[place.index(colons.len())];
        let end = text[start..].find([',', '}', ']']).map_or(text.len(), |end| start + end);
        try_it(format!("{}{number}{}", &text[..start], &text[end..]).as_bytes());
    }
}
