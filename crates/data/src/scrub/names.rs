use std::collections::HashMap;
use std::ops::Range;

use super::Chars;
use crate::fold::fold;
use crate::texts::is_unspaced;

/// Names as words without case and accents.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Names of words, by their first; longest first.
    by_word: HashMap<String, Vec<Vec<String>>>,
    /// Names in scripts that write no blanks between words, which stand anywhere.
    anywhere: Vec<Vec<char>>,
}

/// Characters that may stand between the words of a name ("O'Brien", "Ann-Marie", "Smith, J.").
const GAP: usize = 3;

impl Names {
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        for name in names {
            let words: Vec<String> =
                words(&Chars::new(name, 0)).into_iter().map(|(word, _)| word).collect();
            let Some(first) = words.first() else { continue };
            if name.chars().any(is_unspaced) {
                all.anywhere.push(words.concat().chars().collect());
            } else {
                all.by_word.entry(first.clone()).or_default().push(words);
            }
        }
        for names in all.by_word.values_mut() {
            names.sort_by_key(|words| std::cmp::Reverse(words.len()));
        }
        all
    }

    pub fn find(&self, chars: &Chars, found: &mut dyn FnMut(Range<usize>)) {
        if !self.by_word.is_empty() {
            let words = words(chars);
            for at in 0..words.len() {
                for name in self.by_word.get(&words[at].0).into_iter().flatten() {
                    if let Some(last) = matched(&words[at..], name) {
                        found(chars.span(words[at].1.start..last));
                        break;
                    }
                }
            }
        }
        if !self.anywhere.is_empty() {
            let folded: Vec<(char, usize)> = (0..chars.chars.len())
                .flat_map(|at| fold(chars.chars[at]).map(move |c| (c, at)))
                .collect();
            for name in &self.anywhere {
                for window in folded.windows(name.len()) {
                    if window.iter().map(|(c, _)| c).eq(name) {
                        found(chars.span(window[0].1..window[name.len() - 1].1 + 1));
                    }
                }
            }
        }
    }
}

/// The end of a name whose words these begin with.
fn matched(words: &[(String, Range<usize>)], name: &[String]) -> Option<usize> {
    let mut end = None;
    for (number, word) in name.iter().enumerate() {
        let (found, place) = words.get(number)?;
        let near = end.is_none_or(|end| place.start - end <= GAP);
        if found != word || !near {
            return None;
        }
        end = Some(place.end);
    }
    end
}

/// The words of a text, folded, with their places; combining marks belong to the letter before them.
fn words(chars: &Chars) -> Vec<(String, Range<usize>)> {
    let mut words: Vec<(String, Range<usize>)> = Vec::new();
    let mut open = false;
    for (at, &c) in chars.chars.iter().enumerate() {
        let is_mark = fold(c).next().is_none();
        let is_word = c.is_alphanumeric() || is_mark && open;
        if !is_word {
            open = false;
            continue;
        }
        if !open {
            words.push((String::new(), at..at));
            open = true;
        }
        if let Some((word, place)) = words.last_mut() {
            word.extend(fold(c));
            place.end = at + 1;
        }
    }
    words.retain(|(word, _)| !word.is_empty());
    words
}
