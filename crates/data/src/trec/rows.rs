//! Runs and judgements as rows that borrow from the file's bytes: for files of millions of lines.
//!
//! Lines are held to what [`super::read_run`] and [`super::read_qrels`] ask of them. Nothing is
//! allocated a line, and the file is shared out to threads at the ends of queries.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::thread;

use secondpass_core::{DocId, IdIndex, QrelsRow, QueryRows, Ranking, Run, RunRow};

use super::columns;
use crate::lines::read_whole;
use crate::{DataError, Defect};

/// The rows of a run file, by query.
#[derive(Debug)]
pub struct RunRows<'a> {
    rows: Rows<'a, RunRow<'a>>,
    tag: &'a str,
}

/// The rows of a judgements file, by query; no document is judged twice.
#[derive(Debug)]
pub struct QrelsRows<'a> {
    rows: Rows<'a, QrelsRow<'a>>,
}

/// The bytes of a whole file, unpacked as its extension says (`.gz`, `.zst`), to borrow rows from;
/// `hint` says what should be there.
///
/// # Errors
/// A file that is missing, cannot be read, is cut off or corrupt, or is packed under a name that
/// does not say so.
pub fn read_bytes(path: &Path, hint: &'static str) -> Result<Vec<u8>, DataError> {
    read_whole(path, hint)
}

/// Reads a run from the bytes of its file; `name` stands for the file in messages.
///
/// # Errors
/// As [`super::read_run`]. Where several lines are at fault, one of them is told; documents that
/// come twice are looked for last.
pub fn run_rows<'a>(bytes: &'a [u8], name: &str) -> Result<RunRows<'a>, DataError> {
    let rows: Rows<'a, RunRow<'a>> = read(bytes, name, "ranked documents", threads(bytes))?;
    // The reader has found a first line with all its columns.
    let tag = text(bytes).lines().find_map(|line| line.split_ascii_whitespace().nth(5));
    Ok(RunRows { rows, tag: tag.unwrap_or("run") })
}

/// Reads judgements from the bytes of their file; `name` stands for the file in messages. A
/// judgement that stands there twice counts once.
///
/// # Errors
/// As [`super::read_qrels`]. Where several lines are at fault, one of them is told; documents that
/// come twice are looked for last.
pub fn qrels_rows<'a>(bytes: &'a [u8], name: &str) -> Result<QrelsRows<'a>, DataError> {
    Ok(QrelsRows { rows: read(bytes, name, "judgements", threads(bytes))? })
}

impl<'a> RunRows<'a> {
    /// The tag on the first line, which names the system.
    pub fn name(&self) -> &'a str {
        self.tag
    }

    /// The queries, in the order in which they first appear.
    pub fn queries(&self) -> Vec<QueryRows<'_, RunRow<'a>>> {
        self.rows.queries()
    }

    /// The same run with documents of its own, ranked.
    ///
    /// # Errors
    /// None for rows that were read from a file: scores are numbers and documents come once.
    pub fn to_run(&self) -> Result<Run, secondpass_core::RankingError> {
        let mut run = Run::new(self.tag);
        for QueryRows { query, rows } in self.queries() {
            let scores = rows.iter().map(|row| (DocId::from(row.document), row.score));
            run.rankings.insert(query.into(), Ranking::from_scores(scores)?);
        }
        Ok(run)
    }
}

impl<'a> QrelsRows<'a> {
    /// The queries, in the order in which they first appear.
    pub fn queries(&self) -> Vec<QueryRows<'_, QrelsRow<'a>>> {
        self.rows.queries()
    }
}

/// Rows of all queries, in as many vectors as threads read them.
#[derive(Debug)]
struct Rows<'a, R> {
    parts: Vec<Vec<R>>,
    groups: Vec<Group<'a>>,
}

/// Where the rows of one query are.
#[derive(Clone, Debug)]
struct Group<'a> {
    query: &'a str,
    part: usize,
    rows: Range<usize>,
}

