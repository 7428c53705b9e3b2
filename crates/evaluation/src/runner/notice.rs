use std::fmt;

/// Something that was noticed while running, for the record's warnings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// A reranker that was asked again ordered candidates differently.
    Unstable { system: String, differing: usize, queries: usize },
    /// Depths below which no candidates are.
    TooDeep { depths: Vec<usize>, depth: usize },
    /// The cache of scores was not used.
    Cache { problem: String },
    /// Lines of the journal were damaged.
    Damaged { lines: usize },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unstable { system, differing, queries } => write!(
                f,
                "{system} ordered the candidates of {differing} of {queries} queries differently when \
                 it was asked again, so its figures move from run to run; make it deterministic, or \
                 trust no difference smaller than that."
            ),
            Self::TooDeep { depths, depth } => {
                let depths: Vec<String> = depths.iter().map(usize::to_string).collect();
                write!(
                    f,
                    "The sweep leaves out depth {}: a query has {depth} candidates at most; raise \
                     first_stage.depth.",
                    depths.join(", ")
                )
            }
            Self::Cache { problem } => {
                write!(f, "The cache of scores was not used to the full: {problem}.")
            }
            Self::Damaged { lines } => write!(
                f,
                "{lines} lines of the journal were damaged, and their queries ran again; check the \
                 disk."
            ),
        }
    }
}
