use secondpass_evaluation::decision::Decision;

use crate::charts::short;
use crate::content::{Block, Section};
use crate::{format, money};

/// How the answer was reached, and what its confidence covers.
pub(super) fn section(decision: &Decision) -> Section {
    let items = vec![
        format!("Rules: a choice that breaks one, or of which nobody knows, is out. {}", rules(decision)),
        "Gain: that a choice is better than the first stage must be shown, by Fisher's paired \
         randomization test with Holm's correction over all choices whose figures count."
            .to_owned(),
        format!(
            "Resamples: queries, prices, rates and times are drawn anew together, {} times. In each, \
             the best choice is the cheapest within the limits whose {} is not below the best one's by \
             more than {}. The first stage takes part, and costs nothing.",
            format::count(decision.resamples as u64),
            decision.measure,
            decision.margin
        ),
        "Of the choices left, the one that is best most often is chosen; its share is the confidence. \
         Nothing is weighed against anything else."
            .to_owned(),
        "The confidence covers the choice of queries and the ranges told above. It does not cover \
         judgements that are wrong, nor a future unlike the sample."
            .to_owned(),
        "Mocks, played-back recordings and demonstration sets decide nothing.".to_owned(),
        format!(
            "Volume: {} queries a month; the time limit holds for reranking alone.",
            short(decision.volume)
        ),
    ];
    Section { id: "method", title: "Method", blocks: vec![Block::List(items)] }
}

fn rules(decision: &Decision) -> String {
    let rules = &decision.rules;
    let mut told = Vec::new();
    if let Some(limit) = rules.p95_seconds {
        told.push(format!("95% of the queries within {}", format::time(limit)));
    }
    if let Some(usd) = rules.usd_per_month {
        told.push(format!("at most {} a month", money::usd(usd)));
    }
    if let Some(places) = &rules.residency {
        told.push(format!("texts stay in {}", format::listed(places)));
    }
    if !rules.languages.is_empty() {
        told.push(format!("made for {}", format::listed(&rules.languages)));
    }
    if rules.commercial {
        told.push("weights of which commercial use is allowed".to_owned());
    }
    match told.is_empty() {
        true => "None was stated.".to_owned(),
        false => format!("Stated: {}.", told.join("; ")),
    }
}
