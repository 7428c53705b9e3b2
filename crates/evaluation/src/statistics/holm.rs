/// Holm's step-down correction (Holm 1979): p-values that may each be held against the level of the
/// whole family, so that the chance of even one false discovery stays below it, however the tests
/// hang together. In the order given; never smaller than before, never above 1. Equal to R's
/// `p.adjust(method = "holm")`.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut ascending: Vec<usize> = (0..p_values.len()).collect();
    ascending.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut corrected = vec![1.0; p_values.len()];
    let mut so_far: f64 = 0.0;
    for (step, &index) in ascending.iter().enumerate() {
        let remaining = (p_values.len() - step) as f64;
        so_far = so_far.max((remaining * p_values[index]).min(1.0));
        corrected[index] = so_far;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let corrected = holm(&[0.01, 0.04, 0.03, 0.005]);
        // 4 * 0.005, 3 * 0.01, 2 * 0.03, and 0.04, which may not fall below the step before it.
        for (found, expected) in corrected.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-12, "{corrected:?}");
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert_eq!(holm(&[0.2]), [0.2]);
        assert_eq!(holm(&[]), [0.0; 0]);
    }
}
