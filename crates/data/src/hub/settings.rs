use std::fmt;
use std::path::PathBuf;

/// How to reach the hub and where its cache lies.
#[derive(Clone, Debug)]
pub struct HubSettings {
    /// The hub's address.
    pub endpoint: String,
    /// The cache folder; `None` for the one all Hugging Face programs share.
    pub cache: Option<PathBuf>,
    /// The access token; `None` for that in `HF_TOKEN`, in the file `HF_TOKEN_PATH` names, or of
    /// `hf auth login`.
    pub token: Option<Token>,
    /// Whether only the cache may be used.
    pub offline: bool,
    /// How many times a request that failed for a passing reason is sent again.
    pub retries: usize,
}

impl HubSettings {
    /// The settings that Hugging Face's own programs would take from the environment:
    /// `HF_ENDPOINT`, `HF_HUB_CACHE`, `HF_HOME` and `HF_HUB_OFFLINE`.
    pub fn from_env() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// The same from any source of variables.
    pub(crate) fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name| variable(name).filter(|value| !value.trim().is_empty());
        let home = || variable("HF_HOME").map(|home| PathBuf::from(home).join("hub"));
        let truths = ["1", "on", "yes", "true"];
        Self {
            endpoint: variable("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned()),
            cache: variable("HF_HUB_CACHE").map(PathBuf::from).or_else(home),
            token: None,
            offline: variable("HF_HUB_OFFLINE")
                .is_some_and(|value| truths.contains(&value.trim().to_lowercase().as_str())),
            retries: 3,
        }
    }
}

/// A secret that appears in no log or message.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Wraps a token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

const ENDPOINT: &str = "https://huggingface.co";

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> HubSettings {
        HubSettings::from_variables(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn reads_the_variables_of_hugging_face() {
        let settings = with(&[]);
        assert_eq!(settings.endpoint, "https://huggingface.co");
        assert_eq!((settings.cache, settings.offline), (None, false));
        let settings = with(&[("HF_HOME", "home"), ("HF_ENDPOINT", "http://mirror")]);
        assert_eq!(settings.endpoint, "http://mirror");
        assert_eq!(settings.cache, Some(PathBuf::from("home/hub")));
        let settings = with(&[("HF_HOME", "home"), ("HF_HUB_CACHE", "cache")]);
        assert_eq!(settings.cache, Some(PathBuf::from("cache")));
    }

    #[test]
    fn offline_is_what_hugging_face_takes_for_true() {
        for (value, offline) in [("1", true), ("Yes", true), ("0", false), ("", false)] {
            assert_eq!(with(&[("HF_HUB_OFFLINE", value)]).offline, offline, "{value}");
        }
    }

    #[test]
    fn tokens_are_not_printed() {
        let settings = HubSettings { token: Some(Token::new("hf_secret")), ..with(&[]) };
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
