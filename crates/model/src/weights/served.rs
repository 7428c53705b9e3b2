//! The tensors that text-embeddings-inference asks a reranker's file for (`backends/candle/src/models/bert.rs`,
//! commit 4d94445; its CUDA models ask for the same): what is written has all of them.

use crate::{DeviceSpec, Initialization, Model, ModelConfig};

const LAYER: [&str; 16] = [
    "attention.self.query.weight",
    "attention.self.query.bias",
    "attention.self.key.weight",
    "attention.self.key.bias",
    "attention.self.value.weight",
    "attention.self.value.bias",
    "attention.output.dense.weight",
    "attention.output.dense.bias",
    "attention.output.LayerNorm.weight",
    "attention.output.LayerNorm.bias",
    "intermediate.dense.weight",
    "intermediate.dense.bias",
    "output.dense.weight",
    "output.dense.bias",
    "output.LayerNorm.weight",
    "output.LayerNorm.bias",
];

const EMBEDDINGS: [&str; 5] = [
    "embeddings.word_embeddings.weight",
    "embeddings.token_type_embeddings.weight",
    "embeddings.position_embeddings.weight",
    "embeddings.LayerNorm.weight",
    "embeddings.LayerNorm.bias",
];

/// `RobertaClassificationHead`.
const ROBERTA_HEAD: [&str; 4] = [
    "classifier.dense.weight",
    "classifier.dense.bias",
    "classifier.out_proj.weight",
    "classifier.out_proj.bias",
];

/// `BertClassificationHead`; it does without the pooler where there is none.
const BERT_HEAD: [&str; 4] =
    ["bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"];

fn names_of(model_type: &str) -> Vec<String> {
    let json = serde_json::json!({
        "model_type": model_type, "hidden_size": 4, "num_hidden_layers": 2, "pad_token_id": 0,
        "num_attention_heads": 1, "intermediate_size": 4, "vocab_size": 5, "layer_norm_eps": 1e-5,
        "max_position_embeddings": 6, "type_vocab_size": 2, "hidden_act": "gelu"
    });
    let config = ModelConfig::from_bytes(json.to_string().as_bytes(), "test").unwrap();
    let random = Model::random(config, 1, Initialization::Normal(0.1), DeviceSpec::Flex);
    let folder = tempfile::tempdir().unwrap();
    let mut model = random.unwrap();
    super::write(&mut model.network, &model.config, folder.path(), false).unwrap();
    let bytes = std::fs::read(folder.path().join("model.safetensors")).unwrap();
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let mut names: Vec<String> = metadata.tensors().into_keys().collect();
    names.sort();
    names
}

#[test]
fn a_file_has_what_is_asked_for_and_nothing_else() {
    for (model_type, prefix, head) in [
        ("xlm-roberta", "roberta", ROBERTA_HEAD),
        ("roberta", "roberta", ROBERTA_HEAD),
        ("bert", "bert", BERT_HEAD),
    ] {
        let layers = (0..2).flat_map(|layer| {
            LAYER.iter().map(move |name| format!("{prefix}.encoder.layer.{layer}.{name}"))
        });
        let mut wanted: Vec<String> = EMBEDDINGS.map(|name| format!("{prefix}.{name}")).into();
        wanted.extend(layers.chain(head.map(str::to_owned)));
        wanted.sort();
        assert_eq!(names_of(model_type), wanted);
    }
}
