use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Manifest, ManifestError};

/// The sets that can be asked for by name.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Each with where it came from.
    manifests: BTreeMap<String, (String, Manifest)>,
}

impl Catalogue {
    /// The manifests that are compiled in.
    ///
    /// # Errors
    /// None in a build whose tests pass.
    pub fn built_in() -> Result<Self, ManifestError> {
        let mut catalogue = Self { manifests: BTreeMap::new() };
        for (file, text) in BUILT_IN {
            catalogue.add(file, text)?;
        }
        Ok(catalogue)
    }

    /// The manifests that are compiled in and, where the variable `SECONDPASS_MANIFESTS` names a
    /// folder, those in it.
    ///
    /// # Errors
    /// As [`Catalogue::with_folder`]; a folder that cannot be read is told with the variable.
    pub fn from_env() -> Result<Self, ManifestError> {
        Self::from_variable(std::env::var_os(VARIABLE).map(PathBuf::from))
    }

    fn from_variable(folder: Option<PathBuf>) -> Result<Self, ManifestError> {
        let catalogue = Self::built_in()?;
        // An empty variable is one that is not set, as everywhere.
        let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) else {
            return Ok(catalogue);
        };
        let shown = folder.display().to_string();
        catalogue.with_folder(&folder).map_err(|error| match error {
            ManifestError::Io { file, source } if file == shown => {
                ManifestError::Io { file: format!("{file} (named by {VARIABLE})"), source }
            }
            other => other,
        })
    }

    /// Adds the manifests in a folder of the user's own: every `NAME.toml` but lockfiles.
    ///
    /// # Errors
    /// A folder that cannot be read, a manifest that cannot be used, is not named after its set, or
    /// has the name of another.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self, ManifestError> {
        let failed =
            |file: &Path, source| ManifestError::Io { file: file.display().to_string(), source };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|source| failed(folder, source))? {
            let path = entry.map_err(|source| failed(folder, source))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(".toml") && !name.ends_with(".lock.toml") && !name.starts_with('.') {
                files.push(path);
            }
        }
        files.sort();
        for path in files {
            let text = std::fs::read_to_string(&path).map_err(|source| failed(&path, source))?;
            self.add(&path.display().to_string(), &text)?;
        }
        Ok(self)
    }

    /// All sets, by name.
    pub fn list(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests.values().map(|(_, manifest)| manifest)
    }

    /// The set of a name.
    ///
    /// # Errors
    /// [`ManifestError::NoSuch`], with the names there are.
    pub fn get(&self, name: &str) -> Result<&Manifest, ManifestError> {
        match self.manifests.get(name) {
            Some((_, manifest)) => Ok(manifest),
            None => Err(ManifestError::NoSuch {
                name: name.to_owned(),
                available: self.manifests.keys().cloned().collect(),
            }),
        }
    }

    fn add(&mut self, file: &str, text: &str) -> Result<(), ManifestError> {
        let manifest = Manifest::parse(file, text)?;
        let name = manifest.name.clone();
        let stem = Path::new(file).file_stem().unwrap_or_default();
        if stem != name.as_str() {
            return Err(ManifestError::FileName { file: file.to_owned(), name });
        }
        match self.manifests.get(&name) {
            Some((first, _)) => {
                Err(ManifestError::Duplicate { file: file.to_owned(), name, first: first.clone() })
            }
            None => {
                self.manifests.insert(name, (file.to_owned(), manifest));
                Ok(())
            }
        }
    }
}

/// Names a folder of manifests of the user's own.
const VARIABLE: &str = "SECONDPASS_MANIFESTS";

macro_rules! built_in {
    ($($file:literal),* $(,)?) => {
        &[$((
            concat!("datasets/", $file),
            include_str!(concat!("../../../../datasets/", $file)),
        )),*]
    };
}

