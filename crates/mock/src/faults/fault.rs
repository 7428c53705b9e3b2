use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// One thing that goes wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing comes for this long, then the answer.
    SlowHeaders(Duration),
    /// The headers come at once, the body drips in over this long.
    SlowBody(Duration),
    /// Nothing ever comes, and the connection stays open.
    Hang,
    /// The connection is reset after half of the body.
    Reset,
    /// A failure in the provider's own form.
    Status {
        /// From 400 to 599.
        status: u16,
        /// How it says when to come back.
        wait: Option<Wait>,
    },
    /// A page of HTML with this status, as a proxy in between would send.
    Html(u16),
    /// The body ends in the middle, and its length says so.
    Truncated,
    /// A score is the bare word `NaN`, which is not JSON, but what Python's encoder writes.
    Nan,
    /// A score is the bare word `Infinity`.
    Infinite,
    /// A score is above the provider's greatest; nothing where it has none.
    OutOfRange,
    /// One document comes twice, in another one's place.
    Duplicate,
    /// One document does not come.
    Missing,
    /// A result names a document that was not sent.
    IndexOutOfRange,
    /// Fields that no specification names, at the top and in each result.
    ExtraFields,
    /// The body is packed with gzip, if the client takes that.
    Gzip,
    /// A redirect to this base URL with the same path.
    Redirect(String),
}

/// How a refusal says when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// `Retry-After` in seconds.
    Seconds(u64),
    /// `Retry-After` as an HTTP date, this many seconds from now, rounded up.
    Date(u64),
    /// `x-ratelimit-reset`: the Unix time this many seconds from now, rounded up, as Cohere's SDK
    /// reads it.
    Reset(u64),
}

/// Where [`Fault::Redirect`] leads unless told: a name that never resolves (RFC 2606).
const ELSEWHERE: &str = "https://elsewhere.invalid";

impl Fault {
    /// How faults are written, for help.
    pub const NAMES: &str = "slow-headers=500ms, slow-body=2s, hang, reset, 500 (any status from 400 \
        to 599), 429-after=2, 429-after-date=2, 429-reset=2 (seconds, with any status), html, \
        html=200, truncated, nan, infinite, out-of-range, duplicate, missing, index-out-of-range, \
        extra-fields, gzip, redirect, redirect=URL";

    /// One of each, slow ones taking this long, and waits of a second.
    pub fn each(slow: Duration) -> Vec<Self> {
        let mut each = vec![Self::SlowHeaders(slow), Self::SlowBody(slow), Self::Hang, Self::Reset];
        let waits = [None, Some(Wait::Seconds(1)), Some(Wait::Date(1)), Some(Wait::Reset(1))];
        each.extend(waits.map(|wait| Self::Status { status: 429, wait }));
        let statuses = [500, 502, 503, 504, 402, 401];
        each.extend(statuses.map(|status| Self::Status { status, wait: None }));
        each.extend([
            Self::Html(502),
            Self::Truncated,
            Self::Nan,
            Self::Infinite,
            Self::OutOfRange,
            Self::Duplicate,
            Self::Missing,
            Self::IndexOutOfRange,
            Self::ExtraFields,
            Self::Gzip,
            Self::Redirect(ELSEWHERE.into()),
        ]);
        each
    }

    /// Whether the provider does the work, and bills it, though the client may never see the answer.
    pub fn bills(&self) -> bool {
        !matches!(self, Self::Status { .. } | Self::Html(_) | Self::Redirect(_))
    }

    /// Whether what arrives is still a good answer.
    pub fn leaves_good(&self) -> bool {
        matches!(self, Self::SlowHeaders(_) | Self::SlowBody(_) | Self::ExtraFields | Self::Gzip)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SlowHeaders(time) => write!(f, "slow-headers={}", Short(*time)),
            Self::SlowBody(time) => write!(f, "slow-body={}", Short(*time)),
            Self::Hang => f.write_str("hang"),
            Self::Reset => f.write_str("reset"),
            Self::Status { status, wait: None } => write!(f, "{status}"),
            Self::Status { status, wait: Some(wait) } => match wait {
                Wait::Seconds(seconds) => write!(f, "{status}-after={seconds}"),
                Wait::Date(seconds) => write!(f, "{status}-after-date={seconds}"),
                Wait::Reset(seconds) => write!(f, "{status}-reset={seconds}"),
            },
            Self::Html(502) => f.write_str("html"),
            Self::Html(status) => write!(f, "html={status}"),
            Self::Truncated => f.write_str("truncated"),
            Self::Nan => f.write_str("nan"),
            Self::Infinite => f.write_str("infinite"),
            Self::OutOfRange => f.write_str("out-of-range"),
            Self::Duplicate => f.write_str("duplicate"),
            Self::Missing => f.write_str("missing"),
            Self::IndexOutOfRange => f.write_str("index-out-of-range"),
            Self::ExtraFields => f.write_str("extra-fields"),
            Self::Gzip => f.write_str("gzip"),
            Self::Redirect(target) if target == ELSEWHERE => f.write_str("redirect"),
            Self::Redirect(target) => write!(f, "redirect={target}"),
        }
    }
}

