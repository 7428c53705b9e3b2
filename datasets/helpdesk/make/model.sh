#!/usr/bin/env bash
# Trains the model that the program carries, in three stages; models/helpdesk-mini is what comes out. An hour of two
# cores, most of it the last stage.
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
"$secondpass" finetune --config configs/finetune/helpdesk-mini-long.toml --out models/helpdesk-mini --device cpu
