//! Dropout whose mask is a function of a seed and of a value's place.

/// Zeroes a share of values and scales the others up. Which ones is decided by a hash of the seed,
/// the site, the row and the column, so that it is the same for any division of the work, and for
/// the backward pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dropout {
    /// Hashes below it are dropped.
    threshold: u32,
    scale: f32,
}

/// Where in the network, under which seed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site(u64);

impl Site {
    pub fn new(seed: u64, site: u64) -> Self {
        Self(spread(seed ^ spread(site)))
    }

    fn row(self, row: usize) -> u64 {
        spread(self.0 ^ row as u64)
    }
}

impl Dropout {
    /// `share` is from 0 (nothing is dropped) to below 1.
    pub fn new(share: f64) -> Self {
        let threshold = (share * 2_f64.powi(32)) as u32;
        Self { threshold, scale: (1.0 / (1.0 - share)) as f32 }
    }

    pub fn is_off(self) -> bool {
        self.threshold == 0
    }

    /// Drops values of one row.
    #[inline(always)]
    pub fn apply(self, site: Site, row: usize, values: &mut [f32]) {
        if self.is_off() {
            return;
        }
        let key = site.row(row);
        for (place, value) in (0_u32..).zip(values) {
            *value = self.kept(key, place, *value);
        }
    }

    /// Drops values of consecutive rows of this width, the first being `first`.
    #[inline(always)]
    pub fn apply_rows(self, site: Site, first: usize, width: usize, values: &mut [f32]) {
        for (row, values) in (first..).zip(values.chunks_exact_mut(width)) {
            self.apply(site, row, values);
        }
    }

    /// The factors that [`Dropout::apply`] multiplies with.
    #[inline(always)]
    pub fn factors(self, site: Site, row: usize, factors: &mut [f32]) {
        factors.fill(1.0);
        self.apply(site, row, factors);
    }

    #[inline(always)]
    fn kept(self, key: u64, place: u32, value: f32) -> f32 {
        let hash = mix(place.wrapping_add(key as u32), (key >> 32) as u32);
        if hash >= self.threshold { value * self.scale } else { 0.0 }
    }
}

/// Two rounds of multiplication and shift (the constants are of Wellons' "prospector" search for
/// 32-bit hashes), with the other half of the key between them: rows whose places overlap differ.
#[inline(always)]
fn mix(place: u32, key: u32) -> u32 {
    let mut x = place.wrapping_mul(0x9e37_79b9);
    x ^= x >> 16;
    x = x.wrapping_mul(0x21f0_aaad) ^ key;
    x ^= x >> 15;
    x = x.wrapping_mul(0xd35a_2d97);
    x ^ (x >> 15)
}

/// SplitMix64's output function (Steele, Lea and Flood 2014).
fn spread(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(share: f64, site: Site, rows: usize, width: usize) -> Vec<f32> {
        let mut values = vec![1.0; rows * width];
        Dropout::new(share).apply_rows(site, 0, width, &mut values);
        values
    }

    #[test]
    fn the_share_is_dropped_and_the_mean_is_kept() {
        for share in [0.0, 0.1, 0.5, 0.9] {
            let values = mask(share, Site::new(7, 3), 500, 400);
            let dropped = values.iter().filter(|value| **value == 0.0).count() as f64 / 2e5;
            let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / 2e5;
            // Five standard deviations of the share over 200,000 draws, at most.
            assert!((dropped - share).abs() < 0.006, "{share}: {dropped}");
            assert!((mean - 1.0).abs() < 0.035, "{share}: {mean}");
        }
    }

    #[test]
    fn neighbours_seeds_and_sites_are_independent() {
        let first = mask(0.5, Site::new(1, 1), 300, 300);
        let agreement = |other: &[f32], by: usize| {
            let pairs = first.iter().zip(&other[by..]);
            let alike = pairs.clone().filter(|(a, b)| (**a == 0.0) == (**b == 0.0)).count();
            alike as f64 / pairs.len() as f64
        };
        let others = [mask(0.5, Site::new(2, 1), 300, 300), mask(0.5, Site::new(1, 2), 300, 300)];
        for other in &others {
            assert!((agreement(other, 0) - 0.5).abs() < 0.01);
        }
        for by in [1, 2, 299, 300, 301, 600] {
            assert!((agreement(&first, by) - 0.5).abs() < 0.01, "{by}");
        }
    }
}
