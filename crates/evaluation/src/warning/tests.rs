use secondpass_core::TruncationAudit;

use super::*;
use crate::record::{Comparison, Estimate, Latency, ScoreDistribution};
use crate::testing::record;

/// Of a hundred candidates for each of two queries.
fn warnings(record: &Record) -> Vec<Warning> {
    super::warnings(record, &[100; 2])
}

fn sentences(record: &Record) -> Vec<String> {
    warnings(record).iter().map(Warning::to_string).collect()
}

fn comparison(verdict: Verdict, detectable: Option<f64>) -> Option<Comparison> {
    Some(Comparison {
        verdict,
        queries: 60,
        t_test: Some(0.2),
        randomization: 0.2,
        exact: false,
        corrected: 0.2,
        equivalence: Some(0.4),
        non_inferiority: Some(0.3),
        detectable,
    })
}

/// A sweep of (depth, quality), with the full depth last.
fn sweep(record: &mut Record, points: &[(usize, f64)]) {
    let mini = &mut record.systems[1];
    let (estimate, difference) =
        (mini.quality[0].clone(), mini.versus_first_stage.clone().unwrap());
    let point = |&(depth, mean): &(usize, f64)| DepthPoint {
        depth,
        estimate: Estimate { mean, ..estimate.clone() },
        versus_first_stage: difference.clone(),
        oracle: 0.9,
        pairs: depth as f64,
        latency: None,
    };
    mini.depths = points.iter().map(point).collect();
}

#[test]
fn nothing_odd_no_warning() {
    assert_eq!(warnings(&record()), []);
}

#[test]
fn each_condition_has_its_warning() {
    let mut record = record();
    record.candidates.with_relevant = 0.62;
    record.candidates.judged_at_10 = 0.5;
    (record.systems[0].unjudged.low, record.systems[0].unjudged.high) = (0.5, 0.625);
    let mini = &mut record.systems[1];
    mini.unjudged.judged_at_10 = 0.25;
    mini.unjudged.high = 0.875;
    mini.failures.insert("q".into(), "reason".to_owned());
    mini.agreement.push(Agreement { k: 5, overlap: 0.9 });
    mini.usage.batches_cut = 3;
    mini.truncation = Some(TruncationAudit {
        pairs: 100,
        pairs_cut: 6,
        tokens: 1000,
        tokens_cut: 20,
        longest: 40,
        estimated: false,
    });
    mini.scores = Some(ScoreDistribution {
        edges: vec![0.0, 1.0],
        relevant: vec![1],
        not_relevant: vec![1],
        unjudged: vec![1],
    });
    mini.comparison = comparison(Verdict::CannotTell, Some(0.1134));
    assert_eq!(
        sentences(&record),
        [
            "For 38% of the queries that have relevant documents, these did not come into the 50 \
             candidates, and no reranker can help: fix retrieval first, with a larger \
             first_stage.depth or a hybrid of lexical and dense search.",
            "Only 25% of the top 10 of mini was judged (and too little of 1 other system), and \
             unjudged documents count as not relevant: its nDCG@10 is 0.750, and were all of them \
             relevant 0.875; judge more before trusting small differences.",
            "mini failed on 1 of 2 queries, which scores 0; see the reasons in the record and run it \
             again.",
            "mini shares 90% of its top 5 with the first stage: whoever reads these 5 gets nearly the \
             same documents without it; skip it, or rerank more than 50 candidates.",
            "mini read only part of 6% of its pairs (2% of all tokens were cut); raise max_length or \
             split the documents.",
            "3 batches of mini did not fit into memory and were cut, so that its times are longer than \
             they need be; free memory, or lower batch_tokens or max_length.",
            "These 60 queries do not show whether mini helps: they would show a difference of 0.11 in \
             nDCG@10 four times in five, and smaller ones less often; judge more queries.",
            "The scores of mini sort candidates within one query; they are no probabilities, and \
             compare neither over queries nor over models: calibrate them (secondpass calibrate) \
             before a threshold rests on them.",
        ]
    );
    record.systems[1].comparison = comparison(Verdict::CannotTell, None);
    assert!(sentences(&record)[6].ends_with(
        "too few for a difference of any size in nDCG@10; \
                                             judge more queries."
    ));
}

#[test]
fn at_the_limit_there_is_no_warning() {
    let mut record = record();
    record.candidates.with_relevant = LOW_CEILING;
    record.candidates.judged_at_10 = FEW_JUDGED;
    let mini = &mut record.systems[1];
    mini.unjudged.judged_at_10 = FEW_JUDGED;
    mini.agreement.push(Agreement { k: 5, overlap: HIGH_AGREEMENT });
    mini.truncation =
        Some(TruncationAudit { pairs: 100, pairs_cut: 5, ..TruncationAudit::default() });
    mini.comparison = comparison(Verdict::NonInferior, Some(0.1));
    record.systems[2].unjudged.judged_at_10 = 0.0;
    assert_eq!(warnings(&record), []);
}

#[test]
fn agreement_is_looked_at_where_the_primary_measure_looks() {
    let mut record = record();
    let at = |k, overlap| Agreement { k, overlap };
    record.systems[1].agreement = vec![at(1, 1.0), at(5, 0.95), at(10, 0.7)];
    assert_eq!(warnings(&record), [], "nDCG@10 looks at ten");
    record.primary = "AP".to_owned();
    assert!(sentences(&record)[0].starts_with("mini shares 95% of its top 5"));
    record.systems[1].agreement[2].overlap = 0.9;
    record.primary = "nDCG@10".to_owned();
    assert!(sentences(&record)[0].starts_with("mini shares 90% of its top 10"));
    record.candidates.mean = 19.0;
    assert_eq!(warnings(&record), [], "ten of nineteen are shared by chance");
}

