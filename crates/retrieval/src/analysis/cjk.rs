use unicode_segmentation::UnicodeSegmentation;

use super::english::STOP_WORDS;
use super::words::{is_word, lower_case};

/// The terms of a text in scripts that write no spaces, as Lucene's `CJKAnalyzer` makes them: of each
/// run of Han, Hiragana, Katakana or Hangul every two neighbours (東京都 gives 東京 and 京都; a lone
/// character itself), other words in lower case without English stop words, half- and full-width
/// forms folded into the usual ones.
///
/// Departures from Lucene: Thai, Lao, Khmer and Burmese are taken the same way, by user-perceived
/// characters; a run that touches Latin letters (LG전자) is cut from them.
pub(super) fn cjk_terms(text: &str) -> Vec<String> {
    let text = fold_width(text);
    let mut terms = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    for segment in text.split_word_bounds() {
        if !is_word(segment) && !segment.chars().all(is_unspaced) {
            end_run(&mut run, &mut terms);
            continue;
        }
        let mut word = String::new();
        for character in segment.graphemes(true) {
            if character.chars().next().is_some_and(is_unspaced) {
                end_word(&mut word, &mut terms);
                run.push(character);
            } else {
                end_run(&mut run, &mut terms);
                word.push_str(character);
            }
        }
        end_word(&mut word, &mut terms);
    }
    end_run(&mut run, &mut terms);
    terms
}

fn end_run(run: &mut Vec<&str>, terms: &mut Vec<String>) {
    match &run[..] {
        [] => {}
        [only] => terms.push((*only).to_owned()),
        run => terms.extend(run.windows(2).map(|pair| pair.concat())),
    }
    run.clear();
}

fn end_word(word: &mut String, terms: &mut Vec<String>) {
    let lower = lower_case(word);
    if is_word(word) && !STOP_WORDS.contains(&lower.as_str()) {
        terms.push(lower);
    }
    word.clear();
}

/// Whether a character belongs to a script that is written without spaces, or, as Hangul, is searched
/// by parts of its words. Ranges are those of Unicode's scripts; the marks for repetition and for
/// long vowels go with them.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        // Han.
        '\u{3005}' | '\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3038}'..='\u{303b}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}'
        // Hiragana and Katakana.
        | '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}'
        | '\u{30fc}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        // Hangul.
        | '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' | '\u{a960}'..='\u{a97c}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{d7b0}'..='\u{d7fb}' | '\u{ffa0}'..='\u{ffdc}'
        // Thai without its digits and signs, Lao, Khmer, Burmese.
        | '\u{e01}'..='\u{e3a}' | '\u{e40}'..='\u{e4e}' | '\u{e81}'..='\u{ece}'
        | '\u{edc}'..='\u{edf}' | '\u{1780}'..='\u{17d3}' | '\u{1000}'..='\u{103f}'
        | '\u{1050}'..='\u{108f}'
    )
}

/// Full-width ASCII as ASCII, half-width Katakana as Katakana with its voice marks joined, as
/// Lucene's `CJKWidthFilter`.
fn fold_width(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        let wide = match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xff01 + 0x21),
            '\u{ff65}'..='\u{ff9f}' => HALF_WIDTH.chars().nth(c as usize - 0xff65),
            _ => None,
        };
        let Some(wide) = wide else {
            folded.push(c);
            continue;
        };
        // In Unicode the voiced form stands one after the plain one, and the half-voiced two.
        let voiced = match letters.peek() {
            Some('\u{ff9e}') if wide == 'ウ' => Some('ヴ'),
            Some('\u{ff9e}') if VOICED.contains(wide) => char::from_u32(wide as u32 + 1),
            Some('\u{ff9f}') if HALF_VOICED.contains(wide) => char::from_u32(wide as u32 + 2),
            _ => None,
        };
        if voiced.is_some() {
            letters.next();
        }
        folded.push(voiced.unwrap_or(wide));
    }
    folded
}

/// What U+FF65 to U+FF9F stand for, in order.
const HALF_WIDTH: &str = "・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";
const VOICED: &str = "カキクケコサシスセソタチツテトハヒフヘホ";
const HALF_VOICED: &str = "ハヒフヘホ";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn runs_give_bigrams_and_words_stay_words() {
        assert_eq!(cjk_terms("東京都"), ["東京", "京都"]);
        assert_eq!(cjk_terms("東。京"), ["東", "京"]);
        assert_eq!(cjk_terms("The iPhone 15は東京で"), ["iphone", "15", "は東", "東京", "京で"]);
        assert_eq!(cjk_terms("LG전자 제품"), ["lg", "전자", "제품"]);
        assert_eq!(cjk_terms("コーヒー"), ["コー", "ーヒ", "ヒー"]);
        assert_eq!(cjk_terms("时々々"), ["时々", "々々"]);
        assert_eq!(cjk_terms(" ,、 "), [""; 0]);
    }

    #[test]
    fn widths_are_folded() {
        assert_eq!(cjk_terms("ＡＢＣ１２"), ["abc12"]);
        assert_eq!(cjk_terms("ｶﾞｰﾄﾞ"), ["ガー", "ード"]);
        assert_eq!(cjk_terms("ﾊﾟﾋﾟ ｳﾞ"), ["パピ", "ヴ"]);
        assert_eq!(HALF_WIDTH.chars().count(), 0xff9f - 0xff65 + 1);
    }

    #[test]
    fn thai_is_cut_by_user_perceived_characters() {
        assert_eq!(cjk_terms("กินข้าว"), ["กิน", "นข้", "ข้า", "าว"]);
    }

    proptest! {
        #[test]
        fn any_text_gives_terms_that_are_not_empty(text in any::<String>()) {
            prop_assert!(cjk_terms(&text).iter().all(|term| !term.is_empty()));
        }

        #[test]
        fn a_run_of_n_gives_n_minus_one(run in "[一-龥]{2,30}") {
            prop_assert_eq!(cjk_terms(&run).len(), run.chars().count() - 1);
        }
    }
}
