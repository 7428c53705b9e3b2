#!/usr/bin/env bash
# Times `secondpass measure` beside pytrec_eval on one million rows: see README.md.
#
#   bash benches/peers/measures/run.sh [SECONDPASS]
#
# SECONDPASS is the path of a release binary; without it, cargo builds one.
# ROUNDS (7), FOLDER (target/peers/measures), PYTHON (a venv made in FOLDER) and RANX=1 are taken from the environment.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
folder=${FOLDER:-$root/target/peers/measures}
rounds=${ROUNDS:-7}
mkdir -p "$folder"

if [ -z "${PYTHON:-}" ]; then
    PYTHON=$folder/venv/bin/python
    [ -x "$PYTHON" ] || python3 -m venv "$folder/venv"
    "$PYTHON" -m pip install --quiet --requirement "$here/requirements.txt"
    [ -z "${RANX:-}" ] || "$PYTHON" -m pip install --quiet --requirement "$here/requirements-ranx.txt"
fi
[ -s "$folder/run.trec" ] && [ -s "$folder/qrels.txt" ] || "$PYTHON" "$here/make.py" "$folder"

if [ $# -gt 0 ]; then
    secondpass=$1
else
    (cd "$root" && cargo build --release --bin secondpass)
    secondpass=${CARGO_TARGET_DIR:-$root/target}/release/secondpass
fi

"$PYTHON" "$here/compare.py" "$folder" "$rounds" with_pytrec_eval.py -- "$secondpass"
[ -z "${RANX:-}" ] || "$PYTHON" "$here/compare.py" "$folder" "$rounds" with_ranx.py -- "$secondpass"
