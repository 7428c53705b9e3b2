//! What a reranker costs a month: machines of one's own, or a provider's bill, over a daily curve of
//! queries; and the volume at which the one becomes cheaper than the other.
//!
//! Every number that goes in is a [`Figure`]: it says whether it was measured, told by a vendor or
//! assumed, when and where, and in what range it may lie.

mod bill;
mod break_even;
mod figure;
mod hosted;
mod load;
mod model;
mod self_hosted;

pub use bill::{Bill, LlmSpend, bill};
pub use break_even::{BreakEven, CostPoint, break_even, break_even_range, over_volume};
pub use figure::{Basis, Figure, FigureError};
pub use hosted::{Discount, DiscountError, Hosted, HostedTerms, check_discounts};
pub use load::{DAYS_A_MONTH, HOURS_A_MONTH, Load, LoadError};
pub use model::{CostModel, Terms};
pub use self_hosted::{Scaling, SelfHosted, SelfHostedTerms, Staff};
