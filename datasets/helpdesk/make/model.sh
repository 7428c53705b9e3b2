#!/usr/bin/env bash
# Trains the model that the program carries, in stages; models/helpdesk-mini is what comes out. Three hours
# of two cores, half of them the last three rounds.
#
#   bash datasets/helpdesk/make/model.sh SECONDPASS
set -euo pipefail
cd "$(dirname "$0")/../../.."
secondpass=$1
make=datasets/helpdesk/make
"$secondpass" finetune --config configs/finetune/helpdesk-mini.toml --out models/helpdesk-mini-templates --device cpu
python3 "$make/cloze.py" models/helpdesk-cloze
"$secondpass" finetune --config configs/finetune/helpdesk-mini-cloze.toml --out models/helpdesk-mini-cloze --device cpu
python3 "$make/lengthen.py" models/helpdesk-mini-cloze models/helpdesk-mini-lengthened 128
"$secondpass" finetune --config configs/finetune/helpdesk-mini-long.toml --out models/helpdesk-mini-long --device cpu
# Queries are longer from here on.
python3 "$make/lengthen.py" models/helpdesk-mini-long models/helpdesk-mini-groups-0 160
for round in 1 2 3; do
    ln -sfn "helpdesk-mini-groups-$((round - 1))" models/helpdesk-mini-so-far
    python3 "$make/groups.py" models/helpdesk-groups.jsonl 72000 "$round"
    "$secondpass" finetune --config configs/finetune/helpdesk-mini-groups.toml --out "models/helpdesk-mini-groups-$round" --device cpu
done
python3 "$make/average.py" models/helpdesk-mini models/helpdesk-mini-groups-2 models/helpdesk-mini-groups-3
