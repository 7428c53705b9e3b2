use secondpass_core::Document;

use super::*;
use crate::{Access, write_file};

fn parse(text: &str) -> Result<Golden, String> {
    read_from(text.as_bytes(), "g", None).map_err(|error| error.to_string())
}

fn with_corpus(text: &str) -> Result<Golden, String> {
    let corpus = "{\"_id\": \"d1\", \"text\": \"one\"}\n{\"id\": 2, \"text\": \"two\"}\n";
    let corpus = documents::read_from(corpus.as_bytes(), "c").unwrap();
    read_from(text.as_bytes(), "g", Some((corpus, "c".into()))).map_err(|e| e.to_string())
}

fn candidates(golden: &Golden) -> Vec<Vec<String>> {
    let run = golden.candidates.as_ref().unwrap();
    let texts = |ranking: &Ranking| {
        let text = |id| golden.dataset.corpus().get(id).unwrap().text.clone();
        ranking.documents().map(text).collect()
    };
    golden.dataset.queries().iter().map(|q| texts(&run.rankings[&q.id])).collect()
}

#[test]
fn texts_make_the_corpus_and_equal_ones_are_one_document() {
    let golden = parse(
        "{\"query\": \"a?\", \"relevant\": [\"A\", \"B\"], \"candidates\": [\"C\", \"A\"]}\n\
         {\"query\": \"b?\", \"relevant\": [{\"text\": \"B\", \"grade\": 2}], \"id\": 7, \
         \"attributes\": {\"kind\": \"typo\"}, \"metadata\": {\"n\": 1}, \"note\": \"mine\"}\n",
    );
    let Golden { dataset, candidates } = golden.unwrap();
    let texts: Vec<_> = dataset.corpus().documents().iter().map(|d| d.text.as_str()).collect();
    assert_eq!((texts, dataset.split()), (vec!["A", "B", "C"], SPLIT));
    let [a, b] = dataset.queries() else { panic!("two queries") };
    assert_eq!((a.id.as_str().len(), b.id.as_str()), (16, "7"));
    assert_eq!(b.attributes.keys().collect::<Vec<_>>(), ["kind", "n"]);
    let id = |place: usize| &dataset.corpus().documents()[place].id;
    assert_eq!(dataset.qrels().grade(&a.id, id(1)), Some(1));
    assert_eq!(dataset.qrels().grade(&b.id, id(1)), Some(2));
    let run = candidates.unwrap();
    assert_eq!(run.rankings.len(), 1);
    assert!(run.rankings[&a.id].documents().eq([id(2), id(0)]));
}

#[test]
fn ids_name_documents_of_the_corpus_or_of_the_file() {
    let text = "{\"query\": \"a\", \"relevant\": [\"d1\"], \"candidates\": [2, {\"id\": \"d1\"}]}";
    let golden = with_corpus(text).unwrap();
    assert_eq!(candidates(&golden), [["two", "one"]]);
    let text = "{\"query\": \"a\", \"relevant\": [\"x\", \"Y\"], \"candidates\": \
                [{\"id\": \"x\", \"text\": \"X\"}, {\"id\": \"y\", \"title\": \"t\", \"text\": \
                \"Y\"}]}\n{\"query\": \"b\", \"relevant\": [{\"id\": \"y\"}]}";
    let golden = parse(text).unwrap().dataset;
    let judged: Vec<_> = golden.qrels().iter().flat_map(|(_, d)| d.keys()).collect();
    assert_eq!(golden.corpus().len(), 2);
    assert!(judged.iter().all(|id| ["x", "y"].contains(&id.as_str())), "{judged:?}");
}

#[test]
fn scores_order_candidates_and_those_without_one_stay_behind() {
    let line = |candidates: &str| {
        parse(&format!("{{\"query\": \"a\", \"relevant\": [\"A\"], \"candidates\": {candidates}}}"))
    };
    let golden = line(
        "[{\"text\": \"A\", \"score\": 1}, {\"text\": \"B\", \"score\": 2.5}, \"D\", \
         {\"text\": \"C\", \"score\": null}]",
    );
    assert_eq!(candidates(&golden.unwrap()), [["B", "A", "D", "C"]]);
    let error = line("[\"A\", {\"id\": \"b\", \"text\": \"B\", \"score\": 2.5}]").unwrap_err();
    assert!(error.starts_with("g line 1: candidate 'b' has a score but one before"), "{error}");
}

