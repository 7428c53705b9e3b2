use std::ops::RangeInclusive;

use secondpass_core::{BillingUnit, TruncationAudit};
use secondpass_http::{Call, HttpError, Reply};
use serde::{Deserialize, Serialize};

use super::limits::pair_tokens;
use super::{Api, Bill, CallTokens, OptionError, Options, Scored};

/// Cohere, `POST /v2/rerank` (docs.cohere.com/reference/rerank, and the best practices beside it).
///
/// Any model's name goes: `rerank-v3.5`, `rerank-v4.0-pro` and `-fast`, `rerank-v5.0-pro` and `-fast`,
/// or one of your own. Cohere cuts a query at half of the model's context and a document at
/// `max_tokens_per_doc`, 4,096 unless set; what is left of a document is split where it passes the
/// context and scores as its best part. It refuses empty queries.
#[derive(Clone, Debug)]
pub struct Cohere {
    /// `None` where the address alone says it.
    model: Option<String>,
    max_tokens_per_doc: Option<u64>,
    documents: usize,
}

/// No other fields: Cohere refuses those that it does not know. Without `top_n` it gives all results.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    query: &'a str,
    documents: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens_per_doc: Option<u64>,
}

/// Cohere promises no more than the results.
#[derive(Deserialize)]
struct Answer {
    results: Vec<Row>,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Row {
    index: usize,
    relevance_score: f64,
}

#[derive(Deserialize)]
struct Meta {
    billed_units: Option<BilledUnits>,
    tokens: Option<Tokens>,
}

/// Numbers, of which Cohere's own client says only that they may have a fraction. Tokens of a rerank
/// stand under one name there and under the other in litellm's types.
#[derive(Deserialize)]
struct BilledUnits {
    search_units: Option<f64>,
    input_tokens: Option<f64>,
    total_tokens: Option<f64>,
}

#[derive(Deserialize)]
struct Tokens {
    input_tokens: Option<f64>,
}

impl Cohere {
    pub(super) const NAME: &'static str = "Cohere";

    /// Documents of a call above which Cohere advises against it.
    const MOST_DOCUMENTS: usize = 1_000;
    /// Chunks of all documents of a call above which Cohere refuses it.
    const MOST_CHUNKS: u64 = 10_000;
    /// Tokens of a document that Cohere reads, unless the request says otherwise.
    const TOKENS_PER_DOC: u64 = 4_096;
    /// Tokens of query and document together that are billed as one document (cohere.com/pricing;
    /// for the models on Azure learn.microsoft.com says the same, and 4,096 for `rerank-v3`).
    const BILLED_CHUNK: u64 = 500;
    /// Documents or chunks in a search unit.
    const SEARCH_UNIT: u64 = 100;
    /// Special tokens of each pair of query and chunk.
    const SPECIAL: u64 = 4;

    /// An adapter for one model.
    ///
    /// # Errors
    /// No model, more than 1,000 documents a call, a `max_tokens_per_doc` of 0, or `truncate`.
    pub fn new(options: &Options) -> Result<Self, OptionError> {
        let examples = "\"rerank-v3.5\" or \"rerank-v4.0-fast\"";
        Self::of(options, Some(options.named_model(examples)?), Self::NAME)
    }

    /// What Cohere bills calls of this model by: tokens from `rerank-v5` on, search units before. A
    /// [`super::Hosted`] around this adapter needs a tariff in that unit.
    pub fn unit(model: &str) -> BillingUnit {
        match Generation::of(model) {
            Generation::Five => BillingUnit::Token,
            Generation::Four | Generation::Other => BillingUnit::SearchUnit,
        }
    }

    pub(super) fn of(
        options: &Options,
        model: Option<String>,
        provider: &str,
    ) -> Result<Self, OptionError> {
        let instead = "it always cuts, at max_tokens_per_doc";
        options.without_truncate(provider, instead)?;
        let max_tokens_per_doc = match options.max_tokens_per_doc {
            Some(0) => {
                return Err(OptionError {
                    key: "max_tokens_per_doc",
                    found: Some("0".to_owned()),
                    allowed: format!(
                        "{provider} takes a number from 1, {} unless it is given",
                        Self::TOKENS_PER_DOC
                    ),
                });
            }
            tokens => tokens.map(|tokens| tokens as u64),
        };
        let documents = options.documents_up_to(Self::MOST_DOCUMENTS, provider)?;
        let cohere = Self { model, max_tokens_per_doc, documents };
        let chunks = cohere.tokens_per_doc().div_ceil(cohere.generation().least_room());
        let fitting = usize::try_from(Self::MOST_CHUNKS / chunks).unwrap_or(usize::MAX);
        Ok(Self { documents: documents.min(fitting.max(1)), ..cohere })
    }

