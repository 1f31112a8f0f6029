# SPDX-License-Identifier: Apache-2.0
# The arrows between rooms, read from the #include lines of every .c and .h, and the rooms' own READMEs.
# A room may include rooms of a lower layer and itself; siblings of one layer don't see each other, but for what is shared
# with clients. A third-party library is included in one place.     python3 tests/tidy/check_arrows.py [root]
import os
import re

import tree

# Layer of each room inside the daemon; an arrow goes from a higher number to a lower one.
LAYERS = {
    "privacy": 0,
    "service/base": 1,
    "service/wire": 2,
    "service/audit/shared": 3,
    "service/format": 3,
    "service/store": 4,
    "service/witness": 4,
    "service/auth": 5,
    "service/policy": 5,
    "service/engine": 5,
    "service/signer": 5,
    "service/ledger": 5,
    "service/audit": 5,
    "service/release": 5,
    "service/query": 6,
    "service/bus": 7,
    "service/recovery": 7,
    "service/admin": 8,
    "service": 8,
}
# main.c, service.c and config.c lie in service/ itself and are one layer with admin: they may see each other.
TOP = {"service/admin", "service"}
# entry, merkle, note and verify, and what verifying a folder needs.
AUDIT_SHARED = {
    "entry", "entry_inner", "entry_encode", "entry_decode", "merkle", "note", "cosignature", "tlog_policy", "signing", "verify", "verify_inner", "verify_questions", "verify_receipt", "verify_tree", "tile", "fold", "fold_inner", "fold_map", "fold_balance", "fold_charge", "fold_keys", "fold_tell", "verify_keys",
    "fold_restore",
}
# A researcher's or an auditor's installation holds only these.
SHARED_WITH_CLIENTS = {"privacy", "service/base", "service/wire", "service/format", "service/audit/shared"}
CLIENT_ROOMS = {"client/lib": set(), "client/cli": {"client/lib"}, "service/gateway": {"client/lib"}}

# privacy is pure: no clock, process or network header. <stdio.h> is for snprintf; check_words refuses the rest of it.
PRIVACY_HEADERS = {
    "assert.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h",
    "stdint.h", "stdio.h", "stdlib.h", "stdnoreturn.h", "string.h",
}
# Header (regex) -> files that may include it (regex). Tests may include any: they play the foreign side.
THIRD_PARTY = [
    (r"nng/.*", r"service/bus/(\w+_nng|tls_openssl)\.c|client/lib/\w*nng\w*\.c"),
    (r"sqlite3.*\.h", r"service/store/store_sqlite\w*\.[ch]"),
    (r"(cjson/)?cJSON.*\.h", r"service/wire/json\.c"),
    (r"sodium(/.*|\.h)", r"service/base/crypto\.c"),
    (r"openssl/(ssl|err|x509).*\.h", r"service/bus/tls_openssl\.c"),
    (r"openssl/.*", r"service/(base/crypto|bus/tls_openssl)\.c"),
    (r"duckdb\.h", r"service/engine/duckdb\w*\.[ch]"),
    (r"libpq-fe\.h|libpq/.*", r"service/(engine|store)/\w*postgres\w*\.[ch]"),
    (r"curl/.*", r"service/(engine/trino\w*|witness/http_curl)\.[ch]"),
    (r"microhttpd\.h", r"service/(gateway/\w+|witness/serve_mhd)\.[ch]"),
    (r"libxml/.*", r"service/format/\w+\.[ch]"),
    (r"cmocka\.h", r"tests/.*"),
]
# At most one file of the client includes nng.
NNG_SIDES = ("client/lib/",)

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)


def room_of(path):
    """The room a file belongs to, or None for one that has no layer (tests, policies)."""
    parts = path.split("/")
    if parts[0] == "privacy":
        return "privacy"
    if parts[0] == "client" and len(parts) > 2:
        return "/".join(parts[:2])
    if parts[0] == "service":
        if len(parts) == 2:
            return "service"
        if parts[1] == "audit" and os.path.splitext(parts[-1])[0] in AUDIT_SHARED:
            return "service/audit/shared"
        return "/".join(parts[:2])
    return parts[0]


