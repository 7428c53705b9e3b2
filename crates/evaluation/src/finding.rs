use std::fmt;

use crate::record::{Difference, Record, Role, SystemRecord, Verdict};

impl Difference {
    /// What this difference shows.
    pub fn verdict(&self) -> Verdict {
        if self.low > 0.0 {
            Verdict::Better
        } else if self.high < 0.0 {
            Verdict::Worse
        } else {
            Verdict::CannotTell
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Better => "better than the first stage",
            Self::Worse => "worse than the first stage",
            Self::Equivalent => "equivalent to the first stage",
            Self::NonInferior => "not inferior to the first stage",
            Self::CannotTell => "no difference shown",
        })
    }
}

/// What was found, plainly: one sentence a reranker on the primary measure, or one on the first
/// stage where no reranker ran.
pub fn finding(record: &Record) -> String {
    let verdicts: Vec<String> = record
        .systems
        .iter()
        .filter(|system| system.role == Role::Reranker)
        .filter_map(|system| versus(record, system))
        .collect();
    match verdicts.is_empty() {
        true => first_stage_alone(record),
        false => verdicts.join(" "),
    }
}

fn versus(record: &Record, system: &SystemRecord) -> Option<String> {
    if let Some((query, reason)) = system.failures.first_key_value() {
        return Some(format!(
            "{} failed on {} of {} queries and is not compared; the first is '{query}': {reason}.",
            system.name,
            system.failures.len(),
            record.dataset.queries
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
    Some(format!(
        "{} {verb} {} from {before:.3} to {after:.3} ({:+.3}, 95% interval {:+.3} to {:+.3}): {}.",
        system.name,
        record.primary,
        difference.mean,
        difference.low,
        difference.high,
        difference.verdict()
    ))
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

fn mean_of(record: &Record, system: &SystemRecord) -> Option<f64> {
    let estimate = system.quality.iter().find(|estimate| estimate.measure == record.primary)?;
    Some(estimate.mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::record;

    #[test]
    fn each_verdict_in_a_sentence() {
        let mut record = record();
        let sentence = |record: &mut Record, mean: f64, low: f64, high: f64| {
            let difference = record.systems[1].versus_first_stage.as_mut().unwrap();
            (difference.mean, difference.low, difference.high) = (mean, low, high);
            record.systems[1].quality[0].mean = 0.5 + mean;
            finding(record)
        };
        assert_eq!(
            sentence(&mut record, 0.25, 0.1, 0.375),
            "mini raises nDCG@10 from 0.500 to 0.750 (+0.250, 95% interval +0.100 to +0.375): \
             better than the first stage."
        );
        assert!(sentence(&mut record, -0.25, -0.5, -0.1).starts_with("mini lowers nDCG@10"));
        assert!(finding(&record).ends_with(": worse than the first stage."));
        assert!(sentence(&mut record, 0.25, -0.1, 0.5).ends_with(": no difference shown."));
        assert!(sentence(&mut record, 0.0, 0.0, 0.0).starts_with("mini keeps nDCG@10"));
    }

    #[test]
    fn a_reranker_that_failed_gets_no_verdict() {
        let mut record = record();
        record.systems[1].failures.insert("7".into(), "scored NaN".to_owned());
        let found = finding(&record);
        assert!(found.starts_with("mini failed on 1 of "), "{found}");
        assert!(found.contains("'7': scored NaN") && !found.contains("than the first"), "{found}");
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
