use std::collections::{HashMap, HashSet};

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use secondpass_core::{Corpus, DocId, Document, Qrels, Query, QueryId, Run};
use secondpass_data::triples::Group;

use crate::answers::Answers;
use crate::batches::SampledGroup;
use crate::seeds::{Draw, generator};
use crate::{FinetuneError, NegativeCounts};

/// What a model learns from.
#[derive(Clone, Copy, Debug)]
pub struct TrainingData<'a> {
    /// The queries that groups name; others may be among them.
    pub queries: &'a [Query],
    /// Their documents.
    pub corpus: &'a Corpus,
    /// Judgements of the training queries: what is relevant to a query, or says the same, is never
    /// drawn as its negative. Positives count as judged without them.
    pub qrels: &'a Qrels,
    /// The triples by query and positive.
    pub groups: &'a [Group],
    /// The first stage's candidates of the training queries.
    pub candidates: Option<&'a Run>,
}

/// Draws the order and the negatives of every epoch. An epoch's draws depend on the seed, the epoch
/// and the group alone.
#[derive(Debug)]
pub struct Sampler<'a> {
    data: TrainingData<'a>,
    counts: NegativeCounts,
    seed: u64,
    is_taught: bool,
    queries: HashMap<&'a QueryId, &'a Query>,
    positives: HashMap<&'a QueryId, HashSet<&'a DocId>>,
    answers: Answers<'a>,
    epoch: usize,
    order: Vec<usize>,
}

impl<'a> Sampler<'a> {
    /// Checks that all that groups and candidates name is there, and that each group can have a
    /// negative.
    ///
    /// # Errors
    /// No groups, unknown queries or documents, a recipe that needs candidates and has none, a query to
    /// which the whole corpus is relevant.
    pub fn new(
        data: TrainingData<'a>,
        counts: NegativeCounts,
        seed: u64,
    ) -> Result<Self, FinetuneError> {
        if data.groups.is_empty() {
            return Err(FinetuneError::NoGroups);
        }
        if counts.first_stage > 0 && data.candidates.is_none() {
            return Err(FinetuneError::NoCandidates { wanted: counts.first_stage });
        }
        let queries: HashMap<_, _> = data.queries.iter().map(|query| (&query.id, query)).collect();
        let mut positives: HashMap<&QueryId, HashSet<&DocId>> = HashMap::new();
        for group in data.groups {
            if !queries.contains_key(&group.query) {
                return Err(FinetuneError::UnknownQuery(group.query.clone()));
            }
            known(data.corpus, &group.query, &group.positive)?;
            for negative in &group.negatives {
                known(data.corpus, &group.query, negative)?;
            }
            positives.entry(&group.query).or_default().insert(&group.positive);
        }
        check_texts(&data, &queries)?;
        let answers = Answers::new(data.queries, data.corpus, |query| {
            let judged = data.qrels.of(&query.id).into_iter().flatten();
            let relevant = judged.filter(|&(_, &grade)| grade > 0).map(|(id, _)| id);
            relevant.chain(positives.get(&query.id).into_iter().flatten().copied()).collect()
        });
        let order = order(data.groups.len(), seed, 0);
        let is_taught = false;
        let sampler =
            Self { data, counts, seed, is_taught, queries, positives, answers, epoch: 0, order };
        sampler.check_negatives()?;
        Ok(sampler)
    }

    /// Groups in an epoch.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are no groups: never, once it is made.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The same with a teacher's scores: negatives come from the groups' own lists alone, because
    /// nobody scored others.
    ///
    /// # Errors
    /// A group without scores, or without negatives.
    pub(crate) fn taught(self) -> Result<Self, FinetuneError> {
        for group in self.data.groups {
            let query = || group.query.clone();
            match &group.teacher {
                None => return Err(FinetuneError::NoTeacher(query())),
                Some(_) if group.negatives.is_empty() => {
                    return Err(FinetuneError::NothingTaught(query()));
                }
                Some(_) => {}
            }
        }
        Ok(Self { is_taught: true, ..self })
    }

    /// Finds before the first step what would otherwise end training when it is drawn.
    fn check_negatives(&self) -> Result<(), FinetuneError> {
        let mut seen = HashSet::new();
        for group in self.data.groups {
            let has_own = self.counts.hard > 0 && !group.negatives.is_empty();
            let mut corpus = self.data.corpus.documents().iter();
            let id = &group.query;
            if !has_own && seen.insert(id) && corpus.all(|document| self.is_answer(id, document)) {
                return Err(FinetuneError::NoNegatives(id.clone()));
            }
        }
        Ok(())
    }

