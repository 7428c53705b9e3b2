//! Every experiment in `configs/`, and every one that the pages under `docs/` show, is one.

use std::fs;
use std::path::{Path, PathBuf};

use secondpass_evaluation::compare::GateConfig;
use secondpass_evaluation::decision::DecideConfig;
use secondpass_evaluation::prices::PriceTable;
use secondpass_evaluation::{Experiment, HOSTED_KINDS, RerankerKind};

/// What a page leaves out where it shows a part of a config.
const DATASET: &str = "dataset = { kind = \"embedded\", name = \"helpdesk\", split = \"dev\" }\n";
const FIRST_STAGE: &str = "first_stage = { kind = \"bm25\" }\n";
const HEAD: &str = "name = \"page\"\nmeasures = [\"nDCG@10\"]\nprimary = \"nDCG@10\"\n";

fn root(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder)
}

/// The TOML blocks of a page, with the line that each begins at.
fn blocks(page: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut lines = (1..).zip(page.lines());
    while let Some((number, line)) = lines.next() {
        if line == "```toml" {
            let block = lines.by_ref().map(|(_, line)| line).take_while(|&line| line != "```");
            blocks.push((number, block.map(|line| format!("{line}\n")).collect()));
        }
    }
    blocks
}

/// A part of a config with what else a config needs around it.
fn completed(block: &str) -> String {
    let has = |key: &str| block.lines().any(|line| line.starts_with(key));
    let mut config = String::new();
    for (missing, text) in [
        (!has("name = ") || block.starts_with("[["), HEAD),
        (!has("[dataset]"), DATASET),
        (!has("[first_stage]"), FIRST_STAGE),
    ] {
        config.push_str(if missing { text } else { "" });
    }
    config.push_str(block);
    config
}

#[test]
fn every_config_is_an_experiment() {
    let mut names = Vec::new();
    for entry in fs::read_dir(root("configs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".toml")
            && !["prices.toml", "decide.toml", "gate.toml"].contains(&name.as_str())
        {
            let text = fs::read_to_string(&path).unwrap();
            if let Err(error) = Experiment::parse(&text, &format!("configs/{name}")) {
                panic!("{error}");
            }
            names.push(name);
        }
    }
    for name in ["hosted.toml", "hosted-mock.toml", "quickstart.toml"] {
        assert!(names.iter().any(|found| found == name), "{name} is not in configs/");
    }
}

#[test]
fn what_a_gate_lets_through_is_shown_with_its_defaults() {
    let text = fs::read_to_string(root("configs/gate.toml")).unwrap();
    let config = GateConfig::parse(&text, "configs/gate.toml").unwrap();
    assert_eq!(config, GateConfig::default());
    let ci = fs::read_to_string(root("configs/ci/embedded.toml")).unwrap();
    assert!(Experiment::parse(&ci, "configs/ci/embedded.toml").unwrap().demonstration);
}

#[test]
fn what_a_decision_keeps_to() {
    let text = fs::read_to_string(root("configs/decide.toml")).unwrap();
    let config = DecideConfig::parse(&text, "configs/decide.toml").unwrap();
    let machine = config.of("ours").machine.unwrap();
    assert!(PriceTable::own().unwrap().machine(&machine).is_some(), "{machine} has no price");
    let page = fs::read_to_string(root("docs/decide.md")).unwrap();
    let shown = blocks(&page);
    assert!(!shown.is_empty());
    for (line, block) in shown {
        DecideConfig::parse(&block, "docs/decide.md")
            .unwrap_or_else(|error| panic!("the block at line {line}: {error}"));
    }
}

#[test]
fn the_page_of_hosted_rerankers_shows_configs_for_all_kinds() {
    let page = fs::read_to_string(root("docs/hosted.md")).unwrap();
    let mut kinds = Vec::new();
    for (line, block) in blocks(&page) {
        if block.contains("[[price]]") {
            PriceTable::parse(&block, "docs/hosted.md")
                .unwrap_or_else(|error| panic!("the block at line {line}: {error}"));
            continue;
        }
        let experiment = Experiment::parse(&completed(&block), "docs/hosted.md")
            .unwrap_or_else(|error| panic!("the block at line {line}: {error}"));
        kinds.extend(experiment.rerankers.into_iter().filter_map(|spec| match spec.kind {
            RerankerKind::Hosted(hosted) if hosted.recording.is_none() => Some(hosted.provider),
            _ => None,
        }));
    }
    for kind in HOSTED_KINDS {
        assert!(kinds.iter().any(|shown| shown == kind), "no config for {kind}");
    }
}
