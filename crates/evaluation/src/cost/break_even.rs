use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{CostModel, Hosted, HostedTerms, Load, SelfHosted, SelfHostedTerms, Terms};
use crate::quantile::quantile;

/// Draws that a range rests on.
const DRAWS: usize = 1000;
/// Draws that the range of a curve rests on: fewer, since nothing but a picture does.
const CURVE_DRAWS: usize = 200;
/// Fixed, so that the same figures give the same range.
const SEED: u64 = 20_261_124;
/// The ends of a range, as shares of the draws.
const ENDS: (f64, f64) = (0.05, 0.95);
/// Steps that are gone through at most; beyond them prices are all but equal.
const STEPS: usize = 100_000;

/// Where machines of one's own become cheaper than a provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BreakEven {
    /// The choice on machines of one's own.
    pub self_hosted: String,
    /// The choice that somebody bills for.
    pub hosted: String,
    /// Queries a month from which the machines are cheaper for good, at the figures' own values;
    /// `None` where they never are.
    pub volume: Option<f64>,
    /// Below this the provider is cheaper in 95% of the draws; `None` where the machines never are
    /// in as many.
    pub low: Option<f64>,
    /// From this on the machines are cheaper in 95% of the draws; `None` where fewer ever are.
    pub high: Option<f64>,
    /// The share of the draws in which they ever are, 0 to 1.
    pub ever: f64,
}

/// One volume of a curve that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CostPoint {
    /// Queries a month.
    pub volume: f64,
    /// US dollars a month, at the figures' own values.
    pub usd: f64,
    /// Below this it costs in 5% of the draws, where the figures lie in their ranges.
    pub low: f64,
    /// Above this it costs in 5% of them.
    pub high: f64,
}

/// Queries a month from which machines are cheaper than the provider for good: above that volume no
/// machine more makes them dearer again. `None` where there is no such volume.
pub fn break_even(own: &SelfHostedTerms, hosted: &HostedTerms<'_>, load: &Load) -> Option<f64> {
    let steps = own.steps(load);
    let slope: f64 = steps.iter().map(|(carried, hours)| hours * own.machine / carried).sum();
    let gain = hosted.last_query() - slope;
    let beatable = gain > 0.0 && slope.is_finite();
    if !beatable {
        return None;
    }
    // From here on at the latest, machines are cheaper: rounded up, they cost at most what they do at
    // volume 0 more than a straight line, and the provider's last price holds.
    let last = hosted.discounts.last().map_or(0.0, |discount| discount.from);
    let saved = hosted.month(last) - last * hosted.last_query();
    let mut above = ((own.month(load, 0.0) - saved) / gain).max(last);
    for _ in 0..STEPS {
        // The last step before, and what the machines cost up to `above`.
        let below = steps.iter().map(|(carried, _)| last_step(above, *carried)).fold(0.0, f64::max);
        let middle = below + (above - below) / 2.0;
        let crossing = hosted.volume_at(own.month(load, middle))?;
        if crossing > below {
            return Some(crossing.min(above));
        }
        if below <= 0.0 {
            return Some(0.0);
        }
        above = below;
    }
    Some(above)
}

/// The largest multiple of `carried` below `volume`.
fn last_step(volume: f64, carried: f64) -> f64 {
    ((volume / carried - 1e-9).ceil() - 1.0).max(0.0) * carried
}

/// [`break_even`] at the figures' own values, with its range where they lie in theirs.
pub fn break_even_range(
    own: (&str, &SelfHosted),
    provider: (&str, &Hosted),
    load: &Load,
) -> BreakEven {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut drawn: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let mut number = |figure: &super::Figure| figure.at(share(&mut random));
            let terms = own.1.terms(&mut number);
            let hosted = provider.1.terms(&mut number);
            break_even(&terms, &hosted, load).unwrap_or(f64::INFINITY)
        })
        .collect();
    drawn.sort_unstable_by(f64::total_cmp);
    let ever = drawn.iter().filter(|volume| volume.is_finite()).count() as f64 / DRAWS as f64;
    let end = |share: f64| Some(quantile(&drawn, share)).filter(|volume| volume.is_finite());
    BreakEven {
        self_hosted: own.0.to_owned(),
        hosted: provider.0.to_owned(),
        volume: break_even(&own.1.point(), &provider.1.point(), load),
        low: end(ENDS.0),
        high: end(ENDS.1),
        ever,
    }
}

/// A chance above 0 and below 1.
pub(crate) fn share(random: &mut ChaCha8Rng) -> f64 {
    random.random_range(f64::EPSILON..1.0)
}

