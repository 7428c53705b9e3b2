use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use secondpass_core::{Context, Destination, Tariff};
use secondpass_data::hub::{self, HubSettings};
use secondpass_evaluation::prices::PriceTable;
use secondpass_evaluation::{ConfigError, Experiment, HostedSpec, TimeoutsSpec};
use secondpass_http::{Rates, Recording, Replay, Secret, Timeouts};
use secondpass_rerankers::hosted::{
    CountTokens, Counted, Guess, Hosted, OpenError, OpenSettings, Options, Provider, Through,
    destination, open, provider,
};

use crate::args::{HostedArgs, KeyFile};
use crate::exit::usage;
use crate::note::note;
use crate::{prices, progress};

/// What all hosted rerankers of a run share.
pub struct Shared<'a> {
    pub prices: PriceTable,
    pub key_files: &'a [KeyFile],
    pub recording: Option<Arc<Recording>>,
    pub context: &'a Context,
    /// Keys of files that were read: a pipe gives its own once.
    pub read: RefCell<HashMap<PathBuf, Secret>>,
}

impl<'a> Shared<'a> {
    /// What the hosted rerankers of an experiment share.
    pub fn new(
        experiment: &Experiment,
        args: &'a HostedArgs,
        context: &'a Context,
    ) -> Result<Self> {
        Ok(Self {
            prices: prices::table(experiment.prices.as_deref(), args.prices.as_deref())?,
            key_files: &args.key_file,
            recording: recording(args.record.as_deref())?,
            context,
            read: RefCell::default(),
        })
    }

    /// Tells how much was recorded.
    pub fn recorded(&self) -> Result<()> {
        let Some(recording) = &self.recording else { return Ok(()) };
        let exchanges = recording.finish()?;
        note(format_args!("{exchanges} exchanges recorded in {}", recording.path().display()));
        Ok(())
    }

    /// Refuses a reranker that would send texts where the experiment does not allow it. A recording
    /// sends nothing.
    pub fn may_go(
        &self,
        experiment: &Experiment,
        index: usize,
        name: &str,
        spec: &HostedSpec,
    ) -> Result<()> {
        let Some(places) = experiment.residency.as_deref().filter(|_| spec.recording.is_none())
        else {
            return Ok(());
        };
        let place = || place(experiment, index, name);
        let settings = self.settings(name, 1, spec).with_context(place)?;
        let destination = destination(&settings).map_err(usage).with_context(place)?;
        is_allowed(&destination, places).with_context(place).map_err(usage)
    }

    /// Opens the hosted reranker of a table of the config.
    pub fn open(
        &self,
        experiment: &Experiment,
        index: usize,
        (name, concurrency): (&str, usize),
        spec: &HostedSpec,
    ) -> Result<Hosted> {
        let place = || place(experiment, index, name);
        let settings = self.settings(name, concurrency, spec).with_context(place)?;
        open(settings, self.context).map_err(|error| match error {
            OpenError::Option(error) => usage(ConfigError::Value {
                file: experiment.file.clone(),
                key: format!("reranker {}.{}", index + 1, error.key),
                found: error.found.unwrap_or_else(|| "missing".to_owned()),
                allowed: error.allowed,
            }),
            OpenError::Info(_) => anyhow::Error::from(error).context(place()),
            error => usage(anyhow::Error::from(error).context(place())),
        })
    }

