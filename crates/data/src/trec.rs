//! TREC runs and judgements: columns separated by white space, as trec_eval reads them.

mod columns;
mod rows;

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, Write};
use std::path::Path;

use secondpass_core::{DocId, Qrels, QueryId, Ranking, RankingError, Run};

use crate::beir::insert;
use crate::lines::{Lines, open};
use crate::{DataError, Defect, WriteError};

pub use rows::{QrelsRows, RunRows, qrels_rows, read_bytes, run_rows};

/// Reads a run file: `query Q0 document rank score tag` on each line.
///
/// The order is that of the scores, as in trec_eval; the rank column is not looked at. The run
/// takes its name from the tag on the first line.
///
/// # Errors
/// A missing or empty file, another number of columns, a score that is no number, a document twice
/// in one query: with file and line.
pub fn read_run(path: &Path) -> Result<Run, DataError> {
    run(open(path, "a TREC run")?)
}

/// Reads a run from anywhere; `name` stands for the file in messages.
///
/// # Errors
/// As [`read_run`].
pub fn read_run_from(reader: impl BufRead, name: &str) -> Result<Run, DataError> {
    run(Lines::new(reader, name))
}

/// Writes a run in ranking order, ranks counted from 1, scores with all the digits that a 32-bit
/// float needs to come back the same.
///
/// Unscored documents get scores below the lowest, so that readers keep their order. White space in
/// the run's name becomes `_`.
///
/// # Errors
/// An id that is no single word, a score of minus infinity above unscored documents, or a writer
/// that fails.
pub fn write_run(run: &Run, writer: &mut impl Write) -> Result<(), WriteError> {
    let tag = match run.name.split_whitespace().collect::<Vec<_>>().join("_") {
        name if name.is_empty() => "run".to_owned(),
        name => name,
    };
    for (query, ranking) in &run.rankings {
        word("query", query.as_str())?;
        let mut floor = 0.0_f32;
        for (place, ranked) in ranking.ranked().iter().enumerate() {
            word("document", ranked.document.as_str())?;
            let score = match ranked.score {
                Some(score) => score as f32,
                // One less where that is another number, the next smaller number where it is not.
                None => (floor - 1.0).min(floor.next_down()),
            };
            if ranked.score.is_none() && score == floor {
                let query = query.as_str().to_owned();
                return Err(WriteError::NoRoomBelow { query, floor });
            }
            floor = score;
            writeln!(writer, "{query} Q0 {} {} {score:?} {tag}", ranked.document, place + 1)?;
        }
    }
    writer.flush()?;
    Ok(())
}

/// Reads a judgements file: `query 0 document grade` on each line; the second column is not looked
/// at.
///
/// # Errors
/// A missing or empty file, another number of columns, a grade that is no whole number, two grades
/// for one pair: with file and line.
pub fn read_qrels(path: &Path) -> Result<Qrels, DataError> {
    qrels(open(path, "TREC judgements")?)
}

/// Reads judgements from anywhere; `name` stands for the file in messages.
///
/// # Errors
/// As [`read_qrels`].
pub fn read_qrels_from(reader: impl BufRead, name: &str) -> Result<Qrels, DataError> {
    qrels(Lines::new(reader, name))
}

/// Writes judgements by query id and document id.
///
/// # Errors
/// An id that is no single word, or a writer that fails.
pub fn write_qrels(qrels: &Qrels, writer: &mut impl Write) -> Result<(), WriteError> {
    for (query, documents) in qrels.iter() {
        word("query", query.as_str())?;
        for (document, grade) in documents {
            word("document", document.as_str())?;
            writeln!(writer, "{query} 0 {document} {grade}")?;
        }
    }
    writer.flush()?;
    Ok(())
}

