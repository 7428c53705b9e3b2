use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result};
use secondpass_evaluation::store;

use crate::args::PurgeArgs;
use crate::exit::usage;
use crate::folders;

/// The parts of the cache folder that this program makes; what else lies there stays.
const PARTS: [&str; 4] = ["scores", "vectors", "indexes", "runs"];

/// Removes what experiments wrote, and what was kept to make them faster.
pub fn run(args: &PurgeArgs) -> Result<()> {
    if args.reports.is_empty() && !args.caches {
        return Err(usage(anyhow::anyhow!(
            "nothing to purge: name report folders, or --caches for scores, vectors and indexes"
        )));
    }
    let mut out = std::io::stdout().lock();
    for folder in &args.reports {
        let removed = store::purge(folder, &secondpass_report::files())?;
        writeln!(out, "{}: {} files removed", folder.display(), removed.len())?;
    }
    if args.caches {
        let cache = folders::cache()?;
        for part in PARTS {
            let folder = cache.join(part);
            if let Some(bytes) = remove(&folder)? {
                writeln!(out, "{}: {:.1} MB removed", folder.display(), bytes as f64 / 1e6)?;
            }
        }
        let key = cache.join("texts.key");
        if key.exists() {
            fs::remove_file(&key).with_context(|| format!("cannot remove {}", key.display()))?;
            writeln!(out, "{}: removed; hashes made with it match no longer", key.display())?;
        }
    }
    Ok(())
}

/// Removes a folder; its size in bytes, or `None` where there was none.
fn remove(folder: &Path) -> Result<Option<u64>> {
    if !folder.exists() {
        return Ok(None);
    }
    let bytes = size(folder);
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    Ok(Some(bytes))
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => size(&entry.path()),
            _ => entry.metadata().map_or(0, |data| data.len()),
        })
        .sum()
}
