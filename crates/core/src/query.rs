use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::QueryId;

/// One query, with the attributes by which results may be sliced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Unique in its set.
    pub id: QueryId,
    /// What was asked.
    pub text: String,
    /// Named attributes (`kind = "typo"`, `language = "de"`), the sources of slices.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}
