use super::*;
use tempfile::TempDir;

const DOCUMENTS: &str = "id,title,text\n1,T,one\n007,,\"two\nlines\"\n";
const QUERIES: &str = "id\ttext\tkind\n7\twhy\ttypo\n8\thow\t\n";
const JUDGEMENTS: &str = "query,document,grade\n7,1,2\n7,007,0\n8,1,1.0\n";

fn files(parts: [&str; 3]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in ["d.csv", "q.tsv", "j.csv"].iter().zip(parts) {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn set(parts: [&str; 3]) -> Result<Dataset, String> {
    let folder = files(parts);
    let path = |name: &str| folder.path().join(name);
    let (documents, queries) = (DocumentColumns::default(), QueryColumns::default());
    let set = read(
        "set",
        "test",
        (&path("d.csv"), &documents),
        (&path("q.tsv"), &queries),
        (&path("j.csv"), &JudgementColumns::default()),
    );
    set.map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

#[test]
fn three_tables_make_a_set() {
    let set = set([DOCUMENTS, QUERIES, JUDGEMENTS]).unwrap();
    let [one, two] = set.corpus().documents() else { panic!("two documents") };
    assert_eq!((one.passage().as_str(), two.text.as_str()), ("T one", "two\nlines"));
    assert_eq!(two.id.as_str(), "007");
    assert_eq!(set.queries()[0].attributes["kind"], "typo");
    assert!(set.queries()[1].attributes.is_empty());
    assert_eq!(set.qrels().grade(&"7".into(), &"007".into()), Some(0));
    assert_eq!(set.qrels().grade(&"8".into(), &"1".into()), Some(1));
}

#[test]
fn errors_name_file_row_and_column() {
    let expect = |parts: [&str; 3], message: &str| {
        let error = set(parts).unwrap_err();
        assert_eq!(error, message);
    };
    let documents = |row: &str| set([&format!("{DOCUMENTS}{row}"), QUERIES, JUDGEMENTS]);
    let judged = |row: &str| set([DOCUMENTS, QUERIES, &format!("{JUDGEMENTS}{row}")]).unwrap_err();
    assert_eq!(
        documents("1,,x\n").unwrap_err(),
        "d.csv row 3, column 'id': id '1' was already used in row 1; give each its own id"
    );
    assert_eq!(
        documents(",,x\n").unwrap_err(),
        "d.csv row 3, column 'id': the cell is empty; fill it in or remove the row"
    );
    expect(
        ["id,body\n1,x\n", QUERIES, JUDGEMENTS],
        "d.csv: there is no column 'text'; it has: id, body (name the right one)",
    );
    expect(
        ["id,text\n", QUERIES, JUDGEMENTS],
        "d.csv: the file holds no documents; check that it was written completely",
    );
    expect(
        [DOCUMENTS, "id\ttext\n7\t \n", JUDGEMENTS],
        "q.tsv row 1, column 'text': the cell is empty; fill it in or remove the row",
    );
    assert!(judged("7,9,1").starts_with("j.csv row 4, column 'document': document '9' is not in"));
    assert!(judged("9,1,1").starts_with("j.csv row 4, column 'query': query '9' is not in q.tsv"));
    assert!(judged("7,1,1").contains("row 4, column 'grade': grade 1, but an earlier row gave"));
    for grade in ["1.5", "many", "1e99", "nan"] {
        let error = judged(&format!("8,007,{grade}"));
        assert!(error.contains("row 4, column 'grade': expected a whole number"), "{error}");
    }
    assert!(judged("8,007,").contains("column 'grade': the cell is empty"));
}

#[test]
fn columns_may_have_other_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.csv");
    std::fs::write(&path, "title,body,head,n\na,b,c,d\n").unwrap();
    let columns = |text: &str| toml::from_str::<DocumentColumns>(text).unwrap();
    let document = |text: &str| {
        let corpus = read_documents(&path, &columns(text))?;
        let Document { id, title, text } = corpus.documents()[0].clone();
        Ok::<_, DataError>((id.to_string(), title, text))
    };
    let of = |id: &str, title: &str, text: &str| (id.into(), title.into(), text.into());
    assert_eq!(document("id = 'n'\ntext = 'body'").unwrap(), of("d", "a", "b"));
    assert_eq!(document("id = 'n'\ntext = 'body'\ntitle = 'head'").unwrap(), of("d", "c", "b"));
    // A column that serves as the id is no title.
    assert_eq!(document("id = 'title'\ntext = 'body'").unwrap(), of("a", "", "b"));
    let error = document("id = 'n'\ntext = 'body'\ntitle = 'none'").unwrap_err();
    assert!(error.to_string().contains("there is no column 'none'"), "{error}");
}

#[test]
fn pairs_make_a_set_from_parquet_too() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        read_pairs(&path, &PairColumns::default()).map_err(|error| error.to_string())
    };
    let text = "label,query,document\n1,q,A\nfalse,q,B\n1,q,A\n0,r,A\n";
    let Pairs { dataset, candidates } = read("pairs.csv", text.as_bytes()).unwrap();
    assert_eq!((dataset.name(), dataset.corpus().len(), dataset.queries().len()), ("pairs", 2, 2));
    assert_eq!(dataset.qrels().judgements(), 3);
    for (query, grades) in dataset.qrels().iter() {
        assert!(candidates.rankings[query].documents().eq(grades.keys()));
    }
    let error = read("a.csv", format!("{text}1,q,B\n").as_bytes()).unwrap_err();
    assert!(error.contains("row 5, column 'label': grade 1, but an earlier row gave this pair 0"));
    // Numbers are ids of people's making, not texts.
    let error = read("a.parquet", &frame::tests::parquet()).unwrap_err();
    assert!(error.contains("row 1, column 'query': expected a text, found the number 7"));
    let path = folder.path().join("a.parquet");
    let columns = JudgementColumns { grade: "label".into(), ..JudgementColumns::default() };
    let qrels = read_judgements(&path, &columns).unwrap();
    assert_eq!(qrels.grade(&"7".into(), &"é".into()), Some(1));
    let columns = QueryColumns {
        id: "document".into(),
        text: "document".into(),
        attributes: Some(vec!["held".into()]),
    };
    let queries = read_queries(&path, &columns).unwrap();
    assert_eq!(queries[0].attributes["held"], "true");
    assert!(queries[1].attributes.is_empty());
}

