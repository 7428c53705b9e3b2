//! TREC topics: the classic form of TREC's ad hoc tracks (`<top> <num> … <title> …`), and
//! `id<TAB>text`, as MS MARCO and most later collections have their queries.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use secondpass_core::{Query, QueryId};

use crate::beir::Seen;
use crate::error::shortened;
use crate::lines::{Input, Line, Lines, open};
use crate::{DataError, Defect};

/// One topic: a need, told at three lengths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    /// Its number, as it stands in judgements and runs.
    pub id: String,
    /// The few words that a searcher would type.
    pub title: String,
    /// A sentence; empty where there is none, as in the form with tabs.
    pub description: String,
    /// What is relevant and what is not; may be empty.
    pub narrative: String,
}

/// Which part of a topic is the query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TopicPart {
    /// The title ("T" in TREC's reports).
    #[default]
    Title,
    /// The description ("D").
    Description,
    /// Title and description, a space between them ("TD").
    Both,
}

impl Topic {
    /// The topic as a query; `None` when the part is empty.
    pub fn query(&self, part: TopicPart) -> Option<Query> {
        let text = match part {
            TopicPart::Title => self.title.clone(),
            TopicPart::Description => self.description.clone(),
            TopicPart::Both => format!("{} {}", self.title, self.description),
        };
        let text = text.trim().to_owned();
        let id = QueryId::from(self.id.as_str());
        (!text.is_empty()).then_some(Query { id, text, attributes: BTreeMap::new() })
    }
}

/// Reads topics. When the first line that is not blank begins with `<`, the file is in the classic
/// form, otherwise each line is `id<TAB>text`.
///
/// In the classic form fields end where the next begins (end tags are allowed, not needed), the
/// labels that TREC put before their texts (`Number:`, `Topic:`, `Description:`, `Narrative:`) are
/// dropped, line breaks become spaces, and fields other than `num`, `title`, `desc` and `narr` are
/// left out.
///
/// # Errors
/// A missing or empty file, a line without a tab, a topic without number or title, one that does not
/// end, duplicate numbers: with file and line.
pub fn read(path: &Path) -> Result<Vec<Topic>, DataError> {
    let lines: Lines<Input> = open(path, "TREC topics, or lines of id, tab and text")?;
    topics(lines)
}

/// Reads topics from anywhere; `name` stands for the file in messages.
///
/// # Errors
/// As [`read`].
pub fn read_from(reader: impl Read, name: &str) -> Result<Vec<Topic>, DataError> {
    topics(Lines::new(BufReader::new(reader), name))
}

fn topics(mut lines: Lines<impl BufRead>) -> Result<Vec<Topic>, DataError> {
    let mut topics = Vec::new();
    let mut seen = Seen::new("topic");
    let mut classic = None;
    let mut open_topic: Option<Open> = None;
    lines.each_filled(|line| {
        if !*classic.get_or_insert_with(|| line.text.trim_start().starts_with('<')) {
            let columns: [&str; 2] = line.tabbed("id text")?;
            seen.note(&line, columns[0])?;
            let [id, title] = columns.map(str::to_owned);
            topics.push(Topic { id, title, ..Topic::default() });
            return Ok(());
        }
        for piece in pieces(line.text) {
            match (piece, &mut open_topic) {
                (Piece::Tag("top"), None) => open_topic = Some(Open::at(&line)),
                (Piece::Tag("top"), Some(open)) => {
                    return Err(line.fail(Defect::OpenTopic { first: open.line }));
                }
                (Piece::Tag("/top"), Some(open)) => {
                    let topic = open.close(&line)?;
                    seen.note(&line, &topic.id)?;
                    topics.push(topic);
                    open_topic = None;
                }
                (Piece::Tag(tag), Some(open)) => open.field = Field::of(tag),
                (Piece::Text(text), Some(open)) => open.add(text),
                (Piece::Text(text), None) if text.trim().is_empty() => {}
                (Piece::Tag(found) | Piece::Text(found), None) => {
                    let found = shortened(found.trim());
                    return Err(line.fail(Defect::OutsideTopic { found }));
                }
            }
        }
        Ok(())
    })?;
    if let Some(open) = open_topic {
        return Err(lines.at(open.line).fail(Defect::UnclosedTopic));
    }
    match topics.is_empty() {
        true => Err(DataError::Empty { file: lines.file().to_owned(), what: "topics" }),
        false => Ok(topics),
    }
}

/// A topic that has not ended yet.
struct Open {
    line: u64,
    field: Field,
    /// Number, title, description, narrative, with their labels.
    texts: [String; 4],
}

#[derive(Clone, Copy, PartialEq)]
enum Field {
    Known(usize),
    Other,
}

/// The fields, and the labels before their texts.
const FIELDS: [(&str, &[&str]); 4] = [
    ("num", &["Number:"]),
    ("title", &["Topic:"]),
    ("desc", &["Description:"]),
    ("narr", &["Narrative:"]),
];

impl Field {
    fn of(tag: &str) -> Self {
        match FIELDS.iter().position(|(name, _)| *name == tag) {
            Some(place) => Self::Known(place),
            None => Self::Other,
        }
    }
}

impl Open {
    fn at(line: &Line<'_>) -> Self {
        Self { line: line.number, field: Field::Other, texts: Default::default() }
    }

    fn add(&mut self, text: &str) {
        let Field::Known(place) = self.field else { return };
        let Some(known) = self.texts.get_mut(place) else { return };
        for word in text.split_whitespace() {
            if !known.is_empty() {
                known.push(' ');
            }
            known.push_str(word);
        }
    }

