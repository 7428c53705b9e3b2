use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

use crate::Dtype;

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
    #[error("this build has no {device}; rebuild with `--features {feature}`")]
    NotBuilt {
        /// What was asked for.
        device: DeviceSpec,
        /// The cargo feature that brings it.
        feature: &'static str,
    },
    /// No such card.
    #[error(
        "{device} is not there ({found} CUDA devices found); check `nvidia-smi`, or use --device cpu"
    )]
    NotFound {
        /// What was asked for.
        device: DeviceSpec,
        /// How many there are.
        found: usize,
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

impl DeviceSpec {
    /// Replaces `auto` by what it chooses on this machine; leaves anything else as it is.
    pub fn chosen(self) -> Self {
        match self {
            Self::Auto if cuda_devices() > 0 => Self::Cuda(0),
            Self::Auto => Self::Cpu,
            other => other,
        }
    }

    /// Opens the device. Nothing but `auto` falls back to another.
    pub(crate) fn open(self, dtype: Dtype) -> Result<Device, DeviceError> {
        let device = match self.chosen() {
            Self::Auto | Self::Cpu | Self::Flex => Device::flex(),
            Self::NdArray => ndarray_device()?,
            Self::Cuda(index) => cuda_device(index)?,
        };
        let on_cpu = !matches!(self.chosen(), Self::Cuda(_));
        match on_cpu && dtype != Dtype::F32 {
            true => Err(DeviceError::Dtype { device: self.chosen(), dtype }),
            false => Ok(device),
        }
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
fn cuda_devices() -> usize {
    use burn::tensor::DeviceType;
    // Without a driver the enumeration itself may panic inside the driver's bindings.
    std::panic::catch_unwind(|| Device::enumerate(DeviceType::Cuda).len()).unwrap_or(0)
}

#[cfg(not(feature = "cuda"))]
fn cuda_devices() -> usize {
    0
}

#[cfg(feature = "cuda")]
fn cuda_device(index: usize) -> Result<Device, DeviceError> {
    match cuda_devices() {
        found if index >= found => {
            Err(DeviceError::NotFound { device: DeviceSpec::Cuda(index), found })
        }
        _ => Ok(Device::cuda(index)),
    }
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
        let refused = DeviceSpec::Flex.open(Dtype::Bf16).unwrap_err();
        assert!(refused.to_string().contains("--dtype f32"), "{refused}");
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn cuda_says_how_to_get_it() {
        let refused = DeviceSpec::Cuda(0).open(Dtype::F32).unwrap_err();
        assert!(refused.to_string().contains("--features cuda"), "{refused}");
    }
}
