//! Which vector instructions the kernels use.

use std::fmt;

use pulp::{Arch, WithSimd};

/// A set of vector instructions that this machine has. Every kernel takes one, so that tests can run
/// each in turn; programs use [`Instructions::detect`].
#[derive(Clone, Copy)]
pub struct Instructions(Arch);

impl Instructions {
    /// The widest set that this machine has.
    pub fn detect() -> Self {
        Self(Arch::new())
    }

    /// Plain scalar code, which runs anywhere.
    pub fn scalar() -> Self {
        Self(Arch::Scalar)
    }

    /// Every set that this machine has and the kernels know, the widest last.
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self::scalar()];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(pulp::x86::V3::try_new().map(|v3| Self(Arch::V3(v3))));
            all.extend(pulp::x86::V4::try_new().map(|v4| Self(Arch::V4(v4))));
        }
        #[cfg(target_arch = "aarch64")]
        all.extend(pulp::aarch64::Neon::try_new().map(|neon| Self(Arch::Neon(neon))));
        all
    }

    /// The set's usual name: `scalar`, `avx2` (with FMA), `avx512` or `neon`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Arch::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Arch::V3(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Arch::V4(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Arch::Neon(_) => "neon",
            #[allow(unreachable_patterns, reason = "pulp's enum is non-exhaustive on some targets")]
            _ => "other",
        }
    }

    /// Runs an operation compiled for this set.
    pub(crate) fn run<O: WithSimd>(self, operation: O) -> O::Output {
        self.0.dispatch(operation)
    }

    /// Values in one vector register.
    pub(crate) fn lanes(self) -> usize {
        self.run(Sizes).0
    }

    /// Vector registers.
    pub(crate) fn registers(self) -> usize {
        self.run(Sizes).1
    }
}

/// Lanes of a register, and registers.
struct Sizes;

impl WithSimd for Sizes {
    type Output = (usize, usize);
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> (usize, usize) {
        (S::F32_LANES, S::REGISTER_COUNT)
    }
}

impl fmt::Debug for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detected_set_is_the_widest_available() {
        let available = Instructions::available();
        assert_eq!(available[0].name(), "scalar");
        assert_eq!(available.last().unwrap().name(), Instructions::detect().name());
        assert!(available.is_sorted_by_key(|set| set.lanes()));
    }
}
