use std::path::PathBuf;

use secondpass_core::{Query, QueryId};

use super::check::{Against, FindingKind, check, check_groups};
use super::*;
use crate::triples::TeacherScores;
use crate::{Access, write_file};

fn files(files: &[(&str, &str)]) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let write = |&(name, text): &(&str, &str)| {
        let path = folder.path().join(name);
        write_file(&path, Access::Default, |file| Ok(file.write_all(text.as_bytes())?)).unwrap();
        path
    };
    let paths = files.iter().map(write).collect();
    (folder, paths)
}

const JSONL: &str = "{\"query\": \"q\", \"positive\": \"A\", \"negative\": \"B\", \"id\": 3}\n\
    {\"query\": \"r\", \"positive\": \"A\"}\n\
    {\"query\": \"q\", \"positive\": \"A\", \"negative\": \"C\"}\n\
    {\"query\": \"q\", \"positive\": \"D\", \"negative\": \"B\"}\n";

fn shown(set: &TrainingSet) -> Vec<String> {
    let text = |id: &secondpass_core::DocId| set.dataset.corpus().get(id).unwrap().text.clone();
    let query = |id: &QueryId| {
        set.dataset.queries().iter().find(|query| query.id == *id).unwrap().text.clone()
    };
    let group = |group: &Group| {
        let negatives: Vec<String> = group.negatives.iter().map(text).collect();
        format!("{}: {} > {}", query(&group.query), text(&group.positive), negatives.join(" "))
    };
    set.groups.iter().map(group).collect()
}

#[test]
fn triples_of_every_format_make_the_same_groups() {
    let csv = "query,positive,negative\nq,A,B\nr,A,\nq,A,C\nq,D,B\n";
    let (_folder, paths) = files(&[
        ("t.jsonl", JSONL),
        ("t.jsonl.gz", JSONL),
        ("t.csv", csv),
        ("t.tsv.zst", &csv.replace(',', "\t")),
    ]);
    for path in &paths {
        let set = read(&[path], Layout::Triples).unwrap();
        assert_eq!(shown(&set), ["q: A > B C", "q: D > B C", "r: A > "], "{}", path.display());
        assert_eq!(set.dataset.qrels().len(), 2);
        assert_eq!((set.dataset.name(), set.dataset.split()), ("t", "train"));
    }
    let set = read(&paths, Layout::Triples).unwrap();
    assert_eq!(shown(&set), ["q: A > B C", "q: D > B C", "r: A > "], "all four are one");
}

#[test]
fn groups_keep_the_teachers_scores() {
    let line = "{\"query\": \"q\", \"pos\": [\"A\", \"B\"], \"neg\": [\"C\"], \"pos_scores\": [2, 1], \
                \"neg_scores\": [-1.5]}";
    let (_folder, paths) = files(&[("g.jsonl", line)]);
    let set = read(&paths, Layout::Groups).unwrap();
    assert_eq!(shown(&set), ["q: A > C", "q: B > C"]);
    let teacher = TeacherScores { positive: 1.0, negatives: vec![-1.5] };
    assert_eq!(set.groups[1].teacher, Some(teacher));
}

#[test]
fn errors_name_file_line_or_row_and_key() {
    let error = |name: &str, text: &str, layout| {
        let (_folder, paths) = files(&[(name, text)]);
        read(&paths, layout).unwrap_err().to_string()
    };
    let triples = |line: &str| error("t.jsonl", &format!("{JSONL}{line}"), Layout::Triples);
    assert!(triples("{\"query\": \"x\"}").contains("t.jsonl line 5: field 'positive' is missing"));
    assert!(
        triples("{\"query\": \"x\", \"positive\": \"\"}").contains("line 5: 'positive' is empty")
    );
    assert!(
        triples("{\"query\": \"x\", \"positive\": \"A\", \"negative\": 3}")
            .contains("line 5: field 'negative' is a number, expected a string")
    );
    let both = triples("{\"query\": \"q\", \"positive\": \"B\"}");
    assert!(
        both.contains("line 5: the text 'B' is both") && both.contains("(see line 1)"),
        "{both}"
    );
    // As texts are compared, and queries too.
    let both = triples("{\"query\": \"Q?\", \"positive\": \"D\", \"negative\": \"a.\"}");
    assert!(
        both.contains("line 5: the text 'a.' is both") && both.contains("(see line 1)"),
        "{both}"
    );
    let csv = error("t.csv", "query,positive,negative\nq,A,B\nq,,B\n", Layout::Triples);
    assert!(csv.contains("t.csv row 2, column 'positive': the cell is empty"), "{csv}");
    let csv = error("t.csv", "query,positive,negative\nq,A,B\nq,B,C\n", Layout::Triples);
    assert!(
        csv.contains("t.csv row 2: the text 'B' is both") && csv.contains("(see row 1)"),
        "{csv}"
    );
    let csv = error("t.csv", "question,positive\nq,A\n", Layout::Triples);
    assert!(csv.contains("there is no column 'query'; it has: question, positive"), "{csv}");
    assert!(error("t.jsonl", "\n", Layout::Groups).contains("t.jsonl: the file holds no groups"));
}

