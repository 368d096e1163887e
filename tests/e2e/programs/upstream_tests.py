#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""upstream_tests.py REPORT MODULE [-x ID]... [-u RESOURCE]... [ID...]

Runs a unittest module: all its tests (or those named) without those of -x.

Writes a line of JSON to REPORT for each test: its id, what became of it, why,
and how long it took. Nothing else is done to the tests.
"""
import importlib
import json
import sys
import time
import unittest


class Report(unittest.TestResult):
    """One line a test; a failed subtest is a line of its own."""

    def __init__(self, path):
        super().__init__()
        self._file = open(path, "w", buffering=1)
        self._begun = 0.0
        self._said = False

    def startTest(self, test):
        super().startTest(test)
        self._said = False
        self._begun = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        sys.stdout.flush()
        if not self._said:
            self._say(test, "ok")

    def _say(self, test, outcome, why=""):
        self._said = True
        self._file.write(json.dumps({
            "id": test.id(), "outcome": outcome, "why": why,
            "seconds": round(time.monotonic() - self._begun, 3)}) + "\n")

    def _fault(self, test, outcome, error):
        self._say(test, outcome, error[0].__name__)
        sys.stderr.write("==== %s: %s\n%s\n" % (
            outcome, test.id(), self._exc_info_to_string(error, test)))

    def addError(self, test, err):
        self._fault(test, "ERROR", err)

    def addFailure(self, test, err):
        self._fault(test, "FAIL", err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            failed = issubclass(err[0], test.failureException)
            self._fault(subtest, "FAIL" if failed else "ERROR", err)

    def addSkip(self, test, reason):
        self._say(test, "skip", reason)

    def addExpectedFailure(self, test, err):
        self._say(test, "expected failure")

    def addUnexpectedSuccess(self, test):
        self._say(test, "unexpected success")


def each(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from each(item)
        else:
            yield item


def named(test, names):
    """By its id, or by that of its class."""
    return test in names or test.rpartition(".")[0] in names


def main():
    report, name, *rest = sys.argv[1:]
    options = {"-x": [], "-u": [], "": []}
    while rest:
        option = rest.pop(0) if rest[0] in options else ""
        options[option].append(rest.pop(0))
    from test import support
    support.verbose = 0
    support.use_resources = options["-u"]
    module = importlib.import_module(name)
    tests = unittest.defaultTestLoader.loadTestsFromModule(module)
    chosen = [t for t in each(tests) if t.id() not in options["-x"]
              and (not options[""] or named(t.id(), options[""]))]
    unittest.TestSuite(chosen).run(Report(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
