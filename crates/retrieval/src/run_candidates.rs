use secondpass_core::{Corpus, FirstStage, FirstStageError, Query, Run};

/// A first stage that some other system has already run: its candidates, checked against the corpus.
#[derive(Clone, Debug)]
pub struct RunCandidates {
    run: Run,
}

impl RunCandidates {
    /// Takes over a run, whatever queries it has. Errors name it by its own name.
    ///
    /// # Errors
    /// A document that the corpus lacks.
    pub fn new(run: Run, corpus: &Corpus) -> Result<Self, FirstStageError> {
        let origin = format!("run '{}'", run.name);
        Self::from_origin(run, &origin, corpus)
    }

    /// The same for a run that came from a file, or from elsewhere: `origin` names it in errors.
    ///
    /// # Errors
    /// As [`RunCandidates::new`].
    pub fn from_origin(run: Run, origin: &str, corpus: &Corpus) -> Result<Self, FirstStageError> {
        for (query, ranking) in &run.rankings {
            if let Some(document) = ranking.documents().find(|id| corpus.get(id).is_none()) {
                return Err(FirstStageError::UnknownDocument {
                    origin: origin.to_owned(),
                    query: query.clone(),
                    document: document.clone(),
                });
            }
        }
        Ok(Self { run })
    }
}

impl FirstStage for RunCandidates {
    /// The run's name and the hash of all of it.
    fn describe(&self) -> String {
        format!("run {} {}", self.run.name, self.run.hash().short())
    }

    fn retrieve(&self, queries: &[Query], depth: usize) -> Result<Run, FirstStageError> {
        let rankings = queries.iter().map(|query| {
            let ranking = self.run.rankings.get(&query.id);
            (query.id.clone(), ranking.map(|ranking| ranking.cut(depth)).unwrap_or_default())
        });
        Ok(Run { name: self.run.name.clone(), rankings: rankings.collect() })
    }
}

#[cfg(test)]
mod tests {
    use secondpass_core::{Document, Ranking};

    use super::*;

    fn corpus(ids: &[&str]) -> Corpus {
        let document =
            |id: &&str| Document { id: (*id).into(), title: String::new(), text: String::new() };
        Corpus::new(ids.iter().map(document).collect()).unwrap()
    }

    fn run() -> Run {
        let scores = [("a".into(), 1.0), ("b".into(), 3.0), ("c".into(), 2.0)];
        let mut run = Run::new("elsewhere");
        run.rankings.insert("q".into(), Ranking::from_scores(scores).unwrap());
        run
    }

    #[test]
    fn cuts_to_the_depth_and_leaves_missing_queries_empty() {
        let candidates = RunCandidates::new(run(), &corpus(&["a", "b", "c"])).unwrap();
        let query =
            |id: &str| Query { id: id.into(), text: "x".into(), attributes: Default::default() };
        let given = candidates.retrieve(&[query("q"), query("r")], 2).unwrap();
        let ids: Vec<_> = given.rankings["q"].documents().map(|id| id.as_str()).collect();
        assert_eq!(ids, ["b", "c"]);
        assert!(given.rankings["r"].is_empty());
        assert!(candidates.describe().starts_with("run elsewhere "));
    }

    #[test]
    fn an_unknown_document_is_named_with_its_query_and_its_origin() {
        let said = "query 'q' was given document 'c', which is not in the corpus; ";
        let corpus = corpus(&["a", "b"]);
        let error = RunCandidates::new(run(), &corpus).unwrap_err().to_string();
        assert!(error.starts_with(&format!("run 'elsewhere': {said}")), "{error}");
        let error = RunCandidates::from_origin(run(), "x.trec", &corpus).unwrap_err().to_string();
        assert!(error.starts_with(&format!("x.trec: {said}")), "{error}");
    }
}
