use std::path::{Component, Path, PathBuf};

use hf_hub::RepoTypeModel;

use super::remote::Remote;
use super::{HubError, HubSettings, OnProgress, Place};

/// Files of a model's folder or repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFiles {
    /// Where each file lies, in the order they were asked for; `None` for those that are not there.
    pub paths: Vec<Option<PathBuf>>,
    /// The commit on the hub, where one file at least came from it; `None` for a folder.
    pub revision: Option<String>,
}

/// Finds some of a model's files by their names, with `/` between folders, as [`super::resolve`] finds
/// those that every model has.
///
/// # Errors
/// As [`super::resolve`], but that files may be missing; a name that leads out of the folder.
pub fn named_files(
    spec: &str,
    revision: Option<&str>,
    names: &[&str],
    settings: &HubSettings,
    progress: &OnProgress,
) -> Result<NamedFiles, HubError> {
    if let Some(outside) = names.iter().find(|name| !is_inside(name)) {
        return Err(HubError::OutsideFile { file: (*outside).to_owned() });
    }
    match Place::of(spec)? {
        Place::Folder(_) if revision.is_some() => {
            Err(HubError::RevisionOfFolder { folder: spec.to_owned() })
        }
        Place::Folder(folder) => {
            let paths =
                names.iter().map(|name| Some(folder.join(name)).filter(|path| path.is_file()));
            Ok(NamedFiles { paths: paths.collect(), revision: None })
        }
        Place::Hub { owner, name } => {
            let asked = revision.unwrap_or("main");
            let remote = Remote::<RepoTypeModel>::open((owner, name), asked, settings, progress)?;
            let paths =
                names.iter().map(|name| remote.file(name)).collect::<Result<Vec<_>, _>>()?;
            let found =
                paths.iter().zip(names).find_map(|(path, name)| Some((path.as_ref()?, name)));
            let commit = found.and_then(|(path, name)| {
                let folder = path.ancestors().nth(name.split('/').count())?;
                Some(folder.file_name()?.to_string_lossy().into_owned())
            });
            if let Some(commit) = &commit {
                remote.note_revision(commit)?;
            }
            Ok(NamedFiles { paths, revision: commit })
        }
    }
}

/// Whether a name leads to a file in the folder or below it.
fn is_inside(name: &str) -> bool {
    let plain = |part| matches!(part, Component::Normal(_));
    !name.is_empty() && Path::new(name).components().all(plain) && !name.contains(['\\', ':', '\0'])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn find(spec: &Path, revision: Option<&str>, names: &[&str]) -> Result<NamedFiles, HubError> {
        let settings = HubSettings::from_variables(|_| None);
        let progress: OnProgress = Arc::new(|_| ());
        named_files(&spec.display().to_string(), revision, names, &settings, &progress)
    }

    #[test]
    fn a_folder_has_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("onnx")).unwrap();
        std::fs::write(folder.path().join("onnx/model.onnx"), "").unwrap();
        let found = find(folder.path(), None, &["model.onnx", "onnx/model.onnx", "onnx"]).unwrap();
        let paths = vec![None, Some(folder.path().join("onnx/model.onnx")), None];
        assert_eq!(found, NamedFiles { paths, revision: None });
        let error = find(folder.path(), Some("main"), &["model.onnx"]).unwrap_err();
        assert!(matches!(error, HubError::RevisionOfFolder { .. }), "{error}");
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["../model.onnx", "/model.onnx", "onnx/../../model.onnx", "", "c:\\model.onnx"]
        {
            let error = find(folder.path(), None, &["config.json", name]).unwrap_err();
            assert!(matches!(&error, HubError::OutsideFile { file } if file == name), "{error}");
        }
    }
}
