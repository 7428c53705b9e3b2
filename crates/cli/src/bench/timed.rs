use std::ffi::OsString;

use anyhow::{Context as _, Result};
use secondpass_core::{Dataset, Reranker, Run};
use secondpass_evaluation::bench::{self, BenchError, Cell, DocumentLength, Workload};
use secondpass_evaluation::{BenchSpec, BenchTexts, Experiment, RerankerKind};

use crate::exit::usage;
use crate::hosted;
use crate::note::note;
use crate::own::Own;
use crate::rerankers::Contending;

/// Queries of open loops that a provider is asked at a time: enough that they do not wait here.
const HOSTED_WORKERS: usize = 64;
/// Tokens of a made-up query.
const QUERY_TOKENS: usize = 12;

/// A reranker to be timed.
pub struct Timed<'a> {
    pub name: &'a str,
    pub reranker: &'a dyn Reranker,
    pub own: Option<&'a Own>,
    /// What is measured of it.
    pub cells: Vec<Cell>,
    /// Queries of open loops in work at a time.
    pub workers: usize,
    /// The flags of a process that gives its first score; `None` where that is not measured.
    pub child: Option<Vec<OsString>>,
    count: Box<dyn Fn(&str) -> usize + 'a>,
}

/// Where texts come from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub texts: BenchTexts,
    pub dataset: &'a Dataset,
    pub candidates: &'a Run,
}

impl<'a> Timed<'a> {
    /// Those of an experiment that can be timed: a recording cannot. `child` gives the flags of a process that opens the
    /// reranker of this place alone.
    pub fn all(
        experiment: &'a Experiment,
        spec: &BenchSpec,
        opened: &'a [Contending],
        child: &dyn Fn(usize) -> Vec<OsString>,
    ) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for (place, (table, contending)) in experiment.rerankers.iter().zip(opened).enumerate() {
            if contending.replayed {
                note(format_args!("{}: a recording's times are nobody's; left out", table.name));
                continue;
            }
            let own = contending.own.as_ref();
            let count: Box<dyn Fn(&str) -> usize> = match (&table.kind, own) {
                (RerankerKind::Hosted(hosted), _) => {
                    let tokens = hosted::tokens(hosted.tokenizer.as_deref())?;
                    Box::new(move |text| tokens.count(text) as usize)
                }
                (_, Some(own)) => Box::new(|text| own.count(text)),
                _ => Box::new(|text| text.split_whitespace().count()),
            };
            let usual = match own {
                Some(_) => table.concurrency,
                None => table.concurrency.max(HOSTED_WORKERS),
            };
            let workers = spec.workers.unwrap_or(usual);
            let limit = contending.reranker.identity().max_length;
            all.push(Self {
                name: &table.name,
                reranker: &*contending.reranker,
                own,
                cells: spec.cells(limit, own.is_some(), workers),
                workers,
                child: (own.is_some() && spec.cold_starts > 0).then(|| child(place)),
                count,
            });
        }
        Ok(all)
    }

    /// What is asked in a cell.
    pub fn workload(&self, source: Source<'_>, cell: &Cell, queries: usize) -> Result<Workload> {
        let count = &*self.count;
        let made = match (source.texts, cell.length) {
            (BenchTexts::Synthetic, DocumentLength::Tokens(tokens)) => {
                bench::synthetic(queries.min(100), cell.candidates, QUERY_TOKENS, tokens, count)
            }
            _ => {
                let Source { dataset, candidates, .. } = source;
                bench::workload(dataset, candidates, cell.candidates, cell.length, count)
            }
        };
        made.with_context(|| format!("'{}', {cell}", self.name)).map_err(usage)
    }

    /// Refuses cells that want more documents than there are, before anything is asked.
    pub fn check(&self, source: Source<'_>) -> Result<()> {
        let documents = source.dataset.corpus().len();
        let wanted = self.cells.iter().map(|cell| cell.candidates).max().unwrap_or(0);
        match source.texts == BenchTexts::Set && wanted > documents {
            true => Err(usage(BenchError::TooFewDocuments { wanted, documents })),
            false => Ok(()),
        }
    }

    /// Tokens of a text, as the reranker's tokenizer counts them or as they are guessed.
    pub fn count(&self, text: &str) -> usize {
        (self.count)(text)
    }

    /// The reranker of a cell.
    pub fn of<'b>(
        &'b self,
        cell: &Cell,
        made: &'b mut Option<Box<dyn Reranker>>,
    ) -> Result<&'b dyn Reranker> {
        Ok(match (self.own, cell.batch_tokens) {
            (Some(own), Some(tokens)) => &**made.insert(own.reranker(Some(tokens))?),
            _ => self.reranker,
        })
    }
}
