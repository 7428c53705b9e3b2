use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::{beir, embedded, golden};

fn folder(corpus: &str, queries: &str, qrels: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("qrels")).unwrap();
    fs::write(folder.path().join("corpus.jsonl"), corpus).unwrap();
    fs::write(folder.path().join("queries.jsonl"), queries).unwrap();
    for (split, lines) in qrels {
        let text = format!("query-id\tcorpus-id\tscore\n{lines}");
        fs::write(folder.path().join(format!("qrels/{split}.tsv")), text).unwrap();
    }
    folder
}

fn line(id: &str, text: &str) -> String {
    format!("{{\"_id\": \"{id}\", \"text\": \"{text}\"}}\n")
}

/// The findings with the lines they name, and without the folder's name.
fn found(folder: &Path) -> Vec<String> {
    let prefix = format!("{}/", folder.display());
    let findings = check(&Parts::beir(folder));
    let say = |finding: &Finding| format!("{}: {finding}", finding.severity());
    findings.iter().map(|finding| say(finding).replace(&prefix, "")).collect()
}

#[test]
fn a_sound_set_has_no_findings() {
    let corpus = line("a", "one two") + &line("b", "three");
    let queries = line("q", "why") + &line("r", "how");
    let folder = folder(&corpus, &queries, &[("train", "q\ta\t1\n"), ("test", "r\tb\t2\n")]);
    assert_eq!(found(folder.path()), [""; 0]);
}

#[test]
fn every_defect_of_a_folder_is_told_of() {
    let corpus = [
        line("a", "Some text."),
        "{\"_id\": \"broken\"\n".to_owned(),
        line("b", "some  TEXT"),
        line("a", "other text"),
        line("c", " "),
        "[1]\n".to_owned(),
        line("d", "last words"),
    ];
    let queries = [
        line("q", "Why?"),
        line("r", "why"),
        line("q", "again"),
        line("s", ""),
        line("t", ""),
        line("u", "nobody asks"),
    ];
    let folder = folder(
        &corpus.concat(),
        &queries.concat(),
        &[
            ("train", "q\ta\t1\nq\tz\t1\nx\ta\t1\nq\ta\t2\nq\td\tmany\n"),
            ("test", "r\ta\t1\nr\ta\t1\ns\tb\t0\nr\tb\n"),
        ],
    );
    let expected = [
        "error: 4 lines are malformed (corpus.jsonl line 2: invalid JSON at column 16: EOF while \
         parsing an object; every line must be one whole JSON object; corpus.jsonl line 6: expected a \
         JSON object, found an array; write the line as {\"_id\": …}; qrels/test.tsv line 5: found 2 \
         columns, expected 3: query-id corpus-id score; and 1 more). Mend or remove these lines.",
        "error: 1 document has an id that was used before (corpus.jsonl line 4: 'a', first at line \
         1). Give each an id of its own, or remove the copies.",
        "error: 1 query has an id that was used before (queries.jsonl line 3: 'q', first at line 1). \
         Give each an id of its own, or remove the copies.",
        "error: 1 query is judged and has no text (queries.jsonl line 4: 's'). Write their texts or \
         remove them and their judgements.",
        "error: 1 judgement names a document that is not in the corpus (qrels/train.tsv line 3: \
         document 'z'). Add the documents to the corpus or remove these lines.",
        "error: 1 judgement names a query that is not there (qrels/train.tsv line 4: query 'x'). Add \
         the queries or remove these lines.",
        "error: 1 judgement gives a pair another grade than before (qrels/train.tsv line 5: query \
         'q', document 'a', first at line 2). Decide on one grade and remove the other line.",
        "warning: 1 document has neither title nor text (corpus.jsonl line 5: 'c'). Write their \
         texts or remove them: no reranker can tell what they are about.",
        "warning: 1 document repeats another's text (corpus.jsonl line 3: 'b', the same text as \
         'a'). Keep one of each and judge that one: a copy that is not judged counts as wrong.",
        "warning: 1 query of split 'test' has no relevant document (qrels/test.tsv: query 's'). \
         Judge a document relevant or leave them out: every ranking scores 0 on them. Keep them only \
         to test whether a threshold abstains.",
        "note: 1 query has no text (queries.jsonl line 5: 't'). Write their texts or remove them.",
        "note: 1 query is judged nowhere (queries.jsonl line 6: 'u'). They take no part in any \
         measure; judge them or leave them as they are.",
        "note: 1 judgement stands there twice (qrels/test.tsv line 3: query 'r', document 'a', first \
         at line 2). Remove the copies; each pair counts once.",
        "note: 1 document is relevant in split 'test' and in split 'train' (qrels/train.tsv line 2: \
         document 'a'). Usual where splits share a corpus; a model trained on one may know these.",
    ];
    assert_eq!(found(folder.path()), expected);
}

