//! `secondpass finetune` on a disk that is full, with too little memory, with a state or weights that are
//! damaged, and beside another one.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use support::finetune::{TRAIN, home};
use support::{Home, fails, stderr, succeeds, until};

/// Trains on a small disk of its own, which is made larger each time that it was full. `$0` is the program.
const ON_A_SMALL_DISK: &str = r#"
mount -t tmpfs -o size=16k tmpfs disk || exit 9
for size in 16 24 32 48 64 96 128 192 256 384 512 768 1024 2048; do
    mount -o remount,size=${size}k disk || exit 9
    "$0" finetune --config tiny.toml --out disk/model --device cpu > out 2> errors
    code=$?
    echo "$size $code $(tail -n 1 errors)"
    [ $code = 0 ] && break
done
cp -r disk trained
"#;

/// As the root of a machine of its own: only there may a test mount a disk.
fn unshared(home: &Home) -> Command {
    let mut command = home.other("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c"]).stdin(Stdio::null());
    command
}

#[test]
fn a_full_disk_costs_time_and_no_step() {
    let home = home();
    fs::create_dir(home.path("disk")).unwrap();
    let can = unshared(&home).arg("mount -t tmpfs tmpfs disk").stderr(Stdio::null()).status();
    if !can.is_ok_and(|status| status.success()) {
        println!("skipped: nothing can be mounted here");
        return;
    }
    succeeds(&home.run(&TRAIN));
    let program = env!("CARGO_BIN_EXE_secondpass");
    let told = succeeds(&unshared(&home).args([ON_A_SMALL_DISK, program]).output().unwrap());
    let (full, last): (Vec<&str>, Vec<&str>) = told.lines().partition(|line| !line.contains(" 0 "));
    assert!(full.len() > 4 && last.len() == 1, "{told}");
    for line in full {
        assert!(line.contains(" 1 error: ") && line.contains("No space left on device"), "{line}");
        assert!(
            line.contains("space or") || line.contains("check the free space"),
            "no remedy: {line}"
        );
    }
    for file in
        ["model.safetensors", "config.json", "tokenizer.json", "README.md", "report/training.md"]
    {
        assert!(home.path("trained/model").join(file).exists(), "{file} is missing");
    }
    let weights = "model/model.safetensors";
    assert!(home.bytes(weights) == home.bytes(&format!("trained/{weights}")), "other weights");
    assert_eq!(fs::read_dir(home.path("trained")).unwrap().count(), 1, "only the model is left");
}

/// A run that was killed with two states behind it, and its latest state.
fn killed() -> (Home, PathBuf) {
    let home = home();
    home.write("tiny.toml", home.read("tiny.toml").replace("steps = 6", "steps = 400"));
    let latest = home.path(".model.state/step-00000004");
    let mut child = home.start(home.command(&TRAIN).stdin(Stdio::null()));
    until("a second state", || latest.exists() || child.try_wait().unwrap().is_some());
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success(), "it ended before it was killed");
    let mut states: Vec<PathBuf> = fs::read_dir(home.path(".model.state"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    states.retain(|path| path.is_dir() && !path.ends_with("partial"));
    states.sort();
    // A third where it was killed before the oldest was dropped.
    assert!(matches!(states.len(), 2 | 3), "{states:?}");
    (home, states.pop().unwrap())
}

/// Turns one bit in the middle of a file.
fn damage(file: &std::path::Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_damaged_state_costs_the_steps_since_the_one_before() {
    let (home, latest) = killed();
    damage(&latest.join("state.safetensors"));
    let output = home.run(&TRAIN);
    succeeds(&output);
    let (told, name) = (stderr(&output), latest.file_name().unwrap().to_string_lossy());
    assert!(told.contains(&format!("{name}")) && told.contains("damaged"), "{told}");
    assert!(told.contains("going on after step"), "{told}");
    let resumed = home.bytes("model/model.safetensors");
    let args = ["finetune", "--config", "tiny.toml", "--out", "whole", "--device", "cpu"];
    succeeds(&home.run(&args));
    assert!(home.bytes("whole/model.safetensors") == resumed, "other weights than without a kill");
}

#[test]
fn without_a_state_that_is_whole_nothing_is_begun_anew_unasked() {
    let (home, latest) = killed();
    for entry in fs::read_dir(latest.parent().unwrap()).unwrap() {
        let state = entry.unwrap().path();
        if state.is_dir() && !state.ends_with("partial") {
            damage(&state.join("trainer.json"));
        }
    }
    let before = home.bytes("model/model.safetensors");
    fails(&home.run(&TRAIN), 1, "none of its states can be used");
    assert!(home.bytes("model/model.safetensors") == before);
    succeeds(&home.run(&[&TRAIN[..], &["--fresh"]].concat()));
}

#[test]
fn best_weights_that_were_lost_are_not_called_a_model() {
    let (home, _) = killed();
    let weights = home.bytes("model/model.safetensors");
    home.write("model/model.safetensors", "hi");
    fails(&home.run(&TRAIN), 1, "were changed or removed since the run was stopped");
    home.write("model/model.safetensors", weights);
    succeeds(&home.run(&TRAIN));
}

#[test]
fn two_trainings_do_not_share_a_folder() {
    let home = home();
    home.write("tiny.toml", home.read("tiny.toml").replace("steps = 6", "steps = 2000"));
    let mut first = home.start(home.command(&TRAIN).stdin(Stdio::null()));
    let state = home.path(".model.state");
    until("a first training", || state.exists() || first.try_wait().unwrap().is_some());
    fails(&home.run(&TRAIN), 1, "another training into model is at work");
    first.kill().unwrap();
    first.wait().unwrap();
    home.write("tiny.toml", home.read("tiny.toml").replace("steps = 2000", "steps = 6"));
    // Another recipe: the stopped run's own model goes, as nothing of it is worth keeping.
    succeeds(&home.run(&[&TRAIN[..], &["--fresh"]].concat()));
}

/// Under less and less memory a micro-batch is cut before anything ends the process.
#[cfg(target_os = "linux")]
#[test]
fn too_little_memory_cuts_batches() {
    let home = home();
    let mut recipe = home.read("tiny.toml");
    for (from, to) in [
        ("hidden_size = 16", "hidden_size = 128"),
        ("num_hidden_layers = 1", "num_hidden_layers = 4"),
        ("intermediate_size = 32", "intermediate_size = 1024"),
        ("steps = 6", "steps = 1"),
        ("groups_per_step = 4", "groups_per_step = 192"),
        ("tokens_per_batch = 400", "groups_per_batch = 192"),
    ] {
        assert!(recipe.contains(from));
        recipe = recipe.replace(from, to);
    }
    home.write("tiny.toml", &recipe[..recipe.find("[[evaluate]]").unwrap()]);
    let args = [&["finetune", "--config", "tiny.toml", "--device", "cpu", "--out"][..]].concat();
    let mut kibibytes = 3_000_000;
    for attempt in 0.. {
        let out = format!("model-{attempt}");
        let command = format!("ulimit -v {kibibytes}; exec \"$0\" \"$@\"");
        let mut limited = home.other("sh");
        limited.args(["-c", &command, env!("CARGO_BIN_EXE_secondpass")]).args(&args).arg(&out);
        let output = limited.stdin(Stdio::null()).output().unwrap();
        let told = stderr(&output);
        if told.contains("out of memory; micro-batches hold at most") {
            succeeds(&output);
            return;
        }
        assert!(output.status.success(), "{kibibytes} KiB, before any batch was cut: {told}");
        kibibytes = kibibytes / 100 * 96;
    }
}
