//! A decision in sentences: the one place where it is worded.

use secondpass_core::Origin;

use super::against::Against;
use super::answer::{Change, Decision, Judged, Outcome, Why};
use super::constraints::Failed;
use super::priors::{Prior, Rule};
use crate::cost::Basis;
use crate::finding::two_digits;
use crate::money::usd;
use crate::plural::queries;

/// The first stage's name among the choices.
const FIRST_STAGE: &str = "first stage";

/// A decision in words, by what they are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What to do.
    pub headline: String,
    /// How sure that is; `None` where nothing was decided.
    pub confidence: Option<String>,
    /// What speaks against reranking, a sentence each.
    pub against: Vec<String>,
    /// What each other choice failed on.
    pub failed: Vec<Reasons>,
    /// What nothing is both better and cheaper than; `None` where that is one choice.
    pub front: Option<String>,
    /// What would change the answer, a sentence each.
    pub changes: Vec<String>,
    /// Rules of thumb, a sentence each.
    pub priors: Vec<String>,
    /// What was not measured, a sentence a choice.
    pub not_measured: Vec<String>,
}

/// What a choice failed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reasons {
    /// The choice as sentences call it: `the first stage`, or a reranker's name.
    pub choice: String,
    /// Why it is not the one, without a full stop.
    pub why: String,
}

/// A decision in words.
pub fn told(decision: &Decision) -> Told {
    let is_decided = !matches!(decision.outcome, Outcome::Undecided(_));
    let choices = || decision.choices.iter();
    let mut told = Told {
        headline: headline(decision),
        confidence: None,
        against: Vec::new(),
        failed: choices().filter_map(failed).collect(),
        front: None,
        changes: Vec::new(),
        priors: Vec::new(),
        not_measured: Vec::new(),
    };
    if is_decided {
        let against = decision.against.iter();
        told.confidence = Some(confidence(decision));
        told.against = against.map(|against| against_in_words(against, decision)).collect();
        told.front = front(decision);
        told.changes = decision.changes.iter().map(|c| change_in_words(c, decision)).collect();
        told.priors = decision.priors.iter().map(prior).collect();
        told.not_measured = choices().filter_map(not_measured).collect();
    }
    told
}

/// What to do first, then why, what each other choice failed on, what would change the answer, and
/// what was not measured.
pub fn sentences(decision: &Decision) -> Vec<String> {
    let told = told(decision);
    let failed = told.failed.iter().map(|r| format!("Not {}: {}.", r.choice, r.why));
    let mut sentences = vec![told.headline];
    sentences.extend(told.confidence);
    sentences.extend(told.against);
    sentences.extend(failed);
    sentences.extend(told.front);
    sentences.extend(told.changes);
    sentences.extend(told.priors);
    sentences.extend(told.not_measured);
    sentences
}

/// At which volumes a change makes another choice the one: `below 0.9–1.4 M queries a month`; `None`
/// for changes of something else.
pub fn volumes_in_words(change: &Change) -> Option<String> {
    let Change::Volume { below, volume, low, high, .. } = change else { return None };
    let side = if *below { "below" } else { "above" };
    let at = match (low, high) {
        (Some(low), Some(high)) => between(*low, *high),
        (Some(low), None) => format!("{} or more", count(*low)),
        _ => count(*volume),
    };
    Some(format!("{side} {at} queries a month"))
}

fn headline(decision: &Decision) -> String {
    match &decision.outcome {
        Outcome::Undecided(Why::Demonstration(why)) => {
            format!(
                "Nothing is decided: the set is a demonstration ({why}). Measure on your own data."
            )
        }
        Outcome::Undecided(Why::NoEvidence) => {
            "Nothing is decided: no choice has figures that count.".to_owned()
        }
        Outcome::DoNotRerank => "Do not rerank.".to_owned(),
        Outcome::Rerank(name) => {
            let chosen = decision.choices.iter().find(|choice| choice.name == *name);
            let month = chosen.and_then(|choice| choice.bill.as_ref()).map(|bill| bill.month);
            let month = month.map(|month| format!(", at {} USD a month", usd(month)));
            format!(
                "Rerank with {name}: the cheapest choice within the limits that is not inferior by more \
                 than {} {} to the best of them{}.",
                decision.margin,
                decision.measure,
                month.unwrap_or_default()
            )
        }
    }
}

fn confidence(decision: &Decision) -> String {
    let stays = format!(
        "It stays best in {} of {} resamples of queries, prices and throughput",
        percent(decision.confidence),
        decision.resamples
    );
    match (decision.sure, decision.confidence < 0.5) {
        (true, _) => format!("{stays}."),
        (false, false) => format!("{stays}: likely, and not sure."),
        (false, true) => {
            let by_best = |a: &&Judged, b: &&Judged| a.best.total_cmp(&b.best);
            let most = decision.choices.iter().max_by(by_best);
            let most =
                most.map(|most| format!(" {} is in {}.", called(&most.name), percent(most.best)));
            format!(
                "{stays}, so this is not settled: judge more queries.{}",
                most.unwrap_or_default()
            )
        }
    }
}

