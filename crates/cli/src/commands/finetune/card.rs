//! The model card: what the model is, what it learnt from, what that changed, and what it is not.

use std::fmt::Write;

use secondpass_evaluation::training::{Change, Tested, TrainingRecord};
use secondpass_evaluation::{Difference, Estimate};
use secondpass_finetune::{DataSource, DevSet, JudgedSplit, ModelSource, Recipe};
use secondpass_report::training_verdict;

use crate::load::shown;

/// The `README.md` of a trained model, with the front matter that Hugging Face reads.
pub fn card(record: &TrainingRecord, recipe: &Recipe) -> String {
    let mut text = format!(
        "---\npipeline_tag: text-ranking\nlibrary_name: sentence-transformers\ntags:\n- cross-encoder\n\
         - reranker\n- secondpass\n---\n\n# {}\n\n{}\n\n",
        record.name,
        origin(recipe)
    );
    let mut section = |title: &str, body: &str| {
        // Writing to a String cannot fail.
        let _ = write!(text, "## {title}\n\n{}\n\n", body.trim_end());
    };
    section("Use", &usage(recipe));
    section("Data", &data(record, recipe));
    section("Training", &training(record, recipe));
    section("Figures", &figures(record));
    section("Limits", &limits(record, recipe));
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// What training changed on each set, a sentence each: against the model before where there was one,
/// and always against the first stage, which a reranker has to beat to be worth its time.
pub fn sentences(tested: &[Tested]) -> Vec<String> {
    let told = |change: &Change, than: &str| {
        let Difference { mean, low, high, helped, hurt, .. } = &change.difference;
        format!(
            "{} ({mean:+.4} [{low:+.4}, {high:+.4}]; {helped} queries won, {hurt} lost)",
            training_verdict(change, than)
        )
    };
    let sentence = |tested: &Tested| {
        let before = tested.against_before.as_ref().map(|change| told(change, "the model before"));
        let first = told(&tested.against_first_stage, "the first stage");
        format!(
            "{}{}: {} {:.4}, {}",
            tested.name,
            if tested.other_domain { " (another domain)" } else { "" },
            tested.after.measure,
            tested.after.mean,
            before.into_iter().chain([first]).collect::<Vec<_>>().join("; ")
        )
    };
    tested.iter().map(sentence).collect()
}

fn origin(recipe: &Recipe) -> String {
    match &recipe.model {
        ModelSource::Random { .. } => {
            "A cross-encoder for reranking, trained from random weights.".to_owned()
        }
        ModelSource::Folder { path, .. } => format!(
            "A cross-encoder for reranking, fine-tuned from `{}`.",
            shown(&path.display().to_string())
        ),
    }
}

fn usage(recipe: &Recipe) -> String {
    format!(
        "```python\nfrom sentence_transformers import CrossEncoder\n\n\
         model = CrossEncoder(\"path/to/this/folder\")\n\
         scores = model.predict([(\"a query\", \"a document\")])\n```\n\n\
         Scores are logits: they order the documents of one query, and mean nothing across queries. \
         Pairs are cut at {} tokens ({}).",
        recipe.training.max_length, recipe.training.truncation
    )
}

fn data(record: &TrainingRecord, recipe: &Recipe) -> String {
    // A set by its own name: no path of this machine travels with the model.
    let name = |path: &std::path::Path| match path.file_name() {
        Some(file) => file.to_string_lossy().into_owned(),
        None => shown(&path.display().to_string()),
    };
    let split = |split: &JudgedSplit| format!("`{}` ({})", name(&split.path), split.split);
    let set = match &recipe.data {
        DataSource::Embedded(name) => format!("the embedded set `{name}`"),
        DataSource::Beir { train, dev } => {
            format!("{}; checkpoints compared on {}", split(train), split(dev))
        }
        DataSource::BeirAndRun { train, dev, run, .. } => format!(
            "{} with negatives from `{}`; checkpoints compared on {}",
            split(train),
            name(run),
            split(dev)
        ),
        DataSource::Files { paths, dev, .. } => {
            let files: Vec<String> = paths.iter().map(|path| format!("`{}`", name(path))).collect();
            let dev = match dev {
                DevSet::Beir(dev) => split(dev),
                DevSet::Golden { path, .. } => format!("`{}`", name(path)),
            };
            format!("{}; checkpoints compared on {dev}", files.join(", "))
        }
    };
    let cut = 100.0 * record.truncation.pairs_cut as f64 / record.truncation.pairs.max(1) as f64;
    format!(
        "Learnt from {set}: {} groups of one positive and {} negatives, repeated ones counted again, \
         {} tokens. {cut:.1}% of the pairs were cut. Hash of the training data: `{}`.",
        record.groups,
        recipe.sampling.total(),
        record.tokens,
        record.identity.data.short()
    )
}

fn training(record: &TrainingRecord, recipe: &Recipe) -> String {
    let training = &recipe.training;
    let mut text = format!(
        "{} of {} steps of {} groups in {:.0} s on {}; loss: {}; learning rate {:e}, weight decay {}, \
         seed {}. The whole recipe is in `recipe.toml`, every step in `training.json`.\n",
        record.steps.len(),
        record.of,
        training.groups_per_step,
        record.seconds,
        record.identity.device,
        record.loss,
        training.learning_rate,
        training.weight_decay,
        record.seed
    );
    if !record.warnings.is_empty() {
        text.push_str("\nWarnings while it was trained:\n\n");
        for warning in &record.warnings {
            let _ = writeln!(text, "- {warning}");
        }
    }
    text
}

fn figures(record: &TrainingRecord) -> String {
    let mut text = String::new();
    if let (Some(first), Some(best)) = (record.evaluations.first(), record.best) {
        let _ = writeln!(
            text,
            "On dev, where this checkpoint was chosen ({} queries): {} {:.4} before training, {:.4} at \
             step {}. Being chosen there, it is too high an estimate.\n",
            record.dev_queries, record.measure, first.value, best.value, best.step
        );
    }
    if record.tested.is_empty() {
        text.push_str(
            "No test set was named in the recipe: how good the model is elsewhere is not known.",
        );
        return text;
    }
    text.push_str(
        "| set | measure | queries | first stage | before | after |\n|---|---|---|---|---|---|\n",
    );
    let shown = |estimate: &Estimate| {
        format!("{:.4} [{:.4}, {:.4}]", estimate.mean, estimate.low, estimate.high)
    };
    for tested in &record.tested {
        let before = tested.before.as_ref().map_or_else(|| "random head".to_owned(), &shown);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {before} | {} |",
            tested.name,
            tested.after.measure,
            tested.after.queries,
            shown(&tested.first_stage),
            shown(&tested.after)
        );
    }
    text.push('\n');
    for sentence in sentences(&record.tested) {
        let _ = writeln!(text, "- {sentence}");
    }
    text.push_str("\nIn brackets are 95% bootstrap intervals over queries.");
    text
}

fn limits(record: &TrainingRecord, recipe: &Recipe) -> String {
    let mut text = format!(
        "- Beyond {} tokens a pair is cut; what is cut is not read.\n\
         - It ranks what a first stage found, and was trained on that task alone.\n",
        recipe.training.max_length
    );
    match record.tested.iter().any(|tested| tested.other_domain) {
        true => text.push_str("- The figures on another domain above show what it forgot there.\n"),
        false => text.push_str(
            "- It was not tested on another domain: what it forgot there is not known.\n",
        ),
    }
    if recipe.allow_overlap {
        text.push_str(
            "- The recipe lets queries be in training, dev and tests at once: figures may show what \
             was memorized.\n",
        );
    }
    if recipe.keep.half {
        text.push_str(
            "- Weights are stored as 16-bit floats, rounded from the trained 32-bit ones.\n",
        );
    }
    if record.stopped {
        text.push_str("- Training was stopped before its end.\n");
    }
    text
}
