use burn::tensor::{Tensor, TensorData};

use super::{Kind, Parameters, Slot};

/// A parameter as plain numbers: its name, kind, shape (projections are `[in, out]`) and values.
pub(crate) type Plain = (String, Kind, Vec<usize>, Vec<f32>);

/// Takes every parameter out of a network, in its order; the network is of no use afterwards.
pub(crate) fn take(network: &mut dyn Parameters) -> Result<Vec<Plain>, String> {
    let mut all = Vec::new();
    let mut trouble = None;
    network.visit("", &mut |name, slot| {
        let (kind, shape, data) = match slot {
            Slot::Matrix(tensor, kind) => {
                let (shape, device) = (tensor.dims().to_vec(), tensor.device());
                let taken = std::mem::replace(tensor, Tensor::zeros([1, 1], &device));
                (kind, shape, taken.into_data())
            }
            Slot::Vector(tensor, kind) => {
                let (shape, device) = (tensor.dims().to_vec(), tensor.device());
                let taken = std::mem::replace(tensor, Tensor::zeros([1], &device));
                (kind, shape, taken.into_data())
            }
        };
        match numbers(data) {
            Ok(values) => all.push((name, kind, shape, values)),
            Err(error) => trouble = trouble.take().or(Some(error)),
        }
    });
    trouble.map_or(Ok(all), Err)
}

fn numbers(data: TensorData) -> Result<Vec<f32>, String> {
    data.try_into_vec::<f32>().map_err(|error| format!("{error:?}"))
}
