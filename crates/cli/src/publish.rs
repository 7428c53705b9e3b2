use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Fills a folder all at once: `fill` writes into a folder beside the final files, which are then
/// renamed into place. Whatever goes wrong while writing (a full disk above all) leaves what was
/// there, and no mixture of two runs. Gives the final paths of what `fill` gave.
pub fn publish(
    folder: &Path,
    fill: impl FnOnce(&Path) -> Result<Vec<PathBuf>>,
) -> Result<Vec<PathBuf>> {
    let staging = folder.join(".unfinished");
    clear(&staging)?;
    let filled = fill(&staging).and_then(|files| {
        rename_all(&staging, folder)?;
        Ok(files)
    });
    let cleared = clear(&staging);
    let files = filled?;
    cleared?;
    let place = |file: PathBuf| file.strip_prefix(&staging).map(|f| folder.join(f)).unwrap_or(file);
    Ok(files.into_iter().map(place).collect())
}

fn clear(staging: &Path) -> Result<()> {
    match fs::remove_dir_all(staging) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", staging.display()))
        }
        _ => Ok(()),
    }
}

fn rename_all(from: &Path, to: &Path) -> Result<()> {
    let at = |path: &Path| format!("cannot move a file into {}", path.display());
    for entry in fs::read_dir(from).with_context(|| at(to))? {
        let entry = entry.with_context(|| at(to))?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&target).with_context(|| at(&target))?;
            rename_all(&entry.path(), &target)?;
        } else {
            fs::rename(entry.path(), &target).with_context(|| at(&target))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn all_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "old").unwrap();
        fs::create_dir(folder.path().join("charts")).unwrap();
        fs::write(folder.path().join("charts/mine"), "kept").unwrap();

        let failed = publish(folder.path(), |staging| {
            fs::create_dir_all(staging)?;
            fs::write(staging.join("a"), "new")?;
            anyhow::bail!("full")
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "old");
        assert_eq!(files(folder.path()), ["a", "charts"]);

        let written = publish(folder.path(), |staging| {
            fs::create_dir_all(staging.join("charts"))?;
            fs::write(staging.join("a"), "new")?;
            fs::write(staging.join("charts/b"), "new")?;
            Ok(vec![staging.join("charts/b")])
        });
        assert_eq!(written.unwrap(), [folder.path().join("charts/b")]);
        assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "new");
        assert_eq!(files(&folder.path().join("charts")), ["b", "mine"]);
        assert_eq!(files(folder.path()), ["a", "charts"]);
    }
}
