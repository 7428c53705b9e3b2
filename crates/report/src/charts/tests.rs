//! Layout: every label stays on the chart and clear of the others, whatever the record holds.

use std::collections::BTreeMap;

use plotters::style::text_anchor::HPos;
use secondpass_evaluation::Role;

use super::*;
use crate::fixture;

/// One `<text>` of an SVG in logical pixels, measured with the font it is drawn in.
#[derive(Debug)]
struct Label {
    text: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

fn labels(svg: &str) -> Vec<Label> {
    let scale = f64::from(SCALE);
    svg.split("<text ").skip(1).map(|rest| label(rest, scale)).collect()
}

fn label(element: &str, scale: f64) -> Label {
    let (attributes, rest) = element.split_once('>').unwrap();
    let attributes = format!(" {attributes}");
    let text = unescaped(rest.split_once("</text>").unwrap().0.trim());
    let attribute = |name: &str| {
        let (_, value) = attributes.split_once(&format!("{name}=\"")).unwrap();
        value.split_once('"').unwrap().0
    };
    let number = |name: &str| attribute(name).parse::<f64>().unwrap() / scale;
    let em = number("font-size");
    let width = font::width(&text, em, attributes.contains("font-weight=\"bold\""));
    let align = match attribute("text-anchor") {
        "start" => HPos::Left,
        "middle" => HPos::Center,
        "end" => HPos::Right,
        other => panic!("unknown anchor {other}"),
    };
    let left = match align {
        HPos::Left => number(" x"),
        HPos::Center => number(" x") - width / 2.0,
        HPos::Right => number(" x") - width,
    };
    // From the top of the capitals to the bottom of the descenders.
    let baseline = number(" y") + 0.76 * em;
    let (top, bottom) = (baseline - 0.76 * em, baseline + 0.2 * em);
    Label { text, left, right: left + width, top, bottom }
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

/// The charts of a record, checked.
fn checked(record: &Record) -> BTreeMap<&'static str, String> {
    struct Checked(BTreeMap<&'static str, String>);
    impl Visitor for Checked {
        fn visit<C: Chart>(&mut self, chart: &C) -> Result<(), ReportError> {
            assert_eq!(self.0.insert(C::NAME, check(chart)), None);
            Ok(())
        }
    }
    let mut checked = Checked(BTreeMap::new());
    visit(record, &fixture::rows(record), &mut checked).unwrap();
    checked.0
}

fn check<C: Chart>(chart: &C) -> String {
    let svg = svg::draw(chart).unwrap();
    let labels = labels(&svg);
    assert!(!labels.is_empty(), "{}: no text", C::NAME);
    for (index, label) in labels.iter().enumerate() {
        assert!(
            label.left >= 0.0
                && label.top >= 0.0
                && label.right <= WIDTH
                && label.bottom <= chart.height(),
            "{}: off the chart: {label:?}",
            C::NAME
        );
        for other in &labels[..index] {
            let apart = label.right <= other.left
                || other.right <= label.left
                || label.bottom <= other.top
                || other.bottom <= label.top;
            assert!(apart, "{}: {label:?} overlaps {other:?}", C::NAME);
        }
    }
    svg
}

#[test]
fn labels_stay_apart_and_on_the_chart() {
    for rerankers in [0, 1, 2, 3, 8, 20] {
        checked(&fixture::record(rerankers));
    }
    checked(&fixture::hosted());
}

#[test]
fn cells_that_decide_nothing_are_marked_in_every_chart() {
    let record = fixture::hosted();
    let drawn = draw(&record, &fixture::rows(&record)).unwrap();
    assert!(drawn.iter().any(|chart| chart.name == "quality-cost"));
    let mut marked = 0;
    for (name, svg) in checked(&record) {
        let text = labels(&svg).into_iter().map(|l| l.text).collect::<Vec<_>>().join(" ");
        let alt = &drawn.iter().find(|chart| chart.name == name).unwrap().alt;
        for (cell, mark) in [("cohere-imitated", " (mock)"), ("voyage", " (replay of 2026-01-12)")]
        {
            for shown in [&text, alt] {
                for (at, _) in shown.match_indices(cell) {
                    let after = &shown[at + cell.len()..];
                    assert!(after.starts_with(mark), "{name}: {cell}{after}");
                    marked += 1;
                }
            }
        }
        let explained = text.contains("decide nothing");
        assert_eq!(explained, text.contains("(mock)"), "{name}: {text}");
    }
    assert!(marked > 20, "{marked}");
}

#[test]
fn the_longest_name_keeps_its_mark() {
    let mut record = fixture::hosted();
    for (system, letter) in record.systems[5..7].iter_mut().zip(["W", "再"]) {
        system.name = letter.repeat(400);
    }
    for (name, svg) in checked(&record) {
        let text = labels(&svg).into_iter().map(|l| l.text).collect::<Vec<_>>().join(" ");
        for (shown, mark) in [("WWW", "(replay of 2026-01-12)"), ("再再再", "(mock)")] {
            assert_eq!(text.contains(shown), text.contains(mark), "{name}: {text}");
        }
    }
}

#[test]
fn very_long_names_stay_apart_and_on_the_chart() {
    let mut record = fixture::record(8);
    record.dataset.name = "a data set with a long name and many words ".repeat(12);
    record.primary = "nDCG(gains=exponential)@1000".into();
    for (index, system) in record.systems.iter_mut().enumerate() {
        system.name = match index {
            1 => "W".repeat(400),
            2 => "several words in one name ".repeat(10),
            3 => "検索結果の並べ替え".repeat(12),
            4 => "a/b-c_d.".repeat(30),
            _ => format!("{}{index}", system.name),
        };
        for estimate in &mut system.quality {
            if estimate.measure == "nDCG@10" {
                estimate.measure.clone_from(&record.primary);
            }
        }
    }
    checked(&record);
}

#[test]
fn first_stage_and_oracle_of_equal_quality_keep_their_labels_apart() {
    for mean in [0.0, 0.5, 1.0] {
        let mut record = fixture::record(1);
        for estimate in record.systems.iter_mut().flat_map(|system| &mut system.quality) {
            (estimate.low, estimate.mean, estimate.high) = (mean, mean, mean);
        }
        checked(&record);
    }
}

#[test]
fn extreme_figures_are_drawn() {
    let mut record = fixture::record(3);
    record.dataset.queries = 1;
    for (system, seconds) in record.systems.iter_mut().skip(1).zip([0.0, 1e-9, 86_400.0]) {
        if let Some(latency) = &mut system.latency {
            (latency.p50, latency.p95, latency.samples) = (seconds, seconds, 1);
        }
    }
    checked(&record);
    // Without the zero the axis is logarithmic over fourteen decades.
    record.systems.remove(1);
    checked(&record);
}

#[test]
fn only_what_was_measured_is_drawn() {
    let names = |record: &Record| checked(record).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&fixture::record(0)), ["quality"]);
    let mut record = fixture::record(1);
    let system = &mut record.systems[1];
    system.latency = None;
    system.lengths.clear();
    system.scores = None;
    for point in &mut system.depths {
        point.latency = None;
    }
    assert_eq!(names(&record), ["changes", "depth", "quality"]);
    record.systems[1].depths.clear();
    assert_eq!(names(&record), ["changes", "quality"]);
    record.systems.clear();
    assert!(names(&record).is_empty());
}

