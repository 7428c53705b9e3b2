//! What a reader should know of rerankers that are asked over HTTP.

use std::collections::BTreeMap;
use std::fmt;

use secondpass_core::{BillingUnit, Destination, Origin};

use super::{listed, percent};
use crate::money::usd;
use crate::plural::counted;
use crate::record::{Record, SystemRecord};

/// Share of the estimated units by which a bill may differ before that is told.
const BILL_OFF: f64 = 0.1;

/// Something noticed about a reranker that is asked over HTTP; shown as a sentence with what to do.
#[derive(Clone, Debug, PartialEq)]
pub enum HostedWarning {
    /// Figures that decide nothing, because no reranker gave them now.
    NotLive {
        /// Systems answered by a server that imitates their provider.
        mocks: Vec<String>,
        /// Systems played back from a recording, and when it was made.
        replays: Vec<(String, String)>,
    },
    /// Where users' texts went.
    TextsLeft {
        /// Which systems sent them.
        systems: Vec<String>,
        /// To which host.
        host: String,
        /// Where that is; `None` where it is unknown.
        region: Option<String>,
    },
    /// A killed start left calls whose answers nobody kept.
    PossiblyBilledTwice {
        /// Whose.
        system: String,
        /// How many.
        calls: usize,
        /// The most they can have cost together, in US dollars; `None` where no price was known.
        most: Option<f64>,
    },
    /// The bill is not what the provider's rules let expect.
    EstimateOff {
        /// Whose.
        system: String,
        /// What is counted.
        unit: BillingUnit,
        /// Units by estimate, of the answers that reported any.
        estimated: u64,
        /// Units that they reported.
        reported: u64,
    },
    /// Somebody bills calls, and nobody knows at what price.
    NoPrice {
        /// Whose.
        system: String,
        /// What is counted.
        unit: BillingUnit,
    },
}

pub(super) fn warnings(record: &Record) -> Vec<HostedWarning> {
    let systems = &record.systems;
    let mut warnings: Vec<HostedWarning> = not_live(systems).into_iter().collect();
    warnings.extend(texts_left(systems));
    warnings.extend(systems.iter().filter_map(possibly_billed_twice));
    warnings.extend(systems.iter().filter_map(estimate_off));
    warnings.extend(systems.iter().filter_map(no_price));
    warnings
}

fn not_live(systems: &[SystemRecord]) -> Option<HostedWarning> {
    let (mut mocks, mut replays) = (Vec::new(), Vec::new());
    for system in systems {
        match &system.origin {
            Origin::Live => {}
            Origin::Mock => mocks.push(system.name.clone()),
            Origin::Replay { recorded } => replays.push((system.name.clone(), recorded.clone())),
        }
    }
    let any = !(mocks.is_empty() && replays.is_empty());
    any.then_some(HostedWarning::NotLive { mocks, replays })
}

