//! The adapters of Cohere's family against servers that imitate each of them, over real sockets on
//! loopback: scores, splits and bills.
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

use proptest::prelude::*;
use secondpass_core::{
    BillingUnit, Candidate, Context, Destination, Document, Identity, Job, Origin, Query, Reranked,
    Reranker, Scoring, Tariff,
};
use secondpass_http::{Authorize, Bearer, Client, Secret};
use secondpass_mock::{Kind, Mock, Settings, score, tokens};
use secondpass_rerankers::hosted::{
    Api, Azure, Cohere, CohereCompatible, CountTokens, Hosted, HostedParts, Options,
};

const KEY: &str = "planted-key-4711";

/// Counts as the imitated providers do, so that estimate and bill must agree.
struct AsBilled;

impl CountTokens for AsBilled {
    fn count(&self, text: &str) -> u64 {
        tokens::count(text)
    }
}

fn options() -> Options {
    Options { model: Some("rerank-v3.5".to_owned()), ..Options::default() }
}

fn api(kind: Kind, options: &Options) -> Box<dyn Api> {
    match kind {
        Kind::Cohere => Box::new(Cohere::new(options).unwrap()),
        Kind::Azure => Box::new(Azure::new(options).unwrap()),
        _ => Box::new(CohereCompatible::new(options).unwrap()),
    }
}

fn is_billed(kind: Kind) -> bool {
    matches!(kind, Kind::Cohere | Kind::Azure)
}

fn hosted(kind: Kind, base_url: &str, options: &Options) -> Hosted {
    let key: Box<dyn Authorize> = Box::new(Bearer(Secret::new(KEY, "TEST_KEY").unwrap()));
    let settings = secondpass_http::Settings {
        proxy: false,
        ..secondpass_http::Settings::new(kind.name(), base_url)
    };
    Hosted::new(HostedParts {
        identity: Identity {
            name: kind.name().into(),
            provider: kind.name().into(),
            model: "rerank-v3.5".into(),
            revision: None,
            weights: None,
            endpoint: Some(base_url.into()),
            device: None,
            dtype: None,
            max_length: None,
            truncation: None,
            scoring: Scoring::Pointwise,
        },
        api: api(kind, options),
        client: Client::new(settings, key).unwrap(),
        destination: Destination {
            host: base_url.into(),
            region: None,
            self_hosted: true,
            fields: Vec::new(),
            retention: None,
        },
        tariff: is_billed(kind).then_some(Tariff { unit: BillingUnit::SearchUnit, price: None }),
        tokens: Box::new(AsBilled),
        concurrency: 2,
    })
}

fn mock(kind: Kind) -> Mock {
    Mock::start(Settings { key: Some(KEY.to_owned()), ..Settings::new(kind) }).unwrap()
}

fn job(query: &str, documents: &[String]) -> Job {
    let candidate = |(at, text): (usize, &String)| Candidate {
        document: Document {
            id: format!("d{at}").into(),
            title: String::new(),
            text: text.clone(),
        },
        score: 1.0,
        rank: at + 1,
    };
    Job {
        query: Query { id: "q".into(), text: query.to_owned(), attributes: Default::default() },
        candidates: documents.iter().enumerate().map(candidate).collect(),
    }
}

fn rerank(hosted: &Hosted, job: &Job) -> Reranked {
    let mut outcome = None;
    hosted.rerank_many(std::slice::from_ref(job), &Context::default(), &mut |_, result| {
        outcome = Some(result);
    });
    outcome.unwrap().unwrap()
}

#[test]
fn each_server_scores_each_document() {
    let documents: Vec<String> =
        (0..45).map(|at| format!("Export invoice {at} \"as\" PDF\né 発票 {}", at % 7)).collect();
    for kind in [Kind::Cohere, Kind::Azure, Kind::CohereCompatible, Kind::Infinity, Kind::LlamaCpp]
    {
        let mock = mock(kind);
        let few = Options { documents_per_call: Some(20), ..options() };
        let hosted = hosted(kind, &mock.base_url(), &few);
        let reranked = rerank(&hosted, &job("export invoice 7", &documents));
        assert_eq!(reranked.ranking.len(), 45);
        for ranked in reranked.ranking.ranked() {
            let at: usize = ranked.document.as_str()[1..].parse().unwrap();
            let expected = score::score("export invoice 7", &documents[at]);
            let found = ranked.score.unwrap();
            // llama.cpp answers logits.
            let logit = (expected / (1.0 - expected)).ln();
            let near = |value: f64| (found - value).abs() < 1e-6;
            assert!(near(expected) || (kind == Kind::LlamaCpp && near(logit)), "{kind} {at}");
        }
        assert_eq!(reranked.origin, Origin::Mock, "{kind}");
        let billed = reranked.usage.billed;
        assert_eq!((billed.calls, billed.reported), (3, if is_billed(kind) { 3 } else { 0 }));
        assert_eq!(billed.reported, mock.books().billed(), "{kind}");
        assert!(reranked.usage.tokens > 0);
        assert_eq!(reranked.truncation.is_some(), is_billed(kind), "{kind}");
    }
}

#[test]
fn vllm_cuts_when_told_to_and_refuses_otherwise() {
    let mock = mock(Kind::CohereCompatible);
    let long = job("q", &["word ".repeat(9_000)]);
    let whole = hosted(Kind::CohereCompatible, &mock.base_url(), &Options::default());
    whole.rerank_many(std::slice::from_ref(&long), &Context::default(), &mut |_, result| {
        let message = result.unwrap_err().error.to_string();
        assert!(message.contains("answered 400"), "{message}");
    });
    let cuts = Options { truncate: Some(true), ..Options::default() };
    rerank(&hosted(Kind::CohereCompatible, &mock.base_url(), &cuts), &long);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Guards the rules of billing: for texts of any length the estimate is what the server bills.
    #[test]
    fn the_estimate_is_the_bill(
        query in 1_usize..700,
        lengths in prop::collection::vec(0_usize..1_500, 1..60),
    ) {
        let mock = mock(Kind::Cohere);
        let documents: Vec<String> = lengths.iter().map(|&words| "word ".repeat(words)).collect();
        let hosted = hosted(Kind::Cohere, &mock.base_url(), &options());
        let job = job(&"word ".repeat(query), &documents);
        let quote = hosted.quote(&job).unwrap();
        let billed = rerank(&hosted, &job).usage.billed;
        prop_assert_eq!(billed.reported, mock.books().billed());
        prop_assert_eq!((billed.estimated, billed.untold), (billed.reported, 0));
        prop_assert_eq!(quote.units, billed.reported);
        prop_assert!(quote.most >= 3 * billed.reported);
    }
}
