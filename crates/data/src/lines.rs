use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

use crate::error::shortened;
use crate::{DataError, Defect};

/// Opens a file for reading by lines; `hint` says what should be there.
pub(crate) fn open(path: &Path, hint: &'static str) -> Result<Lines<BufReader<File>>, DataError> {
    let file = path.display().to_string();
    match File::open(path) {
        Ok(opened) => Ok(Lines::new(BufReader::new(opened), file)),
        Err(source) if source.kind() == ErrorKind::NotFound => {
            Err(DataError::Missing { file, hint })
        }
        Err(source) => Err(DataError::Io { file, source }),
    }
}

/// UTF-8 text read line by line, knowing where it is.
pub(crate) struct Lines<R> {
    reader: R,
    file: String,
}

/// One line, without its end.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub text: &'a str,
    /// Counted from 1.
    pub number: u64,
    file: &'a str,
}

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R, file: impl Into<String>) -> Self {
        Self { reader, file: file.into() }
    }

    /// The file's name, for messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Hands over each line that is not blank. A byte order mark before the first is dropped.
    pub fn each_filled(
        &mut self,
        mut take: impl FnMut(Line<'_>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let (mut buffer, mut number) = (Vec::new(), 0);
        loop {
            buffer.clear();
            let read = self.reader.read_until(b'\n', &mut buffer);
            if read.map_err(|source| DataError::Io { file: self.file.clone(), source })? == 0 {
                return Ok(());
            }
            number += 1;
            let bytes = buffer.strip_suffix(b"\n").unwrap_or(&buffer);
            let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            let line = Line { text: "", number, file: &self.file };
            let text = std::str::from_utf8(bytes).map_err(|error| {
                line.fail(Defect::InvalidUtf8 { column: error.valid_up_to() + 1 })
            })?;
            let text = match number {
                1 => text.strip_prefix('\u{feff}').unwrap_or(text),
                _ => text,
            };
            if !text.trim().is_empty() {
                take(Line { text, ..line })?;
            }
        }
    }
}

impl<'a> Line<'a> {
    /// An error that names this line.
    pub fn fail(&self, defect: Defect) -> DataError {
        DataError::Line { file: self.file.to_owned(), line: self.number, defect }
    }

    /// The tab-separated columns, none of them empty; `layout` names them, separated by spaces.
    pub fn tabbed<const N: usize>(&self, layout: &'static str) -> Result<[&'a str; N], DataError> {
        let columns = self.exactly(self.text.split('\t').map(str::trim), layout)?;
        match columns.iter().zip(layout.split(' ')).find(|(column, _)| column.is_empty()) {
            Some((_, field)) => Err(self.fail(Defect::EmptyField { field })),
            None => Ok(columns),
        }
    }

    /// The columns separated by any white space, as TREC files have them.
    pub fn spaced<const N: usize>(&self, layout: &'static str) -> Result<[&'a str; N], DataError> {
        self.exactly(self.text.split_ascii_whitespace(), layout)
    }

    /// Checks that this line is the header with these names, separated by spaces in `expected`.
    pub fn header(&self, expected: &'static str) -> Result<(), DataError> {
        let found = self.text.split('\t').map(str::trim);
        match found.eq(expected.split(' ')) {
            true => Ok(()),
            false => {
                Err(self.fail(Defect::Header { expected, found: shortened(self.text.trim()) }))
            }
        }
    }

    /// A whole number in a column.
    pub fn grade(&self, column: &'static str, text: &str) -> Result<i32, DataError> {
        text.parse().map_err(|_| {
            self.fail(Defect::Number {
                column,
                text: shortened(text),
                expected: "a whole number that fits 32 bits",
            })
        })
    }

    fn exactly<const N: usize>(
        &self,
        columns: impl Iterator<Item = &'a str>,
        layout: &'static str,
    ) -> Result<[&'a str; N], DataError> {
        let columns: Vec<&str> = columns.collect();
        let found = columns.len();
        columns.try_into().map_err(|_| self.fail(Defect::Columns { layout, found }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<(u64, String)>, DataError> {
        let mut lines = Vec::new();
        Lines::new(bytes, "f").each_filled(|line| {
            lines.push((line.number, line.text.to_owned()));
            Ok(())
        })?;
        Ok(lines)
    }

    #[test]
    fn counts_blank_lines_and_drops_mark_and_ends() {
        let lines = read("\u{feff}a\r\n\n  \nb".as_bytes()).unwrap();
        assert_eq!(lines, [(1, "a".to_owned()), (4, "b".to_owned())]);
    }

    #[test]
    fn invalid_utf8_names_line_and_byte() {
        let error = read(b"a\nxy\xff\n").unwrap_err();
        assert_eq!(error.to_string(), "f line 2: invalid UTF-8 at byte 3; save the file as UTF-8");
    }
}
