use anyhow::{Context as _, Result};
use secondpass_core::{Dataset, Run};
use secondpass_data::manifest::{Catalogue, datasets_folder, resolve};
use secondpass_data::tables::{DocumentColumns, JudgementColumns, PairColumns, QueryColumns};
use secondpass_data::topics::TopicPart;
use secondpass_data::{
    beir, documents, embedded, flag_embedding, golden, production_log, tables, topics, trec,
};
use secondpass_evaluation::{ConfigError, DatasetSource, Experiment};
use serde::Deserialize;

use crate::exit::usage;
use crate::note::note;

/// A dataset, with the candidates that its own file gives.
pub struct Loaded {
    pub dataset: Dataset,
    pub given: Option<Run>,
}

/// Loads the dataset an experiment names, and its sample of queries.
pub fn load(experiment: &Experiment) -> Result<Loaded> {
    load_split(experiment, &experiment.dataset.split)
}

/// Loads another split of the dataset an experiment names.
pub fn load_split(experiment: &Experiment, split: &str) -> Result<Loaded> {
    let Loaded { dataset, given } = source(experiment, split)?;
    let dataset = match experiment.dataset.sample {
        Some(sample) => dataset.sampled(sample.queries, sample.seed),
        None => dataset,
    };
    let by_length = experiment.slices.iter().any(|slice| slice == QUERY_LENGTH);
    let dataset = match by_length {
        true => dataset.with_attribute(QUERY_LENGTH, |query| length_class(&query.text).to_owned()),
        false => dataset,
    };
    Ok(Loaded { dataset, given })
}

/// The slice that every set has: how many words a query is long.
const QUERY_LENGTH: &str = "query_length";

/// Classes that tell keywords from questions and questions from stories.
fn length_class(text: &str) -> &'static str {
    match text.split_whitespace().count() {
        0..=3 => "1 to 3 words",
        4..=7 => "4 to 7 words",
        8..=15 => "8 to 15 words",
        _ => "over 15 words",
    }
}

fn source(experiment: &Experiment, split: &str) -> Result<Loaded> {
    let alone = |dataset| Ok(Loaded { dataset, given: None });
    match &experiment.dataset.source {
        DatasetSource::Embedded(name) if name == embedded::NAME => {
            alone(embedded::helpdesk(split)?)
        }
        DatasetSource::Embedded(name) => Err(usage(anyhow::anyhow!(
            "there is no embedded set '{name}'; there is '{}'",
            embedded::NAME
        ))),
        DatasetSource::Beir(folder) => alone(beir::read(folder, split)?),
        DatasetSource::Public(name) => {
            let catalogue = Catalogue::from_env().map_err(usage)?;
            let manifest = catalogue.get(name).map_err(usage)?;
            alone(beir::read(&resolve(manifest, Some(split), &datasets_folder()?)?, split)?)
        }
        DatasetSource::Golden { path, corpus } => {
            let golden = golden::read(path, corpus.as_deref())?;
            Ok(Loaded { dataset: golden.dataset, given: golden.candidates })
        }
        DatasetSource::FlagEmbedding(path) => {
            let read = flag_embedding::read(path)?;
            Ok(Loaded { dataset: read.dataset, given: Some(read.candidates) })
        }
        DatasetSource::Pairs { path, columns } => {
            let columns: PairColumns = named(experiment, columns)?;
            let read = tables::read_pairs(path, &columns)?;
            Ok(Loaded { dataset: read.dataset, given: Some(read.candidates) })
        }
        DatasetSource::Tables { documents, queries, judgements, columns } => {
            let columns: TableColumns = named(experiment, columns)?;
            alone(tables::read(
                &experiment.name,
                split,
                (documents, &columns.documents),
                (queries, &columns.queries),
                (judgements, &columns.judgements),
            )?)
        }
        DatasetSource::Trec { documents: path, topics: asked, qrels, part } => {
            let part = topic_part(experiment, part.as_deref())?;
            let queries =
                topics::read(asked)?.iter().filter_map(|topic| topic.query(part)).collect();
            let corpus = documents::read(path)?;
            let qrels = trec::read_qrels(qrels)?;
            let dataset = Dataset::new(&*experiment.name, split, corpus, queries, qrels);
            alone(dataset.with_context(|| format!("{}: table 'dataset'", experiment.file))?)
        }
        DatasetSource::Log(path) => {
            let log = production_log::read(path)?;
            note(format_args!(
                "warning: {}: citations stand for judgements; they are biased towards the order \
                 that was shown, and what was never shown can never count",
                path.display()
            ));
            let (qrels, shown) = (log.as_qrels(), log.shown);
            let dataset = Dataset::new(&*experiment.name, split, log.corpus, log.queries, qrels)
                .with_context(|| {
                    let path = path.display();
                    format!("{path} is no set to rerank; each candidate needs its text")
                })?;
            Ok(Loaded { dataset, given: Some(shown) })
        }
    }
}

/// The columns of a set of tables.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TableColumns {
    documents: DocumentColumns,
    queries: QueryColumns,
    judgements: JudgementColumns,
}

fn named<T: for<'de> Deserialize<'de>>(
    experiment: &Experiment,
    columns: &serde_json::Value,
) -> Result<T> {
    serde_json::from_value(columns.clone()).map_err(|error| {
        usage(ConfigError::Value {
            file: experiment.file.clone(),
            key: "dataset.columns".to_owned(),
            found: columns.to_string(),
            allowed: error.to_string(),
        })
    })
}

fn topic_part(experiment: &Experiment, part: Option<&str>) -> Result<TopicPart> {
    match part {
        None | Some("title") => Ok(TopicPart::Title),
        Some("description") => Ok(TopicPart::Description),
        Some("both") => Ok(TopicPart::Both),
        Some(other) => Err(usage(ConfigError::Value {
            file: experiment.file.clone(),
            key: "dataset.part".to_owned(),
            found: format!("{other:?}"),
            allowed: "\"title\", \"description\", \"both\"".to_owned(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_fall_into_classes() {
        assert_eq!(length_class("export invoices"), "1 to 3 words");
        assert_eq!(length_class("how do I export them"), "4 to 7 words");
        assert_eq!(length_class(&"word ".repeat(15)), "8 to 15 words");
        assert_eq!(length_class(&"word ".repeat(16)), "over 15 words");
    }
}
