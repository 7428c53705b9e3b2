//! Buffers that are used again.

/// The first `length` values of a buffer that grows when it must. What they hold is left over from
/// earlier use: every kernel writes before it reads.
pub(crate) fn reserve(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    &mut buffer[..length]
}