/// A kind of line.
trait Row<'a>: Copy + Send + Sync + Sized {
    const COLUMNS: usize;
    const LAYOUT: &'static str;

    fn parse(columns: &[&'a str; MOST_COLUMNS]) -> Result<Self, Defect>;

    fn document(&self) -> &'a str;

    /// What to do about a second row of one document: nothing, or an error. `first` is the line of
    /// the first one.
    fn repeated(
        &self,
        earlier: &Self,
        query: &str,
        first: impl FnOnce() -> u64,
    ) -> Result<(), Defect>;
}

const MOST_COLUMNS: usize = 6;

impl<'a> Row<'a> for RunRow<'a> {
    const COLUMNS: usize = 6;
    const LAYOUT: &'static str = columns::RUN;

    fn parse(columns: &[&'a str; MOST_COLUMNS]) -> Result<Self, Defect> {
        let [_, _, document, rank, score, _] = *columns;
        Ok(Self { document, rank: rank.parse().ok(), score: columns::score(score)? })
    }

    fn document(&self) -> &'a str {
        self.document
    }

    fn repeated(&self, _: &Self, query: &str, first: impl FnOnce() -> u64) -> Result<(), Defect> {
        let (query, document) = (query.to_owned(), self.document.to_owned());
        Err(Defect::RankedTwice { query, document, first: first() })
    }
}

impl<'a> Row<'a> for QrelsRow<'a> {
    const COLUMNS: usize = 4;
    const LAYOUT: &'static str = columns::QRELS;

    fn parse(columns: &[&'a str; MOST_COLUMNS]) -> Result<Self, Defect> {
        Ok(Self { document: columns[2], grade: columns::grade(columns[3])? })
    }

    fn document(&self) -> &'a str {
        self.document
    }

    fn repeated(&self, earlier: &Self, query: &str, _: impl FnOnce() -> u64) -> Result<(), Defect> {
        match self.grade == earlier.grade {
            true => Ok(()),
            false => Err(Defect::ConflictingGrades {
                query: query.to_owned(),
                document: self.document.to_owned(),
                grade: self.grade,
                earlier: earlier.grade,
            }),
        }
    }
}

impl<'a, R: Row<'a>> Rows<'a, R> {
    fn queries(&self) -> Vec<QueryRows<'_, R>> {
        let rows = |group: &Group<'a>| &self.parts[group.part][group.rows.clone()];
        self.groups
            .iter()
            .map(|group| QueryRows { query: group.query, rows: rows(group) })
            .collect()
    }

    /// Puts the rows of each query together where the file has them in several places, in the order
    /// of the file.
    fn gathered(self) -> Self {
        let mut number: HashMap<&str, usize> = HashMap::with_capacity(self.groups.len());
        let mut of_query: Vec<Vec<&Group<'a>>> = Vec::new();
        for group in &self.groups {
            let next = number.len();
            match *number.entry(group.query).or_insert(next) {
                new if new == of_query.len() => of_query.push(vec![group]),
                known => of_query[known].push(group),
            }
        }
        if of_query.len() == self.groups.len() {
            return self;
        }
        let mut gathered = Self { parts: vec![Vec::new()], groups: Vec::new() };
        for groups in of_query {
            let rows = groups.iter().flat_map(|group| &self.parts[group.part][group.rows.clone()]);
            gathered.push(groups[0].query, rows.copied());
        }
        gathered
    }

    /// Adds a query to the first part.
    fn push(&mut self, query: &'a str, rows: impl Iterator<Item = R>) {
        let start = self.parts[0].len();
        self.parts[0].extend(rows);
        self.groups.push(Group { query, part: 0, rows: start..self.parts[0].len() });
    }

    /// The same without the rows at these places of these groups.
    fn without(&self, dropped: &[(usize, usize)]) -> Self {
        let mut kept = Self { parts: vec![Vec::new()], groups: Vec::new() };
        for (number, QueryRows { rows, .. }) in self.queries().into_iter().enumerate() {
            let is_kept = |place: &usize| dropped.binary_search(&(number, *place)).is_err();
            let places = (0..rows.len()).filter(is_kept);
            kept.push(self.groups[number].query, places.map(|place| rows[place]));
        }
        kept
    }
}

