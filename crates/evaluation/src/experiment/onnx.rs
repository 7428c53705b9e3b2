/// A cross-encoder in an ONNX file. Truncation and long documents stay as they were written, as those
/// of [`super::CrossEncoderSpec`] do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnnxSpec {
    /// A folder or a hub id. One that starts with `./` or `../` stands here joined to the config's
    /// folder.
    pub model: String,
    /// The ONNX file in it, `onnx/model_quantized.onnx`; `None` for `model.onnx` or `onnx/model.onnx`.
    pub file: Option<String>,
    /// A hub revision to pin.
    pub revision: Option<String>,
    /// The longest pair in tokens; `None` for the model's own limit.
    pub max_length: Option<usize>,
    /// The truncation mode.
    pub truncation: String,
    /// What becomes of documents longer than a pair may be.
    pub long_documents: String,
    /// Tokens a batch, padding included; `None` to find out.
    pub batch_tokens: Option<usize>,
}
