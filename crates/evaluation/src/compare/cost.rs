use secondpass_core::BillingUnit;
use serde::Serialize;

use crate::record::SystemRecord;

/// What a query costs, before and now. The queries are the same, so that nothing is left to chance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CostComparison {
    /// What is counted.
    pub unit: BillingUnit,
    /// Units a query, before.
    pub baseline_units: f64,
    /// Units a query, now.
    pub current_units: f64,
    /// US dollars a unit, before; `None` where no price is known.
    pub baseline_price: Option<f64>,
    /// US dollars a unit, now.
    pub current_price: Option<f64>,
    /// US dollars a query, before.
    pub baseline: Option<f64>,
    /// US dollars a query, now.
    pub current: Option<f64>,
    /// Now over before: in US dollars, or in units where a price is not known; `None` where what
    /// cost nothing does cost now, and where what is counted is not the same.
    pub ratio: Option<f64>,
    /// In a word.
    pub verdict: CostVerdict,
}

/// What became of a query's cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CostVerdict {
    /// Dearer by more than the tolerance.
    Dearer,
    /// Not.
    NotDearer,
    /// A price is known on one side only, or other things are counted.
    Unknown,
}

/// `None` where nobody bills a query on either side, or none was asked for money.
pub(super) fn cost(
    baseline: &SystemRecord,
    current: &SystemRecord,
    tolerance: f64,
) -> Option<CostComparison> {
    let (old, new) = (baseline.cost.as_ref()?, current.cost.as_ref()?);
    let (old_query, new_query) = (old.query.as_ref()?, new.query.as_ref()?);
    let price = |cost: &crate::Cost| cost.tariff.price.as_ref().map(|price| price.usd);
    let (before, now) = match (old_query.usd, new_query.usd) {
        (Some(before), Some(now)) => (before, now),
        _ => (old_query.units, new_query.units),
    };
    let told = old_query.usd.is_some() == new_query.usd.is_some();
    let same = told && old.tariff.unit == new.tariff.unit;
    let free = before == 0.0;
    let ratio = (same && !free).then(|| now / before);
    let verdict = match same {
        false => CostVerdict::Unknown,
        // Rounding alone is no rise.
        true if now > before * (1.0 + tolerance) * (1.0 + 1e-12) => CostVerdict::Dearer,
        true => CostVerdict::NotDearer,
    };
    Some(CostComparison {
        unit: new.tariff.unit,
        baseline_units: old_query.units,
        current_units: new_query.units,
        baseline_price: price(old),
        current_price: price(new),
        baseline: old_query.usd,
        current: new_query.usd,
        ratio,
        verdict,
    })
}