#[test]
fn queries_are_found_again_by_file_line_and_id() {
    let csv = "id,query,positive\nx7,Q two,A\n,Q three,A\n";
    let (_folder, paths) = files(&[("t.jsonl", JSONL), ("t.csv", csv)]);
    let set = read(&paths, Layout::Triples).unwrap();
    let origin = |text: &str| {
        let query = set.dataset.queries().iter().find(|query| query.text == text).unwrap();
        set.origins[&query.id].rsplit('/').next().unwrap().to_owned()
    };
    assert_eq!(origin("q"), "t.jsonl line 1, id '3'");
    assert_eq!(origin("r"), "t.jsonl line 2");
    assert_eq!(origin("Q two"), "t.csv row 1, id 'x7'");
    assert_eq!(origin("Q three"), "t.csv row 2");
}

#[test]
fn groups_of_tables_make_the_same_as_lines() {
    let line = "{\"query\": \"q\", \"pos\": [\"A\", \"B\"], \"neg\": [\"C\"], \"pos_scores\": [2, 1], \
                \"neg_scores\": [-1.5]}";
    let csv = "query,pos,neg,pos_scores,neg_scores\n\
               q,\"[\"\"A\"\", \"\"B\"\"]\",\"[\"\"C\"\"]\",\"[2, 1]\",[-1.5]\n";
    let (folder, mut paths) = files(&[("g.jsonl", line), ("g.csv.gz", csv)]);
    let parquet = folder.path().join("g.parquet");
    std::fs::write(&parquet, crate::tables::groups_parquet()).unwrap();
    paths.push(parquet);
    let expected = read(&paths[..1], Layout::Groups).unwrap();
    for path in &paths {
        assert_eq!(Layout::detect(path).unwrap(), Layout::Groups);
        let set = read(&[path], Layout::Groups).unwrap();
        assert_eq!(
            (set.groups, set.dataset.hash()),
            (expected.groups.clone(), expected.dataset.hash())
        );
    }
    let error = |name: &str, text: &str| {
        let (_folder, paths) = files(&[(name, text)]);
        read(&paths, Layout::Groups).unwrap_err().to_string()
    };
    let repr = error("g.csv", "query,pos\nq,\"['A']\"\n");
    assert!(
        repr.contains("g.csv row 1: field 'pos' is a text, expected a list, in a table"),
        "{repr}"
    );
    let blank = error("g.csv", "query,pos\nq,\"[\"\"A\"\"]\"\nr,\"[\"\"\"\"]\"\n");
    assert!(blank.contains("g.csv row 2: 'pos' item 1 is empty"), "{blank}");
    let lacks = error("g.csv", "query,positive\nq,A\n");
    assert!(lacks.contains("there is no column 'pos'; it has: query, positive"), "{lacks}");
}

#[test]
fn a_check_for_a_loss_with_a_teacher_finds_what_is_not_taught() {
    let text = "{\"query\": \"q\", \"pos\": [\"A\"], \"neg\": [\"B\"], \"pos_scores\": [1], \"neg_scores\": [0]}\n\
        {\"query\": \"r\", \"pos\": [\"A\"], \"neg\": [\"B\"]}\n\
        {\"query\": \"s\", \"pos\": [\"A\"], \"pos_scores\": [1]}\n";
    let (_folder, paths) = files(&[("g.jsonl", text)]);
    let found = |needs_teacher| {
        let against = Against { needs_teacher, ..Against::default() };
        let report = check(&paths, Layout::Groups, against).unwrap();
        report
            .findings
            .iter()
            .map(|found| (found.kind, found.count, found.is_error))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found(true),
        [(FindingKind::Untaught, 1, true), (FindingKind::NoNegatives, 1, true)]
    );
    assert_eq!(found(false), [(FindingKind::NoNegatives, 1, false)]);
}

