use statrs::function::erf::erfc;
use statrs::function::gamma::ln_gamma;

use super::paired::{Paired, upper_tail};

/// A root is found when its bracket is this narrow, as a share of itself.
const PRECISION: f64 = 1e-12;
/// From so many degrees of freedom on, [`COARSE`] intervals do for Simpson's rule: what is integrated
/// bends less.
const MANY: f64 = 10.0;
const COARSE: u32 = 200;
const FINE: u32 = 1000;

/// The minimal detectable difference: the smallest true mean difference that a two-sided paired t
/// test at level `alpha` over as many queries, with the spread these have, shows with the chance
/// `power`. In the measure's own unit. `None` below two differences, without any spread, and where
/// `alpha` or `power` is no chance between 0 and 1 or `power` is below `alpha`.
///
/// Exact for normal differences: the power is the noncentral t distribution's (`scipy.stats.nct`,
/// equal within 1e-6), not the shortcut that adds two quantiles of Student's t. Randomization tests
/// have the same power on all but very few queries.
///
/// It rests on the observed spread and not on the observed mean, so it is no observed power: it says
/// what these queries could show of any system that changes them as unevenly.
pub fn detectable(differences: &[f64], alpha: f64, power: f64) -> Option<f64> {
    let paired = Paired::of(differences)?;
    let chances = 0.0 < alpha && alpha < power && power < 1.0;
    chances.then(|| paired.error * noncentrality(paired.freedom, alpha, power))
}

/// By how many standard errors the truth must differ from zero.
fn noncentrality(freedom: f64, alpha: f64, power: f64) -> f64 {
    let critical = root(|t| upper_tail(t, freedom) < alpha / 2.0);
    let mixture = Spread::new(freedom);
    root(|shift| mixture.rejection(critical, shift) > power)
}

/// Where `beyond`, false at zero, turns true for good.
fn root(beyond: impl Fn(f64) -> bool) -> f64 {
    let mut high = 1.0;
    while !beyond(high) && high < f64::MAX / 4.0 {
        high *= 2.0;
    }
    let mut low = 0.0;
    while high - low > PRECISION * high {
        let middle = low + (high - low) / 2.0;
        match beyond(middle) {
            true => high = middle,
            false => low = middle,
        }
    }
    high
}

/// The distribution of an estimated deviation over the true one, as points with weights. Given such
/// a ratio, a noncentral t is normal, which makes its distribution an integral over them.
struct Spread(Vec<(f64, f64)>);

impl Spread {
    fn new(freedom: f64) -> Self {
        let half = freedom / 2.0;
        let log_scale = std::f64::consts::LN_2 + half * half.ln() - ln_gamma(half);
        let density = |ratio: f64| {
            let ratio = ratio.max(f64::MIN_POSITIVE);
            (log_scale + (freedom - 1.0) * ratio.ln() - half * ratio * ratio).exp()
        };
        // Twelve deviations to either side hold all but nothing of it.
        let reach = 12.0 / (2.0 * freedom).sqrt();
        let low = (1.0 - reach).max(0.0);
        let intervals = if freedom < MANY { FINE } else { COARSE };
        let step = (1.0 + reach - low) / f64::from(intervals);
        let point = |index: u32| {
            let ratio = low + step * f64::from(index);
            let simpson = match index {
                end if end == 0 || end == intervals => 1.0,
                odd if odd % 2 == 1 => 4.0,
                _ => 2.0,
            };
            (ratio, simpson * step / 3.0 * density(ratio))
        };
        Self((0..=intervals).map(point).collect())
    }

    /// The chance that a two-sided test rejects where the truth is `shift` standard errors from zero.
    fn rejection(&self, critical: f64, shift: f64) -> f64 {
        let at = |ratio: f64| {
            normal_tail(critical * ratio - shift) + normal_tail(critical * ratio + shift)
        };
        self.0.iter().map(|&(ratio, weight)| weight * at(ratio)).sum()
    }
}

/// The chance that a standard normal variable reaches `z`.
fn normal_tail(z: f64) -> f64 {
    0.5 * erfc(z / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_queries_approach_the_normal_formula() {
        // z(0.975) + z(0.8) = 1.959964 + 0.841621.
        assert!((noncentrality(100_000.0, 0.05, 0.8) - 2.801_585).abs() < 1e-4);
    }

    #[test]
    fn without_a_shift_the_level_is_what_is_rejected() {
        for freedom in [1.0, 2.0, 5.0, 30.0, 1000.0] {
            let critical = root(|t| upper_tail(t, freedom) < 0.025);
            let level = Spread::new(freedom).rejection(critical, 0.0);
            assert!((level - 0.05).abs() < 1e-7, "{freedom}: {level}");
        }
    }

    #[test]
    fn four_times_the_queries_show_half_the_difference() {
        let few: Vec<f64> = (0..100).map(|i| f64::from(i % 5) - 2.0).collect();
        let many = few.repeat(4);
        let ratio = detectable(&few, 0.05, 0.8).unwrap() / detectable(&many, 0.05, 0.8).unwrap();
        assert!((ratio - 2.0).abs() < 0.03, "{ratio}");
    }

    #[test]
    fn what_cannot_be_asked_has_no_answer() {
        assert_eq!(detectable(&[0.1], 0.05, 0.8), None);
        assert_eq!(detectable(&[0.1, 0.1], 0.05, 0.8), None);
        assert_eq!(detectable(&[0.1, 0.2], 0.0, 0.8), None);
        assert_eq!(detectable(&[0.1, 0.2], 0.05, 1.0), None);
        assert_eq!(detectable(&[0.1, 0.2], 0.9, 0.8), None);
        assert_eq!(detectable(&[0.1, 0.2], f64::NAN, 0.8), None);
    }
}
