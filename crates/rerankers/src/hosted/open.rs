use std::sync::Arc;

use secondpass_core::{Context, Destination, Identity, Scoring, Tariff};
use secondpass_http::{
    Anonymous, Authorize, Bearer, Client, ErrorKind, Exchange, HttpError, KeyHeader, Network,
    PolicyError, Rates, Recorder, Recording, Replay, RetryPolicy, Secret, SecretError, Settings,
    SetupError, Timeouts, authority, is_private_url,
};

use super::catalogue::{FIELDS, KeyKind, Provider, provider};
use super::{
    Api, AwsKeys, Azure, Bedrock, Cohere, CohereCompatible, CountTokens, Hosted, HostedParts, Jina,
    Mixedbread, OptionError, Options, Pinecone, SigV4, Tei, TeiInfo, Voyage,
};

/// A hosted reranker as a config and the command line describe it.
pub struct OpenSettings {
    /// The name people gave it.
    pub name: String,
    /// The provider's kind, as [`super::PROVIDERS`] lists it.
    pub provider: String,
    /// Another address than the provider's own.
    pub base_url: Option<String>,
    /// The key, where it does not come from the environment. For Bedrock a Bedrock API key.
    pub key: Option<Secret>,
    /// The environment variable that holds the key, in place of the provider's own.
    pub key_env: Option<String>,
    /// What shapes the calls. The region `self-hosted` is the user's word for a server of their own.
    pub options: Options,
    /// What the account may do; nothing is held back that is not limited here.
    pub rates: Rates,
    /// Attempts a call at most; `None` for the default.
    pub attempts: Option<u32>,
    /// How long it may take.
    pub timeouts: Timeouts,
    /// What carries the calls.
    pub through: Through,
    /// How calls are billed; for a replay, how those were that it holds.
    pub tariff: Option<Tariff>,
    /// Counts tokens for estimates.
    pub tokens: Box<dyn CountTokens>,
    /// Queries in flight at once.
    pub concurrency: usize,
}

/// What carries the calls to a provider.
#[derive(Clone)]
pub enum Through {
    /// The network.
    Network,
    /// The network; answers are recorded.
    Recorded(Arc<Recording>),
    /// A recording: nothing is sent, and no key is needed.
    Replay(Arc<Replay>),
    /// Something else, as in a test.
    Exchange(Arc<dyn Exchange>),
}

impl OpenSettings {
    fn is_replay(&self) -> bool {
        matches!(self.through, Through::Replay(_))
    }
}

/// Why a hosted reranker cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No such provider.
    #[error("'{0}' is no provider; `secondpass providers` lists them")]
    Provider(String),
    /// Every user of this provider has another address.
    #[error("{0} is at an address of your own; name it in base_url, such as \"{1}\"")]
    NoBaseUrl(&'static str, &'static str),
    /// An option is missing or not known to the provider.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// No key, or none that can be sent.
    #[error("{provider}: {source}")]
    Key {
        /// Whose.
        provider: &'static str,
        /// What is wrong.
        source: SecretError,
    },
    /// An address or timeouts that cannot work.
    #[error("{provider}: {source}")]
    Setup {
        /// Whose.
        provider: &'static str,
        /// What is wrong.
        source: SetupError,
    },
    /// Attempts that cannot work.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The server does not say what it is.
    #[error(transparent)]
    Info(Box<HttpError>),
}

/// Where the texts would go. Sends nothing.
///
/// # Errors
/// A provider that is not known, or without an address.
pub fn destination(settings: &OpenSettings) -> Result<Destination, OpenError> {
    Place::of(settings).map(|place| place.destination)
}

