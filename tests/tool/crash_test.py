"""Goal: what was acknowledged is never lost, what is repeated is never stored twice, and who follows the
pages sees every op once, whatever dies and whoever writes at the same time. Method: kill -9 of the program
and of the server at random moments; several processes on a space that none of them made."""

import json
import os
import signal
import threading
import time
import unittest

from naive_model import Op
from opstore_program import WAIT_SECONDS_MAX, Program, op_line, seeded_random, shared_home, space, wait_until


def feed(running, lines):
    """Writes until the process is gone."""
    try:
        for line in lines:
            running.stdin.write(line)
        running.stdin.close()
    except (BrokenPipeError, ValueError, OSError):
        pass


class Run:
    """An ingest during which something is killed at a random moment behind the first acknowledgement."""

    def __init__(self, program, lines, kill, r):
        running = program.start("ingest", "--ack")
        feeder = threading.Thread(target=feed, args=(running, lines))
        feeder.start()
        answers = [running.stdout.readline()]
        killer = threading.Timer(r.random() * 0.4, kill, args=(running,))
        killer.start()
        answers += running.stdout.readlines()
        self.error = running.stderr.read()
        self.code = running.wait(WAIT_SECONDS_MAX)
        killer.join()
        feeder.join()
        running.stdout.close()
        running.stderr.close()

        self.acknowledged = 0  # Lines.
        self.report = None
        for answer in answers:
            if not answer.endswith(b"\n"):
                break  # Killed within the line.
            document = json.loads(answer)
            if "line" in document:
                self.acknowledged = document["line"] + 1
            else:
                self.report = document


class Kills(unittest.TestCase):
    ops_in_a_round = 12_000

    def rounds(self, name, kills, exit_codes, hurried=()):
        """A run for each of `kills`, with the options `hurried`; then all lines once more."""
        r = seeded_random(name)
        program = space(name)
        lines, ids = [], []
        for kill in kills:
            ops = [
                Op(r.randrange(1 << 50), r.randbytes(r.randrange(120))) for _ in range(self.ops_in_a_round)
            ]
            new_lines = [op_line(op.created_at, op.payload) for op in ops]
            run = Run(Program(program.home, *hurried, *program.options), new_lines, kill, r)
            self.assertIn(run.code, exit_codes, run.error)
            lines += new_lines
            ids += [op.text for op in ops]
            begin = len(ids) - len(ops)
            self.assertEqual(program.missing(ids[begin : begin + run.acknowledged]), [])
            if run.code == 0:
                # Each op is newly stored in one run, also if the answer to its commit was lost.
                distinct = len(set(ids)) - len(set(ids[:begin]))
                self.assertEqual(run.report["held"], len(ops))
                self.assertEqual(program.missing(ids[begin:]), [])
                if not self.unfinished:
                    self.assertEqual(run.report["stored"], distinct)
            else:
                self.unfinished = True
        report = program.document("ingest", stdin=b"".join(lines))
        self.assertEqual((report["held"], report["rejected"]), (len(ids), []))
        self.assertEqual(sorted(program.all_ids()), sorted(set(ids)))
        self.assertEqual(program.document("verify")["damage_count"], 0)

    def setUp(self):
        self.unfinished = False

    def test_of_the_program(self):
        kills = [lambda running: running.kill()] * 4
        self.rounds("program killed", kills, {-signal.SIGKILL, 0})

    def test_of_the_server(self):
        # Nobody starts it again while the program runs.
        kills = [lambda running: shared_home().kill_server(), lambda running: shared_home().kill_server(True)]
        self.rounds("server killed", kills, {4, 75, 0}, hurried=("--timeout", "3"))

    def test_of_the_server_that_is_started_again(self):
        # If the program can wait that long it goes on where it was, and still knows which ops it was the
        # first to store.

        def kill_and_start(running):
            shared_home().kill_server(children_too=True)
            Program(shared_home()).document("server", "start")

        self.rounds("server killed and started", [kill_and_start] * 2, {75, 0})


class Concurrency(unittest.TestCase):
    def test_writers_and_a_follower_on_a_space_that_nobody_made(self):
        program = space("three writers and a follower")
        r = seeded_random("writers")
        ops = [Op(r.randrange(1 << 50), r.randbytes(r.randrange(60))) for _ in range(9000)]
        follower = program.start("page", "--follow", "--limit-bytes", "20000")
        seen = []
        reader = threading.Thread(
            target=lambda: seen.extend(
                op_id for line in follower.stdout for op_id in json.loads(line)["op_ids"]
            )
        )
        reader.start()
        time.sleep(r.random() * 0.3)  # Not waited for: an offset.
        writers, feeders = [], []
        for first in range(3):
            # Each op has two writers.
            mine = [op for number, op in enumerate(ops) if number % 3 != first]
            writers.append(program.start("ingest"))
            feeders.append(
                threading.Thread(
                    target=feed, args=(writers[-1], [op_line(op.created_at, op.payload) for op in mine])
                )
            )
            feeders[-1].start()
        for feeder in feeders:
            feeder.join()
        reports = []
        for writer in writers:
            reports.append(json.loads(writer.stdout.read()))
            self.assertEqual(writer.wait(WAIT_SECONDS_MAX), 0)
        self.assertEqual(sum(report["held"] for report in reports), 2 * len(ops))
        self.assertEqual(sum(report["stored"] for report in reports), len({op.id for op in ops}))
        wait_until(lambda: len(seen) >= len(ops), "the follower sees all ops")
        os.kill(follower.pid, signal.SIGINT)
        self.assertEqual(follower.wait(WAIT_SECONDS_MAX), 0)
        reader.join()
        self.assertEqual(sorted(seen), sorted({op.text for op in ops}))
        self.assertEqual(seen, program.all_ids())
        self.assertEqual(follower.stderr.read(), b"")
        self.assertEqual(program.document("verify")["damage_count"], 0)
        for process in (*writers, follower):
            for stream in (process.stdin, process.stdout, process.stderr):
                stream.close()

    def test_many_create_one_space(self):
        program = space("created by many")
        running = [program.start("ingest") for _ in range(8)]
        for process in running:
            out, err = process.communicate(op_line(1, b"the same"), timeout=WAIT_SECONDS_MAX)
            self.assertEqual(process.returncode, 0, err)
            self.assertEqual(json.loads(out)["held"], 1)
        self.assertEqual(program.document("stat")["op_count"], 1)

    def test_a_space_dropped_under_a_writer(self):
        program = space("dropped under a writer")
        running = program.start("ingest", "--ack")
        running.stdin.write(op_line(1, b""))
        running.stdin.flush()
        self.assertEqual(running.stdout.readline(), b'{"line":0}\n')
        program.document("spaces", "drop", "dropped under a writer", "--yes")
        out, err = running.communicate(op_line(2, b""), timeout=WAIT_SECONDS_MAX)
        self.assertEqual((running.returncode, out), (1, b""))
        self.assertIn(b"space", err)
        self.assertNotIn("dropped under a writer", [s["space"] for s in program.document("spaces")["spaces"]])
