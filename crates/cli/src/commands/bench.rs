use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use secondpass_core::{Budget, Context};
use secondpass_evaluation::bench::{BenchRecord, claim_bench};
use secondpass_evaluation::{
    BenchSpec, BenchTexts, CrossEncoderSpec, Experiment, FindRate, HOSTED_KINDS, HostedSpec,
    ModelSpec, RerankerKind, RerankerSpec,
};

use crate::args::{Arrivals, BenchArgs};
use crate::bench::{self, Bench, Source, Timed};
use crate::commands::eval::read_experiment;
use crate::exit::usage;
use crate::first_stage::Searcher;
use crate::hosted::Shared;
use crate::publish::publish;
use crate::{datasets, load, money, progress, rerankers};

/// What is measured where no config says on which texts.
const TEXTS: &str = include_str!("../bench/texts.toml");

/// Measures the latency of a config's rerankers, or of the one that flags name.
pub fn run(args: &BenchArgs) -> Result<()> {
    let mut experiment = experiment(args)?;
    if let Some(place) = args.first_score {
        return bench::first_score(&experiment, place);
    }
    let spec = spec(args, &experiment)?;
    // What the first stage can find needs no filling up.
    let most = spec.candidates.iter().max().copied().unwrap_or(0);
    experiment.first_stage.depth = experiment.first_stage.depth.max(most);
    let context = Context { budget: Budget::new(args.hosted.max_cost), ..progress::cancellable() };
    let shared = Shared::new(&experiment, &args.hosted, &context)?;
    let opened = rerankers::open(&experiment, &shared, true)?;
    let loaded = datasets::load(&experiment)?;
    let found = Searcher::new(&experiment, &loaded, &context).candidates()?;
    let source = Source { texts: spec.texts, dataset: &loaded.dataset, candidates: &found.run };
    let timed = Timed::all(&experiment, &spec, &opened, &|place| {
        let own = std::env::args_os().skip(1);
        own.chain(["--first-score".into(), place.to_string().into()]).collect()
    })?;
    if timed.is_empty() {
        return Err(usage(anyhow::anyhow!(
            "{}: there is no reranker that can be timed; name one with --model or --kind",
            experiment.file
        )));
    }
    timed.iter().try_for_each(|timed| timed.check(source))?;
    let forecasts = bench::forecasts(&timed, &spec, source)?;
    if args.dry_run {
        return bench::dry_run(&timed, &spec, source, &forecasts, &context);
    }
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => Path::new("reports").join(&experiment.name),
    };
    claim_bench(&folder, &experiment.name)?;
    let (name, context) = (&*experiment.name, &context);
    let bench = Bench { name, spec: &spec, timed: &timed, source, context, folder: &folder };
    let done = money::agree(&forecasts, &args.hosted, context).and_then(|()| measured(&bench));
    if done.is_err() {
        // Takes away only what is still empty, as the claim may have made it.
        let _ = std::fs::remove_dir(&folder);
    }
    shared.recorded()?;
    let (record, files) = done?;
    let mut out = std::io::stdout().lock();
    match args.json {
        true => writeln!(out, "{}", serde_json::to_string_pretty(&record)?)?,
        false => bench::print(&mut out, &record, &folder, &files)?,
    }
    whole(&record, timed.len(), &folder)
}

/// Measures, and renders the page; what was written for it.
pub fn measured(bench: &Bench<'_>) -> Result<(BenchRecord, Vec<PathBuf>)> {
    let (record, rows) = bench::measure(bench)?;
    let files = publish(bench.folder, |staging| {
        Ok(secondpass_report::render_bench(&record, &rows, staging)?)
    })?;
    Ok((record, files))
}

/// Whether all of the plan was measured.
pub fn whole(record: &BenchRecord, planned: usize, folder: &Path) -> Result<()> {
    if let Some(system) = record.systems.iter().find(|system| system.ended.is_some()) {
        let why = system.ended.as_deref().unwrap_or_default();
        bail!(
            "'{}' was not measured to the end: {why}; what was measured is in {}",
            system.name,
            folder.display()
        );
    }
    match planned - record.systems.len() {
        0 => Ok(()),
        left => bail!("stopped before {left} of {planned} rerankers were measured"),
    }
}

/// The experiment that the config and the flags make.
fn experiment(args: &BenchArgs) -> Result<Experiment> {
    let mut experiment = match &args.config {
        Some(path) => read_experiment(path)?,
        None => Experiment::parse(TEXTS, "the embedded help-desk set")?,
    };
    match (named(args)?, &args.reranker) {
        (Some(spec), _) => {
            if args.config.is_none() {
                experiment.name = format!("bench-{}", plain(&spec.name));
            }
            experiment.rerankers = vec![spec];
        }
        (None, Some(name)) => {
            let known: Vec<String> =
                experiment.rerankers.iter().map(|spec| format!("'{}'", spec.name)).collect();
            experiment.rerankers.retain(|spec| spec.name == *name);
            if experiment.rerankers.is_empty() {
                return Err(usage(anyhow::anyhow!(
                    "{} has no reranker '{name}'; there is {}",
                    experiment.file,
                    known.join(", ")
                )));
            }
        }
        (None, None) if args.config.is_none() => {
            return Err(usage(anyhow::anyhow!(
                "nothing to measure: name a model with --model, a provider with --kind, or an \
                 experiment with --config"
            )));
        }
        (None, None) => {}
    }
    for spec in &mut experiment.rerankers {
        if let RerankerKind::CrossEncoder(own) = &mut spec.kind {
            own.device = args.device.map_or(own.device.clone(), |device| device.to_string());
            own.dtype = args.dtype.map_or(own.dtype.clone(), |dtype| dtype.to_string());
            own.max_length = args.max_length.or(own.max_length);
        }
    }
    Ok(experiment)
}

