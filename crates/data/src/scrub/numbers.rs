//! Phone and card numbers: both are digits in groups, and what tells them from dates, versions and
//! amounts is how the groups are made.

use std::ops::Range;

use super::Chars;

/// Digits from which on a run of them may be a phone number without anything that says so.
const ALONE: usize = 9;

/// Phone numbers (E.164 has at most 15 digits).
pub(super) fn phones(chars: &Chars, found: &mut dyn FnMut(Range<usize>)) {
    each(chars, &mut |number| {
        if number.is_phone() {
            found(chars.span(number.start()..number.end()));
        }
    });
}

/// Card numbers, and whatever else has as many digits.
pub(super) fn cards(chars: &Chars, found: &mut dyn FnMut(Range<usize>)) {
    each(chars, &mut |number| {
        if number.is_card() {
            found(chars.span(number.start()..number.end()));
        }
    });
}

/// Digits that stand together.
#[derive(Clone, Debug)]
struct Group {
    place: Range<usize>,
    digits: Vec<u32>,
    /// What stands between the group before and this one.
    before: Vec<char>,
}

/// Groups of digits with nothing but separators between them.
struct Number<'a> {
    groups: &'a [Group],
    /// A `+` or an opening parenthesis before it belongs to it.
    start: usize,
    has_plus: bool,
    /// A letter and a hyphen stand before it, as in `INV-2024-001`.
    is_of_id: bool,
}

impl Number<'_> {
    fn start(&self) -> usize {
        self.start
    }

    fn end(&self) -> usize {
        self.groups.last().map_or(self.start, |group| group.place.end)
    }

    fn digits(&self) -> impl DoubleEndedIterator<Item = u32> {
        self.groups.iter().flat_map(|group| group.digits.iter().copied())
    }

    /// Whether every separator is this one alone.
    fn separated_by(&self, separators: &[char]) -> bool {
        let one = |group: &Group| matches!(group.before.as_slice(), [separator] if separators.contains(separator));
        self.groups.len() > 1 && self.groups.iter().skip(1).all(one)
    }

    fn lengths(&self) -> impl Iterator<Item = usize> {
        self.groups.iter().map(|group| group.digits.len())
    }

    fn is_phone(&self) -> bool {
        let digits = self.digits().count();
        if !(7..=15).contains(&digits) {
            return false;
        }
        if self.has_plus {
            return true;
        }
        if self.groups.len() == 1 {
            return digits >= ALONE && !self.is_of_id;
        }
        let years = self.groups.iter().all(|group| is_year(&group.digits));
        !(self.is_of_id || years || self.is_amount() || self.is_version())
    }

    /// `10.000.000`, `10 000 000`, `12.5789123`.
    fn is_amount(&self) -> bool {
        let first = self.lengths().next().unwrap_or(0);
        let thousands = first < 3 && self.lengths().skip(1).all(|length| length == 3);
        let leads = self.digits().next() != Some(0) || first == 1;
        let decimal = self.groups.len() == 2 && self.separated_by(&['.']) && first < 3;
        decimal || thousands && leads && self.separated_by(&['.', ' ', '\u{a0}', '\u{202f}'])
    }

    /// `10.0.19045.3803`, `192.168.100.200`; not `4915112345678.0`, as a column of numbers with gaps
    /// is written.
    fn is_version(&self) -> bool {
        let byte = |group: &Group| {
            group.digits.len() < 4 && group.digits.iter().fold(0, |sum, d| sum * 10 + d) < 256
        };
        let address = self.groups.len() == 4 && self.groups.iter().all(byte);
        let counted = self.lengths().all(|length| length < ALONE);
        let digit = self.lengths().any(|length| length == 1);
        self.separated_by(&['.']) && (address || digit && counted)
    }

    fn is_card(&self) -> bool {
        let digits: Vec<u32> = self.digits().collect();
        let fours = self.groups.len() > 3 && self.lengths().take(3).all(|length| length == 4);
        digits.len() >= 16 || digits.len() >= 13 && (fours || luhn(&digits))
    }
}

