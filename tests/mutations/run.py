#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# A test of the tests: plants one bug after another and sees whether the tests that guard against it fail. Each file in
# patches/ is a small diff whose head says what the bug is and which tests must catch it. Nothing is built anew: the
# changed file is compiled with the build's own command and linked before the library that holds the sound one, so that
# it takes its place; sources and build stay as they are.
#
#   python3 tests/mutations/run.py BUILD_FOLDER [--slice K/N] [NAME…]      NAME: the beginning of a patch's file name
#
# Prints caught or MISSED for each, and the counts; ends with 1 when one was missed or could not be planted.
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
TEST_SECONDS = 120


class Planting(Exception):
    """A bug that cannot be planted: the patch, or its head, no longer fits the code."""


class Mutation:
    """One patch file: what it breaks, which tests must notice, which programs they run."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path)[: -len(".patch")]
        self.text = open(path, encoding="utf-8").read()
        head = self.text.split("\n--- ", 1)[0]
        self.what = head.split("\n", 1)[0].lstrip("# ")
        self.tests = self.words(head, "caught by")
        self.programs = self.words(head, "programs")
        if not self.tests or not self.what:
            raise Planting(f"{path}: its head does not say what it breaks and what must catch it")

    @staticmethod
    def words(head, field):
        found = re.search(rf"^# {field}: (.*)$", head, re.M)
        return found.group(1).split() if found else []


class Build:
    """What a configured build knows: how each file is compiled, how each program is linked, how each test is run."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        commands = json.load(open(os.path.join(self.folder, "compile_commands.json"), encoding="utf-8"))
        self.compile = {os.path.relpath(c["file"], SOURCE): c for c in commands}
        listed = subprocess.run(
            ["ctest", "--test-dir", self.folder, "--show-only=json-v1"], capture_output=True, text=True, check=True
        )
        self.tests = {t["name"]: t for t in json.loads(listed.stdout)["tests"] if "command" in t}

    def link_command(self, target):
        done = subprocess.run(
            ["ninja", "-C", self.folder, "-t", "commands", target], capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or not done.stdout.strip():
            raise Planting(f"there is no program {target}")
        last = done.stdout.strip().split("\n")[-1]
        return shlex.split(last.removeprefix(": && ").split(" && ")[0])

    def environment(self, test):
        environment = dict(os.environ)
        for one in test.get("properties", []):
            if one["name"] == "ENVIRONMENT":
                environment.update(pair.split("=", 1) for pair in one["value"])
        return environment


def plant(build, mutation, folder):
    """The changed sources, compiled: object files that take the place of the sound ones."""
    touched = re.findall(r"^\+\+\+ b/(\S+)", mutation.text, re.M)
    objects = []
    for name in touched:
        if name not in build.compile:
            raise Planting(f"{name} is not part of the build")
        copy = os.path.join(folder, name)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copy(os.path.join(SOURCE, name), copy)
    done = subprocess.run(
        ["patch", "-p1", "-s", "--no-backup-if-mismatch", "-i", mutation.path],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise Planting("the patch does not fit: " + done.stdout.strip())
    for name in touched:
        command = shlex.split(build.compile[name]["command"])
        planted = os.path.join(folder, name.replace("/", "_") + ".o")
        command[command.index("-o") + 1] = planted
        command[command.index("-c") + 1] = os.path.join(folder, name)
        command.append("-Wno-error")
        done = subprocess.run(command, cwd=build.compile[name]["directory"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Planting("it does not compile: " + done.stderr.strip()[:600])
        objects.append(planted)
    return objects


def link(build, target, objects, output):
    command = build.link_command(target)
    command[command.index("-o") + 1] = output
    libraries = next((i for i, word in enumerate(command) if word.endswith(".a")), len(command))
    command[libraries:libraries] = objects
    done = subprocess.run(command, cwd=build.folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Planting(f"{target} does not link: " + done.stderr.strip()[-600:])


def programs_make(build, mutation, objects, folder):
    """A folder of programs in which those that the patch names are the broken ones."""
    if not mutation.programs:
        return None
    sound = os.path.join(build.folder, "bin")
    broken = os.path.join(folder, "bin")
    os.mkdir(broken)
    for name in os.listdir(sound):
        if name in mutation.programs:
            link(build, "bin/" + name, objects, os.path.join(broken, name))
        else:
            os.symlink(os.path.join(sound, name), os.path.join(broken, name))
    return broken


def noticed(build, mutation, objects, programs, folder, name):
    """What a test says of the bug: the first case that fails, or None."""
    if name not in build.tests:
        raise Planting(f"there is no test {name}")
    test = build.tests[name]
    command = list(test["command"])
    environment = build.environment(test)
    if programs:
        environment = {key: value.replace(os.path.join(build.folder, "bin"), programs) for key, value in environment.items()}
        command = [word.replace(os.path.join(build.folder, "bin"), programs) for word in command]
    if command[0].startswith(build.folder + os.sep) and not programs:
        target = os.path.relpath(command[0], build.folder)
        command[0] = os.path.join(folder, os.path.basename(target))
        if not os.path.exists(command[0]):
            link(build, target, objects, command[0])
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=TEST_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "it does not end"
    if done.returncode == 0:
        return None
    case = re.search(rb"^\[  FAILED  \] ([A-Za-z_]\w*)", done.stdout, re.M)
    return case.group(1).decode() if case else f"ends with {done.returncode}"


def try_one(build, mutation):
    with tempfile.TemporaryDirectory(prefix="gwm") as folder:
        objects = plant(build, mutation, folder)
        programs = programs_make(build, mutation, objects, folder)
        for name in mutation.tests:
            case = noticed(build, mutation, objects, programs, folder, name)
            if case is not None:
                return f"{name}: {case}"
    return None


def chosen(arguments):
    folder = os.path.join(HERE, "patches")
    names = sorted(n for n in os.listdir(folder) if n.endswith(".patch"))
    if "--slice" in arguments:
        at = arguments.index("--slice")
        part, parts = (int(word) for word in arguments[at + 1].split("/"))
        del arguments[at : at + 2]
        names = [name for i, name in enumerate(names) if i % parts == part - 1]
    if arguments:
        names = [name for name in names if any(name.startswith(wanted) for wanted in arguments)]
    return [os.path.join(folder, name) for name in names]


def told(build, path):
    """The verdict on one patch, and the lines that say it."""
    begin = time.monotonic()
    try:
        mutation = Mutation(path)
        by = try_one(build, mutation)
    except Planting as trouble:
        return "CANNOT", f"CANNOT  {os.path.basename(path)}\n        {trouble}"
    verdict = "caught" if by else "MISSED"
    lines = [f"{verdict}  {mutation.name}  ({time.monotonic() - begin:.1f} s)", mutation.what]
    lines.append(by or "none of " + " ".join(mutation.tests))
    return verdict, "\n        ".join(lines)


def main():
    arguments = sys.argv[1:]
    if not arguments or arguments[0].startswith("-"):
        print(__doc__ or "usage: run.py BUILD_FOLDER [--slice K/N] [NAME…]", file=sys.stderr)
        return 2
    build = Build(arguments.pop(0))
    caught, missed, unplanted = 0, 0, 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for verdict, text in pool.map(lambda path: told(build, path), chosen(arguments)):
            caught += verdict == "caught"
            missed += verdict == "MISSED"
            unplanted += verdict == "CANNOT"
            print(text, flush=True)
    print(f"mutations: {caught} caught, {missed} missed, {unplanted} could not be planted")
    return 1 if missed or unplanted else 0


if __name__ == "__main__":
    sys.exit(main())
