use std::collections::BTreeMap;

use secondpass_core::{DocId, Grade, Ranking};

/// One query's ranking with each document's grade looked up: joined once, read by every measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedRanking {
    grades: Vec<Option<Grade>>,
    ideal: Vec<Grade>,
}

impl JudgedRanking {
    /// Looks up every ranked document among the query's judgements.
    pub fn join(ranking: &Ranking, judged: &BTreeMap<DocId, Grade>) -> Self {
        let grades = ranking.documents().map(|id| judged.get(id).copied()).collect();
        let mut ideal: Vec<Grade> = judged.values().copied().filter(|&grade| grade > 0).collect();
        ideal.sort_unstable_by(|a, b| b.cmp(a));
        Self { grades, ideal }
    }

    /// The grade of each ranked document, best first; `None` where it is unjudged.
    pub fn grades(&self) -> &[Option<Grade>] {
        &self.grades
    }

    /// The positive grades of all judged documents, retrieved or not, highest first.
    pub fn ideal(&self) -> &[Grade] {
        &self.ideal
    }

    /// Number of relevant documents, retrieved or not.
    pub fn relevant(&self) -> usize {
        self.ideal.len()
    }

    /// The first `cutoff` grades, or all.
    pub fn top(&self, cutoff: Option<usize>) -> &[Option<Grade>] {
        let end = cutoff.map_or(self.grades.len(), |cutoff| cutoff.min(self.grades.len()));
        &self.grades[..end]
    }

    /// Number of relevant documents among the first `cutoff`, or among all.
    pub fn relevant_in_top(&self, cutoff: Option<usize>) -> usize {
        self.top(cutoff).iter().filter(|&&grade| is_relevant(grade)).count()
    }
}

/// Whether a looked-up grade makes a document relevant.
pub(super) fn is_relevant(grade: Option<Grade>) -> bool {
    grade.is_some_and(|grade| grade > 0)
}
