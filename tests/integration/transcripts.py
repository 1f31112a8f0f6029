#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Every sample session of the READMEs and man pages is typed again and compared.
#
# A session is a block that begins with "$ ": in Markdown a ```console block, in a man page any literal block. What a
# command prints (both streams) must be what stands below it: words, columns and order exactly; figures, which are noise,
# ids, paths and times by their shape alone. A line "…" stands for any lines, and one that ends with it for any end. Each
# file starts from the same state: the demo's register and adult loaded, nothing asked, and the profile of a researcher.
#
#   GW_BIN=.build/release/bin GW_SOURCE=. python3 tests/integration/transcripts.py [--update] [FILE...]

import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

COMMAND_SECONDS = 30
READY_SECONDS = 20
PUBLISHED_SECONDS = 1.2  # a reader types slower than the log is published
# The walk of README.md starts from nothing and is run by readme_walk.sh; building and testing are run by what builds
# and tests.
SKIPPED_SECTIONS = {"README.md": ("First five minutes",)}
SKIPPED_COMMANDS = re.compile(r"^(sh (client/demo|tests/run|service/setup)\.sh|python3 tests/)")


class Session:
    """A block: its place, and its commands, each with the lines expected below it."""

    def __init__(self, first_line):
        self.first_line = first_line
        self.steps = []  # [command, line number of the first output line, [output lines]]


def sessions_of(path, name):
    """Sessions of a file, in order."""
    found, section, block = [], "", None
    for number, line in enumerate(open(path, encoding="utf-8").read().split("\n"), 1):
        if block is None and line.startswith("#"):
            section = line.lstrip("# ")
        if line.startswith("```"):
            if block is not None:
                if block.steps:
                    found.append(block)
                block = None
            elif name.endswith(".scd") or line.strip() == "```console":
                block = Session(number) if section not in SKIPPED_SECTIONS.get(name, ()) else None
                if block is None:
                    block = Session(-1)
            else:
                block = Session(-1)
            continue
        if block is None or block.first_line < 0:
            continue
        if name.endswith(".scd") and "\\" in line.rstrip("\\"):
            raise SystemExit(f"{path}:{number}: a page loses backslashes: {line}")
        if line.startswith("$ "):
            block.steps.append([line[2:], number + 1, []])
        elif block.steps and block.steps[-1][0].endswith("\\"):
            block.steps[-1][0] = block.steps[-1][0][:-1] + line.strip()
            block.steps[-1][1] = number + 1
        elif block.steps:
            block.steps[-1][2].append(line)
    return [s for s in found if s.first_line > 0]


def shape(line):
    """What must agree: figures, ids, paths and times lose what differs from run to run."""
    line = re.sub(r"(/[A-Za-z0-9_.+-]+)+/", "/", line)  # folders of this run
    line = re.sub(r"\b[0-9a-f]{8}…", "#…", line)
    line = re.sub(r"\b[0-9a-f]{8,64}\b", "#", line)
    line = re.sub(r"\bQ(-[0-9A-Z]{4}){3}\b", "Q-#", line)
    line = re.sub(r"[A-Za-z0-9+/]{43}=", "#", line)
    line = re.sub(r"-?\d[\d,]*(\.\d+)?", "#", line)
    # Whether a small group is too uncertain, or shown at its bound, is the noise's doing too.
    line = re.sub(r"^Shown within what is possible; .*", "", line)
    line = re.sub(r"^u +too uncertain .*", "", re.sub(r"too uncertain( .*[^u]) +u$", r"# %\1", line))
    return re.sub(r"\s+", " ", line).strip()


def differs(expected, actual):
    """The first pair of lines that do not agree, or None."""
    expected = [shape(line) for line in expected if shape(line)]
    actual = [shape(line) for line in actual if shape(line)]
    at = 0
    for index, line in enumerate(expected):
        if line == "…":
            rest = [other for other in expected[index + 1 :] if other]
            if not rest:
                return None
            while at < len(actual) and actual[at] != rest[0]:
                at += 1
            continue
        if at < len(actual) and line.endswith(" …") and actual[at].startswith(line[:-1]):
            at += 1
            continue
        if at >= len(actual):
            return line, "(nothing more)"
        if actual[at] != line:
            return line, actual[at]
        at += 1
    return None if at == len(actual) else ("(nothing more)", actual[at])


