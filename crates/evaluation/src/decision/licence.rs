/// What the weights of a model may be used for, as their card says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Licence {
    /// The model's name, or its beginning with a `*`; without the name of who published it.
    pub model: &'static str,
    /// The licence.
    pub name: &'static str,
    /// Whether it allows commercial use.
    pub commercial: bool,
    /// When it was read, as `YYYY-MM-DD`.
    pub read: &'static str,
    /// Where.
    pub source: &'static str,
}

/// Weights whose licence was looked up. A model that is not here is unknown, not free. It holds for
/// weights that one runs: a provider's terms allow more than its weights do.
pub const LICENCES: &[Licence] = &[
    no("jina-reranker-v2*", "https://huggingface.co/jinaai/jina-reranker-v2-base-multilingual"),
    no("jina-reranker-v3*", "https://huggingface.co/jinaai/jina-reranker-v3"),
    yes("jina-reranker-v1-turbo-en", "Apache-2.0", COLLECTED),
    yes("bge-reranker-base", "MIT", COLLECTED),
    yes("bge-reranker-v2-m3", "Apache-2.0", COLLECTED),
    yes("ettin-reranker-150m*", "Apache-2.0", COLLECTED),
    yes("Qwen3-Reranker-0.6B", "Apache-2.0", COLLECTED),
    yes(
        "ms-marco-MiniLM-L-6-v2",
        "Apache-2.0",
        "https://huggingface.co/cross-encoder/ms-marco-MiniLM-L-6-v2",
    ),
    yes(
        "ms-marco-MiniLM-L6-v2",
        "Apache-2.0",
        "https://huggingface.co/cross-encoder/ms-marco-MiniLM-L-6-v2",
    ),
];

/// A collection of others' weights that states the licence of each.
const COLLECTED: &str = "https://huggingface.co/xberg-io/reranker-models";
const READ: &str = "2026-11-23";

const fn no(model: &'static str, source: &'static str) -> Licence {
    Licence { model, name: "CC BY-NC 4.0", commercial: false, read: READ, source }
}

const fn yes(model: &'static str, name: &'static str, source: &'static str) -> Licence {
    Licence { model, name, commercial: true, read: READ, source }
}

/// The licence of a model's weights, by the last part of its name or path; `None` where it was not
/// looked up.
pub fn licence(model: &str) -> Option<&'static Licence> {
    let last = model.trim_end_matches('/').rsplit('/').next().unwrap_or(model).to_lowercase();
    LICENCES.iter().find(|licence| {
        let known = licence.model.to_lowercase();
        match known.strip_suffix('*') {
            Some(start) => last.starts_with(start),
            None => last == known,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_the_last_part_of_a_name() {
        let commercial = |model| licence(model).map(|licence| licence.commercial);
        assert_eq!(commercial("jinaai/jina-reranker-v2-base-multilingual"), Some(false));
        assert_eq!(commercial("jina-reranker-v3"), Some(false));
        assert_eq!(commercial("models/BGE-reranker-v2-m3/"), Some(true));
        assert_eq!(commercial("jina-reranker-v1-turbo-en"), Some(true));
        // Nobody looked these up.
        assert_eq!(commercial("bge-reranker-v2-m3-tuned"), None);
        assert_eq!(commercial("mine"), None);
    }
}
