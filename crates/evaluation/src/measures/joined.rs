use std::collections::BTreeMap;

use secondpass_core::{DocId, Grade, Ranking};

/// One query's ranking with each document's grade looked up: joined once, read by every measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedRanking {
    grades: Vec<Option<Grade>>,
    ideal: Vec<Grade>,
    zeros: usize,
}

impl JudgedRanking {
    /// Looks up every ranked document among the query's judgements.
    pub fn join(ranking: &Ranking, judged: &BTreeMap<DocId, Grade>) -> Self {
        let grades = ranking.documents().map(|id| judged.get(id).copied()).collect();
        Self::new(grades, judged.values().copied())
    }

    /// From the grade of each ranked document, best first (`None` where it is unjudged), and the
    /// grades of all judged documents of the query, ranked or not, in any order.
    pub fn new(grades: Vec<Option<Grade>>, judged: impl IntoIterator<Item = Grade>) -> Self {
        let (mut ideal, mut zeros) = (Vec::new(), 0);
        for grade in judged {
            match grade {
                1.. => ideal.push(grade),
                0 => zeros += 1,
                _ => {}
            }
        }
        ideal.sort_unstable_by(|a, b| b.cmp(a));
        Self { grades, ideal, zeros }
    }

    /// The grade of each ranked document, best first; `None` where it is unjudged.
    pub fn grades(&self) -> &[Option<Grade>] {
        &self.grades
    }

    /// The positive grades of all judged documents, retrieved or not, highest first.
    pub fn ideal(&self) -> &[Grade] {
        &self.ideal
    }

    /// Number of documents judged at grade `rel` or above, retrieved or not; `rel` is 1 or more.
    pub fn relevant(&self, rel: Grade) -> usize {
        self.ideal.partition_point(|&grade| grade >= rel)
    }

    /// Number of documents judged from grade 0 to below `rel`, retrieved or not. Negative grades do
    /// not count: to trec_eval they are documents of the pool that nobody judged.
    pub fn not_relevant(&self, rel: Grade) -> usize {
        self.zeros + self.ideal.len() - self.relevant(rel)
    }

    /// The first `cutoff` grades, or all.
    pub fn top(&self, cutoff: Option<usize>) -> &[Option<Grade>] {
        let end = cutoff.map_or(self.grades.len(), |cutoff| cutoff.min(self.grades.len()));
        &self.grades[..end]
    }

    /// Number of documents at grade `rel` or above among the first `cutoff`, or among all.
    pub fn relevant_in_top(&self, rel: Grade, cutoff: Option<usize>) -> usize {
        self.top(cutoff).iter().filter(|&&grade| is_relevant(grade, rel)).count()
    }

    /// The same judgements with the ranked documents in another order, or some of them left out.
    pub(crate) fn with_grades(&self, grades: Vec<Option<Grade>>) -> Self {
        Self { grades, ideal: self.ideal.clone(), zeros: self.zeros }
    }

    /// The condensed list: unjudged documents taken out, judged ones moved up (Sakai, SIGIR 2007).
    /// It favours systems that rank unjudged documents high. As in trec_eval's `-J`, documents of a
    /// negative grade go too.
    pub fn condensed(&self) -> Self {
        let judged = |grade: &Option<Grade>| grade.is_some_and(|grade| grade >= 0);
        self.with_grades(self.grades.iter().copied().filter(judged).collect())
    }

    /// As if the first `count` unjudged documents of the ranking had been judged relevant at grade
    /// 1. The ideal counts them too, so that no measure passes 1.
    pub fn with_unjudged_relevant(&self, count: usize) -> Self {
        let mut left = count;
        let grade = |grade: &Option<Grade>| {
            if grade.is_none() && left > 0 {
                left -= 1;
                return Some(1);
            }
            *grade
        };
        let grades = self.grades.iter().map(grade).collect();
        let mut ideal = self.ideal.clone();
        // 1 is the lowest positive grade, so that the end is its place.
        ideal.resize(ideal.len() + (count - left), 1);
        Self { grades, ideal, zeros: self.zeros }
    }

    /// Number of ranked documents that nobody judged.
    pub fn unjudged(&self) -> usize {
        self.grades.iter().filter(|grade| grade.is_none()).count()
    }
}

/// Whether a looked-up grade makes a document relevant.
pub(super) fn is_relevant(grade: Option<Grade>, rel: Grade) -> bool {
    grade.is_some_and(|grade| grade >= rel)
}

/// `part / whole`; 0 where there is no whole.
pub(super) fn share(part: usize, whole: usize) -> f64 {
    match whole {
        0 => 0.0,
        whole => part as f64 / whole as f64,
    }
}
