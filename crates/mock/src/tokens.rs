//! How the imitated providers count tokens.

/// Tokens of a text: a word is one for every six letters begun, any other character that is not white
/// space is one. No provider counts exactly so; estimates are to be compared with another rule than
/// their own.
pub fn count(text: &str) -> u64 {
    let mut tokens = 0;
    let mut letters = 0_u64;
    for c in text.chars() {
        if c.is_alphanumeric() {
            letters += 1;
            continue;
        }
        tokens += letters.div_ceil(6) + u64::from(!c.is_whitespace());
        letters = 0;
    }
    tokens + letters.div_ceil(6)
}

/// Tokens that a cross-encoder reads of a call's texts: the query's once a document.
pub fn of_pairs(query: &str, documents: &[String]) -> u64 {
    let query = count(query);
    documents.iter().map(|document| query + count(document)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_marks_count() {
        assert_eq!(count("  "), 0);
        assert_eq!(count("export invoices, now!"), 1 + 2 + 1 + 1 + 1);
    }

    #[test]
    fn queries_count_once_a_document() {
        let documents = ["export".to_owned(), "invoices, now!".to_owned()];
        assert_eq!(of_pairs("reset", &documents), (1 + 1) + (1 + 4 + 1));
    }
}
