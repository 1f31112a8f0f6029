#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A service whose log is signed by a godwit-signer of its own: made, served, its key changed while it runs, and its signer
# killed. Nothing of the log's key is ever in the state folder; whoever holds the first key can check the log to the end.
#
#   GW_BIN=.build/release/bin GW_SOURCE=. sh tests/integration/signer_walk.sh
set -eu

PATH=$(cd "$GW_BIN" && pwd):$PATH
GODWIT_SHARE=$(cd "$GW_SOURCE" && pwd)/policies
export PATH GODWIT_SHARE
unset GODWIT_PROFILE GODWIT_PROFILES GODWIT_OUTPUT
work=$(mktemp -d)
signer=
service=
cleanup() {
    for process in $service $signer; do
        kill "$process" 2>/dev/null || :
        wait "$process" 2>/dev/null || :
    done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
fail() {
    printf 'signer_walk: %s\n' "$1" >&2
    sed 's/^/    /' "$work/daemon.log" >&2
    exit 1
}
cd "$work"
: >daemon.log

signer_start() {
    mkdir -p held
    godwit-signer listen --dir held --socket "$work/s" &
    signer=$!
}
service_start() {
    godwit serve --dir state 2>>daemon.log &
    service=$!
    tries=0
    until godwit status --config state/profiles/admin.json >said 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || fail "the service does not answer"
        sleep 0.1
    done
}
log_key() {
    sed 's/.*"log_key":"\([^"]*\)".*/\1/' state/profiles/admin.json
}
# enters somebody: one signed change of the running service
enter() {
    godwit keys new "$1" --out profiles --config state/profiles/admin.json >said 2>&1 &&
        godwit principal add "profiles/$1.pub" --roles researcher --config state/profiles/admin.json >said 2>&1
}
verify() {
    code=0
    godwit audit verify --log state/log --log-key "$1" >said 2>&1 || code=$?
    [ $code = 0 ] || { cat said >&2; fail "the log does not hold under $2: exit code $code"; }
}

# ---- made and served
signer_start
godwitd init --dir state --origin walk.example/godwit --signer "$work/s" >/dev/null
[ ! -e state/keys/log.key ] || fail "the log's key is in the state folder"
[ -e held/log.key ] && [ -e held/log.newest ] || fail "the signer has not kept its key and what it signed"
godwitd config show --dir state | grep -q "$work/s" || fail "the settings do not name the signer"
first=$(log_key)
service_start
enter one || fail "nobody can be entered: $(cat said)"
verify "$first" "its first key"

# ---- another key, while it runs
godwitd keyrot --dir state >said 2>&1 || fail "keyrot: $(cat said)"
second=$(log_key)
[ "$first" != "$second" ] || fail "the operator's profile names the old key"
code=0
godwitd keyrot --dir state >said 2>&1 || code=$?
[ $code = 3 ] && grep -q keyrot_under_way said || fail "a second keyrot in between was not refused: $code $(cat said)"
enter two || fail "nobody can be entered between two keys: $(cat said)"
godwitd keyrot --finish --dir state >said 2>&1 || fail "keyrot --finish: $(cat said)"
enter three || fail "nobody can be entered under the new key: $(cat said)"
sleep 0.5 # the publisher follows
verify "$first" "its first key, followed"
verify "$second" "its second key"
ls state/log/keyrot | grep -q '^[1-9][0-9]*$' || fail "no checkpoint under both keys was published"

# ---- its signer dies
kill -9 "$signer"
wait "$signer" 2>/dev/null || :
godwit keys new four --out profiles --config state/profiles/admin.json >said 2>&1
timeout 3 godwit principal add profiles/four.pub --roles researcher --config state/profiles/admin.json >said 2>&1 &&
    fail "a change was confirmed without a signer"
code=0
wait "$service" || code=$?
service=
[ $code = 70 ] || fail "the service did not end with an unknown outcome: exit code $code"
signer_start
service_start
enter five || fail "nobody can be entered after the signer came back: $(cat said)"
sleep 0.5
verify "$second" "its second key, after the signer came back"

# ---- an old copy of the state, without the signer's
kill "$service"
wait "$service" || :
service=
cp -r state old
service_start
enter six || fail "nobody can be entered: $(cat said)"
kill "$service"
wait "$service" || :
service=
rm -r state
mv old state
code=0
godwitd serve --dir state >said 2>&1 || code=$?
[ $code = 78 ] && grep -q 'signer has signed' said || fail "an old copy was served: exit code $code $(cat said)"

# ---- a foreign signer
mkdir other
godwit-signer listen --dir other --socket "$work/o" &
other=$!
code=0
godwitd serve --dir state --signer "$work/o" >said 2>&1 || code=$?
kill "$other"
wait "$other" 2>/dev/null || :
[ $code = 3 ] && grep -q wrong_log_key said || fail "a foreign signer was taken: exit code $code $(cat said)"
printf 'signer_walk: sound\n'
