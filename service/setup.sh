#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what building and running Godwit need on Debian 12: packages, and DuckDB's library and header in a cache folder.
# Does nothing, and says nothing, when all of it is there. Root, or a user with sudo.
#
#   sh service/setup.sh                   install what is missing
#   sh service/setup.sh --print-duckdb    print the folder of duckdb.h and libduckdb.so (for -DGW_DUCKDB_ROOT=…); installs nothing
#
# Environment:
#   GW_DUCKDB_ROOT    a folder that already has duckdb.h and libduckdb.so: nothing is fetched
#   GODWIT_CACHE      where fetched files are kept (default: $XDG_CACHE_HOME/godwit or ~/.cache/godwit)
set -eu

packages="build-essential cmake ninja-build pkg-config libsodium-dev libssl-dev libnng-dev libcjson-dev libsqlite3-dev zlib1g-dev
  libcurl4-openssl-dev libmicrohttpd-dev scdoc openssl ca-certificates"

# DuckDB comes from its vendor's npm packages; no script of theirs is run and only two files are kept. Each archive and each
# kept file is compared with a SHA-512 pinned here. The header is the vendor's older C header: every function in it is in
# the newer library.
header_package=duckdb@1.4.4
header_path=package/src/duckdb/src/include/duckdb.h
header_pin='hEJJ5hyVF0VLj3dmOLpsWrQR0b3d4Ykqtygm6iUXjHJDDnSqg/USKxcb5qvNrOhFYPgktayU6dXCtgPqcmmpog=='
header_file_pin='uQHv3m3s9zpp9k25MZ6dZT1VKJlJzP//5SBWmDsWs5JA+GNe8d4R590h/kuODOy8Y9NiokxG+cmHN/TKScgyWA=='
library_path=package/libduckdb.so

fail() { # what, why, how to mend
    printf 'setup: %s\n  why:  %s\n  mend: %s\n' "$1" "$2" "$3" >&2
    exit 1
}

say() {
    printf 'setup: %s\n' "$1" >&2
}

case $(uname -m) in
x86_64 | amd64)
    version=1.5.6
    library_package=@duckdb/node-bindings-linux-x64@1.5.6-r.1
    library_pin='IXcrZJE6kEqM0Z4wwdVnGBHX/frOS33VPNAwDXQ/Q+Fs84b058Qe94chrCCIcNJlG8Y3UHIUU4eBeCQxW5mN1Q=='
    library_file_pin='VLlWbwsgDlL0RBZBK8YW+7aTE4Up/vgVCsb70sbHl2ErQ8W1tETM+FRhsKeaYnBnRVrcxwTJIpXYE/qhC1/L3Q=='
    ;;
aarch64 | arm64)
    # The newest release built for this processor.
    version=1.5.5
    library_package=@duckdb/node-bindings-linux-arm64@1.5.5-r.5
    library_pin='CafH2AIvXtpwDynG3KB/4uEOHRGlFoB7auCRMIwH3BKNIobsANV5LSpDJ3tfyRCFIsK6e8AT1eseWVnu2Dv3cw=='
    library_file_pin='dc82VwvrDuPDtGAi76T1ybjZd2iOM4sFkQB33P531tVso7wWwNPPl0GJHNwlpIAKWon5WeNxMU49y+DnYjJcsg=='
    ;;
*)
    [ -n "${GW_DUCKDB_ROOT:-}" ] || fail "no DuckDB is known for the processor $(uname -m)." \
        "Pinned libraries exist for x86_64 and aarch64." "GW_DUCKDB_ROOT=<folder with duckdb.h and libduckdb.so> sh service/setup.sh"
    ;;
esac

if [ -n "${GW_DUCKDB_ROOT:-}" ]; then
    root=$GW_DUCKDB_ROOT
else
    cache=${GODWIT_CACHE:-${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}}
    [ -n "$cache" ] || fail "there is no folder to keep DuckDB in." "None of GODWIT_CACHE, XDG_CACHE_HOME and HOME is set." \
        "GODWIT_CACHE=/var/cache/godwit sh service/setup.sh"
    [ -n "${GODWIT_CACHE:-}" ] || cache=$cache/godwit
    root=$cache/duckdb-$version
