use secondpass_core::{BillingUnit, line_of};
use serde::Deserialize;
use toml::value::Datetime;

use super::table::Layer;
use super::{Listed, Machine, PriceError, PriceTable};

impl PriceTable {
    /// Reads a table. `file` is its path, which errors name.
    ///
    /// # Errors
    /// Broken TOML, unknown or missing keys, values that cannot be, two entries for the same thing.
    /// Providers and models may be any: a user may have others than this program.
    pub fn parse(text: &str, file: &str) -> Result<Self, PriceError> {
        let raw: RawTable = toml::from_str(text).map_err(|error| PriceError::Toml {
            file: file.to_owned(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        let mut layer = Layer::default();
        for (number, raw) in (1..).zip(raw.price) {
            let entry = Entry { file, name: format!("price {number}") };
            let listed = entry.listed(raw)?;
            let same =
                |other: &Listed| other.provider == listed.provider && other.model == listed.model;
            if let Some(first) = layer.prices.iter().position(same) {
                let what = format!("{} \"{}\"", listed.provider, listed.model);
                return Err(entry.twice(format!("price {}", first + 1), what));
            }
            layer.prices.push(listed);
        }
        for (number, raw) in (1..).zip(raw.machine) {
            let entry = Entry { file, name: format!("machine {number}") };
            let machine = entry.machine(raw)?;
            let same = |other: &Machine| other.name == machine.name;
            if let Some(first) = layer.machines.iter().position(same) {
                let what = format!("\"{}\"", machine.name);
                return Err(entry.twice(format!("machine {}", first + 1), what));
            }
            layer.machines.push(machine);
        }
        Ok(Self::of(layer))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    #[serde(default)]
    price: Vec<RawPrice>,
    #[serde(default)]
    machine: Vec<RawMachine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrice {
    provider: String,
    model: String,
    unit: BillingUnit,
    usd: f64,
    per: f64,
    read: String,
    source: String,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMachine {
    name: String,
    usd: f64,
    read: String,
    source: String,
    note: Option<String>,
}

/// Where values stand, for errors.
struct Entry<'a> {
    file: &'a str,
    name: String,
}

impl Entry<'_> {
    fn listed(&self, raw: RawPrice) -> Result<Listed, PriceError> {
        Ok(Listed {
            provider: self.filled("provider", raw.provider)?,
            model: self.model(raw.model)?,
            unit: raw.unit,
            usd: self.usd(raw.usd)?,
            per: match raw.per.is_finite() && raw.per > 0.0 {
                true => raw.per,
                false => {
                    return Err(self.value(
                        "per",
                        raw.per.to_string(),
                        "a number of units above 0",
                    ));
                }
            },
            read: self.date("read", raw.read)?,
            source: self.filled("source", raw.source)?,
            note: raw.note,
            file: self.file.to_owned(),
        })
    }

    fn machine(&self, raw: RawMachine) -> Result<Machine, PriceError> {
        Ok(Machine {
            name: self.filled("name", raw.name)?,
            usd: self.usd(raw.usd)?,
            read: self.date("read", raw.read)?,
            source: self.filled("source", raw.source)?,
            note: raw.note,
            file: self.file.to_owned(),
        })
    }

    fn model(&self, model: String) -> Result<String, PriceError> {
        let model = self.filled("model", model)?;
        match model.find('*').is_none_or(|star| star + 1 == model.len()) {
            true => Ok(model),
            false => {
                let allowed = "a model's name, or its beginning with one '*' at the end";
                Err(self.value("model", format!("{model:?}"), allowed))
            }
        }
    }

    fn usd(&self, usd: f64) -> Result<f64, PriceError> {
        match usd.is_finite() && usd >= 0.0 {
            true => Ok(usd),
            false => Err(self.value("usd", usd.to_string(), "a number of US dollars from 0")),
        }
    }

    fn date(&self, key: &'static str, text: String) -> Result<String, PriceError> {
        let is_date = |moment: Datetime| moment.time.is_none() && moment.offset.is_none();
        match text.parse().is_ok_and(is_date) {
            true => Ok(text),
            false => {
                Err(self.value(key, format!("{text:?}"), "a day of the calendar as \"YYYY-MM-DD\""))
            }
        }
    }

    fn filled(&self, key: &'static str, text: String) -> Result<String, PriceError> {
        match text.trim().is_empty() {
            true => Err(self.value(key, format!("{text:?}"), "a text that is not blank")),
            false => Ok(text),
        }
    }

    fn value(&self, key: &'static str, found: String, allowed: &'static str) -> PriceError {
        PriceError::Value {
            file: self.file.to_owned(),
            entry: self.name.clone(),
            key,
            found,
            allowed,
        }
    }

    fn twice(&self, first: String, what: String) -> PriceError {
        PriceError::Twice { file: self.file.to_owned(), first, second: self.name.clone(), what }
    }
}