#[test]
fn ids_without_a_corpus_are_told_from_texts() {
    let ids = "{\"query\": \"a b\", \"relevant\": [\"kb-1\"], \"candidates\": [\"kb-4\", \"kb-1\"]}\n\
               {\"query\": \"c\", \"relevant\": [\"kb-2\", \"kb-7\"]}";
    let error = parse(ids).unwrap_err();
    assert!(error.starts_with("g: every document is a single word ('kb-1')"), "{error}");
    assert!(error.contains("`corpus = \"corpus.jsonl\"`"), "{error}");
    for text in ["\"revert it\"", "{\"text\": \"revert\"}", "\"做什么\""] {
        assert!(parse(&ids.replace("\"kb-7\"", text)).is_ok(), "{text}");
        assert!(parse(&ids.replace("\"kb-4\"", text)).is_ok(), "{text}");
    }
}

#[test]
fn an_empty_list_says_that_nothing_answers() {
    let golden =
        parse("{\"query\": \"a\", \"relevant\": [], \"candidates\": [\"A\", \"B\"]}").unwrap();
    let (_, grades) = golden.dataset.qrels().iter().next().unwrap();
    assert_eq!(grades.values().collect::<Vec<_>>(), [&0, &0]);
    let error = parse("{\"query\": \"a\", \"relevant\": []}").unwrap_err();
    assert!(error.starts_with("g line 1: 'relevant' is empty"), "{error}");
}

#[test]
fn errors_name_file_line_and_field() {
    let good = "{\"query\": \"good\", \"relevant\": [{\"id\": \"d\", \"text\": \"D\"}]}\n";
    let error = |line: &str| parse(&format!("{good}{line}")).unwrap_err();
    let relevant = |items: &str| error(&format!("{{\"query\": \"a\", \"relevant\": {items}}}"));
    assert!(error("{\"query\": 1}").contains("g line 2: field 'query' is a number, expected"));
    assert!(error("{\"query\": \" \"}").contains("g line 2: 'query' is empty"));
    assert!(error("{\"query\": \"a\"}").contains("line 2: field 'relevant' is missing"));
    assert!(error(good).contains("line 2: query id '") && error(good).contains("at line 1"));
    assert!(relevant("\"x\"").contains("field 'relevant' is a string, expected a list"));
    assert!(relevant("[\"x\", true]").contains("'relevant' item 2 is a truth value, expected"));
    assert!(relevant("[\"x\", \" \"]").contains("'relevant' item 2 is empty"));
    assert!(relevant("[{\"grade\": 1}]").contains("item 1 has neither an 'id' nor a 'text'"));
    assert!(relevant("[{\"text\": \"\"}]").contains("item 1 has neither an 'id' nor a 'text'"));
    assert!(relevant("[7]").contains("'relevant' names document '7', whose text stands nowhere"));
    assert!(relevant("[{\"text\": \"x\", \"grade\": 1.5}]").contains("grade '1.5' is not a whole"));
    assert!(
        relevant("[\"x\", {\"text\": \"x\", \"grade\": 2}]").contains("earlier line gave it 1")
    );
    assert!(
        relevant("[{\"id\": \"d\", \"text\": \"E\"}]")
            .contains("g line 2: document 'd' has another text or title than at line 1")
    );
    let twice = "{\"query\": \"a\", \"relevant\": [\"x\"], \"candidates\": [\"x\", \"x\"]}";
    assert!(error(twice).contains("a second time"));
    assert!(parse("\n").unwrap_err().starts_with("g: the file holds no queries"));
    let unknown = with_corpus("{\"query\": \"a\", \"relevant\": [\"d9\"]}").unwrap_err();
    assert!(unknown.starts_with("g line 1: document 'd9' is not among the documents of c"));
    let nameless = with_corpus("{\"query\": \"a\", \"relevant\": [{\"text\": \"one\"}]}");
    assert!(nameless.unwrap_err().contains("'relevant' item 1 has no 'id'"));
}