/// The reranker that flags name.
fn named(args: &BenchArgs) -> Result<Option<RerankerSpec>> {
    let (name, kind) = match (&args.kind, &args.model) {
        (None, None) => return Ok(None),
        (None, Some(model)) => {
            let shown = load::shown(model);
            let name =
                Path::new(&shown).file_name().map_or(shown.as_str().into(), OsStr::to_string_lossy);
            let model = match model.as_str() {
                load::EMBEDDED => ModelSpec::Embedded,
                other => ModelSpec::Named(other.to_owned()),
            };
            let own = CrossEncoderSpec {
                model,
                revision: None,
                max_length: None,
                truncation: "longest-first".to_owned(),
                long_documents: "truncate".to_owned(),
                device: "auto".to_owned(),
                dtype: "f32".to_owned(),
                batch_tokens: None,
            };
            (name.into_owned(), RerankerKind::CrossEncoder(own))
        }
        (Some(kind), model) if HOSTED_KINDS.contains(&kind.as_str()) => {
            let hosted = HostedSpec {
                provider: kind.clone(),
                base_url: args.base_url.clone(),
                model: model.clone(),
                ..HostedSpec::default()
            };
            (model.clone().unwrap_or_else(|| kind.clone()), RerankerKind::Hosted(hosted))
        }
        (Some(kind), _) => {
            return Err(usage(anyhow::anyhow!(
                "--kind '{kind}' is not known; there is {}",
                HOSTED_KINDS.join(", ")
            )));
        }
    };
    Ok(Some(RerankerSpec { name, concurrency: 1, kind }))
}

/// A name that a folder can have.
fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    name.chars().map(plain).take(80).collect()
}

/// What is measured: the config's, where flags say nothing else.
fn spec(args: &BenchArgs, experiment: &Experiment) -> Result<BenchSpec> {
    fn over<T: Clone>(given: &[T], own: &mut Vec<T>) {
        if !given.is_empty() {
            *own = given.to_vec();
        }
    }
    let mut spec = experiment.bench.clone().unwrap_or_default();
    over(&args.candidates, &mut spec.candidates);
    over(&args.lengths, &mut spec.lengths);
    over(&args.batch_tokens, &mut spec.batch_tokens);
    over(&args.clients, &mut spec.clients);
    over(&args.rate, &mut spec.rates);
    spec.poisson = args.arrivals.map_or(spec.poisson, |how| how == Arrivals::Poisson);
    spec.workers = args.workers.or(spec.workers);
    spec.crossed |= args.crossed;
    spec.queries = args.queries.unwrap_or(spec.queries);
    spec.seconds = args.seconds.or(spec.seconds);
    spec.cold_starts = args.cold_starts.unwrap_or(spec.cold_starts);
    if args.synthetic {
        spec.texts = BenchTexts::Synthetic;
    }
    if let Some(p95) = args.p95 {
        spec.find_rate = Some(FindRate::keeping(p95));
    }
    if let (Some(queries), Some(find)) = (args.queries, &mut spec.find_rate) {
        find.queries = queries;
    }
    spec.check().map_err(usage)?;
    Ok(spec)
}

/// The flags of a process that gives the first score of an experiment's reranker.
pub fn child(config: &Path, place: usize) -> Vec<OsString> {
    let place = place.to_string();
    ["bench".into(), "--config".into(), config.into(), "--first-score".into(), place.into()].into()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Args, Command};

    fn args(flags: &[&str]) -> BenchArgs {
        let parsed = Args::try_parse_from([&["secondpass", "bench"], flags].concat()).unwrap();
        match parsed.command {
            Command::Bench(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_make_an_experiment() {
        let experiment = experiment(&args(&["--model", "a/b c", "--max-length", "128"])).unwrap();
        assert_eq!(experiment.name, "bench-b-c");
        let [spec] = &*experiment.rerankers else { panic!("{experiment:?}") };
        let RerankerKind::CrossEncoder(own) = &spec.kind else { panic!("{spec:?}") };
        assert_eq!(
            (own.max_length, &own.model),
            (Some(128), &ModelSpec::Named("a/b c".to_owned()))
        );
        let hosted =
            super::experiment(&args(&["--kind", "tei", "--base-url", "http://x"])).unwrap();
        assert_eq!(hosted.rerankers[0].name, "tei");
        for (flags, message) in
            [(&[][..], "nothing to measure"), (&["--kind", "x"], "'x' is not known")]
        {
            let error = super::experiment(&args(flags)).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn flags_win_over_the_config() {
        let mut experiment = experiment(&args(&["--model", "embedded"])).unwrap();
        experiment.bench =
            Some(BenchSpec { candidates: vec![7], clients: vec![3], ..BenchSpec::default() });
        let flags = ["--model", "embedded", "--candidates", "10,20", "--find-rate", "--p95", "0.2"];
        let more = [&flags[..], &["--queries", "80", "--arrivals", "constant"]].concat();
        let spec = spec(&args(&more), &experiment).unwrap();
        assert_eq!((&*spec.candidates, &*spec.clients), (&[10, 20][..], &[3][..]));
        assert_eq!(spec.find_rate.map(|find| (find.p95_seconds, find.queries)), Some((0.2, 80)));
        assert!(!spec.poisson);
        let wrong = super::spec(&args(&["--model", "embedded", "--queries", "0"]), &experiment);
        assert!(wrong.unwrap_err().to_string().contains("queries is 0"));
    }
}
