#!/usr/bin/env bash
# Everything in one call on a machine with a card, CUDA 13, PyTorch, transformers and no network:
#
#   tar xf kit.tar.xz && bash kit/run.sh OUT [more of compare.py's flags]
#
# A rehearsal without a card: bash kit/run.sh OUT --device cpu --ours flex --shape small --rounds 2 --dtypes f32
set -euo pipefail
out=${1:?where the report goes}
shift
cd "$(dirname "$0")"
nvidia-smi || echo "no nvidia-smi: only a rehearsal can run"
python3 compare.py --kit ./kit --cases cases.json --out "$out" "$@"
