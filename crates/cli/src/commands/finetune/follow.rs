use anyhow::Result;
use secondpass_core::{Context, Memory};
use secondpass_evaluation::training::{TrainingRecord, TrainingStep};
use secondpass_finetune::{Event, Task, train};
use secondpass_text::Learner;

use crate::gibibytes::gibibytes;
use crate::note::note;
use crate::progress;

/// Steps between two lines where no bar is drawn.
const LINES: usize = 50;

/// Trains, and shows how it goes.
pub fn follow(
    task: &Task<'_>,
    learner: &mut dyn Learner,
    context: &Context,
) -> Result<TrainingRecord> {
    let bar = progress::bar(0, "{msg} [{bar:30}] {pos}/{len} steps");
    let say = |line: String| {
        // A bar that is not drawn prints nothing.
        if bar.is_hidden() { note(line) } else { bar.println(line) }
    };
    let mut losses = Vec::new();
    let record = train(task, learner, context, &mut |event| match event {
        Event::Resumed { step, of } => {
            say(format!("going on after step {step} of {of}, where it was stopped"));
        }
        Event::Step { step, of, left } => {
            let TrainingStep { step, loss, accuracy, learning_rate, tokens_per_second, .. } = step;
            losses.push(loss);
            let minutes = left.as_secs_f64() / 60.0;
            bar.set_length(of as u64);
            bar.set_position(step as u64);
            bar.set_message(format!(
                "loss {loss:.3} top-1 {accuracy:.2} rate {learning_rate:.1e} \
                 {tokens_per_second:.0} tokens/s {minutes:.1} min left"
            ));
            if bar.is_hidden() && step % LINES == 0 {
                let recent = &losses[losses.len().saturating_sub(LINES)..];
                let mean = recent.iter().sum::<f64>() / recent.len() as f64;
                note(format_args!(
                    "step {step}/{of}: loss {mean:.3}, {tokens_per_second:.0} tokens/s, \
                     {minutes:.1} min left"
                ));
            }
        }
        Event::Evaluated { step, value, best } => {
            let note = if best { ", the best so far" } else { "" };
            say(format!("step {step}: dev {} {value:.4}{note}", task.recipe.dev.measure));
        }
        Event::Warned(warning) => say(format!("warning: {warning}")),
        Event::Memory(bytes) => say(memory(bytes)),
    })?;
    bar.finish_and_clear();
    Ok(record)
}

/// What memory is needed, and what to do where it is not there.
fn memory(bytes: u64) -> String {
    let need = format!("about {} of memory for the model and its batches", gibibytes(bytes));
    match Memory::here() {
        Some(Memory { available, .. }) if available < bytes => format!(
            "warning: {need}, and {} are available; lower training.groups_per_batch or \
             training.max_length, or set training.recompute",
            gibibytes(available)
        ),
        _ => need,
    }
}