/// Builds a reranker. Only text-embeddings-inference is asked something: which model it serves.
///
/// # Errors
/// Settings that the provider does not know or that cannot work, a missing key, a server that does
/// not answer or is another than it should be.
pub fn open(settings: OpenSettings, context: &Context) -> Result<Hosted, OpenError> {
    let Place { provider, base_url, region, destination } = Place::of(&settings)?;
    // Options come before keys: they are wrong everywhere, a key is missing on one machine.
    let (mut api, mut traits) = adapter(provider.kind, &settings.options)?;
    let is_replay = settings.is_replay();
    let authorize: Box<dyn Authorize> = match is_replay {
        true => Box::new(Anonymous),
        false => authorize(provider, &settings, region.as_deref())
            .map_err(|source| OpenError::Key { provider: provider.title, source })?,
    };
    let client = client(provider, &base_url, &settings, authorize, is_replay)?;
    if provider.kind == "tei"
        && let Some(info) = info(&client, is_replay, context)?
    {
        api = Box::new(Tei::new(&settings.options)?.with_info(&info)?);
        traits = Traits::of_server(info, &settings.options);
    }
    let identity = Identity {
        name: settings.name,
        provider: provider.kind.to_owned(),
        model: traits.model.unwrap_or_else(|| UNNAMED.to_owned()),
        revision: traits.revision,
        weights: None,
        endpoint: Some(client.base_url().to_owned()).filter(|url| url != NOWHERE),
        device: None,
        dtype: traits.dtype,
        max_length: traits.max_length,
        truncation: traits.truncation,
        scoring: traits.scoring,
    };
    Ok(Hosted::new(HostedParts {
        identity,
        api,
        client,
        destination,
        tariff: settings.tariff,
        tokens: settings.tokens,
        concurrency: settings.concurrency,
    }))
}

/// The model of a server that has one only and does not say which.
const UNNAMED: &str = "the server's";

/// What stands for the address of a server that is not asked, because a recording answers, and that
/// the config does not name. No name under `.invalid` is ever found (RFC 2606).
const NOWHERE: &str = "https://replay.invalid";

/// A provider, and where it is.
struct Place {
    provider: &'static Provider,
    base_url: String,
    /// What requests are signed for.
    region: Option<String>,
    destination: Destination,
}

impl Place {
    fn of(settings: &OpenSettings) -> Result<Self, OpenError> {
        let unknown = || OpenError::Provider(settings.provider.clone());
        let provider = provider(&settings.provider).ok_or_else(unknown)?;
        let options = &settings.options;
        let own_word = options.region.as_deref() == Some(Destination::SELF_HOSTED);
        let region = match provider.key_kind {
            KeyKind::SigV4 if settings.is_replay() => Bedrock::region(options).ok(),
            KeyKind::SigV4 => Some(Bedrock::region(options)?),
            _ => options.region.clone().filter(|_| !own_word),
        };
        let variable = |name: &&str| std::env::var(name).ok().filter(|url| !url.is_empty());
        let named = settings.base_url.clone();
        let named = named.or_else(|| provider.base_url_variables.iter().find_map(variable));
        let base_url = match (named, provider.base_url, &region) {
            (Some(url), _, _) => url,
            (None, Some(_), Some(region)) if provider.key_kind == KeyKind::SigV4 => {
                Bedrock::base_url(region)
            }
            (None, Some(own), _) if provider.key_kind != KeyKind::SigV4 => own.to_owned(),
            (None, _, _) if settings.is_replay() => NOWHERE.to_owned(),
            (None, _, _) => return Err(OpenError::NoBaseUrl(provider.title, example(provider))),
        };
        // Whoever is behind another address, the provider's terms say nothing of them.
        let own = |url: &str| authority(url) == authority(&base_url);
        let is_own = provider.key_kind == KeyKind::SigV4 && settings.base_url.is_none();
        let is_own = is_own || provider.base_url.is_some_and(own);
        if own_word && is_own && !settings.is_replay() {
            return Err(OpenError::Option(OptionError {
                key: "region",
                found: Some(format!("\"{}\"", Destination::SELF_HOSTED)),
                allowed: format!(
                    "{} is no server of yours; name yours in base_url, or another region",
                    authority(&base_url).unwrap_or_default()
                ),
            }));
        }
        let destination = Destination {
            host: authority(&base_url).unwrap_or_default(),
            region: match (&region, provider.key_kind) {
                (Some(region), KeyKind::SigV4) => Bedrock::processed_in(options, region),
                (Some(region), _) => Some(region.clone()),
                (None, _) => provider.region.filter(|_| is_own).map(str::to_owned),
            },
            self_hosted: own_word || (provider.self_hosted && is_private_url(&base_url)),
            fields: FIELDS.map(str::to_owned).to_vec(),
            retention: provider.retention.filter(|_| is_own).map(str::to_owned),
        };
        Ok(Self { provider, base_url, region, destination })
    }
}

fn example(provider: &Provider) -> &'static str {
    match provider.self_hosted {
        true => "http://localhost:8080",
        false => "https://my-deployment.swedencentral.models.ai.azure.com",
    }
}

/// What goes into a reranker's identity.
struct Traits {
    model: Option<String>,
    revision: Option<String>,
    dtype: Option<String>,
    max_length: Option<usize>,
    truncation: Option<String>,
    scoring: Scoring,
}