    fn generation(&self) -> Generation {
        self.model.as_deref().map_or(Generation::Other, Generation::of)
    }

    fn tokens_per_doc(&self) -> u64 {
        self.max_tokens_per_doc.unwrap_or(Self::TOKENS_PER_DOC)
    }
}

/// Generations of models, which differ in what they read at once and in what they bill.
#[derive(Clone, Copy)]
enum Generation {
    /// Version 3.5 and before, and models whose names tell nothing: the narrowest limits.
    Other,
    Four,
    Five,
}

impl Generation {
    fn of(model: &str) -> Self {
        let model = model.to_ascii_lowercase();
        match () {
            () if model.contains("rerank-v5") => Self::Five,
            () if model.contains("rerank-v4") => Self::Four,
            () => Self::Other,
        }
    }

    /// Tokens of a query and a chunk of a document together.
    fn context(self) -> u64 {
        match self {
            Self::Other => 4_096,
            Self::Four | Self::Five => 32_768,
        }
    }

    fn query(self) -> u64 {
        self.context() / 2
    }

    /// Tokens that the longest query leaves for a chunk.
    fn least_room(self) -> u64 {
        self.context() - self.query() - Cohere::SPECIAL
    }
}

impl Api for Cohere {
    fn call(&self, query: &str, documents: &[String]) -> Call {
        let body = Body {
            model: self.model.as_deref(),
            query,
            documents,
            max_tokens_per_doc: self.max_tokens_per_doc,
        };
        Call::post("/v2/rerank", &body).with_header("X-Client-Name", "secondpass")
    }

    fn read(&self, reply: &Reply) -> Result<Scored, HttpError> {
        let answer: Answer = reply.json()?;
        let Meta { billed_units, tokens } =
            answer.meta.unwrap_or(Meta { billed_units: None, tokens: None });
        let billed = billed_units.and_then(|billed| match self.generation() {
            Generation::Five => billed.input_tokens.or(billed.total_tokens),
            Generation::Four | Generation::Other => billed.search_units,
        });
        let whole = |number: Option<f64>, what: &str| {
            let whole = |number| match whole(number) {
                Some(number) => Ok(number),
                None => Err(reply.bad_answer(&format!("it tells {number} {what}"))),
            };
            number.map(whole).transpose()
        };
        Ok(Scored {
            scores: answer.results.iter().map(|row| (row.index, row.relevance_score)).collect(),
            units: whole(billed, "billed units")?,
            tokens: whole(tokens.and_then(|tokens| tokens.input_tokens), "tokens")?,
            server: None,
        })
    }

    fn score_range(&self) -> RangeInclusive<f64> {
        0.0..=1.0
    }

    fn documents_a_call(&self) -> usize {
        self.documents
    }

    /// Search units: a document that is longer than 500 tokens together with the query is split, and
    /// each chunk counts as a document, of which 100 are a unit. Cohere does not say whether tokens
    /// past `max_tokens_per_doc` count, nor what a query of 500 tokens leaves: the dearer reading
    /// counts, all tokens and one token a chunk.
    ///
    /// From `rerank-v5` on tokens, the query counted with every document, which Cohere does not say
    /// either.
    fn bill(&self, tokens: &CallTokens<'_>) -> Bill {
        let room = Self::BILLED_CHUNK.saturating_sub(tokens.query).max(1);
        let chunks = |&document: &u64| document.div_ceil(room).max(1);
        let chunks = tokens.documents.iter().map(chunks).fold(0, u64::saturating_add);
        match self.generation() {
            Generation::Five => Bill { units: pair_tokens(tokens), chunks: 0 },
            Generation::Four | Generation::Other => {
                Bill { units: chunks.div_ceil(Self::SEARCH_UNIT), chunks }
            }
        }
    }

