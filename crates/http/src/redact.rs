use std::collections::HashSet;

use serde_json::Value;

use crate::Secret;

/// The longest excerpt, in characters.
pub const EXCERPT: usize = 300;

/// What stands where a key stood.
const MASK: &str = "[redacted]";

/// A piece of a known key that is this long is taken out too: providers echo parts of keys.
const PIECE: usize = 8;

/// Letters that keys of known vendors begin with.
const PREFIXES: [&str; 12] =
    ["sk-", "sk_", "pk-", "pa-", "hf_", "jina_", "pcsk_", "mxb_", "ghp_", "ze_", "AKIA", "ASIA"];

/// Words after which a key comes.
const NAMES: [&str; 8] =
    ["key", "apikey", "token", "bearer", "basic", "secret", "password", "authorization"];

/// Makes short excerpts of answers for people to read, with everything key-like taken out: the keys
/// at hand and all pieces of them, and what looks like a key of somebody else.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    keys: Vec<Secret>,
}

impl Redactor {
    /// How much of a body is looked at for an excerpt, in bytes.
    pub(crate) const LOOKED_AT: usize = 8 * 1024;

    /// One that knows these keys.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a Secret>) -> Self {
        Self { keys: keys.into_iter().cloned().collect() }
    }

    /// The beginning of a body on one line, at most [`EXCERPT`] characters, without keys and without
    /// HTML tags; `None` when nothing is left.
    pub fn excerpt(&self, body: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(&body[..body.len().min(Self::LOOKED_AT)]);
        let text = if text.trim_start().starts_with('<') { untagged(&text) } else { text.into() };
        let text = self.text(&text);
        (!text.is_empty()).then_some(text)
    }

    /// A text on one line, at most [`EXCERPT`] characters, without keys.
    pub fn text(&self, text: &str) -> String {
        let known = self.without_known(text);
        let line = known.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut masked: String =
            without_key_like(&line).chars().filter(|c| !c.is_control()).collect();
        if let Some((at, _)) = masked.char_indices().nth(EXCERPT) {
            masked.truncate(at);
            masked.push('…');
        }
        masked
    }

    /// A request's id, of which only known keys are taken out: ids look like keys. At most 100
    /// characters.
    pub fn identifier(&self, id: &str) -> String {
        let visible = |c: &char| c.is_ascii_graphic();
        self.without_known(id).chars().filter(visible).take(100).collect()
    }

    /// A whole body to be kept, as it is but for known keys. In JSON only names and strings are
    /// looked at, so that a number which happens to hold a piece of a key stays a number; and a key
    /// too short to be one goes only where it stands alone.
    pub fn body(&self, text: &str) -> String {
        match serde_json::from_str(text) {
            Ok(value) => match self.value(&value) {
                clean if clean == value => text.to_owned(),
                clean => clean.to_string(),
            },
            Err(_) => self.masked(text, true),
        }
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.masked(text, true).into(),
            Value::Array(values) => values.iter().map(|value| self.value(value)).collect(),
            Value::Object(fields) => {
                let fields = fields.iter();
                fields.map(|(name, value)| (self.masked(name, true), self.value(value))).collect()
            }
            plain => plain.clone(),
        }
    }

    fn without_known(&self, text: &str) -> String {
        self.masked(text, false)
    }

    /// `alone` leaves a key shorter than a piece where it is part of a longer word.
    fn masked(&self, text: &str, alone: bool) -> String {
        // Host names come back in lower case.
        let lower = text.to_ascii_lowercase();
        let bytes = lower.as_bytes();
        let is_word = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
        let mut marked = vec![false; bytes.len()];
        for key in &self.keys {
            let key = key.expose().to_ascii_lowercase();
            let key = key.as_bytes();
            let piece = key.len().clamp(1, PIECE);
            let pieces: HashSet<&[u8]> = key.windows(piece).collect();
            for (at, window) in bytes.windows(piece).enumerate() {
                let within = alone
                    && piece < PIECE
                    && (is_word(at + piece) || at.checked_sub(1).is_some_and(is_word));
                if !within && pieces.contains(window) {
                    marked[at..at + piece].fill(true);
                }
            }
        }
        // Keys are ASCII, so that marks begin and end between characters.
        let mut kept = String::with_capacity(text.len());
        for (at, c) in text.char_indices() {
            match marked[at] {
                true if at > 0 && marked[at - 1] => {}
                true => kept.push_str(MASK),
                false => kept.push(c),
            }
        }
        kept
    }
}

