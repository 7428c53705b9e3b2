#!/usr/bin/env bash
# SciFact's train split becomes train and dev (a tenth of the claims). Claims that stand a second time under another id
# are left out: two that the test split has, too (871, 1291), and two of train itself (86, 90). Negatives are mined from
# BM25's ranks 3 to 50; a model is trained on them and tested. Data are expected in ../shared beside the project;
# models/trecqa-softmax-1 comes from make.sh.
#
#   bash reports/finetune/scifact.sh SECONDPASS
set -euo pipefail
cd "$(dirname "$0")/../.."
secondpass=$1
source=../shared/data/scifact
set=models/scifact-split
mkdir -p "$set/qrels"
cp -f "$source/corpus.jsonl" "$source/queries.jsonl" "$set"
awk -F '\t' -v folder="$set/qrels" '
    NR == 1 { print > (folder "/train.tsv"); print > (folder "/dev.tsv"); next }
    $1 == 871 || $1 == 1291 || $1 == 86 || $1 == 90 { next }
    !($1 in place) { place[$1] = queries++ }
    { print > (folder (place[$1] % 10 == 0 ? "/dev.tsv" : "/train.tsv")) }
' "$source/qrels/train.tsv"
"$secondpass" mine --config configs/finetune/scifact-mine.toml --split train \
    --ranks 3..50 --sampling random --num-negatives 20 --seed 1 --out "$set/mined.jsonl"
[ -e models/scifact-me5/training.json ] && [ ! -e models/.scifact-me5.state ] ||
    "$secondpass" finetune --config configs/finetune/scifact-me5.toml
out=reports/finetune/scifact-me5
mkdir -p "$out/charts"
cp models/scifact-me5/training.json models/scifact-me5/report/training.md models/scifact-me5/report/training.html "$out"
cp models/scifact-me5/report/charts/*.svg "$out/charts"
