use std::env;

use secondpass_core::BillingUnit;

use super::{AwsKeys, Bedrock, Cohere};

/// What is known of one kind of provider before anyone is asked. What its public pages do not say is
/// `None`: unknown, which is not the same as nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Provider {
    /// As configs call it.
    pub kind: &'static str,
    /// As people call it.
    pub title: &'static str,
    /// Its address, in which `REGION` stands for a region; `None` where every user has another.
    pub base_url: Option<&'static str>,
    /// Environment variables that name another address; the first that is set counts.
    pub base_url_variables: &'static [&'static str],
    /// How it is told who is calling.
    pub key_kind: KeyKind,
    /// Environment variables that hold the key: all of them for [`KeyKind::SigV4`], otherwise the
    /// first that is set.
    pub key_variables: &'static [&'static str],
    /// Whether it answers nobody without a key.
    pub key_needed: bool,
    /// What it bills; `None` where nobody bills a call. See [`Provider::unit`].
    unit: Option<BillingUnit>,
    /// What it lets an account do, the smallest first.
    pub tiers: &'static [Tier],
    /// Statuses worth another attempt, beside 408 and 429.
    pub retried: &'static [u16],
    /// Where texts are processed, where it says so for every user.
    pub region: Option<&'static str>,
    /// How long it may keep texts, in the sense of its terms.
    pub retention: Option<&'static str>,
    /// Whether users run it themselves.
    pub self_hosted: bool,
    /// The model where a config names none.
    pub model: Option<&'static str>,
    /// Where its API is described.
    pub docs: &'static str,
}

/// How a provider is told who is calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// The key alone, in a header of this name.
    Header(&'static str),
    /// A signature ([`super::SigV4`]); a key given for it is a Bedrock API key, and goes as a bearer.
    SigV4,
}

/// What a provider lets an account do a minute, as its pages say. `None` where they do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Its name.
    pub name: &'static str,
    /// Requests a minute.
    pub requests: Option<u32>,
    /// Tokens a minute.
    pub tokens: Option<u32>,
    /// Calls at once.
    pub in_flight: Option<u32>,
}

/// What goes to every provider.
pub(super) const FIELDS: [&str; 3] = ["query text", "document text", "model name"];

/// The 5xx that tables of hosted APIs name, and those of the gateways before them. 501 is not among
/// them: what is not implemented will not be in a second.
const TROUBLE: &[u16] = &[500, 502, 503, 504];

/// Every kind of hosted reranker, in the order in which configs list them.
pub const PROVIDERS: &[Provider] = &[
    Provider {
        kind: "cohere",
        title: "Cohere",
        base_url: Some("https://api.cohere.com"),
        base_url_variables: &["COHERE_BASE_URL", "CO_API_URL"],
        key_variables: &["COHERE_API_KEY", "CO_API_KEY"],
        unit: Some(BillingUnit::SearchUnit),
        // docs.cohere.com/docs/rate-limits. A trial key has 1,000 calls a month, too.
        tiers: &[tier("trial", 10), tier("production", 1_000)],
        // cohere.com/enterprise-data-commitments, of 5 December 2025.
        retention: Some(
            "logged texts are deleted after 30 days, later where law, contract or a suspicion of \
             misuse asks for it; they may train models unless the account switches that off",
        ),
        docs: "https://docs.cohere.com/reference/rerank",
        ..HOSTED
    },
    Provider {
        kind: "tei",
        title: "text-embeddings-inference",
        docs: "https://huggingface.github.io/text-embeddings-inference/",
        ..OWN
    },
    Provider {
        kind: "jina",
        title: "Jina",
        base_url: Some("https://api.jina.ai"),
        key_variables: &["JINA_API_KEY"],
        unit: Some(BillingUnit::Token),
        // api.jina.ai/openapi.json; its website says 100 requests and 100,000 tokens for free.
        tiers: &[
            Tier { in_flight: Some(5), tokens: Some(1_000_000), ..tier("free", 500) },
            Tier { in_flight: Some(50), tokens: Some(10_000_000), ..tier("tier 1", 500) },
            Tier { in_flight: Some(500), tokens: Some(100_000_000), ..tier("tier 2", 5_000) },
        ],
        docs: "https://api.jina.ai/redoc",
        ..HOSTED
    },
    Provider {
        kind: "voyage",
        title: "Voyage",
        base_url: Some("https://api.voyageai.com"),
        key_variables: &["VOYAGE_API_KEY"],
        unit: Some(BillingUnit::Token),
        // docs.voyageai.com/docs/rate-limits, for rerank-2.5; lite models have twice the tokens.
        // Without a payment method: mongodb.com/docs/voyageai/api-reference/overview.
        tiers: &[
            Tier { tokens: Some(10_000), ..tier("without a payment method", 3) },
            Tier { tokens: Some(2_000_000), ..tier("tier 1", 2_000) },
            Tier { tokens: Some(4_000_000), ..tier("tier 2, from 100 USD paid", 4_000) },
            Tier { tokens: Some(6_000_000), ..tier("tier 3, from 1,000 USD paid", 6_000) },
        ],
        docs: "https://docs.voyageai.com/reference/reranker-api",
        ..HOSTED
    },
    Provider {
        kind: "bedrock",
        title: "Cohere on AWS Bedrock",
        base_url: Some("https://bedrock-runtime.REGION.amazonaws.com"),
        key_kind: KeyKind::SigV4,
        key_variables: &AwsKeys::NEEDED,
        unit: Some(BillingUnit::SearchUnit),
        // docs.aws.amazon.com/bedrock/latest/userguide/data-retention.html;
        // cohere.com/enterprise-data-commitments.
        retention: Some(
            "as the account's data retention mode says, for each region; Cohere receives nothing",
        ),
        model: Some(Bedrock::MODEL),
        docs: "https://docs.aws.amazon.com/bedrock/latest/userguide/model-card-cohere-rerank-3-5.html",
        ..HOSTED
    },
    Provider {
        kind: "azure",
        title: "Cohere on Azure",
        key_variables: &["AZURE_COHERE_API_KEY"],
        unit: Some(BillingUnit::SearchUnit),
        docs: "https://docs.cohere.com/docs/cohere-on-microsoft-azure",
        ..HOSTED
    },
    Provider {
        kind: "cohere-compatible",
        title: "vLLM, Infinity, llama.cpp",
        docs: "https://docs.vllm.ai/en/stable/serving/openai_compatible_server.html",
        ..OWN
    },
    Provider {
        kind: "mixedbread",
        title: "Mixedbread",
        base_url: Some("https://api.mixedbread.com"),
        key_variables: &["MXBAI_API_KEY"],
        unit: Some(BillingUnit::Token),
        // mixedbread.com/api-reference/rate-limits, for reading operations.
        tiers: &[tier("all", 1_200)],
        docs: "https://www.mixedbread.com/api-reference",
        ..HOSTED
    },
    Provider {
        kind: "pinecone",
        title: "Pinecone",
        base_url: Some("https://api.pinecone.io"),
        key_kind: KeyKind::Header("api-key"),
        key_variables: &["PINECONE_API_KEY"],
        unit: Some(BillingUnit::SearchUnit),
        // docs.pinecone.io/guides/inference/understanding-inference.
        region: Some("us"),
        docs: "https://docs.pinecone.io/reference/api/latest/inference/rerank",
        ..HOSTED
    },
];

