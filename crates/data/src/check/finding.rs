use std::fmt;

use serde::Serialize;

/// One kind of defect, with all places where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is wrong.
    pub problem: Problem,
    /// Where, in the order of the files; never empty.
    pub places: Vec<Place>,
}

/// Where something is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file as it was named, or the set's name.
    pub file: String,
    /// Counted from 1; `None` where no one line is at fault, or the set was not read from lines.
    pub line: Option<u64>,
    /// What stands there: an id, or what the reader said.
    pub what: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// The set can be read, but figures measured on it may mislead.
    Warning,
    /// The readers refuse the set.
    Error,
}

/// What can be wrong with a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// Files that are missing, cut short or otherwise not to be read to their end.
    UnreadableFiles,
    /// Lines that are not what they should be.
    MalformedLines,
    /// Files without content.
    EmptyFiles,
    /// Ids of documents used more than once.
    DuplicateDocuments,
    /// Ids of queries used more than once.
    DuplicateQueries,
    /// Judgements of documents that are not in the corpus.
    UnknownDocuments,
    /// Judgements of queries that are not there.
    UnknownQueries,
    /// Pairs with two grades.
    ConflictingGrades,
    /// Judged queries without a text.
    EmptyJudgedQueries,
    /// Queries without a text that nothing judges.
    EmptyQueries,
    /// Documents with neither title nor text.
    EmptyDocuments,
    /// Documents with the text of another (case, white space and final punctuation aside).
    RepeatedTexts,
    /// Every document is a single word, as when ids were taken for texts.
    OneWordDocuments,
    /// Queries of which no document is relevant.
    NothingRelevant {
        /// The split.
        split: String,
    },
    /// Queries with thousands of relevant documents.
    ManyRelevant {
        /// The split.
        split: String,
    },
    /// Queries of one split that another has too, by id or by words.
    SharedQueries {
        /// One split.
        first: String,
        /// The other, whose lines are named.
        second: String,
    },
    /// Documents that are relevant in two splits.
    SharedDocuments {
        /// One split.
        first: String,
        /// The other, whose lines are named.
        second: String,
    },
    /// Judgements that stand there more than once.
    RepeatedJudgements,
    /// Queries that no split judges.
    UnjudgedQueries,
}

impl Finding {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self.problem {
            Problem::UnreadableFiles
            | Problem::MalformedLines
            | Problem::EmptyFiles
            | Problem::DuplicateDocuments
            | Problem::DuplicateQueries
            | Problem::UnknownDocuments
            | Problem::UnknownQueries
            | Problem::ConflictingGrades
            | Problem::EmptyJudgedQueries => Severity::Error,
            Problem::EmptyDocuments
            | Problem::RepeatedTexts
            | Problem::OneWordDocuments
            | Problem::NothingRelevant { .. }
            | Problem::ManyRelevant { .. }
            | Problem::SharedQueries { .. } => Severity::Warning,
            Problem::SharedDocuments { .. }
            | Problem::RepeatedJudgements
            | Problem::UnjudgedQueries
            | Problem::EmptyQueries => Severity::Note,
        }
    }
}

