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
}

/// Groups of sequences to learn from: each group is one query with its candidates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupBatch {
    /// All sequences, group after group.
    pub tokens: TokenBatch,
    /// Sequences in each group; together they are all of them.
    pub sizes: Vec<usize>,
    /// What each sequence's probability within its group should be; one a sequence, adding up to 1
    /// in each group. Hard labels put 1 on the positive.
    pub targets: Vec<f32>,
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
            SampledGroup { query: &one, documents: vec![b, a, c], positive: 1 },
            SampledGroup { query: &two, documents: vec![c, b], positive: 0 },
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
