use anyhow::{Context as _, Result};
use secondpass_core::ContentHash;
use secondpass_finetune::{
    Dropout, Head as RecipeHead, Initialization as Begin, ModelSource, Recipe, Shape, Start,
};
use secondpass_model::{DeviceSpec, Dtype, Head, Initialization, Model, ModelConfig, Trainee};
use secondpass_text::{PairTokenizer, train_unigram};

use super::tokenizer_files::{self, TokenizerFiles};
use crate::exit::usage;
use crate::load;

/// What training starts from.
pub struct Begun {
    pub model: Model,
    pub tokenizer: PairTokenizer,
    /// What belongs to the model beside its config and weights.
    pub files: TokenizerFiles,
    pub start: Start,
}

/// The model that a recipe starts from; `texts` are what a new tokenizer learns from.
pub fn begin(
    recipe: &Recipe,
    texts: impl Iterator<Item = String>,
    device: DeviceSpec,
) -> Result<Begun> {
    takes(recipe, device)?;
    let max_length = recipe.training.max_length;
    let (model, json, weights, folder) = match &recipe.model {
        ModelSource::Random { shape, vocabulary } => {
            let json = train_unigram(texts, *vocabulary)?;
            let config = config(shape, tokenizer(recipe, &json)?.vocabulary())?.to_serve();
            let deviation = shape.initializer_range as f32;
            let initialization = match shape.initialization {
                Begin::Normal => Initialization::Normal(deviation),
                Begin::Mimetic => Initialization::Mimetic(deviation),
            };
            let model = Model::random(config, recipe.seed, initialization, device)?;
            (model, json, ContentHash::of(b""), None)
        }
        ModelSource::Folder { path, head, dropout } => {
            let files = load::files(&path.display().to_string(), None)?;
            let (config, head) = match head {
                RecipeHead::New => {
                    (ModelConfig::of_encoder(&files.config)?, Head::New { seed: recipe.seed })
                }
                RecipeHead::Kept => (ModelConfig::from_file(&files.config)?, Head::FromFile),
            };
            let config = with_dropout(config, *dropout).to_serve();
            let model = Model::load_as(config, &files.weights, device, Dtype::F32, head)?;
            let json = std::fs::read(&files.tokenizer)
                .with_context(|| format!("cannot read {}", files.tokenizer.display()))?;
            let folder = files.tokenizer.parent().map(std::path::Path::to_owned);
            (model, json, load::weights_hash(&files.weights)?, folder)
        }
    };
    load::max_length(model.config(), Some(max_length))?;
    let start =
        Start { weights, tokenizer: ContentHash::of(&json), device: model.device().to_string() };
    let tokenizer = tokenizer(recipe, &json)?;
    let files =
        tokenizer_files::of(json, folder.as_deref(), max_length, model.config().model_type)?;
    Ok(Begun { model, tokenizer, files, start })
}

/// Whether the device trains as the recipe says, before anything is read.
fn takes(recipe: &Recipe, device: DeviceSpec) -> Result<()> {
    let takes = Trainee::takes(device, recipe.trained.compute);
    takes.map_err(|error| usage(anyhow::anyhow!("{}: {error}", recipe.file)))
}

/// What trains a model as a recipe says.
pub fn learner(model: Model, recipe: &Recipe) -> Result<Trainee> {
    let learner = Trainee::new(model, &recipe.trained);
    learner.map_err(|error| usage(anyhow::anyhow!("{}: table 'trained': {error}", recipe.file)))
}

fn tokenizer(recipe: &Recipe, json: &[u8]) -> Result<PairTokenizer> {
    let training = &recipe.training;
    let origin = "the recipe's tokenizer";
    Ok(PairTokenizer::from_bytes(json, origin, training.max_length, training.truncation)?)
}

fn with_dropout(mut config: ModelConfig, dropout: Dropout) -> ModelConfig {
    if let Some(hidden) = dropout.hidden {
        config.hidden_dropout_prob = hidden;
    }
    if let Some(attention) = dropout.attention {
        config.attention_probs_dropout_prob = attention;
    }
    config
}

/// The `config.json` of an XLM-R reranker of this shape.
fn config(shape: &Shape, vocabulary: usize) -> Result<ModelConfig> {
    let json = serde_json::json!({
        "architectures": ["XLMRobertaForSequenceClassification"],
        "model_type": "xlm-roberta",
        "hidden_size": shape.hidden_size,
        "num_hidden_layers": shape.num_hidden_layers,
        "num_attention_heads": shape.num_attention_heads,
        "intermediate_size": shape.intermediate_size,
        "vocab_size": vocabulary,
        // XLM-R's positions start after the padding token's id.
        "max_position_embeddings": shape.max_length + 2,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-5,
        "hidden_act": "gelu",
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "hidden_dropout_prob": shape.hidden_dropout,
        "attention_probs_dropout_prob": shape.attention_dropout,
        "initializer_range": shape.initializer_range,
        "id2label": {"0": "LABEL_0"},
        "label2id": {"LABEL_0": 0},
    });
    Ok(ModelConfig::from_bytes(json.to_string().as_bytes(), "the recipe's shape")?)
}
