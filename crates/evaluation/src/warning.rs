mod hosted;

use std::fmt;

use secondpass_core::Origin;

use crate::experiment::FIRST_STAGE;
use crate::finding::two_digits;
use crate::measures::NamedMeasure;
use crate::plural::{self, counted};
use crate::record::{Agreement, DepthPoint, Record, Role, SystemRecord, Verdict};
pub use hosted::HostedWarning;

/// Share of the queries with a relevant candidate below which the ceiling is called low.
pub const LOW_CEILING: f64 = 0.8;
/// Share of judged documents in the top 10 below which measures say little.
const FEW_JUDGED: f64 = 0.9;
/// Share of the top k that a reranker and the first stage both have above which it changes little.
pub const HIGH_AGREEMENT: f64 = 0.8;
/// How many documents are passed on where the primary measure does not say: what a prompt holds.
const USUAL_TOP: usize = 5;
/// Share of the pairs below which a smaller depth saves too little to be advised.
const LITTLE_SAVED: f64 = 0.05;
/// Share of pairs cut above which cutting matters.
const MANY_CUT: f64 = 0.05;

/// Something noticed that a reader should know before trusting the figures; shown as a sentence
/// with what to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// A measure looks deeper than the candidates go.
    Deep {
        /// The measure.
        measure: String,
        /// Candidates a query at most.
        depth: usize,
    },
    /// No query has the attribute that results should be sliced by.
    NoSuchAttribute {
        /// The attribute.
        attribute: String,
    },
    /// Some queries have no candidates.
    NoCandidates {
        /// How many.
        queries: usize,
        /// Of how many.
        of: usize,
        /// Whether the first stage was searched here; otherwise its run came from elsewhere.
        searched: bool,
    },
    /// No query has a relevant judgement.
    NothingRelevant {
        /// The queries.
        queries: usize,
    },
    /// Some queries have no relevant judgement.
    Unanswerable {
        /// How many.
        queries: usize,
        /// Of how many.
        of: usize,
    },
    /// Measures that apply to no query.
    NotApplicable {
        /// These measures.
        measures: Vec<String>,
        /// Over how many queries.
        queries: usize,
    },
    /// For many queries that have relevant documents none of these is a candidate.
    LowCeiling {
        /// Share of these queries with a relevant candidate.
        with_relevant: f64,
        /// Candidates a query at most.
        depth: usize,
        /// Whether the first stage was searched here; otherwise its run came from elsewhere.
        searched: bool,
    },
    /// Much of what systems rank high was never judged.
    FewJudged {
        /// The system of which the least was.
        system: String,
        /// Other systems of which too little was.
        others: usize,
        /// Share of its top 10 that was judged.
        judged: f64,
        /// Which measure the bounds are on.
        measure: String,
        /// The measure if no unjudged document were relevant.
        low: f64,
        /// The measure if all of them were.
        high: f64,
    },
    /// Some queries failed.
    Failures {
        /// Whose.
        system: String,
        /// How many.
        failed: usize,
        /// Of how many.
        queries: usize,
    },
    /// A reranker brings up what the first stage had brought up already.
    HighAgreement {
        /// Which reranker.
        system: String,
        /// The documents that are passed on.
        k: usize,
        /// Share of the top k that both have.
        overlap: f64,
        /// Candidates a query at most.
        depth: usize,
    },
    /// Fewer candidates give as good a result.
    ShallowerIsEnough {
        /// Which reranker.
        system: String,
        /// The primary measure.
        measure: String,
        /// How many candidates do.
        depth: usize,
        /// The measure there.
        mean: f64,
        /// All candidates.
        full: usize,
        /// The measure with all.
        full_mean: f64,
        /// How much lower still counts as equal.
        margin: f64,
        /// Share of the pairs that need not be scored.
        saved: f64,
        /// Median seconds a query with all and with fewer candidates, where measured.
        seconds: Option<(f64, f64)>,
    },
    /// More candidates make the result worse.
    FallsWithDepth {
        /// Which reranker.
        system: String,
        /// The primary measure.
        measure: String,
        /// Where it is best.
        depth: usize,
        /// The measure there.
        mean: f64,
        /// All candidates.
        full: usize,
        /// The measure with all.
        full_mean: f64,
    },
    /// Many pairs were longer than the limit.
    PairsCut {
        /// Which reranker.
        system: String,
        /// Share of its pairs.
        share: f64,
        /// Share of all their tokens that was never read.
        tokens: f64,
        /// Whether the tokens were counted by another rule than the provider's own.
        estimated: bool,
    },
    /// Batches did not fit into memory.
    BatchesCut {
        /// Which reranker.
        system: String,
        /// How many were cut.
        batches: u64,
    },
    /// Scores are shown, which are easily taken for more than they are.
    ScoresAreNoProbabilities {
        /// Whose.
        systems: Vec<String>,
    },
    /// Something about a reranker that is asked over HTTP.
    Hosted(HostedWarning),
    /// Nothing was shown.
    NotShown {
        /// Which reranker.
        system: String,
        /// On which measure.
        measure: String,
        /// Over how many queries.
        queries: usize,
        /// The smallest difference they could have shown; `None` where they are too few for any.
        detectable: Option<f64>,
    },
}

