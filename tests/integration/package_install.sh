#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Debian packages in a fresh system of their own: installed, run over the first release's state, upgraded, removed,
# purged. Root, a mirror and mmdebstrap are needed; where one is missing the test says so and is skipped (77).
# $1: the build folder.   GW_KEEP_ROOT: a folder in which the fresh system is kept for the next run.
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
skip() {
    printf 'package_install: skipped: %s\n' "$1" >&2
    exit 77
}
fail() {
    printf 'package_install: %s\n' "$1" >&2
    exit 1
}
[ "$(id -u)" = 0 ] || skip "only root may make a system"
command -v mmdebstrap >/dev/null 2>&1 || skip "mmdebstrap is not installed"
work=$(mktemp -d)
base=${GW_KEEP_ROOT:-$work/base}
root=$work/root
daemon=
finish() {
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
    umount "$root/proc" 2>/dev/null || true
    rm -rf --one-file-system "$work"
}
trap finish EXIT

mkdir "$work/packages" "$work/old"
cpack --config "$build/CPackConfig.cmake" -B "$work/packages" >"$work/cpack.log" 2>&1 || { cat "$work/cpack.log"; fail "cpack failed"; }
rm -rf "$work/packages/_CPack_Packages"
server=$(echo "$work"/packages/godwit_*.deb)
client=$(echo "$work"/packages/godwit-client_*.deb)
if command -v lintian >/dev/null 2>&1; then
    lintian --allow-root --fail-on error --suppress-tags no-manual-page "$server" "$client" "$work"/packages/godwit-witness_*.deb >"$work/lintian" 2>&1 || { cat "$work/lintian"; fail "lintian finds errors"; }
fi
# The same programs under the number of an older version: dpkg takes the way of an upgrade.
dpkg-deb -R "$server" "$work/old/tree"
sed -i 's/^Version: .*/Version: 0.0.9/' "$work/old/tree/DEBIAN/control"
dpkg-deb -Zgzip -z1 -b "$work/old/tree" "$work/old/godwit_0.0.9.deb" >/dev/null

if [ ! -d "$base" ]; then
    needs=$(for file in "$server" "$client"; do dpkg-deb -f "$file" Depends; done | sed 's/([^)]*)//g; s/ //g' | tr '\n' ',')
    sources=
    [ ! -f /etc/apt/sources.list.d/debian.sources ] || sources=/etc/apt/sources.list.d/debian.sources
    # shellcheck disable=SC2086 # a word or none
    mmdebstrap --variant=minbase --include="${needs}systemd" bookworm "$base" $sources >"$work/mmdebstrap.log" 2>&1 ||
        { tail -n 3 "$work/mmdebstrap.log" >&2; rm -rf "$base"; skip "no fresh system can be made here"; }
fi
cp -a "$base" "$root"
mount -t proc proc "$root/proc" 2>/dev/null || skip "/proc cannot be mounted here"
mkdir "$root/packages"
cp "$server" "$client" "$work/old/godwit_0.0.9.deb" "$root/packages/"
inside() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
as_user() {
    chroot --userspec=godwit:godwit "$root" env -i PATH=/usr/bin "$@"
}
install() {
    inside dpkg -i "$@" >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; fail "dpkg -i $*"; }
}
serve() {
    chroot --userspec=godwit:godwit "$root" env -i PATH=/usr/bin /usr/bin/godwitd serve --dir /var/lib/godwit 2>>"$work/daemon.log" &
    daemon=$!
    tries=0
    until as_user godwit status --config /var/lib/godwit/profiles/admin.json >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { cat "$work/daemon.log"; fail "the daemon does not answer"; }
        sleep 0.1
    done
}
stop() {
    kill -TERM "$daemon"
    wait "$daemon" || { cat "$work/daemon.log"; fail "the daemon did not end well"; }
    daemon=
}

# ---- a first installation makes a user and an empty folder, no ledger and no process
install /packages/godwit_0.0.9.deb "/packages/$(basename "$client")"
[ "$(inside stat -c '%U %G %a' /var/lib/godwit)" = "godwit godwit 700" ] || fail "the state folder is not the user's alone"
[ -z "$(ls -A "$root/var/lib/godwit")" ] || fail "the installation made something in the state folder"
inside getent passwd godwit | grep -q nologin || fail "the user may log in"

# ---- the first release's state, run by the packaged daemon as its user
tar -xzf "$here/../support/state_v1/state_v1.tar.gz" -C "$root/var/lib/godwit" --strip-components=1
for file in "$root/var/lib/godwit/config.json" "$root"/var/lib/godwit/profiles/*.json; do
    sed -i 's,ipc://[^"]*,ipc:///var/lib/godwit/godwit.sock,; s,"share": "[^"]*","share": "/usr/share/godwit",' "$file"
done
inside chown -R godwit:godwit /var/lib/godwit
serve
[ -e "$root/var/lib/godwit/godwit.db.v1" ] || fail "no copy of the older ledger was kept"
as_user godwit query test.example/people employment_rate --by sex --epsilon 0.2 --max-cost 0.2 --no-save \
    --answer /tmp/answer --config /var/lib/godwit/profiles/researcher.json >/dev/null || fail "an old question is not answered"
cmp "$root/tmp/answer" "$root/var/lib/godwit/rate.answer" || fail "an old question has another answer"
inside godwitd doctor --dir /var/lib/godwit >"$work/doctor" || { cat "$work/doctor"; fail "doctor finds something wrong"; }

# ---- an upgrade
stop
install "/packages/$(basename "$server")"
inside dpkg-query -W -f '${Version}' godwit | grep -qv 0.0.9 || fail "it was not upgraded"
serve
inside godwitd doctor --dir /var/lib/godwit >"$work/doctor" || { cat "$work/doctor"; fail "doctor finds something wrong"; }
stop

# ---- removed, purged: the ledger stays
before=$(cd "$root/var/lib/godwit" && find . -type f -exec sha256sum {} + | sort | sha256sum)
inside dpkg -r godwit >/dev/null 2>&1 || fail "dpkg -r"
[ ! -e "$root/usr/bin/godwitd" ] || fail "a program was left"
[ -e "$root/etc/godwit/godwitd.env" ] || fail "settings are gone before a purge"
inside dpkg -P godwit >"$work/purge" 2>&1 || { cat "$work/purge"; fail "dpkg -P"; }
grep -q 'ledger in /var/lib/godwit is kept' "$work/purge" || fail "a purge does not say what it keeps"
[ ! -e "$root/etc/godwit/godwitd.env" ] || fail "settings were left by a purge"
[ "$(cd "$root/var/lib/godwit" && find . -type f -exec sha256sum {} + | sort | sha256sum)" = "$before" ] || fail "the state was touched"
inside dpkg -P godwit-client >/dev/null 2>&1 || fail "dpkg -P godwit-client"
[ ! -e "$root/usr/include/godwit" ] && [ ! -e "$root/usr/bin/godwit" ] || fail "the client's package left files"
