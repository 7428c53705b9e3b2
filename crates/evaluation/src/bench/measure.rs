use super::drive::{Subject, drive};
use super::error::BenchError;
use super::load::Extent;
use super::plan::Cell;
use super::record::CellRecord;
use super::sample::Sample;
use super::summary::Measured;
use super::warm_up::{WarmUp, warm_up};

/// Measures one cell: warms up with its own number of clients, then puts its load on. The queries
/// that warmed are not those that are measured first. `filled` are the candidates that
/// [`super::workload`] added.
///
/// # Errors
/// Nothing could be asked or answered; see [`warm_up`] and [`drive`]. A measurement that was broken
/// off is no error: its record says so.
pub fn measure(
    subject: Subject<'_>,
    cell: Cell,
    filled: usize,
    settings: &WarmUp,
    extent: &Extent,
) -> Result<(CellRecord, Vec<Sample>), BenchError> {
    let warmed = warm_up(subject, cell.load.workers(), settings)?;
    let driven = drive(subject, &cell.load, extent, settings.window)?;
    let answered = || driven.samples.iter().filter(|sample| sample.failure.is_none());
    let record = CellRecord {
        cell,
        jobs: subject.jobs.len(),
        filled,
        warmed,
        measured: Measured::of(&driven.samples),
        live: answered().next().is_some() && answered().all(|sample| sample.live),
        cut_short: driven.cut_short.as_ref().map(ToString::to_string),
    };
    Ok((record, driven.samples))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use secondpass_core::Context;

    use super::*;
    use crate::bench::testing::{Outcome, Simulated, jobs};
    use crate::bench::virtual_clock::VirtualClock;

    #[test]
    fn warming_up_is_no_part_of_what_is_measured() {
        let clock = VirtualClock::default();
        // The first 20 are slow.
        let reranker = Simulated::new(&clock, |place| {
            (Duration::from_millis(if place < 20 { 900 } else { 10 }), Outcome::Answer)
        });
        let (jobs, context) = (jobs(50, 3), Context::default());
        let subject =
            Subject { reranker: &reranker, jobs: &jobs, clock: &clock, context: &context };
        let (record, samples) =
            measure(subject, Cell::default(), 4, &WarmUp::default(), &Extent::queries(100))
                .unwrap();
        assert_eq!((record.warmed.queries, record.warmed.first), (60, 0.9));
        assert!(record.live && record.cut_short.is_none());
        assert_eq!((record.jobs, record.filled, samples.len()), (50, 4, 100));
        assert!((record.measured.max - 0.01).abs() < 1e-9, "{}", record.measured.max);
        assert_eq!(samples[0].job, 20);
    }
}
