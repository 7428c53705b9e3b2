use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

/// How to get the library.
pub const INSTALL: &str = "`pip install onnxruntime` and activate its environment, or unpack a release of \
     https://github.com/microsoft/onnxruntime/releases; then set ORT_DYLIB_PATH to the library in it \
     (libonnxruntime.so, .dylib or onnxruntime.dll)";

/// The oldest release that has what is called here.
const OLDEST: u32 = ort::MINOR_VERSION;

/// The variable that names the library, as all who load it dynamically know it.
const VARIABLE: &str = "ORT_DYLIB_PATH";

/// An ONNX Runtime library on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// The file, or its bare name where the system's loader finds it.
    pub path: PathBuf,
    /// As it says itself, `1.32.0`.
    pub version: String,
    /// What led to it: `ORT_DYLIB_PATH`, an environment's variable, or the system.
    pub found_by: &'static str,
}

/// Why there is no runtime.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    /// None was found.
    #[error("no ONNX Runtime library was found; {INSTALL}")]
    NotFound,
    /// What was named cannot be loaded.
    #[error("{found_by} leads to {}, which cannot be used: {reason}; {INSTALL}", .path.display())]
    Broken {
        /// What led to it.
        found_by: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It is too old.
    #[error(
        "{} is ONNX Runtime {version}, and 1.{OLDEST} or newer is needed; {INSTALL}", .path.display()
    )]
    TooOld {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: String,
    },
    /// It was loaded, and does not start.
    #[error("ONNX Runtime does not start: {0}")]
    Start(String),
}

impl Library {
    /// Looks for the library: where `ORT_DYLIB_PATH` says (a file, or the folder that holds it), and
    /// nowhere else when it is set; in the active Python environment; where the system's loader looks.
    /// Loads it to ask for its version.
    ///
    /// # Errors
    /// When there is none, or the one found first cannot be used.
    pub fn find() -> Result<Self, RuntimeError> {
        Self::find_with(|name| std::env::var_os(name).map(PathBuf::from))
    }

    /// The library in a file.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn at(path: &Path) -> Result<Self, RuntimeError> {
        Self::open(path.to_owned(), "the path given")
    }

    fn find_with(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, RuntimeError> {
        let variable = |name| variable(name).filter(|value| !value.as_os_str().is_empty());
        if let Some(named) = variable(VARIABLE) {
            let broken = |reason: &str| RuntimeError::Broken {
                found_by: VARIABLE,
                path: named.clone(),
                reason: reason.to_owned(),
            };
            let path = match (named.is_dir(), named.exists()) {
                (true, _) => {
                    library_in(&named).ok_or_else(|| broken("no such library is in the folder"))?
                }
                (false, true) => named.clone(),
                (false, false) => return Err(broken("it is not there")),
            };
            return Self::open(path, VARIABLE);
        }
        for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
            if let Some(path) = variable(name).and_then(|prefix| in_python(&prefix)) {
                return Self::open(path, name);
            }
        }
        let bare = |name: &&'static str| Self::open(PathBuf::from(name), "the system's loader");
        BARE_NAMES.iter().map(bare).find(Result::is_ok).unwrap_or(Err(RuntimeError::NotFound))
    }

    fn open(path: PathBuf, found_by: &'static str) -> Result<Self, RuntimeError> {
        let path = match path.is_file() {
            true => path.canonicalize().unwrap_or(path),
            false => path,
        };
        let version = version(&path).map_err(|reason| {
            let path = path.clone();
            RuntimeError::Broken { found_by, path, reason }
        })?;
        let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
        let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        match (major, minor) >= (1, OLDEST) {
            true => Ok(Self { path, version, found_by }),
            false => Err(RuntimeError::TooOld { path, version }),
        }
    }
}

/// Starts this process's runtime; it has one, and later calls get the first one's, whatever they ask for.
pub(crate) fn start(library: &Library) -> Result<(Environment, Library), RuntimeError> {
    static STARTED: Mutex<Option<(Environment, Library)>> = Mutex::new(None);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(started) = &*started {
        return Ok(started.clone());
    }
    let failed = |error: &dyn std::fmt::Display| RuntimeError::Start(error.to_string());
    let environment = ort::init_from(&library.path).map_err(|error| failed(&error))?;
    let environment =
        environment.with_name("secondpass").build().map_err(|error| failed(&error))?;
    // What it warns of (an operator moved, a CPU it does not know) is nothing that a user can act on.
    environment.set_log_level(LogLevel::Error);
    Ok(started.insert((environment, library.clone())).clone())
}

