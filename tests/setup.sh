#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what testing needs on top of service/setup.sh: cmocka, clang with its checkers and sanitizers, strace, python3,
# mandoc for the man pages, spin for the ledger's model, zsh and fish for their completions, Go and its module packages for the
# independent verifier of logs.
# Does nothing, and says nothing, when all of it is there. Root, or a user with sudo.
#
#   sh tests/setup.sh          for the suite
#   sh tests/setup.sh peers    also other libraries of differential privacy, to compare with: in .build/peers, nowhere else
set -eu

here=$(cd "$(dirname "$0")" && pwd)
sh "$here/../service/setup.sh"

packages="libcmocka-dev clang clang-format clang-tidy libclang-rt-14-dev strace util-linux mandoc spin zsh fish"
command -v python3 >/dev/null 2>&1 || packages="$packages python3"
packages="$packages golang-golang-x-mod-dev"
command -v go >/dev/null 2>&1 || packages="$packages golang-go"
[ "${1:-}" != peers ] || packages="$packages python3-venv"

missing=
for package in $packages; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done

# Versions are named, so that a table of today and one of next year compare the same things.
peers() {
    folder=$here/../.build/peers
    wanted="opendp==0.16.0 diffprivlib==0.6.6 python-dp==1.1.5 numpy==2.2.6 scipy==1.17.1 scikit-learn==1.6.1"
    [ "$(cat "$folder/wanted" 2>/dev/null)" = "$wanted" ] && return
    printf 'setup: fetching %s\n' "$wanted" >&2
    # shellcheck disable=SC2086 # a list of words
    if ! { python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check $wanted; } >&2; then
        printf 'setup: the other libraries could not be fetched\n  why:  pip says so above\n  mend: sh tests/setup.sh peers, with a way to the package index\n' >&2
        exit 1
    fi
    printf '%s' "$wanted" >"$folder/wanted"
}
finish() {
    [ "${1:-}" != peers ] || peers
    exit 0
}
[ -n "$missing" ] || finish "$@"

printf 'setup: installing%s\n' "$missing" >&2
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        printf 'setup: root is needed to install:%s\n  why:  you are neither root nor is sudo installed\n  mend: su -c "sh %s"\n' \
            "$missing" "$0" >&2
        exit 1
    }
    as_root=sudo
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
$as_root apt-get -q update >"$log" 2>&1 || printf 'setup: apt-get update complained; trying all the same\n' >&2
# shellcheck disable=SC2086 # lists of words
if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $missing >>"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    printf 'setup: apt-get could not install:%s\n  why:  its last lines are above\n  mend: sudo apt-get update && sudo apt-get install%s\n' \
        "$missing" "$missing" >&2
    exit 1
fi
finish "$@"
