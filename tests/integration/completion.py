#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Completion as a shell does it: the scripts of `godwit completion` are sound, and at a tab bash gets the commands, the
# options and the service's own names; without a service the same, quickly, without names and without a word.
#
#   GW_BIN=.build/release/bin GW_SOURCE=. python3 tests/integration/completion.py

import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import transcripts

# What is typed, and what must be offered: all of these, or with "=" exactly these.
TABS = (
    ("godwit bu", "= budget"),
    ("godwit audit v", "= verify"),
    ("godwit help cos", "= cost"),
    ("godwit query reg", "= register"),
    ("godwit query register empl", "= employment_rate"),
    ("godwit query register --measure mean:inc", "= income"),
    ("godwit query register employment_rate --by c_birth,se", "= c_birth,sex"),
    ("godwit query register --by age:", "work"),
    ("godwit cost register --where sex=", "F M"),
    ("godwit cost register --where sex=F,", "F,M"),
    ("godwit cost register --per ", "= person row"),
    ("godwit query register --max", "= --max-cost"),
    ("godwit budget -o js", "json"),
    ("godwit whoami --as res", "= researcher"),
    ("godwit completion ", "= bash fish zsh"),
    ("godwit serve --rel", "--release-tick"),
)
# These need no service.
TABS_ALONE = (("godwit bu", "= budget"), ("godwit cost register --per ", "= person row"), ("godwit query reg", "="))
SECONDS_ALONE = 3


def bash_tab(service, typed):
    """What bash has in COMPREPLY after a tab."""
    script = (
        'eval "$(godwit completion bash)"; COMP_LINE=$1; COMP_POINT=${#1}; compopt() { :; }; _godwit; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script, "bash", typed],
        cwd=service.folder,
        env=service.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=20,
        check=False,
    )
    if done.stderr:
        return ["said: " + done.stderr.decode("utf-8", "replace")]
    return [line for line in done.stdout.decode("utf-8", "replace").split("\n") if line]


def check_tab(service, typed, expected):
    offered = bash_tab(service, typed)
    words = expected.replace("=", "", 1).split() if expected.startswith("=") else expected.split()
    is_right = sorted(offered) == sorted(words) if expected.startswith("=") else set(words) <= set(offered)
    if is_right:
        return []
    return ['"%s" and a tab: %s is expected, %s is offered' % (typed, expected, offered)]


def check_fish(service):
    """fish completes a line by itself, so its whole way can be walked."""
    if shutil.which("fish") is None:
        return []
    script = "source completion.fish; complete -C 'godwit query reg'"
    done = subprocess.run(
        ["fish", "-c", script], cwd=service.folder, env=service.environment, capture_output=True, timeout=20, check=False
    )
    offered = [line.split("\t")[0] for line in done.stdout.decode("utf-8", "replace").splitlines()]
    return [] if offered == ["register"] else ["fish offers %s %s" % (offered, done.stderr)]


def check_scripts(service):
    problems = []
    for shell in ("bash", "zsh", "fish"):
        code, lines = service.run("godwit completion " + shell)
        if code != 0:
            problems.append("completion %s ends with %d" % (shell, code))
        path = os.path.join(service.folder, "completion." + shell)
        with open(path, "w", encoding="utf-8") as script:
            script.write("\n".join(lines) + "\n")
        if shutil.which(shell) is None:
            print("completion: no %s here, its script is not read" % shell)
            continue
        done = subprocess.run([shell, "-n", path], capture_output=True, timeout=20, check=False)
        if done.returncode != 0 or done.stderr:
            problems.append("%s -n: %s" % (shell, done.stderr.decode("utf-8", "replace")))
    return problems


def main():
    source = os.path.abspath(os.environ.get("GW_SOURCE", "."))
    programs = os.path.abspath(os.environ.get("GW_BIN", ".build/release/bin"))
    work = tempfile.mkdtemp(prefix="gw")
    folder = os.path.join(work, "demo")
    os.mkdir(folder)
    service = transcripts.Service(programs, source, folder)
    problems = []
    try:
        service.make()
        problems += check_scripts(service)
        service.start()
        for typed, expected in TABS:
            problems += check_tab(service, typed, expected)
        problems += check_fish(service)
        service.stop()
        for typed, expected in TABS_ALONE:
            begin = time.monotonic()
            problems += check_tab(service, typed, expected)
            if time.monotonic() - begin > SECONDS_ALONE:
                problems.append('"%s" and a tab takes too long without a service' % typed)
    finally:
        service.stop()
        shutil.rmtree(work)
    for problem in problems:
        print("completion: " + problem)
    print("completion: %d tabs, %d wrong" % (len(TABS) + len(TABS_ALONE), len(problems)))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
