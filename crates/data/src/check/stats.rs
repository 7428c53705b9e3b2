use std::collections::{BTreeMap, HashMap, HashSet};

use secondpass_core::Grade;
use serde::{Deserialize, Serialize};

use super::Parts;
use super::parts::Known;

/// What is in a set, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// The set's name.
    pub name: String,
    /// Number of documents.
    pub documents: usize,
    /// Words per document, its title included.
    pub document_words: Spread,
    /// Number of queries, judged or not.
    pub queries: usize,
    /// What each split has, by its name.
    pub splits: BTreeMap<String, SplitStats>,
}

/// What is in one split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitStats {
    /// Number of judged queries.
    pub queries: usize,
    /// Words per query, of those whose text is there.
    pub query_words: Spread,
    /// Number of judgements.
    pub judgements: usize,
    /// How many of each grade.
    pub grades: BTreeMap<Grade, usize>,
    /// Documents of grade 1 and above per query.
    pub relevant: Spread,
}

/// How counts are spread, by nearest rank (each is one of the counts); all 0 where there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// The smallest.
    pub min: usize,
    /// At least half of all are no larger.
    pub median: usize,
    /// At least 95% of all are no larger.
    pub p95: usize,
    /// The largest.
    pub max: usize,
}

/// Counts what is in a set. Words are runs without white space; in scripts that write none between
/// words, each character counts as one.
pub fn stats(parts: &Parts) -> Stats {
    let words = |known: &Known| known.words;
    let queries: HashMap<&str, &Known> =
        parts.queries.items.iter().map(|query| (query.id.as_str(), query)).collect();
    let splits = parts.splits.iter().map(|(name, split)| {
        let mut grades = BTreeMap::new();
        let mut relevant: HashMap<&str, usize> = HashMap::new();
        let mut pairs = HashSet::new();
        // A pair counts once, with the grade that stands first.
        for judged in &split.items {
            if pairs.insert((&judged.query, &judged.document)) {
                *grades.entry(judged.grade).or_default() += 1;
                *relevant.entry(judged.query.as_str()).or_default() +=
                    usize::from(judged.grade > 0);
            }
        }
        let texts = relevant.keys().filter_map(|id| queries.get(id));
        let stats = SplitStats {
            queries: relevant.len(),
            query_words: Spread::of(texts.map(|query| query.words)),
            judgements: pairs.len(),
            grades,
            relevant: Spread::of(relevant.values().copied()),
        };
        (name.clone(), stats)
    });
    Stats {
        name: parts.name.clone(),
        documents: parts.documents.items.len(),
        document_words: Spread::of(parts.documents.items.iter().map(words)),
        queries: parts.queries.items.len(),
        splits: splits.collect(),
    }
}

impl Spread {
    /// The spread of these counts.
    pub fn of(counts: impl IntoIterator<Item = usize>) -> Self {
        let mut counts: Vec<usize> = counts.into_iter().collect();
        counts.sort_unstable();
        // The smallest count that so many hundredths of all do not exceed.
        let at = |percent: usize| {
            let rank = (counts.len() * percent).div_ceil(100).max(1);
            counts.get(rank - 1).copied().unwrap_or_default()
        };
        Self { min: at(0), median: at(50), p95: at(95), max: at(100) }
    }
}
