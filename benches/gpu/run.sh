#!/usr/bin/env bash
# Everything in one call on a machine with a card, CUDA 13, PyTorch, transformers and no network:
#
#   tar xf kit.tar.xz && bash kit/run.sh OUT [more of compare.py's flags]
#
# The report is in OUT, whatever happens, within eight minutes: MINUTES=6 asks for less, PYTHON names an
# interpreter. OUT/cache.tar.xz, where there is one, holds tuned kernels for the next run on such a card:
# bash kit/run.sh OUT --cache cache.tar.xz
set -euo pipefail
out=${1:?where the report goes}
shift
python=${PYTHON:-python3}
minutes=${MINUTES:-8}
kit=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
nvidia-smi || echo "no nvidia-smi: only a rehearsal can run"
export PYTHONUNBUFFERED=1
# compare.py keeps its time; this is for the case that it does not.
grace=$(awk "BEGIN { print int(60 * $minutes + 15) }")
timeout --kill-after=10 "$grace" "$python" "$kit/compare.py" --kit "$kit/kit" --cases "$kit/cases.json" \
    --sets "$kit/sets.json" --out "$out" --minutes "$minutes" --revision "$(cat "$kit/revision")" "$@"
