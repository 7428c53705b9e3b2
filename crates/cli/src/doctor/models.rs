use secondpass_data::hub::{Cached, HubSettings, cached};

use super::{Finding, State, shown};

const SECTION: &str = "models";

/// What the hub's cache holds.
pub fn look() -> Vec<Finding> {
    let settings = HubSettings::from_env();
    findings(&cached(&settings), settings.offline)
}

fn findings(cached: &Cached, offline: bool) -> Vec<Finding> {
    let folder = cached.folder.display().to_string();
    let bytes: u64 = cached.models.iter().map(|model| model.bytes).sum();
    let count = cached.models.len();
    let offline_note = if offline { ", and HF_HUB_OFFLINE keeps to it" } else { "" };
    let found = format!("{folder}: {count} models, {}{offline_note}", shown(bytes));
    let (state, advice) = match (count, offline) {
        (0, true) => (State::Warning, "unset HF_HUB_OFFLINE for one run, or copy a cache here"),
        (0, false) => (
            State::Absent,
            "nothing to do; a model is downloaded when it is first used by its hub id",
        ),
        _ => (State::Ok, "nothing to do; HF_HOME moves it, `hf cache` removes models from it"),
    };
    let summary = Finding::new(SECTION, "hub cache", state, found)
        .advise(advice)
        .with("folder", folder)
        .with("bytes", bytes)
        .with("offline", offline);
    let models = cached.models.iter().map(|model| {
        let whole = model.missing.is_empty();
        let (state, found, advice) = match whole {
            true => (
                State::Ok,
                format!("{}, whole", shown(model.bytes)),
                "nothing to do; it needs no network".to_owned(),
            ),
            false => (
                State::Warning,
                format!("{}, lacks {}", shown(model.bytes), model.missing.join(", ")),
                format!("get the rest with `hf download {}`, or by using it online", model.id),
            ),
        };
        Finding::new(SECTION, model.id.clone(), state, found)
            .advise(advice)
            .with("bytes", model.bytes)
            .with("complete", whole)
            .with("missing", model.missing.clone())
    });
    [summary].into_iter().chain(models).collect()
}
