#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How state_v1.tar.gz was made: by the programs of schema version 1 (commit 0d09882), which are found in the PATH, with
# GODWIT_SHARE naming that commit's policies/. It is kept as they left it: newer programs must open it for ever.
#
#   sh tests/support/state_v1/make.sh OUT.tar.gz
#
# All people in it are made up by the lines below; the keys in it guard nothing.
set -eu
out=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'kill "$daemon" 2>/dev/null || true; rm -rf "$work"' EXIT
daemon=
cd "$work"

# 400 people: sex, age, status and hours by arithmetic on their number.
awk 'BEGIN { print "person_id,sex,age,status,hours"
    for (i = 0; i < 400; i++) {
        part = (i * 37) % 100; status = part < 62 ? "EMP" : part < 70 ? "UNE" : "INAC"
        printf "p%05d,%s,%d,%s,%d\n", i, i % 2 ? "F" : "M", (i * 7) % 100, status, status == "EMP" ? 10 + (i * 11) % 51 : 0
    } }' > people.csv

godwit init --dir state --origin test.example/godwit >/dev/null
godwitd serve --dir state --release-tick 0 2>daemon.log &
daemon=$!
admin="--config state/profiles/admin.json"
tries=0
# shellcheck disable=SC2086 # two words
until godwit status $admin >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || exit 1
    sleep 0.1
done
# shellcheck disable=SC2086
for role in owner researcher; do
    godwit keys new $role --out state/profiles $admin
    godwit principal add state/profiles/$role.pub --roles $role $admin
done >/dev/null
# shellcheck disable=SC2086
godwit population add test.example/residents --total 20 $admin >/dev/null
cp "$here/people.policy.json" .
owner="--config state/profiles/owner.json"
# shellcheck disable=SC2086
{
    godwit policy sign people.policy.json $owner
    godwit policy activate people.policy.json $owner
} >/dev/null
godwit load --dir state test.example/people people.csv >/dev/null

# Each question with the request as it was sent, the answer's bytes and the receipt.
ask() { # name, then the question
    name=$1
    shift
    godwit query test.example/people "$@" --max-cost 1 --config state/profiles/researcher.json --answer "state/$name.answer" \
        --request "state/$name.request" --receipt "state/$name.tlog-proof" --no-save >/dev/null
}
ask count --measure count --by sex --epsilon 0.1
ask rate employment_rate --by sex --epsilon 0.2
ask mean --measure mean:hours --by sex --epsilon 0.3
kill -TERM "$daemon"
wait "$daemon" || true
rm -f state/ballast state/godwit.sock state/godwit.db-shm
tar --sort=name --owner=0 --group=0 --numeric-owner -czf "$out" state
