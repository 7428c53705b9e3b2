//! Our requests to servers without an official client, against the descriptions that they publish:
//! every field is one of theirs, of its type, within its bounds, and none that they need is missing.
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

mod wire;

use secondpass_rerankers::hosted::Options;
use serde_json::{Value, json};
use wire::{Wire, body, headers, hosted, job, path, rerank};

/// What a server says of the body that it takes.
struct Schema {
    /// Where it says so. What is not in the text of that place is not in the fields.
    source: &'static str,
    /// Our kind of provider for it.
    kind: &'static str,
    path: &'static str,
    fields: &'static [Field],
    /// Fields of other servers of our kind, which this one reads over without a word.
    reads_over: &'static [&'static str],
}

struct Field {
    name: &'static str,
    is: Type,
    needed: bool,
}

#[derive(Clone, Copy)]
enum Type {
    /// A string.
    Text,
    /// Strings, from one to so many.
    Texts(usize),
    /// A whole number from here on.
    Whole(i64),
    /// True or false.
    Truth,
}

const fn needed(name: &'static str, is: Type) -> Field {
    Field { name, is, needed: true }
}

const fn option(name: &'static str, is: Type) -> Field {
    Field { name, is, needed: false }
}

const ANY: usize = usize::MAX;

/// `truncation_direction` and the like, which no adapter sends, are left out.
const SCHEMAS: &[Schema] = &[
    Schema {
        source: "text-embeddings-inference, docs/openapi.json, RerankRequest",
        kind: "tei",
        path: "/rerank",
        fields: &[
            needed("query", Type::Text),
            needed("texts", Type::Texts(ANY)),
            option("raw_scores", Type::Truth),
            option("return_text", Type::Truth),
            option("truncate", Type::Truth),
        ],
        reads_over: &[],
    },
    Schema {
        source: "Jina's reranker API as github.com/api-evangelist/jina-ai describes it, \
                 openapi/jina-ai-reranker-openapi.yml 1.0, RerankRequest",
        kind: "jina",
        path: "/v1/rerank",
        fields: &[
            needed("model", Type::Text),
            needed("query", Type::Text),
            needed("documents", Type::Texts(ANY)),
            option("top_n", Type::Whole(1)),
            option("return_documents", Type::Truth),
        ],
        reads_over: &[],
    },
    Schema {
        source: "vLLM, vllm/entrypoints/pooling/scoring/protocol.py and base/protocol.py, RerankRequest; \
                 max_tokens_per_doc by its pull request 38827",
        kind: "cohere-compatible",
        path: "/rerank",
        fields: &[
            option("model", Type::Text),
            needed("query", Type::Text),
            needed("documents", Type::Texts(ANY)),
            option("top_n", Type::Whole(0)),
            option("truncate_prompt_tokens", Type::Whole(-1)),
            option("max_tokens_per_doc", Type::Whole(0)),
        ],
        reads_over: &[],
    },
    Schema {
        source: "Infinity 0.0.77, docs/assets/openapi.json, RerankInput",
        kind: "cohere-compatible",
        path: "/rerank",
        fields: &[
            option("model", Type::Text),
            needed("query", Type::Text),
            needed("documents", Type::Texts(2_048)),
            option("return_documents", Type::Truth),
            option("raw_scores", Type::Truth),
            option("top_n", Type::Whole(1)),
        ],
        reads_over: &["truncate_prompt_tokens", "max_tokens_per_doc"],
    },
    Schema {
        source: "llama.cpp, tools/server/README.md, \"POST /reranking\", and its handler, which takes \
                 query as a string, documents as strings, top_n as a number",
        kind: "cohere-compatible",
        path: "/rerank",
        fields: &[
            option("model", Type::Text),
            needed("query", Type::Text),
            needed("documents", Type::Texts(ANY)),
            option("top_n", Type::Whole(1)),
        ],
        reads_over: &["truncate_prompt_tokens", "max_tokens_per_doc"],
    },
];

impl Type {
    fn holds(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Texts(most) => value.as_array().is_some_and(|texts| {
                (1..=most).contains(&texts.len()) && texts.iter().all(Value::is_string)
            }),
            Self::Whole(least) => value.as_i64().is_some_and(|number| number >= least),
            Self::Truth => value.is_boolean(),
        }
    }
}

