use super::against::Against;
use super::answer::{Decision, Judged, NamedFigure, Outcome, Range, Why};
use super::case::{Case, Choice};
use super::changes::changes;
use super::config::DecideConfig;
use super::constraints::Failed;
use super::pareto::front;
use super::priors::priors;
use super::resample::{Entrant, Resampled, best, is_good_enough, resample, top};
use crate::cost::{BreakEven, CostModel, bill, break_even_range, over_volume};
use crate::quantile::quantile;
use crate::record::Comparison;
use crate::statistics::{Settings, compare, holm, randomization};
use crate::warning::{HIGH_AGREEMENT, LOW_CEILING};

/// The first stage's name among the choices.
const FIRST_STAGE: &str = "first stage";
/// Points of a curve over volumes, and how far it goes to either side of the stated one.
const POINTS: usize = 81;
const REACH: f64 = 100.0;

/// What to run.
///
/// # How it is reached
/// 1. Rules: a choice that breaks one, or of which nobody knows whether it does, is out.
/// 2. Gain: that a choice is better than the first stage must be shown, by Fisher's randomization
///    test corrected over all choices whose figures count (Holm).
/// 3. Resamples: queries, prices, rates and times are drawn anew together. In each, the best choice
///    is the cheapest of those within the limits whose quality is not inferior by more than the
///    margin to the best of them; the first stage takes part, and costs nothing.
/// 4. Of the first stage and the choices left after 1 and 2, the one that is best most often. Its
///    share of the resamples is the confidence.
///
/// Gains of uncertain choices are drawn nearer to the mean of all, because few queries exaggerate how
/// much choices differ; without that, a confidence would promise too much.
pub fn decide(case: &Case, config: &DecideConfig) -> Decision {
    let verdict = judge(case, config);
    let outcome = outcome(case, &verdict);
    let chosen = match &outcome {
        Outcome::Undecided(_) => None,
        Outcome::Rerank(_) | Outcome::DoNotRerank => Some(verdict.chosen),
    };
    let compared = comparisons(case, config);
    let choices = judged(case, config, &verdict, &compared, chosen);
    let confidence =
        chosen.map_or(0.0, |chosen| share(verdict.resampled.wins[chosen], config.resamples));
    let break_evens = break_evens(case, config);
    Decision {
        against: against(case, config, &verdict, &compared, &outcome),
        changes: chosen
            .map(|chosen| changes(case, config, &verdict, chosen, &break_evens))
            .unwrap_or_default(),
        priors: priors(
            case.documents,
            config.constraints.p95_seconds,
            matches!(outcome, Outcome::Rerank(_)),
        ),
        runner_up: chosen.and_then(|chosen| runner_up(case, config, &verdict, chosen)),
        outcome,
        confidence,
        sure: confidence >= config.sure,
        sure_from: config.sure,
        resamples: config.resamples,
        measure: case.measure.clone(),
        margin: config.margin,
        queries: case.first_stage.len(),
        rules: config.constraints.clone(),
        volume: config.volume.queries_per_month,
        growth_per_month: config.volume.growth_per_month,
        peak: config.load.peak(config.volume.queries_per_month),
        llm: config.llm,
        choices,
        break_evens,
    }
}

/// What was found, before it is told. Indices count from the first stage, which is 0.
pub(super) struct Verdict {
    pub chosen: usize,
    pub resampled: Resampled,
    /// At the figures' own values; allowed where no rule is broken.
    pub entrants: Vec<Entrant>,
    /// The rules that each breaks at the figures' own values.
    pub broken: Vec<Vec<Failed>>,
    /// Whether a gain is shown; true for the first stage, which needs none.
    pub shown: Vec<bool>,
}

pub(super) fn judge(case: &Case, config: &DecideConfig) -> Verdict {
    let mut broken = vec![Vec::new()];
    let mut entrants =
        vec![Entrant { quality: crate::mean(&case.first_stage), month: 0.0, allowed: true }];
    for choice in &case.choices {
        let rules = broken_rules(choice, config);
        entrants.push(Entrant {
            quality: crate::mean(&choice.quality),
            month: month(choice, config).unwrap_or(f64::INFINITY),
            allowed: rules.is_empty(),
        });
        broken.push(rules);
    }
    let p = p_values(case, config);
    let is_shown = |(index, p): (usize, &Option<f64>)| {
        let gains = entrants[index].quality > entrants[0].quality;
        index == 0 || p.is_some_and(|p| p < case.alpha && gains)
    };
    let shown: Vec<bool> = p.iter().enumerate().map(is_shown).collect();
    let resampled = resample(case, config);
    let candidates = (0..entrants.len()).filter(|&index| entrants[index].allowed && shown[index]);
    // Of equals, the first: the first stage before any other.
    let chosen = candidates.rev().max_by_key(|&index| resampled.wins[index]).unwrap_or(0);
    Verdict { chosen, resampled, entrants, broken, shown }
}

