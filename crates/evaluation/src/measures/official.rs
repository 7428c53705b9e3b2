//! Equality with every line of trec_eval's own test outputs, for the measures that are here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use secondpass_core::{Qrels, QueryId, Ranking, Run};

use super::{Iprec, JudgedRanking, Measure, NamedMeasure, RecallRounding};
use crate::evaluate::{Evaluation, Queries, evaluate_on};

/// The outputs hold four decimals.
const TOLERANCE: f64 = 0.5e-4 + 1e-6;

/// Measures of trec_eval that ir_measures has no name for, or that nobody needs to choose a
/// reranker; and the two lines that are no measures.
const NOT_HERE: &[&str] = &[
    "11pt_avg",
    "G",
    "Rndcg",
    "Rprec_mult",
    "binG",
    "infAP",
    "ndcg_rel",
    "num_nonrel_judged_ret",
    "rbp",
    "rbp_resid",
    "relative_P",
    "relstring",
    "runid",
    "unj",
    "utility",
];

/// The output, its judgements and its run, the lowest relevant grade, and whether queries that the
/// run does not answer count (`-c`), as trec_eval's own Makefile has them.
const OUTPUTS: &[(&str, &str, &str, i32, bool)] = &[
    ("out.test", "qrels.test", "results.test", 1, false),
    ("out.test.a", "qrels.test", "results.test", 1, false),
    ("out.test.aq", "qrels.test", "results.test", 1, false),
    ("out.test.aqc", "qrels.test", "results.trunc", 1, true),
    ("out.test.aql", "qrels.rel_level", "results.test", 2, false),
];

/// How a line over all queries is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Queries,
    QueriesGeometrically,
}

#[test]
fn equal_to_every_official_line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/trec_eval");
    if !folder.exists() {
        println!("skipped: no ../shared");
        return;
    }
    let mut lacking = BTreeSet::new();
    for &(output, judged, ranked, rel, all_judged) in OUTPUTS {
        let (qrels, run) = (qrels(&folder.join(judged)), run(&folder.join(ranked)));
        let which = if all_judged { Queries::Judged } else { Queries::Answered };
        let (mut compared, mut passed_over) = (BTreeMap::<String, usize>::new(), 0);
        for (name, query, expected) in columns::<3>(&folder.join(output)) {
            let Some((ours, over)) = ours(&name, rel) else {
                lacking.insert(family(&name).to_owned());
                passed_over += 1;
                continue;
            };
            let measure: NamedMeasure = ours.parse().unwrap();
            let mut evaluation = evaluate_on(which, &run, &qrels, &[measure]);
            if family(&name) == "iprec_at_recall" {
                as_version_10_rounds(&mut evaluation, &name, rel, &run, &qrels);
            }
            assert_eq!(evaluation.not_applicable(0), 0);
            let value = of(&evaluation, &query, over);
            let expected: f64 = expected.parse().unwrap();
            assert!(
                (value - expected).abs() <= TOLERANCE,
                "{output}: {ours} of {query} is {value}, {name} is {expected}"
            );
            *compared.entry(ours).or_default() += 1;
        }
        let lines: usize = compared.values().sum();
        println!("{output}: {lines} lines equal, {passed_over} of measures that are not here");
        println!("  {}", compared.into_keys().collect::<Vec<_>>().join(" "));
        assert!(lines > passed_over);
    }
    assert_eq!(lacking.iter().map(String::as_str).collect::<Vec<_>>(), NOT_HERE);
}

/// These outputs are version 10's, `IPrec` is version 9's.
fn as_version_10_rounds(
    evaluation: &mut Evaluation,
    name: &str,
    rel: i32,
    run: &Run,
    qrels: &Qrels,
) {
    let recall = name.rsplit_once('_').unwrap().1.parse().unwrap();
    let measure = Iprec { recall, rounding: RecallRounding::Nearest, rel };
    for row in &mut evaluation.queries {
        let ranking = run.rankings.get(&row.query).cloned().unwrap_or_default();
        let joined = JudgedRanking::join(&ranking, qrels.of(&row.query).unwrap());
        row.values[0] = measure.of(&joined);
    }
}

