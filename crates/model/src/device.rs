use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Device;
use secondpass_text::ScoreError;

use crate::cuda::{self, Card, CudaVersion, Gigabytes, Need, OLDEST, OLDEST_RELEASE};
use crate::{Dtype, ModelConfig};

/// Where a model computes, as people write it: `auto`, `cpu`, `flex`, `ndarray`, `cuda` or
/// `cuda:1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DeviceSpec {
    /// The first CUDA card if this build has CUDA and one is there, else the CPU.
    #[default]
    Auto,
    /// The CPU, through our own kernels.
    Cpu,
    /// The CPU, through burn's flex backend.
    Flex,
    /// The CPU, through burn's ndarray backend.
    NdArray,
    /// An NVIDIA card, by number.
    Cuda(usize),
}

/// Why there is no such device.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// A name nobody knows.
    #[error("unknown device '{0}'; use auto, cpu, flex, ndarray, cuda or cuda:N")]
    Unknown(String),
    /// This build lacks the backend.
    #[error(
        "{device} is not in this build; rebuild with `cargo build --release --features {feature}`, or use \
         --device cpu"
    )]
    NotBuilt {
        /// What was asked for.
        device: DeviceSpec,
        /// The cargo feature that brings it.
        feature: &'static str,
    },
    /// A build with CUDA on a machine without a driver.
    #[error(
        "{device} needs NVIDIA's driver, whose library (libcuda.so.1) is not found; install the driver, start \
         the container with its cards (--gpus all), or use --device cpu"
    )]
    NoDriver {
        /// What was asked for.
        device: DeviceSpec,
    },
    /// A driver that lacks what is called.
    #[error(
        "{device} has a driver for {found}, and {OLDEST} is the oldest that is enough; update NVIDIA's \
         driver to {OLDEST_RELEASE} or later, or use --device cpu"
    )]
    OldDriver {
        /// What was asked for.
        device: DeviceSpec,
        /// What the driver speaks.
        found: CudaVersion,
    },
    /// A driver that answers with an error.
    #[error(
        "{device} has a driver, and it fails ({reason}); look at what `nvidia-smi` says, restart the \
         machine if the driver was just updated, or use --device cpu"
    )]
    DriverFailed {
        /// What was asked for.
        device: DeviceSpec,
        /// What it answered.
        reason: String,
    },
    /// No such card.
    #[error(
        "{device} is not there, as {}; check `nvidia-smi` and CUDA_VISIBLE_DEVICES, or use --device cpu",
        counted(*found)
    )]
    NotFound {
        /// What was asked for.
        device: DeviceSpec,
        /// How many there are.
        found: usize,
    },
    /// A card without the files that its kernels are linked with.
    #[error(
        "{device} needs nvvm/libdevice/libdevice.10.bc of the CUDA toolkit, which is not below {}; install \
         the toolkit, or set CUDA_PATH to a folder with that file, or use --device cpu",
        listed(looked)
    )]
    NoToolkit {
        /// What was asked for.
        device: DeviceSpec,
        /// Where it should be.
        looked: Vec<PathBuf>,
    },
    /// A card whose memory does not hold the model.
    #[error(
        "{device} has {} free of {}, and the model needs {}: {} of weights in {dtype}, {} for a small batch and \
         {} in reserve; stop other programs on the card (`nvidia-smi` lists them), {}use a smaller model, or \
         use --device cpu",
        Gigabytes(*free), Gigabytes(*total), Gigabytes(need.total()), Gigabytes(need.weights),
        Gigabytes(need.batch), Gigabytes(need.reserve), narrower(*dtype)
    )]
    NoRoom {
        /// What was asked for.
        device: DeviceSpec,
        /// The model's number format.
        dtype: Dtype,
        /// What it needs.
        need: Need,
        /// Bytes that are free.
        free: u64,
        /// Bytes that the card has.
        total: u64,
    },
    /// A card that was full before all weights were on it.
    #[error(
        "{device} has no memory for all of the model's weights ({reason}); stop other programs on the card \
         (`nvidia-smi` lists them), use --dtype bf16 or f16, a smaller model, or --device cpu"
    )]
    OutOfMemory {
        /// What was asked for.
        device: DeviceSpec,
        /// What was refused.
        reason: String,
    },
    /// The device does not compute in this format here.
    #[error("{device} computes in f32 only, not in {dtype}; use --dtype f32, or --device cuda")]
    Dtype {
        /// What was asked for.
        device: DeviceSpec,
        /// The format.
        dtype: Dtype,
    },
}