/// Hands over each number of a piece; dates between them are left out.
fn each(chars: &Chars, take: &mut dyn FnMut(Number<'_>)) {
    let mut at = 0;
    while at < chars.chars.len() {
        let groups = groups(chars, at);
        let Some(last) = groups.last() else {
            at += 1;
            continue;
        };
        at = last.place.end;
        let mut start = 0;
        while start < groups.len() {
            let date = (start..groups.len()).find(|&place| is_date(&groups, place));
            let end = date.unwrap_or(groups.len());
            if end > start {
                take(number(chars, &groups[start..end]));
            }
            start = date.map_or(groups.len(), |date| date + 3);
        }
    }
}

fn number<'a>(chars: &Chars, groups: &'a [Group]) -> Number<'a> {
    let mut start = groups[0].place.start;
    let mut has_plus = false;
    while let Some(c @ ('+' | '＋' | '(')) = chars.before(start) {
        start -= 1;
        has_plus |= c != '(';
    }
    has_plus |= groups[0].digits.starts_with(&[0, 0]) && groups[0].digits.len() > 2;
    let letter = |at: usize| chars.before(at).is_some_and(char::is_alphabetic);
    let hyphen = chars.before(start).is_some_and(|c| matches!(c, '-' | '_'));
    Number { groups, start, has_plus, is_of_id: hyphen && letter(start - 1) }
}

/// The groups of the number that begins here; none where none does. Digits behind a letter are part
/// of a word.
fn groups(chars: &Chars, start: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let is_word = chars.before(start).is_some_and(|c| c.is_alphanumeric() || c == '_');
    if is_word || chars.get(start).and_then(digit).is_none() {
        return groups;
    }
    let (mut at, mut before) = (start, Vec::new());
    while let Some(c) = chars.get(at) {
        if digit(c).is_some() {
            let run = chars.chars[at..].iter().map_while(|&c| digit(c));
            let digits: Vec<u32> = run.collect();
            let end = at + digits.len();
            groups.push(Group { place: at..end, digits, before: std::mem::take(&mut before) });
            at = end;
        } else if is_separator(c) && before.len() < 3 {
            before.push(c);
            at += 1;
        } else {
            break;
        }
    }
    groups
}

fn is_separator(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '-' | '\u{2010}'
            ..='\u{2013}' | '.' | '(' | ')' | '/'
    )
}

/// A decimal digit: Latin, Arabic-Indic, Devanagari or full-width.
fn digit(c: char) -> Option<u32> {
    let zero = match c {
        '0'..='9' => '0',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        '\u{966}'..='\u{96f}' => '\u{966}',
        '\u{ff10}'..='\u{ff19}' => '\u{ff10}',
        _ => return None,
    };
    Some(u32::from(c) - u32::from(zero))
}

fn is_year(digits: &[u32]) -> bool {
    matches!(digits, [1, 9, _, _] | [2, 0, _, _])
}

/// Whether a date stands here: year, month and day, or day, month (in either order) and year, and no
/// further group hangs on it.
fn is_date(groups: &[Group], at: usize) -> bool {
    let Some([a, b, c]) = groups.get(at..at + 3) else { return false };
    let tight = |group: &Group| matches!(group.before.as_slice(), ['-' | '.' | '/']);
    let joined = tight(b) && b.before == c.before;
    let free = (at == 0 || !tight(a)) && groups.get(at + 3).is_none_or(|next| !tight(next));
    let within = |group: &Group, most: u32| {
        let value = group.digits.iter().fold(0, |sum, digit| sum * 10 + digit);
        group.digits.len() < 3 && (1..=most).contains(&value)
    };
    let days =
        |a: &Group, b: &Group| within(a, 12) && within(b, 31) || within(a, 31) && within(b, 12);
    joined && free && (is_year(&a.digits) && days(b, c) || is_year(&c.digits) && days(a, b))
}

/// The check that cards' last digits make (ISO/IEC 7812-1, annex B).
fn luhn(digits: &[u32]) -> bool {
    let double = |(place, &digit): (usize, &u32)| match place % 2 {
        0 => digit,
        _ => digit * 2 / 10 + digit * 2 % 10,
    };
    digits.iter().rev().enumerate().map(double).sum::<u32>() % 10 == 0
}
