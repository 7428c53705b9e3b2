use secondpass_core::{Qrels, Query, Ranking, Run};

/// Keeps of each ranking the query's judged documents, in the run's order, and puts those that the
/// run lacks below, unscored, by id: the candidates of sets that judge a fixed list of documents a
/// query (TrecQA). For a fair order the run must be as deep as the corpus. At most `depth` stay.
pub fn judged_pool(run: &Run, queries: &[Query], qrels: &Qrels, depth: usize) -> Run {
    let rankings = queries.iter().filter_map(|query| {
        let judged = qrels.of(&query.id)?;
        let ranked = run.rankings.get(&query.id).map_or(&[][..], Ranking::ranked);
        let found = ranked.iter().filter(|place| judged.contains_key(&place.document));
        let (scored, unscored): (Vec<_>, Vec<_>) = found.partition(|place| place.score.is_some());
        let known: std::collections::HashSet<_> =
            ranked.iter().map(|place| &place.document).collect();
        let missing = judged.keys().filter(|document| !known.contains(document)).cloned();
        let scores =
            scored.into_iter().filter_map(|place| Some((place.document.clone(), place.score?)));
        let below = unscored.into_iter().map(|place| place.document.clone()).chain(missing);
        // A part of one ranking and documents it lacks: neither NaN nor twice the same.
        let pool = Ranking::with_unscored(scores, below).ok()?;
        Some((query.id.clone(), pool.cut(depth)))
    });
    Run { name: run.name.clone(), rankings: rankings.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judged_documents_in_the_runs_order_then_the_missing_ones() {
        let mut run = Run::new("bm25");
        let scores = [("x", 9.0), ("b", 3.0), ("a", 2.0), ("y", 1.0)];
        let scores = scores.map(|(id, score)| (id.into(), score));
        run.rankings.insert("q".into(), Ranking::from_scores(scores).unwrap());
        let mut qrels = Qrels::new();
        for (document, grade) in [("a", 1), ("b", 0), ("d", 0), ("c", 1)] {
            qrels.insert("q".into(), document.into(), grade);
        }
        qrels.insert("r".into(), "a".into(), 1);
        let query =
            |id: &str| Query { id: id.into(), text: String::new(), attributes: Default::default() };
        let queries = [query("q"), query("r"), query("unjudged")];
        let pool = judged_pool(&run, &queries, &qrels, 10);
        let ids = |query: &str| -> Vec<String> {
            pool.rankings[query].documents().map(ToString::to_string).collect()
        };
        assert_eq!(ids("q"), ["b", "a", "c", "d"]);
        assert_eq!(ids("r"), ["a"]);
        assert_eq!(pool.rankings.len(), 2);
        assert_eq!(judged_pool(&run, &queries, &qrels, 3).rankings["q"].len(), 3);
    }
}
