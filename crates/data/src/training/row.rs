use std::fmt;
use std::path::Path;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::lines::{Line, open};
use crate::tables::{self, training_rows};
use crate::{DataError, Defect, json};

const HINT: &str = "training data as .jsonl, .csv, .tsv or .parquet";

/// How a file of training data is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `query`, `positive` and perhaps `negative`, one of each a line or row.
    Triples,
    /// `query`, `pos` and perhaps `neg`, `pos_scores` and `neg_scores`, which are lists.
    Groups,
}

impl Layout {
    /// The layout that a file has, told by the columns of a table and by the fields of a first line.
    ///
    /// # Errors
    /// A file that is missing, empty or malformed.
    pub fn detect(path: &Path) -> Result<Self, DataError> {
        let of = |is_group| if is_group { Self::Groups } else { Self::Triples };
        if tables::is_table(path) {
            let columns = tables::columns(path)?;
            return Ok(of(columns.iter().any(|name| name == "pos" || name == "neg")));
        }
        let mut found = None;
        let mut lines = open(path, HINT)?;
        let read = lines.each_filled(|line| {
            let object = json::object(&line, "query")?;
            let is_group = object.contains_key("pos") || object.contains_key("neg");
            found = Some(of(is_group));
            // One line is enough: an error ends the reading.
            Err(line.fail(Defect::MissingField { field: "query" }))
        });
        match (found, read) {
            (Some(layout), _) => Ok(layout),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => {
                Err(DataError::Empty { file: lines.file().to_owned(), what: "training data" })
            }
        }
    }

    /// What files of it hold, in the plural.
    pub fn name(self) -> &'static str {
        match self {
            Self::Triples => "triples",
            Self::Groups => "groups",
        }
    }
}

/// Where a row stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub file: Rc<str>,
    /// A line, the row of a table, or a group of a set, from 1.
    pub number: u64,
    pub unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Line,
    Row,
    Group,
}

impl Place {
    pub fn of(line: &Line<'_>) -> Self {
        Self { file: line.file().into(), number: line.number, unit: Unit::Line }
    }

    /// An error that names this place.
    pub fn fail(&self, defect: Defect) -> DataError {
        let (file, line) = (self.file.to_string(), self.number);
        match self.unit {
            Unit::Line => DataError::Line { file, line, defect },
            Unit::Row | Unit::Group => DataError::Row { file, row: line, defect },
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Line => "line",
            Unit::Row => "row",
            Unit::Group => "group",
        };
        write!(f, "{} {unit} {}", self.file, self.number)
    }
}

/// A document's text with a teacher's score.
pub(crate) type Scored = (String, Option<f64>);

/// What one line or row of training data says.
#[derive(Debug)]
pub(crate) struct Row {
    pub place: Place,
    /// The line's own id.
    pub id: Option<String>,
    pub query: String,
    /// At least one, none blank.
    pub positives: Vec<Scored>,
    /// None blank.
    pub negatives: Vec<Scored>,
}

/// Hands over each row of a file, and each defect; what `take` gives decides whether it goes on.
pub(crate) fn each(
    path: &Path,
    layout: Layout,
    take: &mut dyn FnMut(Result<Row, DataError>) -> Result<(), DataError>,
) -> Result<(), DataError> {
    if tables::is_table(path) {
        return match layout {
            Layout::Triples => training_rows(path)?.into_iter().try_for_each(take),
            Layout::Groups => groups_of_table(path, take),
        };
    }
    let read = match layout {
        Layout::Triples => triple,
        Layout::Groups => group,
    };
    open(path, HINT)?.each(|line| take(line.and_then(|line| read(&line))))
}

/// Fields of groups that hold lists.
const LISTS: [&str; 4] = ["pos", "neg", "pos_scores", "neg_scores"];

/// The groups of a table, each row read as the line that says the same.
fn groups_of_table(
    path: &Path,
    take: &mut dyn FnMut(Result<Row, DataError>) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let file: Rc<str> = path.display().to_string().into();
    let rows = tables::rows(path, &["query", "pos"])?.unwrap_or_default();
    (1..).zip(rows).try_for_each(|(number, mut object)| {
        let place = Place { file: file.clone(), number, unit: Unit::Row };
        let text = lists(&mut object).map(|()| Value::Object(object).to_string());
        take(text.map_err(|defect| place.fail(defect)).and_then(|text| {
            let row = group(&Line::new(&text, number, &file)).map_err(|error| match error {
                DataError::Line { defect, .. } => place.fail(defect),
                other => other,
            })?;
            Ok(Row { place: place.clone(), ..row })
        }))
    })
}

/// Takes lists that are written as texts, as they are in CSV, for what they say.
fn lists(object: &mut Map<String, Value>) -> Result<(), Defect> {
    for field in LISTS {
        let Some(Value::String(text)) = object.get(field) else { continue };
        let Ok(list) = serde_json::from_str::<Vec<Value>>(text) else {
            let expected = "a list, in a table of texts written as JSON: [\"one\", \"two\"]";
            return Err(Defect::WrongType { field, expected, found: "a text" });
        };
        object.insert(field.to_owned(), list.into());
    }
    Ok(())
}

fn triple(line: &Line<'_>) -> Result<Row, DataError> {
    let mut object = json::object(line, "query")?;
    let query = json::filled_text(line, &mut object, "query")?;
    let positive = json::filled_text(line, &mut object, "positive")?;
    let negatives = match object.get("negative") {
        None | Some(Value::Null) => Vec::new(),
        Some(_) => vec![(json::filled_text(line, &mut object, "negative")?, None)],
    };
    let id = json::own_id(&object);
    Ok(Row { place: Place::of(line), id, query, positives: vec![(positive, None)], negatives })
}

/// A line of FlagEmbedding's format.
pub(crate) fn group(line: &Line<'_>) -> Result<Row, DataError> {
    let mut object = json::object(line, "query")?;
    let query = json::filled_text(line, &mut object, "query")?;
    let positives = side(line, &mut object, "pos", "pos_scores")?;
    let negatives = side(line, &mut object, "neg", "neg_scores")?;
    match positives.is_empty() {
        true => Err(line.fail(Defect::EmptyField { field: "pos" })),
        false => {
            let id = json::own_id(&object);
            Ok(Row { place: Place::of(line), id, query, positives, negatives })
        }
    }
}

/// One side of a line: its texts with their scores.
fn side(
    line: &Line<'_>,
    object: &mut Map<String, Value>,
    field: &'static str,
    scores: &'static str,
) -> Result<Vec<Scored>, DataError> {
    let values = match field {
        "pos" => json::list(line, object, field)?,
        _ => json::optional_list(line, object, field)?.unwrap_or_default(),
    };
    let scores = match json::optional_list(line, object, scores)? {
        None => vec![None; values.len()],
        Some(list) if list.len() != values.len() => {
            let (found, expected) = (list.len(), values.len());
            return Err(line.fail(Defect::Lengths { field: scores, found, of: field, expected }));
        }
        Some(list) => json::numbers(line, scores, &list)?.into_iter().map(Some).collect(),
    };
    let one = |(place, (value, score)): (usize, (Value, Option<f64>))| match value {
        Value::String(text) if text.trim().is_empty() => {
            let lacks = "is empty; write the text or remove it";
            Err(line.fail(Defect::Item { field, item: place + 1, lacks }))
        }
        Value::String(text) => Ok((text, score)),
        other => Err(json::wrong_item(line, field, place, "a text", &other)),
    };
    values.into_iter().zip(scores).enumerate().map(one).collect()
}