#[test]
fn queries_that_two_splits_share_are_found_by_id_and_by_words() {
    let corpus = line("a", "some text") + &line("b", "other text");
    let queries = line("q", "Why not?") + &line("r", "why  NOT") + &line("s", "how");
    let splits = [("dev", "q\ta\t1\ns\ta\t1\n"), ("test", "r\tb\t1\ns\tb\t1\n")];
    let folder = folder(&corpus, &queries, &splits);
    let findings = found(folder.path());
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let start = "warning: 2 queries of split 'test' are in split 'dev' too (qrels/test.tsv line 2: \
                 query 'r', the same words as 'q'; qrels/test.tsv line 3: query 's'). Remove them";
    assert!(findings[0].starts_with(start), "{findings:#?}");
}

#[test]
fn files_that_cannot_be_read_are_findings_too() {
    let missing = found(Path::new("no/such/folder"));
    assert_eq!(missing.len(), 1);
    assert!(missing[0].starts_with("error: 3 files cannot be read whole ("), "{missing:#?}");

    let folder = folder(&line("a", "some text"), "\n", &[("test", "")]);
    let packed = folder.path().join("corpus.jsonl.gz");
    fs::write(&packed, "not packed").unwrap();
    let findings = found(folder.path());
    assert!(findings[0].contains("both corpus.jsonl and corpus.jsonl.gz are there"));
    assert!(findings[1].starts_with("error: 2 files hold nothing (queries.jsonl: "));
    fs::remove_file(folder.path().join("corpus.jsonl")).unwrap();
    assert!(
        found(folder.path())[0].contains("after 0 lines the gzip stream is cut off or corrupt")
    );
}

#[test]
fn a_first_judgement_in_the_place_of_the_header_is_not_lost() {
    let folder = folder(&line("a", "some text"), &line("q", "why"), &[]);
    fs::write(folder.path().join("qrels/test.tsv"), "q\ta\t1\n").unwrap();
    let findings = found(folder.path());
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert!(findings[0].contains("line 1: the first line must be the header"));
    assert_eq!(stats(&Parts::beir(folder.path())).splits["test"].judgements, 1);
}

#[test]
fn every_defect_of_a_golden_set_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("golden.jsonl");
    let lines = [
        "{\"query\": \"sound\", \"relevant\": [\"some text\", {\"id\": \"d\", \"text\": \"more text\"}]}",
        "{\"query\": \"bad items\", \"relevant\": [7, {\"text\": \"x y\", \"grade\": 2}, \"x y\"]}",
        "{\"query\": \"no list\"}",
        "{\"query\": \"sound\", \"relevant\": [\"again a text\"]}",
        "{\"query\": \"other text\", \"relevant\": [{\"id\": \"d\", \"text\": \"another\"}]}",
        "{\"query\": \"nothing\", \"relevant\": []}",
        "not JSON",
    ];
    fs::write(&path, lines.join("\n")).unwrap();
    let findings = check(&Parts::golden(&path, None));
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].problem, Problem::MalformedLines);
    let lines: Vec<_> = findings[0].places.iter().filter_map(|place| place.line).collect();
    assert_eq!(lines, [2, 2, 3, 4, 5, 6, 7], "{findings:#?}");

    fs::write(&path, "\n").unwrap();
    assert_eq!(check(&Parts::golden(&path, None))[0].problem, Problem::EmptyFiles);
    let missing = check(&Parts::golden(&folder.path().join("none"), None));
    assert_eq!(missing[0].problem, Problem::UnreadableFiles);
    fs::write(&path, "{}").unwrap();
    assert_eq!(check(&Parts::golden(&path, None)).len(), 1);
}

