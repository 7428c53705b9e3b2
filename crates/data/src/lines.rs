use std::fs::File;
use std::io::{BufRead, ErrorKind, Read};
use std::path::Path;

use crate::error::shortened;
use crate::{Compression, DataError, Defect};

/// A file that is read, unpacked on the way.
pub(crate) type Input = Box<dyn BufRead + Send>;

/// Opens a file of text, unpacked while it is read as its extension says (`.gz`, `.zst`): for
/// readers outside this crate that take a file as this crate's readers do.
///
/// # Errors
/// A file that is missing, cannot be read, or is packed under a name that does not say so. A
/// packed file that is cut off or corrupt fails while it is read.
pub fn open_text(path: &Path) -> Result<impl BufRead + Send + use<>, DataError> {
    open(path, "text, plain or packed as .gz or .zst").map(|lines| lines.reader)
}

/// Opens a file for reading by lines, unpacking it as its extension says; `hint` says what should
/// be there. Every reader of this crate opens its files here or with [`read_whole`].
pub(crate) fn open(path: &Path, hint: &'static str) -> Result<Lines<Input>, DataError> {
    let file = path.display().to_string();
    let compression = Compression::of(path);
    match File::open(path).and_then(|opened| compression.reader(opened)) {
        Ok(mut reader) => match unnamed(compression, &mut reader) {
            Some((format, suffix)) => Err(DataError::PackedUnnamed { file, format, suffix }),
            None => Ok(Lines { reader, file, compression }),
        },
        Err(source) if source.kind() == ErrorKind::NotFound => {
            Err(DataError::Missing { file, hint })
        }
        Err(source) => Err(DataError::Io { file, source }),
    }
}

/// How a file that is plain by its name is packed all the same, with the extension for it. Bytes
/// that cannot be had are told by whoever reads them; an unpacker would tell its fault only once.
fn unnamed(named: Compression, reader: &mut Input) -> Option<(&'static str, &'static str)> {
    if named != Compression::Plain {
        return None;
    }
    let packed = Compression::of_bytes(reader.fill_buf().ok()?);
    packed.name().map(|format| (format, packed.suffix()))
}

/// All bytes of a file, unpacked as its extension says.
pub(crate) fn read_whole(path: &Path, hint: &'static str) -> Result<Vec<u8>, DataError> {
    let mut lines = open(path, hint)?;
    let mut bytes = Vec::new();
    match lines.reader.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(source) => {
            let complete = bytes.iter().filter(|&&byte| byte == b'\n').count();
            Err(lines.unreadable(source, complete as u64))
        }
    }
}

