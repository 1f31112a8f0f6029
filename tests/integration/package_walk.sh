#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Debian packages as they are built: what they hold and need, and the programs in them, run from where they were unpacked.
# Nothing is installed. $1: the build folder.
set -eu
build=$1
work=$(mktemp -d)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true; rm -rf "$work"' EXIT
fail() {
    printf 'package_walk: %s\n' "$1" >&2
    exit 1
}
holds() { # words, file, what they mean
    grep -Eq -- "$1" "$2" || fail "$3"
}
lacks() {
    ! grep -Eiq -- "$1" "$2" || fail "$3"
}

mkdir "$work/packages"
cpack --config "$build/CPackConfig.cmake" -B "$work/packages" >"$work/cpack.log" 2>&1 || { cat "$work/cpack.log"; fail "cpack failed"; }
server=$(echo "$work"/packages/godwit_*.deb)
client=$(echo "$work"/packages/godwit-client_*.deb)
witness=$(echo "$work"/packages/godwit-witness_*.deb)

# ---- what they need and hold
for package in server client witness; do
    eval "file=\$$package"
    dpkg-deb -I "$file" >"$work/$package.control"
    dpkg-deb -c "$file" | awk '{ print $2, $1, $6 }' >"$work/$package.files"
done
holds 'Depends: .*libsqlite3-0.*libstdc\+\+6' "$work/server.control" "the daemon's dependencies were not found out"
holds 'Depends: .*libnng1.*libsodium23' "$work/client.control" "the client's dependencies were not found out"
lacks 'Depends: .*(sqlite|stdc\+\+|duckdb)' "$work/client.control" "a researcher would have to install a database"
lacks 'Depends: .*(curl|microhttpd)' "$work/client.control" "a researcher would have to install what only a service needs"
holds 'Depends: .*libcurl4' "$work/server.control" "the daemon cannot ask its witnesses"
holds 'Depends: .*libmicrohttpd12' "$work/witness.control" "the witness's dependencies were not found out"
lacks 'Depends: .*(sqlite|stdc\+\+|duckdb|curl|nng)' "$work/witness.control" "a witness would have to install what only a service needs"
lacks 'sqlite|duckdb|godwitd|codelists' "$work/client.files" "the client's package holds what is the service's"
lacks ' \./(home|root|tmp|var)' "$work/server.files" "the package holds a path of the machine it was built on, or a state"
for path in usr/bin/godwitd usr/bin/godwit-engine usr/bin/godwit-signer usr/lib/godwit/libduckdb.so usr/lib/systemd/system/godwit.service \
    usr/lib/sysusers.d/godwit.conf etc/godwit/godwitd.env usr/share/man/man8/godwitd.8.gz usr/share/godwit/indicators/employment_rate.json; do
    holds "^root/root -[rwx-]* \\./$path\$" "$work/server.files" "the daemon's package lacks $path"
done
for path in usr/bin/godwit usr/share/bash-completion/completions/godwit usr/share/zsh/vendor-completions/_godwit \
    usr/share/fish/vendor_completions.d/godwit.fish usr/include/godwit/client/lib/client.h usr/share/man/man1/godwit.1.gz; do
    holds "^root/root -[rwx-]* \\./$path\$" "$work/client.files" "the client's package lacks $path"
done
for path in usr/bin/godwit-witness usr/lib/systemd/system/godwit-witness.service usr/lib/sysusers.d/godwit-witness.conf \
    usr/share/man/man8/godwit-witness.8.gz; do
    holds "^root/root -[rwx-]* \\./$path\$" "$work/witness.files" "the witness's package lacks $path"
done
lacks '^[^ ]* -.w..w' "$work/server.files" "a file may be written by a group"

# ---- the programs
unpacked=$work/unpacked
mkdir "$unpacked"
dpkg-deb -x "$server" "$unpacked"
dpkg-deb -x "$client" "$unpacked"
dpkg-deb -x "$witness" "$unpacked"
bin=$unpacked/usr/bin
unset GODWIT_SHARE
readelf -d "$bin/godwit-engine" | grep -E 'R(UN)?PATH' >"$work/rpath"
holds '\[\$ORIGIN/\.\./lib/godwit\]' "$work/rpath" "the engine looks for DuckDB elsewhere: $(cat "$work/rpath")"
! readelf -d "$bin/godwitd" "$bin/godwit" | grep -Eq "R(UN)?PATH" || fail "a program has a path of the build in it"
"$bin/godwitd" init --dir "$work/state" --origin pack.example/godwit >/dev/null
"$bin/godwitd" serve --dir "$work/state" 2>"$work/daemon.log" &
daemon=$!
tries=0
until "$bin/godwit" status --config "$work/state/profiles/admin.json" >"$work/status" 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || { cat "$work/daemon.log"; fail "the packaged daemon does not answer"; }
    sleep 0.05
