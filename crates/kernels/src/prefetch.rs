//! Asking for memory before it is needed. Only speed depends on it.

use std::ops::Range;

/// Asks for these values to come into the second-level cache. They may lie beyond the slice's end.
#[inline(always)]
pub(crate) fn prefetch_soon(values: &[f32], range: Range<usize>) {
    each_line(values, range, |_line| {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: prefetching reads nothing, and every x86-64 processor can.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T1>(_line);
        }
    });
}

/// As [`prefetch_soon`], into the first-level cache.
#[inline(always)]
pub(crate) fn prefetch_near(values: &[f32], range: Range<usize>) {
    each_line(values, range, |_line| {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: prefetching reads nothing, and every x86-64 processor can.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(_line);
        }
    });
}

/// Values in a line of the cache.
const LINE: usize = 16;

/// Every line that a range begins in, counted from its start.
#[inline(always)]
fn each_line(values: &[f32], range: Range<usize>, fetch: impl Fn(*const i8)) {
    let mut at = range.start;
    while at < range.end {
        fetch(values.as_ptr().wrapping_add(at).cast());
        at += LINE;
    }
}