#[test]
fn queries_of_dev_that_are_tested_on_are_found() {
    let (_folder, paths) = files(&[("t.jsonl", JSONL)]);
    let query = |id: &str, text: &str| Query {
        id: id.into(),
        text: text.to_owned(),
        attributes: Default::default(),
    };
    let (dev, test) =
        ([query("d1", "Where is it?"), query("d2", "when")], [query("t1", "where is it")]);
    let report = |allow_overlap| {
        let evaluation = vec![("dev".to_owned(), &dev[..]), ("far".to_owned(), &test[..])];
        let against = Against { evaluation, dev_first: true, allow_overlap, ..Against::default() };
        check(&paths, Layout::Triples, against).unwrap()
    };
    let refused = report(false);
    assert!(refused.has_errors() && !report(true).has_errors());
    assert_eq!(refused.findings[0].kind, FindingKind::DevOverlap);
    assert_eq!(refused.findings[0].places, ["query 'd1' of dev: query 't1' of far"]);
}

#[test]
fn a_check_reports_everything_at_once() {
    let text = "{\"query\": \"How do I log in?\", \"pos\": [\"A\"], \"neg\": [\"b!\", \"a.\"]}\n\
        {\"query\": \"how do i log in\", \"pos\": [\"B\", \"A\"], \"neg\": [\"C\"]}\n\
        not json\n\
        {\"query\": \"x\", \"pos\": [\"\"]}\n\
        {\"query\": \"Where can I export all of my invoices to a file\", \"pos\": [\"D\"]}\n\
        {\"query\": \"taught\", \"pos\": [\"D\"], \"neg\": [\"E\"], \"pos_scores\": [1], \"neg_scores\": [0]}\n";
    let (_folder, paths) = files(&[("g.jsonl", text)]);
    let query = |id: &str, text: &str| Query {
        id: id.into(),
        text: text.to_owned(),
        attributes: Default::default(),
    };
    let evaluated = [
        query("e1", "How do I LOG IN"),
        query("e2", "Where can I export all of my invoices to files"),
        query("e3", "nothing of the kind"),
    ];
    let mut count = |query: &str, document: &str| query.len() + document.len();
    let against = Against {
        evaluation: vec![("test".to_owned(), &evaluated)],
        tokens: Some((&mut count, 20)),
        ..Against::default()
    };
    let report = check(&paths, Layout::Groups, against).unwrap();
    let found: Vec<_> =
        report.findings.iter().map(|found| (found.kind, found.count, found.is_error)).collect();
    use FindingKind::*;
    assert_eq!(
        found,
        [
            (Malformed, 1, true),
            (EmptyText, 1, true),
            (EvaluationOverlap, 1, true),
            (PositiveAmongNegatives, 1, true),
            (Contradiction, 1, true),
            (EvaluationNearDuplicate, 1, false),
            (NoNegatives, 1, false),
            (Duplicate, 1, false),
        ]
    );
    assert!(report.has_errors());
    assert_eq!((report.rows, report.queries, report.documents), (4, 3, 5));
    assert_eq!((report.positives, report.negatives, report.taught), (3, 3, 1));
    assert_eq!((report.document_characters.max, report.pair_tokens.unwrap().max), (2, 48));
    assert_eq!(report.cut, Some(1));
    let place = |kind| &report.findings.iter().find(|found| found.kind == kind).unwrap().places[0];
    assert!(place(EmptyText).contains("g.jsonl line 4: 'pos' item 1 is empty"));
    assert!(place(EvaluationOverlap).ends_with("g.jsonl line 1: query 'e1' of test"));
    assert!(place(Contradiction).contains("line 2 (see"));
    let against = Against {
        evaluation: vec![("test".to_owned(), &evaluated)],
        allow_overlap: true,
        ..Against::default()
    };
    let report = check(&paths, Layout::Groups, against).unwrap();
    let overlap = report.findings.iter().find(|found| found.kind == EvaluationOverlap).unwrap();
    assert!(!overlap.is_error && report.pair_tokens.is_none());
}

#[test]
fn groups_of_a_set_are_checked_by_query() {
    let set = crate::embedded::helpdesk("train").unwrap();
    let groups = crate::embedded::helpdesk_groups().unwrap();
    let report = check_groups(&set, &groups, Against::default());
    assert!(!report.has_errors(), "{:?}", report.findings);
    let queries: std::collections::BTreeSet<_> = groups.iter().map(|group| &group.query).collect();
    assert_eq!(report.rows, queries.len());
    let evaluation = vec![("train".to_owned(), set.queries())];
    let against = Against { evaluation, ..Against::default() };
    let report = check_groups(&set, &groups, against);
    assert_eq!(report.findings[0].kind, FindingKind::EvaluationOverlap);
    assert_eq!(report.findings[0].count, report.queries);
    assert!(report.findings[0].places[0].starts_with("helpdesk (train) group 1: query '"));
}
