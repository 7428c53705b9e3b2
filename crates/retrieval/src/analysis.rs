use unicode_segmentation::UnicodeSegmentation;

use crate::stem::porter;

/// The index terms of an English text, in order, as Lucene's `EnglishAnalyzer` makes them, which is
/// what Anserini's BM25 baselines use: words by UAX #29, a final `'s` removed, lower case, no stop
/// words, Porter stems. The same chain serves documents and queries.
///
/// Known differences from Lucene's `StandardTokenizer`: emoji give no term, and the scripts that
/// write no spaces between words but are no ideographs (Thai, Lao, Khmer, Burmese) are cut by
/// character instead of kept as one run.
pub fn english_terms(text: &str) -> impl Iterator<Item = String> {
    text.split_word_bounds()
        .filter(|segment| segment.chars().any(is_letter_or_digit))
        .flat_map(pieces)
        .map(|word| lower_case(without_possessive(word)))
        .filter(|word| !STOP_WORDS.contains(&word.as_str()))
        .map(porter)
}

/// The default stop words of Lucene's `EnglishAnalyzer`.
const STOP_WORDS: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it",
    "no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these",
    "they", "this", "to", "was", "will", "with",
];

/// The longest word in UTF-16 units, `StandardAnalyzer.DEFAULT_MAX_TOKEN_LENGTH`.
const LONGEST_WORD: usize = 255;

/// Whether a character alone makes its segment a word: letters, ideographs and decimal digits do,
/// superscripts and fractions do not.
fn is_letter_or_digit(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    // `is_numeric` holds for signs like ½ too. UAX #29 joins a digit, and only a digit, to a zero.
    let is_digit = || format!("0{c}").split_word_bounds().count() == 1;
    c.is_alphabetic() || (c.is_numeric() && is_digit())
}

/// A word cut at every `LONGEST_WORD` units, as Lucene cuts it.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let mut units = 0;
        let end = rest.char_indices().find_map(|(at, c)| {
            units += c.len_utf16();
            (units > LONGEST_WORD).then_some(at)
        });
        let (piece, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// The word without a final `'s`, in any of the three apostrophes.
fn without_possessive(word: &str) -> &str {
    let stem = word.strip_suffix(['s', 'S']);
    stem.and_then(|stem| stem.strip_suffix(['\'', '\u{2019}', '\u{ff07}'])).unwrap_or(word)
}

/// Character by character, as Java's `Character.toLowerCase`: one character gives one, and a final
/// sigma is not special.
fn lower_case(word: &str) -> String {
    word.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect()
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
    fn lower_case_is_by_character() {
        assert_eq!(lower_case("İΣΑΣ"), "iσασ");
    }

    #[test]
    fn long_words_are_cut() {
        let lengths: Vec<_> = terms(&"x".repeat(600)).iter().map(String::len).collect();
        assert_eq!(lengths, [255, 255, 90]);
        // Outside the basic plane a character is two units, and none is cut in half.
        let lengths: Vec<_> = pieces(&"𝒳".repeat(128)).map(|p| p.chars().count()).collect();
        assert_eq!(lengths, [127, 1]);
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
