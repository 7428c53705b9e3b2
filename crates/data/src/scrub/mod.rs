//! Personal data taken out of texts: e-mail addresses, phone numbers, card and account numbers, keys,
//! and names from a list, each replaced by what it was (`[email]`).
//!
//! Every rule looks at the text as it is and as it reads without characters that nobody sees (soft
//! hyphens, zero-width spaces), and what any of them finds is taken out, overlaps as one. So
//! the order of rules does not matter, and none can hide from another what it would have found. This
//! is repeated until nothing is found. Where in doubt a rule takes too much: a wrong placeholder costs
//! little, and a right one forgotten cannot be taken back. What no rule knows stays: passwords,
//! postal and network addresses, and names that are not in the list.

mod email;
mod iban;
mod keys;
mod names;
mod numbers;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use names::Names;

/// A kind of personal data. Where two are found in one place, the earlier one names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// E-mail addresses, also as `name%40host` and `name (at) host (dot) org`.
    Email,
    /// International bank account numbers (ISO 13616), whether or not their check digits are right.
    Iban,
    /// Payment cards: 13 to 19 digits that pass the Luhn check or stand in fours, and any number of 16
    /// digits or more.
    Card,
    /// Keys and tokens: known prefixes (`sk-`, `ghp_`, `AKIA`), JWTs, 32 hexadecimal digits or more,
    /// UUIDs, and long runs that look random.
    Key,
    /// Phone numbers: 7 to 15 digits with a `+` or with separators, 9 to 15 without. Dates, versions,
    /// IPv4 addresses, decimals and numbers with thousands separators are left.
    Phone,
    /// Names from a list, whatever their case and accents.
    Name,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Email, Self::Iban, Self::Card, Self::Key, Self::Phone, Self::Name];

    /// What it is called in counts.
    pub fn name(self) -> &'static str {
        self.placeholder().trim_matches(['[', ']'])
    }

    /// What stands in a text where something was taken out.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Email => "[email]",
            Self::Iban => "[iban]",
            Self::Card => "[card]",
            Self::Key => "[key]",
            Self::Phone => "[phone]",
            Self::Name => "[name]",
        }
    }
}

/// How often each rule took something out. What it was is kept nowhere.
pub type Counts = BTreeMap<Rule, u64>;

/// Takes personal data out of texts.
#[derive(Clone, Debug)]
pub struct Scrubber {
    rules: Vec<Rule>,
    names: Names,
}

impl Scrubber {
    /// All rules, with these names; blank ones are ignored.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self::with_rules(&Rule::ALL, names)
    }

    /// These rules alone, in whatever order.
    pub fn with_rules<'a>(rules: &[Rule], names: impl IntoIterator<Item = &'a str>) -> Self {
        Self { rules: rules.to_vec(), names: Names::new(names) }
    }

    /// The text without what the rules find in it, which is counted. Placeholders that stand in it
    /// already are left alone.
    pub fn scrub<'a>(&self, text: &'a str, counts: &mut Counts) -> Cow<'a, str> {
        let mut scrubbed = Cow::Borrowed(text);
        // Each round removes something that is longer than a digit, so this ends.
        while let Some(next) = self.once(&scrubbed, counts) {
            scrubbed = Cow::Owned(next);
        }
        scrubbed
    }

    /// One round; `None` when there was nothing to take out.
    fn once(&self, text: &str, counts: &mut Counts) -> Option<String> {
        let mut found = Vec::new();
        for piece in pieces(text) {
            let chars = Chars::new(&text[piece.clone()], piece.start);
            // What nobody sees parts an address no less than it parts words that are one.
            let seen = chars.visible();
            for &rule in &self.rules {
                for chars in std::iter::once(&chars).chain(&seen) {
                    self.find(rule, chars, &mut |span| found.push((span, rule)));
                }
            }
        }
        if found.is_empty() {
            return None;
        }
        let mut scrubbed = String::with_capacity(text.len());
        let mut end = 0;
        for (span, rule) in merged(found) {
            scrubbed.push_str(&text[end..span.start]);
            scrubbed.push_str(rule.placeholder());
            end = span.end;
            *counts.entry(rule).or_default() += 1;
        }
        scrubbed.push_str(&text[end..]);
        Some(scrubbed)
    }

    fn find(&self, rule: Rule, chars: &Chars, found: &mut dyn FnMut(Range<usize>)) {
        match rule {
            Rule::Email => email::find(chars, found),
            Rule::Iban => iban::find(chars, found),
            Rule::Card => numbers::cards(chars, found),
            Rule::Key => keys::find(chars, found),
            Rule::Phone => numbers::phones(chars, found),
            Rule::Name => self.names.find(chars, found),
        }
    }
}

/// The characters of a piece of a text. Scanners work on their places, and report bytes of the whole.
struct Chars {
    chars: Vec<char>,
    /// Where each begins, and the end of the last.
    bytes: Vec<usize>,
}

impl Chars {
    fn new(text: &str, start: usize) -> Self {
        let mut bytes: Vec<usize> = text.char_indices().map(|(at, _)| start + at).collect();
        bytes.push(start + text.len());
        Self { chars: text.chars().collect(), bytes }
    }

    /// The same without characters that show nothing; `None` where there are none.
    fn visible(&self) -> Option<Self> {
        let places = || (0..self.chars.len()).filter(|&at| !is_invisible(self.chars[at]));
        let chars: Vec<char> = places().map(|at| self.chars[at]).collect();
        let bytes = places().chain([self.chars.len()]).map(|at| self.bytes[at]).collect();
        (chars.len() < self.chars.len()).then_some(Self { chars, bytes })
    }

    fn get(&self, at: usize) -> Option<char> {
        self.chars.get(at).copied()
    }

    /// The character before a place.
    fn before(&self, at: usize) -> Option<char> {
        at.checked_sub(1).and_then(|at| self.get(at))
    }

    /// Whether these characters stand at a place, whatever their case.
    fn has(&self, at: usize, word: &str) -> bool {
        let mut chars = self.chars.get(at..).unwrap_or_default().iter();
        word.chars().all(|c| chars.next().is_some_and(|found| found.eq_ignore_ascii_case(&c)))
    }

    /// The bytes of a range of characters.
    fn span(&self, range: Range<usize>) -> Range<usize> {
        self.bytes[range.start]..self.bytes[range.end]
    }
}

/// Soft hyphens, joiners, marks of direction and their like: copied from a page or an address book,
/// they stand in the middle of what reads as one word.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// A text between its placeholders.
fn pieces(text: &str) -> Vec<Range<usize>> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    while let Some((at, length)) = Rule::ALL
        .iter()
        .filter_map(|rule| {
            Some((text[start..].find(rule.placeholder())?, rule.placeholder().len()))
        })
        .min()
    {
        pieces.push(start..start + at);
        start += at + length;
    }
    pieces.push(start..text.len());
    pieces
}

/// What overlaps as one, in order, named by its first rule.
fn merged(mut found: Vec<(Range<usize>, Rule)>) -> Vec<(Range<usize>, Rule)> {
    found.sort_by_key(|(span, rule)| (span.start, span.end, *rule));
    let mut merged: Vec<(Range<usize>, Rule)> = Vec::new();
    for (span, rule) in found {
        match merged.last_mut() {
            Some((last, named)) if span.start < last.end => {
                last.end = last.end.max(span.end);
                *named = rule.min(*named);
            }
            _ => merged.push((span, rule)),
        }
    }
    merged
}