#[test]
fn the_smallest_depth_from_which_none_falls_short_is_advised() {
    let mut record = record();
    sweep(&mut record, &[(10, 0.742), (20, 0.73), (30, 0.741), (50, 0.745), (100, 0.75)]);
    assert_eq!(
        sentences(&record),
        [
            "mini needs no more than 30 candidates: nDCG@10 is 0.741 there and 0.750 at 100, no more \
          than 0.01 apart; reranking 30 saves 70% of the pairs."
        ]
    );
    let latency = |p50| {
        let (candidates, rate) = (50.0, 100.0);
        Some(Latency {
            samples: 9,
            candidates,
            p50,
            p95: p50,
            mean: p50,
            pairs_per_second: rate,
            tokens_per_second: rate,
            concurrency: 1,
            parts: Default::default(),
        })
    };
    record.systems[1].depths[2].latency = latency(0.0604);
    record.systems[1].depths[4].latency = latency(0.2);
    assert!(sentences(&record)[0].ends_with(
        "saves 70% of the pairs and takes 60 ms a query instead \
                                             of 200."
    ));
    record.systems[1].comparison = comparison(Verdict::Worse, None);
    assert_eq!(warnings(&record), [], "a reranker that harms should not be run at all");
    record.systems[1].comparison = None;
    sweep(&mut record, &[(10, 0.6), (50, 0.7), (100, 0.75)]);
    assert_eq!(warnings(&record), [], "only the full depth is as good as the full depth");
    sweep(&mut record, &[(100, 0.75)]);
    assert_eq!(warnings(&record), []);
}

#[test]
fn quality_that_falls_with_depth_is_told() {
    let mut record = record();
    sweep(&mut record, &[(10, 0.72), (20, 0.79), (100, 0.75)]);
    let told = "More candidates make mini worse: nDCG@10 is 0.790 at 20 and 0.750 at 100; rerank \
                fewer, and choose how many on queries kept for that.";
    assert_eq!(sentences(&record), [told]);
    record.systems[1].comparison = comparison(Verdict::Worse, None);
    assert_eq!(sentences(&record), [told], "for a reranker that harms too");
    record.systems[1].failures.insert("q".into(), "reason".to_owned());
    assert!(!sentences(&record).contains(&told.to_owned()), "failures score 0 at every depth");
}

#[test]
fn names_are_listed() {
    let names = |names: &[&str]| listed(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(names(&["a"]), "a");
    assert_eq!(names(&["a", "b"]), "a and b");
    assert_eq!(names(&["a", "b", "c"]), "a, b and c");
}

#[test]
fn queries_that_nothing_answers_are_told_apart() {
    let mut record = record();
    record.dataset.queries = 10;
    record.dataset.unanswerable = 2;
    record.candidates.with_relevant = 0.8;
    let unanswerable = "2 of 10 queries have no relevant judgement: no system can score on them, and \
                        all means are lower for it.";
    assert_eq!(sentences(&record), [unanswerable], "every answerable query has a candidate");
    record.candidates.with_relevant = 0.4;
    record.candidates.first_stage = "run mine 0123456789ab".to_owned();
    assert_eq!(
        sentences(&record)[1],
        "For 50% of the queries that have relevant documents, these did not come into the 50 \
         candidates, and no reranker can help: fix retrieval first, with a deeper run from your \
         retriever."
    );
    record.dataset.unanswerable = 1;
    assert!(sentences(&record)[0].starts_with("1 of 10 queries has no relevant judgement: "));
    record.dataset.unanswerable = 10;
    assert_eq!(
        sentences(&record),
        [
            "Of 10 queries, none has a relevant judgement, so that nothing can be measured; judge some \
          documents with a grade from 1."
        ]
    );
}

#[test]
fn measures_that_apply_to_nothing_are_named() {
    let mut record = record();
    record.systems[0].quality[1].queries = 0;
    assert_eq!(
        sentences(&record),
        [
            "Of 2 queries, RR applies to none and has no value here; choose another measure, or judge \
          what is missing for it."
        ]
    );
}

#[test]
fn unjudged_documents_that_change_nothing_are_no_warning() {
    let mut record = record();
    record.candidates.judged_at_10 = 0.1;
    record.systems[1].unjudged.judged_at_10 = 0.1;
    assert_eq!(warnings(&record), []);
}

#[test]
fn fewer_candidates_are_advised_only_where_half_of_the_queries_have_more() {
    let mut record = record();
    sweep(&mut record, &[(10, 0.75), (50, 0.75)]);
    let advised = |given: &[usize]| super::warnings(&record, given).len();
    assert_eq!((advised(&[50, 10]), advised(&[10, 10]), advised(&[50])), (1, 0, 1));
}

#[test]
fn queries_without_candidates_are_told_with_the_usual_cause() {
    let told = |queries, searched| Warning::NoCandidates { queries, of: 9, searched }.to_string();
    assert_eq!(
        told(1, false),
        "1 of 9 queries has no candidates, and no reranker can help it: see that the candidates' \
         query ids are the dataset's."
    );
    assert!(told(2, true).starts_with("2 of 9 queries have no candidates"));
}
