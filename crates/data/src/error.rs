use secondpass_core::{CorpusError, DatasetError, RankingError};

use crate::tables::CellDefect;

/// Why a file could not be read as what it should be.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// One line is at fault.
    #[error("{file} line {line}: {defect}")]
    Line {
        /// The file as it was named, or `standard input`.
        file: String,
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        defect: Defect,
    },
    /// Nothing to read.
    #[error("{file}: the file holds no {what}; check that it was written completely")]
    Empty {
        /// The file as it was named.
        file: String,
        /// What it should hold (`documents`, `queries`).
        what: &'static str,
    },
    /// The file is not there.
    #[error("{file}: no such file; check the path ({hint})")]
    Missing {
        /// The file as it was named.
        file: String,
        /// What was expected there.
        hint: &'static str,
    },
    /// The set has no judgements under this split's name.
    #[error("{set} has no split '{split}'; {}", offer(.available))]
    MissingSplit {
        /// The folder or the set's name.
        set: String,
        /// The split that was asked for.
        split: String,
        /// The splits it has.
        available: Vec<String>,
    },
    /// The operating system could not read it.
    #[error("{file}: {source}")]
    Io {
        /// The file as it was named.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A packed file is cut off or corrupt.
    #[error(
        "{file}: after {lines} lines the {format} stream is cut off or corrupt ({source}); fetch or \
         pack the file again"
    )]
    Packed {
        /// The file as it was named.
        file: String,
        /// `gzip` or `zstd`.
        format: &'static str,
        /// Whole lines that could be read.
        lines: u64,
        /// What the unpacker said.
        source: std::io::Error,
    },
    /// A file is packed, and its name does not say so.
    #[error(
        "{file}: this is {format}, not text; rename it so that it ends in {suffix}, or unpack it"
    )]
    PackedUnnamed {
        /// The file as it was named.
        file: String,
        /// `gzip` or `zstd`, by its first bytes.
        format: &'static str,
        /// The extension that says so.
        suffix: &'static str,
    },
    /// A golden set without a corpus, all of whose documents look like ids.
    #[error(
        "{file}: every document is a single word ('{example}'), as ids are, and no corpus is named \
         to look them up in; name its documents (`corpus = \"corpus.jsonl\"`), or, if single words \
         are the texts, write one of them as {{\"text\": …}}"
    )]
    IdsWithoutCorpus {
        /// The file as it was named.
        file: String,
        /// The first of them.
        example: String,
    },
    /// A file is there both plain and packed, or packed in two ways.
    #[error("both {first} and {second} are there; remove one, so that it is clear which counts")]
    Ambiguous {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// One cell of a table is at fault.
    #[error("{file} row {row}, column '{column}': {defect}")]
    Cell {
        /// The file as it was named.
        file: String,
        /// Counted from 1 below the header.
        row: u64,
        /// The column's name.
        column: String,
        /// What is wrong with it.
        defect: CellDefect,
    },
    /// One row of a table is at fault.
    #[error("{file} row {row}: {defect}")]
    Row {
        /// The file as it was named.
        file: String,
        /// Counted from 1 below the header.
        row: u64,
        /// What is wrong with it.
        defect: Defect,
    },
    /// A table lacks a column.
    #[error(
        "{file}: there is no column '{column}'; it has: {} (name the right one)",
        .available.join(", ")
    )]
    NoColumn {
        /// The file as it was named.
        file: String,
        /// The column that was asked for.
        column: String,
        /// The columns it has.
        available: Vec<String>,
    },
    /// A table that cannot be taken apart.
    #[error("{file}: not a table that can be read ({message}); check its quotes and columns")]
    Table {
        /// The file as it was named.
        file: String,
        /// What the reader said.
        message: String,
    },
    /// An extension that names no format of tables.
    #[error(
        "{file}: not a table by its extension; name it .csv, .tsv or .parquet (.gz or .zst behind it \
         when packed)"
    )]
    NoTableFormat {
        /// The file as it was named.
        file: String,
    },
    /// The documents make no corpus.
    #[error("{file}: {source}")]
    Corpus {
        /// The file as it was named.
        file: String,
        /// What is wrong with them.
        source: CorpusError,
    },
    /// The files are well-formed but do not make a set together.
    #[error("{set}: {source}")]
    Dataset {
        /// The folder or the set's name.
        set: String,
        /// What does not fit.
        source: DatasetError,
    },
    /// The scores of a query make no ranking.
    #[error("{file}: query '{query}': {source}")]
    Ranking {
        /// The file as it was named.
        file: String,
        /// The query.
        query: String,
        /// What is wrong with its scores.
        source: RankingError,
    },
}