/// UTF-8 text read line by line, knowing where it is.
pub(crate) struct Lines<R> {
    reader: R,
    file: String,
    compression: Compression,
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
        Self { reader, file: file.into(), compression: Compression::Plain }
    }

    /// The file's name, for messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// A line that was read before, to name it in an error.
    pub fn at(&self, number: u64) -> Line<'_> {
        Line { text: "", number, file: &self.file }
    }

    /// Hands over each line that is not blank. A byte order mark before the first is dropped. The
    /// first error ends the reading.
    pub fn each_filled(
        &mut self,
        mut take: impl FnMut(Line<'_>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        self.each(|line| take(line?))
    }

    /// The same for a reader that goes on behind a line that is no UTF-8, which comes as an error.
    pub fn each(
        &mut self,
        mut take: impl FnMut(Result<Line<'_>, DataError>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let (mut buffer, mut number) = (Vec::new(), 0);
        loop {
            buffer.clear();
            match self.reader.read_until(b'\n', &mut buffer) {
                Ok(0) => return Ok(()),
                Ok(_) => number += 1,
                Err(source) => return Err(self.unreadable(source, number)),
            }
            let bytes = buffer.strip_suffix(b"\n").unwrap_or(&buffer);
            let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            let line = Line { text: "", number, file: &self.file };
            match std::str::from_utf8(bytes) {
                Err(error) => {
                    let column = error.valid_up_to() + 1;
                    take(Err(line.fail(Defect::InvalidUtf8 { column })))?;
                }
                Ok(text) => {
                    let text = match number {
                        1 => text.strip_prefix('\u{feff}').unwrap_or(text),
                        _ => text,
                    };
                    if !text.trim().is_empty() {
                        take(Ok(Line { text, ..line }))?;
                    }
                }
            }
        }
    }

    /// The error for bytes that cannot be had behind this many whole lines.
    fn unreadable(&self, source: std::io::Error, lines: u64) -> DataError {
        let file = self.file.clone();
        match self.compression.name() {
            None => DataError::Io { file, source },
            Some(format) => DataError::Packed { file, format, lines, source },
        }
    }
}

impl<'a> Line<'a> {
    /// What would stand at a place of a file.
    pub fn new(text: &'a str, number: u64, file: &'a str) -> Self {
        Self { text, number, file }
    }

    /// The file's name, for messages.
    pub fn file(&self) -> &'a str {
        self.file
    }

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
        let (mut exact, mut found) = ([""; N], 0);
        for column in columns {
            if let Some(place) = exact.get_mut(found) {
                *place = column;
            }
            found += 1;
        }
        match found == N {
            true => Ok(exact),
            false => Err(self.fail(Defect::Columns { layout, found })),
        }
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

    #[test]
    fn streams_that_are_cut_or_corrupt_name_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        // Digits of a sequence that does not pack to nothing, so that a cut falls among the lines.
        let text: String = (0..20_000_u64)
            .map(|n| format!("{}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
            .collect();
        for (name, format) in [("a.gz", "gzip"), ("a.zst", "zstd")] {
            let path = folder.path().join(name);
            let write = |file: &mut dyn std::io::Write| Ok(file.write_all(text.as_bytes())?);
            crate::write_file(&path, crate::Access::Default, write).unwrap();
            let whole = std::fs::read(&path).unwrap();
            let mut corrupt = whole.clone();
            corrupt[whole.len() / 2] ^= 0x55;
            for bytes in [&whole[..whole.len() / 2], &whole[..whole.len() - 1], &corrupt] {
                std::fs::write(&path, bytes).unwrap();
                let mut count = 0;
                let read = open(&path, "").unwrap().each_filled(|_| {
                    count += 1;
                    Ok(())
                });
                let error = read.unwrap_err();
                let DataError::Packed { format: found, lines, .. } = &error else {
                    panic!("{error}");
                };
                // What a corrupt stream gives may hold blank lines, which are not handed over.
                assert!(
                    *lines == count || bytes.len() == corrupt.len() && *lines > count,
                    "{error}"
                );
                assert_eq!(*found, format);
                let start = format!("{}: after {lines} lines the {format} stream ", path.display());
                assert!(error.to_string().starts_with(&start), "{error}");
                let error = read_whole(&path, "").unwrap_err();
                assert!(matches!(error, DataError::Packed { .. }), "{error}");
            }
            // Two streams one behind the other, as parallel packers write them, are one file.
            std::fs::write(&path, [whole.clone(), whole].concat()).unwrap();
            assert_eq!(read_whole(&path, "").unwrap(), text.repeat(2).as_bytes());
        }
        let path = folder.path().join("plain.gz");
        std::fs::write(&path, "not packed at all").unwrap();
        let error = read_whole(&path, "").unwrap_err().to_string();
        assert!(error.contains("plain.gz: after 0 lines the gzip stream"), "{error}");
    }
    #[test]
    fn open_text_unpacks_by_the_extension_and_names_what_is_packed_without_one() {
        let folder = tempfile::tempdir().unwrap();
        for (name, format) in [("a", None), ("a.gz", Some("gzip")), ("a.zst", Some("zstd"))] {
            let path = folder.path().join(name);
            crate::write_file(&path, crate::Access::Default, |file| Ok(file.write_all(b"x\ny\n")?))
                .unwrap();
            let lines = open_text(&path).unwrap().lines();
            assert_eq!(lines.collect::<Result<Vec<_>, _>>().unwrap(), ["x", "y"]);
            let Some(format) = format else { continue };
            let unnamed = folder.path().join(format!("{format}.jsonl"));
            std::fs::rename(&path, &unnamed).unwrap();
            let error = open_text(&unnamed).err().unwrap().to_string();
            assert!(
                error.contains(&format!("{format}.jsonl: this is {format}, not text")),
                "{error}"
            );
            let error = read_whole(&unnamed, "").unwrap_err().to_string();
            assert!(error.contains(&format!("ends in {}", &name[1..])), "{error}");
        }
        let error = open_text(&folder.path().join("none")).err().unwrap();
        assert!(matches!(error, DataError::Missing { .. }), "{error}");
    }
}
