use std::fmt;

use secondpass_core::Origin;

use crate::plural::{self, counted};
use crate::record::{Comparison, Record, Role, StatisticsInfo, SystemRecord, Verdict};

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Equivalent => "equivalent",
            Self::NonInferior => "not inferior",
            Self::CannotTell => "cannot tell",
        })
    }
}

impl Comparison {
    /// The verdict with what it rests on: `better`, `worse`, `equivalent (within 0.01)`, `not
    /// inferior (margin 0.01)`, `cannot tell (these 60 queries could show 0.11)`.
    pub fn in_words(&self, statistics: &StatisticsInfo) -> String {
        let (verdict, margin, queries) = (self.verdict, statistics.margin, self.queries);
        match verdict {
            Verdict::Better | Verdict::Worse => verdict.to_string(),
            Verdict::Equivalent if self.equivalence.is_none() => {
                format!("{verdict} (the same on all {queries} queries)")
            }
            Verdict::Equivalent if self.corrected < statistics.alpha => {
                format!("{verdict} (within {margin}, though a difference is shown)")
            }
            Verdict::Equivalent => format!("{verdict} (within {margin})"),
            Verdict::NonInferior => format!("{verdict} (margin {margin})"),
            Verdict::CannotTell => match self.detectable {
                Some(size) => {
                    format!("{verdict} (these {queries} queries could show {})", two_digits(size))
                }
                None => {
                    let shown = counted(queries, "such query shows", "such queries show");
                    format!("{verdict} ({shown} no difference of any size)")
                }
            },
        }
    }
}

/// Two significant digits, as many as an estimate of a spread deserves: `0.11`, `0.024`, `1.3`.
pub(crate) fn two_digits(value: f64) -> String {
    let magnitude = value.abs().log10().floor();
    let decimals = match magnitude.is_finite() {
        true => (1.0 - magnitude).clamp(0.0, 12.0) as usize,
        false => 1,
    };
    format!("{value:.decimals$}")
}

/// What was found, plainly: one sentence a reranker on the primary measure, or one on the first
/// stage where no reranker ran; then one on each other first stage, whose verdict is exploratory.
pub fn finding(record: &Record) -> String {
    if let Some(why) = nothing_measured(record) {
        return why;
    }
    let of_role = |role| record.systems.iter().filter(move |system| system.role == role);
    let mut sentences: Vec<String> =
        of_role(Role::Reranker).filter_map(|system| versus(record, system)).collect();
    if sentences.is_empty() {
        sentences.push(first_stage_alone(record));
    }
    sentences.extend(of_role(Role::Retriever).filter_map(|system| retriever(record, system)));
    sentences.join(" ")
}

/// Why there are no figures to tell.
fn nothing_measured(record: &Record) -> Option<String> {
    let of = plural::queries(record.dataset.queries);
    let Some(first_stage) = first_stage(record) else {
        return Some("Nothing was measured.".to_owned());
    };
    if record.has_nothing_relevant() {
        return Some(format!("Nothing was measured: of {of}, none has a relevant judgement."));
    }
    mean_of(record, first_stage)
        .is_none()
        .then(|| format!("Nothing was compared: of {of}, {} applies to none.", record.primary))
}

fn retriever(record: &Record, system: &SystemRecord) -> Option<String> {
    let mean = mean_of(record, system)?;
    let reached =
        format!("{}, another first stage, reaches {} {mean:.3}", system.name, record.primary);
    let Some(difference) = &system.versus_first_stage else { return Some(format!("{reached}.")) };
    let (p_value, verdict) = match &system.comparison {
        Some(comparison) => {
            let is_retriever = |system: &&SystemRecord| system.role == Role::Retriever;
            let family = record.systems.iter().filter(is_retriever).count();
            let p_value = p_value(comparison, family, "first stages");
            (format!(", {p_value}"), comparison.in_words(&record.statistics))
        }
        None => (String::new(), "not tested".to_owned()),
    };
    let (mean, low, high) = (difference.mean, difference.low, difference.high);
    Some(format!(
        "{reached} ({mean:+.3} against the first stage, 95% interval {low:+.3} to {high:+.3}{p_value}, \
         exploratory): {verdict}."
    ))
}

