use std::path::Path;

use burn::tensor::{Tensor, TensorReadError};
use half::f16;
use safetensors::tensor::{Dtype as FileDtype, TensorView};

use super::{Kind, Parameters, Slot};
use crate::ModelConfig;

/// A tensor as a file has it: its name, shape and bytes.
pub(crate) type FileTensor = (String, Vec<usize>, Vec<u8>);

/// Writes `config.json` and `model.safetensors` as Hugging Face lays them out, each whole or not
/// at all.
pub(crate) fn write(
    network: &mut dyn Parameters,
    config: &ModelConfig,
    folder: &Path,
    half: bool,
) -> Result<(), String> {
    let mut tensors = Vec::new();
    let mut failed = None;
    network.visit("", &mut |name, slot| {
        let read = match slot {
            Slot::Matrix(tensor, Kind::Projection) => matrix(tensor.clone().transpose()),
            Slot::Matrix(tensor, _) => matrix(tensor.clone()),
            Slot::Vector(tensor, _) => values(tensor.clone()).map(|v| (tensor.dims().to_vec(), v)),
        };
        match read {
            Ok((shape, values)) => tensors.push((name, shape, bytes(&values, half))),
            Err(error) => failed = Some(format!("{name}: {error}")),
        }
    });
    match failed {
        Some(error) => Err(error),
        None => write_tensors(&tensors, config, folder, half),
    }
}

/// A parameter as [`write_tensors`] wants it; projections come as `[in, out]`.
pub(crate) fn file_tensor(
    name: &str,
    kind: Kind,
    shape: &[usize],
    values: &[f32],
    half: bool,
) -> FileTensor {
    match (kind, shape) {
        (Kind::Projection, &[inputs, outputs]) => {
            let column =
                |output: usize| (0..inputs).map(move |input| values[input * outputs + output]);
            let turned: Vec<f32> = (0..outputs).flat_map(column).collect();
            (name.to_owned(), vec![outputs, inputs], bytes(&turned, half))
        }
        _ => (name.to_owned(), shape.to_vec(), bytes(values, half)),
    }
}

/// As [`write()`], of tensors that are laid out already.
pub(crate) fn write_tensors(
    tensors: &[FileTensor],
    config: &ModelConfig,
    folder: &Path,
    half: bool,
) -> Result<(), String> {
    let dtype = if half { FileDtype::F16 } else { FileDtype::F32 };
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .map(|(name, shape, bytes)| {
            Ok::<_, safetensors::SafeTensorError>((
                name.as_str(),
                TensorView::new(dtype, shape.clone(), bytes)?,
            ))
        })
        .collect();
    // transformers asks for this entry.
    let metadata = [("format".to_owned(), "pt".to_owned())].into();
    let whole = safetensors::serialize(views.map_err(|e| e.to_string())?, Some(metadata))
        .map_err(|e| e.to_string())?;
    let json = serde_json::to_string_pretty(config).map_err(|e| e.to_string())?;
    replace(&folder.join("model.safetensors"), &whole)?;
    replace(&folder.join("config.json"), json.as_bytes())
}

/// Writes beside the target and renames, so that a cut write leaves what was there.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let partial = path.with_extension("partial");
    let written = std::fs::write(&partial, bytes).map_err(|error| error.to_string());
    finish(&partial, path, written)
}

/// Puts what was written beside a target in its place, or removes it when that failed.
pub(crate) fn finish(
    partial: &Path,
    path: &Path,
    written: Result<(), String>,
) -> Result<(), String> {
    let renamed = || std::fs::rename(partial, path).map_err(|error| error.to_string());
    written.and_then(|()| renamed()).map_err(|error| {
        // The first error is the one to tell; a leftover partial file does no harm.
        let _ = std::fs::remove_file(partial);
        format!("{}: {error}", path.display())
    })
}

fn matrix(tensor: Tensor<2>) -> Result<(Vec<usize>, Vec<f32>), TensorReadError> {
    Ok((tensor.dims().to_vec(), values(tensor)?))
}

fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TensorReadError> {
    tensor.without_autodiff().try_into_vec_as::<f32>()
}

fn bytes(values: &[f32], half: bool) -> Vec<u8> {
    match half {
        true => values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect(),
        false => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    }
}