done
"$bin/godwitd" doctor --dir "$work/state" >"$work/doctor" || { cat "$work/doctor"; fail "doctor finds something wrong"; }
kill -TERM "$daemon"
wait "$daemon" || fail "the daemon did not end well"
daemon=

"$bin/godwit-witness" init --dir "$work/witness" --name witness.pack.example/w1 >/dev/null
"$bin/godwit-witness" ls --dir "$work/witness" >/dev/null || fail "the packaged witness does not work"

# ---- the units
if command -v systemd-analyze >/dev/null 2>&1; then
    for unit in godwit.service godwit-witness.service; do
        sed "s,/usr/bin/,$bin/," "$unpacked/usr/lib/systemd/system/$unit" >"$work/$unit"
        SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "$work/$unit" >"$work/verify" 2>&1 || true
        lacks "$unit" "$work/verify" "systemd does not like the unit: $(cat "$work/verify")"
        systemd-analyze security --offline=yes --threshold=20 --no-pager "$work/$unit" >"$work/security" 2>&1 ||
            { tail -n 3 "$work/security"; fail "the unit is less closed than it was"; }
    done
fi

# ---- the library
mkdir "$work/user"
cat >"$work/user/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C)
find_package(godwit 0.1 REQUIRED)
add_executable(user user.c)
target_link_libraries(user PRIVATE gw::client gw::verify gw::privacy)
END
cat >"$work/user/user.c" <<'END'
#include "client/lib/client.h"
#include "privacy/interval.h"
#include "service/audit/verify.h"
#include <stdio.h>
int main(int argc, char **argv) {
    gw_profile profile;
    gw_problem problem = {0};
    if (argc < 2 || gw_crypto_init() != GW_OK || gw_profile_load(argv[1], &profile, &problem) != GW_OK)
        return 1;
    gw_audit_verdict verdict;
    gw_audit_state *state = NULL;
    gw_status status = gw_audit_verify_folder(argv[2], NULL, NULL, NULL, &state, &verdict);
    gw_audit_state_free(state);
    printf("%s\n", profile.origin);
    return status == GW_OK && verdict.is_sound ? 0 : 1;
}
END
cmake -S "$work/user" -B "$work/user/b" -DCMAKE_PREFIX_PATH="$unpacked/usr" -DCMAKE_BUILD_TYPE=Release >"$work/user.log" 2>&1 &&
    cmake --build "$work/user/b" >>"$work/user.log" 2>&1 || { cat "$work/user.log"; fail "a program cannot be built on the library"; }
[ "$("$work/user/b/user" "$work/state/profiles/admin.json" "$work/state/log")" = pack.example/godwit ] ||
    fail "a program built on the library does not work"

# ---- the privacy library alone, from C++: no other library is looked for
mkdir "$work/alone"
cat >"$work/alone/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(alone LANGUAGES CXX)
set(CMAKE_DISABLE_FIND_PACKAGE_OpenSSL ON)
set(CMAKE_DISABLE_FIND_PACKAGE_PkgConfig ON)
find_package(godwit 0.1 REQUIRED COMPONENTS privacy)
add_executable(alone alone.cpp)
target_link_libraries(alone PRIVATE gw::privacy)
END
cat >"$work/alone/alone.cpp" <<'END'
#include "privacy/mechanism/parts.h"
#include <cstdio>
#include <sys/random.h>
static gw_status fill(void *, void *bytes, size_t size) {
    for (char *at = static_cast<char *>(bytes); size > 0;) {
        ssize_t got = getrandom(at, size < 256 ? size : 256, 0);
        if (got <= 0)
            return GW_UNAVAILABLE;
        at += got;
        size -= static_cast<size_t>(got);
    }
    return GW_OK;
}
int main() {
    gw_noise noise = {{1000000}, 1};
    gw_exact_table *exact = nullptr;
    gw_released_table *released = nullptr;
    if (gw_exact_table_new(1, 1, &exact) != GW_OK)
        return 1;
    exact->values[0] = 1000;
    gw_random_source source = {fill, nullptr};
    gw_status status = gw_parts_release(exact, noise, source, &released);
    gw_exact_table_free(exact);
    if (status != GW_OK)
        return 1;
    long long value = static_cast<long long>(gw_released_value(released, 0, 0));
    gw_released_free(released);
    return value > 900 && value < 1100 ? 0 : 1; // beyond 100 with a chance of e^-100
}
END
cmake -S "$work/alone" -B "$work/alone/b" -DCMAKE_PREFIX_PATH="$unpacked/usr" -DCMAKE_BUILD_TYPE=Release >"$work/alone.log" 2>&1 &&
    cmake --build "$work/alone/b" >>"$work/alone.log" 2>&1 || { cat "$work/alone.log"; fail "a C++ program cannot be built on the privacy library"; }
"$work/alone/b/alone" || fail "a C++ program on the privacy library does not work"
