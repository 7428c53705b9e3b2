//! A comparison of two records as people and other programs read it.

use secondpass_evaluation::compare::{
    Comparison, CostVerdict, LatencyBasis, LatencyVerdict, Outcome, QualityVerdict, RankVerdict,
    SystemComparison, Weight,
};
use serde::Serialize;

use crate::content::{Cell, Table};
use crate::{format, markdown, money};

/// A table of figures, for any face.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateTable {
    /// What is in it.
    pub title: &'static str,
    /// The columns' headings.
    pub head: Vec<&'static str>,
    /// Leading columns that hold words; those after them hold figures.
    pub labels: usize,
    /// Rows of as many cells as there are headings.
    pub rows: Vec<Vec<String>>,
}

/// One figure as github-action-benchmark reads it (`customBiggerIsBetter`, `customSmallerIsBetter`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchmarkEntry {
    /// What was measured, of which system.
    pub name: String,
    /// In what.
    pub unit: String,
    /// How much.
    pub value: f64,
    /// How far it may be off, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// Where it came from.
    pub extra: String,
}

/// What a demonstration set shows in a gate, and what it does not.
pub const DEMONSTRATION: &str = "This shows that the program still ranks as before. It says nothing \
    about a model on your data: add your golden set for your model and data.";

/// The figures of a comparison: quality, ranks, latency, costs; what is empty is left out.
pub fn tables(comparison: &Comparison) -> Vec<GateTable> {
    let of = |rows: fn(&SystemComparison) -> Vec<Vec<String>>| -> Vec<Vec<String>> {
        comparison.systems.iter().flat_map(rows).collect()
    };
    let mut tables = vec![
        GateTable {
            title: "Why they cannot be compared",
            head: vec!["what", "baseline", "current"],
            labels: 3,
            rows: comparison
                .differences
                .iter()
                .map(|d| vec![d.what.clone(), excerpt(&d.baseline), excerpt(&d.current)])
                .collect(),
        },
        GateTable {
            title: "Quality",
            head: vec!["system", "measure", "says", "baseline", "current", "change"],
            labels: 3,
            rows: of(quality),
        },
        GateTable {
            title: "Ranks",
            head: vec!["system", "says", "queries changed", "largest move of a score"],
            labels: 2,
            rows: of(ranks),
        },
        GateTable {
            title: "Latency",
            head: vec!["system", "what", "says", "baseline", "current", "ratio"],
            labels: 3,
            rows: of(latency),
        },
        GateTable {
            title: "Cost of 1,000 queries",
            head: vec!["system", "says", "baseline", "current", "change"],
            labels: 2,
            rows: of(cost),
        },
    ];
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// A comment for a pull request, or a job's summary.
pub fn markdown(comparison: &Comparison) -> String {
    let mark = match comparison.outcome {
        Outcome::Fine => "✅",
        Outcome::Regression => "❌",
        Outcome::NotComparable => "⚠️",
    };
    let side = |side: &secondpass_evaluation::compare::Side| {
        format!("{} of {} (secondpass {})", side.name, side.finished, side.version)
    };
    let mut parts = vec![
        format!("### {mark} secondpass: {}", comparison.headline()),
        format!(
            "Baseline: {}. Current: {}.",
            markdown::escape(&side(&comparison.baseline)),
            markdown::escape(&side(&comparison.current))
        ),
    ];
    if comparison.current.demonstration {
        parts.push(format!("> {DEMONSTRATION}"));
    }
    let findings = comparison.findings.iter().map(|finding| match finding.weight {
        Weight::Fail => format!("- ❌ {}", markdown::escape(&finding.text)),
        Weight::Warn => format!("- ⚠️ {}", markdown::escape(&finding.text)),
        Weight::Note => format!("- {}", markdown::escape(&finding.text)),
    });
    let findings: Vec<String> = findings.collect();
    if !findings.is_empty() {
        parts.push(findings.join("\n"));
    }
    for table in tables(comparison) {
        parts.push(format!("**{}**", table.title));
        parts.push(markdown::table(&Table {
            head: table.head.iter().map(|head| (*head).to_owned()).collect(),
            rows: table
                .rows
                .into_iter()
                .map(|row| row.into_iter().map(Cell::from).collect())
                .collect(),
            labels: table.labels,
        }));
    }
    parts.join("\n\n") + "\n"
}

/// The current figures for github-action-benchmark: those of which more is better (quality), and
/// those of which less is (times, costs). Its two tools read one kind each.
pub fn benchmark(comparison: &Comparison) -> (Vec<BenchmarkEntry>, Vec<BenchmarkEntry>) {
    let (mut bigger, mut smaller) = (Vec::new(), Vec::new());
    let current = &comparison.current;
    let extra = format!("{}, {}, secondpass {}", current.name, current.finished, current.version);
    let entry = |name: String, unit: &str, value: f64, range: Option<String>| BenchmarkEntry {
        name,
        unit: unit.to_owned(),
        value,
        range,
        extra: extra.clone(),
    };
    for system in &comparison.systems {
        let name = system.label();
        for told in system.quality.iter().filter(|told| told.queries > 0) {
            let half = (told.high - told.low) / 2.0;
            let range = (half < 1e9).then(|| format!("± {half:.4}"));
            bigger.push(entry(format!("{name} / {}", told.measure), "score", told.current, range));
        }
        for told in &system.latency {
            let what = told.cell.as_ref().map_or(String::new(), |cell| format!(" ({cell})"));
            let name = format!("{name}{what} / p{:.0}", 100.0 * told.share);
            smaller.push(entry(name, "ms", 1e3 * told.current, None));
        }
        if let Some(usd) = system.cost.as_ref().and_then(|cost| cost.current) {
            smaller.push(entry(format!("{name} / cost"), "USD per 1,000 queries", 1e3 * usd, None));
        }
    }
    (bigger, smaller)
}

fn excerpt(text: &str) -> String {
    format::excerpt(text, 60)
}

fn quality(system: &SystemComparison) -> Vec<Vec<String>> {
    let rows = system.quality.iter().filter(|told| told.queries > 0);
    rows.map(|told| {
        let says = match (told.verdict, told.gates) {
            (_, false) => "told only".to_owned(),
            (QualityVerdict::Regression, _) => "regression".to_owned(),
            (QualityVerdict::NoRegression, _) => format!("no regression beyond {}", told.margin),
            (QualityVerdict::Inconclusive, _) => match told.detectable {
                Some(loss) => format!("inconclusive; would show {}", format::score(loss)),
                None => "inconclusive; too few queries".to_owned(),
            },
        };
        let interval = match told.low.abs() < 1e9 && told.high.abs() < 1e9 {
            true => format!(" {}", format::signed_interval(told.low, told.high)),
            false => String::new(),
        };
        vec![
            system.label(),
            told.measure.clone(),
            says,
            format::score(told.baseline),
            format::score(told.current),
            format!("{}{interval}", format::signed(told.difference)),
        ]
    })
    .collect()
}

fn ranks(system: &SystemComparison) -> Vec<Vec<String>> {
    let Some(check) = &system.ranks else { return Vec::new() };
    let says = match check.verdict {
        RankVerdict::Same => "as before",
        RankVerdict::ScoresMoved => "as before, but scores moved",
        RankVerdict::Changed => "changed",
    };
    let moved = check.moved.as_ref().map_or(format::NONE.to_owned(), |m| format::number(m.by));
    vec![vec![
        system.label(),
        says.to_owned(),
        format!("{} of {}", check.changed, check.queries),
        moved,
    ]]
}

fn latency(system: &SystemComparison) -> Vec<Vec<String>> {
    let row = |told: &secondpass_evaluation::compare::LatencyComparison| {
        let says = match (told.verdict, &told.basis) {
            (LatencyVerdict::Slower, LatencyBasis::Stored { .. }) => "slower; only warns",
            (LatencyVerdict::Slower, _) => "slower",
            (LatencyVerdict::NotSlower, _) => "not slower",
            (LatencyVerdict::Inconclusive, _) => "inconclusive",
        };
        let cell = told.cell.as_ref().map_or(String::new(), |cell| format!(", {cell}"));
        vec![
            system.label(),
            format!("p{:.0}{cell}", 100.0 * told.share),
            says.to_owned(),
            format::time(told.baseline),
            format::time(told.current),
            format!("{:.2} [{:.2}, {:.2}]", told.ratio.value, told.ratio.low, told.ratio.high),
        ]
    };
    system.latency.iter().map(row).collect()
}

fn cost(system: &SystemComparison) -> Vec<Vec<String>> {
    let Some(told) = &system.cost else { return Vec::new() };
    let says = match told.verdict {
        CostVerdict::Dearer => "dearer",
        CostVerdict::NotDearer => "not dearer",
        CostVerdict::Unknown => "cannot be compared",
    };
    let thousand = |usd: Option<f64>| money::known(usd.map(|usd| 1e3 * usd));
    let change = told.ratio.map_or(format::NONE.to_owned(), |ratio| {
        format!("{:+.1}%", 100.0 * (ratio - 1.0)).replace('-', "−")
    });
    vec![vec![
        system.label(),
        says.to_owned(),
        thousand(told.baseline),
        thousand(told.current),
        change,
    ]]
}

#[cfg(test)]
mod tests {
    use secondpass_evaluation::compare::{Evidence, GateConfig, experiments};
    use secondpass_evaluation::{QueryRow, Record};

    use super::*;
    use crate::fixture;

    fn compared(change: impl Fn(&mut Record, &mut Vec<QueryRow>)) -> Comparison {
        let record = fixture::hosted();
        let rows = fixture::rows(&record);
        let (mut later, mut later_rows) = (record.clone(), rows.clone());
        change(&mut later, &mut later_rows);
        let baseline = Evidence { record: &record, rows: &rows };
        let current = Evidence { record: &later, rows: &later_rows };
        experiments(baseline, current, &GateConfig::default(), &[])
    }

    #[test]
    fn a_comment_tells_what_got_worse() {
        let comparison = compared(|_, rows| {
            for row in rows.iter_mut().filter(|row| row.system == "cohere") {
                row.values[0] -= 0.1;
                row.seconds = row.seconds.map(|seconds| 2.0 * seconds);
            }
        });
        let text = markdown(&comparison);
        assert!(text.starts_with("### ❌ secondpass: It got worse."), "{text}");
        assert!(text.contains("- ❌ cohere: nDCG@10 fell"), "{text}");
        assert!(text.contains("| cohere | nDCG@10 | regression | "), "{text}");
        assert!(text.contains("slower; only warns"), "{text}");
        for row in text.lines().filter(|line| line.starts_with('|')) {
            assert!(row.ends_with('|'), "{row}");
        }
    }

    #[test]
    fn figures_for_the_benchmark_action_go_by_their_direction() {
        let (bigger, smaller) = benchmark(&compared(|_, _| ()));
        assert!(bigger.iter().all(|entry| entry.unit == "score"));
        assert!(bigger.iter().any(|entry| entry.name == "cohere / nDCG@10"), "{bigger:?}");
        assert!(smaller.iter().any(|entry| entry.name == "cohere / p95" && entry.unit == "ms"));
        assert!(smaller.iter().any(|entry| entry.name == "cohere / cost"));
        let json = serde_json::to_value(&smaller[0]).unwrap();
        let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["name", "unit", "value", "extra"]);
    }

    #[test]
    fn differences_are_listed_and_names_are_escaped() {
        let other = compared(|record, _| record.candidates.depth = 7);
        let text = markdown(&other);
        assert!(text.contains("The records cannot be compared."), "{text}");
        assert!(text.contains("| candidates a query | 50 | 7 |"), "{text}");
        let hostile = fixture::hostile();
        let evidence = Evidence { record: &hostile, rows: &[] };
        let same = experiments(evidence, evidence, &GateConfig::default(), &[]);
        assert!(!markdown(&same).contains("<script"));
    }
}