/// The files in `datasets/` with their names.
const BUILT_IN: &[(&str, &str)] = built_in![
    "arguana.toml",
    "climate-fever.toml",
    "dbpedia-entity.toml",
    "fever.toml",
    "fiqa.toml",
    "hotpotqa.toml",
    "msmarco.toml",
    "nfcorpus.toml",
    "nq.toml",
    "quora.toml",
    "scidocs.toml",
    "scifact.toml",
    "webis-touche2020.toml",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::NOT_STATED;

    #[test]
    fn every_file_in_datasets_is_compiled_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".toml"))
            .map(|name| format!("datasets/{name}"))
            .collect();
        files.sort();
        assert_eq!(files, BUILT_IN.iter().map(|(file, _)| (*file).to_owned()).collect::<Vec<_>>());
    }

    #[test]
    fn every_built_in_says_where_it_was_read_and_under_which_licence() {
        let catalogue = Catalogue::built_in().unwrap();
        for manifest in catalogue.list() {
            let name = &manifest.name;
            assert!(!manifest.sources.is_empty() && manifest.read.is_some(), "{name}");
            assert_ne!(manifest.license, NOT_STATED, "{name}");
            assert!(manifest.splits().any(|split| split == "test"), "{name}");
            assert!(manifest.citations.iter().all(|c| !c.authors.is_empty() && c.year.is_some()));
            assert!(!manifest.citations.is_empty(), "{name}");
            let files = [&manifest.corpus, &manifest.queries].into_iter();
            for file in files.chain(manifest.qrels.values()) {
                // The layout of each repository was read from one of its own pages.
                let page = format!("https://huggingface.co/datasets/{}/", file.hub);
                let read = |revision: &str| {
                    let revision = revision.replace('/', "%2F");
                    manifest.sources.iter().any(|source| {
                        source.strip_prefix(&page).is_some_and(|rest| rest.ends_with(&revision))
                    })
                };
                assert!(
                    read(&file.revision),
                    "{name}: no source shows {} {}",
                    file.hub,
                    file.revision
                );
            }
        }
    }

    #[test]
    fn the_example_in_the_documentation_can_be_used() {
        let text = include_str!("../../../../datasets/README.md");
        let example = text.split("```toml").nth(1).and_then(|rest| rest.split("```").next());
        let manifest = Manifest::parse("handbook.toml", example.unwrap()).unwrap();
        assert_eq!(manifest.name, "handbook");
        assert!(manifest.corpus.sha256.is_some() && manifest.corpus.bytes.is_some());
    }

    #[test]
    fn a_folder_of_the_users_own_is_added() {
        let folder = tempfile::tempdir().unwrap();
        let text = BUILT_IN[0].1.replace("name = \"arguana\"", "name = \"mine\"");
        let put = |name: &str| std::fs::write(folder.path().join(name), &text).unwrap();
        put("mine.toml");
        std::fs::write(folder.path().join("mine.lock.toml"), "no manifest").unwrap();
        let own = || Catalogue::built_in().unwrap().with_folder(folder.path());
        assert_eq!(own().unwrap().get("mine").unwrap().name, "mine");
        put("other.toml");
        let error = own().unwrap_err().to_string();
        assert!(error.ends_with("rename it to mine.toml, or change 'name'"), "{error}");
        std::fs::remove_file(folder.path().join("other.toml")).unwrap();
        std::fs::write(folder.path().join("arguana.toml"), BUILT_IN[0].1).unwrap();
        let error = own().unwrap_err().to_string();
        assert!(error.contains("already a set 'arguana' (datasets/arguana.toml)"), "{error}");
        let missing = Catalogue::built_in().unwrap().with_folder(Path::new("no/such/folder"));
        assert!(missing.unwrap_err().to_string().starts_with("no/such/folder: "));
    }

    #[test]
    fn the_variable_names_a_folder_of_the_users_own() {
        let folder = tempfile::tempdir().unwrap();
        let text = BUILT_IN[0].1.replace("name = \"arguana\"", "name = \"mine\"");
        std::fs::write(folder.path().join("mine.toml"), text).unwrap();
        let with = |folder: Option<&Path>| Catalogue::from_variable(folder.map(Path::to_owned));
        let names = |catalogue: Catalogue| catalogue.list().count();
        assert!(with(Some(folder.path())).unwrap().get("mine").is_ok());
        for unset in [None, Some(Path::new(""))] {
            assert_eq!(names(with(unset).unwrap()), BUILT_IN.len());
        }
        let error = with(Some(Path::new("no/such"))).unwrap_err().to_string();
        assert!(error.starts_with("no/such (named by SECONDPASS_MANIFESTS): "), "{error}");
    }

    #[test]
    fn an_unknown_name_lists_those_there_are() {
        let error = Catalogue::built_in().unwrap().get("scifakt").unwrap_err().to_string();
        assert!(error.starts_with("there is no set 'scifakt'; there are: arguana, "), "{error}");
    }
}
