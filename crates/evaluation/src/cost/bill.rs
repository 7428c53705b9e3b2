use serde::{Deserialize, Serialize};

use super::{CostModel, Load, Terms};

/// What a choice costs, at the figures' own values, in US dollars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bill {
    /// A month at the stated volume.
    pub month: f64,
    /// Twelve months from then on, with the stated growth.
    pub twelve_months: f64,
    /// A thousand queries at the stated volume.
    pub per_1000_queries: f64,
    /// One query with 50 candidates: a provider's by its rules, machines' in proportion to the
    /// candidates; `None` where it is not known.
    pub per_50_candidates: Option<f64>,
    /// The month over what a month of the language model costs; `None` where that is not stated.
    pub of_llm: Option<f64>,
    /// Machines at the peak, spare ones included; `None` where there are none of one's own.
    pub replicas: Option<f64>,
    /// Hours of machines a month that are paid and not used.
    pub idle_hours: Option<f64>,
}

/// What the language model costs that reads what was reranked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LlmSpend {
    /// US dollars a month.
    pub usd_per_month: f64,
}

/// What a choice costs at `volume` queries a month that grow by the share `growth` every month.
pub fn bill(
    model: &CostModel,
    load: &Load,
    volume: f64,
    growth: f64,
    llm: Option<LlmSpend>,
) -> Bill {
    let terms = model.point();
    let month = terms.month(load, volume);
    let later = |month: i32| terms.month(load, volume * (1.0 + growth).powi(month));
    let per_query = if volume > 0.0 { month / volume } else { 0.0 };
    let own = match &terms {
        Terms::SelfHosted(own) => Some(own),
        Terms::Free | Terms::Hosted(_) => None,
    };
    Bill {
        month,
        twelve_months: (0..12).map(later).sum(),
        per_1000_queries: 1000.0 * per_query,
        per_50_candidates: match model {
            CostModel::Free => Some(0.0),
            CostModel::SelfHosted(model) => {
                (model.candidates > 0.0).then(|| per_query * 50.0 / model.candidates)
            }
            CostModel::Hosted(model) => {
                let discounted = volume * model.price.value * model.units.value;
                let paid = if discounted > 0.0 { month / discounted } else { 1.0 };
                model.units_at_50.map(|units| units * model.price.value * paid)
            }
        },
        of_llm: llm.filter(|llm| llm.usd_per_month > 0.0).map(|llm| month / llm.usd_per_month),
        replicas: own.map(|own| own.replicas(load, volume)),
        idle_hours: own.map(|own| own.idle_hours(load, volume)),
    }
}

#[cfg(test)]
mod tests {
    use secondpass_core::BillingUnit;

    use super::*;
    use crate::cost::{Basis, Discount, Figure, Hosted, Scaling, SelfHosted};

    fn exact(value: f64) -> Figure {
        Figure::exact(value, Basis::Vendor, None, "here")
    }

    #[test]
    fn a_providers_bill() {
        let model = CostModel::Hosted(Hosted {
            unit: BillingUnit::SearchUnit,
            price: exact(0.002),
            units: exact(1.5),
            units_at_50: Some(1.0),
            discounts: vec![Discount { from: 0.0, share: 0.5 }],
        });
        let llm = Some(LlmSpend { usd_per_month: 6000.0 });
        let bill = bill(&model, &Load::flat(), 1e6, 0.0, llm);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
        close(bill.month, 1500.0);
        close(bill.twelve_months, 18_000.0);
        close(bill.per_1000_queries, 1.5);
        close(bill.per_50_candidates.unwrap(), 0.001);
        close(bill.of_llm.unwrap(), 0.25);
        assert_eq!((bill.replicas, bill.idle_hours), (None, None));
    }

    #[test]
    fn machines_and_growth() {
        let model = CostModel::SelfHosted(Box::new(SelfHosted {
            machine: exact(1.0),
            rate: exact(1e9),
            candidates: 100.0,
            utilisation: exact(1.0),
            spare: 1,
            scaling: Scaling::Fixed,
            staff: None,
        }));
        let bill = bill(&model, &Load::flat(), 1e6, 0.1, None);
        assert_eq!((bill.month, bill.replicas, bill.of_llm), (1460.0, Some(2.0), None));
        assert_eq!(bill.twelve_months, 12.0 * 1460.0);
        assert!((bill.per_50_candidates.unwrap() - 0.00073).abs() < 1e-9);
        let hosted = CostModel::Free;
        assert_eq!(super::bill(&hosted, &Load::flat(), 1e6, 0.1, None).month, 0.0);
    }
}
