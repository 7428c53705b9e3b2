use proptest::prelude::*;

use super::*;

const FILE: &str = "configs/test.toml";
const FULL: &str = r#"
name = "quickstart"
demonstration = true
measures = ["nDCG@10", "R@50"]
primary = "nDCG@10"
slices = ["kind", "held_out"]

[dataset]
kind = "embedded"
name = "helpdesk"
split = "test"

[first_stage]
kind = "bm25"

[[reranker]]
name = "mini"
kind = "cross-encoder"
model = "embedded"

[[reranker]]
name = "local"
kind = "cross-encoder"
model = "../models/local"
max_length = 512
truncation = "document-only"
device = "flex"
dtype = "f16"
batch_tokens = 2048

[[reranker]]
name = "hub"
kind = "cross-encoder"
model = "org/name"
revision = "abc"

[[expect]]
system = "first stage"
measure = "nDCG@10"
value = 0.679
tolerance = 0.005
"#;

/// The message for the full config with one text replaced.
fn message(from: &str, to: &str) -> String {
    assert!(FULL.contains(from), "{from}");
    Experiment::parse(&FULL.replacen(from, to, 1), FILE).unwrap_err().to_string()
}

#[test]
fn an_onnx_file_has_its_own_keys() {
    let table = "name = \"int8\"\nkind = \"onnx\"\nmodel = \"./bge\"\nfile = \"onnx/model_quantized.onnx\"\n\
        batch_tokens = 512\n";
    let from = "name = \"mini\"\nkind = \"cross-encoder\"\nmodel = \"embedded\"\n";
    let experiment = Experiment::parse(&FULL.replacen(from, table, 1), FILE).unwrap();
    let RerankerKind::Onnx(spec) = &experiment.rerankers[0].kind else { panic!("no ONNX file") };
    let expected = OnnxSpec {
        model: "configs/./bge".to_owned(),
        file: Some("onnx/model_quantized.onnx".to_owned()),
        revision: None,
        max_length: None,
        truncation: "longest-first".to_owned(),
        long_documents: "truncate".to_owned(),
        batch_tokens: Some(512),
    };
    assert_eq!(*spec, expected);
    for (line, key) in [
        ("device = \"cpu\"", "reranker 1.device"),
        ("dtype = \"f32\"", "reranker 1.dtype"),
        ("region = \"eu\"", "reranker 1.region"),
        ("max_length = 0", "reranker 1.max_length"),
        ("batch_tokens = 0", "reranker 1.batch_tokens"),
    ] {
        let lines = format!("{}{line}\n", table.replace("batch_tokens = 512\n", ""));
        assert!(message(from, &lines).contains(key), "{line}");
    }
    assert!(
        message("model = \"embedded\"", "model = \"embedded\"\nfile = \"x\"")
            .contains("reranker 1.file")
    );
}

#[test]
fn a_full_config_with_its_defaults() {
    let experiment = Experiment::parse(FULL, FILE).unwrap();
    assert_eq!(experiment.name, "quickstart");
    assert!(experiment.demonstration && experiment.oracle);
    assert_eq!(experiment.dataset.source, DatasetSource::Embedded("helpdesk".to_owned()));
    assert_eq!(
        experiment.first_stage,
        FirstStageSpec {
            kind: FirstStageKind::Bm25 { k1: 0.9, b: 0.4, analyzer: "english".to_owned() },
            depth: 50,
            pool: Pool::Corpus,
        }
    );
    let [mini, local, hub] = &experiment.rerankers[..] else { panic!("three rerankers") };
    let [mini, local, hub] = [mini, local, hub].map(|spec| match &spec.kind {
        RerankerKind::CrossEncoder(spec) => spec,
        _ => panic!("{} is no cross-encoder", spec.name),
    });
    assert_eq!(mini.model, ModelSpec::Embedded);
    assert_eq!((mini.truncation.as_str(), mini.device.as_str()), ("longest-first", "auto"));
    assert_eq!((mini.dtype.as_str(), mini.max_length), ("f32", None));
    assert_eq!(local.model, ModelSpec::Named("configs/../models/local".to_owned()));
    assert_eq!((local.dtype.as_str(), local.max_length), ("f16", Some(512)));
    assert_eq!((mini.batch_tokens, local.batch_tokens), (None, Some(2048)));
    assert_eq!(hub.model, ModelSpec::Named("org/name".to_owned()));
    assert_eq!(experiment.primary, experiment.measures[0]);
    assert_eq!(experiment.expect[0].system, FIRST_STAGE);
    assert_ne!(experiment.config, Experiment::parse(&format!("{FULL}\n"), FILE).unwrap().config);
}