/// One a place; servers of the user and this machine are no news.
fn texts_left(systems: &[SystemRecord]) -> Vec<HostedWarning> {
    let mut places: BTreeMap<(&str, Option<&str>), Vec<String>> = BTreeMap::new();
    for system in systems {
        let elsewhere = |to: &&Destination| !to.self_hosted && !is_loopback(&to.host);
        if let Some(to) = system.destination.as_ref().filter(elsewhere) {
            let place = (to.host.as_str(), to.region.as_deref());
            places.entry(place).or_default().push(system.name.clone());
        }
    }
    let warning = |((host, region), systems): ((&str, Option<&str>), Vec<String>)| {
        let (host, region) = (host.to_owned(), region.map(str::to_owned));
        HostedWarning::TextsLeft { systems, host, region }
    };
    places.into_iter().map(warning).collect()
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let address = name.parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn possibly_billed_twice(system: &SystemRecord) -> Option<HostedWarning> {
    let calls = &system.possibly_billed_twice;
    (!calls.is_empty()).then(|| HostedWarning::PossiblyBilledTwice {
        system: system.name.clone(),
        calls: calls.len(),
        most: calls.iter().map(|call| call.most).sum(),
    })
}

fn estimate_off(system: &SystemRecord) -> Option<HostedWarning> {
    let cost = system.cost.as_ref()?;
    let reported = cost.spent.reported;
    let estimated = cost.spent.estimated.saturating_sub(cost.spent.untold);
    let off = reported.abs_diff(estimated) as f64;
    (off > BILL_OFF * estimated as f64).then(|| HostedWarning::EstimateOff {
        system: system.name.clone(),
        unit: cost.tariff.unit,
        estimated,
        reported,
    })
}

fn no_price(system: &SystemRecord) -> Option<HostedWarning> {
    let tariff = &system.cost.as_ref()?.tariff;
    let (system, unit) = (system.name.clone(), tariff.unit);
    tariff.price.is_none().then_some(HostedWarning::NoPrice { system, unit })
}

impl fmt::Display for HostedWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLive { mocks, replays } => {
                let mut parts = Vec::new();
                if !mocks.is_empty() {
                    parts.push(format!(
                    "the answers of {} came from a server that imitates the provider, and their \
                     scores and times are made up",
                    listed(mocks)
                ));
                }
                if !replays.is_empty() {
                    let replays = replays.iter().map(|(system, when)| format!("{system} ({when})"));
                    parts.push(format!(
                        "the answers of {} were played back from a recording",
                        listed(&replays.collect::<Vec<_>>())
                    ));
                }
                let told = parts.join("; ");
                let rest = told.strip_prefix('t').unwrap_or(&told);
                write!(f, "T{rest}: they decide nothing, so measure live before you choose.")
            }
            Self::TextsLeft { systems, host, region } => {
                let region = match region {
                    Some(region) => format!("region {region}"),
                    None => "region unknown".to_owned(),
                };
                write!(
                    f,
                    "Texts left this machine: {} sent queries and documents to {host} ({region}); set \
                 'residency' in the config where they may not.",
                    listed(systems)
                )
            }
            Self::PossiblyBilledTwice { system, calls, most } => {
                let (verb, they) =
                    if *calls == 1 { ("was", "it was") } else { ("were", "they were") };
                let calls = counted(*calls, "call", "calls");
                write!(
                    f,
                    "{calls} of {system} {verb} out when an earlier start of this run was killed: {they} \
                     made again, and may be on the bill twice"
                )?;
                match most {
                    Some(most) => write!(f, ", for {} USD at most.", usd(*most)),
                    None => f.write_str("; no price of them is known."),
                }
            }
            Self::EstimateOff { system, unit, estimated, reported } => {
                let off = reported.abs_diff(*estimated) as f64 / (*estimated).max(1) as f64;
                let side = if reported > estimated { "more" } else { "less" };
                write!(
                    f,
                    "{system} reports {reported} {unit} and {estimated} were estimated, {} {side}: trust the \
                 report, see the provider's rules, and name a 'tokenizer' if tokens were guessed.",
                    percent(off)
                )
            }
            Self::NoPrice { system, unit } => write!(
                f,
                "{system} is billed by the {} and no price of it is known, so its cost is told in {unit} \
             only; put the price into the file that 'prices' in the config's [cost] or --prices names.",
                unit.singular()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use secondpass_core::{Origin, TruncationAudit};

    use super::*;
    use crate::record::UnknownCall;
    use crate::testing::record;

    fn sentences(record: &Record) -> Vec<String> {
        warnings(record).iter().map(HostedWarning::to_string).collect()
    }

    fn destination(host: &str, region: Option<&str>, self_hosted: bool) -> Option<Destination> {
        Some(Destination {
            host: host.to_owned(),
            region: region.map(str::to_owned),
            self_hosted,
            fields: Vec::new(),
            retention: None,
        })
    }

    #[test]
    fn only_texts_that_left_the_machine_are_news() {
        let mut record = record();
        let quiet = [
            destination("tei.example.com", None, true),
            destination("localhost:8080", None, false),
            destination("127.0.0.1:8080", None, false),
            destination("[::1]:8080", None, false),
        ];
        for quiet in quiet {
            record.systems[1].destination = quiet;
            assert_eq!(sentences(&record), [""; 0]);
        }
        record.systems[1].destination = destination("10.0.0.1", Some("eu-central-1"), false);
        record.systems[2].destination = destination("10.0.0.1", Some("eu-central-1"), false);
        let told = sentences(&record);
        assert_eq!(told.len(), 1, "one a place");
        assert!(told[0].contains("mini and oracle sent"), "{told:?}");
        assert!(told[0].contains("10.0.0.1 (region eu-central-1)"), "{told:?}");
    }

    #[test]
    fn mocks_and_recordings_are_told_apart() {
        let mut record = record();
        record.systems[1].origin = Origin::Mock;
        record.systems[2].origin = Origin::Replay { recorded: "2026-02-03".to_owned() };
        assert_eq!(
            sentences(&record),
            [
                "The answers of mini came from a server that imitates the provider, and their scores and \
              times are made up; the answers of oracle (2026-02-03) were played back from a recording: \
              they decide nothing, so measure live before you choose."
            ]
        );
    }

    #[test]
    fn lost_calls_are_counted_with_the_most_they_cost() {
        let mut record = record();
        let call = |most| UnknownCall { query: "q".into(), pass: String::new(), most };
        record.systems[1].possibly_billed_twice = vec![call(Some(0.5)), call(Some(0.25))];
        let told = sentences(&record);
        assert!(told[0].starts_with("2 calls of mini were out when"), "{told:?}");
        assert!(told[0].ends_with("on the bill twice, for 0.75 USD at most."), "{told:?}");
        record.systems[1].possibly_billed_twice.push(call(None));
        assert!(sentences(&record)[0].ends_with("twice; no price of them is known."));
        record.systems[1].possibly_billed_twice.truncate(1);
        let told = sentences(&record);
        assert!(told[0].starts_with("1 call of mini was out when"), "{told:?}");
    }

    #[test]
    fn what_is_cut_by_estimate_says_so() {
        let mut record = record();
        let audit = TruncationAudit {
            pairs: 10,
            pairs_cut: 5,
            tokens: 100,
            tokens_cut: 20,
            estimated: true,
            ..TruncationAudit::default()
        };
        record.systems[1].truncation = Some(audit);
        let told = super::super::warnings(&record, &[100; 2])[0].to_string();
        assert!(told.contains("by estimate, because its provider does not tell"), "{told}");
    }
}
