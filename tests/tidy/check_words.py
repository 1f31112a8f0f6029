# SPDX-License-Identifier: Apache-2.0
# Words that have no place in the tree: unfinished work, this or that machine's paths, package registries' hosts, binary
# fractions where money-like integers rule, functions that are never right here; and files that have grown past one noun.
#                                                                   python3 tests/tidy/check_words.py [root]
import re

import tree

LINES_MAX = 800  # a file this long holds more than one noun
TEXT = (".c", ".h", ".py", ".sh", ".md", ".txt", ".cmake", ".json", ".sql", ".scd", ".service", ".in", ".1", ".5", ".8")
SCRIPTS = (".ci/run",)

# Written in parts, so that this file passes its own check.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|\bplace" r"holder\b|\bsimplified for " r"now\b", re.I)
MACHINE = re.compile(r"/(?:work|root|tmp/prep)/(?:[a-z.]+)|\.\./sha" r"red\b")
HOSTS = re.compile(r"\b(?:registry\.npm" r"js|npm" r"js\.(?:org|com)|py" r"pi\.org|crates\." r"io|proxy\.gol" r"ang\.org|deb\.deb" r"ian\.org"
                   r"|repo1?\.ma" r"ven|pythonhosted\." r"org)", re.I)
# Tests may look for sample data beside the checkout and skip where it is absent.
DATA_READERS = re.compile(r"tests/.*\.(c|h|py|sh|txt)$")

FRACTIONS = re.compile(r"\b(?:float|double|long double|strtod|strtof|atof|lround|llround|lrint)\b")
# Where amounts and counts are integers from end to end.
INTEGER_ROOMS = re.compile(
    r"(?:service/(?:ledger|wire|audit|store|auth|bus|base)/|privacy/(?:sampling|mechanism)/|privacy/(?:budget|checked|exact_table|released|random_source)\.)")

NEVER = re.compile(
    r"\b(?:rand|srand|random|srandom|rand_r|drand48|lrand48|mrand48|gets|sprintf|vsprintf|strtok|atoi|atol|atoll|system|popen|alloca|tmpnam|mktemp|asctime|ctime)\s*\(")
# Tests may be plain, not unrepeatable: no generator without a seed of its own.
NEVER_IN_TESTS = re.compile(r"\b(?:rand|srand|random|srandom|drand48|lrand48|mrand48|gets|alloca|tmpnam|mktemp)\s*\(")
# Copying a literal, the compilers check; copying anything else says how much room there is: snprintf, memcpy, or a
# comment that counts the bytes.
COPY = re.compile(r"\bstr(?:cpy|cat)\s*\([^;]*;")
# privacy is pure; <stdio.h> is there for snprintf alone.
FILES = re.compile(r"\b(?:FILE|f?open|fdopen|f?printf|vf?printf|dprintf|f?puts|f?write|f?read|stdout|stderr|stdin|getenv|time|clock_gettime)\b")
PLAIN_ASSERT = re.compile(r"(?<![_\w])assert\s*\(")  # vanishes in Release builds; GW_ASSERT stays


def matches(pattern, words, path, say):
    for match in pattern.finditer(words):
        line = words.count("\n", 0, match.start()) + 1
        yield f"{path}:{line}: {say}: {match.group(0).strip()}"


def check_text(path, words):
    findings = []
    findings += matches(UNFINISHED, words, path, "unfinished work")
    findings += matches(HOSTS, words, path, "a package registry's host")
    for finding in matches(MACHINE, words, path, "a path of somebody's machine"):
        if not ("sha" "red" in finding and DATA_READERS.match(path)):
            findings.append(finding)
    lines = words.count("\n")
    if lines > LINES_MAX:
        findings.append(f"{path}: {lines} lines; split it: more than {LINES_MAX} hold more than one noun")
    return findings


def check_head(path, words):
    lines = words.split("\n")
    if lines[0].startswith("#!"):
        lines = lines[1:]
    if not lines or "SPDX-License-Identifier: Apache-2.0" not in lines[0]:
        return [f"{path}:1: the licence line is missing"]
    comment = ("//", "/*") if path.endswith((".c", ".h")) else ("#",)
    if len(lines) < 2 or not lines[1].startswith(comment):
        return [f"{path}:2: a short paragraph on what this file is comes here"]
    return []


def check_fractions(path, words, code):
    """A line whose comment says why it is exact may name them: cJSON hands integers over as fractions."""
    lines = words.split("\n")
    said = matches(FRACTIONS, code, path, "integers only in this room")
    return [finding for finding in said if not re.search(r"//.*\bexact\b", lines[int(finding.split(":")[1]) - 1])]


def is_unbounded(words, code, copy):
    comment = words[copy.end():words.find("\n", copy.end())]
    return '"' not in copy.group(0) and "bytes" not in comment and bool(code[copy.start():copy.end()].strip())


def check_code(path, words):
    code = tree.code(words)
    is_test = path.startswith("tests/")
    findings = list(matches(NEVER_IN_TESTS if is_test else NEVER, code, path, "never right here"))
    if not is_test:
        findings += [f"{path}:{words.count(chr(10), 0, at.start()) + 1}: how much room is there? {at.group(0)}"
                     for at in COPY.finditer(words) if is_unbounded(words, code, at)]
        findings += matches(PLAIN_ASSERT, code, path, "vanishes in Release, use GW_ASSERT")
    if path.startswith("privacy/"):
        findings += matches(FILES, code, path, "privacy is pure")
    if INTEGER_ROOMS.match(path):
        findings += check_fractions(path, words, code)
    return findings


def main():
    root = tree.root_argument()
    findings = []
    for path in tree.files(root):
        if path in ("LICENSE",) or not (path.endswith(TEXT) or path in SCRIPTS):
            continue
        words = tree.text(root, path)
        findings += check_text(path, words)
        if path.endswith((".c", ".h")):
            findings += check_code(path, words)
        if path.endswith((".c", ".h", ".sh", ".py")) or path in SCRIPTS:
            findings += check_head(path, words)
    tree.report("words", findings)


main()
