use std::path::Path;

use ort::session::SessionInputValue;
use ort::value::{Outlet, Tensor, TensorElementType};
use secondpass_text::{ScoreError, TokenBatch};

use crate::LoadError;
use crate::config::Config;

/// What a model wants to be told of a batch, by the names of its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inputs(Vec<Input>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Input {
    name: String,
    what: What,
    /// Whether it takes 32-bit integers instead of 64-bit ones.
    short: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Ids,
    Mask,
    Types,
}

impl Inputs {
    /// Reads a session's inputs.
    pub fn of(path: &Path, inputs: &[Outlet]) -> Result<Self, LoadError> {
        let failed = |problem: String| LoadError::Inputs { path: path.to_owned(), problem };
        let mut known = Vec::new();
        for input in inputs {
            let what = match input.name() {
                "input_ids" => What::Ids,
                "attention_mask" => What::Mask,
                "token_type_ids" => What::Types,
                other => return Err(failed(format!("its input '{other}' is not known here"))),
            };
            let short = match input.dtype().tensor_type() {
                Some(TensorElementType::Int64) => false,
                Some(TensorElementType::Int32) => true,
                _ => return Err(failed(format!("its input '{}' takes no ids", input.name()))),
            };
            known.push(Input { name: input.name().to_owned(), what, short });
        }
        for (what, name) in [(What::Ids, "input_ids"), (What::Mask, "attention_mask")] {
            if !known.iter().any(|input| input.what == what) {
                return Err(failed(format!("it has no input '{name}'")));
            }
        }
        Ok(Self(known))
    }

    /// A batch, padded to its longest sequence.
    ///
    /// # Errors
    /// Sequences that the model has no positions for, ids that it does not know.
    pub fn fill(
        &self,
        batch: &TokenBatch,
        config: &Config,
    ) -> Result<Vec<(String, SessionInputValue<'static>)>, ScoreError> {
        check(batch, config)?;
        // Attention needs something to see.
        let shape = [batch.len(), batch.longest().max(1)];
        let filled = |input: &Input| -> ort::Result<(String, SessionInputValue<'static>)> {
            let values = padded(batch, shape[1], input.what, config.pad_token_id);
            let value: SessionInputValue<'static> = match input.short {
                true => {
                    let values: Vec<i32> = values.iter().map(|&value| value as i32).collect();
                    Tensor::from_array((shape, values))?.into()
                }
                false => Tensor::from_array((shape, values))?.into(),
            };
            Ok((input.name.clone(), value))
        };
        let filled: ort::Result<Vec<_>> = self.0.iter().map(filled).collect();
        filled.map_err(|error| ScoreError::Device(error.to_string()))
    }
}

/// `[sequences, longest]`
fn padded(batch: &TokenBatch, longest: usize, what: What, padding: u32) -> Vec<i64> {
    let mut values = Vec::with_capacity(batch.len() * longest);
    for (row, (ids, types)) in (1..).zip(batch.sequences()) {
        match what {
            What::Ids => values.extend(ids.iter().map(|&id| i64::from(id))),
            What::Mask => values.extend(std::iter::repeat_n(1, ids.len().max(1))),
            What::Types => values.extend(types.iter().map(|&kind| i64::from(kind))),
        }
        let rest = if what == What::Ids { i64::from(padding) } else { 0 };
        values.resize(row * longest, rest);
    }
    values
}

fn check(batch: &TokenBatch, config: &Config) -> Result<(), ScoreError> {
    let (length, limit) = (batch.longest(), config.max_length());
    if length > limit {
        return Err(ScoreError::TooLong { length, limit });
    }
    let vocabulary = config.vocab_size;
    if let Some(&id) = batch.ids().iter().find(|&&id| id as usize >= vocabulary) {
        return Err(ScoreError::UnknownToken { id, vocabulary });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_padded_at_their_end() {
        let mut batch = TokenBatch::new();
        batch.push(&[5, 6, 7], &[0, 1, 1]);
        batch.push(&[8], &[1]);
        batch.push(&[], &[]);
        assert_eq!(padded(&batch, 3, What::Ids, 9), [5, 6, 7, 8, 9, 9, 9, 9, 9]);
        assert_eq!(padded(&batch, 3, What::Mask, 9), [1, 1, 1, 1, 0, 0, 1, 0, 0]);
        assert_eq!(padded(&batch, 3, What::Types, 9), [0, 1, 1, 1, 0, 0, 0, 0, 0]);
    }
}
