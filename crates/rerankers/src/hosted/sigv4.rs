use std::fmt;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use secondpass_http::{Authorize, Request, Secret, SecretError};

/// Signs requests to AWS (Signature Version 4, docs.aws.amazon.com/IAM/latest/UserGuide/
/// reference_sigv.html). As for every service but S3, the path is signed as it is encoded once more.
///
/// It takes its keys from the environment alone: profiles, containers' and machines' roles are not
/// asked. `aws configure export-credentials --format env` prints the keys of any of them.
#[derive(Clone)]
pub struct SigV4 {
    keys: AwsKeys,
    region: String,
    service: &'static str,
}

/// Keys of an AWS account.
#[derive(Clone, Debug)]
pub struct AwsKeys {
    /// Which key it is. No secret, but it tells whose it is.
    pub id: Secret,
    /// What signs.
    pub secret: Secret,
    /// What keys that end after some hours come with.
    pub token: Option<Secret>,
}

impl AwsKeys {
    /// The variables that must be set.
    pub const NEEDED: [&'static str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    const TOKEN: &'static str = "AWS_SESSION_TOKEN";

    /// The keys in `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, where it is set,
    /// `AWS_SESSION_TOKEN`.
    ///
    /// # Errors
    /// One of the first two is missing, or one of the three is no key.
    pub fn from_env() -> Result<Self, SecretError> {
        let token = match Secret::from_env(&[Self::TOKEN]) {
            Ok(token) => Some(token),
            Err(SecretError::Missing(_)) => None,
            Err(error) => return Err(error),
        };
        let [id, secret] = Self::NEEDED;
        Ok(Self { id: Secret::from_env(&[id])?, secret: Secret::from_env(&[secret])?, token })
    }
}

impl SigV4 {
    /// A signer for Amazon Bedrock in a region.
    pub fn bedrock(keys: AwsKeys, region: impl Into<String>) -> Self {
        Self { keys, region: region.into(), service: "bedrock" }
    }

    fn sign(&self, request: &Request, date: SystemTime) -> Option<Vec<(String, String)>> {
        let AwsKeys { id, secret, token } = &self.keys;
        let token = token.as_ref().map(|token| token.expose().to_owned());
        let identity = Credentials::new(id.expose(), secret.expose(), token, None, "environment");
        let identity = identity.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(date)
            .settings(SigningSettings::default())
            .build()
            .ok()?
            .into();
        let method = request.method.to_string();
        let content_type = request.content_type().map(|value| ("content-type", value));
        let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let signable = SignableRequest::new(
            &method,
            &request.url,
            headers.chain(content_type),
            SignableBody::Bytes(&request.body),
        );
        let (instructions, _) = sign(signable.ok()?, &params).ok()?.into_parts();
        let headers = instructions.headers();
        Some(headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

impl Authorize for SigV4 {
    /// `authorization`, `x-amz-date` and, with a token, `x-amz-security-token`. None of them where
    /// the request cannot be signed, which AWS answers with 403: a URL that the client could parse
    /// can be signed.
    fn headers(&self, request: &Request, date: SystemTime) -> Vec<(String, Secret)> {
        let headers = self.sign(request, date).unwrap_or_default();
        headers.into_iter().filter_map(|(name, value)| Some((name, self.secret(&value)?))).collect()
    }

    fn secrets(&self) -> Vec<&Secret> {
        let AwsKeys { id, secret, token } = &self.keys;
        [secret, id].into_iter().chain(token).collect()
    }
}

impl SigV4 {
    /// A header's value, which may hold blanks before its last word.
    fn secret(&self, value: &str) -> Option<Secret> {
        let (before, last) = value.split_at(value.rfind(' ').map_or(0, |at| at + 1));
        Some(Secret::new(last, self.keys.secret.origin()).ok()?.prefixed(before))
    }
}

impl fmt::Debug for SigV4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigV4")
            .field("keys", &self.keys)
            .field("region", &self.region)
            .field("service", &self.service)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use secondpass_http::Method;
    use serde::Deserialize;

    use super::*;

    /// What the script beside it made with botocore.
    #[derive(Deserialize)]
    struct Golden {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        region: String,
        token: Option<String>,
        seconds: u64,
        body: String,
        url: String,
        headers: BTreeMap<String, String>,
    }

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn signer(region: &str, token: Option<&str>) -> SigV4 {
        let secret = |text| Secret::new(text, "test").unwrap();
        let keys =
            AwsKeys { id: secret("AKIDEXAMPLE"), secret: secret(SECRET), token: token.map(secret) };
        SigV4::bedrock(keys, region)
    }

    fn request(url: &str, body: &str) -> Request {
        Request {
            method: Method::Post,
            url: url.to_owned(),
            headers: Vec::new(),
            secrets: Vec::new(),
            body: body.into(),
            largest_answer: 1,
        }
    }

    #[test]
    fn signs_as_botocore_does() {
        let golden = include_str!("../../../../tests/golden/hosted/sigv4.json");
        let golden: Golden = serde_json::from_str(golden).unwrap();
        assert!(!golden.cases.is_empty());
        for case in golden.cases {
            let signer = signer(&case.region, case.token.as_deref());
            let date = SystemTime::UNIX_EPOCH + Duration::from_secs(case.seconds);
            let headers = signer.headers(&request(&case.url, &case.body), date).into_iter();
            let headers: BTreeMap<_, _> =
                headers.map(|(name, value)| (name, value.expose().to_owned())).collect();
            assert_eq!(headers, case.headers);
        }
    }

    #[test]
    fn every_part_of_a_request_is_signed() {
        let url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m%3A0/invoke";
        let at = SystemTime::UNIX_EPOCH;
        let of = |signer: &SigV4, request: &Request, date| {
            let headers = signer.headers(request, date);
            let value = headers.iter().find(|(name, _)| name == "authorization").unwrap();
            value.1.expose().to_owned()
        };
        let own = signer("us-east-1", None);
        let one = of(&own, &request(url, "{}"), at);
        assert_eq!(one, of(&own, &request(url, "{}"), at));
        let mut with_header = request(url, "{}");
        with_header.headers.push(("x-more".into(), "1".into()));
        let get = Request { method: Method::Get, ..request(url, "{}") };
        for other in [
            of(&own, &request(url, "{ }"), at),
            of(&own, &request(&url.replace("%3A", ":"), "{}"), at),
            of(&own, &request(&url.replace("us-east-1", "eu-west-1"), "{}"), at),
            of(&own, &request(url, "{}"), at + Duration::from_secs(1)),
            of(&own, &with_header, at),
            of(&own, &get, at),
            of(&signer("us-east-2", None), &request(url, "{}"), at),
            of(&signer("us-east-1", Some("token")), &request(url, "{}"), at),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn the_secret_stands_in_no_header_and_no_debug() {
        let signer = signer("us-east-1", Some("planted-token"));
        let headers = signer.headers(&request("https://host/x", ""), SystemTime::UNIX_EPOCH);
        assert_eq!(headers.len(), 3);
        assert!(headers.iter().all(|(_, value)| !value.expose().contains(SECRET)));
        let shown = format!("{signer:?} {headers:?}");
        assert!(!shown.contains("planted") && !shown.contains(SECRET), "{shown}");
        assert!(!shown.contains("Signature="), "{shown}");
        assert_eq!(signer.secrets().len(), 3);
    }
}
