//! candle as a peer of `benches/peers/engine`: a cross-encoder of the BERT or XLM-R family from a Hugging
//! Face folder, on the CPU, in f32.
//!
//! Arguments: the model's folder, the most tokens of a pair. Threads are `RAYON_NUM_THREADS`. A line of
//! standard input names a file of pairs (a JSON array of `[query, document]`), the file that the scores go
//! to, and the pairs of a batch; the answer is the seconds that tokenizing and scoring took. Pairs are sorted
//! by length, longest first, and padded to the longest of their batch, as sentence-transformers does.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use candle_core::{DType, Device, Tensor};
use candle_nn::{Linear, Module, VarBuilder, linear};
use candle_transformers::models::bert::{BertModel, Config as BertConfig};
use candle_transformers::models::xlm_roberta::{
    Config as RobertaConfig, XLMRobertaForSequenceClassification,
};
use tokenizers::{EncodeInput, Encoding, Tokenizer, TruncationParams};

enum Network {
    Bert { body: BertModel, pooler: Linear, classifier: Linear },
    Roberta(XLMRobertaForSequenceClassification),
}

impl Network {
    fn load(folder: &Path) -> Result<(Self, u32)> {
        let config = std::fs::read_to_string(folder.join("config.json"))?;
        let value: serde_json::Value = serde_json::from_str(&config)?;
        let padding = value["pad_token_id"].as_u64().unwrap_or(0) as u32;
        let files = [folder.join("model.safetensors")];
        // SAFETY: nobody changes the file while it is mapped.
        let weights =
            unsafe { VarBuilder::from_mmaped_safetensors(&files, DType::F32, &Device::Cpu)? };
        let network = if value["model_type"] == "bert" {
            let config: BertConfig = serde_json::from_str(&config)?;
            Self::Bert {
                body: BertModel::load(weights.pp("bert"), &config)?,
                pooler: linear(
                    config.hidden_size,
                    config.hidden_size,
                    weights.pp("bert.pooler.dense"),
                )?,
                classifier: linear(config.hidden_size, 1, weights.pp("classifier"))?,
            }
        } else {
            let config: RobertaConfig = serde_json::from_str(&config)?;
            Self::Roberta(XLMRobertaForSequenceClassification::new(1, &config, weights)?)
        };
        Ok((network, padding))
    }

    /// One logit for each row of `ids`, `[batch, tokens]`.
    fn logits(&self, ids: &Tensor, mask: &Tensor, types: &Tensor) -> Result<Vec<f32>> {
        let logits = match self {
            Self::Bert { body, pooler, classifier } => {
                let hidden = body.forward(ids, types, Some(mask))?;
                let first = hidden.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?;
                classifier.forward(&pooler.forward(&first)?.tanh()?)?
            }
            Self::Roberta(model) => model.forward(ids, mask, types)?,
        };
        Ok(logits.flatten_all()?.to_vec1()?)
    }
}

struct Peer {
    network: Network,
    tokenizer: Tokenizer,
    padding: u32,
}

impl Peer {
    fn score(&self, pairs: Vec<(String, String)>, batch: usize) -> Result<Vec<f32>> {
        let inputs: Vec<EncodeInput> = pairs.into_iter().map(EncodeInput::from).collect();
        let encodings =
            self.tokenizer.encode_batch(inputs, true).map_err(|error| anyhow!("{error}"))?;
        let mut order: Vec<usize> = (0..encodings.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(encodings[i].len()));
        let mut scores = vec![0.0; encodings.len()];
        for indexes in order.chunks(batch) {
            let longest = encodings[indexes[0]].len();
            let tensor = |of: fn(&Encoding) -> &[u32], filler: u32| -> Result<Tensor> {
                let padded = indexes.iter().flat_map(|&i| {
                    let row = of(&encodings[i]);
                    row.iter().copied().chain(std::iter::repeat_n(filler, longest - row.len()))
                });
                let values: Vec<u32> = padded.collect();
                Ok(Tensor::from_vec(values, (indexes.len(), longest), &Device::Cpu)?)
            };
            let ids = tensor(Encoding::get_ids, self.padding)?;
            let mask = tensor(Encoding::get_attention_mask, 0)?;
            let types = tensor(Encoding::get_type_ids, 0)?;
            for (&i, logit) in indexes.iter().zip(self.network.logits(&ids, &mask, &types)?) {
                scores[i] = logit;
            }
        }
        Ok(scores)
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, length] = &arguments[..] else {
        return Err(anyhow!("arguments: the model's folder, the most tokens of a pair"));
    };
    let folder = Path::new(folder);
    let (network, padding) = Network::load(folder)?;
    let mut tokenizer = Tokenizer::from_file(folder.join("tokenizer.json"))
        .map_err(|error| anyhow!("tokenizer.json: {error}"))?;
    let cut = TruncationParams { max_length: length.parse()?, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(cut)).map_err(|error| anyhow!("{error}"))?;
    tokenizer.with_padding(None);
    let peer = Peer { network, tokenizer, padding };
    let mut output = std::io::stdout().lock();
    writeln!(output, "candle-transformers 0.11.1")?;
    output.flush()?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let [from, to, batch] = words[..] else {
            return Err(anyhow!("a line: pairs, scores, pairs of a batch"));
        };
        let pairs = std::fs::read_to_string(from).with_context(|| from.to_owned())?;
        let pairs: Vec<(String, String)> = serde_json::from_str(&pairs)?;
        let batch = batch.parse()?;
        let start = Instant::now();
        let scores = peer.score(pairs, batch)?;
        let seconds = start.elapsed().as_secs_f64();
        std::fs::write(to, serde_json::to_string(&scores)?)?;
        writeln!(output, "{seconds}")?;
        output.flush()?;
    }
    Ok(())
}
