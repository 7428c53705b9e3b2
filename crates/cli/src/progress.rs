use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use secondpass_core::Context;
use secondpass_data::hub::OnProgress;
use secondpass_evaluation::Progress;

use crate::note::note;

/// A bar on standard error; invisible where that is not a terminal.
pub fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

/// A bar for each pass of an experiment, one after the other.
pub struct Passes {
    bar: ProgressBar,
    pass: usize,
    started: Instant,
}

impl Passes {
    pub fn new() -> Self {
        let template = "{msg} [{bar:24}] {pos}/{len} queries{prefix}";
        Self { bar: bar(0, template), pass: 0, started: Instant::now() }
    }

    /// Draws how far an experiment has come, its rate, and the time that this pass still needs.
    pub fn show(&mut self, progress: Progress<'_>) {
        if progress.number != self.pass {
            (self.pass, self.started) = (progress.number, Instant::now());
            let blank = if progress.pass.is_empty() { "" } else { ", " };
            self.bar.set_message(format!(
                "{}/{} {}{blank}{}",
                progress.number, progress.passes, progress.system, progress.pass
            ));
        }
        self.bar.set_length(progress.queries as u64);
        self.bar.set_position(progress.done as u64);
        let (live, seconds) =
            (progress.done - progress.reused, self.started.elapsed().as_secs_f64());
        if live > 0 && seconds > 0.0 {
            let rate = live as f64 / seconds;
            let left = (progress.queries - progress.done) as f64 / rate;
            self.bar.set_prefix(format!(", {rate:.1} a second, {left:.0} s left"));
        }
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// A bar for each file that is downloaded.
pub fn downloads() -> OnProgress {
    let all = MultiProgress::new();
    let bars: Mutex<HashMap<String, ProgressBar>> = Mutex::default();
    Arc::new(move |progress| {
        let mut bars = bars.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bars.entry(progress.file.clone()).or_insert_with(|| {
            let template = "{msg:24} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
            let bar = all.add(bar(progress.total.unwrap_or(0), template));
            bar.set_message(progress.file.clone());
            bar
        });
        if let Some(total) = progress.total {
            bar.set_length(total);
        }
        bar.set_position(progress.done);
        if progress.finished {
            bar.finish();
        }
    })
}

/// A context that Ctrl-C cancels; pressed twice, it ends the program at once.
pub fn cancellable() -> Context {
    cancellable_saying("stopping after the current step; press Ctrl-C again to end at once")
}

/// The same, with other words at the first Ctrl-C.
pub fn cancellable_saying(words: &'static str) -> Context {
    let context = Context::default();
    let cancel = context.cancel.clone();
    // A second handler in one process is the only way this fails; the first one then serves.
    let _ = ctrlc::set_handler(move || {
        if cancel.is_set() {
            std::process::exit(130);
        }
        note(words);
        cancel.set();
    });
    context
}
