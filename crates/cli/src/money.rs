use std::io::{BufRead, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Result, bail};
use secondpass_core::Context;
use secondpass_evaluation::Forecast;

use crate::args::HostedArgs;
use crate::exit::usage;
use crate::note::note;

/// What may be spent without being told, in US dollars.
const UNASKED: f64 = 1.0;
/// How often a question looks whether Ctrl-C was pressed.
const LOOK: Duration = Duration::from_millis(50);

/// Tells what a run will cost, and makes sure that it may: nothing that costs more than a little
/// starts without the user's word.
pub fn agree(forecasts: &[Forecast], args: &HostedArgs, context: &Context) -> Result<()> {
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
        let remedy = match unpriced.is_empty() {
            true => "say how much it may be with --max-cost, or --yes to go on",
            false => "give its price in a file for --prices, or --yes to go on without",
        };
        return Err(usage(anyhow::anyhow!("{question}; {remedy}")));
    }
    {
        let mut err = std::io::stderr().lock();
        write!(err, "{question}; go on? [y/N] ")?;
        err.flush()?;
    }
    match answer(context)?.is_some_and(|answer| is_yes(&answer)) {
        true => Ok(()),
        false => bail!("stopped before anything was sent"),
    }
}

/// A line of standard input; `None` when Ctrl-C came first.
fn answer(context: &Context) -> Result<Option<String>> {
    let (said, heard) = mpsc::channel();
    // A read cannot be interrupted; the thread ends with the program.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        said.send(read.map(|_| line))
    });
    while !context.cancel.is_set() {
        match heard.recv_timeout(LOOK) {
            Ok(line) => return Ok(Some(line?)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
        }
    }
    Ok(None)
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        for yes in ["y", "Y\n", "yes", "YES \r\n"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n", "yess", "ye"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }
}
