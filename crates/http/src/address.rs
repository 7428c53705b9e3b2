use std::net::IpAddr;

use reqwest::Url;

/// A base URL that cannot be used. A password in it is not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL at all.
    #[error("'{url}' is not a base URL: {reason}; write it as https://host or https://host/path")]
    Malformed {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Something other than HTTP.
    #[error("a base URL starts with https:// or http://, not with '{0}:'")]
    Scheme(String),
    /// A name or password stands in it.
    #[error("the base URL of {0} has a name or password in it; keys come from the environment")]
    Password(String),
    /// A query or fragment stands in it.
    #[error("the base URL of {0} has a '?' or '#' in it; give scheme, host and path alone")]
    Query(String),
    /// A key would travel readable for all.
    #[error(
        "the key would go to {0} over http, readable on the way; use https (http is taken for this \
         machine and for private networks)"
    )]
    Plain(String),
}

/// Checks a base URL and drops the slash at its end. `keyed` tells whether a key is sent to it.
pub(crate) fn base(text: &str, keyed: bool) -> Result<String, AddressError> {
    let text = text.trim();
    let url = Url::parse(text).map_err(|error| {
        // What stands before an '@' may be a password.
        let shown = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
        AddressError::Malformed { url: shown.to_owned(), reason: error.to_string() }
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(AddressError::Scheme(url.scheme().to_owned()));
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Password(host));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(AddressError::Query(host));
    }
    if keyed && url.scheme() == "http" && !is_private(&host) {
        return Err(AddressError::Plain(host));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Scheme and host of a URL, for errors: paths and queries may hold tokens.
pub(crate) fn host(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    })
}

/// The host of a URL, with its port where it is not the scheme's own; `None` where there is none.
pub fn authority(url: &str) -> Option<String> {
    let url = Url::parse(url.trim()).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Whether a URL points to this machine or into a private network: loopback, RFC 1918, RFC 4193,
/// link-local addresses, and names that no public resolver knows.
pub fn is_private_url(url: &str) -> bool {
    Url::parse(url.trim()).is_ok_and(|url| url.host_str().is_some_and(is_private))
}

/// This machine, addresses of private networks (RFC 1918, RFC 4193), and names that no public
/// resolver knows: without a dot, or under `.local`, `.internal` or `.localhost`.
fn is_private(host: &str) -> bool {
    match host.trim_start_matches('[').trim_end_matches(']').parse() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        Err(_) => {
            let suffixes = [".local", ".internal", ".localhost"];
            !host.contains('.') || suffixes.iter().any(|suffix| host.ends_with(suffix))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_at_the_end_go() {
        let expected = Ok("https://api.cohere.com".to_owned());
        assert_eq!(base("https://api.cohere.com/", true), expected);
        assert_eq!(base(" http://[::1]:80/v1/ ", true), Ok("http://[::1]/v1".to_owned()));
    }

    #[test]
    fn keys_travel_readable_only_where_nobody_else_listens() {
        let private =
            ["127.0.0.1:8080", "localhost", "10.1.2.3", "[fd00::1]", "tei", "gpu.internal"];
        for host in private {
            assert!(base(&format!("http://{host}"), true).is_ok(), "{host}");
        }
        let plain = AddressError::Plain("api.cohere.com".into());
        assert_eq!(base("http://api.cohere.com", true), Err(plain));
        assert!(base("http://api.cohere.com", false).is_ok());
    }

    #[test]
    fn what_is_no_base_url_is_refused_without_showing_a_password() {
        for (url, part) in [
            ("cohere", "not a base URL"),
            ("ftp://host", "not with 'ftp:'"),
            ("https://user:planted@host", "name or password"),
            ("https://user:planted@", "not a base URL"),
            ("https://host?token=planted", "'?' or '#'"),
        ] {
            let error = base(url, true).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
            assert!(!format!("{error} {error:?}").contains("planted"), "{error:?}");
        }
    }

    #[test]
    fn destinations_are_named_with_their_port() {
        let named = |url| authority(url).unwrap();
        assert_eq!(named("https://api.cohere.com/v2"), "api.cohere.com");
        assert_eq!(named("http://127.0.0.1:8080/"), "127.0.0.1:8080");
        assert_eq!(named("https://host:443"), "host");
        assert_eq!(authority("nothing"), None);
        assert!(is_private_url("http://gpu.local:8080/x") && is_private_url("http://[::1]:80"));
        assert!(!is_private_url("https://10.example.com") && !is_private_url("10.0.0.1"));
    }

    #[test]
    fn errors_name_the_host_alone() {
        let shown = host("https://elsewhere.example:8443/x?token=planted");
        assert_eq!(shown.as_deref(), Some("https://elsewhere.example:8443"));
        assert_eq!(host("/relative"), None);
    }
}
