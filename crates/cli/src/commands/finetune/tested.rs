use anyhow::Result;
use secondpass_core::{Context, Dataset};
use secondpass_evaluation::training::Tested;
use secondpass_finetune::{
    Head, ModelSource, Recipe, TestSet, TrainingData, check_dev, check_leak, test,
};
use secondpass_model::{DeviceSpec, Dtype, Engine};
use secondpass_text::{PairTokenizer, Scorer};

use super::candidates;
use super::data::evaluated;
use crate::load;
use crate::note::note;

/// Refuses, before anything is trained, tests whose queries are learnt or chosen on, unless the recipe
/// lets them.
pub fn check(recipe: &Recipe, data: TrainingData<'_>, dev: &Dataset) -> Result<()> {
    for spec in &recipe.tests {
        let dataset = evaluated(&spec.set)?;
        check_leak(recipe, data, &spec.name, dataset.queries())?;
        check_dev(recipe, dev.queries(), &spec.name, dataset.queries())?;
    }
    Ok(())
}

/// The model before and after training, on every set that the recipe names. `None` when it was
/// stopped.
pub fn tested(
    recipe: &Recipe,
    folder: &std::path::Path,
    device: DeviceSpec,
    tokenizer: &PairTokenizer,
    context: &Context,
) -> Result<Option<Vec<Tested>>> {
    if recipe.tests.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let engine = |path: &std::path::Path| -> Result<Engine> {
        let files = load::files(&path.display().to_string(), None)?;
        Ok(Engine::load(&files.config, &files.weights, device, Dtype::F32)?)
    };
    // A random head ranks at random: there is nothing to compare with.
    let before = match &recipe.model {
        ModelSource::Folder { path, head: Head::Kept, .. } => Some(engine(path)?),
        _ => None,
    };
    let after = engine(folder)?;
    let mut all = Vec::new();
    for spec in &recipe.tests {
        note(format_args!("testing on '{}'", spec.name));
        let dataset = evaluated(&spec.set)?;
        let candidates = candidates(&dataset, spec.depth, spec.pool)?;
        let set = TestSet { spec, dataset: &dataset, candidates: &candidates };
        let before = before.as_ref().map(|before| before as &dyn Scorer);
        match test(set, before, &after, tokenizer, context)? {
            Some(tested) => all.push(tested),
            None => return Ok(None),
        }
    }
    Ok(Some(all))
}
