use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use secondpass_data::trec;
use secondpass_evaluation::{Evaluation, NamedMeasure, Queries, Summary, Ties, evaluate_rows};

use crate::args::MeasureArgs;
use crate::exit::usage;
use crate::note::note;
use crate::table::table;

/// Measures TREC runs against judgements.
pub fn run(args: &MeasureArgs) -> Result<()> {
    let measures: Vec<NamedMeasure> = args
        .measure
        .iter()
        .map(|name| name.parse())
        .collect::<Result<_, _>>()
        .map_err(|error: secondpass_evaluation::MeasureError| usage(error))?;
    let mut seen = HashSet::new();
    if let Some(twice) = measures.iter().map(ToString::to_string).find(|m| !seen.insert(m.clone()))
    {
        return Err(usage(anyhow::anyhow!("measure '{twice}' is asked for twice")));
    }
    let which = match args.answered {
        true => Queries::Answered,
        false => Queries::Judged,
    };
    let ties = match args.as_ranked {
        true => Ties::AsRanked,
        false => Ties::ByDocument,
    };
    let mut evaluations = Vec::with_capacity(args.runs.len());
    for path in &args.runs {
        let evaluation = measured(&args.qrels, path, &measures, which, ties)?;
        if evaluation.missing() == evaluation.queries.len() {
            note(format_args!(
                "warning: {} has no result for any query of {}; do they belong together?",
                path.display(),
                args.qrels.display()
            ));
        }
        evaluations.push(evaluation);
    }
    let mut out = std::io::stdout().lock();
    match (args.json, args.per_query) {
        (true, _) => json(&mut out, args, &measures, &evaluations),
        (false, true) => by_query(&mut out, args, &measures, &evaluations),
        (false, false) => means(&mut out, args, &measures, &evaluations),
    }
}

fn measured(
    qrels: &Path,
    run: &Path,
    measures: &[NamedMeasure],
    which: Queries<'_>,
    ties: Ties,
) -> Result<Evaluation> {
    // Both files at once: each reader alone waits for its lines.
    let (judged, ranked) = std::thread::scope(|scope| {
        let judged = scope.spawn(|| trec::read_bytes(qrels, "TREC judgements"));
        let ranked = trec::read_bytes(run, "a TREC run");
        (judged.join(), ranked)
    });
    let Ok(judged) = judged else { bail!("reading {} failed", qrels.display()) };
    let (judged, ranked) = (judged?, ranked?);
    let judged = trec::qrels_rows(&judged, &qrels.display().to_string())?;
    let ranked = trec::run_rows(&ranked, &run.display().to_string())?;
    Ok(evaluate_rows(&ranked.queries(), &judged.queries(), measures, which, ties)?)
}

fn shown(evaluation: &Evaluation, column: usize, measure: &NamedMeasure) -> String {
    let value = evaluation.summary(column);
    match measure.summary() {
        _ if value.is_nan() => "n/a".to_owned(),
        Summary::Sum => format!("{value:.0}"),
        _ => format!("{value:.4}"),
    }
}

fn means(
    out: &mut impl Write,
    args: &MeasureArgs,
    measures: &[NamedMeasure],
    evaluations: &[Evaluation],
) -> Result<()> {
    let names: Vec<String> = measures.iter().map(ToString::to_string).collect();
    let mut heads = vec!["run"];
    heads.extend(names.iter().map(String::as_str));
    heads.extend(["queries", "without results"]);
    let mut table = table(&heads, |at| at > 0);
    for (path, evaluation) in args.runs.iter().zip(evaluations) {
        let mut row = vec![path.display().to_string()];
        let values = measures.iter().enumerate();
        row.extend(values.map(|(column, measure)| shown(evaluation, column, measure)));
        row.extend([evaluation.queries.len().to_string(), evaluation.missing().to_string()]);
        table.add_row(row);
    }
    writeln!(out, "{table}")?;
    Ok(())
}

/// One line a query and measure, as trec_eval prints them.
fn by_query(
    out: &mut impl Write,
    args: &MeasureArgs,
    measures: &[NamedMeasure],
    evaluations: &[Evaluation],
) -> Result<()> {
    let mut out = std::io::BufWriter::new(out);
    for (path, evaluation) in args.runs.iter().zip(evaluations) {
        let name = path.display();
        for row in &evaluation.queries {
            for (measure, value) in measures.iter().zip(&row.values) {
                let value = match value.is_nan() {
                    true => "n/a".to_owned(),
                    false => format!("{value:.4}"),
                };
                writeln!(out, "{name}\t{measure}\t{}\t{value}", row.query)?;
            }
        }
        for (column, measure) in measures.iter().enumerate() {
            writeln!(out, "{name}\t{measure}\tall\t{}", shown(evaluation, column, measure))?;
        }
    }
    out.flush()?;
    Ok(())
}

fn json(
    out: &mut impl Write,
    args: &MeasureArgs,
    measures: &[NamedMeasure],
    evaluations: &[Evaluation],
) -> Result<()> {
    let number = |value: f64| serde_json::json!(value.is_finite().then_some(value));
    let runs: Vec<_> = args
        .runs
        .iter()
        .zip(evaluations)
        .map(|(path, evaluation)| {
            let all = measures.iter().enumerate();
            let all: serde_json::Map<_, _> = all
                .map(|(column, measure)| (measure.to_string(), number(evaluation.summary(column))))
                .collect();
            let mut run = serde_json::json!({
                "run": path.display().to_string(),
                "queries": evaluation.queries.len(),
                "without_results": evaluation.missing(),
                "measures": all,
            });
            if args.per_query {
                let queries = evaluation.queries.iter().map(|row| {
                    let values = measures.iter().zip(&row.values);
                    let values: serde_json::Map<_, _> = values
                        .map(|(measure, &value)| (measure.to_string(), number(value)))
                        .collect();
                    (row.query.to_string(), values.into())
                });
                run["by_query"] = serde_json::Value::Object(queries.collect());
            }
            run
        })
        .collect();
    writeln!(out, "{}", serde_json::to_string_pretty(&runs)?)?;
    Ok(())
}