#[test]
fn paths_are_relative_to_the_config() {
    let text = FULL
        .replace("kind = \"embedded\"\nname = \"helpdesk\"", "kind = \"beir\"\npath = \"../set\"")
        .replace("kind = \"bm25\"", "kind = \"run\"\npath = \"/runs/a.trec\"\ndepth = 100");
    let experiment = Experiment::parse(&text, FILE).unwrap();
    assert_eq!(experiment.dataset.source, DatasetSource::Beir("configs/../set".into()));
    let run = FirstStageKind::Run("/runs/a.trec".into());
    assert_eq!(
        experiment.first_stage,
        FirstStageSpec { kind: run, depth: 100, pool: Pool::Corpus }
    );
}

#[test]
fn errors_name_file_key_and_what_is_allowed() {
    assert_eq!(
        message("split = \"test\"", "split = \"test\"\nspilt = 1"),
        "configs/test.toml, line 12: unknown field `spilt`, expected one of `kind`, `name`, `split`, \
         `path`, `corpus`, `documents`, `queries`, `judgements`, `topics`, `qrels`, `part`, `columns`, \
         `sample`, `seed`"
    );
    assert!(message("name = \"quickstart\"", "nmae = 1").contains("unknown field `nmae`"));
    assert!(
        message("demonstration = true", "demonstration = 1")
            .starts_with("configs/test.toml, line 3: ")
    );
    assert!(message("split = \"test\"", "").contains("key 'dataset.split' is missing"));
    assert_eq!(
        message("kind = \"embedded\"", "kind = \"tar\""),
        "configs/test.toml: key 'dataset.kind' is \"tar\"; allowed: \"embedded\", \"beir\", \
         \"public\", \"golden\", \"flag-embedding\", \"pairs\", \"tables\", \"trec\", \"log\""
    );
    assert_eq!(
        message("name = \"helpdesk\"", ""),
        "configs/test.toml: key 'dataset.name' is missing; it is the embedded set's name"
    );
    assert_eq!(
        message("name = \"helpdesk\"", "name = \"helpdesk\"\npath = \".\""),
        "configs/test.toml: key 'dataset.path' does not apply when kind = \"embedded\"; remove it"
    );
    assert_eq!(
        message("kind = \"bm25\"", "kind = \"bm25\"\nb = 1.5"),
        "configs/test.toml: key 'first_stage.b' is 1.5; allowed: a number from 0 to 1"
    );
    for k1 in ["nan", "inf", "-1.0"] {
        let message = message("kind = \"bm25\"", &format!("kind = \"bm25\"\nk1 = {k1}"));
        assert!(message.contains("first_stage.k1"), "{message}");
    }
    assert!(message("kind = \"bm25\"", "kind = \"bm25\"\ndepth = 0").contains("first_stage.depth"));
    assert!(message("\"R@50\"", "\"recall@50\"").contains("allowed: nDCG, nDCG@k, RR"));
    assert!(message("\"R@50\"", "\"nDCG@10\"").contains("allowed: each measure once"));
    assert!(message("\"nDCG@10\", \"R@50\"", "").contains("key 'measures' is empty"));
    assert_eq!(
        message("primary = \"nDCG@10\"", "primary = \"RR\""),
        "configs/test.toml: key 'primary' is \"RR\"; allowed: one of 'measures': \"nDCG@10\", \
         \"R@50\""
    );
    assert!(message("name = \"local\"", "name = \"mini\"").contains("key 'reranker 2.name'"));
    assert!(message("name = \"local\"", "name = \"oracle\"").contains("neither 'first stage'"));
    assert!(message("name = \"local\"", "name = \" \"").contains("not blank"));
    assert!(message("max_length = 512", "max_length = 0").contains("reranker 2.max_length"));
    assert!(message("system = \"first stage\"", "system = \"bm25\"").contains(
        "key 'expect 1.system' is \"bm25\"; allowed: \"first stage\", \"oracle\", \"mini\""
    ));
    assert!(message("tolerance = 0.005", "tolerance = -1.0").contains("expect 1.tolerance"));
    assert!(message("\"held_out\"", "\"kind\"").contains("each attribute once"));
}

