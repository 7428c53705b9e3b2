/// Token sequences of different lengths, laid end to end: whether they are padded or packed is the
/// engine's choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenBatch {
    ids: Vec<u32>,
    type_ids: Vec<u32>,
    /// Start of each sequence and, last, the end of all: one more than there are sequences.
    offsets: Vec<usize>,
}

impl TokenBatch {
    /// No sequences.
    pub fn new() -> Self {
        Self { ids: Vec::new(), type_ids: Vec::new(), offsets: vec![0] }
    }

    /// Adds a sequence. `type_ids` pair up with `ids`; missing ones count as 0, excess ones are
    /// ignored.
    pub fn push(&mut self, ids: &[u32], type_ids: &[u32]) {
        self.ids.extend_from_slice(ids);
        self.type_ids.extend(type_ids.iter().take(ids.len()));
        self.type_ids.resize(self.ids.len(), 0);
        self.offsets.push(self.ids.len());
    }

    /// Number of sequences.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no sequence.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tokens over all sequences.
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// The longest sequence, in tokens; 0 when there is none.
    pub fn longest(&self) -> usize {
        self.offsets.windows(2).map(|ends| ends[1] - ends[0]).max().unwrap_or(0)
    }

    /// Each sequence's ids and type ids, in order.
    pub fn sequences(&self) -> impl ExactSizeIterator<Item = (&[u32], &[u32])> {
        self.offsets
            .windows(2)
            .map(|ends| (&self.ids[ends[0]..ends[1]], &self.type_ids[ends[0]..ends[1]]))
    }

    /// The same sequences in the same order as at most `parts` batches of like numbers of
    /// sequences; none is empty.
    pub fn split(&self, parts: usize) -> Vec<Self> {
        let size = self.len().div_ceil(parts.max(1)).max(1);
        let sequences: Vec<_> = self.sequences().collect();
        let batch = |part: &[(&[u32], &[u32])]| {
            let mut batch = Self::new();
            part.iter().for_each(|(ids, types)| batch.push(ids, types));
            batch
        };
        sequences.chunks(size).map(batch).collect()
    }

    /// Every token id, sequence after sequence.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Every token's type id, sequence after sequence.
    pub fn type_ids(&self) -> &[u32] {
        &self.type_ids
    }
}

impl Default for TokenBatch {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_come_back_as_pushed() {
        let mut batch = TokenBatch::new();
        batch.push(&[5, 6, 7], &[0, 1, 1]);
        batch.push(&[], &[]);
        batch.push(&[8], &[]);
        let sequences: Vec<_> = batch.sequences().collect();
        assert_eq!(sequences[0], (&[5, 6, 7][..], &[0, 1, 1][..]));
        assert_eq!(sequences[1], (&[][..], &[][..]));
        assert_eq!(sequences[2], (&[8][..], &[0][..]));
        assert_eq!((batch.len(), batch.tokens(), batch.longest()), (3, 4, 3));
    }

    #[test]
    fn parts_are_the_whole() {
        let mut batch = TokenBatch::new();
        (0..7).for_each(|i| batch.push(&vec![i; i as usize], &[]));
        for parts in [0, 1, 2, 3, 7, 50] {
            let split = batch.split(parts);
            assert!(split.len() <= parts.max(1) && split.iter().all(|part| !part.is_empty()));
            let joined: Vec<_> = split.iter().flat_map(|part| part.sequences()).collect();
            assert_eq!(joined, batch.sequences().collect::<Vec<_>>());
        }
        assert!(TokenBatch::new().split(4).is_empty());
    }
}
