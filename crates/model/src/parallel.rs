use secondpass_text::{ScoreError, TokenBatch};

use crate::DeviceSpec;
use crate::failure::{caught, panicked};

/// Runs `one` on every batch and joins what it gives, one result a sequence, in order. On a CPU a
/// batch is cut into a part for each core, as many of burn's operations run on one core only, GELU
/// above all; a GPU takes it whole.
pub(crate) fn on_all_cores<T: Send>(
    device: DeviceSpec,
    batches: &[TokenBatch],
    one: impl Fn(&TokenBatch) -> Result<Vec<T>, ScoreError> + Sync,
) -> Result<Vec<T>, ScoreError> {
    let cores = match device {
        DeviceSpec::Cuda(_) => 1,
        _ => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let mut results = Vec::with_capacity(batches.iter().map(TokenBatch::len).sum());
    for batch in batches.iter().filter(|batch| !batch.is_empty()) {
        let parts = if cores > 1 { batch.split(cores) } else { Vec::new() };
        if parts.len() <= 1 {
            results.extend(caught(|| one(batch)).flatten()?);
            continue;
        }
        std::thread::scope(|scope| {
            let running: Vec<_> = parts.iter().map(|part| scope.spawn(|| one(part))).collect();
            for part in running {
                results.extend(part.join().map_err(|panic| panicked(&*panic))??);
            }
            Ok(())
        })?;
    }
    Ok(results)
}
