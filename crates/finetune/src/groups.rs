use secondpass_core::Dataset;
use secondpass_data::triples::Group;

use crate::answers::Answers;

/// A group for each relevant judgement: its document is the positive, and the query's documents
/// judged not relevant are the negatives, but for those that say the same as a relevant one (none
/// where none was judged so: sampling then takes them from elsewhere). By query and document id.
pub fn groups_of_judgements(dataset: &Dataset) -> Vec<Group> {
    let answers = Answers::of(dataset);
    let is_answer = |query, id| {
        let says = || dataset.corpus().get(id).is_some_and(|document| answers.say(query, document));
        answers.name(query, id) || says()
    };
    let mut groups = Vec::new();
    for (query, judged) in dataset.qrels().iter() {
        let negatives: Vec<_> = judged
            .iter()
            .filter(|&(document, &grade)| grade <= 0 && !is_answer(query, document))
            .map(|(document, _)| document.clone())
            .collect();
        let positives = judged.iter().filter(|&(_, &grade)| grade > 0);
        groups.extend(
            positives.map(|(positive, _)| {
                Group::new(query.clone(), positive.clone(), negatives.clone())
            }),
        );
    }
    groups
}

#[cfg(test)]
mod tests {
    use secondpass_core::{Corpus, Document, Qrels, Query};

    use super::*;

    #[test]
    fn one_group_a_relevant_judgement() {
        let document =
            |id: &str| Document { id: id.into(), title: String::new(), text: id.to_owned() };
        let query =
            |id: &str| Query { id: id.into(), text: id.to_owned(), attributes: Default::default() };
        let corpus = Corpus::new(["a", "b", "c", "d"].map(document).to_vec()).unwrap();
        let mut qrels = Qrels::new();
        for (query, document, grade) in [
            ("q", "a", 1),
            ("q", "b", 0),
            ("q", "c", 2),
            ("q", "d", -1),
            ("r", "a", 0),
            ("s", "a", 1),
        ] {
            qrels.insert(query.into(), document.into(), grade);
        }
        let queries = ["q", "r", "s"].map(query).to_vec();
        let dataset = Dataset::new("set", "train", corpus, queries, qrels).unwrap();
        let groups = groups_of_judgements(&dataset);
        let shown: Vec<(String, String, usize)> = groups
            .iter()
            .map(|group| {
                (group.query.to_string(), group.positive.to_string(), group.negatives.len())
            })
            .collect();
        let expected = [("q", "a", 2), ("q", "c", 2), ("s", "a", 0)];
        assert_eq!(shown, expected.map(|(q, d, n)| (q.to_owned(), d.to_owned(), n)));
        assert_eq!(groups[0].negatives, ["b".into(), "d".into()]);
    }

    #[test]
    fn a_judged_document_that_says_what_a_relevant_one_says_is_no_negative() {
        let document = |id: &str, text: &str| Document {
            id: id.into(),
            title: String::new(),
            text: text.into(),
        };
        let corpus =
            Corpus::new(vec![document("a", "Cats."), document("b", "cats"), document("c", "dogs")]);
        let query = |id: &str, text: &str| Query {
            id: id.into(),
            text: text.into(),
            attributes: Default::default(),
        };
        let mut qrels = Qrels::new();
        for (query, document, grade) in
            [("q", "a", 1), ("q", "b", 0), ("q", "c", 0), ("r", "b", 0), ("r", "c", 1)]
        {
            qrels.insert(query.into(), document.into(), grade);
        }
        let queries = vec![query("q", "pets?"), query("r", "Pets")];
        let dataset = Dataset::new("set", "train", corpus.unwrap(), queries, qrels).unwrap();
        let groups = groups_of_judgements(&dataset);
        assert!(groups.iter().all(|group| group.negatives.is_empty()), "{groups:?}");
    }
}