impl Traits {
    fn of_server(info: TeiInfo, options: &Options) -> Self {
        Self {
            model: Some(info.model),
            revision: info.revision,
            dtype: info.dtype,
            max_length: info.max_input_length,
            truncation: truncation("tei", options),
            scoring: Scoring::Pointwise,
        }
    }
}

fn adapter(kind: &str, options: &Options) -> Result<(Box<dyn Api>, Traits), OpenError> {
    let mut traits = Traits {
        model: options.model.as_deref().map(|model| model.trim().to_owned()),
        revision: None,
        dtype: None,
        max_length: None,
        truncation: truncation(kind, options),
        // All but one of Jina's are cross-encoders, or say that each document is scored by itself.
        scoring: Scoring::Pointwise,
    };
    let api: Box<dyn Api> = match kind {
        "cohere" => Box::new(Cohere::new(options)?),
        "tei" => Box::new(Tei::new(options)?),
        "jina" => {
            let jina = Jina::new(options)?;
            traits.scoring = jina.scoring();
            Box::new(jina)
        }
        "voyage" => Box::new(Voyage::new(options)?),
        "bedrock" => {
            traits.model.get_or_insert_with(|| Bedrock::MODEL.to_owned());
            Box::new(Bedrock::new(options)?)
        }
        "azure" => Box::new(Azure::new(options)?),
        "cohere-compatible" => Box::new(CohereCompatible::new(options)?),
        "mixedbread" => Box::new(Mixedbread::new(options)?),
        "pinecone" => Box::new(Pinecone::new(options)?),
        other => return Err(OpenError::Provider(other.to_owned())),
    };
    Ok((api, traits))
}

/// What the options make of long texts; `None` where they leave it to the provider.
fn truncation(kind: &str, options: &Options) -> Option<String> {
    let cut = match (kind, options.truncate) {
        ("tei", None | Some(true)) => Some("longest-first".to_owned()),
        (_, Some(true)) => Some("the provider's".to_owned()),
        (_, Some(false)) => Some("refused".to_owned()),
        (_, None) => None,
    };
    let document = options.max_tokens_per_doc.map(|tokens| format!("documents at {tokens} tokens"));
    match (cut, document) {
        (Some(cut), Some(document)) => Some(format!("{cut}, {document}")),
        (cut, document) => cut.or(document),
    }
}

fn authorize(
    provider: &Provider,
    settings: &OpenSettings,
    region: Option<&str>,
) -> Result<Box<dyn Authorize>, SecretError> {
    let given = match (&settings.key, &settings.key_env) {
        (Some(key), _) => Some(key.clone()),
        (None, Some(name)) => Some(Secret::from_env(&[name])?),
        (None, None) => None,
    };
    let key = match (given, provider.key_kind) {
        (Some(key), _) => Some(key),
        (None, KeyKind::SigV4) => {
            let keys = AwsKeys::from_env()?;
            return Ok(Box::new(SigV4::bedrock(keys, region.unwrap_or_default())));
        }
        (None, _) if provider.key_needed => Some(Secret::from_env(provider.key_variables)?),
        (None, _) => None,
    };
    Ok(match (key, provider.key_kind) {
        (None, _) => Box::new(Anonymous),
        (Some(key), KeyKind::Header(name)) => Box::new(KeyHeader { name: name.to_owned(), key }),
        (Some(key), KeyKind::Bearer | KeyKind::SigV4) => Box::new(Bearer(key)),
    })
}

fn client(
    provider: &Provider,
    base_url: &str,
    settings: &OpenSettings,
    authorize: Box<dyn Authorize>,
    is_replay: bool,
) -> Result<Client, OpenError> {
    let setup = |source| OpenError::Setup { provider: provider.title, source };
    let retry = RetryPolicy::default().with_statuses(provider.retried)?;
    let retry = match (is_replay, settings.attempts) {
        // The same answer would come again.
        (true, _) => retry.with_attempts(1)?,
        (false, Some(attempts)) => retry.with_attempts(attempts)?,
        (false, None) => retry,
    };
    let http = Settings {
        timeouts: settings.timeouts,
        retry,
        rates: if is_replay { Rates::default() } else { settings.rates },
        // What is sent to a neighbour has no business at a proxy.
        proxy: !is_private_url(base_url),
        ..Settings::new(provider.kind, base_url)
    };
    let network = || Network::new(&http.timeouts, http.proxy).map(Arc::new);
    let exchange: Arc<dyn Exchange> = match &settings.through {
        Through::Network => network().map_err(setup)?,
        Through::Recorded(recording) => {
            let network = network().map_err(setup)?;
            Arc::new(Recorder::new(network, Arc::clone(recording)))
        }
        Through::Replay(replay) => Arc::clone(replay) as Arc<dyn Exchange>,
        Through::Exchange(exchange) => Arc::clone(exchange),
    };
    Client::through(http, authorize, exchange).map_err(setup)
}

