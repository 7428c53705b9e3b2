use std::ops::Range;

use super::Chars;

/// Account numbers: two letters, two digits, and 11 to 30 letters and digits, in one run or in fours
/// (the last group perhaps shorter). The country's letters are capitals, or the check digits right.
pub(super) fn find(chars: &Chars, found: &mut dyn FnMut(Range<usize>)) {
    let mut at = 0;
    while at < chars.chars.len() {
        match account(chars, at) {
            Some(end) => {
                found(chars.span(at..end));
                at = end;
            }
            None => at += 1,
        }
    }
}

fn account(chars: &Chars, start: usize) -> Option<usize> {
    let starts = |at, test: fn(&char) -> bool| chars.get(at).is_some_and(|c| test(&c));
    let country = starts(start, char::is_ascii_alphabetic)
        && starts(start + 1, char::is_ascii_alphabetic)
        && starts(start + 2, char::is_ascii_digit)
        && starts(start + 3, char::is_ascii_digit);
    if !country || chars.before(start).is_some_and(char::is_alphanumeric) {
        return None;
    }
    let group = |at: usize| {
        let run = chars.chars.get(at..).unwrap_or_default().iter();
        at + run.take_while(|c| c.is_ascii_alphanumeric()).count()
    };
    let mut end = group(start);
    if end == start + 4 {
        // In fours. Those behind the bank's own letters have digits, unlike the words that follow.
        let mut number = 0;
        while matches!(chars.get(end), Some(' ' | '\u{a0}' | '\u{202f}' | '-')) {
            let (next, has_digit) = (group(end + 1), |c: &char| c.is_ascii_digit());
            let digits = chars.chars[end + 1..next].iter().any(has_digit);
            let length = next - end - 1;
            number += 1;
            let bank = number == 1 && chars.chars[end + 1..next].iter().all(|c| c.is_uppercase());
            if length == 0 || length > 4 || !(digits || bank && length == 4) {
                break;
            }
            end = next;
            if length < 4 {
                break;
            }
        }
    }
    let account: Vec<char> =
        chars.chars[start..end].iter().copied().filter(char::is_ascii_alphanumeric).collect();
    let digits = account.iter().filter(|c| c.is_ascii_digit()).count();
    let capital = account[..2].iter().all(char::is_ascii_uppercase);
    let fits = (15..=34).contains(&account.len()) && digits >= 8;
    (fits && (capital || checks(&account))).then_some(end)
}

/// Whether the check digits are right (ISO 7064, MOD 97-10).
fn checks(account: &[char]) -> bool {
    let rotated = account[4..].iter().chain(&account[..4]);
    let rest = rotated.fold(0, |rest, c| match c.to_digit(36) {
        Some(value @ 0..=9) => (rest * 10 + value) % 97,
        Some(value) => (rest * 100 + value) % 97,
        None => rest,
    });
    rest == 1
}
