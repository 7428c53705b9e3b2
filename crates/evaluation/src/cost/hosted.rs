use secondpass_core::BillingUnit;
use serde::{Deserialize, Serialize};

use super::Figure;

/// A part of the price that is not asked for above some volume.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discount {
    /// Queries a month beyond which it holds: for those beyond, not for the ones before.
    pub from: f64,
    /// The share that is taken off, 0 to 1.
    pub share: f64,
}

/// A reranker that somebody bills for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hosted {
    /// What is counted.
    pub unit: BillingUnit,
    /// US dollars a unit, before discounts.
    pub price: Figure,
    /// Units a query.
    pub units: Figure,
    /// Units a query with 50 candidates; `None` where no query had as many.
    pub units_at_50: Option<f64>,
    /// By rising volume, with rising shares.
    pub discounts: Vec<Discount>,
}

/// The same with a number in place of every figure.
#[derive(Clone, Debug, PartialEq)]
pub struct HostedTerms<'a> {
    /// US dollars a query before discounts.
    pub query: f64,
    /// By rising volume, with rising shares.
    pub discounts: &'a [Discount],
}

/// Discounts that are none.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "discount {number} takes {share} off from {from} queries a month on; give a share from 0 to 1, and \
     list discounts by rising volume with rising shares"
)]
pub struct DiscountError {
    /// Which, from 1.
    pub number: usize,
    /// Its share.
    pub share: f64,
    /// Its volume.
    pub from: f64,
}

/// That discounts rise with the volume.
///
/// # Errors
/// A share that is none, or one that is smaller than at a lower volume.
pub fn check_discounts(discounts: &[Discount]) -> Result<(), DiscountError> {
    let mut before = Discount { from: -1.0, share: 0.0 };
    for (number, &discount) in (1..).zip(discounts) {
        let Discount { from, share } = discount;
        let rises = from > before.from && from.is_finite() && share >= before.share && share <= 1.0;
        if !(rises && from >= 0.0) {
            return Err(DiscountError { number, share, from });
        }
        before = discount;
    }
    Ok(())
}

impl Hosted {
    /// Its figures, in the order in which [`Hosted::terms`] takes their numbers.
    pub fn figures(&self) -> Vec<&Figure> {
        vec![&self.price, &self.units]
    }

    /// With the figures' own values.
    pub fn point(&self) -> HostedTerms<'_> {
        self.terms(|figure| figure.value)
    }

    /// With a number for each figure, asked for in the order of [`Hosted::figures`].
    pub fn terms(&self, mut number: impl FnMut(&Figure) -> f64) -> HostedTerms<'_> {
        let query = number(&self.price) * number(&self.units);
        HostedTerms { query, discounts: &self.discounts }
    }
}

impl HostedTerms<'_> {
    /// US dollars a month.
    pub fn month(&self, volume: f64) -> f64 {
        let mut full = volume;
        let mut before = 0.0;
        for discount in self.discounts {
            full -= (volume - discount.from).max(0.0) * (discount.share - before);
            before = discount.share;
        }
        full * self.query
    }

    /// US dollars that one query more costs at the largest volumes.
    pub(super) fn last_query(&self) -> f64 {
        self.query * (1.0 - self.discounts.last().map_or(0.0, |discount| discount.share))
    }

    /// The volume at which a month costs so much, from 0; `None` where none does.
    pub(super) fn volume_at(&self, usd: f64) -> Option<f64> {
        let (mut start, mut spent, mut price) = (0.0, 0.0, self.query);
        for discount in self.discounts {
            let here = (discount.from - start) * price;
            if spent + here >= usd {
                break;
            }
            (start, spent) = (discount.from, spent + here);
            price = self.query * (1.0 - discount.share);
        }
        let more = usd - spent;
        match more <= 0.0 {
            true => Some(start),
            false => (price > 0.0).then(|| start + more / price),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISCOUNTS: [Discount; 2] =
        [Discount { from: 100.0, share: 0.25 }, Discount { from: 200.0, share: 0.5 }];

    #[test]
    fn discounts_hold_for_what_is_beyond() {
        let terms = HostedTerms { query: 2.0, discounts: &DISCOUNTS };
        let months = [0.0, 50.0, 100.0, 200.0, 300.0].map(|volume| terms.month(volume));
        assert_eq!(months, [0.0, 100.0, 200.0, 350.0, 450.0]);
        for volume in [0.0, 50.0, 150.0, 300.0, 1e6] {
            assert_eq!(terms.volume_at(terms.month(volume)), Some(volume));
        }
        assert_eq!(terms.last_query(), 1.0);
        let at_once = [Discount { from: 0.0, share: 0.25 }];
        assert_eq!(HostedTerms { query: 2.0, discounts: &at_once }.month(100.0), 150.0);
        let free = HostedTerms { query: 0.0, discounts: &[] };
        assert_eq!((free.volume_at(1.0), free.volume_at(0.0)), (None, Some(0.0)));
    }

    #[test]
    fn discounts_rise() {
        assert_eq!(check_discounts(&DISCOUNTS), Ok(()));
        let falling = [DISCOUNTS[1], DISCOUNTS[0]];
        assert_eq!(check_discounts(&falling).unwrap_err().number, 2);
        let gift = [Discount { from: 0.0, share: 1.1 }];
        assert!(
            check_discounts(&gift).unwrap_err().to_string().starts_with("discount 1 takes 1.1")
        );
    }
}
