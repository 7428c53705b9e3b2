use std::fmt;
use std::str::FromStr;

/// A provider that can be imitated, by the name that configs and flags use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Cohere's own API.
    Cohere,
    /// Hugging Face's text-embeddings-inference.
    Tei,
    /// Jina AI.
    Jina,
    /// Voyage AI.
    Voyage,
    /// Cohere's models on AWS Bedrock.
    Bedrock,
    /// Cohere's models on Azure.
    Azure,
    /// vLLM, whose rerank API copies Cohere's.
    CohereCompatible,
    /// Infinity.
    Infinity,
    /// llama.cpp's server.
    LlamaCpp,
    /// Mixedbread.
    Mixedbread,
    /// Pinecone's inference API.
    Pinecone,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Cohere,
        Self::Tei,
        Self::Jina,
        Self::Voyage,
        Self::Bedrock,
        Self::Azure,
        Self::CohereCompatible,
        Self::Infinity,
        Self::LlamaCpp,
        Self::Mixedbread,
        Self::Pinecone,
    ];

    /// The name in configs and flags.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cohere => "cohere",
            Self::Tei => "tei",
            Self::Jina => "jina",
            Self::Voyage => "voyage",
            Self::Bedrock => "bedrock",
            Self::Azure => "azure",
            Self::CohereCompatible => "cohere-compatible",
            Self::Infinity => "infinity",
            Self::LlamaCpp => "llama-cpp",
            Self::Mixedbread => "mixedbread",
            Self::Pinecone => "pinecone",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no imitated provider has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no provider '{name}' can be imitated: choose one of {}", Kind::ALL.map(Kind::name).join(", "))]
pub struct UnknownKind {
    /// The name.
    pub name: String,
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| UnknownKind { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        let error = "zeta".parse::<Kind>().unwrap_err().to_string();
        assert!(error.contains("'zeta'") && error.contains("cohere-compatible"), "{error}");
    }
}
