use std::ops::Range;

use super::Chars;

/// What may stand between name and host. The bracketed ones may have blanks around them.
const SIGNS: &[&str] = &["@", "＠", "%40", "(at)", "[at]", "{at}", "<at>"];

/// What may stand between the labels of a host in place of a dot, blanks around it.
const DOTS: &[&str] = &["(dot)", "[dot]", "{dot}", "<dot>"];

/// Addresses: a name, a sign, and a host of at least two labels or in square brackets.
pub(super) fn find(chars: &Chars, found: &mut dyn FnMut(Range<usize>)) {
    for at in 0..chars.chars.len() {
        let Some(sign) = SIGNS.iter().find(|sign| chars.has(at, sign)) else { continue };
        let blanks = sign.len() > 3;
        let behind = at + sign.chars().count();
        let Some(end) = host(chars, if blanks { skipped(chars, behind) } else { behind }) else {
            continue;
        };
        let mut name_end = at;
        while blanks && name_end > 0 && chars.before(name_end) == Some(' ') {
            name_end -= 1;
        }
        if let Some(start) = name(chars, name_end) {
            found(chars.span(start..end));
        }
    }
}

/// Where the name that ends here begins: of the characters that RFC 5322 allows in one, letters of any
/// script included, or quoted.
fn name(chars: &Chars, end: usize) -> Option<usize> {
    if chars.before(end) == Some('"') {
        let open = (0..end.checked_sub(1)?).rev().take(64);
        return open
            .take_while(|&at| chars.get(at) != Some('\n'))
            .find(|&at| chars.get(at) == Some('"'));
    }
    let is_name = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let mut start = end;
    while chars.before(start).is_some_and(is_name) {
        start -= 1;
    }
    // Quotation marks around a whole address are not of it.
    while start < end && chars.get(start).is_some_and(|c| "'`*".contains(c)) {
        start += 1;
    }
    (start < end).then_some(start)
}

/// The end of the host that begins here.
fn host(chars: &Chars, start: usize) -> Option<usize> {
    if chars.get(start) == Some('[') {
        let inside = |c: char| c.is_ascii_hexdigit() || "IPv6:.".contains(c);
        let length = chars.chars[start + 1..].iter().take_while(|c| inside(**c)).count();
        let end = start + 1 + length;
        return (length > 6 && chars.get(end) == Some(']')).then_some(end + 1);
    }
    let label = |start: usize| {
        let is_label = |c: &&char| c.is_alphanumeric() || matches!(c, '-' | '_');
        start + chars.chars.get(start..).unwrap_or_default().iter().take_while(is_label).count()
    };
    let mut end = label(start);
    let mut labels = usize::from(end > start);
    while end > start {
        let Some(behind) = dot(chars, end) else { break };
        let next = label(behind);
        if next == behind {
            break;
        }
        (end, labels) = (next, labels + 1);
    }
    (labels > 1).then_some(end)
}

/// The place behind a dot.
fn dot(chars: &Chars, at: usize) -> Option<usize> {
    if matches!(chars.get(at), Some('.' | '．' | '。')) {
        return Some(at + 1);
    }
    let open = skipped(chars, at);
    let dot = DOTS.iter().find(|dot| chars.has(open, dot))?;
    Some(skipped(chars, open + dot.len()))
}

/// The place behind blanks.
fn skipped(chars: &Chars, mut at: usize) -> usize {
    while chars.get(at) == Some(' ') {
        at += 1;
    }
    at
}
