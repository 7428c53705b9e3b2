//! The error rates of the tests in worlds whose truth is known.
//!
//! A world draws nDCG@10-like values of one relevant document a query: 0 where it did not come into
//! the first ten, else one over the logarithm of its rank, which gives skew, ties and zeros. Two
//! systems agree on about half of the queries.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Settings, compare, equivalence, holm, non_inferiority, randomization, t_test};
use crate::record::Verdict;

const WORLDS: usize = 2000;
const PERMUTATIONS: usize = 499;
const ALPHA: f64 = 0.05;
/// One point. Over 2000 worlds the rate of a test that holds 5% lies within it 96 times in 100.
const POINT: f64 = 0.01;
const SYSTEMS: usize = 4;
/// A margin that these worlds, of 30 to 100 queries, often show.
const MARGIN: f64 = 0.1;

/// How often in a hundred the one relevant document has each rank from 1; the last is that it is not
/// among the first ten.
const PERCENT: [u32; 11] = [34, 14, 9, 6, 4, 3, 3, 2, 2, 1, 22];

/// nDCG@10 of one relevant document at an index into [`PERCENT`].
fn gain(index: usize) -> f64 {
    match index {
        10.. => 0.0,
        _ => 1.0 / (index as f64 + 2.0).log2(),
    }
}

fn value(random: &mut ChaCha8Rng) -> f64 {
    let mut draw = random.random_range(0..100_u32);
    for (index, percent) in PERCENT.into_iter().enumerate() {
        match draw.checked_sub(percent) {
            Some(rest) => draw = rest,
            None => return gain(index),
        }
    }
    unreachable!("the shares sum to 100")
}

/// The mean of `|a - b|` over two independent values.
fn mean_distance() -> f64 {
    let places = || PERCENT.into_iter().enumerate();
    let pairs = places().flat_map(|a| places().map(move |b| (a, b)));
    let of = |((a, n), (b, m))| (gain(a) - gain(b)).abs() * f64::from(n * m);
    pairs.map(of).sum::<f64>() / 10_000.0
}

/// A baseline's values, and those of systems that are interchangeable with it: each value is the
/// query's own in half of the cases, and another draw in the rest.
fn null_world(random: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
    let queries = random.random_range(30..=100_u32);
    let mut systems = vec![Vec::new(); SYSTEMS];
    for _ in 0..queries {
        let own = value(random);
        let mut seen = || match random.random_bool(0.65) {
            true => own,
            false => value(random),
        };
        let baseline = seen();
        for system in &mut systems {
            system.push(seen() - baseline);
        }
    }
    systems
}

/// A system that is truly better than its baseline by exactly the margin: an unlikely draw brings
/// the relevant document up, all others are even.
fn world_at_the_margin(random: &mut ChaCha8Rng) -> Vec<f64> {
    let queries = random.random_range(30..=100_u32);
    let improved = MARGIN / mean_distance();
    (0..queries)
        .map(|_| {
            let distance = value(random) - value(random);
            match random.random_bool(improved) {
                true => distance.abs(),
                false if random.random_bool(0.3) => distance,
                false => 0.0,
            }
        })
        .collect()
}

/// Shares of so many worlds in which each of several things happened.
fn rates<const N: usize>(
    worlds: usize,
    seed: u64,
    mut world: impl FnMut(&mut ChaCha8Rng) -> [bool; N],
) -> [f64; N] {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut counts = [0_usize; N];
    for _ in 0..worlds {
        for (count, happened) in counts.iter_mut().zip(world(&mut random)) {
            *count += usize::from(happened);
        }
    }
    counts.map(|count| count as f64 / worlds as f64)
}