fn run(mut lines: Lines<impl BufRead>) -> Result<Run, DataError> {
    let mut tag = None;
    let mut scored: BTreeMap<QueryId, Vec<Scored>> = BTreeMap::new();
    // The rows of the query that the lines before were of, taken out while they are added to.
    let mut current: Option<(QueryId, Vec<Scored>)> = None;
    lines.each_filled(|line| {
        let columns: [&str; 6] = line.spaced(columns::RUN)?;
        let [query, _, document, _, score, name] = columns;
        let score = columns::score(score).map_err(|defect| line.fail(defect))?;
        if tag.is_none() {
            tag = Some(name.to_owned());
        }
        let row = Scored { document: document.into(), score, line: line.number };
        match &mut current {
            Some((same, rows)) if same.as_str() == query => rows.push(row),
            _ => {
                let mut rows = scored.remove(query).unwrap_or_default();
                rows.push(row);
                if let Some((query, rows)) = current.replace((query.into(), rows)) {
                    scored.insert(query, rows);
                }
            }
        }
        Ok(())
    })?;
    scored.extend(current);
    let file = lines.file().to_owned();
    let Some(tag) = tag else {
        return Err(DataError::Empty { file, what: "ranked documents" });
    };
    let mut run = Run::new(tag);
    let mut scored = scored.into_iter();
    while let Some((query, rows)) = scored.next() {
        let scores = rows.iter().map(|row| (row.document.clone(), row.score));
        match Ranking::from_scores(scores) {
            Ok(ranking) => run.rankings.insert(query, ranking),
            Err(RankingError::Duplicate(_)) => {
                return Err(ranked_twice(file, std::iter::once((query, rows)).chain(scored)));
            }
            Err(source) => {
                let query = query.as_str().to_owned();
                return Err(DataError::Ranking { file, query, source });
            }
        };
    }
    Ok(run)
}

/// One line of a run.
struct Scored {
    document: DocId,
    score: f64,
    line: u64,
}

/// Of all documents that are ranked twice, the one that is so first.
fn ranked_twice(file: String, scored: impl Iterator<Item = (QueryId, Vec<Scored>)>) -> DataError {
    let (mut line, mut defect) = (u64::MAX, Defect::EmptyField { field: "document" });
    for (query, rows) in scored {
        let mut seen = HashMap::new();
        for row in &rows {
            let Some(first) = seen.insert(&row.document, row.line) else { continue };
            if row.line < line {
                line = row.line;
                let (query, document) = (query.as_str().to_owned(), row.document.to_string());
                defect = Defect::RankedTwice { query, document, first };
            }
            break;
        }
    }
    DataError::Line { file, line, defect }
}

fn qrels(mut lines: Lines<impl BufRead>) -> Result<Qrels, DataError> {
    let mut qrels = Qrels::new();
    lines.each_filled(|line| {
        let columns: [&str; 4] = line.spaced(columns::QRELS)?;
        let [query, _, document, grade] = columns;
        let grade = columns::grade(grade).map_err(|defect| line.fail(defect))?;
        insert(&line, &mut qrels, query.into(), document.into(), grade)
    })?;
    match qrels.is_empty() {
        true => Err(DataError::Empty { file: lines.file().to_owned(), what: "judgements" }),
        false => Ok(qrels),
    }
}

