# SPDX-License-Identifier: Apache-2.0
# Headers of the privacy library stand alone, in C17 and in C++17, without a warning; and their functions keep C's names
# when C++ includes them (privacy/linkage.h).                      python3 tests/tidy/check_headers.py [root]
import subprocess

import tree

ROOM = "privacy/"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-fsyntax-only"]
LANGUAGES = [("C17", ["cc", "-std=c17", "-x", "c"]), ("C++17", ["c++", "-std=c++17", "-x", "c++"])]


def first_error(language, root, headers):
    """The compiler's first complaint about a file that includes `headers` and nothing else; None where it has none."""
    text = "".join(f'#include "{header}"\n' for header in headers) + "int nothing_else;\n"
    result = subprocess.run(language + WARNINGS + ["-I", root, "-"], input=text, capture_output=True, text=True, cwd=root, check=False)
    if result.returncode == 0:
        return None
    errors = [line for line in result.stderr.splitlines() if "error:" in line]
    return errors[0] if errors else result.stderr.strip().splitlines()[-1]


def main():
    root = tree.root_argument()
    headers = [path for path in tree.files(root, (".h",)) if path.startswith(ROOM)]
    findings = []
    for header in headers:
        words = tree.code(tree.text(root, header))
        if header != ROOM + "linkage.h" and not ("GW_C_BEGIN" in words and "GW_C_END" in words):
            findings.append(f"{header}: declare between GW_C_BEGIN and GW_C_END (privacy/linkage.h), for callers in C++")
        for name, language in LANGUAGES:
            error = first_error(language, root, [header])
            if error:
                findings.append(f"{header}: does not stand alone in {name}: {error}")
    for name, language in LANGUAGES:
        error = None if findings else first_error(language, root, headers)
        if error:
            findings.append(f"{ROOM}: its headers do not go together in {name}: {error}")
    tree.report("check_headers", findings)


main()
