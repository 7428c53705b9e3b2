use std::collections::HashSet;

use serde_json::Value;

/// What stands where a text of the request stood.
const MASK: &str = "[text]";

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
        Err(_) => without_parts(body, &texts),
    }
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
    let mut longest: Vec<&str> = texts.iter().copied().filter(|text| text.len() >= 8).collect();
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
    fn what_repeats_nothing_stays_as_it_came() {
        let body = "{ \"results\": [{\"index\":0,  \"relevance_score\":0.50, \"text\": \"\"}]}\n";
        for request in [REQUEST, b"", b"no JSON"] {
            assert_eq!(without_texts(request, body, true), body);
        }
    }
}
