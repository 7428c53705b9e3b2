//! Our side of `benches/peers/training`: reads a model from the file that `compare.py` writes, then makes
//! one training step for each line of standard input and answers with its loss and its seconds: passed,
//! and of this thread on a processor.
//!
//! Arguments: the model's file, hidden size, heads, intermediate size, layers, vocabulary, positions,
//! dropout, threads. Files are little-endian. A line of input names a batch: a file with token ids, then
//! the lengths of the sequences. The first sequence of every four has the label 1, the others 0; the loss
//! is the mean binary cross-entropy.

use std::error::Error;
use std::io::{BufRead, Write};
use std::str::FromStr;
use std::time::Instant;

use secondpass_kernels::train::{AdamW, Step, Tokens, TrainingConfig, TrainingNetwork};
use secondpass_kernels::{Activation, EncoderConfig, Instructions, Threads};

fn read(path: &str) -> Result<Vec<[u8; 4]>, Box<dyn Error>> {
    Ok(std::fs::read(path)?.as_chunks::<4>().0.to_vec())
}

/// Seconds this thread has been on a processor, where Linux tells; else zero.
fn on_cpu() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).unwrap_or_default() / 1e9
}

/// The loss, and its derivatives by the logits.
fn loss(logits: &[f32]) -> (f64, Vec<f32>) {
    let count = logits.len() as f64;
    let mut total = 0.0;
    let derivative = |(place, &logit): (usize, &f32)| {
        let (logit, label) = (f64::from(logit), f64::from(u8::from(place.is_multiple_of(4))));
        total += logit.max(0.0) - logit * label + (-logit.abs()).exp().ln_1p();
        ((1.0 / (1.0 + (-logit).exp()) - label) / count) as f32
    };
    let derivatives = logits.iter().enumerate().map(derivative).collect();
    (total / count, derivatives)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    fn number<T: FromStr>(arguments: &[String], at: usize) -> Result<T, Box<dyn Error>>
    where
        T::Err: Error + 'static,
    {
        Ok(arguments.get(at).ok_or("an argument is missing: see the source")?.parse()?)
    }
    let side = |at: usize| number::<usize>(&arguments, at);
    let dropout: f64 = number(&arguments, 7)?;
    let config = TrainingConfig {
        encoder: EncoderConfig {
            hidden: side(1)?,
            heads: side(2)?,
            intermediate: side(3)?,
            layers: side(4)?,
            epsilon: 1e-5,
            activation: Activation::Gelu,
        },
        vocabulary: side(5)?,
        positions: side(6)?,
        types: 1,
        hidden_dropout: dropout,
        attention_dropout: dropout,
        head_dropout: dropout,
        drops_head_input: true,
    };
    let mut values = read(&arguments[0])?.into_iter().map(f32::from_le_bytes);
    let sizes: Vec<usize> =
        config.slots().iter().map(|slot| slot.shape[0] * slot.shape[1]).collect();
    let weights: Vec<Vec<f32>> =
        sizes.iter().map(|size| values.by_ref().take(*size).collect()).collect();
    let instructions = Instructions::detect();
    let threads = Threads::new(side(8)?.try_into()?)?;
    let trained = vec![true; sizes.len()];
    let mut network = TrainingNetwork::new(config, weights, &trained, instructions, threads)?;
    let mut moments: Vec<AdamW> = sizes.iter().map(|size| AdamW::new(*size)).collect();
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}", instructions.name())?;
    output.flush()?;
    for (number, line) in (1..).zip(std::io::stdin().lock().lines()) {
        let line = line?;
        let mut words = line.split_whitespace();
        let ids: Vec<u32> = read(words.next().ok_or("a batch needs a file")?)?
            .into_iter()
            .map(u32::from_le_bytes)
            .collect();
        let (mut offsets, mut positions) = (vec![0], Vec::new());
        for length in words {
            let length: usize = length.parse()?;
            offsets.push(offsets[offsets.len() - 1] + length);
            // XLM-R's positions start after the padding token's id.
            positions.extend((2..).take(length));
        }
        let types = vec![0; ids.len()];
        let tokens = Tokens { ids: &ids, positions: &positions, types: &types, offsets: &offsets };
        let (start, before) = (Instant::now(), on_cpu());
        let logits = network.forward(&tokens, u64::from(number))?;
        let (loss, derivatives) = loss(&logits);
        network.backward(&derivatives)?;
        let step = Step {
            number,
            learning_rate: 1e-5,
            decay: 0.01,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            factor: 1.0,
        };
        for (index, moments) in moments.iter_mut().enumerate() {
            network.update(index, |weight, gradient, instructions, threads| {
                moments.step(weight, gradient, step, instructions, threads);
            });
        }
        network.forget();
        let (seconds, on_cpu) = (start.elapsed().as_secs_f64(), on_cpu() - before);
        writeln!(output, "{loss} {seconds} {on_cpu}")?;
        output.flush()?;
    }
    Ok(())
}
