use anyhow::Result;
use secondpass_core::Context;
use secondpass_data::beir;
use secondpass_evaluation::training::Tested;
use secondpass_finetune::{Head, ModelSource, Recipe, TestSet, TrainingData, check_leak, test};
use secondpass_model::{DeviceSpec, Dtype, Engine};
use secondpass_text::{PairTokenizer, Scorer};

use super::candidates;
use crate::exit::usage;
use crate::load;
use crate::note::note;

/// Refuses, before anything is trained, tests whose queries are learnt, unless the recipe lets them.
pub fn check(recipe: &Recipe, data: TrainingData<'_>) -> Result<()> {
    for spec in &recipe.tests {
        let dataset = beir::read(&spec.set.path, &spec.set.split)?;
        check_leak(recipe, data, &spec.name, dataset.queries()).map_err(usage)?;
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
        let dataset = beir::read(&spec.set.path, &spec.set.split)?;
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
