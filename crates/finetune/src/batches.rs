use std::ops::Range;

use secondpass_core::{Document, Query, TruncationAudit};
use secondpass_text::{PairTokenizer, TokenBatch};

use crate::FinetuneError;

/// One query with its positive and the negatives that were drawn for it.
#[derive(Clone, Debug)]
pub struct SampledGroup<'a> {
    /// The query.
    pub query: &'a Query,
    /// The documents to tell apart.
    pub documents: Vec<&'a Document>,
    /// Which of them answers the query.
    pub positive: usize,
    /// A teacher's score of each document, where there is one.
    pub teacher: Option<Vec<f32>>,
}

/// Groups of sequences to learn from: each group is one query with its candidates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupBatch {
    /// All sequences, group after group.
    pub tokens: TokenBatch,
    /// Sequences in each group; together they are all of them.
    pub sizes: Vec<usize>,
    /// What each sequence should be, one a sequence: 1 for a positive and 0 for a negative, or any
    /// grades that the loss takes.
    pub targets: Vec<f32>,
    /// A teacher's score of each sequence, where the groups have one; otherwise empty.
    pub teacher: Vec<f32>,
}

impl GroupBatch {
    /// Where each group's sequences stand.
    pub fn ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut start = 0;
        self.sizes.iter().map(move |&size| {
            let group = start..start + size;
            start += size;
            group
        })
    }

    /// The same groups, one after another.
    pub(crate) fn joined<'a>(parts: impl Iterator<Item = &'a Self>) -> Self {
        let mut whole = Self::default();
        for part in parts {
            part.tokens.sequences().for_each(|(ids, types)| whole.tokens.push(ids, types));
            whole.sizes.extend(&part.sizes);
            whole.targets.extend(&part.targets);
            whole.teacher.extend(&part.teacher);
        }
        whole
    }
}

/// The groups as tokens, with all of the target on each positive. Cuts are noted in `audit`.
///
/// # Errors
/// Texts that the tokenizer rejects, pairs that are too long where none may be cut.
pub fn encode(
    groups: &[SampledGroup<'_>],
    tokenizer: &PairTokenizer,
    audit: &mut TruncationAudit,
) -> Result<GroupBatch, FinetuneError> {
    let mut batch = GroupBatch::default();
    for group in groups {
        let passages: Vec<String> =
            group.documents.iter().map(|document| document.passage()).collect();
        let pairs = tokenizer
            .encode(&group.query.text, &passages)
            .map_err(|source| FinetuneError::Tokenize { query: group.query.id.clone(), source })?;
        for pair in &pairs {
            audit.note(pair.ids.len() + pair.cut, pair.cut);
            batch.tokens.push(&pair.ids, &pair.type_ids);
        }
        batch.sizes.push(pairs.len());
        let targets = (0..pairs.len()).map(|place| f32::from(place == group.positive));
        batch.targets.extend(targets);
        batch.teacher.extend(group.teacher.iter().flatten());
    }
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use secondpass_text::Truncation;

    use super::*;
    use crate::testing::{corpus, query, tokenizer};

    #[test]
    fn groups_of_different_sizes_lie_end_to_end() {
        let corpus = corpus(&[("a", "red fox"), ("b", "grey owl"), ("c", "a red owl and a fox")]);
        let [a, b, c] = corpus.documents() else { panic!("three documents") };
        let (one, two) = (query("1", "fox"), query("2", "owl"));
        let groups = [
            SampledGroup { query: &one, documents: vec![b, a, c], positive: 1, teacher: None },
            SampledGroup { query: &two, documents: vec![c, b], positive: 0, teacher: None },
        ];
        let tokenizer = tokenizer(&["red fox grey owl", "a red owl and a fox"], 12);
        let mut audit = TruncationAudit::default();
        let batch = encode(&groups, &tokenizer, &mut audit).unwrap();
        assert_eq!(batch.sizes, [3, 2]);
        assert_eq!(batch.targets, [0.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(batch.tokens.len(), 5);
        let pairs = tokenizer.encode("fox", &["red fox"]).unwrap();
        assert_eq!(batch.tokens.sequences().nth(1).unwrap().0, pairs[0].ids);
        assert_eq!(audit.pairs, 5);
        assert_eq!(audit.tokens - audit.tokens_cut, batch.tokens.tokens());
        assert_eq!(tokenizer.truncation(), Truncation::LongestFirst);
    }
}
