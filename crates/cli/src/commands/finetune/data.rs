use std::collections::HashMap;
use std::fmt::Write;

use anyhow::{Result, anyhow};
use secondpass_core::{Dataset, QueryId};
use secondpass_data::training::{self, TrainingSet};
use secondpass_data::triples::Group;
use secondpass_data::{beir, embedded, golden, trec};
use secondpass_finetune::mine::{Selection, groups_of_run};
use secondpass_finetune::{DataSource, DevSet, FinetuneError, Recipe, groups_of_judgements};

use crate::exit::usage;
use crate::note::note;

/// What is learnt, and what checkpoints are compared on.
pub struct Data {
    pub training: Dataset,
    pub groups: Vec<Group>,
    pub dev: Dataset,
    /// Where each training query stands, where ids do not tell.
    pub origins: HashMap<QueryId, String>,
}

/// What a recipe learns from, read from wherever it says.
pub fn data(recipe: &Recipe) -> Result<Data> {
    let dev = dev(recipe)?;
    let mut origins = HashMap::new();
    let (training, groups) = match &recipe.data {
        DataSource::Embedded(_) => (embedded::helpdesk("train")?, embedded::helpdesk_groups()?),
        DataSource::Beir { train, .. } => {
            let training = beir::read(&train.path, &train.split)?;
            let groups = groups_of_judgements(&training);
            (training, groups)
        }
        DataSource::BeirAndRun { train, run, ranks, negatives, .. } => {
            let training = beir::read(&train.path, &train.split)?;
            let (ranks, num_negatives) = (*ranks, *negatives);
            let selection = Selection { ranks, num_negatives, ..Selection::default() };
            let found = trec::read_run(run)?;
            let mined = groups_of_run(&training, &found, &selection);
            let shown = run.display();
            let (groups, seen) = mined
                .map_err(|error| usage(anyhow!("{}: data.run {shown}: {error}", recipe.file)))?;
            if seen.unranked > 0 {
                note(format_args!(
                    "warning: {} of the {} training queries are not in {shown}; their negatives are \
                     those judged not relevant, or random",
                    seen.unranked, seen.queries
                ));
            }
            (training, groups)
        }
        DataSource::Files { layout, paths, .. } => {
            let set = training::read(paths, *layout)?;
            let TrainingSet { dataset, groups, origins: found } = set;
            origins = found;
            (dataset, groups)
        }
    };
    Ok(Data { training, groups, dev, origins })
}

/// What checkpoints of a recipe's model are compared on.
pub fn dev(recipe: &Recipe) -> Result<Dataset> {
    match &recipe.data {
        DataSource::Embedded(name) if name == embedded::NAME => Ok(embedded::helpdesk("dev")?),
        DataSource::Embedded(name) => {
            let (file, there) = (&recipe.file, embedded::NAME);
            Err(usage(anyhow!("{file}: key 'data.name' is '{name}'; there is '{there}'")))
        }
        DataSource::Beir { dev, .. } | DataSource::BeirAndRun { dev, .. } => {
            Ok(beir::read(&dev.path, &dev.split)?)
        }
        DataSource::Files { dev, .. } => evaluated(dev),
    }
}

/// A set to evaluate on.
pub fn evaluated(set: &DevSet) -> Result<Dataset> {
    Ok(match set {
        DevSet::Beir(set) => beir::read(&set.path, &set.split)?,
        DevSet::Golden { path, corpus } => golden::read(path, corpus.as_deref())?.dataset,
    })
}

/// The most queries that are shown for an error.
const SHOWN: usize = 5;

/// An error of training with the texts of the queries that it names, and where they stand: the ids of
/// files without any are hashes, which stand nowhere.
pub fn located(
    error: anyhow::Error,
    training: &Dataset,
    origins: &HashMap<QueryId, String>,
) -> anyhow::Error {
    let mut lines = String::new();
    let Some(found) = error.downcast_ref::<FinetuneError>() else { return error };
    let is_asked = matches!(found, FinetuneError::Leak { .. } | FinetuneError::DevLeak { .. });
    for id in found.queries().iter().take(SHOWN) {
        let Some(query) = training.queries().iter().find(|query| query.id == *id) else { continue };
        let text: String = query.text.chars().take(80).collect();
        let cut = if text.len() < query.text.len() { "…" } else { "" };
        let place = origins.get(id).map_or_else(String::new, |place| format!(" ({place})"));
        // Writing to a String cannot fail.
        let _ = write!(lines, "\n  '{id}'{place}: {text}{cut}");
    }
    let error = if lines.is_empty() { error } else { anyhow!("{error}{lines}") };
    if is_asked { usage(error) } else { error }
}
