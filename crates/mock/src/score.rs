//! Made-up relevance, the same for the same texts.

use std::collections::BTreeSet;

/// From above 0 to below 1: the share of the query's words that the document has, and a little that
/// depends on the texts alone, so that hardly any two documents tie.
pub fn score(query: &str, document: &str) -> f64 {
    let (asked, found) = (words(query), words(document));
    let shared = asked.intersection(&found).count() as f64 / asked.len().max(1) as f64;
    0.05 + 0.85 * shared + 0.05 * noise(query, document)
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// FNV-1a of both texts, as a number from 0 to 1.
fn noise(query: &str, document: &str) -> f64 {
    let bytes = query.bytes().chain([0]).chain(document.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_words_count_most() {
        let [both, one, none] = ["Export all invoices", "an invoice export", "reset"]
            .map(|d| score("export invoices", d));
        assert!(both > one && one > none && none > 0.0 && both < 1.0, "{both} {one} {none}");
        assert_ne!(score("a", "b"), score("a", "c"));
    }
}
