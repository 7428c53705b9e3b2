use std::path::Path;

use secondpass_data::training::Layout;
use secondpass_text::{Compute, LoraTarget};

use super::*;

const RECIPE: &str = r#"
name = "helpdesk-mini"
seed = 7

[model]
kind = "random"
[model.shape]
hidden_size = 128
num_hidden_layers = 2
num_attention_heads = 4
intermediate_size = 512
max_length = 192
hidden_dropout = 0.1
attention_dropout = 0.1
initializer_range = 0.02
initialization = "mimetic"
[model.tokenizer]
vocabulary = 8000

[data]
kind = "embedded"
name = "helpdesk"

[sampling]
negatives = 5
hard = 3
first_stage = 1
random = 1

[training]
epochs = 3
groups_per_step = 32
groups_per_batch = 8
learning_rate = 5e-4
warmup = 0.06
weight_decay = 0.01
clip_norm = 1.0
decay = "linear"
max_length = 160
truncation = "longest-first"

[dev]
measure = "nDCG@10"
every = 200
depth = 50
"#;

const LORA: &str = "trained.lora.targets";

/// Checkpoints may not be compared on what is learnt.
const SAME_SPLIT: &str = "kind = \"beir\"\npath = \"set\"\ndev_split = \"train\"";

#[test]
fn judgements_of_a_folder() {
    let recipe = with(
        "kind = \"embedded\"\nname = \"helpdesk\"",
        "kind = \"beir\"\npath = \"../set\"\ndev_path = \"/dev-set\"",
    );
    let split = |path: &str, split: &str| JudgedSplit {
        path: PathBuf::from(path),
        split: split.to_owned(),
    };
    let data =
        DataSource::Beir { train: split("configs/../set", "train"), dev: split("/dev-set", "dev") };
    let recipe = recipe.unwrap();
    assert_eq!((recipe.data, recipe.allow_overlap), (data, false));
    let allowed = with(DATA, &format!("{DATA}\nallow_overlap = true")).unwrap();
    assert!(allowed.allow_overlap);
    let again = with("groups_per_step", "recompute = true\ngroups_per_step").unwrap();
    assert!(again.trained.recompute);
    assert_eq!(again.trained.compute, Compute::F32);
    let narrow =
        |name: &str| with("groups_per_step", &format!("compute = \"{name}\"\ngroups_per_step"));
    assert_eq!(narrow("bf16").unwrap().trained.compute, Compute::Bf16);
    let refused = narrow("f16").unwrap_err().to_string();
    assert!(refused.contains("'training.compute' is 'f16'; allowed: 'f32', 'bf16'"), "{refused}");
    assert_eq!(with("depth = 50", "depth = 50\npool = \"judged\"").unwrap().dev.pool, Pool::Judged);
}

const DATA: &str = "kind = \"embedded\"\nname = \"helpdesk\"";