/// What the server says of itself; a recording may be older than the question.
fn info(client: &Client, is_replay: bool, context: &Context) -> Result<Option<TeiInfo>, OpenError> {
    match Tei::ask(client, context) {
        Ok(info) => Ok(Some(info)),
        Err(error) if is_replay && *error.kind() == ErrorKind::NotRecorded => Ok(None),
        Err(error) => Err(OpenError::Info(Box::new(error))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use secondpass_core::{BillingUnit, Origin, RerankError, Reranker};
    use secondpass_http::{Answer, ExchangeError, Request};
    use serde_json::json;

    use super::super::{PROVIDERS, check};
    use super::*;

    const KEY: &str = "planted-Key_0123456789abcdefXYZ";

    /// Answers as each provider does, and keeps what it was asked.
    #[derive(Default)]
    struct Echo(Mutex<Vec<Request>>);

    impl Exchange for Echo {
        fn exchange(&self, request: &Request, _: Duration) -> Result<Answer, ExchangeError> {
            self.0.lock().unwrap().push(request.clone());
            let rows = |score: &str| json!([{"index": 1, score: 0.9}, {"index": 0, score: 0.1}]);
            let has = |part: &str| request.url.contains(part);
            let body = match () {
                () if has("/info") => json!({
                    "model_id": "BAAI/bge-reranker-v2-m3", "model_sha": "953dc6f",
                    "model_dtype": "float16", "max_input_length": 8192, "max_client_batch_size": 64,
                }),
                () if request.body.windows(7).any(|part| part == b"\"texts\"") => rows("score"),
                () if has("pinecone") || has("mixedbread") => json!({"data": rows("score")}),
                () if has("voyage") => json!({"data": rows("relevance_score")}),
                () => json!({"results": rows("relevance_score")}),
            };
            Ok(Answer { status: 200, headers: Vec::new(), body: body.to_string().into() })
        }
    }

    fn settings(kind: &str, through: Through) -> OpenSettings {
        let known = provider(kind).unwrap();
        OpenSettings {
            name: format!("my {kind}"),
            provider: kind.to_owned(),
            base_url: known.base_url.is_none().then(|| example(known).to_owned()),
            key: known.key_needed.then(|| Secret::new(KEY, "TEST_KEY").unwrap()),
            key_env: None,
            options: Options {
                model: (kind != "bedrock" && kind != "tei").then(|| "rerank-v3.5".to_owned()),
                region: (kind == "bedrock").then(|| "eu-central-1".to_owned()),
                ..Options::default()
            },
            rates: Rates::default(),
            attempts: None,
            timeouts: Timeouts::default(),
            through,
            tariff: known.unit("rerank-v3.5").map(|unit| Tariff { unit, price: None }),
            tokens: Box::new(super::super::Guess),
            concurrency: 1,
        }
    }

    fn opened(settings: OpenSettings) -> Hosted {
        open(settings, &Context::default()).unwrap()
    }

    fn refused(settings: OpenSettings) -> OpenError {
        open(settings, &Context::default()).err().unwrap()
    }

    #[test]
    fn no_word_makes_a_providers_server_the_users() {
        for known in PROVIDERS.iter().filter(|known| known.base_url.is_some()) {
            let mut settings = settings(known.kind, Through::Network);
            settings.options.region = Some(Destination::SELF_HOSTED.to_owned());
            let error = destination(&settings).unwrap_err();
            assert!(error.to_string().contains("no server of yours"), "{}: {error}", known.kind);
            settings.base_url = Some("https://rerank.example.com".to_owned());
            assert!(destination(&settings).unwrap().self_hosted, "{}", known.kind);
        }
    }

    #[test]
    fn every_provider_opens_and_answers_the_smallest_call() {
        for known in PROVIDERS {
            let echo = Arc::new(Echo::default());
            let hosted = opened(settings(known.kind, Through::Exchange(echo.clone())));
            let checked = check(&hosted, &Context::default()).unwrap();
            assert!(checked.in_order, "{}", known.kind);
            assert_eq!(checked.reranked.origin, Origin::Live);
            let sent = echo.0.lock().unwrap();
            let request = sent.last().unwrap();
            let endpoint = hosted.identity().endpoint.clone().unwrap();
            assert!(request.url.starts_with(&endpoint), "{endpoint}");
            assert_eq!(request.secrets.len(), usize::from(known.key_needed), "{}", known.kind);
            let header = match known.key_kind {
                KeyKind::Header(name) => (name, KEY.to_owned()),
                KeyKind::Bearer | KeyKind::SigV4 => ("authorization", format!("Bearer {KEY}")),
            };
            for (name, value) in &request.secrets {
                assert_eq!((name.as_str(), value.expose()), (header.0, header.1.as_str()));
            }
            assert_eq!(hosted.identity().provider, known.kind);
            assert_eq!(hosted.identity().name, format!("my {}", known.kind));
            assert_eq!(hosted.tariff().map(|tariff| tariff.unit), known.unit("rerank-v3.5"));
            assert_eq!(hosted.destination().unwrap().self_hosted, known.self_hosted);
        }
    }

    #[test]
    fn a_server_says_which_model_it_serves() {
        let identity = |options: Options| {
            let through = Through::Exchange(Arc::new(Echo::default()));
            let hosted = opened(OpenSettings { options, ..settings("tei", through) });
            (hosted.identity().clone(), hosted.documents_a_call())
        };
        let (own, documents) = identity(Options::default());
        assert_eq!(documents, 64);
        assert_eq!(own.model, "BAAI/bge-reranker-v2-m3");
        assert_eq!(
            (own.revision.as_deref(), own.dtype.as_deref()),
            (Some("953dc6f"), Some("float16"))
        );
        assert_eq!(
            (own.max_length, own.truncation.as_deref()),
            (Some(8192), Some("longest-first"))
        );
        let (refusing, _) = identity(Options { truncate: Some(false), ..Options::default() });
        assert_eq!(refusing.truncation.as_deref(), Some("refused"));
        let other = Options { model: Some("other".to_owned()), ..Options::default() };
        let through = Through::Exchange(Arc::new(Echo::default()));
        let error = refused(OpenSettings { options: other, ..settings("tei", through) });
        assert!(error.to_string().contains("bge-reranker-v2-m3"), "{error}");
    }

    #[test]
    fn options_that_change_scores_change_the_identity() {
        let of = |kind: &str, options: Options| {
            let through = Through::Exchange(Arc::new(Echo::default()));
            let model = Some("jina-reranker-v3".to_owned());
            let options = Options { model, ..options };
            let hosted = opened(OpenSettings { options, ..settings(kind, through) });
            (hosted.identity().truncation.clone(), hosted.identity().scoring)
        };
        let short = Options { max_tokens_per_doc: Some(512), ..Options::default() };
        assert_eq!(of("cohere", short).0.as_deref(), Some("documents at 512 tokens"));
        assert_eq!(of("cohere", Options::default()), (None, Scoring::Pointwise));
        assert_eq!(of("jina", Options::default()).1, Scoring::Listwise);
    }

    #[test]
    fn destinations_say_what_is_known_and_whose_server_it_is() {
        let of = |kind: &str, base_url: Option<&str>, region: Option<&str>| {
            let mut settings = settings(kind, Through::Network);
            settings.base_url = base_url.map(str::to_owned).or(settings.base_url);
            settings.options.region = region.map(str::to_owned).or(settings.options.region);
            destination(&settings).unwrap()
        };
        let cohere = of("cohere", None, None);
        assert_eq!(
            (cohere.host.as_str(), cohere.region, cohere.self_hosted),
            ("api.cohere.com", None, false)
        );
        assert!(cohere.retention.is_some() && cohere.fields.contains(&"document text".to_owned()));
        let elsewhere = of("cohere", Some("http://127.0.0.1:8080"), None);
        assert_eq!((elsewhere.host.as_str(), elsewhere.retention), ("127.0.0.1:8080", None));
        assert!(!elsewhere.self_hosted, "not a kind that users run");
        assert_eq!(of("pinecone", None, None).region.as_deref(), Some("us"));
        assert_eq!(of("pinecone", Some("http://127.0.0.1:1"), None).region, None);
        assert_eq!(of("cohere", None, Some("eu")).region.as_deref(), Some("eu"));
        let bedrock = of("bedrock", None, Some("us-west-2"));
        assert_eq!(bedrock.host, "bedrock-runtime.us-west-2.amazonaws.com");
        assert_eq!(bedrock.region.as_deref(), Some("us-west-2"));
        assert!(bedrock.retention.is_some());
        for (url, region, own) in [
            ("http://10.0.0.7:8080", None, true),
            ("http://gpu.local", None, true),
            ("https://tei.example.com", None, false),
            ("https://tei.example.com", Some("self-hosted"), true),
        ] {
            let tei = of("tei", Some(url), region);
            assert_eq!((tei.self_hosted, tei.region), (own, None), "{url}");
        }
    }

    #[test]
    fn a_replay_needs_no_key_and_sends_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calls.jsonl");
        let recording = Arc::new(Recording::open(&path).unwrap());
        for kind in ["cohere", "tei", "bedrock"] {
            let echo: Arc<dyn Exchange> = Arc::new(Echo::default());
            let recorder = Arc::new(Recorder::new(echo, Arc::clone(&recording)));
            let live = opened(settings(kind, Through::Exchange(recorder)));
            let live = (check(&live, &Context::default()).unwrap(), live.identity().clone());

            let replay = Arc::new(Replay::open(&path).unwrap());
            let replayed = OpenSettings { key: None, ..settings(kind, Through::Replay(replay)) };
            let hosted = opened(replayed);
            assert_eq!(hosted.identity(), &live.1);
            let again = check(&hosted, &Context::default()).unwrap();
            assert_eq!(again.reranked.ranking, live.0.reranked.ranking);
            assert!(matches!(again.reranked.origin, Origin::Replay { .. }), "{kind}");
        }
        let replay = Arc::new(Replay::open(&path).unwrap());
        let other = OpenSettings { key: None, ..settings("voyage", Through::Replay(replay)) };
        let failed = check(&opened(other), &Context::default()).unwrap_err();
        let error = failed.error.to_string();
        assert!(matches!(failed.error, RerankError::Scoring { .. }), "{error}");
        assert!(error.contains("query 'check'") && error.contains("record again"), "{error}");
    }

    #[test]
    fn a_recording_without_the_servers_word_still_replays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calls.jsonl");
        drop(Recording::open(&path).unwrap());
        let replay = Arc::new(Replay::open(&path).unwrap());
        let nameless =
            OpenSettings { base_url: None, ..settings("tei", Through::Replay(replay.clone())) };
        let hosted = opened(nameless);
        assert_eq!(hosted.identity().model, "the server's");
        assert_eq!(hosted.identity().endpoint, None);
        let mut anywhere = settings("bedrock", Through::Replay(replay));
        anywhere.options.region = None;
        assert_eq!(opened(anywhere).identity().model, Bedrock::MODEL);
    }

    #[test]
    fn what_is_missing_is_named() {
        let with = |kind: &str, change: fn(&mut OpenSettings)| {
            let mut settings = settings(kind, Through::Network);
            change(&mut settings);
            refused(settings).to_string()
        };
        let unknown = with("cohere", |s| s.provider = "coherent".to_owned());
        assert!(unknown.contains("'coherent' is no provider"), "{unknown}");
        let nowhere = with("azure", |s| s.base_url = None);
        assert!(nowhere.contains("base_url") && nowhere.contains("Azure"), "{nowhere}");
        let keyless = with("jina", |s| {
            s.key = None;
            s.key_env = Some("SECONDPASS_TEST_NEVER_SET".to_owned());
        });
        assert_eq!(keyless, "Jina: no key found; set SECONDPASS_TEST_NEVER_SET in the environment");
        let plain = with("cohere", |s| s.base_url = Some("http://api.cohere.com".to_owned()));
        assert!(plain.contains("use https"), "{plain}");
        let attempts = with("cohere", |s| s.attempts = Some(0));
        assert!(attempts.contains("at least 1"), "{attempts}");
        let region = with("bedrock", |s| s.options.region = Some("Frankfurt".to_owned()));
        assert!(region.contains("'region' is Frankfurt"), "{region}");
    }

    #[test]
    fn settings_reach_the_client() {
        let through = || Through::Exchange(Arc::new(Echo::default()));
        let rates = Rates { requests: Some(10.0), tokens: None, in_flight: Some(4) };
        let limited = OpenSettings { rates, attempts: Some(5), ..settings("cohere", through()) };
        let hosted = opened(limited);
        let http = hosted.client().settings();
        assert_eq!((http.rates, http.retry.attempts(), http.proxy), (rates, 5, true));
        assert!(!opened(settings("tei", through())).client().settings().proxy);
        assert_eq!(provider("cohere").unwrap().unit("rerank-v3.5"), Some(BillingUnit::SearchUnit));
    }
}
