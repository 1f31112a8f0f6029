#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The README's first five minutes, run as they are printed, in an empty folder with the programs of this build. Then one
# byte of each file that an answer leaves behind is changed: the check must fail with exit 6 and name the file. At the end
# a budget runs short: at a terminal that is said instead of asked for. And a log under no key or another's is not called
# sound without a word.
#
#   GW_BIN=.build/release/bin GW_SOURCE=. sh tests/integration/readme_walk.sh
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
    printf 'readme_walk: %s\n' "$1" >&2
    exit 1
}

# A checkout as a reader has it after building: the sources' policies and the programs where the README looks for them.
mkdir -p "$work/checkout/.build/release"
ln -s "$bin" "$work/checkout/.build/release/bin"
ln -s "$source/policies" "$work/checkout/policies"
unset GODWIT_SHARE GODWIT_PROFILE GODWIT_PROFILES GODWIT_OUTPUT
export TMPDIR="$work"
cd "$work/checkout"

awk '/^## / { in_part = /First five minutes/ } /^```/ { in_block = !in_block && /console/ }
    in_part && in_block && sub(/^\$ /, "")' "$source/README.md" >"$work/commands"
[ "$(wc -l <"$work/commands")" -ge 20 ] || fail "the README has fewer commands than it should"

# The service publishes behind its replies: an auditor who comes within the second waits for what the receipt speaks of.
published() {
    wanted=$(grep -a -A 1 '^stats.example/godwit$' GW-*.tlog-proof | tail -n 1 | tr -cd 0-9)
    tries=0
    while [ "$(sed -n 2p state/log/checkpoint)" -lt "$wanted" ] && [ $((tries += 1)) -le 100 ]; do sleep 0.1; done
}

while IFS= read -r command <&3; do
    case $command in
    'godwit audit '*) published ;;
    esac
    printf '\n$ %s\n' "$command"
    eval "$command" || fail "this command of the README ends with exit code $?: $command"
    case $command in
    *'&') service=$! ;;
    esac
done 3<"$work/commands"

# check <file> <byte> [option]: changed there, it must be found out; afterwards it is as it was.
check() {
    cp "$1" "$work/kept"
    old=$(od -An -tu1 -j "$2" -N 1 "$1")
    printf "\\$(printf '%03o' $(((old + 1) % 256)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
    code=0
    said=$(godwit audit receipt GW-2026-000001.tlog-proof --log-key "$log_key" $3) || code=$?
    cp "$work/kept" "$1"
    [ "$code" = 6 ] || fail "byte $2 of $1 was changed, and the check ends with exit code $code: $said"
    case $said in
    *"FAIL  "*"$1"*) ;;
    *"FAIL  the request's signature"*) [ -n "$3" ] || fail "byte $2 of $1: the log was not asked, and this is said: $said" ;;
    *) fail "byte $2 of $1 was changed, and this is said: $said" ;;
    esac
}
# The signature of a request needs the asker's key, which a receipt does not bring and the log does.
signature=$(grep -abo '^auth sig ' GW-2026-000001.request | cut -d : -f 1)
in_signature() {
    [ "${1##*.}" = request ] && [ "$2" -ge $((signature + 9)) ] && [ "$2" -lt $((signature + 137)) ]
}
for file in GW-2026-000001.tlog-proof GW-2026-000001.answer.json GW-2026-000001.request; do
    size=$(wc -c <"$file")
    step=$((size / 12))
    at=0
    while [ "$at" -lt "$size" ]; do
        if in_signature "$file" "$at"; then check "$file" "$at" "--log=state/log"; else check "$file" "$at" ""; fi
        at=$((at + step))
    done
    check "$file" $((size - 1)) ""
    : >"$work/empty"
    cp "$file" "$work/whole" && cp "$work/empty" "$file"
    code=0
    godwit audit receipt GW-2026-000001.tlog-proof --log-key "$log_key" >/dev/null || code=$?
    cp "$work/whole" "$file"
    [ "$code" = 6 ] || fail "$file was emptied, and the check ends with exit code $code"
