//! Every reader is fed valid files with bytes flipped, cut off or put in, and bytes of any kind: it
//! may refuse them, and must not panic. Models' index files are read from disk, as the hub leaves
//! them there, and so are tables and packed files.

use proptest::prelude::*;

use std::path::Path;

use secondpass_core::Dataset;

use crate::check::{Parts, check, stats};
use crate::lines::{Lines, read_whole};
use crate::scrub::Scrubber;
use crate::tables::{self, DocumentColumns, JudgementColumns, PairColumns, QueryColumns};
use crate::training::{self, Layout};
use crate::{Access, Compression, DataError, beir, documents, flag_embedding, golden, hub};
use crate::{production_log, split, topics, trec, triples, write_file};

const CORPUS: &str = "{\"_id\": \"d1\", \"title\": \"Título\", \"text\": \"one \\u00e9\"}\n\
                      {\"_id\": \"d2\", \"text\": \"two\", \"metadata\": {\"x\": 1}}\n";
const QUERIES: &str =
    "{\"_id\": \"q1\", \"text\": \"why?\", \"metadata\": {\"kind\": \"typo\", \"n\": 3.5}}\n";
const QRELS: &str = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n";
const RUN: &str = "q1 Q0 d1 1 12.5 tag\nq1 Q0 d2 2 -1e-3 tag\n";
const TREC_QRELS: &str = "q1 0 d1 1\nq1 0 d2 -1\n";
const TRIPLES: &str = "query-id\tpositive-id\tnegative-id\nq1\td1\td2\nq1\td1\td3\n";
const GOLDEN: &str = "{\"query\": \"é?\", \"relevant\": [\"x\", {\"id\": \"d\", \"text\": \"T\", \
                      \"grade\": 2}], \"candidates\": [{\"id\": \"d\", \"score\": 1e3}, \"d1\"]}\n\
                      {\"id\": 7, \"query\": \"b\", \"relevant\": [], \"candidates\": [\"x\"]}\n";
const FLAG: &str = "{\"query\": \"q\", \"pos\": [\"a\"], \"neg\": [\"b\", \"c\"], \"pos_scores\": [1.5], \
                    \"neg_scores\": [2, -3]}\n{\"query\": \"é\", \"pos\": [\"b\"]}\n";
const TRIPLE_LINES: &str = "{\"query\": \"q\", \"positive\": \"a\", \"negative\": \"b\"}\n\
    {\"query\": \"é\", \"positive\": \"b\"}\n";
const TRIPLE_TABLE: &str = "query,positive,negative\nq,a,b\né,b,\n";
const LOG: &str = "{\"query\": \"q\", \"candidates\": [\"a\", {\"id\": \"b\", \"text\": \"é\", \"score\": 1}], \
                   \"cited\": [\"b\"], \"scores\": [2, 1], \"time\": 3}\n";
const TOPICS: &str = "<top>\n<num> Number: 1\n<title> ice é\n<desc> Description:\na < b\n</top>\n";
const TABBED: &str = "1\tone é\n2\ttwo\n";
const DOCUMENTS: &str = "id,title,text\n1,T,\"one \"\"é\"\"\n\"\n2,,two\n";
const JUDGED: &str = "query,document,grade,label\nq,1,1,true\nq,2,0.0,false\n";
const INDEX: &str = "{\"metadata\": {}, \"weight_map\": {\"a\": \"x.safetensors\"}}";

#[derive(Clone, Debug)]
enum Mutation {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let place = any::<prop::sample::Index>;
    let one = prop_oneof![
        4 => (place(), 1..=255u8).prop_map(|(place, bits)| Mutation::Flip(place, bits)),
        1 => place().prop_map(Mutation::Cut),
        2 => (place(), prop::collection::vec(any::<u8>(), 1..6))
            .prop_map(|(place, bytes)| Mutation::Insert(place, bytes)),
    ];
    prop::collection::vec(one, 1..6)
}

fn mutated(valid: impl AsRef<[u8]>, mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = valid.as_ref().to_vec();
    for mutation in mutations {
        match mutation {
            Mutation::Flip(place, bits) if !bytes.is_empty() => {
                let place = place.index(bytes.len());
                bytes[place] ^= bits;
            }
            Mutation::Flip(..) => {}
            Mutation::Cut(place) => bytes.truncate(place.index(bytes.len() + 1)),
            Mutation::Insert(place, more) => {
                let place = place.index(bytes.len() + 1);
                bytes.splice(place..place, more.iter().copied());
            }
        }
    }
    bytes
}

/// Whether a set is whole: it judges only what is there.
fn whole(set: &Dataset) -> bool {
    let mut judged = set.qrels().iter().flat_map(|(_, documents)| documents.keys());
    judged.all(|id| set.corpus().get(id).is_some())
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "[\\[\\]{}\":,0-9a-e<>/\t\n ]{0,200}".prop_map(String::into_bytes),
    ]
}