#[test]
fn files_and_runs() {
    let data = |text: &str| with(DATA, text).map(|recipe| recipe.data);
    let files = data(
        "kind = \"groups\"\npaths = [\"a.jsonl\", \"/b.jsonl.gz\"]\ndev_path = \"dev.jsonl\"\n\
         dev_corpus = \"corpus.jsonl\"",
    );
    let (path, corpus) = ("configs/dev.jsonl".into(), Some("configs/corpus.jsonl".into()));
    let expected = DataSource::Files {
        layout: Layout::Groups,
        paths: vec!["configs/a.jsonl".into(), "/b.jsonl.gz".into()],
        dev: DevSet::Golden { path, corpus },
    };
    assert_eq!(files.unwrap(), expected);
    let files =
        data("kind = \"triples\"\npath = \"a.csv\"\ndev_path = \"set\"\ndev_split = \"dev\"")
            .unwrap();
    let DataSource::Files { layout: Layout::Triples, dev: DevSet::Beir(dev), .. } = files else {
        panic!("{files:?}");
    };
    assert_eq!(dev.split, "dev");
    let run =
        data("kind = \"beir\"\npath = \"set\"\nrun = \"bm25.trec\"\nranks = [5, 50]").unwrap();
    let DataSource::BeirAndRun { run, ranks, negatives, .. } = run else { panic!("{run:?}") };
    assert_eq!((run, ranks, negatives), ("configs/bm25.trec".into(), (5, 50), 8));
    for (text, expected) in [
        ("kind = \"triples\"\ndev_path = \"dev\"", "'data.path'"),
        ("kind = \"triples\"\npath = \"a\"", "'data.dev_path'"),
        ("kind = \"triples\"\npath = \"a\"\npaths = [\"b\"]\ndev_path = \"dev\"", "'data.paths'"),
        ("kind = \"groups\"\npath = \"a\"\ndev_path = \"d\"\nrun = \"r\"", "'data.run'"),
        ("kind = \"beir\"\npath = \"set\"\nranks = [5, 50]", "'data.ranks'"),
        ("kind = \"beir\"\npath = \"set\"\nrun = \"r\"\nranks = [50, 5]", "'data.ranks'"),
    ] {
        let error = data(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

fn with(line: &str, instead: &str) -> Result<Recipe, String> {
    assert!(RECIPE.contains(line), "{line}");
    Recipe::parse(&RECIPE.replace(line, instead), "configs/r.toml").map_err(|e| e.to_string())
}

#[test]
fn reads_every_key() {
    let recipe = with("", "").unwrap();
    assert_eq!((recipe.name.as_str(), recipe.seed), ("helpdesk-mini", 7));
    assert_eq!(recipe.sampling, NegativeCounts { hard: 3, first_stage: 1, random: 1 });
    assert_eq!(recipe.training.length, Length::Epochs(3));
    assert_eq!(recipe.training.warmup, Warmup::Share(0.06));
    assert_eq!(recipe.training.clip_norm, Some(1.0));
    assert_eq!(recipe.dev.measure.to_string(), "nDCG@10");
    assert_eq!(recipe.dev.queries, None);
    let ModelSource::Random { shape, vocabulary: 8000 } = recipe.model else {
        panic!("{:?}", recipe.model);
    };
    assert_eq!((shape.hidden_size, shape.max_length), (128, 192));
    let recipe = with("epochs = 3", "steps = 90").unwrap();
    assert_eq!(recipe.training.length, Length::Steps(90));
    let recipe = with("warmup = 0.06", "warmup = 20").unwrap();
    assert_eq!(recipe.training.warmup, Warmup::Steps(20));
}

#[test]
fn what_is_left_out_has_defaults() {
    let recipe = with("", "").unwrap();
    assert_eq!((recipe.loss, recipe.trained), (LossKind::GroupSoftmax, Trained::default()));
    assert_eq!(recipe.keep, Keeping { every: 200, last: 2, half: true });
    assert_eq!(recipe.training.adamw, AdamW::default());
    assert_eq!(recipe.training.micro_batch, MicroBatch::Groups(8));
    assert!(recipe.tests.is_empty() && recipe.dev.patience.is_none());
}

#[test]
fn every_optional_table() {
    let more = "[loss]\nkind = \"lambda\"\nmu = 5.0\n\
        [trained]\nfrozen_layers = 1\n\
        [trained.lora]\ntargets = [\"query\", \"attention.output\"]\nrank = 4\nalpha = 8\n\
        [keep]\nevery = 50\nlast = 3\nweights = \"f32\"\n\
        [[evaluate]]\nname = \"far\"\npath = \"far\"\nmeasure = \"RR\"\nother_domain = true\n\
        [dev]\npatience = 4";
    let recipe = with("[dev]", more).unwrap();
    assert_eq!(recipe.loss, LossKind::Lambda { mu: 5.0 });
    let lora = recipe.trained.lora.unwrap();
    assert_eq!(lora.targets, [LoraTarget::Query, LoraTarget::AttentionOutput]);
    assert_eq!((lora.rank, lora.alpha, lora.seed), (4, 8.0, 7));
    assert!(!recipe.trained.embeddings && recipe.trained.frozen_layers == 1);
    assert_eq!(recipe.keep, Keeping { every: 50, last: 3, half: false });
    assert_eq!(recipe.dev.patience, Some(4));
    let [test] = &recipe.tests[..] else { panic!("{:?}", recipe.tests) };
    let far = JudgedSplit { path: "configs/far".into(), split: "test".to_owned() };
    assert_eq!(test.set, DevSet::Beir(far));
    assert!(test.other_domain && test.depth == 50 && test.measure.to_string() == "RR");
    let recipe = with("groups_per_batch = 8", "tokens_per_batch = 4096").unwrap();
    assert_eq!(recipe.training.micro_batch, MicroBatch::Tokens(4096));
    let recipe = with("decay = \"linear\"", "decay = \"cosine\"").unwrap();
    assert_eq!(recipe.training.decay, Decay::Cosine);
}

#[test]
fn a_golden_set_is_tested_on_by_its_file() {
    let set = |keys: &str| {
        let table = format!("depth = 50\n[[evaluate]]\nname = \"t\"\n{keys}");
        with("depth = 50", &table).map(|recipe| recipe.tests[0].set.clone())
    };
    let golden = |path: &str, corpus: Option<&str>| {
        Ok(DevSet::Golden { path: path.into(), corpus: corpus.map(PathBuf::from) })
    };
    assert_eq!(set("path = \"test.jsonl\""), golden("configs/test.jsonl", None));
    assert_eq!(
        set("path = \"/t/test.JSONL.gz\"\ncorpus = \"corpus.jsonl\""),
        golden("/t/test.JSONL.gz", Some("configs/corpus.jsonl"))
    );
    let error = set("path = \"test.jsonl\"\nsplit = \"test\"").unwrap_err();
    assert!(
        error.contains("'evaluate[0].split' does not apply when the path is a golden"),
        "{error}"
    );
    let error = set("path = \"set\"\ncorpus = \"c.jsonl\"").unwrap_err();
    assert!(
        error.contains("'evaluate[0].corpus' does not apply when the path is a BEIR"),
        "{error}"
    );
}

#[test]
fn a_folder_starts_at_the_recipes() {
    let (before, rest) = RECIPE.split_once("[model]").unwrap();
    let (_, after) = rest.split_once("[data]").unwrap();
    let parse = |model: &str| {
        let text = format!("{before}[model]\n{model}\n[data]{after}");
        Recipe::parse(&text, "configs/r.toml").map_err(|error| error.to_string())
    };
    let recipe = parse("kind = \"folder\"\npath = \"../encoder\"\nhead = \"new\"").unwrap();
    let path = PathBuf::from("configs/../encoder");
    assert_eq!(
        recipe.model,
        ModelSource::Folder { path, head: Head::New, dropout: Dropout::default() }
    );
    for (path, found) in [
        ("./encoder", "configs/./encoder"),
        ("/encoder", "/encoder"),
        ("BAAI/bge-reranker-v2-m3", "BAAI/bge-reranker-v2-m3"),
    ] {
        let recipe = parse(&format!("kind = \"folder\"\npath = \"{path}\"\nhead = \"kept\""));
        let ModelSource::Folder { path, .. } = recipe.unwrap().model else { panic!("no folder") };
        assert_eq!(path, Path::new(found));
    }
    let error = parse("kind = \"folder\"\nhead = \"new\"").unwrap_err();
    assert_eq!(error, "configs/r.toml: key 'model.path' is missing; it is the model's folder");
    let error = parse("kind = \"folder\"\npath = \"x\"\nhead = \"old\"").unwrap_err();
    assert_eq!(error, "configs/r.toml: key 'model.head' is 'old'; allowed: 'new', 'kept'");
}

#[test]
fn errors_name_file_and_key() {
    let error = |line: &str, instead: &str| with(line, instead).unwrap_err();
    let unknown = error("every = 200", "evry = 200");
    assert!(unknown.starts_with("configs/r.toml, line 44: unknown field `evry`"), "{unknown}");
    let missing = error("seed = 7", "");
    assert!(missing.contains("missing field `seed`"), "{missing}");
    let both = error("epochs = 3", "epochs = 3\nsteps = 9");
    assert!(both.contains("'training.epochs' does not apply when training.steps"), "{both}");
    for (line, instead, key) in [
        ("name = \"helpdesk-mini\"", "name = \" \"", "name"),
        ("kind = \"random\"", "kind = \"hub\"", "model.kind"),
        ("kind = \"random\"", "kind = \"random\"\npath = \"x\"", "model.path"),
        ("hidden_size = 128", "hidden_size = 130", "model.shape.hidden_size"),
        ("num_attention_heads = 4", "num_attention_heads = 0", "model.shape.num_attention_heads"),
        ("hidden_dropout = 0.1", "hidden_dropout = 1.0", "model.shape.hidden_dropout"),
        ("kind = \"embedded\"", "kind = \"files\"", "data.kind"),
        ("kind = \"embedded\"", "kind = \"embedded\"\nsplit = \"x\"", "data.split"),
        ("kind = \"embedded\"", "kind = \"beir\"", "data.name"),
        ("kind = \"embedded\"\nname = \"helpdesk\"", "kind = \"beir\"", "data.path"),
        ("kind = \"embedded\"\nname = \"helpdesk\"", SAME_SPLIT, "data.dev_split"),
        ("depth = 50", "depth = 50\npool = \"all\"", "dev.pool"),
        ("negatives = 5", "negatives = 4", "sampling.negatives"),
        ("epochs = 3", "", "training.epochs"),
        ("groups_per_batch = 8", "groups_per_batch = 33", "training.groups_per_batch"),
        ("learning_rate = 5e-4", "learning_rate = nan", "training.learning_rate"),
        ("warmup = 0.06", "warmup = 1.5", "training.warmup"),
        ("warmup = 0.06", "warmup = -1", "training.warmup"),
        ("warmup = 0.06", "warmup = \"all\"", "training.warmup"),
        ("clip_norm = 1.0", "clip_norm = 0.0", "training.clip_norm"),
        ("decay = \"linear\"", "decay = \"step\"", "training.decay"),
        ("groups_per_batch = 8", "", "training.groups_per_batch"),
        (
            "groups_per_batch = 8",
            "groups_per_batch = 8\ntokens_per_batch = 8",
            "training.groups_per_batch",
        ),
        ("groups_per_batch = 8", "tokens_per_batch = 0", "training.tokens_per_batch"),
        ("weight_decay = 0.01", "weight_decay = -1.0", "training.weight_decay"),
        ("clip_norm = 1.0", "clip_norm = 1.0\nadamw = { beta_2 = 1.0 }", "training.adamw.beta_2"),
        ("kind = \"random\"", "kind = \"random\"\nhidden_dropout = 0.1", "model.hidden_dropout"),
        ("depth = 50", "depth = 50\npatience = 0", "dev.patience"),
        ("[dev]", "[loss]\nkind = \"hinge\"\n[dev]", "loss.kind"),
        ("[dev]", "[loss]\nkind = \"ranknet\"\nmu = 1.0\n[dev]", "loss.mu"),
        ("[dev]", "[loss]\nkind = \"lambda\"\nmu = -1.0\n[dev]", "loss.mu"),
        ("[dev]", "[loss]\nkind = \"distillation\"\nweight = 0.0\n[dev]", "loss.weight"),
        ("[dev]", "[loss]\nkind = \"margin-mse\"\n[dev]", "sampling.hard"),
        ("[dev]", "[keep]\nweights = \"bf16\"\n[dev]", "keep.weights"),
        ("[dev]", "[keep]\nlast = 0\n[dev]", "keep.last"),
        ("[dev]", "[trained.lora]\ntargets = []\nrank = 8\nalpha = 16\n[dev]", LORA),
        ("[dev]", "[trained.lora]\ntargets = [\"w\"]\nrank = 8\nalpha = 16\n[dev]", LORA),
        (
            "[dev]",
            "[trained]\nembeddings = true\nlora = { targets = [\"key\"], rank = 8, alpha = 9 }\n[dev]",
            "trained.embeddings",
        ),
        ("depth = 50", "depth = 50\n[[evaluate]]\nname = \" \"\npath = \"x\"", "evaluate[0].name"),
        ("max_length = 160", "max_length = 193", "training.max_length"),
        ("\"longest-first\"", "\"left\"", "training.truncation"),
        ("nDCG@10", "ndcg", "dev.measure"),
        ("every = 200", "every = 0", "dev.every"),
        ("depth = 50", "depth = 50\nqueries = 0", "dev.queries"),
    ] {
        let message = error(line, instead);
        assert!(message.starts_with(&format!("configs/r.toml: key '{key}'")), "{message}");
    }
}

#[test]
fn a_name_names_a_folder_and_none_elsewhere() {
    for name in ["../../esc", "a/b", "..", ".hidden", " "] {
        let text = RECIPE.replace("name = \"helpdesk-mini\"", &format!("name = \"{name}\""));
        let error = Recipe::parse(&text, "configs/r.toml").unwrap_err().to_string();
        assert!(error.contains("key 'name' is"), "{error}");
    }
}
