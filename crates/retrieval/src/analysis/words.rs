use unicode_segmentation::UnicodeSegmentation;

/// The words of a text by UAX #29, as Lucene's `StandardTokenizer` cuts them: segments with a letter
/// or a digit, those of more than 255 UTF-16 units in pieces.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    // The library is several times faster at words than at segments where a text is all ASCII, and
    // gives the same ones.
    let (ascii, other) = match text.is_ascii() {
        true => (Some(text.unicode_words()), None),
        false => (None, Some(text.split_word_bounds().filter(|segment| is_word(segment)))),
    };
    ascii.into_iter().flatten().chain(other.into_iter().flatten()).flat_map(pieces)
}

/// Whether a segment of UAX #29 is a word and not space or punctuation.
pub(super) fn is_word(segment: &str) -> bool {
    segment.chars().any(is_letter_or_digit)
}

/// Character by character, as Java's `Character.toLowerCase`: one character gives one, and a final
/// sigma is not special.
pub(super) fn lower_case(word: &str) -> String {
    word.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect()
}

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ascii_is_cut_like_everything_else(text in "[ -~\\n\\t]{0,60}|[a.,:;'\"_0 -]{0,30}") {
            let segments = text.split_word_bounds().filter(|segment| is_word(segment));
            prop_assert!(words(&text).eq(segments), "{text:?}");
        }
    }

    #[test]
    fn lower_case_is_by_character() {
        assert_eq!(lower_case("İΣΑΣ"), "iσασ");
    }

    #[test]
    fn no_character_outside_the_basic_plane_is_cut_in_half() {
        let lengths: Vec<_> = pieces(&"𝒳".repeat(128)).map(|p| p.chars().count()).collect();
        assert_eq!(lengths, [127, 1]);
    }
}
