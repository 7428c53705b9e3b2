#!/usr/bin/env bash
# Builds what travels to a machine with a card: our program with CUDA, stripped, the token ids, the scripts; one
# archive. Needs LLVM 23 for burn's CUDA backend, SciFact and XLM-R's tokenizer in ../shared, and a Python with
# tokenizers (PYTHON names it).
#
#   bash benches/gpu/build.sh                 -> benches/gpu/kit.tar.xz, or where ARCHIVE says
#   bash benches/gpu/build.sh --kit PROGRAM   the same around a program that is already built
set -euo pipefail
cd "$(dirname "$0")/../.."
kit=
while [ $# -gt 0 ]; do
    case $1 in
    --kit) kit=${2:?a program} && shift 2 ;;
    *) echo "unknown argument '$1'" >&2 && exit 2 ;;
    esac
done
archive=${ARCHIVE:-benches/gpu/kit.tar.xz}
python=${PYTHON:-python3}

# Bindings for the CUDA that the driver of a machine with CUDA 13.0 has, and not for the newest known.
export CUDARC_CUDA_VERSION=13000
if [ -z "$kit" ]; then
    cargo build --release --locked --example kit --features cuda
    kit=${CARGO_TARGET_DIR:-target}/release/examples/kit
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/kit/lib"
cp "$kit" "$work/kit/kit"
strip "$work/kit/kit"
bash benches/gpu/needed.sh "$work/kit/kit" "$work/kit/lib"
cp benches/gpu/{compare,locate,phases,report,shapes,sides,torch_side}.py benches/gpu/run.sh "$work/kit/"
"$python" benches/gpu/cases.py ../shared/models/xlm-roberta-tokenizer ../shared/data/scifact \
    crates/model/assets/helpdesk-mini datasets/helpdesk "$work/kit"
git describe --always --dirty --abbrev=12 >"$work/kit/revision"
tar -C "$work" --sort=name --owner=0 --group=0 -cf - kit | xz -6 -T2 >"$archive"
bash benches/gpu/fits.sh "$archive"
