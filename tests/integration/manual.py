#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Man pages against programs: every program and format has its page, every command and option that --help shows stands in
# it, and no page is ill-formed (mandoc or man, where one of them is).
#
#   GW_BIN=.build/release/bin GW_SOURCE=. python3 tests/integration/manual.py

import os
import re
import shutil
import subprocess
import sys


PAGES = (
    "godwit.1",
    "godwitd.8",
    "godwit-engine.8",
    "godwit-witness.8",
    "godwit-signer.8",
    "godwit-policy.5",
    "godwit-indicator.5",
    "godwit-questions.5",
    "godwit-answer.5",
    "godwit-receipt.5",
    "godwit-log.5",
    "godwit-profile.5",
)


def output_of(words):
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=False
    )
    return done.stdout.decode("utf-8", "replace")


def plain(roff):
    """The words of a built page, without fonts and escapes."""
    return re.sub(r"\\f[A-Z]|\\&", "", roff).replace("\\-", "-").replace("\\(oq", "'")


def built_pages(programs):
    pages = {}
    for folder, _, names in os.walk(os.path.dirname(programs)):
        pages.update({name: os.path.join(folder, name) for name in names if name in PAGES})
    return pages


def check_form(path):
    if shutil.which("mandoc"):
        return output_of(["mandoc", "-T", "lint", "-W", "error", path]).splitlines()
    if shutil.which("man") and shutil.which("groff"):
        done = subprocess.run(
            ["man", "--warnings", "-l", path], stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False
        )
        return done.stderr.decode("utf-8", "replace").splitlines()
    return []


def commands_of(programs):
    """Every command that the help names: "cost", "audit verify"."""
    for line in output_of([programs + "/godwit", "manual"]).splitlines():
        if line.startswith("## godwit "):
            yield line[len("## godwit ") :]


def check_commands(programs, page):
    problems = []
    for command in commands_of(programs):
        if "godwit " + command not in page:
            problems.append('godwit(1) does not have "godwit %s"' % command)
        usage = output_of([programs + "/godwit", "help"] + command.split())
        for option in set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", usage, re.M)):
            if option not in page:
                problems.append("godwit(1) does not have %s of godwit %s" % (option, command))
    return problems


def check_daemon(programs, name, page):
    usage = output_of([programs + "/" + name, "help"])
    return [
        "%s(8) does not have %s" % (name, option)
        for option in sorted(set(re.findall(r"(--[a-z][a-z-]+)", usage)))
        if option not in page and option != "--help"
    ]


def main():
    programs = os.path.abspath(os.environ.get("GW_BIN", ".build/release/bin"))
    pages = built_pages(programs)
    if shutil.which("scdoc") is None:
        print("manual: no scdoc here, no pages are built")
        return 0
    problems = ["%s is not built" % name for name in PAGES if name not in pages]
    texts = {}
    for name, path in pages.items():
        texts[name] = plain(open(path, encoding="utf-8").read())
        problems += ["%s: %s" % (name, line) for line in check_form(path)]
        problems += ["%s: @commands@ is left" % name] if "@commands@" in texts[name] else []
    problems += check_commands(programs, texts.get("godwit.1", ""))
    for name in ("godwitd", "godwit-witness"):
        problems += check_daemon(programs, name, texts.get(name + ".8", ""))
    for problem in problems:
        print("manual: " + problem)
    print("manual: %d pages, %d problems" % (len(pages), len(problems)))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
