/// Counts the tokens of a text, for estimates of bills and of what is cut.
pub trait CountTokens: Send + Sync {
    /// Tokens, special ones excluded, or the best guess at them.
    fn count(&self, text: &str) -> u64;

    /// No tokenizer in use gives more.
    fn most(&self, text: &str) -> u64 {
        // Byte-level tokenizers give a token a byte at worst, the others less.
        text.len() as u64
    }
}
