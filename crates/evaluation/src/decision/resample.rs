//! All figures drawn anew together: queries with replacement, the same for every choice; prices,
//! rates and the rest within their ranges, a fact that several choices share once.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::function::beta::beta_reg;

use super::case::{Case, Choice, Timing};
use super::config::DecideConfig;
use crate::cost::{CostModel, Figure};

/// What became of each choice in the resamples; index 0 is the first stage.
pub(super) struct Resampled {
    /// Resamples in which it is the best choice.
    pub wins: Vec<usize>,
    /// Resamples in which it keeps the limits and is not inferior by more than the margin.
    pub good_enough: Vec<usize>,
    /// Its mean quality in each.
    pub quality: Vec<Vec<f64>>,
    /// Its cost a month in each, in US dollars; empty where it is not known.
    pub month: Vec<Vec<f64>>,
}

/// One who takes part.
pub(super) struct Entrant {
    /// Mean quality.
    pub quality: f64,
    /// US dollars a month.
    pub month: f64,
    /// Whether it keeps the limits.
    pub allowed: bool,
}

/// The index of the best: the cheapest of those allowed that are not inferior to the best of them by
/// more than the margin; of equally cheap ones the better.
pub(super) fn best(entrants: &[Entrant], margin: f64) -> Option<usize> {
    let top = top(entrants)?;
    let good = |entrant: &Entrant| is_good_enough(entrant, top, margin);
    let candidates = entrants.iter().enumerate().filter(|(_, entrant)| good(entrant));
    let order = |a: &Entrant, b: &Entrant| {
        a.month.total_cmp(&b.month).then_with(|| b.quality.total_cmp(&a.quality))
    };
    candidates.min_by(|a, b| order(a.1, b.1)).map(|(index, _)| index)
}

/// The best quality of those allowed.
pub(super) fn top(entrants: &[Entrant]) -> Option<f64> {
    entrants.iter().filter(|e| e.allowed).map(|e| e.quality).max_by(f64::total_cmp)
}

pub(super) fn is_good_enough(entrant: &Entrant, top: f64, margin: f64) -> bool {
    // Means of the same values added in another order differ by rounding.
    entrant.allowed && entrant.quality >= top - margin - 1e-12
}

/// The chance that a choice's 95th percentile is within `limit`. Of times, each is within it or not,
/// and the share that is has Jeffreys' posterior; of a percentile alone, it lies in its range.
pub(super) fn in_time(timing: &Timing, limit: f64) -> f64 {
    match timing.seconds.len() {
        0 => {
            let grid = 200_u32;
            let shares = (0..grid).map(|i| (f64::from(i) + 0.5) / f64::from(grid));
            let within = shares.filter(|share| timing.p95.at(*share) <= limit).count();
            within as f64 / f64::from(grid)
        }
        all => {
            let within = timing.seconds.iter().filter(|seconds| **seconds <= limit).count();
            1.0 - beta_reg(within as f64 + 0.5, (all - within) as f64 + 0.5, 0.95)
        }
    }
}

/// Draws everything [`DecideConfig::resamples`] times.
pub(super) fn resample(case: &Case, config: &DecideConfig) -> Resampled {
    let mut random = ChaCha8Rng::seed_from_u64(config.seed);
    let systems = case.choices.len() + 1;
    let means = Means::new(case, config);
    let facts = Facts::new(&case.choices);
    let chances: Vec<f64> = case.choices.iter().map(|choice| chance(choice, config)).collect();
    let budget = config.constraints.usd_per_month.unwrap_or(f64::INFINITY);
    let mut done = Resampled {
        wins: vec![0; systems],
        good_enough: vec![0; systems],
        quality: vec![Vec::with_capacity(config.resamples); systems],
        month: vec![Vec::with_capacity(config.resamples); systems],
    };
    for _ in 0..config.resamples {
        let quality = means.draw(&mut random);
        let numbers = facts.draw(&mut random);
        let mut entrants = Vec::with_capacity(systems);
        entrants.push(Entrant { quality: quality[0], month: 0.0, allowed: true });
        for (place, choice) in case.choices.iter().enumerate() {
            let quality = means.believed(place + 1, &quality);
            let month = choice.cost.as_ref().map(|cost| facts.month(place, cost, &numbers, config));
            let in_time = unit(&mut random) < chances[place];
            let allowed = in_time && month.is_some_and(|usd| usd <= budget);
            if let Some(usd) = month {
                done.month[place + 1].push(usd);
            }
            let month = month.unwrap_or(f64::INFINITY);
            entrants.push(Entrant { quality, month, allowed });
        }
        done.month[0].push(0.0);
        for (all, quality) in done.quality.iter_mut().zip(&quality) {
            all.push(*quality);
        }
        let top = top(&entrants).unwrap_or_default();
        for (count, entrant) in done.good_enough.iter_mut().zip(&entrants) {
            *count += usize::from(is_good_enough(entrant, top, config.margin));
        }
        if let Some(best) = best(&entrants, config.margin) {
            done.wins[best] += 1;
        }
    }
    done
}