    fn close(&mut self, line: &Line<'_>) -> Result<Topic, DataError> {
        let mut texts = std::mem::take(&mut self.texts);
        for (text, (_, labels)) in texts.iter_mut().zip(FIELDS) {
            let label = labels.iter().find(|label| {
                text.get(..label.len()).is_some_and(|start| start.eq_ignore_ascii_case(label))
            });
            let bare = text.get(label.map_or(0, |label| label.len())..).unwrap_or_default();
            *text = unescaped(bare.trim());
        }
        let [id, title, description, narrative] = texts;
        for (text, field) in [(&id, "num"), (&title, "title")] {
            if text.is_empty() {
                let first = self.line;
                return Err(line.fail(Defect::TopicLacks { field, first }));
            }
        }
        Ok(Topic { id, title, description, narrative })
    }
}

enum Piece<'a> {
    /// A tag's name in lower case, without its brackets.
    Tag(&'static str),
    Text(&'a str),
}

/// A line taken apart at its tags. Anywhere in a line only the known ones count (texts hold `<`
/// too), and at its start any other that looks like one, which begins a field that is left out.
fn pieces(line: &str) -> Vec<Piece<'_>> {
    const TAGS: [&str; 10] =
        ["top", "/top", "num", "/num", "title", "/title", "desc", "/desc", "narr", "/narr"];
    let (mut pieces, mut rest, mut start) = (Vec::new(), line, 0);
    while let Some(place) = rest.get(start..).and_then(|text| text.find('<')) {
        let place = start + place;
        let inside = rest.get(place + 1..).unwrap_or_default();
        let Some((name, behind)) = inside.split_once('>') else { break };
        let known = TAGS.into_iter().find(|tag| tag.eq_ignore_ascii_case(name.trim()));
        let first = pieces.is_empty() && rest.get(..place).is_some_and(|b| b.trim().is_empty());
        let letters = |name: &str| {
            let name = name.strip_prefix('/').unwrap_or(name);
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic())
        };
        let tag = match known {
            Some(tag) => tag,
            None if first && letters(name.trim()) => "other",
            None => {
                start = place + 1;
                continue;
            }
        };
        pieces.push(Piece::Text(rest.get(..place).unwrap_or_default()));
        pieces.push(Piece::Tag(tag));
        (rest, start) = (behind, 0);
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// The text with SGML's named entities for the characters of its own syntax resolved.
fn unescaped(text: &str) -> String {
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Our own words in the layout of TREC-8's topics, those of TREC-1, and with end tags.
    const CLASSIC: &str = "\
<top>

<num> Number: 901
<title> glacier retreat

<desc> Description:
How fast do glaciers
in the Alps &amp; Andes retreat?

<narr> Narrative:
Ice under 5 < x > 3 km counts.
</top>

<top>
<head> Test Topic Description
<num> Number:  051
<dom> Domain:  Polar Regions
<title> Topic:  Sea Ice
<con> Concept(s):
1. floe
</top>
<TOP><NUM>x-3</NUM><TITLE>moraine</TITLE></TOP>
";

    fn parse(text: &str) -> Result<Vec<Topic>, String> {
        read_from(text.as_bytes(), "t").map_err(|error| error.to_string())
    }

    fn topic(id: &str, title: &str, description: &str, narrative: &str) -> Topic {
        let [id, title, description, narrative] =
            [id, title, description, narrative].map(str::to_owned);
        Topic { id, title, description, narrative }
    }

    #[test]
    fn reads_the_classic_form() {
        let description = "How fast do glaciers in the Alps & Andes retreat?";
        let first = topic("901", "glacier retreat", description, "Ice under 5 < x > 3 km counts.");
        let second = topic("051", "Sea Ice", "", "");
        let found = parse(CLASSIC).unwrap();
        assert_eq!(found, [first.clone(), second.clone(), topic("x-3", "moraine", "", "")]);
        let query = |part| first.query(part).map(|query| query.text);
        assert_eq!(query(TopicPart::Title).as_deref(), Some("glacier retreat"));
        assert_eq!(query(TopicPart::Both).unwrap(), format!("glacier retreat {description}"));
        assert_eq!(second.query(TopicPart::Description), None);
    }

    #[test]
    fn reads_lines_with_tabs() {
        let found = parse("1\thow fast\n\n x \t <b> text\n").unwrap();
        assert_eq!(found, [topic("1", "how fast", "", ""), topic("x", "<b> text", "", "")]);
    }

    #[test]
    fn errors_name_file_and_line() {
        let error = |text: &str| parse(text).unwrap_err();
        assert!(error("").starts_with("t: the file holds no topics"));
        assert!(error("1\ta\n2 b\n").starts_with("t line 2: found 1 columns, expected 2: id text"));
        assert!(error("1\ta\n1\tb\n").contains("line 2: topic id '1' was already used at line 1"));
        let top = "<top>\n<num> 1\n<title> a\n";
        assert!(error(top).starts_with("t line 1: this topic does not end"), "{}", error(top));
        assert!(error(&format!("{top}<top>\n")).starts_with("t line 4: a topic begins before"));
        assert!(error(&format!("{top}</top>\nstray\n")).starts_with("t line 5: 'stray' stands"));
        assert!(
            error(&format!("{top}</top>\n{top}</top>\n"))
                .contains("line 8: topic id '1' was already")
        );
        let lacks = error("<top>\n<num> Number: 7\n</top>\n");
        assert!(lacks.starts_with("t line 3: the topic that begins at line 1 has no <title>"));
        assert!(error("<top>\n<title> a\n</top>\n").contains("has no <num>"));
        assert!(error("<title> a").starts_with("t line 1: 'title' stands outside"));
    }
}
