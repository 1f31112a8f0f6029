#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An owner with a CSV who has never seen the tool: from nothing to a first protected figure of their own data in ten
# commands, each taken from what the one before it said ("next", "then"). Then the usual mistakes: for each the error
# says how to mend it, and the mend works when it is typed.
#
#   GW_BIN=.build/release/bin GW_SOURCE=. sh tests/integration/owner_walk.sh
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
    printf 'owner_walk: %s\n' "$1" >&2
    [ ! -f "$work/said" ] || sed 's/^/  | /' "$work/said" >&2
    exit 1
}

unset GODWIT_PROFILE GODWIT_PROFILES XDG_CONFIG_HOME
export HOME="$work/home" PATH="$bin:$PATH" GODWIT_SHARE="$source/policies" GODWIT_OUTPUT=table TMPDIR="$work"
mkdir "$work/home" "$work/office"
cd "$work/office"

# What the owner has: an export with an id, the file's own spellings, and a column that nobody needs.
awk 'BEGIN { print "pid,sex,age,contract,income,note"
    for (i = 1; i <= 2000; i++)
        printf "%d,%s,%d,%s,%d,%s\n", 1000 + i, i % 2 ? "m" : "f", 18 + i % 60, i % 3 ? "Full time" : "Part time",
            5000 + i * 20, "free text" }' >people.csv