fi

case ${1:-} in
--print-duckdb)
    printf '%s\n' "$root"
    exit 0
    ;;
'') ;;
-h | --help)
    sed -n '3,11s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
*)
    fail "unknown argument \"$1\"." "This script knows --print-duckdb and --help." "sh service/setup.sh --help"
    ;;
esac

missing_packages() {
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf ' %s' "$package"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        fail "root is needed to run: $*" "You are neither root nor is sudo installed." "su -c 'sh $0'"
    fi
}

# Lists are refreshed first: a fresh machine has none. A failing third-party list is not our business if the install works.
install_packages() {
    command -v apt-get >/dev/null 2>&1 || fail "these packages are missing:$*" "This system has no apt-get, so they can't be installed from here." \
        "install their counterparts by hand; Godwit is built and tested on Debian 12"
    say "installing$*"
    log=$(mktemp)
    as_root apt-get -q update >"$log" 2>&1 || say "apt-get update complained; trying all the same"
    # shellcheck disable=SC2068 # a list of words
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $@ >>"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "apt-get could not install:$*" "Its last lines are above." "sudo apt-get update && sudo apt-get install$*"
    fi
    rm -f "$log"
}

sha512_base64() {
    openssl dgst -sha512 -binary "$1" | base64 -w0
}

# fetch <package> <pin of the archive> <path inside> <destination>: into the temporary folder, compared, one file out of it.
fetch() {
    say "fetching $1"
    folder=$work/$(basename "$4")
    mkdir -p "$folder"
    if ! (cd "$folder" && npm pack "$1" --ignore-scripts --cache "$work/npm" >npm.log 2>&1); then
        tail -n 8 "$folder/npm.log" >&2
        fail "npm could not fetch $1." "Its last lines are above; most often the package registry can't be reached." \
            "check the network and \"npm ping\", then run this again; or set GW_DUCKDB_ROOT to a folder with duckdb.h and libduckdb.so"
    fi
    archive=$(echo "$folder"/*.tgz)
    [ "$(sha512_base64 "$archive")" = "$2" ] || fail "the archive of $1 is not the one this version was tested with." \
        "Its SHA-512 differs from the pin in service/setup.sh. It was not unpacked." \
        "run this again; if it stays so, tell the project, and do not use the file"
    tar -xzf "$archive" -C "$folder" "$3"
    # Renamed within one file system, so that a reader sees the whole file or none.
    mv -f "$folder/$3" "$4"
    rm -rf "$folder"
}

duckdb_is_there() {
    [ -f "$root/libduckdb.so" ] && [ -f "$root/duckdb.h" ] &&
        [ "$(sha512_base64 "$root/libduckdb.so")" = "$library_file_pin" ] &&
        [ "$(sha512_base64 "$root/duckdb.h")" = "$header_file_pin" ]
}

# shellcheck disable=SC2086 # a list of words
missing=$(missing_packages $packages)
[ -z "$missing" ] || install_packages "$missing"

if [ -n "${GW_DUCKDB_ROOT:-}" ]; then
    for file in duckdb.h libduckdb.so; do
        [ -f "$root/$file" ] || fail "$root has no $file." "GW_DUCKDB_ROOT names that folder." \
            "correct GW_DUCKDB_ROOT, or unset it to have DuckDB fetched"
    done
    exit 0
fi

duckdb_is_there && exit 0
if ! command -v npm >/dev/null 2>&1; then
    install_packages " npm"
fi
mkdir -p "$root" || fail "$root can't be made." "The cache folder isn't writable for $(id -un)." "GODWIT_CACHE=<a writable folder> sh service/setup.sh"
work=$(mktemp -d "$root/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
fetch "$library_package" "$library_pin" "$library_path" "$root/libduckdb.so"
fetch "$header_package" "$header_pin" "$header_path" "$root/duckdb.h"
duckdb_is_there || fail "the files in $root are not the pinned ones." "A SHA-512 differs after unpacking." "rm -r '$root' and run this again"
say "DuckDB $version is in $root"