/// Whether a card was opened by this process. Its pools keep what they freed, which the driver counts as
/// used: only before the first model is what is free what there is.
static OPENED: AtomicBool = AtomicBool::new(false);

impl DeviceSpec {
    /// Replaces `auto` by what it chooses on this machine; leaves anything else as it is.
    pub fn chosen(self) -> Self {
        match self {
            Self::Auto if cuda::cards() > 0 => Self::Cuda(0),
            Self::Auto => Self::Cpu,
            other => other,
        }
    }

    /// Opens the device for anything.
    #[cfg(test)]
    pub(crate) fn open(self, dtype: Dtype) -> Result<Device, DeviceError> {
        Ok(self.open_described(dtype)?.0)
    }

    /// Opens the device for a model of this shape, which a card must have room for. Nothing but `auto`
    /// falls back to another.
    pub(crate) fn open_for(
        self,
        config: &ModelConfig,
        dtype: Dtype,
    ) -> Result<Device, DeviceError> {
        let (device, card) = self.open_described(dtype)?;
        if let Some(card) = card
            && !OPENED.load(Ordering::Relaxed)
        {
            Need::of(config, dtype).fits(&card, self.chosen(), dtype)?;
            OPENED.store(true, Ordering::Relaxed);
        }
        Ok(device)
    }

    fn open_described(self, dtype: Dtype) -> Result<(Device, Option<Card>), DeviceError> {
        let device = self.chosen();
        if !device.computes_in(dtype) {
            return Err(DeviceError::Dtype { device, dtype });
        }
        Ok(match device {
            Self::Auto | Self::Cpu | Self::Flex => (Device::flex(), None),
            Self::NdArray => (ndarray_device()?, None),
            Self::Cuda(index) => {
                let card = cuda::cuda_card(index)?;
                (cuda_device(index)?, Some(card))
            }
        })
    }

    /// Whether the device has this format at all. flex has them all, slowly: what a card will compute can
    /// be tried on it.
    fn computes_in(self, dtype: Dtype) -> bool {
        matches!(self, Self::Cuda(_) | Self::Flex) || dtype == Dtype::F32
    }

    /// What went wrong while weights were put on the device.
    pub(crate) fn not_loaded(self, error: ScoreError) -> DeviceError {
        let device = self.chosen();
        match error {
            ScoreError::OutOfMemory(reason) => DeviceError::OutOfMemory { device, reason },
            other => DeviceError::DriverFailed { device, reason: other.to_string() },
        }
    }
}

fn counted(cards: usize) -> String {
    match cards {
        0 => "no card was found".to_owned(),
        1 => "only cuda:0 was found".to_owned(),
        many => format!("only cuda:0 to cuda:{} were found", many - 1),
    }
}

fn listed(folders: &[PathBuf]) -> String {
    let shown: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    shown.join(", ")
}

/// A format that takes less, if there is one.
fn narrower(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F32 => "use --dtype bf16 or f16 (half the weights), ",
        Dtype::F16 | Dtype::Bf16 => "",
    }
}

// Upstream prefers flex; ndarray stays because users asked for it, and as a second implementation to
// hold flex against.
#[cfg(feature = "ndarray")]
#[allow(deprecated)]
fn ndarray_device() -> Result<Device, DeviceError> {
    Ok(Device::ndarray())
}

