#!/usr/bin/env bash
# Compares us with other engines on this machine's CPU and writes reports/engine-cpu. See README.md.
#
#   benches/peers/engine/run.sh [--quick] [options of bench.py]
#
# PEERS_PYTHON: a Python that has requirements.txt's packages, instead of an environment of our own.
# PEERS_OURS, PEERS_CANDLE: programs built already ("none" leaves candle out).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/secondpass-peers/engine"
mkdir -p "$cache"

python=${PEERS_PYTHON:-}
if [ -z "$python" ]; then
  venv="$cache/venv"
  if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    echo "installing $here/requirements.txt in $venv (some minutes)" >&2
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/requirements.txt"
  fi
  python="$venv/bin/python"
fi

ours=${PEERS_OURS:-}
if [ -z "$ours" ]; then
  # With the program's package beside it, so that nothing is compiled otherwise than for the program.
  (cd "$root" && cargo build --release --locked -p secondpass -p secondpass-model \
    --features secondpass-model/peers --example peer)
  ours="${CARGO_TARGET_DIR:-$root/target}/release/examples/peer"
fi
candle=${PEERS_CANDLE:-}
if [ -z "$candle" ]; then
  target="$cache/candle"
  if CARGO_TARGET_DIR="$target" cargo build --release --locked --manifest-path "$here/../candle/Cargo.toml"; then
    candle="$target/release/secondpass-peer-candle"
  else
    echo "candle does not build here: it is left out" >&2
    candle=none
  fi
fi

options=()
[ "$candle" = none ] || options+=(--candle "$candle")
tokenizer="$root/../shared/models/xlm-roberta-tokenizer/tokenizer.json"
[ ! -e "$tokenizer" ] || options+=(--tokenizer "$tokenizer")
exec "$python" "$here/bench.py" --ours "$ours" --cache "$cache" --out "$root/reports/engine-cpu" \
  "${options[@]}" "$@"