/// What is wrong with one line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Defect {
    /// Bytes that are no UTF-8.
    #[error("invalid UTF-8 at byte {column}; save the file as UTF-8")]
    InvalidUtf8 {
        /// Byte position in the line, from 1.
        column: usize,
    },
    /// No JSON.
    #[error("invalid JSON at column {column}: {message}; every line must be one whole JSON object")]
    InvalidJson {
        /// What the parser said.
        message: String,
        /// Position in the line, from 1.
        column: usize,
    },
    /// JSON, but of another kind than an object.
    #[error("expected a JSON object, found {found}; write the line as {{\"{field}\": …}}")]
    NotAnObject {
        /// What stands there.
        found: &'static str,
        /// The first field of the object that was expected.
        field: &'static str,
    },
    /// A field that must be there is not.
    #[error("field '{field}' is missing; add it")]
    MissingField {
        /// The field's name.
        field: &'static str,
    },
    /// A field holds another type than it should.
    #[error("field '{field}' is {found}, expected {expected}")]
    WrongType {
        /// The field's name.
        field: &'static str,
        /// The type it should have.
        expected: &'static str,
        /// The type it has.
        found: &'static str,
    },
    /// An item of a list is of another type than it should be.
    #[error("'{field}' item {item} is {found}, expected {expected}")]
    WrongItem {
        /// The list's field.
        field: &'static str,
        /// Which item, from 1.
        item: usize,
        /// The type it should have.
        expected: &'static str,
        /// The type it has.
        found: &'static str,
    },
    /// An item of a list that must not be empty is, or lacks what makes it useful.
    #[error("'{field}' item {item} {lacks}")]
    Item {
        /// The list's field.
        field: &'static str,
        /// Which item, from 1.
        item: usize,
        /// What it lacks and what to do.
        lacks: &'static str,
    },
    /// Two lists that belong together differ in length.
    #[error("'{field}' has {found} items and '{of}' has {expected}; write one for each")]
    Lengths {
        /// The list that was read second.
        field: &'static str,
        /// How many it has.
        found: usize,
        /// The list it belongs to.
        of: &'static str,
        /// How many that has.
        expected: usize,
    },
    /// One document stands there with two texts.
    #[error(
        "document '{id}' has another text or title than at line {first}; make them the same or give \
         it an id of its own"
    )]
    OtherText {
        /// The document.
        id: String,
        /// The line that gave its text first.
        first: u64,
    },
    /// An id where there is no corpus to look it up in.
    #[error(
        "'{field}' names document '{id}', whose text stands nowhere in this file; name the corpus \
         that has it, or write the text"
    )]
    NoText {
        /// The list that names it.
        field: &'static str,
        /// The document.
        id: String,
    },
    /// An unscored candidate stands above a scored one.
    #[error(
        "candidate '{id}' has a score but one before it has none; score all of them, none, or the \
         first ones"
    )]
    ScoredBelowUnscored {
        /// The scored candidate.
        id: String,
    },
    /// A text is both a positive and a negative of one query.
    #[error(
        "the text '{text}' is both a positive and a negative of this query (see {first}), perhaps in \
         other case or punctuation; remove it from one of them"
    )]
    BothSides {
        /// The text, shortened.
        text: String,
        /// Where it stands on the other side.
        first: String,
    },
    /// A field or column that must not be empty is.
    #[error("'{field}' is empty; fill it in or remove the line")]
    EmptyField {
        /// The field's or column's name.
        field: &'static str,
    },
    /// An id was used before.
    #[error("{what} id '{id}' was already used at line {first}; give each its own id")]
    DuplicateId {
        /// `document` or `query`.
        what: &'static str,
        /// The id.
        id: String,
        /// The line that used it first.
        first: u64,
    },
    /// Another number of columns than the format has.
    #[error("found {found} columns, expected {}: {layout}", .layout.split(' ').count())]
    Columns {
        /// The names of the columns that were expected, separated by spaces.
        layout: &'static str,
        /// Number of columns found.
        found: usize,
    },
    /// The first line is not the header.
    #[error("the first line must be the header '{expected}' (tab-separated), found '{found}'")]
    Header {
        /// The header, columns separated by spaces.
        expected: &'static str,
        /// The line that stands there, shortened.
        found: String,
    },
    /// A column that should be a number is none, or one that cannot be used.
    #[error("{column} '{text}' is not {expected}")]
    Number {
        /// The column's name.
        column: &'static str,
        /// What stands there, shortened.
        text: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A line names something that is not in the set.
    #[error("{what} '{id}' is not among the {what}s of {file}; add it there or remove this line")]
    Unknown {
        /// `document` or `query`.
        what: &'static str,
        /// The id.
        id: String,
        /// Where it should be.
        file: String,
    },
    /// A judged query has no text.
    #[error("query '{id}' is judged but its text is empty; write the text or remove the query")]
    EmptyQuery {
        /// The query's id.
        id: String,
    },
    /// One pair was given two different grades.
    #[error(
        "query '{query}' gives document '{document}' grade {grade}, but an earlier line gave it \
         {earlier}; keep one of them"
    )]
    ConflictingGrades {
        /// The query.
        query: String,
        /// The document.
        document: String,
        /// The grade on this line.
        grade: i32,
        /// The grade before.
        earlier: i32,
    },
    /// A document occurs twice in one query's ranking.
    #[error(
        "query '{query}' ranks document '{document}' a second time (first at line {first}); remove \
         one of them"
    )]
    RankedTwice {
        /// The query.
        query: String,
        /// The document.
        document: String,
        /// The line that ranked it first.
        first: u64,
    },
    /// A topic begins inside another.
    #[error("a topic begins before that of line {first} ended; write </top> between them")]
    OpenTopic {
        /// The line where the other begins.
        first: u64,
    },
    /// The file ends inside a topic.
    #[error("this topic does not end; check that the file is complete, and write </top> behind it")]
    UnclosedTopic,
    /// Something stands between two topics.
    #[error("'{found}' stands outside a topic; write <top> before it or remove it")]
    OutsideTopic {
        /// What stands there, shortened.
        found: String,
    },
    /// A topic lacks a field.
    #[error("the topic that begins at line {first} has no <{field}>; add it")]
    TopicLacks {
        /// The field.
        field: &'static str,
        /// The line where the topic begins.
        first: u64,
    },
    /// A line lacks the value by which lines are told apart.
    #[error(
        "field '{field}' is missing or holds no value to compare; add it or name another field"
    )]
    NoValue {
        /// The field's name.
        field: String,
    },
    /// A time that is none.
    #[error(
        "field '{field}' is '{text}', not a time; write it as 2026-05-31, 2026-05-31T10:30:00Z or in \
         seconds since 1970"
    )]
    NoTime {
        /// The field's name.
        field: String,
        /// What stands there, shortened.
        text: String,
    },
    /// An e-mail address where an id stands.
    #[error(
        "the id holds an e-mail address, and ids are written as they are; give it one that is nobody's"
    )]
    PersonalId,
    /// A triple whose positive is also its negative.
    #[error("document '{id}' is both the positive and the negative; remove this line")]
    PositiveIsNegative {
        /// The document.
        id: String,
    },
    /// A triple that stands there twice.
    #[error("this triple stands already at line {first}; remove one of them")]
    RepeatedTriple {
        /// The line that has it first.
        first: u64,
    },
}

