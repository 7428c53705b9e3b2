//! The help-desk set that the program carries inside itself: a demonstration, written for it.

use secondpass_core::{Dataset, DocId, QueryId};

use crate::lines::Lines;
use crate::triples::{self, Group};
use crate::{DataError, beir};

/// The set's name.
pub const NAME: &str = "helpdesk";

/// The splits it has judgements for.
pub const SPLITS: [&str; 3] = ["train", "dev", "test"];

/// One split of the embedded set. Queries carry the attributes `kind`, `family` and `held_out`
/// (`yes` for the family that no training query or triple mentions).
///
/// # Errors
/// A split that is not among [`SPLITS`].
pub fn helpdesk(split: &str) -> Result<Dataset, DataError> {
    let qrels = match split {
        "train" => TRAIN,
        "dev" => DEV,
        "test" => TEST,
        _ => {
            return Err(DataError::MissingSplit {
                set: NAME.to_owned(),
                split: split.to_owned(),
                available: SPLITS.map(str::to_owned).to_vec(),
            });
        }
    };
    let corpus = beir::read_corpus(lines(CORPUS, "helpdesk/corpus.jsonl"))?;
    let queries = beir::read_queries(lines(QUERIES, "helpdesk/queries.jsonl"))?;
    let qrels = lines(qrels, &format!("helpdesk/qrels/{split}.tsv"));
    beir::assemble(NAME, split, corpus, queries, qrels)
}

/// The training triples by query and positive; their texts are those of `helpdesk("train")`.
///
/// # Errors
/// None in a build whose tests pass: the files are compiled in.
pub fn helpdesk_groups() -> Result<Vec<Group>, DataError> {
    triples::read_from(TRIPLES.as_bytes(), "helpdesk/triples.tsv")
}

/// The training triples one by one: query, positive, negative.
///
/// # Errors
/// As [`helpdesk_groups`].
pub fn helpdesk_triples() -> Result<impl Iterator<Item = (QueryId, DocId, DocId)>, DataError> {
    let flat = |group: Group| {
        let Group { query, positive, negatives, .. } = group;
        negatives.into_iter().map(move |negative| (query.clone(), positive.clone(), negative))
    };
    Ok(helpdesk_groups()?.into_iter().flat_map(flat))
}

const CORPUS: &str = include_str!("../../../datasets/helpdesk/corpus.jsonl");
const QUERIES: &str = include_str!("../../../datasets/helpdesk/queries.jsonl");
const TRAIN: &str = include_str!("../../../datasets/helpdesk/qrels/train.tsv");
const DEV: &str = include_str!("../../../datasets/helpdesk/qrels/dev.tsv");
const TEST: &str = include_str!("../../../datasets/helpdesk/qrels/test.tsv");
const TRIPLES: &str = include_str!("../../../datasets/helpdesk/triples.tsv");

fn lines(text: &'static str, file: &str) -> Lines<&'static [u8]> {
    Lines::new(text.as_bytes(), file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_split_lists_those_there_are() {
        let error = helpdesk("tset").unwrap_err().to_string();
        assert_eq!(error, "helpdesk has no split 'tset'; it has: train, dev, test");
    }

    #[test]
    fn triples_are_texts_of_the_training_split() {
        let train = helpdesk("train").unwrap();
        let queries: std::collections::HashSet<_> =
            train.queries().iter().map(|query| query.id.clone()).collect();
        let mut count = 0;
        for (query, positive, negative) in helpdesk_triples().unwrap() {
            assert!(queries.contains(&query), "{query}");
            assert!(train.corpus().get(&positive).is_some(), "{positive}");
            assert!(train.corpus().get(&negative).is_some(), "{negative}");
            count += 1;
        }
        let groups = helpdesk_groups().unwrap();
        assert_eq!(count, groups.iter().map(|group| group.negatives.len()).sum::<usize>());
    }
}
