use secondpass_core::QueryId;

use crate::FinetuneError;

impl FinetuneError {
    /// The training queries that it names, for whoever knows where they stand.
    pub fn queries(&self) -> &[QueryId] {
        use std::slice::from_ref;
        match self {
            Self::NoNegatives(query)
            | Self::NoTeacher(query)
            | Self::NothingTaught(query)
            | Self::EmptyQuery(query)
            | Self::EmptyDocument { query, .. }
            | Self::UnknownDocument { query, .. }
            | Self::Tokenize { query, .. }
            | Self::OutOfMemory { query, .. } => from_ref(query),
            Self::Leak { first, .. } => from_ref(&first.training),
            Self::NotFinite { queries, .. } | Self::Exploded { queries, .. } => queries,
            _ => &[],
        }
    }
}