#[test]
fn a_reranker_without_latency_is_named_as_not_measured() {
    let mut record = fixture::record(2);
    record.systems[2].latency = None;
    let charts = checked(&record);
    let shows = |chart: &str, text: &str| labels(&charts[chart]).iter().any(|l| l.text == text);
    assert!(shows("latency", "not measured"));
    assert!(shows("quality-latency", "0.688, latency not measured"));
}

#[test]
fn every_system_shows_its_figures() {
    let record = fixture::record(3);
    let charts = checked(&record);
    let texts = |chart: &str| -> Vec<String> {
        labels(&charts[chart]).into_iter().map(|label| label.text).collect()
    };
    for system in record.systems.iter().filter(|system| system.role != Role::Oracle) {
        assert!(charts["quality"].contains(&system.name), "{}", system.name);
    }
    for (chart, text) in [
        ("quality", "0.702 [0.660, 0.741]"),
        ("quality", "oracle 0.958: no reranker can exceed this at depth 50"),
        ("latency", "12.4 ms / 22.3 ms"),
        ("changes", "61 gained, 22 lost, 67 unchanged"),
        ("depth", "0.702 at depth 50"),
        ("depth", "first stage 0.641"),
        ("depth-latency", "12.4 ms at depth 50"),
        ("length", "0.702 at 512 tokens"),
        ("scores", "310 relevant, 1,650 not relevant, 220 unjudged"),
    ] {
        assert!(texts(chart).contains(&text.to_owned()), "{chart}: {:?}", texts(chart));
    }
}

