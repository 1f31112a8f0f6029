#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything that must hold before a change lands. Sets up, builds with gcc and clang with warnings as errors, runs the
# suite, again under the sanitizers, and the style checks. Ends with the counts; exit 0 only when nothing failed.
#
#   sh tests/run.sh          everything (under 15 minutes on two cores)
#   sh tests/run.sh fast     gcc's build, its suite and the style checks that need no second build
#   sh tests/run.sh long     everything, then the long campaigns
#   sh tests/run.sh bench    builds and runs the benchmarks (one line per case, judges nothing)
#   sh tests/run.sh peers    the same statistics by other libraries, which it fetches: time and error, side by side
#
# A test case counts once in each build that runs it. Logs are in .build/logs.
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
mode=${1:-all}
case $mode in
all | fast | long | bench | peers) ;;
*)
    printf 'run: unknown mode "%s".\n  mend: sh tests/run.sh [fast|long|bench|peers]\n' "$mode" >&2
    exit 2
    ;;
esac

logs=$root/.build/logs
rm -rf "$logs"
mkdir -p "$logs"
jobs=$(nproc)
passed=0
failed=0

sh tests/setup.sh || {
    printf 'tests: 0 passed, 1 failed\n'
    exit 1
}
duckdb=$(sh service/setup.sh --print-duckdb)

# phase <name> <command…>: one line with its time. The log is shown when it fails.
phase() {
    name=$1
    shift
    begin=$(date +%s)
    if "$@" >"$logs/$name.log" 2>&1 </dev/null; then
        verdict=ok
    else
        verdict=FAILED
    fi
    printf '%-22s %-7s %4s s\n' "$name" "$verdict" "$(($(date +%s) - begin))"
    [ "$verdict" = ok ] && return 0
    tail -n 60 "$logs/$name.log" | cut -c 1-400
    return 1
}

# A sanitizer needs the address-space layout its runtime was made for; a newer kernel scatters more than gcc 12 expects.
calm() {
    if setarch -R true 2>/dev/null; then setarch -R "$@"; else "$@"; fi
}

# single <name> <command…>: a phase that counts as one case.
single() {
    if phase "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        return 1
    fi
}

# suite <name> <folder of ctest> <more of ctest…>: a phase whose cases are counted.
suite() {
    suite_name=$1
    junit=$logs/$1.xml
    folder=$2
    shift 2
    phase "$suite_name" calm ctest --test-dir "$folder" -j "$jobs" --output-on-failure --no-tests=error --output-junit "$junit" \
        --test-output-size-passed 67108864 --test-output-size-failed 67108864 "$@"
    suite_status=$?
    counts=$(python3 tests/support/count_cases.py "$junit" 2>/dev/null) || counts="0 1"
    suite_passed=$(printf '%s\n' "$counts" | sed -n '1s/ .*//p')
    suite_failed=$(printf '%s\n' "$counts" | sed -n '1s/.* //p')
    # What ctest calls a failure is one, whatever the output says.
    [ "$suite_status" = 0 ] || [ "$suite_failed" != 0 ] || suite_failed=1
    printf '  cases: %s, failed: %s\n' "$((suite_passed + suite_failed))" "$suite_failed"
    printf '%s\n' "$counts" | sed -n '2,200s/^/  /p'
    passed=$((passed + suite_passed))
    failed=$((failed + suite_failed))
}

# build <name> <cc> <type> <sanitizer> <target…>
build() {
    folder=.build/$1
    env CC="$2" cmake -G Ninja -S . -B "$folder" -DCMAKE_BUILD_TYPE="$3" -DGW_SANITIZER="$4" -DGW_TESTS=ON -DGW_WERROR=ON \
        -DGW_DUCKDB_ROOT="$duckdb" || return 1
    shift 4
    ninja --quiet -k 0 -C "$folder" "$@"
}

sources() {
    find privacy service client tests -name '*.c' -o -name '*.h' | sort
}

format() {
    sources | xargs -r clang-format --dry-run -Werror
}

# Headers are seen through the files that include them.
tidy() {
    find "$root/privacy" "$root/service" "$root/client" "$root/tests" -name '*.c' | sort |
        xargs -r -n 4 -P "$jobs" clang-tidy -p .build/clang --quiet
}

finish() {
    printf 'total                          %4s s\n' "$(($(date +%s) - started))"
    printf 'tests: %s passed, %s failed\n' "$passed" "$failed"
    [ "$failed" = 0 ]
    exit
}

started=$(date +%s)

if [ "$mode" = bench ]; then
    phase build-gcc build release gcc Release none all || exit 1
    for program in .build/release/bench/*; do
        [ -x "$program" ] && GW_BIN=$root/.build/release/bin GW_SOURCE=$root "$program"
    done
    exit
fi

if [ "$mode" = peers ]; then
    sh tests/setup.sh peers || exit 1
    phase build-gcc build release gcc Release none bench_peers || exit 1
    exec .build/peers/bin/python tests/bench/peers/peers.py .build/release
fi

# A suite whose build failed has programs missing: it is not run, and the failure stands.
single build-gcc build release gcc Release none all && suite suite-gcc .build/release -LE long
[ ! -f .build/release/build.ninja ] || single mutations python3 tests/mutations/run.py .build/release
single format format

if [ "$mode" != fast ]; then
    # clang's build is the one with the address and undefined-behaviour sanitizers.
    ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
    UBSAN_OPTIONS=print_stacktrace=1
    LSAN_OPTIONS=suppressions=$root/tests/support/lsan.supp:print_suppressions=0
    export ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
    single build-clang build clang clang RelWithDebInfo address all && suite suite-clang-asan .build/clang -LE 'long|tidy'

    TSAN_OPTIONS="suppressions=$root/tests/support/tsan.supp halt_on_error=0 exitcode=66"
    export TSAN_OPTIONS
    concurrent=
    for room in unit/bus unit/store unit/ledger unit/signer unit/witness unit/service; do
        [ -f "tests/$room/CMakeLists.txt" ] && concurrent="$concurrent tests/$room/all"
    done
    # shellcheck disable=SC2086 # a list of words
    single build-tsan build tsan gcc RelWithDebInfo thread $concurrent && for target in $concurrent; do
        room=${target%/all}
        suite "tsan-$(basename "$room")" ".build/tsan/$room" -LE long
    done
    # Of the queries' room what several workers share; the rest has one thread.
    single build-tsan-query ninja --quiet -C .build/tsan test_quotes test_quoted test_flight test_laws &&
        suite tsan-query .build/tsan/tests/unit/query -R '^unit.test_(quotes|quoted|flight|laws)$'
    # The verifier hashes on a second thread.
    single build-tsan-audit ninja --quiet -C .build/tsan test_relay test_verify &&
        suite tsan-audit .build/tsan -R '^unit.test_(relay|verify)$'
    single clang-tidy tidy
fi

if [ "$mode" = long ]; then
    suite suite-long .build/release -L '^long$'
fi
finish
