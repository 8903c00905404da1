#!/usr/bin/env python3
"""Counts what a run of the tests did: `count_tests.py BUILD..` prints "N passed, N failed[, N skipped]" and exits with 1
if anything failed or nothing ran; `count_tests.py --failures BUILD` prints the output of each failed test.

ctest knows programs; a GoogleTest program holds many tests and writes its own account (GTEST_OUTPUT=xml:BUILD/
test-results/), and so does an end-to-end test written in Python (TEST_ACCOUNT, BUILD/test-results/NAME.json: what became
of each test). A program counts by its own account where there is one, and as one test otherwise. A program that failed
although its account shows no failure (a sanitizer's report at exit, a crash) counts as one failed test more.
"""

import json
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree


def programs(build):
    """The program behind each test's name."""
    listing = subprocess.run(["ctest", "--test-dir", str(build), "--show-only=json-v1"], capture_output=True, check=True)
    return {t["name"]: pathlib.Path(t.get("command", [""])[0]).name for t in json.loads(listing.stdout)["tests"]}


def count_googletest(paths):
    """(passed, failed, skipped) of a program's accounts."""
    passed = failed = skipped = 0
    for path in paths:
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            if case.find("failure") is not None:
                failed += 1
            elif case.get("result") == "skipped" or case.find("skipped") is not None:
                skipped += 1
            elif case.get("status") == "run":
                passed += 1
    return passed, failed, skipped


def count_python(path):
    """(passed, failed, skipped) of a Python test's account."""
    outcomes = list(json.loads(path.read_text(encoding="utf-8")).values())
    return tuple(outcomes.count(outcome) for outcome in ("passed", "failed", "skipped"))


def count(build):
    passed = failed = skipped = 0
    program_of = programs(build)
    counted = set()
    for case in ElementTree.parse(build / "test-results.xml").getroot().iter("testcase"):
        account = build / "test-results" / f"{case.get('name')}.json"
        if account.is_file():
            own = count_python(account)
            passed, failed, skipped = passed + own[0], failed + own[1], skipped + own[2]
            failed += case.get("status") == "fail" and not own[1]
            continue
        program = program_of.get(case.get("name"), "")
        accounts = [] if program in counted else sorted((build / "test-results").glob(f"{program}.xml"))
        accounts += [] if program in counted else sorted((build / "test-results").glob(f"{program}_[0-9]*.xml"))
        own = count_googletest(accounts) if program and accounts else (0, 0, 0)
        if program and accounts:
            counted.add(program)
        passed, failed, skipped = passed + own[0], failed + own[1], skipped + own[2]
        status = case.get("status")
        if status == "fail":
            failed += 0 if own[1] else 1
        elif program in counted:
            pass
        elif status == "run":
            passed += 1
        else:
            skipped += 1
    return passed, failed, skipped


def print_failures(build):
    for case in ElementTree.parse(build / "test-results.xml").getroot().iter("testcase"):
        if case.get("status") == "fail":
            print(f"---- {case.get('name')}")
            lines = (case.findtext("system-out") or "").splitlines()
            if len(lines) > 400:
                print(f"({len(lines) - 400} lines left out)")
            print("\n".join(lines[-400:]))


def main(arguments):
    if arguments[:1] == ["--failures"]:
        for build in arguments[1:]:
            print_failures(pathlib.Path(build))
        return 0
    passed = failed = skipped = 0
    for build in arguments:
        try:
            one = count(pathlib.Path(build))
        except (OSError, ValueError, ElementTree.ParseError, subprocess.CalledProcessError) as e:
            print(f"{build}: no account of the tests: {e}", file=sys.stderr)
            one = (0, 1, 0)
        passed, failed, skipped = passed + one[0], failed + one[1], skipped + one[2]
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