    fn is_answer(&self, query: &QueryId, document: &Document) -> bool {
        self.answers.name(query, &document.id) || self.answers.say(query, document)
    }

    /// The group at a place in the sequence of all epochs, counted from 0, with its documents in a
    /// random order: a model that scores all alike must not look right by position.
    ///
    /// # Errors
    /// Candidates that are not in the corpus.
    pub fn group(&mut self, place: usize) -> Result<SampledGroup<'a>, FinetuneError> {
        let epoch = place / self.len();
        if epoch != self.epoch {
            self.order = order(self.len(), self.seed, epoch);
            self.epoch = epoch;
        }
        let index = self.order[place % self.order.len()];
        let group = &self.data.groups[index];
        let mut random = generator(self.seed, Draw::Negatives, epoch, index);
        let mut documents = vec![known(self.data.corpus, &group.query, &group.positive)?];
        documents.extend(self.negatives(group, &mut random)?);
        documents.shuffle(&mut random);
        let positive = documents.iter().position(|document| document.id == group.positive);
        let query = self.queries.get(&group.query).copied();
        let teacher = taught(group, &documents);
        Ok(SampledGroup {
            query: query.ok_or_else(|| FinetuneError::UnknownQuery(group.query.clone()))?,
            documents,
            positive: positive.unwrap_or(0),
            teacher,
        })
    }

    /// Each source in turn, random order within it; what one lacks the next ones give.
    fn negatives(
        &self,
        group: &'a Group,
        random: &mut ChaCha8Rng,
    ) -> Result<Vec<&'a Document>, FinetuneError> {
        let NegativeCounts { hard, first_stage, .. } = self.counts;
        let mut negatives = Vec::new();
        let mut taken = HashSet::from([&group.positive]);
        let mut own: Vec<&DocId> = group.negatives.iter().collect();
        own.shuffle(random);
        for id in own.into_iter().take(hard) {
            if taken.insert(id) {
                negatives.push(known(self.data.corpus, &group.query, id)?);
            }
        }
        if self.is_taught {
            return Ok(negatives);
        }
        if first_stage > 0
            && let Some(ranking) =
                self.data.candidates.and_then(|run| run.rankings.get(&group.query))
        {
            let mut found: Vec<&DocId> = ranking.documents().collect();
            found.shuffle(random);
            for id in found {
                if negatives.len() >= hard + first_stage {
                    break;
                }
                if self.answers.name(&group.query, id) || !taken.insert(id) {
                    continue;
                }
                let document = known(self.data.corpus, &group.query, id)?;
                if !self.answers.say(&group.query, document) {
                    negatives.push(document);
                }
            }
        }
        let documents = self.data.corpus.documents();
        let relevant = self.data.qrels.of(&group.query).map_or(0, |judged| judged.len())
            + self.positives.get(&group.query).map_or(0, HashSet::len);
        let wanted = self.counts.total().saturating_sub(negatives.len());
        // So many distinct draws hold enough, however many of them are relevant or taken, unless
        // others say the same as a relevant one.
        let mut enough = wanted + relevant + taken.len();
        let (mut fresh, mut drawn) = (Vec::new(), 0);
        while fresh.len() < wanted && drawn < documents.len() {
            drawn = documents.len().min(enough);
            let places = rand::seq::index::sample(random, documents.len(), drawn);
            fresh = places
                .into_iter()
                .map(|place| &documents[place])
                .filter(|document| !taken.contains(&document.id))
                .filter(|document| !self.is_answer(&group.query, document))
                .take(wanted)
                .collect();
            enough = 2 * drawn;
        }
        negatives.extend(fresh);
        match negatives.is_empty() {
            true => Err(FinetuneError::NoNegatives(group.query.clone())),
            false => Ok(negatives),
        }
    }
}

fn order(groups: usize, seed: u64, epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..groups).collect();
    order.shuffle(&mut generator(seed, Draw::Order, epoch, 0));
    order
}

/// The teacher's scores of these documents; `None` when one of them has none.
fn taught(group: &Group, documents: &[&Document]) -> Option<Vec<f32>> {
    let teacher = group.teacher.as_ref()?;
    let negatives: HashMap<&DocId, f64> =
        group.negatives.iter().zip(teacher.negatives.iter().copied()).collect();
    let score = |document: &&Document| match document.id == group.positive {
        true => Some(teacher.positive as f32),
        false => negatives.get(&document.id).map(|&score| score as f32),
    };
    documents.iter().map(score).collect()
}