impl Schema {
    /// What is wrong with a body.
    fn flaw(&self, body: &Value) -> Option<String> {
        let sent = body.as_object()?;
        for (name, value) in sent {
            match self.fields.iter().find(|field| field.name == name) {
                Some(field) if !field.is.holds(value) => return Some(format!("{name} is {value}")),
                None if !self.reads_over.contains(&name.as_str()) => {
                    return Some(format!("{name} is not known"));
                }
                _ => {}
            }
        }
        let missing = self.fields.iter().find(|f| f.needed && !sent.contains_key(f.name));
        missing.map(|field| format!("{} is missing", field.name))
    }

    /// Every way in which a config can shape a call to this server.
    fn options(&self) -> Vec<Options> {
        let named = |model: &str| Options { model: Some(model.to_owned()), ..Options::default() };
        let plain = Options::default();
        match self.kind {
            "jina" => ["jina-reranker-v2-base-multilingual", "jina-reranker-v3"].map(named).into(),
            "tei" => {
                let cut = |truncate| Options { truncate, ..plain.clone() };
                [None, Some(true), Some(false)].map(cut).into()
            }
            _ => vec![
                plain.clone(),
                named("BAAI/bge-reranker-v2-m3"),
                Options { truncate: Some(true), ..plain.clone() },
                Options { max_tokens_per_doc: Some(512), ..plain },
            ],
        }
    }
}

fn bodies(schema: &Schema) -> Vec<Value> {
    let many: Vec<String> = (0..32).map(|number| format!("invoice {number}")).collect();
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let documents = [
        texts(&["Open Billing."]),
        texts(&["Open Billing.", ""]),
        texts(&["請求書 🧾 \"C:\\März\"\r\n\u{1}", "\u{2028}e\u{301}"]),
        many,
    ];
    let mut bodies = Vec::new();
    for options in schema.options() {
        for documents in &documents {
            let wire = Wire::new("{}");
            let hosted = hosted(schema.kind, None, options.clone(), wire.clone());
            // Whatever is made of the empty answer: the request has gone out.
            let _ = rerank(&hosted, &job("Où est ma facture ?", documents));
            let request = wire.sent();
            assert_eq!(path(&request), schema.path, "{}", schema.source);
            let headers = headers(&request);
            assert_eq!(headers["content-type"], "application/json");
            let bearer = (schema.kind == "jina").then_some("Bearer KEY");
            assert_eq!(headers.get("authorization").map(String::as_str), bearer);
            let body = body(&request);
            let sent = if schema.kind == "tei" { &body["texts"] } else { &body["documents"] };
            assert_eq!(*sent, json!(documents));
            bodies.push(body);
        }
    }
    bodies
}

#[test]
fn requests_fit_the_published_descriptions() {
    for schema in SCHEMAS {
        for body in bodies(schema) {
            assert_eq!(schema.flaw(&body), None, "{}: {body}", schema.source);
        }
    }
}

/// The check itself: each field altered or missing, and one too many.
#[test]
fn what_does_not_fit_is_told() {
    for schema in SCHEMAS {
        for body in bodies(schema) {
            for (name, _) in body.as_object().unwrap() {
                let mut altered = body.clone();
                altered[name] = json!({});
                let known = !schema.reads_over.contains(&name.as_str());
                assert_eq!(schema.flaw(&altered).is_some(), known, "{}: {name}", schema.source);
                let mut missing = body.clone();
                missing.as_object_mut().unwrap().remove(name);
                let field = schema.fields.iter().find(|field| field.name == name);
                let needed = field.is_some_and(|field| field.needed);
                assert_eq!(schema.flaw(&missing).is_some(), needed, "{}: {name}", schema.source);
            }
            let mut more = body.clone();
            more["new"] = json!(1);
            assert_eq!(schema.flaw(&more).as_deref(), Some("new is not known"));
        }
    }
    let bounds = [
        (Type::Texts(2), json!([]), false),
        (Type::Texts(2), json!(["a", "b"]), true),
        (Type::Texts(2), json!(["a", "b", "c"]), false),
        (Type::Texts(2), json!(["a", 1]), false),
        (Type::Whole(-1), json!(-1), true),
        (Type::Whole(1), json!(0), false),
        (Type::Whole(1), json!(1.5), false),
        (Type::Truth, json!("true"), false),
    ];
    for (is, value, holds) in bounds {
        assert_eq!(is.holds(&value), holds, "{value}");
    }
}
