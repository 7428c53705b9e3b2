use secondpass_core::Memory;
use secondpass_model::{DeviceSpec, Dtype, ModelConfig};

use super::{Finding, State, shown};

const SECTION: &str = "memory";

/// What memory there is, and what a large model would take of it.
pub fn look() -> Vec<Finding> {
    vec![judged(Memory::here())]
}

/// The largest reranker that many use.
const LARGE: &str = "BAAI/bge-reranker-v2-m3";

/// Its shape, of which no file need be here.
const LARGE_CONFIG: &str = r#"{
    "model_type": "xlm-roberta", "hidden_size": 1024, "num_hidden_layers": 24,
    "num_attention_heads": 16, "intermediate_size": 4096, "vocab_size": 250002,
    "max_position_embeddings": 8194, "type_vocab_size": 1, "layer_norm_eps": 1e-5,
    "hidden_act": "gelu", "pad_token_id": 1, "id2label": {"0": "LABEL_0"}
}"#;

/// Bytes that it takes on the CPU: its weights, a batch, and the program itself.
fn large() -> u64 {
    const PROGRAM: u64 = 150_000_000;
    let Ok(config) = ModelConfig::from_bytes(LARGE_CONFIG.as_bytes(), LARGE) else { return 0 };
    let batch = config.batch_bytes(DeviceSpec::Cpu, 8, 512).unwrap_or(0);
    config.weights_bytes(Dtype::F32) + batch + PROGRAM
}

fn judged(memory: Option<Memory>) -> Finding {
    let need = large();
    let Some(memory) = memory else {
        let found = "this system does not tell".to_owned();
        return Finding::new(SECTION, "memory", State::Absent, found)
            .advise(format!("see that {} are free for {LARGE}", shown(need)))
            .with("large_model_needs", need);
    };
    let limit = match memory.limit {
        Some(limit) => format!("a control group allows {}", shown(limit)),
        None => "no control group limits it".to_owned(),
    };
    let found = format!(
        "{} in all, {} available, {limit}; {LARGE} would need about {}",
        shown(memory.total),
        shown(memory.available),
        shown(need)
    );
    let (state, advice) = match memory.available >= need {
        true => (State::Ok, "nothing to do: it would fit".to_owned()),
        false => (
            State::Warning,
            match memory.limit.is_some_and(|limit| limit < need) {
                true => {
                    "raise the container's limit for a model of this size, or use a smaller or \
                         hosted one"
                        .to_owned()
                }
                false => {
                    "end other programs for a model of this size, or use a smaller or hosted one"
                        .to_owned()
                }
            },
        ),
    };
    Finding::new(SECTION, "memory", state, found)
        .advise(advice)
        .with("total", memory.total)
        .with("available", memory.available)
        .with("limit", memory.limit)
        .with("large_model", LARGE)
        .with("large_model_needs", need)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_large_models_shape_is_the_published_one() {
        let config = ModelConfig::from_bytes(LARGE_CONFIG.as_bytes(), LARGE).unwrap();
        // Its model card and its file of weights say 568 million.
        assert_eq!(config.parameters() / 1_000_000, 567);
        assert!(large() > 2_300_000_000 && large() < 3_000_000_000, "{}", large());
    }

    #[test]
    fn too_little_is_told_with_its_remedy() {
        let memory = |available, limit| Memory { total: 8_000_000_000, available, limit };
        let finding = judged(Some(memory(7_000_000_000, None)));
        assert_eq!(finding.state, State::Ok);
        let finding = judged(Some(memory(1_000_000_000, Some(1_500_000_000))));
        assert!(finding.state == State::Warning && finding.advice.unwrap().contains("container"));
        let finding = judged(Some(memory(1_000_000_000, None)));
        assert!(finding.advice.unwrap().contains("other programs"));
        assert!(judged(None).advice.unwrap().contains("free"));
    }
}
