use std::f64::consts::PI;

use crate::Warmup;

/// How the learning rate falls after its warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decay {
    /// Linearly, towards 0.
    Linear,
    /// Along half a cosine, towards 0.
    Cosine,
    /// Not at all.
    Constant,
}

/// The learning rate of every step: it rises linearly from `peak / warmup` to `peak`, then falls
/// towards 0, which the step after the last would have, or stays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    peak: f64,
    warmup: usize,
    decay: Decay,
    steps: usize,
}

impl Schedule {
    /// A schedule of `steps` steps; a warm-up longer than that ends with them.
    pub fn new(peak: f64, warmup: Warmup, decay: Decay, steps: usize) -> Self {
        let warmup = match warmup {
            Warmup::Steps(steps) => steps,
            Warmup::Share(share) => (share * steps as f64).round() as usize,
        };
        Self { peak, warmup: warmup.min(steps), decay, steps }
    }

    /// Steps in which the rate rises.
    pub fn warmup(&self) -> usize {
        self.warmup
    }

    /// The rate of a step, counted from 0; 0 after the last.
    pub fn rate(&self, step: usize) -> f64 {
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / self.warmup as f64;
        }
        let left = self.steps.saturating_sub(step);
        if left == 0 {
            return 0.0;
        }
        let share = left as f64 / (self.steps - self.warmup) as f64;
        match self.decay {
            Decay::Linear => self.peak * share,
            Decay::Cosine => self.peak * (1.0 - (PI * share).cos()) / 2.0,
            Decay::Constant => self.peak,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(warmup: Warmup, decay: Decay, steps: usize) -> Vec<f64> {
        let schedule = Schedule::new(8.0, warmup, decay, steps);
        (0..=steps).map(|step| schedule.rate(step)).collect()
    }

    #[test]
    fn rises_then_falls_to_nothing() {
        let linear = |warmup, steps| rates(warmup, Decay::Linear, steps);
        assert_eq!(linear(Warmup::Steps(2), 6), [4.0, 8.0, 8.0, 6.0, 4.0, 2.0, 0.0]);
        assert_eq!(linear(Warmup::Share(0.5), 4), [4.0, 8.0, 8.0, 4.0, 0.0]);
        let cosine = rates(Warmup::Steps(1), Decay::Cosine, 5);
        let expected = [8.0, 8.0, 4.0 + 8.0_f64.sqrt(), 4.0, 4.0 - 8.0_f64.sqrt(), 0.0];
        assert!(cosine.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{cosine:?}");
        assert_eq!(rates(Warmup::Steps(2), Decay::Constant, 4), [4.0, 8.0, 8.0, 8.0, 0.0]);
    }

    #[test]
    fn warm_up_may_be_nothing_or_all() {
        let linear = |warmup, steps| rates(warmup, Decay::Linear, steps);
        assert_eq!(linear(Warmup::Steps(0), 4), [8.0, 6.0, 4.0, 2.0, 0.0]);
        assert_eq!(linear(Warmup::Steps(9), 2), [4.0, 8.0, 0.0]);
        assert_eq!(linear(Warmup::Share(1.0), 2), [4.0, 8.0, 0.0]);
    }
}
