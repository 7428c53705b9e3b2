use std::fmt;

use crate::record::{Record, Role, SystemRecord, Verdict};

/// Share of the queries with a relevant candidate below which the ceiling is called low.
const LOW_CEILING: f64 = 0.8;
/// Share of judged documents in the top 10 below which measures say little.
const FEW_JUDGED: f64 = 0.9;
/// Share of the top 5 that a reranker and the first stage both have above which it changes little.
const HIGH_AGREEMENT: f64 = 0.8;
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
    /// For many queries no candidate is relevant.
    LowCeiling {
        /// Share of the queries with a relevant candidate.
        with_relevant: f64,
        /// Candidates a query at most.
        depth: usize,
    },
    /// Much of what the first stage ranks high was never judged.
    FewJudged {
        /// Share of its top 10 that was judged.
        judged: f64,
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
        /// Share of the top 5 that both have.
        overlap: f64,
    },
    /// Many pairs were longer than the limit.
    PairsCut {
        /// Which reranker.
        system: String,
        /// Share of its pairs.
        share: f64,
    },
    /// The interval of the difference holds zero.
    NotShown {
        /// Which reranker.
        system: String,
        /// On which measure.
        measure: String,
        /// Over how many queries.
        queries: usize,
    },
}

/// What a finished record should warn of.
pub(crate) fn warnings(record: &Record) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let candidates = &record.candidates;
    if candidates.with_relevant < LOW_CEILING {
        let (with_relevant, depth) = (candidates.with_relevant, candidates.depth);
        warnings.push(Warning::LowCeiling { with_relevant, depth });
    }
    if candidates.judged_at_10 < FEW_JUDGED {
        warnings.push(Warning::FewJudged { judged: candidates.judged_at_10 });
    }
    for system in &record.systems {
        if !system.failures.is_empty() {
            warnings.push(Warning::Failures {
                system: system.name.clone(),
                failed: system.failures.len(),
                queries: record.dataset.queries,
            });
        }
        if system.role == Role::Reranker {
            warnings.extend(of_reranker(system));
        }
    }
    warnings
}

fn of_reranker(system: &SystemRecord) -> Vec<Warning> {
    let name = || system.name.clone();
    let mut warnings = Vec::new();
    let at_5 = system.agreement.iter().find(|agreement| agreement.k == 5);
    if let Some(at_5) = at_5.filter(|at_5| at_5.overlap > HIGH_AGREEMENT) {
        warnings.push(Warning::HighAgreement { system: name(), overlap: at_5.overlap });
    }
    if let Some(audit) = system.truncation.filter(|audit| audit.pairs > 0) {
        let share = audit.pairs_cut as f64 / audit.pairs as f64;
        if share > MANY_CUT {
            warnings.push(Warning::PairsCut { system: name(), share });
        }
    }
    if let Some(difference) = &system.versus_first_stage
        && difference.verdict() == Verdict::CannotTell
    {
        warnings.push(Warning::NotShown {
            system: name(),
            measure: difference.measure.clone(),
            queries: difference.helped + difference.hurt + difference.unchanged,
        });
    }
    warnings
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deep { measure, depth } => write!(
                f,
                "{measure} looks deeper than the {depth} candidates of a query; raise \
                 first_stage.depth or lower its cutoff."
            ),
            Self::NoSuchAttribute { attribute } => write!(
                f,
                "No query has the attribute '{attribute}'; correct 'slices' in the config or add it \
                 to the queries."
            ),
            Self::LowCeiling { with_relevant, depth } => write!(
                f,
                "Only {} of the queries have a relevant document among their {depth} candidates, and \
                 no reranker can help the others; raise the depth or improve the first stage.",
                percent(*with_relevant)
            ),
            Self::FewJudged { judged } => write!(
                f,
                "Only {} of the first stage's top 10 was judged, and unjudged documents count as not \
                 relevant; judge more before trusting small differences.",
                percent(*judged)
            ),
            Self::Failures { system, failed, queries } => write!(
                f,
                "{system} failed on {failed} of {queries} queries, which score 0; see the reasons in \
                 the record and run it again."
            ),
            Self::HighAgreement { system, overlap } => write!(
                f,
                "{system} shares {} of its top 5 with the first stage, so it can change little there; \
                 check that these queries are hard enough.",
                percent(*overlap)
            ),
            Self::PairsCut { system, share } => write!(
                f,
                "{system} read only part of {} of its pairs; raise max_length or split the documents.",
                percent(*share)
            ),
            Self::NotShown { system, measure, queries } => write!(
                f,
                "The interval of {system}'s difference in {measure} holds zero: these {queries} \
                 queries do not show whether it helps; judge more queries."
            ),
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use secondpass_core::TruncationAudit;

    use super::*;
    use crate::record::Agreement;
    use crate::testing::record;

    #[test]
    fn nothing_odd_no_warning() {
        assert_eq!(warnings(&record()), []);
    }

    #[test]
    fn each_condition_has_its_warning() {
        let mut record = record();
        record.candidates.with_relevant = 0.62;
        record.candidates.judged_at_10 = 0.5;
        let mini = &mut record.systems[1];
        mini.failures.insert("q".into(), "reason".to_owned());
        mini.agreement.push(Agreement { k: 5, overlap: 0.9 });
        mini.truncation =
            Some(TruncationAudit { pairs: 100, pairs_cut: 6, ..TruncationAudit::default() });
        mini.versus_first_stage.as_mut().unwrap().low = 0.0;
        let sentences: Vec<String> = warnings(&record).iter().map(Warning::to_string).collect();
        let expected = [
            "Only 62% of the queries have a relevant document among their 50 candidates",
            "Only 50% of the first stage's top 10 was judged",
            "mini failed on 1 of 2 queries",
            "mini shares 90% of its top 5 with the first stage",
            "mini read only part of 6% of its pairs",
            "The interval of mini's difference in nDCG@10 holds zero: these 2 queries",
        ];
        assert_eq!(sentences.len(), expected.len());
        for (sentence, start) in sentences.iter().zip(expected) {
            assert!(sentence.starts_with(start), "{sentence}");
        }
    }

    #[test]
    fn at_the_limit_there_is_no_warning() {
        let mut record = record();
        record.candidates.with_relevant = LOW_CEILING;
        record.candidates.judged_at_10 = FEW_JUDGED;
        let mini = &mut record.systems[1];
        mini.agreement.push(Agreement { k: 5, overlap: HIGH_AGREEMENT });
        mini.truncation =
            Some(TruncationAudit { pairs: 100, pairs_cut: 5, ..TruncationAudit::default() });
        assert_eq!(warnings(&record), []);
    }
}
