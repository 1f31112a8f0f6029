#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# `godwit doctor` and `godwit config` where something is wrong: each fault is planted, named, and told how to mend.
#
#   GW_BIN=.build/release/bin GW_SOURCE=. python3 tests/integration/doctor.py

import os
import shutil
import sys
import tempfile

import transcripts

CODE_OK, CODE_FOUND, CODE_CANNOT_CHECK, CODE_USAGE = 0, 9, 10, 2


class Patient:
    """A service, and what was wrong with it."""

    def __init__(self, service):
        self.service = service
        self.problems = []

    def expect(self, command, code, *said):
        """The exit code, and that each text is said."""
        actual, lines = self.service.run(command)
        text = " ".join(" ".join(lines).split())
        if actual != code:
            self.problems.append("%s ends with %d, not %d: %s" % (command, actual, code, text))
        for part in said:
            if part not in text:
                self.problems.append("%s does not say \"%s\": %s" % (command, part, text))

    def path(self, name):
        return os.path.join(self.service.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)


def check_person(patient):
    """Profile, key, roles."""
    patient.expect("godwit doctor", CODE_OK, "OK you: known as researcher", "OK clock", "OK log")
    os.chmod(patient.path("profiles/researcher.key"), 0o644)
    patient.expect("godwit doctor", CODE_FOUND, "FAIL key", "chmod 0400")
    os.chmod(patient.path("profiles/researcher.key"), 0o600)
    patient.expect("godwit doctor --as nobody", CODE_CANNOT_CHECK, "FAIL profile", "godwit keys ls", "WARN service")
    patient.service.must("godwit keys new stranger --out profiles --config state/profiles/admin.json")
    patient.expect("godwit doctor --as stranger", CODE_FOUND, "FAIL", "godwit principal add")
    patient.expect("LC_ALL=C godwit doctor", CODE_OK, "WARN terminal")


def check_settings(patient):
    """Files of settings."""
    patient.write(".godwit.json", '{"godwit_settings": 1, "output": "csv"}')
    patient.expect("env -u GODWIT_OUTPUT godwit config show --origin", CODE_OK, "output,csv,", ".godwit.json")
    patient.expect("godwit config show --origin", CODE_OK, "environment GODWIT_OUTPUT")
    patient.write(".godwit.json", '{"godwit_settings": 1, "outptu": "csv"}')
    patient.expect("godwit budget register", CODE_USAGE, "outptu", 'Did you mean "output"?')
    patient.expect("godwit config check", CODE_FOUND, "FAIL", "outptu")
    patient.expect("godwit doctor", CODE_FOUND, "FAIL settings")
    patient.write(".godwit.json", '{"godwit_settings": 1, "token": "abc"}')
    patient.expect("godwit config check", CODE_FOUND, "A secret is never a setting")
    os.remove(patient.path(".godwit.json"))
    patient.expect("godwit config check", CODE_OK)


def check_service(patient):
    """A log that was set back, and a service that is gone."""
    service = patient.service
    question = "godwit query register population_count --by sex --epsilon 0.02 --yes --no-save"
    service.must(question)
    shutil.copy(patient.path("profiles/researcher.json.seen"), service.folder + ".seen")
    service.restore()  # the state of before the question
    for name in ("profiles/researcher.json.seen",):
        shutil.copy(service.folder + ".seen", patient.path(name))
    patient.expect("godwit doctor", CODE_FOUND, "FAIL log", "was set back", "auditor")
    # It was shown the checkpoint and has stopped; what proves it is kept beside the profile.
    patient.expect("godwit doctor", CODE_FOUND, "FAIL service", "FAIL log", "rolled_back")
    for name in ("rolled_back", "rolled_back.seen"):
        os.remove(patient.path("profiles/researcher.json." + name))
    service.stop()
    patient.expect("godwit doctor", CODE_CANNOT_CHECK, "FAIL service", "godwit serve")
    patient.expect("godwit doctor --dir nowhere", CODE_CANNOT_CHECK)


def main():
    source = os.path.abspath(os.environ.get("GW_SOURCE", "."))
    programs = os.path.abspath(os.environ.get("GW_BIN", ".build/release/bin"))
    work = tempfile.mkdtemp(prefix="gw")
    folder = os.path.join(work, "demo")
    os.mkdir(folder)
    service = transcripts.Service(programs, source, folder)
    patient = Patient(service)
    try:
        service.make()
        service.start()
        check_person(patient)
        check_settings(patient)
        check_service(patient)
    finally:
        service.stop()
        shutil.rmtree(work)
    for problem in patient.problems:
        print("doctor: " + problem)
    print("doctor: %d wrong" % len(patient.problems))
    return 1 if patient.problems else 0


if __name__ == "__main__":
    sys.exit(main())
