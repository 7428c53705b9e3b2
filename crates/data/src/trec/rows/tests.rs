use proptest::prelude::*;
use secondpass_core::Qrels;

use super::*;
use crate::trec::{read_qrels_from, read_run_from};

fn judgements(rows: &Rows<'_, QrelsRow<'_>>) -> Qrels {
    let mut qrels = Qrels::new();
    for QueryRows { query, rows } in rows.queries() {
        for row in rows {
            assert_eq!(qrels.insert(query.into(), row.document.into(), row.grade), None);
        }
    }
    qrels
}

/// Reads by lines and by bytes, in one thread and in several: all say the same.
fn read_run_every_way(text: &[u8]) -> Result<Run, String> {
    let by_lines = read_run_from(text, "r").map_err(|error| error.to_string());
    for threads in 1..5 {
        let by_bytes = read::<RunRow<'_>>(text, "r", "ranked documents", threads)
            .map(|rows| RunRows { rows, tag: run_rows(text, "r").unwrap().name() })
            .map(|rows| rows.to_run().unwrap())
            .map_err(|error| error.to_string());
        assert_eq!(by_bytes, by_lines, "{threads} threads");
    }
    by_lines
}

fn read_qrels_every_way(text: &[u8]) -> Result<Qrels, String> {
    let by_lines = read_qrels_from(text, "j").map_err(|error| error.to_string());
    for threads in 1..5 {
        let by_bytes = read::<QrelsRow<'_>>(text, "j", "judgements", threads)
            .map(|rows| judgements(&rows))
            .map_err(|error| error.to_string());
        assert_eq!(by_bytes, by_lines, "{threads} threads");
    }
    by_lines
}

const RUN: &str =
    "q1 Q0 a 1 3.5 tag\nq1 Q0 b 2 2 tag\nq2\tQ0  a 1 1e3 tag\r\n\nq2 Q0 c x -inf tag\n";
const QRELS: &str = "q1 0 a 1\nq1 0 b -2\nq2 0 a 0\nq2 0 c 3\n";

#[test]
fn rows_borrow_what_stands_there() {
    let rows = run_rows(RUN.as_bytes(), "r").unwrap();
    assert_eq!(rows.name(), "tag");
    let queries = rows.queries();
    assert_eq!(queries.iter().map(|query| query.query).collect::<Vec<_>>(), ["q1", "q2"]);
    assert_eq!(queries[0].rows[1], RunRow { document: "b", score: 2.0, rank: Some(2) });
    let last = RunRow { document: "c", score: f64::NEG_INFINITY, rank: None };
    assert_eq!(queries[1].rows[1], last);
    assert!(RUN.as_bytes().as_ptr_range().contains(&last_document(&queries).as_ptr()));
}

fn last_document<'a>(queries: &[QueryRows<'_, RunRow<'a>>]) -> &'a str {
    queries[1].rows[1].document
}