fn against_in_words(against: &Against, decision: &Decision) -> String {
    let measure = &decision.measure;
    match against {
        Against::NoGain { choice, gain, detectable } => {
            let could = match detectable {
                Some(size) => format!("could show {}", two_digits(*size)),
                None => "are too few to show any".to_owned(),
            };
            format!(
                "No gain is shown: {choice} comes nearest with {gain:+.3} {measure}, and these {} {could}.",
                queries(decision.queries)
            )
        }
        Against::WithinMargin { choice, gain } => format!(
            "The gain is too small to matter or costs too much: {choice} brings {gain:+.3} {measure}; the \
             margin is {}.",
            decision.margin
        ),
        Against::NothingToGain { left } => format!(
            "Even the best order of the candidates is only {left:.3} {measure} above the first stage's: \
             mend retrieval first."
        ),
        Against::LowCeiling { with_relevant } => format!(
            "Only {} of the queries have a relevant candidate: mend retrieval first, deeper or with a \
             hybrid.",
            percent(*with_relevant)
        ),
        Against::Agreement { choice, k, overlap } => format!(
            "{choice} and the first stage have {} of the top {k} in common: whoever reads these together \
             sees nearly the same with and without it.",
            percent(*overlap)
        ),
        Against::LatencyBudget { limit, fastest } => format!(
            "No choice is fast enough: 95% of the queries may take {}, and the fastest takes {}.",
            time(*limit),
            time(*fastest)
        ),
        Against::NothingAllowed => "No choice keeps all rules.".to_owned(),
    }
}

fn failed(choice: &Judged) -> Option<Reasons> {
    let reasons: Vec<String> = choice.failed.iter().map(failed_in_words).collect();
    (!reasons.is_empty())
        .then(|| Reasons { choice: called(&choice.name).to_owned(), why: reasons.join("; ") })
}

fn failed_in_words(failed: &Failed) -> String {
    match failed {
        Failed::NotLive(Origin::Replay { recorded }) => {
            format!("its answers were recorded on {recorded} and played back; measure it live")
        }
        Failed::NotLive(_) => "a server that imitates its provider made its figures up".to_owned(),
        Failed::Queries(count) => format!("it failed on {}", queries(*count)),
        Failed::Residency { host, region } => {
            let region = region.as_deref().unwrap_or("a place unknown");
            format!("texts would go to {host} in {region}")
        }
        Failed::Licence { licence, read } => {
            let read = read.as_ref().map(|read| format!(" (read on {read})")).unwrap_or_default();
            format!("its weights' licence, {licence}, does not allow commercial use{read}")
        }
        Failed::LicenceUnknown { model } => format!(
            "whether the licence of {model} allows commercial use is not known; set commercial for it"
        ),
        Failed::Languages(missing) => format!("it is not made for {}", missing.join(", ")),
        Failed::LanguagesUnknown => {
            "which languages it is made for is not known; set languages for it".to_owned()
        }
        Failed::P95 { seconds, limit } => format!(
            "95% of its queries take {}, which is more than {}",
            time(*seconds),
            time(*limit)
        ),
        Failed::P95Unknown => "how long it takes was not measured".to_owned(),
        Failed::Budget { usd: cost, limit } => {
            format!("it costs {} USD a month, which is more than {}", usd(*cost), usd(*limit))
        }
        Failed::CostUnknown => {
            "what it costs is not known; list its price, or name its machine".to_owned()
        }
        Failed::Agreement { k, overlap } => {
            format!("it hands over {} of the same {k} documents", percent(*overlap))
        }
        Failed::NoGain { gain, p, .. } => {
            format!("its gain of {gain:+.3} is not shown (p = {p:.3})")
        }
        Failed::Inferior { by, to } => format!("it is inferior to {} by {by:.3}", called(to)),
        Failed::Dearer { by, than } => {
            format!("it costs {} USD a month more than {}", usd(*by), called(than))
        }
        Failed::LessOften { best, chosen } => format!(
            "it is the best at the figures themselves, but in only {} of the resamples, against {}",
            percent(*best),
            percent(*chosen)
        ),
    }
}

fn front(decision: &Decision) -> Option<String> {
    let on = decision.choices.iter().filter(|choice| choice.on_pareto_front);
    let told: Vec<String> = on
        .filter_map(|choice| {
            let month = usd(choice.bill.as_ref()?.month);
            let name = called(&choice.name);
            Some(format!("{name} ({:.3}, {month} USD a month)", choice.quality))
        })
        .collect();
    (told.len() > 1)
        .then(|| format!("Nothing is both better and cheaper than: {}.", told.join(", ")))
}

