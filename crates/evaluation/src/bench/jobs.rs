//! What is asked: a dataset's queries with their candidates, at a stated number and length.

use secondpass_core::{Candidate, Dataset, Document, Job, Query, Run};
use serde::{Deserialize, Serialize};

use super::error::BenchError;

/// How long documents are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentLength {
    /// As they are.
    #[default]
    Own,
    /// So many tokens: longer ones are cut after a word, shorter ones repeated.
    Tokens(usize),
}

/// Queries to ask, and what was done to make them.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The queries with their candidates.
    pub jobs: Vec<Job>,
    /// Candidates that the first stage did not find: documents of the corpus fill its place, as
    /// latency rests on texts and not on relevance.
    pub filled: usize,
}

/// Counts the tokens of a text as the reranker's tokenizer does, special ones left out.
pub type CountTokens<'a> = &'a dyn Fn(&str) -> usize;

/// Every query that has a candidate, with exactly so many.
///
/// # Errors
/// No query has a candidate; the corpus has too few documents; a document without words.
pub fn workload(
    dataset: &Dataset,
    run: &Run,
    candidates: usize,
    length: DocumentLength,
    count: CountTokens<'_>,
) -> Result<Workload, BenchError> {
    let documents = dataset.corpus().documents();
    if documents.len() < candidates {
        return Err(BenchError::TooFewDocuments { wanted: candidates, documents: documents.len() });
    }
    let mut workload = Workload { jobs: Vec::new(), filled: 0 };
    for (place, query) in dataset.queries().iter().enumerate() {
        let mut job = Job::new(dataset, query, run, candidates);
        if job.candidates.is_empty() {
            continue;
        }
        workload.filled += fill(&mut job, documents, candidates, place);
        workload.jobs.push(job);
    }
    if let DocumentLength::Tokens(tokens) = length {
        // A document is a candidate of many queries.
        let mut made = std::collections::HashMap::new();
        for candidate in workload.jobs.iter_mut().flat_map(|job| &mut job.candidates) {
            let document = &mut candidate.document;
            let text = match made.get(&document.id) {
                Some(text) => String::clone(text),
                None => {
                    let text =
                        of_length(&document.passage(), tokens, count).map_err(|problem| {
                            BenchError::Length {
                                wanted: tokens,
                                document: document.id.clone(),
                                problem,
                            }
                        })?;
                    made.insert(document.id.clone(), text.clone());
                    text
                }
            };
            document.title.clear();
            document.text = text;
        }
    }
    match workload.jobs.is_empty() {
        true => Err(BenchError::NoJobs),
        false => Ok(workload),
    }
}

/// So many queries with so many documents of stated lengths, out of common words: for measuring
/// without any data set. The same numbers give the same texts.
///
/// # Errors
/// A length below 1 token; no queries or no candidates.
pub fn synthetic(
    queries: usize,
    candidates: usize,
    query_tokens: usize,
    document_tokens: usize,
    count: CountTokens<'_>,
) -> Result<Workload, BenchError> {
    if queries == 0 || candidates == 0 {
        return Err(BenchError::NoJobs);
    }
    let text = |number: usize, tokens: usize| {
        of_length(&words(number), tokens, count).map_err(|problem| BenchError::Length {
            wanted: tokens,
            document: "synthetic".into(),
            problem,
        })
    };
    let job = |query: usize| {
        let candidate = |rank: usize| {
            let id = format!("synthetic-{query}-{rank}");
            let text = text(query * candidates + rank, document_tokens)?;
            let document = Document { id: id.as_str().into(), title: String::new(), text };
            Ok(Candidate { document, score: -(rank as f64), rank })
        };
        Ok(Job {
            query: Query {
                id: format!("synthetic-{query}").as_str().into(),
                text: text(query, query_tokens)?,
                attributes: Default::default(),
            },
            candidates: (1..=candidates).map(candidate).collect::<Result<_, BenchError>>()?,
        })
    };
    let jobs = (0..queries).map(job).collect::<Result<_, BenchError>>()?;
    Ok(Workload { jobs, filled: 0 })
}

/// Adds documents that are no candidates yet, from another place of the corpus for each query.
fn fill(job: &mut Job, documents: &[Document], candidates: usize, place: usize) -> usize {
    let found = job.candidates.len();
    if found >= candidates {
        return 0;
    }
    let there: std::collections::HashSet<_> =
        job.candidates.iter().map(|candidate| candidate.document.id.clone()).collect();
    let begin = place.wrapping_mul(7919) % documents.len();
    let others = documents[begin..].iter().chain(&documents[..begin]);
    let others = others.filter(|document| !there.contains(&document.id));
    let fill = (found + 1..=candidates).zip(others).map(|(rank, document)| Candidate {
        document: document.clone(),
        score: f64::NEG_INFINITY,
        rank,
    });
    job.candidates.extend(fill);
    job.candidates.len() - found
}

