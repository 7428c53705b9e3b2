use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use secondpass_core::{Hasher, Identity, Memory};
use secondpass_data::{Access, write_file};
use secondpass_evaluation::Machine;
use secondpass_model::DeviceSpec;
use secondpass_rerankers::{CrossEncoder, Tuned, Tuning};
use secondpass_text::{PairTokenizer, Scorer};
use serde::{Deserialize, Serialize};

use crate::folders;

/// Tokens scored at a time, padding included, on a processor, until it is known what a model likes best
/// there.
const BATCH_TOKENS: usize = 4096;
/// The same on a card, which needs as many to be busy: 50 pairs of 512 tokens are one batch.
const CARD_TOKENS: usize = 32_768;

/// Tokens scored at a time on a device, as identities name it, unless something else is asked for.
pub fn usual(device: Option<&str>) -> usize {
    match device.map(str::parse) {
        Some(Ok(DeviceSpec::Cuda(_))) => CARD_TOKENS,
        _ => BATCH_TOKENS,
    }
}

/// How batches are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batching {
    /// Of so many tokens, as the user says.
    Fixed(usize),
    /// As was found before on this machine for this model, or is found now.
    Tuned,
    /// As ever: caches are neither read nor written.
    Usual,
}

impl Batching {
    /// What a flag or a key says, if anything; `cached` without `--no-cache`.
    pub fn of(asked: Option<usize>, cached: bool) -> Self {
        match (asked, cached) {
            (Some(tokens), _) => Self::Fixed(tokens),
            (None, true) => Self::Tuned,
            (None, false) => Self::Usual,
        }
    }

    /// A reranker that makes its batches so, and cuts those that memory does not hold.
    pub fn cross_encoder(
        self,
        identity: Identity,
        tokenizer: PairTokenizer,
        scorer: Box<dyn Scorer>,
    ) -> Result<CrossEncoder> {
        let usual = usual(identity.device.as_deref());
        let tuning = match self {
            Self::Fixed(tokens) => Tuning::known(tokens),
            // Each size tried would have a card compile and choose kernels first, which is no measure.
            Self::Tuned if usual == BATCH_TOKENS => tuning(&identity)?,
            Self::Tuned | Self::Usual => Tuning::known(usual),
        };
        let reranker = CrossEncoder::new(identity, tokenizer, scorer, usual);
        let available = || Memory::here().map(|memory| memory.available);
        Ok(reranker.with_tuning(Arc::new(tuning)).with_available_memory(Arc::new(available)))
    }
}

/// What was found once for a model on a machine.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    /// Whose it is, as people read it; the file's name is a hash of the same.
    model: String,
    machine: String,
    #[serde(flatten)]
    tuned: Tuned,
}

fn tuning(identity: &Identity) -> Result<Tuning> {
    let machine = Machine::here();
    let machine = format!("{}, {} threads, {}", machine.cpu, machine.cores, machine.os);
    let Some(path) = path(identity, &machine)? else { return Ok(Tuning::known(BATCH_TOKENS)) };
    if let Some(tokens) = read(&path) {
        return Ok(Tuning::known(tokens));
    }
    let model = identity.model.clone();
    Ok(Tuning::new(BATCH_TOKENS, move |tuned| {
        let (model, machine) = (model.clone(), machine.clone());
        // What cannot be kept is found again.
        let _ = write(&path, &Kept { model, machine, tuned: tuned.clone() });
    }))
}

/// The file of a model on this machine; `None` where the weights are not known by their hash.
fn path(identity: &Identity, machine: &str) -> Result<Option<PathBuf>> {
    let Some(weights) = &identity.weights else { return Ok(None) };
    let mut hasher = Hasher::new();
    hasher.field(machine).field(weights.as_str());
    for field in [&identity.device, &identity.dtype] {
        hasher.field(field.as_deref().unwrap_or_default());
    }
    Ok(Some(folders::part("batches")?.join(format!("{}.json", hasher.finish().as_str()))))
}

/// A file that is not there or not whole says nothing.
fn read(path: &Path) -> Option<usize> {
    let kept: Kept = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    Some(kept.tuned.batch_tokens).filter(|&tokens| tokens > 0)
}

fn write(path: &Path, kept: &Kept) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let text = serde_json::to_string_pretty(kept)?;
    Ok(write_file(path, Access::Default, |file| Ok(file.write_all(text.as_bytes())?))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_and_no_cache_means_none() {
        assert_eq!(Batching::of(Some(512), true), Batching::Fixed(512));
        assert_eq!(Batching::of(Some(512), false), Batching::Fixed(512));
        assert_eq!(Batching::of(None, true), Batching::Tuned);
        assert_eq!(Batching::of(None, false), Batching::Usual);
    }

    #[test]
    fn a_card_takes_more_at_a_time_than_a_processor() {
        for device in [None, Some("cpu"), Some("flex"), Some("onnx"), Some("elsewhere")] {
            assert_eq!(usual(device), 4096, "{device:?}");
        }
        assert_eq!(usual(Some("cuda:1")), 32_768);
        assert!(50 * 512 <= usual(Some("cuda:0")), "a query of 50 long documents is one batch");
    }

    #[test]
    fn what_is_kept_is_read_again_and_anything_else_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("batches/x.json");
        assert_eq!(read(&path), None);
        let tuned = Tuned { batch_tokens: 2048, trials: Vec::new() };
        write(&path, &Kept { model: "m".into(), machine: "c".into(), tuned }).unwrap();
        assert_eq!(read(&path), Some(2048));
        std::fs::write(&path, "{\"batch_tokens\": 0}").unwrap();
        assert_eq!(read(&path), None);
    }
}