/// What a finished record should warn of, with the number of candidates of each query that has any.
pub(crate) fn warnings(record: &Record, given: &[usize]) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = [not_applicable(record), answerable(record)]
        .into_iter()
        .chain([low_ceiling(record), few_judged(record)])
        .flatten()
        .collect();
    for system in &record.systems {
        warnings.extend(failures(record, system));
        if system.role == Role::Reranker {
            // Made-up figures are no ground for any of this, recorded ones for no advice.
            let advice = || [high_agreement(record, system), depth(record, system, given)];
            let facts = || [pairs_cut(system), batches_cut(system), not_shown(system)];
            let is_mock = system.origin == Origin::Mock;
            warnings.extend(system.origin.is_live().then(advice).into_iter().flatten().flatten());
            warnings.extend((!is_mock).then(facts).into_iter().flatten().flatten());
        }
    }
    warnings.extend(hosted::warnings(record).into_iter().map(Warning::Hosted));
    let scored = record.systems.iter().filter(|system| system.scores.is_some());
    let systems: Vec<String> = scored.map(|system| system.name.clone()).collect();
    if !systems.is_empty() {
        warnings.push(Warning::ScoresAreNoProbabilities { systems });
    }
    warnings
}

/// Whether the first stage of this description was searched here: a run that came from elsewhere is
/// described as `run NAME HASH`.
pub(crate) fn is_searched(first_stage: &str) -> bool {
    !first_stage.starts_with("run ")
}

fn not_applicable(record: &Record) -> Option<Warning> {
    let first_stage = record.systems.iter().find(|system| system.role == Role::FirstStage)?;
    let none = first_stage.quality.iter().filter(|estimate| estimate.queries == 0);
    let measures: Vec<String> = none.map(|estimate| estimate.measure.clone()).collect();
    let queries = record.dataset.queries;
    (!measures.is_empty()).then_some(Warning::NotApplicable { measures, queries })
}

fn answerable(record: &Record) -> Option<Warning> {
    let (queries, of) = (record.dataset.unanswerable, record.dataset.queries);
    match record.has_nothing_relevant() {
        true => Some(Warning::NothingRelevant { queries: of }),
        false => (queries > 0).then_some(Warning::Unanswerable { queries, of }),
    }
}

/// Over the queries that have relevant documents: what was never judged relevant cannot come.
fn low_ceiling(record: &Record) -> Option<Warning> {
    let (candidates, queries) = (&record.candidates, record.dataset.queries);
    let answerable = queries.saturating_sub(record.dataset.unanswerable);
    let with_relevant = candidates.with_relevant * queries as f64 / answerable as f64;
    // Two roundings must not make a warning of a share at the limit.
    (answerable > 0 && with_relevant < LOW_CEILING - 1e-9).then(|| Warning::LowCeiling {
        with_relevant,
        depth: candidates.depth,
        searched: is_searched(&candidates.first_stage),
    })
}

