#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sets up, builds (Release) and runs `godwit demo`. Arguments go to `godwit demo`. Needs nothing but a checkout.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/.build/release

# step <what it is> <command…>: one line of progress; the command's own output is shown only if it fails.
step() {
    printf '%s … ' "$1" >&2
    shift
    begin=$(date +%s)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        printf 'failed\n' >&2
        tail -n 60 "$log" >&2
        exit 1
    fi
    printf '%s s\n' "$(($(date +%s) - begin))" >&2
}

# A folder configured by the tests is used as it is: it builds the same programs.
configure() {
    [ -f "$build/build.ninja" ] ||
        cmake -G Ninja -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DGW_TESTS=OFF -DGW_WERROR=OFF \
            -DGW_DUCKDB_ROOT="$(sh "$root/service/setup.sh" --print-duckdb)"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Set-up speaks for itself: it is silent when there is nothing to do and may ask for a password.
sh "$root/service/setup.sh"
step 'configuring' configure
step 'building' ninja -C "$build" godwit godwitd godwit-engine godwit-signer godwit-witness
rm -f "$log"
exec "$build/bin/godwit" demo --share "$root/policies" "$@"