fn month(choice: &Choice, config: &DecideConfig) -> Option<f64> {
    let cost = choice.cost.as_ref()?;
    Some(cost.point().month(&config.load, config.volume.queries_per_month))
}

fn broken_rules(choice: &Choice, config: &DecideConfig) -> Vec<Failed> {
    let mut failed = choice.out(config);
    match (config.constraints.p95_seconds, &choice.timing) {
        (Some(_), None) => failed.push(Failed::P95Unknown),
        (Some(limit), Some(timing)) if timing.p95.value > limit => {
            failed.push(Failed::P95 { seconds: timing.p95.value, limit });
        }
        _ => {}
    }
    match (config.constraints.usd_per_month, month(choice, config)) {
        (_, None) => failed.push(Failed::CostUnknown),
        (Some(limit), Some(usd)) if usd > limit => failed.push(Failed::Budget { usd, limit }),
        _ => {}
    }
    failed
}

fn counts(choice: &Choice) -> bool {
    !choice.barred.iter().any(Failed::is_for_want_of_evidence)
}

/// The differences from the first stage of those whose figures count.
fn differences(case: &Case) -> Vec<Option<Vec<f64>>> {
    let of = |choice: &Choice| {
        counts(choice).then(|| crate::differences(&choice.quality, &case.first_stage))
    };
    std::iter::once(None).chain(case.choices.iter().map(of)).collect()
}

/// `given`, one for each that is there, back in their places.
fn placed<T, U>(there: &[Option<T>], given: Vec<U>) -> Vec<Option<U>> {
    let mut given = given.into_iter();
    there.iter().map(|there| there.as_ref().and_then(|_| given.next())).collect()
}

fn p_values(case: &Case, config: &DecideConfig) -> Vec<Option<f64>> {
    let differences = differences(case);
    let p = |values: &Vec<f64>| randomization(values, config.permutations, config.seed).p;
    let tested: Vec<f64> = differences.iter().flatten().map(p).collect();
    placed(&differences, holm(&tested))
}

/// As in a report, by the same tests.
fn comparisons(case: &Case, config: &DecideConfig) -> Vec<Option<Comparison>> {
    let differences = differences(case);
    let systems: Vec<&[f64]> = differences.iter().flatten().map(Vec::as_slice).collect();
    let settings = Settings::default().with_seed(config.seed);
    let settings = settings.with_margin(config.margin).unwrap_or(settings);
    let settings = settings.with_alpha(case.alpha).unwrap_or(settings);
    let settings = settings.with_permutations(config.permutations).unwrap_or(settings);
    placed(&differences, compare(&systems, &settings))
}

pub(super) fn outcome(case: &Case, verdict: &Verdict) -> Outcome {
    if let Some(why) = &case.demonstration {
        return Outcome::Undecided(Why::Demonstration(why.clone()));
    }
    let wanting = |failed: &Vec<Failed>| failed.iter().any(Failed::is_for_want_of_evidence);
    if verdict.broken[1..].iter().all(wanting) {
        return Outcome::Undecided(Why::NoEvidence);
    }
    match verdict.chosen.checked_sub(1).and_then(|place| case.choices.get(place)) {
        Some(choice) => Outcome::Rerank(choice.name.clone()),
        None => Outcome::DoNotRerank,
    }
}

/// The choice that comes next.
fn runner_up(
    case: &Case,
    config: &DecideConfig,
    verdict: &Verdict,
    chosen: usize,
) -> Option<String> {
    let entrants = &verdict.entrants;
    let wins = |index: &usize| verdict.resampled.wins[*index];
    let others = (0..entrants.len()).filter(|&index| index != chosen && entrants[index].allowed);
    let most = others.rev().max_by_key(wins).filter(|index| wins(index) > 0);
    let without: Vec<Entrant> = (entrants.iter().enumerate())
        .map(|(index, e)| Entrant { allowed: e.allowed && index != chosen, ..*e })
        .collect();
    most.or_else(|| best(&without, config.margin)).map(|index| name_of(case, index))
}

