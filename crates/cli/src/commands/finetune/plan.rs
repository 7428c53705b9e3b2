use std::io::Write;

use anyhow::Result;
use secondpass_finetune::{Forecast, Task, forecast};
use secondpass_text::Learner;

use crate::args::FinetuneArgs;
use crate::gibibytes::gibibytes;

/// Prints what a training run would do.
pub fn print(args: &FinetuneArgs, task: &Task<'_>, learner: &mut dyn Learner) -> Result<()> {
    let forecast = forecast(task, learner)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&forecast)?)?;
        return Ok(());
    }
    for (what, value) in rows(task, &forecast) {
        writeln!(out, "{what:<14}{value}")?;
    }
    Ok(())
}

fn rows(task: &Task<'_>, forecast: &Forecast) -> Vec<(&'static str, String)> {
    let recipe = task.recipe;
    let cut = 100.0 * forecast.pairs_cut as f64 / forecast.pairs.max(1) as f64;
    vec![
        ("recipe", recipe.name.clone()),
        ("loss", recipe.loss.to_string()),
        ("groups", forecast.groups.to_string()),
        (
            "steps",
            format!(
                "{} of {} groups in {:.1} micro-batches of at most {}",
                forecast.steps,
                forecast.groups_per_step,
                forecast.batches_per_step,
                recipe.training.micro_batch
            ),
        ),
        (
            "lengths",
            format!(
                "{:.0} tokens on average, 95% at most {}, the longest {}; {cut:.1}% cut at {}",
                forecast.mean_length,
                forecast.length_95,
                forecast.longest,
                recipe.training.max_length
            ),
        ),
        ("dev", format!("{} evaluations of {} pairs", forecast.evaluations, forecast.dev_pairs)),
        (
            "memory",
            forecast.memory.map_or_else(
                || "not known for this device".to_owned(),
                |bytes| format!("about {} at most", gibibytes(bytes)),
            ),
        ),
        ("time", format!("about {}, from one step and one dev batch", time(forecast.seconds))),
    ]
}

fn time(seconds: f64) -> String {
    match seconds {
        below if below < 120.0 => format!("{below:.0} s"),
        below if below < 7200.0 => format!("{:.0} min", below / 60.0),
        more => format!("{:.1} h", more / 3600.0),
    }
}