/// An empty text cannot be told apart from another one.
fn check_texts(
    data: &TrainingData<'_>,
    queries: &HashMap<&QueryId, &Query>,
) -> Result<(), FinetuneError> {
    for group in data.groups {
        if queries.get(&group.query).is_some_and(|query| query.text.trim().is_empty()) {
            return Err(FinetuneError::EmptyQuery(group.query.clone()));
        }
        for id in std::iter::once(&group.positive).chain(&group.negatives) {
            if known(data.corpus, &group.query, id)?.passage().trim().is_empty() {
                let (query, document) = (group.query.clone(), id.clone());
                return Err(FinetuneError::EmptyDocument { query, document });
            }
        }
    }
    Ok(())
}

fn known<'a>(
    corpus: &'a Corpus,
    query: &QueryId,
    document: &DocId,
) -> Result<&'a Document, FinetuneError> {
    corpus.get(document).ok_or_else(|| FinetuneError::UnknownDocument {
        query: query.clone(),
        document: document.clone(),
    })
}

#[cfg(test)]
mod tests {
    use secondpass_core::Ranking;

    use super::*;
    use crate::testing::{corpus, query};

    struct Parts {
        queries: Vec<Query>,
        corpus: Corpus,
        qrels: Qrels,
        groups: Vec<Group>,
        candidates: Run,
    }

    /// Two queries over documents `d0` to `d9`; `d0` and `d1` are relevant to `q`.
    fn parts() -> Parts {
        let texts: Vec<(String, String)> =
            (0..10).map(|n| (format!("d{n}"), format!("text {n}"))).collect();
        let texts: Vec<(&str, &str)> =
            texts.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
        let mut qrels = Qrels::new();
        qrels.insert("q".into(), "d1".into(), 1);
        qrels.insert("q".into(), "d2".into(), 0);
        let group = |query: &str, negatives: &[&str]| {
            let negatives = negatives.iter().map(|&id| id.into()).collect();
            Group::new(query.into(), "d0".into(), negatives)
        };
        let mut candidates = Run::new("bm25");
        let found = ["d0", "d1", "d2", "d3", "d4"].map(|id| (id.into(), 1.0));
        candidates.rankings.insert("q".into(), Ranking::from_scores(found).unwrap());
        Parts {
            queries: vec![query("q", "one"), query("r", "two")],
            corpus: corpus(&texts),
            qrels,
            groups: vec![group("q", &["d2", "d3"]), group("r", &["d7", "d8", "d9"])],
            candidates,
        }
    }

    impl Parts {
        fn sampler(&self, hard: usize, first_stage: usize, random: usize) -> Sampler<'_> {
            self.try_sampler(NegativeCounts { hard, first_stage, random }, 1).unwrap()
        }

