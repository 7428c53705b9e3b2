//! Numbers of a file as `f32`, in its order or transposed.

use std::num::NonZeroUsize;
use std::thread;

use half::{bf16, f16};
use safetensors::tensor::Dtype as FileDtype;

/// Rows and columns that move together: 16 values are a line of the cache, of which a transposition
/// then uses all before it goes to the next.
const SIDE: usize = 16;

/// The least values for which threads are started.
const THREADED: usize = 1 << 17;

/// A number format that weights may have in a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    F32,
    F16,
    Bf16,
}

impl Format {
    /// None for a format that is no floating-point one of ours.
    pub fn of(dtype: FileDtype) -> Option<Self> {
        match dtype {
            FileDtype::F32 => Some(Self::F32),
            FileDtype::F16 => Some(Self::F16),
            FileDtype::BF16 => Some(Self::Bf16),
            _ => None,
        }
    }

    /// Bytes of a number.
    pub fn width(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Appends what `bytes` hold, whole numbers.
    pub fn append(self, bytes: &[u8], to: &mut Vec<f32>) {
        fn each<const W: usize>(bytes: &[u8], of: impl Fn([u8; W]) -> f32, to: &mut Vec<f32>) {
            to.extend(bytes.as_chunks::<W>().0.iter().map(|bytes| of(*bytes)));
        }
        match self {
            Self::F32 => each(bytes, f32::from_le_bytes, to),
            Self::F16 => each(bytes, |bytes| f16::from_le_bytes(bytes).to_f32(), to),
            Self::Bf16 => each(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32(), to),
        }
    }

    /// Writes rows of a matrix into its transpose, on all cores where that is worth it.
    ///
    /// # Shapes
    /// - bytes: `[some rows, columns]`, from row `first` on
    /// - to: `[columns, rows]`
    pub fn transpose(self, bytes: &[u8], columns: usize, first: usize, to: &mut [f32]) {
        match self {
            Self::F32 => transpose(bytes, columns, first, to, f32::from_le_bytes),
            Self::F16 => {
                transpose(bytes, columns, first, to, |bytes| f16::from_le_bytes(bytes).to_f32());
            }
            Self::Bf16 => {
                transpose(bytes, columns, first, to, |bytes| bf16::from_le_bytes(bytes).to_f32());
            }
        }
    }
}

fn transpose<const W: usize>(
    bytes: &[u8],
    columns: usize,
    first: usize,
    to: &mut [f32],
    of: impl Fn([u8; W]) -> f32 + Copy + Send,
) {
    let (numbers, _) = bytes.as_chunks::<W>();
    let rows = to.len() / columns;
    let cores = match numbers.len() >= THREADED {
        true => thread::available_parallelism().map_or(1, NonZeroUsize::get),
        false => 1,
    };
    let each = columns.div_ceil(cores).next_multiple_of(SIDE);
    let parts = to.chunks_mut(each * rows).zip((0..).step_by(each));
    if cores == 1 {
        parts.for_each(|(to, column)| columns_of(numbers, columns, column, first, rows, to, of));
        return;
    }
    thread::scope(|scope| {
        for (to, column) in parts {
            scope.spawn(move || columns_of(numbers, columns, column, first, rows, to, of));
        }
    });
}

/// The columns that `to`, `[some columns, rows]`, is for: `column` and those after it.
fn columns_of<const W: usize>(
    numbers: &[[u8; W]],
    columns: usize,
    column: usize,
    first: usize,
    rows: usize,
    to: &mut [f32],
    of: impl Fn([u8; W]) -> f32,
) {
    for (top, block) in numbers.chunks(SIDE * columns).enumerate() {
        let place = first + top * SIDE;
        for (left, to) in to.chunks_mut(SIDE * rows).enumerate() {
            let from = column + left * SIDE;
            for (j, to) in to.chunks_exact_mut(rows).enumerate() {
                let to = &mut to[place..];
                for (row, to) in block.chunks_exact(columns).zip(to) {
                    *to = of(row[from + j]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shapes with and without whole squares, and with enough numbers for threads.
    const SHAPES: [(usize, usize); 6] = [(1, 1), (3, 40), (16, 32), (17, 33), (1, 5), (600, 700)];

    #[test]
    fn a_transpose_of_parts_is_the_transpose_of_the_whole() {
        for (rows, columns) in SHAPES {
            let values: Vec<f32> = (0..rows * columns).map(|value| value as f32).collect();
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            for part in [1, 7, rows] {
                let mut to = vec![f32::NAN; rows * columns];
                for (i, bytes) in bytes.chunks(part * columns * 4).enumerate() {
                    Format::F32.transpose(bytes, columns, i * part, &mut to);
                }
                for (i, value) in values.iter().enumerate() {
                    assert_eq!(to[i % columns * rows + i / columns], *value, "{rows} x {columns}");
                }
            }
        }
    }

    #[test]
    fn narrow_formats_keep_their_values() {
        let values = [0.0, 1.0, -2.5, 0.125, 96.0, -0.75];
        let halves: Vec<u8> = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
        let brains: Vec<u8> =
            values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect();
        for (format, bytes) in [(Format::F16, halves), (Format::Bf16, brains)] {
            let mut straight = Vec::new();
            format.append(&bytes, &mut straight);
            assert_eq!(straight, values);
            let mut transposed = [0.0; 6];
            format.transpose(&bytes, 3, 0, &mut transposed);
            assert_eq!(transposed, [0.0, 0.125, 1.0, 96.0, -2.5, -0.75]);
        }
    }
}
