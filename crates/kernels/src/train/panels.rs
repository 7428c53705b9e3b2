//! Laying out right-hand sides of products, from rows or from columns.

/// `b[k, j] = source[k * stride + j]` in panels of `width` columns, filled up with zeros:
/// `[columns / width, depth, width]`.
#[inline(always)]
pub(super) fn of_rows(
    source: &[f32],
    stride: usize,
    depth: usize,
    columns: usize,
    width: usize,
    panels: &mut [f32],
) {
    for (panel, first) in panels.chunks_exact_mut(depth * width).zip((0..columns).step_by(width)) {
        let valid = width.min(columns - first);
        for (to, k) in panel.chunks_exact_mut(width).zip(0..depth) {
            to[..valid].copy_from_slice(&source[k * stride + first..][..valid]);
            to[valid..].fill(0.0);
        }
    }
}

/// As [`of_rows`] of the transposed source: `b[k, j] = source[j * stride + k]`.
#[inline(always)]
pub(super) fn of_columns(
    source: &[f32],
    stride: usize,
    depth: usize,
    columns: usize,
    width: usize,
    panels: &mut [f32],
) {
    /// Rows and columns that are turned at a time: their cache lines are used whole.
    const BLOCK: usize = 16;
    for (panel, first) in panels.chunks_exact_mut(depth * width).zip((0..columns).step_by(width)) {
        let valid = width.min(columns - first);
        if valid < width {
            panel.fill(0.0);
        }
        for (block, k) in panel.chunks_mut(BLOCK * width).zip((0..depth).step_by(BLOCK)) {
            let rows = block.len() / width;
            for j in 0..valid {
                let from = &source[(first + j) * stride + k..][..rows];
                for (to, from) in block.chunks_exact_mut(width).zip(from) {
                    to[j] = *from;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matmul::panels_len;

    #[test]
    fn panels_hold_the_matrix_or_its_transposition() {
        let (stride, width) = (90, 8);
        let source: Vec<f32> = (0..90 * 90).map(|i| i as f32).collect();
        for (depth, columns) in [(1, 1), (7, 8), (37, 19), (64, 80)] {
            let mut rows = vec![-1.0; panels_len(depth, columns, width)];
            let mut turned = rows.clone();
            of_rows(&source, stride, depth, columns, width, &mut rows);
            of_columns(&source, stride, depth, columns, width, &mut turned);
            for k in 0..depth {
                for j in 0..columns.next_multiple_of(width) {
                    let place = (j / width * depth + k) * width + j % width;
                    let of = |at: usize| if j < columns { source[at] } else { 0.0 };
                    assert_eq!(rows[place], of(k * stride + j));
                    assert_eq!(turned[place], of(j * stride + k));
                }
            }
        }
    }
}
