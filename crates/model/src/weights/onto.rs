use super::{Parameters, Slot, WeightsError};
use crate::failure::{caught, failed};
use crate::{DeviceSpec, LoadError};

/// Builds a part of a network on a device. Of a card nothing is heard until something is read back, and
/// its trouble may be a panic: so a little of each weight is read, and what went wrong is told here and
/// not when the first query comes.
pub(crate) fn onto<P: Parameters>(
    device: DeviceSpec,
    build: impl FnOnce() -> Result<P, WeightsError>,
) -> Result<P, LoadError> {
    if !matches!(device.chosen(), DeviceSpec::Cuda(_)) {
        return Ok(build()?);
    }
    let refused = |error| LoadError::Device(device.not_loaded(error));
    let mut part = caught(build).map_err(refused)??;
    caught(|| read_a_little(&mut part)).flatten().map_err(refused)?;
    Ok(part)
}

fn read_a_little(part: &mut impl Parameters) -> Result<(), secondpass_text::ScoreError> {
    let mut trouble = None;
    part.visit("", &mut |_, slot| {
        let read = match slot {
            Slot::Matrix(tensor, _) => {
                tensor.clone().narrow(0, 0, 1).narrow(1, 0, 1).try_into_vec_as::<f32>()
            }
            Slot::Vector(tensor, _) => tensor.clone().narrow(0, 0, 1).try_into_vec_as::<f32>(),
        };
        if let (Err(error), None) = (read, &trouble) {
            trouble = Some(failed(&error.to_string()));
        }
    });
    trouble.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Initialization, Model, ModelConfig};

    #[test]
    fn every_weight_can_be_looked_at() {
        let json = serde_json::json!({
            "model_type": "bert", "hidden_size": 4, "num_hidden_layers": 1, "pad_token_id": 0,
            "num_attention_heads": 1, "intermediate_size": 4, "vocab_size": 5, "layer_norm_eps": 1e-5,
            "max_position_embeddings": 6, "type_vocab_size": 2, "hidden_act": "relu"
        });
        let config = ModelConfig::from_bytes(json.to_string().as_bytes(), "test").unwrap();
        let model = Model::random(config, 1, Initialization::Normal(0.1), DeviceSpec::Flex);
        assert!(read_a_little(&mut model.unwrap().network).is_ok());
    }
}
