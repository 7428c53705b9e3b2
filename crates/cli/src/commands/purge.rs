use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result};
use secondpass_evaluation::store;

use crate::args::PurgeArgs;
use crate::exit::usage;
use crate::folders;

/// The parts of the cache folder that this program makes, with the endings of its files there.
const PARTS: [(&str, &[&str]); 5] = [
    ("scores", &["scores"]),
    ("vectors", &["vectors"]),
    ("indexes", &["bm25"]),
    ("batches", &["json"]),
    // A database, with what it writes beside itself while it is open.
    ("kernels", &["db", "db-wal", "db-shm", "db-tshm"]),
];

/// Removes what experiments wrote, and what was kept to make them faster.
pub fn run(args: &PurgeArgs) -> Result<()> {
    if args.reports.is_empty() && !args.caches {
        return Err(usage(anyhow::anyhow!(
            "nothing to purge: name report folders, or --caches for scores, vectors and indexes"
        )));
    }
    let mut out = std::io::stdout().lock();
    for folder in &args.reports {
        let pages = [secondpass_report::files(), secondpass_report::bench_files()].concat();
        let removed = store::purge(folder, &pages)?;
        writeln!(out, "{}: {} files removed", folder.display(), removed.len())?;
    }
    if args.caches {
        let cache = folders::cache()?;
        for (part, extensions) in PARTS {
            let folder = cache.join(part);
            if let Some(bytes) = remove(&folder, extensions)? {
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

/// Removes the files of some kinds from a folder, and the folder if nothing else is in it; their size in
/// bytes, or `None` where there were none.
fn remove(folder: &Path, extensions: &[&str]) -> Result<Option<u64>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(None) };
    let mut bytes = None;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_file() && extension.is_some_and(|found| extensions.contains(&found)) {
            let size = fs::metadata(&path).map_or(0, |data| data.len());
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            bytes = Some(bytes.unwrap_or(0) + size);
        }
    }
    // What is not empty stays.
    let _ = fs::remove_dir(folder);
    Ok(bytes)
}
