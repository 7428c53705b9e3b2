use crate::finding::two_digits;

/// US dollars for a sentence: cents, and two significant digits of what is less than one dollar.
pub(crate) fn usd(amount: f64) -> String {
    match amount {
        0.0 => "0".to_owned(),
        small if small.abs() < 0.995 => two_digits(small),
        amount => format!("{amount:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_amounts_are_not_rounded_away() {
        let shown = [0.0, 0.000_021, 0.25, 0.9949, 1.0, 12.345].map(usd);
        assert_eq!(shown, ["0", "0.000021", "0.25", "0.99", "1.00", "12.35"]);
    }
}
