use secondpass_core::BillingUnit;

use super::{Api, Bill, CallTokens};

/// What calls are billed: the provider's own rule, unless the tariff is for calls or hours.
#[derive(Clone, Copy)]
pub(super) struct Billing<'a> {
    pub api: &'a dyn Api,
    /// The tariff's unit; `None` where nobody bills a call.
    pub unit: Option<BillingUnit>,
}

impl Billing<'_> {
    /// What one call will be billed.
    pub fn estimate(&self, tokens: &CallTokens<'_>) -> Bill {
        let bill = self.api.bill(tokens);
        let units = match self.unit {
            Some(BillingUnit::SearchUnit | BillingUnit::Token) => bill.units,
            Some(BillingUnit::Request) => 1,
            Some(BillingUnit::Hour) | None => 0,
        };
        Bill { units, ..bill }
    }

    /// The units that an answer tells, where they are the tariff's.
    pub fn reported(&self, units: Option<u64>) -> Option<u64> {
        units.filter(|_| matches!(self.unit, Some(BillingUnit::SearchUnit | BillingUnit::Token)))
    }
}