/// Somebody else's, of whom nothing is known yet.
const HOSTED: Provider = Provider {
    kind: "",
    title: "",
    base_url: None,
    base_url_variables: &[],
    key_kind: KeyKind::Bearer,
    key_variables: &[],
    key_needed: true,
    unit: None,
    tiers: &[],
    retried: TROUBLE,
    region: None,
    retention: None,
    self_hosted: false,
    model: None,
    docs: "",
};

/// The user's, who may have given it a key or not.
const OWN: Provider = Provider { key_needed: false, self_hosted: true, ..HOSTED };

const fn tier(name: &'static str, requests: u32) -> Tier {
    Tier { name, requests: Some(requests), tokens: None, in_flight: None }
}

/// The provider of a kind.
pub fn provider(kind: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.kind == kind)
}

impl Provider {
    /// What it bills for a model; `None` where nobody bills a call.
    pub fn unit(&self, model: &str) -> Option<BillingUnit> {
        match self.kind {
            "cohere" | "azure" => Some(Cohere::unit(model)),
            _ => self.unit,
        }
    }

    /// Whether its key is in the environment; `None` where it has no variable of its own.
    pub fn key_found(&self) -> Option<bool> {
        let is_set =
            |name: &'static &'static str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let mut names = self.key_variables.iter();
        match self.key_kind {
            _ if self.key_variables.is_empty() => None,
            KeyKind::SigV4 => Some(names.all(is_set)),
            KeyKind::Bearer | KeyKind::Header(_) => Some(names.any(is_set)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_there_once_and_says_what_users_must_know() {
        for (position, known) in PROVIDERS.iter().enumerate() {
            assert_eq!(PROVIDERS.iter().position(|p| p.kind == known.kind), Some(position));
            assert_eq!(provider(known.kind), Some(known));
            assert!(known.docs.starts_with("https://") && !known.title.is_empty());
            // Who runs it needs no price, and who does not needs a key.
            assert_eq!(known.self_hosted, known.unit("any").is_none(), "{}", known.kind);
            assert_eq!(known.self_hosted, !known.key_needed, "{}", known.kind);
            assert_eq!(known.self_hosted, known.key_variables.is_empty(), "{}", known.kind);
            assert!(known.base_url.is_none_or(|url| url.starts_with("https://")));
        }
        assert_eq!(provider("coherent"), None);
    }

    #[test]
    fn the_newest_of_cohere_is_billed_by_tokens() {
        let cohere = provider("cohere").unwrap();
        assert_eq!(cohere.unit("rerank-v3.5"), Some(BillingUnit::SearchUnit));
        assert_eq!(cohere.unit("rerank-v5.0-pro"), Some(BillingUnit::Token));
    }
}