/// What a month costs at volumes from `low` to `high`, evenly placed on a logarithmic scale, with the
/// range in which 90% of the draws lie.
pub fn over_volume(
    model: &CostModel,
    load: &Load,
    (low, high): (f64, f64),
    points: usize,
) -> Vec<CostPoint> {
    let terms = model.point();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let is_exact = model.figures().iter().all(|figure| figure.is_exact());
    let draws = if is_exact { 0 } else { CURVE_DRAWS };
    let drawn: Vec<Terms<'_>> =
        (0..draws).map(|_| model.terms(|figure| figure.at(share(&mut random)))).collect();
    let ratio = (high / low).ln() / points.saturating_sub(1).max(1) as f64;
    let volumes = (0..points).map(|point| low * (ratio * point as f64).exp());
    let point = |volume: f64| {
        let usd = terms.month(load, volume);
        let mut months: Vec<f64> = drawn.iter().map(|terms| terms.month(load, volume)).collect();
        months.sort_unstable_by(f64::total_cmp);
        let end = |share| if months.is_empty() { usd } else { quantile(&months, share) };
        CostPoint { volume, usd, low: end(ENDS.0), high: end(ENDS.1) }
    };
    volumes.map(point).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secondpass_core::BillingUnit;

    use super::*;
    use crate::cost::{Basis, Discount, Figure, HOURS_A_MONTH, Scaling};

    fn machines(scaling: Scaling, rate: f64, staff: f64) -> SelfHostedTerms {
        SelfHostedTerms { machine: 1.0, planned_rate: rate, rate, spare: 1, scaling, staff }
    }

    #[test]
    fn known_by_hand() {
        // One query a second a machine: 2,628,000 a month. Two machines cost 1,460.
        let own = machines(Scaling::Fixed, 1.0, 0.0);
        let hosted = |query| HostedTerms { query, discounts: &[] };
        let at = |query| break_even(&own, &hosted(query), &Load::flat());
        assert!((at(0.001).unwrap() - 1_460_000.0).abs() < 1.0);
        // At 0.0006, two machines are cheaper from 2.43 M, but three (2,190) only from 3.65 M on.
        assert!((at(0.0006).unwrap() - 3_650_000.0).abs() < 1.0);
        // A machine carries a query for 0.000278: nothing below that is ever beaten.
        assert_eq!(at(0.000_277), None);
        assert!(at(0.000_28).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn cheaper_above_and_not_just_below(
            rate in 0.5..20.0_f64, query in 0.0001..0.01_f64, staff in 0.0..2000.0_f64,
            curve in prop::collection::vec(0.1..5.0_f64, 24), hourly: bool, share in 0.0..0.4_f64,
        ) {
            let load = Load::over_day(&curve).unwrap();
            let own = machines(if hourly { Scaling::Hourly } else { Scaling::Fixed }, rate, staff);
            let discounts = [Discount { from: 1e6, share }];
            let hosted = HostedTerms { query, discounts: &discounts };
            let cheaper = |volume: f64| own.month(&load, volume) <= hosted.month(volume) + 1e-6;
            match break_even(&own, &hosted, &load) {
                None => prop_assert!(!cheaper(1e13)),
                Some(volume) => {
                    for factor in 1..400 {
                        let above = volume * (1.0 + f64::from(factor) * 0.01);
                        prop_assert!(cheaper(above), "dearer at {above} above {volume}");
                    }
                    prop_assert!(!cheaper(volume * (1.0 - 1e-6)), "cheaper just below {volume}");
                }
            }
        }
    }

    #[test]
    fn a_range_holds_the_volume() {
        let figure = |value: f64, low, high| {
            Figure::exact(value, Basis::Assumed, None, "here").within(low, high).unwrap()
        };
        let own = SelfHosted {
            machine: figure(1.0, 1.0, 1.0),
            rate: figure(10.0, 10.0, 10.0),
            candidates: 50.0,
            utilisation: figure(0.5, 0.3, 0.7),
            spare: 1,
            scaling: Scaling::Fixed,
            staff: None,
        };
        let hosted = Hosted {
            unit: BillingUnit::SearchUnit,
            price: figure(0.002, 0.0015, 0.0025),
            units: figure(1.0, 1.0, 1.0),
            units_at_50: None,
            discounts: Vec::new(),
        };
        let told = break_even_range(("ours", &own), ("theirs", &hosted), &Load::flat());
        // Two machines' price over the price of a query, which alone decides here.
        let month = 2.0 * HOURS_A_MONTH;
        assert!((told.volume.unwrap() - month / 0.002).abs() < 1.0);
        let (low, high) = (told.low.unwrap(), told.high.unwrap());
        assert!((low / (month / 0.002_45) - 1.0).abs() < 0.02, "{low}");
        assert!((high / (month / 0.001_55) - 1.0).abs() < 0.02, "{high}");
        assert_eq!(told.ever, 1.0);
        let cheap = Hosted { price: figure(1e-9, 1e-9, 1e-9), ..hosted };
        let never = break_even_range(("ours", &own), ("theirs", &cheap), &Load::flat());
        assert_eq!((never.volume, never.low, never.ever), (None, None, 0.0));
    }

    #[test]
    fn a_curve_to_draw() {
        let curve = over_volume(&CostModel::Free, &Load::flat(), (1e4, 1e6), 3);
        let volumes: Vec<f64> = curve.iter().map(|point| point.volume.round()).collect();
        assert_eq!(volumes, [1e4, 1e5, 1e6]);
        assert!(curve.iter().all(|point| (point.low, point.usd, point.high) == (0.0, 0.0, 0.0)));
    }

    #[test]
    fn a_curve_has_its_range() {
        let price = Figure::exact(0.002, Basis::Vendor, None, "here").within(0.001, 0.003).unwrap();
        let hosted = CostModel::Hosted(Hosted {
            unit: BillingUnit::SearchUnit,
            price,
            units: Figure::exact(1.0, Basis::Measured, None, "here"),
            units_at_50: None,
            discounts: Vec::new(),
        });
        for point in over_volume(&hosted, &Load::flat(), (1e3, 1e6), 5) {
            assert!((point.usd / point.volume - 0.002).abs() < 1e-12, "{point:?}");
            // The ends of 90% of an even range from 0.001 to 0.003.
            assert!((point.low / point.volume - 0.0011).abs() < 1e-4, "{point:?}");
            assert!((point.high / point.volume - 0.0029).abs() < 1e-4, "{point:?}");
        }
    }
}
