#!/usr/bin/env bash
# Makes this folder's figures again, some hours of two cores: trains on TrecQA with two losses and three seeds each,
# the same with sentence-transformers' trainer, scores the test split once with all of them, and compares.
# Data and encoder are expected in ../shared beside the project. What is in models/ already is not trained again,
# and what was stopped goes on.
#
#   bash reports/finetune/make.sh [SECONDPASS]
#
# SECONDPASS is the path of a release binary; without it, cargo builds one. PEERS_PYTHON: a Python that has the
# packages of benches/peers/finetune/requirements.txt, instead of an environment of our own.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ $# -gt 0 ]; then
    secondpass=$1
else
    cargo build --release
    secondpass=${CARGO_TARGET_DIR:-target}/release/secondpass
fi
python=${PEERS_PYTHON:-}
if [ -z "$python" ]; then
    venv=${XDG_CACHE_HOME:-$HOME/.cache}/secondpass-peers/finetune
    [ -d "$venv" ] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement benches/peers/finetune/requirements.txt
    python=$venv/bin/python
fi

theirs() { # OUT ARGUMENTS…
    [ -e "$1/config.json" ] ||
        "$python" benches/peers/finetune/train.py configs/finetune/trecqa-ranknet.toml --out "$@"
}
for seed in 1 2 3; do
    for recipe in trecqa-softmax trecqa-ranknet; do
        [ -e "models/$recipe-$seed/training.json" ] && [ ! -e "models/.$recipe-$seed.state" ] ||
            "$secondpass" finetune --config "configs/finetune/$recipe.toml" --seed "$seed"
    done
    theirs "models/trecqa-theirs-$seed" --seed "$seed"
done
theirs models/trecqa-untrained --seed 1 --untrained

out=reports/finetune
"$secondpass" eval --config configs/trecqa-seeds.toml --out "$out/trecqa"
for pair in "ranknet theirs" "softmax theirs" "softmax ranknet"; do
    # shellcheck disable=SC2086
    "$python" benches/peers/finetune/compare.py "$out/trecqa" $pair --measure AP --measure RR
done > "$out/seeds.jsonl"
for recipe in trecqa-softmax trecqa-ranknet; do
    mkdir -p "$out/$recipe-1"
    cp "models/$recipe-1/training.json" "models/$recipe-1/report/training.md" \
        "models/$recipe-1/report/training.html" "$out/$recipe-1"
    mkdir -p "$out/$recipe-1/charts"
    cp "models/$recipe-1/report/charts/"*.svg "$out/$recipe-1/charts"
done
