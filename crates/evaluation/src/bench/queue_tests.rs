//! Simulated servers under both loops, held against queueing theory.

use std::time::Duration;

use secondpass_core::{Cancel, Context};

use super::clock::{Clock, SystemClock};
use super::drive::{CutShort, Driven, Subject, drive};
use super::load::{Arrivals, Extent, Load};
use super::sample::Sample;
use super::summary::{Measured, SHARES};
use super::testing::{Outcome, Simulated, golden, jobs};
use super::virtual_clock::VirtualClock;

const SERVICE: Duration = Duration::from_millis(20);

fn driven(clock: &VirtualClock, reranker: &Simulated<'_>, load: &Load, extent: &Extent) -> Driven {
    let (jobs, context) = (jobs(7, 2), Context::default());
    drive(Subject { reranker, jobs: &jobs, clock, context: &context }, load, extent, 0).unwrap()
}

fn poisson(rate: f64, workers: usize) -> Load {
    Load::Open { rate, arrivals: Arrivals::Poisson { seed: 11 }, workers }
}

/// The samples of a server that has been running for a while: the first of a cold start wait less.
fn settled(driven: &Driven) -> Measured {
    Measured::of(&driven.samples[5_000..])
}

/// Holds percentiles against theory: each within 6% of it, and no more bounds on the wrong side than
/// bounds of 95% are by chance: of 32, more than 5 are once in 100 times.
fn agree(
    queue: &str,
    expected: &[(f64, Vec<f64>)],
    reranker: impl Fn(&VirtualClock) -> Simulated<'_>,
) {
    let (mut bounds, mut wrong) = (0, 0);
    // At 0.9 queries hang together over more than can be simulated here.
    for (load, expected) in expected.iter().filter(|(load, _)| *load < 0.9) {
        let clock = VirtualClock::default();
        let rate = load / SERVICE.as_secs_f64();
        let driven =
            driven(&clock, &reranker(&clock), &poisson(rate, 1), &Extent::queries(105_000));
        let measured = settled(&driven);
        for (share, expected) in SHARES.iter().zip(expected) {
            let found = measured.percentile(*share).unwrap();
            let in_services = |seconds: f64| seconds / SERVICE.as_secs_f64();
            let value = in_services(found.value);
            let what = format!("{queue} at {load}, p{}", share * 100.0);
            assert!(
                (value - expected).abs() <= 0.06 * expected,
                "{what}: {value}, theory {expected}"
            );
            // Times are whole nanoseconds.
            let low = in_services(found.low.unwrap()) > expected + 1e-6;
            let high = in_services(found.high.unwrap()) < expected - 1e-6;
            wrong += usize::from(low) + usize::from(high);
            bounds += 2;
        }
    }
    assert!(bounds == 32 && wrong <= 5, "{queue}: {wrong} of {bounds} bounds are wrong");
}

#[test]
fn constant_service_waits_as_in_md1() {
    agree("M/D/1", &golden().md1, |clock| Simulated::constant(clock, SERVICE));
}

#[test]
fn random_service_waits_as_in_mm1() {
    agree("M/M/1", &golden().mm1, |clock| Simulated::exponential(clock, SERVICE, 3));
}

#[test]
fn a_pool_of_workers_waits_as_in_mmc() {
    for (workers, load, waits, expected) in &golden().mmc {
        let clock = VirtualClock::default();
        let reranker = Simulated::exponential(&clock, SERVICE, 3);
        let rate = *workers as f64 * load / SERVICE.as_secs_f64();
        let driven = driven(&clock, &reranker, &poisson(rate, *workers), &Extent::queries(20_000));
        let samples = &driven.samples[5_000..];
        let waited: Vec<f64> = samples.iter().map(|s| s.waited().as_secs_f64()).collect();
        let what = format!("M/M/{workers} at {load}");
        let share = waited.iter().filter(|wait| **wait > 0.0).count() as f64 / waited.len() as f64;
        assert!((share - waits).abs() < 0.02, "{what}: {share} wait, theory {waits}");
        let found = super::percentiles(&waited, &[0.9, 0.95]);
        for (found, expected) in found.iter().zip(&expected[1..3]) {
            let value = found.value / SERVICE.as_secs_f64();
            assert!(
                (value - expected).abs() < 0.15 * expected,
                "{what}: {value}, theory {expected}"
            );
        }
    }
}

#[test]
fn a_machine_that_serves_one_at_a_time_is_no_faster_for_many_clients() {
    for clients in [1, 4] {
        let clock = VirtualClock::default();
        let reranker = Simulated::constant(&clock, SERVICE).single();
        let load = Load::Closed { clients };
        let measured =
            Measured::of(&driven(&clock, &reranker, &load, &Extent::queries(400)).samples);
        assert!((measured.throughput.queries - 50.0).abs() < 1e-6);
        let median = measured.percentile(0.5).unwrap().value;
        assert!((median - 0.02 * clients as f64).abs() < 1e-9, "{clients}: {median}");
    }
}

