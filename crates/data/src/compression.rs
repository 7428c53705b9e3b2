//! gzip and zstd, chosen by a file's extension, for whatever is read or written here.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

/// How a file's bytes are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As they are.
    #[default]
    Plain,
    /// gzip (RFC 1952), several members one behind the other included; `.gz`.
    Gzip,
    /// Zstandard (RFC 8878), several frames included; `.zst`.
    Zstd,
}

impl Compression {
    /// All of them, plain first.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Gzip, Self::Zstd];

    /// What a file's extension says, in whatever case: `.gz`, `.zst`, or anything else for plain.
    pub fn of(path: &Path) -> Self {
        let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
        match extension.as_deref().and_then(|extension| extension.to_str()) {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            _ => Self::Plain,
        }
    }

    /// What the first bytes of a file say: the magic numbers of RFC 1952 and RFC 8878.
    pub(crate) fn of_bytes(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }

    /// What the extension adds to a name: `""`, `.gz`, `.zst`.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    /// For messages; `None` for plain.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// A file's content, unpacked as it is read.
    pub(crate) fn reader(self, file: File) -> io::Result<Box<dyn BufRead + Send>> {
        let file = BufReader::with_capacity(BUFFER, file);
        Ok(match self {
            Self::Plain => Box::new(file),
            Self::Gzip => {
                let unpacked = flate2::bufread::MultiGzDecoder::new(file);
                Box::new(BufReader::with_capacity(BUFFER, unpacked))
            }
            Self::Zstd => {
                let unpacked = zstd::stream::read::Decoder::with_buffer(file)?;
                Box::new(BufReader::with_capacity(BUFFER, unpacked))
            }
        })
    }

    /// Hands `write` a writer that packs into `file`, then ends the stream.
    pub(crate) fn write<E: From<io::Error>>(
        self,
        file: &mut File,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut file = io::BufWriter::with_capacity(BUFFER, file);
        match self {
            Self::Plain => write(&mut file)?,
            Self::Gzip => {
                // No time and no name in the header: equal content gives equal bytes.
                let level = flate2::Compression::default();
                let mut packed = flate2::write::GzEncoder::new(&mut file, level);
                write(&mut packed)?;
                packed.finish()?;
            }
            Self::Zstd => {
                let mut packed = zstd::stream::write::Encoder::new(&mut file, 0)?;
                packed.include_checksum(true)?;
                write(&mut packed)?;
                packed.finish()?;
            }
        }
        Ok(file.flush()?)
    }
}

const BUFFER: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_choose() {
        let of = |path: &str| Compression::of(Path::new(path));
        assert_eq!(of("a.jsonl.gz"), Compression::Gzip);
        assert_eq!(of("b/a.TSV.GZ"), Compression::Gzip);
        assert_eq!(of("a.zst"), Compression::Zstd);
        assert_eq!(of("gz"), Compression::Plain);
        assert_eq!(of("a.jsonl"), Compression::Plain);
        for compression in Compression::ALL {
            assert_eq!(of(&format!("x.tsv{}", compression.suffix())), compression);
        }
    }
}