fn of(evaluation: &Evaluation, query: &str, over: Over) -> f64 {
    match (query, over) {
        ("all", Over::Queries) => evaluation.summary(0),
        ("all", Over::QueriesGeometrically) => evaluation.geometric_mean(0),
        _ => {
            let row = evaluation.queries.iter().find(|row| row.query.as_str() == query);
            row.unwrap().values[0]
        }
    }
}

/// Our name for one of trec_eval's.
fn ours(name: &str, rel: i32) -> Option<(String, Over)> {
    let (family, parameter) = (family(name), name.strip_prefix(family(name))?);
    let at = parameter.trim_start_matches('_');
    let (measure, over) = match family {
        "gm_map" => ("AP", Over::QueriesGeometrically),
        "gm_bpref" => ("Bpref", Over::QueriesGeometrically),
        "num_q" => return Some(("NumQ".to_owned(), Over::Queries)),
        "num_ret" => return Some(("NumRet".to_owned(), Over::Queries)),
        "num_rel_ret" => return Some((format!("NumRet(rel={rel})"), Over::Queries)),
        "ndcg" | "ndcg_cut" => {
            let at = if at.is_empty() { String::new() } else { format!("@{at}") };
            return Some((format!("nDCG{at}"), Over::Queries));
        }
        "set_relative_P" => {
            return Some((format!("SetP(rel={rel},relative=True)"), Over::Queries));
        }
        "num_rel" => ("NumRel", Over::Queries),
        "map" | "map_cut" => ("AP", Over::Queries),
        "Rprec" => ("Rprec", Over::Queries),
        "bpref" => ("Bpref", Over::Queries),
        "recip_rank" => ("RR", Over::Queries),
        "iprec_at_recall" => ("IPrec", Over::Queries),
        "P" => ("P", Over::Queries),
        "recall" => ("R", Over::Queries),
        "success" => ("Success", Over::Queries),
        "set_P" => ("SetP", Over::Queries),
        "set_recall" => ("SetR", Over::Queries),
        "set_map" => ("SetAP", Over::Queries),
        "set_F" => ("SetF", Over::Queries),
        _ => return None,
    };
    let at = if at.is_empty() { String::new() } else { format!("@{at}") };
    Some((format!("{measure}(rel={rel}){at}"), over))
}

/// The name without the number at its end.
fn family(name: &str) -> &str {
    match name.rsplit_once('_') {
        Some((family, number)) if number.parse::<f64>().is_ok() => family,
        _ => name,
    }
}

/// The first columns of each line; the run has junk behind them.
fn columns<const N: usize>(path: &PathBuf) -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(path).unwrap();
    let line = |line: &str| {
        let mut columns = line.split_whitespace().map(str::to_owned);
        let mut next = || columns.next().unwrap();
        match N {
            // name, query, value
            3 => (next(), next(), next()),
            // query, (0,) document, grade
            4 => (next(), (next(), next()).1, next()),
            // query, (Q0,) document, (rank,) score
            _ => (next(), (next(), next()).1, (next(), next()).1),
        }
    };
    text.lines().map(line).collect()
}

fn qrels(path: &PathBuf) -> Qrels {
    let mut qrels = Qrels::new();
    for (query, document, grade) in columns::<4>(path) {
        qrels.insert(query.into(), document.into(), grade.parse().unwrap());
    }
    qrels
}

fn run(path: &PathBuf) -> Run {
    let mut scores: BTreeMap<QueryId, Vec<_>> = BTreeMap::new();
    for (query, document, score) in columns::<6>(path) {
        scores.entry(query.into()).or_default().push((document.into(), score.parse().unwrap()));
    }
    let mut run = Run::new("official");
    for (query, scores) in scores {
        run.rankings.insert(query, Ranking::from_scores(scores).unwrap());
    }
    run
}
