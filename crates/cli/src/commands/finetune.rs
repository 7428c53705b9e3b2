use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result};
use secondpass_core::{Dataset, FirstStage, Run};
use secondpass_data::training::{self, TrainingSet};
use secondpass_data::triples::Group;
use secondpass_data::{beir, embedded, golden, trec};
use secondpass_evaluation::Pool;
use secondpass_finetune::mine::{Selection, groups_of_run};
use secondpass_finetune::{
    Checkpoint, DataSource, Dev, DevSet, Event, Head as RecipeHead, Initialization as Start,
    ModelSource, Recipe, Shape, Summary, Task, TrainingData, groups_of_judgements, train,
};
use secondpass_model::{DeviceSpec, Dtype, Head, Initialization, Model, ModelConfig, Trainee};
use secondpass_retrieval::{Bm25, Bm25Parameters, judged_pool};
use secondpass_text::{PairTokenizer, Trained, train_unigram};

use super::eval::read_config;
use crate::args::FinetuneArgs;
use crate::exit::usage;
use crate::note::note;
use crate::{load, progress};

/// Trains the model of a recipe.
pub fn run(args: &FinetuneArgs) -> Result<()> {
    let shown = args.config.display().to_string();
    let text = read_config(&args.config)?;
    let recipe = Recipe::parse(&text, &shown).map_err(usage)?;
    if args.check {
        return super::triples::check_recipe(&recipe);
    }
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => Path::new("models").join(&recipe.name),
    };

    let Data { training, groups, dev } = data(&recipe)?;
    let dev_candidates = candidates(&dev, recipe.dev.depth, recipe.dev.pool)?;
    let candidates = match recipe.sampling.first_stage {
        0 => None,
        _ => Some(candidates(&training, recipe.dev.depth, Pool::Corpus)?),
    };

    let texts = || {
        let documents = training.corpus().documents().iter().map(|d| d.passage());
        documents.chain(training.queries().iter().map(|query| query.text.clone()))
    };
    let (model, tokenizer_json) = start(&recipe, texts(), args.device)?;
    let tokenizer = tokenizer(&recipe, &tokenizer_json)?;
    load::max_length(model.config(), Some(recipe.training.max_length))?;
    note(format_args!(
        "{}: {:.2} M parameters on {}, {} groups, {} dev queries",
        recipe.name,
        model.parameters() as f64 / 1e6,
        model.device(),
        groups.len(),
        dev.queries().len()
    ));

    let task = Task {
        recipe: &recipe,
        data: TrainingData {
            queries: training.queries(),
            corpus: training.corpus(),
            qrels: training.qrels(),
            groups: &groups,
            candidates: candidates.as_ref(),
        },
        dev: Dev { dataset: &dev, candidates: &dev_candidates },
        tokenizer: &tokenizer,
        checkpoint: Checkpoint { folder: &folder, files: &[("tokenizer.json", &tokenizer_json)] },
    };
    let mut trainee = Trainee::new(model, &Trained::default())?;
    let summary = follow(&task, &mut trainee)?;
    finish(&summary, &folder)
}

/// What is learnt, and what checkpoints are compared on.
pub(super) struct Data {
    pub training: Dataset,
    pub groups: Vec<Group>,
    pub dev: Dataset,
}

pub(super) fn data(recipe: &Recipe) -> Result<Data> {
    match &recipe.data {
        DataSource::Embedded(name) if name == embedded::NAME => Ok(Data {
            training: embedded::helpdesk("train")?,
            groups: embedded::helpdesk_groups()?,
            dev: embedded::helpdesk("dev")?,
        }),
        DataSource::Embedded(name) => {
            let (file, there) = (&recipe.file, embedded::NAME);
            Err(usage(anyhow::anyhow!("{file}: key 'data.name' is '{name}'; there is '{there}'")))
        }
        DataSource::Beir { train, dev } => {
            let training = beir::read(&train.path, &train.split)?;
            let groups = groups_of_judgements(&training);
            Ok(Data { training, groups, dev: beir::read(&dev.path, &dev.split)? })
        }
        DataSource::BeirAndRun { train, dev, run, ranks, negatives } => {
            let training = beir::read(&train.path, &train.split)?;
            let (ranks, num_negatives) = (*ranks, *negatives);
            let selection = Selection { ranks, num_negatives, ..Selection::default() };
            let groups = groups_of_run(&training, &trec::read_run(run)?, &selection)?;
            Ok(Data { training, groups, dev: beir::read(&dev.path, &dev.split)? })
        }
        DataSource::Files { layout, paths, dev } => {
            let TrainingSet { dataset: training, groups } = training::read(paths, *layout)?;
            let dev = match dev {
                DevSet::Beir(dev) => beir::read(&dev.path, &dev.split)?,
                DevSet::Golden { path, corpus } => golden::read(path, corpus.as_deref())?.dataset,
            };
            Ok(Data { training, groups, dev })
        }
    }
}

/// BM25's candidates of a set's queries.
fn candidates(dataset: &Dataset, depth: usize, pool: Pool) -> Result<Run> {
    let bm25 = Bm25::new(dataset.corpus(), Bm25Parameters::default())?;
    let queries = dataset.queries();
    Ok(match pool {
        Pool::Corpus => bm25.retrieve(queries, depth)?,
        Pool::Judged => {
            let whole = bm25.retrieve(queries, dataset.corpus().len())?;
            judged_pool(&whole, queries, dataset.qrels(), depth)
        }
    })
}

