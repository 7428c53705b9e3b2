#!/usr/bin/env bash
# Records how one build's times differ from run to run: NAME.tsv, one run a line in the order of time, each
# query's time in microseconds. From the root of the repository, with the program built and Python with
# polars (PYTHON names another one):
#
#   tests/golden/noise/make.sh target/release/secondpass 64 quiet
#
# quiet: nothing else ran. training: a fine-tuning on all cores at low priority ran beside it. compiling: so
# many compilers did that the medians of runs lie a factor of 65 apart.
set -euo pipefail
program=$(realpath "$1")
runs=$2
name=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export SECONDPASS_CACHE="$folder/cache" XDG_CONFIG_HOME="$folder/config"
for ((run = 1; run <= runs; run++)); do
  "$program" eval --config configs/ci/embedded.toml --out "$folder/$(printf %04d "$run")" \
    --no-cache --fresh >/dev/null
done
${PYTHON:-python3} - "$folder" <<'PYTHON' >"tests/golden/noise/$name.tsv"
import json, pathlib, sys
import polars
runs = sorted(path for path in pathlib.Path(sys.argv[1]).iterdir() if (path / "record.json").exists())
record = json.loads((runs[0] / "record.json").read_text())
machine = record["machine"]
print(f"# {len(runs)} runs of configs/ci/embedded.toml by secondpass {record['version']}, "
      f"{machine['cpu']}, {machine['cores']} cores, ended {record['finished']}")
for run in runs:
    table = polars.read_parquet(run / "queries.parquet")
    table = table.filter(polars.col("system") == "helpdesk-mini").sort("query")
    print("\t".join(str(round(seconds * 1e6)) for seconds in table["seconds"].drop_nulls()))
PYTHON