fn failures(record: &Record, system: &SystemRecord) -> Option<Warning> {
    (!system.failures.is_empty()).then(|| Warning::Failures {
        system: system.name.clone(),
        failed: system.failures.len(),
        queries: record.dataset.queries,
    })
}

/// The system of which the least was judged speaks for all, where judging more could change anything.
fn few_judged(record: &Record) -> Option<Warning> {
    let judged = |system: &SystemRecord| match system.role {
        Role::FirstStage => record.candidates.judged_at_10,
        Role::Retriever | Role::Reranker | Role::Oracle => system.unjudged.judged_at_10,
    };
    let is_affected = |system: &&SystemRecord| {
        // The oracle's order comes from the judgements: it ranks first what was judged.
        system.role != Role::Oracle
            && judged(system) < FEW_JUDGED
            && system.unjudged.high > system.unjudged.low
    };
    let affected: Vec<&SystemRecord> = record.systems.iter().filter(is_affected).collect();
    let least = affected.iter().min_by(|a, b| judged(a).total_cmp(&judged(b)))?;
    Some(Warning::FewJudged {
        system: least.name.clone(),
        others: affected.len() - 1,
        judged: judged(least),
        measure: record.primary.clone(),
        low: least.unjudged.low,
        high: least.unjudged.high,
    })
}

/// Agreement on the documents that are passed on: as many as the primary measure looks at where the
/// record has that cutoff, five otherwise.
fn high_agreement(record: &Record, system: &SystemRecord) -> Option<Warning> {
    let at = |k: usize| system.agreement.iter().find(|agreement| agreement.k == k);
    let cutoff = record.primary.parse::<NamedMeasure>().ok().and_then(|primary| primary.cutoff());
    let Agreement { k, overlap } = *cutoff.and_then(at).or_else(|| at(USUAL_TOP))?;
    (record.candidates.is_selective(k) && overlap > HIGH_AGREEMENT).then(|| {
        Warning::HighAgreement {
            system: system.name.clone(),
            k,
            overlap,
            depth: record.candidates.depth,
        }
    })
}

/// What the depth sweep advises. Where reranking changes nothing or harms, no depth is advised; and
/// a sweep over queries that failed tells nothing. Fewer candidates are advised only where at least
/// half of the queries have more: the others are reranked alike at both depths.
fn depth(record: &Record, system: &SystemRecord, given: &[usize]) -> Option<Warning> {
    let (full, shallower) = system.depths.split_last()?;
    if !system.failures.is_empty() || full.estimate.queries == 0 {
        return None;
    }
    let margin = record.statistics.margin;
    let mean = |point: &DepthPoint| point.estimate.mean;
    let (name, measure) = (system.name.clone(), record.primary.clone());
    let best =
        shallower.iter().reduce(|best, next| if mean(next) > mean(best) { next } else { best });
    if let Some(best) = best.filter(|best| mean(best) > mean(full) + margin) {
        return Some(Warning::FallsWithDepth {
            system: name,
            measure,
            depth: best.depth,
            mean: mean(best),
            full: full.depth,
            full_mean: mean(full),
        });
    }
    let verdict = system.comparison.as_ref().map(|comparison| comparison.verdict);
    if matches!(verdict, Some(Verdict::Worse | Verdict::Equivalent)) {
        return None;
    }
    // From this depth on, none may fall short: a lucky depth in between is no advice.
    let short = shallower.iter().rposition(|point| mean(point) < mean(full) - margin);
    let enough = shallower.get(short.map_or(0, |short| short + 1))?;
    let cut = given.iter().filter(|&&candidates| candidates > enough.depth).count();
    if 2 * cut < record.dataset.queries {
        return None;
    }
    let saved = 1.0 - enough.pairs / full.pairs;
    let p50 = |point: &DepthPoint| point.latency.as_ref().map(|latency| latency.p50);
    (saved > LITTLE_SAVED).then(|| Warning::ShallowerIsEnough {
        system: name,
        measure,
        depth: enough.depth,
        mean: mean(enough),
        full: full.depth,
        full_mean: mean(full),
        margin,
        saved,
        seconds: p50(full).zip(p50(enough)),
    })
}

