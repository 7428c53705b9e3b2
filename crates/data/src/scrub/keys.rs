use std::ops::Range;

use super::Chars;

/// What keys of known services begin with, and how many characters follow at least.
const PREFIXES: &[(&str, usize)] = &[
    ("sk-", 16),
    ("sk_", 16),
    ("pk_", 16),
    ("rk_", 16),
    ("whsec_", 16),
    ("ghp_", 16),
    ("gho_", 16),
    ("ghu_", 16),
    ("ghs_", 16),
    ("ghr_", 16),
    ("github_pat_", 16),
    ("glpat-", 16),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("hf_", 16),
    ("npm_", 16),
    ("pypi-", 16),
    ("dop_v1_", 16),
    ("shpat_", 16),
    ("AIza", 30),
    ("ya29.", 16),
    ("SG.", 16),
];

/// What ids of Amazon's access keys begin with; 16 capitals and digits follow.
const AWS: &[&str] = &["AKIA", "ASIA", "AROA", "AIDA", "ABIA", "ACCA", "AGPA", "ANPA", "ANVA"];

/// Hexadecimal digits of a key: 128 bits.
const HEX: usize = 32;

/// Keys among runs of the characters of base64 and its like.
pub(super) fn find(chars: &Chars, found: &mut dyn FnMut(Range<usize>)) {
    let mut at = 0;
    while at < chars.chars.len() {
        let end = run(chars, at);
        if end == at {
            at += 1;
            continue;
        }
        let dotted = dotted(chars, at, end);
        if is_token(&chars.chars[at..dotted]) {
            found(chars.span(at..dotted));
        }
        if looks_random(&chars.chars[at..end]) {
            found(chars.span(at..end));
        }
        for part in parts(chars, at, end, |c| !matches!(c, '/' | '=' | ':')) {
            if is_key(chars, &part) || looks_random(&chars.chars[part.clone()]) {
                found(chars.span(part.clone()));
            }
            for part in parts(chars, part.start, part.end, |c| c.is_ascii_alphanumeric()) {
                let digits = &chars.chars[part.clone()];
                if digits.len() >= HEX && digits.iter().all(char::is_ascii_hexdigit) {
                    found(chars.span(part));
                }
            }
        }
        at = end;
    }
}

/// The end of the run that begins here.
fn run(chars: &Chars, at: usize) -> usize {
    let is_run = |c: &&char| c.is_ascii_alphanumeric() || "+/_-=~".contains(**c);
    at + chars.chars[at..].iter().take_while(is_run).count()
}

/// The end of the runs that begin with this one and are joined by dots.
fn dotted(chars: &Chars, at: usize, mut end: usize) -> usize {
    while chars.get(end) == Some('.') {
        let next = run(chars, end + 1);
        if next == end + 1 || next == at {
            break;
        }
        end = next;
    }
    end
}

/// A JSON web token (RFC 7519), or a key of several parts that its prefix gives away.
fn is_token(run: &[char]) -> bool {
    let text: String = run.iter().collect();
    (text.starts_with("eyJ") && text.contains('.') && text.len() >= 20) || has_prefix(&text)
}

fn has_prefix(text: &str) -> bool {
    PREFIXES
        .iter()
        .any(|(prefix, least)| text.strip_prefix(prefix).is_some_and(|rest| rest.len() >= *least))
}

fn is_key(chars: &Chars, part: &Range<usize>) -> bool {
    let text: String = chars.chars[part.clone()].iter().collect();
    let aws = AWS.iter().filter_map(|prefix| text.strip_prefix(prefix)).any(|rest| {
        let is_id = |c: &char| c.is_ascii_uppercase() || c.is_ascii_digit();
        rest.len() >= 16 && rest.chars().take(16).all(|c| is_id(&c))
    });
    aws || has_prefix(&text) || is_uuid(&text)
}

/// Hexadecimal digits in groups of 8, 4, 4, 4 and 12 (RFC 9562).
fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// Whether letters and digits stand in no order that words or numbers have: of 24 characters or more
/// with capitals, small letters and digits (of 32 with letters and digits), a quarter or more follow
/// one of another kind. In random base64 it is six in ten, and a run of English words in capitals and
/// small letters stays below.
fn looks_random(run: &[char]) -> bool {
    let class = |c: &char| match c {
        'a'..='z' => Some(0),
        'A'..='Z' => Some(1),
        '0'..='9' => Some(2),
        _ => None,
    };
    let classes: Vec<Option<usize>> = run.iter().map(class).collect();
    let has = |class| classes.contains(&Some(class));
    let kinds = [0, 1, 2].into_iter().filter(|&class| has(class)).count();
    let least = if kinds == 3 { 24 } else { 32 };
    let length = classes.iter().flatten().count();
    // Signs part words ("How-To-Reset"), so a change across one tells nothing.
    let changes =
        classes.windows(2).filter(|pair| matches!(pair, [Some(one), Some(other)] if one != other));
    has(2) && kinds > 1 && length >= least && 4 * changes.count() >= length
}

/// The parts of a range whose characters pass.
fn parts(
    chars: &Chars,
    start: usize,
    end: usize,
    is_part: impl Fn(char) -> bool,
) -> Vec<Range<usize>> {
    let (mut parts, mut begun) = (Vec::new(), start);
    for at in start..=end {
        if at == end || !is_part(chars.chars[at]) {
            if at > begun {
                parts.push(begun..at);
            }
            begun = at + 1;
        }
    }
    parts
}
