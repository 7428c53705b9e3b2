/// The quantile `share` (0 to 1) of ascending values, by linear interpolation between the two
/// nearest order statistics (Hyndman and Fan's type 7, the default of NumPy and R). 0 without any
/// value.
pub fn quantile(ascending: &[f64], share: f64) -> f64 {
    let Some(last) = ascending.len().checked_sub(1) else { return 0.0 };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    let (low, high) = (ascending[below.min(last)], ascending[above]);
    low + (high - low) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn as_numpy() {
        let values = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile(&values, 0.0), 1.0);
        assert_eq!(quantile(&values, 0.5), 3.0);
        assert!((quantile(&values, 0.95) - 7.4).abs() < 1e-12);
        assert_eq!(quantile(&values, 1.0), 8.0);
        assert_eq!(quantile(&[5.0], 0.95), 5.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
