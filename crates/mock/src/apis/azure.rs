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