/// A word that names no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a fault: choose one of {}", Fault::NAMES)]
pub struct UnknownFault {
    /// The word.
    pub text: String,
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        parse(text).ok_or_else(|| UnknownFault { text: text.to_owned() })
    }
}

fn parse(text: &str) -> Option<Fault> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    match (name, value) {
        ("slow-headers", Some(time)) => return time_of(time).map(Fault::SlowHeaders),
        ("slow-body", Some(time)) => return time_of(time).map(Fault::SlowBody),
        ("html", Some(status)) => {
            let status = status.parse().ok().filter(|status| (200..=599).contains(status));
            return status.map(Fault::Html);
        }
        ("redirect", Some(target)) => {
            // A header can hold visible ASCII only.
            let sound = !target.is_empty() && target.bytes().all(|byte| byte.is_ascii_graphic());
            return sound.then(|| Fault::Redirect(target.to_owned()));
        }
        (name, Some(seconds)) => {
            let (status, form) = name.split_once('-')?;
            // A year: a date further away may not be writable.
            let seconds = seconds.parse().ok().filter(|seconds| *seconds <= 31_536_000)?;
            let wait = match form {
                "after" => Wait::Seconds(seconds),
                "after-date" => Wait::Date(seconds),
                "reset" => Wait::Reset(seconds),
                _ => return None,
            };
            return Some(Fault::Status { status: status_of(status)?, wait: Some(wait) });
        }
        (_, None) => {}
    }
    Some(match name {
        "hang" => Fault::Hang,
        "reset" => Fault::Reset,
        "html" => Fault::Html(502),
        "truncated" => Fault::Truncated,
        "nan" => Fault::Nan,
        "infinite" => Fault::Infinite,
        "out-of-range" => Fault::OutOfRange,
        "duplicate" => Fault::Duplicate,
        "missing" => Fault::Missing,
        "index-out-of-range" => Fault::IndexOutOfRange,
        "extra-fields" => Fault::ExtraFields,
        "gzip" => Fault::Gzip,
        "redirect" => Fault::Redirect(ELSEWHERE.into()),
        status => Fault::Status { status: status_of(status)?, wait: None },
    })
}

fn status_of(text: &str) -> Option<u16> {
    text.parse().ok().filter(|status| (400..=599).contains(status))
}

/// `500ms` or `2s`.
fn time_of(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(number) => number.parse().ok().map(Duration::from_millis),
        None => text.strip_suffix('s')?.parse().ok().map(Duration::from_secs),
    }
}

/// A time as [`time_of`] reads it.
struct Short(Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.subsec_millis() {
            0 => write!(f, "{}s", self.0.as_secs()),
            _ => write!(f, "{}ms", self.0.as_millis()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        let mut faults = Fault::each(Duration::from_millis(1_500));
        let wait = Some(Wait::Seconds(3));
        faults.extend([
            Fault::Html(200),
            Fault::SlowBody(Duration::from_secs(2)),
            Fault::Status { status: 503, wait },
            Fault::Redirect("http://127.0.0.1:9".into()),
        ]);
        for fault in faults {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
    }

    #[test]
    fn what_names_no_fault_is_refused() {
        for text in [
            "",
            "200",
            "600",
            "slow-body",
            "slow-body=2",
            "429-after",
            "429-after=-1",
            "429-after=99999999999",
            "429-later=2",
            "html=100",
            "nan=1",
            "redirect=a b",
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(
                error.contains(&format!("'{text}'")) && error.contains("slow-headers"),
                "{error}"
            );
        }
    }
}