/// Checks that an id survives as one column. C's `isspace`, by which trec_eval splits, knows the
/// vertical tab too; a leading byte order mark would be taken for the file's own.
fn word(what: &'static str, id: &str) -> Result<(), WriteError> {
    let splits = |c: char| c.is_ascii_whitespace() || c == '\u{b}';
    match id.is_empty() || id.contains(splits) || id.trim().is_empty() || id.starts_with('\u{feff}')
    {
        true => Err(WriteError::Id { what, id: id.to_owned() }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Run, DataError> {
        read_run_from(text.as_bytes(), "r")
    }

    fn written(run: &Run) -> String {
        let mut bytes = Vec::new();
        write_run(run, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn order_comes_from_scores_not_ranks() {
        let run = parse("q Q0 a 1 0.5 tag\nq\tQ0 b  2 1.5 tag\n").unwrap();
        let order: Vec<_> = run.rankings["q"].documents().map(DocId::as_str).collect();
        assert_eq!((order, run.name.as_str()), (vec!["b", "a"], "tag"));
    }

    #[test]
    fn errors_name_file_and_line() {
        let error = |line: &str| parse(&format!("q Q0 a 1 0.5 t\n{line}")).unwrap_err().to_string();
        assert_eq!(
            error("q Q0 b 1 0.5"),
            "r line 2: found 5 columns, expected 6: query Q0 document rank score tag"
        );
        assert_eq!(error("q Q0 b 1 nan t"), "r line 2: score 'nan' is not a number");
        assert_eq!(error("q Q0 b 1 1,5 t"), "r line 2: score '1,5' is not a number");
        assert!(error("q Q0 a 9 3 t").contains("'a' a second time (first at line 1)"));
        assert!(parse("\n\n").unwrap_err().to_string().contains("no ranked documents"));
    }

    #[test]
    fn unscored_documents_stay_below_in_order() {
        for lowest in [-2.5_f64, -1e30, 0.0, 3e38] {
            let ranking = Ranking::with_unscored(
                [("x".into(), lowest), ("y".into(), 3.1e38)],
                ["b".into(), "c".into(), "a".into()],
            );
            let mut run = Run::new("two words");
            run.rankings.insert("q".into(), ranking.unwrap());
            let back = parse(&written(&run)).unwrap();
            let order: Vec<_> = back.rankings["q"].documents().map(DocId::as_str).collect();
            assert_eq!(order, ["y", "x", "b", "c", "a"]);
            assert_eq!(back.name, "two_words");
        }
    }

    #[test]
    fn what_the_format_cannot_say_is_an_error() {
        let write = |ranking: Ranking| {
            let mut run = Run::new("r");
            run.rankings.insert("q".into(), ranking);
            write_run(&run, &mut Vec::new()).unwrap_err()
        };
        let spaced = Ranking::from_scores([("a b".into(), 1.0)]).unwrap();
        assert!(matches!(write(spaced), WriteError::Id { what: "document", .. }));
        let lowest = f64::NEG_INFINITY;
        let full = Ranking::with_unscored([("a".into(), lowest)], ["b".into()]).unwrap();
        assert!(matches!(write(full), WriteError::NoRoomBelow { .. }));
    }

    #[test]
    fn judgement_errors_name_file_and_line() {
        let error = |text: &str| read_qrels_from(text.as_bytes(), "j").unwrap_err().to_string();
        assert!(error("q 0 d 1\nq 0 e\n").starts_with("j line 2: found 3 columns, expected 4"));
        assert!(error("q 0 d 1.5\n").starts_with("j line 1: grade '1.5' is not a whole number"));
        assert!(error("q 0 d 1\nq 0 d 2\n").contains("gave it 1; keep one"));
        assert!(error("").contains("holds no judgements"));
    }

    #[test]
    fn reads_the_official_test_files() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
        if !data.exists() {
            println!("skipped: no ../shared");
            return;
        }
        let lines = |file: &str| std::fs::read_to_string(data.join(file)).unwrap().lines().count();
        for file in ["trec_eval/results.test", "scifact/bm25.test.trec"] {
            let run = read_run(&data.join(file)).unwrap();
            assert_eq!(run.rankings.values().map(Ranking::len).sum::<usize>(), lines(file));
        }
        let file = "trec_eval/qrels.test";
        assert_eq!(read_qrels(&data.join(file)).unwrap().judgements(), lines(file));
    }

    fn id() -> impl Strategy<Value = String> {
        "[^\\s\u{b}\u{feff}]{1,8}"
    }

    proptest! {
        #[test]
        fn runs_come_back_as_they_were(
            queries in prop::collection::btree_map(
                id(),
                prop::collection::btree_map(id(), any::<f32>().prop_filter("NaN", |x| !x.is_nan()), 1..20),
                1..5,
            ),
        ) {
            let mut run = Run::new("tag");
            for (query, scores) in queries {
                let scores = scores.into_iter().map(|(id, score)| (id.into(), f64::from(score)));
                run.rankings.insert(query.into(), Ranking::from_scores(scores).unwrap());
            }
            // The hash sees queries, documents, order, and scores as 32-bit floats.
            prop_assert_eq!(parse(&written(&run)).unwrap().hash(), run.hash());
        }

        #[test]
        fn judgements_come_back_as_they_were(
            judged in prop::collection::btree_map((id(), id()), any::<i32>(), 1..30),
        ) {
            let mut qrels = Qrels::new();
            for ((query, document), grade) in judged {
                qrels.insert(query.into(), document.into(), grade);
            }
            let mut bytes = Vec::new();
            write_qrels(&qrels, &mut bytes).unwrap();
            prop_assert_eq!(read_qrels_from(bytes.as_slice(), "j").unwrap(), qrels);
        }
    }
}
