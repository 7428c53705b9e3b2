//! Where the CUDA toolkit's part is that kernels are linked with.

#![cfg_attr(not(feature = "cuda"), allow(dead_code, reason = "only the probe asks"))]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The functions (exp, erf, tanh) that the compiler has no instructions for, below a toolkit's root.
const LIBDEVICE: &str = "nvvm/libdevice/libdevice.10.bc";

/// Where toolkits are, when no variable says it.
const USUAL: [&str; 4] = ["/usr/local/cuda", "/opt/cuda", "/usr/lib/cuda", "/usr"];

/// The roots that the kernels' compiler looks in, in its order (cubecl-llvm's `libdevice.rs`): what
/// `CUDA_PATH` says alone, or else the usual ones.
pub(super) fn roots(cuda_path: Option<OsString>) -> Vec<PathBuf> {
    match cuda_path.and_then(|path| path.into_string().ok()) {
        Some(path) => vec![path.into()],
        None => USUAL.into_iter().map(PathBuf::from).collect(),
    }
}

/// The file, if the compiler will find it. It stays with the first root that has the folder.
pub(super) fn libdevice(roots: &[PathBuf]) -> Option<PathBuf> {
    let has_folder = |root: &&PathBuf| {
        let folder = root.join(LIBDEVICE);
        folder.parent().is_some_and(Path::is_dir)
    };
    let file = roots.iter().find(has_folder)?.join(LIBDEVICE);
    file.is_file().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_stands_alone() {
        assert_eq!(roots(Some("/somewhere".into())), [PathBuf::from("/somewhere")]);
        let usual = roots(None);
        assert_eq!((usual.len(), usual[0].as_path()), (4, Path::new("/usr/local/cuda")));
    }

    #[test]
    fn the_first_root_with_the_folder_decides() {
        let home = tempfile::tempdir().unwrap();
        let roots = ["none", "empty", "whole"].map(|name| home.path().join(name));
        assert_eq!(libdevice(&roots), None);
        std::fs::create_dir_all(roots[2].join("nvvm/libdevice")).unwrap();
        std::fs::write(roots[2].join(LIBDEVICE), "BC").unwrap();
        assert_eq!(libdevice(&roots), Some(roots[2].join(LIBDEVICE)));
        std::fs::create_dir_all(roots[1].join("nvvm/libdevice")).unwrap();
        assert_eq!(libdevice(&roots), None, "the compiler looks no further");
    }
}
