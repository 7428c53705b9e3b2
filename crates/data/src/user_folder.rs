use std::path::{Path, PathBuf};

/// The folder that the environment variable `name` names, else `below` in the user's cache folder,
/// as the XDG base directory specification has it (`XDG_CACHE_HOME`, else `~/.cache`). `None` when
/// none of the variables gives a folder.
pub fn user_folder(name: &str, below: &Path) -> Option<PathBuf> {
    from_variables(name, below, |name| std::env::var_os(name).map(PathBuf::from))
}

fn from_variables(
    name: &str,
    below: &Path,
    variable: impl Fn(&str) -> Option<PathBuf>,
) -> Option<PathBuf> {
    let named = variable(name).filter(|path| !path.as_os_str().is_empty());
    // The specification: paths that are not absolute are to be ignored.
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    named.or_else(|| {
        let cache =
            absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
        cache.map(|cache| cache.join(below))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_variable_wins() {
        for below in ["secondpass", "secondpass/datasets"] {
            let with = |variables: &[(&str, &str)]| {
                from_variables("OWN", Path::new(below), |name| {
                    variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
                })
            };
            let beside = |folder: &str| Some(PathBuf::from(folder).join(below));
            let home = ("HOME", "/home/x");
            assert_eq!(with(&[home]), beside("/home/x/.cache"));
            let cache = ("XDG_CACHE_HOME", "/cache");
            assert_eq!(with(&[home, cache]), beside("/cache"));
            assert_eq!(with(&[home, cache, ("OWN", "sets")]), Some(PathBuf::from("sets")));
            let relative = [home, ("XDG_CACHE_HOME", "cache"), ("OWN", "")];
            assert_eq!(with(&relative), beside("/home/x/.cache"));
            assert_eq!(with(&[]), None);
        }
    }
}