#[test]
fn ids_in_the_place_of_texts_and_thousands_of_relevant_documents_look_wrong() {
    let text = "{\"query\": \"why\", \"relevant\": [{\"text\": \"doc-1\"}, \"doc-2\"]}";
    let set = golden::read_from(text.as_bytes(), "g", None).unwrap().dataset;
    let findings = check(&Parts::of(&[&set]));
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].problem, Problem::OneWordDocuments);
    assert!(
        findings[0].to_string().starts_with("every document is a single word (g (documents): '")
    );

    let ids = || (0..=MANY_RELEVANT).map(|n| format!("d{n}"));
    let corpus: String = ids().map(|id| line(&id, &format!("text {id}"))).collect();
    let qrels: String = ids().map(|id| format!("q\t{id}\t1\n")).collect();
    let folder = folder(&corpus, &line("q", "why"), &[("test", &qrels)]);
    let findings = found(folder.path());
    assert_eq!(findings.len(), 1);
    assert!(findings[0].contains("query 'q': 1001 relevant documents"), "{findings:#?}");
}

#[test]
fn stats_count_what_is_there() {
    let corpus = line("a", "one two three") + &line("b", "one");
    let queries = line("q", "why not") + &line("r", "how") + &line("s", "when");
    let qrels = [("test", "q\ta\t2\nq\tb\t0\nr\ta\t1\nr\ta\t1\n")];
    let folder = folder(&corpus, &queries, &qrels);
    let stats = stats(&Parts::beir(folder.path()));
    let spread = |min, median, p95, max| Spread { min, median, p95, max };
    let test = SplitStats {
        queries: 2,
        query_words: spread(1, 1, 2, 2),
        judgements: 3,
        grades: BTreeMap::from([(0, 1), (1, 1), (2, 1)]),
        relevant: spread(1, 1, 1, 1),
    };
    assert_eq!((stats.documents, stats.queries), (2, 3));
    assert_eq!(stats.document_words, spread(1, 1, 3, 3));
    assert_eq!(stats.splits, BTreeMap::from([("test".to_owned(), test)]));
    let json = serde_json::to_string(&stats).unwrap();
    assert_eq!(serde_json::from_str::<Stats>(&json).unwrap(), stats);
    assert_eq!(Spread::of(1..=100), spread(1, 50, 95, 100));
    assert_eq!(Spread::of([]), Spread::default());
}

#[test]
fn parts_of_sets_equal_those_of_their_folder() {
    let sets = embedded::SPLITS.map(|split| embedded::helpdesk(split).unwrap());
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join(embedded::NAME);
    beir::write(&folder, &[&sets[0], &sets[1], &sets[2]], crate::Compression::Zstd).unwrap();
    let (read, made) = (Parts::beir(&folder), Parts::of(&[&sets[0], &sets[1], &sets[2]]));
    assert_eq!(stats(&read), stats(&made));
    let problems = |parts: &Parts| -> Vec<_> {
        check(parts).into_iter().map(|finding| (finding.problem, finding.places.len())).collect()
    };
    assert_eq!(problems(&read), problems(&made));
    let bad: Vec<_> = check(&read)
        .into_iter()
        .filter(|finding| finding.severity() > Severity::Note)
        .map(|finding| finding.to_string())
        .collect();
    assert_eq!(bad, [""; 0], "the embedded set is sound");
}

#[test]
fn public_sets_read_without_errors() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !data.exists() {
        println!("skipped: no ../shared");
        return;
    }
    for name in ["scifact", "xquad-r-zh", "trecqa-test"] {
        let parts = Parts::beir(&data.join(name));
        for finding in check(&parts) {
            println!("{name}: {}: {finding}", finding.severity());
            assert!(finding.severity() < Severity::Error, "{name}: {finding}");
        }
        println!("{:?}", stats(&parts));
        for split in beir::splits(&data.join(name)) {
            let set = beir::read(&data.join(name), &split).unwrap();
            let found = &stats(&parts).splits[&split];
            let counts = (set.queries().len(), set.qrels().judgements());
            assert_eq!((found.queries, found.judgements), counts, "{name} {split}");
        }
    }
}