/// A sentence with the first places, and one that says what to do.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        write!(f, "{} (", self.problem.told(self.places.len()))?;
        for (number, place) in self.places.iter().take(SHOWN).enumerate() {
            write!(f, "{}{place}", if number == 0 { "" } else { "; " })?;
        }
        match self.places.len().saturating_sub(SHOWN) {
            0 => {}
            more => write!(f, "; and {more} more")?,
        }
        write!(f, "). {}", self.problem.advice())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{} line {line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl Problem {
    /// What is wrong, said of so many.
    fn told(&self, count: usize) -> String {
        let of = |one: &str, many: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {many}"),
        };
        match self {
            Self::UnreadableFiles => of("file cannot be read whole", "files cannot be read whole"),
            Self::MalformedLines => of("line is malformed", "lines are malformed"),
            Self::EmptyFiles => of("file holds nothing", "files hold nothing"),
            Self::DuplicateDocuments => {
                of("document has an id that was used before", "documents have ids used before")
            }
            Self::DuplicateQueries => {
                of("query has an id that was used before", "queries have ids used before")
            }
            Self::UnknownDocuments => of(
                "judgement names a document that is not in the corpus",
                "judgements name documents that are not in the corpus",
            ),
            Self::UnknownQueries => of(
                "judgement names a query that is not there",
                "judgements name queries that are not there",
            ),
            Self::ConflictingGrades => of(
                "judgement gives a pair another grade than before",
                "judgements give a pair another grade than before",
            ),
            Self::EmptyJudgedQueries => {
                of("query is judged and has no text", "queries are judged and have no text")
            }
            Self::EmptyQueries => of("query has no text", "queries have no text"),
            Self::EmptyDocuments => {
                of("document has neither title nor text", "documents have neither title nor text")
            }
            Self::RepeatedTexts => {
                of("document repeats another's text", "documents repeat another's text")
            }
            Self::OneWordDocuments => "every document is a single word".to_owned(),
            Self::NothingRelevant { split } => {
                let one = format!("query of split '{split}' has no relevant document");
                of(&one, &format!("queries of split '{split}' have no relevant document"))
            }
            Self::ManyRelevant { split } => {
                let one =
                    format!("query of split '{split}' has over a thousand relevant documents");
                let many = "have over a thousand relevant documents each";
                of(&one, &format!("queries of split '{split}' {many}"))
            }
            Self::SharedQueries { first, second } => {
                let both = format!("of split '{second}'");
                let too = format!("in split '{first}' too");
                of(&format!("query {both} is {too}"), &format!("queries {both} are {too}"))
            }
            Self::SharedDocuments { first, second } => {
                let both = format!("relevant in split '{first}' and in split '{second}'");
                of(&format!("document is {both}"), &format!("documents are {both}"))
            }
            Self::RepeatedJudgements => {
                of("judgement stands there twice", "judgements stand there twice")
            }
            Self::UnjudgedQueries => of("query is judged nowhere", "queries are judged nowhere"),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::UnreadableFiles => "Check the paths and fetch or write these files again.",
            Self::MalformedLines => "Mend or remove these lines.",
            Self::EmptyFiles => "Check that they were written completely.",
            Self::DuplicateDocuments | Self::DuplicateQueries => {
                "Give each an id of its own, or remove the copies."
            }
            Self::UnknownDocuments => "Add the documents to the corpus or remove these lines.",
            Self::UnknownQueries => "Add the queries or remove these lines.",
            Self::ConflictingGrades => "Decide on one grade and remove the other line.",
            Self::EmptyJudgedQueries => "Write their texts or remove them and their judgements.",
            Self::EmptyQueries => "Write their texts or remove them.",
            Self::EmptyDocuments => {
                "Write their texts or remove them: no reranker can tell what they are about."
            }
            Self::RepeatedTexts => {
                "Keep one of each and judge that one: a copy that is not judged counts as wrong."
            }
            Self::OneWordDocuments => "If these are ids, name the corpus that has their texts.",
            Self::NothingRelevant { .. } => {
                "Judge a document relevant or leave them out: every ranking scores 0 on them. Keep \
                 them only to test whether a threshold abstains."
            }
            Self::ManyRelevant { .. } => {
                "Check how they were judged and that higher grades mean more relevant."
            }
            Self::SharedQueries { .. } => {
                "Remove them from one of the two: what is trained or tuned on one split must not be \
                 measured on the same queries."
            }
            Self::SharedDocuments { .. } => {
                "Usual where splits share a corpus; a model trained on one may know these."
            }
            Self::RepeatedJudgements => "Remove the copies; each pair counts once.",
            Self::UnjudgedQueries => {
                "They take no part in any measure; judge them or leave them as they are."
            }
        }
    }
}