class Service:
    """The demo's state, made once and put back for each file."""

    def __init__(self, programs, source, folder):
        self.folder = folder
        self.source = source
        self.daemon = None
        self.environment = {
            "PATH": programs + ":" + os.environ["PATH"],
            "GODWIT_SHARE": os.path.join(source, "policies"),
            "GODWIT_OUTPUT": "table",
            "GODWIT_PROFILE": "profiles/researcher.json",
            "LC_ALL": "C.UTF-8",
            "HOME": folder,
            "TERM": "dumb",
            "COLUMNS": "80",
            "TMPDIR": folder,
        }
        for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def run(self, command):
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout.decode("utf-8", "replace").rstrip("\n").split("\n")

    def must(self, command):
        code, lines = self.run(command)
        if code != 0:
            raise SystemExit("transcripts: %s\n  ends with %d: %s" % (command, code, "\n  ".join(lines)))

    def start(self):
        log = open(os.path.join(self.folder, "daemon.log"), "ab")
        self.daemon = subprocess.Popen(
            ["godwitd", "serve", "--dir", "state"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            executable=shutil.which("godwitd", path=self.environment["PATH"]),
        )
        until = time.monotonic() + READY_SECONDS
        while self.run("godwit status --timeout 2 --config state/profiles/admin.json")[0] != 0:
            if time.monotonic() > until or self.daemon.poll() is not None:
                raise SystemExit("transcripts: the service does not start; see daemon.log")
            time.sleep(0.05)

    def stop(self):
        if self.daemon is None:
            return
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait(timeout=READY_SECONDS)
        self.daemon = None

    def make(self):
        """What README's first five minutes make, for both sample datasets."""
        admin = "--config state/profiles/admin.json"
        self.must("godwit init --dir state --origin stats.example/godwit")
        self.start()
        for role in ("owner", "researcher", "auditor"):
            self.must("godwit keys new %s --out profiles %s" % (role, admin))
            self.must("godwit principal add profiles/%s.pub --roles %s %s" % (role, role, admin))
        samples = [os.path.basename(p)[:-12] for p in glob.glob(self.source + "/policies/samples/*.policy.json")]
        populations = set()
        for name in sorted(samples):
            text = open("%s/policies/samples/%s.policy.json" % (self.source, name), encoding="utf-8").read()
            text = text.replace("demo.example", "stats.example")
            with open("%s/%s.policy.json" % (self.folder, name), "w", encoding="utf-8") as copy:
                copy.write(text)
            population = re.search(r'"population":\s*"([^"]+)"', text).group(1)
            if population not in populations:
                populations.add(population)
                self.must("godwit population add %s --total 20 %s" % (population, admin))
            self.must("godwit policy sign %s.policy.json --as owner" % name)
            self.must("godwit policy activate %s.policy.json --as owner" % name)
        self.load(sorted(samples))
        self.stop()
        self.keep()

    def load(self, samples):
        for name in samples:
            plain = "%s/policies/samples/%s" % (self.source, name)
            if os.path.exists(plain + ".sql"):
                self.must("godwit-engine generate %s.sql %s" % (plain, name))
                files = name
            else:
                files = plain + ".csv.gz"
            self.must("godwit load --dir state stats.example/%s %s" % (name, files))

    def keep(self):
        """A copy of all there is, to go back to."""
        self.kept = self.folder + ".kept"
        shutil.copytree(self.folder, self.kept, symlinks=True, ignore=lambda folder, names: [n for n in names if n.endswith(".sock")])

    def restore(self):
        self.stop()
        for entry in os.listdir(self.folder):
            path = os.path.join(self.folder, entry)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.remove(path)
        for entry in os.listdir(self.kept):
            path = os.path.join(self.kept, entry)
            if os.path.isdir(path):
                shutil.copytree(path, os.path.join(self.folder, entry), symlinks=True)
            else:
                shutil.copy2(path, os.path.join(self.folder, entry))
        self.start()


def check_file(service, source, name, update):
    """The number of steps that were compared, and the problems found."""
    path = os.path.join(source, name)
    sessions = [s for s in sessions_of(path, name) if not SKIPPED_COMMANDS.match(s.steps[0][0])]
    problems, compared, edits = [], 0, []
    if not sessions:
        return 0, []
    service.restore()
    for session in sessions:
        for command, line_number, expected in session.steps:
            while expected and not expected[-1].strip():
                expected.pop()
            if command.startswith("godwit audit"):
                time.sleep(PUBLISHED_SECONDS)
            _, actual = service.run(re.sub(r"(^|\s)#\s.*$", "", command))
            compared += 1
            found = differs(expected, actual)
            if found is None:
                continue
            edits.append((line_number, len(expected), [line for line in actual if actual != [""]]))
            problems.append(
                "%s:%d: $ %s\n  the page says  %s\n  it prints      %s\n    %s"
                % (name, line_number, command, found[0], found[1], "\n    ".join(actual))
            )
    if update and edits:
        lines = open(path, encoding="utf-8").read().split("\n")
        for line_number, count, actual in reversed(edits):
            lines[line_number - 1 : line_number - 1 + count] = actual
        with open(path, "w", encoding="utf-8") as page:
            page.write("\n".join(lines))
    return compared, problems


def pages_of(source):
    pages = ["README.md"]
    for room in ("client", "service", "privacy", "policies", "tests"):
        for folder, _, names in os.walk(os.path.join(source, room)):
            pages += [
                os.path.relpath(os.path.join(folder, n), source)
                for n in sorted(names)
                if n.endswith(".scd") or n == "README.md"
            ]
    return pages


def main():
    arguments = sys.argv[1:]
    update = "--update" in arguments
    named = [a for a in arguments if not a.startswith("--")]
    source = os.path.abspath(os.environ.get("GW_SOURCE", "."))
    programs = os.path.abspath(os.environ.get("GW_BIN", ".build/release/bin"))
    work = tempfile.mkdtemp(prefix="gw")
    folder = os.path.join(work, "demo")
    os.mkdir(folder)
    service = Service(programs, source, folder)
    compared, problems = 0, []
    try:
        service.make()
        for name in named or pages_of(source):
            count, found = check_file(service, source, name, update)
            compared += count
            problems += found
    finally:
        service.stop()
        shutil.rmtree(work)
    for problem in problems:
        print(problem)
    print("transcripts: %d commands typed again, %d differ" % (compared, len(problems)))
    return 1 if problems and not update else 0


if __name__ == "__main__":
    sys.exit(main())
