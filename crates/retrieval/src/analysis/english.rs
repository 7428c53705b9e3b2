use super::porter::porter;
use super::words::{lower_case, words};

/// The index terms of an English text, in order, as Lucene's `EnglishAnalyzer` makes them, which is
/// what Anserini's BM25 baselines use: words by UAX #29, a final `'s` removed, lower case, no stop
/// words, Porter stems. The same chain serves documents and queries.
///
/// Known differences from Lucene's `StandardTokenizer`: emoji give no term, and the scripts that
/// write no spaces between words but are no ideographs (Thai, Lao, Khmer, Burmese) are cut by
/// character instead of kept as one run.
pub fn english_terms(text: &str) -> impl Iterator<Item = String> {
    words(text).filter_map(term)
}

pub(super) fn term(word: &str) -> Option<String> {
    let word = lower_case(without_possessive(word));
    let is_topic = !STOP_WORDS.contains(&word.as_str());
    is_topic.then(|| porter(word))
}

/// The default stop words of Lucene's `EnglishAnalyzer`.
pub(super) const STOP_WORDS: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it",
    "no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these",
    "they", "this", "to", "was", "will", "with",
];

/// The word without a final `'s`, in any of the three apostrophes.
fn without_possessive(word: &str) -> &str {
    let stem = word.strip_suffix(['s', 'S']);
    stem.and_then(|stem| stem.strip_suffix(['\'', '\u{2019}', '\u{ff07}'])).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms(text: &str) -> Vec<String> {
        english_terms(text).collect()
    }

    #[test]
    fn the_whole_chain() {
        assert_eq!(
            terms("The Runner's exported invoices aren't in the PDF-files!"),
            ["runner", "export", "invoic", "aren't", "pdf", "file"]
        );
    }

    #[test]
    fn words_follow_uax_29() {
        assert_eq!(terms("err_code_42"), ["err_code_42"]);
        assert_eq!(terms("1,234.5 v2.10"), ["1,234.5", "v2.10"]);
        assert_eq!(terms("e-mail a/b x@y.org"), ["e", "mail", "b", "x", "y.org"]);
        assert_eq!(terms("_ __ -- … \u{1f600}"), [""; 0]);
        assert_eq!(terms("東京"), ["東", "京"]);
        assert_eq!(terms("カタカナ"), ["カタカナ"]);
    }

    #[test]
    fn digits_are_words_and_other_numbers_are_not() {
        assert_eq!(terms("5 ٣ ½ m² ①"), ["5", "٣", "m"]);
    }

    #[test]
    fn possessives_in_every_apostrophe() {
        assert_eq!(terms("cat's cat\u{2019}s CAT\u{ff07}S"), ["cat", "cat", "cat"]);
        assert_eq!(terms("'s s"), ["s", "s"]);
    }

    #[test]
    fn long_words_are_cut() {
        let lengths: Vec<_> = terms(&"x".repeat(600)).iter().map(String::len).collect();
        assert_eq!(lengths, [255, 255, 90]);
    }

    proptest! {
        #[test]
        fn any_text_gives_terms_that_are_not_empty(text in any::<String>()) {
            prop_assert!(english_terms(&text).all(|term| !term.is_empty()));
        }

        #[test]
        fn any_word_gives_terms(word in "[a-zA-Zéïßéy'’._0-9]{0,40}") {
            prop_assert!(english_terms(&word).all(|term| !term.is_empty()));
        }
    }
}
