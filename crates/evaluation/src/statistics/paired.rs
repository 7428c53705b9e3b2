use statrs::distribution::{ContinuousCDF, StudentsT};

/// Differences that all agree to this share of the largest have no spread: what is left is rounding.
const NO_SPREAD: f64 = 1e-12;

/// Mean and spread of one difference a query, as the tests that rest on Student's t need them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paired {
    /// Mean difference.
    pub mean: f64,
    /// Standard error of that mean: the sample deviation over the root of the count.
    pub error: f64,
    /// Degrees of freedom: one less than there are queries.
    pub freedom: f64,
}

impl Paired {
    /// `None` below two differences, without any spread, and where one is not a finite number.
    pub(super) fn of(differences: &[f64]) -> Option<Self> {
        if differences.len() < 2 || differences.iter().any(|difference| !difference.is_finite()) {
            return None;
        }
        let count = differences.len() as f64;
        let mean = crate::mean(differences);
        let squares: f64 = differences.iter().map(|difference| (difference - mean).powi(2)).sum();
        let deviation = (squares / (count - 1.0)).sqrt();
        let largest = differences.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        let spreads = deviation.is_finite() && deviation > NO_SPREAD * largest;
        spreads.then(|| Self { mean, error: deviation / count.sqrt(), freedom: count - 1.0 })
    }

    /// How many standard errors the mean lies above `value`.
    pub(super) fn above(&self, value: f64) -> f64 {
        (self.mean - value) / self.error
    }

    /// The chance of a t of at least `t` where the true mean is the one tested: in (0, 1].
    pub(super) fn upper_tail(&self, t: f64) -> f64 {
        upper_tail(t, self.freedom)
    }
}

/// The chance that Student's t with `freedom` degrees of freedom, at least one, reaches `t`. Never 0,
/// even where it is smaller than a number can be.
pub(super) fn upper_tail(t: f64, freedom: f64) -> f64 {
    let Ok(student) = StudentsT::new(0.0, 1.0, freedom) else { return 1.0 };
    let tail = match t {
        t if t == f64::INFINITY => 0.0,
        t if t == f64::NEG_INFINITY => 1.0,
        t => student.sf(t),
    };
    tail.clamp(f64::MIN_POSITIVE, 1.0)
}