        fn try_sampler(
            &self,
            counts: NegativeCounts,
            seed: u64,
        ) -> Result<Sampler<'_>, FinetuneError> {
            let Self { queries, corpus, qrels, groups, candidates } = self;
            let candidates = Some(candidates);
            Sampler::new(TrainingData { queries, corpus, qrels, groups, candidates }, counts, seed)
        }
    }

    fn negatives(group: &SampledGroup<'_>) -> Vec<String> {
        assert_eq!(group.documents[group.positive].id.as_str(), "d0");
        let ids = group.documents.iter().map(|document| document.id.as_str().to_owned());
        let mut ids: Vec<String> = ids.filter(|id| id != "d0").collect();
        ids.sort();
        ids
    }

    fn of(sampler: &mut Sampler<'_>, query: &str, epoch: usize) -> Vec<String> {
        let groups: Vec<_> =
            (0..2).map(|place| sampler.group(2 * epoch + place).unwrap()).collect();
        negatives(groups.iter().find(|group| group.query.id.as_str() == query).unwrap())
    }

    #[test]
    fn sources_fill_each_other_up_and_never_give_what_is_relevant() {
        let parts = parts();
        let mut sampler = parts.sampler(2, 1, 0);
        assert_eq!(of(&mut sampler, "q", 0), ["d2", "d3", "d4"]);
        // Three hard ones are wanted and there are two, two candidates and one is left.
        let mut sampler = parts.sampler(3, 1, 1);
        for epoch in 0..20 {
            let drawn = of(&mut sampler, "q", epoch);
            assert_eq!(drawn.len(), 5);
            assert_eq!(drawn[..3], ["d2", "d3", "d4"]);
        }
        // All that is not relevant, however many are wanted.
        let mut sampler = parts.sampler(0, 0, 50);
        assert_eq!(of(&mut sampler, "q", 0).len(), 8);
        assert_eq!(of(&mut sampler, "r", 0).len(), 9);
        // A query that the first stage found nothing for.
        let mut sampler = parts.sampler(1, 2, 0);
        assert_eq!(of(&mut sampler, "r", 0).len(), 3);
    }

    #[test]
    fn draws_repeat_by_seed_and_change_by_epoch() {
        let parts = parts();
        let counts = NegativeCounts { hard: 1, first_stage: 0, random: 3 };
        let sequence = |seed: u64| -> Vec<Vec<String>> {
            let mut sampler = parts.try_sampler(counts, seed).unwrap();
            (0..12).map(|place| negatives(&sampler.group(place).unwrap())).collect()
        };
        assert_eq!(sequence(1), sequence(1));
        assert_ne!(sequence(1), sequence(2));
        let first = sequence(1);
        assert!((1..6).any(|epoch| first[2 * epoch..2 * epoch + 2] != first[..2]));
        // A place may be asked for in any order.
        let mut sampler = parts.try_sampler(counts, 1).unwrap();
        assert_eq!(negatives(&sampler.group(9).unwrap()), first[9]);
        assert_eq!(negatives(&sampler.group(2).unwrap()), first[2]);
    }

    #[test]
    fn an_epoch_is_every_group_once() {
        let mut parts = parts();
        let template = parts.groups[1].clone();
        parts.queries = (0..7).map(|n| query(&format!("q{n}"), "text")).collect();
        parts.groups = parts
            .queries
            .iter()
            .map(|q| Group { query: q.id.clone(), ..template.clone() })
            .collect();
        let mut sampler = parts.sampler(1, 0, 0);
        for epoch in 0..3 {
            let ids: HashSet<_> =
                (0..7).map(|place| &sampler.group(7 * epoch + place).unwrap().query.id).collect();
            assert_eq!(ids.len(), 7);
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let counts = NegativeCounts { hard: 0, first_stage: 1, random: 0 };
        let error = |parts: &Parts| parts.try_sampler(counts, 1).unwrap_err().to_string();
        let mut broken = parts();
        broken.groups[0].query = "s".into();
        assert!(error(&broken).contains("query 's'"));
        let mut broken = parts();
        broken.groups[1].negatives[2] = "d99".into();
        assert!(error(&broken).contains("query 'r' names document 'd99'"));
        let mut broken = parts();
        broken.groups.clear();
        assert!(matches!(broken.try_sampler(counts, 1), Err(FinetuneError::NoGroups)));
        let Parts { queries, corpus, qrels, groups, .. } = &parts();
        let data = TrainingData { queries, corpus, qrels, groups, candidates: None };
        assert!(matches!(
            Sampler::new(data, counts, 1),
            Err(FinetuneError::NoCandidates { wanted: 1 })
        ));
    }

    #[test]
    fn empty_texts_are_named() {
        let counts = NegativeCounts { hard: 1, first_stage: 0, random: 0 };
        let error = |parts: &Parts| parts.try_sampler(counts, 1).unwrap_err().to_string();
        let mut blank = parts();
        blank.queries[1].text = " \n".to_owned();
        assert!(error(&blank).contains("query 'r' has no text"));
        let mut blank = parts();
        blank.corpus = corpus(
            &["d0", "d1", "d2", "d3", "d7", "d8", "d9"]
                .map(|id| (id, if id == "d3" { "" } else { "text" })),
        );
        assert!(error(&blank).contains("document 'd3' of query 'q' has no text"));
    }

    #[test]
    fn a_query_to_which_all_is_relevant_is_named_before_any_is_drawn() {
        let mut parts = parts();
        for document in parts.corpus.documents() {
            parts.qrels.insert("q".into(), document.id.clone(), 1);
        }
        let error = |hard| {
            let counts = NegativeCounts { hard, first_stage: 1, random: 1 };
            parts.try_sampler(counts, 1).map(|_| ()).map_err(|error| error.to_string())
        };
        assert!(error(0).unwrap_err().contains("query 'q' has no negative"));
        // It has negatives of its own.
        assert_eq!(error(1), Ok(()));
    }

    #[test]
    fn what_says_the_same_as_a_positive_is_not_drawn() {
        let mut parts = parts();
        let text = |n: usize| match n {
            // d0 is the positive of all.
            0 => "Cats purr.".to_owned(),
            1..=3 => "cats PURR".to_owned(),
            n => format!("text {n}"),
        };
        let texts: Vec<(String, String)> = (0..10).map(|n| (format!("d{n}"), text(n))).collect();
        let texts: Vec<(&str, &str)> =
            texts.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
        parts.corpus = corpus(&texts);
        parts.groups[0].negatives.clear();
        let mut sampler = parts.sampler(1, 2, 3);
        for epoch in 0..20 {
            let drawn = of(&mut sampler, "q", epoch);
            assert_eq!(drawn.len(), 6);
            assert!(["d1", "d2", "d3"].iter().all(|same| !drawn.iter().any(|id| id == same)));
        }
    }
}
