//! A chart as pixels.

use std::path::Path;

use plotters::prelude::*;

use super::font::LINE_PER_EM;
use super::paint::TextScale;
use super::{Chart, Painter, SCALE, WIDTH};
use crate::ReportError;

/// ab_glyph takes the line height for the size; plotters sets the baseline half a size below the
/// top anchor.
const TEXT: TextScale = TextScale { size: LINE_PER_EM, baseline: LINE_PER_EM / 2.0, groups: false };

/// Drawn pixels that are averaged into one along each axis: plotters draws shapes with hard edges.
const FINER: u32 = 2;

/// A picture in RGB, three bytes a pixel, row by row.
pub(crate) struct Raster {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Raster {
    /// Draws `chart` at twice its logical size.
    pub(crate) fn draw<C: Chart>(chart: &C) -> Result<Self, ReportError> {
        let size = (WIDTH as u32 * SCALE, chart.height().ceil() as u32 * SCALE);
        let mut fine = vec![0; size.0 as usize * size.1 as usize * 3];
        {
            let area = BitMapBackend::with_buffer(&mut fine, size).into_drawing_area();
            Painter::new(&area, TEXT)
                .and_then(|painter| chart.draw(&painter))
                .and_then(|()| area.present())
                .map_err(|source| ReportError::Draw { chart: C::NAME, source: Box::new(source) })?;
        }
        Ok(Self { width: size.0 / FINER, height: size.1 / FINER, pixels: averaged(&fine, size) })
    }

    /// Writes it as PNG; the path must end so.
    pub(crate) fn save_png(
        &self,
        path: &Path,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let size = (self.width, self.height);
        let mut backend = BitMapBackend::new(path, size);
        backend.blit_bitmap((0, 0), size, &self.pixels)?;
        backend.present()?;
        Ok(())
    }
}

/// Averages squares of [`FINER`] by [`FINER`] pixels.
fn averaged(fine: &[u8], (width, height): (u32, u32)) -> Vec<u8> {
    let (stride, finer) = (width as usize * 3, FINER as usize);
    let mut pixels = Vec::with_capacity(fine.len() / (finer * finer));
    for y in 0..height as usize / finer {
        for x in 0..width as usize / finer {
            for channel in 0..3 {
                let sum: u32 = (0..finer * finer)
                    .map(|part| {
                        let (row, column) = (y * finer + part / finer, x * finer + part % finer);
                        u32::from(fine[row * stride + column * 3 + channel])
                    })
                    .sum();
                pixels.push((sum / (FINER * FINER)) as u8);
            }
        }
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_averaged() {
        let row = [0, 0, 0, 100, 100, 100, 8, 8, 8, 8, 8, 8];
        let fine = [row, row].concat();
        assert_eq!(averaged(&fine, (4, 2)), [50, 50, 50, 8, 8, 8]);
    }
}
