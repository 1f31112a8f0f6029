# SPDX-License-Identifier: Apache-2.0
# What the checks share: the files of the tree, C text without comments and strings, and the way a finding is printed.
import os
import re
import sys

SKIPPED_FOLDERS = {".git", ".build", ".cache", "godwit-demo", "node_modules", "__pycache__"}


def files(root, endings=None):
    """Paths relative to `root`, sorted, with / as separator."""
    found = []
    for folder, names, entries in os.walk(root):
        names[:] = [name for name in names if name not in SKIPPED_FOLDERS]
        for entry in entries:
            path = os.path.relpath(os.path.join(folder, entry), root).replace(os.sep, "/")
            if endings is None or path.endswith(endings):
                found.append(path)
    return sorted(found)


def text(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


_C_TOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


def code(source):
    """C source with comments and literals blanked; line numbers stay."""
    return _C_TOKEN.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), source)


def report(name, findings):
    """Prints findings as file:line: text and ends the program: 0 when there are none, 9 as a check that found problems."""
    for finding in findings:
        print(finding)
    print(f"{name}: {len(findings)} finding(s)")
    sys.exit(9 if findings else 0)


def root_argument():
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", ".."))
