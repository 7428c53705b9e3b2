#!/usr/bin/env bash
# Asserts that an archive, and a kernel cache if one is to go along, can be carried beside the working tree (32 MB): the
# archive has less than 35 MB, and all of it less than 64 MiB.
#
#   bash benches/gpu/fits.sh benches/gpu/kit.tar.xz [cache.tar.xz]
set -euo pipefail
mb() { echo "$(($1 / 1000000)).$(($1 / 100000 % 10)) MB"; }
size=$(stat -c %s "$1")
all=$size
[ $# -lt 2 ] || all=$((all + $(stat -c %s "$2")))
tree=$(git ls-files -z --cached --others --exclude-standard | xargs -0 stat -c %s -- 2>/dev/null | awk '{ sum += $1 } END { print sum }')
echo "$1: $(mb "$size"); with the working tree $(mb $((tree + all))) of $(mb $((64 << 20)))"
if [ "$size" -ge 35000000 ]; then echo "$1 is too large: 35 MB are the limit" >&2 && exit 1; fi
if [ $((tree + all)) -ge $((64 << 20)) ]; then echo "archive and working tree are too large together" >&2 && exit 1; fi