fn versus(record: &Record, system: &SystemRecord) -> Option<String> {
    if system.origin == Origin::Mock {
        return Some(format!(
            "{} was answered by a server that imitates its provider: its figures are made up and decide \
             nothing.",
            system.name
        ));
    }
    if let Some((query, reason)) = system.failures.first_key_value() {
        return Some(format!(
            "{} failed on {} of {} and is not compared; the first is '{query}': {reason}.",
            system.name,
            system.failures.len(),
            plural::queries(record.dataset.queries)
        ));
    }
    let difference = system.versus_first_stage.as_ref()?;
    let before = mean_of(record, first_stage(record)?)?;
    let after = mean_of(record, system)?;
    let verb = match difference.mean {
        up if up > 0.0 => "raises",
        down if down < 0.0 => "lowers",
        _ => "keeps",
    };
    let (p_value, verdict) = match &system.comparison {
        Some(comparison) => (
            format!(", {}", p_value(comparison, record.statistics.corrected_over, "rerankers")),
            comparison.in_words(&record.statistics),
        ),
        None => (String::new(), "not tested".to_owned()),
    };
    let found = format!(
        "{} {verb} {} from {before:.3} to {after:.3} ({:+.3}, 95% interval {:+.3} to {:+.3}{p_value})",
        system.name, record.primary, difference.mean, difference.low, difference.high,
    );
    Some(match &system.origin {
        Origin::Replay { recorded } => format!(
            "{found} in answers recorded on {recorded} and played back, which decide nothing: measure it \
             live."
        ),
        Origin::Live | Origin::Mock => format!("{found}: {verdict}."),
    })
}

/// The p-value that the verdict rests on, with how it was corrected: over so many of these systems.
fn p_value(comparison: &Comparison, family: usize, systems: &str) -> String {
    let p = match comparison.corrected {
        small if small < 0.001 => "p < 0.001".to_owned(),
        p => format!("p = {p:.3}"),
    };
    match family {
        0 | 1 => p,
        several => format!("{p} corrected over {several} {systems}"),
    }
}

fn first_stage_alone(record: &Record) -> String {
    let primary = &record.primary;
    let Some(mean) = first_stage(record).and_then(|system| mean_of(record, system)) else {
        return "Nothing was measured.".to_owned();
    };
    let oracle = record.systems.iter().find(|system| system.role == Role::Oracle);
    match oracle.and_then(|system| mean_of(record, system)) {
        Some(ceiling) => format!(
            "The first stage reaches {primary} {mean:.3}; the best order of its top {} would reach \
             {ceiling:.3}. No reranker was run.",
            record.candidates.depth
        ),
        None => format!("The first stage reaches {primary} {mean:.3}. No reranker was run."),
    }
}

fn first_stage(record: &Record) -> Option<&SystemRecord> {
    record.systems.iter().find(|system| system.role == Role::FirstStage)
}

