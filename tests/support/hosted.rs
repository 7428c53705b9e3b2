//! Imitated providers, and the tables of a config that ask them.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use secondpass_mock::{Kind, Mock, Plan, Settings};
use serde_json::Value;

use super::{Home, stderr};

/// A key that stands nowhere but where a test puts it.
pub const KEY: &str = "planted-Key_0123456789abcdefXYZ";

/// Where the program looks for keys and addresses; tests set what they want to be found.
pub const VARIABLES: [&str; 15] = [
    "COHERE_API_KEY",
    "CO_API_KEY",
    "COHERE_BASE_URL",
    "CO_API_URL",
    "JINA_API_KEY",
    "VOYAGE_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AZURE_COHERE_API_KEY",
    "MXBAI_API_KEY",
    "PINECONE_API_KEY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
];

/// Those that hold keys, for tests that find one everywhere.
const KEYS: [&str; 8] = [
    "COHERE_API_KEY",
    "JINA_API_KEY",
    "VOYAGE_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_COHERE_API_KEY",
    "MXBAI_API_KEY",
    "PINECONE_API_KEY",
];

/// A search unit of Cohere's rerank-v3.5 in US dollars, as the program's own prices say.
pub const USD: f64 = 0.002;

pub fn mock(kind: Kind) -> Mock {
    Mock::start(Settings::new(kind)).unwrap()
}

/// One with which calls go wrong, by rules such as `3:500`.
pub fn faulty(kind: Kind, rules: &[&str]) -> Mock {
    let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    Mock::start(Settings { faults: Plan::new(rules, 1), ..Settings::new(kind) }).unwrap()
}

/// One that takes this long for each answer.
pub fn slow(kind: Kind, latency: Duration) -> Mock {
    Mock::start(Settings { latency, ..Settings::new(kind) }).unwrap()
}

/// The `[[reranker]]` that asks an imitation, named as its kind.
pub fn table(kind: Kind, url: &str) -> String {
    let config_kind = match kind {
        Kind::Infinity | Kind::LlamaCpp => Kind::CohereCompatible,
        other => other,
    };
    let more = match kind {
        Kind::Cohere => "model = \"rerank-v3.5\"",
        Kind::Jina => "model = \"jina-reranker-v2-base-multilingual\"",
        Kind::Voyage => "model = \"rerank-2.5\"",
        Kind::Bedrock => "region = \"eu-central-1\"",
        Kind::Azure => "model = \"cohere-rerank-v4.0-pro\"",
        Kind::Mixedbread => "model = \"mixedbread-ai/mxbai-rerank-large-v2\"",
        Kind::Pinecone => "model = \"bge-reranker-v2-m3\"",
        Kind::CohereCompatible | Kind::Infinity | Kind::LlamaCpp => {
            "model = \"BAAI/bge-reranker-v2-m3\""
        }
        Kind::Tei => "",
    };
    format!(
        "[[reranker]]\nname = \"{kind}\"\nkind = \"{config_kind}\"\nbase_url = \"{url}\"\n{more}\n"
    )
}

/// No other depths, which would ask for more than tests count.
pub const NO_SWEEP: &str = "[sweep]\ndepths = []\n";

impl Home {
    /// The program with the planted key wherever it looks for one.
    pub fn keyed(&self, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.envs(KEYS.map(|variable| (variable, KEY)));
        command
    }

    /// Runs it so, where nobody can be asked.
    pub fn run_keyed(&self, args: &[&str]) -> Output {
        self.keyed(args).stdin(Stdio::null()).output().unwrap()
    }

    /// An experiment of these tables in `small.toml`, over a set of its own: so many queries, each
    /// with five candidates, and each a call of one search unit.
    pub fn asking(&self, queries: usize, tables: &str) {
        self.queries(queries);
        self.config("kind = \"bm25\"\ndepth = 5", &format!("{tables}{NO_SWEEP}"));
    }

    /// That set, in which no two queries are the same request.
    pub fn queries(&self, queries: usize) {
        assert!(queries <= 101);
        self.set(queries, 101);
    }

    /// Runs the experiment in `small.toml` with keys into `out` and gives its output.
    pub fn try_asking(&self, more: &[&str]) -> Output {
        self.run_keyed(&[&["eval", "--config", "small.toml", "--out", "out"], more].concat())
    }

    /// The same where it must work; gives the record.
    #[track_caller]
    pub fn ask(&self, more: &[&str]) -> Value {
        let output = self.try_asking(more);
        assert!(output.status.success(), "{}", stderr(&output));
        self.json("out/record.json")
    }
}
