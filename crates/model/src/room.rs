//! Whether memory is to be had, asked where a refusal can still be told: an allocation that is refused, as under
//! a limit on address space, or that the machine does not have, ends the process.

use secondpass_core::Memory;

/// Asks the allocator for so many bytes.
///
/// # Errors
/// Why they are not to be had, in words.
pub(crate) fn reserve(bytes: u64) -> Result<(), String> {
    let refused = || format!("{bytes} bytes were refused");
    let length = usize::try_from(bytes).map_err(|_| refused())?;
    Vec::<u8>::new().try_reserve_exact(length).map_err(|_| refused())
}

/// The same with some bytes to spare, and whether the machine, or the control group, has them: systems
/// promise more than they have.
///
/// # Errors
/// Why they are not to be had, in words.
pub(crate) fn find(bytes: u64) -> Result<(), String> {
    let spare = bytes / 4 + (32 << 20);
    reserve(bytes.saturating_add(spare))?;
    match Memory::here() {
        Some(Memory { available, .. }) if bytes > available => {
            Err(format!("{bytes} bytes are needed, and {available} are available"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_is_refused_in_words() {
        for ask in [reserve, find] {
            assert_eq!(ask(1 << 20), Ok(()));
            assert!(ask(u64::MAX).unwrap_err().contains("were refused"));
        }
        let Some(memory) = Memory::here() else { return };
        let error = find(memory.total + 1).unwrap_err();
        assert!(error.contains("are available") || error.contains("were refused"), "{error}");
    }
}
