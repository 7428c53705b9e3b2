//! What training goes on from, as one file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, View};
use safetensors::{SafeTensors, serialize_to_file};
use secondpass_text::{Compute, TrainError, Trained};
use sha2::{Digest, Sha256};

use super::plan::{Parameter, Role};
use crate::ModelConfig;
use crate::weights::finish;

/// The file in the folder that a state is written to.
pub(super) const FILE: &str = "state.safetensors";

/// Which model, trained how: only its own state may be loaded. Frozen weights belong to it, as they
/// stand in no state.
pub(super) struct Identity(Sha256);

impl Identity {
    pub fn new(config: &ModelConfig, trained: &Trained, parameters: &[Parameter]) -> Self {
        let mut hash = Sha256::new();
        hash.update(serde_json::to_string(config).unwrap_or_default());
        let Trained { embeddings, frozen_layers, lora, recompute: _, compute } = trained;
        // What is computed again is the same to the bit: a state goes on either way. The text is that of
        // states from before there was another format than f32, which are still read.
        hash.update(format!(
            "Trained {{ embeddings: {embeddings:?}, frozen_layers: {frozen_layers:?}, lora: {lora:?}, \
             recompute: false }}"
        ));
        if *compute != Compute::F32 {
            hash.update(compute.to_string());
        }
        for Parameter { name, shape, role, .. } in parameters {
            hash.update(format!("{name} {shape:?} {role:?}"));
        }
        Self(hash)
    }

    /// Takes in a weight that is not trained.
    pub fn add(&mut self, values: &[f32]) {
        update(&mut self.0, values);
    }

    pub fn finish(self) -> String {
        hex(self.0)
    }
}

/// The parts of a state: what is trained, and its moments once there are any.
pub(super) struct State {
    pub steps: u32,
    tensors: HashMap<String, Vec<f32>>,
}

/// Names of a trained tensor's parts in the file.
pub(super) enum Part {
    Value,
    First,
    Second,
}

impl Part {
    pub fn of(&self, name: &str) -> String {
        match self {
            Self::Value => name.to_owned(),
            Self::First => format!("first moment of {name}"),
            Self::Second => format!("second moment of {name}"),
        }
    }
}

/// The names under which a parameter's trained tensors are kept, with their lengths: one, or the two of
/// an adapter.
pub(super) fn tensors(parameter: &Parameter) -> Vec<(String, usize)> {
    let Parameter { name, shape, role, .. } = parameter;
    match *role {
        Role::Frozen => vec![],
        Role::Whole => vec![(name.clone(), shape.iter().product())],
        Role::Low(rank, _) => {
            vec![(format!("{name}.down"), shape[0] * rank), (format!("{name}.up"), rank * shape[1])]
        }
    }
}

/// Writes a state into a folder, whole or not at all.
pub(super) fn write(
    folder: &Path,
    identity: &str,
    steps: u32,
    mut tensors: Vec<(String, Cow<'_, [f32]>)>,
) -> Result<(), TrainError> {
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    let mut hash = Sha256::new();
    hash.update(format!("{identity} {steps}"));
    for (name, values) in &tensors {
        hash.update(name);
        update(&mut hash, values);
    }
    let about = HashMap::from([
        ("identity".to_owned(), identity.to_owned()),
        ("steps".to_owned(), steps.to_string()),
        ("checksum".to_owned(), hex(hash)),
    ]);
    let views = tensors.into_iter().map(|(name, values)| (name, Values([values.len()], values)));
    let path = folder.join(FILE);
    let partial = path.with_extension("partial");
    let written = serialize_to_file(views, Some(about), &partial).map_err(|e| e.to_string());
    finish(&partial, &path, written).map_err(TrainError::Save)
}

/// Reads the state of this model out of a folder.
pub(super) fn read(folder: &Path, identity: &str) -> Result<State, TrainError> {
    let path = folder.join(FILE);
    let wrong = |what: &str| TrainError::State(format!("{}: {what}", path.display()));
    let damaged = |what: String| wrong(&format!("it is damaged ({what}); go back to another"));
    let bytes = std::fs::read(&path).map_err(|error| wrong(&error.to_string()))?;
    let broken = |error: safetensors::SafeTensorError| damaged(error.to_string());
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(broken)?;
    let about = header.metadata().clone().unwrap_or_default();
    let entry = |key: &str| about.get(key).ok_or_else(|| damaged(format!("no {key}")));
    if entry("identity")? != identity {
        return Err(wrong("it belongs to another model, or to other trained parts of it"));
    }
    let steps = entry("steps")?.parse().map_err(|_| damaged("its steps".to_owned()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(broken)?;
    let mut names = file.names();
    names.sort_unstable();
    let mut hash = Sha256::new();
    hash.update(format!("{identity} {steps}"));
    let mut tensors = HashMap::new();
    for name in names {
        let view = file.tensor(name).map_err(broken)?;
        hash.update(name);
        hash.update(view.data());
        if view.dtype() != Dtype::F32 {
            return Err(damaged(format!("the number format of {name}")));
        }
        let values = view.data().as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value));
        tensors.insert(name.to_owned(), values.collect());
    }
    if entry("checksum")? != &hex(hash) {
        return Err(damaged("its checksum does not fit".to_owned()));
    }
    Ok(State { steps, tensors })
}

impl State {
    /// A tensor, given once.
    pub fn take(&mut self, name: &str, length: usize) -> Result<Vec<f32>, TrainError> {
        let found = self.tensors.remove(name).filter(|values| values.len() == length);
        found.ok_or_else(|| TrainError::State(format!("'{name}' is missing or has another shape")))
    }

    /// Whether there is such a tensor.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }
}

/// Values with their number, as their only dimension: what shape they have, the model knows.
struct Values<'a>([usize; 1], Cow<'a, [f32]>);

impl View for Values<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.0
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.1.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>().into()
    }

    fn data_len(&self) -> usize {
        4 * self.0[0]
    }
}

fn update(hash: &mut Sha256, values: &[f32]) {
    const CHUNK: usize = 1 << 14;
    let mut bytes = Vec::with_capacity(4 * CHUNK.min(values.len()));
    for values in values.chunks(CHUNK) {
        bytes.clear();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        hash.update(&bytes);
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A training that an earlier version began goes on.
    #[test]
    fn an_f32_trainings_identity_is_what_it_was_before_there_was_bf16() {
        let json = r#"{
            "model_type": "bert", "hidden_size": 4, "num_hidden_layers": 1, "pad_token_id": 0,
            "num_attention_heads": 1, "intermediate_size": 4, "vocab_size": 5, "layer_norm_eps": 1e-5,
            "max_position_embeddings": 6, "type_vocab_size": 2, "hidden_act": "relu"
        }"#;
        let config = ModelConfig::from_bytes(json.as_bytes(), "test").unwrap();
        let mut before = Sha256::new();
        before.update(serde_json::to_string(&config).unwrap());
        before
            .update("Trained { embeddings: true, frozen_layers: 0, lora: None, recompute: false }");
        let now = |compute| {
            let trained = Trained { recompute: true, compute, ..Trained::default() };
            Identity::new(&config, &trained, &[]).finish()
        };
        assert_eq!(now(Compute::F32), hex(before));
        assert_ne!(now(Compute::F32), now(Compute::Bf16));
    }
}
