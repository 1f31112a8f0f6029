#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A researcher who knows R but not epsilon: finds the dataset, sees what can be asked, tries the code on dummy data, asks
# the price by the error to live with, asks, reads the csv as read.csv would, compares two groups, asks again for
# nothing, and cites the release. The words "epsilon" and "budget" are never typed.
#
#   GW_BIN=.build/release/bin GW_SOURCE=. sh tests/integration/researcher_walk.sh
set -eu

bin=$(cd "$GW_BIN" && pwd)
source=$(cd "$GW_SOURCE" && pwd)
work=$(mktemp -d)
service=
cleanup() {
    [ -z "$service" ] || kill "$service" 2>/dev/null || :
    [ -z "$service" ] || wait "$service" 2>/dev/null || :
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
fail() {
    printf 'researcher_walk: %s\n' "$1" >&2
    [ ! -f "$work/said" ] || sed 's/^/  | /' "$work/said" >&2
    exit 1
}
unset GODWIT_PROFILE GODWIT_PROFILES GODWIT_AS GODWIT_OUTPUT XDG_CONFIG_HOME
export HOME="$work/home" PATH="$bin:$PATH" GODWIT_SHARE="$source/policies" TMPDIR="$work"
mkdir "$work/home" "$work/office" "$work/desk"

# run <expected exit code> <command…>: standard output is in $work/out, all of it in $work/said.
run() {
    expected=$1
    shift
    printf '\n$ %s\n' "$*"
    code=0
    eval "$*" >"$work/out" 2>"$work/err" </dev/null || code=$?
    cat "$work/out" "$work/err" | tee "$work/said"
    [ "$code" = "$expected" ] || fail "exit code $code, not $expected: $*"
}
says() {
    tr -s ' \n' '  ' <"$work/said" | grep -qF -- "$1" || fail "\"$1\" is not said"
}
quietly() {
    "$@" >"$work/said" 2>&1 || fail "this does not work: $*"
}

# ---- an office opens, and enters the researcher

cd "$work/office"
quietly godwit init --here --origin demo.example/godwit
godwit serve 2>daemon.log &
service=$!
for _ in $(seq 100); do
    ! godwit status >/dev/null 2>&1 || break
    sleep 0.1
done
cp "$source/policies/samples/adult.policy.json" .
quietly godwit policy sign adult.policy.json
quietly godwit population add demo.example/adult-1994 --total 20
quietly godwit policy activate adult.policy.json
quietly godwit load demo.example/adult "$source/policies/samples/adult.csv.gz"
quietly godwit keys new anna --out "$work/desk"
quietly godwit principal add "$work/desk/anna.pub" --roles researcher

# ---- at the desk

cd "$work/desk"
export GODWIT_PROFILE="$work/desk/anna.json" GODWIT_OUTPUT=table
run 0 godwit catalogue
says 'demo.example/adult'
run 0 godwit catalogue adult
says 'mean_weekly_hours'
says 'M Male'
run 0 godwit explain adult mean_weekly_hours --by sex
says 'Mean weekly hours, by Sex'

# A slip of the pen is answered with the right word.
run 2 godwit explain adult mean_weekly_hour --by sex
says 'mean_weekly_hours'

# read <file>: what R's read.csv makes of it: one header, as many fields in each row, numbers in the columns of numbers.
read_csv() {
    python3 - "$1" <<'EOF'
import csv, sys
with open(sys.argv[1], newline="") as file:
    rows = list(csv.reader(file))
header, cells = rows[0], rows[1:]
assert len(set(header)) == len(header), header
assert {"sex", "estimate", "lower", "upper", "se", "flag", "release"} <= set(header), header
assert cells and all(len(row) == len(header) for row in cells), rows
for row in cells:
    cell = dict(zip(header, row))
    assert float(cell["lower"]) <= float(cell["estimate"]) <= float(cell["upper"]), cell
print(len(cells), "rows,", len(header), "columns")
EOF
    if command -v Rscript >/dev/null; then
        Rscript -e 'd <- read.csv(commandArgs(TRUE)[1]); stopifnot(is.numeric(d$estimate), all(d$lower <= d$upper))' "$1"
    fi
}

# The script is written on dummy data: the same columns and codes, nobody's figures.
if godwit help dummy >/dev/null 2>&1; then
    run 0 'godwit dummy adult mean_weekly_hours --by sex -o csv > dummy.csv'
    grep -q 'NOT REAL' dummy.csv || fail "dummy data is not marked"
fi

# The error to live with goes in, the price comes out.
run 0 godwit cost adult mean_weekly_hours --by sex --target-error 1 --group-size 10000
says 'Price'
says '19 times in 20'
run 0 'godwit query adult mean_weekly_hours --by sex --target-error 1 --group-size 10000 --yes -o csv > hours.csv'
read_csv hours.csv || fail "the csv is not one: $(cat hours.csv)"
# A script written on dummy data runs on the answer: the same columns in the same order.
[ ! -f dummy.csv ] || [ "$(head -1 dummy.csv)" = "$(head -1 hours.csv)" ] ||
    fail "dummy and real columns differ: $(head -1 dummy.csv) and $(head -1 hours.csv)"

# The release is what a paper cites, and its files are there.
release=$(ls ./*.tlog-proof | sed 's,.*/,,; s,\.tlog-proof$,,')
[ "$release" = GW-2026-000001 ] || [ "${release#GW-}" != "$release" ] || fail "no release: $(ls)"
grep -q "$release" hours.csv || fail "the csv does not name its release"
run 0 godwit audit receipt "$release.tlog-proof"
says 'OK'

# May one say that men work longer?
run 0 godwit compare "$release" sex=M sex=F
says 'sex=M'

# What is not there is named, and where it should be.
code=0
godwit audit receipt no.tlog-proof >"$work/said" 2>&1 || code=$?
[ "$code" = 10 ] || fail "a receipt that is not there ends with $code"
says 'no.tlog-proof'
code=0
godwit audit verify --log nowhere >"$work/said" 2>&1 || code=$?
[ "$code" = 10 ] || fail "a log that is not there ends with $code"
says 'the folder that holds the file checkpoint'

# Again, for nothing: the same answer, the same release. The reply tells the time, too.
balances() {
    godwit budget adult -o json | sed 's/"time":[0-9]*//'
}
left=$(balances)
run 0 'godwit query adult mean_weekly_hours --by sex --target-error 1 --group-size 10000 --yes --no-save -o csv > again.csv'
cmp hours.csv again.csv || fail "the same question has another answer"
[ "$(balances)" = "$left" ] || fail "asking again cost something"
run 0 godwit history
says "$release"

# What nobody may ask is refused before anything is paid, with a way out.
run 3 godwit query adult unemployment_rate --by sex --target-error 3 --yes
says 'activity'
[ "$(balances)" = "$left" ] || fail "a refusal cost something"
