use secondpass_evaluation::decision::{Case, DecideConfig, Outcome, decide};
use secondpass_evaluation::prices::PriceTable;

use super::*;
use crate::content::{Block, Tone};
use crate::{charts, fixture, html, markdown};

/// A provider's bill of 2,000 dollars a month, and machines for 1,470.
const CONFIG: &str = r#"
    margin = 0.02
    [constraints]
    p95_seconds = 0.5
    usd_per_month = 5000
    [llm]
    usd_per_month = 12000
    [volume]
    queries_per_month = 1_000_000
    [[choice]]
    name = "helpdesk-mini"
    machine = "aws g5.xlarge"
    queries_per_second = { value = 40, within = [30, 50], basis = "measured", source = "a bench" }
    [[choice]]
    name = "cohere"
    price_within = 0.2
"#;

fn decided(record: &Record, config: &str) -> Decision {
    let config = DecideConfig::parse(config, "decide.toml").unwrap();
    let rows = fixture::rows(record);
    let evidence = [Evidence { record, rows: &rows }];
    let case = Case::from_records(&evidence, &config, &PriceTable::own().unwrap()).unwrap();
    decide(&case, &config)
}

fn page_of(record: &Record, config: &str) -> (Decision, Page) {
    let decision = decided(record, config);
    let rows = fixture::rows(record);
    let page = page(&decision, &[Evidence { record, rows: &rows }]).unwrap();
    (decision, page)
}

#[test]
fn the_first_screen_has_the_answer() {
    let (decision, page) = page_of(&fixture::hosted(), CONFIG);
    assert_eq!(decision.outcome, Outcome::Rerank("helpdesk-mini".into()));
    assert_eq!(page.content.title, "Rerank with helpdesk-mini");
    assert!(page.content.finding.contains("resamples"), "{}", page.content.finding);
    let fact = |label: &str| {
        let found = page.opening.facts.iter().find(|fact| fact.label == label);
        found.unwrap_or_else(|| panic!("no {label}"))
    };
    assert_eq!(fact("Confidence").tone, if decision.sure { Tone::Good } else { Tone::Unsure });
    assert_eq!(fact("Runner-up").value, decision.runner_up.clone().unwrap());
    assert!(fact("The answer changes").value.starts_with("below "));
    assert_eq!(fact("The answer changes").details[0], "then cohere");
    assert!(fact("A month").value.starts_with("$1,4"), "{}", fact("A month").value);
    assert!(fact("A month").details.iter().any(|d| d.ends_with("of the language model's")));
    let failed = &page.opening.lists[0];
    assert_eq!(failed.title, "What each other choice failed on");
    for choice in decision.choices.iter().filter(|choice| choice.name != "helpdesk-mini") {
        let label = match choice.name.as_str() {
            "first stage" => "the first stage".to_owned(),
            name => crate::marks::label_of(&page.record, name),
        };
        assert!(
            failed.items.iter().any(|(about, why)| *about == label && !why.is_empty()),
            "{label}"
        );
    }
}

#[test]
fn sections_stand_in_the_order_in_which_a_reader_decides() {
    let (_, page) = page_of(&fixture::hosted(), CONFIG);
    let ids: Vec<&str> = page.content.sections.iter().map(|section| section.id).collect();
    assert_eq!(
        ids,
        [
            "quality",
            "latency",
            "cost",
            "break-even",
            "front",
            "destinations",
            "changes",
            "slices",
            "agreement",
            "figures",
            "method",
            "identity"
        ]
    );
    for section in &page.content.sections {
        let mut charts = 0;
        let mut tables = 0;
        for block in &section.blocks {
            charts += usize::from(matches!(block, Block::Chart(_)));
            if let Block::Table(table) | Block::Folded(_, table) = block {
                tables += 1;
                for row in &table.rows {
                    assert_eq!(row.len(), table.head.len(), "{}", section.id);
                }
            }
        }
        assert!(charts == 0 || tables > 0, "{}: a chart without a table", section.id);
    }
}

#[test]
fn what_was_not_measured_comes_first() {
    let (_, page) = page_of(&fixture::hosted(), CONFIG);
    let section = page.content.sections.iter().find(|section| section.id == "figures").unwrap();
    let Some(Block::Table(table)) = section.blocks.get(1) else { panic!("no table") };
    let bases: Vec<&str> = table.rows.iter().map(|row| row[2].text.as_str()).collect();
    assert_eq!(bases.first(), Some(&"assumed"));
    assert_eq!(bases.last(), Some(&"measured"));
    assert!(table.rows.iter().any(|row| row[2].text == "vendor" && row[3].text.len() == 10));
}

