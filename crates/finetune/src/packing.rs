//! Which groups are computed at once.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::GroupBatch;

/// What a micro-batch may hold. It decides memory and speed, and not what is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MicroBatch {
    /// So many groups, in the order they were drawn.
    Groups(usize),
    /// So many tokens when padded to the longest sequence, groups of like lengths together; a group
    /// that is longer has one of its own.
    Tokens(usize),
}

impl MicroBatch {
    /// The indexes of the groups in each micro-batch; together they are every group once.
    pub(crate) fn pack(self, groups: &[GroupBatch]) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..groups.len()).collect();
        match self {
            Self::Groups(count) => order.chunks(count.max(1)).map(<[usize]>::to_vec).collect(),
            Self::Tokens(budget) => {
                let longest = |index: usize| groups[index].tokens.longest();
                order.sort_by_key(|&index| std::cmp::Reverse(longest(index)));
                let mut parts: Vec<Vec<usize>> = Vec::new();
                let (mut sequences, mut width) = (0, 0);
                for index in order {
                    let size = groups[index].tokens.len();
                    match parts.last_mut() {
                        Some(part) if (sequences + size) * width <= budget => {
                            part.push(index);
                            sequences += size;
                        }
                        _ => {
                            (sequences, width) = (size, longest(index));
                            parts.push(vec![index]);
                        }
                    }
                }
                parts
            }
        }
    }

    /// The limit that halves a micro-batch of so many groups which had no room.
    pub(crate) fn halved(self, groups: usize) -> Self {
        match self {
            Self::Groups(limit) => Self::Groups(limit.min(groups).div_ceil(2).max(1)),
            Self::Tokens(limit) => Self::Tokens((limit / 2).max(1)),
        }
    }
}

impl fmt::Display for MicroBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Groups(1) => f.write_str("1 group"),
            Self::Groups(count) => write!(f, "{count} groups"),
            Self::Tokens(count) => write!(f, "{count} tokens"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(lengths: &[usize]) -> GroupBatch {
        let mut group = GroupBatch { sizes: vec![lengths.len()], ..GroupBatch::default() };
        lengths.iter().for_each(|&length| group.tokens.push(&vec![7; length], &[]));
        group
    }

    #[test]
    fn like_lengths_share_a_micro_batch() {
        let groups = [group(&[3, 4]), group(&[20, 2]), group(&[5, 5]), group(&[18]), group(&[90])];
        assert_eq!(MicroBatch::Tokens(60).pack(&groups), [vec![4], vec![1, 3], vec![2, 0]]);
        assert_eq!(MicroBatch::Tokens(1).pack(&groups).len(), 5);
        assert_eq!(MicroBatch::Groups(2).pack(&groups), [vec![0, 1], vec![2, 3], vec![4]]);
        assert!(MicroBatch::Tokens(10).pack(&[]).is_empty());
    }

    #[test]
    fn a_budget_is_kept() {
        let groups: Vec<GroupBatch> =
            (0..40).map(|n| group(&vec![1 + n * 37 % 53; 1 + n % 5])).collect();
        for budget in [1, 50, 300, 5000] {
            let parts = MicroBatch::Tokens(budget).pack(&groups);
            let mut seen: Vec<usize> = parts.iter().flatten().copied().collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..40).collect::<Vec<_>>());
            for part in parts.iter().filter(|part| part.len() > 1) {
                let sequences: usize = part.iter().map(|&i| groups[i].tokens.len()).sum();
                let longest = part.iter().map(|&i| groups[i].tokens.longest()).max();
                assert!(sequences * longest.unwrap() <= budget);
            }
        }
    }

    #[test]
    fn limits_shrink_to_one() {
        assert_eq!(MicroBatch::Groups(8).halved(5), MicroBatch::Groups(3));
        assert_eq!(MicroBatch::Groups(2).halved(2), MicroBatch::Groups(1));
        assert_eq!(MicroBatch::Tokens(100).halved(9), MicroBatch::Tokens(50));
        assert_eq!(MicroBatch::Tokens(1).halved(1), MicroBatch::Tokens(1));
    }
}