/// All readers of tables on one file; what they let through is not empty.
fn tables_of(path: &Path) -> Result<(), DataError> {
    let corpus = tables::read_documents(path, &DocumentColumns::default());
    assert!(corpus.is_err() || corpus.is_ok_and(|corpus| !corpus.is_empty()));
    let queries = tables::read_queries(path, &QueryColumns::default());
    assert!(queries.is_err() || queries.is_ok_and(|queries| !queries.is_empty()));
    let pairs = tables::read_pairs(path, &PairColumns::default());
    assert!(pairs.is_err() || pairs.is_ok_and(|pairs| whole(&pairs.dataset)));
    tables::read_judgements(path, &JudgementColumns::default()).map(|_| ())
}

fn lines_of(bytes: &[u8]) {
    let corpus = documents::read_from(CORPUS.as_bytes(), "c").unwrap();
    for corpus in [None, Some((corpus, "c".to_owned()))] {
        if let Ok(golden) = golden::read_from(bytes, "g", corpus) {
            assert!(whole(&golden.dataset));
            for ranking in golden.candidates.iter().flat_map(|run| run.rankings.values()) {
                assert!(ranking.documents().all(|id| golden.dataset.corpus().get(id).is_some()));
            }
        }
    }
    if let Ok(read) = flag_embedding::read_from(bytes, "f") {
        assert!(whole(&read.dataset));
        assert!(read.groups.iter().all(|group| !group.positives.is_empty()));
    }
    if let Ok(log) = production_log::read_from(bytes, "l") {
        assert_eq!(log.queries.len(), log.shown.rankings.len());
        for (query, cited) in &log.cited {
            assert!(cited.iter().all(|id| log.shown.rankings[query].documents().any(|d| d == id)));
        }
    }
    let topics = topics::read_from(bytes, "t");
    assert!(topics.is_err() || topics.is_ok_and(|topics| !topics.is_empty()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn sets_by_line(mutations in mutations()) {
        for text in [GOLDEN, FLAG, LOG, TOPICS, TABBED] {
            lines_of(&mutated(text, &mutations));
        }
    }

    #[test]
    fn bytes_of_any_kind(bytes in any_bytes()) {
        lines_of(&bytes);
        let _ = documents::read_from(bytes.as_slice(), "d");
        let _ = trec::read_run_from(bytes.as_slice(), "r");
        let _ = trec::read_qrels_from(bytes.as_slice(), "j");
        let _ = triples::read_from(bytes.as_slice(), "t");
    }

    #[test]
    fn golden_sets_are_checked_whatever_is_in_them(mutations in mutations()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("golden.jsonl");
        std::fs::write(&path, mutated(GOLDEN, &mutations)).unwrap();
        let findings = check(&Parts::golden(&path, None));
        let errors = findings.iter().any(|f| f.severity() == crate::check::Severity::Error);
        prop_assert_eq!(golden::read(&path, None).is_err(), errors, "{:?}", findings);
    }

    #[test]
    fn folders_are_checked_whatever_is_in_them(mutations in mutations(), which in 0..3usize) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("qrels")).unwrap();
        let files = [("corpus.jsonl", CORPUS), ("queries.jsonl", QUERIES), ("qrels/test.tsv", QRELS)];
        for (place, (name, text)) in files.into_iter().enumerate() {
            let bytes = match place == which {
                true => mutated(text, &mutations),
                false => text.as_bytes().to_vec(),
            };
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let parts = Parts::beir(folder.path());
        stats(&parts);
        let findings = check(&parts);
        prop_assert!(findings.iter().all(|finding| !finding.places.is_empty()));
        // What the strict reader refuses, the check has an error for.
        let errors = findings.iter().any(|f| f.severity() == crate::check::Severity::Error);
        prop_assert_eq!(beir::read(folder.path(), "test").is_err(), errors, "{:?}", findings);
    }

    #[test]
    fn beir_files(mutations in mutations(), which in 0..3usize) {
        let part = |place, text: &str| match place == which {
            true => mutated(text, &mutations),
            false => text.as_bytes().to_vec(),
        };
        let (corpus, queries, qrels) = (part(0, CORPUS), part(1, QUERIES), part(2, QRELS));
        let corpus = beir::read_corpus(Lines::new(corpus.as_slice(), "c"));
        let queries = beir::read_queries(Lines::new(queries.as_slice(), "q"));
        if let (Ok(corpus), Ok(queries)) = (corpus, queries) {
            let set = beir::assemble("x", "test", corpus, queries, Lines::new(qrels.as_slice(), "j"));
            // What is let through is whole: every judged document is there.
            if let Ok(set) = set {
                for (_, documents) in set.qrels().iter() {
                    prop_assert!(documents.keys().all(|id| set.corpus().get(id).is_some()));
                }
            }
        }
    }

    #[test]
    fn trec_files(mutations in mutations()) {
        if let Ok(run) = trec::read_run_from(mutated(RUN, &mutations).as_slice(), "r") {
            prop_assert!(run.rankings.values().all(|ranking| !ranking.is_empty()));
        }
        let qrels = trec::read_qrels_from(mutated(TREC_QRELS, &mutations).as_slice(), "j");
        prop_assert!(qrels.is_err() || qrels.is_ok_and(|qrels| !qrels.is_empty()));
    }

    #[test]
    fn documents_and_triples(mutations in mutations()) {
        for text in [CORPUS, "one\ntwo\n"] {
            let read = documents::read_from(mutated(text, &mutations).as_slice(), "d");
            prop_assert!(read.is_err() || read.is_ok_and(|corpus| !corpus.is_empty()));
        }
        if let Ok(groups) = triples::read_from(mutated(TRIPLES, &mutations).as_slice(), "t") {
            prop_assert!(groups.iter().all(|group| !group.negatives.is_empty()));
        }
    }

    #[test]
    fn training_data_that_is_refused_fails_its_check(mutations in mutations()) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text, layout) in [
            ("g.jsonl", FLAG, Layout::Groups),
            ("t.jsonl", TRIPLE_LINES, Layout::Triples),
            ("t.csv", TRIPLE_TABLE, Layout::Triples),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, mutated(text, &mutations)).unwrap();
            let _ = Layout::detect(&path);
            let checked = training::check::check(&[&path], layout, Default::default());
            let fails = checked.map_or(true, |report| report.has_errors());
            match training::read(&[&path], layout) {
                Ok(read) => prop_assert!(whole(&read.dataset) && !read.groups.is_empty()),
                Err(error) => prop_assert!(fails, "{}", error),
            }
            let out = folder.path().join(format!("{name}.parts"));
            let parts = vec![("a".to_owned(), 1.0), ("b".to_owned(), 1.0)];
            let settings =
                split::Settings { parts, by_time: None, group_by: Vec::new(), near: 0.8, seed: 0 };
            let source = split::Source { path: &path, corpus: None };
            let written = split::split(source, &out, &settings, Some(&Scrubber::new(["é"])));
            prop_assert_eq!(written.is_ok(), out.is_dir());
        }
    }

    #[test]
    fn shard_indexes(mutations in mutations()) {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [
            ("config.json", b"{}".to_vec()),
            ("tokenizer.json", b"{}".to_vec()),
            ("model.safetensors.index.json", mutated(INDEX, &mutations)),
            ("x.safetensors", Vec::new()),
        ] {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let settings = hub::HubSettings::from_variables(|_| None);
        let spec = folder.path().to_str().unwrap();
        let silent: hub::OnProgress = std::sync::Arc::new(|_| {});
        if let Ok(files) = hub::resolve(spec, None, &settings, &silent) {
            let inside = folder.path().canonicalize().unwrap();
            for weights in files.weights {
                prop_assert!(weights.canonicalize().unwrap().starts_with(&inside));
            }
        }
    }
}

