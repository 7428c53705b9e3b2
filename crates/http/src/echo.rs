use std::collections::HashSet;

use serde_json::Value;

/// What stands where a text of the request stood.
const MASK: &str = "[text]";

/// So many bytes in a row of a text of the request are taken for it.
const PIECE: usize = 16;

/// Texts shorter than this may well be a word of the message's own.
const WORD: usize = 8;

/// An answer to be kept, without the texts that it repeats from the request: some servers give every
/// document back, and refusals quote what they refuse. The model's name, which a request has too,
/// stays. Anything but JSON is kept as it is, unless the request's texts stand in it.
pub(crate) fn without_texts(request: &[u8], body: &str, success: bool) -> String {
    let Ok(request) = serde_json::from_slice::<Value>(request) else { return body.to_owned() };
    let mut texts = HashSet::new();
    collect(&request, &mut texts);
    // Looking for every text in every string takes long where there are many of both: answers that
    // succeed repeat a text as a whole or not at all.
    let mask = |text: &str| match (texts.contains(text), success) {
        (true, _) => MASK.to_owned(),
        (false, true) => text.to_owned(),
        (false, false) => without_parts(text, &texts),
    };
    match serde_json::from_str::<Value>(body) {
        Ok(value) => match masked(&value, &mask) {
            same if same == value => body.to_owned(),
            other => other.to_string(),
        },
        // Broken JSON, as one cut off: what it repeats may be cut off too.
        Err(_) => without_pieces_of(&texts, body),
    }
}

/// A message to be shown, without anything that it repeats from the request's texts: whole, cut off,
/// or escaped as JSON does.
pub(crate) fn without_pieces(request: &[u8], message: &str) -> String {
    let Ok(request) = serde_json::from_slice::<Value>(request) else { return message.to_owned() };
    let mut texts = HashSet::new();
    collect(&request, &mut texts);
    without_pieces_of(&texts, message)
}

fn without_pieces_of(texts: &HashSet<&str>, message: &str) -> String {
    let bytes = message.as_bytes();
    let mut marked = vec![false; bytes.len()];
    // The message is short beside the texts: its pieces are kept, and theirs looked up.
    let own: HashSet<&[u8]> = bytes.windows(PIECE).collect();
    let mut shared: HashSet<&[u8]> = HashSet::new();
    for form in texts.iter().flat_map(|text| forms(text)) {
        if form.len() >= PIECE {
            shared.extend(form.as_bytes().windows(PIECE).filter_map(|piece| own.get(piece)));
        } else if form.len() >= WORD {
            for (at, found) in message.match_indices(&form) {
                marked[at..at + found.len()].fill(true);
            }
        }
    }
    for (at, piece) in bytes.windows(PIECE).enumerate() {
        if shared.contains(piece) {
            marked[at..at + PIECE].fill(true);
        }
    }
    let mut kept = String::with_capacity(message.len());
    let mut within = false;
    for (at, c) in message.char_indices() {
        let mark = marked[at..at + c.len_utf8()].contains(&true);
        match (mark, within) {
            (true, false) => kept.push_str(MASK),
            (true, true) => {}
            (false, _) => kept.push(c),
        }
        within = mark;
    }
    kept
}

/// A text as it is, and as it may stand in JSON: escaped where it must be, or all but ASCII.
fn forms(text: &str) -> Vec<String> {
    let quoted = Value::from(text).to_string();
    let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned();
    let mut ascii = String::with_capacity(inner.len());
    for c in inner.chars() {
        match c.is_ascii() {
            true => ascii.push(c),
            false => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    ascii.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    let mut forms = vec![text.to_owned(), inner, ascii];
    forms.dedup();
    forms
}

fn collect<'a>(value: &'a Value, texts: &mut HashSet<&'a str>) {
    match value {
        Value::String(text) if !text.is_empty() => drop(texts.insert(text)),
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| *name != "model");
            fields.for_each(|(_, value)| collect(value, texts));
        }
        _ => {}
    }
}

fn masked(value: &Value, mask: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => mask(text).into(),
        Value::Array(values) => values.iter().map(|value| masked(value, mask)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            fields.map(|(name, value)| (name.clone(), masked(value, mask))).collect()
        }
        plain => plain.clone(),
    }
}

/// A message whose words are its own, but for texts quoted in it. Texts that may well be a word of the
/// message's own are left.
fn without_parts(message: &str, texts: &HashSet<&str>) -> String {
    let mut longest: Vec<&str> = texts.iter().copied().filter(|text| text.len() >= WORD).collect();
    longest.sort_unstable_by_key(|text| std::cmp::Reverse(text.len()));
    longest.into_iter().fold(message.to_owned(), |message, text| message.replace(text, MASK))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = br#"{"model":"bge-reranker-v2","query":"late","documents":
        ["Pay the invoice here.",{"text":"Reset it."},""],"top_n":2}"#;

    #[test]
    fn texts_that_come_back_are_left_out() {
        let body = r#"{"model":"bge-reranker-v2","results":[{"index":0,"relevance_score":0.50,
            "document":{"text":"Pay the invoice here."}},{"document":"Reset it."}],"q":"late"}"#;
        let expected = r#"{"model":"bge-reranker-v2","results":[{"index":0,"relevance_score":0.5,"document":{"text":"[text]"}},{"document":"[text]"}],"q":"[text]"}"#;
        assert_eq!(without_texts(REQUEST, body, true), expected);
    }

    #[test]
    fn refusals_lose_what_they_quote() {
        let body = r#"{"message":"too late: 'Pay the invoice here.' is too long"}"#;
        let kept = without_texts(REQUEST, body, false);
        assert_eq!(kept, r#"{"message":"too late: '[text]' is too long"}"#);
        let page = without_texts(REQUEST, "<p>Pay the invoice here.</p>", false);
        assert_eq!(page, "<p>[text]</p>");
    }

    #[test]
    fn an_answer_that_was_cut_off_keeps_no_beginning_of_a_text() {
        let body = r#"{"results":[{"index":0,"document":{"text":"Pay the invoice h"#;
        let kept = without_texts(REQUEST, body, true);
        assert_eq!(kept, r#"{"results":[{"index":0,"document":{"text":"[text]"#);
    }

    #[test]
    fn pieces_go_in_every_form_that_json_has() {
        let text = "Größe \"XXL\":\npaßt schön überall, auch draußen";
        let request = serde_json::to_vec(&serde_json::json!({ "texts": [text] })).unwrap();
        let raw = format!("cannot read {text}, sorry");
        let escaped = format!("cannot read {}, sorry", Value::from(text));
        let ascii = r#"cannot read "Gr\u00f6\u00dfe \"XXL\":\npa\u00dft sch\u00f6n \u00fcberall, auch drau\u00dfen", sorry"#;
        for message in [raw.as_str(), &escaped, ascii] {
            let shown = without_pieces(&request, message).replace('"', "");
            assert_eq!(shown, "cannot read [text], sorry", "{message}");
        }
    }

    #[test]
    fn a_message_keeps_its_own_words() {
        for message in [
            "model 'bge-reranker-v2' not found",
            "the invoice is late: reset your key",
            "expected value at line 1 column 2",
            "",
        ] {
            assert_eq!(without_pieces(REQUEST, message), message);
        }
    }

    #[test]
    fn what_repeats_nothing_stays_as_it_came() {
        let body = "{ \"results\": [{\"index\":0,  \"relevance_score\":0.50, \"text\": \"\"}]}\n";
        for request in [REQUEST, b"", b"no JSON"] {
            assert_eq!(without_texts(request, body, true), body);
        }
    }
}
