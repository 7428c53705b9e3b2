use std::sync::{Mutex, PoisonError};

use secondpass_core::{Context, TruncationAudit};
use secondpass_text::{Embedder, EncodedText, TextTokenizer, TokenBatch, plan};

use crate::{EmbedError, Side, TextEmbedder, normalise};

/// What stands before a text of each side, exactly as the model was trained with it, blank included
/// (`query: ` and `passage: ` for E5; nothing for most others).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefixes {
    /// Before queries.
    pub query: String,
    /// Before documents.
    pub document: String,
}

impl Prefixes {
    /// The prefix of one side.
    pub fn of(&self, side: Side) -> &str {
        match side {
            Side::Query => &self.query,
            Side::Document => &self.document,
        }
    }
}

/// An encoder on this machine: tokenizer, network with its pooling, prefixes; vectors of length one.
pub struct LocalEmbedder {
    tokenizer: TextTokenizer,
    model: Box<dyn Embedder>,
    prefixes: Prefixes,
    identity: String,
    batch_tokens: usize,
    audit: Mutex<TruncationAudit>,
}

impl LocalEmbedder {
    /// Joins an encoder and its tokenizer. `model` says what the network is: name, hash of its
    /// weights, pooling, number format. Prefixes, maximum length and the tokenizer's hash are added
    /// to it here.
    pub fn new(
        model: impl std::fmt::Display,
        tokenizer: TextTokenizer,
        embedder: Box<dyn Embedder>,
        prefixes: Prefixes,
    ) -> Self {
        let identity = format!(
            "{model} tokenizer={} max_length={} query={:?} document={:?}",
            tokenizer.hash().short(),
            tokenizer.max_length(),
            prefixes.query,
            prefixes.document,
        );
        Self {
            tokenizer,
            model: embedder,
            prefixes,
            identity,
            batch_tokens: BATCH_TOKENS,
            audit: Mutex::default(),
        }
    }

    /// Tokens of a batch at most, padding included; a longer text goes alone. Changes speed and
    /// memory, and vectors by rounding only.
    #[must_use]
    pub fn with_batch_tokens(mut self, tokens: usize) -> Self {
        self.batch_tokens = tokens.max(1);
        self
    }

    /// How many texts (its `pairs`) were embedded so far, and what was cut from them.
    pub fn truncation(&self) -> TruncationAudit {
        *self.audit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, encoded: &[EncodedText]) {
        let mut audit = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        encoded.iter().for_each(|text| audit.note(text.ids.len() + text.cut, text.cut));
    }
}

impl TextEmbedder for LocalEmbedder {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn embed(
        &self,
        side: Side,
        texts: &[&str],
        context: &Context,
    ) -> Result<Vec<Vec<f32>>, EmbedError> {
        let encoded =
            self.tokenizer.encode(self.prefixes.of(side), texts).map_err(EmbedError::model)?;
        self.note(&encoded);
        let lengths: Vec<usize> = encoded.iter().map(|text| text.ids.len()).collect();
        let mut vectors = vec![Vec::new(); texts.len()];
        for indexes in plan(&lengths, self.batch_tokens) {
            if context.is_over() {
                return Err(EmbedError::Stopped);
            }
            let mut batch = TokenBatch::new();
            indexes.iter().for_each(|&at| batch.push(&encoded[at].ids, &encoded[at].type_ids));
            let pooled = self.model.embed(&[batch]).map_err(EmbedError::model)?;
            if pooled.len() != indexes.len() {
                return Err(EmbedError::Count { expected: indexes.len(), found: pooled.len() });
            }
            for (at, mut vector) in indexes.into_iter().zip(pooled) {
                let (expected, found) = (self.model.dimensions(), vector.len());
                if found != expected {
                    return Err(EmbedError::Dimensions { expected, found });
                }
                normalise(&mut vector)?;
                vectors[at] = vector;
            }
        }
        Ok(vectors)
    }
}

/// Enough to fill the cores, and little beside the weights.
const BATCH_TOKENS: usize = 4096;

#[cfg(test)]
mod tests {
    use secondpass_core::Cancel;
    use secondpass_text::ScoreError;

    use super::*;

