# SPDX-License-Identifier: Apache-2.0
# Counts test cases in ctest's JUnit files. A cmocka program counts once per case; any other program, and one that died
# before it could say, counts as one case. Prints "<passed> <failed>", then a line per failed case, and the end of what
# its program said: a failure that comes once in a hundred runs must be told where it happened.
#                                                                   python3 count_cases.py FILE…
import re
import sys
import xml.etree.ElementTree

OK = re.compile(r"^\[       OK \] (\S+)", re.M)
TAIL_LINES = 25
TAIL_COLUMNS = 300
FAILED = re.compile(r"^\[  FAILED  \] ([A-Za-z_]\w*)\s*$", re.M)


def count(test):
    name = test.get("name")
    out = test.findtext("system-out") or ""
    passed, failed = len(OK.findall(out)), set(FAILED.findall(out))
    is_ok = test.get("status") == "run" and test.find("failure") is None
    if is_ok and not failed:
        return max(passed, 1), [], []
    tail = [f"  | {line[:TAIL_COLUMNS]}" for line in out.rstrip().split("\n")[-TAIL_LINES:]]
    cases = [f"{name}: {case}" for case in sorted(failed)] or [f"{name}: ended badly after {passed} case(s)"]
    return passed, cases, tail


def main():
    passed, failed, lines = 0, 0, []
    for path in sys.argv[1:]:
        for test in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
            more, bad, tail = count(test)
            passed += more
            failed += len(bad)
            lines += [f"failed: {case}" for case in bad] + tail
    print(passed, failed)
    for line in lines:
        print(line)


main()
