use secondpass_core::Dataset;
use secondpass_data::triples::Group;

/// A group for each relevant judgement: its document is the positive, and the query's documents
/// judged not relevant are the negatives (none where none was judged so: sampling then takes them
/// from elsewhere). By query and document id.
pub fn groups_of_judgements(dataset: &Dataset) -> Vec<Group> {
    let mut groups = Vec::new();
    for (query, judged) in dataset.qrels().iter() {
        let negatives: Vec<_> = judged
            .iter()
            .filter(|&(_, &grade)| grade <= 0)
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
}