/// Why something could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The operating system could not write it.
    #[error("writing failed: {0}")]
    Io(#[from] std::io::Error),
    /// The operating system could not write this file.
    #[error("{file}: {source}")]
    File {
        /// The file or folder as it was named.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A folder would be written over another.
    #[error("{folder}: the folder holds files already; name another or empty it")]
    FolderInUse {
        /// The folder as it was named.
        folder: String,
    },
    /// Nothing to write.
    #[error("there is no set to write; give at least one split")]
    NoSets,
    /// The name of a split makes no file name, or two splits have it.
    #[error(
        "split '{split}' cannot be the name of a judgements file of its own; give each split a name \
         without slashes"
    )]
    Split {
        /// The split.
        split: String,
    },
    /// Splits of one folder share its corpus.
    #[error("split '{split}' has another corpus than the first; write it to a folder of its own")]
    OtherCorpus {
        /// The split.
        split: String,
    },
    /// Splits of one folder share its queries.
    #[error("query '{id}' differs between splits; give one of the two another id")]
    OtherQuery {
        /// The query.
        id: String,
    },
    /// BEIR's judgements are separated by tabs and lines.
    #[error(
        "{what} id '{}' is empty, begins or ends with white space, or holds a tab or line break, \
         which BEIR's judgements cannot express; give it another", .id.escape_debug()
    )]
    TabbedId {
        /// `document` or `query`.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// JSON has no such number.
    #[error("query '{query}' scores document '{document}' {score}, which JSON cannot express")]
    Score {
        /// The query.
        query: String,
        /// The document.
        document: String,
        /// Its score.
        score: f64,
    },
    /// The set has no text for something that must be written with its text.
    #[error(
        "query '{query}' has candidate '{document}', which is not in the corpus; write the run that \
         belongs to this set"
    )]
    UnknownCandidate {
        /// The query.
        query: String,
        /// The document.
        document: String,
    },
    /// TREC formats separate columns by white space, so an id must be one word.
    #[error("{what} id '{id}' is empty or holds white space, which TREC files cannot express")]
    Id {
        /// `document` or `query`.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// An unscored document needs a score below all scored ones, and there is no number left.
    #[error("query '{query}': no score is left below {floor} for its unscored documents")]
    NoRoomBelow {
        /// The query.
        query: String,
        /// The lowest score there is.
        floor: f32,
    },
}

/// The start of a text, for messages.
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn offer(available: &[String]) -> String {
    match available {
        [] => "there is no judgements file qrels/SPLIT.tsv at all".to_owned(),
        names => format!("it has: {}", names.join(", ")),
    }
}
