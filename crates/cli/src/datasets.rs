use anyhow::Result;
use secondpass_core::Dataset;
use secondpass_data::{beir, embedded};
use secondpass_evaluation::{DatasetSource, DatasetSpec};

use crate::exit::usage;

/// Loads the dataset an experiment names.
pub fn load(spec: &DatasetSpec) -> Result<Dataset> {
    match &spec.source {
        DatasetSource::Embedded(name) if name == embedded::NAME => {
            Ok(embedded::helpdesk(&spec.split)?)
        }
        DatasetSource::Embedded(name) => Err(usage(anyhow::anyhow!(
            "there is no embedded set '{name}'; there is '{}'",
            embedded::NAME
        ))),
        DatasetSource::Public(_)
        | DatasetSource::Golden { .. }
        | DatasetSource::FlagEmbedding(_) => anyhow::bail!("this kind of dataset is not there yet"),
        DatasetSource::Beir(folder) => Ok(beir::read(folder, &spec.split)?),
    }
}