/// The chance that it keeps what does not depend on prices.
fn chance(choice: &Choice, config: &DecideConfig) -> f64 {
    if !choice.out(config).is_empty() {
        return 0.0;
    }
    match (config.constraints.p95_seconds, &choice.timing) {
        (None, _) => 1.0,
        (Some(_), None) => 0.0,
        (Some(limit), Some(timing)) => in_time(timing, limit),
    }
}

fn unit(random: &mut ChaCha8Rng) -> f64 {
    // The upper 53 bits, in the middle of their step: above 0 and below 1.
    ((random.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// Values a query, all systems' beside each other.
struct Means {
    systems: usize,
    queries: u32,
    values: Vec<f64>,
    means: Vec<f64>,
    /// Means of resamples vary by a factor `(n - 1) / n` too little, which few queries show.
    widen: f64,
    /// For each system, what becomes of its gain over the first stage.
    shrinkage: Vec<Shrinkage>,
}

/// Few queries exaggerate how much choices differ: the best of several looks better than it is, the
/// worst looks worse. So each gain is drawn nearer to the mean of all, the more the less certain it
/// is against the spread of them (empirical Bayes: Efron and Morris 1975).
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shrinkage {
    /// The gain that was measured.
    measured: f64,
    /// The gain to believe in.
    believed: f64,
    /// What a resample's distance from the measured gain is multiplied by.
    scale: f64,
}

/// What the spread of true gains is taken for before any is seen, as a share of the spread of the
/// first stage over queries: 0.1 where nDCG spreads by 0.4, as on most sets.
const USUAL_SPREAD: f64 = 0.25;
/// How many gains that is worth.
const USUAL_WEIGHT: f64 = 3.0;

/// Of several gains with their squared errors.
fn shrink(gains: &[(f64, f64)], usual: f64) -> Vec<Shrinkage> {
    let count = gains.len() as f64;
    let mean = gains.iter().map(|gain| gain.0).sum::<f64>() / count.max(1.0);
    let squares: f64 = gains.iter().map(|gain| (gain.0 - mean).powi(2)).sum();
    let spread = (USUAL_WEIGHT * usual * usual + squares) / (USUAL_WEIGHT + count - 1.0);
    let of = |&(measured, error): &(f64, f64)| {
        let trust = if error > 0.0 { spread / (spread + error) } else { 1.0 };
        Shrinkage {
            measured,
            believed: mean + trust * (measured - mean),
            // The second part is the uncertainty of the mean itself.
            scale: (trust + (1.0 - trust) / count).sqrt(),
        }
    };
    gains.iter().map(of).collect()
}

fn variance(values: &[f64]) -> f64 {
    let mean = crate::mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    squares / (values.len() as f64 - 1.0).max(1.0)
}

impl Means {
    fn new(case: &Case, config: &DecideConfig) -> Self {
        let systems = case.choices.len() + 1;
        let queries = case.first_stage.len();
        let columns: Vec<&[f64]> = std::iter::once(case.first_stage.as_slice())
            .chain(case.choices.iter().map(|choice| choice.quality.as_slice()))
            .collect();
        let value = |query: usize, column: &&[f64]| column.get(query).copied().unwrap_or_default();
        let values = (0..queries).flat_map(|query| columns.iter().map(move |c| value(query, c)));
        let count = queries as f64;
        let gain = |choice: &Choice| {
            let gains = crate::differences(&choice.quality, &case.first_stage);
            (crate::mean(&gains), variance(&gains) / count.max(1.0))
        };
        let usual = USUAL_SPREAD * variance(&case.first_stage).sqrt();
        // Those that are out say nothing of the others.
        let takes_part = |choice: &Choice| choice.out(config).is_empty();
        let taking_part = case.choices.iter().filter(|choice| takes_part(choice));
        let mut shrunk = shrink(&taking_part.map(gain).collect::<Vec<_>>(), usual).into_iter();
        let itself = Shrinkage { measured: 0.0, believed: 0.0, scale: 1.0 };
        let of = |choice: &Choice| match takes_part(choice) {
            true => shrunk.next().unwrap_or(itself),
            false => itself,
        };
        let shrinkage = std::iter::once(itself).chain(case.choices.iter().map(of)).collect();
        Self {
            shrinkage,
            systems,
            queries: u32::try_from(queries).unwrap_or(u32::MAX),
            values: values.collect(),
            means: columns.iter().map(|column| crate::mean(column)).collect(),
            widen: if queries > 1 { (count / (count - 1.0)).sqrt() } else { 1.0 },
        }
    }

    /// The quality to believe in, given what a resample shows of all.
    fn believed(&self, system: usize, drawn: &[f64]) -> f64 {
        let Shrinkage { measured, believed, scale } = self.shrinkage[system];
        drawn[0] + believed + scale * (drawn[system] - drawn[0] - measured)
    }

    fn draw(&self, random: &mut ChaCha8Rng) -> Vec<f64> {
        let mut sums = vec![0.0; self.systems];
        let mut add = |half: u32| {
            let query = ((u64::from(half) * u64::from(self.queries)) >> 32) as usize;
            let row = &self.values[query * self.systems..][..self.systems];
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        };
        for _ in 0..self.queries / 2 {
            let word = random.next_u64();
            add(word as u32);
            add((word >> 32) as u32);
        }
        if self.queries % 2 == 1 {
            add(random.next_u64() as u32);
        }
        let count = f64::from(self.queries.max(1));
        for (sum, mean) in sums.iter_mut().zip(&self.means) {
            *sum = mean + (*sum / count - mean) * self.widen;
        }
        sums
    }
}

/// The figures of all choices, each fact once.
struct Facts<'a> {
    facts: Vec<&'a Figure>,
    /// For each choice, the facts of its cost model.
    of: Vec<Vec<usize>>,
}

impl<'a> Facts<'a> {
    fn new(choices: &'a [Choice]) -> Self {
        let mut facts: Vec<&Figure> = Vec::new();
        let figures = choices
            .iter()
            .map(|choice| choice.cost.as_ref().map(CostModel::figures).unwrap_or_default());
        let mut of = Vec::with_capacity(choices.len());
        for figures in figures {
            let mut places = Vec::with_capacity(figures.len());
            for figure in figures {
                let known = facts.iter().position(|fact| fact.is_same_fact(figure));
                places.push(known.unwrap_or_else(|| {
                    facts.push(figure);
                    facts.len() - 1
                }));
            }
            of.push(places);
        }
        Self { facts, of }
    }

    fn draw(&self, random: &mut ChaCha8Rng) -> Vec<f64> {
        let number = |figure: &&Figure| match figure.is_exact() {
            true => figure.value,
            false => figure.at(unit(random)),
        };
        self.facts.iter().map(number).collect()
    }

    fn month(
        &self,
        choice: usize,
        cost: &CostModel,
        numbers: &[f64],
        config: &DecideConfig,
    ) -> f64 {
        let mut places = self.of[choice].iter();
        let next = |figure: &Figure| places.next().map_or(figure.value, |place| numbers[*place]);
        cost.terms(next).month(&config.load, config.volume.queries_per_month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::Basis;

    #[test]
    fn uncertain_gains_are_drawn_together_and_certain_ones_are_not() {
        let certain = shrink(&[(0.1, 0.0), (0.3, 0.0)], 0.1);
        assert!(certain.iter().all(|gain| gain.believed == gain.measured && gain.scale == 1.0));
        let uncertain = shrink(&[(0.1, 0.02), (0.3, 0.02)], 0.1);
        // Spread (3 x 0.01 + 2 x 0.01) / 4 = 0.0125, trust 0.0125 / 0.0325.
        let trust = 0.0125 / 0.0325;
        assert!((uncertain[0].believed - (0.2 - 0.1 * trust)).abs() < 1e-12);
        assert!((uncertain[1].scale - (trust + (1.0 - trust) / 2.0).sqrt()).abs() < 1e-12);
        // Alone it has nothing to be drawn to.
        let alone = shrink(&[(0.1, 0.02)], 0.1)[0];
        assert!((alone.believed - 0.1).abs() < 1e-12 && (alone.scale - 1.0).abs() < 1e-12);
        assert!(shrink(&[], 0.1).is_empty());
    }

    #[test]
    fn the_chance_of_being_in_time() {
        let timing = |seconds: Vec<f64>, low: f64, high: f64| {
            let p95 = Figure::exact(0.2, Basis::Assumed, None, "here").within(low, high).unwrap();
            Timing { p95, seconds }
        };
        // Of 20 times within the limit, 95% of all may be or not; of 500 they are.
        let few = in_time(&timing(vec![0.1; 20], 0.2, 0.2), 0.2);
        assert!(0.8 < few && few < 0.9, "{few}");
        assert!(in_time(&timing(vec![0.1; 500], 0.2, 0.2), 0.2) > 0.999);
        let mut half = vec![0.1; 95];
        half.extend([0.3; 5]);
        let chance = in_time(&timing(half, 0.2, 0.2), 0.2);
        assert!((chance - 0.5).abs() < 0.1, "{chance}");
        assert_eq!(in_time(&timing(Vec::new(), 0.2, 0.2), 0.2), 1.0);
        assert_eq!(in_time(&timing(Vec::new(), 0.1, 0.3), 0.15), 0.25);
    }

    #[test]
    fn the_best_is_the_cheapest_that_is_good_enough() {
        let of = |quality, month, allowed| Entrant { quality, month, allowed };
        let entrants =
            [of(0.5, 0.0, true), of(0.6, 10.0, true), of(0.605, 20.0, true), of(0.7, 1.0, false)];
        assert_eq!(best(&entrants, 0.01), Some(1));
        assert_eq!(best(&entrants, 0.001), Some(2));
        assert_eq!(best(&entrants, 0.2), Some(0));
        assert_eq!(best(&[], 0.1), None);
    }
}
