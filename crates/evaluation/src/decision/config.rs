use std::path::PathBuf;

use secondpass_core::line_of;
use serde::{Deserialize, Serialize};

use super::error::DecideError;
use crate::cost::{Basis, Discount, Figure, LlmSpend, Load, Scaling, check_discounts};

/// What a decision is to keep to: validated.
#[derive(Clone, Debug, PartialEq)]
pub struct DecideConfig {
    /// The file, as errors and sources name it.
    pub file: String,
    /// By how much a choice may be inferior to the best, on the primary measure.
    pub margin: f64,
    /// The share of the resamples from which a decision is called sure.
    pub sure: f64,
    /// How often all figures are drawn anew.
    pub resamples: usize,
    /// Permutations of the test that a gain must pass.
    pub permutations: usize,
    /// Where the random numbers start.
    pub seed: u64,
    /// Documents that are read together, as by a language model, so that their order counts for
    /// little; `None` where the order counts.
    pub documents_used: Option<usize>,
    /// What every choice must keep.
    pub constraints: Constraints,
    /// How many queries there are.
    pub volume: Volume,
    /// How they spread over a day.
    pub load: Load,
    /// What the language model costs; `None` where that is not stated.
    pub llm: Option<LlmSpend>,
    /// What holds for every choice unless it says otherwise.
    pub defaults: ChoiceSpec,
    /// What is stated of single choices.
    pub choices: Vec<ChoiceSpec>,
}

/// What every choice must keep.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Constraints {
    /// The most that the 95th percentile of reranking a query may take, in seconds.
    pub p95_seconds: Option<f64>,
    /// The most that a month may cost, in US dollars.
    pub usd_per_month: Option<f64>,
    /// Where texts may go, as `residency` in an experiment; `None` for anywhere.
    pub residency: Option<Vec<String>>,
    /// Languages that it must be made for.
    pub languages: Vec<String>,
    /// Whether the weights must allow commercial use.
    pub commercial: bool,
}

/// How many queries there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Queries a month.
    pub queries_per_month: f64,
    /// Queries a second at the peak; `None` for the mean of the busiest hour.
    pub peak_queries_per_second: Option<f64>,
    /// 24 numbers of any unit from midnight on; `None` for an even day.
    pub daily_curve: Option<Vec<f64>>,
    /// The share by which the volume grows every month.
    #[serde(default)]
    pub growth_per_month: f64,
}

/// What is stated of a choice. Every key but the name may stand under `[defaults]` too.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChoiceSpec {
    /// The reranker's name in its record.
    pub name: String,
    /// The machine it runs on, as the price table calls it.
    pub machine: Option<String>,
    /// US dollars an hour of one machine, in place of the table's.
    pub machine_usd_per_hour: Option<Given>,
    /// A folder that `secondpass bench` wrote into, from the config's own: the rate that one machine
    /// answers within the p95 limit, and how long queries then take. Numbers that are stated win.
    pub bench: Option<PathBuf>,
    /// Queries a second that one machine answers within the p95 limit, in place of a bench's, or of
    /// the record's concurrency over its mean time.
    pub queries_per_second: Option<Given>,
    /// The share of that rate that is planned for, above 0 to 1.
    pub utilisation: Option<Given>,
    /// Machines more than the peak needs.
    pub spare: Option<u32>,
    /// Whether all machines run at all hours.
    pub scaling: Option<Scaling>,
    /// Working hours a month.
    pub staff_hours_per_month: Option<Given>,
    /// US dollars a working hour.
    pub staff_usd_per_hour: Option<Given>,
    /// The share by which a provider's price may be off, to either side.
    pub price_within: Option<f64>,
    /// What a provider takes off.
    pub discounts: Option<Vec<Discount>>,
    /// The 95th percentile of a query's time, in place of the record's.
    pub p95_seconds: Option<Given>,
    /// Languages it is made for.
    pub languages: Option<Vec<String>>,
    /// Whether its weights allow commercial use, where the licence is not known or was bought.
    pub commercial: Option<bool>,
}

/// A number in a config: by itself, or with a range and what it rests on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Given {
    /// By itself: assumed.
    Number(f64),
    /// With more.
    Figure(GivenFigure),
}