/// Masks the words of a text that look like keys, alone or because of the word before them.
fn without_key_like(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '/');
    let mut kept = String::with_capacity(text.len());
    let mut named = false;
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
        let masked = looks_like_key(word) || (named && may_be_key(word));
        kept.push_str(if masked { MASK } else { word });
        let (between, after) = after.split_at(after.find(is_part).unwrap_or(after.len()));
        kept.push_str(between);
        let last = word.rsplit(['-', '_', '/']).next().unwrap_or(word).to_ascii_lowercase();
        let joined = between.len() <= 5 && between.chars().all(|c| " \"':=".contains(c));
        // `Authorization: Bearer KEY`: the scheme's name hands on.
        named = joined && NAMES.contains(&last.as_str());
        rest = after;
    }
    kept
}

fn looks_like_key(word: &str) -> bool {
    let prefixed = PREFIXES.iter().any(|prefix| word.starts_with(prefix));
    let has = |kind: fn(&u8) -> bool| word.bytes().any(|byte| kind(&byte));
    let digit = has(u8::is_ascii_digit);
    let mixed = digit && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    (prefixed && word.len() >= 12 && digit)
        || is_uuid(word)
        // Base64, whose slashes may leave no long run; names of models have hyphens.
        || (mixed && word.len() >= 32 && !word.contains('-'))
        || word.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| {
            let digit = run.bytes().any(|byte| byte.is_ascii_digit());
            let letter = run.bytes().any(|byte| byte.is_ascii_alphabetic());
            (run.len() >= 16 && digit && letter) || run.len() >= 32
        })
}

/// What stands behind `key:` and its like, and is no plain word or number.
fn may_be_key(word: &str) -> bool {
    let digit = word.bytes().any(|byte| byte.is_ascii_digit());
    let letter = word.bytes().any(|byte| byte.is_ascii_alphabetic());
    word.len() >= 12 || (word.len() >= 6 && digit && letter)
}

fn is_uuid(word: &str) -> bool {
    let groups: Vec<&str> = word.split('-').collect();
    let hex = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(hex)
}

