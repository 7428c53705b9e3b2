use secondpass_core::{BillingUnit, Price};

/// One price of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The provider, as configs call its kind (`cohere`).
    pub provider: String,
    /// The model's name, or the beginning of several names with a `*` after it.
    pub model: String,
    /// What the provider's bill counts.
    pub unit: BillingUnit,
    /// US dollars for [`Listed::per`] units, from 0.
    pub usd: f64,
    /// Units that cost this much, above 0.
    pub per: f64,
    /// When the price was read, as `YYYY-MM-DD`.
    pub read: String,
    /// Where: an address, or whose agreement.
    pub source: String,
    /// What else there is to know, such as what other sources say.
    pub note: Option<String>,
    /// The file that lists it.
    pub file: String,
}

/// What a machine costs while it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// What the table calls it (`aws g6.xlarge`).
    pub name: String,
    /// US dollars an hour, from 0.
    pub usd: f64,
    /// When the price was read, as `YYYY-MM-DD`.
    pub read: String,
    /// Where: an address, or whose agreement.
    pub source: String,
    /// What else there is to know, such as the region and what is in the machine.
    pub note: Option<String>,
    /// The file that lists it.
    pub file: String,
}

impl Listed {
    /// The price of one unit.
    pub fn price(&self) -> Price {
        let Self { usd, per, read, source, .. } = self;
        Price { usd: usd / per, read: read.clone(), source: source.clone() }
    }

    /// How narrowly it fits a model: more for an exact name than for any beginning, and more for a
    /// longer beginning than for a shorter one; `None` where it does not fit.
    pub(super) fn fit(&self, provider: &str, model: &str) -> Option<usize> {
        if self.provider != provider {
            return None;
        }
        match self.model.strip_suffix('*') {
            Some(start) => model.starts_with(start).then_some(start.len()),
            None => (self.model == model).then_some(usize::MAX),
        }
    }
}

impl Machine {
    /// The price of an hour.
    pub fn price(&self) -> Price {
        Price { usd: self.usd, read: self.read.clone(), source: self.source.clone() }
    }
}
