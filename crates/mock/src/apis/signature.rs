//! Checks AWS signatures, version 4, of requests that came in.
//!
//! The canonical request is put together here, from
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>, so that
//! a client's mistakes in it show; keys and signatures are computed by `aws-sigv4`.

use std::time::{Duration, SystemTime};

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use secondpass_core::ContentHash;

use crate::Request;

/// How far a request's clock may be from the server's.
const SKEW: Duration = Duration::from_secs(5 * 60);
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The credentials that a signature must be made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Credentials {
    /// Anybody's: all but the signature itself is checked.
    Any,
    /// This secret's; with an access key id where one is told.
    Secret { id: Option<String>, secret: String },
}

impl Credentials {
    /// From `SECRET` or `ACCESS_KEY_ID:SECRET`.
    pub(super) fn new(key: Option<&str>) -> Self {
        match key.map(|key| key.split_once(':').map_or((None, key), |(id, s)| (Some(id), s))) {
            None => Self::Any,
            Some((id, secret)) => {
                Self::Secret { id: id.map(str::to_owned), secret: secret.to_owned() }
            }
        }
    }
}

/// Why a signature is refused, as AWS names it in `x-amzn-errortype`, and in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) kind: &'static str,
    pub(super) message: String,
}

/// Checks that the request is signed for this service, now, with these credentials.
pub(super) fn verify(
    request: &Request,
    service: &str,
    credentials: &Credentials,
    now: SystemTime,
) -> Result<(), Refused> {
    let Some(value) = request.headers.get("authorization") else {
        return refuse("MissingAuthenticationTokenException", "Missing Authentication Token");
    };
    let Some(claim) = Claim::read(value) else {
        let message = format!(
            "Authorization is not '{ALGORITHM} Credential=ID/DATE/REGION/SERVICE/aws4_request, SignedHeaders=A;B, Signature=HEX'"
        );
        return refuse("IncompleteSignatureException", message);
    };
    if claim.service != service {
        let message = format!("the credential is scoped to {}, not {service}", claim.service);
        return refuse("InvalidSignatureException", message);
    }
    let stamp = request.headers.get("x-amz-date").map_or("", String::as_str);
    let Some(time) = parse(stamp) else {
        let message = format!("x-amz-date is '{stamp}', not of the form YYYYMMDDTHHMMSSZ");
        return refuse("IncompleteSignatureException", message);
    };
    if !stamp.starts_with(claim.date) {
        let message = format!("the credential is of {}, x-amz-date is {stamp}", claim.date);
        return refuse("InvalidSignatureException", message);
    }
    let apart = now.duration_since(time).or_else(|_| time.duration_since(now)).unwrap_or(SKEW);
    if apart > SKEW {
        let message = format!("Signature expired: {stamp} is over 5 minutes from the time here");
        return refuse("InvalidSignatureException", message);
    }
    let signed = |name: &str| claim.signed.contains(&name);
    let unsigned = request.headers.keys().find(|name| {
        (name.as_str() == "host" || name.starts_with("x-amz-")) && !signed(name.as_str())
    });
    if let Some(name) = unsigned {
        return refuse("InvalidSignatureException", format!("header {name} must be signed"));
    }
    let hash = ContentHash::of(&request.body);
    if request.headers.get("x-amz-content-sha256").is_some_and(|told| told != hash.as_str()) {
        let message = "x-amz-content-sha256 is not the hash of the body";
        return refuse("InvalidSignatureException", message);
    }
    let Credentials::Secret { id, secret } = credentials else { return Ok(()) };
    if id.as_ref().is_some_and(|id| id != claim.id) {
        let message = "The security token included in the request is invalid.";
        return refuse("UnrecognizedClientException", message);
    }
    let canonical = canonical(request, &claim.signed, hash.as_str());
    let scope = format!("{}/{}/{service}/aws4_request", claim.date, claim.region);
    let hash = ContentHash::of(canonical.as_bytes());
    let text = format!("{ALGORITHM}\n{stamp}\n{scope}\n{}", hash.as_str());
    let key = generate_signing_key(secret, time, claim.region, service);
    match calculate_signature(key, text.as_bytes()) == claim.signature {
        true => Ok(()),
        false => refuse(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.",
        ),
    }
}

fn refuse(kind: &'static str, message: impl Into<String>) -> Result<(), Refused> {
    Err(Refused { kind, message: message.into() })
}

/// What an `Authorization` header claims.
struct Claim<'a> {
    id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Claim<'a> {
    fn read(value: &'a str) -> Option<Self> {
        let (mut credential, mut signed, mut signature) = (None, None, None);
        for part in value.strip_prefix(ALGORITHM)?.split(',') {
            match part.trim().split_once('=')? {
                ("Credential", value) => credential = Some(value),
                ("SignedHeaders", value) => signed = Some(value),
                ("Signature", value) => signature = Some(value),
                _ => return None,
            }
        }
        let scope: Vec<&str> = credential?.split('/').collect();
        let [id, date, region, service, "aws4_request"] = scope[..] else { return None };
        let signed = signed?.split(';').collect();
        Some(Self { id, date, region, service, signed, signature: signature? })
    }
}

fn canonical(request: &Request, signed: &[&str], hash: &str) -> String {
    // The path as it came, encoded once more; none of the services imitated takes a query.
    let path: String = request.path.bytes().map(encoded).collect();
    let headers = signed.iter().map(|name| {
        let value = request.headers.get(*name).map_or("", String::as_str);
        let words: Vec<&str> = value.split_whitespace().collect();
        format!("{name}:{}\n", words.join(" "))
    });
    let headers: String = headers.collect();
    format!("{}\n{path}\n\n{headers}\n{}\n{hash}", request.method, signed.join(";"))
}

/// A byte of a path as AWS's `UriEncode` writes it.
fn encoded(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    }
}

/// `YYYYMMDDTHHMMSSZ`, from 1970.
pub(super) fn parse(stamp: &str) -> Option<SystemTime> {
    let (date, time) = stamp.strip_suffix('Z')?.split_once('T')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if date.len() != 8 || time.len() != 6 || !digits(date) || !digits(time) {
        return None;
    }
    let [hour, minute, second] = [0..2, 2..4, 4..6].map(|at| time[at].parse().unwrap_or(0_u64));
    let year: u64 = date[..4].parse().ok()?;
    let [month, day] = [4..6, 6..8].map(|at| date[at].parse().unwrap_or(0_u64));
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March, so that leap days end them.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    let days = days.checked_sub(EPOCH)?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Days to 1 January 1970, counted as in [`parse`].
const EPOCH: u64 = 1969 * 365 + 1969 / 4 - 1969 / 100 + 1969 / 400 + (10 * 153 + 2) / 5 + 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_read_as_http_dates_are() {
        for (stamp, date) in [
            ("19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("20000229T235959Z", "Tue, 29 Feb 2000 23:59:59 GMT"),
            ("20150830T123600Z", "Sun, 30 Aug 2015 12:36:00 GMT"),
            ("20241231T000001Z", "Tue, 31 Dec 2024 00:00:01 GMT"),
            ("21000301T120000Z", "Mon, 01 Mar 2100 12:00:00 GMT"),
        ] {
            assert_eq!(parse(stamp), httpdate::parse_http_date(date).ok(), "{stamp}");
        }
        for stamp in ["", "2015-08-30T12:36:00Z", "20151330T123600Z", "20150830T1236Z", "é"] {
            assert_eq!(parse(stamp), None, "{stamp}");
        }
    }
}
