use super::paired::Paired;

/// Two one-sided t tests of equivalence (TOST, Schuirmann 1987): the p-value of the claim that the
/// true mean difference lies strictly between `-margin` and `margin`, the larger of the two. It is
/// below alpha exactly where the interval at `1 - 2 alpha` lies inside the margin. `None` below two
/// differences, without any spread, and where one is not a finite number.
///
/// It takes means to be normal. Where hardly any query changes and those few change much, a sample
/// may miss them all, look far too even, and seem equivalent more often than the level says: look at
/// how many queries changed before resting on it.
pub fn equivalence(differences: &[f64], margin: f64) -> Option<f64> {
    let paired = Paired::of(differences)?;
    let not_below = paired.upper_tail(paired.above(-margin));
    let not_above = paired.upper_tail(-paired.above(margin));
    Some(not_below.max(not_above))
}

/// The one-sided t test of non-inferiority: the p-value of the claim that the true mean difference is
/// above `-margin`. `None` as for [`equivalence`].
pub fn non_inferiority(differences: &[f64], margin: f64) -> Option<f64> {
    let paired = Paired::of(differences)?;
    Some(paired.upper_tail(paired.above(-margin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AROUND_ZERO: [f64; 6] = [0.01, -0.01, 0.02, -0.02, 0.005, -0.005];

    #[test]
    fn a_wide_margin_is_shown_and_a_narrow_one_is_not() {
        assert!(equivalence(&AROUND_ZERO, 0.1).unwrap() < 0.001);
        assert!(equivalence(&AROUND_ZERO, 0.001).unwrap() > 0.3);
        // At the centre of the margin both one-sided tests say the same.
        assert_eq!(equivalence(&AROUND_ZERO, 0.01), non_inferiority(&AROUND_ZERO, 0.01));
    }

    #[test]
    fn a_gain_is_not_inferior_but_need_not_be_equivalent() {
        let gains = AROUND_ZERO.map(|value| value + 0.3);
        assert!(non_inferiority(&gains, 0.05).unwrap() < 1e-6);
        assert!(equivalence(&gains, 0.05).unwrap() > 0.999);
    }

    #[test]
    fn undefined_without_spread() {
        assert_eq!(equivalence(&[0.0; 5], 0.1), None);
        assert_eq!(non_inferiority(&[0.1], 0.1), None);
    }
}
