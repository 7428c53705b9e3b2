use std::fmt;

use secondpass_core::QueryId;

use crate::{money, plural};

/// Something that was noticed while running, for the record's warnings.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Notice {
    /// A reranker that was asked again ordered candidates differently.
    Unstable { system: String, differing: usize, queries: usize },
    /// Depths below which no candidates are.
    TooDeep { depths: Vec<usize>, depth: usize },
    /// Depths that no query has more candidates than.
    AllCandidates { depths: Vec<usize>, most: usize },
    /// The cache of scores was not used.
    Cache { problem: String },
    /// Lines of the journal were damaged.
    Damaged { lines: usize },
    /// A reranker answered in the first pass and was given up in a later one.
    GivenUp { system: String, pass: String, query: QueryId, reason: String },
    /// Queries failed in a later pass; the first of them, and why.
    Failed {
        system: String,
        pass: String,
        failed: usize,
        queries: usize,
        query: QueryId,
        reason: String,
    },
    /// Earlier starts spent money on a system that this one does not ask: US dollars, units whose price
    /// was not known, and calls whose answers were lost.
    SpentElsewhere { system: String, usd: f64, unpriced: u64, lost: usize },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unstable { system, differing, queries } => write!(
                f,
                "{system} ordered the candidates of {differing} of {} differently when it was asked \
                 again, so its figures move from run to run; make it deterministic, or trust no \
                 difference smaller than that.",
                plural::queries(*queries)
            ),
            Self::TooDeep { depths, depth } => {
                write!(
                    f,
                    "The sweep leaves out depth {}: a query has {} at most; raise first_stage.depth.",
                    joined(depths),
                    plural::counted(*depth, "candidate", "candidates")
                )
            }
            Self::AllCandidates { depths, most } => write!(
                f,
                "The sweep leaves out depth {}: no query has more than {}, so that nothing would \
                 differ.",
                joined(depths),
                plural::counted(*most, "candidate", "candidates")
            ),
            Self::Cache { problem } => {
                write!(f, "The cache of scores was not used to the full: {problem}.")
            }
            Self::GivenUp { system, pass, query, reason } => write!(
                f,
                "{system} was given up in its pass '{pass}' after query '{query}' ({reason}): times and \
                 figures of this pass and of later ones are incomplete or missing; run it again when \
                 it answers."
            ),
            Self::Failed { system, pass, failed, queries, query, reason } => write!(
                f,
                "{failed} of {} of {system} failed in its pass '{pass}' and count as without result \
                 there, the first with: query '{query}': {reason}; run it again for this pass's figures.",
                plural::queries(*queries)
            ),
            Self::SpentElsewhere { system, usd, unpriced, lost } => {
                write!(
                    f,
                    "Earlier starts of this run asked {system}, which this one does not ask: {} USD",
                    money::usd(*usd)
                )?;
                if *unpriced > 0 {
                    write!(f, " and {unpriced} units of unknown price")?;
                }
                if *lost > 0 {
                    let calls = plural::counted(*lost, "call", "calls");
                    write!(f, ", with {calls} whose answers were lost at the most they can cost")?;
                }
                f.write_str("; the figures of this record are without it.")
            }
            Self::Damaged { lines: 1 } => f.write_str(
                "1 line of the journal was damaged, and its query ran again; check the disk.",
            ),
            Self::Damaged { lines } => write!(
                f,
                "{lines} lines of the journal were damaged, and their queries ran again; check the \
                 disk."
            ),
        }
    }
}

fn joined(depths: &[usize]) -> String {
    let depths: Vec<String> = depths.iter().map(usize::to_string).collect();
    depths.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        let lines = |lines| Notice::Damaged { lines }.to_string();
        assert!(lines(1).starts_with("1 line of the journal was damaged, and its query ran"));
        assert!(lines(2).starts_with("2 lines of the journal were damaged, and their queries"));
        let unstable = Notice::Unstable { system: "a".to_owned(), differing: 1, queries: 1 };
        assert!(unstable.to_string().contains("of 1 of 1 query differently"));
    }
}
