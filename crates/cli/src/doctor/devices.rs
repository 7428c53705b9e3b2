use std::path::Path;

use secondpass_evaluation::Machine;
use secondpass_kernels::Instructions;
use secondpass_model::DeviceSpec;

use super::{Finding, State};

const SECTION: &str = "devices";
/// The name of the finding about NVIDIA cards.
pub const CUDA: &str = "cuda";

/// Where a model can compute.
pub fn look() -> Vec<Finding> {
    let driver = Driver::under(Path::new("/"), std::env::var_os("LD_LIBRARY_PATH"));
    vec![cpu(), burn(), cuda(cfg!(feature = "cuda"), &driver)]
}

fn cpu() -> Finding {
    let machine = Machine::here();
    let sets: Vec<&str> = Instructions::available().into_iter().map(Instructions::name).collect();
    let used = Instructions::detect().name();
    let found = format!("{}, {} cores, computes with {used}", machine.cpu, machine.cores);
    let (state, advice) = match used {
        "scalar" => (
            State::Warning,
            "this processor has none of the vector instructions that the kernels know (AVX2 with FMA, \
             AVX-512, NEON), so scoring is slow: use another machine, a card, or a hosted reranker"
                .to_owned(),
        ),
        _ => (State::Ok, format!("nothing to do; `--device {}` asks for it", DeviceSpec::Cpu)),
    };
    Finding::new(SECTION, "cpu", state, found)
        .advise(advice)
        .with("cpu", machine.cpu)
        .with("cores", machine.cores)
        .with("instruction_sets", sets)
        .with("used", used)
}

fn burn() -> Finding {
    let ndarray = cfg!(feature = "ndarray");
    let found = match ndarray {
        true => "flex and ndarray, burn's own on the CPU, are in this build",
        false => "flex, burn's own on the CPU, is in this build; ndarray is not",
    };
    Finding::new(SECTION, "burn", State::Ok, found.to_owned())
        .advise("nothing to do; both are slower than cpu, and there to compare with")
        .with("flex", true)
        .with("ndarray", ndarray)
}

/// What this machine has for NVIDIA cards.
#[derive(Debug, Default, PartialEq, Eq)]
struct Driver {
    /// The kernel's module, as it names itself.
    version: Option<String>,
    /// How many cards have a device node.
    cards: usize,
    /// The driver's library for programs.
    library: bool,
}

impl Driver {
    fn under(root: &Path, library_path: Option<std::ffi::OsString>) -> Self {
        let text = std::fs::read_to_string(root.join("proc/driver/nvidia/version"));
        let version = text.ok().and_then(|text| text.lines().next().map(str::to_owned));
        let nodes = std::fs::read_dir(root.join("dev")).into_iter().flatten().flatten();
        let is_card = |name: &str| {
            let number = name.strip_prefix("nvidia").unwrap_or_default();
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        };
        let cards = nodes.filter(|node| is_card(&node.file_name().to_string_lossy())).count();
        let usual = LIBRARIES.iter().map(|folder| root.join(folder));
        let named = library_path.unwrap_or_default();
        let library = usual
            .chain(std::env::split_paths(&named))
            .any(|folder| folder.join("libcuda.so.1").exists());
        Self { version, cards, library }
    }
}

/// Where distributions, containers and WSL put the driver's library.
const LIBRARIES: [&str; 7] = [
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/aarch64-linux-gnu",
    "usr/lib64",
    "usr/lib",
    "usr/local/nvidia/lib64",
    "usr/lib/wsl/lib",
    "run/opengl-driver/lib",
];

fn cuda(built: bool, driver: &Driver) -> Finding {
    let cards = match driver.cards {
        0 => "no card (no /dev/nvidia0)".to_owned(),
        1 => "1 card".to_owned(),
        many => format!("{many} cards"),
    };
    let library = if driver.library { "libcuda" } else { "no libcuda" };
    let version = driver.version.as_deref().unwrap_or("no driver in the kernel");
    let build = if built { "this build has CUDA" } else { "this build has no CUDA" };
    let (state, advice) = match (built, driver.cards > 0, driver.library) {
        (true, true, true) => (State::Ok, "nothing to do; `auto` chooses cuda:0"),
        (_, true, false) => (
            State::Warning,
            "install the NVIDIA driver's libraries (libcuda.so.1), or start the container with them \
             (--gpus all)",
        ),
        (false, true, true) => {
            (State::Warning, "rebuild with `--features cuda` (it links LLVM 23) to use the card")
        }
        (true, false, _) => (
            State::Absent,
            "no card is seen: check `nvidia-smi`, start the container with --gpus all, or use \
             --device cpu",
        ),
        (false, false, _) => (
            State::Absent,
            "nothing to do without a card; with one, install its driver and rebuild with `--features \
             cuda`",
        ),
    };
    Finding::new(SECTION, CUDA, state, format!("{build}; {cards}, {library}, {version}"))
        .advise(advice)
        .with("built", built)
        .with("cards", driver.cards)
        .with("libcuda", driver.library)
        .with("driver", driver.version.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_told_by_its_node_and_the_drivers_files() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(Driver::under(root.path(), None), Driver::default());
        let write = |name: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "NVRM version: 570.1\nGCC version: 12\n").unwrap();
        };
        for node in ["nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia", "null"] {
            write(&format!("dev/{node}"));
        }
        write("proc/driver/nvidia/version");
        let found = Driver::under(root.path(), None);
        let version = Some("NVRM version: 570.1".to_owned());
        assert_eq!(found, Driver { version, cards: 2, library: false });
        write("opt/cuda/libcuda.so.1");
        let paths = Some(root.path().join("opt/cuda").into_os_string());
        assert!(Driver::under(root.path(), paths).library);
        write("usr/lib64/libcuda.so.1");
        assert!(Driver::under(root.path(), None).library);
    }

    #[test]
    fn every_state_says_what_to_do() {
        let driver = |cards, library| Driver { version: None, cards, library };
        for (built, driver, state, advice) in [
            (true, driver(1, true), State::Ok, "nothing to do"),
            (false, driver(1, true), State::Warning, "--features cuda"),
            (true, driver(1, false), State::Warning, "libcuda.so.1"),
            (true, driver(0, true), State::Absent, "nvidia-smi"),
            (false, driver(0, false), State::Absent, "install its driver"),
        ] {
            let finding = cuda(built, &driver);
            assert_eq!(finding.state, state, "{}", finding.found);
            assert!(finding.advice.unwrap().contains(advice));
        }
    }
}