count=0
# run <expected exit code> <command…>: what it says is in $work/said.
run() {
    expected=$1
    shift
    printf '\n$ %s\n' "$*"
    code=0
    eval "$*" >"$work/said" 2>&1 </dev/null || code=$?
    cat "$work/said"
    [ "$code" = "$expected" ] || fail "exit code $code, not $expected: $*"
}
# step <command…>: one of the ten.
step() {
    count=$((count + 1))
    run 0 "$@"
}
# advice <word> <n>: the n-th command that the last output names as "next" or "then".
advice() {
    awk -v word="$1" -v n="$2" '
        $1 == word { is_on = 1 }
        is_on && ($1 == word || /^ +godwit /) { line = $0; sub(/^ *(next|then)? */, "", line); if (++seen == n) { print line; exit } next }
        is_on { is_on = 0 }' "$work/said" | sed 's/  *(.*//; s/YOUR\.csv/people.csv/'
}
# says <text>: the last output holds it, whatever its line breaks.
says() {
    tr -s ' \n' '  ' <"$work/said" | grep -qF -- "$1" || fail "\"$1\" is not said"
}
wait_for_service() {
    for _ in $(seq 100); do
        ! godwit status >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    fail "the service does not start: $(cat daemon.log)"
}

# ---- ten commands

# The first one is on the page of every installation: godwit help init.
godwit help init | grep -q 'godwit init --here --origin nso.example/godwit' || fail "help init does not show the start"
step godwit init --here --origin stats.example/godwit
serve=$(advice next 1)
draft=$(advice next 2)
[ "$serve" = 'godwit serve --dir state 2> daemon.log &' ] || fail "init does not name serve, but: $serve"
printf '\n$ %s\n' "$serve"
count=$((count + 1))
eval "$serve"
service=$!
wait_for_service

# The conversation, as it would be typed; keys stand for the prompts.
cat >answers.txt <<'EOF'
population = stats.example/residents
id = pid
sex.recode = m=M, f=F
contract = codes
contract.codes = Full time=Full time, Part time=Part time
income.min = 0
income.max = 100000
income.unit = EUR
note = out
EOF
step "$draft --answers answers.txt"
step "$(advice next 1)" # policy check
says '4 columns'
step "$(advice next 1)" # policy sign
activate=$(advice then 1)
step "$(advice next 1)" # population add
step "$activate"
step "$(advice next 1)" # load
query=$(advice then 1)
step "$(advice next 1)" # cost
says 'Price 0.05'
step "$query"
says 'GW-'
grep -q '^ Female' "$work/said" || fail "no figure came"
printf '\n%s commands\n' "$count"
[ "$count" -le 10 ] || fail "that were $count commands"

# ---- a conversation at a terminal, with slips of the pen that are asked again

if command -v script >/dev/null; then
    mkdir "$work/talk"
    head -2 people.csv >"$work/talk/people.csv"
    cat >"$work/talk/typed" <<'EOF'
stats.example people
stats.example/people
stats.example/residents

person
pid

list


m=M, f=W
m=M, f=F
number




codes

Full time=Full time, Part time=Part time
number

0
-5
100000

EUR

out









EOF
    (cd "$work/talk" && script -qec 'godwit policy new people.csv' /dev/null <typed >"$work/said" 2>&1) || :
    says 'no blanks'
    says 'The file has no column "person"'
    says '"W" is not a code of CL_SEX'
    says 'The largest must be more than the smallest'
    run 0 godwit policy check "$work/talk/people.policy.json"
    says '4 columns'
fi

# ---- two tables: called as their files, by the same id, and the next command names a file for each

awk -F, 'NR == 1 { print "pid,visited,fee" } NR > 1 { print $1 ",2025-03-04," $1 % 90 }' people.csv >visits.csv
cut -d, -f 1,2 people.csv >clients.csv
cat >two.txt <<'EOF'
population = stats.example/residents
clients.id = pid
clients.sex.recode = m=M, f=F
visits.rows = 4
visits.visited = date
visits.visited.period = month
visits.visited.first = 2025-01
visits.visited.last = 2025-12
visits.fee = number
visits.fee.min = 0
visits.fee.max = 90
visits.fee.total = 120
EOF
run 0 godwit policy new clients.csv visits.csv --answers two.txt
grep -q '"visits": {"unit": "pid"' clients.policy.json || fail "the second table has another id"
grep -q '"visited": {"concept": "time_period"' clients.policy.json || fail "the date is no period"
run 0 "$(advice next 1)"
run 0 godwit policy sign clients.policy.json
run 0 "$(advice then 1)"
says 'godwit load stats.example/clients clients=FILE visits=FILE'
run 0 godwit load stats.example/clients clients=clients.csv visits=visits.csv
# A folder is one file a table, no more and no less.
mkdir both
cp clients.csv visits.csv both/
run 0 godwit load stats.example/clients both
cp visits.csv both/visits.csv.gz
run 3 godwit load stats.example/clients both
says 'The table visits is there more than once'
rm both/visits.csv both/visits.csv.gz
run 3 godwit load stats.example/clients both
says 'There is no visits.parquet, .csv or .csv.gz in it'
says 'load_folder'
run 0 godwit query clients --measure count --by time_period --epsilon 0.5 --max-cost 0.5
says 'March 2025'
# A price is asked for with the whole question.
run 2 godwit query clients --measure mean:fee --by sex
says 'mend godwit cost clients --measure mean:fee --by sex'
run 0 "$(sed -n 's/^  mend  //p' "$work/said")"
says 'Mean of Fee, by Sex'
# What one person's fees add up to is bounded, and so the sum is.
run 0 godwit query clients --measure sum:fee --by sex --epsilon 0.5 --max-cost 0.5
says 'count up to a total of 120'
run 0 godwit query clients --measure mean:fee --per person --by sex --epsilon 0.5 --max-cost 0.5
says 'Mean of Fee per person, by Sex'

# ---- mistakes

run 0 godwit policy show people
says 'log entry'

# A draft that nobody answered cannot come into force; what is open is told with its line.
run 0 godwit policy new people.csv --file draft.policy.json
says 'begins with ASK'
run 9 godwit policy check draft.policy.json
says 'line 23 income: max = the largest possible income'
says 'policy_open'
run 0 godwit policy sign draft.policy.json
says 'WARN it is a draft'
run 2 godwit policy activate draft.policy.json
says 'policy_open'
# It is never written over.
run 1 godwit policy new people.csv --file draft.policy.json
says 'is there already'

# Semicolons: the mend turns the file.
tr ',' ';' <people.csv >semicolon.csv
run 2 godwit policy new semicolon.csv
says "tr ';' ',' < semicolon.csv > commas.csv"
run 0 "$(sed -n 's/^  mend  \(tr .*commas.csv\).*/\1/p' "$work/said")"
cmp people.csv commas.csv || fail "the mend made another file"
run 3 godwit load stats.example/people semicolon.csv
says "tr ';' ',' < FILE > NEW"

# A value out of bounds: three ways out, each as it is named.
sed '5s/,[0-9]*,free/,999999,free/' people.csv >high.csv
run 9 godwit load stats.example/people high.csv
says 'row 4: income "999999" is above 100000'
for way in $(grep -o -- '--treat out_of_bounds=[a-z-]*' "$work/said" | sort -u | cut -d ' ' -f 2); do
    run 0 godwit load stats.example/people high.csv --treat "$way"
done

# A code that no list has: treated, or entered into the policy as its next version.
sed '5s/Full time\|Part time/On call/' people.csv >call.csv
run 9 godwit load stats.example/people call.csv
says 'contract "On call" is not in the code list'
says 'or add it to "recode" of contract'
run 0 godwit load stats.example/people call.csv --treat unlisted_code=missing
sed 's/"Part time": "PART_TIME"/"Part time": "PART_TIME", "On call": "PART_TIME"/' people.policy.json >two.policy.json
run 0 godwit policy sign two.policy.json
run 2 godwit policy activate two.policy.json
says 'Set "version" to 2'
sed -i 's/"version": 1/"version": 2/' two.policy.json
run 0 godwit policy diff people two.policy.json
says 'values of the file become other codes'
says 'must be loaded again'
mkdir people # a folder of that name is not the dataset's policy
run 0 godwit policy diff people two.policy.json
rmdir people
run 0 godwit policy sign two.policy.json
run 0 "$(advice next 1)"
run 0 godwit load stats.example/people call.csv

# A raised budget is weaker, and said so before anyone signs.
sed 's/"lifetime": "10"/"lifetime": "12"/; s/"version": 2/"version": 3/' two.policy.json >three.policy.json
run 9 godwit policy diff people three.policy.json
says 'WARN budget of the dataset'
run 0 godwit policy simulate three.policy.json
says 'lifetime: 12'
# For the questions that will be asked, in the file that cost and query take, comments and all.
printf '%s\n' '// next quarter' '{"godwit_questions": 1, "questions": [' \
    ' {"dataset": "people", "measure": {"statistic": "count"}, "by": ["sex"]}]}' >asked.json
run 0 godwit policy simulate three.policy.json --questions asked.json
says 'Number of persons, by Sex'

# The wrong column for the person's id: the data says so, and where to correct it.
sed 's/"unit": "pid"/"unit": "contract"/; s/^   "contract": .*,$//; s/"version": 2/"version": 3/' two.policy.json >wrong.policy.json
run 0 godwit policy check wrong.policy.json
run 0 godwit policy sign wrong.policy.json
run 0 "$(advice next 1)"
run 9 godwit load stats.example/people people.csv
says 'too_many_rows'
says 'where "contract" is not who a row belongs to, correct "unit" in the policy'
sed 's/"version": 2/"version": 4/' two.policy.json >right.policy.json
run 0 godwit policy sign right.policy.json
run 0 "$(advice next 1)"
run 0 godwit load stats.example/people people.csv
# All this cost nothing: the one answer did.
run 0 godwit budget people
says '10.00 0.05 9.95'
