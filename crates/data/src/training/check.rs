//! What is in training data, and what is wrong with it, all at once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use secondpass_core::{ContentHash, Dataset, Document, Query};
use serde::Serialize;

use super::row::{Place, Row, Scored, Unit};
use super::{Layout, each};
use crate::near::{NEAR, near_duplicates};
use crate::normal::normalized;
use crate::triples::Group;
use crate::{DataError, Defect};

/// What training data holds.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Lines and rows that could be read.
    pub rows: usize,
    /// Different queries, by their texts.
    pub queries: usize,
    /// Different documents, by their texts.
    pub documents: usize,
    /// Different pairs of a query and a positive.
    pub positives: usize,
    /// Different pairs of a query and a negative.
    pub negatives: usize,
    /// Rows of which every document has a teacher's score.
    pub taught: usize,
    /// Lengths, in characters, of different queries.
    pub query_characters: Lengths,
    /// Lengths, in characters, of different documents.
    pub document_characters: Lengths,
    /// Lengths, in tokens, of the different pairs of a query and a document; `None` without a
    /// tokenizer.
    pub pair_tokens: Option<Lengths>,
    /// Pairs that are longer than the tokenizer's limit, and are cut.
    pub cut: Option<usize>,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether anything is wrong that training must not start with.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.is_error)
    }
}

/// How lengths are distributed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lengths {
    /// The shortest.
    pub min: usize,
    /// Half are at most this long.
    pub median: usize,
    /// Of 20, 19 are at most this long.
    pub p95: usize,
    /// The longest.
    pub max: usize,
}

impl Lengths {
    /// Of all these; zeros of none.
    pub fn of(mut lengths: Vec<usize>) -> Self {
        lengths.sort_unstable();
        // Nearest rank.
        let at = |share: f64| {
            let rank = (share * lengths.len() as f64).ceil() as usize;
            lengths.get(rank.saturating_sub(1)).copied().unwrap_or(0)
        };
        Self { min: at(0.0), median: at(0.5), p95: at(0.95), max: at(1.0) }
    }
}

/// What is wrong in some places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which fault.
    pub kind: FindingKind,
    /// Whether training must not start with it.
    pub is_error: bool,
    /// How often it was found.
    pub count: usize,
    /// The first places, each with what is wrong there.
    pub places: Vec<String>,
}

/// A fault of training data. Texts are the same when they are but for case, punctuation and blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// A line that cannot be read.
    Malformed,
    /// A query, positive or negative without text.
    EmptyText,
    /// A training query that is a query of an evaluation set too.
    EvaluationOverlap,
    /// A query that checkpoints are chosen on which is a query of another evaluation set too.
    DevOverlap,
    /// A positive that stands among the negatives of its own row.
    PositiveAmongNegatives,
    /// A document that one row has as positive of a query and another as negative.
    Contradiction,
    /// A row with a document that no teacher scored, where training learns from one.
    Untaught,
    /// A training query that says nearly the same as one of an evaluation set.
    EvaluationNearDuplicate,
    /// A query without any negative.
    NoNegatives,
    /// A pair of a query and a document that was there already, as what it was.
    Duplicate,
}

impl FindingKind {
    /// What it is and what to do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Malformed => "lines that cannot be read: write them anew or remove them",
            Self::EmptyText => "empty texts: fill them in or remove the lines",
            Self::EvaluationOverlap => {
                "queries of an evaluation set in training: its figures would show what was \
                 memorized; remove them from one side"
            }
            Self::DevOverlap => {
                "queries of dev that are tested on too: checkpoints are chosen on them, so their \
                 figures would be too high; test on others"
            }
            Self::Untaught => {
                "rows without a teacher's scores, from which the recipe's loss learns: mine with \
                 --teacher, or choose another loss"
            }
            Self::PositiveAmongNegatives => {
                "positives among the negatives of their own row: remove the negatives"
            }
            Self::Contradiction => {
                "documents that are positive of a query in one row and negative in another: decide \
                 which"
            }
            Self::EvaluationNearDuplicate => {
                "queries that say nearly the same as one of an evaluation set: split the data \
                 again, near-duplicates kept together"
            }
            Self::NoNegatives => {
                "queries without negatives: mine some, or training draws them from the corpus"
            }
            Self::Duplicate => "pairs that stand there more than once: they count once",
        }
    }
}