/// The longest text of these words, over and over, that has at most so many tokens.
fn of_length(text: &str, tokens: usize, count: CountTokens<'_>) -> Result<String, &'static str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() {
        return Err("it has no words");
    }
    let of = |length: usize| -> String {
        let words: Vec<&str> = words.iter().copied().cycle().take(length).collect();
        words.join(" ")
    };
    // A word has a token or more, so that this many words are enough.
    let (mut low, mut high) = (0, tokens + 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match count(&of(middle)) <= tokens {
            true => low = middle,
            false => high = middle,
        }
    }
    match low {
        0 => Err("its first word is longer"),
        _ => Ok(of(low)),
    }
}

/// Common words, in another order for each number.
fn words(number: usize) -> String {
    const WORDS: [&str; 31] = [
        "the", "order", "time", "people", "water", "with", "account", "house", "can", "when",
        "system", "and", "letter", "change", "number", "of", "work", "after", "place", "question",
        "new", "service", "to", "read", "price", "before", "small", "report", "in", "open", "day",
    ];
    // Steps through a prime number of words meet each once.
    let (begin, step) = (number % 31, 1 + number / 31 % 30);
    (0..31).map(|place| WORDS[(begin + place * step) % 31]).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use secondpass_core::{Corpus, Qrels, Ranking};

    use super::*;

    /// Long words are two tokens.
    fn count(text: &str) -> usize {
        text.split_whitespace().map(|word| if word.len() > 5 { 2 } else { 1 }).sum()
    }

    fn set() -> (Dataset, Run) {
        let document = |id: &str, text: &str| Document {
            id: id.into(),
            title: "A title".to_owned(),
            text: text.to_owned(),
        };
        let corpus = Corpus::new(vec![
            document("a", "one two three"),
            document("b", "considerable"),
            document("c", "four"),
        ]);
        let query = |id: &str| Query {
            id: id.into(),
            text: "what".to_owned(),
            attributes: Default::default(),
        };
        let mut qrels = Qrels::new();
        let mut run = Run::new("run");
        for id in ["q", "r"] {
            qrels.insert(id.into(), "a".into(), 1);
        }
        run.rankings.insert("q".into(), Ranking::from_scores([("b".into(), 1.0)]).unwrap());
        let queries = vec![query("q"), query("r")];
        (Dataset::new("x", "test", corpus.unwrap(), queries, qrels).unwrap(), run)
    }

    #[test]
    fn missing_candidates_are_filled_and_counted() {
        let (dataset, run) = set();
        let made = workload(&dataset, &run, 3, DocumentLength::Own, &count).unwrap();
        assert_eq!((made.jobs.len(), made.filled), (1, 2));
        let ids: Vec<&str> =
            made.jobs[0].candidates.iter().map(|c| c.document.id.as_str()).collect();
        assert_eq!(ids, ["b", "a", "c"]);
        let one = workload(&dataset, &run, 1, DocumentLength::Own, &count).unwrap();
        assert_eq!((one.jobs[0].candidates.len(), one.filled), (1, 0));
        let error = workload(&dataset, &run, 4, DocumentLength::Own, &count).unwrap_err();
        assert!(error.to_string().contains("4 candidates"), "{error}");
        let none = workload(&dataset, &Run::new("none"), 1, DocumentLength::Own, &count);
        assert!(matches!(none, Err(BenchError::NoJobs)));
    }

    #[test]
    fn lengths_are_cut_or_repeated_to() {
        let (dataset, run) = set();
        for tokens in [1, 2, 64, 513] {
            let made = workload(&dataset, &run, 3, DocumentLength::Tokens(tokens), &count).unwrap();
            for candidate in &made.jobs[0].candidates {
                let found = count(&candidate.document.passage());
                assert!(found == tokens || found + 1 == tokens, "{found} of {tokens}");
            }
        }
        assert_eq!(of_length("one two", 5, &count).unwrap(), "one two one two one");
        assert_eq!(of_length("considerable", 1, &count), Err("its first word is longer"));
        assert_eq!(of_length(" ", 1, &count), Err("it has no words"));
    }

    #[test]
    fn synthetic_texts_have_their_lengths_and_differ() {
        let made = synthetic(40, 10, 8, 100, &count).unwrap();
        assert_eq!(made.jobs.len(), 40);
        let mut texts = std::collections::HashSet::new();
        for candidate in made.jobs.iter().flat_map(|job| &job.candidates) {
            assert!((99..=100).contains(&count(&candidate.document.text)));
            texts.insert(candidate.document.text.as_str());
        }
        assert!(texts.len() > 390, "{}", texts.len());
        assert!(made.jobs.iter().all(|job| (7..=8).contains(&count(&job.query.text))));
        assert_eq!(synthetic(40, 10, 8, 100, &count).unwrap(), made);
        assert!(synthetic(1, 1, 0, 10, &count).is_err());
        assert!(synthetic(0, 1, 8, 10, &count).is_err());
    }
}
