use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::exit::usage;

/// Where this program keeps what it can make again: `SECONDPASS_CACHE`, else `secondpass` in the
/// user's cache folder (`XDG_CACHE_HOME`, else `~/.cache`).
pub fn cache() -> Result<PathBuf> {
    from_variables(|name| std::env::var_os(name).map(PathBuf::from))
        .context("no folder to keep caches in: set SECONDPASS_CACHE to one")
        .map_err(usage)
}

/// A part of the cache: `scores`, `vectors`, `indexes`, `runs`.
pub fn part(name: &str) -> Result<PathBuf> {
    Ok(cache()?.join(name))
}

fn from_variables(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let named = variable("SECONDPASS_CACHE").filter(|path| !path.as_os_str().is_empty());
    // The XDG specification: paths that are not absolute are to be ignored.
    let absolute = |name| variable(name).filter(|path: &PathBuf| path.is_absolute());
    named.or_else(|| {
        let cache =
            absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
        cache.map(|cache| cache.join("secondpass"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_variable_wins() {
        let with = |variables: &[(&str, &str)]| {
            from_variables(|name| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
            })
        };
        let home = ("HOME", "/home/x");
        assert_eq!(with(&[home]), Some("/home/x/.cache/secondpass".into()));
        let cache = ("XDG_CACHE_HOME", "/cache");
        assert_eq!(with(&[home, cache]), Some("/cache/secondpass".into()));
        assert_eq!(with(&[home, ("SECONDPASS_CACHE", "here")]), Some("here".into()));
        let relative = [home, ("XDG_CACHE_HOME", "cache"), ("SECONDPASS_CACHE", "")];
        assert_eq!(with(&relative), Some("/home/x/.cache/secondpass".into()));
        assert_eq!(with(&[]), None);
    }
}