const STAGES: &str = r#"
name = "stages"
measures = ["nDCG@10"]
primary = "nDCG@10"
repetitions = 2

[dataset]
kind = "golden"
path = "golden.jsonl"
sample = 20

[first_stage]
kind = "hybrid"
depth = 40
pool = "judged"
[[first_stage.part]]
kind = "bm25"
analyzer = "cjk"
[[first_stage.part]]
kind = "dense"
model = "../encoder"
pooling = "mean"
query_prefix = "query: "
weight = 2.0
depth = 10

[[retriever]]
name = "hosted"
kind = "embeddings"
endpoint = "http://localhost:9/v1"
model = "small"
key_env = "KEY"

[statistics]
margin = 0.02

[sweep]
max_lengths = [512, 128]
"#;

#[test]
fn verdicts_rest_on_no_count() {
    let counted = FULL.replace("\"R@50\"]", "\"NumRet\"]");
    let counted = counted.replacen("primary = \"nDCG@10\"", "primary = \"NumRet\"", 1);
    assert_eq!(
        Experiment::parse(&counted, FILE).unwrap_err().to_string(),
        "configs/test.toml: key 'primary' is \"NumRet\"; allowed: one of 'measures' that is no \
         count: \"nDCG@10\""
    );
}

#[test]
fn first_stages_of_every_kind() {
    let experiment = Experiment::parse(STAGES, FILE).unwrap();
    let golden = DatasetSource::Golden { path: "configs/golden.jsonl".into(), corpus: None };
    assert_eq!(experiment.dataset.source, golden);
    assert_eq!(experiment.dataset.sample, Some(QuerySample { queries: 20, seed: 0 }));
    assert_eq!(experiment.first_stage.pool, Pool::Judged);
    let FirstStageKind::Hybrid { fusion, parts, .. } = &experiment.first_stage.kind else {
        panic!("a hybrid")
    };
    assert_eq!((fusion.as_str(), parts.len()), ("rrf", 2));
    assert_eq!((parts[1].weight, parts[1].depth), (2.0, Some(10)));
    let FirstStageKind::Dense(dense) = &parts[1].kind else { panic!("dense") };
    assert_eq!(
        (dense.model.as_str(), dense.query_prefix.as_str()),
        ("configs/../encoder", "query: ")
    );
    let FirstStageKind::Embeddings(hosted) = &experiment.retrievers[0].kind else {
        panic!("embeddings")
    };
    assert_eq!(hosted.key_env.as_deref(), Some("KEY"));
    // The usual depths that forty candidates reach, and the lengths in order.
    assert_eq!(experiment.sweep.depths, [10, 20, 30]);
    assert_eq!(experiment.sweep.max_lengths, [128, 512]);
    let settings = experiment.statistics;
    let (alpha, margin) = (settings.alpha(), settings.margin());
    let permutations = settings.permutations();
    assert_eq!((alpha, margin, permutations, experiment.repetitions), (0.05, 0.02, 100_000, 2));
}

