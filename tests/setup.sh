#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what testing needs on top of service/setup.sh: cmocka, clang with its checkers and sanitizers, strace, python3,
# mandoc for the man pages, zsh and fish for their completions.
# Does nothing, and says nothing, when all of it is there. Root, or a user with sudo.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
sh "$here/../service/setup.sh"

packages="libcmocka-dev clang clang-format clang-tidy libclang-rt-14-dev strace util-linux mandoc zsh fish"
command -v python3 >/dev/null 2>&1 || packages="$packages python3"

missing=
for package in $packages; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

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