/// The names under which a loader may know the library.
#[cfg(target_os = "windows")]
const BARE_NAMES: &[&str] = &["onnxruntime.dll"];
#[cfg(target_os = "macos")]
const BARE_NAMES: &[&str] = &["libonnxruntime.dylib"];
#[cfg(not(any(target_os = "windows", target_os = "macos")))]
const BARE_NAMES: &[&str] = &["libonnxruntime.so", "libonnxruntime.so.1"];

/// The library that the package `onnxruntime` brings into a Python environment.
fn in_python(prefix: &Path) -> Option<PathBuf> {
    let capi = |site: PathBuf| library_in(&site.join("onnxruntime").join("capi"));
    if let Some(found) = capi(prefix.join("Lib").join("site-packages")) {
        return Some(found);
    }
    let versions = std::fs::read_dir(prefix.join("lib")).ok()?.flatten();
    let mut pythons: Vec<PathBuf> = versions
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("python"))
        .map(|entry| entry.path().join("site-packages"))
        .collect();
    pythons.sort();
    pythons.into_iter().rev().find_map(capi)
}

/// The library in a folder, `libonnxruntime.so.1.32.0` and the like; of several the newest by name.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let is_library = |name: &str| match name.strip_prefix("lib").unwrap_or(name) {
        "onnxruntime.dll" | "onnxruntime.dylib" | "onnxruntime.so" => true,
        name => {
            name.starts_with("onnxruntime.so.")
                || (name.starts_with("onnxruntime.") && name.ends_with(".dylib"))
        }
    };
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let files = entries.filter(|entry| is_library(&entry.file_name().to_string_lossy()));
    files.map(|entry| entry.path()).max()
}

/// Loads a library and asks for its version.
fn version(path: &Path) -> Result<String, String> {
    // SAFETY: loading runs the library's initialisers. It is the one that the user named, or that the
    // system or the active environment has under ONNX Runtime's name; whoever can put another there
    // can replace this program as well.
    let library = unsafe { libloading::Library::new(path) }.map_err(|error| error.to_string())?;
    type GetApiBase = unsafe extern "C" fn() -> *const ort::sys::OrtApiBase;
    // SAFETY: every release since the first exports this symbol with this signature.
    let base = unsafe { library.get::<GetApiBase>(b"OrtGetApiBase") }
        .map_err(|_| "it does not export OrtGetApiBase, so it is another library".to_owned())?;
    // SAFETY: the function takes nothing and gives a static table, or null.
    let base = unsafe { base() };
    if base.is_null() {
        return Err("it gives no functions".to_owned());
    }
    // SAFETY: the table's second entry has always been this function, which gives a static text that
    // ends with 0; the library is still loaded.
    let text = unsafe { CStr::from_ptr(((*base).GetVersionString)()) };
    let version = text.to_string_lossy().into_owned();
    // Unloading and loading again would start its thread pools and allocators twice.
    std::mem::forget(library);
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &Path)]) -> Result<Library, RuntimeError> {
        Library::find_with(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_is_named_is_used_or_refused_and_nothing_else_is_tried() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("libonnxruntime.so");
        std::fs::write(&text, "no library").unwrap();
        let missing = folder.path().join("missing");
        let empty = folder.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        for (path, reason) in [
            (&missing, "it is not there"),
            (&empty, "no such library is in the folder"),
            (&text, ""),
        ] {
            let error = with(&[(VARIABLE, path)]).unwrap_err();
            let RuntimeError::Broken { found_by, reason: found, .. } = &error else {
                panic!("{error}")
            };
            assert_eq!(*found_by, VARIABLE);
            assert!(found.contains(reason) && error.to_string().contains("pip install"), "{error}");
        }
    }

    #[test]
    fn an_active_environment_is_searched() {
        let prefix = tempfile::tempdir().unwrap();
        assert_eq!(in_python(prefix.path()), None);
        let capi = prefix.path().join("lib/python3.12/site-packages/onnxruntime/capi");
        std::fs::create_dir_all(&capi).unwrap();
        for name in ["libonnxruntime_providers_shared.so", "onnxruntime_pybind11_state.so", "x.py"]
        {
            std::fs::write(capi.join(name), "").unwrap();
        }
        assert_eq!(in_python(prefix.path()), None);
        std::fs::write(capi.join("libonnxruntime.so.1.32.0"), "").unwrap();
        assert_eq!(in_python(prefix.path()), Some(capi.join("libonnxruntime.so.1.32.0")));
        let error = with(&[("VIRTUAL_ENV", prefix.path())]).unwrap_err();
        assert!(matches!(error, RuntimeError::Broken { found_by: "VIRTUAL_ENV", .. }), "{error}");
    }
}
