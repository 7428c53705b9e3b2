//! Cohere's models on Azure: Cohere's forms at a deployment's own host, whose gateway checks the key.

use serde_json::json;

use super::cohere::{Models, Refusal, Version, reason, rerank};
use super::common::{Key, bearer, id};
use crate::{Answer, Api, Request};

/// A deployment of one Cohere model.
pub struct Azure {
    key: Key,
}

impl Azure {
    /// Takes this key, or any that is not empty.
    pub fn new(key: Option<&str>) -> Self {
        Self { key: Key::new(key) }
    }
}

impl Api for Azure {
    fn answer(&self, request: &Request) -> Answer {
        if !bearer(request).is_some_and(|key| self.key.opens(key)) {
            return self.failure(401);
        }
        let version = match request.path.as_str() {
            "/v2/rerank" => Version::V2,
            "/v1/rerank" => Version::V1,
            _ => return self.failure(404),
        };
        if request.method != "POST" {
            return self.failure(405);
        }
        rerank(request, version, Models::Deployed).unwrap_or_else(|Refusal { status, message }| {
            Answer::free(status, json!({ "id": id(&request.body), "message": message }))
        })
    }

    fn failure(&self, status: u16) -> Answer {
        // The gateway's own form, other than the model's.
        Answer::free(status, json!({ "statusCode": status, "message": reason(status) }))
    }

    fn request_id_header(&self) -> &'static str {
        "x-ms-request-id"
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{places, post, with};
    use super::*;

    #[test]
    fn a_deployment_has_one_model_and_a_gateway() {
        let azure = Azure::new(Some("key"));
        for (path, version) in [("/v2/rerank", "2"), ("/v1/rerank", "1")] {
            let body = json!({ "query": "export", "documents": ["reset", "export"] });
            let answer = azure.answer(&post(path, &body));
            assert_eq!(places(&answer.body["results"]), [1, 0], "{path}");
            assert_eq!(answer.body["meta"]["api_version"]["version"], version);
            assert_eq!(answer.billed, 1);
        }
        let body = json!({ "model": "any", "query": "q", "documents": ["d"], "top_k": 1 });
        let request = post("/v2/rerank", &body);
        let refused = azure.answer(&request);
        assert!(refused.status == 422 && refused.body["id"].is_string(), "{}", refused.body);
        let wrong = azure.answer(&with(request, "authorization", "Bearer other"));
        assert_eq!((wrong.status, &wrong.body["statusCode"]), (401, &json!(401)));
    }
}