/// A number with a range and what it rests on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenFigure {
    value: f64,
    within: Option<[f64; 2]>,
    basis: Option<Basis>,
    date: Option<String>,
    source: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    margin: f64,
    #[serde(default = "sure")]
    sure: f64,
    #[serde(default = "resamples")]
    resamples: usize,
    documents_used: Option<usize>,
    #[serde(default)]
    constraints: Constraints,
    volume: Volume,
    llm: Option<LlmSpend>,
    #[serde(default)]
    defaults: ChoiceSpec,
    #[serde(default)]
    choice: Vec<ChoiceSpec>,
}

fn sure() -> f64 {
    0.9
}

fn resamples() -> usize {
    2000
}

impl DecideConfig {
    /// Reads a config. `file` is its path, which errors name.
    ///
    /// # Errors
    /// Broken TOML, unknown or missing keys, values that cannot be.
    pub fn parse(text: &str, file: &str) -> Result<Self, DecideError> {
        let raw: RawConfig = toml::from_str(text).map_err(|error| DecideError::Toml {
            file: file.to_owned(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        let check = Check { file };
        let a_number = "a number from 0";
        check.is("margin", raw.margin, raw.margin >= 0.0, a_number)?;
        check.is(
            "sure",
            raw.sure,
            0.5 <= raw.sure && raw.sure < 1.0,
            "a share from 0.5 to below 1",
        )?;
        let enough = (100..=1_000_000).contains(&raw.resamples);
        check.is(
            "resamples",
            raw.resamples as f64,
            enough,
            "a whole number from 100 to 1000000",
        )?;
        let Volume { queries_per_month: volume, growth_per_month: growth, .. } = raw.volume;
        check.is("volume.queries_per_month", volume, volume > 0.0, "a number above 0")?;
        check.is("volume.growth_per_month", growth, growth > -1.0, "a share above -1")?;
        let Constraints { p95_seconds, usd_per_month, .. } = raw.constraints;
        for (key, value) in [("p95_seconds", p95_seconds), ("usd_per_month", usd_per_month)] {
            let value = value.unwrap_or_default();
            check.is(&format!("constraints.{key}"), value, value >= 0.0, a_number)?;
        }
        if let Some(llm) = raw.llm {
            check.is("llm.usd_per_month", llm.usd_per_month, llm.usd_per_month >= 0.0, a_number)?;
        }
        if let Some(used @ 0) = raw.documents_used {
            check.is("documents_used", used as f64, false, "a whole number from 1")?;
        }
        if !raw.defaults.name.is_empty() {
            return Err(check.told(
                "defaults.name",
                &raw.defaults.name,
                "no name: it holds for all",
            ));
        }
        if let Some(bench) = &raw.defaults.bench {
            let allowed = "a bench under the [[choice]] that it measured";
            return Err(check.told("defaults.bench", &bench.display().to_string(), allowed));
        }
        check.choice("defaults", &raw.defaults)?;
        for (number, choice) in (1..).zip(&raw.choice) {
            let key = format!("choice {number}");
            let again = raw.choice.iter().filter(|other| other.name == choice.name).count() > 1;
            if choice.name.is_empty() || again {
                let allowed = "a reranker's name in its record, each once";
                return Err(check.told(&format!("{key}.name"), &choice.name, allowed));
            }
            check.choice(&key, choice)?;
        }
        Ok(Self {
            file: file.to_owned(),
            margin: raw.margin,
            sure: raw.sure,
            resamples: raw.resamples,
            permutations: 10_000,
            seed: 20_261_125,
            documents_used: raw.documents_used,
            load: check.load(&raw.volume)?,
            constraints: raw.constraints,
            volume: raw.volume,
            llm: raw.llm,
            defaults: raw.defaults,
            choices: raw.choice,
        })
    }

    /// What is stated of a choice: its own, and where it says nothing, the defaults.
    pub fn of(&self, name: &str) -> ChoiceSpec {
        let own = self.choices.iter().find(|choice| choice.name == name).cloned();
        let own = own.unwrap_or_default();
        let all = self.defaults.clone();
        ChoiceSpec {
            name: name.to_owned(),
            machine: own.machine.or(all.machine),
            machine_usd_per_hour: own.machine_usd_per_hour.or(all.machine_usd_per_hour),
            bench: own.bench,
            queries_per_second: own.queries_per_second.or(all.queries_per_second),
            utilisation: own.utilisation.or(all.utilisation),
            spare: own.spare.or(all.spare),
            scaling: own.scaling.or(all.scaling),
            staff_hours_per_month: own.staff_hours_per_month.or(all.staff_hours_per_month),
            staff_usd_per_hour: own.staff_usd_per_hour.or(all.staff_usd_per_hour),
            price_within: own.price_within.or(all.price_within),
            discounts: own.discounts.or(all.discounts),
            p95_seconds: own.p95_seconds.or(all.p95_seconds),
            languages: own.languages.or(all.languages),
            commercial: own.commercial.or(all.commercial),
        }
    }

    /// A number of this config as a figure.
    pub fn figure(&self, given: &Given) -> Figure {
        figure(given, &self.file).unwrap_or_else(|(figure, _)| figure)
    }
}

/// The figure, and why its range is none.
fn figure(given: &Given, file: &str) -> Result<Figure, (Figure, String)> {
    match given {
        Given::Number(value) => {
            let figure = Figure::exact(*value, Basis::Assumed, None, file);
            match value.is_finite() && *value >= 0.0 {
                true => Ok(figure),
                false => Err((figure, value.to_string())),
            }
        }
        Given::Figure(given) => {
            let basis = given.basis.unwrap_or(Basis::Assumed);
            let source = given.source.as_deref().unwrap_or(file);
            let exact = Figure::exact(given.value, basis, given.date.clone(), source);
            let [low, high] = given.within.unwrap_or([given.value; 2]);
            exact.clone().within(low, high).map_err(|error| (exact, error.to_string()))
        }
    }
}

struct Check<'a> {
    file: &'a str,
}

impl Check<'_> {
    fn is(&self, key: &str, value: f64, fine: bool, allowed: &str) -> Result<(), DecideError> {
        match fine && value.is_finite() {
            true => Ok(()),
            false => Err(self.told(key, &value.to_string(), allowed)),
        }
    }

    fn told(&self, key: &str, found: &str, allowed: &str) -> DecideError {
        DecideError::Value {
            file: self.file.to_owned(),
            key: key.to_owned(),
            found: if found.is_empty() { "empty".to_owned() } else { found.to_owned() },
            allowed: allowed.to_owned(),
        }
    }

    fn load(&self, volume: &Volume) -> Result<Load, DecideError> {
        let load = match &volume.daily_curve {
            None => Load::flat(),
            Some(curve) => Load::over_day(curve).map_err(|error| {
                self.told("volume.daily_curve", &format!("{curve:?}"), &error.to_string())
            })?,
        };
        match volume.peak_queries_per_second {
            None => Ok(load),
            Some(peak) => load.with_peak(peak, volume.queries_per_month).map_err(|error| {
                self.told("volume.peak_queries_per_second", &peak.to_string(), &error.to_string())
            }),
        }
    }

    fn choice(&self, table: &str, spec: &ChoiceSpec) -> Result<(), DecideError> {
        let positive = "a number above 0, or { value, within = [low, high], basis, date, source }";
        let figures = [
            ("machine_usd_per_hour", &spec.machine_usd_per_hour, false, f64::INFINITY),
            ("queries_per_second", &spec.queries_per_second, true, f64::INFINITY),
            ("utilisation", &spec.utilisation, true, 1.0),
            ("staff_hours_per_month", &spec.staff_hours_per_month, false, f64::INFINITY),
            ("staff_usd_per_hour", &spec.staff_usd_per_hour, false, f64::INFINITY),
            ("p95_seconds", &spec.p95_seconds, true, f64::INFINITY),
        ];
        for (key, given, above_zero, most) in figures {
            let Some(given) = given else { continue };
            let key = format!("{table}.{key}");
            let figure = figure(given, self.file).map_err(|(_, found)| {
                self.told(&key, &found, "a number from 0 within its range")
            })?;
            let fine = (!above_zero || figure.low > 0.0) && figure.high <= most;
            if !fine {
                let allowed = if most == 1.0 { "a share above 0, at most 1" } else { positive };
                return Err(self.told(&key, &figure.value.to_string(), allowed));
            }
        }
        if let Some(within) = spec.price_within {
            let key = format!("{table}.price_within");
            self.is(&key, within, (0.0..1.0).contains(&within), "a share from 0 to below 1")?;
        }
        let discounts = spec.discounts.as_deref().unwrap_or_default();
        check_discounts(discounts).map_err(|error| {
            let key = format!("{table}.discounts");
            self.told(&key, &error.to_string(), "{ from, share } by rising volume")
        })
    }
}
