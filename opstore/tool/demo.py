#!/usr/bin/env python3
"""The whole story on one machine: the git history that this stands in (or REPO=path) becomes ops, the ops are
dealt out to eight peers, each a process with a space of its own, and the peers gossip over TCP until all of them
hold all of it. One is killed on the way and started again. It has a server of its own, which `make clean` removes.
Repeatable: it drops the spaces it made before.
"""

import hashlib
import json
import os
import pathlib
import queue
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

OPSTORE = os.environ.get("OPSTORE", "build/opstore")
REPOSITORY = os.environ.get("REPO", ".")
PEERS = 8
VICTIM = 5
ORIGIN = "demo"
SECONDS_MAX = 180
bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")


def say(text):
    print(f"\n{bold}{text}{plain}", flush=True)


def own_home():
    """Beside the homes of the tests (tests/CMakeLists.txt), never the one with the user's own spaces."""
    build = os.path.abspath(os.path.dirname(shutil.which(OPSTORE) or OPSTORE))
    if os.geteuid() == 0:
        # Root's server runs as another user, who may not be able to enter the build.
        build = "/var/tmp/opstore-build-" + hashlib.md5(build.encode()).hexdigest()[:12]
    return os.path.join(build, "demo-server")


HOME = own_home()
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "OPSTORE"))}
for kept in ("OPSTORE_PG_BINDIR", "OPSTORE_SERVER_USER"):
    if kept in os.environ:
        ENVIRONMENT[kept] = os.environ[kept]
ENVIRONMENT["OPSTORE_HOME"] = HOME


def space_of(number):
    return f"{ORIGIN}-{number}"


def run_plainly(*arguments, given=None):
    """What the program prints; its failure ends the demo, with what it said."""
    done = subprocess.run(
        [OPSTORE, *arguments], input=given, capture_output=True, text=True, env=ENVIRONMENT
    )
    if done.returncode != 0:
        sys.exit(f"opstore {' '.join(arguments)} failed ({done.returncode}):\n{done.stderr}")
    return done.stdout


def run(space, *arguments, given=None):
    return run_plainly("--json", "--space", space, *arguments, given=given)


def documents(text):
    return [json.loads(line) for line in text.splitlines()]


def ids_of(space):
    pages = documents(run(space, "page", "--limit-bytes", "100000000", "--all"))
    return {op_id for page in pages for op_id in page["op_ids"]}


class Peer:
    """A process of `opstore peer`, which tells every second how it stands."""

    def __init__(self, number, known):
        self.number = number
        self.state = {}
        self.lines = queue.Queue()
        arguments = [OPSTORE, "--json", "--space", space_of(number), "peer", "--network", ORIGIN]
        arguments += ["--listen", "127.0.0.1:0", "--interval", "2", "--jitter", "1", "--report", "0.5"]
        for peer in known:
            arguments += ["--connect", peer.address]
        self.messages = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=self.messages, text=True, env=ENVIRONMENT
        )
        first = self.process.stdout.readline()
        if not first:
            sys.exit(f"peer {number} ended at its start, with {self.process.wait()}:\n{self.what_it_said()}")
        self.address = json.loads(first)["listening"]
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)

    def look(self):
        while not self.lines.empty():
            self.state = json.loads(self.lines.get())

    def what_it_said(self):
        self.messages.seek(0)
        return self.messages.read()

    def ops(self):
        return self.state.get("ops") or 0

    def end(self, how):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(timeout=60)


class Table:
    """A line for each half second in which something has changed: what each peer still lacks."""

    def __init__(self, total):
        self.total = total
        self.started = time.monotonic()
        self.last = None
        peers = "".join(f"{'peer ' + str(n):>9}" for n in range(1, PEERS + 1))
        print(f"{'second':>6} |{peers} | {'rounds':>6} {'MB sent':>8} {'store calls':>12}")

    def show(self, peers):
        lacks = [self.total - p.ops() if p and p.state else None for p in peers]
        if lacks == self.last:
            return
        self.last = lacks
        alive = [p for p in peers if p]
        rounds = sum(p.state.get("rounds_completed", 0) for p in alive)
        sent = sum(p.state.get("bytes_sent", 0) for p in alive) / 1e6
        calls = sum(p.state.get("store_calls", 0) for p in alive)
        cells = "".join(f"{'-' if lack is None else lack:>9}" for lack in lacks)
        elapsed = time.monotonic() - self.started
        print(f"{elapsed:6.1f} |{cells} | {rounds:6} {sent:8.1f} {calls:12}", flush=True)


