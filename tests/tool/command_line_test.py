#!/usr/bin/env python3
"""The command line, end to end.

Goal: what docs/command-line.md says holds for the program as a user meets it: its documents, its exit
codes, and the contract of the store seen through it.
Method: OPSTORE_BINARY is run as separate processes on an embedded server made for this run. Random calls
are compared with a naive model of the contract (naive_model.py); processes and servers are killed at random
moments.

    OPSTORE_BINARY=build/opstore python3 tests/tool/command_line_test.py [MODULE[.CLASS[.TEST]]...]

OPSTORE_E2E_SEED repeats the random choices of a run.
"""

import sys
import unittest

import opstore_program

MODULES = [
    "random_ops_test",
    "documents_test",
    "exit_code_test",
    "ingest_test",
    "crash_test",
    "import_git_test",
    "server_test",
    "peer_test",
]


def main():
    print(f"OPSTORE_E2E_SEED={opstore_program.SEED}", flush=True)
    suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:] or MODULES)
    try:
        outcome = unittest.TextTestRunner(verbosity=2).run(suite)
    finally:
        opstore_program.remove_homes()
    return 0 if outcome.wasSuccessful() and outcome.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