/// A file smaller than this is read by one thread.
const WORTH_A_THREAD: usize = 1 << 18;

fn threads(bytes: &[u8]) -> usize {
    let most = thread::available_parallelism().map_or(1, usize::from);
    most.min(bytes.len() / WORTH_A_THREAD + 1)
}

fn read<'a, R: Row<'a>>(
    bytes: &'a [u8],
    name: &str,
    what: &'static str,
    threads: usize,
) -> Result<Rows<'a, R>, DataError> {
    let all = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut rows = Rows { parts: Vec::new(), groups: Vec::new() };
    let pieces = pieces(all, threads);
    for (part, read) in in_threads(&pieces, |piece| read_piece::<R>(piece)).into_iter().enumerate()
    {
        let (read, groups) = read.map_err(|fault| fault.at(bytes, name))?;
        rows.parts.push(read);
        rows.groups.extend(groups.into_iter().map(|(query, rows)| Group { query, part, rows }));
    }
    if rows.groups.is_empty() {
        return Err(DataError::Empty { file: name.to_owned(), what });
    }
    let rows = rows.gathered();
    let repeated = repeated(&rows, bytes, threads).map_err(|fault| fault.at(bytes, name))?;
    Ok(if repeated.is_empty() { rows } else { rows.without(&repeated) })
}

/// What is wrong, and in front of which byte's line: counted only when it is told.
struct Fault {
    /// A byte of the line, by address.
    place: usize,
    defect: Defect,
}

impl Fault {
    fn new(place: &[u8], defect: Defect) -> Self {
        Self { place: place.as_ptr() as usize, defect }
    }

    fn at(self, bytes: &[u8], name: &str) -> DataError {
        let line = line_of(self.place, bytes);
        DataError::Line { file: name.to_owned(), line, defect: self.defect }
    }
}

