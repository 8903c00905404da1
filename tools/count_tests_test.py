#!/usr/bin/env python3
"""Tests of count_tests.py."""

import pathlib
import sys
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import count_tests  # noqa: E402

ACCOUNT = """<testsuites><testsuite name="A">
  <testcase name="passes" status="run" result="completed"/>
  <testcase name="disabled" status="notrun" result="suppressed"/>
  <testcase name="skips" status="run" result="skipped"><skipped/></testcase>
  {more}
</testsuite></testsuites>"""


class Counting(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build = pathlib.Path(folder.name)
        (self.build / "test-results").mkdir()

    def count(self, program_of, **statuses):
        cases = "".join(f'<testcase name="{name}" status="{status}"/>' for name, status in statuses.items())
        (self.build / "test-results.xml").write_text(f"<testsuite>{cases}</testsuite>")
        with unittest.mock.patch.object(count_tests, "programs", return_value=program_of):
            return count_tests.count(self.build)

    def account(self, program, more=""):
        (self.build / "test-results" / f"{program}.xml").write_text(ACCOUNT.format(more=more))

    def test_a_program_without_account_is_one_test(self):
        self.assertEqual(self.count({"a": "python3", "b": "python3", "c": "python3"}, a="run", b="fail", c="notrun"),
                         (1, 1, 1))

    def test_a_googletest_program_counts_by_its_account(self):
        self.account("base_test", '<testcase name="fails" status="run" result="completed"><failure/></testcase>')
        self.assertEqual(self.count({"base": "base_test"}, base="fail"), (1, 1, 1))

    def test_a_failure_that_the_account_does_not_show_counts(self):
        self.account("base_test")
        self.assertEqual(self.count({"base": "base_test"}, base="fail"), (1, 1, 1))
        self.assertEqual(self.count({"other": "other_test"}, other="fail"), (0, 1, 0))

    def test_a_python_test_counts_by_its_account(self):
        account = self.build / "test-results" / "e2e_run.json"
        account.write_text('{"a": "passed", "b": "skipped", "c": "passed", "d": "skipped"}')
        self.assertEqual(self.count({"e2e_run": "python3"}, e2e_run="run"), (2, 0, 2))
        self.assertEqual(self.count({"e2e_run": "python3"}, e2e_run="fail"), (2, 1, 2))  # it ended badly
        account.write_text('{"a": "passed", "b": "failed"}')
        self.assertEqual(self.count({"e2e_run": "python3", "other": "python3"}, e2e_run="fail", other="run"), (2, 1, 0))

    def test_nothing_run_is_a_failure(self):
        self.count({})
        with unittest.mock.patch.object(count_tests, "programs", return_value={}):
            self.assertEqual(count_tests.main([str(self.build)]), 1)


if __name__ == "__main__":
    unittest.main()