fn share(count: usize, of: usize) -> f64 {
    if of > 0 { count as f64 / of as f64 } else { 0.0 }
}

fn range(values: &[f64]) -> Option<Range> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let end = |share| quantile(&sorted, share);
    (!sorted.is_empty()).then(|| Range { low: end(0.025), high: end(0.975) })
}

pub(super) fn name_of(case: &Case, index: usize) -> String {
    let choice = index.checked_sub(1).and_then(|place| case.choices.get(place));
    choice.map_or_else(|| FIRST_STAGE.to_owned(), |choice| choice.name.clone())
}

fn judged(
    case: &Case,
    config: &DecideConfig,
    verdict: &Verdict,
    compared: &[Option<Comparison>],
    chosen: Option<usize>,
) -> Vec<Judged> {
    let on_front = on_front(&verdict.entrants);
    let volume = config.volume.queries_per_month;
    let one = |index: usize| {
        let choice = index.checked_sub(1).and_then(|place| case.choices.get(place));
        let cost = match choice {
            None => Some(&CostModel::Free),
            Some(choice) => choice.cost.as_ref(),
        };
        let growth = config.volume.growth_per_month;
        let bill = cost.map(|cost| bill(cost, &config.load, volume, growth, config.llm));
        let around = (volume / REACH, volume * REACH);
        let resampled = &verdict.resampled;
        let quality = verdict.entrants[index].quality;
        Judged {
            name: name_of(case, index),
            quality,
            quality_range: range(&resampled.quality[index])
                .unwrap_or(Range { low: quality, high: quality }),
            comparison: compared[index].clone(),
            p95: choice.and_then(|choice| choice.timing.as_ref()).map(|timing| timing.p95.clone()),
            bill,
            month_range: range(&resampled.month[index]),
            over_volume: cost
                .map(|cost| over_volume(cost, &config.load, around, POINTS))
                .unwrap_or_default(),
            failed: match chosen == Some(index) {
                true => Vec::new(),
                false => why_not(case, config, verdict, &compared[index], (index, chosen)),
            },
            best: share(resampled.wins[index], config.resamples),
            good_enough: share(resampled.good_enough[index], config.resamples),
            on_pareto_front: on_front[index],
            figures: choice.map(figures).unwrap_or_default(),
        }
    };
    (0..verdict.entrants.len()).map(one).collect()
}

fn on_front(entrants: &[Entrant]) -> Vec<bool> {
    let allowed = entrants.iter().filter(|entrant| entrant.allowed);
    let mut front = front(&allowed.map(|e| (e.quality, e.month)).collect::<Vec<_>>()).into_iter();
    entrants.iter().map(|e| e.allowed && front.next().unwrap_or_default()).collect()
}

/// The rules that it breaks, else where it lost.
fn why_not(
    case: &Case,
    config: &DecideConfig,
    verdict: &Verdict,
    comparison: &Option<Comparison>,
    (index, chosen): (usize, Option<usize>),
) -> Vec<Failed> {
    let mut failed = verdict.broken[index].clone();
    let (Some(chosen), true) = (chosen, failed.is_empty()) else { return failed };
    let entrants = &verdict.entrants;
    if let (false, Some(comparison)) = (verdict.shown[index], comparison) {
        failed.push(Failed::NoGain {
            gain: entrants[index].quality - entrants[0].quality,
            p: comparison.corrected,
            detectable: comparison.detectable,
        });
    }
    let top = top(entrants).unwrap_or_default();
    if !is_good_enough(&entrants[index], top, config.margin) {
        let is_top = |e: &Entrant| e.allowed && e.quality == top;
        let to = entrants.iter().position(is_top).unwrap_or(chosen);
        let by = top - entrants[index].quality;
        failed.push(Failed::Inferior { by, to: name_of(case, to) });
    } else if entrants[index].month > entrants[chosen].month {
        let by = entrants[index].month - entrants[chosen].month;
        failed.push(Failed::Dearer { by, than: name_of(case, chosen) });
    } else if failed.is_empty() && best(entrants, config.margin) == Some(index) {
        // Best at the figures' own values, and less often than the chosen one when they are drawn.
        let (wins, most) = (verdict.resampled.wins[index], verdict.resampled.wins[chosen]);
        let share = |count| share(count, config.resamples);
        failed.push(Failed::LessOften { best: share(wins), chosen: share(most) });
    }
    failed
}

