use serde::{Deserialize, Serialize};

use super::{DAYS_A_MONTH, Figure, HOURS_A_MONTH, Load};

/// Whether machines run when nobody asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// As many as the peak needs, at all hours.
    #[default]
    Fixed,
    /// As many as the peak of each hour needs, billed by the hour.
    Hourly,
}

/// Working time that a choice takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Staff {
    /// Hours a month.
    pub hours: Figure,
    /// US dollars an hour.
    pub usd: Figure,
}

/// A reranker on machines of one's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfHosted {
    /// US dollars an hour of one machine.
    pub machine: Figure,
    /// Queries a second that one machine answers within the p95 limit, at [`SelfHosted::candidates`].
    pub rate: Figure,
    /// Candidates a query at which that rate holds.
    pub candidates: f64,
    /// The share of that rate which is planned for at the peak, above 0 to 1.
    pub utilisation: Figure,
    /// Machines more than the peak needs, for the one that fails (N+1: 1).
    pub spare: u32,
    /// Whether all of them run at all hours.
    pub scaling: Scaling,
    /// Who looks after them; `None` for nobody.
    pub staff: Option<Staff>,
}

/// The same with a number in place of every figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SelfHostedTerms {
    /// US dollars an hour of one machine.
    pub machine: f64,
    /// Queries a second that one machine is planned to answer at the peak.
    pub planned_rate: f64,
    /// Queries a second that it could answer.
    pub rate: f64,
    /// Machines more than the peak needs.
    pub spare: u32,
    /// Whether all of them run at all hours.
    pub scaling: Scaling,
    /// US dollars a month of working time.
    pub staff: f64,
}

impl SelfHosted {
    /// Its figures, in the order in which [`SelfHosted::terms`] takes their numbers.
    pub fn figures(&self) -> Vec<&Figure> {
        let staff = self.staff.iter().flat_map(|staff| [&staff.hours, &staff.usd]);
        [&self.machine, &self.rate, &self.utilisation].into_iter().chain(staff).collect()
    }

    /// With the figures' own values.
    pub fn point(&self) -> SelfHostedTerms {
        self.terms(|figure| figure.value)
    }

    /// With a number for each figure, asked for in the order of [`SelfHosted::figures`].
    pub fn terms(&self, mut number: impl FnMut(&Figure) -> f64) -> SelfHostedTerms {
        let (machine, rate) = (number(&self.machine), number(&self.rate));
        let planned_rate = rate * number(&self.utilisation).min(1.0);
        let staff =
            self.staff.as_ref().map_or(0.0, |staff| number(&staff.hours) * number(&staff.usd));
        let Self { spare, scaling, .. } = *self;
        SelfHostedTerms { machine, planned_rate, rate, spare, scaling, staff }
    }
}

impl SelfHostedTerms {
    /// Machines that the peak needs, the spare ones included.
    pub fn replicas(&self, load: &Load, volume: f64) -> f64 {
        self.needed(load.peak(volume))
    }

    /// Hours of machines that a month bills.
    pub fn machine_hours(&self, load: &Load, volume: f64) -> f64 {
        match self.scaling {
            Scaling::Fixed => self.replicas(load, volume) * HOURS_A_MONTH,
            Scaling::Hourly => {
                let replicas = (0..24).map(|hour| self.needed(load.peak_of(hour, volume)));
                replicas.sum::<f64>() * DAYS_A_MONTH
            }
        }
    }

    /// Hours of machines that a month bills and nobody uses: those beyond what the queries take at
    /// the full rate.
    pub fn idle_hours(&self, load: &Load, volume: f64) -> f64 {
        (self.machine_hours(load, volume) - volume / self.rate / 3600.0).max(0.0)
    }

    /// US dollars a month.
    pub fn month(&self, load: &Load, volume: f64) -> f64 {
        self.machine_hours(load, volume) * self.machine + self.staff
    }

    /// One at least: a service that is asked seldom must run when it is.
    fn needed(&self, peak: f64) -> f64 {
        // A peak that is just met is met, whatever rounding says.
        (peak / self.planned_rate - 1e-9).ceil().max(1.0) + f64::from(self.spare)
    }

    /// Volumes above which one machine more is billed: for each group of hours, the queries a month
    /// that one machine carries, and the hours a month that it is billed for.
    pub(super) fn steps(&self, load: &Load) -> Vec<(f64, f64)> {
        match self.scaling {
            Scaling::Fixed => vec![(self.planned_rate / load.peak(1.0), HOURS_A_MONTH)],
            Scaling::Hourly => {
                let peaks = (0..24).map(|hour| load.peak_of(hour, 1.0));
                let busy = peaks.filter(|peak| *peak > 0.0);
                busy.map(|peak| (self.planned_rate / peak, DAYS_A_MONTH)).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::Basis;

    fn exact(value: f64) -> Figure {
        Figure::exact(value, Basis::Assumed, None, "here")
    }

    fn on_machines() -> SelfHosted {
        SelfHosted {
            machine: exact(1.0),
            rate: exact(10.0),
            candidates: 50.0,
            utilisation: exact(0.5),
            spare: 1,
            scaling: Scaling::Fixed,
            staff: None,
        }
    }

    /// Queries a month at so many a second.
    fn at(rate: f64) -> f64 {
        rate * HOURS_A_MONTH * 3600.0
    }

    #[test]
    fn enough_for_the_peak_and_one_more() {
        let terms = on_machines().point();
        let replicas = |rate| terms.replicas(&Load::flat(), at(rate));
        assert_eq!([0.01, 4.9, 5.0, 5.1, 12.0].map(replicas), [2.0, 2.0, 2.0, 3.0, 4.0]);
        assert!((terms.month(&Load::flat(), at(12.0)) - 4.0 * 730.0).abs() < 1e-6);
    }

    #[test]
    fn idle_hours_are_those_nobody_uses() {
        let terms = on_machines().point();
        // Of two machines, queries at 5 a second take half of one.
        let idle = terms.idle_hours(&Load::flat(), at(5.0));
        assert!((idle - 1.5 * 730.0).abs() < 1e-6, "{idle}");
    }

    #[test]
    fn hourly_scaling_bills_what_each_hour_needs() {
        let mut curve = [0.0; 24];
        curve[12] = 1.0;
        let load = Load::over_day(&curve).unwrap();
        let volume = 12.0 * DAYS_A_MONTH * 3600.0;
        let fixed = on_machines().point();
        let hourly = SelfHosted { scaling: Scaling::Hourly, ..on_machines() }.point();
        assert!((fixed.machine_hours(&load, volume) - 4.0 * 730.0).abs() < 1e-6);
        let expected = (4.0 + 23.0 * 2.0) * DAYS_A_MONTH;
        assert!((hourly.machine_hours(&load, volume) - expected).abs() < 1e-6);
    }

    #[test]
    fn working_time_costs_too() {
        let staff = Staff { hours: exact(4.0), usd: exact(100.0) };
        let terms = SelfHosted { staff: Some(staff), ..on_machines() };
        assert_eq!(terms.figures().len(), 5);
        assert!((terms.point().month(&Load::flat(), 1.0) - (2.0 * 730.0 + 400.0)).abs() < 1e-6);
    }
}
