use std::collections::HashMap;

use rayon::prelude::*;
use secondpass_core::{Corpus, Document};

use super::Bm25Error;
use crate::Analyzer;
use crate::analysis::Remembering;

/// An inverted index: of each term, in which documents it stands and how often.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Index {
    /// Terms of each document, repeated ones counted each time.
    pub(super) lengths: Vec<u32>,
    /// The number of each term, in the order of their first occurrence.
    pub(super) terms: HashMap<Box<str>, u32>,
    /// Where the postings of each term start and, last, the end of all.
    pub(super) starts: Vec<usize>,
    /// Term after term, in the order of documents.
    pub(super) postings: Vec<Posting>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Posting {
    pub(super) document: u32,
    pub(super) occurrences: u32,
}

impl Index {
    /// Indexes title and text of every document, on all cores. The result does not depend on how
    /// many there are.
    pub(super) fn build(corpus: &Corpus, analyzer: Analyzer) -> Result<Self, Bm25Error> {
        let documents = corpus.documents();
        u32::try_from(documents.len()).map_err(|_| Bm25Error::TooManyDocuments(documents.len()))?;
        let mut forward = Forward::default();
        // A wave at a time, so that there are never many blocks that wait for their turn.
        for wave in documents.chunks(BLOCK * 4 * rayon::current_num_threads()) {
            let blocks: Vec<Block> =
                wave.par_chunks(BLOCK).map(|block| Block::new(block, analyzer)).collect();
            for block in blocks {
                forward.add(block)?;
            }
        }
        Ok(forward.invert())
    }

    /// The postings of a term by its number.
    pub(super) fn of(&self, term: u32) -> &[Posting] {
        let term = term as usize;
        &self.postings[self.starts[term]..self.starts[term + 1]]
    }
}

/// Documents that one core reads at a time.
const BLOCK: usize = 512;

/// Some documents, their terms numbered among themselves.
struct Block {
    /// In the order of their first occurrence.
    terms: Vec<Box<str>>,
    /// Of each document: its length and its number of distinct terms.
    documents: Vec<(u32, u32)>,
    /// Term and occurrences, document after document.
    entries: Vec<(u32, u32)>,
}

impl Block {
    fn new(documents: &[Document], analyzer: Analyzer) -> Self {
        let mut block = Self { terms: Vec::new(), documents: Vec::new(), entries: Vec::new() };
        let mut numbers: HashMap<Box<str>, u32> = HashMap::new();
        // Of each term, its last entry.
        let mut last: Vec<usize> = Vec::new();
        let mut analyzer = Remembering::new(analyzer);
        for document in documents {
            let (start, mut length) = (block.entries.len(), 0_u32);
            analyzer.each_term(&document.passage(), |term| {
                length = length.saturating_add(1);
                let number = match numbers.get(term) {
                    Some(&number) => number,
                    None => {
                        let number = block.terms.len() as u32;
                        block.terms.push(term.into());
                        numbers.insert(term.into(), number);
                        last.push(usize::MAX);
                        number
                    }
                };
                let place = &mut last[number as usize];
                match block.entries.get_mut(*place).filter(|_| *place >= start) {
                    Some((_, occurrences)) => *occurrences = occurrences.saturating_add(1),
                    None => {
                        *place = block.entries.len();
                        block.entries.push((number, 1));
                    }
                }
            });
            block.documents.push((length, (block.entries.len() - start) as u32));
        }
        block
    }
}

/// All documents so far, with the terms of each.
#[derive(Default)]
struct Forward {
    terms: HashMap<Box<str>, u32>,
    /// In how many documents each term stands.
    found: Vec<usize>,
    documents: Vec<(u32, u32)>,
    entries: Vec<(u32, u32)>,
}

impl Forward {
    fn add(&mut self, block: Block) -> Result<(), Bm25Error> {
        let mut numbers = Vec::with_capacity(block.terms.len());
        for term in block.terms {
            let next = u32::try_from(self.terms.len()).map_err(|_| Bm25Error::TooManyTerms)?;
            let number = *self.terms.entry(term).or_insert(next);
            if number == next {
                self.found.push(0);
            }
            numbers.push(number);
        }
        self.documents.extend(block.documents);
        self.entries.extend(block.entries.into_iter().map(|(term, occurrences)| {
            let number = numbers[term as usize];
            self.found[number as usize] += 1;
            (number, occurrences)
        }));
        Ok(())
    }

    fn invert(self) -> Index {
        let mut starts = Vec::with_capacity(self.found.len() + 1);
        let mut end = 0;
        starts.push(0);
        for found in self.found {
            end += found;
            starts.push(end);
        }
        let mut next = starts.clone();
        let mut postings = vec![Posting::default(); end];
        let mut entries = self.entries.iter();
        for (document, &(_, distinct)) in (0_u32..).zip(&self.documents) {
            for &(term, occurrences) in entries.by_ref().take(distinct as usize) {
                let place = &mut next[term as usize];
                postings[*place] = Posting { document, occurrences };
                *place += 1;
            }
        }
        let lengths = self.documents.into_iter().map(|(length, _)| length).collect();
        Index { lengths, terms: self.terms, starts, postings }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn corpus(texts: &[String]) -> Corpus {
        let document = |(at, text): (usize, &String)| Document {
            id: format!("d{at}").into(),
            title: String::new(),
            text: text.clone(),
        };
        Corpus::new(texts.iter().enumerate().map(document).collect()).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn every_occurrence_is_counted_where_it_stands(
            texts in prop::collection::vec("[a-d ]{0,10}", 0..1500),
            threads in 1_usize..4,
        ) {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let index = pool.install(|| Index::build(&corpus(&texts), Analyzer::None)).unwrap();
            let count = |text: &String, term: &str| {
                text.split_whitespace().filter(|word| *word == term).count() as u32
            };
            for (term, &number) in &index.terms {
                let expected: Vec<Posting> = (0_u32..)
                    .zip(&texts)
                    .map(|(document, text)| Posting { document, occurrences: count(text, term) })
                    .filter(|posting| posting.occurrences > 0)
                    .collect();
                prop_assert_eq!(index.of(number), expected);
            }
            let lengths = texts.iter().map(|text| text.split_whitespace().count() as u32);
            prop_assert!(index.lengths.iter().copied().eq(lengths));
            let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            let again = one.install(|| Index::build(&corpus(&texts), Analyzer::None)).unwrap();
            prop_assert_eq!(index, again);
        }
    }
}
