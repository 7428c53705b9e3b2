use statrs::distribution::{ContinuousCDF, StudentsT};

use super::paired::Paired;

/// The two-sided interval of the mean difference at the level `1 - alpha`, by Student's t. `None`
/// below two differences, without any spread, where one is not a finite number, and where `alpha` is
/// no chance between 0 and 1.
///
/// It is the tests of this module turned around: it lies above `-margin` exactly where
/// [`non_inferiority`](super::non_inferiority) is below `alpha / 2`.
pub fn interval(differences: &[f64], alpha: f64) -> Option<(f64, f64)> {
    let paired = Paired::of(differences)?;
    if !(0.0 < alpha && alpha < 1.0) {
        return None;
    }
    let student = StudentsT::new(0.0, 1.0, paired.freedom).ok()?;
    let reach = student.inverse_cdf(1.0 - alpha / 2.0) * paired.error;
    Some((paired.mean - reach, paired.mean + reach))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::non_inferiority;

    #[test]
    fn against_a_table_of_students_t() {
        // Deviation 1, six values: half as wide as 2.570582 / sqrt(6).
        let values =
            [1.0, -1.0, 1.0, -1.0, 1.0, -1.0].map(|sign: f64| sign * (5.0_f64 / 6.0).sqrt());
        let (low, high) = interval(&values, 0.05).unwrap();
        assert!((high - 2.570_582 / 6.0_f64.sqrt()).abs() < 1e-6, "{high}");
        assert!((low + high).abs() < 1e-12);
    }

    #[test]
    fn its_ends_are_where_the_one_sided_tests_turn() {
        let values = [0.02, -0.01, 0.03, 0.0, -0.02, 0.015, 0.01];
        let (low, high) = interval(&values, 0.01).unwrap();
        assert!((non_inferiority(&values, -low).unwrap() - 0.005).abs() < 1e-6);
        let turned = values.map(|value| -value);
        assert!((non_inferiority(&turned, high).unwrap() - 0.005).abs() < 1e-6);
    }

    #[test]
    fn undefined_without_spread_or_level() {
        assert_eq!(interval(&[0.1; 5], 0.05), None);
        assert_eq!(interval(&[0.1], 0.05), None);
        assert_eq!(interval(&[0.1, 0.2], 1.0), None);
    }
}