/// `None` where the measure applies to no query.
fn mean_of(record: &Record, system: &SystemRecord) -> Option<f64> {
    let estimate = system.quality.iter().find(|estimate| estimate.measure == record.primary)?;
    (estimate.queries > 0).then_some(estimate.mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::record;

    fn comparison(verdict: Verdict) -> Comparison {
        Comparison {
            verdict,
            queries: 60,
            t_test: Some(0.2),
            randomization: 0.0125,
            exact: false,
            corrected: 0.025,
            equivalence: Some(0.4),
            non_inferiority: Some(0.3),
            detectable: Some(0.1134),
        }
    }

    #[test]
    fn each_verdict_in_words() {
        let words = |comparison: Comparison| comparison.in_words(&record().statistics);
        let of = |verdict| words(comparison(verdict));
        assert_eq!(of(Verdict::Better), "better");
        assert_eq!(of(Verdict::Worse), "worse");
        assert_eq!(of(Verdict::NonInferior), "not inferior (margin 0.01)");
        assert_eq!(of(Verdict::CannotTell), "cannot tell (these 60 queries could show 0.11)");
        let equivalent = Comparison { corrected: 0.3, ..comparison(Verdict::Equivalent) };
        assert_eq!(words(equivalent), "equivalent (within 0.01)");
        assert_eq!(
            of(Verdict::Equivalent),
            "equivalent (within 0.01, though a difference is shown)"
        );
        let same = Comparison { equivalence: None, ..comparison(Verdict::Equivalent) };
        assert_eq!(words(same), "equivalent (the same on all 60 queries)");
        let few = Comparison { queries: 3, detectable: None, ..comparison(Verdict::CannotTell) };
        assert_eq!(
            words(few.clone()),
            "cannot tell (3 such queries show no difference of any size)"
        );
        let one = Comparison { queries: 1, ..few };
        assert_eq!(words(one), "cannot tell (1 such query shows no difference of any size)");
    }

    #[test]
    fn sizes_have_two_digits() {
        let shown = [0.1134, 0.0237, 0.00051, 1.26, 14.6, 0.0].map(two_digits);
        assert_eq!(shown, ["0.11", "0.024", "0.00051", "1.3", "15", "0.0"]);
    }

    #[test]
    fn the_difference_its_interval_and_its_p_value_are_told() {
        let mut record = record();
        record.systems[1].comparison = Some(comparison(Verdict::Better));
        assert_eq!(
            finding(&record),
            "mini raises nDCG@10 from 0.500 to 0.750 (+0.250, 95% interval +0.125 to +0.375, \
             p = 0.025): better."
        );
        record.statistics.corrected_over = 2;
        assert!(finding(&record).contains(", p = 0.025 corrected over 2 rerankers): better."));
        let tiny = Comparison { corrected: 1e-5, ..comparison(Verdict::Worse) };
        record.systems[1].comparison = Some(tiny);
        record.systems[1].versus_first_stage.as_mut().unwrap().mean = -0.25;
        let found = finding(&record);
        assert!(found.starts_with("mini lowers nDCG@10") && found.contains("p < 0.001"), "{found}");
        record.systems[1].versus_first_stage.as_mut().unwrap().mean = 0.0;
        assert!(finding(&record).starts_with("mini keeps nDCG@10"));
        record.systems[1].comparison = None;
        assert!(finding(&record).ends_with("+0.125 to +0.375): not tested."));
    }

    #[test]
    fn another_first_stage_is_compared_too() {
        let mut record = record();
        record.systems[1].role = Role::Retriever;
        record.systems[1].comparison = Some(comparison(Verdict::Better));
        let found = finding(&record);
        assert!(found.contains("No reranker was run."), "{found}");
        assert!(
            found.ends_with(
                " mini, another first stage, reaches nDCG@10 0.750 (+0.250 against the first stage, 95% \
                 interval +0.125 to +0.375, p = 0.025, exploratory): better."
            ),
            "{found}"
        );
    }

    #[test]
    fn what_is_not_applicable_is_not_told_as_a_number() {
        let mut none = record();
        for system in &mut none.systems {
            system.quality[0].queries = 0;
        }
        assert_eq!(finding(&none), "Nothing was compared: of 2 queries, nDCG@10 applies to none.");
        let mut none = record();
        none.dataset.unanswerable = 2;
        assert_eq!(
            finding(&none),
            "Nothing was measured: of 2 queries, none has a relevant judgement."
        );
    }

    #[test]
    fn a_reranker_that_failed_gets_no_verdict() {
        let mut record = record();
        record.systems[1].failures.insert("7".into(), "scored NaN".to_owned());
        let found = finding(&record);
        assert!(found.starts_with("mini failed on 1 of "), "{found}");
        assert!(found.contains("'7': scored NaN") && !found.contains("interval"), "{found}");
    }

    #[test]
    fn what_is_not_live_is_recommended_by_no_sentence() {
        let mut record = record();
        record.systems[1].comparison = Some(comparison(Verdict::Better));
        record.systems[1].origin = Origin::Mock;
        let mock = finding(&record);
        assert!(mock.contains("made up and decide nothing"), "{mock}");
        let recorded = "2026-02-03T04:05:06Z".to_owned();
        record.systems[1].origin = Origin::Replay { recorded };
        let replay = finding(&record);
        assert!(replay.contains("recorded on 2026-02-03T04:05:06Z"), "{replay}");
        assert!(replay.contains("from 0.500 to 0.750") && replay.contains("decide nothing"));
        for told in [mock, replay] {
            assert!(!told.contains(&Verdict::Better.to_string()), "{told}");
        }
    }

    #[test]
    fn without_rerankers_the_ceiling_is_told() {
        let mut record = record();
        record.systems.remove(1);
        assert_eq!(
            finding(&record),
            "The first stage reaches nDCG@10 0.500; the best order of its top 50 would reach 0.900. \
             No reranker was run."
        );
        record.systems.pop();
        assert_eq!(finding(&record), "The first stage reaches nDCG@10 0.500. No reranker was run.");
        record.systems.clear();
        assert_eq!(finding(&record), "Nothing was measured.");
    }
}
