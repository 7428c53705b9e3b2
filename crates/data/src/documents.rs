//! Documents to rerank, as a user hands them over: one a line, or JSONL.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use secondpass_core::{Corpus, Document};

use crate::beir::{Seen, corpus_of};
use crate::lines::{Lines, open};
use crate::{DataError, json};

/// Reads the documents in a file.
///
/// When the first line that is not blank begins with `{`, every line is a JSON object with `text` and
/// perhaps `title` and `id` (or `_id`; a string or a whole number). Otherwise every line is the text
/// of one document. A document without an id is known by the number of its line, counted from 1.
/// Blank lines are left out.
///
/// # Errors
/// A missing or empty file, invalid UTF-8, invalid JSON, missing fields or duplicate ids: with file
/// and line.
pub fn read(path: &Path) -> Result<Corpus, DataError> {
    documents(open(path, "documents, one a line or JSONL")?)
}

/// Reads documents from anywhere, such as standard input; `name` stands for the file in messages.
///
/// # Errors
/// As [`read`].
pub fn read_from(reader: impl Read, name: &str) -> Result<Corpus, DataError> {
    documents(Lines::new(BufReader::new(reader), name))
}

fn documents(mut lines: Lines<impl BufRead>) -> Result<Corpus, DataError> {
    let mut jsonl = None;
    let mut seen = Seen::new("document");
    let mut documents = Vec::new();
    lines.each_filled(|line| {
        let document = match *jsonl.get_or_insert_with(|| line.text.trim_start().starts_with('{')) {
            false => Document {
                id: line.number.to_string().into(),
                title: String::new(),
                text: line.text.to_owned(),
            },
            true => {
                let mut object = json::object(&line, "id")?;
                let id = match ["id", "_id"].iter().any(|field| object.contains_key(*field)) {
                    true => json::id(&line, &mut object, &["id", "_id"])?,
                    false => line.number.to_string(),
                };
                seen.note(&line, &id)?;
                Document {
                    id: id.into(),
                    title: json::optional_text(&line, &mut object, "title")?,
                    text: json::text(&line, &mut object, "text")?,
                }
            }
        };
        documents.push(document);
        Ok(())
    })?;
    match documents.is_empty() {
        true => Err(DataError::Empty { file: lines.file().to_owned(), what: "documents" }),
        false => corpus_of(documents, lines.file()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<(String, String, String)>, String> {
        let corpus = read_from(text.as_bytes(), "standard input").map_err(|e| e.to_string())?;
        let parts = |d: &Document| (d.id.as_str().to_owned(), d.title.clone(), d.text.clone());
        Ok(corpus.documents().iter().map(parts).collect())
    }

    fn document(id: &str, title: &str, text: &str) -> (String, String, String) {
        (id.to_owned(), title.to_owned(), text.to_owned())
    }

    #[test]
    fn lines_of_text_are_named_by_their_number() {
        let documents = parse("first\n\n \nfourth, {\"not\": \"json\"}\r\n").unwrap();
        let fourth = document("4", "", "fourth, {\"not\": \"json\"}");
        assert_eq!(documents, [document("1", "", "first"), fourth]);
    }

    #[test]
    fn jsonl_is_told_by_its_first_line() {
        let text = "\n {\"id\": 7, \"text\": \"a\"}\n{\"_id\": \"x\", \"title\": \"t\", \"text\": \"b\"}\n{\"text\": \"c\"}";
        let expected = [document("7", "", "a"), document("x", "t", "b"), document("4", "", "c")];
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn errors_name_the_line() {
        let error = |text: &str| parse(text).unwrap_err();
        let first = "{\"id\": \"1\", \"text\": \"a\"}\n";
        assert!(error("").starts_with("standard input: the file holds no documents"));
        assert!(error("\n \n").starts_with("standard input: the file holds no documents"));
        assert!(error(&format!("{first}plain")).contains("line 2: invalid JSON at column 1"));
        assert!(
            error(&format!("{first}{{\"id\": 2}}")).contains("line 2: field 'text' is missing")
        );
        assert!(
            error(&format!("{first}{{\"id\": 1, \"text\": \"b\"}}"))
                .contains("line 2: document id '1' was already used at line 1")
        );
        assert!(
            error("{\"id\": 1.5, \"text\": \"\"}").contains("field 'id' is a number, expected")
        );
    }
}