/// How many places of a finding are kept.
const PLACES: usize = 20;

/// Counts the tokens of a query with a document, before anything is cut.
pub type Tokens<'a> = &'a mut dyn FnMut(&str, &str) -> usize;

/// What training data is checked against.
#[derive(Default)]
pub struct Against<'a, 't> {
    /// Evaluation sets: their names and queries.
    pub evaluation: Vec<(String, &'a [Query])>,
    /// Whether the first of them is what checkpoints are chosen on.
    pub dev_first: bool,
    /// Whether queries of theirs in training are no error but a warning.
    pub allow_overlap: bool,
    /// Whether training will learn from a teacher, so that every pair needs its score, and every query
    /// a negative that has one.
    pub needs_teacher: bool,
    /// What counts tokens, and the limit above which pairs are cut.
    pub tokens: Option<(Tokens<'t>, usize)>,
}

/// Reads all files of one layout and reports what is in them.
///
/// # Errors
/// A file that is missing, empty or cannot be read at all. What is wrong with its lines is reported.
pub fn check<P: AsRef<Path>>(
    paths: &[P],
    layout: Layout,
    against: Against<'_, '_>,
) -> Result<Report, DataError> {
    let mut seen = Seen { against, ..Seen::default() };
    for path in paths {
        let mut is_empty = true;
        each(path.as_ref(), layout, &mut |row| {
            is_empty = false;
            match row {
                Ok(row) => seen.row(row),
                Err(
                    error @ (DataError::Line { .. }
                    | DataError::Cell { .. }
                    | DataError::Row { .. }),
                ) => {
                    seen.malformed(&error);
                }
                Err(other) => return Err(other),
            }
            Ok(())
        })?;
        if is_empty {
            let file = path.as_ref().display().to_string();
            return Err(DataError::Empty { file, what: layout.name() });
        }
    }
    Ok(seen.report())
}

/// Reports what is in groups that come from elsewhere than files of texts: judgements, say. Places
/// count the queries in the order of their first groups.
pub fn check_groups(dataset: &Dataset, groups: &[Group], against: Against<'_, '_>) -> Report {
    let mut seen = Seen { against, ..Seen::default() };
    let queries: HashMap<_, _> =
        dataset.queries().iter().map(|query| (&query.id, &query.text)).collect();
    let mut rows: Vec<Row> = Vec::new();
    let mut places = HashMap::new();
    let file: std::rc::Rc<str> = format!("{} ({})", dataset.name(), dataset.split()).into();
    for Group { query, positive, negatives, teacher } in groups {
        let at = *places.entry(query).or_insert_with(|| {
            let number = rows.len() as u64 + 1;
            rows.push(Row {
                place: Place { file: file.clone(), number, unit: Unit::Group },
                id: None,
                query: queries.get(query).map(|text| (*text).clone()).unwrap_or_default(),
                positives: Vec::new(),
                negatives: Vec::new(),
            });
            rows.len() - 1
        });
        let text = |id| dataset.corpus().get(id).map(Document::passage);
        let score = teacher.as_ref().map(|teacher| teacher.positive);
        rows[at].positives.extend(text(positive).map(|text| (text, score)));
        for (place, negative) in negatives.iter().enumerate() {
            let score = teacher.as_ref().and_then(|teacher| teacher.negatives.get(place).copied());
            let Some(text) = text(negative) else { continue };
            // Each positive of a query comes with the same negatives.
            if !rows[at].negatives.iter().any(|(known, _)| *known == text) {
                rows[at].negatives.push((text, score));
            }
        }
    }
    for row in rows {
        let texts = row.positives.iter().chain(&row.negatives).map(|(text, _)| text);
        if texts.chain([&row.query]).any(|text| text.trim().is_empty()) {
            seen.note(FindingKind::EmptyText, || row.place.to_string());
        }
        seen.row(row);
    }
    seen.report()
}

#[derive(Default)]
struct Seen<'a, 't> {
    against: Against<'a, 't>,
    rows: usize,
    taught: usize,
    /// The first place of each different query, with whether it has a negative; in order.
    queries: Vec<(String, Place, bool)>,
    by_query: HashMap<String, usize>,
    documents: HashSet<ContentHash>,
    /// Whether a query's document is positive, by their hashes, and where.
    pairs: HashMap<(usize, ContentHash), (bool, Place)>,
    query_characters: Vec<usize>,
    document_characters: Vec<usize>,
    pair_tokens: Vec<usize>,
    findings: BTreeMap<FindingKind, (usize, Vec<String>)>,
}

impl Seen<'_, '_> {
    fn note(&mut self, kind: FindingKind, what: impl FnOnce() -> String) {
        let (count, places) = self.findings.entry(kind).or_default();
        *count += 1;
        if places.len() < PLACES {
            places.push(what());
        }
    }

    fn malformed(&mut self, error: &DataError) {
        use crate::tables::CellDefect;
        let empty = matches!(
            error,
            DataError::Line { defect: Defect::EmptyField { .. } | Defect::Item { .. }, .. }
                | DataError::Cell { defect: CellDefect::Empty, .. }
        );
        let kind = if empty { FindingKind::EmptyText } else { FindingKind::Malformed };
        self.note(kind, || error.to_string());
    }

    fn row(&mut self, row: Row) {
        let Row { place, query, positives, negatives, .. } = row;
        self.rows += 1;
        let all_taught = |side: &[Scored]| side.iter().all(|(_, score)| score.is_some());
        self.taught += usize::from(all_taught(&positives) && all_taught(&negatives));
        let key = normalized(&query);
        let at = match self.by_query.get(&key) {
            Some(&at) => at,
            None => {
                self.query_characters.push(query.chars().count());
                self.queries.push((query.clone(), place.clone(), false));
                self.by_query.insert(key, self.queries.len() - 1);
                self.queries.len() - 1
            }
        };
        self.queries[at].2 |= !negatives.is_empty();
        let hash = |text: &str| ContentHash::of(normalized(text).as_bytes());
        let own: HashSet<ContentHash> = positives.iter().map(|(text, _)| hash(text)).collect();
        let sides = positives.iter().map(|side| (true, side));
        let mut is_untaught = false;
        for (positive, (text, score)) in sides.chain(negatives.iter().map(|side| (false, side))) {
            let document = hash(text);
            if self.documents.insert(document.clone()) {
                self.document_characters.push(text.chars().count());
            }
            if !positive && own.contains(&document) {
                self.note(FindingKind::PositiveAmongNegatives, || place.to_string());
                continue;
            }
            match self.pairs.get(&(at, document.clone())) {
                // The other documents of a row of triples say its positive again.
                Some((true, _)) if positive && negatives.len() == 1 && positives.len() == 1 => {}
                Some((before, first)) => {
                    let kind = match *before == positive {
                        true => FindingKind::Duplicate,
                        false => FindingKind::Contradiction,
                    };
                    let what = format!("{place} (see {first})");
                    self.note(kind, || what);
                }
                None => {
                    is_untaught |= score.is_none();
                    if let Some((count, _)) = &mut self.against.tokens {
                        self.pair_tokens.push(count(&query, text));
                    }
                    self.pairs.insert((at, document), (positive, place.clone()));
                }
            }
        }
        if is_untaught && self.against.needs_teacher {
            self.note(FindingKind::Untaught, || place.to_string());
        }
    }

    /// Queries that stand on both sides, or nearly so.
    fn overlaps(&mut self) {
        let sets = std::mem::take(&mut self.against.evaluation);
        if let (true, [(_, dev), tested @ ..]) = (self.against.dev_first, &sets[..]) {
            self.dev_overlaps(dev, tested);
        }
        for (name, queries) in &sets {
            let evaluated: HashMap<String, &Query> =
                queries.iter().map(|query| (normalized(&query.text), query)).collect();
            let mut apart = Vec::new();
            let mut found = Vec::new();
            for (text, place, _) in &self.queries {
                match evaluated.get(&normalized(text)) {
                    Some(query) => found.push((
                        FindingKind::EvaluationOverlap,
                        format!("{place}: query '{}' of {name}", query.id),
                    )),
                    None => apart.push((text, place)),
                }
            }
            let texts: Vec<&str> = apart.iter().map(|(text, _)| text.as_str()).collect();
            let both: Vec<&str> =
                texts.iter().copied().chain(queries.iter().map(|query| &*query.text)).collect();
            let mut clusters = crate::near::Clusters::new(both.len());
            for (one, other) in near_duplicates(&both, NEAR) {
                clusters.join(one, other);
            }
            let mut near: HashMap<usize, &Query> = HashMap::new();
            for (place, query) in (texts.len()..).zip(queries.iter()) {
                near.entry(clusters.root(place)).or_insert(query);
            }
            for (at, (_, place)) in apart.iter().enumerate() {
                if let Some(query) = near.get(&clusters.root(at)) {
                    found.push((
                        FindingKind::EvaluationNearDuplicate,
                        format!("{place}: query '{}' of {name}", query.id),
                    ));
                }
            }
            for (kind, what) in found {
                self.note(kind, || what);
            }
        }
    }

    /// Queries of dev that stand in a set that is tested on.
    fn dev_overlaps(&mut self, dev: &[Query], tested: &[(String, &[Query])]) {
        for (name, queries) in tested {
            let there: HashMap<String, &Query> =
                queries.iter().map(|query| (normalized(&query.text), query)).collect();
            for query in dev {
                if let Some(found) = there.get(&normalized(&query.text)) {
                    let what =
                        format!("query '{}' of dev: query '{}' of {name}", query.id, found.id);
                    self.note(FindingKind::DevOverlap, || what);
                }
            }
        }
    }

    fn report(mut self) -> Report {
        self.overlaps();
        let bare: Vec<String> = self
            .queries
            .iter()
            .filter(|(_, _, negatives)| !negatives)
            .map(|(_, place, _)| place.to_string())
            .collect();
        for place in bare {
            self.note(FindingKind::NoNegatives, || place);
        }
        let sides = |side| self.pairs.values().filter(|(positive, _)| *positive == side).count();
        let (positives, negatives) = (sides(true), sides(false));
        let Against { allow_overlap, needs_teacher, .. } = self.against;
        let is_error = |kind| match kind {
            FindingKind::EvaluationOverlap | FindingKind::DevOverlap => !allow_overlap,
            FindingKind::NoNegatives => needs_teacher,
            FindingKind::EvaluationNearDuplicate | FindingKind::Duplicate => false,
            FindingKind::Malformed
            | FindingKind::EmptyText
            | FindingKind::PositiveAmongNegatives
            | FindingKind::Untaught
            | FindingKind::Contradiction => true,
        };
        let mut findings: Vec<Finding> = self
            .findings
            .into_iter()
            .map(|(kind, (count, places))| Finding {
                kind,
                is_error: is_error(kind),
                count,
                places,
            })
            .collect();
        findings.sort_by_key(|finding| !finding.is_error);
        let limit = self.against.tokens.as_ref().map(|(_, limit)| *limit);
        Report {
            rows: self.rows,
            queries: self.queries.len(),
            documents: self.documents.len(),
            positives,
            negatives,
            taught: self.taught,
            query_characters: Lengths::of(self.query_characters),
            document_characters: Lengths::of(self.document_characters),
            cut: limit.map(|limit| self.pair_tokens.iter().filter(|&&n| n > limit).count()),
            pair_tokens: limit.map(|_| Lengths::of(self.pair_tokens)),
            findings,
        }
    }
}