proptest! {
    // Each case writes files.
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn tables_and_packed_files(mutations in mutations(), bytes in any_bytes()) {
        let folder = tempfile::tempdir().unwrap();
        for (name, valid) in [
            ("d.csv", DOCUMENTS.as_bytes()),
            ("j.csv", JUDGED.as_bytes()),
            ("t.tsv", TABBED.as_bytes()),
        ] {
            let path = folder.path().join(name);
            for bytes in [mutated(valid, &mutations), bytes.clone()] {
                std::fs::write(&path, bytes).unwrap();
                let _ = tables_of(&path);
            }
        }
        for packed in [Compression::Gzip, Compression::Zstd] {
            let path = folder.path().join(format!("x{}", packed.suffix()));
            let write = |file: &mut dyn std::io::Write| Ok(file.write_all(GOLDEN.as_bytes())?);
            write_file(&path, Access::Default, write).unwrap();
            let valid = std::fs::read(&path).unwrap();
            let cut = mutations.iter().all(|mutation| matches!(mutation, Mutation::Cut(_)));
            let changed = mutated(&valid, &mutations);
            // Whatever was cut off anywhere but at the very end or start is missed.
            let must_fail = cut && changed.len() < valid.len() && !changed.is_empty();
            std::fs::write(&path, changed).unwrap();
            prop_assert!(read_whole(&path, "").is_err() || !must_fail);
        }
    }
}
