use std::path::Path;

use secondpass_evaluation::Machine;
use secondpass_kernels::Instructions;
use secondpass_model::{Card, DeviceError, DeviceSpec, cuda_card};

use super::{Finding, State, shown};

const SECTION: &str = "devices";
/// The name of the finding about NVIDIA cards.
pub const CUDA: &str = "cuda";

/// Where a model can compute.
pub fn look() -> Vec<Finding> {
    let driver = Driver::under(Path::new("/"), std::env::var_os("LD_LIBRARY_PATH"));
    vec![cpu(), burn(), cuda(&driver, cuda_card(0))]
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

/// The first card: what lies about of its driver, and what the driver itself says, which only a build with
/// CUDA asks.
fn cuda(driver: &Driver, asked: Result<Card, DeviceError>) -> Finding {
    let built = !matches!(asked, Err(DeviceError::NotBuilt { .. }));
    let cards = match driver.cards {
        0 => "no card (no /dev/nvidia0)".to_owned(),
        1 => "1 card".to_owned(),
        many => format!("{many} cards"),
    };
    let library = if driver.library { "libcuda" } else { "no libcuda" };
    let version = driver.version.as_deref().unwrap_or("no driver in the kernel");
    let build = if built { "this build has CUDA" } else { "this build has no CUDA" };
    let seen = format!("{build}; {cards}, {library}, {version}");
    let (state, found, advice) = match &asked {
        Ok(Card { name, driver, free, total }) => (
            State::Ok,
            format!("{seen}; {name}, {driver}, {} free of {}", shown(*free), shown(*total)),
            "nothing to do; `auto` chooses cuda:0, where f32 multiplies in TF32".to_owned(),
        ),
        Err(DeviceError::NotBuilt { .. }) => without_cuda(driver, seen),
        Err(error) => {
            // The error says what is wrong and what to do.
            let text = error.to_string();
            let (found, advice) = text.split_once("; ").unwrap_or((&text, "use --device cpu"));
            let state = if driver.cards > 0 { State::Warning } else { State::Absent };
            (state, format!("{seen}; {found}"), advice.to_owned())
        }
    };
    let finding = Finding::new(SECTION, CUDA, state, found)
        .advise(advice)
        .with("built", built)
        .with("cards", driver.cards)
        .with("libcuda", driver.library)
        .with("driver", driver.version.clone());
    match asked {
        Ok(card) => finding
            .with("name", card.name)
            .with("speaks", card.driver.to_string())
            .with("free", card.free)
            .with("total", card.total),
        Err(_) => finding,
    }
}

fn without_cuda(driver: &Driver, seen: String) -> (State, String, String) {
    let (state, advice) = match (driver.cards > 0, driver.library) {
        (true, true) => {
            (State::Warning, "rebuild with `--features cuda` (it links LLVM 23) to use the card")
        }
        (true, false) => (
            State::Warning,
            "install the NVIDIA driver's libraries (libcuda.so.1), or start the container with them \
             (--gpus all); then rebuild with `--features cuda`",
        ),
        (false, _) => (
            State::Absent,
            "nothing to do without a card; with one, install its driver and rebuild with `--features \
             cuda`",
        ),
    };
    (state, seen, advice.to_owned())
}

#[cfg(test)]
mod tests {
    use secondpass_model::CudaVersion;

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
        let device = DeviceSpec::Cuda(0);
        let card = || Card {
            name: "NVIDIA H100".to_owned(),
            driver: CudaVersion(13_000),
            free: 70_000_000_000,
            total: 80_000_000_000,
        };
        let not_built = || Err(DeviceError::NotBuilt { device, feature: "cuda" });
        for (driver, asked, state, says, advice) in [
            (driver(1, true), Ok(card()), State::Ok, "70.0 GB free of 80.0 GB", "nothing to do"),
            (driver(1, true), not_built(), State::Warning, "no CUDA", "--features cuda"),
            (driver(1, false), not_built(), State::Warning, "no libcuda", "libcuda.so.1"),
            (driver(0, false), not_built(), State::Absent, "no card", "install its driver"),
            (
                driver(1, false),
                Err(DeviceError::NoDriver { device }),
                State::Warning,
                "libcuda.so.1",
                "install the driver",
            ),
            (
                driver(1, true),
                Err(DeviceError::NoToolkit { device, looked: vec!["/opt/cuda".into()] }),
                State::Warning,
                "libdevice",
                "CUDA_PATH",
            ),
            (
                driver(0, true),
                Err(DeviceError::NotFound { device, found: 0 }),
                State::Absent,
                "no card",
                "nvidia-smi",
            ),
        ] {
            let finding = cuda(&driver, asked);
            assert_eq!(finding.state, state, "{}", finding.found);
            assert!(finding.found.contains(says), "{}", finding.found);
            assert!(finding.advice.as_ref().unwrap().contains(advice), "{:?}", finding.advice);
        }
    }
}
