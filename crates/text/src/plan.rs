/// Groups sequences into batches: longest first, alike lengths together, each batch at most
/// `budget` tokens when padded to its longest. A sequence longer than the budget gets a batch of
/// its own. Gives the indexes of each batch; together they are every index once.
///
/// Longest first, so that the peak of memory comes at the start and the tail of small batches ends
/// evenly.
pub fn plan(lengths: &[usize], budget: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(lengths[index]), index));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut longest = 0;
    for index in order {
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * longest <= budget => batch.push(index),
            _ => {
                longest = lengths[index];
                batches.push(vec![index]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn alike_lengths_share_a_batch() {
        assert_eq!(plan(&[2, 9, 3, 8], 18), [vec![1, 3], vec![2, 0]]);
    }

    proptest! {
        #[test]
        fn every_index_once_within_budget(
            lengths in prop::collection::vec(0usize..600, 0..80),
            budget in 1usize..4096,
        ) {
            let batches = plan(&lengths, budget);
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for batch in batches {
                let longest = batch.iter().map(|&index| lengths[index]).max().unwrap_or(0);
                prop_assert!(batch.len() == 1 || batch.len() * longest <= budget);
            }
        }
    }
}
