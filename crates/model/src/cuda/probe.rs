use std::ptr;

use cudarc::driver::{DriverError, result, sys};

use super::toolkit::{libdevice, roots};
use super::{Card, CudaVersion, new_enough};
use crate::{DeviceError, DeviceSpec};

/// How many cards the driver shows; none where there is no driver or it fails.
pub(crate) fn cards() -> usize {
    // SAFETY: it only tries to load the driver's library.
    match unsafe { sys::is_culib_present() } {
        true => result::init().and_then(|()| result::device::get_count()).unwrap_or(0) as usize,
        false => 0,
    }
}

/// What the driver says of a card.
///
/// # Errors
/// No driver, one that is too old or fails, no such card, no CUDA toolkit.
pub fn cuda_card(index: usize) -> Result<Card, DeviceError> {
    let device = DeviceSpec::Cuda(index);
    let failed = |error: DriverError| {
        let said = error.error_string().map(|text| text.to_string_lossy().into_owned());
        let reason = match said {
            Ok(said) => format!("{:?}: {said}", error.0),
            Err(_) => format!("{:?}", error.0),
        };
        DeviceError::DriverFailed { device, reason }
    };
    // SAFETY: it only tries to load the driver's library.
    if !unsafe { sys::is_culib_present() } {
        return Err(DeviceError::NoDriver { device });
    }
    let mut version = 0;
    // SAFETY: the pointer is valid, and this function needs no `cuInit`.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result().map_err(failed)?;
    let driver = CudaVersion(version);
    new_enough(device, driver)?;
    match result::init() {
        Err(DriverError(sys::CUresult::CUDA_ERROR_NO_DEVICE)) => {
            return Err(DeviceError::NotFound { device, found: 0 });
        }
        other => other.map_err(failed)?,
    }
    let found = usize::try_from(result::device::get_count().map_err(failed)?).unwrap_or(0);
    if index >= found {
        return Err(DeviceError::NotFound { device, found });
    }
    let roots = roots(std::env::var_os("CUDA_PATH"));
    if libdevice(&roots).is_none() {
        return Err(DeviceError::NoToolkit { device, looked: roots });
    }
    let card = result::device::get(i32::try_from(index).unwrap_or(i32::MAX)).map_err(failed)?;
    let name = result::device::get_name(card).map_err(failed)?;
    let (free, total) = memory(card).map_err(failed)?;
    Ok(Card { name, driver, free: free as u64, total: total as u64 })
}

/// Free and total bytes, which only a context tells.
fn memory(card: sys::CUdevice) -> Result<(usize, usize), DriverError> {
    let before = result::ctx::get_current()?.unwrap_or(ptr::null_mut());
    // SAFETY: the card is one of this driver's. Its primary context is the one that the engine retains
    // too; it is given back, and what was current on this thread before is so again when that happens.
    unsafe {
        let context = result::primary_ctx::retain(card)?;
        let told = result::ctx::set_current(context).and_then(|()| result::mem_get_info());
        let restored = result::ctx::set_current(before);
        result::primary_ctx::release(card)?;
        restored.and(told)
    }
}
