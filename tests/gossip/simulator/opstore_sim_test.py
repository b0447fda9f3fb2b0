"""Goal: the program says what it does, repeats itself byte for byte, and its exit code tells the outcome.
Method: run it as a process, and read what it prints."""

import json
import os
import subprocess
import unittest

BINARY = os.path.abspath(os.environ.get("OPSTORE_SIM", "build/opstore-sim"))
SMALL = ["--peers", "4", "--ops", "100"]


def run(*words, code=0):
    ended = subprocess.run([BINARY, *map(str, words)], capture_output=True, timeout=300, check=False)
    assert ended.returncode == code, (words, ended.returncode, ended.stdout[-2000:], ended.stderr[-2000:])
    return ended


class Program(unittest.TestCase):
    def test_text_begins_with_seed_and_every_option(self):
        lines = run(7, *SMALL).stdout.decode().split("\n")
        options = lines[1 : lines.index("")]
        self.assertEqual(lines[0], "seed 7")
        self.assertIn("peers 4", options)
        self.assertIn("ops 100", options)
        names = set(json.loads(run(7, *SMALL, "--json").stdout)["options"])
        self.assertEqual({line.split()[0].replace("-", "_") for line in options}, names)
        self.assertEqual(lines[-2], "good")

    def test_json_is_one_document_with_the_promised_fields(self):
        ended = run(8, *SMALL, "--json")
        self.assertEqual(ended.stderr, b"")
        document = json.loads(ended.stdout)
        self.assertEqual(document["seed"], 8)
        self.assertEqual(document["options"]["peers"], 4)
        self.assertIs(document["converged"], True)
        self.assertEqual((document["lost"], document["invented"]), (0, 0))
        for name in ["virtual_seconds", "rounds", "messages", "bytes"]:
            self.assertGreater(document[name], 0, name)
        for name in ["state_hash", "event_hash"]:
            self.assertRegex(document[name], "^[0-9a-f]{64}$")

    def test_repeats_byte_for_byte(self):
        for seed in range(1, 6):
            first = run(seed, "--ops", 300, "--json").stdout
            self.assertEqual(run(seed, "--ops", 300, "--json").stdout, first)
        self.assertEqual(run(3, *SMALL).stdout, run(3, *SMALL).stdout)

    def test_printed_options_given_as_flags_give_the_same(self):
        lines = run(9, *SMALL).stdout.decode().split("\n")
        words = [word for line in lines[1 : lines.index("")] for word in ("--" + line).split(" ")]
        self.assertEqual(run(9, *words).stdout.decode().split("\n"), lines)

    def test_a_flag_changes_no_other_draw(self):
        before = json.loads(run(10, *SMALL, "--json").stdout)["options"]
        after = json.loads(run(10, *SMALL, "--json", "--loss", "0.2").stdout)["options"]
        self.assertEqual(after.pop("loss"), 0.2)
        before.pop("loss")
        self.assertEqual(after, before)

    def test_the_promised_flags(self):
        run(11, *SMALL, "--arcs", "sharded", "--loss", "5%", "--partition", "0.3", "--crash", "50", "--skew", "2s",
            "--store", "memory", "--strategy", "eager", "--json")

    def test_a_broken_store_is_a_failure(self):
        for how in ["forget", "alter", "invent"]:
            ended = run(12, *SMALL, "--sabotage", how, "--rounds", 5, "--json", code=1)
            self.assertGreater(json.loads(ended.stdout)["violations"], 0)
            self.assertIn(b"opstore-sim 12 --peers 4", ended.stderr)

    def test_usage_errors(self):
        for words in [[], ["x"], ["-1"], ["18446744073709551616"], [1, 2], [1, "--peers"], [1, "--peers", 1],
                      [1, "--peers", "many"], [1, "--loss", "101"], [1, "--loss", "-0.1"], [1, "--arcs", "half"],
                      [1, "--store", "sqlite"], [1, "--skew", "late"], [1, "--nonsense"], ["--json"],
                      [1, "--strategy", ""], [1, "--interval", 0]]:
            with self.subTest(words=words):
                ended = run(*words, code=2)
                self.assertEqual(ended.stdout, b"")
                self.assertTrue(ended.stderr.startswith(b"opstore-sim: "), ended.stderr)

    def test_help(self):
        text = run("--help").stdout.decode()
        for name in ["--peers", "--loss", "--json", "--strategy"]:
            self.assertIn(name, text)


if __name__ == "__main__":
    unittest.main()