def deal(ids):
    """Each op to one peer, every fourth to two: what a network has after a bad day."""
    hands = [[] for _ in range(PEERS)]
    chance = random.Random(1)
    for number, op_id in enumerate(sorted(ids)):
        for peer in chance.sample(range(PEERS), 2 if number % 4 == 0 else 1):
            hands[peer].append(op_id)
    for number, hand in enumerate(hands, 1):
        lines = []
        for op in documents(run(ORIGIN, "get", "-", given="\n".join(hand) + "\n")):
            lines.append(json.dumps({key: op[key] for key in ("created_at", "payload", "op_id")}))
        run(space_of(number), "ingest", "-", given="\n".join(lines) + "\n")
        print(f"peer {number}: {len(hand):6} ops")


def gossip(total, peers):
    """Until every peer holds every op; the victim dies on the way."""
    table = Table(total)
    killed_at = None
    while True:
        time.sleep(0.5)
        for peer in filter(None, peers):
            peer.look()
            if peer.process.poll() is not None:
                code = peer.process.returncode
                sys.exit(f"peer {peer.number} ended by itself, with {code}:\n{peer.what_it_said()}")
        table.show(peers)
        held = [peer.ops() if peer else 0 for peer in peers]
        if killed_at is None and sum(held) > 0.35 * total * PEERS:
            peers[VICTIM - 1].end(signal.SIGKILL)
            peers[VICTIM - 1] = None
            killed_at = time.monotonic()
            print(f"       * kill -9 of peer {VICTIM}")
        if killed_at and peers[VICTIM - 1] is None and time.monotonic() - killed_at > 2:
            peers[VICTIM - 1] = Peer(VICTIM, [peers[0]])
            print(f"       * peer {VICTIM} starts again; its store is as it was")
        if killed_at and all(peer and peer.ops() == total for peer in peers):
            return
        if time.monotonic() - table.started > SECONDS_MAX:
            sys.exit(f"not in sync after {SECONDS_MAX} s")


def main():
    say("A PostgreSQL of our own, made on first use, reached by one Unix socket")
    print(run_plainly("server", "start"), end="")
    there = {space["space"] for space in json.loads(run(ORIGIN, "spaces"))["spaces"]}
    for space in there & {ORIGIN, *map(space_of, range(1, PEERS + 1))}:
        run(ORIGIN, "spaces", "drop", space, "--yes")

    say(f"Every commit, tree, blob and tag of {pathlib.Path(REPOSITORY).resolve()} becomes an op")
    run(ORIGIN, "import-git", "--objects", "all", REPOSITORY)
    ids = ids_of(ORIGIN)
    print(f"{len(ids)} ops")

    say(f"Dealt out to {PEERS} peers, each with a space of its own")
    deal(ids)

    say("The peers gossip over TCP. What each still lacks:")
    peers = []
    try:
        for number in range(1, PEERS + 1):
            # Each is told of one other; of the rest they hear from each other.
            peers.append(Peer(number, peers[-1:]))
        gossip(len(ids), peers)
    finally:
        for peer in filter(None, peers):
            peer.end(signal.SIGINT)

    say("All peers hold the same? Compared id by id, and every kept hash recomputed")
    for number in range(1, PEERS + 1):
        same = ids_of(space_of(number)) == ids
        verified = json.loads(run(space_of(number), "verify"))
        print(f"peer {number}: {'the same' if same else 'DIFFERENT'}, {verified['damage_count']} damages")
        if not same:
            sys.exit(1)

    opstore = shutil.which(OPSTORE) or OPSTORE
    print(
        f"""
What to try next:
  export PATH={os.path.abspath(os.path.dirname(opstore))}:$PATH OPSTORE_HOME={HOME}
  REPO=/some/other/repository make demo
  opstore --space demo-1 stat
  opstore --space demo-1 summary
  opstore --space mine peer --network demo --listen 127.0.0.1:7001     # and from another terminal:
  opstore --space demo-1 peer --network demo --connect 127.0.0.1:7001 --interval 5
  build/opstore-sim 42                                                 # a network from a seed
  opstore server stop
  opstore --help, docs/quickstart.md, docs/gossip.md"""
    )


if __name__ == "__main__":
    main()