#[test]
fn corpora_are_files_or_beir_folders_and_names_end_at_the_dot() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus.jsonl.gz");
    let document = b"{\"_id\": \"d1\", \"title\": \"T\", \"text\": \"one\"}";
    write_file(&corpus, Access::Default, |file| Ok(file.write_all(document)?)).unwrap();
    let path = folder.path().join("support.golden.jsonl");
    std::fs::write(&path, "{\"query\": \"a\", \"relevant\": [\"d1\"]}").unwrap();
    for corpus in [folder.path(), &corpus] {
        let set = read(&path, Some(corpus)).unwrap().dataset;
        assert_eq!((set.name(), set.corpus().documents()[0].title.as_str()), ("support", "T"));
    }
}

#[test]
fn sets_come_back_as_they_were() {
    use proptest::prelude::*;
    let documents = prop::collection::btree_map("\\PC{0,3}x", (".{0,4}", "(?s).{0,9}"), 1..6);
    let attributes = prop::collection::btree_map(".{0,4}", ".{0,4}", 0..3);
    let queries = prop::collection::btree_map("\\PC{0,3}x", ("(?s)x.{0,9}", attributes), 1..4);
    let grades = prop::collection::vec((any::<usize>(), any::<usize>(), any::<i32>()), 1..9);
    let scores = prop::collection::vec(prop::option::of(-9e9..9e9_f64), 0..6);
    let packed = prop::sample::select(&crate::Compression::ALL);
    proptest!(ProptestConfig::with_cases(64), |(
        documents in documents, queries in queries, grades in grades, scores in scores,
        packed in packed, apart in any::<bool>(),
    )| {
        let documents: Vec<_> = documents
            .into_iter()
            .map(|(id, (title, text))| Document { id: id.into(), title, text })
            .collect();
        let queries: Vec<_> = queries
            .into_iter()
            .map(|(id, (text, attributes))| Query { id: id.into(), text, attributes })
            .collect();
        let mut qrels = Qrels::new();
        for (query, document, grade) in grades {
            let query = queries[query % queries.len()].id.clone();
            qrels.insert(query, documents[document % documents.len()].id.clone(), grade);
        }
        let ids = || documents.iter().map(|document| document.id.clone()).zip(&scores);
        let scored: Vec<_> = ids().filter_map(|(id, score)| Some((id, (*score)?))).collect();
        let unscored = ids().filter(|(_, score)| score.is_none()).map(|(id, _)| id);
        let ranking = Ranking::with_unscored(scored.clone(), unscored).unwrap();
        let corpus = Corpus::new(documents).unwrap();
        let set = Dataset::new("set", SPLIT, corpus, queries, qrels).unwrap();
        let mut run = Run::new("candidates");
        run.rankings.insert(set.queries()[0].id.clone(), ranking.clone());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("set.jsonl{}", packed.suffix()));
        let corpus = folder.path().join("corpus.jsonl");
        let corpus = apart.then_some(corpus.as_path());
        write(&path, &set, Some(&run), corpus).unwrap();
        let back = read(&path, corpus).unwrap();
        prop_assert_eq!(back.dataset.queries(), set.queries());
        prop_assert_eq!(back.dataset.qrels(), set.qrels());
        prop_assert_eq!(back.dataset.name(), "set");
        match apart {
            true => prop_assert_eq!(back.dataset.hash(), set.hash()),
            false => for document in back.dataset.corpus().documents() {
                prop_assert_eq!(set.corpus().get(&document.id), Some(document));
            },
        }
        let found = &back.candidates.unwrap().rankings[&set.queries()[0].id];
        prop_assert!(found.documents().eq(ranking.documents()));
        if !scored.is_empty() {
            prop_assert_eq!(found, &ranking);
        }
    });
}
