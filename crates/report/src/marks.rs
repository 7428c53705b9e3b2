//! Marks of what decides nothing: the cells of a mock, whose figures are made up, and of a replay,
//! whose answers were recorded earlier.
//!
//! Tables name a system by [`name`] and charts by [`label`], and by nothing else, so that no figure of such a cell
//! stands anywhere without its mark.

use std::borrow::Cow;

use secondpass_core::Origin;
use secondpass_evaluation::{Record, SystemRecord};

use crate::format;

/// Characters of a date that is not one; a date takes ten.
const DATE: usize = 40;

/// Characters of a marked name on a chart: what a chart shortens further is its end, where the mark
/// stands.
const LABEL: usize = 60;

/// What a system is called wherever it is told of: `rerank (mock)`, `rerank (replay of 2026-01-12)`.
pub(crate) fn name(system: &SystemRecord) -> Cow<'_, str> {
    match mark(&system.origin) {
        None => Cow::Borrowed(&system.name),
        Some(mark) => Cow::Owned(format!("{} {mark}", system.name)),
    }
}

/// The same for a chart, where long names are shortened, but never their marks.
pub(crate) fn label(system: &SystemRecord) -> String {
    match mark(&system.origin) {
        None => system.name.clone(),
        Some(mark) => format!("{} {mark}", format::excerpt(&system.name, LABEL)),
    }
}

/// The same for a system that is known by its name; one that is not in the record stands as it is.
pub(crate) fn label_of(record: &Record, name: &str) -> String {
    let system = record.systems.iter().find(|system| system.name == name);
    system.map_or_else(|| name.to_owned(), label)
}

fn mark(origin: &Origin) -> Option<String> {
    match origin {
        Origin::Live => None,
        Origin::Mock => Some("(mock)".into()),
        Origin::Replay { recorded } => Some(format!("(replay of {})", day(recorded))),
    }
}

/// Why no verdict rests on a system's figures; `None` where it was live.
pub(crate) fn no_verdict(system: &SystemRecord) -> Option<&'static str> {
    match system.origin {
        Origin::Live => None,
        Origin::Mock => Some("a mock's figures are made up"),
        Origin::Replay { .. } => Some("a replay decides nothing"),
    }
}

/// What the marks of these systems mean; `None` where all were live.
pub(crate) fn meaning<'a>(systems: impl IntoIterator<Item = &'a SystemRecord>) -> Option<String> {
    kinds(systems).map(|kinds| format!("{kinds} Such figures decide nothing."))
}

fn kinds<'a>(systems: impl IntoIterator<Item = &'a SystemRecord>) -> Option<String> {
    let (mut mock, mut replay) = (false, false);
    for system in systems {
        mock |= system.origin == Origin::Mock;
        replay |= matches!(system.origin, Origin::Replay { .. });
    }
    let mock =
        mock.then_some("(mock): an imitation of the provider, whose scores and times are made up.");
    let replay =
        replay.then_some("(replay): answers and times recorded earlier, on the day named.");
    let kinds: Vec<&str> = mock.into_iter().chain(replay).collect();
    (!kinds.is_empty()).then(|| kinds.join(" "))
}

/// Which cells of a record decide nothing; `None` where all were live.
pub(crate) fn banner(record: &Record) -> Option<String> {
    let marked: Vec<Cow<'_, str>> =
        record.systems.iter().filter(|system| !system.origin.is_live()).map(name).collect();
    let kinds = kinds(&record.systems)?;
    let verb = if marked.len() == 1 { "decides" } else { "decide" };
    Some(format!("{} {verb} nothing. {kinds}", format::listed(&marked)))
}

/// The day of an RFC 3339 time; what is none stands as it is, shortened.
fn day(time: &str) -> String {
    match time.split_once('T') {
        Some((day, _)) if day.len() == 10 && day.is_ascii() => day.to_owned(),
        _ => format::excerpt(time, DATE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn names_carry_what_a_reader_must_know() {
        let mut system = fixture::record(1).systems.remove(1);
        assert_eq!(name(&system), "helpdesk-mini");
        assert_eq!(no_verdict(&system), None);
        system.origin = Origin::Mock;
        assert_eq!(name(&system), "helpdesk-mini (mock)");
        assert!(no_verdict(&system).is_some());
        system.origin = Origin::Replay { recorded: "2026-01-12T08:30:00Z".into() };
        assert_eq!(name(&system), "helpdesk-mini (replay of 2026-01-12)");
        system.origin = Origin::Replay { recorded: "日".repeat(99) };
        assert!(name(&system).chars().count() < 80, "{}", name(&system));
    }

    #[test]
    fn the_banner_names_every_cell_that_is_not_live() {
        assert_eq!(banner(&fixture::record(3)), None);
        let told = banner(&fixture::hosted()).unwrap();
        let named = "voyage (replay of 2026-01-12) and cohere-imitated (mock) decide nothing. ";
        assert!(told.starts_with(named), "{told}");
        assert!(told.contains("made up") && told.contains("recorded"), "{told}");

        let mut record = fixture::record(1);
        record.systems[1].origin = Origin::Mock;
        let told = banner(&record).unwrap();
        assert!(told.starts_with("helpdesk-mini (mock) decides nothing."), "{told}");
        assert!(!told.contains("replay"), "{told}");
    }
}
