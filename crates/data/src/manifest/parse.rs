use std::path::Path;

use super::keys::Keys;
use super::{Citation, KeyDefect, Manifest, ManifestError, NOT_STATED, RemoteFile};
use crate::hub::{hub_id, is_revision};

/// The endings that files of documents and queries may have.
pub(super) const TEXTS: &[&str] = &[".jsonl", ".jsonl.gz", ".jsonl.zst"];

/// The endings that files of judgements may have.
pub(super) const JUDGEMENTS: &[&str] = &[".tsv", ".tsv.gz", ".tsv.zst"];

impl Manifest {
    /// Reads a manifest; `file` is its name for messages.
    ///
    /// # Errors
    /// No TOML, keys that are missing, unknown or hold what cannot be used: each with the file and
    /// the line or key. Nothing in a manifest can name a place outside the set's own folder.
    pub fn parse(file: &str, text: &str) -> Result<Self, ManifestError> {
        let mut keys = Keys::of_file(file, text)?;
        let name = keys.text("name", NAME, is_name)?;
        let title = keys.text("title", "the name that people write", filled)?;
        let language = keys.optional_text("language", "a BCP 47 tag such as en", is_tag)?;
        let homepage = keys.optional_text("homepage", URL, is_url)?;
        let license = keys.text("license", LICENSE, filled)?;
        let license_of_texts = keys.optional_text("license_of_texts", LICENSE, filled)?;
        let sources = keys.texts("source", URL, is_url)?;
        let read = keys.optional_text("read", "a day as YYYY-MM-DD", is_day)?;
        let note = keys.optional_text("note", "a text", filled)?;
        let citations = keys
            .tables("citation", "[[citation]] tables")?
            .into_iter()
            .map(citation)
            .collect::<Result<_, _>>()?;
        let texts = "a table with hub, revision and file";
        let corpus = remote_file(keys.table("corpus", texts)?, Holds::Documents)?;
        let queries = remote_file(keys.table("queries", texts)?, Holds::Queries)?;
        let splits = "a table [qrels.SPLIT] for each split";
        let qrels_missing = keys.fail("qrels", KeyDefect::Missing { expected: splits });
        let mut qrels = std::collections::BTreeMap::new();
        let mut tables = keys.table("qrels", splits)?;
        for (split, below) in tables.each(texts)? {
            if !is_name(&split) {
                return Err(
                    tables.fail(&split, KeyDefect::Value { value: split.clone(), expected: NAME })
                );
            }
            qrels.insert(split, remote_file(below, Holds::Judgements)?);
        }
        keys.finish(&[
            "name",
            "title",
            "language",
            "homepage",
            "license",
            "license_of_texts",
            "source",
            "read",
            "note",
            "citation",
            "corpus",
            "queries",
            "qrels",
        ])?;
        if qrels.is_empty() {
            return Err(qrels_missing);
        }
        Ok(Self {
            name,
            title,
            language,
            homepage,
            license,
            license_of_texts: license_of_texts.unwrap_or_else(|| NOT_STATED.to_owned()),
            citations,
            sources,
            read,
            note,
            corpus,
            queries,
            qrels,
        })
    }
}

const NAME: &str =
    "a name of lower-case letters, digits, '-', '_' and '.', a letter or digit first";
const URL: &str = "an address that begins with https:// or http://";
const LICENSE: &str = "the licence as a source states it, or \"not stated\"";

enum Holds {
    Documents,
    Queries,
    Judgements,
}

