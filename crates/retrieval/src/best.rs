/// Collects the best of many scored documents in bounded memory, and leaves ties at the edge to
/// `Ranking`: whatever its rule, it finds all of them here. Scores compare as 32-bit floats, as in
/// `Ranking`; a NaN is kept, so that it is told there.
pub(crate) struct Best {
    depth: usize,
    kept: Vec<(u32, f64)>,
    /// Lower scores cannot come among the first `depth`.
    least: f32,
    /// How many may gather before the worst are dropped.
    limit: usize,
}

impl Best {
    pub(crate) fn new(depth: usize) -> Self {
        Self { depth, kept: Vec::new(), least: f32::NEG_INFINITY, limit: Self::room(depth) }
    }

    fn room(kept: usize) -> usize {
        kept.saturating_mul(2).max(256)
    }

    pub(crate) fn push(&mut self, document: u32, score: f64) {
        if (score as f32) < self.least || self.depth == 0 {
            return;
        }
        self.kept.push((document, score));
        if self.kept.len() >= self.limit {
            self.drop_worst();
        }
    }

    /// Everything that can be among the first `depth`, in no order.
    pub(crate) fn take(&mut self) -> Vec<(u32, f64)> {
        self.drop_worst();
        self.least = f32::NEG_INFINITY;
        self.limit = Self::room(self.depth);
        std::mem::take(&mut self.kept)
    }

    fn drop_worst(&mut self) {
        if self.kept.len() > self.depth && self.depth > 0 {
            let by_score = |a: &(u32, f64), b: &(u32, f64)| (b.1 as f32).total_cmp(&(a.1 as f32));
            let (_, &mut (_, last), _) = self.kept.select_nth_unstable_by(self.depth - 1, by_score);
            // A NaN sorts before every number, and is no bound.
            let last = last as f32;
            if !last.is_nan() {
                self.least = last;
                self.kept.retain(|&(_, score)| score.is_nan() || score as f32 >= last);
            }
        }
        // With many ties more than `depth` stay; the limit grows with them, so that each is moved a
        // bounded number of times.
        self.limit = Self::room(self.kept.len());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_nan_is_not_lost() {
        let mut best = Best::new(1);
        best.push(0, f64::NAN);
        (1..2000).for_each(|document| best.push(document, f64::from(document)));
        assert!(best.take().iter().any(|(_, score)| score.is_nan()));
    }

    proptest! {
        #[test]
        fn the_best_and_their_ties_and_nothing_else(
            scores in prop::collection::vec((0_u8..9).prop_map(|score| f64::from(score) / 3.0), 0..2000),
            depth in 0_usize..300,
        ) {
            let mut best = Best::new(depth);
            // Twice, to see that nothing is left from the first time.
            for _ in 0..2 {
                (0..).zip(&scores).for_each(|(document, &score)| best.push(document, score));
                let mut found = best.take();
                found.sort_unstable_by_key(|&(document, _)| document);
                let mut sorted = scores.clone();
                sorted.sort_by(|a, b| b.total_cmp(a));
                let least = depth.checked_sub(1).map(|at| sorted.get(at).copied().unwrap_or(-1.0));
                let expected: Vec<(u32, f64)> = (0..)
                    .zip(scores.iter().copied())
                    .filter(|&(_, score)| least.is_some_and(|least| score >= least))
                    .collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