#[test]
fn every_fault_is_told_as_by_the_reader_of_lines() {
    let faulty = |line: &str| read_run_every_way(format!("{RUN}{line}\nq3 Q0 z 1 1 t").as_bytes());
    for (line, message) in [
        ("q2 Q0 d 1 1", "r line 6: found 5 columns"),
        ("q2 Q0 d 1 1 t more", "r line 6: found 7 columns"),
        ("q2 Q0 d 1 nan t", "r line 6: score 'nan' is not a number"),
        ("q2 Q0 d 1 1,5 t", "r line 6: score '1,5' is not a number"),
        ("q1 Q0 b 1 1 t", "'b' a second time (first at line 2)"),
        ("\u{a0}q2 Q0 é 1 1", "r line 6: found 5 columns"),
    ] {
        let error = faulty(line).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
    for bytes in [&b"q Q0 a 1 1 t\nq Q0 \xff 1 1 t\n"[..], b"q Q0 a 1 1 t\n\n\xc3"] {
        assert!(read_run_every_way(bytes).unwrap_err().contains("invalid UTF-8 at byte"));
    }
    for empty in ["", "\n", "\u{feff}", " \r\n\t\n", "\u{a0}\n"] {
        assert!(read_run_every_way(empty.as_bytes()).unwrap_err().contains("no ranked documents"));
        assert!(read_qrels_every_way(empty.as_bytes()).unwrap_err().contains("no judgements"));
    }
    for (line, message) in [
        ("q1 0 z", "j line 5: found 3 columns"),
        ("q1 0 z 1.5", "j line 5: grade '1.5' is not a whole number"),
        ("q1 0 b 1", "j line 5: query 'q1' gives document 'b' grade 1, but an earlier line gave"),
    ] {
        let error = read_qrels_every_way(format!("{QRELS}{line}\n").as_bytes()).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn repeated_judgements_count_once() {
    let text = format!("{QRELS}q1 0 a 1\nq2 0 c 3\nq2 0 d 3\nq1 0 a 1\n");
    let qrels = read_qrels_every_way(text.as_bytes()).unwrap();
    assert_eq!(qrels.judgements(), 5);
}

#[test]
fn packed_files_give_the_rows_of_plain_ones() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["r", "r.gz", "r.zst"] {
        let path = folder.path().join(name);
        let write = |file: &mut dyn std::io::Write| Ok(file.write_all(RUN.as_bytes())?);
        crate::write_file(&path, crate::Access::Default, write).unwrap();
        assert_eq!(read_bytes(&path, "a run").unwrap(), RUN.as_bytes(), "{name}");
    }
}

#[test]
fn a_mark_a_missing_end_and_blank_lines() {
    for text in [
        format!("\u{feff}{RUN}"),
        RUN.trim_end().to_owned(),
        format!("\n\n{RUN}\u{3000}\n"),
        RUN.replace('\n', "\r\n"),
    ] {
        assert_eq!(read_run_every_way(text.as_bytes()).unwrap().rankings.len(), 2);
    }
}

#[test]
fn equal_to_the_reader_of_lines_on_the_official_files() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !data.exists() {
        println!("skipped: no ../shared");
        return;
    }
    for file in ["trec_eval/results.test", "scifact/bm25.test.trec"] {
        let bytes = read_bytes(&data.join(file), "a run").unwrap();
        assert!(!read_run_every_way(&bytes).unwrap().rankings.is_empty());
    }
    for file in ["trec_eval/qrels.test", "trec_eval/qrels.rel_level"] {
        let bytes = read_bytes(&data.join(file), "judgements").unwrap();
        assert!(!read_qrels_every_way(&bytes).unwrap().is_empty());
    }
    let missing = read_bytes(&data.join("none"), "a run").unwrap_err();
    assert!(matches!(missing, DataError::Missing { hint: "a run", .. }));
}

/// Lines of few queries and documents, so that both come together and apart, and twice.
fn lines(most: usize) -> impl Strategy<Value = Vec<(u8, u8, i8)>> {
    prop::collection::vec((0..4_u8, 0..60_u8, -1..2_i8), 1..most)
}

proptest! {
    #[test]
    fn equal_to_the_reader_of_lines(mut lines in lines(40), sorted: bool) {
        if sorted {
            lines.sort_unstable();
        }
        let run: String = lines
            .iter()
            .map(|(query, document, score)| format!("q{query} Q0 d{document} 1 {score} t\n"))
            .collect();
        let _ = read_run_every_way(run.as_bytes());
        let qrels: String = lines
            .iter()
            .map(|(query, document, grade)| format!("q{query} 0 d{document} {grade}\n"))
            .collect();
        let _ = read_qrels_every_way(qrels.as_bytes());
    }

    #[test]
    fn any_bytes_never_panic_and_read_alike(
        mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        for (text, is_run) in [(RUN, true), (QRELS, false)] {
            let mut bytes = text.as_bytes().to_vec();
            for (place, byte) in &mutations {
                let place = place.index(bytes.len());
                bytes[place] = *byte;
            }
            // Of several faults either reader may tell another one.
            match is_run {
                true => {
                    let by_lines = read_run_from(bytes.as_slice(), "r").ok();
                    let by_bytes = run_rows(&bytes, "r").ok().map(|rows| rows.to_run().unwrap());
                    prop_assert_eq!(by_bytes, by_lines);
                }
                false => {
                    let by_lines = read_qrels_from(bytes.as_slice(), "j").ok();
                    let by_bytes = qrels_rows(&bytes, "j").ok();
                    prop_assert_eq!(by_bytes.map(|rows| judgements(&rows.rows)), by_lines);
                }
            }
        }
    }
}
