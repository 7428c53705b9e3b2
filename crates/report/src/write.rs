//! Files that appear whole or not at all, and that only their owner may read: a report may show users'
//! queries and documents, and its pictures their names.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::ReportError;
use crate::charts::{DrawnChart, Raster};

/// Makes a folder and those above it.
pub(crate) fn folder(path: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(path).map_err(|source| ReportError::Folder { path: path.into(), source })
}

/// Writes each chart twice into `charts/` within a folder, and makes both where they are missing.
pub(crate) fn pictures(
    into: &Path,
    charts: &[DrawnChart],
    rasters: &[Raster],
) -> Result<Vec<PathBuf>, ReportError> {
    folder(into)?;
    let pictures = into.join("charts");
    folder(&pictures)?;
    let mut written = Vec::new();
    for (chart, raster) in charts.iter().zip(rasters) {
        let svg = pictures.join(chart.name).with_extension("svg");
        bytes(&svg, chart.svg.as_bytes())?;
        let picture = pictures.join(chart.name).with_extension("png");
        png(&picture, raster)?;
        written.extend([svg, picture]);
    }
    Ok(written)
}

/// Writes `bytes` beside `path`, then renames: a reader sees the old file or the new one.
pub(crate) fn bytes(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let temporary = temporary(path);
    let written = private(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|source| {
        // Best effort: the write's own error is the one to tell.
        let _ = fs::remove_file(&temporary);
        ReportError::Write { path: path.into(), source }
    })
}

/// Writes a picture as PNG, likewise whole or not at all.
pub(crate) fn png(path: &Path, raster: &Raster) -> Result<(), ReportError> {
    let temporary = temporary(path);
    // The encoder opens the path itself; a file that is there keeps its mode.
    let written = private(&temporary)
        .map_err(|source| source.into())
        .and_then(|_| raster.save_png(&temporary))
        .and_then(|()| fs::rename(&temporary, path).map_err(|source| source.into()));
    written.map_err(|source| {
        let _ = fs::remove_file(&temporary);
        ReportError::Picture { path: path.into(), source }
    })
}

/// A new file, of mode 0600 on Unix, in place of what a broken run may have left.
fn private(path: &Path) -> std::io::Result<fs::File> {
    let _ = fs::remove_file(path);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A name in the same folder, so that the rename stays within one file system. It keeps the ending,
/// by which the picture encoder chooses its format.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{}-{name}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.md");
        bytes(&path, b"old").unwrap();
        bytes(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_names_the_final_path_and_cleans_up() {
        let folder = tempfile::tempdir().unwrap();
        // A folder under the file's name makes the rename fail.
        let path = folder.path().join("report.md");
        fs::create_dir(&path).unwrap();
        let error = bytes(&path, b"new").unwrap_err();
        assert!(error.to_string().contains("report.md"), "{error}");
        assert!(!error.to_string().contains(&std::process::id().to_string()), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
