/// A model compiled into the program: the bytes of its files.
#[derive(Clone, Copy, Debug)]
pub struct ModelBytes {
    /// What errors and reports call it.
    pub name: &'static str,
    /// `config.json`.
    pub config: &'static [u8],
    /// `tokenizer.json`.
    pub tokenizer: &'static [u8],
    /// `model.safetensors`.
    pub weights: &'static [u8],
}

/// The small cross-encoder trained by `datasets/helpdesk/make/model.sh` on the embedded help-desk
/// set. A demonstration: it knows nothing beyond those articles.
pub const HELPDESK_MINI: ModelBytes = ModelBytes {
    name: "helpdesk-mini",
    config: include_bytes!("../assets/helpdesk-mini/config.json"),
    tokenizer: include_bytes!("../assets/helpdesk-mini/tokenizer.json"),
    weights: include_bytes!("../assets/helpdesk-mini/model.safetensors"),
};