#[test]
fn a_stall_shows_in_an_open_loop_and_hides_in_a_closed_one() {
    // 5 ms each, 50 queries a second, and one stall of 2 s in 2,000 queries.
    let measured = |load: Load| {
        let clock = VirtualClock::default();
        let reranker = Simulated::new(&clock, |place| {
            let stall = if place == 1_000 { 2_000 } else { 0 };
            (Duration::from_millis(5 + stall), Outcome::Answer)
        });
        Measured::of(&driven(&clock, &reranker, &load, &Extent::queries(2_000)).samples)
    };
    let p99 = |measured: &Measured| measured.percentile(0.99).unwrap().value;
    let closed = measured(Load::Closed { clients: 1 });
    assert!((p99(&closed) - 0.005).abs() < 1e-9, "{}", p99(&closed));
    assert!((closed.max - 2.005).abs() < 1e-9);
    let open = measured(Load::Open { rate: 50.0, arrivals: Arrivals::Constant, workers: 1 });
    // 100 queries came meanwhile, and the last of them waited least. The backlog shrinks by three
    // quarters of what arrives, so that 133 waited in all: 6.7% of them.
    let late = open.percentile(0.95).unwrap().value;
    assert!((0.4..0.7).contains(&late), "{late}");
    assert!((1.6..1.9).contains(&p99(&open)), "{}", p99(&open));
    assert!(open.waiting > 0.05, "{}", open.waiting);
}

#[test]
fn more_arrivals_than_answers_end_by_impatience() {
    let clock = VirtualClock::default();
    let reranker = Simulated::constant(&clock, SERVICE);
    let extent = Extent { patience: Some(Duration::from_secs(1)), ..Extent::queries(10_000) };
    let driven = driven(&clock, &reranker, &poisson(100.0, 1), &extent);
    assert_eq!(driven.cut_short, Some(CutShort::Overloaded));
    // 50 of 100 a second are left over: the wait is 1 s after some 2 s.
    assert!((80..130).contains(&driven.samples.len()), "{}", driven.samples.len());
}

#[test]
fn samples_are_in_order_and_know_their_jobs() {
    let clock = VirtualClock::default();
    let reranker = Simulated::exponential(&clock, SERVICE, 5);
    let driven = driven(&clock, &reranker, &poisson(100.0, 3), &Extent::queries(500));
    let mut before = Duration::ZERO;
    for (place, sample) in driven.samples.iter().enumerate() {
        assert!(before <= sample.intended && sample.intended <= sample.start);
        assert!(sample.start <= sample.end && sample.live);
        assert_eq!((sample.job, sample.candidates, sample.pairs), (place % 7, 2, 2));
        assert_eq!(sample.timings.compute, sample.end - sample.start);
        before = sample.intended;
    }
    assert_eq!(driven.samples.len(), 500);
}

#[test]
fn a_closed_loop_ends_with_its_time() {
    let clock = VirtualClock::default();
    let reranker = Simulated::constant(&clock, SERVICE);
    let extent = Extent { at_most: Some(Duration::from_millis(90)), ..Extent::queries(100) };
    let driven = driven(&clock, &reranker, &Load::Closed { clients: 2 }, &extent);
    // Each client asks at 0, 20, 40, 60 and 80 ms.
    assert_eq!((driven.samples.len(), driven.cut_short), (10, None));
}

#[test]
fn failures_are_kept_and_a_lost_reranker_ends_the_load() {
    let clock = VirtualClock::default();
    let reranker = Simulated::new(&clock, |place| {
        let outcome = match place {
            3 => Outcome::Failure,
            9 => Outcome::Unavailable,
            _ => Outcome::Answer,
        };
        (SERVICE, outcome)
    });
    let driven = driven(&clock, &reranker, &Load::Closed { clients: 1 }, &Extent::queries(50));
    assert_eq!(driven.samples.len(), 10);
    assert!(driven.samples[3].failure.as_deref().unwrap().contains("no luck"));
    assert!(!driven.samples[3].live);
    assert!(matches!(driven.cut_short, Some(CutShort::Unavailable(why)) if why.contains("no key")));
}

#[test]
fn a_user_can_stop_it() {
    let clock = VirtualClock::default();
    let context = Context { cancel: Cancel::default(), ..Context::default() };
    let reranker = Simulated::new(&clock, |place| {
        if place == 4 {
            context.cancel.set();
        }
        (SERVICE, Outcome::Answer)
    });
    let jobs = jobs(3, 2);
    let subject = Subject { reranker: &reranker, jobs: &jobs, clock: &clock, context: &context };
    // One a minute: it does not wait for the next arrival to notice.
    let load = Load::Open { rate: 1.0 / 60.0, arrivals: Arrivals::Constant, workers: 1 };
    let driven = drive(subject, &load, &Extent::queries(50), 0).unwrap();
    assert_eq!((driven.samples.len(), driven.cut_short), (5, Some(CutShort::Stopped)));
    assert!(clock.now() < Duration::from_secs(4 * 60 + 1), "{:?}", clock.now());
}

#[test]
fn real_threads_ask_every_query_once() {
    let (nobody_waits, jobs, context) = (VirtualClock::default(), jobs(200, 2), Context::default());
    let reranker = Simulated::constant(&nobody_waits, Duration::ZERO);
    let clock = SystemClock::new();
    let subject = Subject { reranker: &reranker, jobs: &jobs, clock: &clock, context: &context };
    let arrivals = Arrivals::Constant;
    for load in [Load::Closed { clients: 4 }, Load::Open { rate: 20_000.0, arrivals, workers: 4 }] {
        let driven = drive(subject, &load, &Extent::queries(200), 0).unwrap();
        assert!(driven.samples.iter().map(|sample| sample.job).eq(0..200));
        let in_order = |s: &Sample| s.intended + s.late <= s.start && s.start <= s.end;
        assert!(driven.samples.iter().all(in_order));
    }
}