fn change_in_words(change: &Change, decision: &Decision) -> String {
    match change {
        Change::Volume { choice, .. } => {
            let volumes = volumes_in_words(change).unwrap_or_default();
            // `below` or `above`, at the beginning of a sentence.
            let (first, rest) = volumes.split_at(volumes.len().min(1));
            format!("{}{rest} choose {}.", first.to_uppercase(), called(choice))
        }
        Change::Margin { choice, margin, above } => {
            let side = if *above { "of" } else { "below" };
            let more = if *above { " or more" } else { "" };
            let (size, choice) = (two_digits(*margin), called(choice));
            format!("With a margin {side} {size}{more} choose {choice}.")
        }
        Change::Without { choice, failed } => {
            let reasons: Vec<String> = failed.iter().map(failed_in_words).collect();
            format!("If it were not that {}, {choice} would be the one.", reasons.join("; "))
        }
        Change::Price { choice, times } => {
            let chosen = match &decision.outcome {
                Outcome::Rerank(name) => name.as_str(),
                Outcome::DoNotRerank | Outcome::Undecided(_) => "the first stage",
            };
            format!("If {chosen} cost {} times as much, choose {choice}.", two_digits(*times))
        }
    }
}

fn prior(prior: &Prior) -> String {
    let rule = match prior.rule {
        Rule::SmallCorpus { documents } => {
            format!("in a corpus as small as {documents} documents reranking seldom pays")
        }
        Rule::Fast { limit } => format!("in {} there is seldom time to rerank", time(limit)),
    };
    match prior.overridden {
        true => format!("A rule of thumb says that {rule}; the measurements override it."),
        false => format!("A rule of thumb agrees: {rule}."),
    }
}

/// What its figures rest on beside measurements.
fn not_measured(choice: &Judged) -> Option<String> {
    let told = choice.figures.iter().filter(|named| named.figure.basis != Basis::Measured);
    let told: Vec<String> = told
        .map(|named| {
            let figure = &named.figure;
            let basis = match figure.basis {
                Basis::Vendor => "by the vendor",
                Basis::Assumed | Basis::Measured => "assumed",
            };
            let range = match figure.is_exact() {
                true => String::new(),
                false => format!(", from {} to {}", number(figure.low), number(figure.high)),
            };
            let date = figure.date.as_ref().map(|date| format!(", {date}")).unwrap_or_default();
            let (name, value, source) = (&named.name, number(figure.value), &figure.source);
            format!("{name} {value}{range} ({basis}{date}, {source})")
        })
        .collect();
    (!told.is_empty()).then(|| format!("Not measured of {}: {}.", choice.name, told.join("; ")))
}

fn called(name: &str) -> &str {
    if name == FIRST_STAGE { "the first stage" } else { name }
}

fn number(value: f64) -> String {
    match value {
        small if small != 0.0 && small.abs() < 0.01 => two_digits(small),
        value => format!("{}", (value * 1000.0).round() / 1000.0),
    }
}

fn percent(share: f64) -> String {
    format!("{:.0}%", 100.0 * share)
}

fn time(seconds: f64) -> String {
    match seconds {
        short if short < 1.0 => format!("{:.0} ms", 1000.0 * short),
        seconds => format!("{} s", two_digits(seconds)),
    }
}

/// Queries a month: `1.2 M`, `350 k`, `90`.
fn count(volume: f64) -> String {
    let (scale, unit) = unit(volume);
    format!("{}{unit}", digits(volume / scale))
}

/// `0.9-1.4 M`, with one unit where both ends have one.
fn between(low: f64, high: f64) -> String {
    let (scale, unit) = unit(high);
    match low / scale >= 0.1 {
        true => format!("{}–{}{unit}", digits(low / scale), digits(high / scale)),
        false => format!("{} to {}", count(low), count(high)),
    }
}

fn unit(volume: f64) -> (f64, &'static str) {
    match volume {
        v if v >= 999_500.0 => (1e6, " M"),
        v if v >= 999.5 => (1e3, " k"),
        _ => (1.0, ""),
    }
}

fn digits(value: f64) -> String {
    if value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_share_a_unit() {
        assert_eq!(between(0.9e6, 1.4e6), "0.9–1.4 M");
        assert_eq!(between(20_000.0, 1.4e6), "20 k to 1.4 M");
        assert_eq!([90.0, 1234.0, 350_000.0, 2.5e7].map(count), ["90", "1.2 k", "350 k", "25 M"]);
    }

    #[test]
    fn times_and_numbers() {
        assert_eq!([0.0894, 1.25].map(time), ["89 ms", "1.2 s"]);
        assert_eq!([0.002, 1.006, 55.04].map(number), ["0.0020", "1.006", "55.04"]);
    }
}
