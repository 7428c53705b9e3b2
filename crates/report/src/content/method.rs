use secondpass_evaluation::{DatasetInfo, Record, Role};

use super::{Block, Section, rerankers};
use crate::format;

/// How the figures came about.
pub(super) fn section(record: &Record) -> Section {
    let dataset = &record.dataset;
    let mut items = vec![
        provenance(record),
        format!(
            "Queries: {} ({} of {}). A query without any result scores 0 and is counted.",
            queries(dataset),
            format::counted(dataset.judgements, "judgement", "judgements"),
            format::counted(dataset.documents, "document", "documents"),
        ),
        "Measures have trec_eval's semantics and ir_measures' names.".into(),
        "Ties: equal scores are ordered by document id, descending, for every system alike. A score \
         that is not a number is an error, never a rank."
            .into(),
        format!(
            "Every reranker orders the same candidates; verdicts rest on {} alone.",
            record.primary
        ),
        format!(
            "Intervals: {}, by bootstrap over queries ({} resamples); differences are paired query \
             by query. They cover the choice of queries, not errors in the judgements.",
            format::level(record.statistics.alpha),
            format::count(record.statistics.resamples as u64),
        ),
    ];
    if rerankers(record).any(|system| system.cached > 0) {
        items.push(
            "Scores from the cache were measured in earlier runs of the same reranker on the same \
             texts; they carry no times."
                .into(),
        );
    }
    if rerankers(record).next().is_some() {
        items.extend(tests(record));
    }
    Section { id: "method", title: "Method", blocks: vec![Block::List(items)] }
}

/// Which figures were measured, and which not.
fn provenance(record: &Record) -> String {
    let live = record.systems.iter().all(|system| system.origin.is_live());
    let prices = record.systems.iter().filter_map(|system| system.cost.as_ref());
    let prices = prices.into_iter().any(|cost| cost.tariff.price.is_some());
    let mut exceptions = Vec::new();
    if !live {
        exceptions.push("those of marked cells");
    }
    if prices {
        exceptions.push("prices, which their sources told, and costs, which follow from them");
    }
    match exceptions.is_empty() {
        true => format!(
            "All figures were measured; none is a vendor's or assumed. The run finished on {}.",
            record.finished
        ),
        false => format!(
            "All figures were measured in this run but {}. It finished on {}.",
            exceptions.join(", and "),
            record.finished
        ),
    }
}

/// Which queries count.
fn queries(dataset: &DatasetInfo) -> String {
    let count = format::count(dataset.queries as u64);
    match dataset.sample {
        None => format!("the {count} of the {} split that have judgements", dataset.split),
        Some(sample) => format!(
            "a sample of {count} of the {} split, drawn with seed {}{}; the split's others do not count",
            dataset.split,
            sample.seed,
            match sample.queries == dataset.queries {
                true => String::new(),
                false => format!(" ({} asked for)", format::count(sample.queries as u64)),
            }
        ),
    }
}

/// How verdicts were reached.
fn tests(record: &Record) -> Vec<String> {
    let statistics = &record.statistics;
    let (alpha, margin) = (format::number(statistics.alpha), format::number(statistics.margin));
    let exact = record.systems.iter().filter_map(|s| s.comparison.as_ref()).any(|c| c.exact);
    vec![
        format!(
            "Difference: Fisher's paired randomization test, two-sided, {}, p = (b + 1) / (B + 1) \
             where b of B permutations differ at least as much; the paired t test stands beside it. \
             Verdicts take a p-value below {alpha} after Holm's correction over {} on {}; everything \
             else is exploratory{}.",
            match exact {
                true => "through every permutation where it is marked exact".to_owned(),
                false => format!(
                    "{} permutations drawn",
                    format::count(statistics.permutations as u64)
                ),
            },
            format::counted(statistics.corrected_over, "reranker", "rerankers"),
            record.primary,
            match record.systems.iter().any(|s| s.role == Role::Retriever && s.comparison.is_some())
            {
                true => ", other first stages among it, which are corrected by themselves",
                false => "",
            }
        ),
        format!(
            "Equivalence: two one-sided paired t tests at a margin of {margin}. Non-inferiority: the \
             one of them that asks whether a system is worse by the margin."
        ),
        "Minimal detectable difference: from the spread of the paired differences, at a probability \
         of 80%; power is never computed from the difference that was observed."
            .into(),
    ]
}
