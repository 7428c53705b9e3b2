use super::answer::Change;
use super::case::Case;
use super::config::DecideConfig;
use super::constraints::Failed;
use super::decide::{Verdict, name_of};
use super::resample::{Entrant, best, is_good_enough, top};
use crate::cost::BreakEven;

/// What would make another choice the one, at the figures' own values, one thing at a time.
pub(super) fn changes(
    case: &Case,
    config: &DecideConfig,
    verdict: &Verdict,
    chosen: usize,
    break_evens: &[BreakEven],
) -> Vec<Change> {
    // Only what is shown to gain may take its place.
    let entrants: Vec<Entrant> = (verdict.entrants.iter().zip(&verdict.shown))
        .map(|(entrant, &shown)| Entrant { allowed: entrant.allowed && shown, ..*entrant })
        .collect();
    let mut changes = volumes(case, config, &entrants, chosen, break_evens);
    changes.extend(margins(case, config, &entrants, chosen));
    changes.extend(price(case, config, &entrants, chosen));
    changes.extend(without(case, config, verdict, &entrants));
    changes
}

/// The nearest volume to either side at which a choice that is good enough costs less.
fn volumes(
    case: &Case,
    config: &DecideConfig,
    entrants: &[Entrant],
    chosen: usize,
    break_evens: &[BreakEven],
) -> Vec<Change> {
    let top = top(entrants).unwrap_or_default();
    let good = |name: &str| {
        let place = case.choices.iter().position(|choice| choice.name == name);
        place.is_some_and(|place| is_good_enough(&entrants[place + 1], top, config.margin))
    };
    let (name, now) = (name_of(case, chosen), config.volume.queries_per_month);
    let change = |told: &BreakEven, choice: &str, below: bool| {
        let volume = told.volume?;
        let apart = if below { volume < now } else { volume > now };
        (good(choice) && apart).then(|| Change::Volume {
            choice: choice.to_owned(),
            below,
            volume,
            low: told.low,
            high: told.high,
        })
    };
    let at = |change: &Change| match change {
        Change::Volume { volume, .. } => *volume,
        _ => f64::NAN,
    };
    let below = break_evens.iter().filter(|told| told.self_hosted == name);
    let below = below.filter_map(|told| change(told, &told.hosted, true));
    let above = break_evens.iter().filter(|told| told.hosted == name);
    let above = above.filter_map(|told| change(told, &told.self_hosted, false));
    let nearest = [
        below.max_by(|a, b| at(a).total_cmp(&at(b))),
        above.min_by(|a, b| at(a).total_cmp(&at(b))),
    ];
    nearest.into_iter().flatten().collect()
}

fn margins(case: &Case, config: &DecideConfig, entrants: &[Entrant], chosen: usize) -> Vec<Change> {
    let (Some(top), now) = (top(entrants), &entrants[chosen]) else { return Vec::new() };
    let mut changes = Vec::new();
    let cheaper = entrants.iter().enumerate().filter(|(_, e)| {
        e.allowed && e.month < now.month && !is_good_enough(e, top, config.margin)
    });
    if let Some((place, entrant)) = cheaper.max_by(|a, b| a.1.quality.total_cmp(&b.1.quality)) {
        let (choice, margin) = (name_of(case, place), top - entrant.quality);
        changes.push(Change::Margin { choice, margin, above: true });
    }
    let margin = top - now.quality;
    if margin > 0.0
        && margin <= config.margin
        && let Some(place) = best(entrants, margin * (1.0 - 1e-6))
        && place != chosen
    {
        changes.push(Change::Margin { choice: name_of(case, place), margin, above: false });
    }
    changes
}

fn price(
    case: &Case,
    config: &DecideConfig,
    entrants: &[Entrant],
    chosen: usize,
) -> Option<Change> {
    let (top, now) = (top(entrants)?, &entrants[chosen]);
    let others = entrants.iter().enumerate().filter(|(place, e)| {
        *place != chosen && is_good_enough(e, top, config.margin) && e.month >= now.month
    });
    let (place, next) = others.min_by(|a, b| a.1.month.total_cmp(&b.1.month))?;
    (now.month > 0.0)
        .then(|| Change::Price { choice: name_of(case, place), times: next.month / now.month })
}

/// Each choice that would be the one if it did not break the rules that it breaks.
fn without(
    case: &Case,
    config: &DecideConfig,
    verdict: &Verdict,
    entrants: &[Entrant],
) -> Vec<Change> {
    let would = |place: &usize| {
        let place = *place;
        let known = !verdict.broken[place].iter().any(Failed::is_for_want_of_evidence);
        let allowed = |index: usize, e: &Entrant| e.allowed || index == place;
        let lifted: Vec<Entrant> = (entrants.iter().enumerate())
            .map(|(index, e)| Entrant { allowed: allowed(index, e), ..*e })
            .collect();
        let broken = !verdict.broken[place].is_empty();
        broken && known && verdict.shown[place] && best(&lifted, config.margin) == Some(place)
    };
    (1..entrants.len())
        .filter(would)
        .map(|place| Change::Without {
            choice: name_of(case, place),
            failed: verdict.broken[place].clone(),
        })
        .collect()
}