/// The text of an HTML page, without tags, styles and scripts.
fn untagged(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let name = tag.get(..6).unwrap_or(tag).to_ascii_lowercase();
        let hidden = ["style", "script"].into_iter().find(|hidden| name.starts_with(hidden));
        let end =
            hidden.map_or(Some(0), |hidden| tag.find(&format!("</{hidden}")).map(|at| at + 1));
        let tag = end.and_then(|end| tag.get(end..)).unwrap_or_default();
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "planted-Key_0123456789abcdefXYZ";

    fn redactor() -> Redactor {
        Redactor::new([&Secret::new(KEY, "TEST_KEY").unwrap()])
    }

    #[test]
    fn known_keys_and_their_pieces_go() {
        let text = redactor().text(&format!("bad key {KEY}; it ends in abcdefXYZ, 'XYZ' that is"));
        assert_eq!(text, "bad key [redacted]; it ends in [redacted], 'XYZ' that is");
    }

    #[test]
    fn a_short_key_goes_as_a_whole() {
        let redactor = Redactor::new([&Secret::new("s3cr", "X").unwrap()]);
        assert_eq!(redactor.text("is s3cr or s3c"), "is [redacted] or s3c");
    }

    #[test]
    fn kept_bodies_lose_known_keys_and_nothing_else() {
        let same = r#"{"results": [{"index": 0, "relevance_score": 0.30},  {"id": "0a1b2c3d"}]}"#;
        assert_eq!(redactor().body(same), same);
        let slashed = Redactor::new([&Secret::new("ab/cd/ef/gh", "X").unwrap()]);
        assert_eq!(
            slashed.body(r#"{"x": "ab\/cd\/ef\/gh", "s": 1.50}"#),
            r#"{"x":"[redacted]","s":1.5}"#
        );
        assert_eq!(redactor().body(&format!("no JSON: {KEY}\n")), "no JSON: [redacted]\n");
        assert_eq!(redactor().body(&format!(r#"{{"{KEY}":[1]}}"#)), r#"{"[redacted]":[1]}"#);
    }

    #[test]
    fn a_key_of_few_letters_spoils_no_kept_body() {
        let redactor = Redactor::new([&Secret::new("x", "X").unwrap()]);
        assert_eq!(redactor.body(r#"{"index": 1, "x": 2}"#), r#"{"index":1,"[redacted]":2}"#);
        let digits = Redactor::new([&Secret::new("123456789", "X").unwrap()]);
        assert_eq!(digits.body(r#"{"s": 0.123456789}"#), r#"{"s": 0.123456789}"#);
    }

    #[test]
    fn other_peoples_keys_go() {
        for text in [
            "sk-proj-Ab12Cd34Ef56",
            "pa-abcdefghij1",
            "api_key=abc123",
            "{\"token\": \"a1b2c3d4\"}",
            "Authorization: Bearer abcdefghijkl",
            "0a1b2c3d-1111-2222-3333-444455556666",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ] {
            let shown = Redactor::default().text(text);
            assert!(shown.contains(MASK), "{shown}");
            for part in ["Ab12", "abcdefghij", "abc123", "a1b2", "0a1b", "eyJ"] {
                assert!(!shown.contains(part), "{shown}");
            }
        }
    }

    #[test]
    fn what_helps_stays() {
        for text in [
            "model 'text-embedding-3-small' not found",
            "rerank-multilingual-v3.0 takes at most 1000 documents, got 1024",
            "too many tokens: 4096; see https://docs.cohere.com/v2/reference/rerank",
            "invalid api key: please check",
            "no such model: sentence-transformers/all-MiniLM-L6-v2",
        ] {
            assert_eq!(Redactor::default().text(text), text);
        }
    }

    #[test]
    fn pages_become_a_line_of_text() {
        let page = b"<!DOCTYPE html>\n<html><head><style>a { b: c }</style><title>502 Bad Gateway\
                     </title></head>\n<body><h1>Bad</h1><script>x<y</script> gateway</body></html>";
        let shown = Redactor::default().excerpt(page);
        assert_eq!(shown.as_deref(), Some("502 Bad Gateway Bad gateway"));
        assert_eq!(Redactor::default().excerpt(b"<html><style>never ends"), None);
        assert_eq!(Redactor::default().excerpt(b" \n"), None);
    }

    #[test]
    fn excerpts_are_short() {
        let shown = Redactor::default().excerpt("ä ".repeat(5000).as_bytes()).unwrap();
        assert_eq!(shown.chars().count(), EXCERPT + 1);
        assert!(shown.ends_with('…'));
    }

    proptest! {
        #[test]
        fn no_piece_of_a_key_is_ever_shown(
            before in "\\PC{0,400}",
            after in "\\PC{0,40}",
            from in 0usize..20,
        ) {
            let body = format!("{before}{}{after}", &KEY[from..]);
            let shown = redactor().excerpt(body.as_bytes()).unwrap_or_default();
            for piece in KEY.as_bytes().windows(PIECE) {
                prop_assert!(!shown.contains(std::str::from_utf8(piece).unwrap()), "{shown}");
            }
        }

        #[test]
        fn any_bytes_make_an_excerpt(body in prop::collection::vec(any::<u8>(), 0..300), html: bool) {
            let body = if html { [b"<".as_slice(), &body].concat() } else { body };
            let shown = redactor().excerpt(&body).unwrap_or_default();
            prop_assert!(shown.chars().count() <= EXCERPT + 1);
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
