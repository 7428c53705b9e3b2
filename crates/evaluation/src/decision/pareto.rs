/// Which of several choices nobody beats: none other is at least as good and as cheap, and one of
/// these strictly. Each is its quality and its cost.
pub(super) fn front(choices: &[(f64, f64)]) -> Vec<bool> {
    let beats =
        |a: &(f64, f64), b: &(f64, f64)| a.0 >= b.0 && a.1 <= b.1 && (a.0 > b.0 || a.1 < b.1);
    choices.iter().map(|choice| !choices.iter().any(|other| beats(other, choice))).collect()
}

#[cfg(test)]
mod tests {
    use super::front;

    #[test]
    fn neither_better_nor_cheaper_is_off() {
        let choices = [(0.5, 0.0), (0.6, 10.0), (0.55, 20.0), (0.7, 30.0), (0.6, 10.0)];
        assert_eq!(front(&choices), [true, true, false, true, true]);
        assert!(front(&[]).is_empty());
    }
}