#[test]
fn quoted_texts_come_back_as_they_were() {
    use proptest::prelude::*;
    let text = || "([a-cé,;\t\r\n\"\\\\' 黑]|\\PC){0,12}";
    let rows = prop::collection::vec((text(), text()), 1..8);
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let folder = tempfile::tempdir().unwrap();
    proptest!(ProptestConfig::with_cases(256), |(
        rows in rows, end in prop::sample::select(vec!["\n", "\r\n"]), tabs in any::<bool>(),
    )| {
        let separator = if tabs { "\t" } else { "," };
        let mut lines = vec![["id", "title", "text"].join(separator)];
        for (id, (title, text)) in rows.iter().enumerate() {
            lines.push([format!("0{id}"), quoted(title), quoted(text)].join(separator));
        }
        let path = folder.path().join(if tabs { "a.tsv" } else { "a.csv" });
        std::fs::write(&path, lines.join(end) + end).unwrap();
        let corpus = read_documents(&path, &DocumentColumns::default()).unwrap();
        for (id, (document, (title, text))) in corpus.documents().iter().zip(&rows).enumerate() {
            prop_assert_eq!(document.id.as_str(), format!("0{id}"));
            prop_assert_eq!((&document.title, &document.text), (title, text));
        }
        prop_assert_eq!(corpus.len(), rows.len());
    });
}

#[test]
fn quotes_that_do_not_close_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    for text in ["1,\"x\n2,y\n", "1,\"x\n2,\"y\"\n", "1,x\n2,\"y\n3,z\n", "1,a\"b\n2,c\"\n3,d\n"] {
        std::fs::write(&path, format!("id,text\n{text}")).unwrap();
        let error = read_documents(&path, &DocumentColumns::default()).unwrap_err();
        assert!(matches!(error, DataError::Table { .. }), "{text:?}: {error}");
    }
}

/// Every file that `tests/golden/tables/make.py` writes; one has what cannot be read.
#[test]
fn tables_of_pandas_and_pyarrow_give_their_rows() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/tables");
    let expected = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Vec<serde_json::Value> = serde_json::from_str(&expected).unwrap();
    let of = |row: &serde_json::Value| {
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        ((text("query"), text("document")), row["label"].as_i64().unwrap())
    };
    let expected: BTreeMap<_, _> = expected.iter().map(of).collect();
    let (mut read, mut refused) = (0, Vec::new());
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if ["py", "json"].iter().any(|other| path.extension().unwrap() == *other) {
            continue;
        }
        let set = match read_pairs(&path, &PairColumns::default()) {
            Ok(pairs) => pairs.dataset,
            Err(error) => {
                refused.push(error.to_string());
                continue;
            }
        };
        let mut found = BTreeMap::new();
        for query in set.queries() {
            for (id, &grade) in set.qrels().of(&query.id).unwrap() {
                let text = set.corpus().get(id).unwrap().text.clone();
                found.insert((query.text.clone(), text), i64::from(grade));
            }
        }
        assert_eq!(found, expected, "{}", path.display());
        read += 1;
    }
    assert_eq!(read, 19, "{refused:?}");
    let narrow = "narrow.parquet: not a table that can be read (column 'label' holds Int8, store it \
                  as Int32); check its quotes and columns";
    assert!(refused.len() == 1 && refused[0].ends_with(narrow), "{refused:?}");
}
