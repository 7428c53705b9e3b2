//! What a system costs, in the record's words.

use std::collections::BTreeSet;

use secondpass_core::{Billed, Context, Job, Run, Tariff};

use super::collected::Collected;
use super::error::RunError;
use super::notice::Notice;
use super::plan::{Contender, Plan};
use crate::journal::{InFlight, Journal};
use crate::record::{Cost, Spent, UnitCost, UnknownCall};

/// Costs are told for this many candidates too, whatever the experiment's depth.
const COMMON_DEPTH: usize = 50;

/// What a reranker costs, given its first pass and what all passes of this start were billed; `None`
/// where nobody bills a call.
pub(super) fn cost(
    plan: &Plan<'_>,
    candidates: &Run,
    contender: &Contender<'_>,
    main: &Collected,
    billed: Billed,
) -> Option<Cost> {
    let tariff = contender.reranker.tariff()?;
    let mut all = billed;
    let earlier = plan.journal.and_then(|journal| journal.earlier().get(contender.name));
    all += earlier.map(|earlier| earlier.billed).unwrap_or_default();
    let answered = main.queries.values();
    let answered = answered.filter_map(|query| Some((query.candidates, query.units?)));
    Some(Cost {
        tariff: tariff.clone(),
        spent: spent(tariff, all),
        query: mean(tariff, answered),
        per_50: mean(tariff, at_common_depth(plan, candidates, contender)),
    })
}

/// Calls that a killed start had sent, where somebody bills them.
pub(super) fn possibly_billed_twice(
    journal: Option<&Journal>,
    contender: &Contender<'_>,
) -> Vec<UnknownCall> {
    let Some(tariff) = contender.tariff() else { return Vec::new() };
    let in_flight = journal.map_or(&[][..], Journal::in_flight).iter();
    let ours = in_flight.filter(|call| call.system == contender.name);
    let unknown = ours.map(|call| UnknownCall {
        query: call.query.clone(),
        pass: call.pass.clone(),
        most: most_usd(call, Some(tariff)),
    });
    unknown.collect()
}

/// What earlier starts spent on one system, in US dollars: answers and failures as they were priced
/// when they came back (at this tariff where no price was known then), and calls whose answers were
/// lost at the most they can have cost.
pub(super) fn earlier_usd(journal: Option<&Journal>, system: &str, tariff: Option<&Tariff>) -> f64 {
    let Some(journal) = journal else { return 0.0 };
    let lost = journal.in_flight().iter().filter(|call| call.system == system);
    let lost: f64 = lost.filter_map(|call| most_usd(call, tariff)).sum();
    let known = journal.earlier().get(system).map_or(0.0, |earlier| {
        let unpriced = earlier.unpriced.with_doubtful();
        earlier.usd + tariff.and_then(|tariff| tariff.cost(unpriced)).unwrap_or(0.0)
    });
    known + lost
}

/// The most that a call whose answer was lost can have cost, in US dollars: as it was known when it
/// went out, or else at this tariff.
fn most_usd(call: &InFlight, tariff: Option<&Tariff>) -> Option<f64> {
    call.upper_bound.or_else(|| tariff?.cost(call.most_units?))
}

/// What earlier starts spent on systems whose calls nobody bills in this one: the config has them no
/// longer, or a recording answers. Their costs stand nowhere else in the record, and the journal goes.
pub(super) fn spent_elsewhere(plan: &Plan<'_>) -> Vec<Notice> {
    let Some(journal) = plan.journal else { return Vec::new() };
    let is_billed = |call: &&InFlight| call.upper_bound.is_some() || call.most_units.is_some();
    let lost: Vec<&InFlight> = journal.in_flight().iter().filter(is_billed).collect();
    let systems: BTreeSet<&str> = (journal.earlier().keys().map(String::as_str))
        .chain(lost.iter().map(|call| call.system.as_str()))
        .collect();
    let is_asked = |system: &str| {
        plan.rerankers.iter().any(|ours| ours.name == system && ours.tariff().is_some())
    };
    let notice = |system: &str| Notice::SpentElsewhere {
        system: system.to_owned(),
        usd: earlier_usd(plan.journal, system, None),
        unpriced: journal.earlier().get(system).map_or(0, |known| known.unpriced.with_doubtful()),
        lost: lost.iter().filter(|call| call.system == system).count(),
    };
    systems.into_iter().filter(|system| !is_asked(system)).map(notice).collect()
}

/// What earlier starts of this run spent on all systems, those that the config no longer has too.
pub(super) fn all_earlier_usd(plan: &Plan<'_>) -> f64 {
    let Some(journal) = plan.journal else { return 0.0 };
    let lost = journal.in_flight().iter().map(|call| call.system.as_str());
    let systems: BTreeSet<&str> =
        journal.earlier().keys().map(String::as_str).chain(lost).collect();
    let tariff = |system: &str| {
        let contender = plan.rerankers.iter().find(|contender| contender.name == system)?;
        contender.reranker.tariff()
    };
    let usd = |system: &&str| earlier_usd(plan.journal, system, tariff(system));
    systems.iter().map(usd).sum()
}

/// That the price of all that will be billed is known, where costs are limited.
pub(super) fn check_prices(plan: &Plan<'_>, context: &Context) -> Result<(), RunError> {
    let Some(limit) = context.budget.limit() else { return Ok(()) };
    for contender in plan.rerankers.iter().filter(|contender| !contender.replayed) {
        let variants = contender.lengths.iter().map(|variant| variant.reranker);
        for reranker in std::iter::once(contender.reranker).chain(variants) {
            if let Some(tariff) = reranker.tariff().filter(|tariff| tariff.price.is_none()) {
                let identity = reranker.identity();
                return Err(RunError::NoPrice {
                    system: contender.name.to_owned(),
                    provider: identity.provider.clone(),
                    model: identity.model.clone(),
                    unit: tariff.unit,
                    limit,
                });
            }
        }
    }
    Ok(())
}

fn spent(tariff: &Tariff, billed: Billed) -> Spent {
    let Billed { calls, estimated, reported, untold, doubtful, .. } = billed;
    Spent {
        calls,
        estimated,
        reported,
        untold,
        doubtful,
        usd: tariff.cost(billed.units()),
        doubtful_usd: tariff.cost(doubtful),
    }
}

/// Candidates and units, by quote, of the queries that have so many.
fn at_common_depth(
    plan: &Plan<'_>,
    candidates: &Run,
    contender: &Contender<'_>,
) -> impl Iterator<Item = (usize, u64)> {
    plan.dataset.queries().iter().filter_map(|query| {
        let given = candidates.rankings.get(&query.id)?.len();
        let job = (given >= COMMON_DEPTH)
            .then(|| Job::new(plan.dataset, query, candidates, COMMON_DEPTH))?;
        Some((job.candidates.len(), contender.reranker.quote(&job)?.units))
    })
}

fn mean(tariff: &Tariff, queries: impl Iterator<Item = (usize, u64)>) -> Option<UnitCost> {
    let (mut count, mut candidates, mut units) = (0_usize, 0_usize, 0_u64);
    for (given, billed) in queries {
        count += 1;
        candidates += given;
        units += billed;
    }
    let per_query = |total: f64| total / count as f64;
    (count > 0).then(|| UnitCost {
        queries: count,
        candidates: per_query(candidates as f64),
        units: per_query(units as f64),
        usd: tariff.cost(units).map(per_query),
    })
}