    fn truncation(&self, tokens: &CallTokens<'_>) -> Option<TruncationAudit> {
        let mut audit = TruncationAudit { estimated: true, ..TruncationAudit::default() };
        let query_cut = tokens.query.saturating_sub(self.generation().query());
        for document in tokens.documents {
            let cut = query_cut.saturating_add(document.saturating_sub(self.tokens_per_doc()));
            let whole = tokens.query.saturating_add(*document).saturating_add(Self::SPECIAL);
            audit.note(size(whole), size(cut));
        }
        Some(audit)
    }
}

/// A count that came as any number; `None` for those that cannot be one. Parts of a unit are billed
/// as a whole one.
fn whole(number: f64) -> Option<u64> {
    (0.0..=1e15).contains(&number).then(|| number.ceil() as u64)
}

fn size(tokens: u64) -> usize {
    usize::try_from(tokens).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secondpass_http::ErrorKind;
    use serde_json::json;

    use super::super::stub;
    use super::*;

    fn options(model: &str) -> Options {
        Options { model: Some(model.to_owned()), ..Options::default() }
    }

    fn cohere(model: &str) -> Cohere {
        Cohere::new(&options(model)).unwrap()
    }

    fn cut_at(model: &str, max_tokens_per_doc: usize) -> Cohere {
        let max_tokens_per_doc = Some(max_tokens_per_doc);
        Cohere::new(&Options { max_tokens_per_doc, ..options(model) }).unwrap()
    }

    #[test]
    fn asks_for_all_scores_and_no_documents() {
        let api = cohere("rerank-v3.5");
        let (request, body) = stub::asked(&api, "late invoice", &["Pay here.", "Reset it."]);
        assert_eq!(request.url, "https://rerank.example/v2/rerank");
        assert!(request.headers.contains(&("X-Client-Name".into(), "secondpass".into())));
        assert_eq!(
            body,
            json!({
                "model": "rerank-v3.5",
                "query": "late invoice",
                "documents": ["Pay here.", "Reset it."],
            })
        );
        let (_, body) = stub::asked(&cut_at("rerank-v4.0-pro", 512), "q", &["d"]);
        assert_eq!(body["max_tokens_per_doc"], json!(512));
    }

    #[test]
    fn reads_scores_and_what_was_billed() {
        let body = r#"{"id":"07734bd2","results":[{"index":1,"relevance_score":0.99},
            {"index":0,"relevance_score":0.002,"document":{"text":"x"}}],"meta":{"api_version":
            {"version":"2","is_experimental":false},"billed_units":{"search_units":2},
            "tokens":{"input_tokens":40.0},"warnings":["slow"]},"new":1}"#;
        let scored = stub::read(&cohere("rerank-v3.5"), &[], body).unwrap();
        assert_eq!(scored.scores, [(1, 0.99), (0, 0.002)]);
        assert_eq!((scored.units, scored.tokens, scored.server), (Some(2), Some(40), None));
    }

    #[test]
    fn only_results_are_needed() {
        for meta in ["", r#","meta":null"#, r#","meta":{}"#, r#","meta":{"billed_units":null}"#] {
            let body = format!(r#"{{"results":[{{"index":0,"relevance_score":1}}]{meta}}}"#);
            let scored = stub::read(&cohere("rerank-v3.5"), &[], &body).unwrap();
            assert_eq!((scored.scores, scored.units), (vec![(0, 1.0)], None), "{meta}");
        }
    }

    #[test]
    fn each_generation_is_billed_by_its_own_unit() {
        let read = |model: &str, units: &str| {
            let body = format!(r#"{{"results":[],"meta":{{"billed_units":{units}}}}}"#);
            stub::read(&cohere(model), &[], &body)
                .map(|scored| scored.units)
                .map_err(|e| e.to_string())
        };
        let both = r#"{"search_units":1.5,"input_tokens":77}"#;
        assert_eq!(read("rerank-v4.0-fast", both), Ok(Some(2)));
        assert_eq!(read("rerank-v5.0-fast", both), Ok(Some(77)));
        assert_eq!(read("rerank-v5.0-fast", r#"{"total_tokens":78}"#), Ok(Some(78)));
        assert_eq!(read("rerank-v5.0-pro", r#"{"search_units":1}"#), Ok(None));
        let error = read("rerank-v3.5", r#"{"search_units":-1}"#).unwrap_err();
        assert!(error.contains("it tells -1 billed units"), "{error}");
        assert_eq!(Cohere::unit("rerank-v5.0-pro"), BillingUnit::Token);
        for model in ["rerank-v3.5", "rerank-v4.0-pro", "rerank-multilingual-v3.0", "our-ft"] {
            assert_eq!(Cohere::unit(model), BillingUnit::SearchUnit, "{model}");
        }
        let tokens = CallTokens { query: 10, documents: &[100, 700] };
        assert_eq!(cohere("rerank-v5.0-pro").bill(&tokens), Bill { units: 820, chunks: 0 });
    }

    #[test]
    fn other_forms_are_errors() {
        for body in [
            r#"{"data":[{"index":0,"relevance_score":1}]}"#,
            r#"{"results":[{"index":-1,"relevance_score":1}]}"#,
            r#"{"results":[{"index":0}]}"#,
            r#"{"results":[{"index":0,"relevance_score":NaN}]}"#,
            r#"{"results":[{"index":0,"relevance_score":null}]}"#,
            r#"{"results":[{"index":0,"relevance_score":1e999}]}"#,
            r#"{"results":[{"index":0,"rel"#,
            "<html>",
            "",
        ] {
            let error = stub::read(&cohere("rerank-v3.5"), &[], body).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::NotJson, "{body}");
        }
        let body = r#"{"id":"1","message":"model 'rerank-v9' not found"}"#;
        let error = stub::refused(&cohere("rerank-v9"), 404, body);
        assert!(error.to_string().contains("model 'rerank-v9' not found"), "{error}");
    }

    #[test]
    fn long_documents_and_long_queries_multiply_search_units() {
        let bill =
            |query, documents: &[u64]| cohere("rerank-v3.5").bill(&CallTokens { query, documents });
        assert_eq!(bill(20, &[480; 100]), Bill { units: 1, chunks: 100 });
        assert_eq!(bill(20, &[480; 101]), Bill { units: 2, chunks: 101 });
        assert_eq!(bill(20, &[481; 50]), Bill { units: 1, chunks: 100 });
        assert_eq!(bill(21, &[960; 50]), Bill { units: 2, chunks: 150 });
        assert_eq!(bill(20, &[0, 1]), Bill { units: 1, chunks: 2 });
        assert_eq!(bill(700, &[300]), Bill { units: 3, chunks: 300 });
    }

    #[test]
    fn documents_are_cut_where_the_option_says_and_queries_at_half_of_the_context() {
        let cut = |api: Cohere, query, document| {
            let audit = api.truncation(&CallTokens { query, documents: &[document, 1] }).unwrap();
            assert!(audit.estimated);
            (audit.pairs, audit.pairs_cut, audit.tokens_cut)
        };
        assert_eq!(cut(cohere("rerank-v3.5"), 9, 4_096), (2, 0, 0));
        assert_eq!(cut(cohere("rerank-v4.0-pro"), 9, 5_000), (2, 1, 904));
        assert_eq!(cut(cut_at("rerank-v4.0-pro", 8_000), 9, 5_000), (2, 0, 0));
        assert_eq!(cut(cut_at("rerank-v3.5", 100), 9, 101), (2, 1, 1));
        assert_eq!(cut(cohere("rerank-v3.5"), 2_050, 1), (2, 2, 4));
        assert_eq!(cut(cohere("rerank-v5.0-fast"), 2_050, 1), (2, 0, 0));
    }

    #[test]
    fn a_call_keeps_to_documents_and_chunks() {
        assert_eq!(cohere("rerank-v3.5").documents_a_call(), 1_000);
        assert_eq!(cohere("rerank-v4.0-pro").documents_a_call(), 1_000);
        // 100,000 tokens are up to 49 chunks beside the longest query.
        assert_eq!(cut_at("rerank-v3.5", 100_000).documents_a_call(), 204);
        assert_eq!(cut_at("rerank-v3.5", 1_000_000_000).documents_a_call(), 1);
        let few = Options { documents_per_call: Some(50), ..options("rerank-v3.5") };
        assert_eq!(Cohere::new(&few).unwrap().documents_a_call(), 50);
    }

    #[test]
    fn options_that_it_does_not_know_are_refused() {
        let wrong = |options: Options| Cohere::new(&options).unwrap_err();
        assert_eq!(wrong(Options::default()).key, "model");
        let known = || options("rerank-v3.5");
        assert_eq!(wrong(Options { truncate: Some(true), ..known() }).key, "truncate");
        assert_eq!(
            wrong(Options { documents_per_call: Some(1_001), ..known() }).key,
            "documents_per_call"
        );
        let error = wrong(Options { max_tokens_per_doc: Some(0), ..known() });
        assert_eq!(
            error.to_string(),
            "'max_tokens_per_doc' is 0: Cohere takes a number from 1, 4096 unless it is given"
        );
    }

    proptest! {
        #[test]
        fn longer_texts_never_cost_less(
            query in 0..600_u64,
            documents in prop::collection::vec(0..5_000_u64, 1..50),
            more in 0..600_u64,
        ) {
            for model in ["rerank-v3.5", "rerank-v5.0-pro"] {
                let bill = |query, documents: &[u64]| {
                    cohere(model).bill(&CallTokens { query, documents })
                };
                let (base, longer) = (bill(query, &documents), bill(query + more, &documents));
                prop_assert!(longer.units >= base.units);
                let longer: Vec<u64> = documents.iter().map(|tokens| tokens + more).collect();
                prop_assert!(bill(query, &longer).units >= base.units);
                prop_assert!(base.chunks == 0 || base.chunks >= documents.len() as u64);
            }
        }
    }
}