    /// Counts tokens: one number for each id below 8, not normalised.
    struct Counts {
        dimensions: usize,
    }

    impl Embedder for Counts {
        fn dimensions(&self) -> usize {
            self.dimensions
        }

        fn embed(&self, batches: &[TokenBatch]) -> Result<Vec<Vec<f32>>, ScoreError> {
            let count = |(ids, _): (&[u32], &[u32])| {
                let mut vector = vec![0.0; 8];
                for &id in ids {
                    match vector.get_mut(id as usize) {
                        Some(count) => *count += 1.0,
                        None => return Err(ScoreError::UnknownToken { id, vocabulary: 8 }),
                    }
                }
                Ok(vector)
            };
            batches.iter().flat_map(TokenBatch::sequences).map(count).collect()
        }
    }

    fn tokenizer() -> TextTokenizer {
        let special = |id: u32, content: &str| {
            serde_json::json!({
                "id": id, "content": content, "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": true
            })
        };
        let json = serde_json::json!({
            "version": "1.0", "truncation": null, "padding": null,
            "added_tokens": [special(0, "<s>"), special(1, "<unk>")],
            "normalizer": null,
            "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}},
            },
            "decoder": null,
            "model": {
                "type": "WordLevel", "unk_token": "<unk>",
                "vocab": {"<s>": 0, "<unk>": 1, "q": 2, "d": 3, "a": 4, "b": 5, "c": 6, "far": 70},
            },
        });
        TextTokenizer::from_bytes(&serde_json::to_vec(&json).unwrap(), "test", 5).unwrap()
    }

    fn embedder(dimensions: usize) -> LocalEmbedder {
        let prefixes = Prefixes { query: "q ".into(), document: "d ".into() };
        LocalEmbedder::new("counts", tokenizer(), Box::new(Counts { dimensions }), prefixes)
    }

    #[test]
    fn each_side_has_its_prefix_and_vectors_have_length_one() {
        let texts = ["a", "b b c", ""];
        let embed = |side, budget: usize| {
            let embedder = embedder(8).with_batch_tokens(budget);
            embedder.embed(side, &texts, &Context::default()).unwrap()
        };
        let third = 1.0 / 3.0_f32.sqrt();
        let queries = embed(Side::Query, 4096);
        assert_eq!(queries[0], [third, 0.0, third, 0.0, third, 0.0, 0.0, 0.0]);
        let documents = embed(Side::Document, 4096);
        let seventh = 1.0 / 7.0_f32.sqrt();
        for (at, x) in [(0, 1.0), (3, 1.0), (5, 2.0), (6, 1.0), (2, 0.0)] {
            assert!((documents[1][at] - x * seventh).abs() < 1e-6);
        }
        // Whatever the batches, each text keeps its place.
        assert_eq!(embed(Side::Document, 1), documents);
    }

    #[test]
    fn the_identity_holds_all_that_changes_a_vector() {
        let identity = embedder(8).identity().to_owned();
        for part in ["counts", "max_length=5", r#"query="q ""#, r#"document="d ""#, "tokenizer="] {
            assert!(identity.contains(part), "{identity}");
        }
    }

    #[test]
    fn cuts_are_counted() {
        let embedder = embedder(8);
        embedder.embed(Side::Query, &["a b c a b", "a"], &Context::default()).unwrap();
        let audit = embedder.truncation();
        assert_eq!((audit.pairs, audit.pairs_cut, audit.tokens_cut, audit.longest), (2, 1, 2, 7));
    }

    #[test]
    fn failures_are_told_apart() {
        let embed = |embedder: &LocalEmbedder, text: &str, context: &Context| {
            embedder.embed(Side::Query, &[text], context).unwrap_err()
        };
        let error = embed(&embedder(8), "far", &Context::default());
        assert!(error.to_string().contains("token id 70"), "{error}");
        let error = embed(&embedder(3), "a", &Context::default());
        assert!(matches!(error, EmbedError::Dimensions { expected: 3, found: 8 }));
        let cancel = Cancel::default();
        cancel.set();
        let context = Context { cancel, ..Default::default() };
        assert!(matches!(embed(&embedder(8), "a", &context), EmbedError::Stopped));
    }
}
