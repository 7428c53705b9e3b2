//! How far a system departs from the first stage, and for how many queries that helped.

use std::collections::HashSet;

use secondpass_core::{DocId, Ranking};

/// Differences up to this are rounding, not change.
const NO_CHANGE: f64 = 1e-9;

/// Share of the top k documents that both rankings have, 0 to 1, whatever their order within. Of a
/// ranking with fewer than k documents, all count. `None` when both are empty.
pub fn overlap(a: &Ranking, b: &Ranking, k: usize) -> Option<f64> {
    let top: HashSet<&DocId> = a.documents().take(k).collect();
    let most = top.len().max(b.len().min(k));
    let shared = b.documents().take(k).filter(|id| top.contains(id)).count();
    (most > 0).then(|| shared as f64 / most as f64)
}

/// How many queries gained, lost, or neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Queries that gained.
    pub helped: usize,
    /// Queries that lost.
    pub hurt: usize,
    /// Queries whose value moved by no more than rounding.
    pub unchanged: usize,
}

impl Changes {
    /// Counts differences, one a query.
    pub fn count(differences: &[f64]) -> Self {
        let mut changes = Self::default();
        for difference in differences {
            if *difference > NO_CHANGE {
                changes.helped += 1;
            } else if *difference < -NO_CHANGE {
                changes.hurt += 1;
            } else {
                changes.unchanged += 1;
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranking(order: &[&str]) -> Ranking {
        Ranking::with_unscored([], order.iter().map(|&id| id.into())).unwrap()
    }

    #[test]
    fn overlap_ignores_order_within_the_top() {
        let (a, b) = (ranking(&["a", "b", "c"]), ranking(&["b", "a", "d"]));
        assert_eq!(overlap(&a, &b, 1), Some(0.0));
        assert_eq!(overlap(&a, &b, 2), Some(1.0));
        assert_eq!(overlap(&a, &b, 3), Some(2.0 / 3.0));
        assert_eq!(overlap(&a, &ranking(&["a"]), 5), Some(1.0 / 3.0));
        assert_eq!(overlap(&ranking(&["a"]), &a, 5), Some(1.0 / 3.0));
        assert_eq!(overlap(&a, &ranking(&[]), 5), Some(0.0));
        assert_eq!(overlap(&ranking(&[]), &ranking(&[]), 5), None);
    }

    #[test]
    fn rounding_is_no_change() {
        let changes = Changes::count(&[0.1, -0.2, 0.0, 1e-12, -1e-12]);
        assert_eq!(changes, Changes { helped: 1, hurt: 1, unchanged: 3 });
    }
}
