//! Our side of `benches/peers/engine`: tokenizes and scores pairs as the program does, on the CPU.
//!
//! Arguments: the model's folder, the most tokens of a pair. Threads are the processors that this process
//! may use. A line of standard input names a file of pairs (a JSON array of `[query, document]`, a query's
//! pairs together), the file that the scores go to, and the pairs of a batch, 0 for the program's own way;
//! the answer is the seconds from texts to scores.
//!
//!     cargo build --release -p secondpass -p secondpass-model --features secondpass-model/peers --example peer
//!
//! (both packages, so that nothing is compiled otherwise than for the program)

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use secondpass_model::{DeviceSpec, Dtype, Engine};
use secondpass_text::{EncodedPair, PairTokenizer, Scorer, TokenBatch, Truncation, plan};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The program's `--batch-tokens` unless told otherwise.
const BATCH_TOKENS: usize = 4096;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, length] = &arguments[..] else {
        return Err("arguments: the model's folder, the most tokens of a pair".into());
    };
    let folder = Path::new(folder);
    let weights = [folder.join("model.safetensors")];
    let config = folder.join("config.json");
    let (file, length) = (folder.join("tokenizer.json"), length.parse()?);
    let (engine, tokenizer) = std::thread::scope(|scope| {
        let tokenizer =
            scope.spawn(|| PairTokenizer::from_file(&file, length, Truncation::LongestFirst));
        (Engine::load(&config, &weights, DeviceSpec::Cpu, Dtype::F32), tokenizer.join())
    });
    let (engine, tokenizer) = (engine?, tokenizer.map_err(|_| "the tokenizer panicked")??);
    let mut output = std::io::stdout().lock();
    let version = env!("CARGO_PKG_VERSION");
    let instructions = secondpass_kernels::Instructions::detect();
    writeln!(output, "secondpass {version}, f32, {instructions:?}")?;
    output.flush()?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let [from, to, batch] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err("a line: pairs, scores, pairs of a batch".into());
        };
        let pairs: Vec<(String, String)> = serde_json::from_str(&std::fs::read_to_string(from)?)?;
        let batch = batch.parse()?;
        let start = Instant::now();
        let scores = score(&engine, &tokenizer, &pairs, batch)?;
        let seconds = start.elapsed().as_secs_f64();
        std::fs::write(to, serde_json::to_string(&scores)?)?;
        writeln!(output, "{seconds}")?;
        output.flush()?;
    }
    Ok(())
}

fn score(
    engine: &Engine,
    tokenizer: &PairTokenizer,
    pairs: &[(String, String)],
    batch: usize,
) -> Result<Vec<f32>, Failure> {
    let mut encoded: Vec<EncodedPair> = Vec::with_capacity(pairs.len());
    for group in pairs.chunk_by(|a, b| a.0 == b.0) {
        let documents: Vec<&str> = group.iter().map(|(_, document)| document.as_str()).collect();
        encoded.extend(tokenizer.encode(&group[0].0, &documents)?);
    }
    let lengths: Vec<usize> = encoded.iter().map(|pair| pair.ids.len()).collect();
    let batches = match batch {
        0 => plan(&lengths, BATCH_TOKENS),
        pairs => (0..lengths.len()).collect::<Vec<_>>().chunks(pairs).map(<[_]>::to_vec).collect(),
    };
    let mut scores = vec![0.0; pairs.len()];
    for indexes in batches {
        let mut batch = TokenBatch::new();
        for &index in &indexes {
            batch.push(&encoded[index].ids, &encoded[index].type_ids);
        }
        for (index, score) in indexes.iter().zip(engine.score(&[batch])?) {
            scores[*index] = score;
        }
    }
    Ok(scores)
}