fn remote_file(mut keys: Keys<'_>, holds: Holds) -> Result<RemoteFile, ManifestError> {
    let (endings, expected) = match holds {
        Holds::Judgements => {
            (JUDGEMENTS, "a path in the repository that ends in .tsv, .tsv.gz or .tsv.zst")
        }
        _ => (TEXTS, "a path in the repository that ends in .jsonl, .jsonl.gz or .jsonl.zst"),
    };
    let hub =
        keys.text("hub", "the id of a data set on the hub, OWNER/NAME", |id| hub_id(id).is_some())?;
    let revision =
        keys.text("revision", "a commit, branch or tag of the repository", is_revision)?;
    let file = keys.text("file", expected, |file| {
        is_inside(file) && endings.iter().any(|ending| file.ends_with(ending))
    })?;
    let sha256 = keys.optional_text("sha256", "64 hex digits in lower case", is_sha256)?;
    let bytes = keys.number("bytes")?;
    let (count, judgements, allowed): (_, _, &'static [&'static str]) = match holds {
        Holds::Documents => (
            keys.number("documents")?,
            None,
            &["hub", "revision", "file", "sha256", "bytes", "documents"],
        ),
        Holds::Queries => (
            keys.number("queries")?,
            None,
            &["hub", "revision", "file", "sha256", "bytes", "queries"],
        ),
        Holds::Judgements => (
            keys.number("queries")?,
            keys.number("judgements")?,
            &["hub", "revision", "file", "sha256", "bytes", "queries", "judgements"],
        ),
    };
    keys.finish(allowed)?;
    Ok(RemoteFile { hub, revision, file, sha256, bytes, count, judgements })
}

fn citation(mut keys: Keys<'_>) -> Result<Citation, ManifestError> {
    let authors = keys.texts("authors", "names", filled)?;
    let title = keys.text("title", "the publication's title", filled)?;
    let venue = keys.optional_text("venue", "where it appeared", filled)?;
    let year = keys.number("year")?;
    let url = keys.optional_text("url", URL, is_url)?;
    keys.finish(&["authors", "title", "venue", "year", "url"])?;
    Ok(Citation { authors, title, venue, year, url })
}

fn filled(text: &str) -> bool {
    !text.trim().is_empty()
}

/// Names become names of files and folders on every system.
pub(super) fn is_name(name: &str) -> bool {
    let first = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    first && name.len() <= 96 && !name.ends_with('.') && name.chars().all(allowed)
}