/// The model that training starts from, and its `tokenizer.json`.
fn start(
    recipe: &Recipe,
    texts: impl Iterator<Item = String>,
    device: DeviceSpec,
) -> Result<(Model, Vec<u8>)> {
    match &recipe.model {
        ModelSource::Random { shape, vocabulary } => {
            let json = train_unigram(texts, *vocabulary)?;
            let config = config(shape, tokenizer(recipe, &json)?.vocabulary())?;
            let deviation = shape.initializer_range as f32;
            let initialization = match shape.initialization {
                Start::Normal => Initialization::Normal(deviation),
                Start::Mimetic => Initialization::Mimetic(deviation),
            };
            Ok((Model::random(config, recipe.seed, initialization, device)?, json))
        }
        ModelSource::Folder { path, head } => {
            let files = load::files(&path.display().to_string(), None)?;
            let head = match head {
                RecipeHead::New => Head::New { seed: recipe.seed },
                RecipeHead::Kept => Head::FromFile,
            };
            let model = Model::load(&files.config, &files.weights, device, Dtype::F32, head)?;
            let json = std::fs::read(&files.tokenizer)
                .with_context(|| format!("cannot read {}", files.tokenizer.display()))?;
            Ok((model, json))
        }
    }
}

fn tokenizer(recipe: &Recipe, json: &[u8]) -> Result<PairTokenizer> {
    let training = &recipe.training;
    let origin = "the recipe's tokenizer";
    Ok(PairTokenizer::from_bytes(json, origin, training.max_length, training.truncation)?)
}

/// The `config.json` of an XLM-R reranker of this shape.
fn config(shape: &Shape, vocabulary: usize) -> Result<ModelConfig> {
    let json = serde_json::json!({
        "architectures": ["XLMRobertaForSequenceClassification"],
        "model_type": "xlm-roberta",
        "hidden_size": shape.hidden_size,
        "num_hidden_layers": shape.num_hidden_layers,
        "num_attention_heads": shape.num_attention_heads,
        "intermediate_size": shape.intermediate_size,
        "vocab_size": vocabulary,
        // XLM-R's positions start after the padding token's id.
        "max_position_embeddings": shape.max_length + 2,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-5,
        "hidden_act": "gelu",
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "hidden_dropout_prob": shape.hidden_dropout,
        "attention_probs_dropout_prob": shape.attention_dropout,
        "initializer_range": shape.initializer_range,
        "id2label": {"0": "LABEL_0"},
        "label2id": {"LABEL_0": 0},
    });
    Ok(ModelConfig::from_bytes(json.to_string().as_bytes(), "the recipe's shape")?)
}

/// Trains, and shows how it goes.
fn follow(task: &Task<'_>, trainee: &mut Trainee) -> Result<Summary> {
    let bar = progress::bar(0, "{msg} [{bar:30}] {pos}/{len} steps");
    let context = progress::cancellable();
    let say = |line: String| {
        // A bar that is not drawn prints nothing.
        if bar.is_hidden() { note(line) } else { bar.println(line) }
    };
    let mut losses = Vec::new();
    let summary = train(task, trainee, &context, &mut |event| match event {
        Event::Step {
            step, of, loss, accuracy, learning_rate, tokens_per_second, left, ..
        } => {
            losses.push(loss);
            let minutes = left.as_secs_f64() / 60.0;
            bar.set_length(of as u64);
            bar.set_position(step as u64);
            bar.set_message(format!(
                "loss {loss:.3} top-1 {accuracy:.2} rate {learning_rate:.1e} {tokens_per_second:.0} tokens/s {minutes:.1} min left"
            ));
            if bar.is_hidden() && step % 50 == 0 {
                let recent = &losses[losses.len().saturating_sub(50)..];
                let mean = recent.iter().sum::<f32>() / recent.len() as f32;
                eprintln!(
                    "step {step}/{of}: loss {mean:.3}, {tokens_per_second:.0} tokens/s, {minutes:.1} min left"
                );
            }
        }
        Event::Evaluated { step, value, best } => {
            let note = if best { ", the best so far" } else { "" };
            say(format!("step {step}: dev {} {value:.4}{note}", task.recipe.dev.measure));
        }
        Event::Collapsed { step } => {
            say(format!("step {step}: all documents score alike; lower the learning rate"));
        }
    })?;
    bar.finish_and_clear();
    Ok(summary)
}

fn finish(summary: &Summary, folder: &Path) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let Some(best) = &summary.best else {
        writeln!(out, "Stopped before anything was worth keeping.")?;
        return Ok(());
    };
    let path = folder.join("training.json");
    let json = serde_json::to_vec_pretty(summary)?;
    std::fs::write(&path, json).with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(
        out,
        "{}: best dev {} {:.4} at step {} of {}; {} groups, {} tokens, {:.0} s\nModel: {}",
        summary.name,
        summary.measure,
        best.value,
        best.step,
        summary.of,
        summary.groups,
        summary.tokens,
        summary.seconds,
        folder.display()
    )?;
    if summary.stopped {
        writeln!(out, "It was stopped after {} steps.", summary.steps)?;
    }
    Ok(())
}