#[cfg(not(feature = "ndarray"))]
fn ndarray_device() -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt { device: DeviceSpec::NdArray, feature: "ndarray" })
}

#[cfg(feature = "cuda")]
fn cuda_device(index: usize) -> Result<Device, DeviceError> {
    Ok(Device::cuda(index))
}

#[cfg(not(feature = "cuda"))]
fn cuda_device(index: usize) -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt { device: DeviceSpec::Cuda(index), feature: "cuda" })
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Cpu => f.pad("cpu"),
            Self::Flex => f.pad("flex"),
            Self::NdArray => f.pad("ndarray"),
            Self::Cuda(index) => f.pad(&format!("cuda:{index}")),
        }
    }
}

impl FromStr for DeviceSpec {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let unknown = || DeviceError::Unknown(name.to_owned());
        match name {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "flex" => Ok(Self::Flex),
            "ndarray" => Ok(Self::NdArray),
            "cuda" => Ok(Self::Cuda(0)),
            _ => {
                let index = name.strip_prefix("cuda:").ok_or_else(unknown)?;
                Ok(Self::Cuda(index.parse().map_err(|_| unknown())?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_and_print() {
        for (name, spec) in [
            ("auto", DeviceSpec::Auto),
            ("cpu", DeviceSpec::Cpu),
            ("flex", DeviceSpec::Flex),
            ("ndarray", DeviceSpec::NdArray),
            ("cuda:2", DeviceSpec::Cuda(2)),
        ] {
            assert_eq!(name.parse(), Ok(spec));
            assert_eq!(spec.to_string(), name);
        }
        assert_eq!("cuda".parse(), Ok(DeviceSpec::Cuda(0)));
        for bad in ["gpu", "cuda:", "cuda:x", ""] {
            assert_eq!(bad.parse::<DeviceSpec>(), Err(DeviceError::Unknown(bad.into())));
        }
    }

    #[test]
    fn no_silent_fallback_in_dtype() {
        for device in [DeviceSpec::Cpu, DeviceSpec::NdArray] {
            let refused = device.open(Dtype::Bf16).unwrap_err();
            assert!(refused.to_string().contains("--dtype f32"), "{refused}");
        }
        assert!(DeviceSpec::Flex.open(Dtype::F16).is_ok());
    }

    /// Each says which device, what is wrong and what to do.
    #[test]
    fn every_trouble_of_a_card_names_a_remedy() {
        let device = DeviceSpec::Cuda(3);
        let looked = vec!["/usr/local/cuda".into(), "/opt/cuda".into()];
        let reason = "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH".to_owned();
        for (error, parts) in [
            (DeviceError::NoDriver { device }, ["libcuda.so.1", "--gpus all"]),
            (DeviceError::NotFound { device, found: 0 }, ["no card", "nvidia-smi"]),
            (DeviceError::NotFound { device, found: 1 }, ["only cuda:0 was", "CUDA_VISIBLE"]),
            (DeviceError::NotFound { device, found: 3 }, ["cuda:0 to cuda:2", "CUDA_VISIBLE"]),
            (DeviceError::NoToolkit { device, looked }, ["/opt/cuda", "set CUDA_PATH"]),
            (DeviceError::DriverFailed { device, reason }, ["DRIVER_MISMATCH", "restart"]),
            (DeviceError::NotBuilt { device, feature: "cuda" }, ["build", "--features cuda"]),
            (device.not_loaded(ScoreError::OutOfMemory("9 bytes".into())), ["9 bytes", "--dtype"]),
            (device.not_loaded(ScoreError::Device("lost".into())), ["lost", "nvidia-smi"]),
        ] {
            let text = error.to_string();
            for part in parts.into_iter().chain(["cuda:3", "--device cpu"]) {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn cuda_says_how_to_get_it() {
        let refused = DeviceSpec::Cuda(0).open(Dtype::F32).unwrap_err();
        assert!(refused.to_string().contains("--features cuda"), "{refused}");
    }
}
