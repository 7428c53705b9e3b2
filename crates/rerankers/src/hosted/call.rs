use std::time::{Duration, Instant};

use secondpass_core::{Billed, Context, Origin, Timings, Usage};
use secondpass_http::{Attempt, Client, HttpError, Reply};

use super::billing::Billing;
use super::split::Part;
use super::{Api, Scored};

/// The answer to one call, checked.
pub(super) struct Answered {
    /// One for each document of the call, in their order.
    pub scores: Vec<f64>,
    pub usage: Usage,
    pub timings: Timings,
    pub origin: Origin,
}

/// A call without a usable answer, and what it consumed all the same.
pub(super) struct Lost {
    pub error: HttpError,
    pub usage: Usage,
}

/// Sends one call of a job whose calls may go out since `started`.
pub(super) fn send(
    part: &Part<'_>,
    started: Instant,
    billing: Billing<'_>,
    client: &Client,
    context: &Context,
) -> Result<Answered, Lost> {
    let waited = started.elapsed();
    let api = billing.api;
    let call = api.call(part.query, part.documents).with_tokens(part.read());
    let reply = client.send(&call, context).map_err(|error| {
        let billed = attempted(part, error.attempts());
        Lost { error, usage: Usage { billed, ..Usage::default() } }
    })?;
    let mut usage = Usage { billed: attempted(part, &reply.attempts), ..Usage::default() };
    usage.billed.chunks = part.bill.chunks;
    usage.billed.estimated = part.bill.units;
    let read = api.read(&reply);
    let units = billing.reported(read.as_ref().ok().and_then(|scored| scored.units));
    match units {
        Some(units) => usage.billed.reported = units,
        None => usage.billed.untold = part.bill.units,
    }
    // An answer that is no use has been paid for.
    let scored = read.map_err(|error| Lost { error, usage })?;
    usage.tokens = scored.tokens.unwrap_or(0);
    let bad = |reason: String| Lost { error: reply.bad_answer(&reason), usage };
    let scores = placed(&scored, part.documents.len(), api).map_err(bad)?;
    let timings = timings(&reply, scored.server, waited).map_err(bad)?;
    usage.pairs = scores.len() as u64;
    usage.tokens = scored.tokens.unwrap_or_else(|| part.read());
    Ok(Answered { scores, usage, timings, origin: origin(&reply) })
}

/// What attempts cost that were not answered with success, and how many there were in all.
fn attempted(part: &Part<'_>, attempts: &[Attempt]) -> Billed {
    let doubtful = attempts.iter().filter(|attempt| attempt.possibly_billed()).count() as u64;
    Billed {
        calls: attempts.len() as u64,
        doubtful: part.bill.units.saturating_mul(doubtful),
        ..Billed::default()
    }
}

/// The scores in the documents' order; otherwise what is wrong with them.
fn placed(scored: &Scored, documents: usize, api: &dyn Api) -> Result<Vec<f64>, String> {
    let range = api.score_range();
    let mut placed: Vec<Option<f64>> = vec![None; documents];
    for &(index, score) in &scored.scores {
        let Some(place) = placed.get_mut(index) else {
            return Err(format!("it scores index {index}, and {documents} documents were sent"));
        };
        if !score.is_finite() {
            return Err(format!(
                "the score of index {index} is {score}, which is no finite number"
            ));
        }
        if !range.contains(&score) {
            let (from, to) = range.into_inner();
            return Err(format!("the score of index {index} is {score}, not from {from} to {to}"));
        }
        if place.replace(score).is_some() {
            return Err(format!("it scores index {index} twice"));
        }
    }
    let missing = |index| format!("it does not score index {index} of {documents} documents");
    placed
        .into_iter()
        .enumerate()
        .map(|(index, score)| score.ok_or_else(|| missing(index)))
        .collect()
}

/// Where the time went; a recorded answer took what it took when it was recorded. `waited` is the
/// time before the call had its turn among those of its job.
fn timings(reply: &Reply, server: Option<Duration>, waited: Duration) -> Result<Timings, String> {
    let (queue, took) = match reply.header(Origin::RECORDED_HEADER) {
        Some(_) => (Duration::ZERO, recorded(reply)?),
        None => {
            // Attempts that failed are waiting, as the pauses between them are.
            let all = reply.attempts.iter().map(|attempt| attempt.took).sum::<Duration>();
            (waited + reply.queued() + all.saturating_sub(reply.network()), reply.network())
        }
    };
    // Its clock is not ours, and no part can take longer than the whole.
    let server = server.map(|server| server.min(took));
    let network = took.saturating_sub(server.unwrap_or_default());
    Ok(Timings { queue, network, server, ..Timings::default() })
}

fn recorded(reply: &Reply) -> Result<Duration, String> {
    let took = reply.header(Origin::TOOK_HEADER).and_then(|took| took.trim().parse().ok());
    took.map(Duration::from_micros).ok_or_else(|| {
        format!("a recorded answer without a number in {}; record it again", Origin::TOOK_HEADER)
    })
}

fn origin(reply: &Reply) -> Origin {
    match (reply.header(Origin::MOCK_HEADER), reply.header(Origin::RECORDED_HEADER)) {
        (Some(_), _) => Origin::Mock,
        (None, Some(recorded)) => Origin::Replay { recorded: recorded.to_owned() },
        (None, None) => Origin::Live,
    }
}