    fn settings(&self, name: &str, concurrency: usize, spec: &HostedSpec) -> Result<OpenSettings> {
        let known = provider(&spec.provider)
            .ok_or_else(|| OpenError::Provider(spec.provider.clone()))
            .map_err(usage)?;
        let through = match (&spec.recording, &self.recording) {
            (Some(path), _) => Through::Replay(replay(path)?),
            (None, Some(recording)) => Through::Recorded(Arc::clone(recording)),
            (None, None) => Through::Network,
        };
        Ok(OpenSettings {
            name: name.to_owned(),
            provider: spec.provider.clone(),
            base_url: spec.base_url.clone(),
            key: match &spec.key_env {
                Some(_) => None,
                None => self.key(&spec.provider)?,
            },
            key_env: spec.key_env.clone(),
            options: Options {
                model: spec.model.clone(),
                max_tokens_per_doc: spec.max_tokens_per_doc,
                documents_per_call: spec.documents_per_call,
                truncate: spec.truncate,
                region: spec.region.clone(),
            },
            rates: Rates {
                requests: spec.requests_per_minute,
                tokens: spec.tokens_per_minute,
                in_flight: spec.in_flight,
            },
            attempts: spec.attempts,
            timeouts: timeouts(spec.timeouts),
            through,
            tariff: self.tariff(known, spec.model.as_deref())?,
            tokens: tokens(spec.tokenizer.as_deref())?,
            concurrency,
        })
    }

    /// How a model is billed; `None` where nobody bills a call.
    pub fn tariff(&self, known: &Provider, model: Option<&str>) -> Result<Option<Tariff>> {
        let model = model.or(known.model).unwrap_or_default();
        let Some(unit) = known.unit(model) else { return Ok(None) };
        Ok(Some(self.prices.tariff(known.kind, model, unit).map_err(usage)?))
    }

    /// The key in the file that was given for this kind, or for all.
    pub fn key(&self, kind: &str) -> Result<Option<Secret>> {
        let own = self.key_files.iter().find(|file| file.kind.as_deref() == Some(kind));
        let Some(file) = own.or_else(|| self.key_files.iter().find(|file| file.kind.is_none()))
        else {
            return Ok(None);
        };
        if let Some(key) = self.read.borrow().get(&file.path) {
            return Ok(Some(key.clone()));
        }
        let key = Secret::from_file(&file.path).map_err(usage)?;
        self.read.borrow_mut().insert(file.path.clone(), key.clone());
        if let Some(advice) = key.advice() {
            note(format_args!("warning: {advice}"));
        }
        Ok(Some(key))
    }
}

fn place(experiment: &Experiment, index: usize, name: &str) -> String {
    format!("{}: reranker {} ('{name}')", experiment.file, index + 1)
}

fn is_allowed(destination: &Destination, places: &[String]) -> Result<()> {
    anyhow::ensure!(
        destination.is_within(places),
        "its texts would go to {}, {}, and residency allows {} only; leave it out, or name its \
         region there (a server of your own at a public address: region = \"self-hosted\")",
        destination.host,
        match (&destination.region, destination.self_hosted) {
            (Some(region), _) => format!("in {region}"),
            (None, true) => "a server of your own".to_owned(),
            (None, false) => "in an unknown region".to_owned(),
        },
        places.join(", ")
    );
    Ok(())
}

fn replay(path: &Path) -> Result<Arc<Replay>> {
    let replay = Replay::open(path).map_err(usage)?;
    if let Some(problem) = replay.note() {
        note(format_args!("warning: {problem}"));
    }
    Ok(Arc::new(replay))
}

fn timeouts(spec: TimeoutsSpec) -> Timeouts {
    let usual = Timeouts::default();
    let seconds = |given: Option<f64>, usual: Duration| {
        given.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(usual)
    };
    let request = seconds(spec.request, usual.request);
    Timeouts {
        // Whoever sets a short one does not want to set those beside it.
        connect: seconds(spec.connect, usual.connect.min(request)),
        request,
        total: seconds(spec.total, usual.total.max(request)),
    }
}

/// What counts tokens for estimates: a tokenizer, or a guess.
pub fn tokens(tokenizer: Option<&str>) -> Result<Box<dyn CountTokens>> {
    let Some(spec) = tokenizer else { return Ok(Box::new(Guess)) };
    let file = hub::tokenizer(spec, &HubSettings::from_env(), &progress::downloads())?;
    Ok(Box::new(Counted::from_file(&file)?))
}

/// A recording to add to, in a folder that is made where it is missing.
fn recording(path: Option<&Path>) -> Result<Option<Arc<Recording>>> {
    let Some(path) = path else { return Ok(None) };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    Ok(Some(Arc::new(Recording::open(path).map_err(usage)?)))
}
