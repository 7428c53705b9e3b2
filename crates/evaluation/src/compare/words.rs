//! What was found, in sentences.

use super::config::{GateConfig, OnFinding};
use super::cost::{CostComparison, CostVerdict};
use super::latency::{LatencyBasis, LatencyComparison, LatencyVerdict};
use super::outcome::{Finding, SystemComparison, Weight};
use super::quality::{QualityComparison, QualityVerdict};
use super::ranks::{RankCheck, RankVerdict, RanksOf};
use crate::plural;
use crate::record::{Role, SystemRecord};

/// Everything that the systems give reason to say.
pub(super) fn findings(systems: &[SystemComparison], config: &GateConfig) -> Vec<Finding> {
    let mut found = Vec::new();
    for system in systems {
        let name = system.label();
        if !system.changed.is_empty() {
            found.push(note(format!("{name}: {}.", system.changed.join(", "))));
        }
        if system.drifted {
            found.push(warn(format!(
                "{name}: the canary says that the provider changed the model; its quality is told \
                 and not held against this change. Record a new baseline and a new canary."
            )));
        }
        found.extend(
            system.ranks.as_ref().and_then(|check| ranks(&name, system.role, check, config)),
        );
        let gating = system.quality.iter().filter(|quality| quality.gates);
        found.extend(gating.filter_map(|gating| quality(&name, gating, config)));
        found.extend(system.cost.as_ref().and_then(|told| cost(&name, told, config)));
        found.extend(system.latency.iter().filter_map(|told| latency(&name, told, config)));
    }
    found
}

fn weight(on: OnFinding) -> Weight {
    match on {
        OnFinding::Warn => Weight::Warn,
        OnFinding::Fail => Weight::Fail,
    }
}

fn note(text: String) -> Finding {
    Finding { weight: Weight::Note, text }
}

fn warn(text: String) -> Finding {
    Finding { weight: Weight::Warn, text }
}

fn ranks(name: &str, role: Role, check: &RankCheck, config: &GateConfig) -> Option<Finding> {
    if role == Role::Oracle {
        return None;
    }
    let moved = check.moved.as_ref().map_or(String::new(), |moved| {
        format!("; scores moved by at most {} (query '{}')", number(moved.by), moved.query)
    });
    let of = match check.of {
        RanksOf::Rankings => "",
        RanksOf::Measures => {
            " (by first document and measures: one record was written before rankings were kept)"
        }
    };
    match check.verdict {
        RankVerdict::Same => None,
        RankVerdict::ScoresMoved => Some(warn(format!(
            "{name}: the same order on all {}, but scores moved beyond {}{moved}.",
            plural::queries(check.queries),
            number(config.ranks.tolerance)
        ))),
        RankVerdict::Changed => Some(Finding {
            weight: weight(config.ranks.on_change),
            text: format!(
                "{name}: ranks otherwise on {} of {}{of}, though its weights, the queries and the \
                 candidates are the same{moved}; the first: {}. If that is meant, record a new \
                 baseline.",
                check.changed,
                plural::queries(check.queries),
                listed(check)
            ),
        }),
    }
}

