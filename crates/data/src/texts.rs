//! Documents that are known by their texts: files that name no ids.

use std::collections::HashMap;

use secondpass_core::{DocId, Document, Hasher, QueryId, Ranking, RankingError};

/// Documents by their texts: the same title and text are one document.
#[derive(Default)]
pub(crate) struct TextPool {
    documents: Vec<Document>,
    by_text: HashMap<(String, String), DocId>,
}

impl TextPool {
    /// The id of the document with this title and text, made from their hash when it is new.
    pub fn add(&mut self, title: String, text: String) -> DocId {
        let (documents, key) = (&mut self.documents, (title, text));
        let id = self.by_text.entry(key).or_insert_with_key(|(title, text)| {
            let id = DocId::from(content_id([title, text]));
            let (title, text) = (title.clone(), text.clone());
            documents.push(Document { id: id.clone(), title, text });
            id
        });
        id.clone()
    }

    /// Adds a document that has an id of its own.
    pub fn declare(&mut self, document: Document) {
        let key = (document.title.clone(), document.text.clone());
        self.by_text.entry(key).or_insert_with(|| document.id.clone());
        self.documents.push(document);
    }

    /// All documents, in the order in which they came.
    pub fn into_documents(self) -> Vec<Document> {
        self.documents
    }
}

/// The id of a query that has none: 16 hex digits of its text's hash.
pub(crate) fn query_id(text: &str) -> QueryId {
    content_id([text]).into()
}

/// The order in which candidates were given, as a ranking: scored by the reciprocals of their ranks.
///
/// # Errors
/// A document that occurs twice.
pub(crate) fn in_order(documents: Vec<DocId>) -> Result<Ranking, RankingError> {
    let reciprocal = |(place, id)| (id, 1.0 / (place as f64 + 1.0));
    Ranking::from_scores(documents.into_iter().enumerate().map(reciprocal))
}

/// 64 bits of the hash over all fields. Two documents whose ids agree by chance are refused by
/// `Corpus::new`, not mixed up.
/// Words of a text: runs without white space, and each character of scripts that write none between
/// words (Han, kana, Thai, Lao, Khmer, Burmese) as one.
pub(crate) fn words(text: &str) -> usize {
    let in_run = |run: &str| {
        let single = run.chars().filter(|&c| is_unspaced(c)).count();
        let rest =
            run.split(is_unspaced).filter(|part| part.contains(char::is_alphanumeric)).count();
        // A run of signs alone is a word too.
        (single + rest).max(1)
    };
    text.split_whitespace().map(in_run).sum()
}

/// Whether a character is of a script that writes no blanks between words.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn content_id<const N: usize>(fields: [&str; N]) -> String {
    let mut hasher = Hasher::new();
    fields.iter().for_each(|field| {
        hasher.field(field);
    });
    hasher.finish().as_str().chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_one_document() {
        let mut texts = TextPool::default();
        let a = texts.add(String::new(), "a".into());
        texts.declare(Document { id: "own".into(), title: "t".into(), text: "b".into() });
        assert_eq!(texts.add(String::new(), "a".into()), a);
        assert_eq!(texts.add("t".into(), "b".into()), DocId::from("own"));
        assert_ne!(texts.add(String::new(), "b".into()), DocId::from("own"));
        assert_eq!((a.as_str().len(), texts.into_documents().len()), (16, 3));
    }

    #[test]
    fn words_are_runs_or_characters_of_unspaced_scripts() {
        for (text, count) in
            [("", 0), (" a  b-c\n", 2), ("黑豹队 24 次", 5), ("— !", 2), ("去Berlin。", 2)]
        {
            assert_eq!(words(text), count, "{text}");
        }
    }

    #[test]
    fn order_is_kept_whatever_the_ids() {
        let ids: Vec<DocId> = (0..5000).map(|n| format!("{}", n * 7919 % 5000).into()).collect();
        let ranking = in_order(ids.clone()).unwrap();
        assert!(ranking.documents().eq(&ids));
    }
}
