"""Goal: processes of `opstore peer` on one database reconcile their spaces over TCP, whatever dies on the way,
and let nobody in who does not belong. Method: spaces with ops of their own; real processes on loopback; one is
killed (kill -9) in the middle, ten times; the ids of all spaces are compared in the end."""

import json
import os
import signal
import tempfile
import threading
import time
import unittest

from opstore_program import Program, new_home, op_line, seeded_random, space, wait_until

QUICK = ("--interval", "0.3", "--jitter", "0.1", "--report", "0.1")


class Peer:
    def __init__(self, program, *options, known=()):
        self.program = program
        connect = [word for peer in known for word in ("--connect", peer.address)]
        self.process = program.start("peer", "--network", "net", *QUICK, *options, *connect)
        self.process.stdin.close()
        first = self.process.stdout.readline()
        if not first:
            raise AssertionError(self.process.stderr.read())
        self.address = json.loads(first)["listening"]
        self.state = {}
        self.errors = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        threading.Thread(target=self.read_errors, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.state = json.loads(line)

    def read_errors(self):
        for line in self.process.stderr:
            self.errors.append(line.decode())

    def ops(self):
        return self.state.get("ops", 0)

    def end(self, how=signal.SIGINT):
        self.process.send_signal(how)
        return self.process.wait(timeout=60)


def fill(program, count, r):
    now = int(time.time() * 1_000_000)
    lines = [op_line(now - r.randrange(40 * 86_400_000_000), r.randbytes(200)) for _ in range(count)]
    program.document("ingest", stdin=b"".join(lines))


class PeerTest(unittest.TestCase):
    def test_one_is_killed_in_the_middle_ten_times(self):
        r = seeded_random("killed peers")
        programs = [space(f"killed-{i}") for i in range(3)]
        for program in programs:
            fill(program, 1500, r)
        peers = [Peer(programs[0])]
        for program in programs[1:]:
            peers.append(Peer(program, known=peers[:1]))
        try:
            for kill in range(10):
                victim = 1 + kill % 2
                rounds = peers[victim].state.get("rounds_completed", 0)
                fill(programs[0], 100, r)
                # Somewhere in the first rounds, while ops are on their way.
                deadline = time.monotonic() + r.uniform(0.05, 0.8)
                while time.monotonic() < deadline and peers[victim].state.get("rounds_completed", 0) <= rounds:
                    time.sleep(0.01)
                self.assertEqual(peers[victim].end(signal.SIGKILL), -signal.SIGKILL)
                peers[victim] = Peer(programs[victim], known=peers[:1])
            total = 3 * 1500 + 10 * 100
            wait_until(lambda: all(peer.ops() == total for peer in peers), "all peers hold all ops")
            for peer in peers:
                self.assertEqual(peer.state["ops_refused"], 0)
        finally:
            codes = [peer.end() for peer in peers]
        self.assertEqual(codes, [0, 0, 0])
        ids = [set(program.all_ids()) for program in programs]
        self.assertEqual(len(ids[0]), total)
        self.assertEqual(ids[0], ids[1])
        self.assertEqual(ids[0], ids[2])
        for program in programs:
            self.assertEqual(program.document("verify")["damage_count"], 0)

    def test_an_op_stored_by_another_process_reaches_the_others(self):
        r = seeded_random("hint")
        programs = [space(f"alive-{i}") for i in range(2)]
        first = Peer(programs[0])
        second = Peer(programs[1], known=[first])
        try:
            fill(programs[0], 10, r)
            wait_until(lambda: second.ops() == 10, "the ops of another process arrive")
        finally:
            self.assertEqual([first.end(), second.end(signal.SIGTERM)], [0, 0])

    def test_it_ends_in_order_while_the_database_is_away(self):
        home = new_home()
        program = Program(home, "--space", "outage")
        program.document("ingest", stdin=op_line(1, b""))
        peer = Peer(program)
        try:
            wait_until(lambda: peer.ops() == 1, "it has begun")
            home.kill_server(children_too=True)
            wait_until(lambda: peer.state["ops"] is None, "it has seen the outage")
            begin = time.monotonic()
            self.assertEqual(peer.end(signal.SIGTERM), 0, peer.errors)
            self.assertLess(time.monotonic() - begin, 15)
        finally:
            peer.process.kill()
        peer.reader.join(timeout=60)
        self.assertIsNone(peer.state["ops"])

    def test_it_ends_when_idle(self):
        first = Peer(space("idle-0"))
        try:
            fill(space("idle-0"), 5, seeded_random("idle"))
            done = space("idle-1").run(
                "peer", "--network", "net", *QUICK, "--connect", first.address, "--until-idle", "2"
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(space("idle-1").all_ids()), 5)
        finally:
            first.end()

    def test_strangers_stay_outside(self):
        with tempfile.TemporaryDirectory() as directory:
            secrets = []
            for name in ("right", "wrong"):
                path = os.path.join(directory, name)
                with open(path, "w", encoding="ascii") as file:
                    file.write(name * 10)
                os.chmod(path, 0o600)
                secrets.append(path)
            first = Peer(space("secret-0"), "--secret-file", secrets[0])
            fill(space("secret-0"), 5, seeded_random("secret"))
            friend = Peer(space("secret-1"), "--secret-file", secrets[0], known=[first])
            strangers = [
                Peer(space("secret-2"), "--secret-file", secrets[1], known=[first]),
                Peer(space("secret-3"), known=[first]),
            ]
            try:
                wait_until(lambda: friend.ops() == 5, "who knows the secret gets the ops")
                wait_until(lambda: first.state["handshakes_failed"] >= 2, "the others are refused")
                self.assertEqual([stranger.ops() for stranger in strangers], [0, 0])
            finally:
                for peer in (first, friend, *strangers):
                    peer.end()

    def test_wrong_use_is_refused(self):
        one = space("refused")
        for words in (
            ("--listen", "0.0.0.0:0"),
            ("--listen", "nowhere"),
            ("--connect", "127.0.0.1"),
            ("--arc", "5..10"),
            ("--secret-file", "/nonexistent"),
        ):
            done = one.run("peer", *words)
            self.assertIn(done.returncode, (1, 2), words)
            self.assertTrue(done.stderr.startswith(b"opstore: "), done.stderr)


if __name__ == "__main__":
    unittest.main()