#[test]
fn every_chart_of_the_page_is_drawn_and_shown() {
    let (decision, page) = page_of(&fixture::hosted(), CONFIG);
    let (charts, _) = charts::draw_decision(&decision, &page.record, &page.rows).unwrap();
    let names: Vec<&str> = charts.iter().map(|chart| chart.name).collect();
    assert_eq!(names, charts::DECISION_NAMES);
    let html = html::opened(&page.content, &page.opening, &charts, "reranking decision");
    let markdown = markdown::opened(&page.content, &page.opening, &charts);
    for name in names {
        assert!(html.contains(&format!("id=\"chart-{name}\"")), "{name}");
        assert!(markdown.contains(&format!("](charts/{name}.svg)")), "{name}");
    }
    // A curve a choice whose cost is known, in a group of its own.
    let curves = &charts.iter().find(|chart| chart.name == "break-even").unwrap().svg;
    assert!(curves.contains("<g data-series=\"helpdesk-mini\">"));
    assert!(curves.contains("<g data-series=\"cohere\">"));
    assert_eq!(curves.matches("<g ").count(), curves.matches("</g>").count());
    assert!(!curves.contains(['\u{2}', '\u{3}']));
}

#[test]
fn a_demonstration_and_no_reranking_have_pages_too() {
    let mut record = fixture::hosted();
    record.experiment.demonstration = Some("These figures predict nothing.".into());
    let (decision, page) = page_of(&record, CONFIG);
    assert_eq!(page.content.title, "Nothing is decided");
    assert!(page.opening.facts.is_empty() && !page.content.banners.is_empty());
    charts::draw_decision(&decision, &page.record, &page.rows).unwrap();

    let strict = CONFIG.replace("p95_seconds = 0.5", "p95_seconds = 0.0001");
    let (decision, page) = page_of(&fixture::hosted(), &strict);
    assert_eq!(decision.outcome, Outcome::DoNotRerank);
    assert_eq!(page.content.title, "Do not rerank");
    charts::draw_decision(&decision, &page.record, &page.rows).unwrap();
}

#[test]
fn several_records_become_one_page() {
    let (mut first, mut second) = (fixture::hosted(), fixture::hosted());
    first.systems.retain(|system| system.name != "cohere");
    second.systems.retain(|system| {
        system.role != secondpass_evaluation::Role::Reranker || system.name == "cohere"
    });
    second.experiment.warnings = vec!["Of the second.".into()];
    let rows = [fixture::rows(&first), fixture::rows(&second)];
    let evidence =
        [Evidence { record: &first, rows: &rows[0] }, Evidence { record: &second, rows: &rows[1] }];
    let config = DecideConfig::parse(CONFIG, "decide.toml").unwrap();
    let case = Case::from_records(&evidence, &config, &PriceTable::own().unwrap()).unwrap();
    let page = page(&decide(&case, &config), &evidence).unwrap();
    let names: Vec<&str> = page.record.systems.iter().map(|system| system.name.as_str()).collect();
    assert!(names.contains(&"cohere") && names.last() == Some(&"oracle"), "{names:?}");
    assert_eq!(page.content.warnings, ["Of the second."]);
    assert!(page.rows.iter().any(|row| row.system == "cohere"));
    assert_eq!(page.rows.iter().filter(|row| row.system == "first stage").count(), 150);
}

#[test]
fn nothing_to_render_from_is_an_error() {
    let decision = decided(&fixture::hosted(), CONFIG);
    assert!(page(&decision, &[]).is_none());
    let folder = tempfile::tempdir().unwrap();
    let error = crate::render_decision(&decision, &[], folder.path()).unwrap_err();
    assert!(error.to_string().starts_with("there is no record"), "{error}");
}

#[test]
fn the_files_are_those_that_are_told() {
    let record = fixture::hosted();
    let (decision, rows) = (decided(&record, CONFIG), fixture::rows(&record));
    let folder = tempfile::tempdir().unwrap();
    let evidence = [Evidence { record: &record, rows: &rows }];
    let written = crate::render_decision(&decision, &evidence, folder.path()).unwrap();
    let told: Vec<_> = crate::decision_files().iter().map(|f| folder.path().join(f)).collect();
    assert_eq!(written, told);
    let data = std::fs::read_to_string(folder.path().join("decision.json")).unwrap();
    let data: serde_json::Value = serde_json::from_str(&data).unwrap();
    let read: Decision = serde_json::from_value(data["decision"].clone()).unwrap();
    assert_eq!(read, decision);
    assert!(data["sentences"][0].as_str().unwrap().starts_with("Rerank with helpdesk-mini"));
}
