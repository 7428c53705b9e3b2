use serde::{Deserialize, Serialize};

/// The columns of a table of documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DocumentColumns {
    /// Unique ids; numbers are taken as texts. `id` unless set.
    pub id: String,
    /// The bodies. `text` unless set.
    pub text: String,
    /// The titles. A column that is set must be there; unset, `title` is taken where there is one.
    pub title: Option<String>,
}

/// The columns of a table of queries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueryColumns {
    /// Unique ids; numbers are taken as texts. `id` unless set.
    pub id: String,
    /// What was asked. `text` unless set.
    pub text: String,
    /// The attributes by which results may be sliced; unset, all other columns of texts, numbers
    /// and truth values.
    pub attributes: Option<Vec<String>>,
}

/// The columns of a table of judgements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JudgementColumns {
    /// Ids of queries. `query` unless set.
    pub query: String,
    /// Ids of documents. `document` unless set.
    pub document: String,
    /// Grades. `grade` unless set.
    pub grade: String,
}

/// The columns of a table of judged pairs of texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PairColumns {
    /// Texts of queries. `query` unless set.
    pub query: String,
    /// Texts of documents. `document` unless set.
    pub document: String,
    /// Grades; truth values count as 1 and 0. `label` unless set.
    pub label: String,
}

impl Default for DocumentColumns {
    fn default() -> Self {
        Self { id: "id".into(), text: "text".into(), title: None }
    }
}

impl Default for QueryColumns {
    fn default() -> Self {
        Self { id: "id".into(), text: "text".into(), attributes: None }
    }
}

impl Default for JudgementColumns {
    fn default() -> Self {
        Self { query: "query".into(), document: "document".into(), grade: "grade".into() }
    }
}

impl Default for PairColumns {
    fn default() -> Self {
        Self { query: "query".into(), document: "document".into(), label: "label".into() }
    }
}
