use super::{Finding, State};

const SECTION: &str = "runtimes";
/// The name of the finding about ONNX Runtime.
pub const ONNX: &str = "onnxruntime";

/// Libraries that are loaded when they are asked for.
pub fn look() -> Vec<Finding> {
    vec![onnx()]
}

#[cfg(feature = "onnx")]
fn onnx() -> Finding {
    use secondpass_onnx::{INSTALL, Library, RuntimeError};
    match Library::find() {
        Ok(Library { path, version, found_by }) => {
            let shown = path.display().to_string();
            let found = format!("{version}, {shown}, found by {found_by}");
            Finding::new(SECTION, ONNX, State::Ok, found)
                .advise("nothing to do; `--onnx` and kind = \"onnx\" use it")
                .with("built", true)
                .with("version", version)
                .with("path", shown)
        }
        Err(RuntimeError::NotFound) => {
            let found = "no library found".to_owned();
            Finding::new(SECTION, ONNX, State::Absent, found)
                .advise(format!("for models in ONNX files: {INSTALL}"))
                .with("built", true)
        }
        Err(error @ RuntimeError::Broken { found_by: "ORT_DYLIB_PATH", .. }) => {
            broken(State::Broken, &error)
        }
        Err(error) => broken(State::Warning, &error),
    }
}

/// The error says what to do.
#[cfg(feature = "onnx")]
fn broken(state: State, error: &secondpass_onnx::RuntimeError) -> Finding {
    let text = error.to_string();
    let (found, advice) = text.split_once("; ").unwrap_or((&text, "install another release"));
    Finding::new(SECTION, ONNX, state, found.to_owned()).advise(advice).with("built", true)
}

#[cfg(not(feature = "onnx"))]
fn onnx() -> Finding {
    Finding::new(SECTION, ONNX, State::Absent, "not in this build".to_owned())
        .advise("rebuild with `--features onnx` for models in ONNX files")
        .with("built", false)
}