#[test]
fn datasets_of_every_kind() {
    let source = |lines: &str| {
        let golden = "kind = \"golden\"\npath = \"golden.jsonl\"";
        assert!(STAGES.contains(golden));
        let text = STAGES.replacen(golden, lines, 1);
        Experiment::parse(&text, FILE).map(|experiment| experiment.dataset.source)
    };
    assert_eq!(
        source("kind = \"pairs\"\npath = \"a.csv\"\ncolumns = { query = \"q\" }").unwrap(),
        DatasetSource::Pairs {
            path: "configs/a.csv".into(),
            columns: serde_json::json!({"query": "q"})
        }
    );
    let three = "documents = \"d\"\nqueries = \"q\"\njudgements = \"j\"";
    assert!(matches!(
        source(&format!("kind = \"tables\"\n{three}")).unwrap(),
        DatasetSource::Tables { .. }
    ));
    let three = "documents = \"d\"\ntopics = \"t\"\nqrels = \"q\"";
    assert!(matches!(
        source(&format!("kind = \"trec\"\n{three}\npart = \"title\"")).unwrap(),
        DatasetSource::Trec { part: Some(_), .. }
    ));
    let log = DatasetSource::Log("configs/log.jsonl".into());
    assert_eq!(source("kind = \"log\"\npath = \"log.jsonl\"").unwrap(), log);
    let error = source("kind = \"trec\"\ndocuments = \"d\"\ntopics = \"t\"").unwrap_err();
    assert!(error.to_string().contains("'dataset.qrels' is missing"), "{error}");
    let error = source("kind = \"log\"\npath = \"l\"\nname = \"x\"").unwrap_err();
    assert!(error.to_string().contains("'dataset.name' does not apply"), "{error}");
}

#[test]
fn errors_of_first_stages_name_the_table() {
    let message = |from: &str, to: &str| {
        assert!(STAGES.contains(from), "{from}");
        Experiment::parse(&STAGES.replacen(from, to, 1), FILE).unwrap_err().to_string()
    };
    assert_eq!(
        message("analyzer = \"cjk\"", "pooling = \"cls\""),
        "configs/test.toml: key 'first_stage.part 1.pooling' does not apply when kind = \"bm25\"; \
         remove it"
    );
    assert!(message("weight = 2.0", "weight = 0.0").contains("'first_stage.part 2.weight' is 0"));
    assert!(
        message("pooling = \"mean\"\n", "").contains("'first_stage.part 2.pooling' is missing")
    );
    assert!(message("name = \"hosted\"\n", "").contains("'retriever 1.name' is missing"));
    assert!(message("name = \"hosted\"", "name = \"oracle\"").contains("'retriever 1.name' is"));
    assert!(message("key_env", "key = 1\nkey_env").contains("unknown field `key`"));
    assert!(message("kind = \"bm25\"", "kind = \"hybrid\"").contains("first_stage.part 1.kind"));
    assert!(
        message("depth = 40\n", "depth = 40\nk1 = 1.0\n").contains("'first_stage.k1' does not")
    );
    assert!(message("\"judged\"", "\"all\"").contains("\"corpus\", \"judged\""));
    assert!(message("margin = 0.02", "margin = 0.0").contains("statistics.margin"));
    assert!(message("margin = 0.02", "alpha = 0.5").contains("statistics.alpha"));
    assert!(message("margin = 0.02", "permutations = 999").contains(
        "'statistics.permutations' is 999; allowed: a whole number from 1000 to 10000000"
    ));
    assert!(
        message("margin = 0.02", "alpha = 0.0005\npermutations = 1000").contains("from 2000 to")
    );
    assert!(message("margin = 0.02", "alpha = 1e-9").contains("'statistics.alpha' is"));
    assert!(message("[512, 128]", "[128, 128]").contains("'sweep.max_lengths' is 128"));
    assert!(message("[sweep]", "[sweep]\ndepths = [41]").contains("first_stage.depth, 40"));
    assert!(message("sample = 20", "sample = 0").contains("dataset.sample"));
    assert!(message("sample = 20", "seed = 1").contains("dataset.sample is missing"));
    assert!(message("sample = 20", "split = \"test\"").contains("'dataset.split' does not apply"));
    assert!(message("repetitions = 2", "repetitions = 0").contains("'repetitions' is 0"));
}

