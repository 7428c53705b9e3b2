use std::collections::{HashMap, HashSet};

use secondpass_core::{Query, QueryId};
use secondpass_data::normalized;

use crate::{FinetuneError, Recipe, TrainingData};

/// A query that stands on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Its id in training (or in dev, where dev is held against a tested set).
    pub training: QueryId,
    /// Its id in dev, or another set that the model is evaluated on.
    pub dev: QueryId,
    /// The training query as it is written.
    pub text: String,
}

/// The training queries that are queries of dev (or another set) too but for case, punctuation and
/// blanks, in the order of training.
pub fn leak<'a>(
    training: impl IntoIterator<Item = &'a Query>,
    dev: impl IntoIterator<Item = &'a Query>,
) -> Vec<Leak> {
    let dev: HashMap<String, &Query> =
        dev.into_iter().map(|query| (normalized(&query.text), query)).collect();
    let leaked = |query: &Query| {
        let found = dev.get(&normalized(&query.text))?;
        let (training, dev) = (query.id.clone(), found.id.clone());
        Some(Leak { training, dev, text: query.text.clone() })
    };
    training.into_iter().filter_map(leaked).collect()
}

/// Refuses training queries that stand in a set of this name, unless the recipe lets them.
///
/// # Errors
/// There are some.
pub fn check_leak(
    recipe: &Recipe,
    data: TrainingData<'_>,
    set: &str,
    evaluated: &[Query],
) -> Result<(), FinetuneError> {
    if recipe.allow_overlap {
        return Ok(());
    }
    let used: HashSet<_> = data.groups.iter().map(|group| &group.query).collect();
    let used = data.queries.iter().filter(|query| used.contains(&query.id));
    let leaks = leak(used, evaluated);
    match leaks.first() {
        Some(first) => Err(FinetuneError::Leak {
            set: set.to_owned(),
            count: leaks.len(),
            first: first.clone(),
        }),
        None => Ok(()),
    }
}

/// Refuses dev queries that stand in a set of this name, which is tested on, unless the recipe lets
/// them.
///
/// # Errors
/// There are some.
pub fn check_dev(
    recipe: &Recipe,
    dev: &[Query],
    set: &str,
    tested: &[Query],
) -> Result<(), FinetuneError> {
    let leaks = if recipe.allow_overlap { Vec::new() } else { leak(dev, tested) };
    match leaks.first() {
        Some(first) => Err(FinetuneError::DevLeak {
            set: set.to_owned(),
            count: leaks.len(),
            first: first.clone(),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::query;

    #[test]
    fn case_punctuation_and_blanks_do_not_hide_a_leak() {
        let training = [query("t1", "How do I log in?"), query("t2", "log out"), query("t3", "?")];
        let dev = [query("d1", "how do  i LOG in"), query("d2", "!"), query("d3", "logout")];
        let leaks = leak(&training, &dev);
        assert_eq!(leaks.len(), 1);
        assert_eq!((leaks[0].training.as_str(), leaks[0].dev.as_str()), ("t1", "d1"));
    }
}
