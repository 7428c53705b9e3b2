//! A small model, a small set, and the command that trains one on the other.

use super::Home;

/// A small model on a small set, in seconds.
pub fn recipe(more: &str) -> String {
    format!(
        r#"
name = "tiny"
seed = 3
[model]
kind = "random"
[model.shape]
hidden_size = 16
num_hidden_layers = 1
num_attention_heads = 2
intermediate_size = 32
max_length = 48
hidden_dropout = 0.0
attention_dropout = 0.0
initializer_range = 0.1
initialization = "normal"
[model.tokenizer]
vocabulary = 120
[data]
kind = "beir"
path = "set"
split = "train"
dev_split = "dev"
[sampling]
negatives = 2
hard = 1
first_stage = 0
random = 1
[training]
steps = 6
groups_per_step = 4
tokens_per_batch = 400
learning_rate = 1e-2
warmup = 1
weight_decay = 0.01
clip_norm = 1.0
decay = "cosine"
max_length = 40
truncation = "longest-first"
[keep]
every = 2
weights = "f32"
[dev]
measure = "RR"
every = 3
depth = 10
{more}"#
    )
}

/// The set of [`Home::set`], its first queries as training, some as dev, the others as test.
pub fn home() -> Home {
    let home = Home::new();
    home.set(20, 40);
    let qrels = home.read("set/qrels/test.tsv");
    let (header, rows) = qrels.split_once('\n').unwrap();
    for (split, queries) in [("train", 0..8), ("dev", 8..12), ("test", 12..20)] {
        let is_of_split = |row: &&str| {
            let query = row.split('\t').next().unwrap();
            queries.contains(&query[1..].parse::<usize>().unwrap())
        };
        let rows: Vec<&str> = rows.lines().filter(is_of_split).collect();
        home.write(&format!("set/qrels/{split}.tsv"), format!("{header}\n{}\n", rows.join("\n")));
    }
    home.write("tiny.toml", recipe("[[evaluate]]\nname = \"held out\"\npath = \"set\"\n"));
    home
}

pub const TRAIN: [&str; 7] =
    ["finetune", "--config", "tiny.toml", "--out", "model", "--device", "cpu"];
