use std::path::Path;

use half::f16;
use ort::session::SessionOutputs;
use ort::value::{Outlet, TensorElementType};
use secondpass_text::ScoreError;

use crate::LoadError;

/// Where a model's logits come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Logits {
    name: String,
    is_half: bool,
}

impl Logits {
    /// Reads a session's outputs: `logits`, or the only one there is, `[batch, 1]` or `[batch]`.
    pub fn of(path: &Path, outputs: &[Outlet]) -> Result<Self, LoadError> {
        let failed = |problem: String| LoadError::Outputs { path: path.to_owned(), problem };
        let output = match outputs {
            [only] => only,
            many => many.iter().find(|output| output.name() == "logits").ok_or_else(|| {
                let names: Vec<&str> = many.iter().map(Outlet::name).collect();
                failed(format!("none of its outputs is 'logits' (it has {})", names.join(", ")))
            })?,
        };
        let name = output.name().to_owned();
        let is_half = match output.dtype().tensor_type() {
            Some(TensorElementType::Float32) => false,
            Some(TensorElementType::Float16) => true,
            _ => return Err(failed(format!("its output '{name}' has no 16- or 32-bit floats"))),
        };
        // Unknown sizes are -1; they are looked at again when logits are there.
        match output.dtype().tensor_shape().map(|shape| &**shape) {
            Some([_] | [_, -1 | 1]) => Ok(Self { name, is_half }),
            Some(&[_, classes]) => {
                Err(LoadError::Classes { path: path.to_owned(), output: name, classes })
            }
            shape => Err(failed(format!(
                "its output '{name}' has {} dimensions, as the states of an encoder have, which is \
                 no reranker",
                shape.map_or(0, <[i64]>::len)
            ))),
        }
    }

    /// The logits of `sequences` sequences.
    ///
    /// # Errors
    /// Another number of values than that.
    pub fn take(
        &self,
        outputs: &SessionOutputs<'_>,
        sequences: usize,
    ) -> Result<Vec<f32>, ScoreError> {
        let failed = |reason: String| ScoreError::Device(reason);
        let value = outputs
            .get(&self.name)
            .ok_or_else(|| failed(format!("ONNX Runtime gave no output '{}'", self.name)))?;
        let wrong = |error: ort::Error| failed(error.to_string());
        let logits = match self.is_half {
            true => {
                let (_, values) = value.try_extract_tensor::<f16>().map_err(wrong)?;
                values.iter().map(|value| value.to_f32()).collect()
            }
            false => value.try_extract_tensor::<f32>().map_err(wrong)?.1.to_vec(),
        };
        match logits.len() == sequences {
            true => Ok(logits),
            false => Err(failed(format!(
                "the model gave {} values for {sequences} pairs, and a reranker gives one a pair; export a \
                 model with num_labels = 1",
                logits.len()
            ))),
        }
    }
}