fn is_tag(tag: &str) -> bool {
    (2..=35).contains(&tag.len()) && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn is_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

fn is_day(day: &str) -> bool {
    let digits: Vec<&str> = day.split('-').collect();
    let lengths: Vec<usize> = digits.iter().map(|part| part.len()).collect();
    lengths == [4, 2, 2] && digits.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Whether a path with `/` between its parts leads nowhere but below where it starts.
fn is_inside(path: &str) -> bool {
    let part = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
        !part.is_empty() && !part.starts_with('.') && part.chars().all(allowed)
    };
    path.split('/').all(part) && Path::new(path).is_relative()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MANIFEST: &str = r#"
name = "tiny"
title = "Tiny"
license = "not stated"
source = ["https://example.org/tiny"]

[[citation]]
authors = ["A. Author"]
title = "A set"
year = 2020

[corpus]
hub = "org/tiny-set"
revision = "main"
file = "data/corpus.jsonl.gz"
documents = 2

[queries]
hub = "org/tiny-set"
revision = "main"
file = "queries.jsonl"

[qrels.test]
hub = "org/tiny-qrels"
revision = "refs/pr/1"
file = "test.tsv"
judgements = 3
"#;

    fn with(from: &str, to: &str) -> Result<Manifest, ManifestError> {
        assert!(MANIFEST.contains(from), "{from}");
        Manifest::parse("tiny.toml", &MANIFEST.replacen(from, to, 1))
    }

    fn error(from: &str, to: &str) -> String {
        with(from, to).unwrap_err().to_string()
    }

    #[test]
    fn reads_files_counts_and_citations() {
        let manifest = Manifest::parse("tiny.toml", MANIFEST).unwrap();
        assert_eq!(manifest.corpus_path(), "corpus.jsonl.gz");
        assert_eq!(manifest.queries_path(), "queries.jsonl");
        assert_eq!(manifest.qrels_path("test").as_deref(), Some("qrels/test.tsv"));
        assert_eq!(manifest.qrels_path("dev"), None);
        assert_eq!(manifest.license_of_texts, NOT_STATED);
        assert_eq!(manifest.corpus.count, Some(2));
        let test = &manifest.qrels["test"];
        assert_eq!((test.judgements, test.count), (Some(3), None));
        assert_eq!(test.revision, "refs/pr/1");
        assert_eq!(manifest.citations[0].year, Some(2020));
    }

    #[test]
    fn errors_name_file_and_key() {
        assert_eq!(
            error("title = \"Tiny\"", ""),
            "tiny.toml: key 'title' is missing; add it: the name that people write"
        );
        assert_eq!(
            error("year = 2020", "year = \"2020\""),
            "tiny.toml: key 'citation.year' is a text, expected a whole number from 0"
        );
        assert_eq!(
            error("judgements = 3", "documents = 3"),
            "tiny.toml: key 'qrels.test.documents' is not known here; allowed are: hub, revision, \
             file, sha256, bytes, queries, judgements"
        );
        assert!(error("documents = 2", "documents = -2").contains("'corpus.documents' is '-2'"));
        assert!(error("[[citation]]", "[citation]").contains("key 'citation' is a table"));
        assert!(error("https://example", "ftp://example").contains("key 'source' is 'ftp://"));
        assert!(error("[qrels.test]", "[qrels.\"../test\"]").contains("key 'qrels.../test' is"));
        assert!(error("name = \"tiny\"", "name = \"tiny\"\nname = \"x\"").contains("line 3"));
        let without = MANIFEST.split("[qrels.test]").next().unwrap();
        for text in [without.to_owned(), format!("{without}[qrels]")] {
            let error = Manifest::parse("f", &text).unwrap_err().to_string();
            assert!(error.contains("key 'qrels' is missing"), "{error}");
        }
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for name in ["", "..", ".x", "a/b", "A", "a b", "x.", "-x"] {
            assert!(error("\"tiny\"", &format!("{name:?}")).contains("'name'"), "{name}");
        }
        for file in ["../c.jsonl", "/c.jsonl", "a/../c.jsonl", "a//c.jsonl", "c.json", ".jsonl"] {
            let error = error("\"data/corpus.jsonl.gz\"", &format!("{file:?}"));
            assert!(error.contains("'corpus.file'"), "{file}");
        }
        for hub in ["tiny", "a/b/c", "../x", "a/..", ""] {
            assert!(error("\"org/tiny-qrels\"", &format!("{hub:?}")).contains("'qrels.test.hub'"));
        }
        for revision in ["", "../x", "a b"] {
            let error = error("\"refs/pr/1\"", &format!("{revision:?}"));
            assert!(error.contains("'qrels.test.revision'"), "{revision}");
        }
    }

    #[test]
    fn only_days_and_hashes_in_full() {
        for (day, fits) in [("2026-11-22", true), ("2026-11", false), ("22.11.2026", false)] {
            let read = with("license =", &format!("read = \"{day}\"\nlicense ="));
            assert_eq!(read.is_ok(), fits, "{day}");
        }
        for (hash, fits) in
            [("0f".repeat(32), true), ("0F".repeat(32), false), ("0f".into(), false)]
        {
            let hashed = with("documents = 2", &format!("sha256 = \"{hash}\""));
            assert_eq!(hashed.is_ok(), fits, "{hash}");
        }
    }

    proptest! {
        #[test]
        fn no_edit_makes_it_panic_or_escape(
            at in 0..MANIFEST.len(), cut in 0usize..12, put in "[a-z\"./\\[\\]=\n\\PC]{0,8}",
        ) {
            let end = (at + cut).min(MANIFEST.len());
            let text = format!("{}{put}{}", &MANIFEST[..at], &MANIFEST[end..]);
            if let Ok(manifest) = Manifest::parse("f", &text) {
                let qrels = manifest.splits().map(|split| manifest.qrels_path(split).unwrap());
                let paths = [manifest.name.clone(), manifest.corpus_path(), manifest.queries_path()];
                for path in paths.into_iter().chain(qrels) {
                    let mut parts = Path::new(&path).components();
                    prop_assert!(parts.all(|part| matches!(part, std::path::Component::Normal(_))));
                }
            }
        }
    }
}
