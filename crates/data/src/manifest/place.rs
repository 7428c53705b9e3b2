use std::path::PathBuf;

use super::PullError;

/// The folder that pulled sets lie in: `SECONDPASS_DATASETS`, else `secondpass/datasets` in the
/// user's cache folder, as the XDG base directory specification has it (`XDG_CACHE_HOME`, else
/// `~/.cache`).
///
/// # Errors
/// When none of the variables gives a folder.
pub fn datasets_folder() -> Result<PathBuf, PullError> {
    from_variables(|name| std::env::var_os(name).map(PathBuf::from))
}

fn from_variables(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, PullError> {
    let named = variable("SECONDPASS_DATASETS").filter(|path| !path.as_os_str().is_empty());
    if let Some(folder) = named {
        return Ok(folder);
    }
    // The specification: paths that are not absolute are to be ignored.
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("secondpass").join("datasets"))
        .ok_or(PullError::NoFolder)
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
        assert_eq!(with(&[home]).unwrap(), PathBuf::from("/home/x/.cache/secondpass/datasets"));
        let cache = ("XDG_CACHE_HOME", "/cache");
        assert_eq!(with(&[home, cache]).unwrap(), PathBuf::from("/cache/secondpass/datasets"));
        let own = ("SECONDPASS_DATASETS", "sets");
        assert_eq!(with(&[home, cache, own]).unwrap(), PathBuf::from("sets"));
        let relative = [home, ("XDG_CACHE_HOME", "cache"), ("SECONDPASS_DATASETS", "")];
        assert_eq!(with(&relative).unwrap(), PathBuf::from("/home/x/.cache/secondpass/datasets"));
        assert!(matches!(with(&[]), Err(PullError::NoFolder)));
    }
}
