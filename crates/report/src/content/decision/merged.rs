use secondpass_evaluation::decision::{Decision, Evidence};
use secondpass_evaluation::{QueryRow, Record, Role};

/// All choices as if they had run in one experiment, with their rows; `None` without any evidence.
/// Their comparisons are the decision's, corrected over all of them.
pub(super) fn of(
    decision: &Decision,
    evidence: &[Evidence<'_>],
) -> Option<(Record, Vec<QueryRow>)> {
    let (first, others) = evidence.split_first()?;
    let mut record = first.record.clone();
    let mut rows = first.rows.to_vec();
    for other in others {
        let rerankers = other.record.systems.iter().filter(|s| s.role == Role::Reranker);
        let names: Vec<&str> = rerankers.clone().map(|system| system.name.as_str()).collect();
        let last = record.systems.iter().rposition(|s| s.role == Role::Reranker);
        let at = last.map_or(record.systems.len().min(1), |last| last + 1);
        record.systems.splice(at..at, rerankers.cloned());
        rows.extend(other.rows.iter().filter(|row| names.contains(&row.system.as_str())).cloned());
        let demonstration = other.record.experiment.demonstration.clone();
        let known = record.experiment.demonstration.take();
        record.experiment.demonstration = known.or(demonstration);
    }
    record.statistics.margin = decision.margin;
    record.statistics.corrected_over =
        decision.choices.iter().filter(|choice| choice.comparison.is_some()).count();
    for system in record.systems.iter_mut().filter(|system| system.role == Role::Reranker) {
        let judged = decision.choices.iter().skip(1).find(|choice| choice.name == system.name);
        system.comparison = judged.and_then(|choice| choice.comparison.clone());
    }
    Some((record, rows))
}

/// What was noticed in any of the records, each once.
pub(super) fn warnings(evidence: &[Evidence<'_>]) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for warning in evidence.iter().flat_map(|evidence| &evidence.record.experiment.warnings) {
        if !told.contains(warning) {
            told.push(warning.clone());
        }
    }
    told
}
