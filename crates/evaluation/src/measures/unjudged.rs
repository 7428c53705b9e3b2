use super::{Bounds, JudgedRanking, Measure, NamedMeasure};

/// How far unjudged documents of the ranking could move a measure.
///
/// `low` is the measure as it is reported, with none of them relevant. `high` is the most it could
/// be, had any of them been judged relevant at grade 1: a value that some judgement attains, never
/// above 1 and never below `low`. That all of them are relevant is one case among these, and not
/// always the best one: relevant documents far down also raise what the ranking is divided by.
/// (Of any number of relevant ones, the measure is highest when they are those that rank first, so
/// that the cases are as many as there are unjudged documents. The condensed list of `judged_only`
/// moves with every judgement, as do the judged not relevant documents that bpref counts, to which
/// grade 1 belongs at `rel=2`: for these, `high` is attained, and may not be the most.)
pub fn unjudged_bounds(joined: &JudgedRanking, measure: &NamedMeasure) -> Bounds {
    let low = measure.of(joined);
    let cases = (1..=joined.unjudged()).map(|count| joined.with_unjudged_relevant(count));
    let high = cases.map(|case| measure.of(&case)).fold(low, f64::max);
    Bounds { low, high: if low.is_nan() { low } else { high } }
}
