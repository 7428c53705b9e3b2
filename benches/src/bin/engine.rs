//! Our side of `benches/peers/engine`: reads a model and a batch from files that `compare.py` writes,
//! then does one forward pass for each line of standard input and answers with its seconds: passed, and of this thread on a processor.
//!
//! Arguments: the model's file, hidden size, heads, intermediate size, layers, threads. Files are
//! little-endian `f32`. A line of input names a batch: a file with embeddings, a file where the first
//! tokens' hidden states go, then the lengths of the sequences.

use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Instant;

use secondpass_kernels::{
    Activation, Encoder, EncoderConfig, Instructions, LayerWeights, LinearWeights, NormWeights,
    Threads, Workspace,
};

struct Values(std::vec::IntoIter<f32>);

impl Values {
    fn read(path: &str) -> Result<Self, Box<dyn Error>> {
        let bytes = std::fs::read(path)?;
        let (values, _) = bytes.as_chunks::<4>();
        let values: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        Ok(Self(values.into_iter()))
    }

    fn take(&mut self, count: usize) -> Vec<f32> {
        self.0.by_ref().take(count).collect()
    }

    fn linear(&mut self, inputs: usize, outputs: usize) -> LinearWeights {
        LinearWeights { weight: self.take(inputs * outputs), bias: self.take(outputs) }
    }

    fn norm(&mut self, hidden: usize) -> NormWeights {
        NormWeights { gamma: self.take(hidden), beta: self.take(hidden) }
    }

    fn layer(&mut self, hidden: usize, intermediate: usize) -> LayerWeights {
        LayerWeights {
            query: self.linear(hidden, hidden),
            key: self.linear(hidden, hidden),
            value: self.linear(hidden, hidden),
            attention_output: self.linear(hidden, hidden),
            attention_norm: self.norm(hidden),
            intermediate: self.linear(hidden, intermediate),
            output: self.linear(intermediate, hidden),
            output_norm: self.norm(hidden),
        }
    }
}

/// Seconds this thread has been on a processor, where Linux tells; else zero.
fn on_cpu() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).unwrap_or_default() / 1e9
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize| -> Result<usize, Box<dyn Error>> {
        Ok(arguments.get(i).ok_or("an argument is missing: see the source")?.parse()?)
    };
    let (hidden, heads, intermediate, layers) = (number(1)?, number(2)?, number(3)?, number(4)?);
    let activation = Activation::Gelu;
    let config = EncoderConfig { hidden, heads, intermediate, layers, epsilon: 1e-12, activation };
    let mut model = Values::read(&arguments[0])?;
    let weights = (0..layers).map(|_| model.layer(hidden, intermediate)).collect();
    let instructions = Instructions::detect();
    let encoder = Encoder::new(config, weights, instructions)?;
    let threads = Threads::new(number(5)?.try_into()?)?;
    let mut workspace = Workspace::default();
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}", instructions.name())?;
    output.flush()?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split_whitespace();
        let (from, to) = words.next().zip(words.next()).ok_or("a batch needs two files")?;
        let mut offsets = vec![0];
        for length in words {
            offsets.push(offsets[offsets.len() - 1] + length.parse::<usize>()?);
        }
        let mut x: Vec<f32> = Values::read(from)?.0.collect();
        let (start, before) = (Instant::now(), on_cpu());
        let first = encoder.forward_first(&mut x, &offsets, &mut workspace, &threads)?;
        let (seconds, on_cpu) = (start.elapsed().as_secs_f64(), on_cpu() - before);
        let bytes: Vec<u8> = first.iter().flat_map(|value| value.to_le_bytes()).collect();
        std::fs::write(to, bytes)?;
        writeln!(output, "{seconds} {on_cpu}")?;
        output.flush()?;
    }
    Ok(())
}
