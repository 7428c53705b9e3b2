//! Axes: their range, round ticks and where a value lies.

/// An axis with its ticks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis for a measure from 0 to 1 that shows all of `values` with some air, and no more.
    pub(crate) fn share(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = extent(values).unwrap_or((0.0, 1.0));
        // At least a tenth wide, so that noise does not look like a gulf.
        let air = (0.08 * (high - low)).max(0.05 - (high - low) / 2.0);
        Self::linear((low - air).max(0.0), (high + air).min(1.0), 6)
    }

    /// An axis for times in milliseconds: from 0, or logarithmic where the values span more than a
    /// factor of 20 and none is 0.
    pub(crate) fn milliseconds(values: impl IntoIterator<Item = f64>) -> Self {
        Self::amounts(values)
    }

    /// An axis for amounts in US dollars, as [`Axis::milliseconds`] is for times.
    pub(crate) fn dollars(values: impl IntoIterator<Item = f64>) -> Self {
        let mut axis = Self::amounts(values);
        for (_, label) in &mut axis.ticks {
            // Half a dollar is 50 cents.
            if label.split_once('.').is_some_and(|(_, decimals)| decimals.len() == 1) {
                label.push('0');
            }
            label.insert(0, '$');
        }
        axis
    }

    /// A logarithmic axis for queries a month, labelled in thousands and millions.
    pub(crate) fn volumes(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = extent(values).filter(|(low, _)| *low > 0.0).unwrap_or((1.0, 10.0));
        let mut axis = Self::decades(low, high.max(low * 2.0));
        // No room beyond the data: the curves end where the axis does.
        (axis.low, axis.high) = (low, high.max(low * 2.0));
        axis.ticks.retain(|(value, _)| (low * 0.999..=high * 1.001).contains(value));
        for (value, label) in &mut axis.ticks {
            *label = short(*value);
        }
        axis
    }

    /// An axis for US dollars a month, as [`Axis::dollars`], with thousands and millions as such.
    pub(crate) fn months(values: impl IntoIterator<Item = f64>) -> Self {
        let mut axis = Self::amounts(values);
        for (value, label) in &mut axis.ticks {
            *label = format!("${}", if *value == 0.0 { "0".to_owned() } else { short(*value) });
        }
        axis
    }

    fn amounts(values: impl IntoIterator<Item = f64>) -> Self {
        match extent(values) {
            Some((low, high)) if low > 0.0 && high > 20.0 * low => {
                Self::decades(low * 0.93, high * 1.07)
            }
            Some((_, high)) if high > 0.0 => Self::linear(0.0, high * 1.06, 6),
            _ => Self::linear(0.0, 1.0, 6),
        }
    }

    /// An axis for numbers of any range, such as scores, that shows all of `values`.
    pub(crate) fn number(values: impl IntoIterator<Item = f64>) -> Self {
        // What no picture can tell apart any more is cut off, so that no difference overflows.
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (low, high) =
            extent(finite.map(|value| value.clamp(-1e300, 1e300))).unwrap_or((0.0, 1.0));
        let air = match high - low {
            width if width > 1e-9 * low.abs().max(high.abs()) => 0.0,
            _ => (0.1 * low.abs()).max(0.5),
        };
        Self::linear(low - air, high + air, 8)
    }

    /// An axis for differences of measures: 0 in the middle, from -1 to 1 at most.
    pub(crate) fn difference(values: impl IntoIterator<Item = f64>) -> Self {
        let most = extent(values.into_iter().map(f64::abs)).map_or(0.0, |(_, high)| high);
        let end = [0.1, 0.2, 0.5, 1.0].into_iter().find(|end| most <= *end).unwrap_or(1.0);
        Self::linear(-end, end, 4)
    }

    /// An axis for shares from 0 up to the greatest of `values`, in percent.
    pub(crate) fn percent(values: impl IntoIterator<Item = f64>) -> Self {
        let high = extent(values).map_or(1.0, |(_, high)| high.clamp(0.01, 1.0));
        let mut axis = Self::linear(0.0, 100.0 * high, 4);
        for (value, label) in &mut axis.ticks {
            *value /= 100.0;
            label.push('%');
        }
        axis.high /= 100.0;
        axis
    }

    /// An axis for the places of `count` things in a row.
    pub(crate) fn count(count: usize) -> Self {
        let count = count.max(1) as f64;
        let mut axis = Self::linear(0.0, count, 6);
        // No room for things that are not there.
        axis.high = count;
        axis.ticks.retain(|(value, _)| *value <= count && value.fract() == 0.0);
        for (value, label) in &mut axis.ticks {
            *label = crate::format::count(*value as u64);
        }
        axis
    }

    /// A logarithmic axis with a tick at each of `values`, as for settings that were tried.
    pub(crate) fn settings(values: impl IntoIterator<Item = usize>) -> Self {
        let values: std::collections::BTreeSet<usize> =
            values.into_iter().filter(|value| *value > 0).collect();
        let (low, high) = match (values.first(), values.last()) {
            (Some(&low), Some(&high)) => (low as f64, high as f64),
            _ => (1.0, 1.0),
        };
        let air = if low < high { (high / low).powf(0.05) } else { 2.0 };
        let ticks = values.iter().map(|&v| (v as f64, crate::format::count(v as u64))).collect();
        Self { low: low / air, high: high * air, logarithmic: true, ticks }
    }

    /// Whether equal distances are equal factors.
    pub(crate) fn logarithmic(&self) -> bool {
        self.logarithmic
    }

    /// The ticks' values and labels, ascending.
    pub(crate) fn ticks(&self) -> &[(f64, String)] {
        &self.ticks
    }

    /// Where a value lies, from 0 at the lower end to 1 at the upper; values outside lie at an end.
    pub(crate) fn position(&self, value: f64) -> f64 {
        let place = if self.logarithmic {
            (value.max(f64::MIN_POSITIVE) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        if place.is_nan() { 0.0 } else { place.clamp(0.0, 1.0) }
    }

    /// Ends on the round values just outside the data; about `most` ticks.
    fn linear(low: f64, high: f64, most: usize) -> Self {
        let rough = ((high - low) / most as f64).max(1e-12);
        let power = 10f64.powi(rough.log10().floor() as i32);
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|digit| digit * power)
            .find(|&step| step >= rough * (1.0 - 1e-9))
            .unwrap_or(10.0 * power);
        let first = (low / step + 1e-9).floor();
        let last = (high / step - 1e-9).ceil().max(first + 1.0);
        let places = (-step.log10() + 1e-9).floor().max(0.0) as usize;
        let places = if step < 1.0 { places.max((-step.log10()).ceil() as usize) } else { 0 };
        let steps = (last - first).round() as usize;
        let ticks = (0..=steps)
            .map(|index| (first + index as f64) * step)
            .map(|value| (value, label(value, step, places)))
            .collect();
        Self { low: first * step, high: last * step, logarithmic: false, ticks }
    }

    /// Ends on 1, 2 or 5 times a power of ten; ticks at those, or at the powers alone.
    fn decades(low: f64, high: f64) -> Self {
        let first = low.log10().floor() as i32;
        let last = high.log10().ceil() as i32;
        let all: Vec<f64> = (first..=last)
            .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)))
            .collect();
        let from = all.iter().rposition(|&tick| tick <= low).unwrap_or(0);
        let to = all.iter().position(|&tick| tick >= high).unwrap_or(all.len() - 1);
        let powers_only = to - from > 9;
        let ticks = all[from..=to]
            .iter()
            .filter(|&&tick| !powers_only || (tick.log10() - tick.log10().round()).abs() < 1e-9)
            .map(|&tick| (tick, plain(tick)))
            .collect();
        Self { low: all[from], high: all[to], logarithmic: true, ticks }
    }
}

