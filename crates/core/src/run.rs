use std::collections::BTreeMap;

use crate::{ContentHash, Hasher, QueryId, Ranking};

/// The rankings of many queries by one system.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// The system's name, the last column of a TREC run.
    pub name: String,
    /// One ranking a query.
    pub rankings: BTreeMap<QueryId, Ranking>,
}

impl Run {
    /// An empty run.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), rankings: BTreeMap::new() }
    }

    /// The first `depth` places of every ranking.
    pub fn cut(&self, depth: usize) -> Self {
        let rankings =
            self.rankings.iter().map(|(query, ranking)| (query.clone(), ranking.cut(depth)));
        Self { name: self.name.clone(), rankings: rankings.collect() }
    }

    /// The hash of queries, documents, order and scores (as 32-bit floats); the name does not count.
    pub fn hash(&self) -> ContentHash {
        let mut hasher = Hasher::new();
        for (query, ranking) in &self.rankings {
            hasher.field(query.as_str()).field((ranking.len() as u64).to_le_bytes());
            for ranked in ranking.ranked() {
                hasher.field(ranked.document.as_str());
                match ranked.score {
                    Some(score) => hasher.field((score as f32).to_le_bytes()),
                    None => hasher.field([]),
                };
            }
        }
        hasher.finish()
    }
}
