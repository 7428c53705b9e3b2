use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use secondpass_core::Context;
use secondpass_data::hub::OnProgress;

use crate::note::note;

/// A bar on standard error; invisible where that is not a terminal.
pub fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
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
    let context = Context::default();
    let cancel = context.cancel.clone();
    // A second handler in one process is the only way this fails; the first one then serves.
    let _ = ctrlc::set_handler(move || {
        if cancel.is_set() {
            std::process::exit(130);
        }
        note("stopping after the current step; press Ctrl-C again to end at once");
        cancel.set();
    });
    context
}
