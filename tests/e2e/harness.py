"""What the end-to-end tests share: running the program as a user would, and reading what it says."""
import atexit
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# What the program keeps for its user is not that of who runs the tests.
_state = tempfile.TemporaryDirectory(prefix="deepedge_state_")
atexit.register(_state.cleanup)
os.environ["XDG_STATE_HOME"] = _state.name


def deepedge():
    """The program under test."""
    return os.environ.get("DEEPEDGE", str(REPOSITORY / "build" / "dev" / "bin" / "deepedge"))


def testdata():
    """The folder of real models and clips, or None."""
    folder = Path(os.environ.get("DEEPEDGE_TESTDATA", REPOSITORY.parent / "shared" / "testdata"))
    return folder if folder.is_dir() else None


class Outcome:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def events(self, kind="result"):
        return [event for event in lines(self.out) if event.get("type") == kind]

    def summary(self):
        found = [event for event in lines(self.out) if event.get("type") == "summary"]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} summaries in the output; standard error:\n{self.err}")
        return found[0]


def lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def run(*arguments, timeout=120, **options):
    done = subprocess.run([deepedge(), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=timeout, **options)
    return Outcome(done.returncode, done.stdout, done.stderr)


def start(*arguments, **options):
    return subprocess.Popen([deepedge(), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            **options)


def finish(process, timeout=60):
    out, err = process.communicate(timeout=timeout)
    return Outcome(process.returncode, out, err)


class EndToEndTest(unittest.TestCase):
    """Each test class has a folder of its own, removed at the end."""

    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory(prefix="deepedge_e2e_")
        cls.folder = Path(cls._folder.name)

    @classmethod
    def tearDownClass(cls):
        cls._folder.cleanup()

    def assert_counts_add_up(self, summary):
        for task in summary["tasks"]:
            ended = task["done"] + task["skipped"] + task["dropped"] + task["failed"]
            self.assertEqual(task["captured"], ended, f"frames without an ending: {task}")
            self.assertEqual(sum(task["reasons"].values()), ended - task["done"], task)


class _Result(unittest.TextTestResult):
    """Notes what became of each test; a test with subtests counts once, by the worst of them."""

    ORDER = ("passed", "skipped", "failed")

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.outcomes = {}

    def note(self, test, outcome):
        name = getattr(test, "test_case", test).id()
        self.outcomes[name] = max(self.outcomes.get(name, "passed"), outcome, key=self.ORDER.index)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note(test, "passed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "skipped")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.note(test, "passed")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note(test, "failed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, "failed")

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, "failed")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        self.note(test, "passed" if err is None else "failed")


def main(module="__main__"):
    """Runs the tests of the calling file; exit code 77 tells ctest that all of them were skipped. Where ctest names a file
    in TEST_ACCOUNT, what became of each test is written there, for tools/count_tests.py."""
    runner = unittest.TextTestRunner(verbosity=2, resultclass=_Result)
    result = unittest.main(module=module, exit=False, testRunner=runner).result
    outcomes = result.outcomes
    if os.environ.get("TEST_ACCOUNT"):
        account = Path(os.environ["TEST_ACCOUNT"])
        account.parent.mkdir(parents=True, exist_ok=True)
        account.write_text(json.dumps(outcomes, indent=1) + "\n")
    if outcomes and set(outcomes.values()) == {"skipped"}:
        sys.exit(77)
    sys.exit(0 if result.wasSuccessful() and outcomes else 1)
