use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Result, bail};
use secondpass_evaluation::Forecast;

use crate::args::HostedArgs;
use crate::exit::usage;
use crate::note::note;

/// What may be spent without being told, in US dollars.
const UNASKED: f64 = 1.0;

/// Tells what a run will cost, and makes sure that it may: nothing that costs more than a little
/// starts without the user's word.
pub fn agree(forecasts: &[Forecast], args: &HostedArgs) -> Result<()> {
    let mut total = 0.0;
    let mut unpriced = Vec::new();
    for forecast in forecasts.iter().filter(|forecast| forecast.units > 0) {
        note(shown(forecast));
        match forecast.usd {
            Some(usd) => total += usd,
            None => unpriced.push(forecast.system.as_str()),
        }
    }
    let question = match (unpriced.is_empty(), args.max_cost) {
        // The budget holds whatever the estimate says.
        (true, Some(_)) => return Ok(()),
        (true, None) if total <= UNASKED => return Ok(()),
        (true, None) => format!("this run costs about {total:.2} USD"),
        (false, Some(_)) => {
            return Err(usage(anyhow::anyhow!(
                "--max-cost cannot hold '{}', whose price is not known; put it into a file for \
                 --prices (see configs/prices.toml)",
                unpriced.join("', '")
            )));
        }
        (false, None) => format!("nobody knows what '{}' will cost", unpriced.join("', '")),
    };
    if args.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(usage(anyhow::anyhow!(
            "{question}; say how much it may be with --max-cost, or --yes to go on"
        )));
    }
    let mut err = std::io::stderr().lock();
    write!(err, "{question}; go on? [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    match matches!(answer.trim(), "y" | "Y" | "yes") {
        true => Ok(()),
        false => bail!("stopped before anything was sent"),
    }
}

fn shown(forecast: &Forecast) -> String {
    let Forecast { system, tariff, queries, units, usd, most_usd, spent_usd, .. } = forecast;
    let cost = match (usd, most_usd) {
        (Some(usd), Some(most)) => format!("{usd:.4} USD, {most:.4} USD at the most"),
        _ => "at an unknown price".to_owned(),
    };
    let spent = match *spent_usd > 0.0 {
        true => format!("; earlier starts of this run spent {spent_usd:.4} USD"),
        false => String::new(),
    };
    format!("{system}: {queries} queries, about {units} {}: {cost}{spent}", tariff.unit)
}