fn figures(choice: &Choice) -> Vec<NamedFigure> {
    let named = |name: &str, figure: &crate::cost::Figure| NamedFigure {
        name: name.to_owned(),
        figure: figure.clone(),
    };
    let mut all = Vec::new();
    if let Some(timing) = &choice.timing {
        all.push(named("95th percentile of a query's time, in seconds", &timing.p95));
    }
    match &choice.cost {
        None | Some(CostModel::Free) => {}
        Some(CostModel::Hosted(hosted)) => {
            all.push(named(&format!("US dollars a {}", hosted.unit.singular()), &hosted.price));
            all.push(named(&format!("{} a query", hosted.unit), &hosted.units));
        }
        Some(CostModel::SelfHosted(own)) => {
            all.push(named("US dollars an hour of a machine", &own.machine));
            all.push(named("queries a second that a machine answers in time", &own.rate));
            all.push(named("share of that rate that is planned for", &own.utilisation));
            if let Some(staff) = &own.staff {
                all.push(named("working hours a month", &staff.hours));
                all.push(named("US dollars a working hour", &staff.usd));
            }
        }
    }
    all
}

fn break_evens(case: &Case, config: &DecideConfig) -> Vec<BreakEven> {
    let mut all = Vec::new();
    for ours in case.choices.iter().filter(|choice| counts(choice)) {
        let Some(CostModel::SelfHosted(own)) = &ours.cost else { continue };
        for theirs in case.choices.iter().filter(|choice| counts(choice)) {
            let Some(CostModel::Hosted(hosted)) = &theirs.cost else { continue };
            all.push(break_even_range(
                (&ours.name, own.as_ref()),
                (&theirs.name, hosted),
                &config.load,
            ));
        }
    }
    all
}

fn against(
    case: &Case,
    config: &DecideConfig,
    verdict: &Verdict,
    compared: &[Option<Comparison>],
    outcome: &Outcome,
) -> Vec<Against> {
    let mut against = Vec::new();
    let first = verdict.entrants[0].quality;
    let mut watched: Vec<usize> = vec![verdict.chosen];
    match outcome {
        Outcome::Undecided(_) => return against,
        Outcome::Rerank(_) => {}
        Outcome::DoNotRerank => {
            watched = (1..verdict.entrants.len()).collect();
            let counting = || watched.iter().copied().filter(|&i| compared[i].is_some());
            let allowed = || counting().filter(|&i| verdict.entrants[i].allowed);
            let quality = |&a: &usize, &b: &usize| {
                verdict.entrants[a].quality.total_cmp(&verdict.entrants[b].quality)
            };
            let slow = |i: usize| {
                verdict.broken[i].iter().find_map(|failed| match failed {
                    Failed::P95 { seconds, limit } => Some((*seconds, *limit)),
                    _ => None,
                })
            };
            let shown = allowed().filter(|&i| verdict.shown[i]).max_by(quality);
            if let Some(choice) = shown {
                let gain = verdict.entrants[choice].quality - first;
                against.push(Against::WithinMargin { choice: name_of(case, choice), gain });
            } else if let Some(choice) = allowed().max_by(quality) {
                let comparison = compared[choice].as_ref();
                against.push(Against::NoGain {
                    choice: name_of(case, choice),
                    gain: verdict.entrants[choice].quality - first,
                    detectable: comparison.and_then(|comparison| comparison.detectable),
                });
            } else if counting().all(|i| slow(i).is_some())
                && let Some((fastest, limit)) =
                    counting().filter_map(slow).min_by(|a, b| a.0.total_cmp(&b.0))
            {
                against.push(Against::LatencyBudget { limit, fastest });
            } else {
                against.push(Against::NothingAllowed);
            }
        }
    }
    if let Some(ceiling) = case.ceiling {
        let left = ceiling.oracle.map(|oracle| oracle - first);
        if let Some(left) = left.filter(|left| *left <= config.margin) {
            against.push(Against::NothingToGain { left });
        }
        if ceiling.with_relevant < LOW_CEILING - 1e-9 {
            against.push(Against::LowCeiling { with_relevant: ceiling.with_relevant });
        }
    }
    for choice in watched.into_iter().filter_map(|index| case.choices.get(index.checked_sub(1)?)) {
        let looked_at = |k: usize| config.documents_used.is_none_or(|used| used == k);
        let high = |&&(k, overlap): &&(usize, f64)| looked_at(k) && overlap > HIGH_AGREEMENT;
        if let Some(&(k, overlap)) = choice.agreement.iter().filter(high).max_by_key(|(k, _)| *k) {
            against.push(Against::Agreement { choice: choice.name.clone(), k, overlap });
        }
    }
    against
}
