#!/usr/bin/env bash
# Makes every committed report again: trains the small reranker on TrecQA where it is not there yet (about twenty
# minutes of two cores), then runs each experiment. Data and encoder are expected in ../shared beside the project;
# all-MiniLM-L6-v2 comes from the hub.
#
#   bash reports/make.sh [SECONDPASS]
#
# SECONDPASS is the path of a release binary; without it, cargo builds one.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -gt 0 ]; then
    secondpass=$1
else
    cargo build --release
    secondpass=${CARGO_TARGET_DIR:-target}/release/secondpass
fi
[ -d models/trecqa-me5 ] ||
    "$secondpass" finetune --config configs/finetune/trecqa-me5.toml --out models/trecqa-me5
for name in scifact-bm25 scifact scifact-rerank trecqa xquad-r-en xquad-r-de xquad-r-es xquad-r-zh xquad-r-ar; do
    echo "== $name"
    "$secondpass" eval --config "configs/$name.toml" --out "reports/$name"
done
