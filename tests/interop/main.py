"""Runs all tests and closes with their number; fails also if there was none."""

import sys
import unittest


def main():
    program = unittest.main(module=None, exit=False, argv=["interop", *sys.argv[1:]])
    result = program.result
    failed = len({case.id() for case in bad_cases(result)}) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed, {skipped} skipped", flush=True)
    return 0 if result.wasSuccessful() and result.testsRun else 1


def bad_cases(result):
    """The tests that went wrong, each as often as one of its parts did."""
    for case, _ in result.failures + result.errors:
        # A part of a test stands for the test.
        yield getattr(case, "test_case", case)


if __name__ == "__main__":
    sys.exit(main())
