//! One seed for every draw of a training run, so that a step's draws depend on its number and not
//! on what was drawn before it.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What is drawn.
#[derive(Clone, Copy)]
pub(crate) enum Draw {
    /// The order of the groups; by epoch.
    Order,
    /// A group's negatives; by epoch and group.
    Negatives,
    /// Dropout; by step and micro-batch.
    Dropout,
    /// The dev queries.
    DevQueries,
}

/// The generator of one draw.
pub(crate) fn generator(seed: u64, draw: Draw, major: usize, minor: usize) -> ChaCha8Rng {
    let mut bytes = [0; 32];
    let words = [seed, draw as u64, major as u64, minor as u64];
    for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(bytes)
}

/// The seed that a learner is given for its dropout.
pub(crate) fn dropout(seed: u64, step: usize, batch: usize) -> u64 {
    generator(seed, Draw::Dropout, step, batch).next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_coordinate_counts() {
        let seeds = [
            dropout(1, 0, 0),
            dropout(2, 0, 0),
            dropout(1, 1, 0),
            dropout(1, 0, 1),
            generator(1, Draw::Order, 0, 0).next_u64(),
        ];
        for (place, seed) in seeds.iter().enumerate() {
            assert!(!seeds[..place].contains(seed), "{seeds:?}");
        }
        assert_eq!(seeds[0], dropout(1, 0, 0));
    }
}
