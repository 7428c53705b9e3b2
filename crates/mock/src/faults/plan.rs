use std::fmt;
use std::str::FromStr;

use super::Fault;

/// Which calls go wrong, and how. Calls are the `POST` requests, numbered from 1 as they arrive, so
/// that the same calls in the same order meet the same faults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    rules: Vec<Rule>,
    seed: u64,
}

impl Plan {
    /// For each call the first rule that fits it decides. The seed draws the calls of a
    /// [`When::Share`].
    pub fn new(rules: Vec<Rule>, seed: u64) -> Self {
        Self { rules, seed }
    }

    /// What goes wrong with a call.
    pub fn fault(&self, call: u64) -> Option<&Fault> {
        let mut rules = (0..).zip(&self.rules);
        rules.find(|(place, rule)| rule.fits(call, *place, self.seed)).map(|(_, rule)| &rule.fault)
    }
}

/// A fault for some calls. Written `3:500` (the third call), `1-5:429-after=2` (the first five),
/// `5%:reset` (a share of all), `*:slow-body=20ms` (all).
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Which calls.
    pub when: When,
    /// What goes wrong.
    pub fault: Fault,
}

/// Which calls a [`Rule`] is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// From this one to that one, both included, counted from 1.
    Calls(u64, u64),
    /// This many in a hundred, drawn call by call.
    Share(f64),
    /// All.
    Always,
}

impl Rule {
    fn fits(&self, call: u64, place: u64, seed: u64) -> bool {
        match self.when {
            When::Calls(first, last) => (first..=last).contains(&call),
            When::Share(percent) => draw(seed, place, call) * 100.0 < percent,
            When::Always => true,
        }
    }
}

/// From 0 to below 1, by the SplitMix64 generator's mixing function.
fn draw(seed: u64, place: u64, call: u64) -> f64 {
    let mix = |state: u64| {
        let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^ (state >> 31)
    };
    (mix(mix(mix(seed) ^ place) ^ call) >> 11) as f64 / (1_u64 << 53) as f64
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.when {
            When::Calls(first, last) if first == last => write!(f, "{first}:{}", self.fault),
            When::Calls(first, last) => write!(f, "{first}-{last}:{}", self.fault),
            When::Share(percent) => write!(f, "{percent}%:{}", self.fault),
            When::Always => write!(f, "*:{}", self.fault),
        }
    }
}

/// A text that is not a [`Rule`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is not a rule for faults: write CALLS:FAULT, where CALLS is a number (3), a range (1-5), \
     a share (5%) or * and FAULT is one of {}",
    Fault::NAMES
)]
pub struct UnknownRule {
    /// The text.
    pub text: String,
}

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        let rule = || {
            let (when, fault) = text.split_once(':')?;
            Some(Self { when: parse(when)?, fault: fault.parse().ok()? })
        };
        rule().ok_or_else(|| UnknownRule { text: text.to_owned() })
    }
}

fn parse(when: &str) -> Option<When> {
    if when == "*" {
        return Some(When::Always);
    }
    if let Some(percent) = when.strip_suffix('%') {
        let percent = percent.parse().ok()?;
        return (0.0..=100.0).contains(&percent).then_some(When::Share(percent));
    }
    let (first, last) = when.split_once('-').unwrap_or((when, when));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (1 <= first && first <= last).then_some(When::Calls(first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(rules: &[&str], seed: u64) -> Plan {
        Plan::new(rules.iter().map(|rule| rule.parse().unwrap()).collect(), seed)
    }

    #[test]
    fn rules_round_trip_and_what_is_none_is_refused() {
        for text in ["3:500", "1-5:429-after=2", "2.5%:reset", "*:slow-body=20ms"] {
            assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
        }
        for text in
            ["500", "0:500", "5-1:500", "101%:500", "NaN%:500", "-1%:500", "3:", ":500", "x:500"]
        {
            let error = text.parse::<Rule>().unwrap_err().to_string();
            assert!(error.contains(&format!("'{text}'")), "{error}");
        }
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let plan = plan(&["2:hang", "1-3:reset"], 0);
        let faults = (1..=4).map(|call| plan.fault(call).map(ToString::to_string));
        let faults: Vec<_> = faults.map(Option::unwrap_or_default).collect();
        assert_eq!(faults, ["reset", "hang", "reset", ""]);
    }

    #[test]
    fn a_share_is_drawn_by_the_seed_alone() {
        let calls = 100_000;
        let hits = |seed, rules: &[&str]| {
            let plan = plan(rules, seed);
            (1..=calls).filter(|call| plan.fault(*call).is_some()).collect::<Vec<_>>()
        };
        let (one, two) = (hits(1, &["5%:500"]), hits(2, &["5%:500"]));
        assert_eq!(one, hits(1, &["5%:500"]));
        assert_ne!(one, two);
        // Five standard deviations of a binomial.
        let (expected, deviation) = (0.05 * calls as f64, (calls as f64 * 0.05 * 0.95).sqrt());
        for hits in [&one, &two] {
            assert!((hits.len() as f64 - expected).abs() < 5.0 * deviation, "{}", hits.len());
        }
        // Two rules draw apart: half and half of the rest is three quarters.
        let both = hits(1, &["50%:500", "50%:502"]).len() as f64 / calls as f64;
        assert!((both - 0.75).abs() < 0.01, "{both}");
    }
}