done
# Nobody compares with an answer that was changed after it left.
compare() { godwit compare GW-2026-000001 c_birth=EU_FOR,sex=F c_birth=NEU_FOR,sex=F --as researcher -o table; }
compare >"$work/said" || fail "a comparison ends with exit code $?"
grep -q 'its receipt holds' "$work/said" || fail "the receipt beside an answer is not checked: $(cat "$work/said")"
cp GW-2026-000001.answer.json "$work/whole"
sed 's/"parts":\["/"parts":["1/' "$work/whole" >GW-2026-000001.answer.json
code=0
compare >"$work/said" 2>&1 || code=$?
[ "$code" = 6 ] || fail "a changed answer is compared with exit code $code: $(cat "$work/said")"
mv "$work/whole" GW-2026-000001.answer.json
mv GW-2026-000001.answer.json "$work/whole"
code=0
godwit audit receipt GW-2026-000001.tlog-proof --log-key "$log_key" 2>/dev/null || code=$?
[ "$code" = 10 ] || fail "the answer is missing, and the check ends with exit code $code"

# ask <filter> <more>: a question at the highest price that one may have.
ask() {
    filter=$1
    shift
    godwit query register employment_rate --by sex --where "$filter" --epsilon 0.5 --as researcher "$@"
}
code=0
ask age=20..60 --yes --save nowhere >"$work/said" 2>&1 || code=$?
[ "$code" = 2 ] || fail "an answer that cannot be kept ends with exit code $code: $(cat "$work/said")"
[ "$(godwit history --as researcher | wc -l)" = 2 ] || fail "it was asked although it could not be kept"
for age in 61 62 63; do
    ask "age=20..$age" --yes --no-save >"$work/said" 2>&1 || fail "the budget is short too early: $(cat "$work/said")"
done
if command -v script >/dev/null; then
    printf 'y\n' | script -qec "godwit query register employment_rate --by sex --where age=20..64 --epsilon 0.5 --as researcher" \
        /dev/null >"$work/said" 2>&1 || :
    ! grep -q 'Ask?' "$work/said" || fail "it asks for what is not there: $(cat "$work/said")"
    grep -q budget_principal "$work/said" || fail "a short budget is not said: $(cat "$work/said")"
    grep -q -- '--epsilon 0.45 --by sex --where age=20..64 --as researcher' "$work/said" ||
        fail "another question is recommended than was asked: $(cat "$work/said")"
fi
# says <text> <command…>: the command's output holds the text.
says() {
    text=$1
    shift
    "$@" >"$work/said" 2>&1 || :
    tr -s ' \n' '  ' <"$work/said" | grep -qF -- "$text" || fail "\"$text\" is not said by $*: $(cat "$work/said")"
}
says 'yours: 0.45 left, not enough' godwit cost register employment_rate --by sex --where age=20..64 --epsilon 0.5 \
    --as researcher -o table
says 'not enough for another table like your last one (0.50)' godwit budget register --as researcher -o table
says 'whose it is was not checked' godwit audit verify --log state/log -o table
says '"key_is_trusted":false' godwit audit verify --log state/log -o json
says '"key_is_trusted":true' godwit audit verify --log state/log --log-key "$log_key" -o json
godwit init --dir other --origin other.example/godwit >/dev/null
other_key=$(sed 's/.*"log_key":"\([^"]*\)".*/\1/' other/profiles/admin.json)
says 'of what was asked: as it was charged' godwit audit verify --log state/log --log-key "$log_key" -o table
says 'is the beginning of this log' godwit audit verify --log state/log --log-key "$log_key" --since kept.checkpoint -o table
says "is not this log's key" godwit audit verify --log state/log --log-key "$other_key" -o table
says 'a policy takes the signature of an owner' godwit policy sign register.policy.json --as researcher
says '"dataset_info"' godwit policy show register -o json --as owner
printf '\nreadme_walk: every command of the README works, and every changed byte is found\n'
