use std::fmt;
use std::str::FromStr;

use burn::tensor::DType;
use serde::{Deserialize, Serialize};

use crate::DeviceSpec;

/// The number format a model computes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dtype {
    /// 32-bit floats.
    #[default]
    F32,
    /// IEEE 16-bit floats.
    F16,
    /// bfloat16: the range of f32 with 8 bits of precision.
    Bf16,
}

impl Dtype {
    /// All formats, in the order the help shows them.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::Bf16];

    /// Bytes one number takes.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// What a device makes of it, as records call it. On a card, f32's products are TF32's: burn hands
    /// every fast product 10 bits of each factor and has no switch for it. Sums, norms and the head stay
    /// f32, but such scores are not f32's, and must not be taken for them.
    pub fn on(self, device: DeviceSpec) -> String {
        match (self, device.chosen()) {
            (Self::F32, DeviceSpec::Cuda(_)) => "tf32".to_owned(),
            _ => self.to_string(),
        }
    }

    pub(crate) fn burn(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::Bf16 => DType::BF16,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        })
    }
}

/// A number format that is not there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown dtype '{0}'; use f32, f16 or bf16")]
pub struct UnknownDtype(String);

impl FromStr for Dtype {
    type Err = UnknownDtype;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|dtype| dtype.to_string() == name);
        found.ok_or_else(|| UnknownDtype(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cards_f32_is_told_apart() {
        assert_eq!(Dtype::F32.on(DeviceSpec::Cuda(0)), "tf32");
        assert_eq!(Dtype::Bf16.on(DeviceSpec::Cuda(0)), "bf16");
        assert_eq!(Dtype::F32.on(DeviceSpec::Cpu), "f32");
        for dtype in Dtype::ALL {
            assert_eq!(dtype.to_string().parse(), Ok(dtype));
        }
    }
}
