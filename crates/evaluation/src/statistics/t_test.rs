use super::paired::Paired;

/// The paired t test (Student 1908).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TTest {
    /// Student's t: the mean difference in standard errors.
    pub statistic: f64,
    /// Degrees of freedom: one less than there are queries.
    pub freedom: f64,
    /// Two-sided p-value, in (0, 1].
    pub p: f64,
}

/// Tests whether the mean of the differences, one a query, is zero. `None` below two differences,
/// without any spread, and where one is not a finite number.
///
/// Equal to `scipy.stats.ttest_rel` within 1e-9. It takes means to be normal, which many queries
/// make them and few skewed ones do not: [`randomization`](super::randomization()) needs no such
/// assumption, and verdicts rest on that.
pub fn t_test(differences: &[f64]) -> Option<TTest> {
    let paired = Paired::of(differences)?;
    let statistic = paired.above(0.0);
    let p = (2.0 * paired.upper_tail(statistic.abs())).min(1.0);
    Some(TTest { statistic, freedom: paired.freedom, p })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn against_the_closed_form_of_one_degree_of_freedom() {
        // Student's t with one degree of freedom is Cauchy's: P(|T| >= t) = 1 - 2 atan(t) / pi.
        let test = t_test(&[0.1, 0.3]).unwrap();
        assert!((test.statistic - 2.0).abs() < 1e-12);
        let expected = 1.0 - 2.0 * 2_f64.atan() / std::f64::consts::PI;
        assert!((test.p - expected).abs() < 1e-12, "{test:?}");
    }

    #[test]
    fn undefined_without_spread() {
        assert_eq!(t_test(&[]), None);
        assert_eq!(t_test(&[0.5]), None);
        assert_eq!(t_test(&[0.0; 9]), None);
        assert_eq!(t_test(&[0.1; 9]), None, "the mean of nine times 0.1 is not exactly 0.1");
        assert_eq!(t_test(&[0.1, f64::NAN]), None);
    }

    #[test]
    fn a_p_value_too_small_for_a_number_is_not_zero() {
        let differences: Vec<f64> = (0..2000).map(|i| 1.0 + f64::from(i % 2) * 1e-3).collect();
        assert!(t_test(&differences).unwrap().p > 0.0);
    }
}