def is_allowed(room, target):
    if room == target:
        return True
    if room in CLIENT_ROOMS:
        return target in SHARED_WITH_CLIENTS or target in CLIENT_ROOMS[room]
    if room in TOP and target in TOP:
        return True
    if room not in LAYERS or target not in LAYERS:
        return False
    return LAYERS[target] < LAYERS[room]


def check_local(path, room, header, where):
    if header.startswith("../") or "/../" in header:
        return [f'{where}: include by path from the root, not "{header}"']
    if "/" not in header:
        return [f'{where}: "{header}" has no room: include by path from the root']
    target = room_of(header)
    if room == "tests":
        return []
    if target == "tests":
        return [f"{where}: nothing outside tests includes tests ({header})"]
    if not is_allowed(room, target):
        return [f"{where}: {room} may not include {target} ({header})"]
    return []


def check_system(path, room, header, where):
    if room == "tests":
        return []
    if room == "privacy":
        return [] if header in PRIVACY_HEADERS else [f"{where}: privacy is pure: <{header}> is not for it"]
    for pattern, allowed in THIRD_PARTY:
        if re.fullmatch(pattern, header):
            return [] if re.fullmatch(allowed, path) else [f"{where}: <{header}> has its one place elsewhere"]
    return []


def check_includes(root, paths):
    findings = []
    nng = {}
    for path in paths:
        room = room_of(path)
        source = tree.text(root, path)
        for match in INCLUDE.finditer(source):
            line = source.count("\n", 0, match.start()) + 1
            kind, header = match.groups()
            where = f"{path}:{line}"
            check = check_local if kind == '"' else check_system
            findings += check(path, room, header, where)
            if kind == '"' and not (header.startswith("../") or os.path.exists(os.path.join(root, header))):
                findings.append(f'{where}: there is no "{header}"')
            for side in NNG_SIDES:
                if header.startswith("nng/") and path.startswith(side):
                    nng.setdefault(side, set()).add(path)
    for side, users in nng.items():
        if len(users) > 1:
            findings.append(f"{side}: nng is included in more than one file: {', '.join(sorted(users))}")
    return findings


def rooms(paths):
    """Folder with a README duty -> its .c and .h files. privacy is one room with its folders."""
    found = {}
    for path in paths:
        parts = path.split("/")
        if parts[0] == "privacy":
            room = "privacy"
        elif parts[0] == "service" and len(parts) == 2:
            room = "service"
        elif parts[0] in ("service", "client") and len(parts) > 2:
            room = "/".join(parts[:2])
        else:
            continue
        found.setdefault(room, set()).add(path)
    return found


def check_readmes(root, paths):
    findings = []
    for room, members in sorted(rooms(paths).items()):
        readme = f"{room}/README.md"
        if not os.path.exists(os.path.join(root, readme)):
            findings.append(f"{readme}: the room has none")
            continue
        words = tree.text(root, readme)
        named = {os.path.splitext(os.path.basename(word.rstrip("/")))[0] for word in re.findall(r"`([^`\n]+)`", words)}
        stems = {os.path.splitext(os.path.basename(path))[0] for path in members}
        for stem in sorted(stems - named):
            findings.append(f"{readme}: does not name `{stem}`")
        every = {os.path.splitext(entry)[0] for _, folders, entries in os.walk(os.path.join(root, room)) for entry in entries + folders}
        for match in re.finditer(r"^- `([^`\n]+)`", words, re.M):
            stem = os.path.splitext(os.path.basename(match.group(1).rstrip("/")))[0]
            if stem not in every:
                line = words.count("\n", 0, match.start()) + 1
                findings.append(f"{readme}:{line}: names `{match.group(1)}`, which is not there")
    return findings


def main():
    root = tree.root_argument()
    paths = tree.files(root, (".c", ".h"))
    tree.report("arrows", check_includes(root, paths) + check_readmes(root, paths))


main()
