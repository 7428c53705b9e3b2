#!/usr/bin/env bash
# Asserts that a program runs on Ubuntu 24.04 as it is: what it needs of the system is listed here, what may be missing
# there goes along, and no symbol is newer than glibc 2.39.
#
#   bash benches/gpu/needed.sh PROGRAM FOLDER_FOR_LIBRARIES
set -euo pipefail
program=$1
folder=$2
for name in $(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    case $name in
    libc.so.6 | libm.so.6 | libdl.so.2 | libpthread.so.0 | librt.so.1 | ld-linux-x86-64.so.2 | libgcc_s.so.1) ;;
    # LLVM's.
    libz.so.1 | libzstd.so.1 | libstdc++.so.6)
        path=$(ldd "$program" | awk -v name="$name" '$1 == name { print $3 }')
        cp -L "${path:?$name is not here}" "$folder/"
        ;;
    *) echo "$program needs $name, which a bare machine may not have: link it statically, or list it here" >&2 && exit 1 ;;
    esac
done
newest=$(find "$program" "$folder" -type f -exec readelf -V {} + | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1)
if [ "$(printf '%s\n' "$newest" GLIBC_2.39 | sort -V | tail -1)" != GLIBC_2.39 ]; then
    echo "$program needs $newest, Ubuntu 24.04 has GLIBC_2.39" >&2 && exit 1
fi
