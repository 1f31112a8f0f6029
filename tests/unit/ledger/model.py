#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# The ledger's model, searched whole: within each set of bounds nothing is wrong with it, every planted bug is found, and
# every function it says it mirrors is there.
#
#   python3 tests/unit/ledger/model.py           the bounds that fit a suite (seconds)
#   python3 tests/unit/ledger/model.py long      larger ones (minutes, 4 GB)
#   python3 tests/unit/ledger/model.py names     nothing but the functions it mirrors

import os
import re
import subprocess
import sys
import tempfile

SOURCE = os.path.abspath(os.environ.get("GW_SOURCE", "."))
MODEL = os.path.join(SOURCE, "service/ledger/ledger.pml")
DEPTH_MAX = 20000

# Messages, crashes, copies put back.
BOUNDS = [(3, 1, 1), (5, 1, 0)]
BOUNDS_LONG = [(4, 1, 1), (5, 2, 0), (3, 2, 2)]
failed = 0


def tell(name, trouble):
    """One case, as the counter of cases reads it."""
    global failed
    failed += bool(trouble)
    if trouble:
        print(trouble)
    print("[  FAILED  ] %s" % name if trouble else "[       OK ] %s" % name, flush=True)


def check_mirrors(text):
    """Each `mirrors <file>: <functions>` names functions that the file defines."""
    missing = []
    count = 0
    for path, names in re.findall(r"mirrors (\S+\.c): ([a-z0-9_ ]+)", text):
        with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
            source = file.read()
        for name in names.split():
            count += 1
            if not re.search(r"^[a-z][^;={}\n]*\b%s\([^;]*?\{$" % name, source, re.M):
                missing.append("%s has no function %s" % (path, name))
    if count < 30:
        missing.append("only %d functions are named" % count)
    tell("the_model_names_functions_that_exist", "\n".join(missing))


def build(folder):
    """The search program."""
    subprocess.run(["spin", "-a", MODEL], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["gcc", "-O2", "-w", "-DSAFETY", "-DNOFAIR", "-DVECTORSZ=1024", "-o", "pan", "pan.c"], cwd=folder,
                   check=True)


def search(folder, bounds, bug):
    """What the search prints."""
    env = dict(os.environ, BUG=str(bug), SENDS=str(bounds[0]), CRASHES=str(bounds[1]), COPIES=str(bounds[2]))
    done = subprocess.run(["./pan", "-n", "-m%d" % DEPTH_MAX], cwd=folder, env=env, capture_output=True, text=True)
    return done.stdout + done.stderr


def check_sound(folder, bounds):
    """The whole state space, nothing cut off, nothing wrong."""
    said = search(folder, bounds, 0)
    states = re.search(r"^\s*([\d.e+]+) states, stored", said, re.M)
    is_whole = "errors: 0" in said and "Search not completed" not in said and "max search depth" not in said
    name = "within_%d_messages_%d_crashes_%d_copies_nothing_is_wrong" % bounds
    tell(name, "" if is_whole and states else said)
    if states:
        print("%s: %d states" % (name, int(float(states.group(1)))), flush=True)


def check_bugs(folder, text):
    """Each is found within the first bounds, or else the second."""
    bugs = re.findall(r"^#define ([A-Z_]+) (\d+)", text[text.index("#define SKIP_IDEM"):text.index("#define BUGS")], re.M)
    count = int(re.search(r"^#define BUGS (\d+)", text, re.M).group(1))
    numbers = sorted(int(number) for _, number in bugs)
    tell("bugs_are_numbered_without_gaps", "" if numbers == list(range(1, count + 1)) else str(numbers))
    for name, number in bugs:
        found = None
        for bounds in BOUNDS:
            found = found or re.search(r"assertion violated.*", search(folder, bounds, int(number)))
        if found:
            print("%s: %s" % (name.lower(), found.group(0)))
        tell("the_bug_%s_is_found" % name.lower(), "" if found else "no search finds it")


def main():
    with open(MODEL, encoding="utf-8") as file:
        text = file.read()
    is_long = sys.argv[1:] == ["long"]
    check_mirrors(text)
    if sys.argv[1:] == ["names"]:
        return 1 if failed else 0
    with tempfile.TemporaryDirectory(prefix="gw") as folder:
        build(folder)
        for bounds in BOUNDS_LONG if is_long else BOUNDS:
            check_sound(folder, bounds)
        if not is_long:
            check_bugs(folder, text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