/// The number of the line that an address within `bytes` lies on, from 1.
fn line_of(place: usize, bytes: &[u8]) -> u64 {
    let before = place.saturating_sub(bytes.as_ptr() as usize).min(bytes.len());
    1 + bytes[..before].iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// Cuts a file at ends of lines, where the query changes if it does, into pieces of about equal
/// size: a file whose queries stand together needs no gathering.
fn pieces(bytes: &[u8], count: usize) -> Vec<&[u8]> {
    let mut pieces = Vec::with_capacity(count);
    let mut rest = bytes;
    for left in (2..=count).rev() {
        let mut cut = end_of_line(rest, rest.len() / left);
        let query = first_word(last_line(&rest[..cut]));
        while cut < rest.len() && first_word(&rest[cut..]) == query {
            cut = end_of_line(rest, cut);
        }
        let (piece, after) = rest.split_at(cut);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// The place behind the line that `from` lies in.
fn end_of_line(bytes: &[u8], from: usize) -> usize {
    let end = bytes[from..].iter().position(|&byte| byte == b'\n');
    end.map_or(bytes.len(), |end| from + end + 1)
}

fn last_line(bytes: &[u8]) -> &[u8] {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let start = line.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    &line[start..]
}

fn first_word(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.trim_ascii_start();
    let end = bytes.iter().position(u8::is_ascii_whitespace).unwrap_or(bytes.len());
    &bytes[..end]
}

/// Does the same to every item, each in a thread; the answers come in the order of the items.
fn in_threads<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    match items {
        [] => Vec::new(),
        [first, others @ ..] => thread::scope(|scope| {
            let work = &work;
            let started: Vec<_> =
                others.iter().map(|item| scope.spawn(move || work(item))).collect();
            let mut answers = vec![work(first)];
            for thread in started {
                let answer = thread.join();
                answers.push(answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            answers
        }),
    }
}

/// Bytes that are UTF-8, as the reader has made sure.
fn text(bytes: &[u8]) -> &str {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    std::str::from_utf8(bytes).unwrap_or_default()
}

type Piece<'a, R> = (Vec<R>, Vec<(&'a str, Range<usize>)>);

fn read_piece<'a, R: Row<'a>>(piece: &'a [u8]) -> Result<Piece<'a, R>, Fault> {
    let text = std::str::from_utf8(piece).map_err(|error| {
        let valid = error.valid_up_to();
        let line = piece[..valid].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        Fault::new(&piece[line..], Defect::InvalidUtf8 { column: valid - line + 1 })
    })?;
    // Lines are seldom shorter than this, so that the vector is seldom moved.
    let mut rows = Vec::with_capacity(piece.len() / 24);
    let mut groups: Vec<(&str, Range<usize>)> = Vec::new();
    let mut at = 0;
    while at < piece.len() {
        let start = at;
        let (columns, found) = take_line::<R>(text, &mut at);
        if found != R::COLUMNS {
            if !text[start..at].trim().is_empty() {
                let defect = Defect::Columns { layout: R::LAYOUT, found };
                return Err(Fault::new(&piece[start..], defect));
            }
            continue;
        }
        let row = R::parse(&columns).map_err(|defect| Fault::new(&piece[start..], defect))?;
        match groups.last_mut() {
            Some((query, rows)) if *query == columns[0] => rows.end += 1,
            _ => groups.push((columns[0], rows.len()..rows.len() + 1)),
        }
        rows.push(row);
    }
    Ok((rows, groups))
}

/// Takes one line: its first columns, and how many there are. Goes behind its end.
fn take_line<'a, R: Row<'a>>(text: &'a str, at: &mut usize) -> ([&'a str; MOST_COLUMNS], usize) {
    let bytes = text.as_bytes();
    let mut columns = [""; MOST_COLUMNS];
    let mut found = 0;
    loop {
        while let Some(byte) = bytes.get(*at).filter(|&&byte| is_space(byte)) {
            *at += 1;
            if *byte == b'\n' {
                return (columns, found);
            }
        }
        if *at == bytes.len() {
            return (columns, found);
        }
        let start = *at;
        while bytes.get(*at).is_some_and(|&byte| !is_space(byte)) {
            *at += 1;
        }
        if found < R::COLUMNS {
            columns[found] = &text[start..*at];
        }
        found += 1;
    }
}

/// ASCII white space; one comparison settles nearly every byte.
fn is_space(byte: u8) -> bool {
    byte <= b' ' && byte.is_ascii_whitespace()
}

/// The rows of a document that another row of its query has, as (group, place), in order; of those
/// that are an error, the one that stands first.
fn repeated<'a, R: Row<'a>>(
    rows: &Rows<'a, R>,
    bytes: &[u8],
    threads: usize,
) -> Result<Vec<(usize, usize)>, Fault> {
    let queries: Vec<(usize, QueryRows<'_, R>)> = rows.queries().into_iter().enumerate().collect();
    let shares: Vec<_> = queries.chunks(queries.len().div_ceil(threads).max(1)).collect();
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    for (mut found, fault) in in_threads(&shares, |share| repeated_in(share, bytes)) {
        all.append(&mut found);
        faults.extend(fault);
    }
    match faults.into_iter().min_by_key(|fault| fault.place) {
        Some(first) => Err(first),
        None => Ok(all),
    }
}

fn repeated_in<'a, R: Row<'a>>(
    queries: &[(usize, QueryRows<'_, R>)],
    bytes: &[u8],
) -> (Vec<(usize, usize)>, Option<Fault>) {
    let (mut found, mut first_fault) = (Vec::new(), None::<Fault>);
    let mut places = IdIndex::default();
    for (number, QueryRows { query, rows }) in queries {
        places.clear(rows.len());
        let document = |place: u32| rows[place as usize].document();
        for (place, row) in rows.iter().enumerate() {
            let Some(earlier) = places.insert(row.document(), place as u32, document) else {
                continue;
            };
            let earlier = &rows[earlier as usize];
            found.push((*number, place));
            let first = || line_of(earlier.document().as_ptr() as usize, bytes);
            if let Err(defect) = row.repeated(earlier, query, first) {
                let fault = Fault::new(row.document().as_bytes(), defect);
                if first_fault.as_ref().is_none_or(|known| fault.place < known.place) {
                    first_fault = Some(fault);
                }
                break;
            }
        }
    }
    (found, first_fault)
}

#[cfg(test)]
mod tests;