/// A tick in as many decimals as its axis needs; in powers of ten where that takes too many digits.
fn label(value: f64, step: f64, places: usize) -> String {
    let rounded = (value / step).round() * step;
    if rounded.abs() >= 1e6 || places > 5 {
        return crate::format::number(rounded);
    }
    // A rounded zero has no sign.
    let zero = rounded.abs() < step / 2.0;
    format!("{:.places$}", if zero { 0.0 } else { rounded }).replace('-', "−")
}

/// A power of ten's multiple without superfluous zeros.
fn plain(value: f64) -> String {
    let places = (-value.log10().floor()).max(0.0) as usize;
    format!("{value:.places$}")
}

/// A value that may be in thousands or millions: `250`, `1.5 k`, `2 M`.
pub(crate) fn short(value: f64) -> String {
    let (scale, unit) = match value.abs() {
        v if v >= 999_500.0 => (1e6, " M"),
        v if v >= 999.5 => (1e3, " k"),
        _ => (1.0, ""),
    };
    // Three significant digits, without superfluous zeros.
    let scaled = value / scale;
    let places = (2.0 - scaled.abs().max(1e-9).log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{scaled:.places$}");
    match text.contains('.') {
        true => format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.')),
        false => format!("{text}{unit}"),
    }
}

/// The least and the greatest finite value.
fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .into_iter()
        .filter(|value| value.is_finite())
        .map(|value| (value, value))
        .reduce(|(low, high), (value, _)| (low.min(value), high.max(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks().iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn a_share_axis_is_round_and_stays_within_0_and_1() {
        assert_eq!(labels(&Axis::share([0.0, 1.0])), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(
            labels(&Axis::share([0.61, 0.69])),
            ["0.60", "0.62", "0.64", "0.66", "0.68", "0.70"]
        );
        // A single value still gets an axis with room on both sides.
        let axis = Axis::share([0.5]);
        assert!(axis.position(0.5) > 0.3 && axis.position(0.5) < 0.7);
        assert_eq!(labels(&Axis::share([])).len(), 6);
        assert_eq!(Axis::share([1.0]).ticks().last().unwrap().1, "1.00");
    }

    #[test]
    fn times_start_at_0_or_go_by_factors() {
        let axis = Axis::milliseconds([3.0, 9.0]);
        assert!(!axis.logarithmic());
        assert_eq!(labels(&axis), ["0", "2", "4", "6", "8", "10"]);
        let axis = Axis::milliseconds([0.8, 90.0]);
        assert!(axis.logarithmic());
        assert_eq!(labels(&axis), ["0.5", "1", "2", "5", "10", "20", "50", "100"]);
        assert!((axis.position(1.0) - 2f64.ln() / 200f64.ln()).abs() < 1e-12);
        let axis = Axis::milliseconds([0.01, 20_000.0]);
        assert_eq!(labels(&axis), ["0.01", "0.1", "1", "10", "100", "1000", "10000"]);
    }

    #[test]
    fn dollars_are_told_as_such() {
        assert_eq!(
            labels(&Axis::dollars([0.7, 2.0])),
            ["$0.00", "$0.50", "$1.00", "$1.50", "$2.00", "$2.50"]
        );
        assert_eq!(labels(&Axis::dollars([0.3, 7.0])), ["$0.20", "$0.50", "$1", "$2", "$5", "$10"]);
        assert!(Axis::dollars([0.0, 7.0]).position(0.0) == 0.0);
    }

    #[test]
    fn volumes_are_in_thousands_and_millions() {
        let axis = Axis::volumes([20_000.0, 2e8]);
        assert_eq!(labels(&axis), ["100 k", "1 M", "10 M", "100 M"]);
        assert_eq!((axis.position(20_000.0), axis.position(2e8)), (0.0, 1.0));
        assert!(Axis::volumes([]).ticks().len() > 1);
        assert_eq!(
            [0.05, 250.0, 1460.0, 2e6, 2.5e9].map(short),
            ["0.05", "250", "1.46 k", "2 M", "2500 M"]
        );
        assert_eq!(
            labels(&Axis::months([0.0, 4200.0])),
            ["$0", "$1 k", "$2 k", "$3 k", "$4 k", "$5 k"]
        );
    }

    #[test]
    fn differences_have_their_zero_in_the_middle() {
        let axis = Axis::difference([-0.3, 0.12]);
        assert!((axis.position(0.0) - 0.5).abs() < 1e-12);
        assert_eq!(labels(&axis), ["−0.5", "0.0", "0.5"]);
        assert_eq!(labels(&Axis::difference([1.0])), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
        assert!(Axis::difference([]).position(0.1) > 0.9);
    }

    #[test]
    fn settings_have_a_tick_each() {
        let axis = Axis::settings([100, 10, 30, 10]);
        assert_eq!(labels(&axis), ["10", "30", "100"]);
        assert!(axis.position(10.0) > 0.0 && axis.position(100.0) < 1.0);
        assert!((Axis::settings([50]).position(50.0) - 0.5).abs() < 1e-12);
        assert!(Axis::settings([]).position(1.0).is_finite());
    }

    #[test]
    fn shares_and_places_end_where_the_data_end() {
        assert_eq!(labels(&Axis::percent([0.31])), ["0%", "10%", "20%", "30%", "40%"]);
        assert_eq!(labels(&Axis::percent([])).last(), Some(&"100%"));
        let axis = Axis::count(150);
        assert_eq!(axis.position(150.0), 1.0);
        assert_eq!(labels(&axis).last(), Some(&"150"));
        assert_eq!(labels(&Axis::count(1)), ["0", "1"]);
    }

    #[test]
    fn scores_of_any_range_are_within_their_axis() {
        for values in [
            vec![],
            vec![0.0],
            vec![-11.2, 10.4],
            vec![1e16, 1e16 + 2.0],
            vec![f64::MIN, f64::MAX],
            vec![1e-12, 2e-12],
            vec![-65_504.0, f64::NAN],
        ] {
            let axis = Axis::number(values.clone());
            assert!(axis.ticks().len() >= 2, "{values:?}");
            assert!(axis.ticks().len() < 16, "{values:?}: {:?}", axis.ticks());
            for (value, label) in axis.ticks() {
                assert!(label.chars().count() < 12, "{label}");
                assert!((0.0..=1.0).contains(&axis.position(*value)), "{values:?}");
            }
        }
        assert_eq!(labels(&Axis::number([-3.0, 3.0])), ["−3", "−2", "−1", "0", "1", "2", "3"]);
    }

    #[test]
    fn nothing_measurable_still_gives_an_axis() {
        for values in [vec![], vec![0.0], vec![f64::NAN], vec![0.0, 1e-9], vec![1e-300, 1e300]] {
            let axis = Axis::milliseconds(values.clone());
            assert!(axis.ticks().len() >= 2, "{values:?}");
            for value in values {
                let place = axis.position(value);
                assert!((0.0..=1.0).contains(&place), "{value}: {place}");
            }
        }
    }
}
