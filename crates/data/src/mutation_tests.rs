//! Every reader is fed valid files with bytes flipped, cut off or put in: it may refuse them, and
//! must not panic. Models' index files are read from disk, as the hub leaves them there.

use proptest::prelude::*;

use crate::lines::Lines;
use crate::{beir, documents, hub, trec, triples};

const CORPUS: &str = "{\"_id\": \"d1\", \"title\": \"Título\", \"text\": \"one \\u00e9\"}\n\
                      {\"_id\": \"d2\", \"text\": \"two\", \"metadata\": {\"x\": 1}}\n";
const QUERIES: &str =
    "{\"_id\": \"q1\", \"text\": \"why?\", \"metadata\": {\"kind\": \"typo\", \"n\": 3.5}}\n";
const QRELS: &str = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n";
const RUN: &str = "q1 Q0 d1 1 12.5 tag\nq1 Q0 d2 2 -1e-3 tag\n";
const TREC_QRELS: &str = "q1 0 d1 1\nq1 0 d2 -1\n";
const TRIPLES: &str = "query-id\tpositive-id\tnegative-id\nq1\td1\td2\nq1\td1\td3\n";
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

fn mutated(text: &str, mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

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