fn pairs_cut(system: &SystemRecord) -> Option<Warning> {
    let audit = system.truncation.filter(|audit| audit.pairs > 0)?;
    let share = audit.pairs_cut as f64 / audit.pairs as f64;
    let tokens = audit.tokens_cut as f64 / audit.tokens.max(1) as f64;
    let estimated = audit.estimated;
    (share > MANY_CUT).then(|| Warning::PairsCut {
        system: system.name.clone(),
        share,
        tokens,
        estimated,
    })
}

fn batches_cut(system: &SystemRecord) -> Option<Warning> {
    let batches = system.usage.batches_cut;
    (batches > 0).then(|| Warning::BatchesCut { system: system.name.clone(), batches })
}

fn not_shown(system: &SystemRecord) -> Option<Warning> {
    let comparison = system.comparison.as_ref()?;
    (comparison.verdict == Verdict::CannotTell).then(|| Warning::NotShown {
        system: system.name.clone(),
        measure: system
            .versus_first_stage
            .as_ref()
            .map_or_else(String::new, |difference| difference.measure.clone()),
        queries: comparison.queries,
        detectable: comparison.detectable,
    })
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deep { measure, depth } => write!(
                f,
                "{measure} looks deeper than the {} of a query; raise first_stage.depth or lower its \
                 cutoff.",
                counted(*depth, "candidate", "candidates")
            ),
            Self::NoSuchAttribute { attribute } => write!(
                f,
                "No query has the attribute '{attribute}'; correct 'slices' in the config or add it \
                 to the queries."
            ),
            Self::NoCandidates { queries, of, searched } => write!(
                f,
                "{queries} of {} {} no candidates, and no reranker can help {}: {}.",
                plural::queries(*of),
                if *queries == 1 { "has" } else { "have" },
                if *queries == 1 { "it" } else { "them" },
                match searched {
                    true =>
                        "the first stage finds nothing for such words; a dense one or a hybrid may",
                    false => "see that the candidates' query ids are the dataset's",
                }
            ),
            Self::NothingRelevant { queries } => write!(
                f,
                "Of {}, none has a relevant judgement, so that nothing can be measured; judge some \
                 documents with a grade from 1.",
                plural::queries(*queries)
            ),
            Self::Unanswerable { queries, of } => write!(
                f,
                "{queries} of {} {} no relevant judgement: no system can score on {}, and all means \
                 are lower for it.",
                plural::queries(*of),
                if *queries == 1 { "has" } else { "have" },
                if *queries == 1 { "it" } else { "them" },
            ),
            Self::NotApplicable { measures, queries } => write!(
                f,
                "Of {}, {} {} to none and {} no value here; choose another measure, or judge what \
                 is missing for it.",
                plural::queries(*queries),
                listed(measures),
                if measures.len() == 1 { "applies" } else { "apply" },
                if measures.len() == 1 { "has" } else { "have" },
            ),
            Self::LowCeiling { with_relevant, depth, searched } => write!(
                f,
                "For {} of the queries that have relevant documents, these did not come into the {}, \
                 and no reranker can help: fix retrieval first, with {}.",
                percent(1.0 - *with_relevant),
                counted(*depth, "candidate", "candidates"),
                match searched {
                    true => {
                        "a larger first_stage.depth or a hybrid of lexical and dense search"
                    }
                    false => "a deeper run from your retriever",
                }
            ),
            Self::FewJudged { system, others, judged, measure, low, high } => {
                write!(
                    f,
                    "Only {} of the top 10 of {} was judged",
                    percent(*judged),
                    called(system)
                )?;
                if *others > 0 {
                    let others = counted(*others, "other system", "other systems");
                    write!(f, " (and too little of {others})")?;
                }
                write!(
                    f,
                    ", and unjudged documents count as not relevant: its {measure} is {low:.3}, and \
                     were all of them relevant {high:.3}; judge more before trusting small differences."
                )
            }
            Self::Failures { system, failed, queries } => write!(
                f,
                "{system} failed on {failed} of {}, which {} 0; see the reasons in the record and run \
                 it again.",
                plural::queries(*queries),
                if *failed == 1 { "scores" } else { "score" }
            ),
            Self::HighAgreement { system, k, overlap, depth } => {
                write!(
                    f,
                    "{system} shares {} of its top {k} with the first stage: ",
                    percent(*overlap)
                )?;
                match k {
                    1 => f.write_str(
                        "whoever reads only this one gets nearly always the same document",
                    ),
                    k => write!(f, "whoever reads these {k} gets nearly the same documents"),
                }?;
                write!(
                    f,
                    " without it; skip it, or rerank more than {}.",
                    counted(*depth, "candidate", "candidates")
                )
            }
            Self::ShallowerIsEnough {
                system,
                measure,
                depth,
                mean,
                full,
                full_mean,
                margin,
                saved,
                seconds,
            } => {
                write!(
                    f,
                    "{system} needs no more than {}: {measure} is {mean:.3} there and {full_mean:.3} at \
                     {full}, no more than {margin} apart; reranking {depth} saves {} of the pairs",
                    counted(*depth, "candidate", "candidates"),
                    percent(*saved)
                )?;
                match seconds {
                    Some((full, enough)) => write!(
                        f,
                        " and takes {} ms a query instead of {}.",
                        two_digits(enough * 1000.0),
                        two_digits(full * 1000.0)
                    ),
                    None => f.write_str("."),
                }
            }
            Self::FallsWithDepth { system, measure, depth, mean, full, full_mean } => write!(
                f,
                "More candidates make {system} worse: {measure} is {mean:.3} at {depth} and \
                 {full_mean:.3} at {full}; rerank fewer, and choose how many on queries kept for that."
            ),
            Self::PairsCut { system, share, tokens, estimated: false } => write!(
                f,
                "{system} read only part of {} of its pairs ({} of all tokens were cut); raise \
                 max_length or split the documents.",
                percent(*share),
                percent(*tokens)
            ),
            Self::PairsCut { system, share, tokens, estimated: true } => write!(
                f,
                "{system} read only part of {} of its pairs ({} of all tokens were cut; both by \
                 estimate, because its provider does not tell); raise max_tokens_per_doc where it \
                 has that, or split the documents.",
                percent(*share),
                percent(*tokens)
            ),
            Self::BatchesCut { system, batches } => write!(
                f,
                "{} of {system} did not fit into memory and {} cut, so that its times are longer than \
                 they need be; free memory, or lower batch_tokens or max_length.",
                counted(*batches as usize, "batch", "batches"),
                if *batches == 1 { "was" } else { "were" },
            ),
            Self::Hosted(hosted) => hosted.fmt(f),
            Self::ScoresAreNoProbabilities { systems } => write!(
                f,
                "The scores of {} sort candidates within one query; they are no probabilities, and \
                 compare neither over queries nor over models: calibrate them (secondpass calibrate) \
                 before a threshold rests on them.",
                listed(systems)
            ),
            Self::NotShown { system, measure, queries, detectable } => {
                let these = match queries {
                    1 => "This 1 query does".to_owned(),
                    _ => format!("These {queries} queries do"),
                };
                write!(f, "{these} not show whether {system} helps: ")?;
                match detectable {
                    Some(size) => write!(
                        f,
                        "they would show a difference of {} in {measure} four times in five, and \
                         smaller ones less often; judge more queries.",
                        two_digits(*size)
                    ),
                    None => write!(
                        f,
                        "that is too few for a difference of any size in {measure}; judge more \
                         queries."
                    ),
                }
            }
        }
    }
}

/// A system in the middle of a sentence.
fn called(system: &str) -> &str {
    match system {
        FIRST_STAGE => "the first stage",
        name => name,
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [first, last] => format!("{first} and {last}"),
        [first @ .., second, last] => format!("{}, {second} and {last}", first.join(", ")),
        [only] => only.clone(),
        [] => String::new(),
    }
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

#[cfg(test)]
mod tests;
