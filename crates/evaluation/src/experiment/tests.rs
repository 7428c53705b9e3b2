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
fn a_full_config_with_its_defaults() {
    let experiment = Experiment::parse(FULL, FILE).unwrap();
    assert_eq!(experiment.name, "quickstart");
    assert!(experiment.demonstration && experiment.oracle);
    assert_eq!(experiment.dataset.source, DatasetSource::Embedded("helpdesk".to_owned()));
    assert_eq!(
        experiment.first_stage,
        FirstStageSpec { kind: FirstStageKind::Bm25 { k1: 0.9, b: 0.4 }, depth: 50 }
    );
    let [mini, local, hub] = &experiment.rerankers[..] else { panic!("three rerankers") };
    assert_eq!(mini.model, ModelSpec::Embedded);
    assert_eq!((mini.truncation.as_str(), mini.device.as_str()), ("longest-first", "auto"));
    assert_eq!((mini.dtype.as_str(), mini.max_length), ("f32", None));
    assert_eq!(local.model, ModelSpec::Named("configs/../models/local".to_owned()));
    assert_eq!((local.dtype.as_str(), local.max_length), ("f16", Some(512)));
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
    assert_eq!(experiment.first_stage, FirstStageSpec { kind: run, depth: 100 });
}

#[test]
fn errors_name_file_key_and_what_is_allowed() {
    assert_eq!(
        message("split = \"test\"", "split = \"test\"\nspilt = 1"),
        "configs/test.toml, line 12: unknown field `spilt`, expected one of `kind`, `name`, `path`, \
         `split`"
    );
    assert!(message("name = \"quickstart\"", "nmae = 1").contains("unknown field `nmae`"));
    assert!(
        message("demonstration = true", "demonstration = 1")
            .starts_with("configs/test.toml, line 3: ")
    );
    assert!(message("split = \"test\"", "").contains("missing field `split`"));
    assert_eq!(
        message("kind = \"embedded\"", "kind = \"tar\""),
        "configs/test.toml: key 'dataset.kind' is \"tar\"; allowed: \"embedded\", \"beir\""
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
    assert!(message("\"R@50\"", "\"Recall@50\"").contains("allowed: nDCG, nDCG@k, RR"));
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
        "key 'expect 1.system' is \"bm25\"; allowed: \"first stage\", \"mini\", \"local\""
    ));
    assert!(message("tolerance = 0.005", "tolerance = -1.0").contains("expect 1.tolerance"));
    assert!(message("\"held_out\"", "\"kind\"").contains("each attribute once"));
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
