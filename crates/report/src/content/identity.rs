use secondpass_core::{Identity, Scoring};
use secondpass_evaluation::Record;

use super::{Block, Cell, Section, Table, heads, rerankers};
use crate::{format, marks};

/// What exactly was run, on what, where and when.
pub(super) fn section(record: &Record) -> Section {
    let machine = &record.machine;
    let rows = [
        ("Experiment", format!("{} (config {})", record.experiment.name, record.experiment.config)),
        ("Data set", format!("{}, {} split", record.dataset.name, record.dataset.split)),
        ("Data set hash", record.dataset.hash.to_string()),
        ("Candidates hash", record.candidates.hash.to_string()),
        (
            "Machine",
            format!(
                "{}, {}, {} memory, {}",
                machine.cpu,
                format::counted(machine.cores, "core", "cores"),
                format::memory(machine.memory),
                machine.os
            ),
        ),
        ("Finished", record.finished.clone()),
        ("Version", format!("secondpass {}, record layout {}", record.version, record.schema)),
    ];
    let rows = rows.into_iter().map(|(what, value)| vec![what.into(), value.into()]).collect();
    let mut blocks =
        vec![Block::Table(Table { head: heads(["What", "Value"]), rows, labels: usize::MAX })];
    if rerankers(record).next().is_some() {
        let endpoints = rerankers(record).any(|system| system.identity.endpoint.is_some());
        let mut head = heads([
            "System",
            "Provider",
            "Model",
            "Revision",
            "Weights",
            "Device",
            "Dtype",
            "Max length",
            "Truncation",
            "Scoring",
        ]);
        if endpoints {
            head.push("Endpoint".into());
        }
        blocks.push(Block::Table(Table {
            head,
            rows: rerankers(record).map(|s| row(&marks::name(s), &s.identity, endpoints)).collect(),
            labels: usize::MAX,
        }));
        blocks.push(Block::Text(
            "Quality may be compared with another run where data set, split, candidates, depth, \
             model, weights, endpoint, max length, truncation and dtype are equal; time where device, \
             machine and queries in flight are equal too. Weights are shown by the first 12 digits of their SHA-256; \
             record.json has all."
                .into(),
        ));
    }
    Section { id: "identity", title: "Identity", blocks }
}

fn row(name: &str, identity: &Identity, endpoints: bool) -> Vec<Cell> {
    let or_none = |text: Option<&str>| Cell::from(text.unwrap_or(format::NONE));
    let mut row = vec![
        name.into(),
        identity.provider.as_str().into(),
        identity.model.as_str().into(),
        or_none(identity.revision.as_deref()),
        or_none(identity.weights.as_ref().map(|hash| hash.short())),
        or_none(identity.device.as_deref()),
        or_none(identity.dtype.as_deref()),
        identity.max_length.map_or(format::NONE.into(), |n| format::count(n as u64)).into(),
        or_none(identity.truncation.as_deref()),
        match identity.scoring {
            Scoring::Pointwise => "pointwise".into(),
            Scoring::Listwise => "listwise".into(),
        },
    ];
    if endpoints {
        row.push(or_none(identity.endpoint.as_deref()));
    }
    row
}
