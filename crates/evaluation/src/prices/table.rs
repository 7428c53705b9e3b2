use secondpass_core::{BillingUnit, Tariff};

use super::{Listed, Machine, OWN_PRICES, PriceError, UnitMismatch};

/// Prices by provider and model, and of machines by name. Where one table lies over another, an entry
/// of the upper one wins over any of the lower, however narrow that is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PriceTable {
    /// From the uppermost down; never two entries for the same in one.
    layers: Vec<Layer>,
}

/// The entries of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layer {
    pub prices: Vec<Listed>,
    pub machines: Vec<Machine>,
}

impl PriceTable {
    /// The table that the program carries.
    ///
    /// # Errors
    /// None in a program that passed its tests.
    pub fn own() -> Result<Self, PriceError> {
        Self::parse(OWN_PRICES, "configs/prices.toml")
    }

    /// This table with a user's over it, whose entries win.
    #[must_use]
    pub fn over(mut self, user: Self) -> Self {
        self.layers.splice(..0, user.layers);
        self
    }

    /// The entry for a model: an exact name before the beginning of one, and a longer beginning before
    /// a shorter one. A server with one model only, which has no name, is found under `*`.
    pub fn find(&self, provider: &str, model: &str) -> Option<&Listed> {
        self.layers.iter().find_map(|layer| {
            let fitting = |listed: &&Listed| listed.fit(provider, model).is_some();
            layer.prices.iter().filter(fitting).max_by_key(|listed| listed.fit(provider, model))
        })
    }

    /// How a provider that counts `unit` bills a model; without a price where none is listed. A price
    /// a request holds for every provider: some agreements are so.
    ///
    /// # Errors
    /// The listed price is for another unit.
    pub fn tariff(
        &self,
        provider: &str,
        model: &str,
        unit: BillingUnit,
    ) -> Result<Tariff, UnitMismatch> {
        let Some(listed) = self.find(provider, model) else {
            return Ok(Tariff { unit, price: None });
        };
        match listed.unit {
            BillingUnit::Request => {}
            listed_unit if listed_unit == unit => {}
            listed_unit => {
                return Err(UnitMismatch {
                    file: listed.file.clone(),
                    provider: listed.provider.clone(),
                    model: listed.model.clone(),
                    listed: listed_unit,
                    billed: unit,
                });
            }
        }
        Ok(Tariff { unit: listed.unit, price: Some(listed.price()) })
    }

    /// What a machine costs.
    pub fn machine(&self, name: &str) -> Option<&Machine> {
        let mut machines = self.layers.iter().flat_map(|layer| &layer.machines);
        machines.find(|machine| machine.name == name)
    }

    /// Every price, the user's first, each file's in its own order.
    pub fn prices(&self) -> impl Iterator<Item = &Listed> {
        self.layers.iter().flat_map(|layer| &layer.prices)
    }

    /// Every machine, as [`PriceTable::prices`].
    pub fn machines(&self) -> impl Iterator<Item = &Machine> {
        self.layers.iter().flat_map(|layer| &layer.machines)
    }

    pub(super) fn of(layer: Layer) -> Self {
        Self { layers: vec![layer] }
    }
}
