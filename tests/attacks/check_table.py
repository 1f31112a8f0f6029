# SPDX-License-Identifier: Apache-2.0
# The table of attacks in README.md: every attack has its row, and every test that a row names is a test of the tree.
#                                                            python3 tests/attacks/check_table.py [root] [readme]
import glob
import os
import re
import sys

ATTACKS = 32
ROW = re.compile(r"^\|(.*)\|$", re.M)
NAMED = re.compile(r"`(\w+):(\w+)`")
PROGRAM = re.compile(r"`((?:test|story|bench|check|fault)_\w+)`")
CASE = re.compile(r"^static void (\w+)\(void \*\*\w+\)", re.M)


def cases_of(root):
    """Program -> names of its cases: functions that a test has, and that are listed to be run."""
    cases = {}
    for path in glob.glob(os.path.join(root, "tests", "**", "*.c"), recursive=True):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        listed = {name for name in CASE.findall(text) if len(re.findall(rf"\b{name}\b", text)) > 1}
        cases[os.path.splitext(os.path.basename(path))[0]] = listed
    return cases


def findings_of(table, cases):
    rows = {}
    for line in ROW.findall(table):
        fields = [field.strip() for field in line.split("|")]
        if fields[0].isdigit():
            rows.setdefault(int(fields[0]), []).append(fields)
    for number in range(1, ATTACKS + 1):
        found = rows.pop(number, [])
        if len(found) != 1:
            yield f"attack {number} has {len(found)} rows"
            continue
        if len(found[0]) != 4 or not all(found[0]):
            yield f"attack {number}: number, attack, tests, and what would be seen"
            continue
        if not NAMED.search(found[0][2]):
            yield f"attack {number} names no test"
        for program, case in NAMED.findall(found[0][2]):
            if case not in cases.get(program, ()):
                yield f"attack {number}: there is no {program}:{case}"
    for number in rows:
        yield f"there is no attack {number}"
    for program in PROGRAM.findall(table):
        if program not in cases:
            yield f"there is no {program}"


def self_test(cases):
    """A table with a mistake is found out: a missing row, a test that is not there, an empty field."""
    good = "".join(f"| {i} | a | `test_replay:every_planted_mistake_is_seen` | s |\n" for i in range(1, ATTACKS + 1))
    yield from findings_of(good, cases)
    for bad in (good.replace("| 7 |", "| 77 |"), good.replace("planted_mistake", "planted_joke", 1),
                good.replace("| s |", "| |", 1), good + good):
        if not list(findings_of(bad, cases)):
            yield "a planted mistake is not found"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    readme = sys.argv[2] if len(sys.argv) > 2 else os.path.join(root, "tests", "attacks", "README.md")
    cases = cases_of(root)
    with open(readme, encoding="utf-8") as file:
        findings = list(findings_of(file.read(), cases)) + list(self_test(cases))
    for finding in findings:
        print(finding)
    print(f"attacks: {len(findings)} finding(s)")
    sys.exit(9 if findings else 0)


main()
