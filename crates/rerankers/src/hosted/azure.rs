use std::ops::RangeInclusive;

use secondpass_core::TruncationAudit;
use secondpass_http::{Call, HttpError, Reply};

use super::{Api, Bill, CallTokens, Cohere, OptionError, Options, Scored};

/// Cohere's models on Azure, `POST /v2/rerank` at a deployment's own address: requests, answers and
/// search units as at [`Cohere`] (learn.microsoft.com, "Featured models of Azure AI Foundry").
///
/// A deployment at its own host holds one model and needs no name; where many share a host, `model` is
/// the deployment's. A name that tells no generation is taken for one of the narrowest limits. The
/// older `/v1/rerank` is not spoken: it cuts documents by another rule.
#[derive(Clone, Debug)]
pub struct Azure(Cohere);

impl Azure {
    /// An adapter for one deployment.
    ///
    /// # Errors
    /// As [`Cohere::new`], but that the model may be missing.
    pub fn new(options: &Options) -> Result<Self, OptionError> {
        let named = || options.named_model("the deployment's, or leave it out");
        let model = options.model.as_ref().map(|_| named()).transpose()?;
        Cohere::of(options, model, "Cohere on Azure").map(Self)
    }
}

impl Api for Azure {
    fn call(&self, query: &str, documents: &[String]) -> Call {
        self.0.call(query, documents)
    }

    fn read(&self, reply: &Reply) -> Result<Scored, HttpError> {
        self.0.read(reply)
    }

    fn score_range(&self) -> RangeInclusive<f64> {
        self.0.score_range()
    }

    fn documents_a_call(&self) -> usize {
        self.0.documents_a_call()
    }

    fn bill(&self, tokens: &CallTokens<'_>) -> Bill {
        self.0.bill(tokens)
    }

    fn truncation(&self, tokens: &CallTokens<'_>) -> Option<TruncationAudit> {
        self.0.truncation(tokens)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stub;
    use super::*;

    #[test]
    fn a_deployment_needs_no_name() {
        let alone = Azure::new(&Options::default()).unwrap();
        let (request, body) = stub::asked(&alone, "q", &["d"]);
        assert_eq!(request.url, "https://rerank.example/v2/rerank");
        assert_eq!(body, json!({ "query": "q", "documents": ["d"] }));
        let named = Options { model: Some("our-rerank".to_owned()), ..Options::default() };
        let (_, body) = stub::asked(&Azure::new(&named).unwrap(), "q", &["d"]);
        assert_eq!(body["model"], json!("our-rerank"));
    }

    #[test]
    fn answers_and_bills_are_coheres() {
        let alone = Azure::new(&Options::default()).unwrap();
        let body = r#"{"id":"1","results":[{"index":0,"relevance_score":0.5}],"meta":{
            "billed_units":{"search_units":1}}}"#;
        let scored = stub::read(&alone, &[], body).unwrap();
        assert_eq!((scored.scores, scored.units), (vec![(0, 0.5)], Some(1)));
        let tokens = CallTokens { query: 100, documents: &[401, 5_000] };
        assert_eq!(alone.bill(&tokens), Bill { units: 1, chunks: 15 });
        assert_eq!(alone.truncation(&tokens).unwrap().tokens_cut, 904);
        assert_eq!((alone.documents_a_call(), alone.score_range()), (1_000, 0.0..=1.0));
    }

    #[test]
    fn the_gateways_own_errors_are_shown() {
        let alone = Azure::new(&Options::default()).unwrap();
        let error = stub::refused(&alone, 401, r#"{"statusCode":401,"message":"Unauthorized."}"#);
        assert!(error.to_string().contains("Unauthorized."), "{error}");
    }

    #[test]
    fn options_that_it_does_not_know_are_refused() {
        let wrong = |options: Options| Azure::new(&options).unwrap_err();
        let empty = Options { model: Some(String::new()), ..Options::default() };
        assert_eq!(wrong(empty).key, "model");
        let error = wrong(Options { truncate: Some(false), ..Options::default() });
        assert!(error.to_string().contains("Cohere on Azure has no such option"), "{error}");
    }
}