#[test]
fn tests_of_difference_hold_their_level() {
    let [t, fisher, uncorrected, family] = rates(WORLDS, 1, |random| {
        let systems = null_world(random);
        let p = |values: &Vec<f64>| randomization(values, PERMUTATIONS, random.random()).p;
        let p_values: Vec<f64> = systems.iter().map(p).collect();
        [
            t_test(&systems[0]).is_some_and(|test| test.p < ALPHA),
            p_values[0] < ALPHA,
            p_values.iter().any(|p| *p < ALPHA),
            holm(&p_values).iter().any(|p| *p < ALPHA),
        ]
    });
    println!("t {t}, randomization {fisher}, any of {SYSTEMS} {uncorrected}, Holm {family}");
    assert!((t - ALPHA).abs() <= POINT, "t test: {t}");
    assert!((fisher - ALPHA).abs() <= POINT, "randomization test: {fisher}");
    // Holm holds for any dependence; here systems share a baseline, which makes it conservative.
    assert!(family <= ALPHA + POINT, "Holm over {SYSTEMS} systems: {family}");
    assert!(uncorrected > ALPHA + 2.0 * POINT, "this world would show a missing correction");
}

#[test]
fn tests_against_a_margin_hold_their_level() {
    let [equivalent, not_inferior, at_zero] = rates(WORLDS, 2, |random| {
        let gains = world_at_the_margin(random);
        let losses: Vec<f64> = gains.iter().map(|value| -value).collect();
        let shown = |p: Option<f64>| p.is_some_and(|p| p < ALPHA);
        [
            shown(equivalence(&gains, MARGIN)),
            shown(non_inferiority(&losses, MARGIN)),
            shown(non_inferiority(&gains, MARGIN)),
        ]
    });
    println!("equivalence {equivalent}, non-inferiority {not_inferior}, power {at_zero}");
    // Two one-sided tests are conservative where the spread is wide against the margin.
    assert!(equivalent <= ALPHA + POINT, "equivalence at the margin: {equivalent}");
    assert!(equivalent >= ALPHA - 2.0 * POINT, "equivalence has no power: {equivalent}");
    assert!((not_inferior - ALPHA).abs() <= POINT, "non-inferiority: {not_inferior}");
    assert!(at_zero > 0.5, "a truly better system is shown not to be inferior: {at_zero}");
}

#[test]
fn verdicts_are_seldom_wrong() {
    let settings =
        Settings::default().with_margin(MARGIN).unwrap().with_permutations(PERMUTATIONS).unwrap();
    let [differs, equivalent, not_inferior] = rates(WORLDS, 3, |random| {
        let settings = settings.with_seed(random.random());
        let nothing = compare(&[&null_world(random)[0]], &settings)[0].verdict;
        let gains = world_at_the_margin(random);
        let losses: Vec<f64> = gains.iter().map(|value| -value).collect();
        let (gain, loss) =
            (compare(&[&gains], &settings)[0].verdict, compare(&[&losses], &settings)[0].verdict);
        [
            matches!(nothing, Verdict::Better | Verdict::Worse),
            gain == Verdict::Equivalent || gain == Verdict::Worse,
            matches!(loss, Verdict::Equivalent | Verdict::NonInferior | Verdict::Better),
        ]
    });
    println!("differs {differs}, equivalent {equivalent}, not inferior {not_inferior}");
    for wrong in [differs, equivalent, not_inferior] {
        assert!(wrong <= ALPHA + POINT, "{wrong}");
    }
}

#[test]
fn the_detectable_difference_is_shown_as_often_as_told() {
    // Truth: a spread known beforehand, a mean that is exactly what those queries can show.
    let null = {
        let mut random = ChaCha8Rng::seed_from_u64(9);
        let mut pool = Vec::new();
        while pool.len() < 6000 {
            pool.extend(null_world(&mut random).remove(0));
        }
        pool.truncate(6000);
        pool
    };
    // 60 queries with the spread of the pool: what the pool detects, times the root of 100.
    let whole = super::detectable(&null, ALPHA, 0.8).unwrap();
    let shift = whole * (null.len() as f64 / 60.0).sqrt();
    let mean = crate::mean(&null);
    let [shown] = rates(WORLDS, 4, |random| {
        let draw = |random: &mut ChaCha8Rng| null[random.random_range(0..6000_u32) as usize];
        let sample: Vec<f64> = (0..60).map(|_| draw(random) - mean + shift).collect();
        [randomization(&sample, PERMUTATIONS, random.random()).p < ALPHA]
    });
    println!("shown {shown}");
    assert!((shown - 0.8).abs() <= 0.03, "{shown}");
}
