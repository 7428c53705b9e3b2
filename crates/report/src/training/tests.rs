use secondpass_core::{ContentHash, TruncationAudit};
use secondpass_evaluation::statistics::{Settings, compare};
use secondpass_evaluation::training::{
    Change, ChangedQuery, Evaluated, TRAINING_SCHEMA, Tested, TrainingIdentity, TrainingRecord,
    TrainingStep, TrainingWarning,
};
use secondpass_evaluation::{Difference, Estimate};

use super::*;
use crate::content::Block;

fn estimate(mean: f64) -> Estimate {
    let measure = "AP".to_owned();
    Estimate { measure, mean, low: mean - 0.05, high: mean + 0.05, queries: 60, missing: 0 }
}

fn change(by: f64) -> Change {
    let query = ChangedQuery { query: "q<1>".into(), before: 0.25, after: 0.25 + by };
    let (won, lost) = if by > 0.0 { (vec![query], vec![]) } else { (vec![], vec![query]) };
    Change {
        difference: Difference {
            measure: "AP".to_owned(),
            mean: by,
            low: by - 0.01,
            high: by + 0.01,
            helped: if by > 0.0 { 60 } else { 0 },
            hurt: if by < 0.0 { 60 } else { 0 },
            unchanged: 0,
        },
        comparison: compare(&[&[by; 60]], &Settings::default()).remove(0),
        won,
        lost,
    }
}

fn record() -> TrainingRecord {
    let hash = ContentHash::of(b"x");
    let step = |step: usize| TrainingStep {
        step,
        loss: 2.0 / step as f64,
        accuracy: 0.5,
        learning_rate: 2e-5,
        gradient_norm: 1.0,
        tokens_per_second: 900.0,
    };
    TrainingRecord {
        schema: TRAINING_SCHEMA,
        name: "<b>tuned".to_owned(),
        seed: 1,
        identity: TrainingIdentity {
            recipe: hash.clone(),
            data: hash.clone(),
            dev: hash.clone(),
            dev_candidates: hash.clone(),
            weights: hash.clone(),
            tokenizer: hash,
            device: "cpu".to_owned(),
        },
        loss: "RankNet".to_owned(),
        dev_queries: 40,
        measure: "AP".to_owned(),
        of: 120,
        stopped: false,
        ended_early: false,
        groups: 960,
        tokens: 1_000_000,
        seconds: 1200.0,
        steps: (1..=120).map(step).collect(),
        evaluations: [(0, 0.2), (60, 0.6), (120, 0.5)]
            .map(|(step, value)| Evaluated { step, value })
            .to_vec(),
        best: Some(Evaluated { step: 60, value: 0.6 }),
        warnings: vec![TrainingWarning::Collapsed { step: 60 }],
        truncation: TruncationAudit::default(),
        dev_truncation: TruncationAudit::default(),
        tested: vec![
            Tested {
                name: "held out".to_owned(),
                other_domain: false,
                depth: 50,
                first_stage: estimate(0.3),
                before: Some(estimate(0.2)),
                after: estimate(0.5),
                against_first_stage: change(0.2),
                against_before: Some(change(0.3)),
            },
            Tested {
                name: "far".to_owned(),
                other_domain: true,
                depth: 50,
                first_stage: estimate(0.6),
                before: Some(estimate(0.6)),
                after: estimate(0.4),
                against_first_stage: change(-0.2),
                against_before: Some(change(-0.2)),
            },
        ],
    }
}

#[test]
fn writes_both_pages_and_every_chart() {
    let folder = tempfile::tempdir().unwrap();
    let written = render_training(&record(), folder.path()).unwrap();
    let names: Vec<String> = written
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(
        names,
        [
            "training-loss.svg",
            "training-loss.png",
            "training-dev.svg",
            "training-dev.png",
            "training-rate.svg",
            "training-rate.png",
            "training.md",
            "training.html"
        ]
    );
    let page = std::fs::read_to_string(folder.path().join("training.html")).unwrap();
    assert!(!page.contains("<b>tuned") && page.contains("&lt;b&gt;tuned"));
    for id in ["chart-training-loss", "chart-training-dev", "chart-training-rate"] {
        assert!(page.contains(id), "{id} is missing");
    }
    let page = std::fs::read_to_string(folder.path().join("training.md")).unwrap();
    assert!(page.contains("the trained model is better than the model before"), "{page}");
    assert!(page.contains("On far, another domain, the trained model is worse than"), "{page}");
    assert!(page.contains("scores alike"), "{page}");
}

#[test]
fn rows_have_as_many_cells_as_headings() {
    let mut untested = record();
    untested.tested.clear();
    for record in [record(), untested] {
        for block in content::of(&record).sections.into_iter().flat_map(|section| section.blocks) {
            let (Block::Table(table) | Block::Folded(_, table)) = block else { continue };
            assert!(!table.rows.is_empty());
            for row in table.rows {
                assert_eq!(row.len(), table.head.len(), "{:?}", table.head);
            }
        }
    }
}

#[test]
fn without_a_test_nothing_is_claimed() {
    let mut record = record();
    record.tested.clear();
    record.steps.clear();
    record.evaluations.clear();
    record.best = None;
    let content = content::of(&record);
    assert!(content.finding.contains("is not known"), "{}", content.finding);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(render_training(&record, folder.path()).unwrap().len(), 2);
}
