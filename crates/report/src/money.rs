//! US dollars and what they are paid for, as people read them.

use secondpass_core::{BillingUnit, Tariff};

use crate::format;

/// What stands where nobody knows what it costs, which is not the same as nothing.
pub(crate) const UNKNOWN: &str = "price unknown";

/// An amount in US dollars: `$0`, `$0.0021`, `$12.30`, `$4,100`.
pub(crate) fn usd(amount: f64) -> String {
    // Three significant digits take so many decimals.
    let decimals = |value: f64| (2.0 - value.log10().floor()).clamp(2.0, 12.0) as usize;
    match amount {
        a if !a.is_finite() => format::NONE.into(),
        a if a < 0.0 => format!("−{}", usd(-a)),
        0.0 => "$0".into(),
        a if a < 1e-6 => "<$0.000001".into(),
        a if a < 1.0 => {
            let text = format!("{a:.*}", decimals(a));
            let shortest = text.find('.').map_or(text.len(), |point| point + 3);
            let trimmed = text.trim_end_matches('0').len().max(shortest);
            format!("${}", &text[..trimmed])
        }
        a if a < 999.995 => format!("${a:.2}"),
        a => format!("${}", format::count(a.round() as u64)),
    }
}

/// An amount, or that its price is unknown.
pub(crate) fn known(amount: Option<f64>) -> String {
    amount.map_or(UNKNOWN.into(), usd)
}

/// A tariff's price, for as many units as people buy at a time: `$2.00 per 1,000 search units`.
pub(crate) fn price(tariff: &Tariff) -> String {
    let Some(price) = &tariff.price else { return UNKNOWN.into() };
    let (many, name) = match tariff.unit {
        BillingUnit::Token => (1e6, "million tokens".to_owned()),
        BillingUnit::Hour => (1.0, "hour".to_owned()),
        unit @ (BillingUnit::SearchUnit | BillingUnit::Request) => (1e3, format!("1,000 {unit}")),
    };
    format!("{} per {name}", usd(price.usd * many))
}

/// A mean number of units: `1 search unit`, `2.4 search units`, `5,961 tokens`.
pub(crate) fn units(mean: f64, unit: BillingUnit) -> String {
    let number = match mean {
        small if small > 0.0 && small < 0.1 => format::number(small),
        many if many >= 1_000.0 => format::rate(many),
        mean => format::mean(mean),
    };
    match number.as_str() {
        "1" => format!("1 {}", unit.singular()),
        number => format!("{number} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use secondpass_core::Price;

    use super::*;

    #[test]
    fn amounts_keep_three_digits_and_cents() {
        for (amount, told) in [
            (0.0, "$0"),
            (2e-8, "<$0.000001"),
            (0.000_002, "$0.000002"),
            (0.000_018_44, "$0.0000184"),
            (0.002, "$0.002"),
            (0.05, "$0.05"),
            (0.5, "$0.50"),
            (0.999_9, "$1.00"),
            (2.0, "$2.00"),
            (12.346, "$12.35"),
            (999.994, "$999.99"),
            (4_100.4, "$4,100"),
            (-0.25, "−$0.25"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(usd(amount), told, "{amount}");
        }
    }

    #[test]
    fn amounts_read_back_within_half_a_percent() {
        for power in -5..9 {
            for digits in 100..1_000 {
                let amount = f64::from(digits) * 10f64.powi(power - 2);
                let told = usd(amount);
                let read: f64 = told.replace(['$', ','], "").parse().unwrap();
                assert!((read / amount - 1.0).abs() <= 0.005, "{amount}: {told}");
            }
        }
    }

    #[test]
    fn an_unknown_price_is_never_nothing() {
        let tariff = |unit, usd: Option<f64>| Tariff {
            unit,
            price: usd.map(|usd| Price { usd, read: String::new(), source: String::new() }),
        };
        let told = |unit, usd| price(&tariff(unit, usd));
        assert_eq!(told(BillingUnit::SearchUnit, Some(0.002)), "$2.00 per 1,000 search units");
        assert_eq!(told(BillingUnit::Token, Some(2e-8)), "$0.02 per million tokens");
        assert_eq!(told(BillingUnit::Request, Some(0.001)), "$1.00 per 1,000 requests");
        assert_eq!(told(BillingUnit::Hour, Some(5.0)), "$5.00 per hour");
        assert_eq!(told(BillingUnit::Hour, Some(0.0)), "$0 per hour");
        assert_eq!(told(BillingUnit::Token, None), "price unknown");
        assert_eq!(known(None), "price unknown");
        assert_eq!(known(Some(0.0)), "$0");
    }

    #[test]
    fn units_are_singular_or_plural() {
        assert_eq!(units(1.0, BillingUnit::SearchUnit), "1 search unit");
        assert_eq!(units(1.04, BillingUnit::SearchUnit), "1 search unit");
        assert_eq!(units(2.4, BillingUnit::SearchUnit), "2.4 search units");
        assert_eq!(units(0.004, BillingUnit::Hour), "0.004 hours");
        assert_eq!(units(5_961.3, BillingUnit::Token), "5,961 tokens");
        assert_eq!(units(f64::NAN, BillingUnit::Token), "– tokens");
    }
}
