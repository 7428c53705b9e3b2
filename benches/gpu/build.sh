#!/usr/bin/env bash
# Builds what travels to a machine with a card: our program with CUDA, stripped, the token ids, the scripts; one
# archive of less than 40 MB. Needs LLVM 23 for burn's CUDA backend, SciFact and XLM-R's tokenizer in ../shared, and a
# Python with tokenizers.
#
#   bash benches/gpu/build.sh [--features cuda]     -> benches/gpu/kit.tar.xz
set -euo pipefail
cd "$(dirname "$0")/../.."
features=${2:-cuda}
target=${CARGO_TARGET_DIR:-target}
cargo build --release --locked --example kit --features "$features"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/kit"
cp "$target/release/examples/kit" "$work/kit/kit"
strip "$work/kit/kit"
cp benches/gpu/{compare,torch_side}.py benches/gpu/run.sh "$work/kit/"
python3 benches/gpu/cases.py ../shared/models/xlm-roberta-tokenizer ../shared/data/scifact >"$work/kit/cases.json"
tar -C "$work" -cf - kit | xz -6 -T0 >benches/gpu/kit.tar.xz
size=$(stat -c %s benches/gpu/kit.tar.xz)
echo "benches/gpu/kit.tar.xz: $((size / 1000000)) MB"
test "$size" -lt 40000000
