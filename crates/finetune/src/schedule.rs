use crate::Warmup;

/// The learning rate of every step: it rises linearly from `peak / warmup` to `peak`, then falls
/// linearly towards 0, which the step after the last would have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    peak: f64,
    warmup: usize,
    steps: usize,
}

impl Schedule {
    /// A schedule of `steps` steps; a warm-up longer than that ends with them.
    pub fn new(peak: f64, warmup: Warmup, steps: usize) -> Self {
        let warmup = match warmup {
            Warmup::Steps(steps) => steps,
            Warmup::Share(share) => (share * steps as f64).round() as usize,
        };
        Self { peak, warmup: warmup.min(steps), steps }
    }

    /// The rate of a step, counted from 0; 0 after the last.
    pub fn rate(&self, step: usize) -> f64 {
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / self.warmup as f64;
        }
        match self.steps.saturating_sub(step) {
            0 => 0.0,
            left => self.peak * left as f64 / (self.steps - self.warmup) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(warmup: Warmup, steps: usize) -> Vec<f64> {
        let schedule = Schedule::new(8.0, warmup, steps);
        (0..=steps).map(|step| schedule.rate(step)).collect()
    }

    #[test]
    fn rises_then_falls_to_nothing() {
        assert_eq!(rates(Warmup::Steps(2), 6), [4.0, 8.0, 8.0, 6.0, 4.0, 2.0, 0.0]);
        assert_eq!(rates(Warmup::Share(0.5), 4), [4.0, 8.0, 8.0, 4.0, 0.0]);
    }

    #[test]
    fn warm_up_may_be_nothing_or_all() {
        assert_eq!(rates(Warmup::Steps(0), 4), [8.0, 6.0, 4.0, 2.0, 0.0]);
        assert_eq!(rates(Warmup::Steps(9), 2), [4.0, 8.0, 0.0]);
        assert_eq!(rates(Warmup::Share(1.0), 2), [4.0, 8.0, 0.0]);
    }
}