proptest! {
    #[test]
    fn mutated_configs_never_panic(
        place in any::<prop::sample::Index>(),
        end in any::<prop::sample::Index>(),
        inserted in ".{0,3}",
    ) {
        let (place, end) = (place.index(FULL.len()), end.index(FULL.len() + 1));
        let text = format!("{}{inserted}{}", &FULL[..place], &FULL[end.max(place)..]);
        if let Err(error) = Experiment::parse(&text, FILE) {
            prop_assert!(error.to_string().starts_with(FILE));
        }
    }
}

const HOSTED: &str = r#"
name = "hosted"
measures = ["nDCG@10"]
primary = "nDCG@10"
residency = ["self-hosted", "eu"]
dataset = { kind = "embedded", name = "helpdesk", split = "dev" }
first_stage = { kind = "bm25" }

[cost]
prices = "my-prices.toml"
queries_per_month = [500, 20]

[[reranker]]
name = "cohere"
kind = "cohere"
model = "rerank-v3.5"
concurrency = 4
max_tokens_per_doc = 2048
requests_per_minute = 10
timeouts = { request = 2.5 }

[[reranker]]
name = "again"
kind = "replay"
provider = "cohere"
model = "rerank-v3.5"
recording = "cohere.jsonl"
"#;

#[test]
fn hosted_rerankers_have_keys_of_their_own() {
    let experiment = Experiment::parse(HOSTED, FILE).unwrap();
    let hosted = |index: usize| match &experiment.rerankers[index].kind {
        RerankerKind::Hosted(spec) => spec.clone(),
        _ => panic!("not hosted"),
    };
    let (live, replay) = (hosted(0), hosted(1));
    assert_eq!((live.provider.as_str(), live.max_tokens_per_doc), ("cohere", Some(2048)));
    assert_eq!((live.requests_per_minute, live.timeouts.request), (Some(10.0), Some(2.5)));
    assert_eq!((live.recording, experiment.rerankers[0].concurrency), (None, 4));
    assert_eq!(replay.provider, "cohere");
    assert_eq!(replay.recording.unwrap(), std::path::Path::new("configs/cohere.jsonl"));
    assert_eq!(experiment.volumes, [20, 500]);
    assert_eq!(experiment.prices.unwrap(), std::path::Path::new("configs/my-prices.toml"));
    assert_eq!(experiment.residency.unwrap(), ["self-hosted", "eu"]);
}

#[test]
fn keys_of_another_kind_are_refused() {
    for (from, to, key) in [
        ("concurrency = 4", "device = \"cpu\"", "reranker 1.device"),
        ("concurrency = 4", "recording = \"x\"", "reranker 1.recording"),
        ("concurrency = 4", "concurrency = 0", "reranker 1.concurrency"),
        ("concurrency = 4", "attempts = 0", "reranker 1.attempts"),
        ("request = 2.5", "request = 0", "reranker 1.timeouts.request"),
        ("concurrency = 4", "key_env = \"sk-planted\"", "reranker 1.key_env"),
        ("kind = \"cohere\"", "kind = \"coheer\"", "reranker 1.kind"),
        ("kind = \"cohere\"", "kind = \"cross-encoder\"", "reranker 1.max_tokens_per_doc"),
        ("provider = \"cohere\"", "provider = \"helm\"", "reranker 2.provider"),
        ("recording = \"cohere.jsonl\"", "", "reranker 2.recording"),
        ("[500, 20]", "[20, 20]", "cost.queries_per_month"),
        ("[500, 20]", "[0]", "cost.queries_per_month"),
        ("[\"self-hosted\", \"eu\"]", "[]", "residency"),
    ] {
        assert!(HOSTED.contains(from), "{from}");
        let error = Experiment::parse(&HOSTED.replacen(from, to, 1), FILE).unwrap_err().to_string();
        assert!(error.contains(&format!("'{key}'")), "{to}: {error}");
        assert!(!error.contains("planted"), "a key in the wrong place is not shown: {error}");
    }
}