#[test]
fn odd_figures_leave_gaps_and_break_nothing() {
    let mut record = fixture::record(3);
    for (index, system) in record.systems.iter_mut().enumerate() {
        for point in &mut system.depths {
            point.oracle = f64::NAN;
            if index == 1 {
                point.estimate.low = f64::NAN;
            }
            if let Some(latency) = &mut point.latency {
                latency.p95 = f64::INFINITY;
            }
        }
        if let Some(scores) = &mut system.scores {
            scores.relevant = vec![u64::MAX; scores.relevant.len()];
            scores.not_relevant = vec![0; scores.not_relevant.len()];
        }
    }
    let charts = checked(&record);
    assert!(!charts.contains_key("depth-latency"));
    assert!(!charts["depth"].contains("oracle"));
    assert!(!charts["depth"].contains(&record.systems[1].name));
    for (name, svg) in charts {
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}");
    }
}

#[test]
fn queries_that_gained_and_lost_are_drawn_in_proportion() {
    let record = fixture::record(1);
    // Of ten queries, four gain everything, one loses everything.
    let rows: Vec<QueryRow> = (0..20)
        .map(|index| {
            let query = index % 10;
            let before = if query == 9 { 1.0 } else { 0.0 };
            let after = if query < 4 { 1.0 } else { 0.0 };
            let (system, value) = match index < 10 {
                true => (&record.systems[0].name, before),
                false => (&record.systems[1].name, after),
            };
            let mut row = fixture::row(system, None);
            row.query = format!("q{query}").into();
            row.values = vec![value; record.measures.len()];
            row
        })
        .collect();
    font::register().unwrap();
    let svg = check(&ChangesChart::new(&record, &rows).unwrap());
    let width = |color: &str| -> f64 {
        // Legend and marker come first, the data last.
        let polygon = svg.split("<polygon").filter(|p| p.contains(color)).last().unwrap();
        let points = polygon.split_once("points=\"").unwrap().1.split_once('"').unwrap().0;
        let xs: Vec<f64> = points
            .split_whitespace()
            .map(|point| point.split_once(',').unwrap().0.parse().unwrap())
            .collect();
        let (low, high) = (xs.iter().copied().reduce(f64::min), xs.into_iter().reduce(f64::max));
        high.unwrap() - low.unwrap()
    };
    let ratio = width("#0072B2") / width("#D55E00");
    assert!((ratio - 4.0).abs() < 0.02, "{ratio}");
}

#[test]
fn ten_thousand_queries_make_a_small_picture() {
    let mut record = fixture::record(8);
    record.dataset.queries = 10_000;
    for (name, svg) in checked(&record) {
        assert!(svg.len() < 150_000, "{name}: {} bytes", svg.len());
    }
}

#[test]
fn names_are_escaped_and_control_characters_replaced() {
    for (name, svg) in checked(&fixture::hostile()) {
        assert!(!svg.contains("<script"), "{name}");
        assert!(!svg.chars().any(|c| c.is_control() && c != '\n'), "{name}");
    }
}

#[test]
fn equal_records_give_equal_bytes() {
    let record = fixture::record(3);
    assert_eq!(checked(&record), checked(&record));
}

#[test]
fn svg_and_png_show_the_same_size() {
    let record = fixture::record(1);
    let folder = tempfile::tempdir().unwrap();
    let rows = fixture::rows(&record);
    let charts = draw(&record, &rows).unwrap();
    for (chart, raster) in charts.iter().zip(rasters(&record, &rows).unwrap()) {
        let path = folder.path().join("chart.png");
        raster.save_png(&path).unwrap();
        let png = std::fs::read(&path).unwrap();
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        assert_eq!(f64::from(number(16)), 2.0 * WIDTH);
        let height = format!("height=\"{}\"", number(20) / 2);
        assert!(chart.svg.contains(&height), "{}: {height}", chart.name);
    }
}
