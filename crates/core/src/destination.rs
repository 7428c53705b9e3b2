use serde::{Deserialize, Serialize};

/// Where a reranker sends the users' texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The host, with its port where it is not the scheme's own.
    pub host: String,
    /// Where in the world that is, as the provider or the user's config names it (`eu-central-1`);
    /// `None` where it is unknown.
    pub region: Option<String>,
    /// Whether the user runs that server.
    pub self_hosted: bool,
    /// What is sent (`query text`, `document text`).
    pub fields: Vec<String>,
    /// How long the provider's terms let it keep them, in their words' sense; `None` where it is
    /// unknown.
    pub retention: Option<String>,
}

impl Destination {
    /// The word by which a list of places allows servers that the user runs.
    pub const SELF_HOSTED: &str = "self-hosted";

    /// Whether texts may go there: it is one of the places, or within one. `eu` holds
    /// `eu-central-1`, however it is capitalised; a region that is unknown is in no place.
    pub fn is_within(&self, places: &[String]) -> bool {
        let places: Vec<String> = places.iter().map(|place| place.to_lowercase()).collect();
        let is_region = |place: &String, region: &str| {
            let rest = region.strip_prefix(place.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let own = self.self_hosted && places.iter().any(|place| place == Self::SELF_HOSTED);
        let region = self.region.as_ref().map(|region| region.to_lowercase());
        own || region.is_some_and(|region| places.iter().any(|place| is_region(place, &region)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_where_they_may_be() {
        let at = |region: Option<&str>, self_hosted| Destination {
            host: "host".to_owned(),
            region: region.map(str::to_owned),
            self_hosted,
            fields: Vec::new(),
            retention: None,
        };
        let places = |places: &[&str]| places.iter().map(|&p| p.to_owned()).collect::<Vec<_>>();
        let frankfurt = at(Some("eu-central-1"), false);
        assert!(frankfurt.is_within(&places(&["eu-central-1"])));
        assert!(frankfurt.is_within(&places(&["us", "EU"])));
        assert!(!frankfurt.is_within(&places(&["self-hosted", "e", "us"])));
        assert!(!at(None, false).is_within(&places(&["eu", "", "self-hosted"])));
        assert!(at(None, true).is_within(&places(&["Self-Hosted"])));
        assert!(!at(None, true).is_within(&places(&["eu"])));
    }
}