fn listed(check: &RankCheck) -> String {
    check.examples.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The same build on the same experiment ranked otherwise in a later round.
pub(super) fn unsteady(which: &str, round: usize, name: &str, check: &RankCheck) -> String {
    format!(
        "{name}: in round {round} the {which} ranked {} otherwise than in round 1; its order is not \
         deterministic: {}.",
        plural::queries(check.changed),
        listed(check)
    )
}

fn quality(name: &str, told: &QualityComparison, config: &GateConfig) -> Option<Finding> {
    let QualityComparison { measure, margin, difference, low, high, .. } = told;
    let change = format!("{difference:+.3} [{low:+.3}, {high:+.3}]");
    match told.verdict {
        QualityVerdict::NoRegression => None,
        QualityVerdict::Regression => Some(Finding {
            weight: Weight::Fail,
            text: format!(
                "{name}: {measure} fell from {:.3} to {:.3}: {change}, all of it beyond the margin \
                 of {margin}.",
                told.baseline, told.current
            ),
        }),
        QualityVerdict::Inconclusive => {
            let shown = match told.detectable {
                Some(loss) => format!(
                    "{} would show a loss of {loss:.3} or more",
                    plural::queries(told.queries)
                ),
                None => format!("{} are too few to show any", plural::queries(told.queries)),
            };
            let change = match low.abs() < 1e9 && high.abs() < 1e9 {
                true => change,
                false => format!("{difference:+.3}"),
            };
            Some(Finding {
                weight: weight(config.quality.on_inconclusive),
                text: format!(
                    "{name}: whether {measure} fell by more than {margin} cannot be told: {change}; \
                     {shown}. Judge more queries, or accept a wider margin."
                ),
            })
        }
    }
}

fn cost(name: &str, told: &CostComparison, config: &GateConfig) -> Option<Finding> {
    match told.verdict {
        CostVerdict::NotDearer => None,
        CostVerdict::Unknown => Some(warn(format!(
            "{name}: what a query costs cannot be compared: a price is known on one side only, or \
             other units are billed; give both runs the same price table."
        ))),
        CostVerdict::Dearer => {
            let price = |usd: Option<f64>| usd.map_or("unknown".to_owned(), crate::money::usd);
            let rise = match told.ratio {
                Some(ratio) => format!("{:.1}% more", 100.0 * (ratio - 1.0)),
                None => "something where it cost nothing".to_owned(),
            };
            Some(Finding {
                weight: weight(config.cost.on_rise),
                text: format!(
                    "{name}: a query costs {rise}: {} → {} US dollars a thousand; a {} {} → {} \
                     US dollars, {} → {} {} a query.",
                    price(told.baseline.map(|usd| 1e3 * usd)),
                    price(told.current.map(|usd| 1e3 * usd)),
                    told.unit.singular(),
                    price(told.baseline_price),
                    price(told.current_price),
                    number(told.baseline_units),
                    number(told.current_units),
                    told.unit
                ),
            })
        }
    }
}

pub(super) fn latency(
    name: &str,
    told: &LatencyComparison,
    config: &GateConfig,
) -> Option<Finding> {
    let cell = told.cell.as_ref().map_or(String::new(), |cell| format!(" ({cell})"));
    let what = format!("{name}{cell}: p{:.0}", 100.0 * told.share);
    let change = format!(
        "{} → {}, {:.2} times [{:.2}, {:.2}]",
        milliseconds(told.baseline),
        milliseconds(told.current),
        told.ratio.value,
        told.ratio.low,
        told.ratio.high
    );
    let most = format!("{:.0}%", 100.0 * told.tolerance);
    match (told.verdict, &told.basis) {
        (LatencyVerdict::NotSlower, _) => None,
        (LatencyVerdict::Slower, LatencyBasis::Stored { because }) => Some(warn(format!(
            "{what} {change}, more than {most} slower, which only warns, because {because}. `secondpass \
             gate` runs both builds side by side."
        ))),
        (LatencyVerdict::Slower, _) => Some(Finding {
            weight: Weight::Fail,
            text: format!("{what} {change}: all of the interval is more than {most} slower."),
        }),
        (LatencyVerdict::Inconclusive, LatencyBasis::Interleaved { rounds }) => Some(Finding {
            weight: weight(config.interleaved.on_inconclusive),
            text: format!(
                "{what} {change}: whether it is more than {most} slower cannot be told from {}; take \
                 more, or a quieter machine.",
                plural::counted(*rounds, "round", "rounds")
            ),
        }),
        (LatencyVerdict::Inconclusive, _) => Some(note(format!(
            "{what} {change}: whether it is more than {most} slower cannot be told."
        ))),
    }
}

/// A system that the baseline has not.
pub(super) fn new_system(name: &str) -> Finding {
    note(format!("{name}: new; there is nothing to compare it with."))
}

/// Queries that failed now.
pub(super) fn failed(system: &SystemRecord) -> Option<Finding> {
    let count = system.failures.len();
    (count > 0)
        .then(|| warn(format!("{}: {} failed and score 0.", system.name, plural::queries(count))))
}

fn milliseconds(seconds: f64) -> String {
    match 1e3 * seconds {
        small if small < 10.0 => format!("{small:.2} ms"),
        large => format!("{large:.1} ms"),
    }
}

/// Three significant digits, in powers of ten where it is far from 1.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if (1e-3..1e6).contains(&size) => {
            let text = format!("{value:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => format!("{value:.1e}"),
    }
}
